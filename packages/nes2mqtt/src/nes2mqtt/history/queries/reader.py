"""Questions to the history: curves, energies, latest values.

All questions read through a database connection of their own, in a thread that may wait. Times are given as aware
datetimes and returned in UTC; local days and months follow the rules of the time zone.

This module does not write.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from nes2mqtt.history.queries.filled_power import FilledPower, filled_power
from nes2mqtt.history.queries.imported import LONG, Moved, imported_rows, moved
from nes2mqtt.history.queries.periods import Unit, periods
from nes2mqtt.history.tables.blocks import BadBlock
from nes2mqtt.history.tables.columns import PRESENT, REGISTERS, keys_of
from nes2mqtt.history.tables.journal import LONGEST_BLOCK
from nes2mqtt.history.tables.levels import DAYS, HOURS, LEVELS, MINUTES, NEAR, QUARTERS, Level
from nes2mqtt.history.tables.rollups import RollupRows
from nes2mqtt.history.tables.rows import MAX_METERS, BlockRows, Columns, moment, present_key, stamp
from nes2mqtt.readings.reading import Sample
from osgp.sources import SOURCES, Source

__all__ = ["EnergyPeriod", "Line", "OpenRow", "Reader", "Series"]

OpenRow = Sequence[int | None]
"""A bucket that is still in memory, as a row of the roll-up tables."""

TOLERANCE = timedelta(milliseconds=NEAR)
"""How far from its boundary a period's first and last reading may be for it to count as complete."""

GAP = 30_000
"""Milliseconds without a reading that count as a gap in a curve of single readings."""

_ACTIVE = frozenset({"active_energy_import", "active_energy_export"})

_RAW_STEP = 10_000
"""Milliseconds between readings. If a range has more readings than points were asked for, roll-ups are taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value over time. The lists are as long as ``Series.times`` and hold None where nothing is known.

    Args:
        average: the value, or the average of the bucket, in raw units.
        lowest: lowest value of the bucket.
        highest: highest value of the bucket.
    """

    average: list[int | None] = field(default_factory=list)
    lowest: list[int | None] = field(default_factory=list)
    highest: list[int | None] = field(default_factory=list)

    def add(self, value: int | None) -> None:
        """Append a single value."""
        self.average.append(value)
        self.lowest.append(value)
        self.highest.append(value)


@dataclass(frozen=True, slots=True)
class Series:
    """Curves of one meter.

    Args:
        meter: its id.
        step: length of a bucket; None for single readings.
        times: start of each bucket, or time of each reading (UTC).
        lines: by source key.
        filled: times in which nothing was read, and the average power that the meter's load profile tells of them. None of it is in
            the lines.
    """

    meter: str
    step: timedelta | None
    times: list[datetime]
    lines: Mapping[str, Line]
    filled: Sequence[FilledPower] = ()


@dataclass(frozen=True, slots=True)
class EnergyPeriod:
    """The amounts that the registers counted in a period.

    Args:
        start: beginning of the period (UTC).
        end: end of the period (UTC).
        values: counted amount in raw units (Wh, varh, pulses) by source key; absent where nothing is known.
        first: time of the reading at which counting began; None without readings.
        last: time of the reading at which counting ended; None without readings.
        filled: the parts of it of which only the meter's own load profile tells, in order of time.
        unplaced: keys of values that may be wrong at the edge of a gap: what they counted in it is known, but not when.
        imported: the parts of it of which only imported readings tell, in order of time.
    """

    start: datetime
    end: datetime
    values: Mapping[str, int]
    first: datetime | None = None
    last: datetime | None = None
    filled: Sequence[tuple[datetime, datetime]] = ()
    unplaced: frozenset[str] = frozenset()
    imported: Sequence[tuple[datetime, datetime]] = ()

    @property
    def complete(self) -> bool:
        """Tell whether the active energies cover exactly this period: the whole of it, and no time outside it.

        False for a period that is not over, for a period without readings, and for a period with a gap at its beginning
        or end: the energy used during a gap is counted in the period in which the meter was next read, unless the
        meter's load profile tells when it was used.
        """
        if self.first is None or self.last is None or not self.unplaced.isdisjoint(_ACTIVE):
            return False
        return abs(self.first - self.start) <= TOLERANCE and abs(self.end - self.last) <= TOLERANCE


class Reader:
    """Answers questions about one database."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.rollups = RollupRows()
        self.present = Columns(keys_of(PRESENT))
        self.blocks = BlockRows(connection)
        self.registers = Columns(keys_of(REGISTERS))

    def number(self, meter: str) -> int | None:
        """Return the meter's number, None if nothing is known of it."""
        row = self.connection.execute("SELECT meter FROM meters WHERE id = ?", (meter,)).fetchone()
        return None if row is None else int(row[0])

    def energy(
        self, meter: str, unit: Unit, start: datetime, end: datetime, zone: ZoneInfo, pending: Iterable[OpenRow]
    ) -> list[EnergyPeriod]:
        """Return the energy of every period that has a part in ``start`` up to ``end``."""
        return self.energies(meter, list(periods(start, end, unit, zone)), pending)

    def energies(
        self,
        meter: str,
        spans: Sequence[tuple[datetime, datetime]],
        pending: Iterable[OpenRow],
        *,
        long_steps: bool = False,
    ) -> list[EnergyPeriod]:
        """Return the energy of periods that follow each other without a gap; their edges are full minutes.

        Args:
            meter: its id.
            spans: start and end of each.
            pending: the buckets that are still in memory.
            long_steps: also of imported readings that are much further apart than a period is long: what was counted between them is in
                the period in which the later one is, as after a gap. For who spreads it.
        """
        number = self.number(meter)
        if not spans:
            return []
        sums = [_Sum() for _ in spans]
        if number is not None:
            edges = [(stamp(begin), stamp(after)) for begin, after in spans]
            level = _level_for(edges)
            width = 4 + len(self.rollups.energies)
            gaps = moved(self.connection, number, edges[0][0], edges[-1][1])
            known_up_to = {gap.began: gap.last for gap in gaps}
            place = 0
            for row in self._buckets(level, number, edges[0][0], edges[-1][1], pending):
                at = (row[0] or 0) >> 16
                while at >= edges[place][1]:
                    place += 1
                _, _, since, until, *energies = row[:width]
                sums[place].add(known_up_to.get(since or 0, since), until, energies)
            self._mark_filled(number, edges, sums)
            self._add_imported(number, level, edges, sums, long_steps=long_steps)
            _take_off(gaps, edges, sums)
        return [
            EnergyPeriod(
                begin,
                after,
                total.values(self.rollups.energies),
                _time(total.first),
                _time(total.last),
                [(moment(since), moment(until)) for since, until in total.filled],
                frozenset(total.unplaced),
                [(moment(since), moment(until)) for since, until in total.imported],
            )
            for (begin, after), total in zip(spans, sums, strict=True)
        ]

    def _mark_filled(self, number: int, edges: Sequence[tuple[int, int]], sums: Sequence[_Sum]) -> None:
        """Note which parts of periods were filled in, and of which registers it stays unknown when they counted."""
        low, high = edges[0][0], edges[-1][1]
        place = 0
        slack = NEAR
        # What ended just behind a period is booked to it (nes2mqtt.history.tables.rollups).
        for since, until in self._filled(number, low + slack, high + slack):
            while until - slack > edges[place][1]:
                place += 1
            sums[place].add_filled(since, until)
        query = "SELECT began, ended, unplaced FROM gaps WHERE meter = ? AND ended > ? AND began < ? AND unplaced != ''"
        for began, ended, unplaced in self.connection.execute(query, (number, low, high)):
            for (start, end), total in zip(edges, sums, strict=True):
                inside = began >= start - slack and ended <= end + slack
                if began < end and ended > start and not inside:
                    total.unplaced.update(str(unplaced).split())

    def _add_imported(
        self,
        number: int,
        level: Level,
        edges: Sequence[tuple[int, int]],
        sums: Sequence[_Sum],
        *,
        long_steps: bool,
    ) -> None:
        """Add what imported readings tell; a step that is much longer than a period says nothing of it."""
        place = 0
        for row in imported_rows(self.connection, number, level, edges[0][0], edges[-1][1]):
            while row.start >= edges[place][1]:
                place += 1
            begin, after = edges[place]
            if long_steps or not (row.alone and row.until - row.since > LONG * (after - begin)):
                sums[place].add(row.since, row.until, row.energies)
                sums[place].imported = _joined(sums[place].imported, row.since, row.until)

    def _filled(self, number: int, low: int, high: int) -> Iterator[tuple[int, int]]:
        """Yield the times between each filled reading and the one before it, of those after ``low`` up to ``high``."""
        query = (
            "SELECT since, received FROM filled WHERE meter = ? AND received > ? AND received <= ? ORDER BY received"
        )
        yield from self.connection.execute(query, (number, low, high))

    def series(
        self,
        meter: str,
        keys: Sequence[str],
        start: datetime,
        end: datetime,
        max_points: int,
        pending: Iterable[OpenRow],
        fresh: Sequence[Sample] = (),
    ) -> Series:
        """Return curves of present values with at most ``max_points`` points, as fine as that allows.

        The points are single readings if there are few enough of them. Otherwise they are buckets of a minute, a
        quarter of an hour, an hour or a day: all buckets that have a part in the range. Sources that are not rolled up
        have lines of single readings only.

        Raises:
            ValueError: the history does not keep the value of a key; the text says which key.
        """
        unknown = [key for key in keys if key not in self.present.keys]
        if unknown:
            raise ValueError(f"the history keeps no present value named {', '.join(unknown)}")
        number = self.number(meter)
        low, high = stamp(start), stamp(end)
        if number is None or low >= high:
            return Series(meter, None, [], {key: Line() for key in keys})
        if high - low <= max_points * _RAW_STEP:
            raw = self._raw(number, keys, (low, high), max_points, fresh)
            if raw:
                filled = filled_power(self.connection, number, keys, (low, high), QUARTERS.step)
                return replace(_single(meter, keys, raw), filled=filled)
        level = self._level(low, high, max_points)
        first, last = level.floor(low), level.floor(high - 1) + level.step
        curve = self._curve(meter, keys, level, first, last, self._buckets(level, number, first, last, pending))
        return replace(curve, filled=filled_power(self.connection, number, keys, (first, last), level.step))

    def _raw(
        self, number: int, keys: Sequence[str], bounds: tuple[int, int], limit: int, fresh: Sequence[Sample]
    ) -> list[tuple[int, Sequence[int | None]]]:
        """Return time and values of single readings, in order of time; nothing if there are too many."""
        low, high = bounds
        query = (
            f"SELECT at, {', '.join(keys)} FROM present WHERE at >= ? AND at < ? AND at & {MAX_METERS} = ?"  # noqa: S608
            " ORDER BY at LIMIT ?"
        )
        earlier = (present_key(low, 0), present_key(high, 0), number, limit + 1)
        rows: list[tuple[int, Sequence[int | None]]] = [
            (key >> 16, cells) for key, *cells in self.connection.execute(query, earlier)
        ]
        sources = [SOURCES[key] for key in keys]
        for readings in self._blocks(number, low, high):
            rows += [(at, [v.get(source) for source in sources]) for at, v in readings if low <= at < high]
            if len(rows) > limit:
                return []
        rows += [
            (at, [sample.values.get(source) for source in sources])
            for sample in fresh
            for at in (stamp(sample.received),)
            if low <= at < high
        ]
        rows.sort(key=lambda row: row[0])
        return rows if len(rows) <= limit else []

    def _blocks(self, number: int, low: int, high: int) -> Iterator[list[tuple[int, dict[Source, int]]]]:
        """Yield the readings of each block of a meter that has a part in a range of time."""
        span = LONGEST_BLOCK // timedelta(milliseconds=1)
        places = self.connection.execute(
            "SELECT first_block, following FROM (SELECT first_block, hour,"
            " lead(first_block, 1, 1 << 62) OVER (ORDER BY first_block) AS following FROM block_hours)"
            " WHERE hour >= ? AND hour < ? ORDER BY first_block",
            (HOURS.floor(low), high + span),
        ).fetchall()
        query = (
            "SELECT block, layout, data FROM blocks WHERE block >= ? AND block < ? AND meter = ? AND last >= ? AND first < ?"
            " ORDER BY block"
        )
        for first, following in places:
            for block, layout, data in self.connection.execute(query, (first, following, number, low, high)):
                try:
                    yield self.blocks.read(layout, data)
                except BadBlock as error:
                    raise BadBlock(str(error), block) from error

    def _level(self, low: int, high: int, max_points: int) -> Level:
        """Return the finest level that still keeps this range of time and does not have too many buckets in it."""
        (oldest,) = self.connection.execute(f"SELECT min(at) >> 16 FROM {MINUTES.table}").fetchone()  # noqa: S608
        (quarter,) = self.connection.execute(f"SELECT min(at) >> 16 FROM {QUARTERS.table}").fetchone()  # noqa: S608
        for level in LEVELS:
            gone = (
                level is MINUTES
                and oldest is not None
                and quarter is not None
                and max(low, quarter) < oldest - HOURS.step
            )
            if not gone and high - low <= max_points * level.step:
                return level
        return LEVELS[-1]

    def _curve(
        self, meter: str, keys: Sequence[str], level: Level, first: int, last: int, rows: Iterable[Sequence[int | None]]
    ) -> Series:
        starts = range(first, last, level.step)
        lines = {key: _blank(len(starts)) for key in keys}
        weights = {key: [0] * len(starts) for key in keys}
        columns = {key: self.rollups.stored.index(f"{key}_avg") for key in keys if f"{key}_avg" in self.rollups.stored}
        for row in rows:
            place = ((row[0] or 0) >> 16) // level.step - first // level.step
            samples = row[1] or 0
            for key, column in columns.items():
                average, lowest, highest = row[column : column + 3]
                if average is None or lowest is None or highest is None:
                    continue
                line, had = lines[key], weights[key][place]
                # Several rows in one bucket: finer ones, of a bucket that is not over yet.
                line.average[place] = round(((line.average[place] or 0) * had + average * samples) / (had + samples))
                line.lowest[place] = lowest if had == 0 else min(lowest, line.lowest[place] or 0)
                line.highest[place] = highest if had == 0 else max(highest, line.highest[place] or 0)
                weights[key][place] = had + samples
        return Series(meter, timedelta(milliseconds=level.step), [moment(start) for start in starts], lines)

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
        found.extend(row for row in pending if row[0] and row[0] & MAX_METERS == number and low <= row[0] >> 16 < high)
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
        self.filled: list[tuple[int, int]] = []
        self.imported: list[tuple[int, int]] = []
        self.unplaced: set[str] = set()
        self.total: list[int | None] = []

    def add(self, since: int | None, until: int | None, energies: Sequence[int | None]) -> None:
        """Add what was counted between two readings."""
        if since is not None:
            self.first = since if self.first is None else min(self.first, since)
        if until is not None:
            self.last = until if self.last is None else max(self.last, until)
        if not self.total:
            self.total = list(energies)
        else:
            self.total = [
                a if b is None else b if a is None else a + b for a, b in zip(self.total, energies, strict=True)
            ]

    def take_off(self, energies: Sequence[int | None]) -> None:
        """Take off what is counted elsewhere, of what is known here."""
        pairs = zip(self.total, energies, strict=False)
        self.total = [a if a is None or b is None else a - b for a, b in pairs]

    def add_filled(self, since: int, until: int) -> None:
        """Note a part that was filled in; what follows on another is one with it."""
        self.filled = _joined(self.filled, since, until)

    def values(self, sources: Sequence[Source]) -> dict[str, int]:
        """Return what is known, by source key."""
        return {source.key: value for source, value in zip(sources, self.total, strict=False) if value is not None}


def _joined(parts: list[tuple[int, int]], since: int, until: int) -> list[tuple[int, int]]:
    """Return parts of time and one more behind them; what follows on the last is one with it."""
    if parts and parts[-1][1] == since:
        since = parts.pop()[0]
    parts.append((since, until))
    return parts


def _take_off(gaps: Iterable[Moved], edges: Sequence[tuple[int, int]], sums: Sequence[_Sum]) -> None:
    """Take what imported readings tell of gaps off the periods in which the gaps ended."""
    for gap in gaps:
        for (start, end), total in zip(edges, sums, strict=True):
            if start < gap.ended <= end:
                total.take_off(gap.energies)
            inside = gap.began >= start - NEAR and gap.ended <= end + NEAR
            if gap.began < end and gap.ended > start and not inside:
                total.unplaced.update(gap.unplaced)


def _blank(length: int) -> Line:
    return Line([None] * length, [None] * length, [None] * length)


def _single(meter: str, keys: Sequence[str], rows: Iterable[tuple[int, Sequence[int | None]]]) -> Series:
    """Return single readings as a series. Each gap gets a point without values, so that no line is drawn across it."""
    times: list[datetime] = []
    lines = {key: Line() for key in keys}
    before: int | None = None
    for at, cells in rows:
        if before is not None and at - before > GAP:
            times.append(moment(before + 1))
            for line in lines.values():
                line.add(None)
        times.append(moment(at))
        for line, cell in zip(lines.values(), cells, strict=True):
            line.add(cell)
        before = at
    return Series(meter, None, times, lines)


def _level_for(edges: Sequence[tuple[int, int]]) -> Level:
    """Return the coarsest level whose buckets do not cross a period's edge."""
    for level in (DAYS, HOURS, QUARTERS):
        if all(begin % level.step == 0 for begin, _ in edges) and edges[-1][1] % level.step == 0:
            return level
    return MINUTES


def _time(stamp: int | None) -> datetime | None:
    return None if stamp is None else moment(stamp)
