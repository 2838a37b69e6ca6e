"""A broker is tried with a real message, by our own client, and nothing of it stays there."""

import asyncio
import socket
from contextlib import suppress

import aiomqtt
import pytest

from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.setup import brokers
from nes2mqtt.setup.brokers import NearBroker, _try, near_brokers, try_broker


def section(broker, **changed):
    return MqttConfig.model_validate(
        {
            "host": "127.0.0.1",
            "port": broker.port,
            "username": broker.user,
            "password": broker.password,
            "base_topic": "raspberrypi",
            "dialects": ("nmr-raw",),
            **changed,
        }
    )


async def retained(broker):
    """Return what a broker keeps, heard by another client than ours."""
    kept: list[str] = []
    async with aiomqtt.Client("127.0.0.1", broker.port, username=broker.user, password=broker.password) as client:
        await client.subscribe("#")
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                async for message in client.messages:
                    kept.append(str(message.topic))  # noqa: PERF401 - what came counts when the time is over
    return kept


@pytest.mark.parametrize("protocol", ["auto", "3.1.1"])
async def test_a_broker_that_takes_our_messages(broker_with_users, protocol):
    assert await try_broker(section(broker_with_users, protocol=protocol)) is None
    assert await retained(broker_with_users) == []


@pytest.mark.parametrize(
    ("changed", "code", "field", "passable"),
    [
        ({"password": "wrong"}, "broker_password", "broker_password", False),
        ({"username": None, "password": None}, "broker_password", "broker_password", False),
        ({"base_topic": "elsewhere"}, "broker_forbids", "", True),
        ({"dialects": ("homeassistant",)}, "broker_forbids", "", True),
        ({"host": "no-such-host.invalid"}, "broker_unknown", "host", True),
        ({"port": 1}, "broker_nobody", "host", True),
        ({"tls": {"enabled": True}}, "broker_no_tls", "tls", True),
    ],
)
async def test_what_is_wrong_is_told_with_the_field_to_look_at(broker_with_users, changed, code, field, passable):
    said = await try_broker(section(broker_with_users, **changed))
    assert (said.code, said.field, said.passable) == (code, field, passable)
    assert broker_with_users.password not in str(said)


class SilentlyDropping:
    """A connection to a broker of MQTT 3.1.1 whose access list drops what it confirms."""

    def __init__(self):
        self.published = []

    async def connect(self):
        pass

    async def subscribe(self, topics):
        return [None for _ in topics]

    async def publish(self, message):
        self.published.append((message.topic, message.payload))

    async def messages(self):
        await asyncio.Event().wait()
        yield

    async def disconnect(self):
        pass

    def hang_up(self):
        pass


@pytest.mark.virtual_clock
async def test_a_broker_that_confirms_and_drops_is_found_out_as_nothing_comes_back():
    client = SilentlyDropping()
    said = await _try(client, ["raspberrypi/setup/x"], MqttConfig(host="h"))
    assert (said.code, said.passable) == ("broker_drops", True)
    assert client.published == [("raspberrypi/setup/x", "test"), ("raspberrypi/setup/x", "")]


async def test_what_is_no_broker(broker_with_users):
    async def answer(_reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    said = await try_broker(section(broker_with_users, port=port))
    assert said.code == "broker_no_mqtt"
    server.close()


async def nothing_announced(_kinds):
    return []


async def test_brokers_that_are_near(broker_with_users, monkeypatch):
    monkeypatch.setattr(brokers, "_KNOCK", 60.0)  # a busy computer takes more than a second for a connection
    hosts, port = ["127.0.0.1", "no-such-host.invalid"], broker_with_users.port
    assert await near_brokers(hosts, port, nothing_announced) == [NearBroker("127.0.0.1", port)]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        assert await near_brokers(["127.0.0.1"], free.getsockname()[1], nothing_announced) == []
