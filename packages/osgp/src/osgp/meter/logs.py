"""The meter's logs, read a part at a time: events, outages, and what the registers showed earlier.

A log can be long and the line is slow, so only what is new is read: first a header of a few bytes, then the new entries, the
newest first, then the header again (:mod:`osgp.tables.logs.reading`). About :data:`AT_ONCE` bytes are read back to back, as one
table of the read budget; then others have the line. Nothing is given out by a layout that was not confirmed behind it; if the
meter was reconfigured meanwhile, the log is read anew.

How far a log was read is text that the caller keeps: :attr:`LogRead.known`.

This module does not know where that text is kept, nor what an event means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Generic, TypeVar
from zlib import crc32

from osgp.errors import MeterRefused, MisuseError, TableError, TablesChanging
from osgp.meter.layout import ROUNDS, ConfirmedLayout
from osgp.meter.reader import TableReader
from osgp.psem import table_id
from osgp.tables import Dimensions, Table
from osgp.tables.logs.events import ALTERNATE, PRIMARY, Event, decode_events, event_ring, together
from osgp.tables.logs.outages import Outage, decode_outages, in_zone, outage_ring, put_together, recorded
from osgp.tables.logs.reading import Mark, RingReading, marks_of, marks_text
from osgp.tables.logs.ring import Ring
from osgp.tables.logs.snapshots import (
    BT24,
    BT25,
    SNAPSHOT_LOGS,
    Snapshot,
    decode_snapshot,
    decode_snapshots,
    snapshot_ring,
)
from osgp.tables.mbus.recurring import RecurringRead, decode_recurring, recurring_ring
from osgp.tables.quality import ET09

__all__ = ["AT_ONCE", "LogRead", "LogReader"]

AT_ONCE = 1024
"""Bytes that are read before others may have the line: about a second at 9600 baud."""

_TOLD_BY: Mapping[str, tuple[str, ...]] = {
    PRIMARY: ("BT71",),
    ALTERNATE: ("BT71", "ET54"),
    "ET81": ("ET36",),
    "BT26": ("BT20", "BT21"),
    "ET31": ("BT20", "BT21", "ET36"),
    "ET41": ("BT20", "BT21", "ET36"),
    "ET45": ("ET36",),
    "ET74": ("ET36", "ET54"),
}
"""The tables that say how a log is laid out."""

_CHANGES = (
    "{} changed again and again while it was read, so nothing of it is given out. It is read again; the grid company may be "
    "configuring the meter just now"
)

_SINGLE: Mapping[str, Table] = {"BT24": BT24, "BT25": BT25}
"""The tables that hold one copy of the registers."""

_Entry = TypeVar("_Entry", Event, Outage, Snapshot, RecurringRead)


@dataclass(frozen=True, slots=True)
class LogRead(Generic[_Entry]):
    """What was new in a log."""

    entries: tuple[_Entry, ...]
    """The newest first."""
    known: str
    """How far the log is known now; give it to the next reading of this meter. One line of text."""
    tables: tuple[str, ...]
    """The tables that were read. None: the meter keeps no such log."""
    missed: int | None = None
    """How many entries since the last reading were overwritten before they were read. None: there was no last reading, or it
    cannot be told."""
    restarted: bool = False
    """The log was emptied, or is that of another meter: what was known of it no longer counts."""


@dataclass(frozen=True, slots=True)
class _Read:
    """One ring as it was read, and the layout that was confirmed behind it."""

    reading: RingReading
    dims: Dimensions


@dataclass(frozen=True, slots=True)
class _Records:
    """The outages that ET09 holds, the newest first: it has no numbers, so a record is known by its bytes."""

    outages: list[Outage]
    checks: list[int]
    """Of each a sum over its bytes."""

    @classmethod
    def of(cls, data: bytes, dims: Dimensions, offset: int) -> _Records:
        """Return the records that are in use. ``data`` begin at ``offset`` of ET09."""
        records = ET09.decode(data, dims, offset=offset)["outages"]
        size = len(data) // len(records)
        raw = [data[at : at + size] for at in range(0, len(data), size)]
        used = [(one, each) for one, each in zip(records, raw, strict=True) if any(each)]
        return cls(recorded([one for one, _ in used], dims), [crc32(each) for _, each in used])

    @property
    def mark(self) -> Mark:
        """Return the newest record's."""
        return Mark(0, self.checks[0] if self.checks else None)


class LogReader:
    """Reads the logs of one meter.

    Args:
        reader: reads.
        layout: tells how large the logs are.
    """

    def __init__(self, reader: TableReader, layout: ConfirmedLayout) -> None:
        self._reader = reader
        self._layout = layout

    async def events(self, known: str, most: int | None) -> LogRead[Event]:
        """See :meth:`osgp.meter.Meter.events`."""
        since = marks_of(known)
        primary = await self._read(PRIMARY, event_ring, since, most)
        alternate, refused = None, False
        try:
            alternate = await self._read(ALTERNATE, lambda dims: event_ring(dims, ALTERNATE), since, most)
        except MeterRefused:
            if primary is None:
                raise
            refused = True  # the meter has one and does not show it
        reads = {PRIMARY: primary, ALTERNATE: alternate}
        logs = [
            decode_events(read.reading.entries, read.dims, table) for table, read in reads.items() if read is not None
        ]
        found = together(*logs)
        missed = None if refused or most is not None else _missed_events(found, since)
        return _log_read(found[:most], since, reads, missed)

    async def outages(self, known: str, zone: tzinfo | None, most: int | None) -> LogRead[Outage]:
        """See :meth:`osgp.meter.Meter.outages`."""
        since = marks_of(known)
        records, refused = None, None
        try:
            records = await self._records()
        except MeterRefused as error:
            refused = error
        try:
            read = await self._read("ET81", outage_ring, since, most)
        except MeterRefused:
            if records is None:
                raise
            read = None
        if refused is not None and read is None:
            raise refused
        logged = [] if read is None else decode_outages(read.reading.entries, read.dims)
        held = [] if records is None else records.outages
        new, lapped = _new_records(records, since, most)
        found = put_together([in_zone(outage, zone) for outage in logged], held, new)[:most]
        result = _log_read(found, since, {"ET81": read}, _missed(read, since, "ET81", most))
        if records is None:
            return result
        marks = marks_of(result.known) | {"ET09": records.mark}
        missed = result.missed
        if read is None and "ET09" in since and most is None:
            missed = None if lapped else 0
        return replace(result, known=marks_text(marks), tables=(*result.tables, "ET09"), missed=missed)

    async def snapshots(self, table: str, known: str, most: int | None) -> LogRead[Snapshot]:
        """See :meth:`osgp.meter.Meter.self_reads`."""
        if table not in (*SNAPSHOT_LOGS, *_SINGLE):
            raise MisuseError(f"'{table}' holds no copies of the registers; {', '.join((*SNAPSHOT_LOGS, *_SINGLE))} do")
        since = marks_of(known)
        if table in _SINGLE:
            return await self._single(_SINGLE[table], since)
        read = await self._read(table, lambda dims: snapshot_ring(dims, table), since, most)
        found = [] if read is None else decode_snapshots(read.reading.entries, read.dims, table)
        return _log_read(found, since, {table: read}, _missed(read, since, table, most))

    async def recurring_reads(self, table: str, known: str, most: int | None) -> LogRead[RecurringRead]:
        """See :meth:`osgp.meter.Meter.mbus_reads`; also of ET74, whose entries are no other ones."""
        since = marks_of(known)
        read = await self._read(table, lambda dims: recurring_ring(dims, table), since, most)
        found = [] if read is None else decode_recurring(read.reading.entries, read.dims)
        return _log_read(found, since, {table: read}, _missed(read, since, table, most))

    async def _read(
        self, table: str, ring_of: Callable[[Dimensions], Ring | None], since: Mapping[str, Mark], most: int | None
    ) -> _Read | None:
        """Read what is new in a ring; None if the meter has no such ring.

        Raises:
            MeterRefused: the key may not read it.
            TablesChanging: it changed again and again meanwhile.
            TableError: its header cannot be.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        for _ in range(ROUNDS):
            dims: Dimensions | None = None
            reading: RingReading | None = None
            while reading is None or reading.wanted(AT_ONCE) is not None:
                async with self._reader.turn():
                    self._layout.raise_if_swapped()
                    now = await self._layout.told_by(_TOLD_BY[table])
                    if dims is None or reading is None:
                        dims, ring = now, ring_of(now)
                        if ring is None:
                            return None
                        reading = RingReading(ring, since.get(table), most)
                    if now is not dims or not await self._part(table, reading):
                        break
            else:
                if not reading.upset:
                    return _Read(reading, dims)  # type: ignore[arg-type]
        raise TablesChanging(_CHANGES.format(table))

    async def _single(self, described: Table, since: Mapping[str, Mark]) -> LogRead[Snapshot]:
        """Read a table that holds one copy. Raises as :meth:`_read`."""
        for _ in range(ROUNDS):
            async with self._reader.turn():
                self._layout.raise_if_swapped()
                dims = await self._layout.told_by(described.told_by)
                data = await self._reader.whole(described, dims)
                if await self._layout.holds(described.told_by):
                    break
        else:
            raise TablesChanging(_CHANGES.format(described.name))
        found = decode_snapshot(data, dims, described.name)
        mark = Mark(0, None if found is None else crc32(data))
        entries = () if found is None or since.get(described.name) == mark else (found,)
        return LogRead(entries, marks_text(dict(since) | {described.name: mark}), (described.name,))

    async def _records(self) -> _Records | None:
        """Read the outage records of ET09; None if the meter keeps none. Raises as :meth:`_read`."""
        for _ in range(ROUNDS):
            async with self._reader.turn():
                self._layout.raise_if_swapped()
                dims = await self._layout.told_by(ET09.told_by)
                if not dims.power_outages_recorded:
                    return None
                offset, count = ET09.window(dims, "outages")
                data = await self._reader.part(ET09.id, offset, count)
                if await self._layout.holds(ET09.told_by):
                    return _Records.of(data, dims, offset)
        raise TablesChanging(_CHANGES.format("ET09"))

    async def _part(self, table: str, reading: RingReading) -> bool:
        """Read the next part of a ring; tell whether the layout was right until behind it."""
        number, left = table_id(table), AT_ONCE
        failure = None
        while left > 0 and failure is None and (window := reading.wanted(left)) is not None:
            try:
                reading.take(await self._reader.part(number, *window))
            except TableError as error:  # perhaps the meter was reconfigured just now
                failure = error
            left -= window[1]
        if not await self._layout.holds(_TOLD_BY[table]):
            return False
        if failure is not None:
            raise failure
        return True


def _log_read(
    found: Sequence[_Entry], since: Mapping[str, Mark], reads: Mapping[str, _Read | None], missed: int | None
) -> LogRead[_Entry]:
    marks = dict(since)
    there = {table: read.reading for table, read in reads.items() if read is not None}
    marks |= {table: reading.mark for table, reading in there.items()}
    restarted = any(reading.restarted for reading in there.values())
    return LogRead(tuple(found), marks_text(marks), tuple(there), None if restarted else missed, restarted)


def _new_records(records: _Records | None, since: Mapping[str, Mark], most: int | None) -> tuple[int, bool]:
    """Return how many records are new, and whether some may have been overwritten before they were read."""
    if records is None:
        return 0, False
    mark = since.get("ET09")
    known = mark is not None and mark.check in records.checks
    new = records.checks.index(mark.check) if known else len(records.checks)  # type: ignore[union-attr, arg-type]
    lapped = mark is not None and mark.check is not None and not known
    return (new if most is None else min(new, most)), lapped


def _missed(read: _Read | None, since: Mapping[str, Mark], table: str, most: int | None) -> int | None:
    """Return how many numbers lie between the last reading and this one, of a ring that leaves none out."""
    mark = since.get(table)
    if read is None or mark is None or mark.check is None or most is not None:
        return None
    entries = read.reading.entries
    return (entries[-1].sequence - mark.sequence - 1) % (1 << 16) if entries else 0


def _missed_events(found: Sequence[Event], since: Mapping[str, Mark]) -> int | None:
    """Return how many numbers since the last reading stand in none of the two logs."""
    known = [mark.sequence for mark in since.values() if mark.check is not None]
    if not known:
        return None
    numbers = {event.sequence for event in found if event.sequence > max(known)}
    return max(numbers, default=max(known)) - max(known) - len(numbers)
