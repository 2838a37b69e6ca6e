"""The energy of the running periods is at hand, and never that of an hour that is over."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.history.errors import Unreadable
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.queries.reader import EnergyPeriod
from nes2mqtt.history.running_energy import RunningEnergy
from nes2mqtt.timing.clock import Clock

pytestmark = pytest.mark.virtual_clock


class Store:
    """Answers every question with the same period."""

    def __init__(self, until):
        self.until = until
        self.asked = []
        self.registers_heard = {}
        self.readable = True

    async def now(self, meter, unit):
        self.asked.append((asyncio.get_running_loop().time(), meter, unit))
        if not self.readable:
            raise Unreadable("damaged")
        return EnergyPeriod(self.until - timedelta(hours=1), self.until, {"active_energy_import": 1500, "other": 1})


async def run(store, meters, seconds):
    energy = RunningEnergy(store, meters, Clock(synchronised=lambda: True))
    task = asyncio.create_task(energy.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return energy


async def test_names_and_values():
    store = Store(datetime.now(UTC) + timedelta(minutes=30))
    energy = await run(store, ["house"], 1)
    assert dict(energy.of("house")) == {"import_hour": 1500, "import_day": 1500, "import_month": 1500}
    assert dict(energy.of("unknown")) == {}
    assert [unit for _, _, unit in store.asked] == [Unit.HOUR, Unit.DAY, Unit.MONTH]


async def test_an_answer_of_an_hour_that_is_over_is_not_given():
    energy = await run(Store(datetime.now(UTC) - timedelta(seconds=1)), ["house"], 1)
    assert dict(energy.of("house")) == {}


async def test_many_meters_take_their_turns_slowly():
    store = Store(datetime.now(UTC))
    await run(store, [f"m{index}" for index in range(1000)], 100)
    assert len(store.asked) <= 3 * 201


async def test_it_asks_only_when_registers_were_read_or_a_period_is_over():
    store = Store(datetime.now(UTC) + timedelta(minutes=30))
    energy = RunningEnergy(store, ["house"], Clock(synchronised=lambda: True))
    task = asyncio.create_task(energy.run())
    await asyncio.sleep(600)
    assert len(store.asked) == 3
    store.registers_heard["house"] = 1
    await asyncio.sleep(600)
    assert len(store.asked) == 6
    store.readable = False
    store.registers_heard["house"] = 2
    await asyncio.sleep(15)
    assert dict(energy.of("house")) == {}, "what cannot be read is not known"
    store.readable = True
    await asyncio.sleep(15)
    assert energy.of("house")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_given_while_the_time_of_day_is_not_known():
    energy = RunningEnergy(Store(datetime.now(UTC) + timedelta(hours=1)), ["house"], Clock(wall=lambda: 0.0))
    task = asyncio.create_task(energy.run())
    await asyncio.sleep(1)
    assert dict(energy.of("house")) == {}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
