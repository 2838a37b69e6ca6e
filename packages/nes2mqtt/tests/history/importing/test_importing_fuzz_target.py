"""The fuzz target of imports keeps its invariant on a hundred files and more, without a fuzzer."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path

FUZZ = Path(__file__).parents[5] / "fuzz" / "fuzz_import.py"

TIMES = (
    *(
        "2024-10-27 02:00",
        "2024-10-27 02:30",
        "31.03.2024 02:30",
        "0001-01-01",
        "9999-12-31 23:59",
        "1699999999",
        "1699999999999",
    ),
    *("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2024-01-01T24:00", "2024-W01", "", "time", '"'),
)
VALUES = ("1.5", "1e9", "1e99", "1e-99", "-1", "1.234,5", "unknown", "12 kWh", "9" * 400, "", "\x00", "٣", "tPI", '"')


def test_invariant_holds() -> None:
    spec = importlib.util.spec_from_file_location("fuzz_import_under_test", FUZZ)
    assert spec is not None
    assert spec.loader is not None
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random(1203)
    for number in range(150):
        mark = chance.choice(",,;\t")
        lines = [mark.join((chance.choice(TIMES), chance.choice(VALUES))) for _ in range(chance.randrange(8))]
        data = "\n".join(lines).encode(chance.choice(("utf-8", "utf-16", "utf-8-sig")))
        target.check(data if number % 3 else chance.randbytes(40) + data)
    target.check(b"SQLite format 3\0" + chance.randbytes(200))
