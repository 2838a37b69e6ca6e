"""The fuzz target of MQTT keeps its invariant on some thousand inputs, without a fuzzer."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

FUZZ = Path(__file__).parents[4] / "fuzz" / "fuzz_mqtt_wire.py"

PIECES = [
    b"\x40\x02\0\1", b"\x30\x04\0\1ab", b"\x32\x06\0\1a\0\1x", b"\x90\x04\0\4\0\1", b"\xd0\0", b"\xe0\1\x8b", b"\xb0\2\0\5",
    b"\x90\x05\0\4\0\1\1", b"\x40\x04\0\2\x87\0",
]  # fmt: skip


def test_invariant_holds() -> None:
    spec = importlib.util.spec_from_file_location("fuzz_mqtt_wire_under_test", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random(7048)
    for _ in range(3000):
        said = (
            chance.choice(PIECES) if chance.random() < 0.8 else chance.randbytes(3) for _ in range(chance.randrange(8))
        )
        target.check(chance.randbytes(2) + b"".join(said))
