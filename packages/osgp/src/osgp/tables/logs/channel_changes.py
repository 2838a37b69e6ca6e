"""What the channels of the load profile were before each change: ET75 (MEP guide v1.1 p. 177-180).

Meters that keep to Welmec 11.2 have it (ET54.71.0), from firmware 3.60 on. It is no ring: a change that finds no room is
refused. Each record holds what was so before its time.

A display's id code has four characters, and five from generation 4 on, where a record then is 16 bytes longer (p. 178-180).
The guide says 143 bytes for all of them (p. 109), which fits four. So how many characters there are follows from the size of a
record that the meter itself tells in ET36.

This module does not know what the channels are now.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.logs.ring import SHORT_HEADER
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Group, Table
from osgp.tables.schema.types import STIME_DATE, UINT8, UINT16, char

__all__ = ["ET75"]

_CHANNELS = 16
"""BT60.11, the most that a data set has (p. 231): the printed offsets have room for so many."""
_DEMANDS = 8
"""BT20.4, likewise."""
_BEFORE_DISPLAY = STIME_DATE.size + 2 * _CHANNELS + _DEMANDS + 2
_DISPLAY = (count("logs.channel_change_size") - _BEFORE_DISPLAY) // _CHANNELS
"""Bytes of what is told of one channel's display: the id code and two more."""

ET75 = Table(
    EXTENDED + 75,
    "Primary Load Profile Channel Change Log",
    "177-180",
    (
        *SHORT_HEADER.fields,
        Group(
            "entries",
            (
                Field("time", STIME_DATE, note="UTC"),
                Field("extended_sources", UINT16, count=_CHANNELS, note="before this time, as all that follows"),
                Field("demand_sources", UINT8, count=_DEMANDS),
                Field("demand_subinterval", UINT8, unit="min"),
                Field("demand_multiplier", UINT8),
                Group(
                    "display",
                    (
                        Field("id_code", char, count=_DISPLAY - 2),
                        Field("id_decimal_points", UINT8, note="bit 0 is the one furthest right"),
                        Bits(
                            UINT8,
                            (
                                Bit("digits_after_point", 0, 2),
                                Bit("digits_before_point", 3, 6),
                                Bit("leading_zeros_hidden", 7),
                            ),
                        ),
                    ),
                    _CHANNELS,
                    page="180",
                ),
            ),
            count("logs.channel_changes"),
        ),
    ),
)
