"""Finding out how large a meter's tables are, once."""

import pytest

from osgp.errors import OsgpError, TransportError
from osgp.meter.known import KnownMeter
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions

ET04, ET42 = table_id("ET04"), table_id("ET42")
PROGRAM_ID, IDT_VERSION = 14, 116


def interface(**ends):
    """Return an interface definition (ET42) with logs and load profile channels before its end."""
    table, dims, data = TABLES["ET42"], Dimensions(), bytes(300)
    for values in (
        {"fixed_section_length": 43, "logs": 7, "load_profile_channels": 8},
        {"mbus_data_types": 2},
        {"required_section_length": 8, **ends},
    ):
        data = table.encode(values, dims, base=data)
    size = 300 - len(table.decode(data, dims).tail)
    return table.encode({"table_length": size}, dims, base=data)[:size]


async def test_the_end_of_a_table_that_counts_itself_is_found(opened, fake):
    fake.tables[table_id("BT01")][14:16] = bytes((0x39, 0x01))  # firmware 3.72.1: below 3.70 nothing stands at the end
    fake.tables[ET42] = bytearray(interface(energy_unit=10, rollover_digits=6))
    async with opened() as meter:
        dims = await meter.dimensions()
    assert (dims.energy_unit, dims.rollover_digits) == (10, 6)


class TestWhatOnlyFewTablesAreLaidOutBy:
    """ET09 has as many outage records as ET04.53 says (MEP guide v1.1 p. 69)."""

    @pytest.fixture
    def outages(self, fake):
        fake.tables[ET04][53] = 2
        fake.tables[table_id("ET09")] = bytearray(2 * 18 + 357)  # 3.10
        fake.tables[table_id("ET09")][2 * 18 + 135] = 7
        return fake

    async def test_it_is_read_when_it_is_needed_and_once(self, opened, outages):
        async with opened() as meter:
            first = await meter.dimensions()
            assert first.power_outages_recorded is None
            assert (await meter.table("ET09"))["short_outages"] == 7
            outages.asked.clear()
            quality = await meter.table("ET09")
            assert (len(quality["outages"]), quality["short_outages"]) == (2, 7)
            assert len(outages.asked) == 2  # ET09, and whether all is as it was
            dims = await meter.dimensions("ET09")
            assert dims.power_outages_recorded == 2
            assert await meter.confirms(dims)

    async def test_it_is_read_again_when_the_meter_changed_it(self, opened, outages):
        async with opened() as meter:
            await meter.table("ET09")
            outages.tables[ET04][53] = 1
            outages.tables[ET04][IDT_VERSION] += 1
            outages.tables[table_id("ET09")] = bytearray(18 + 135) + bytes((9,)) + bytes(221)
            quality = await meter.table("ET09")
            assert (len(quality["outages"]), quality["short_outages"]) == (1, 9)

    async def test_a_meter_that_does_not_tell_gives_no_values(self, opened, outages):
        del outages.tables[ET04]
        async with opened() as meter:
            with pytest.raises(OsgpError, match=r"ET04\.53, which was not read"):
                await meter.table("ET09")


async def test_what_is_known_is_not_asked_again(opened, fake):
    known = KnownMeter()
    async with opened(known=known) as meter:
        first = await meter.dimensions()
    needed = len(fake.asked)
    fake.asked.clear()
    async with opened(known=known) as meter:
        assert await meter.dimensions() is first
    assert len(fake.asked) <= 3 < needed


@pytest.mark.parametrize("place", [PROGRAM_ID, IDT_VERSION])
async def test_a_meter_that_changed_is_surveyed_anew(opened, fake, place):
    known = KnownMeter()
    async with opened(known=known) as meter:
        assert (await meter.dimensions()).tiers == 4
    fake.tables[ET04][place] += 1
    fake.tables[table_id("BT21")][7] = 2
    async with opened(known=known) as meter:
        assert (await meter.dimensions()).tiers == 2


async def test_another_meter_of_the_same_kind_is_surveyed_anew(opened, fake):
    known = KnownMeter()
    async with opened(known=known) as meter:
        await meter.dimensions()
    fake.tables[table_id("ET03")][0] ^= 1
    fake.tables[table_id("BT21")][7] = 2
    async with opened(known=known) as meter:
        assert (await meter.dimensions()).tiers == 2


async def test_a_meter_that_does_not_tell_its_program_is_always_surveyed(opened, fake):
    del fake.tables[ET04]
    known = KnownMeter()
    for tiers in (4, 2):
        fake.tables[table_id("BT21")][7] = tiers
        async with opened(known=known) as meter:
            assert (await meter.dimensions()).tiers == tiers


async def test_a_survey_goes_on_where_the_connection_broke(opened, fake):
    known, most, openings, dims = KnownMeter(), 6, 0, None

    def unplug_after(request, access, answer=fake.carry_out):
        if len(fake.asked) >= most:
            fake.asked.clear()
            fake.ports[-1].unplug()
        return answer(request, access)

    fake.server._handler = unplug_after
    while dims is None:
        openings += 1
        assert openings < 8, "each connection begins from the start"
        fake.asked.clear()
        try:
            async with opened(known=known) as meter:
                dims = await meter.dimensions()
        except TransportError:
            continue
        except OsgpError as error:  # pragma: no cover - says what else went wrong
            raise AssertionError(str(error)) from error
    assert openings > 1
    assert dims.tiers == 4


class TestD5:
    """An 8-tier meter of 3.7x that refuses BT20."""

    @pytest.fixture
    def meter_without_bt20(self, fake):
        del fake.tables[table_id("BT20")]
        fake.tables[table_id("BT01")][14:16] = bytes((0x39, 0x01))  # 3.72.1

    @pytest.mark.parametrize("tiers", [4, 8])
    @pytest.mark.parametrize("room", [4, 8])
    async def test_d5_the_energy_unit_is_found_behind_all_tiers(self, opened, fake, meter_without_bt20, room, tiers):
        room = max(room, tiers)
        fake.tables[table_id("BT21")][7] = tiers
        values = {"energy_unit": 10, "step_tariff_thresholds": (1,) * (room - 1)}
        fake.tables[table_id("ET55")] = bytearray(TABLES["ET55"].encode(values, Dimensions(max_tiers=room)))
        async with opened() as meter:
            dims = await meter.dimensions()
        assert (dims.max_tiers, dims.energy_unit) == (room, 10)


class TestD8:
    """A meter that refuses full reads: the size is computed, and it fills up with zeros what is not there."""

    @pytest.fixture
    def alarms(self, fake):
        fake.full_reads = False
        fake.tables[table_id("BT03")] = bytearray(b"\x01" + bytes(5) + b"\x04\x01")
        return fake

    async def test_d8_bt03_ends_where_bt00_says(self, opened, alarms):
        alarms.tables[0] = bytearray(TABLES["BT00"].encode({"manufacturer_status_length": 4}, Dimensions()))
        async with opened() as meter:
            record = await meter.table("BT03")
        assert record["magnetic_tamper"] is False
        assert record["dimension_change"] is True
        assert "unbalanced_voltage" not in record
        assert "relay_2_open" not in record

    async def test_d8_where_nothing_says_so_zeros_at_the_end_are_not_shown(self, opened, alarms):
        alarms.tables[table_id("BT01")][14:16] = bytes((0x43, 0xC1))  # firmware 4.30.1 has all of BT03
        async with opened() as meter:
            record = await meter.table("BT03")
            assert "magnetic_tamper" in record
            assert "unbalanced_voltage" not in record
            alarms.tables[3] += b"\x01\x00"
            record = await meter.table("BT03")
            assert record["unbalanced_voltage"] is True
            assert "relay_2_open" not in record

    async def test_d8_the_same_in_any_table_that_grew(self, opened, fake):
        """ET04 of a meter of unknown firmware ends before the key usage."""
        fake.full_reads = False
        fake.tables[table_id("BT01")][14:16] = bytes((0x10, 0x01))  # 1.00.1: versions of a module say nothing
        async with opened() as meter:
            record = await meter.table("ET04")
        assert record["idt_version"] == 7
        assert record["power_up_wait"] == 0
        assert "maximum_key_usage" not in record
        assert "security_mode" not in record
