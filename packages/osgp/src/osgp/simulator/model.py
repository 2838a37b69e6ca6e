"""The meters to simulate: a made-up meter in a simulated house, and any meter of which there is an image.

The made-up meter is a three-phase meter of the third generation, as installed in Denmark: 11 summations, four tiers of
which two are used, 55 present values, no demand registers. Its serial number says that it is simulated. Its tables are
kept here as data.

An image is served byte for byte. If it lacks tables that tell the sizes of others, they are derived. If it lacks BT52
or BT55, they follow the computer's clock. All other tables that it lacks are absent from the simulated meter, too.

This module does not know how tables are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time
from functools import cache
from typing import Any

from osgp.errors import MisuseError
from osgp.image import MeterImage
from osgp.psem import table_id
from osgp.simulator.history.configuration import DATA_SETS, DataSet
from osgp.simulator.house import House, Moment
from osgp.simulator.localtime import DAY_HOURS, DAY_TIER, DST, DST_BEGINS_AT, NIGHT_TIER, STANDARD_OFFSET
from osgp.simulator.logs.events import EVENT_ENTRIES
from osgp.simulator.logs.recorder import Recorder, profile_control, profile_dimensions
from osgp.simulator.logs.self_reads import SELF_READS
from osgp.simulator.memory import Live, TableMemory, clock_tables
from osgp.sources import Source, in_tier
from osgp.tables import TABLES, Dimensions, present, registers
from osgp.tables.schema.recurring_date import RecurringDate

__all__ = ["house_memory", "image_memory"]

_FIRMWARE = (3, 82, 5)
_ROLLOVER_DIGITS = 8

_SCHEDULES, _SWITCHES_A_DAY = 20, 10
"""BT54 has room for so many day schedules of so many switches each (MEP guide v1.1 p. 228)."""

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


def _described_profile(data_sets: Sequence[DataSet] = DATA_SETS) -> dict[str, Any]:
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


def _interface_definition(data_sets: Sequence[DataSet], dims: Dimensions) -> bytes:
    """Return ET42, which begins with its own length (MEP guide v1.1 p. 111)."""
    made = TABLES["ET42"].encode({**_NAMEPLATE["ET42"], **_described_profile(data_sets)}, dims)
    return len(made).to_bytes(2, "little") + made[2:]


_EVENT_LOG = {
    "date_time": True,
    "sequence_numbers": True,
    "standard_event_bytes": 8,
    "manufacturer_event_bytes": 19,
    "history_data_length": 2,
    "event_data_length": 2,
}
"""BT70 and BT71: up to 64 standard events and 152 of the maker (Optical guide v1.1 p. 50)."""

_REGISTER_DIMENSIONS = {
    "season": True,
    "date_time": True,
    "summations": 11,
    "tiers": 4,
    "present_values": 55,
}

_NAMEPLATE: Mapping[str, Mapping[str, Any]] = {
    "BT01": {"manufacturer": "NES", "model": "83332-3I", "firmware": _FIRMWARE},
    "BT15": {"multiplier": 1, "ct_ratio": 1, "vt_ratio": 1},
    "BT20": _REGISTER_DIMENSIONS | {"self_reads": 253},
    "BT21": _REGISTER_DIMENSIONS | {"self_reads": SELF_READS},
    "BT50": {
        "tou_self_read": True,
        "season_self_read": True,
        "sort_tier_switches": True,
        "time_zone_offset_capable": True,
        "seasons": 12,
        "special_schedules": 2,
        "nonrecurring_dates": 25,
        "recurring_dates": 23,
        "tier_switches": _SCHEDULES * _SWITCHES_A_DAY,
        "calendar_size": 808,
    },
    "BT53": {
        "daylight_saving_at": time(DST_BEGINS_AT),
        "daylight_saving_minutes": DST // 60,
        "time_zone_minutes": STANDARD_OFFSET // 60,
    },
    "BT03": {"metering": True},
    "BT61": profile_dimensions(),
    "BT71": _EVENT_LOG | {"history_entries": EVENT_ENTRIES},
    "BT54": {
        "nonrecurring_dates": [{}] * 25,
        "recurring_dates": [
            {"date": RecurringDate(month=3, day=1, offset=_LAST, weekday=_SUNDAY), "action": 1, "twelve_seasons": True},
            {"date": RecurringDate(month=10, day=1, offset=_LAST, weekday=_SUNDAY), "action": 2},
            {"date": RecurringDate(month=1, day=1), "action": _SEASON_0},
            {"date": RecurringDate(month=_MONTHLY, day=1), "self_read": True},
            *[{}] * 19,
        ],
        "tier_switches": _switches(),
        "seasons": [{}] * 12,
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
        "devices": 5,
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
        "delta_alert_sources": 10,
    },
    "ET13": {},
    "ET42": {
        "fixed_section_length": 41,
        "summations": 11,
        "tiers": 4,
        "present_values": 55,
        "self_reads": SELF_READS,
        "log_date_time": True,
        "log_sequence_number": True,
        "history_log_entries": EVENT_ENTRIES,
        "history_log_argument_size": 2,
        "required_section_length": 8,
        "energy_unit": 1,
        "rollover_digits": _ROLLOVER_DIGITS,
    },
    "ET50": {},
    "ET54": {"multiple_load_profiles": True, "time_synchronisation": 2},
    "ET55": {
        "phase_loss_seconds": 60,
        "average_voltage_seconds": 600,
        "average_voltage_count": 1008,
        "broken_conductor_seconds": 600,
        "zero_fault_seconds": 10,
        "energy_unit": 1,
    },
}
"""The values that never change, by table and field. ET11 has the values printed in the guide's sample (p. 49)."""

_LIVE = ("BT23", "BT28", "BT52", "BT55")
_LOGGED = ("BT26", "BT63", "BT64", "BT65", "BT66", "BT67", "BT74", "ET21")
"""Tables that the recorder alone fills; of BT03, BT61, BT62 and ET42 it knows what changes."""

_LARGEST_PROFILE = profile_dimensions() | {
    "data_sets": [{"blocks": 9530, "intervals": 1440, "channels": 16, "interval_minutes": 84}] * len(DATA_SETS)
}
"""BT60: each number is the largest that it can be if the other numbers fit it (MEP guide v1.1 p. 231-233)."""


def house_memory(house: House, *, clock_step: int = 0) -> TableMemory:
    """Return the tables of the made-up meter that measures the given house.

    Args:
        house: the simulated house; its consumption and history decide what the meter shows and has logged.
        clock_step: seconds by which the meter's clock is ahead of what the history says.
    """
    tables, dims = _made_up()
    serial = TABLES["ET03"].encode({"utility_serial_number": f"SIM{house.seed:07d}"}, dims)
    readout = _HouseReadout(house, dims)
    live: dict[int, Live] = {table_id("BT23"): readout.bt23, table_id("BT28"): readout.bt28}
    recorder = Recorder(house, dims, readout.encode_registers)
    live |= {table_id(name): of for name, of in recorder.tables().items()}
    live[table_id("ET42")] = lambda now: _interface_definition(recorder.data_sets(now), dims)
    live |= clock_tables(dims, shown=lambda now: house.history.shown(now) + clock_step)
    return TableMemory({**tables, table_id("ET03"): serial}, live)


@cache
def _made_up() -> tuple[Mapping[int, bytes | bytearray], Dimensions]:
    """Return the tables that all made-up meters have in common, and their dimensions."""
    dims = Dimensions(firmware=_FIRMWARE[:2])
    made = {name: TABLES[name].encode(values, dims) for name, values in _NAMEPLATE.items()}
    made["ET42"] = _interface_definition(DATA_SETS, dims)
    # Maxima: laid out as what is configured (MEP guide v1.1 p. 231, Optical guide v1.1 p. 50).
    made["BT60"] = TABLES["BT61"].encode(_LARGEST_PROFILE, dims)
    made["BT62"] = profile_control()
    made["BT70"] = TABLES["BT71"].encode(_EVENT_LOG | {"history_entries": 2 * EVENT_ENTRIES}, dims)
    # Live tables stand in the image so that BT00 lists them.
    made |= {name: bytes(TABLES[name].size(dims)) for name in (*_LIVE, "ET03")}
    made |= dict.fromkeys(_LOGGED, b"")
    image = MeterImage({table_id(name): bytearray(data) for name, data in made.items()})
    return image.tables, image.derive_dimensions()


def image_memory(image: MeterImage, *, clock_step: int = 0) -> TableMemory:
    """Return the tables of an image; the image itself is not changed.

    Raises:
        TableError: the image's tables contradict each other.
        MisuseError: the image holds no table.
    """
    if not image.tables:
        raise MisuseError('this image holds no table; an image has "tables" with at least one in it')
    own = MeterImage({table: bytearray(data) for table, data in image.tables.items()})
    dims = own.derive_dimensions()
    clocks = clock_tables(dims, shown=lambda now: now + clock_step)
    return TableMemory(own.tables, {table: live for table, live in clocks.items() if table not in image.tables})


class _HouseReadout:
    """BT23 and BT28 of the meter in a house. Each is worked out at most once a second, as a real meter does."""

    def __init__(self, house: House, dims: Dimensions) -> None:
        self._house = house
        self._dims = dims
        self._present = [source for source in dims.present_sources if source is not None]
        totals = dims.register_sources
        self._blocks = [totals, *([_of_tier(source, tier) for source in totals] for tier in range(dims.tiers))]
        self._second = -1
        self._moment: Moment | None = None
        self._made: dict[str, bytes] = {}

    def bt23(self, now: float) -> bytes:
        moment = self._at(now)
        if "BT23" not in self._made:
            self._made["BT23"] = self.encode_registers(moment.total, moment.tiers)
        return self._made["BT23"]

    def encode_registers(self, total: Sequence[int], tiers: Sequence[Sequence[int]]) -> bytes:
        """Return BT23 with these summations."""
        values: dict[Source, int] = {}
        for sources, numbers in zip(self._blocks, (total, *tiers), strict=False):
            values.update(
                (source, number) for source, number in zip(sources, numbers, strict=True) if source is not None
            )
        return registers.encode(values, self._dims)

    def bt28(self, now: float) -> bytes:
        moment = self._at(now)
        if "BT28" not in self._made:
            values = {source: moment.present[source.id] for source in self._present if source.id is not None}
            self._made["BT28"] = present.encode(values, self._dims)
        return self._made["BT28"]

    def _at(self, now: float) -> Moment:
        if self._moment is None or int(now) != self._second:
            self._second = int(now)
            self._moment = self._house.at(now)
            self._made.clear()
        return self._moment


def _of_tier(source: Source | None, tier: int) -> Source | None:
    return None if source is None else in_tier(source, tier)
