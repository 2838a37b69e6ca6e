"""The history as CSV or Parquet.

One row per time and meter, one column per value with its unit in the name: ``voltage_l1_V``. Values
are in the units people read; absent stays empty. Times stand twice, in UTC and as local time with
its offset, so that neither the repeated hour in autumn nor a spreadsheet can confuse them.

This module does not know where the database comes from; nobody writes to it meanwhile.
"""

from __future__ import annotations

import csv
import sqlite3
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from heapq import heappop, heappush, merge
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from nes2mqtt.history.database.migrations import migrate
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.imported import imported_buckets, imported_readings, moved
from nes2mqtt.history.tables.columns import AVERAGED, AVERAGED_AS, COUNTED, PRESENT, REGISTERS, keys_of
from nes2mqtt.history.tables.levels import DAYS, HOURS, MINUTES, QUARTERS, Level
from nes2mqtt.history.tables.rows import BlockRows, moment, present_key, stamp
from osgp.sources import SOURCES, Source

__all__ = ["Format", "What", "export"]

_BATCH = 5000


class What(StrEnum):
    """Which of the history's tables."""

    REGISTERS = "registers"
    PRESENT = "present"
    MINUTES = "minutes"
    QUARTERS = "quarters"
    HOURS = "hours"
    DAYS = "days"


class Format(StrEnum):
    """What is written."""

    CSV = "csv"
    PARQUET = "parquet"


_ROLLUPS = {What.MINUTES: MINUTES, What.QUARTERS: QUARTERS, What.HOURS: HOURS, What.DAYS: DAYS}


@dataclass(frozen=True, slots=True)
class _Column:
    """One column of values: what it is called in the file, in the database, and what it measures."""

    title: str
    name: str
    source: Source

    @classmethod
    def of(cls, name: str, key: str) -> _Column:
        """Describe the database column ``name`` with values of the source ``key``."""
        source = SOURCES[key]
        return cls(f"{name}_{source.unit}" if source.unit else name, name, source)

    def text(self, value: int | None) -> str:
        """Return the value in the unit people read, with all its digits."""
        if value is None:
            return ""
        return f"{value / 10**self.source.decimals:.{self.source.decimals}f}" if self.source.decimals else str(value)

    def number(self, value: int | None) -> float | None:
        """Return the value in the unit people read."""
        return None if value is None else float(self.source.scaled(value))


_Row = tuple[int, str, int | None, Sequence[int | None], bool, bool]
"""Time in ms, meter's id, segment, values, whether it was filled in from the meter's load profile, whether it was imported."""


def export(
    database: Path,
    target: Path,
    *,
    what: What,
    start: datetime,
    end: datetime,
    zone: ZoneInfo,
    kind: Format = Format.CSV,
    meter: str | None = None,
) -> int:
    """Write what lies between two moments to ``target``; return the number of rows.

    Args:
        database: a history that nobody writes to (:func:`nes2mqtt.history.database.snapshot.snapshot`).
        target: the file to write.
        what: which table.
        start: first moment (aware).
        end: the moment after the last.
        zone: for the local times.
        kind: CSV or Parquet.
        meter: only this one; None for all.

    Raises:
        HistoryError: there is nothing to export or no way to; the text says what to do.
    """
    with closing(sqlite3.connect(database)) as connection:
        migrate(connection)
        columns = _columns(what)
        rows = _rows(connection, what, columns, (stamp(start), stamp(end)), meter)
        if kind is Format.PARQUET:
            return _write_parquet(target, columns, rows, zone)
        with target.open("w", encoding="utf-8", newline="") as file:
            return _write_csv(file, columns, rows, zone)


def _columns(what: What) -> list[_Column]:
    plain = {What.REGISTERS: REGISTERS, What.PRESENT: PRESENT}.get(what, COUNTED)
    columns = [_Column.of(key, key) for key in keys_of(plain)]
    if plain is COUNTED:
        columns += [_Column.of(f"{key}_{part}", key) for key in keys_of(AVERAGED) for part in AVERAGED_AS]
    return columns


def _rows(
    connection: sqlite3.Connection, what: What, columns: Sequence[_Column], bounds: tuple[int, int], meter: str | None
) -> Iterator[_Row]:
    """Yield rows in order of time."""
    meters: dict[int, str] = dict(connection.execute("SELECT meter, id FROM meters"))
    if meter is not None and meter not in meters.values():
        known = ", ".join(sorted(meters.values())) or "none"
        raise HistoryError(f"the history knows no meter '{meter}'; it knows: {known}")
    listed = ", ".join(column.name for column in columns)
    number = next((number for number, name in meters.items() if name == meter), None)
    if what is What.PRESENT:
        found = chain(
            _earlier_present(connection, listed, bounds, number), _present(connection, columns, bounds, number)
        )
        yield from ((at, meters[place], None, values, False, False) for at, place, values in found)
        return
    condition = "" if number is None else f" AND meter = {number}"
    if what is What.REGISTERS:
        for at, place, segment, values, late in _registers(connection, listed, bounds, condition):
            yield at, meters[place], segment, values, late, segment is None
        return
    level, (low, high) = _ROLLUPS[what], bounds
    query = "SELECT meter, received FROM filled WHERE received > ? AND received <= ?"
    filled = {
        (place, level.floor(at - 1)) for place, at in connection.execute(query + condition, (low, high + level.step))
    }
    query = f"SELECT at >> 16, meter, {listed} FROM {level.table} WHERE at >= ? AND at < ?{condition} ORDER BY at"  # noqa: S608
    measured = connection.execute(query, (present_key(low, 0), present_key(high, 0)))
    numbers = [number] if number is not None else sorted(meters)
    for at, place, values, imported in _with_imported(connection, level, measured, numbers, bounds):
        # Of imported readings there are no averages.
        padded = (*values, *(None for _ in columns[len(values) :]))
        yield at, meters[place], None, padded, (place, at) in filled, imported


_Counted = tuple[int, int, Sequence[int | None], bool]
"""Start of a bucket in ms, number of the meter, values, whether something in it was imported."""


def _with_imported(
    connection: sqlite3.Connection,
    level: Level,
    measured: Iterable[Sequence[int | None]],
    numbers: Sequence[int],
    bounds: tuple[int, int],
) -> Iterator[_Counted]:
    """Yield buckets with what imported readings add to them, in order of time."""
    low, high = bounds
    rows = [imported_buckets(connection, number, level, low, high) for number in numbers]
    less = {
        (level.floor(gap.ended - 1), number): gap.energies
        for number in numbers
        for gap in moved(connection, number, low, high)
    }
    here: Iterator[_Counted] = (
        (row[0] or 0, row[1] or 0, _less(row[2:], less.get((row[0] or 0, row[1] or 0), ())), False) for row in measured
    )
    bucket: _Counted | None = None
    for one in merge(here, *rows, key=lambda row: row[:2]):
        if bucket is not None and bucket[:2] == one[:2]:
            bucket = (*bucket[:2], _sums(bucket[2], one[2]), bucket[3] or one[3])
            continue
        if bucket is not None:
            yield bucket
        bucket = one
    if bucket is not None:
        yield bucket


def _sums(some: Sequence[int | None], more: Sequence[int | None]) -> list[int | None]:
    """Add what is counted; a sequence may be shorter than the other, which then goes on alone."""
    return [b if a is None else a if b is None else a + b for a, b in zip_longest(some, more)]


def _less(some: Sequence[int | None], off: Sequence[int | None]) -> list[int | None]:
    return [a if a is None or b is None else a - b for a, b in zip_longest(some, off)]


def _registers(
    connection: sqlite3.Connection, listed: str, bounds: tuple[int, int], condition: str
) -> Iterator[tuple[int, int, int | None, Sequence[int | None], bool]]:
    """Yield register readings in the order in which they were read; what was filled in or imported stands where it belongs.

    What was imported has no segment.
    """
    query = f"SELECT received, meter, segment, {listed} FROM {{}} WHERE received >= ? AND received < ?{condition}"  # noqa: S608
    filled: dict[int, deque[tuple[int, int | None, Sequence[int | None]]]] = {}
    for at, place, segment, *values in connection.execute(f"{query.format('filled')} ORDER BY received", bounds):
        filled.setdefault(place, deque()).append((at, segment, values))
    for at, place, values in imported_readings(connection, *bounds, listed.split(", "), condition):
        filled.setdefault(place, deque()).append((at, None, values))
    filled = {place: deque(sorted(late, key=lambda one: one[0])) for place, late in filled.items()}
    for at, place, segment, *values in connection.execute(f"{query.format('registers')} ORDER BY seq", bounds):
        late = filled.get(place, deque())
        while late and late[0][0] < at:
            earlier, its, shown = late.popleft()
            yield earlier, place, its, shown, its is not None
        yield at, place, segment, values, False
    for place, late in filled.items():
        yield from ((at, place, segment, values, segment is not None) for at, segment, values in late)


_Present = tuple[int, int, Sequence[int | None]]
"""Time in ms, number of the meter, values."""


def _earlier_present(
    connection: sqlite3.Connection, listed: str, bounds: tuple[int, int], number: int | None
) -> Iterator[_Present]:
    """Yield single present values as a program that knew no blocks kept them."""
    condition = "" if number is None else f" AND meter = {number}"
    query = f"SELECT at >> 16, meter, {listed} FROM present WHERE at >= ? AND at < ?{condition} ORDER BY at"  # noqa: S608
    for at, place, *values in connection.execute(query, tuple(present_key(bound, 0) for bound in bounds)):
        yield at, place, values


def _present(
    connection: sqlite3.Connection, columns: Sequence[_Column], bounds: tuple[int, int], number: int | None
) -> Iterator[_Present]:
    """Yield single present values out of their blocks, in order of time as long as the clock went forward."""
    blocks = BlockRows(connection)
    condition = "" if number is None else f" AND meter = {number}"
    query = f"SELECT first, meter, layout, data FROM blocks WHERE last >= ? AND first < ?{condition} ORDER BY block"  # noqa: S608
    low, high = bounds
    waiting: list[tuple[int, int, int, Sequence[int | None]]] = []
    count = 0
    for first, place, layout, data in connection.execute(query, bounds):
        while waiting and waiting[0][0] < first:
            at, owner, _, values = heappop(waiting)
            yield at, owner, values
        for at, found in blocks.read(layout, data):
            if low <= at < high:
                count += 1  # so that two readings of one moment need not be compared further
                heappush(waiting, (at, place, count, [found.get(column.source) for column in columns]))
    while waiting:
        at, owner, _, values = heappop(waiting)
        yield at, owner, values


def _titles(columns: Sequence[_Column]) -> list[str]:
    return ["time_utc", "time_local", "meter", "segment", *(column.title for column in columns), "filled", "imported"]


def _write_csv(file: TextIO, columns: Sequence[_Column], rows: Iterator[_Row], zone: ZoneInfo) -> int:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(_titles(columns))
    count = 0
    for at, meter, segment, values, filled, imported in rows:
        time = moment(at)
        cells = [column.text(value) for column, value in zip(columns, values, strict=True)]
        local = time.astimezone(zone).isoformat(timespec="milliseconds")
        writer.writerow([_utc(time), local, meter, segment, *cells, str(filled).lower(), str(imported).lower()])
        count += 1
    return count


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write_parquet(target: Path, columns: Sequence[_Column], rows: Iterator[_Row], zone: ZoneInfo) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra: most installations have none
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise HistoryError(
            "Parquet needs pyarrow, which is not installed. "
            f"Run: {sys.prefix}/bin/pip install 'nes2mqtt[parquet]'   or export CSV."
        ) from error
    head = [pa.timestamp("ms", tz="UTC"), pa.timestamp("ms", tz=str(zone)), pa.string(), pa.int64()]
    types: list[Any] = [*head, *(pa.float64() for _ in columns), pa.bool_(), pa.bool_()]
    schema = pa.schema(list(zip(_titles(columns), types, strict=True)))
    count = 0
    with parquet.ParquetWriter(target, schema, compression="zstd") as writer:
        batch: list[list[Any]] = []
        for at, meter, segment, values, filled, imported in rows:
            cells = [column.number(value) for column, value in zip(columns, values, strict=True)]
            batch.append([at, at, meter, segment, *cells, filled, imported])
            count += 1
            if len(batch) == _BATCH:
                writer.write_table(_table(pa, batch, schema))
                batch = []
        if batch:
            writer.write_table(_table(pa, batch, schema))
    return count


def _table(pa: Any, batch: Sequence[Sequence[Any]], schema: Any) -> Any:
    columns = zip(*batch, strict=True)
    arrays = [pa.array(cells, type=field.type) for cells, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
