"""The devices behind a meter, over a MEP port: what is asked, what is given out, and what a change meanwhile does."""

from dataclasses import replace
from decimal import Decimal

import pytest
from mbus_house import gas, heat, tables, water

from osgp.errors import MeterRefused, TablesChanging
from osgp.psem import PartialRead, Read, table_id

ET14, ET16 = table_id("ET14"), table_id("ET16")


@pytest.fixture
async def meter(fake, opened):
    """Give an open meter."""
    async with opened() as meter:
        yield meter


def put(fake, *devices):
    for name, data in tables(*devices).items():
        fake.tables[table_id(name)] = bytearray(data)


def asked(fake):
    return [(one.table, getattr(one, "offset", 0), getattr(one, "count", None)) for one in fake.asked]


async def test_three_devices(fake, meter):
    put(fake, gas(), None, water(), heat())
    found = await meter.mbus_devices()
    assert [(one.index, one.handle, one.identity.kind) for one in found] == [
        (0, 1, "gas"),
        (2, 2, "water"),
        (3, 3, "heat (outlet)"),
    ]
    first, second, third = found
    assert first.reading.values["volume"].value == Decimal("12.345")
    assert (second.battery_low, first.battery_low) == (True, False)
    values = {key: (one.value, one.unit) for key, one in third.reading.values.items()}
    assert values["energy"] == (Decimal(2850), "kWh")
    assert values["volume"] == (Decimal("703.4"), "m³")
    assert values["power"] == (Decimal("329.7"), "W")
    assert values["energy_target"] == (Decimal(1445), "kWh")
    assert all(one.reading.whole for one in found)


async def test_only_what_is_a_device_s_own_is_read(fake, meter):
    put(fake, gas(), water())
    await meter.dimensions()
    fake.asked.clear()
    await meter.mbus_devices()
    lengths = [len(gas().read), len(water().read)]
    assert [one for one in asked(fake) if one[0] == ET16] == [(ET16, 0, lengths[0]), (ET16, 517, lengths[1])]
    assert not any(isinstance(one, Read) for one in fake.asked)


async def test_no_device_costs_one_table(fake, meter):
    put(fake)
    await meter.dimensions()
    fake.asked.clear()
    assert await meter.mbus_devices() == ()
    assert [one.table for one in fake.asked if one.table in {ET14, ET16}] == [ET14]


async def test_nothing_is_written_and_no_procedure_called(fake, meter):
    """A read that EP19 asks for takes of a device's battery (p. 33)."""
    put(fake, gas(), water(), heat())
    await meter.mbus_devices()
    assert all(isinstance(one, PartialRead | Read) for one in fake.asked)


async def test_a_device_that_was_just_exchanged_has_no_reading(fake, meter):
    put(fake, water())
    for place in range(6, 42):
        fake.tables[ET14][place] = 0  # what EP17 does (p. 36); the bytes in ET16 stay
    fake.tables[ET14][6] = 9
    (device,) = await meter.mbus_devices()
    assert (device.handle, device.reading, device.identity, device.battery_low) == (9, None, None, None)


async def test_a_read_of_the_device_meanwhile_is_not_mixed(fake, meter):
    """ET14 tells 40 bytes, then the meter reads the device, and ET16 holds a longer telegram: both are read again."""
    put(fake, gas())
    await meter.dimensions()
    carry_out, looked = fake.carry_out, []

    def busy(request, access):
        if request.table == ET16 and not looked:
            looked.append(request)
            put(fake, replace(gas(), records="0C933A 46230100 066D 5E1E6F4F371D"))
            fake.tables[ET14][16] = 10  # one answer more
        return carry_out(request, access)

    fake.server._handler = busy
    (device,) = await meter.mbus_devices()
    assert device.reading.values["volume"].value == Decimal("12.346")
    assert device.reading.whole
    assert device.read_answers == 10


async def test_a_meter_that_never_rests_gives_nothing(fake, meter):
    put(fake, gas())
    await meter.dimensions()
    carry_out = fake.carry_out

    def busy(request, access):
        if request.table == ET16:
            fake.tables[ET14][16] += 1
        return carry_out(request, access)

    fake.server._handler = busy
    with pytest.raises(TablesChanging, match="M-Bus devices again and again"):
        await meter.mbus_devices()


async def test_a_meter_without_these_tables_refuses(fake, meter):
    with pytest.raises(MeterRefused):
        await meter.mbus_devices()
