"""Tables that wait to be activated: BT04 (Optical Port Programmer's Guide v1.1 p. 10-11; the MEP guide does not print it).

This module does not know how a pending table is written.
"""

from __future__ import annotations

from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import STIME_DATE, UINT8, UINT16, octets, set_of

__all__ = ["BT04"]

_OPTICAL = "Optical guide v1.1 p. "

BT04 = Table(
    4,
    "Pending Status",
    _OPTICAL + "10-11",
    (
        Field("basic_pending", set_of, count=count("basic_tables_size"), note="n: BTn has a pending table"),
        Field("extended_pending", set_of, count=count("extended_tables_size"), note="n: ETn has a pending table"),
        Field("last_activation", STIME_DATE, note="UTC or local is not said"),
        Field("pending", UINT8, note="activations"),
        Group(
            "activations",
            (
                Bits(
                    UINT8,
                    (
                        Bit("event_code", 0, 3, note="0 at a time, 1 after a time, 2 only by procedure"),
                        Bit("self_read", 4, note="before it"),
                        Bit("demand_reset", 5, note="before it"),
                    ),
                ),
                Field(
                    "event_storage",
                    octets(5),
                    note="code 0: STIME_DATE, UTC; 1: weeks, days, hours, minutes, seconds",
                ),
                Bits(UINT16, (Bit("table", 0, 11), Bit("still_pending", 12))),
            ),
            count=count("pending_tables"),
        ),
    ),
    note="Not for the read-only key of the optical port.",
)
