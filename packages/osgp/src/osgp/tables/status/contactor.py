"""The load contactor, the relays, and what limits the load: ET23, ET46, ET61 and ET80.

Pages are those of the MEP guide v1.1: 98-99, 121-122, 166-167 and 183-185.

This module does not know how anything is switched.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import INT32, LTIME_DATE, UINT8, UINT16, UINT32

__all__ = ["ET23", "ET46", "ET61", "ET80"]

ET23 = Table(
    EXTENDED + 23,
    "Miscellaneous Information",
    "98-99",
    (
        Field("plc_messages", UINT32, note="explicit ones received, not validated", page="98"),
        Field("plc_messages_validated", UINT32, page="99"),
        Filler(86, page="99"),
        Field("contactor", UINT8, note="0 closed, 1 closing, 2 open, 3 opening; not of modules", page="99"),
        Field("active_calendar_id", UINT32, page="99"),
        Filler(87, page="99"),
        Filler(32, since=(4, 0), page="99"),
    ),
    note="The state of the contactor is the one it was told to have.",
)

ET46 = Table(
    # The heading says 2046, 0x07FE (p. 121), which would be no extended table.
    EXTENDED + 46,
    "Control Output Read-Only Data",
    "121-122",
    (
        Filler(11),
        Field("limit_type", UINT8, note="0 of power, 1 of current"),
        Filler(1),
        Field("prepay_negative_credit", INT32, unit="Wh", since=(3, 70)),
        Field("limit_opened_at", LTIME_DATE, note="UTC or local is not said", since=(3, 70), page="122"),
    ),
)

_RELAYS = 2

ET61 = Table(
    EXTENDED + 61,
    "Time-Based Relay Control Calendar",
    "166-167",
    (
        Group(
            "relays",
            (
                Group(
                    "switches",
                    (Bits(UINT16, (Bit("closed", 0), Bit("minute", 5, 10), Bit("hour", 11, 15))),),
                    count=count("relay_switches"),
                ),
            ),
            _RELAYS,
        ),
    ),
    note="At most ten switches a day; ET05, which no guide prints, says what each ten are for.",
)

ET80 = Table(
    EXTENDED + 80,
    "Average Power Settings",
    "183-185",
    (
        Field("enabled", UINT8, page="184"),
        # The text calls the sub-interval minutes (p. 183), the field seconds.
        Field("subinterval", UINT16, unit="s", page="184"),
        # Its type is printed with an offset of 15 and a size of 3: columns that slipped. 3 is what is left.
        Field("multiplier", UINT8, note="sub-intervals in an interval, 1 to 15", page="185"),
        Field("disconnect_threshold", UINT32, unit="W", page="185"),
    ),
    note="The text refers to ET05.0 for the threshold (p. 183); ET80.4 holds one.",
)
