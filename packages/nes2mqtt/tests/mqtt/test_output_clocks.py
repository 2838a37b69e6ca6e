"""What is published when this computer's clock is wrong, steps, or nobody knows the time of day (T5, T3)."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.mqtt.client.connection import Limits
from nes2mqtt.outputs.mqtt.client.refusals import Refusals
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.output import MqttOutput, Timing
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import TableGroup
from nes2mqtt.timing.clock import Clock

pytestmark = pytest.mark.virtual_clock

TRUE = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ALL = {"dialects": ["homeassistant", "nmr-raw", "dabbler"], "homeassistant": {"every": 2}}


class Recorder:
    """A session that notes what is published, and when."""

    def __init__(self):
        self.published = []
        self.limits = Limits()
        self.refusals = Refusals(MqttConfig.model_validate({"host": "h"}), "id")

    async def publish(self, message, **_):
        self.published.append((asyncio.get_running_loop().time(), message))

    async def subscribe(self, *topics):
        pass

    async def listen(self, *topics):
        pass

    def of(self, end):
        return [(moment, message.payload) for moment, message in self.published if message.topic.endswith(end)]


class World:
    """A computer whose clock may be set, and a gateway on it."""

    def __init__(self, rig, gateway):
        self.rig = rig
        self.ahead = timedelta()
        self.synchronised = True
        loop = asyncio.get_running_loop()
        self.time = loop.time
        self.clock = Clock(
            wall=lambda: (TRUE + self.ahead).timestamp() + loop.time(),
            monotonic=lambda: 1000.0 + loop.time(),
            synchronised=lambda: self.synchronised,
            built=(TRUE - timedelta(days=30)).timestamp(),
        )
        stale = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}
        self.hub = Hub(stale, self.clock)
        self.session = Recorder()
        self._gateway = gateway

    @contextlib.asynccontextmanager
    async def connected(self, **settings):
        config = MqttConfig.model_validate({"host": "h", **ALL, **settings})
        output = MqttOutput(config, self._gateway, None, self.hub, timing=Timing())
        self.hub.add(output)
        work = asyncio.create_task(output._work(self.session))
        await asyncio.sleep(0)
        try:
            yield
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def read(self):
        moment = {"received": self.clock.now(), "instant": self.clock.monotonic()}
        self.hub.publish(self.rig.sample(TableGroup.REGISTERS, self.rig.DANISH_REGISTERS, **moment))
        self.hub.publish(self.rig.sample(TableGroup.PRESENT, self.rig.DANISH_PRESENT, **moment))

    async def reading(self, seconds):
        until = self.time() + seconds
        while self.time() < until:
            self.read()
            await asyncio.sleep(2)


@pytest.fixture
async def world(rig, gateway):
    return World(rig, gateway)


@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(days=-3650), timedelta(hours=2)])
async def test_t5_a_dead_meters_power_is_not_repeated_whatever_the_clock_does(world, rig, step):
    world.ahead = -step if step < timedelta() else timedelta()
    async with world.connected():
        world.hub.publish(rig.status())
        await world.reading(60)
        died = world.time()
        world.ahead += step
        await asyncio.sleep(600)
    for end in ("dabbler/meterConsumptionFwd/mydatajson", "house/present", "meter/import/active"):
        moments = [moment for moment, _ in world.session.of(end)]
        assert moments, end
        assert max(moments) <= died + 10, end


@pytest.mark.parametrize("step", [timedelta(hours=-2), timedelta(days=3650)])
async def test_n2_a_step_stops_no_live_values(world, rig, step):
    async with world.connected():
        world.hub.publish(rig.status())
        await world.reading(30)
        world.ahead += step
        await world.reading(30)
    moments = [moment for moment, _ in world.session.of("meter/import/active")]
    assert len(moments) >= 29


async def test_while_nobody_knows_the_time_of_day_documents_carry_none(world, rig):
    world.ahead = -timedelta(days=20000)  # no battery: 1972
    world.synchronised = False
    async with world.connected():
        status = rig.status()
        world.hub.publish(type(status)(status.info, status.state, world.clock.now(), instant=world.clock.monotonic()))
        await world.reading(70)
        assert not world.clock.known
        unknown = len(world.session.published)
        world.ahead, world.synchronised = timedelta(), True
        await world.reading(130)
    before, after = world.session.published[:unknown], world.session.published[unknown:]
    assert not [message for _, message in before if message.topic.endswith("timestamp")]
    documents = [
        json.loads(message.payload) for _, message in before if message.topic.endswith(("present", "registers", "link"))
    ]
    assert documents
    for document in documents:
        assert not document.keys() & {"time", "since", "last_reply"}
    assert any("no meter tells the time" in document.get("clock", "") for document in documents)
    link = json.loads([message.payload for _, message in after if message.topic.endswith("link")][-1])
    assert link["since"] == TRUE.isoformat(timespec="seconds"), "the moment was right, and is labelled now"
    assert "clock" not in link
    present = json.loads([message.payload for _, message in after if message.topic.endswith("present")][-1])
    assert abs(datetime.fromisoformat(present["time"]) - TRUE - timedelta(seconds=200)) < timedelta(seconds=5)


async def test_uptime_does_not_step(world, rig):
    async with world.connected():
        world.hub.publish(rig.status())
        await world.reading(10)
        world.ahead += timedelta(days=3650)
        await world.reading(10)
    uptimes = [int(payload) for _, payload in world.session.of("/uptime")]
    assert uptimes == sorted(uptimes)
    assert uptimes[-1] == 18
