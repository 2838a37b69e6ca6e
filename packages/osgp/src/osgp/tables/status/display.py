"""What the meter shows on its display: BT30, BT33 and ET62 (MEP guide v1.1 p. 167-172, 220-222).

What the sources of BT33 stand for, the guide prints for modules only (appendix D), so they stay numbers.

This module does not know what a display looks like.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import UINT8, UINT16, char

__all__ = ["BT30", "BT33", "ET62"]

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

_CODE_LENGTH = 4 + count("is_generation_4").written("X")
"""X is 1 from 4.0 on, else 0 (p. 167)."""


def _code(name: str, page: str, since: tuple[int, int] | None = None) -> tuple[Field, Field]:
    """Return an id that stands on the display's left, and which of its decimal points are on."""
    return (
        Field(name, char, count=_CODE_LENGTH, since=since, page=page),
        Field(f"{name}_points", UINT8, note="bit 0: the rightmost decimal point", since=since, page=page),
    )


ET62 = Table(
    EXTENDED + 62,
    "Load Profile Display Configuration",
    "167-172",
    (
        Bits(UINT8, (Bit("local_time", 0), Bit("all_characters", 1), Bit("load_profile_hidden", 2)), page="168"),
        *_code("list_id", "169"),
        *_code("date_id", "169"),
        *_code("time_id", "170"),
        *_code("status_id", "170"),
        Group(
            "channels",
            (
                *_code("id", "171"),
                Bits(
                    UINT8,
                    (
                        Bit("decimals", 0, 2, note="digits after the decimal point"),
                        Bit("digits", 3, 6, note="before it"),
                        Bit("hide_zeros", 7, note="leading ones"),
                    ),
                ),
            ),
            count=count("most_channels"),
            page="171",
        ),
        *_code("outages_id", "172", (3, 70)),
        *_code("outage_number_id", "172", (3, 70)),
    ),
    note="From 3.50 on of the primary load profile.",
)
