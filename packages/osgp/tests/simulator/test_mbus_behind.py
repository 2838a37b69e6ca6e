"""M-Bus devices behind the simulated meter: what the library's decoders make of its tables is what the devices have counted."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from osgp.errors import MisuseError
from osgp.psem import table_id
from osgp.simulator.history.happenings import History, MbusBatteryLow, MbusExchanged, MbusSilent, PowerCut
from osgp.simulator.history.mbus_devices import KINDS, MbusMeter
from osgp.simulator.house import House
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.simulator.localtime import local_offset
from osgp.simulator.model import house_memory
from osgp.tables import survey
from osgp.tables.mbus.devices import devices, slot_window
from osgp.tables.mbus.reading import decode_read
from osgp.tables.survey import TELLING

INSTALLED = int(datetime(2026, 9, 20, tzinfo=UTC).timestamp())
NOW = INSTALLED + 3 * 86400 + 1234
ALL = tuple(KINDS)


class Kept:
    def __init__(self, *happenings, behind=ALL):
        self.house = House(ledger=Ledger(Household(1), INSTALLED), history=History(happenings, devices=behind))
        self.memory = house_memory(self.house)
        self.dims = survey({one: self.read(one) for one in TELLING if self.read(one) is not None})

    def read(self, name, now=NOW):
        return self.memory.read(table_id(name), now)

    def devices(self, now=NOW):
        return {one.index: one for one in devices(self.read("ET14", now), self.dims)}

    def newest_read(self, place, now=NOW):
        window = slot_window(self.devices(now)[place], self.dims)
        assert window is not None
        offset, count = window
        return decode_read(self.read("ET16", now)[offset : offset + count])


FIRST = INSTALLED + 3620
"""The first full hour and twenty seconds."""
LAST = NOW // 3600 * 3600 + 20


def meter(kind, place, exchanged=0, begin=INSTALLED):
    return MbusMeter(kind, 100 + place + 10 * exchanged, begin)


def values(reading):
    (telegram,) = reading.telegrams
    return [record.value for record in telegram.content.records]


def test_the_devices_are_there_with_their_handles():
    found = Kept().devices()
    assert {place: one.handle for place, one in found.items()} == {0: 1, 1: 2, 2: 3}
    assert all(one.up for one in found.values())
    hours = (NOW - FIRST) // 3600 + 1
    assert {(one.read_attempts, one.read_answers) for one in found.values()} == {(hours, hours)}
    assert Kept(behind=()).devices() == {}
    assert Kept(behind=("water",)).newest_read(0).identity.kind == "water"


@pytest.mark.parametrize(("place", "kind", "device_type"), [(0, "gas", 3), (1, "water", 7), (2, "heat", 4)])
def test_who_they_are_and_when_they_were_read(place, kind, device_type):
    reading = Kept().newest_read(place)
    assert reading.identity.serial == meter(kind, place).serial
    assert (reading.identity.manufacturer, reading.identity.device_type) == ("OSG", device_type)
    assert reading.time == datetime.fromtimestamp(LAST + local_offset(LAST), UTC).replace(tzinfo=None)


def test_gas_is_a_volume_with_the_hour():
    volume, moment = values(Kept().newest_read(0))
    assert volume == Decimal(meter("gas", 0).counted(LAST)).scaleb(-3)
    assert moment.replace(tzinfo=UTC) == datetime.fromtimestamp(LAST - 20 + 3600, UTC), "standard time"


def test_water_is_a_volume():
    volume, flags = values(Kept().newest_read(1))
    assert volume == Decimal(meter("water", 1).counted(LAST)).scaleb(-3)
    assert flags == 0


def test_heat_is_energy_power_and_temperatures():
    one = meter("heat", 2)
    energy, volume, power, flow, back, billed, day = values(Kept().newest_read(2))
    assert energy == one.counted(LAST) // 1000 * 1000
    assert volume == Decimal(one.counted(LAST) // 450).scaleb(-2)
    assert power == one.power(LAST) // 100 * 100
    assert 60 < flow < 100
    assert back == 34
    assert billed == one.counted(INSTALLED) // 1000 * 1000
    assert day == datetime.fromtimestamp(INSTALLED, UTC).date()


@pytest.mark.parametrize("kind", ALL)
def test_counters_never_fall_and_go_on_at_their_pace(kind):
    one = meter(kind, 0)
    counts = [one.counted(INSTALLED + quarter * 900) for quarter in range(96 * 40)]
    assert counts == sorted(counts)
    assert counts[96 * 30] - counts[0] == pytest.approx(30 * KINDS[kind].per_day, abs=2)


def test_a_device_that_is_silent_is_down():
    at = FIRST + 10 * 3600
    one = Kept(MbusSilent(at, "gas")).devices()[0]
    assert not one.up
    assert "communication_failed" in one.alarms
    assert (one.read_attempts - one.read_answers, one.read_answers) == ((NOW - at) // 3600 + 1, 10)
    assert Kept(MbusSilent(at, "gas")).devices()[1].up


def test_a_low_battery_is_told_and_stays():
    kept = Kept(MbusBatteryLow(FIRST + 100, "water"))
    assert kept.devices()[1].battery_low
    assert not kept.devices(FIRST + 200)[1].battery_low
    assert not kept.devices()[0].battery_low


def test_without_power_nothing_is_asked():
    usual, cut = Kept().devices()[0], Kept(PowerCut(FIRST + 3600 - 10, 2 * 3600)).devices()[0]
    assert usual.read_attempts - cut.read_attempts == 2
    assert cut.up


def test_an_exchanged_device_has_another_handle_and_is_not_read_yet():
    at = FIRST + 5 * 3600 + 40
    kept = Kept(MbusExchanged(at, "water"))
    new = kept.devices(at)[1]
    assert (new.handle, new.read_length, new.read_attempts) == (4, 0, 0)
    slot = 517
    before = kept.read("ET16", at - 1)[slot : 2 * slot]
    assert kept.read("ET16", at)[slot : 2 * slot] == before, "the bytes of the one before (p. 36)"
    reading = kept.newest_read(1, at + 3600)
    assert reading.identity.serial == meter("water", 1, exchanged=1, begin=at).serial
    assert reading.identity.serial != meter("water", 1).serial
    assert kept.devices(at)[0].handle == 1


@pytest.mark.parametrize(
    "wrong", [lambda: History(devices=("steam",)), lambda: History([MbusSilent(NOW, "gas")], devices=("water",))]
)
def test_devices_that_are_not_there(wrong):
    with pytest.raises(MisuseError, match="M-Bus device"):
        wrong()
