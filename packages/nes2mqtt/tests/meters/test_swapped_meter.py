"""A meter is replaced by another one while the gateway reads, without a silence: real links, simulated meters."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.line_security import LineSecurity
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterInfo, MeterStatus, Sample, TableGroup
from nes2mqtt.runtime.gateway import _opener
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter

pytestmark = pytest.mark.virtual_clock


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


class Switch:
    """A serial line in somebody's hands: first on one meter, then, between two moments, on another."""

    def __init__(self, ports):
        self.ports = [int(port.rpartition(":")[2]) for port in ports]
        self.now = 0
        self.tasks = set()
        self.writers = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.connect, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self.writers), return_exceptions=True)

    @property
    def port(self):
        return self.server.sockets[0].getsockname()[1]

    async def connect(self, reader, writer):
        lines = [await asyncio.open_connection("127.0.0.1", port) for port in self.ports]

        self.writers += [writer, *(line[1] for line in lines)]

        async def down():
            while data := await reader.read(1000):
                lines[self.now][1].write(data)

        async def up(index):
            while data := await lines[index][0].read(1000):
                if index == self.now:
                    writer.write(data)

        self.tasks |= {asyncio.create_task(work) for work in (down(), up(0), up(1))}


@pytest.mark.parametrize("seeds", [(1, 2), (2, 1)])
@pytest.mark.parametrize("optical", [False, True], ids=["mep", "optical"])
async def test_m3_m5_a_swap_is_seen_before_anything_of_the_new_meter_goes_out(wall_clock, loop_clocks, seeds, optical):
    after = 20.35
    listener, hub = Listener(), Hub({}, loop_clocks())
    hub.add(listener)
    async with AsyncExitStack() as stack:
        meters = [
            await stack.enter_async_context(
                SimulatedMeter(seed=seed, baud=9600, clock=lambda: wall_clock().timestamp())
            )
            for seed in seeds
        ]
        ports = [await (meter.serve_optical_tcp() if optical else meter.serve_tcp()) for meter in meters]
        switch = await stack.enter_async_context(Switch(ports))
        port = f"{'optical+tcp' if optical else 'tcp'}://127.0.0.1:{switch.port}"
        settings = parse(f'[meters.house]\nport = "{port}"\nkey = "{DEMO_KEY_TEXT}"\n', "x").meters["house"]
        poller = Poller(
            MeterInfo("house"),
            settings.port,
            _opener(settings, LineSecurity("house", settings.security, None)),
            Guard("house"),
            hub,
            Cadence(),
        )
        task = asyncio.create_task(poller.run())
        await asyncio.sleep(after)
        switch.now = 1
        await asyncio.sleep(60)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    serials = [event.info.serial for event in listener.events if isinstance(event, MeterStatus) and event.info.serial]
    old, new = serials[0], serials[-1]
    assert (old, new) == tuple(f"SIM{seed:07}" for seed in seeds)
    told = next(i for i, e in enumerate(listener.events) if isinstance(e, MeterStatus) and e.info.serial == new)
    before = [event for event in listener.events[:told] if isinstance(event, Sample)]
    behind = [event for event in listener.events[told:] if isinstance(event, Sample)]
    assert all(sample.instant <= after + 1 for sample in before), "something of the new meter had the old name"
    assert {sample.segment for sample in before} == {1}
    assert {sample.segment for sample in behind} == {2}
    registers = [sample for sample in behind if sample.group is TableGroup.REGISTERS]
    assert registers[0].values == registers[0].base
    assert min(sample.instant for sample in behind) < after + 30, "it took long"
