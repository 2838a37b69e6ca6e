"""What the devices sent last: ET16 (MEP guide v1.1 p. 92-95).

Of each device the table keeps its first read, the newest one on demand, and, if the meter is set so, the newest scheduled
one (p. 92). How many bytes of an entry count says ET14; behind them stand leftovers of longer reads.

:mod:`osgp.mbus.telegram` decodes the telegrams. This module does not.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import MBUS_DEVICES
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import LTIME_DATE, UINT8, UINT16, octets

__all__ = ["ET16", "MBUS_READ", "READ_HEAD_SIZE"]

READ_HEAD_SIZE = LTIME_DATE.size + UINT8.size
_MEP_HEAD_SIZE = READ_HEAD_SIZE + 2 * UINT16.size

MBUS_READ = (
    Field("time", LTIME_DATE, note="local time of the read", page="92"),
    Bits(
        UINT8,
        (
            Bit("msb_first", 0, note="the device sends the most significant byte first (mode 2)"),
            Bit("fixed_structure", 1, note="else the variable one"),
            Bit("decrypted", 2, note="if necessary; else there was no key"),
            Bit("authentication", 3, 4, note="0 passed, 1 wrong id, 2 wrong date, 3 passed with alternate date"),
            Bit("security_failed", 5),
        ),
        page="92-93",
    ),
)
"""What stands before the telegrams of an M-Bus device, here and in the logs of reads."""

ET16 = Table(
    EXTENDED + 16,
    "MEP/M-Bus Device Data",
    "92-95",
    (
        Group(
            "mbus",
            (
                *MBUS_READ,
                Field(
                    "telegrams",
                    octets,
                    count=count("device_data_size") - READ_HEAD_SIZE,
                    note="each with its length in front; a length of 0 ends them",
                    page="93-95",
                ),
            ),
            count=count("mep_devices").at_most(MBUS_DEVICES),
        ),
        Group(
            "mep",
            (
                Field("time", LTIME_DATE, note="local time of the read", page="92"),
                Filler(1, page="92"),
                Field("read_count", UINT16, note="billing reads that succeeded", page="95"),
                Field("length", UINT16, unit="byte", page="95"),
                Field("data", octets, count=count("device_data_size") - _MEP_HEAD_SIZE, page="95"),
            ),
            count=count("mep_devices") - MBUS_DEVICES,
        ),
    ),
)
