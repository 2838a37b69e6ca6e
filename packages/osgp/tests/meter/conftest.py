"""A meter of table memory behind a port that exists only in memory."""

import asyncio
from functools import partial

import pytest

from osgp.errors import TransportError
from osgp.key import MeterKey
from osgp.mep.server import Access, MepServer
from osgp.meter import open_meter
from osgp.ports import connection
from osgp.ports.transport import Address
from osgp.psem import PartialRead, PartialWrite, Read, Response, ResponseCode, Write, table_id

KEY = MeterKey(b"Sixteen secrets!")

TABLES = {
    "BT01": b"NES " + b"83332-3I" + bytes(2) + bytes((0x31, 0x55)),
    "BT20": bytes((0x03, 0, 12, 15, 8, 0, 1, 4, 0, 55)),
    "BT21": bytes((0x03, 0, 0, 11, 0, 0, 0, 4, 0, 22)),
    "BT22": bytes((*range(8), 26, 27, 28)),
    "BT23": b"".join((1000 * block + place).to_bytes(4, "little") for block in range(1, 6) for place in range(11)),
    "BT27": bytes((*range(8, 26), *range(81, 85))),
    "BT28": b"".join((100 + place).to_bytes(4, "little") for place in range(22)),
    "BT52": bytes.fromhex("0402100F3B37") + b"\x08",
    "ET03": b"LGZ0012345678".ljust(30, b" ") + bytes(113),
    "ET04": bytes(116) + b"\x07" + bytes(6),
}


class FakeMeter:
    """Answers like a meter; its habits can be changed."""

    def __init__(self):
        self.tables = {table_id(name): bytearray(data) for name, data in TABLES.items()}
        self.server = MepServer({Access.ADVANCED: KEY}, self.carry_out)
        self.asked = []
        self.longest = 10_000
        """Longer partial reads are refused."""
        self.full_reads = True
        self.deaf = False
        self.on_write = None
        self.ports = []

    def carry_out(self, request, access):
        self.asked.append(request)
        memory = self.tables.get(request.table)
        if memory is None:
            return Response(ResponseCode.INAPPROPRIATE_ACTION)
        if isinstance(request, Read):
            return Response(0, bytes(memory)) if self.full_reads else Response(ResponseCode.OPERATION_NOT_POSSIBLE)
        if isinstance(request, PartialRead):
            if request.count > self.longest:
                return Response(ResponseCode.OPERATION_NOT_POSSIBLE)
            data = bytes(memory[request.offset : request.offset + request.count])
            return Response(0, data.ljust(request.count, b"\0"))
        if self.on_write is not None and (response := self.on_write(request)) is not None:
            return response
        offset = request.offset if isinstance(request, PartialWrite) else 0
        assert isinstance(request, Write | PartialWrite)
        memory[offset : offset + len(request.data)] = request.data
        return Response(0)


class FakePort:
    """A port whose other end is a :class:`FakeMeter`."""

    def __init__(self, meter, address, on_bytes, on_lost):
        self.meter, self.address, self.on_bytes, self.on_lost = meter, address, on_bytes, on_lost
        self.loop = asyncio.get_running_loop()
        self.open = True
        self.lines = []
        self.sent = []
        meter.ports.append(self)

    def write(self, data):
        if not self.open:
            raise TransportError("gone")
        self.sent.append(data)
        if not self.meter.deaf:
            self.loop.call_soon(self.hear, data)

    def hear(self, data):
        self.meter.server.receive(data, self.loop.time())
        self.deliver()

    def deliver(self):
        for data, _ in self.meter.server.take():
            self.loop.call_soon(self.arrive, data)
        deadline = self.meter.server.deadline()
        if deadline is not None and self.open:
            self.loop.call_at(deadline, self.wake)

    def wake(self):
        self.meter.server.expire(self.loop.time())
        self.deliver()

    def arrive(self, data):
        if self.open:
            self.on_bytes(data)

    async def set_lines(self, **lines):
        self.lines.append(lines)

    async def close(self):
        self.open = False

    def unplug(self):
        self.open = False
        self.on_lost(TransportError("the serial port is gone"))


@pytest.fixture
def fake(monkeypatch):
    """Give a meter that every address leads to."""
    meter = FakeMeter()

    async def open_port(address, on_bytes, on_lost):
        return FakePort(meter, address, on_bytes, on_lost)

    monkeypatch.setattr(connection, "open_port", open_port)
    return meter


@pytest.fixture
def opened(fake, virtual_clock):
    """Open the fake meter: ``async with opened(**options) as meter``."""
    return partial(open_meter, str(Address("serial", path="/dev/ttyFAKE")), key=KEY)
