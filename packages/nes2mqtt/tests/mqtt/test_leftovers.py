"""What an earlier configuration left at the broker is removed only when surely no other gateway has it (B2, B3, B4)."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from nes2mqtt.outputs.mqtt.claims.leftovers import Leftovers
from nes2mqtt.outputs.mqtt.client.connection import Received
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.dialects import configured
from nes2mqtt.outputs.mqtt.discovery import Discovery
from nes2mqtt.outputs.mqtt.ownership import Ownership

ANNOUNCED = "homeassistant/device/nes2mqtt_home_house/config"


class Connection:
    """One gateway's connection to a broker in memory, as long as it is in :attr:`Bus.connections`."""

    def __init__(self, bus, ownership, readable=None):
        self.bus, self.ownership, self.readable = bus, ownership, readable
        self.topics = {ownership.topic}
        self.emptied = []
        bus.connections.append(self)

    async def listen(self, *topics):
        self.topics.update(topics)

    async def publish(self, message, **_):
        if not message.payload:
            self.emptied.append(message.topic)
            return
        for other in tuple(self.bus.connections):
            readable = other.readable is None or message.topic.startswith(other.readable)
            if message.topic in other.topics and readable:
                await other.ownership.hear(other, Received(message.topic, message.payload, retained=False))


class Bus:
    def __init__(self):
        self.connections = []
        self.now = 0.0


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def make(bus, gateway, tmp_path):
    """Make what one process knows; its folder keeps what was noted before."""

    def build(instance, folder="b", name="home", meters=("house",), alone=0.0, **settings):
        config = MqttConfig(host="broker", **settings)
        (tmp_path / folder).mkdir(exist_ok=True)
        renamed = replace(gateway, name=name)
        discovery = None
        if "homeassistant" in config.dialects:
            discovery = Discovery(config, renamed, expire_after=lambda meter: 60, patience=1, remembers=True)
        ownership = Ownership(
            config,
            name,
            configured(config),
            discovery,
            Leftovers(tmp_path / folder, "broker"),
            meters,
            instance=instance,
            monotonic=lambda: bus.now,
            alone=alone,
        )
        ownership.note()
        return ownership

    return build


async def connect(bus, ownership):
    """Connect and say who we are; return the connection."""
    connection = Connection(bus, ownership)
    task = asyncio.ensure_future(ownership.say_who_we_are(connection))
    for _ in range(20):
        await asyncio.sleep(0)
    task.cancel()
    return connection


async def removal(connection):
    """Begin to remove what is left; return when all is asked."""
    task = asyncio.ensure_future(connection.ownership.remove_leftovers(connection))
    for _ in range(20):
        await asyncio.sleep(0)
    return task


async def test_leftovers_that_nobody_claims_are_removed_and_forgotten(bus, make):
    make("before", name="home", meters=["house", "barn"])
    now = make("now", name="cellar", base_topic="power")
    connection = await connect(bus, now)
    await now.remove_leftovers(connection)
    assert ANNOUNCED in connection.emptied
    assert "nes2mqtt/meters/barn/registers" in connection.emptied
    again = await connect(bus, now)
    await now.remove_leftovers(again)
    assert again.emptied == []


@pytest.mark.parametrize("answer_is_lost", [False, True])
async def test_b2_another_gateway_that_answered_once_is_there_after_a_broken_connection_too(bus, make, answer_is_lost):
    await connect(bus, make("a", folder="a"))
    make("copied")
    ours = make("b", name="cellar", base_topic="power", alone=1000)
    first = await connect(bus, ours)
    if answer_is_lost:
        bus.connections.remove(first)
    task = await removal(first)
    task.cancel()
    if not answer_is_lost:
        bus.connections.remove(first)
    bus.now += 3 if answer_is_lost else 1
    ours._alone = 0
    second = await connect(bus, ours)
    await ours.remove_leftovers(second)
    assert second.emptied == []


async def test_b3_what_we_cannot_hear_of_is_left_and_told_once(bus, make, caplog):
    await connect(bus, make("a", folder="a"))
    make("copied")
    ours = make("b", name="cellar", base_topic="power")
    for _ in range(2):
        connection = await connect(bus, ours)
        connection.readable = "power/"
        await ours.remove_leftovers(connection)
        assert connection.emptied == []
        bus.connections.remove(connection)
    told = [record.getMessage() for record in caplog.records if "They stay" in record.getMessage()]
    assert len(told) == 1
    connection = Connection(bus, make("later", name="cellar", base_topic="power"))
    bus.connections[:] = [connection]
    await connection.ownership.remove_leftovers(connection)
    assert ANNOUNCED in connection.emptied, "it stayed noted"


async def test_b3_what_an_older_version_noted_without_its_claim_is_left(bus, make, tmp_path):
    before = make("before")
    path = before._leftovers._path
    noted = json.loads(path.read_text())
    path.write_text(json.dumps({**noted, "topics": list(noted["topics"]), "bases": ["nes2mqtt"]}))
    ours = make("b", name="cellar", base_topic="power")
    connection = await connect(bus, ours)
    await ours.remove_leftovers(connection)
    assert connection.emptied == []


async def test_b4_a_gateway_of_the_same_name_under_another_base_keeps_its_announcements(bus, make):
    theirs = make("a", folder="a", base_topic="first")
    await connect(bus, theirs)
    make("before", base_topic="second", meters=["house", "barn"])
    ours = make("b", base_topic="second", meters=["barn"])
    connection = await connect(bus, ours)
    for ownership in (theirs, ours):
        assert "announces itself to Home Assistant under the same name" in ownership.problem
    await ours.remove_leftovers(connection)
    assert ANNOUNCED not in connection.emptied
    assert "second/meters/house/registers" in connection.emptied, "these are ours alone"


async def test_b4_the_base_topic_of_every_dialect_is_claimed(bus, make):
    theirs = make("a", folder="a", name="a", base_topic="first", dialects=["homeassistant", "dabbler"])
    ours = make("b", name="b", base_topic="second", dialects=["homeassistant", "dabbler"])
    await connect(bus, theirs)
    await connect(bus, ours)
    for ownership in (theirs, ours):
        assert "publishes below dabbler/ on this broker too" in ownership.problem


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"name": "home", "meters": ["barn_house"]}, {"name": "home_barn", "meters": ["house"]}),
        ({"name": "home", "meters": ["barn"]}, {"name": "home_barn", "meters": ["house"]}),
    ],
)
async def test_l8_two_gateways_whose_names_make_one_id_notice_each_other(bus, make, one, other):
    theirs = make("a", folder="a", base_topic="first", **one)
    ours = make("b", base_topic="second", **other)
    await connect(bus, theirs)
    await connect(bus, ours)
    for ownership in (theirs, ours):
        assert "Home Assistant" in ownership.problem
        assert "Give each its own name" in ownership.problem


async def test_l8_an_announcement_that_is_another_gateways_now_is_not_removed(bus, make):
    await connect(bus, make("a", folder="a", base_topic="first", name="home_barn", meters=["house"]))
    make("before", base_topic="second", name="home", meters=["barn_house", "barn_roof"])
    ours = make("b", base_topic="second", name="home", meters=["attic"])
    connection = await connect(bus, ours)
    await ours.remove_leftovers(connection)
    assert "homeassistant/device/nes2mqtt_home_barn_house/config" not in connection.emptied
    assert "homeassistant/device/nes2mqtt_home_barn_roof/config" in connection.emptied


async def test_b4_two_gateways_with_nothing_in_common_do_not_notice_each_other(bus, make):
    both = [make(name, folder=name, name=name, base_topic=name) for name in ("first", "second")]
    for ownership in both:
        await connect(bus, ownership)
    assert [ownership.problem for ownership in both] == ["", ""]
