"""A broker, or somebody in its place, that speaks no MQTT: the connection ends, costs nothing more, and is made anew."""

import asyncio
import contextlib

import pytest

from nes2mqtt.mqtt import client as client_module
from nes2mqtt.mqtt.client import Broker, Pace
from nes2mqtt.mqtt.config import MqttConfig
from nes2mqtt.mqtt.library import UNREAD
from nes2mqtt.mqtt.message import Will

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
            while await reader.read(1000):
                pass
        self.hung_up.set()
        writer.close()


@contextlib.asynccontextmanager
async def connected(hostile, heard):
    async def work(_session):
        await asyncio.Event().wait()

    config = MqttConfig(host="127.0.0.1", port=hostile.port, protocol="3.1.1")
    broker = Broker(config, "gateway", Will("status"), work, heard, Pace(0.01, 0.02))
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
        async with asyncio.timeout(5):
            await hostile.hung_up.wait()
            await hostile.back.wait()
        problem = broker.problem or "closed the connection"
        assert "closed the connection" in problem or "no MQTT" in problem


async def test_a_flood_of_messages_is_not_kept():
    flood = b"\x30\x0b\x00\x06statusoff" * (UNREAD * 10)
    count = 0
    begun, blocked = asyncio.Event(), asyncio.Event()

    async def heard(_session, _message):
        nonlocal count
        count += 1
        begun.set()
        await blocked.wait()

    async with HostileBroker(flood) as hostile, connected(hostile, heard):
        async with asyncio.timeout(5):
            await begun.wait()
        await asyncio.sleep(0.2)
        blocked.set()
        await asyncio.sleep(0.1)
        assert 0 < count <= UNREAD + 1
