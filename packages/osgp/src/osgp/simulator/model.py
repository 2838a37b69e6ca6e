"""The meters to simulate: the made-up one in the house, its tables as data, and any meter whose image there is.

The made-up meter is a three-phase one of the third generation as they hang in Denmark: 11 summations, four tiers of
which two are used, 55 present values, no demand registers. Its serial number says that it is simulated.

An image is served byte for byte. Tables that tell sizes are derived where missing, and BT52 and BT55 follow the
computer's clock where the image has none; what else is missing, the meter does not have.

This module does not know how tables are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from osgp.errors import MisuseError
from osgp.image import MeterImage
from osgp.psem import table_id
from osgp.simulator.house import House, Moment
from osgp.simulator.localtime import DAY_HOURS, DAY_TIER, DST, NIGHT_TIER, STANDARD_OFFSET
from osgp.simulator.memory import Live, TableMemory, clock_tables
from osgp.sources import Source, in_tier
from osgp.tables import TABLES, Dimensions, present, registers

__all__ = ["house_memory", "image_memory"]

_FIRMWARE = (3, 82, 5)
_ROLLOVER_DIGITS = 8

_SWITCHES = 200
_LAST_SUNDAY = 6
"""RDATE: the last weekday of the month, weekday 0 (MEP guide v1.1 p. 41)."""

_NAMEPLATE: Mapping[str, Mapping[str, Any]] = {
    "BT01": {"manufacturer": "NES", "model": "83332-3I", "firmware": _FIRMWARE},
    "BT15": {"multiplier": 1, "ct_ratio": 1, "vt_ratio": 1},
    "BT50": {
        "daylight_saving_auto": True,
        "time_zone_offset_capable": True,
        "seasons": 12,
        "special_schedules": 2,
        "nonrecurring_dates": 25,
        "recurring_dates": 23,
        "tier_switches": _SWITCHES,
        "calendar_size": 808,
    },
    "BT53": {"daylight_saving_minutes": DST // 60, "time_zone_minutes": STANDARD_OFFSET // 60},
    "BT54": {
        "nonrecurring_dates": [{}] * 25,
        "recurring_dates": [
            {"month": 3, "rule": _LAST_SUNDAY, "action": 1, "twelve_seasons": True},
            {"month": 10, "rule": _LAST_SUNDAY, "action": 2},
            *[{}] * 21,
        ],
        "tier_switches": [
            {"tier": DAY_TIER, "hour": DAY_HOURS.start},
            {"tier": NIGHT_TIER, "hour": DAY_HOURS.stop},
            *[{}] * (_SWITCHES - 2),
        ],
        "seasons": [{}] * 12,
        "calendar_id": 1,
    },
    "ET04": {
        "rated_frequency": 50,
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
"""What never changes, by table and field. ET11 has the values printed in the guide's sample (p. 49)."""

_LIVE = ("BT23", "BT28", "BT52", "BT55")


def house_memory(house: House, *, clock_step: int = 0) -> TableMemory:
    """Return the tables of the made-up meter in a house.

    Args:
        house: moves the registers.
        clock_step: seconds by which the meter's clock is ahead.
    """
    tables, dims = _made_up()
    serial = TABLES["ET03"].encode({"utility_serial_number": f"SIM{house.seed:07d}"}, dims)
    readout = _HouseReadout(house, dims)
    live: dict[int, Live] = {table_id("BT23"): readout.bt23, table_id("BT28"): readout.bt28}
    return TableMemory({**tables, table_id("ET03"): serial}, live | clock_tables(dims, step=clock_step))


@cache
def _made_up() -> tuple[Mapping[int, bytes | bytearray], Dimensions]:
    """Return the tables that all made-up meters have in common, and their dimensions."""
    dims = Dimensions(firmware=_FIRMWARE[:2])
    made = {name: TABLES[name].encode(values, dims) for name, values in _NAMEPLATE.items()}
    # ET42 begins with its own length (MEP guide v1.1 p. 111).
    made["ET42"] = len(made["ET42"]).to_bytes(2, "little") + made["ET42"][2:]
    # Live tables stand in the image so that BT00 lists them.
    made |= {name: bytes(TABLES[name].size(dims)) for name in (*_LIVE, "ET03")}
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
    clocks = clock_tables(dims, step=clock_step)
    return TableMemory(own.tables, {table: live for table, live in clocks.items() if table not in image.tables})


class _HouseReadout:
    """BT23 and BT28 of a house, each worked out at most once a second, as the meter does."""

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
            values: dict[Source, int] = {}
            for sources, numbers in zip(self._blocks, (moment.total, *moment.tiers), strict=False):
                values.update(
                    (source, number) for source, number in zip(sources, numbers, strict=True) if source is not None
                )
            self._made["BT23"] = registers.encode(values, self._dims)
        return self._made["BT23"]

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
