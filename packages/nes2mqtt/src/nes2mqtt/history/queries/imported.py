"""What imported readings add to the energies that were measured.

This module does not know what is asked for, nor how the energies of imported readings are made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nes2mqtt.history.tables.columns import COUNTED, keys_of
from nes2mqtt.history.tables.imported import LEVELS_IMPORTED
from nes2mqtt.history.tables.levels import MINUTES, Level

__all__ = [
    "LONG",
    "ImportedRow",
    "ImportedSoFar",
    "Moved",
    "imported_buckets",
    "imported_readings",
    "imported_rows",
    "imports",
    "moved",
]

LONG = 1.5
"""A step between imported readings that is so many times as long as a period says nothing of it."""

_LISTED = ", ".join(keys_of(COUNTED))


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What was counted between imported readings.

    Args:
        start: of the bucket to which it belongs (ms).
        alone: it is one step, which may be longer than what is asked for.
        since: the reading from which was counted (ms).
        until: the reading up to which was counted.
        energies: in the order of the columns of roll-ups.
    """

    start: int
    alone: bool
    since: int
    until: int
    energies: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What imported readings tell of a gap between two readings of this program.

    Args:
        began: the reading before it (ms).
        last: the last imported reading in it.
        ended: the reading after it.
        unplaced: keys of registers that counted in it and were not imported.
        energies: what is to be taken off the bucket in which the gap ended.
    """

    began: int
    last: int
    ended: int
    unplaced: Sequence[str]
    energies: Sequence[int | None]


@dataclass(frozen=True, slots=True)
class ImportedSoFar:
    """An import that is in the history; times in ms since 1970."""

    number: int
    meter: str
    made: int
    kind: str
    name: str
    readings: int
    first: int
    last: int


def imported_rows(
    connection: sqlite3.Connection, number: int, level: Level, low: int, high: int
) -> Iterator[ImportedRow]:
    """Yield what imported readings tell of a range of time (ms), by a level or a near one, in order of time."""
    kept = min(LEVELS_IMPORTED, key=lambda one: abs(one.step - level.step))
    query = (
        f"SELECT start, alone, energy_from, energy_to, {_LISTED} FROM imported_steps"  # noqa: S608 - names of our schema
        " WHERE meter = ? AND level = ? AND start >= ? AND start < ? ORDER BY start, number"
    )
    for start, alone, since, until, *energies in connection.execute(query, (number, kept.step, low, high)):
        yield ImportedRow(start, bool(alone), since, until, energies)


def moved(connection: sqlite3.Connection, number: int, low: int, high: int) -> list[Moved]:
    """Return what is known of gaps with imported readings that have a part in a range of time (ms), in order of time."""
    query = (
        f"SELECT began, last, ended, unplaced, {_LISTED} FROM imported_moves"  # noqa: S608
        " WHERE meter = ? AND ended > ? AND began < ? ORDER BY ended"
    )
    return [
        Moved(began, last, ended, str(unplaced).split(), energies)
        for began, last, ended, unplaced, *energies in connection.execute(query, (number, low, high))
    ]


def imports(connection: sqlite3.Connection) -> list[ImportedSoFar]:
    """Return the imports that are in the history, the oldest first."""
    query = "SELECT import, id, made, kind, name, readings, first, last FROM imports JOIN meters USING (meter) ORDER BY import"
    return [ImportedSoFar(*row) for row in connection.execute(query)]


def imported_buckets(
    connection: sqlite3.Connection, number: int, level: Level, low: int, high: int
) -> Iterator[tuple[int, int, Sequence[int | None], bool]]:
    """Yield start, meter and energies of the buckets of a level with imported readings, and True; in order of time.

    A step that is much longer than a bucket is in none.
    """
    if level is MINUTES:
        return
    bucket: tuple[int, int, Sequence[int | None], bool] | None = None
    for row in imported_rows(connection, number, level, low, high):
        if row.alone and row.until - row.since > LONG * level.step:
            continue
        start = level.floor(row.start)
        if bucket is None or bucket[0] != start:
            if bucket is not None:
                yield bucket
            bucket = (start, number, row.energies, True)
        else:
            pairs = zip(bucket[2], row.energies, strict=True)
            bucket = (start, number, [b if a is None else a if b is None else a + b for a, b in pairs], True)
    if bucket is not None:
        yield bucket


def imported_readings(
    connection: sqlite3.Connection, low: int, high: int, wanted: Sequence[str], condition: str
) -> Iterator[tuple[int, int, Sequence[int | None]]]:
    """Yield time, meter and the wanted values of imported readings in a range of time (ms), in order of time."""
    there = set(keys_of(COUNTED))
    listed = ", ".join(key if key in there else "NULL" for key in wanted)
    query = f"SELECT received, meter, {listed} FROM imported WHERE received >= ? AND received < ?{condition} ORDER BY 1"  # noqa: S608
    for at, place, *values in connection.execute(query, (low, high)):
        yield at, place, values
