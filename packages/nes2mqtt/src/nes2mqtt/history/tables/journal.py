"""The journal writes samples into the database, each exactly once, and stores register samples under their numbers.

Only one :class:`Journal` writes, and only one thread uses it. The journal keeps in memory what it needs for writing, so
that it need not read the database first: meter numbers, segments and the layouts of blocks. The numbers of register
samples grow, and so do the numbers of blocks of present values. Whether something is already stored is decided by these
numbers, not by times.

This module does not know threads, clocks or what happens after an error.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from nes2mqtt.history.tables.blocks import pack
from nes2mqtt.history.tables.columns import PARTS
from nes2mqtt.history.tables.rows import MAX_METERS, BlockRows, RegisterRows, Segment, moment, numbers_in, stamp
from nes2mqtt.readings.reading import MeterInfo, Sample, TableGroup
from osgp.sources import SOURCES, Source

__all__ = ["Journal", "Numbered"]

T = TypeVar("T")

Numbered = tuple[int, Sample]
"""A register sample with its number in the journal."""

_log = logging.getLogger(__name__)

_HOUR = 3_600_000
LONGEST_BLOCK = timedelta(minutes=30)
"""A block spans less time than this, also when the clock stepped, because a block is found by the hour of its latest
reading."""
_IN_BLOCK = 1000
_MEANS = {
    "started": "when it came",
    "restarted": "when its registers rolled over",
    "base": "what it showed when it came",
}
"""The meaning of each cell of a segment, in words."""
_IDENTITY = ("serial", "manufacturer", "model", "firmware")


class Journal:
    """Writes samples through ``connection``, whose schema is up to date."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.registers = RegisterRows()
        self.blocks = BlockRows(connection)
        self.meters: dict[int, str] = dict(connection.execute("SELECT meter, id FROM meters"))
        self.numbers: dict[str, int] = {name: number for number, name in self.meters.items()}
        self.mended: list[str] = []
        """The damaged data that were put right when the journal was opened, in words for the owner."""
        self._name_lost_meters()
        self.segments: dict[tuple[int, int], Segment] = {}
        self._load_segments()
        self.cursors: dict[str, int] = self._load_cursors()
        self.part = PARTS[0]
        self.use_part()
        last = connection.execute("SELECT seq FROM registers ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq: int = max(last[0] if last else 0, *self.cursors.values(), 0)
        (self._hour,) = connection.execute("SELECT max(hour) FROM hours WHERE last_seq IS NULL").fetchone()
        self.last_block: int = self._load_last_block()
        row = connection.execute("SELECT hour FROM block_hours ORDER BY first_block DESC LIMIT 1").fetchone()
        self._block_hour: int | None = row[0] if row else None

    def write(
        self,
        registers: Sequence[Numbered],
        present: Sequence[Sample],
        *,
        cursors: Mapping[str, int] | None = None,
        infos: Mapping[str, MeterInfo] | None = None,
    ) -> None:
        """Commit samples, and how far outboxes have delivered, in one transaction.

        Args:
            registers: register samples; their numbers are above those of all earlier samples.
            present: samples in the order in which they came.
            cursors: changed positions of outboxes, by name.
            infos: the identities of the meters, as far as they are known, by id.

        Raises:
            sqlite3.Error: nothing was written; the journal must be opened again.
        """
        execute = self.connection.execute
        block, block_hour = self.last_block, self._block_hour
        execute("BEGIN IMMEDIATE")
        try:
            self._write_meters((*(sample for _, sample in registers), *present), infos or {})
            self._write_cursors(cursors or {}, carried=bool(registers))
            if registers:
                self._mark_hours(registers)
                self._write_registers(registers, list((self.cursors | dict(cursors or {})).values()))
            for samples in _by_meter(present):
                block += 1
                block_hour = self._write_block(block, block_hour, samples)
            execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise
        if registers:
            self.last_seq = registers[-1][0]
        if present:
            self.blocks.committed()
        self.last_block, self._block_hour = block, block_hour
        self.cursors.update(cursors or {})

    def note(self, name: str, value: int) -> None:
        """Keep a number in table ``state``.

        Raises:
            sqlite3.Error: the number was not stored.
        """
        self.connection.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )

    def forget_block(self, block: int) -> str:
        """Delete a block that cannot be unpacked; return in words which block it was, or "" if it was gone already."""
        row = self.connection.execute("SELECT meter, first, last FROM blocks WHERE block = ?", (block,)).fetchone()
        for part in PARTS:
            self.connection.execute(f"DELETE FROM blocks_{part} WHERE block = ?", (block,))  # noqa: S608
        if row is None:
            return ""
        meter, first, last = row
        return (
            f"the single present values of {self.meters.get(meter, meter)} from {moment(first):%Y-%m-%d %H:%M} to "
            f"{moment(last):%H:%M} UTC were damaged and are gone; minutes and energies are not touched"
        )

    def use_part(self) -> None:
        """From now on write into the part that the database names as the one in use."""
        row = self.connection.execute("SELECT value FROM state WHERE name = 'part'").fetchone()
        number = row[0] if row else 0
        if number not in range(len(PARTS)):  # the newest readings tell as well
            ends = [self.connection.execute(f"SELECT max(seq) FROM registers_{part}").fetchone()[0] for part in PARTS]  # noqa: S608
            number = max(range(len(PARTS)), key=lambda place: ends[place] or 0)
            self.note("part", number)
        self.part = PARTS[number]

    def after(self, seq: int, limit: int) -> list[Numbered]:
        """Return up to ``limit`` committed register samples numbered above ``seq``, in order."""
        query = f"{self.registers.select} WHERE seq > ? ORDER BY seq LIMIT ?"
        found: list[Numbered] = []
        while (missing := limit - len(found)) > 0:
            rows = self.connection.execute(query, (seq, missing)).fetchall()
            read = ((row[0], self.decode(row)) for row in rows)
            found.extend((number, sample) for number, sample in read if sample is not None)
            if len(rows) < missing:
                break
            seq = rows[-1][0]
        return found

    def decode(self, row: Sequence[Any], *, placed: bool = True) -> Sample | None:
        """Return the sample of a row of registers; None if the row cannot be understood and is left out.

        Args:
            row: a row as :attr:`RegisterRows.select` gives it.
            placed: whether the sample shall also have what is known of its segment.
        """
        try:
            return self.registers.decode(row, self.meters, self.segments if placed else {})
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            _log.error("history: register reading %s cannot be understood and is left out: %r", row[0], error)
            return None

    def identity(self, meter: str, segment: int) -> MeterInfo | None:
        """Return the identity of a segment's meter; None if it is not known."""
        place = self.segments.get((self.numbers.get(meter, 0), segment))
        return None if place is None else place.info

    def _load_last_block(self) -> int:
        """Return the highest number that a block ever had, as far as the database shows that."""
        queries = [f"SELECT max(block) FROM blocks_{part}" for part in PARTS]  # noqa: S608
        queries += ["SELECT max(first_block) FROM block_hours", "SELECT value FROM state WHERE name = 'rolled_block'"]
        found = [self.connection.execute(query).fetchone() for query in queries]
        return max((row[0] for row in found if row and row[0] is not None), default=0)

    def _load_cursors(self) -> dict[str, int]:
        """Return how far outboxes have come, in the order of their numbers."""
        positions = dict(self.connection.execute("SELECT name, position FROM outboxes ORDER BY outbox"))
        last = self.connection.execute("SELECT seq, behind FROM registers ORDER BY seq DESC LIMIT 1").fetchone()
        if last is not None and last[1] is not None:
            seq, behind = last
            newer = zip(positions, str(behind).split(), strict=False)
            # What is no number is passed over: then the broker gets some readings twice, with the same numbers.
            positions |= {name: max(positions[name], seq - int(by)) for name, by in newer if by.isdecimal()}
        return positions

    def _write_cursors(self, cursors: Mapping[str, int], *, carried: bool) -> None:
        """Note how far outboxes have come, unless a register sample of the same transaction carries it."""
        for name, position in cursors.items():
            if name not in self.cursors:
                self.connection.execute("INSERT INTO outboxes (name, position) VALUES (?, ?)", (name, position))
            elif not carried:
                self.connection.execute("UPDATE outboxes SET position = ? WHERE name = ?", (position, name))

    def _write_registers(self, registers: Sequence[Numbered], positions: Sequence[int]) -> None:
        last = registers[-1][0]
        rows = [
            self.registers.encode(seq, self.numbers[sample.meter], sample, positions if seq == last else ())
            for seq, sample in registers
        ]
        self.connection.executemany(self.registers.insert(f"registers_{self.part}"), rows)

    def _load_segments(self) -> None:
        query = "SELECT meter, segment, started, restarted, base, serial, manufacturer, model, firmware FROM segments"
        for number, segment, started, restarted, base, *identity in self.connection.execute(query).fetchall():
            place = number, segment
            self.segments[place] = Segment(
                started=self._understood(place, "started", started, _moment_or_none, None),
                restarted=self._understood(
                    place, "restarted", restarted, lambda cell: {s: moment(at) for s, at in _by_source(cell)}, {}
                ),
                info=MeterInfo(
                    self.meters[number], **{n: str(v or "") for n, v in zip(_IDENTITY, identity, strict=True)}
                )
                if any(identity)
                else None,
                base=self._understood(place, "base", base, lambda cell: dict(_by_source(cell)), {}),
            )

    def _understood(
        self, place: tuple[int, int], column: str, cell: object, understand: Callable[[object], T], nothing: T
    ) -> T:
        """Return the meaning of a segment's cell. A cell that cannot be understood is emptied and reported."""
        try:
            return understand(cell)
        except (ArithmeticError, TypeError, ValueError) as error:
            number, segment = place
            _log.error("history: %s of segment %d of meter %d: %r", column, segment, number, error)
            self.connection.execute(
                f"UPDATE segments SET {column} = NULL WHERE meter = ? AND segment = ?",  # noqa: S608 - our schema's name
                place,
            )
            self.mended.append(
                f"of the meter {self.meters[number]} it can no longer be read {_MEANS[column]} (a damaged field). Its "
                "readings and energies are not touched"
            )
            return nothing

    def _name_lost_meters(self) -> None:
        """Give each meter whose name is lost an unused name, so that its readings are kept, as salvage does."""
        query = "SELECT meter FROM segments UNION SELECT meter FROM heads"
        for number in sorted({row[0] for row in self.connection.execute(query)} - self.meters.keys()):
            name = f"lost_{number}"
            self.connection.execute("INSERT OR IGNORE INTO meters VALUES (?, ?)", (number, name))
            self.meters[number] = name
            self.numbers.setdefault(name, number)
            self.mended.append(
                f"the name of a meter was damaged: what it gave until now is kept under the name {name}, what comes "
                "from now on under its own"
            )

    def _write_block(self, block: int, hour: int | None, samples: Sequence[Sample]) -> int:
        """Write present values of one meter as one row; return the hour its latest reading lies in."""
        times = [stamp(sample.received) for sample in samples]
        layout, sources = self.blocks.layout(samples)
        data = pack([(at, [s.values.get(source) for source in sources]) for at, s in zip(times, samples, strict=True)])
        latest = max(times)
        row = (block, self.numbers[samples[0].meter], min(times), latest, len(samples), layout, data)
        self.connection.execute(f"INSERT INTO blocks_{self.part} VALUES (?, ?, ?, ?, ?, ?, ?)", row)  # noqa: S608
        if latest // _HOUR * _HOUR != hour:
            hour = latest // _HOUR * _HOUR
            self.connection.execute("INSERT INTO block_hours VALUES (?, ?)", (block, hour))
        return hour

    def _write_meters(self, samples: Iterable[Sample], infos: Mapping[str, MeterInfo]) -> None:
        """Insert new meters and segments, and update what has been learned of the known ones."""
        for sample in samples:
            number = self.numbers.get(sample.meter)
            if number is None:
                number = self._enter_meter(sample.meter)
            if sample.group is TableGroup.REGISTERS:
                known = self.segments.get((number, sample.segment))
                segment = Segment(
                    # The first one stays: each other one would be another meter to whoever counts from it.
                    started=sample.segment_start if known is None or known.started is None else known.started,
                    restarted=sample.restarted,
                    info=_better(infos.get(sample.meter), None if known is None else known.info),
                    base=sample.base or (known.base if known is not None else {}),
                )
                if segment != known:
                    self._enter_segment((number, sample.segment), segment, stamp(sample.received))

    def _enter_segment(self, place: tuple[int, int], segment: Segment, received: int) -> None:
        restarted = {source.key: stamp(at) for source, at in segment.restarted.items()}
        base = {source.key: value for source, value in segment.base.items()}
        self.connection.execute(
            "INSERT INTO segments (meter, segment, first_received, started, restarted, base, serial, manufacturer,"
            " model, firmware) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " started = excluded.started, restarted = excluded.restarted, base = excluded.base, serial = excluded.serial,"
            " manufacturer = excluded.manufacturer, model = excluded.model, firmware = excluded.firmware",
            (
                *place,
                received,
                None if segment.started is None else stamp(segment.started),
                json.dumps(restarted) if restarted else None,
                json.dumps(base) if base else None,
                *(getattr(segment.info, name, "") for name in _IDENTITY),
            ),
        )
        self.segments[place] = segment

    def _enter_meter(self, meter: str) -> int:
        number = max(self.meters, default=0) + 1
        if number > MAX_METERS:
            raise ValueError(f"one history holds at most {MAX_METERS} meters")
        self.connection.execute("INSERT INTO meters VALUES (?, ?)", (number, meter))
        self.meters[number] = meter
        self.numbers[meter] = number
        return number

    def _mark_hours(self, registers: Sequence[Numbered]) -> None:
        """Note where an hour begins and where the one before ended. The clock may also have gone back."""
        for seq, sample in registers:
            hour = stamp(sample.received) // _HOUR * _HOUR
            if hour == self._hour:
                continue
            self.connection.execute(
                "UPDATE hours SET last_seq = ? WHERE hour = ? AND last_seq IS NULL", (seq - 1, self._hour)
            )
            self.connection.execute(
                "INSERT INTO hours (hour, first_seq) VALUES (?, ?) ON CONFLICT DO UPDATE SET last_seq = NULL",
                (hour, seq),
            )
            self._hour = hour


def _moment_or_none(cell: object) -> datetime | None:
    if cell is not None and not isinstance(cell, int):
        raise TypeError(f"{cell!r} is no time")
    return None if cell is None else moment(cell)


def _by_source(cell: object) -> Iterable[tuple[Source, int]]:
    """Return the numbers in a cell by source; what a later version may know and this one does not is left out."""
    return [(SOURCES[key], value) for key, value in numbers_in(cell).items() if key in SOURCES]


def _by_meter(samples: Sequence[Sample]) -> Iterable[Sequence[Sample]]:
    """Return the samples of each meter, in pieces that become one block each."""
    meters: dict[str, list[Sample]] = {}
    for sample in samples:
        meters.setdefault(sample.meter, []).append(sample)
    for group in meters.values():
        piece: list[Sample] = []
        for sample in group:
            if piece and (len(piece) == _IN_BLOCK or abs(sample.received - piece[0].received) >= LONGEST_BLOCK):
                yield piece
                piece = []
            piece.append(sample)
        yield piece


def _better(learned: MeterInfo | None, known: MeterInfo | None) -> MeterInfo | None:
    """Return what is known of a segment's meter after something was learned of the meter at that place.

    Another serial number is another meter: it belongs to the next segment, whose first sample is still to come.
    """
    if learned is None or known is None:
        return learned or known
    if known.serial and learned.serial not in ("", known.serial):
        return known
    return replace(known, **{name: getattr(learned, name) or getattr(known, name) for name in _IDENTITY})
