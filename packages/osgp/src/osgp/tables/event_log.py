"""The event logs: what happened to the meter, newest first (BT71, BT74; from firmware 3.70 on also ET79).

The "Optical Port Programmer's Guide" (v1.1, June 2021) prints BT70, BT71 and BT74 on p. 49-53; pages here are those of that
guide. The MEP guide v1.1 prints BT74 on p. 241-243 and ET79 on p. 181-183, but neither BT70 nor BT71. What an event's number
means differs from model to model and stands in the meter's own documentation (p. 53), so events keep their numbers here.

A log is a ring: the header says how many entries are valid and where the newest stands. From firmware 3.70 on the two
logs share their sequence numbers, so gaps in them are normal (p. 52).

How many entries the alternate log ET79 has stands in ET54.80; 0 means that the meter has none (MEP guide v1.1 p. 137,
181). The page of ET79 (p. 182) names BT71.5 instead, which is the size of the primary log: the guide contradicts itself,
and p. 118 (ET42) sides with ET54.80.

This module does not know how a table is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from struct import Struct, calcsize
from typing import Any

from osgp.errors import TableError
from osgp.tables.schema.table import Bit, Bits, Field, Table
from osgp.tables.schema.types import LTIME_DATE_UTC, UINT8, UINT16

__all__ = ["BT71", "MOST_ENTRIES", "LogEntry", "decode_log", "log_size"]

BT71 = Table(
    71,
    "Actual Log",
    "Optical guide v1.1 p. 50-51",
    (
        Bits(UINT8, (Bit("date_time", 1), Bit("sequence_numbers", 2))),
        Field("standard_event_bytes", UINT8, unit="byte"),
        Field("manufacturer_event_bytes", UINT8, unit="byte"),
        Field("history_data_length", UINT8, unit="byte"),
        Field("event_data_length", UINT8, unit="byte"),
        Field("history_entries", UINT16),
        Field("event_entries", UINT16),
    ),
)

_HEADER = "BHHIH"
"""Flags, valid entries, index of the newest, its sequence number, unread entries (p. 51-52)."""
_ENTRY = "6sHHH"
_EVENT_BITS = 0x0FFF

MOST_ENTRIES = 4096
"""Meters have 100 or 200, "although other values are supported" (p. 50): far above all of them, far below what a misread
number could ask for."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One event."""

    time: datetime | None
    """UTC; None where the meter's clock was not set."""
    sequence_number: int
    user: int
    """Who was logged in: 0xFFFF nobody, 0xFFFE the power line, 0xFFFD the MEP port, else the optical logon's user id."""
    event: int
    argument: bytes


def log_size(bt71: Mapping[str, Any], entries: int | None = None) -> int:
    """Return the bytes of the whole log.

    Args:
        bt71: its dimensions.
        entries: of ET79, those of ET54.80; None for BT74, whose number BT71 tells.
    """
    entries = _entries(bt71, entries)
    return calcsize(f"<{_HEADER}") + entries * _entry_size(bt71)


def decode_log(
    data: bytes, bt71: Mapping[str, Any], entries: int | None = None, *, byte_order: str = "<"
) -> list[LogEntry]:
    """Return the valid entries, the newest first.

    Args:
        data: the whole log, :func:`log_size` bytes.
        bt71: its dimensions.
        entries: of ET79, those of ET54.80; None for BT74.
        byte_order: see :attr:`osgp.tables.Dimensions.byte_order`.

    Raises:
        TableError: the log is shorter or longer, its header points out of it, or no meter has so many entries.
    """
    places = _entries(bt71, entries)
    size = _entry_size(bt71)
    if places > MOST_ENTRIES:
        raise TableError(
            f"an event log of {places} entries is none; what tells its size was read wrongly. Read it again"
        )
    if len(data) != log_size(bt71, places):
        raise TableError(
            f"the event log has {len(data)} bytes where {log_size(bt71, places)} are right. If it was read whole, its number "
            f"of entries is not the {places} that were taken: BT71.5 for BT74, ET54.80 for ET79"
        )
    header, entry = Struct(byte_order + _HEADER), Struct(byte_order + _ENTRY)
    _, valid, newest, _, _ = header.unpack_from(data)
    if valid > places or (valid and newest >= places):
        raise TableError(f"the event log counts {valid} entries up to number {newest}, but holds {places}")
    starts = [header.size + (newest - back) % places * size for back in range(valid)]
    return [_entry(data[start : start + size], entry) for start in starts]


def _entries(bt71: Mapping[str, Any], entries: int | None) -> int:
    return int(bt71["history_entries"]) if entries is None else entries


def _entry_size(bt71: Mapping[str, Any]) -> int:
    arguments: int = bt71["history_data_length"]
    return calcsize(f"<{_ENTRY}") + arguments


def _entry(data: bytes, fields: Struct) -> LogEntry:
    raw, sequence_number, user, event = fields.unpack_from(data)
    time = LTIME_DATE_UTC.decode(raw) if LTIME_DATE_UTC.decode is not None else None
    return LogEntry(time, sequence_number, user, event & _EVENT_BITS, data[fields.size :])
