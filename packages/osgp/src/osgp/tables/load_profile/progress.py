"""How far the load profile has come: the newest block and interval of each data set (BT63, ET21).

Pages are those of the MEP guide v1.1: BT63 p. 236-238, ET21 p. 95-98. The "Optical Port Programmer's Guide" (v1.1, June 2021)
prints them too, p. 34-35 and 38-40, and says which firmware added which field of ET21. The read-only key of the optical port may
not read ET21 (p. 38).

An element of ET21 has 83 bytes before firmware 3.10, 94 from then on, 107 from 3.30 and 131 from 3.50 on, which added a number
and 20 reserved bytes at once (Optical guide p. 40; the MEP guide, p. 98, dates the reserved bytes to 3.60). Its local end time is
printed at 101, behind a byte that nothing names (p. 97).

This module does not know where a block stands in BT64-BT67.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.parts import Bit, Bits, Field, Filler, Group
from osgp.tables.schema.table import Table
from osgp.tables.schema.types import LTIME_DATE, LTIME_DATE_UTC, NI_FMAT, UINT8, UINT16, UINT32

__all__ = ["BT63", "ET21"]

_EACH_SET = count("load_profile_sets")

BT63 = Table(
    63,
    "Load Profile Status",
    "236-238",
    (
        Group(
            "data_sets",
            (
                Bits(
                    UINT8,
                    (
                        Bit("descending_blocks", 0),
                        Bit("overflow", 1),
                        Bit("circular", 2),
                        Bit("inhibit_overflow", 3),
                        Bit("descending_intervals", 4),
                        Bit("active", 5),
                        Bit("test_mode", 6),
                    ),
                ),
                Field("valid_blocks", UINT16),
                Field("last_block", UINT16, note="index of the newest"),
                Field("last_block_sequence_number", UINT32),
                Field("unread_blocks", UINT16),
                Field("valid_intervals", UINT16, note="in the newest block; not the index of the newest"),
            ),
            _EACH_SET,
        ),
    ),
)

ET21 = Table(
    EXTENDED + 21,
    "Load Profile Internal Configuration",
    "95-98",
    (
        Group(
            "data_sets",
            (
                Field("block_address", UINT32),
                Field("interval_address", UINT32),
                Field("block_size", UINT32, unit="byte"),
                Field("block_header_size", UINT16, unit="byte"),
                Field("valid_blocks", UINT16),
                Field("valid_intervals", UINT16),
                Field("last_block", UINT16),
                Field("last_interval", UINT16, note="index of the newest in the newest block"),
                Field("simple_status_offset", UINT8, unit="byte"),
                Field("simple_status_size", UINT8, unit="byte"),
                Field("first_interval_offset", UINT8, unit="byte"),
                Field("interval_size", UINT8, unit="byte"),
                Field("first_channel_offset", UINT8, unit="byte"),
                Field("common_status", UINT8, note="of the next interval"),
                Field("channels", UINT8),
                Field("interval_minutes", UINT8, unit="min", note="84: 24 hours, unless ansi_compliance"),
                Field("sources", UINT8, count=8, note="of channels 0-7"),
                Field("placeholders", NI_FMAT, count=8, since=(2, 10), note="of M-Bus channels"),
                Field("further_sources", UINT8, count=8, since=(2, 10), note="of channels 8-15"),
                Field("configuration_id", UINT32, since=(2, 10)),
                Field("first_client_channel", UINT8, since=(2, 10)),
                Field("block_start", LTIME_DATE_UTC, since=(3, 10)),
                Field("block_start_hour", UINT8, since=(3, 10), note="UTC, as requested"),
                Field("block_start_minute", UINT8, since=(3, 10)),
                Field("interval_in_progress", UINT16, since=(3, 10), note="0: none waits for data of a device"),
                Bits(
                    UINT8,
                    (
                        Bit("end_readings", 0),
                        Bit("scalars", 1),
                        Bit("data_reference", 2),
                        Bit("ansi_compliance", 3),
                    ),
                    since=(3, 10),
                ),
                Field("interval_end", LTIME_DATE_UTC, since=(3, 30)),
                Filler(1, since=(3, 30)),
                Field("interval_end_local", LTIME_DATE, since=(3, 30)),
                Field("most_memory", UINT32, unit="byte", since=(3, 50)),
                Bits(UINT8, (Bit("memory_failed", 0),), since=(3, 60)),
                Filler(19, since=(3, 50)),
            ),
            _EACH_SET,
        ),
    ),
    note="The read-only key of the optical port may not read it (Optical guide v1.1 p. 38).",
)
