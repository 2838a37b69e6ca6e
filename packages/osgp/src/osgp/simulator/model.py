"""The meters to simulate: the made-up one in the house, its tables as data, and any meter whose image there is.

The made-up meter is a three-phase one of the third generation as they hang in Denmark: 11 summations, four tiers of
which two are used, 55 present values, no demand registers. Its serial number says that it is simulated.

An image is served byte for byte. Tables that tell sizes are derived where missing, and BT52 and BT55 follow the
computer's clock where the image has none; what else is missing, the meter does not have.

This module does not know how tables are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from osgp.errors import MisuseError
from osgp.image import MeterImage
from osgp.psem import table_id
from osgp.simulator.house import House, Moment
from osgp.simulator.localtime import STANDARD_OFFSET
from osgp.simulator.memory import Live, TableMemory, clock_tables
from osgp.sources import Source, in_tier
from osgp.tables import TABLES, Dimensions, present, registers

__all__ = ["house_memory", "image_memory"]

_FIRMWARE = (3, 82, 5)

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
        "tier_switches": 200,
        "calendar_size": 808,
    },
    "BT53": {"daylight_saving_minutes": 60, "time_zone_minutes": STANDARD_OFFSET // 60},
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
}
"""What never changes, by table and field."""


def house_memory(house: House, *, clock_step: int = 0) -> TableMemory:
    """Return the tables of the made-up meter in a house.

    Args:
        house: moves the registers.
        clock_step: seconds by which the meter's clock is ahead.
    """
    dims = Dimensions(firmware=_FIRMWARE[:2], rollover_digits=house.digits)
    nameplate = {**_NAMEPLATE, "ET03": {"utility_serial_number": f"SIM{house.seed:07d}"}}
    image = MeterImage(
        {table_id(name): bytearray(TABLES[name].encode(values, dims)) for name, values in nameplate.items()}
    )
    for name in ("BT23", "BT28"):
        image.tables[table_id(name)] = bytearray(TABLES[name].size(dims))
    for name in ("BT52", "BT55"):
        image.tables[table_id(name)] = bytearray(TABLES[name].size(dims))
    derived = image.derive_dimensions()
    readout = _HouseReadout(house, replace(derived, rollover_digits=house.digits))
    live: dict[int, Live] = {table_id("BT23"): readout.bt23, table_id("BT28"): readout.bt28}
    return TableMemory(image.tables, live | clock_tables(derived, step=clock_step))


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
