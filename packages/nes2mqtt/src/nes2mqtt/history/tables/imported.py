"""Readings of times in which this program did not read the meter, from a file or by hand: how they are kept, and what they count.

They stand in tables of their own. What was measured is never touched: the energies between imported readings are made from them
once (:func:`count_anew`), and who asks for energies adds them to what was measured. So an import that is taken back leaves
nothing behind. In a gap between two readings of this program, what the imported readings tell is taken off the bucket in
which the meter was heard again, so that sums stay the difference of the registers.

This module does not know files, nor which readings may be believed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import merge
from itertools import chain

from nes2mqtt.history.tables.columns import (
    COUNTED,
    IMPORTED_MOVES,
    IMPORTED_READINGS,
    IMPORTED_STEPS,
    keys_of,
)
from nes2mqtt.history.tables.energy import Head
from nes2mqtt.history.tables.levels import HOURS, QUARTERS, Level
from nes2mqtt.history.tables.rollups import Step, minute_of
from nes2mqtt.history.tables.rows import MAX_METERS, Columns, present_key
from osgp.sources import Source

__all__ = [
    "IMPORTED",
    "LEVELS_IMPORTED",
    "SHORTEST_GAP",
    "Hole",
    "Import",
    "Shown",
    "all_of",
    "count_anew",
    "holes",
    "insert",
    "measured",
    "needs_swaps_of",
    "take_back",
]

IMPORTED = "imported"
"""The outcome of a gap that was filled by an import."""
LEVELS_IMPORTED = (QUARTERS, HOURS)
"""Levels at which the energies are kept: every time zone's days begin on one of them."""
SHORTEST_GAP = 1_800_000
"""Milliseconds. Of old readings one is kept for each quarter of an hour, so two of them are up to half an hour apart."""
_LONG = 1.5
"""A step that is so many times as long as a bucket says nothing of it."""

COLUMNS = Columns(keys_of(COUNTED))
"""The registers that are imported."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the registers of a meter showed.

    Args:
        at: when, in ms since 1970.
        values: by source.
        segment: which physical meter; 0 for an imported reading.
        read: False if no reading of then is kept: it is from the meter's load profile, or only its energy is known.
    """

    at: int
    values: Mapping[Source, int]
    segment: int = 0
    read: bool = True


@dataclass(frozen=True, slots=True)
class Hole:
    """A time in which this program read nothing of a meter.

    Args:
        before: the last reading before it; None for all the time before the first one.
        after: the first reading after it.
    """

    before: Shown | None
    after: Shown

    @property
    def usable(self) -> bool:
        """Tell whether imported readings may stand in it: one meter, and none of it known from its load profile."""
        return self.before is None or (
            self.before.segment == self.after.segment and self.before.read and self.after.read
        )


@dataclass(frozen=True, slots=True)
class Import:
    """What is known of an import.

    Args:
        meter: number of the meter.
        made: when it was made (ms).
        kind: csv, homeassistant or totals.
        name: of the file, without its folder.
        swaps: when the meter was exchanged (ms).
    """

    meter: int
    made: int
    kind: str
    name: str
    swaps: Sequence[int] = ()


def measured(connection: sqlite3.Connection, meter: int) -> Iterator[Shown]:
    """Yield what this program read of a meter and what its load profile told, in order of time."""
    listed = COLUMNS.listed
    read = connection.execute(
        f"SELECT received, segment, 1, {listed} FROM registers WHERE meter = ? ORDER BY seq",  # noqa: S608 - names of our schema
        (meter,),
    )
    filled = connection.execute(
        f"SELECT received, segment, 0, {listed} FROM filled WHERE meter = ? ORDER BY received",  # noqa: S608
        (meter,),
    )
    before: Shown | None = None
    for at, segment, mine, *cells in merge(_forward(read), filled, key=lambda row: row[0]):
        if before is None or at > before.at:
            shown = Shown(at, COLUMNS.present(cells), segment, bool(mine))
            if before is None:
                yield from _begun(connection, meter, shown)
            elif at - before.at > SHORTEST_GAP:
                yield from _lost(connection, meter, before, shown)
            yield shown
            before = shown


_BUCKETS = f"SELECT energy_from, energy_to, {COLUMNS.listed} FROM {QUARTERS.table} WHERE at & {MAX_METERS} = ?"  # noqa: S608


def _begun(connection: sqlite3.Connection, meter: int, first: Shown) -> Iterator[Shown]:
    """Yield what the registers showed when counting began, if that was before the first reading that is kept.

    Of old readings the last of each quarter of an hour is kept: of the very first quarter, what was counted up to it is in its bucket.
    """
    query = f"{_BUCKETS} AND energy_from < ? ORDER BY at LIMIT 1"
    row = connection.execute(query, (meter, first.at)).fetchone()
    if row is None:
        return
    since, until, *cells = row
    counted = COLUMNS.present(cells)
    if until == first.at:
        values = {source: value - counted.get(source, 0) for source, value in first.values.items()}
        yield Shown(since, {source: value for source, value in values.items() if value >= 0}, first.segment)
    else:
        yield Shown(since, {}, first.segment, read=False)


def _lost(connection: sqlite3.Connection, meter: int, before: Shown, after: Shown) -> Iterator[Shown]:
    """Yield that something was counted between two readings that are kept, though no reading of it is, as after damage."""
    query = f"{_BUCKETS} AND at >= ? AND at < ? AND energy_to > ? AND energy_to < ? ORDER BY at LIMIT 1"
    keys = (present_key(QUARTERS.floor(before.at), 0), present_key(after.at, 0))
    row = connection.execute(query, (meter, *keys, before.at, after.at)).fetchone()
    if row is not None:
        yield Shown(row[1], {}, before.segment, read=False)


def _forward(rows: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    """Leave out what was read while the clock had gone back."""
    last = -1
    for row in rows:
        if row[0] > last:
            last = row[0]
            yield row


def all_of(connection: sqlite3.Connection, meter: int) -> Iterator[Shown]:
    """Yield what is known of a meter, imported readings too, in order of time."""
    swaps = _swaps(connection, meter)

    def imported() -> Iterator[Shown]:
        for hole in [hole for hole in holes(measured(connection, meter)) if hole.usable]:
            yield from _imported(connection, meter, hole, swaps)

    yield from merge(measured(connection, meter), imported(), key=lambda shown: shown.at)


def holes(shown: Iterable[Shown]) -> Iterator[Hole]:
    """Yield the times in which nothing was measured; the first is all before the first reading."""
    before: Shown | None = None
    for after in shown:
        if before is None or after.at - before.at > SHORTEST_GAP:
            yield Hole(before, after)
        before = after


def insert(connection: sqlite3.Connection, what: Import, readings: Iterable[Shown]) -> int:
    """Keep readings, inside the caller's transaction; return the number of the import. :func:`count_anew` is still to be called."""
    (number,) = connection.execute(
        "INSERT INTO imports (meter, made, kind, name, readings, first, last) VALUES (?, ?, ?, ?, 0, 0, 0) RETURNING import",
        (what.meter, what.made, what.kind, what.name),
    ).fetchone()
    names = ", ".join(IMPORTED_READINGS.stored[1:])
    marks = ", ".join("?" * (len(IMPORTED_READINGS.stored) - 1))
    connection.executemany(
        f"INSERT INTO imported ({names}) VALUES ({marks})",  # noqa: S608
        ([number, what.meter, one.at, *COLUMNS.values(one.values)] for one in readings),
    )
    connection.execute(
        "UPDATE imports SET (readings, first, last) ="
        " (SELECT count(*), coalesce(min(received), 0), coalesce(max(received), 0) FROM imported WHERE import = ?1)"
        " WHERE import = ?1",
        (number,),
    )
    connection.executemany(
        "INSERT INTO imported_swaps VALUES (?, ?, ?)", [(number, what.meter, at) for at in sorted(set(what.swaps))]
    )
    return int(number)


def needs_swaps_of(connection: sqlite3.Connection, number: int) -> int | None:
    """Return another import with readings of before an exchange of the meter that only this import tells; None if there is none."""
    row = connection.execute(
        "SELECT max(import) FROM imports WHERE import != ?1 AND meter = (SELECT meter FROM imports WHERE import = ?1)"
        " AND first < (SELECT max(at) FROM imported_swaps WHERE import = ?1)",
        (number,),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def take_back(connection: sqlite3.Connection, number: int) -> None:
    """Forget an import, inside the caller's transaction. :func:`count_anew` is still to be called."""
    for table in ("imported", "imported_swaps", "imports"):
        connection.execute(f"DELETE FROM {table} WHERE import = ?", (number,))  # noqa: S608


def count_anew(connection: sqlite3.Connection, meter: int) -> None:
    """Make the energies of a meter's imported readings anew, inside the caller's transaction."""
    for table in ("imported_steps", "imported_moves"):
        connection.execute(f"DELETE FROM {table} WHERE meter = ?", (meter,))  # noqa: S608
    connection.execute("DELETE FROM gaps WHERE meter = ? AND outcome = ?", (meter, IMPORTED))
    swaps = _swaps(connection, meter)
    found = [hole for hole in holes(measured(connection, meter)) if hole.usable]
    for hole in found:
        readings = _imported(connection, meter, hole, swaps)
        first = next(readings, None)
        if first is not None:
            steps = _Steps(connection, meter)
            moved = steps.of(hole, chain((first,), readings))
            if hole.before is not None:
                _move(connection, meter, hole.before, hole.after, moved)


def _swaps(connection: sqlite3.Connection, meter: int) -> list[int]:
    return [at for (at,) in connection.execute("SELECT at FROM imported_swaps WHERE meter = ? ORDER BY at", (meter,))]


@dataclass(slots=True)
class _Moved:
    """What the imported readings of a gap tell: the last of them, and what was counted up to it."""

    last: int
    counted: dict[Source, int] = field(default_factory=dict)


def _imported(connection: sqlite3.Connection, meter: int, hole: Hole, swaps: Sequence[int]) -> Iterator[Shown]:
    """Yield the imported readings of a hole; each swap after one makes it a reading of an earlier meter."""
    low = 0 if hole.before is None else hole.before.at
    rows = connection.execute(
        f"SELECT received, {COLUMNS.listed} FROM imported WHERE meter = ? AND received > ? AND received < ? ORDER BY received",  # noqa: S608
        (meter, low, hole.after.at),
    )
    for at, *cells in rows:
        later = sum(at < swap <= hole.after.at for swap in swaps)
        yield Shown(at, COLUMNS.present(cells), hole.after.segment - later)


class _Steps:
    """Writes what was counted between readings that follow each other."""

    def __init__(self, connection: sqlite3.Connection, meter: int) -> None:
        self._connection = connection
        self._meter = meter
        names = ", ".join(IMPORTED_STEPS.stored[1:])
        marks = ", ".join("?" * (len(IMPORTED_STEPS.stored) - 1))
        self._insert = f"INSERT INTO imported_steps ({names}) VALUES ({marks})"  # noqa: S608
        self._open: dict[Level, tuple[int, Step]] = {}

    def of(self, hole: Hole, readings: Iterable[Shown]) -> _Moved:
        """Write the steps of a hole; return what is to be taken off the bucket behind it."""
        head = None if hole.before is None else _head(hole.before)
        moved = _Moved(0)
        for one in readings:
            step = _step(head, one)
            head = _head(one) if head is None else head
            moved.last = one.at
            if step is not None:
                self._add(step)
                for source, amount in step.energies.items():
                    moved.counted[source] = moved.counted.get(source, 0) + amount
        if hole.before is None and head is not None:
            step = _step(head, hole.after)
            if step is not None:
                self._add(step)
        for level in list(self._open):
            self._close(level)
        return moved

    def _add(self, step: Step) -> None:
        minute = minute_of(step)
        for level in LEVELS_IMPORTED:
            start = level.floor(minute)
            if step.until - step.since > _LONG * level.step:
                self._write(level, start, step, alone=True)
                continue
            there = self._open.get(level)
            if there is not None and there[0] == start:
                energies = dict(there[1].energies)
                for source, amount in step.energies.items():
                    energies[source] = energies.get(source, 0) + amount
                self._open[level] = start, Step(min(there[1].since, step.since), step.until, energies)
            else:
                self._close(level)
                self._open[level] = start, step

    def _close(self, level: Level) -> None:
        there = self._open.pop(level, None)
        if there is not None:
            self._write(level, *there, alone=False)

    def _write(self, level: Level, start: int, step: Step, *, alone: bool) -> None:
        cells = COLUMNS.values(step.energies)
        self._connection.execute(
            self._insert, (self._meter, level.step, start, int(alone), step.since, step.until, *cells)
        )


def _head(shown: Shown) -> Head:
    return Head(0, shown.at, shown.segment, dict(shown.values))


def _step(head: Head | None, shown: Shown) -> Step | None:
    """Return what was counted since the reading before, None after another meter; ``head`` goes along."""
    if head is None:
        return None
    since = head.received
    counted = head.advance(0, shown.at, shown.segment, shown.values, COLUMNS.sources)
    return Step(since, shown.at, counted) if counted else None


def _move(connection: sqlite3.Connection, meter: int, before: Shown, after: Shown, moved: _Moved) -> None:
    """Take off the bucket behind a gap what was counted in it, and let nobody else look into the gap."""
    rest = _head(before).advance(0, after.at, after.segment, after.values, COLUMNS.sources)
    unplaced = sorted(source.key for source, amount in rest.items() if amount and source not in moved.counted)
    names = ", ".join(IMPORTED_MOVES.stored[1:])
    marks = ", ".join("?" * (len(IMPORTED_MOVES.stored) - 1))
    connection.execute(
        f"INSERT INTO imported_moves ({names}) VALUES ({marks})",  # noqa: S608
        (meter, before.at, moved.last, after.at, " ".join(unplaced), *COLUMNS.values(moved.counted)),
    )
    looked = "SELECT 1 FROM gaps WHERE meter = ? AND began < ? AND ended > ?"
    if connection.execute(looked, (meter, after.at, before.at)).fetchone() is None:
        connection.execute(
            "INSERT INTO gaps (meter, began, ended, readings, outcome, unplaced) VALUES (?, ?, ?, 0, ?, '')",
            (meter, before.at, after.at, IMPORTED),
        )
