"""From a meter's port to the hub: gas, water and heat meters behind a simulated meter, read over a line that loses a tenth.

The meter's tables are put together by hand (:mod:`mbus_house`), the newest read of the gas meter in its log (ET45).
"""

import asyncio
import random
from datetime import datetime

import pytest
from mbus_house import entry, et36, gas, heat, ring, tables, water

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, TableGroup
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter

pytestmark = pytest.mark.virtual_clock

NOON = datetime.fromisoformat("2026-11-29 12:00")


@pytest.mark.parametrize("faults", [Faults(), Faults(loss=0.1)], ids=["perfect", "lossy"])
async def test_three_devices_behind_a_simulated_meter(wall_clock, loop_clocks, faults):
    hub = Hub({}, loop_clocks())
    simulated = SimulatedMeter(
        House(1), faults=faults, seed=random.Random(7).randrange(1 << 16), clock=lambda: wall_clock().timestamp()
    )
    held = tables(gas(), water(), heat()) | {"ET36": et36(4)}
    held["ET45"] = ring([entry(gas(time=NOON, records="0C933A 50230100"))], 4, 5)
    for name, data in held.items():
        simulated.put_in(name, data)
    known = KnownMeter()
    async with simulated:
        url = await simulated.serve_tcp()
        poller = Poller(
            MeterInfo("house"),
            url,
            lambda at: open_meter(
                at, key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=ReadBudget(burst=100), known=known
            ),
            Guard("house"),
            hub,
            Cadence(present=5.0, registers=10.0, devices=60.0),
        )
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(200)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    told = hub.latest["house"]
    assert told.devices is not None
    assert {device.id: (device.values[device.counter].value, device.read) for device in told.devices.devices} == {
        "osg_10000004": (12.35, NOON),
        "osg_20000005": (28.504, water().time),
        "osg_30000006": (2850, heat().time),
    }
    assert told.samples.keys() == set(TableGroup)
