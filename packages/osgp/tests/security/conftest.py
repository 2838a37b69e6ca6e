"""Somebody in the middle: a relay between a client and a simulated meter that sees, keeps and changes frames."""

import asyncio

import pytest

from osgp.simulator import SimulatedMeter


class Relay:
    """Passes frames between a client and a meter's TCP port, through two hooks.

    ``from_client`` and ``from_meter`` take one frame, its length included, and return what to pass on in its place.
    """

    def __init__(self, meter_url):
        self.meter = meter_url.removeprefix("tcp://").rsplit(":", 1)
        self.from_client = lambda frame: [frame]
        self.from_meter = lambda frame: [frame]
        self.requests = []
        self.replies = []
        self.to_client = None
        self.tasks = set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.url = f"tcp://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def serve(self, reader, writer):
        host, port = self.meter
        meter_reader, meter_writer = await asyncio.open_connection(host, int(port))
        self.to_client = writer
        ways = (
            self.carry(reader, meter_writer, self.requests, "from_client"),
            self.carry(meter_reader, writer, self.replies, "from_meter"),
        )
        tasks = [asyncio.create_task(way) for way in ways]
        self.tasks.update(tasks)
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        writer.close()
        meter_writer.close()

    async def carry(self, reader, writer, seen, hook):
        try:
            while True:
                head = await reader.readexactly(2)
                frame = head + await reader.readexactly(int.from_bytes(head, "big"))
                seen.append(frame)
                for part in getattr(self, hook)(frame):
                    writer.write(part)
        except (asyncio.IncompleteReadError, OSError):
            return


@pytest.fixture
async def relay(virtual_clock):
    """Give a relay in front of a simulated meter with the demonstration key."""
    async with SimulatedMeter() as meter, Relay(await meter.serve_tcp()) as between:
        yield between
