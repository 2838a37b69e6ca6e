"""Devices behind the meter, MEP clients and M-Bus meters: ET11 and ET13 (MEP guide v1.1 p. 77-83).

The security keys of M-Bus devices in ET13 are declared as fillers: nothing decodes or shows them.

This module does not know how a device registers.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import Count, count
from osgp.tables.schema.dimensions import MBUS_DEVICES
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Group, Table
from osgp.tables.schema.types import UINT8, UINT16, char, octets

__all__ = ["ET11", "ET13"]

_OPTICAL = "Optical guide v1.1 p. "

ET11 = Table(
    EXTENDED + 11,
    "MFG Dimension Table",
    "77-80",
    (
        Field("devices", UINT8, note="elements of ET13: 4 M-Bus devices, then MEP clients", page="77"),
        Field("configuration_entry_size", UINT8, unit="byte", note="of ET13", page="78"),
        Field("status_entry_size", UINT8, unit="byte", note="of ET14", page="78"),
        Field("on_demand_queue_size", UINT8, note="entries of ET15", page="78"),
        Field("on_demand_entry_size", UINT8, unit="byte", note="of ET15", page="78"),
        Field("data_entry_size", UINT16, unit="byte", note="of ET16", page="78"),
        Field("transaction_request_size", UINT16, unit="byte", note="of ET52", page="78"),
        Field("transaction_response_size", UINT16, unit="byte", note="of ET53", page="78"),
        Field("on_demand_write_size", UINT8, unit="byte", page="78"),
        Field("phase_measurement_size", UINT8, unit="byte", page="78"),
        Field("configuration_entry_2_size", UINT8, unit="byte", note="of ET34", page="78"),
        # "Reserved for internal use" in the MEP guide; the Optical guide names them.
        Field("meter_one_time_queue_size", UINT8, page=_OPTICAL + "41"),
        Field("mbus_one_time_queue_size", UINT8, page=_OPTICAL + "41"),
        Field("meter_one_time_entry_size", UINT8, unit="byte", note="of ET19", page=_OPTICAL + "41"),
        Field("mbus_one_time_entry_size", UINT8, unit="byte", note="of ET20", page=_OPTICAL + "41"),
        Field("group_ids", UINT8, page="78"),
        Field("harmonics", UINT8, page="78"),
        Field("multicast_message_size", UINT8, unit="byte", page="79"),
        Field("alarm_array_size", UINT8, unit="byte", note="of ET22", page="79"),
        Field("mep_data_sources", UINT8, note="sources of ET50", page="79"),
        Field("et48_entries", UINT8, page="79"),
        Field("critical_event_bitmaps", UINT8, since=(3, 30), page="79"),
        Field("mbus_data_types", UINT8, note="entries of ET57", since=(3, 30), page="79"),
        Field("relay_switches", UINT8, note="of ET61", since=(3, 30), page="79"),
        Field("delta_alert_sources", UINT8, note="of ET71", since=(3, 40), page="79"),
        Field("ram_transaction_request_size", UINT16, unit="byte", since=(3, 50), page="79"),
        Field("ram_transaction_response_size", UINT16, unit="byte", since=(3, 50), page="79"),
        # Printed "reserved", but p. 137 sizes a stretch of ET54 by them.
        Field("module_records", UINT8, since=(4, 0), page="79"),
        Field("module_record_size", UINT8, unit="byte", since=(4, 0), page="79"),
        Field("mep_clients", UINT8, note="elements of ET50", since=(4, 0), page="80"),
        Filler(1, since=(4, 0), page="80"),
        Field("et17_bitmap_size", UINT16, unit="byte", since=(4, 0), page=_OPTICAL + "42"),
        # From 4.20 on in the Optical guide (p. 42): absent where the two disagree.
        Field("error_screens", UINT8, since=(4, 30), page="80"),
    ),
)

_MBUS_ENTRY_SIZE = 66
_MEP_HEAD_SIZE = 9

_SCHEDULE = (
    Field("billing_read_day", UINT8, note="1-28; 0 first; 32-38 Sunday to Saturday; 39 off"),
    Field("billing_read_hour", UINT8),
    Field("billing_read_minute", UINT8),
    Field("billing_read_frequency", UINT8, note="0 hourly, 1 daily, 2 weekly, 3 monthly, 4 never"),
    Field("status_read_minutes", UINT16, unit="min"),
    Field("baud_rate", UINT8, note="0 9600, 1 300, 2 600, 3 1200, 4 2400, 5 4800, 6 9600 ... 12 115200"),
    Field("alarm_mask", UINT8),
)


def _entry_rest(known: int) -> Count:
    return count("mep_configuration_size") - known


ET13 = Table(
    EXTENDED + 13,
    "MEP/M-Bus Device Configuration",
    "80-83",
    (
        Group(
            "mbus",
            (
                *_SCHEDULE,
                Field("customer_id", char(20)),
                Field("app_reset_parameter", UINT8),
                Field("security_key_length", UINT8, unit="byte"),
                Filler(32),
                Field("turn_around_ta", UINT16, unit="bit times"),
                Field("turn_around_to", UINT16, unit="ms"),
                Filler(_entry_rest(_MBUS_ENTRY_SIZE)),
            ),
            count=count("mep_devices").at_most(MBUS_DEVICES),
            page="80-82",
        ),
        Group(
            "mep",
            (
                *_SCHEDULE,
                Bits(
                    UINT8,
                    (
                        Bit("scheduled_read", 0, note="a scheduled read is due"),
                        Bit("on_demand_request", 1, note="a request waits in ET15"),
                        Bit("mbus_change", 3),
                        Bit("delta_data", 4),
                    ),
                    page="82-83",
                ),
                Field("downlink_data", octets, count=_entry_rest(_MEP_HEAD_SIZE), page="83"),
            ),
            count=count("mep_devices") - MBUS_DEVICES,
            page="80-83",
        ),
    ),
)
