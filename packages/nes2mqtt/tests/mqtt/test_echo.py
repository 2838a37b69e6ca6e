"""Messages that a broker of MQTT 3.1.1 is asked for again: none is lost, and none waits for what cannot come."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from nes2mqtt.outputs.mqtt.client.connection import Limits, Received, Version
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.refusals import Refusals
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.ownership import _say

pytestmark = pytest.mark.virtual_clock


class Broker:
    """A broker in memory that confirms all, and gives back what is below a level that may be read."""

    def __init__(self, *readable):
        self.readable = readable
        self.got = []
        self.topics = set()
        self.out = asyncio.Queue()

    async def publish(self, message):
        await asyncio.sleep(0.01)
        self.got.append(message)
        if message.topic in self.topics and message.topic.partition("/")[0] in self.readable:
            self.out.put_nowait(Received(message.topic, message.payload, retained=False))

    async def subscribe(self, topics):
        self.topics.update(topics)
        return [None for _ in topics]

    async def unsubscribe(self, topics):
        self.topics.difference_update(topics)


def session_at(broker):
    return Session(broker, Limits(Version.V311), Refusals(MqttConfig(host="b"), "us"))


def registers(count):
    return [Message(f"house/{number}/registers", str(number), 1, retain=True) for number in range(count)]


@contextlib.asynccontextmanager
async def reading(broker, session, answer=None):
    """Hear what the broker sends, and answer it in the same loop."""

    async def read():
        while True:
            message = await broker.out.get()
            session.hear(message)
            if answer is not None:
                await answer(session, message)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("readable", [(), ("house",)])
async def test_all_messages_that_come_first_at_once_reach_the_broker(readable):
    broker = Broker(*readable)
    session, messages = session_at(broker), registers(50)
    async with reading(broker, session):
        await asyncio.gather(*map(session.publish, messages))
    assert {message.topic for message in broker.got} == {message.topic for message in messages}
    assert len(broker.got) == 50


async def test_an_answer_needs_no_place_while_all_places_wait_to_be_heard():
    broker = Broker("house")
    session = session_at(broker)

    async def answer(session, message):
        if message.topic == "house/0/registers":
            await session.publish(Message("house/status", "online", 1, retain=True), unheard=True)

    async with reading(broker, session, answer):
        await session.publish(Message("house/first", "x", 1, retain=True))
        # Twice as many as there are places; the first of them is answered while the others wait.
        await asyncio.gather(*map(session.publish, registers(200)))
    assert len(broker.got) == 202
    assert not session.refusals.problem


async def test_who_says_that_a_topic_is_its_own_from_the_reading_loop_waits_for_no_place():
    broker = Broker("house")
    session = session_at(broker)

    async def answer(session, message):
        if message.topic == "house/0/registers":
            await _say(session, Message("house/gateway-claim", "us", 1, retain=True))

    async with reading(broker, session, answer):
        await session.publish(Message("house/first", "x", 1, retain=True))
        await asyncio.gather(*map(session.publish, registers(200)))
    assert len(broker.got) == 202
