"""What the meter shows on its display: BT30 and BT33 (MEP guide v1.1 p. 220-222).

What the sources of BT33 stand for, the guide prints for modules only (appendix D), so they stay numbers.

This module does not know what a display looks like.
"""

from __future__ import annotations

from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import UINT8, UINT16

__all__ = ["BT30", "BT33"]

BT30 = Table(
    30,
    "Dimension Display",
    "220-221",
    (
        Bits(UINT8, (Bit("on_time", 0), Bit("off_time", 1), Bit("hold_time", 2))),
        Field("sources", UINT16, note="that can be chosen for the display"),
        Field("source_size", UINT8, unit="byte"),
        Field("primary_list_items", UINT16, note="at most"),
        Field("primary_lists", UINT8),
        Field("secondary_list_items", UINT16),
        Field("secondary_lists", UINT8),
    ),
)

BT33 = Table(
    33,
    "Primary Display List",
    "221-222",
    (
        Group(
            "lists",
            (
                Bits(UINT8, (Bit("on_time", 0, 3, note="s; 0: by the button"), Bit("off_time", 4, 7))),
                Bits(UINT8, (Bit("hold_time", 0, 3), Bit("mode", 4, 7, note="1 normal"))),
                Field("items", UINT8),
            ),
            count=count("display_lists"),
        ),
        Field("sources", UINT16, count=count("display_items"), note="in the order in which they are shown"),
    ),
)
