"""The devices behind a meter, over a MEP port: what is asked, what is given out, and what a change meanwhile does."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from mbus_house import ENTRY_SIZE, entry, et36, gas, heat, ring, tables, water

from osgp.errors import MeterRefused, TablesChanging
from osgp.meter.known import KnownMeter
from osgp.psem import PartialRead, Read, table_id
from osgp.tables import TABLES, Dimensions

ET14, ET16, ET45 = table_id("ET14"), table_id("ET16"), table_id("ET45")


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


NOON, ONE = (datetime.fromisoformat(f"2026-11-29 {hour}:00") for hour in (12, 13))


class TestLogs:
    """Scheduled reads stand in ET45, and before there is room for them in ET74 (MEP guide v1.1 p. 27-28)."""

    PLACES = 4

    def log(self, fake, *entries, sequence):
        fake.tables[table_id("ET36")] = bytearray(et36(self.PLACES))
        fake.tables[table_id("ET45")] = bytearray(ring([entry(one) for one in entries], self.PLACES, sequence))

    async def test_the_newest_read_may_stand_in_the_log(self, fake, meter):
        put(fake, gas(), water())
        self.log(fake, gas(time=NOON, records="0C933A 50230100"), water(time=NOON), sequence=5)
        first, second = await meter.mbus_devices()
        assert (first.reading.values["volume"].value, first.reading.time) == (Decimal("12.350"), NOON)
        assert second.reading.time == NOON

    async def test_a_read_on_demand_is_newer_than_the_log(self, fake, meter):
        put(fake, gas(time=ONE))
        self.log(fake, gas(time=NOON, records="0C933A 50230100"), sequence=5)
        (device,) = await meter.mbus_devices()
        assert (device.reading.values["volume"].value, device.reading.time) == (Decimal("12.345"), ONE)

    async def test_entries_of_a_device_that_is_gone_are_nobodys(self, fake, meter):
        put(fake, water(handle=9))
        self.log(fake, water(handle=2, time=ONE, records="0C13 99999900"), sequence=5)
        (device,) = await meter.mbus_devices()
        assert device.reading.time == water().time

    async def test_the_next_time_only_what_is_new_is_read(self, fake, meter):
        put(fake, gas(), water())
        self.log(fake, gas(time=NOON), water(time=NOON), gas(time=NOON), sequence=5)
        await meter.mbus_devices()
        fake.asked.clear()
        (first, _) = await meter.mbus_devices()
        assert [one[2] for one in asked(fake) if one[0] == ET45] == [6]
        assert first.reading.time == NOON
        self.log(fake, gas(time=NOON), water(time=NOON), gas(time=NOON), gas(time=ONE), sequence=6)
        fake.asked.clear()
        first, second = await meter.mbus_devices()
        assert sum(one[2] for one in asked(fake) if one[0] == ET45) == 6 + 2 * ENTRY_SIZE + 6
        assert (first.reading.time, second.reading.time) == (ONE, NOON)

    async def test_another_log_is_read_from_its_beginning(self, fake, meter):
        """As of another meter at this place whose devices have the same handles: nothing of the old one is left."""
        put(fake, gas(), water())
        self.log(fake, gas(time=ONE), water(time=ONE), sequence=6)
        await meter.mbus_devices()
        self.log(fake, gas(time=NOON, records="0C933A 50230100"), sequence=3)
        first, second = await meter.mbus_devices()
        assert (first.reading.time, second.reading.time) == (NOON, water().time)

    async def test_what_waits_in_the_extended_log_counts(self, fake, meter):
        put(fake, gas())
        self.log(fake, gas(time=NOON), sequence=5)
        fake.tables[table_id("BT01")][14:16] = bytes.fromhex("38C0")  # firmware 3.70
        et54 = bytearray(TABLES["ET54"].size(Dimensions(firmware=(3, 70))))
        et54[69:71] = (3).to_bytes(2, "little")
        fake.tables[table_id("ET54")] = et54
        waiting = [entry(gas(time=ONE, records="0C933A 60230100"))]
        fake.tables[table_id("ET74")] = bytearray(ring(waiting, 3, 1, long=True))
        (device,) = await meter.mbus_devices()
        assert device.reading.values["volume"].value == Decimal("12.360")
        # Then it moves: the same read in both logs is one.
        self.log(fake, gas(time=NOON), gas(time=ONE, records="0C933A 60230100"), sequence=6)
        (device,) = await meter.mbus_devices()
        assert device.reading.values["volume"].value == Decimal("12.360")
        read = await meter.mbus_reads()
        assert [one.reading.time for one in read.entries] == [ONE, NOON]

    async def test_the_log_itself(self, fake, meter):
        put(fake, gas(), water())
        self.log(fake, gas(time=NOON), water(time=ONE), sequence=5)
        read = await meter.mbus_reads()
        assert [(one.sequence, one.handle, one.reading.time) for one in read.entries] == [(5, 2, ONE), (4, 1, NOON)]
        again = await meter.mbus_reads(read.known)
        assert again.entries == ()

    async def test_a_meter_without_a_log(self, fake, meter):
        put(fake, gas())
        assert (await meter.mbus_reads()).tables == ()
        (device,) = await meter.mbus_devices()
        assert device.reading.time == gas().time

    async def test_a_reopened_port_does_not_read_the_log_again(self, fake, opened):
        put(fake, gas())
        self.log(fake, gas(time=NOON), sequence=5)
        known = KnownMeter()
        async with opened(known=known) as meter:
            await meter.mbus_devices()
        fake.asked.clear()
        async with opened(known=known) as meter:
            (device,) = await meter.mbus_devices()
        assert [one[2] for one in asked(fake) if one[0] == ET45] == [6]
        assert device.reading.time == NOON
