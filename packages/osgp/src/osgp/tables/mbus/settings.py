"""How the meter polls its devices, and what the load profile keeps of them: ET34 and ET57 (MEP guide v1.1 p. 32-34, 106-107, 163-164).

ET57 is a list of *data types*: small numbers that stand for record headers of M-Bus telegrams (DRH), so that a channel of
the load profile can name what it holds. :mod:`osgp.tables.mbus.channels` puts them together.

This module does not know telegrams.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import UINT8, UINT16, octets

__all__ = ["ET34", "ET57", "HEADER_PART"]

_SETTINGS_SIZE = 22
"""Bytes of an entry of ET34 as printed."""
HEADER_PART = 3
"""Bytes of a record header that one entry of ET57 holds."""

ET34 = Table(
    EXTENDED + 34,
    "Additional M-Bus/MEP Device Configuration",
    "106-107",
    (
        Group(
            "devices",
            (
                Filler(2),
                Field(
                    "groups", UINT8, note="a bit for each group of the multicast messages (EP18) it hears", page="106"
                ),
                Filler(1),
                Field("profile_poll_minutes", UINT16, unit="min", note="0: each interval", page="33, 106"),
                Field("control_data_type", UINT8, note="read into ET58", page="106"),
                Field("command_data_type", UINT8, note="commands of this type raise an event; 0 none", page="106"),
                Field("time_data_type", UINT8, note="of the time stamp in its telegrams", page="107"),
                Bits(
                    UINT8,
                    (Bit("hour_start", 0, 4, note="bit of the time stamp, from 1"), Bit("hour_bits", 5, 7)),
                    page="107",
                ),
                Bits(
                    UINT8,
                    (Bit("minute_start", 0, 4, note="as hour_start"), Bit("minute_bits", 5, 7)),
                    page="107",
                ),
                Field("profile_poll_wait", UINT8, unit="s", note="after the end of an interval", page="107"),
                Field("profile_poll_retries", UINT8, page="107"),
                Field("profile_poll_retry_wait", UINT8, unit="s", page="107"),
                # Printed as seven bytes from 14 to 21, which are eight, as ET11.13 says, too.
                Filler(8, page="107"),
                Filler(count("device_settings_size") - _SETTINGS_SIZE),
            ),
            count=count("mep_devices"),
        ),
    ),
)

ET57 = Table(
    EXTENDED + 57,
    "M-Bus Data Type Table",
    "163-164",
    (
        Group(
            "entries",
            (
                Bits(
                    UINT8,
                    (
                        Bit("kind", 0, 1, note="0 empty, 1 M-Bus, 2 MEP, 3 more of the header before"),
                        Bit("data_type", 2, 6),
                        Bit("special", 7, note="converted to standard temperature, for instance"),
                    ),
                ),
                Field("header", octets(HEADER_PART), note="DRH; MEP: offset, length, bytes to compare"),
            ),
            count=count("mbus_data_types"),
        ),
    ),
)
