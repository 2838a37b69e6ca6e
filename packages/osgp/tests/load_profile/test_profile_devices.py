"""Channels of devices behind the meter: who they are and what they showed (MEP guide v1.1 p. 32-34)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from mbus_house import DIMS, gas, heat, tables

from osgp.cli.text.load_profile import decimal_titles, profile_document, profile_rows, profile_titles, table_lines
from osgp.errors import MeterRefused
from osgp.meter.profile_devices import ChannelNames
from osgp.simulator import History, House
from osgp.tables import TABLES
from osgp.tables.load_profile.channels import channels_of
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags
from osgp.tables.mbus.devices import devices, with_reads
from osgp.tables.mbus.reading import decode_read

END = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)
GAS, HEAT, CLIENT, FLOW = 0x4001, 0x4203, 0x4401, 0x4004
"""Places 0, 2 and 4; data types 1, 3, 1, 4."""
ET57 = bytes.fromhex("05 0C933A 85 0C933E 0D 0C0600 11 02 6C 00 00 000000").ljust(64, b"\0")
"""Volume of gas under 1, as measured and, special, converted; energy in kWh under 3; a date under 4."""
RAW = 0x00012345
"""45 23 01 00: 12.345 m³, in decimals."""


def profile(*ids, values=()):
    intervals = tuple(
        ProfileInterval(
            END + place * timedelta(hours=1),
            tuple(each),
            (ChannelStatus.OK,) * len(ids),
            IntervalFlags(0),
            (True,) * len(ids),
        )
        for place, each in enumerate(values)
    )
    return LoadProfile(1, 60, channels_of(ids, DIMS), intervals, ProfileMark("", "", None, 0, None))


def behind(*which):
    """Return how the devices behind a meter are read, by the meter's tables."""
    told = tables(*which)

    async def read():
        found = devices(told["ET14"], DIMS)
        return tuple(with_reads(one, [decode_read(which[one.index].read)]) for one in found)

    return read


async def shown(name):
    assert name == "ET57"
    return TABLES["ET57"].decode(ET57, DIMS)


async def refused(*_):
    raise MeterRefused("no", 5)


async def named(found, table=shown, read=None):
    return await ChannelNames(table, read or behind(gas(), None, heat())).named(found)


async def test_a_channel_says_which_device_it_is_of_and_what_it_holds():
    found = await named(profile(GAS, 1, HEAT, values=[(RAW, 77, 0x00002850)]))
    assert [one.label for one in found.channels] == [
        "Gas 10000004, volume",
        found.channels[1].label,
        "Heat (outlet) 30000006, energy",
    ]
    assert [one.unit for one in found.channels] == ["m³", "Wh", "kWh"]
    assert [value for _, value in found.readings(0)] == [Decimal("12.345")]
    assert [value for _, value in found.readings(2)] == [Decimal(2850)]
    assert [value for _, value in found.readings(1)] == [None], "the meter's own register needs no decoding"


async def test_what_is_absent_stays_absent():
    found = await named(profile(GAS, values=[(None,), (0x0A,), (RAW,)]))
    assert [value for _, value in found.readings(0)] == [None, None, Decimal("12.345")], "A is no decimal digit"


async def test_without_et57_the_stored_number_is_all():
    found = await named(profile(GAS, values=[(RAW,)]), table=refused)
    assert (found.channels[0].label, found.channels[0].unit) == ("Gas 10000004, data type 1", "")
    assert [value for _, value in found.readings(0)] == [None]
    assert table_lines(found, UTC)[2].split()[2:] == [str(RAW)]


async def test_without_devices_the_place_names_it():
    found = await named(profile(GAS, CLIENT), read=refused)
    assert [one.label for one in found.channels] == ["Device 1, volume", "MEP client 1, volume"]


async def test_a_place_with_nobody_there_gets_no_name_of_another():
    found = await named(profile(0x4101))
    assert found.channels[0].label == "Device 2, volume"


async def test_what_is_no_number_gets_no_number():
    """A date that is stored: 19 31 is 25 January 2024 in format G."""
    found = await named(profile(FLOW, values=[(0x3119,)]))
    assert [value for _, value in found.readings(0)] == [None]
    assert found.channels[0].label == "Gas 10000004, date"
    assert table_lines(found, UTC)[2].split()[2:] == ["-"]


async def test_a_profile_without_devices_asks_for_nothing():
    async def never(*_):
        raise AssertionError

    bare = profile(1, 2)
    assert await ChannelNames(never, never).named(bare) is bare


class TestShown:
    @pytest.fixture
    async def found(self):
        return await named(profile(GAS, 1, values=[(RAW, 77), (None, 78)]))

    async def test_in_a_table(self, found):
        lines = table_lines(found, UTC)
        assert "Gas 10000004, volume" in lines[0]
        assert "12.345 m³" in lines[2]
        assert " - " in lines[3]

    async def test_in_files(self, found):
        titles = profile_titles(found)
        assert titles[1:3] == ["gas_10000004_volume_m3", "gas_10000004_volume_status"]
        assert decimal_titles(found) == {"gas_10000004_volume_m3"}
        assert [row[1] for row in profile_rows(found)] == [Decimal("12.345"), None]

    async def test_titles_have_letters_and_digits_only(self):
        found = await named(profile(HEAT))
        assert profile_titles(found)[1] == "heat_outlet_30000006_energy_kwh"

    async def test_in_a_document(self, found):
        document = profile_document(found)
        assert document["channels"][0]["device"] == {
            "place": 1, "data_type": 1, "kind": "gas", "serial": "10000004", "manufacturer": "OSG", "key": "volume",
        }  # fmt: skip
        assert document["channels"][1]["device"] is None
        assert [one["values"] for one in document["intervals"]] == [[12.345, 77], [None, 78]]

    async def test_what_nobody_named_is_shown_as_before(self):
        plain = replace(profile(GAS, values=[(RAW,)]))
        assert profile_titles(plain)[1] == f"source_{GAS}"
        assert decimal_titles(plain) == frozenset()
        assert profile_document(plain)["intervals"][0]["values"] == [RAW]


BLOCK = bytes.fromhex(
    "1A0A19012D 67 1000E803000045230100 1000F203000046230100 1000FC03000047230100 0000DEADBEEF11223344 00000000000000000000 "
    "62F00004000000000000 00000A04000049230100 00000000000000000000"
)
"""Eight slots of two channels, put together by hand: energy, and a volume in decimals. Slots 3 and 4 are a gap, slot 5 has a
placeholder for the device, slot 7 is still to come."""
TOLD = {
    "BT61": bytes.fromhex("00990100 000C 20 0200 0800 02 0F"),
    "BT62": bytes.fromhex("00 00 00 00 70 00 20"),
    "BT63": bytes.fromhex("24 0100 0000 05000000 0000 0500"),
    "BT64": BLOCK + bytes(86),
    "ET66": (0x4102).to_bytes(2, "little").ljust(128, b"\0"),
}
"""Two blocks of eight quarter hours; the second channel is mapped id 112, which is data type 2 of the device at place 1 (p. 32-33)."""


async def test_over_a_line_a_profile_names_its_devices_and_shows_what_they_showed(bench):
    house = House(1, ledger=bench.house._ledger, history=History(devices=("gas", "water")))
    async with bench.served(house) as simulated, bench.opened(await simulated.serve_tcp()) as meter:
        layout = replace(await meter.dimensions(), profile_channels=(2,))
        internal = {
            "block_size": 86, "block_header_size": 6, "last_block": 0, "last_interval": 6, "interval_size": 10,
            "first_channel_offset": 2,
        }  # fmt: skip
        told = TOLD | {"ET21": TABLES["ET21"].encode({"data_sets": [internal]}, layout)}
        simulated.reconfigure(told)
        found = await meter.profile()
        (_, water) = await meter.mbus_devices()
    assert water.identity is not None
    assert found.channels[1].label == f"Water {water.identity.serial}, volume"
    assert found.channels[1].unit == "m³"
    shown_by_end = {f"{interval.end:%H:%M}": value for interval, value in found.readings(1)}
    assert shown_by_end == {
        "00:15": Decimal("12.345"), "00:30": Decimal("12.346"), "00:45": Decimal("12.347"), "01:30": None,
        "01:45": Decimal("12.349"),
    }  # fmt: skip
    assert [interval.values[0] for interval in found.intervals] == [1000, 1010, 1020, 1024, 1034]
