"""The journal: samples into the database, each once, register samples numbered.

One :class:`Journal` writes; it belongs to one thread. It keeps what it must know to write
without reading: meter numbers, segments, the last readings (to leave out doubles) and the
registers each meter showed last.

This module does not know threads, clocks or what happens after an error.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from nes2mqtt.history.rows import MAX_METERS, PARTS, PresentRows, RegisterRows, Segment, moment, stamp
from nes2mqtt.reading import MeterInfo, Sample, TableGroup
from osgp.sources import SOURCES

__all__ = ["Journal", "Numbered"]

Numbered = tuple[int, Sample]
"""A register sample with its number in the journal."""

_REMEMBERED = 8192
"""How many readings back a double is recognised: a quarter of an hour of 100 meters."""

_HOUR = 3_600_000
_IDENTITY = ("serial", "manufacturer", "model", "firmware")


class Journal:
    """Writes samples through ``connection``, whose schema is up to date."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.registers = RegisterRows(connection)
        self.present = PresentRows(connection)
        self.meters: dict[int, str] = dict(connection.execute("SELECT meter, id FROM meters"))
        self.numbers: dict[str, int] = {name: number for number, name in self.meters.items()}
        self.segments: dict[tuple[int, int], Segment] = {}
        self._load_segments()
        self.cursors: dict[str, int] = self._load_cursors()
        self.part = PARTS[0]
        self.use_part()
        last = connection.execute("SELECT seq FROM registers ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq: int = max(last[0] if last else 0, *self.cursors.values(), 0)
        (self._hour,) = connection.execute("SELECT max(hour) FROM hours WHERE last_seq IS NULL").fetchone()
        self._recent: OrderedDict[tuple[str, TableGroup, datetime], None] = OrderedDict()
        self._load_recent()

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
            registers: samples with numbers above all those before, none of them :meth:`known`.
            present: samples in any order.
            cursors: changed positions of outboxes, by name.
            infos: who the meters are, as far as it has been learned, by id.

        Raises:
            sqlite3.Error: nothing was written; the journal must be opened again.
        """
        execute = self.connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            self._write_meters((*(sample for _, sample in registers), *present), infos or {})
            self._write_cursors(cursors or {}, carried=bool(registers))
            if registers:
                self._mark_hours(registers)
                self._write_registers(registers, list((self.cursors | dict(cursors or {})).values()))
            if present:
                self.connection.executemany(
                    self.present.insert(self.part),
                    [self.present.encode(self.numbers[sample.meter], sample) for sample in present],
                )
            execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                execute("ROLLBACK")
            raise
        if registers:
            self.last_seq = registers[-1][0]
        self.cursors.update(cursors or {})

    def use_part(self) -> None:
        """Write into the part that is in use according to the database."""
        row = self.connection.execute("SELECT value FROM state WHERE name = 'part'").fetchone()
        self.part = PARTS[row[0]] if row else PARTS[0]

    def known(self, sample: Sample) -> bool:
        """Tell whether a sample was seen already, and remember it."""
        key = (sample.meter, sample.group, sample.received)
        if key in self._recent:
            return True
        self._recent[key] = None
        if len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return False

    def after(self, seq: int, limit: int) -> list[Numbered]:
        """Return up to ``limit`` committed register samples numbered above ``seq``, in order."""
        query = f"{self.registers.select} WHERE seq > ? ORDER BY seq LIMIT ?"
        return [
            (row[0], self.registers.decode(row, self.meters, self.segments))
            for row in self.connection.execute(query, (seq, limit))
        ]

    def identity(self, meter: str, segment: int) -> MeterInfo | None:
        """Return who the meter of a segment is, if that was learned."""
        place = self.segments.get((self.numbers.get(meter, 0), segment))
        return None if place is None else place.info

    def _load_cursors(self) -> dict[str, int]:
        """Return how far outboxes have come, in the order of their numbers."""
        positions = dict(self.connection.execute("SELECT name, position FROM outboxes ORDER BY outbox"))
        last = self.connection.execute("SELECT seq, behind FROM registers ORDER BY seq DESC LIMIT 1").fetchone()
        if last is not None and last[1] is not None:
            seq, behind = last
            newer = zip(positions, str(behind).split(), strict=False)
            positions |= {name: max(positions[name], seq - int(by)) for name, by in newer}
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
        query = "SELECT meter, segment, started, restarted, serial, manufacturer, model, firmware FROM segments"
        for number, segment, started, restarted, *identity in self.connection.execute(query):
            self.segments[number, segment] = Segment(
                started=None if started is None else moment(started),
                restarted={SOURCES[key]: moment(at) for key, at in json.loads(restarted or "{}").items()},
                info=MeterInfo(self.meters[number], **dict(zip(_IDENTITY, identity, strict=True)))
                if any(identity)
                else None,
            )

    def _load_recent(self) -> None:
        """Remember the tail of both tables, so that what is offered again after a restart is still known."""
        tails = (
            (TableGroup.REGISTERS, "SELECT meter, received FROM registers ORDER BY seq DESC LIMIT ?"),
            (TableGroup.PRESENT, "SELECT meter, received FROM present ORDER BY at DESC LIMIT ?"),
        )
        for group, query in tails:
            rows = self.connection.execute(query, (_REMEMBERED // 4,)).fetchall()
            for number, received in reversed(rows):
                self._recent[self.meters[number], group, moment(received)] = None

    def _write_meters(self, samples: Iterable[Sample], infos: Mapping[str, MeterInfo]) -> None:
        """Enter meters and segments that are new, and what was learned of them since."""
        for sample in samples:
            number = self.numbers.get(sample.meter)
            if number is None:
                number = self._enter_meter(sample.meter)
            if sample.group is TableGroup.REGISTERS:
                known = self.segments.get((number, sample.segment))
                segment = Segment(
                    started=sample.segment_start,
                    restarted=sample.restarted,
                    info=_better(infos.get(sample.meter), None if known is None else known.info),
                )
                if segment != known:
                    self._enter_segment((number, sample.segment), segment, stamp(sample.received))

    def _enter_segment(self, place: tuple[int, int], segment: Segment, received: int) -> None:
        restarted = {source.key: stamp(at) for source, at in segment.restarted.items()}
        self.connection.execute(
            "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " started = excluded.started, restarted = excluded.restarted, serial = excluded.serial,"
            " manufacturer = excluded.manufacturer, model = excluded.model, firmware = excluded.firmware",
            (
                *place,
                received,
                None if segment.started is None else stamp(segment.started),
                json.dumps(restarted) if restarted else None,
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


def _better(learned: MeterInfo | None, known: MeterInfo | None) -> MeterInfo | None:
    """Return what is known of a segment's meter after something was learned of the meter at that place.

    Another serial number is another meter: it belongs to the next segment, whose first sample is still to come.
    """
    if learned is None or known is None:
        return learned or known
    if known.serial and learned.serial not in ("", known.serial):
        return known
    return replace(known, **{name: getattr(learned, name) or getattr(known, name) for name in _IDENTITY})
