"""A connection cut at a large message, twice in a row: only then was it too large (B15)."""

import asyncio

import pytest

from nes2mqtt.outputs.mqtt.client.broker import SETTLED, Broker
from nes2mqtt.outputs.mqtt.client.connection import Answer, Disconnected, Limits, Refused, Version
from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.client.refusals import TOO_LARGE, Unanswered
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.client.wire import packets
from nes2mqtt.outputs.mqtt.config import MqttConfig

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


async def cut(broker, *clients, lasted=0.0, lost=LOST):
    """One connection on which a large message meets each of the clients; return the limit learned."""
    session = Session(None, Limits(Version.V5), broker.refusals)
    broker._greeted = asyncio.get_running_loop().time() - lasted
    for client in clients:
        session._client = client
        try:
            await session.publish(LARGE)
        except Disconnected:
            break
    broker._learn(session, lost)
    broker._lost(lost, asyncio.get_running_loop().time())
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


class Picky:
    """A broker that names no limit, and refuses what is too large with a PUBACK."""

    def __init__(self):
        self.most = 100

    async def publish(self, message):
        if len(message.payload) > self.most:
            raise Refused(Answer.PUBACK, TOO_LARGE)


@pytest.mark.virtual_clock
async def test_a_limit_that_was_raised_without_a_new_connection_is_noticed(broker):
    picky = Picky()
    session = Session(picky, Limits(Version.V5), broker.refusals)
    with pytest.raises(Refused):
        await session.publish(LARGE)
    picky.most = 100_000
    with pytest.raises(Refused):  # not asked again at once
        await session.publish(LARGE)
    await asyncio.sleep(600)
    await session.publish(LARGE)
    assert not broker.refusals.problem


async def test_what_was_too_large_and_needs_no_confirmation_is_no_longer_told_once_it_is_sent(broker):
    live = Message("live", "x" * 9000, 0)
    small = Session(Taking(), Limits(Version.V5, packet=400), broker.refusals)
    with pytest.raises(Refused):
        await small.publish(live)
    assert broker.refusals.problem
    await Session(Taking(), Limits(Version.V5), broker.refusals).publish(live)
    assert not broker.refusals.problem


@pytest.mark.virtual_clock
async def test_smaller_refusals_do_not_put_off_the_next_try(broker):
    picky = Picky()
    session = Session(picky, Limits(Version.V5), broker.refusals)
    for size in range(9000, 8000, -100):
        with pytest.raises(Refused):
            await session.publish(Message("large", "x" * size, 1))
        await asyncio.sleep(59)
    await asyncio.sleep(11)
    picky.most = 100_000
    await session.publish(LARGE)


@pytest.mark.virtual_clock
async def test_a_limit_that_an_earlier_connection_ran_into_is_tried_again_after_a_day(broker):
    known, named = Limits(Version.V5, packet=4000), Limits(Version.V5)
    session = Session(Taking(), known, broker.refusals, named=named)
    with pytest.raises(Refused):
        await session.publish(LARGE)
    await asyncio.sleep(86400)
    await session.publish(LARGE)


@pytest.mark.parametrize("behind", [Unanswered("does not confirm"), TimeoutError("no answer to a ping")])
async def test_a_broker_that_is_slow_or_gone_has_cut_nothing(broker, behind):
    lost = Disconnected("gone")
    lost.__cause__ = behind
    for _ in range(3):
        assert await cut(broker, Cutting(), lost=lost) is None


class Asked:
    """Takes subscriptions, and notes how large their packets are."""

    def __init__(self):
        self.topics, self.sizes = [], []

    async def subscribe(self, topics):
        self.topics += topics
        self.sizes.append(len(packets.subscribe(1, topics, 5)))
        return [None for _ in topics]


@pytest.mark.parametrize(("limit", "most"), [(None, 2048), (1_000_000, 2048), (500, 500)])
async def test_what_is_subscribed_to_is_cut_to_what_the_broker_takes(broker, limit, most):
    topics = [f"homeassistant/device/nes2mqtt-cellar_meter-{number:03}/gateway-claim" for number in range(100)]
    asked = Asked()
    session = Session(asked, Limits(Version.V5, packet=limit), broker.refusals)
    await session.listen(*topics)
    await session.subscribe(*topics)
    assert asked.topics == topics * 2
    assert max(asked.sizes) <= most
    assert len(asked.sizes) < 2 * (7000 / most + 3)
