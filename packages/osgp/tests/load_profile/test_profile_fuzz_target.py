"""The fuzz target of the load profile keeps its invariant on a thousand inputs, without a fuzzer."""

import importlib.util
import random
from pathlib import Path

FUZZ = Path(__file__).parents[4] / "fuzz"


def test_invariant_holds():
    spec = importlib.util.spec_from_file_location("fuzz_load_profile_under_test", FUZZ / "fuzz_load_profile.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random("load profile")
    target.check(b"")
    for _ in range(1000):
        target.check(chance.randbytes(chance.randrange(3000)))
    assert target.__doc__.splitlines()[0].endswith("TableError.")
