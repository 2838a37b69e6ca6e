"""The fuzz target of M-Bus keeps its invariant on a thousand inputs, without a fuzzer: noise, and telegrams with wrong bytes."""

import importlib.util
import random
from pathlib import Path

FUZZ = Path(__file__).parents[4] / "fuzz"
TELEGRAMS = Path(__file__).parent / "telegrams"


def test_invariant_holds():
    spec = importlib.util.spec_from_file_location("fuzz_mbus_under_test", FUZZ / "fuzz_mbus.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random("mbus")
    target.check(b"")
    for _ in range(400):
        target.check(chance.randbytes(chance.randrange(200)))
    lines = [path.read_text(encoding="utf-8").splitlines() for path in sorted(TELEGRAMS.glob("*.txt"))]
    telegrams = [
        bytes.fromhex(line.removeprefix("telegram: ")) for file in lines for line in file if "telegram: " in line
    ]
    assert len(telegrams) == 26
    for _ in range(600):
        data = bytearray(chance.choice(telegrams))
        if chance.random() < 0.5:
            data = data[12:]
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        target.check(bytes([chance.randrange(8)]) + bytes(data[: chance.randrange(len(data) + 1)]))
    assert target.__doc__.splitlines()[0].endswith("TableError.")
