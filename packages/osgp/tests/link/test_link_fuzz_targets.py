"""The fuzz targets of the link keep their invariant on some hundred inputs, without a fuzzer."""

import importlib.util
import random
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[4] / "fuzz"
FRAGMENTS = {
    "key": [b"ABCDEFGH", b"12", b" ", b",", b":", b"0123456789abcdef", b"\xc3\xa6", b"[", b"]", b"255"],
    "url": [b"tcp://", b"serial://", b"/dev/x", b"host", b":", b"2001", b"?baud=9600", b"[::1]", b"%", b"@", b"#"],
}


@pytest.mark.parametrize("name", ["mep_frame", "mep_client", "mep_server", "tls", "transaction", "key", "url"])
def test_invariant_holds(name):
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}_under_test", FUZZ / f"fuzz_{name}.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random(name)
    for _ in range(150):
        target.check(chance.randbytes(chance.randrange(200)))
    for _ in range(300 if name in FRAGMENTS else 0):
        target.check(b"".join(chance.choices(FRAGMENTS[name], k=chance.randrange(12))))
