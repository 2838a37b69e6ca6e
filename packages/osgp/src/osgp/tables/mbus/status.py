"""Which devices there are and how they are: ET14 and ET58 (MEP guide v1.1 p. 83-89, 165).

Entries 0 to 3 are M-Bus devices, the fifth and sixth are MEP clients (p. 84).

This module does not know what the devices sent.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import LTIME_DATE, UINT8, UINT16, UINT32, set_of

__all__ = ["ENTRY_SIZE", "ET14", "ET58"]

ENTRY_SIZE = 36
"""Bytes of an entry of ET14 as printed."""

ET14 = Table(
    EXTENDED + 14,
    "MEP/M-Bus Device Status",
    "83-89",
    (
        Bits(UINT8, (Bit("auto_discovery", 0, note="M-Bus only"),), page="84"),
        Filler(4, page="84"),
        Field("occupied", set_of(1), note="indices of the entries below that are a device", page="84"),
        Group(
            "devices",
            (
                # p. 22 lets the handles of a second MEP client end at 2999.
                Field(
                    "handle", UINT16, note="1-999 M-Bus, 1000-1999 MEP client 1, 2000-2099 MEP client 2", page="84-85"
                ),
                Field("status", UINT8, note="0 empty; M-Bus: 1 up, 2 down; MEP: 3 up, 4 down", page="85"),
                Field("baud_rate", UINT8, note="as in ET13", page="85-86"),
                Field("billing_read_length", UINT16, unit="byte", note="of what ET16 holds of it", page="86"),
                Field("read_attempts", UINT32, page="86"),
                Field("read_answers", UINT32, page="86"),
                # Bit 1 is printed as "not supported".
                Bits(
                    UINT16,
                    (
                        Bit("billing_data_collected", 0, note="into ET16"),
                        Bit("new_device_alarm", 2),
                        Bit("billing_read_overflow", 3, note="not all of its data could be kept"),
                        Bit("communication_failed", 4),
                        Bit("serial_number_mismatch", 5, note="another device answered; its data were kept"),
                        Bit("firmware_switchover_succeeded", 6, note="MEP"),
                        Bit("firmware_switchover_failed", 7, note="MEP"),
                    ),
                    page="87-88",
                ),
                Field("primary_address", UINT8, note="from firmware 4.30 on, else unused", page="88"),
                Filler(6, page="89"),
                Field("device_alarms", UINT8, note="the device's status byte (ET16); bits stay until EP18", page="89"),
                Field("status_read", LTIME_DATE, note="local time of the last one that succeeded", page="89"),
                Field("last_read_attempt", LTIME_DATE, note="local time", page="89"),
                Filler(count("device_status_size") - ENTRY_SIZE),
            ),
            count=count("mep_devices"),
            page="84-89",
        ),
    ),
)

ET58 = Table(
    EXTENDED + 58,
    "M-Bus/MEP Status Extension",
    "165",
    (
        Group(
            "devices",
            (Field("control_status", UINT8, note="the data type that ET34 names, of a valve for instance"), Filler(19)),
            count=count("mep_devices"),
        ),
    ),
)
