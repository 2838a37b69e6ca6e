"""Meters of every firmware through the optical port: what they have is read, what they lack is absent, not zero."""

import random
from dataclasses import replace

import pytest

from osgp.errors import MeterRefused
from osgp.image import MeterImage
from osgp.optical.services import OpticalResponseCode
from osgp.psem import table_id
from osgp.sources import SOURCES, by_id
from osgp.tables import TABLES, Dimensions, present, registers

_COUNTS = [
    *("date_time", "season", "demand_reset_counter", "cumulative_demand", "continuous_cumulative_demand"),
    *("time_remaining", "self_reads", "summations", "demands", "coincidents", "occurrences", "tiers"),
    *("present_demands", "present_values"),
]

MATRIX = {
    "2.0": Dimensions(firmware=(2, 0), present_values=18),
    "2.12": Dimensions(firmware=(2, 12), present_values=22),
    "3.10, demand": Dimensions(
        firmware=(3, 10),
        demand_reset_counter=True,
        cumulative_demand=True,
        summations=15,
        demands=8,
        coincidents=4,
        occurrences=1,
        present_demands=2,
        time_remaining=True,
        present_values=26,
    ),
    "3.70, eight tiers": Dimensions(firmware=(3, 70), tiers=8, max_tiers=8, present_values=55),
    "4.30": Dimensions(firmware=(4, 30), summations=19, tiers=8, max_tiers=8, present_values=84),
}


def values_for(sources):
    """Return a value of its own for each source; none is zero. Outages are whole minutes: firmware 2.0 counts no seconds."""
    draw = random.Random(7)
    most = {"demand_reset_count": 200, "outage_duration": 10**6}
    return {
        source: draw.randrange(1, most.get(source.key, 10**8)) * (60 if source.key == "outage_duration" else 1)
        for source in sources
    }


def image_of(dims):
    """Return the image of a meter, and the values it holds."""
    counts = {name: getattr(dims, name) for name in _COUNTS}
    energy, now = values_for(registers.sources(dims)), values_for(present.sources(dims))
    tables = {
        "BT01": TABLES["BT01"].encode({"manufacturer": "NES", "firmware": (*dims.firmware, 1)}, dims),
        "BT20": TABLES["BT20"].encode(counts, dims),
        "BT21": TABLES["BT21"].encode(counts, dims),
        "BT23": registers.encode(energy, dims),
        "BT28": present.encode(now, dims),
        "ET03": TABLES["ET03"].encode({"utility_serial_number": "MATRIX"}, dims),
    }
    if dims.summation_ids is not None:
        tables["BT22"] = TABLES["BT22"].encode({"summation_sources": dims.summation_ids}, dims)
    if dims.present_value_ids is not None:
        tables["BT27"] = TABLES["BT27"].encode({"present_value_sources": dims.present_value_ids}, dims)
    image = MeterImage({table_id(name): bytearray(data) for name, data in tables.items()})
    return image, energy, now


async def read(bench, image, *, without=()):
    """Return what the optical port tells of an image's meter."""
    async with bench.simulated(image) as simulated:
        for name in without:
            simulated._memory._fixed.pop(table_id(name), None)
        async with bench.opened(await simulated.serve_optical_tcp()) as meter:
            return await meter.registers(), await meter.present(), await meter.dimensions()


@pytest.mark.parametrize("firmware", MATRIX)
async def test_07_16_every_firmware(virtual_clock, bench, firmware):
    dims = MATRIX[firmware]
    image, energy, now = image_of(dims)
    without = {"2.0": ("BT21", "BT22", "BT27"), "2.12": ("BT22", "BT27")}.get(firmware, ())
    registers_read, present_read, found = await read(bench, image, without=without)
    assert registers_read == energy
    assert present_read == now
    assert 0 not in registers_read.values()
    assert (found.firmware, found.tiers, found.summations) == (dims.firmware, dims.tiers, dims.summations)
    assert (SOURCES["active_energy_import_t8"] in registers_read) == (dims.tiers == 8)
    assert (SOURCES["apparent_energy_q1"] in registers_read) == (dims.summations == 19)
    assert (by_id(238) in present_read) == (dims.present_values == 84)


async def test_07_16_a_meter_without_bt21_refuses_it_and_is_read_by_bt20(virtual_clock, bench):
    image, energy, _ = image_of(MATRIX["2.0"])
    async with bench.simulated(image) as simulated:
        for name in ("BT21", "BT22", "BT27"):
            simulated._memory._fixed.pop(table_id(name))
        async with bench.opened(await simulated.serve_optical_tcp()) as meter:
            with pytest.raises(MeterRefused) as caught:
                await meter.read("BT21")
            assert caught.value.code == OpticalResponseCode.IAR
            assert await meter.registers() == energy


async def test_07_17_what_lies_past_the_end_of_a_table_becomes_no_value(virtual_clock, bench):
    """The meter fills up with zeros: a client that asks for 84 values of a meter that has 22 would invent 62."""
    image, _, now = image_of(MATRIX["2.12"])
    async with bench.simulated(image) as simulated, bench.opened(await simulated.serve_optical_tcp()) as meter:
        assert len(await meter.read("BT28", 0, 84 * 4)) == 84 * 4
        assert await meter.present() == now
        assert len(now) == 22


async def test_07_19_the_order_that_bt22_and_bt27_tell(virtual_clock, bench):
    plain = MATRIX["3.70, eight tiers"]
    draw = random.Random(3)
    sums = draw.sample([source.id for source in plain.register_sources], plain.summations)
    numbers = draw.sample([source.id for source in plain.present_sources], plain.present_values)
    shuffled = replace(plain, summation_ids=tuple(sums), present_value_ids=tuple(numbers))
    image, energy, now = image_of(shuffled)
    registers_read, present_read, _ = await read(bench, image)
    assert (registers_read, present_read) == (energy, now)
    assert image.read("BT28") != present.encode(now, plain)


async def test_07_18_a_meter_whose_numbers_begin_with_the_most_significant_byte(virtual_clock, bench):
    usual = MATRIX["3.70, eight tiers"]
    image, energy, now = image_of(replace(usual, big_endian=True))
    image.tables[0] = bytearray(TABLES["BT00"].encode({"big_endian": True}, usual))
    registers_read, present_read, found = await read(bench, image)
    assert found.big_endian
    assert (registers_read, present_read) == (energy, now)
    source = SOURCES["active_energy_import"]
    assert image.read("BT23", *registers.window(usual, [source])) == energy[source].to_bytes(4, "big")
