"""When the output publishes what, on a clock that jumps and without a broker."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.mqtt.client.connection import Limits, Received
from nes2mqtt.outputs.mqtt.client.refusals import Refusals
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.output import MqttOutput, Timing
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterState, TableGroup

pytestmark = pytest.mark.virtual_clock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def now():
    return START + timedelta(seconds=asyncio.get_running_loop().time())


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

    def times(self, topic):
        return [round(moment, 3) for moment, message in self.published if message.topic == topic]

    def topics(self, part=""):
        return [message.topic for _, message in self.published if part in message.topic]


@pytest.fixture
def hub(labelled_clocks):
    stale = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}
    return Hub(stale, labelled_clocks(now))


@pytest.fixture
def connected(gateway, hub):
    """Return a function that runs the work of one connection."""

    @contextlib.asynccontextmanager
    async def connect(**settings):
        config = MqttConfig.model_validate({"host": "h", **settings})
        output = MqttOutput(config, gateway, None, hub, timing=Timing(birth=(2.0, 2.0)))
        hub.add(output)
        session = Recorder()
        work = asyncio.create_task(output._work(session))
        for _ in range(5):
            await asyncio.sleep(0)  # let it begin to wait
        try:
            yield output, session
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    return connect


@pytest.fixture
def read(rig, hub):
    """Return a function that publishes readings every two seconds for a while."""

    async def reading(seconds, state=MeterState.ONLINE):
        until = asyncio.get_running_loop().time() + seconds
        hub.publish(rig.status(state))
        while asyncio.get_running_loop().time() < until:
            hub.publish(rig.sample(TableGroup.REGISTERS, rig.DANISH_REGISTERS, received=now()))
            hub.publish(rig.sample(TableGroup.PRESENT, rig.DANISH_PRESENT, received=now()))
            await asyncio.sleep(2)

    return reading


async def test_dabbler_every_ten_seconds_in_the_firmwares_order(connected, read):
    async with connected(dialects=["dabbler"]) as (_, session):
        await asyncio.sleep(3)
        await read(40)
    times = session.times("dabbler/sensors/mydatajson")
    assert times == [3, 10, 20, 30, 40], "at once, then on the grid"
    assert session.topics("mydatajson")[:5] == [
        f"dabbler/{topic}/mydatajson"
        for topic in ("sensors", "meterConsumptionTotal", "meterConsumptionFwd", "meterConsumptionRev", "frequency")
    ]


async def test_raw_follows_the_meter_or_its_own_pace(connected, read):
    async with connected(dialects=["nmr-raw"]) as (_, session):
        await read(10)
    assert session.times("nes2mqtt/meter/import/active") == [0, 2, 4, 6, 8]
    async with connected(dialects=["nmr-raw"], **{"nmr-raw": {"every": 10}}) as (_, session):
        await read(30)
    assert len(session.times("nes2mqtt/meter/import/active")) == 4


async def test_nothing_before_the_first_reading(connected, hub, rig):
    async with connected(dialects=["homeassistant", "nmr-raw", "dabbler"]) as (_, session):
        hub.publish(rig.status(MeterState.STARTING))
        await asyncio.sleep(3600)
    assert not [topic for topic in session.topics() if "mydatajson" in topic or "active" in topic or "present" in topic]
    assert "nes2mqtt/meters/house/registers" not in session.topics()
    assert "homeassistant/device/nes2mqtt_home_house/config" not in session.topics()


async def test_live_values_end_with_their_freshness_and_start_again_at_once(connected, read, hub, rig):
    async with connected(dialects=["homeassistant", "dabbler"]) as (_, session):
        await read(20)
        silent_from = asyncio.get_running_loop().time()
        hub.publish(rig.status(MeterState.SILENT))
        await asyncio.sleep(600)
        back = asyncio.get_running_loop().time()
        await read(4)
    for topic in ("nes2mqtt/meters/house/present", "dabbler/frequency/mydatajson"):
        late = [moment for moment in session.times(topic) if moment > silent_from]
        assert [moment for moment in late if moment < back] == [moment for moment in late if moment <= silent_from + 10]
        assert back in late


async def test_announced_once_after_it_settled(connected, read):
    async with connected() as (_, session):
        await read(60)
    assert session.times("homeassistant/device/nes2mqtt_home_house/config") == [3]
    assert session.times("homeassistant/device/nes2mqtt_home/config") == [0]


async def test_states_and_identity_are_repeated_slowly(connected, read):
    async with connected(dialects=["nmr-raw"], diagnostics_every=20) as (_, session):
        await read(70)
    assert session.times("nes2mqtt/meter/type") == [0, 20, 40, 60]


async def test_home_assistants_births_are_answered_after_a_pause_and_only_live_ones(connected, read):
    topic = "homeassistant/device/nes2mqtt_home_house/config"
    async with connected() as (output, session):
        await read(20)
        before = asyncio.get_running_loop().time()
        await output._heard(session, Received("homeassistant/status", "online", retained=True))
        await asyncio.sleep(10)
        assert session.times(topic) == [3]
        await output._heard(session, Received("homeassistant/status", "online", retained=False))
        await output._heard(session, Received("homeassistant/status", "online", retained=False))
        await asyncio.sleep(10)
        assert session.times(topic) == [3, before + 12]
        await output._heard(session, Received("homeassistant/status", "offline", retained=False))
        await asyncio.sleep(10)
    assert len(session.times(topic)) == 2


async def test_a_slow_session_skips_live_values_and_counts_them(connected, hub, rig):
    async with connected(dialects=["nmr-raw"]) as (output, session):
        output._main.connected = True
        free = asyncio.Event()

        async def publish(message):
            session.published.append((0, message))
            await free.wait()

        session.publish = publish
        hub.publish(rig.status())
        for watts in range(10):
            hub.publish(rig.sample(TableGroup.PRESENT, {"active_power_import": watts}, received=now()))
            await asyncio.sleep(1)
        assert output.status().dropped == 8
        free.set()
        await asyncio.sleep(1)
    powers = [message.payload for _, message in session.published if message.topic.endswith("import/active")]
    assert powers[-1] == "9"
