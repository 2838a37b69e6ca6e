"""The fuzz target of M-Bus keeps its invariant on a thousand inputs, without a fuzzer: noise, and telegrams with wrong bytes."""

import importlib.util
import random
from pathlib import Path

from mbus_house import entry, et36, gas, heat, tables, water

FUZZ = Path(__file__).parents[4] / "fuzz"
TELEGRAMS = Path(__file__).parent / "telegrams"


def _target(name):
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}_under_test", FUZZ / f"fuzz_{name}.py")
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    return target


def test_invariant_holds():
    target = _target("mbus")
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


def test_invariant_of_the_tables_holds():
    """Tables of three devices with wrong bytes, and noise."""
    target = _target("mbus_tables")
    chance = random.Random("mbus tables")
    target.check(b"")
    held = tables(gas(), water(), heat())
    whole = [bytes(39), held["ET14"], et36(4), bytes.fromhex("05 0C933A 85 0C933E 09 8C8040 03 930000")]
    bodies = [entry(heat()), gas().read, water().read, heat(info=0x23).read, held["ET16"][:600]]
    for _ in range(600):
        parts = []
        for part in [*whole, chance.choice(bodies)]:
            data = bytearray(part)
            for _ in range(chance.choice([0, 0, 1, 4])):
                data[chance.randrange(len(data))] = chance.choice([0, 1, 0x7F, 0xFF, chance.randrange(256)])
            parts.append(bytes(data[: chance.choice([len(data), chance.randrange(len(data) + 1)])]))
        target.check(b"".join(bytes((len(part),)) + part for part in parts[:4]) + parts[4])
    for _ in range(300):
        target.check(chance.randbytes(chance.randrange(600)))
    assert target.__doc__.splitlines()[0].endswith("TableError.")
