"""A connection cut at a large message, twice in a row: only then was it too large (B15)."""

import asyncio

import pytest

from nes2mqtt.mqtt.client import SETTLED, Broker
from nes2mqtt.mqtt.config import MqttConfig
from nes2mqtt.mqtt.connection import Disconnected, Limits, Version
from nes2mqtt.mqtt.message import Message, Will
from nes2mqtt.mqtt.session import Session

LARGE = Message("large", "x" * 9000, 1, retain=True)
LOST = Disconnected("gone")


class Taking:
    async def publish(self, message):
        pass


class Cutting:
    async def publish(self, message):
        raise LOST


@pytest.fixture
def broker():
    return Broker(MqttConfig(host="b"), "us", Will("status"), None, None)


async def cut(broker, *clients, lasted=0.0):
    """One connection on which a large message meets each of the clients; return the limit learned."""
    session = Session(None, Limits(Version.V5), broker.refusals)
    broker._greeted = asyncio.get_running_loop().time() - lasted
    for client in clients:
        session._client = client
        try:
            await session.publish(LARGE)
        except Disconnected:
            break
    broker._learn(session, LOST)
    broker._lost(LOST, asyncio.get_running_loop().time())
    return session.limits.packet


async def test_two_cuts_in_a_row_are_a_limit(broker):
    assert await cut(broker, Cutting()) is None
    assert await cut(broker, Cutting()) is not None


async def test_b15_a_message_of_that_size_taken_in_between_begins_anew(broker):
    assert await cut(broker, Cutting()) is None
    assert await cut(broker, Taking()) is None
    assert await cut(broker, Cutting()) is None


async def test_b15_a_message_of_that_size_taken_on_the_same_connection_was_not_too_large(broker):
    for _ in range(3):
        assert await cut(broker, Taking(), Cutting()) is None


async def test_b15_a_good_connection_in_between_begins_anew(broker):
    assert await cut(broker, Cutting()) is None
    assert await cut(broker, lasted=SETTLED + 1) is None
    assert await cut(broker, Cutting()) is None
