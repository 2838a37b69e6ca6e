"""What a poller keeps, forgets and does about a silent meter."""

from collections import OrderedDict

import pytest

from nes2mqtt.meters.guard import Guard
from nesmodule.meter import poller as polling
from nesmodule.meter.layout import Layout
from nesmodule.meter.poller import Poller
from osgp.errors import ResponseTimeout
from osgp.ports import silences
from osgp.sources import SOURCES

VOLTAGE, IMPORT = SOURCES["voltage_l1"], SOURCES["active_energy_import"]


class Ended(Exception):
    """The time of a test is over."""


class Time:
    """Jumps where somebody sleeps; ends the test."""

    def __init__(self, ends):
        self.now, self.ends, self.at = 0, ends, {}

    def __call__(self):
        return self.now

    async def sleep(self, milliseconds):
        self.now += milliseconds
        for when in sorted(self.at):
            if when <= self.now:
                self.at.pop(when)()
        if self.now >= self.ends:
            raise Ended


class Tables:
    """Always the same meter, with 230 V and one register; silent while it is told to be."""

    identity = None

    def __init__(self):
        self.layout = None
        self.silent = False
        self.holds = True

    async def allow(self):
        pass

    async def survey(self):
        if self.silent:
            raise ResponseTimeout("the meter did not answer")
        self.layout = Layout(bytes((0, 0, 0, 1, 0, 0, 0, 0, 0, 8)))

    async def part(self, table, offset, count):
        if self.silent:
            raise ResponseTimeout("the meter did not answer")
        value = 230_000 if table == 28 else 65_845_342
        return value.to_bytes(4, "little") * (count // 4)

    async def confirmed(self):
        return self.holds


@pytest.fixture(autouse=True)
def milliseconds(monkeypatch):
    """Count as the module does, where these are whole milliseconds."""
    for name in ("FIRST_PAUSE", "LAST_PAUSE"):
        monkeypatch.setattr(silences, name, 1000 * getattr(silences, name))


async def lived(tables, ends, at=None, **more):
    """Return a poller after so many milliseconds."""
    time = Time(ends)
    time.at = at or {}
    poller = Poller(tables, Guard("house"), time, time.sleep, **more)
    with pytest.raises(Ended):
        await poller.run()
    return poller


async def test_values_are_kept_and_a_first_register_waits_for_the_second_read():
    poller = await lived(Tables(), 4000)
    assert poller.present.values[VOLTAGE] == 230_000
    assert not poller.registers.values
    poller = await lived(Tables(), 20_000)
    assert poller.registers.values[IMPORT] == 65_845_342
    assert (poller.state, poller.message) == ("online", "")


async def test_values_of_an_unconfirmed_layout_are_thrown_away():
    tables = Tables()
    tables.holds = False
    poller = await lived(tables, 60_000)
    assert not poller.present.values
    assert not poller.registers.values


async def test_a_silent_meter_is_power_cycled_ever_less_often_and_its_values_are_forgotten():
    tables = Tables()
    cycles = []

    async def cycle():
        cycles.append(True)

    poller = await lived(tables, 1_000_000, {20_000: lambda: setattr(tables, "silent", True)}, power_cycle=cycle)
    assert poller.state == "silent"
    assert "did not answer" in poller.message
    assert not poller.present.values
    assert not poller.registers.values
    # After 2 silences; then pauses of 10, 20, 40 ... 320 s.
    assert len(cycles) == poller.power_cycles == 7


async def test_values_last_a_while_and_come_back():
    tables = Tables()
    hush = {20_000: lambda: setattr(tables, "silent", True), 400_000: lambda: setattr(tables, "silent", False)}
    assert (await lived(tables, polling.FORGET, hush)).present.values
    tables = Tables()
    poller = await lived(
        tables,
        450_000,
        {20_000: lambda: setattr(tables, "silent", True), 400_000: lambda: setattr(tables, "silent", False)},
    )
    assert poller.present.values[VOLTAGE] == 230_000
    assert poller.state == "online"


async def test_another_meter_s_values_are_never_shown_under_the_name_of_the_new_one():
    tables, guard, time = Tables(), Guard("house"), Time(10)
    poller = Poller(tables, guard, time, time.sleep)
    await poller._find_out()
    poller.registers.values, poller.present.values = OrderedDict({IMPORT: 1}), OrderedDict({VOLTAGE: 1})
    await poller._find_out()
    assert poller.registers.values, "the same meter"
    assert poller.present.values
    guard._segment += 1  # as it does for another serial number
    await poller._find_out()
    assert not poller.registers.values
    assert not poller.present.values
