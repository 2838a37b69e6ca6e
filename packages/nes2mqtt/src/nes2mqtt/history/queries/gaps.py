"""Where a meter was not read: found in the roll-ups, which tell how far back the energy of each bucket reaches.

This module does not know what can be filled in.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from nes2mqtt.history.tables.filled import FilledGap, FilledRows, Gap, LookedInto
from nes2mqtt.history.tables.levels import HOURS, MINUTES, NEAR, QUARTERS, Level
from nes2mqtt.history.tables.rows import RegisterRows, moment, numbers_in, present_key, stamp
from nes2mqtt.readings.filled import FilledInterval
from nes2mqtt.readings.reading import Sample
from nes2mqtt.readings.register_readings import RegisterReadings
from osgp.sources import SOURCES, Source

__all__ = ["Gaps", "filled_count", "filled_gaps", "looked_into"]

_BEYOND = (1 << 63) - 1
"""A key above all keys of buckets."""


class Gaps:
    """Finds gaps in a database in which all is committed and rolled up."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._rows = RegisterRows()

    def of(self, meter: str, number: int, since: int) -> list[Gap]:
        """Return the gaps that ended after ``since`` (ms) and nobody looked into, oldest first.

        A gap that lies within one quarter of an hour is none: what it used is booked to its quarter.

        Args:
            meter: its id.
            number: its number.
            since: when the earliest of them may have ended.
        """
        ends: dict[int, int] = {}
        for began, ended in self._reaching_back(number, QUARTERS.floor(since)):
            if QUARTERS.floor(ended - 1) > QUARTERS.floor(began):
                ends.setdefault(began, ended)
        looked = "SELECT 1 FROM gaps WHERE meter = ? AND began <= ? AND ended > ?"
        found: list[Gap] = []
        for began in sorted(ends):
            if self._connection.execute(looked, (number, began, began)).fetchone() is None:
                gap = self._around(meter, number, began)
                if gap is not None and stamp(gap.after.received) > since:
                    found.append(gap)
        return found

    def _reaching_back(self, number: int, low: int) -> Iterator[tuple[int, int]]:
        """Yield from when to when the energy of a bucket was counted, of those whose energy reaches back beyond them."""
        row = self._connection.execute(
            "SELECT value FROM state WHERE name = ?", (f"built:{QUARTERS.table}",)
        ).fetchone()
        built = 0 if row is None else int(row[0])
        yield from self._reaching_back_in(QUARTERS, number, present_key(low, 0), present_key(built, 0))
        yield from self._reaching_back_in(MINUTES, number, present_key(max(low, built), 0), _BEYOND)

    def _reaching_back_in(self, level: Level, number: int, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Yield the same of the buckets of one level with keys from ``low`` up to ``high``.

        All meters share the table: it is gone through by the times that it has, not by the rows of all meters.
        """
        first = f"SELECT min(at) >> 16 FROM {level.table} WHERE at < :high AND at >="  # noqa: S608
        query = (
            f"WITH RECURSIVE buckets (begin) AS ({first} :low UNION ALL"  # noqa: S608
            f" SELECT ({first} begin + {level.step} << 16) FROM buckets WHERE begin IS NOT NULL)"
            f" SELECT energy_from, energy_to FROM buckets CROSS JOIN {level.table} AS r"
            f" ON r.at = (begin << 16 | :meter) WHERE energy_from < start - {NEAR} ORDER BY at"
        )
        yield from self._connection.execute(query, {"low": low, "high": high, "meter": number})

    def _around(self, meter: str, number: int, began: int) -> Gap | None:
        """Return the readings around a gap; None if they are not kept, or of two meters."""
        before = self._at(number, began)
        if before is None:
            return None
        query = f"{self._rows.select} WHERE seq > ? AND meter = ? ORDER BY seq LIMIT 1"
        after = self._connection.execute(query, (before[0], number)).fetchone()
        if after is None:
            return None
        names = {number: meter}
        earlier, later = self._decode(before, names), self._decode(after, names)
        if earlier is None or later is None or earlier.segment != later.segment or later.received <= earlier.received:
            return None
        return Gap(earlier, later)

    def _at(self, number: int, received: int) -> Sequence[Any] | None:
        """Return the row of a meter's reading of a moment."""
        query = "SELECT first_seq, last_seq FROM hours WHERE hour = ?"
        place = self._connection.execute(query, (HOURS.floor(received),)).fetchone()
        if place is None:
            return None
        first, last = place
        query = (
            f"{self._rows.select} WHERE seq BETWEEN ? AND ? AND meter = ? AND received = ? ORDER BY seq DESC LIMIT 1"
        )
        bounds = first, (1 << 62) if last is None else last
        row: Sequence[Any] | None = self._connection.execute(query, (*bounds, number, received)).fetchone()
        return row

    def _decode(self, row: Sequence[Any], meters: Mapping[int, str]) -> Sample | None:
        try:
            return self._rows.decode(row, meters, {})
        except (ArithmeticError, LookupError, TypeError, ValueError):
            return None


def filled_gaps(connection: sqlite3.Connection, after: int, limit: int) -> list[FilledGap]:
    """Return the gaps that were filled and have a number above ``after``, in the order of their numbers."""
    rows = FilledRows()
    found: list[FilledGap] = []
    query = (
        "SELECT gap, meter, id, began, ended FROM gaps JOIN meters USING (meter)"
        " WHERE gap > ? AND readings > 0 ORDER BY gap LIMIT ?"
    )
    for gap, number, meter, began, ended in connection.execute(query, (after, limit)).fetchall():
        readings: RegisterReadings | None = None
        for row in rows.between(connection, number, began, ended):
            try:
                sample = rows.decode(row, {number: meter}).sample
            except (ArithmeticError, LookupError, TypeError, ValueError):
                continue
            if readings is None:  # a gap lies within one segment, and its readings have the same registers
                base = _bases(connection, number, {sample.segment})[sample.segment]
                readings = RegisterReadings(meter, tuple(sample.values), sample.segment, base)
            readings.append(stamp(sample.received), sample.values)
        found.append(FilledGap(gap, meter, moment(began), moment(ended), readings or ()))
    return found


def filled_count(connection: sqlite3.Connection, after: int) -> int:
    """Return how many gaps that were filled have a number above ``after``."""
    (count,) = connection.execute("SELECT count(*) FROM gaps WHERE gap > ? AND readings > 0", (after,)).fetchone()
    return int(count)


def filled_after(connection: sqlite3.Connection, number: int, limit: int) -> list[tuple[int, FilledInterval]]:
    """Return the readings that were filled in and have higher numbers, in the order of their numbers."""
    rows = FilledRows()
    meters = dict(connection.execute("SELECT meter, id FROM meters"))
    found: list[tuple[int, FilledInterval]] = []
    for row in connection.execute(f"{rows.select} WHERE number > ? ORDER BY number LIMIT ?", (number, limit)):
        try:
            one = rows.decode(row, meters)
            found.append((one.number, FilledInterval(moment(one.since), one.sample)))
        except (ArithmeticError, LookupError, TypeError, ValueError):
            continue
    return found


def last_filled(connection: sqlite3.Connection) -> int:
    """Return the highest number of a reading that was filled in, 0 if there is none."""
    (number,) = connection.execute("SELECT max(number) FROM filled").fetchone()
    return int(number or 0)


def _bases(connection: sqlite3.Connection, number: int, segments: Iterable[int]) -> dict[int, Mapping[Source, int]]:
    """Return what each register showed first, of segments that began with a swap that was seen."""
    found: dict[int, Mapping[Source, int]] = {}
    for segment in segments:
        query = "SELECT base FROM segments WHERE meter = ? AND segment = ?"
        row = connection.execute(query, (number, segment)).fetchone()
        try:
            numbers = {} if row is None else numbers_in(row[0])
        except (TypeError, ValueError):
            numbers = {}
        found[segment] = {SOURCES[key]: value for key, value in numbers.items() if key in SOURCES}
    return found


def looked_into(connection: sqlite3.Connection, number: int, limit: int) -> list[LookedInto]:
    """Return the gaps of a meter that were looked into, the newest first."""
    query = "SELECT began, ended, readings, outcome, unplaced FROM gaps WHERE meter = ? ORDER BY ended DESC LIMIT ?"
    return [
        LookedInto(moment(began), moment(ended), readings, str(outcome), tuple(str(unplaced).split()))
        for began, ended, readings, outcome, unplaced in connection.execute(query, (number, limit))
    ]
