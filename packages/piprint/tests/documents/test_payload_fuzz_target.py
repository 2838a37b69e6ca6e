"""The fuzz target of the payloads keeps its invariant on some hundred inputs, without a fuzzer."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

FUZZ = Path(__file__).parents[4] / "fuzz" / "fuzz_payload.py"


def test_invariant_holds() -> None:
    spec = importlib.util.spec_from_file_location("fuzz_payload_under_test", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random(7048)
    for _ in range(200):
        target.check(chance.randbytes(chance.randrange(200)))
    for _ in range(400):
        pieces = bytes(chance.choices(range(20), k=chance.randrange(30)))
        target.check(b"\x80\x00" + pieces)
