"""A broker, or somebody in its place, that speaks no MQTT: the connection ends, costs nothing more, and is made anew."""

import asyncio
import contextlib
import socket
import threading

import pytest

from nes2mqtt.outputs.mqtt.claims.instances import Instances
from nes2mqtt.outputs.mqtt.client import broker as client_module
from nes2mqtt.outputs.mqtt.client.broker import Broker, Pace
from nes2mqtt.outputs.mqtt.client.connection import Received
from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.client.wire_client import UNREAD
from nes2mqtt.outputs.mqtt.config import MqttConfig

GREETING = b"\x20\x02\x00\x00"
BROKEN = {
    "a topic that is no text": b"\x30\x06\x00\x02\xff\xfeab",
    "a topic longer than its message": b"\x30\x04\xff\xffab",
    "an empty message": b"\x30\x00",
    "a confirmation cut short": b"\x40\x01\x00",
    "a length without end": b"\x30\xff\xff\xff\xff\xff",
    "a second kind of nothing": b"\x00\x00",
}


class HostileBroker:
    """Greets, confirms every PUBLISH, says what it was told to say, and notes when the other side hangs up."""

    def __init__(self, says):
        self.says = says
        self.connections = 0
        self.hung_up = asyncio.Event()
        self.back = asyncio.Event()
        self.confirmed = asyncio.Event()
        """The message that ends a flood, number 0x1234, is confirmed."""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        self.connections += 1
        if self.connections > 1:
            self.back.set()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await reader.read(1000)
            writer.write(GREETING)
            publish = await reader.read(1000)
            place = 4 + int.from_bytes(publish[2:4], "big")
            writer.write(b"\x40\x02" + publish[place : place + 2] + self.says)
            while said := await reader.read(1000):
                if b"\x40\x02\x12\x34" in said:
                    self.confirmed.set()
        self.hung_up.set()
        writer.close()


@contextlib.asynccontextmanager
async def connected(hostile, heard, work=None, **settings):
    async def nothing(_session):
        await asyncio.Event().wait()

    config = MqttConfig.model_validate({"host": "127.0.0.1", "port": hostile.port, "protocol": "3.1.1", **settings})
    broker = Broker(config, "gateway", Will("status"), work or nothing, heard, Pace(0.01, 0.02))
    task = asyncio.create_task(broker.run())
    try:
        yield broker
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("says", BROKEN.values(), ids=BROKEN)
async def test_after_bytes_that_are_no_mqtt_the_connection_is_closed(says, monkeypatch):
    monkeypatch.setattr(client_module, "FAREWELL", 0.05)

    async def heard(_session, _message):
        pytest.fail("nothing was said")

    async with HostileBroker(says * 50) as hostile, connected(hostile, heard) as broker:
        async with asyncio.timeout(60):
            await hostile.hung_up.wait()
            await hostile.back.wait()
        problem = broker.problem or "closed the connection"
        assert "closed the connection" in problem or "no MQTT" in problem


async def nobody(_session, _message):
    pytest.fail("nothing was said")


async def test_n4_a_connection_given_up_while_its_name_is_looked_up_does_not_come_about(monkeypatch):
    """A broker behind a slow name service: the ten seconds are over, and then its address is there."""
    asked, go, answered = threading.Event(), threading.Event(), threading.Event()
    look_up = socket.getaddrinfo

    def slow(*arguments, **more):
        asked.set()
        assert go.wait(10)
        answered.set()
        return look_up(*arguments, **more)

    async with HostileBroker(b"") as hostile:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        async with connected(hostile, nobody):
            await asyncio.to_thread(asked.wait, 10)
        go.set()
        await asyncio.to_thread(answered.wait, 10)
        monkeypatch.undo()
        _, writer = await asyncio.open_connection("127.0.0.1", hostile.port)  # whoever came first was let in first
        writer.close()
        async with asyncio.timeout(60):
            await hostile.hung_up.wait()
        assert hostile.connections == 1


async def test_n4_a_connection_given_up_while_its_encryption_is_agreed_on_is_closed():
    knocked, hung_up = asyncio.Event(), asyncio.Event()

    async def mute(reader, writer):
        while await reader.read(1000):
            knocked.set()
        hung_up.set()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    server.port = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    async with server, asyncio.timeout(60):
        async with connected(server, nobody, tls={"insecure": True}):
            await knocked.wait()
        await hung_up.wait()


@pytest.mark.parametrize("says", BROKEN.values(), ids=BROKEN)
async def test_n4_when_it_ends_while_something_is_published_asyncio_has_nothing_to_say(says, monkeypatch):
    """Bytes that are no MQTT in the same turn of the loop in which something is to be sent."""
    monkeypatch.setattr(client_module, "FAREWELL", 0.05)
    errors = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: errors.append(context))

    async def publish(session):
        while True:
            await session.publish(Message("house", "1" * 500))
            await asyncio.sleep(0)

    async with HostileBroker(says * 50) as hostile, connected(hostile, nobody, publish):
        async with asyncio.timeout(60):
            await hostile.back.wait()
    assert errors == []


async def test_a_flood_of_messages_is_not_kept():
    flood = b"\x30\x0b\x00\x06statusoff" * (UNREAD * 10) + b"\x32\x0d\x00\x06status\x12\x34off"
    count = 0
    begun, blocked = asyncio.Event(), asyncio.Event()

    async def heard(_session, _message):
        nonlocal count
        count += 1
        begun.set()
        await blocked.wait()

    async with HostileBroker(flood) as hostile, connected(hostile, heard):
        async with asyncio.timeout(60):
            await begun.wait()
            await hostile.confirmed.wait()  # by then all of it was read
        blocked.set()
        for _ in range(10 * UNREAD):
            await asyncio.sleep(0)  # each turn hands over one at least
        assert UNREAD <= count <= UNREAD + 1


@pytest.mark.parametrize(
    "payload",
    [
        "[" * 3000,
        '{"instance":' * 3000,
        "[" * 1000,
        "9" * 5000,
        "",
        "null",
        "[]",
        '{"instance": 1}',
        '{"instance": "x", "name": "%s", "host": "h"}' % ("n" * 3000),
    ],
)
def test_b6_what_is_no_claim_of_a_gateway_is_passed_over(payload):
    instances = Instances("nes2mqtt", "home", "us")
    assert instances.hear(Received("nes2mqtt/gateway", payload, retained=False), 0) is None
    assert instances.others(0) == []
