"""Roll-ups: what happened in each minute, quarter of an hour, hour and day (UTC).

A reading is added to its minute in memory when it has been committed. Every hour the
minutes are written, together with the numbers of the last register reading and of the last block of present
values they hold ("rolled_seq", "rolled_block") and each meter's last registers ("heads"), in one transaction. After a
kill, readings with higher numbers are added again, so each counts exactly once. Times would not do: a clock can go
back, numbers only grow. Quarters are made from minutes, hours from quarters and days from hours, once, when they are
over. What comes later for a time that is over (because the clock went back) is merged into them.

An energy belongs to the bucket in which the later of its two readings was received; a reading
exactly on the boundary ends the bucket before. After a gap that is the bucket in which the meter
was heard again; ``energy_from`` tells how far back it reaches.

This module does not know threads or when to write.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

from nes2mqtt.history.tables.blocks import BadBlock
from nes2mqtt.history.tables.columns import AVERAGED, COUNTED, ROLLUPS, keys_of
from nes2mqtt.history.tables.energy import Head
from nes2mqtt.history.tables.journal import Journal, Numbered
from nes2mqtt.history.tables.levels import LEVELS, MINUTES, NEAR, QUARTERS, Level
from nes2mqtt.history.tables.rows import MAX_METERS, Segment, moment, present_key, stamp
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES, Source

__all__ = ["RollupRows", "Rollups", "Step", "minute_of"]

_log = logging.getLogger(__name__)

_AT_ONCE = 672
"""Quarters of an hour in a week."""


class RollupRows:
    """Columns and statements of the roll-up tables, which are all alike."""

    def __init__(self) -> None:
        self.energies: tuple[Source, ...] = tuple(SOURCES[key] for key in keys_of(COUNTED))
        self.powers: tuple[Source, ...] = tuple(SOURCES[key] for key in keys_of(AVERAGED))
        self.stored = ROLLUPS.stored
        self.listed = ", ".join(self.stored)

    def merge(self, level: Level) -> str:
        """Return the statement that adds one row to its bucket: energies add up, averages weigh by samples."""
        marks = ", ".join("?" * len(self.stored))
        updates = ", ".join(f"{name} = {self._merged(name)}" for name in self.stored[1:])
        return (
            f"INSERT INTO {level.table} AS old ({self.listed}) VALUES ({marks})"  # noqa: S608 - names of our schema
            f" ON CONFLICT (at) DO UPDATE SET {updates}"
        )

    def condense(self, fine: Level, coarse: Level) -> str:
        """Return the statement that makes the ``coarse`` buckets of keys ``:low`` up to ``:high`` from the ``fine``."""
        return (
            f"INSERT OR REPLACE INTO {coarse.table} ({self.listed})"  # noqa: S608
            f" SELECT ((start / {coarse.step} * {coarse.step}) << 16) | meter,"
            f" {', '.join(self._condensed(name) for name in self.stored[1:])}"
            f" FROM {fine.table} WHERE at >= :low AND at < :high GROUP BY 1"
        )

    @staticmethod
    def _merged(name: str) -> str:
        new, old = f"excluded.{name}", f"old.{name}"
        either = f"{new}, {old}"
        if name.endswith("_avg"):
            mean = f"({old} * old.samples + {new} * excluded.samples) / (old.samples + excluded.samples)"
            return f"coalesce(CAST(round(1.0 * {mean}) AS INTEGER), {either})"
        if name.endswith("_min") or name == "energy_from":
            return f"coalesce(min({new}, {old}), {either})"
        if name.endswith("_max") or name == "energy_to":
            return f"coalesce(max({new}, {old}), {either})"
        return f"coalesce({new} + {old}, {either})"

    @staticmethod
    def _condensed(name: str) -> str:
        if name.endswith("_avg"):
            return f"CAST(round(1.0 * sum({name} * samples) / sum(iif({name} IS NULL, NULL, samples))) AS INTEGER)"
        if name.endswith("_min") or name == "energy_from":
            return f"min({name})"
        if name.endswith("_max") or name == "energy_to":
            return f"max({name})"
        return f"sum({name})"


@dataclass(frozen=True, slots=True)
class Step:
    """What registers counted between two readings (ms)."""

    since: int
    until: int
    energies: Mapping[Source, int]


@dataclass(slots=True)
class _Bucket:
    """One minute of one meter, growing."""

    samples: int = 0
    energy_from: int | None = None
    energy_to: int | None = None
    energies: dict[Source, int] = field(default_factory=dict)
    powers: dict[Source, list[int]] = field(default_factory=dict)
    """Count, sum, lowest, highest."""

    def add_energy(self, since: int, until: int, steps: Mapping[Source, int]) -> None:
        self.energy_from = since if self.energy_from is None else min(self.energy_from, since)
        self.energy_to = until if self.energy_to is None else max(self.energy_to, until)
        for source, step in steps.items():
            self.energies[source] = self.energies.get(source, 0) + step

    def add_powers(self, values: Mapping[Source, int], wanted: Sequence[Source]) -> None:
        self.samples += 1
        powers = self.powers
        for source in wanted:
            value = values.get(source)
            if value is None:
                continue
            power = powers.get(source)
            if power is None:
                powers[source] = [1, value, value, value]
                continue
            power[0] += 1
            power[1] += value
            if value < power[2]:
                power[2] = value
            elif value > power[3]:
                power[3] = value

    def row(self, key: int, rows: RollupRows) -> list[int | None]:
        cells: list[int | None] = [key, self.samples, self.energy_from, self.energy_to]
        cells.extend(self.energies.get(source) for source in rows.energies)
        for source in rows.powers:
            power = self.powers.get(source)
            if power is None:
                cells += (None, None, None)
            else:
                cells += (round(power[1] / power[0]), power[2], power[3])
        return cells


class Rollups:
    """The open buckets, and how they get into the database.

    Args:
        journal: where readings are; those not rolled up yet are added at once.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._connection = journal.connection
        self.rows = RollupRows()
        self._buckets: dict[int, _Bucket] = {}
        self.heads: dict[int, Head] = {}
        self._state: dict[str, int] = dict(self._connection.execute("SELECT name, value FROM state"))
        self._rolled_seq = self._state.get("rolled_seq", 0)
        self._rolled_block = self._state.get("rolled_block")
        self._changed: set[int] = set()
        self._load_heads()
        self._replay()

    def add_registers(self, numbered: Iterable[Numbered]) -> None:
        """Add committed register readings to their buckets."""
        for seq, sample in numbered:
            self._advance(seq, self._journal.numbers[sample.meter], stamp(sample.received), sample)

    def add_present(self, samples: Iterable[Sample]) -> None:
        """Add present values, committed up to the journal's last block, to their buckets."""
        for sample in samples:
            key = present_key(stamp(sample.received), self._journal.numbers[sample.meter])
            self._add_present(key, sample.values)
        self._rolled_block = self._journal.last_block

    def head_sample(self, meter: str) -> Sample | None:
        """Return the last value of every register of a meter's last segment."""
        number = self._journal.numbers.get(meter)
        head = None if number is None else self.heads.get(number)
        if number is None or head is None:
            return None
        place = self._journal.segments.get((number, head.segment), Segment())
        return Sample(
            meter=meter,
            group=TableGroup.REGISTERS,
            received=moment(head.received),
            values=dict(head.values),
            segment=head.segment,
            segment_start=place.started,
            restarted=place.restarted,
            base=place.base,
        )

    @property
    def size(self) -> int:
        """Return how many buckets are open."""
        return len(self._buckets)

    def open_rows(self, number: int | None = None) -> list[list[int | None]]:
        """Return the buckets (of one meter) that are not in the database, as rows of :attr:`RollupRows.stored`."""
        return [
            bucket.row(key, self.rows)
            for key, bucket in self._buckets.items()
            if number is None or key & MAX_METERS == number
        ]

    def rows_with(self, number: int, registers: Iterable[Sample], present: Iterable[Sample]) -> list[list[int | None]]:
        """Return the buckets of one meter and, as further rows, what samples that are not committed yet would add."""
        extra: dict[int, _Bucket] = {}
        head = self.heads.get(number)
        head = None if head is None else Head(head.seq, head.received, head.segment, dict(head.values))
        for sample in registers:
            received = stamp(sample.received)
            if head is None:
                head = Head(0, received, sample.segment, dict(sample.values))
                continue
            since, segment = head.received, head.segment
            steps = head.advance(0, received, sample.segment, sample.values, self.rows.energies)
            if segment == sample.segment and steps:
                key = present_key(MINUTES.floor(received - 1), number)
                extra.setdefault(key, _Bucket()).add_energy(min(since, received), received, steps)
        for sample in present:
            key = present_key(MINUTES.floor(stamp(sample.received)), number)
            extra.setdefault(key, _Bucket()).add_powers(sample.values, self.rows.powers)
        return self.open_rows(number) + [bucket.row(key, self.rows) for key, bucket in extra.items()]

    def tell_of_a_gap(self, number: int, registers: Iterable[Sample]) -> bool:
        """Tell whether a meter was not read for a while before something that is not in the database.

        Args:
            number: of the meter.
            registers: its samples that are not committed.
        """
        for key, _, since, *_ in self.rows_with(number, registers, ()):
            if key is not None and since is not None and since < (key >> 16) - NEAR:
                return True
        return False

    def flush(self, now: int, notes: Mapping[str, int] | None = None) -> None:
        """Write the open buckets and close what is over at ``now`` (ms), in one transaction.

        Args:
            now: the time of day.
            notes: further numbers to keep in table ``state``.

        Raises:
            sqlite3.Error: nothing was written; the journal and this object must be made again.
        """
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            rows = self.open_rows()
            self._connection.executemany(self.rows.merge(MINUTES), rows)
            for level in LEVELS[1:]:
                # A coarser bucket that is over was made without these rows: they are added to it as well.
                built = present_key(self._state.get(f"built:{level.table}", 0), 0)
                late = [_lift(row, level) for row in rows if (row[0] or 0) < built]
                self._connection.executemany(self.rows.merge(level), late)
            self._close(now)
            self._write_heads()
            self._note("rolled_seq", self._rolled_seq)
            if self._rolled_block is not None:
                self._note("rolled_block", self._rolled_block)
            for name, value in (notes or {}).items():
                self._note(name, value)
            execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            raise
        self._buckets.clear()
        self._changed.clear()

    def book_anew(self, number: int, steps: Iterable[Step], between: tuple[int, int, int]) -> bool:
        """Book what was counted in a gap to the buckets in which it was counted, inside the caller's transaction.

        Nothing of the meter may be in memory only: call :meth:`flush` before.

        Args:
            number: of the meter.
            steps: between the readings in the gap, in order of time; the first begins with the last reading before it. They are
                taken a week at a time, so that a gap of a year needs no more memory than one of a week.
            between: the last reading before the gap, the last one in it and the first one after it (ms).

        Returns:
            False if it cannot be found where the energy of the gap was booked; nothing was changed, and no step was taken.
        """
        began, last, ended = between
        found = self._booked(number, began, (last, ended))
        if found is None or self._buckets:
            return False
        finest, place = found
        levels = LEVELS[LEVELS.index(finest) :]
        (oldest,) = self._connection.execute(f"SELECT coalesce(min(at), 0) FROM {MINUTES.table}").fetchone()  # noqa: S608
        moved = _Bucket()
        back_to: dict[Level, int] = {}
        more = iter(steps)
        while some := list(islice(more, _AT_ONCE)):
            for step in some:
                for source, amount in step.energies.items():
                    moved.energies[source] = moved.energies.get(source, 0) - amount
                minute = minute_of(step)
                for level in levels:
                    if level.floor(minute) == level.floor(place):
                        back_to.setdefault(level, step.since)
            self._add(levels, [self._step_row(number, step) for step in some], oldest)
        self._add(levels, [moved.row(present_key(place, number), self.rows)], oldest)
        for level in levels:
            self._connection.execute(
                f"UPDATE {level.table} SET energy_from = ? WHERE at = ? AND energy_from = ?",  # noqa: S608
                (back_to.get(level, last), present_key(level.floor(place), number), began),
            )
        return True

    def _add(self, levels: Sequence[Level], rows: Sequence[list[int | None]], oldest: int) -> None:
        """Add rows of minutes to their buckets, as far as these are made and kept; the oldest minute has the key ``oldest``."""
        for level in levels:
            if level is MINUTES:
                these: Iterable[list[int | None]] = (row for row in rows if (row[0] or 0) >= oldest)
            else:
                built = present_key(self._state.get(f"built:{level.table}", 0), 0)
                these = (_lift(row, level) for row in rows if (row[0] or 0) < built)
            self._connection.executemany(self.rows.merge(level), these)

    def _booked(self, number: int, began: int, between: tuple[int, int]) -> tuple[Level, int] | None:
        """Return the finest bucket that has the energy since ``began``: its level, and when it starts."""
        low, high = between
        for level in LEVELS:
            query = (
                f"SELECT start FROM {level.table} WHERE at BETWEEN ? AND ? AND meter = ? AND energy_from = ?"  # noqa: S608
                " ORDER BY at LIMIT 1"
            )
            bounds = present_key(level.floor(low), 0), present_key(level.floor(high - 1) + level.step, 0)
            row = self._connection.execute(query, (*bounds, number, began)).fetchone()
            if row is not None:
                return level, int(row[0])
        return None

    def _step_row(self, number: int, step: Step) -> list[int | None]:
        bucket = _Bucket()
        bucket.add_energy(step.since, step.until, step.energies)
        return bucket.row(present_key(minute_of(step), number), self.rows)

    def _close(self, now: int) -> None:
        """Make the coarser buckets that are over."""
        for fine, coarse in pairwise(LEVELS):
            name = f"built:{coarse.table}"
            built, over = self._state.get(name, 0), coarse.floor(now)
            if over > built:
                bounds = {"low": present_key(built, 0), "high": present_key(over, 0)}
                self._connection.execute(self.rows.condense(fine, coarse), bounds)
                self._note(name, over)

    def _note(self, name: str, value: int) -> None:
        if self._state.get(name) != value:
            self._connection.execute(
                "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )
            self._state[name] = value

    def _write_heads(self) -> None:
        registers = self._journal.registers
        insert = registers.insert("heads", replace=True)
        for number in self._changed:
            sample = self.head_sample(self._journal.meters[number])
            if sample is not None:
                self._connection.execute(insert, registers.encode(self.heads[number].seq, number, sample))

    def _load_heads(self) -> None:
        registers = self._journal.registers
        for row in self._connection.execute(registers.select_from("heads")):
            sample = self._journal.decode(row, placed=False)
            if sample is not None:
                self.heads[row[1]] = Head(row[0], row[2], row[3], dict(sample.values))

    def _replay(self) -> None:
        """Add what was committed after the last flush."""
        journal = self._journal
        for row in self._connection.execute(
            f"{journal.registers.select} WHERE seq > ? ORDER BY seq", (self._rolled_seq,)
        ):
            sample = journal.decode(row)
            if sample is not None:
                self._advance(row[0], row[1], row[2], sample)
        if self._rolled_block is None:
            self._replay_rows()
        query = "SELECT block, meter, layout, data FROM blocks WHERE block > ? ORDER BY block"
        for block, meter, layout, data in self._connection.execute(query, (self._rolled_block or 0,)).fetchall():
            self._rolled_block = block
            try:
                readings = journal.blocks.read(layout, data)
            except BadBlock as error:
                _log.error("history: present values of block %d are damaged and left out: %s", block, error)
                continue
            for at, values in readings:
                self._add_present(present_key(at, meter), values)

    def _replay_rows(self) -> None:
        """Add what a program that knew no blocks had committed after its last flush."""
        columns = self._journal.blocks.columns
        query = f"SELECT at, {columns.listed} FROM present WHERE at > ? ORDER BY at"  # noqa: S608
        for key, *cells in self._connection.execute(query, (self._state.get("rolled_at", 0),)):
            self._add_present(key, columns.present(cells))
        self._rolled_block = 0

    def _bucket(self, time: int, meter: int) -> _Bucket:
        key = present_key(MINUTES.floor(time), meter)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket()
        return bucket

    def _advance(self, seq: int, meter: int, received: int, sample: Sample) -> None:
        self._rolled_seq = seq
        self._changed.add(meter)
        head = self.heads.get(meter)
        if head is None:
            self.heads[meter] = Head(seq, received, sample.segment, dict(sample.values))
            return
        since, segment = head.received, head.segment
        steps = head.advance(seq, received, sample.segment, sample.values, self.rows.energies)
        if segment == sample.segment and steps:
            # A reading on the boundary ends the bucket before it.
            self._bucket(received - 1, meter).add_energy(min(since, received), received, steps)

    def _add_present(self, key: int, values: Mapping[Source, int]) -> None:
        self._bucket(key >> 16, key & MAX_METERS).add_powers(values, self.rows.powers)


def _lift(row: list[int | None], level: Level) -> list[int | None]:
    """Return the row with the key of the coarser bucket it lies in."""
    key = row[0] or 0
    return [present_key(level.floor(key >> 16), key & MAX_METERS), *row[1:]]


def minute_of(step: Step) -> int:
    """Return the minute to which a step of a gap is booked.

    That is the one it ended in. By a meter's clock that is a little behind ours, all intervals would end just behind a quarter of
    an hour, and be booked to the next one: what ended so near behind it belongs to the quarter before.
    """
    quarter = QUARTERS.floor(step.until)
    return MINUTES.floor((quarter if step.until - quarter <= NEAR and step.since < quarter else step.until) - 1)
