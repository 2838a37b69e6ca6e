"""What stands on the nameplate and in the settings of a made-up meter, by table and field.

It is a three-phase meter as installed in Denmark: of the third generation, unless another firmware is asked for, with four tiers
of which two are used, and no demand registers. Its serial number says that it is simulated.

This module does not know what changes with time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from osgp.psem import EXTENDED, table_id
from osgp.simulator.history.configuration import DataSet, Version
from osgp.simulator.household import DAY
from osgp.simulator.localtime import DAY_HOURS, DAY_TIER, DST, DST_BEGINS_AT, NIGHT_TIER, STANDARD_OFFSET
from osgp.simulator.logs.events import ALTERNATE_ENTRIES, EVENT_ENTRIES
from osgp.simulator.logs.quality import OUTAGE_ENTRIES, OUTAGE_SIZE
from osgp.simulator.logs.recorder import profile_dimensions
from osgp.simulator.logs.self_reads import DEMAND_RESETS, ONE_TIME_READS, RESET_HEAD, SELF_READS
from osgp.tables import TABLES, Calendar, Dimensions
from osgp.tables.schema.recurring_date import RecurringDate

__all__ = ["described_profile", "nameplate"]

_ROLLOVER_DIGITS = 8

_SCHEDULES, _SWITCHES_A_DAY = 20, 10
"""BT54 has room for so many day schedules of so many switches each (MEP guide v1.1 p. 228)."""

_SEASON_HEAD = 6
"""Time and season before a copy of BT23 (MEP guide v1.1 p. 211)."""
_NO_OVERRIDE = _NO_SOURCE = 255
"""ET47: no tariff is set by hand (p. 122); ET71: an entry is not in use (p. 175)."""
_DELTA_SOURCES = 10
"""ET11.27 (p. 79)."""

_DATA_TYPES = (
    {"kind": 1, "data_type": 1, "header": bytes.fromhex("0C933A")},
    {"kind": 1, "data_type": 1, "special": True, "header": bytes.fromhex("0C933E")},
    {"kind": 1, "data_type": 2, "header": bytes.fromhex("0C1300")},
)
"""ET57: the volume of gas, not converted to standard temperature (p. 34) and converted; the volume of water."""

_LAST, _SUNDAY = 6, 0
"""RDATE: postpone to the last such weekday of the month on or after a day (MEP guide v1.1 p. 41)."""
_MONTHLY = 13
"""RDATE's month of what is repeated each month."""
_SEASON_0 = 3
"""Calendar action: select season 0 (MEP guide v1.1 p. 227)."""


def _switches() -> list[dict[str, int]]:
    """Return BT54's tier switches: of each day schedule ten, sorted, the first at midnight (MEP guide v1.1 p. 223-224).

    The guide does not print how an unused switch looks. Here it repeats the switch before it, which keeps the order and
    changes nothing.
    """
    used = [
        {"tier": NIGHT_TIER, "hour": 0},
        {"tier": DAY_TIER, "hour": DAY_HOURS.start},
        {"tier": NIGHT_TIER, "hour": DAY_HOURS.stop},
    ]
    day = used + used[-1:] * (_SWITCHES_A_DAY - len(used))
    return [switch | {"schedule": schedule} for schedule in range(_SCHEDULES) for switch in day]


def described_profile(data_sets: Sequence[DataSet]) -> dict[str, Any]:
    """Return what ET42 says of the load profiles (MEP guide v1.1 p. 114-118); of the first without a number."""
    fields: dict[str, Any] = {}
    for number, one in enumerate(data_sets, 1):
        first = number == 1
        fields |= {
            f"{'load_profile' if first else f'set_{number}'}_{name}": value
            for name, value in {
                "block_size": one.sizes.block_size,
                "blocks": one.blocks,
                "channels": len(one.sources),
                "interval" if first else "interval_duration": one.minutes,
                "interval_size": one.sizes.interval_size,
                "intervals_per_block": one.intervals,
                "sources": one.sources,
                **({} if first else {"active": True}),
            }.items()
        }
    return fields


_EVENT_LOG = {
    "date_time": True,
    "sequence_numbers": True,
    "standard_event_bytes": 8,
    "manufacturer_event_bytes": 19,
    "history_data_length": 2,
    "event_data_length": 2,
}
"""BT70 and BT71: up to 64 standard events and 152 of the maker (Optical guide v1.1 p. 50)."""


def nameplate(firmware: Version, dims: Dimensions, data_sets: Sequence[DataSet]) -> Mapping[str, Mapping[str, Any]]:
    """Return the values that never change, by table and field. ET11 has the values printed in the guide's sample (p. 49).

    Args:
        firmware: of the meter. What it does not have yet stands here all the same.
        dims: the meter's dimensions.
        data_sets: the load profiles that are configured.
    """
    four = firmware >= (4, 0)
    calendar = dims.calendar
    counts = {
        "season": True,
        "date_time": True,
        "summations": dims.summations,
        "tiers": dims.tiers,
        "present_values": dims.present_values,
    }
    return {
        "BT01": {"manufacturer": "NES", "model": "83334-3I" if four else "83332-3I", "firmware": firmware},
        "BT15": {"multiplier": 1, "ct_ratio": 1, "vt_ratio": 1},
        "BT20": counts | {"self_reads": 253},
        "BT21": counts | {"self_reads": SELF_READS},
        "BT50": {
            "tou_self_read": True,
            "season_self_read": True,
            "sort_tier_switches": True,
            "time_zone_offset_capable": True,
            "seasons": calendar.seasons,
            "special_schedules": 2,
            "nonrecurring_dates": calendar.nonrecurring_dates,
            "recurring_dates": calendar.recurring_dates,
            "tier_switches": _SCHEDULES * _SWITCHES_A_DAY,
            "calendar_size": TABLES["BT54"].size(dims),
        },
        "BT53": {
            "daylight_saving_at": time(DST_BEGINS_AT),
            "daylight_saving_minutes": DST // 60,
            "time_zone_minutes": STANDARD_OFFSET // 60,
        },
        "BT03": {"metering": True},
        "BT60": profile_dimensions([DataSet(9530, 1440, DAY, tuple(range(16)))] * len(data_sets)),
        "BT61": profile_dimensions(data_sets),
        "BT70": _EVENT_LOG | {"history_entries": 2 * EVENT_ENTRIES},
        "BT71": _EVENT_LOG | {"history_entries": EVENT_ENTRIES},
        "BT54": {
            "nonrecurring_dates": [{}] * calendar.nonrecurring_dates,
            "recurring_dates": [
                {
                    "date": RecurringDate(month=3, day=1, offset=_LAST, weekday=_SUNDAY),
                    "action": 1,
                    "twelve_seasons": calendar == Calendar(),
                },
                {"date": RecurringDate(month=10, day=1, offset=_LAST, weekday=_SUNDAY), "action": 2},
                {"date": RecurringDate(month=1, day=1), "action": _SEASON_0},
                {"date": RecurringDate(month=_MONTHLY, day=1), "self_read": True},
                *[{}] * 19,
            ],
            "tier_switches": _switches(),
            "seasons": [{}] * calendar.seasons,
            "calendar_id": 1,
        },
        "ET04": {
            "rated_frequency": 50,
            "daylight_saving_off_delta": DST // 60,
            "power_outages_recorded": 10,
            "registration_current": 20,
            "maximum_current": 80,
            "rated_voltage": 230,
            "nvm_size": 128,
            "phase_loss_threshold": 50,
            "premise_generation": 1,
            "idt_version": 1,
        },
        "ET11": {
            "devices": dims.mep_devices,
            "configuration_entry_size": 66,
            "status_entry_size": 36,
            "on_demand_queue_size": 5,
            "on_demand_entry_size": 6,
            "data_entry_size": 517,
            "transaction_request_size": 769,
            "transaction_response_size": 1785,
            "on_demand_write_size": 25,
            "phase_measurement_size": 16,
            "configuration_entry_2_size": 22,
            "group_ids": 10,
            "harmonics": 10,
            "multicast_message_size": 65,
            "alarm_array_size": 120,
            "mep_data_sources": 6,
            "et48_entries": 10,
            "critical_event_bitmaps": 10,
            "mbus_data_types": 16,
            "relay_switches": 80,
            "delta_alert_sources": _DELTA_SOURCES,
            "module_records": 1,
            "module_record_size": dims.module_records_size,
            "mep_clients": dims.mep_clients,
        },
        "ET13": {},
        "ET15": {},
        "ET23": {"active_calendar_id": 1},
        "ET29": {
            "disconnect": True,
            "relay_1": True,
            "mbus": True,
            "cover_tamper": True,
            "mep_1": True,
            "mep_2": four,
            "disconnect_sensor": True,
            "magnetic_tamper": True,
            "two_line_disconnect": True,
            "polyphase": True,
        },
        "ET34": {"devices": [{"profile_poll_minutes": 60, "profile_poll_wait": 20}] * dims.mep_devices},
        "ET36": _log_dimensions(firmware, dims),
        "ET42": {
            "fixed_section_length": 41,
            "summations": dims.summations,
            "tiers": dims.tiers,
            "present_values": dims.present_values,
            "self_reads": SELF_READS,
            **described_profile(data_sets),
            "log_date_time": True,
            "log_sequence_number": True,
            "et79_entries": ALTERNATE_ENTRIES,
            "history_log_entries": EVENT_ENTRIES,
            "history_log_argument_size": 2,
            "required_section_length": 8 if firmware >= (3, 70) else 3,
            "energy_unit": 1,
            "rollover_digits": _ROLLOVER_DIGITS,
        },
        "ET47": {"tier": _NO_OVERRIDE},
        "ET50": {},
        "ET51": {},
        "ET52": {},
        "ET53": {},
        "ET54": {
            "multiple_load_profiles": len(data_sets) > 1,
            "multiple_mep_clients": four,
            "time_synchronisation": 2,
            "et79_entries": ALTERNATE_ENTRIES,
        },
        "ET55": {
            "phase_loss_seconds": 60,
            "average_voltage_seconds": 600,
            "average_voltage_count": 1008,
            "broken_conductor_seconds": 600,
            "zero_fault_seconds": 10,
            "energy_unit": 1,
        },
        "ET57": {"entries": [*_DATA_TYPES, *[{}] * (dims.mbus_data_types - len(_DATA_TYPES))]},
        "ET58": {},
        "ET66": {},
        "ET70": {"channel": 1},
        "ET71": {"sources": [{"source": _NO_SOURCE}] * _DELTA_SOURCES},
        "ET85": {},
    }


def _log_dimensions(firmware: Version, dims: Dimensions) -> dict[str, Any]:
    """Return ET36: the logs with a short header, in the guide's order (p. 107-109). Those that no guide prints are empty."""
    copy = _SEASON_HEAD + TABLES["BT23"].size(dims)
    logs = [
        ("ET31", copy, ONE_TIME_READS),
        ("ET32", 525, 0),
        ("ET38", 35, 0),
        ("ET41", RESET_HEAD + copy, DEMAND_RESETS),
        ("ET45", 525, 0),
    ]
    if firmware >= (3, 70):
        logs += [("ET75", 143, 0), ("ET81", OUTAGE_SIZE, OUTAGE_ENTRIES)]
    return {
        "logs": len(logs),
        "log_list": [
            {
                "table": table_id(name) - EXTENDED,
                "extended": True,
                "entry_size": size,
                "most_entries": 253,
                "entries": entries,
                "length_included": name in {"ET41", "ET45"},
            }
            for name, size, entries in logs
        ],
        "unread": frozenset(),
    }
