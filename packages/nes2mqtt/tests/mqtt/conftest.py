"""A real mosquitto, a listener to hear what arrives, and the real Danish meter's values."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from zoneinfo import ZoneInfo

import aiomqtt
import pytest

from free_ports import free_port
from nes2mqtt.outputs.mqtt.client.broker import Pace
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.output import MqttOutput, Timing
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import LinkQuality, MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

PATIENCE = 60.0
"""Seconds; a computer that is busy with something else is no fault of ours."""
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/sbin")

QUICK = Timing(pace=Pace(first=0.05, limit=0.2), settle=0.05, birth=(0.0, 0.05), patience=0.5, alone=0.3)

# A real meter: Echelon/NES 83332-3I, Denmark. Values as its owner's reader printed them, with the rest of BT28 decoded
# from the same reply. Public issue DabblerDK/MEP-SW-ESP32#2, October 2022 (table data only).
DANISH_REGISTERS = {
    "active_energy_import": 65845342,
    "active_energy_export": 179,
    "reactive_energy_import": 4056958,
    "reactive_energy_export": 20491954,
    "outage_duration": 23315499,
    "outage_count": 10,
    "active_energy_sum": 65845519,
    "active_energy_net": 65842808,
    "pulse_count_1": 0,
    "pulse_count_2": 0,
    "error_count": 0,
}
DANISH_PRESENT = {
    "active_power_import": 432,
    "active_power_export": 0,
    "reactive_power_import": 0,
    "reactive_power_export": 545,
    "current_l1": 1978,
    "current_l2": 782,
    "current_l3": 854,
    "voltage_l1": 228693,
    "voltage_l2": 226079,
    "voltage_l3": 226973,
    "power_factor_l1": 711,
    "frequency": 50000,
    "apparent_power": 818,
    "power_factor_l2": 335,
    "power_factor_l3": 274,
    "active_power_import_l1": 320,
    "active_power_import_l2": 59,
    "active_power_import_l3": 53,
    "active_power_export_l1": 0,
    "active_power_export_l2": 0,
    "active_power_export_l3": 0,
}
SERIAL = "87654321"
"""Invented: the owner kept the real one to himself."""


CLOCK = Clock(monotonic=time.time, synchronised=lambda: True)
"""Its instants are seconds since 1970, so a label gives its instant."""


def sample(group: TableGroup, values: dict[str, int], meter: str = "house", **more: object) -> Sample:
    """Make a sample of values by key, received now unless told otherwise; its instant is for :data:`CLOCK`."""
    received = more.setdefault("received", datetime.now(UTC))
    assert isinstance(received, datetime)
    more.setdefault("instant", received.timestamp())
    return Sample(meter, group, values={SOURCES[key]: value for key, value in values.items()}, **more)  # type: ignore[arg-type]


def status(state: MeterState = MeterState.ONLINE, meter: str = "house", **more: object) -> MeterStatus:
    """Make a status of a meter whose identity is known."""
    info = MeterInfo(
        meter, serial=SERIAL, manufacturer="NES", model="83332-3I", firmware="3.10.21", name=meter.capitalize()
    )
    more.setdefault("link", LinkQuality(requests=100, replies=99, retries=1))
    return MeterStatus(info, state, datetime.now(UTC), **more)  # type: ignore[arg-type]


def danish(meter: str = "house") -> tuple[MeterStatus, Sample, Sample]:
    """Return the events of one complete poll of the Danish meter."""
    return (
        status(meter=meter),
        sample(TableGroup.REGISTERS, DANISH_REGISTERS, meter),
        sample(TableGroup.PRESENT, DANISH_PRESENT, meter),
    )


@pytest.fixture(scope="session")
def rig() -> ModuleType:
    """Return this module: test folders are no packages, so tests cannot import it."""
    return sys.modules[__name__]


@pytest.fixture(scope="session")
def gateway() -> GatewayInfo:
    return GatewayInfo("home", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC), "http://192.168.1.5:8099")


@pytest.fixture
def hub() -> Hub:
    return Hub({TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}, CLOCK)


@dataclass
class Mosquitto:
    """A broker without persistence on a loopback port that stays the same over restarts."""

    folder: Path
    settings: str = "allow_anonymous true\n"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO is not None
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\npersistence false\nuser root\n{self.settings}")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen([MOSQUITTO, "-c", config], stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.01)
        raise RuntimeError((self.folder / "mosquitto.log").read_text())

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


@pytest.fixture
def broker_at(tmp_path: Path) -> Iterator[Callable[[str], Mosquitto]]:
    """Start brokers with the settings given."""
    if MOSQUITTO is None:
        pytest.fail("mosquitto is not installed; type: apt install mosquitto")
    started: list[Mosquitto] = []

    def start(settings: str = "allow_anonymous true\n") -> Mosquitto:
        folder = tmp_path / f"broker{len(started)}"
        folder.mkdir()
        broker = Mosquitto(folder, settings)
        started.append(broker)
        broker.start()
        return broker

    yield start
    for broker in started:
        if broker.process is not None:
            broker.kill()


@pytest.fixture
def broker(broker_at: Callable[[], Mosquitto]) -> Mosquitto:
    return broker_at()


class Listener:
    """Hears everything on a broker and can wait for what it expects."""

    def __init__(self) -> None:
        self.heard: list[aiomqtt.Message] = []
        self._changed = asyncio.Event()

    def take(self, message: aiomqtt.Message) -> None:
        self.heard.append(message)
        self._changed.set()

    @property
    def last(self) -> dict[str, str]:
        """The last payload of every topic."""
        return {str(message.topic): message.payload.decode() for message in self.heard}

    def of(self, topic: str) -> list[str]:
        return [message.payload.decode() for message in self.heard if str(message.topic) == topic]

    async def until(self, fulfilled: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until something heard makes a condition true."""
        try:
            async with asyncio.timeout(seconds):
                while not fulfilled():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pytest.fail(f"did not happen; heard: {self.last}")

    async def topic(self, topic: str, payload: str | None = None) -> str:
        """Wait for a topic (and payload); return the payload."""
        await self.until(lambda: topic in self.last and payload in (None, self.last[topic]))
        return self.last[topic]


async def until(fulfilled: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait for a condition that nothing announces."""
    async with asyncio.timeout(seconds):
        while not fulfilled():  # noqa: ASYNC110 - it is another program's doing
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def listening(broker: Mosquitto, topic: str = "#", **options: object) -> AsyncIterator[Listener]:
    """Subscribe to a broker for the length of a block."""
    listener = Listener()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            listener.take(message)

    async with aiomqtt.Client("127.0.0.1", broker.port, **options) as client:  # type: ignore[arg-type]
        await client.subscribe(topic, qos=1)
        task = asyncio.create_task(listen(client))
        try:
            yield listener
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def running(output: MqttOutput) -> AsyncIterator[MqttOutput]:
    """Run an output for the length of a block."""
    task = asyncio.create_task(output.run())
    try:
        yield output
        if task.done():
            task.result()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def config(broker: Mosquitto, **settings: object) -> MqttConfig:
    """Return the configuration for a broker of a test."""
    return MqttConfig.model_validate({"host": "127.0.0.1", "port": broker.port, **settings})
