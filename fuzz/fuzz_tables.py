"""Any bytes, read as any table of any meter, decode to values that encode to the same values and mean something, or raise TableError.

python fuzz/fuzz_tables.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from types import FunctionType

from osgp.errors import TableError
from osgp.tables import TABLES, Dimensions, Record, present, registers, survey
from osgp.tables.calendar.schedule import TariffCalendar
from osgp.tables.calendar.tariffs import tariffs
from osgp.tables.quality.report import supply_quality
from osgp.tables.status.state import meter_state
from osgp.tables.survey import TELLING

_TABLES = tuple(TABLES.values())
_WHEN = datetime(2026, 2, 28, 23, 59)  # noqa: DTZ001 - a meter's local clock has no zone
_MEANING: Mapping[str, Callable[[Record], object]] = {
    "BT03": lambda record: meter_state(bt03=record),
    "BT54": lambda record: TariffCalendar(record).next_switch(_WHEN),
    "BT55": tariffs,
    "ET09": supply_quality,
    "ET23": lambda record: meter_state(et23=record),
    "ET46": lambda record: meter_state(et46=record),
    "ET54": lambda record: meter_state(et54=record),
}
"""What is made of a decoded table."""


def _split(data: bytes) -> tuple[dict[str, bytes], bytes]:
    """Cut input into the tables that tell dimensions, each with a length byte, and the rest."""
    chosen, data = int.from_bytes(data[:4], "little"), data[4:]
    tables = {}
    for place, name in enumerate(TELLING):
        if chosen >> place & 1 and data:
            tables[name], data = data[1 : 1 + data[0]], data[1 + data[0] :]
    return tables, data


def _without_odd_text(value: object) -> object:
    """Replace text that a meter may hold but nobody can write."""
    if isinstance(value, str):
        return value.replace("\N{REPLACEMENT CHARACTER}", "?")
    if isinstance(value, dict):
        return {name: _without_odd_text(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(map(_without_odd_text, value))
    return value


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but TableError, if the invariant does not hold for ``data``."""
    tables, body = _split(data[1:])
    try:
        dims = survey(tables)
    except TableError:
        dims = Dimensions()
    table = _TABLES[data[0] % len(_TABLES)] if data else _TABLES[0]
    try:
        record = table.decode(body, dims)
        values = {name: _without_odd_text(value) for name, value in record.items()}
        again = table.decode(table.encode(values, dims, base=body), dims)
        assert {name: again[name] for name in values} == values
        if table.name in _MEANING:
            _MEANING[table.name](record)
        for decode in (registers.decode, present.decode):
            whole = decode(body, dims)
            assert decode(body[: len(body) // 2], dims).items() <= whole.items()
    except TableError:
        pass


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    # Only the code under test guides the fuzzer: instrument_all() takes twenty seconds and follows json's inside too.
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("osgp"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
