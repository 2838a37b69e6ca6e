"""The fuzz target of the logs keeps its invariant on two thousand inputs, without a fuzzer: noise, and logs with wrong bytes."""

import importlib.util
import random
import tomllib
from pathlib import Path

FUZZ = Path(__file__).parents[5] / "fuzz"
GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.toml"))


def test_invariant_holds():
    spec = importlib.util.spec_from_file_location("fuzz_logs_under_test", FUZZ / "fuzz_logs.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random("logs")
    target.check(b"")
    for _ in range(600):
        target.check(chance.randbytes(chance.randrange(300)))
    logs = [bytes.fromhex(tomllib.loads(path.read_text(encoding="utf-8"))["hex"]) for path in GOLDEN]
    for _ in range(1400):
        data = bytearray(chance.choice(logs))
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        # Entry sizes and counts as in the golden files, or others; then a mark, or none.
        head = bytes((chance.choice((14, 15, 16, 250)), chance.choice((12, 15)), 12, 3, 0x02, 3))
        head += bytes((chance.choice((1, 2, 11)), 0, 0, 0, 0, chance.choice((0, 2)), chance.choice((3, 4)), 0, 3))
        target.check(head + bytes((chance.choice((0, 0, 255)),)) + bytes(data))
    assert target.__doc__.splitlines()[0].endswith("however they are read.")
