"""From a meter's port to the outputs over four lines: perfect, one byte at a time, 20 % loss, delayed.

Nothing here is scripted: a simulated house whose values move, its port, the link, tables, poller, guard and hub. What is
published must be what the meter held while it was asked; what cannot be told is absent.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter
from osgp.sources import SOURCES

pytestmark = pytest.mark.virtual_clock

SECONDS = 180
WHILE_ASKED = 12
"""Seconds that a question and all its repetitions can take on the worst of these lines."""

LINES = {
    "perfect": (Faults(), 0, 0.95),
    "one byte at a time": (Faults(), 1, 0.95),
    "20 % loss": (Faults(loss=0.2), 0, 0.3),
    "delayed": (Faults(delay=1.2), 0, 0.3),
}
"""Faults, bytes per chunk (0: as they come), and the share of the polls due that must have arrived."""


class Listener:
    """An output that keeps what it gets."""

    name = "listener"

    def __init__(self):
        self.events = []

    def offer(self, event):
        self.events.append(event)

    async def run(self):
        await asyncio.Event().wait()

    def status(self):
        return OutputStatus(self.name, ok=True, message="")

    def samples(self, group):
        return [event for event in self.events if isinstance(event, Sample) and event.group is group]


@asynccontextmanager
async def crumbling(url: str, chunk: int) -> AsyncIterator[str]:
    """Stand in between, passing on at most ``chunk`` bytes at a time both ways."""
    host, port = url.removeprefix("tcp://").split(":")
    pumps = set()

    async def pump(reader, writer):
        with suppress(OSError):
            while data := await reader.read(512):
                for at in range(0, len(data), chunk):
                    writer.write(data[at : at + chunk])
                    await writer.drain()
                    await asyncio.sleep(0.001)
        writer.close()

    async def connected(reader, writer):
        meter_reader, meter_writer = await asyncio.open_connection(host, int(port))
        pumps.add(asyncio.current_task())
        await asyncio.gather(pump(reader, meter_writer), pump(meter_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await asyncio.gather(*pumps, return_exceptions=True)


@asynccontextmanager
async def house_read_over(faults, chunk, wall_clock, clocks):
    """Run the gateway's core on a simulated meter; gives the listener."""
    listener, hub = Listener(), Hub({}, clocks)
    hub.add(listener)
    simulated = SimulatedMeter(
        House(1), faults=faults, seed=random.Random(7).randrange(1 << 16), clock=seconds(wall_clock)
    )
    async with simulated:
        url = await simulated.serve_tcp()
        async with crumbling(url, chunk) if chunk else _as_it_is(url) as address:
            poller = Poller(
                MeterInfo("house"),
                address,
                lambda at: open_meter(
                    at, key=MeterKey.parse(DEMO_KEY_TEXT), security="rc4", read_budget=ReadBudget(burst=100)
                ),
                Guard("house"),
                hub,
                Cadence(present=5.0, registers=10.0),
            )
            task = asyncio.create_task(poller.run())
            yield listener
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def _as_it_is(url):
    yield url


def seconds(wall_clock):
    return lambda: wall_clock().timestamp()


def held(house, received, pick):
    """Return all that the meter showed while it was asked."""
    moments = (received - timedelta(seconds=back) for back in range(WHILE_ASKED))
    return {pick(house.at(int(moment.timestamp()))) for moment in moments}


@pytest.mark.parametrize("name", LINES)
async def test_a_published_value_is_what_the_meter_held(wall_clock, loop_clocks, name):
    faults, chunk, share = LINES[name]
    async with house_read_over(faults, chunk, wall_clock, loop_clocks()) as listener:
        await asyncio.sleep(SECONDS)
    house = House(1)
    registers, present = (listener.samples(group) for group in (TableGroup.REGISTERS, TableGroup.PRESENT))
    assert len(registers) >= share * (SECONDS / 10 - 3)
    assert len(present) >= share * (SECONDS / 5 - 3)
    for sample in registers:
        for place, key in ((0, "active_energy_import"), (1, "active_energy_export"), (5, "outage_count")):
            assert sample.values[SOURCES[key]] in held(
                house, sample.received, lambda state, at=place: state.total[at]
            ), key
    for sample in present:
        for key in ("active_power_import", "active_power_export", "voltage_l1", "current_l3"):
            source = SOURCES[key]
            assert sample.values[source] in held(
                house, sample.received, lambda state, at=source.id: state.present[at]
            ), key
    energies = [sample.values[SOURCES["active_energy_import"]] for sample in registers]
    assert energies == sorted(energies)
    assert len(set(energies)) > 3, "the house stood still: nothing was proven"
    statuses = [event for event in listener.events if isinstance(event, MeterStatus)]
    assert MeterState.KEY_REFUSED not in {status.state for status in statuses}
    assert (statuses[-1].link.retries > 0) == (faults != Faults())
