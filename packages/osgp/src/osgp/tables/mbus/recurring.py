"""The logs of scheduled reads of all devices: ET45, and ET74, which holds what has no room there yet (MEP guide v1.1 p. 119-121, 176-177).

The first read of a device goes to ET16, and all scheduled ones after it, if the meter is not set otherwise, to ET45 (p. 27, 119).
From firmware 3.60 on they may go through ET74 first: the meter moves them to ET45 by itself, the oldest first (p. 28, 176). So an
entry may stand in both, and ET74 keeps those that were moved until it needs their place.

An entry's *length* is said to include the handle, but not itself (p. 120, 177). Whether it includes the two bytes between them is not
said: so the telegrams decide, if they end where one of the two lets them.

This module does not know how a table is read (:mod:`osgp.tables.logs.reading`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from osgp.errors import TableError
from osgp.psem import EXTENDED
from osgp.tables.logs.ring import LONG_HEADER, SHORT_HEADER, Entry, HeaderShape, Ring
from osgp.tables.mbus.data import READ_HEAD_SIZE
from osgp.tables.mbus.reading import MbusReading, decode_read
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Bit, Bits, Field, FieldList, Filler, Group, Layout, Table
from osgp.tables.schema.types import UINT8, UINT16, octets

__all__ = ["ET45", "ET74", "RECURRING_LOGS", "RecurringRead", "decode_recurring", "recurring_ring"]

RECURRING_LOGS = ("ET45", "ET74")
"""The tables, as they are filled."""

_HEAD_SIZE = 3 * UINT16.size + 2 * UINT8.size
_BEHIND_LENGTH = 2 * UINT16.size + 2 * UINT8.size
"""Bytes between an entry's length and its read."""
_UNSAID = UINT16.size
"""Of them those of which it is not said whether the length includes them."""
_SUCCESS, _DELAYED = 4, 2

_END: FieldList = (
    Field("handle", UINT16, note="of the device (ET14)"),
    Field("execution", UINT8, note="0 normal, 2 delayed: entered after a power-up"),
    Field("result", UINT8, note="4 success"),
    Field("read", octets, count=count("logs.recurring_read_size") - _HEAD_SIZE, note="as an entry of ET16"),
)

ET45 = Table(
    EXTENDED + 45,
    "MEP Recurring Read Log",
    "119-121",
    (
        *SHORT_HEADER.fields,
        Group(
            "entries",
            (
                Field("length", UINT16, unit="byte", note="of what is valid, with the handle"),
                Bits(
                    UINT16, (Bit("identifier", 0, 10), Bit("namespace", 11, 15, note="0 manufacturer, 1 DLMS, 2 OSGP"))
                ),
                *_END,
            ),
            count=count("logs.recurring_reads"),
            page="120-121",
        ),
    ),
)

ET74 = Table(
    EXTENDED + 74,
    "MEP Recurring Read Extended Log",
    "176-177",
    (
        *LONG_HEADER.fields,
        Group(
            "entries",
            (Field("length", UINT16, unit="byte", note="as in ET45"), Filler(2), *_END),
            count=count("logs.extended_recurring_reads"),
            page="177",
        ),
    ),
    note="Unread entries are those that were not moved to ET45 yet.",
)


@dataclass(frozen=True, slots=True)
class RecurringRead:
    """One scheduled read of one device."""

    sequence: int
    """Its number in its log."""
    handle: int
    """The device's, when it was read: another device now, if its handle is another one."""
    delayed: bool
    """The meter entered it later, after a power cut."""
    reading: MbusReading | None
    """None if the read did not succeed."""


def recurring_ring(dims: Dimensions, table: str = "ET45") -> Ring | None:
    """Return a log of reads of such a meter; None if it has no place or nothing tells how many.

    Raises:
        TableError: no meter has such a log.
    """
    logs = dims.logs
    places, shape = _of(dims, table)
    if not places or logs.recurring_read_size is None:
        return None
    if logs.recurring_read_size < _HEAD_SIZE + READ_HEAD_SIZE:
        raise TableError(
            f"{table} would have entries of {logs.recurring_read_size} bytes, too short for a read; read ET36 again"
        )
    return Ring(table, shape, places, logs.recurring_read_size, dims.byte_order)


def _of(dims: Dimensions, table: str) -> tuple[int | None, HeaderShape]:
    if table == "ET45":
        return dims.logs.recurring_reads, SHORT_HEADER
    return dims.logs.extended_recurring_reads, LONG_HEADER


def decode_recurring(entries: Iterable[Entry], dims: Dimensions) -> list[RecurringRead]:
    """Return entries of such a log as reads, in their order. An entry too short for a read has none."""
    return list(_decoded(entries, _head(dims)))


def _decoded(entries: Iterable[Entry], head: Layout) -> Iterator[RecurringRead]:
    for entry in entries:
        one = head.decode(entry.raw, 0)
        read = _valid(entry.raw[_HEAD_SIZE:], one["length"]) if one["result"] == _SUCCESS else b""
        reading = decode_read(read) if len(read) >= READ_HEAD_SIZE else None
        yield RecurringRead(entry.sequence, one["handle"], one["execution"] == _DELAYED, reading)


def _valid(read: bytes, length: int) -> bytes:
    """Return the bytes of a read that are its own."""
    certain = max(length - _BEHIND_LENGTH, 0)
    place = READ_HEAD_SIZE
    while place < certain and read[place : place + 1] not in {b"", b"\0"}:
        place += 1 + read[place]
    return read[: certain + _UNSAID] if place == certain + _UNSAID else read[:certain]


def _head(dims: Dimensions) -> Layout:
    layout = dims.cache.get("recurring read")
    if not isinstance(layout, Layout):
        fields: FieldList = (Field("length", UINT16), Filler(_UNSAID), *_END[:-1])
        layout = dims.cache["recurring read"] = Layout(fields, dims)
    return layout
