"""Questions to the history: curves, energies, latest values.

All of it reads through a connection of its own, in a thread that may wait. Times go in as aware
datetimes and come out in UTC; local days and months follow the zone's rules.

This module does not write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nes2mqtt.history.periods import Unit, periods
from nes2mqtt.history.rollups import DAYS, HOURS, LEVELS, MINUTES, QUARTERS, Level, RollupRows
from nes2mqtt.history.rows import Columns, moment, stamp
from osgp.sources import Source

__all__ = ["EnergyPeriod", "Line", "OpenRow", "Reader", "Series"]

OpenRow = Sequence[int | None]
"""A bucket that is still in memory, as a row of the roll-up tables."""

TOLERANCE = timedelta(seconds=90)
"""How far from its boundary a period's first and last reading may be for it to count as complete."""

_RAW_STEP = 10_000


@dataclass(frozen=True, slots=True)
class Line:
    """One value over time; lists are as long as ``Series.times``, None where nothing is known.

    Args:
        average: the value, or the average of the bucket, in raw units.
        lowest: lowest value of the bucket.
        highest: highest value of the bucket.
    """

    average: list[int | None] = field(default_factory=list)
    lowest: list[int | None] = field(default_factory=list)
    highest: list[int | None] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Series:
    """Curves of one meter.

    Args:
        meter: its id.
        step: length of a bucket; None for single readings.
        times: start of each bucket, or time of each reading (UTC).
        lines: by source key.
    """

    meter: str
    step: timedelta | None
    times: list[datetime]
    lines: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class EnergyPeriod:
    """What the registers counted in a period.

    Args:
        start: beginning of the period (UTC).
        end: end of the period (UTC).
        values: counted amount in raw units (Wh, varh, pulses) by source key; absent where nothing is known.
        first: time of the reading from which was counted, None if there is none.
        last: time of the reading up to which was counted.
    """

    start: datetime
    end: datetime
    values: Mapping[str, int]
    first: datetime | None = None
    last: datetime | None = None

    @property
    def complete(self) -> bool:
        """Tell whether the amounts belong to this period, all of it and nothing else.

        False for a period that is not over, for one with a gap at its beginning or end (the
        energy of a gap is counted where the meter was heard again), and for one without readings.
        """
        if self.first is None or self.last is None:
            return False
        return abs(self.first - self.start) <= TOLERANCE and abs(self.end - self.last) <= TOLERANCE


class Reader:
    """Answers questions about one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.rollups = RollupRows(connection)
        self.present = Columns(connection, "present")
        self.registers = Columns(connection, "registers")

    def number(self, meter: str) -> int | None:
        """Return the meter's number, None if nothing is known of it."""
        row = self.connection.execute("SELECT meter FROM meters WHERE id = ?", (meter,)).fetchone()
        return None if row is None else int(row[0])

    def energy(
        self, meter: str, unit: Unit, start: datetime, end: datetime, zone: ZoneInfo, pending: Iterable[OpenRow]
    ) -> list[EnergyPeriod]:
        """Return the energy of every period that has a part in ``start`` up to ``end``."""
        spans = list(periods(start, end, unit, zone))
        number = self.number(meter)
        if not spans:
            return []
        sums = [_Sum() for _ in spans]
        if number is not None:
            edges = [(stamp(begin), stamp(after)) for begin, after in spans]
            level = _level_for(edges)
            width = 4 + len(self.rollups.energies)
            rows = self._buckets(level, number, edges[0][0], edges[-1][1], pending)
            place = 0
            for row in rows:
                at = (row[0] or 0) >> 16
                while at >= edges[place][1]:
                    place += 1
                sums[place].add(row[:width])
        return [
            EnergyPeriod(begin, after, total.values(self.rollups.energies), _time(total.first), _time(total.last))
            for (begin, after), total in zip(spans, sums, strict=True)
        ]

    def _buckets(
        self, level: Level, number: int, low: int, high: int, pending: Iterable[OpenRow]
    ) -> list[Sequence[int | None]]:
        """Return the rows of ``level`` in a range of time, and of finer levels where it is not written yet."""
        found: list[Sequence[int | None]] = []
        begin = low
        for coarse in reversed(LEVELS[: LEVELS.index(level) + 1]):
            built = high if coarse is MINUTES else min(high, max(begin, self._built(coarse)))
            found.extend(self._rows(coarse, number, begin, built))
            begin = built
        found.extend(row for row in pending if row[0] and row[0] & 0xFFFF == number and low <= row[0] >> 16 < high)
        found.sort(key=lambda row: row[0] or 0)
        return found

    def _built(self, level: Level) -> int:
        row = self.connection.execute("SELECT value FROM state WHERE name = ?", (f"built:{level.table}",)).fetchone()
        return 0 if row is None else int(row[0])

    def _rows(self, level: Level, number: int, low: int, high: int) -> Iterator[Sequence[int | None]]:
        """Yield a meter's rows; its buckets are looked up one by one, since all meters share the table."""
        (first,) = self.connection.execute(f"SELECT min(at) >> 16 FROM {level.table}").fetchone()  # noqa: S608
        if first is None:
            return
        low = max(low, first)
        query = (
            f"WITH RECURSIVE buckets (start) AS (SELECT :low WHERE :low < :high UNION ALL"  # noqa: S608
            f" SELECT start + {level.step} FROM buckets WHERE start + {level.step} < :high)"
            f" SELECT {', '.join('r.' + name for name in self.rollups.stored)}"
            f" FROM buckets AS b CROSS JOIN {level.table} AS r ON r.at = (b.start << 16 | :meter)"
        )
        low = -(-low // level.step) * level.step
        yield from self.connection.execute(query, {"low": low, "high": high, "meter": number})


class _Sum:
    """Energies added up."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.last: int | None = None
        self.total: list[int | None] = []

    def add(self, row: Sequence[int | None]) -> None:
        """Add a roll-up row, cut behind its energies."""
        _, _, since, until, *energies = row
        if since is not None:
            self.first = since if self.first is None else min(self.first, since)
        if until is not None:
            self.last = until if self.last is None else max(self.last, until)
        if not self.total:
            self.total = energies
        else:
            self.total = [
                a if b is None else b if a is None else a + b for a, b in zip(self.total, energies, strict=True)
            ]

    def values(self, sources: Sequence[Source]) -> dict[str, int]:
        """Return what is known, by source key."""
        return {source.key: value for source, value in zip(sources, self.total, strict=False) if value is not None}


def _level_for(edges: Sequence[tuple[int, int]]) -> Level:
    """Return the coarsest level whose buckets do not cross a period's edge."""
    for level in (DAYS, HOURS, QUARTERS):
        if all(begin % level.step == 0 for begin, _ in edges) and edges[-1][1] % level.step == 0:
            return level
    return MINUTES


def _time(stamp: int | None) -> datetime | None:
    return None if stamp is None else moment(stamp)
