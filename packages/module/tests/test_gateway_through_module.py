"""The gateway reads a simulated meter through a module on MicroPython: the values of the house's model, and how the module is."""

import asyncio
from contextlib import ExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import pytest
from tapped import KEY, TOKEN, Tapped

from nes2mqtt.config.settings import parse
from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.line_security import LineSecurity
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nes2mqtt.runtime.gateway import _opener
from nes2mqtt.timing.clock import Clock
from osgp.key import MeterKey
from osgp.simulator import House, SimulatedMeter

STILL = 1_795_000_000
TOTALS = (*range(8), 26, 27, 28)
"""Source ids of BT23 in their order (MEP guide v1.1 p. 208-209)."""
PATIENCE = 120.0


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

    def statuses(self, state):
        return [one for one in self.events if isinstance(one, MeterStatus) and one.state is state]

    def sample(self, group):
        return next((one for one in self.events if isinstance(one, Sample) and one.group is group), None)


@pytest.fixture
def module(tmp_path, built):
    with ExitStack() as stack:
        yield Tapped(tmp_path, stack, built / "stock")


async def until(found, what):
    async with asyncio.timeout(PATIENCE):
        while not found():  # noqa: ASYNC110 - nobody tells when
            await asyncio.sleep(0.2)
    assert found(), what
    return found()


class Cable:
    """Between a module and a meter; it can be pulled without the module seeing it."""

    def __init__(self, host, port):
        self._there = (host, port)
        self.pulled = False

    async def lead(self, reader, writer):
        """Pass on what goes either way."""
        other_reader, other_writer = await asyncio.open_connection(*self._there)
        try:
            await asyncio.gather(self._pump(reader, other_writer), self._pump(other_reader, writer))
        except OSError:
            pass
        finally:
            writer.close()
            other_writer.close()

    async def _pump(self, reader, writer):
        while data := await reader.read(256):
            if not self.pulled:
                writer.write(data)
        writer.close()


@asynccontextmanager
async def gateway(rig):
    text = (
        f'[meters.house]\nport = "module://127.0.0.1:{rig.tap}"\nkey = "{KEY}"\n'
        f'token = {{ file = "{rig.token_file}" }}\npower_cycle = {{ kind = "dtr" }}\n'
    )
    settings = parse(text, Path("nes2mqtt.toml")).meters["house"]
    listener, hub = Listener(), Hub({}, Clock())
    hub.add(listener)
    line = LineSecurity("house", settings.security, None)
    poller = Poller(MeterInfo("house"), settings.port, _opener(settings, line), Guard("house"), hub, Cadence())
    task = asyncio.create_task(poller.run())
    try:
        yield listener
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_gateway_gets_the_values_of_the_house_and_tells_the_module_from_the_meter(module):
    house = House(1)
    async with SimulatedMeter(house, mbk=MeterKey.parse(KEY), clock=lambda: STILL, baud=9600) as meter:
        cable = Cable("127.0.0.1", int((await meter.serve_tcp()).rpartition(":")[2]))
        line = await asyncio.start_server(cable.lead, "127.0.0.1", 0)
        module.meter = line.sockets[0].getsockname()[1]
        program = await asyncio.to_thread(module.start_module)
        async with line, gateway(module) as heard:
            for group in TableGroup:
                await until(lambda group=group: heard.sample(group), f"the {group}")
            expected = house.at(STILL)
            registers = {
                one.id: raw for one, raw in heard.sample(TableGroup.REGISTERS).values.items() if one.id in TOTALS
            }
            assert len(registers) == len(TOTALS)
            assert registers == dict(zip(TOTALS, expected.total, strict=True))
            present = {one.id: raw for one, raw in heard.sample(TableGroup.PRESENT).values.items()}
            assert len(present) > 40
            assert present == {number: expected.present[number] for number in present}
            told = await until(
                lambda: [one.module for one in heard.statuses(MeterState.ONLINE) if one.module], "the module's health"
            )
            assert told[-1].firmware == version("nesmodule")
            assert told[-1].free_memory > 0
            assert TOKEN not in str(heard.events)
            # A meter that is silent: the module is there, and switches the level shifter when the gateway says so.
            cable.pulled = True
            silent = await until(lambda: heard.statuses(MeterState.SILENT), "word of the silent meter")
            assert silent[-1].module is not None
            await until(lambda: "supply False enable True" in module.said.read_text(), "the power cycle")
            # And a module that is gone.
            program.kill()
            gone = await until(lambda: heard.statuses(MeterState.PORT_GONE), "word of the lost module")
            assert gone[-1].module is None
            assert "the module at 127.0.0.1" in gone[-1].message
            assert "gone" in gone[-1].message
