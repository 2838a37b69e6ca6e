"""The event logs: what happened to the meter (BT70, BT71, BT74; from firmware 3.70 on also ET79).

The "Optical Port Programmer's Guide" (v1.1, June 2021) prints BT70 and BT71 on p. 50-51 and BT74 on p. 51-53; pages here are
those of that guide. The MEP guide v1.1 prints BT74 on p. 241-243 and ET79 on p. 181-183, but neither BT70 nor BT71.

What an event's number means differs from model to model and stands in the meter's own documentation (p. 53), so events keep
their numbers here; the meter's owner may give them names (:mod:`osgp.tables.logs.event_names`).

From firmware 3.70 on the two logs share one count, so numbers are left out in each of them, and only both together tell
whether one is missing (p. 52). An event may be entered in both.

How many entries the alternate log ET79 has stands in ET54.80; 0 means that the meter has none (MEP guide v1.1 p. 137,
181). The page of ET79 (p. 182) names BT71.5 instead, which is the size of the primary log: the guide contradicts itself,
and p. 118 (ET42) sides with ET54.80.

This module does not know how a table is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from osgp.errors import TableError
from osgp.psem import EXTENDED
from osgp.tables.logs.ring import EVENT_HEADER, Entry, Ring
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Bit, Bits, Field, Group, Layout, Table
from osgp.tables.schema.types import LTIME_DATE_UTC, UINT8, UINT16, octets

__all__ = [
    "ALTERNATE",
    "BT70",
    "BT71",
    "BT74",
    "ET79",
    "PRIMARY",
    "Event",
    "decode_events",
    "decode_log",
    "event_ring",
    "together",
]

PRIMARY, ALTERNATE = "BT74", "ET79"

_LOG_DIMENSIONS = (
    Bits(
        UINT8,
        (
            Bit("common_event_numbers", 0, note="one number for both logs; fixed: off"),
            Bit("date_time", 1),
            Bit("sequence_numbers", 2),
            Bit("history_inhibit_overflow", 3),
            Bit("event_inhibit_overflow", 4),
        ),
    ),
    Field("standard_event_bytes", UINT8, unit="byte"),
    Field("manufacturer_event_bytes", UINT8, unit="byte"),
    Field("history_data_length", UINT8, unit="byte"),
    Field("event_data_length", UINT8, unit="byte"),
    Field("history_entries", UINT16),
    Field("event_entries", UINT16),
)

BT70 = Table(
    70,
    "Dimension Log",
    "Optical guide v1.1 p. 50",
    # The page calls bytes 1 and 2 numbers of events; the bitmaps that BT71 counts in bytes stand at the same place.
    _LOG_DIMENSIONS,
    note="The largest dimensions the meter supports; laid out as BT71.",
)
BT71 = Table(71, "Actual Log", "Optical guide v1.1 p. 50-51", _LOG_DIMENSIONS)

_NUMBER_AT = LTIME_DATE_UTC.size

_ENTRY = (
    Field("time", LTIME_DATE_UTC),
    Field("sequence_number", UINT16, note="lower half"),
    Field(
        "user",
        UINT16,
        note="0xFFFF nobody, 0xFFFE the power line, 0xFFFD the MEP port, else an optical logon's user id",
    ),
    Bits(UINT16, (Bit("event", 0, 11),)),
    Field("argument", octets, count=count("logs.argument_size")),
)

BT74 = Table(
    74,
    "History Log Data (Primary Event Log)",
    "241-243",
    (*EVENT_HEADER.fields, Group("entries", _ENTRY, count("logs.events"))),
)
ET79 = Table(
    EXTENDED + 79,
    "History Log Data (Alternate Event Log)",
    "181-183",
    (*EVENT_HEADER.fields, Group("entries", _ENTRY, count("logs.alternate_events"))),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One event."""

    sequence: int
    """Its number, of those that both logs share."""
    time: datetime | None
    """UTC; None where the meter's clock was not set."""
    user: int
    """Who was logged in: 0xFFFF nobody, 0xFFFE the power line, 0xFFFD the MEP port, else the optical logon's user id."""
    event: int
    """What happened, as a number of 12 bits."""
    argument: bytes
    logs: tuple[str, ...] = (PRIMARY,)
    """The tables that it stands in."""


def event_ring(dims: Dimensions, table: str = PRIMARY) -> Ring | None:
    """Return one of the event logs of such a meter; None if it has no place or nothing tells how many.

    Raises:
        TableError: no meter has such a log.
    """
    logs = dims.logs
    places = logs.alternate_events if table == ALTERNATE else logs.events
    if not places or logs.argument_size is None:
        return None
    return Ring(table, EVENT_HEADER, places, _layout(dims).size, dims.byte_order, number_at=_NUMBER_AT)


def decode_events(entries: Iterable[Entry], dims: Dimensions, table: str = PRIMARY) -> list[Event]:
    """Return entries of one of the event logs as events, in their order."""
    layout = _layout(dims)
    return [
        Event(number, one["time"], one["user"], one["event"], one["argument"], (table,))
        for number, one in ((entry.sequence, layout.decode(entry.raw, 0)) for entry in entries)
    ]


def together(*logs: Sequence[Event]) -> list[Event]:
    """Return the events of several logs by their numbers, the newest first; an event that stands in several comes once."""
    found: dict[Event, Event] = {}
    for event in (event for log in logs for event in log):
        alike = replace(event, logs=())
        held = found.get(alike)
        found[alike] = event if held is None else replace(held, logs=held.logs + event.logs)
    return sorted(found.values(), key=lambda event: event.sequence, reverse=True)


def decode_log(data: bytes, dims: Dimensions, table: str = PRIMARY) -> list[Event]:
    """Return the events of a whole log, the newest first.

    Raises:
        TableError: the log is shorter or longer, its header points out of it, or no meter has such a log.
    """
    ring = event_ring(dims, table)
    if ring is None:
        raise TableError(
            f"how many entries {table} has was not read: that stands in {'ET54.80' if table == ALTERNATE else 'BT71.5'}"
        )
    return decode_events(ring.entries(data), dims, table)


def _layout(dims: Dimensions) -> Layout:
    layout = dims.cache.get("event")
    if not isinstance(layout, Layout):
        layout = dims.cache["event"] = Layout(_ENTRY, dims)
    return layout
