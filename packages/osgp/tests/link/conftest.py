"""A client and a server wired together byte by byte, on a clock of their own."""

import heapq
import itertools
from dataclasses import dataclass, field
from random import Random

import pytest

from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.events import RequestFailed, ResponseReceived
from osgp.mep.server import Access, MepServer
from osgp.mep.timing import Line
from osgp.mep.tls_client import TlsClient
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, PartialWrite, Read, Response, ResponseCode, Write

KEY = MeterKey(b"Sixteen secrets!")


class Memory:
    """A handler: tables of bytes. Data begin with the table's number, so that a mixed-up answer is seen."""

    def __init__(self):
        self.tables = {}
        self.asked = []

    def __call__(self, request, access):
        self.asked.append(request)
        memory = self.tables.get(request.table)
        if memory is None:
            return Response(ResponseCode.INAPPROPRIATE_ACTION)
        if isinstance(request, Read):
            return Response(0, bytes(memory))
        if isinstance(request, PartialRead):
            return Response(
                0, bytes(memory[request.offset : request.offset + request.count]).ljust(request.count, b"\0")
            )
        if access is not Access.ADVANCED and request.table != 7:
            return Response(ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE)
        offset = request.offset if isinstance(request, PartialWrite) else 0
        assert isinstance(request, Write | PartialWrite)
        memory[offset : offset + len(request.data)] = request.data
        return Response(0)


@dataclass
class LineModel:
    """What happens to bytes on their way. The defaults are a perfect line."""

    loss: float = 0.0
    """Part of the frames that vanish."""
    noise: float = 0.0
    """Part of the bytes that arrive changed."""
    duplicates: float = 0.0
    """Part of the frames that arrive twice."""
    delay: tuple[float, float] = (0.0, 0.0)
    """Each chunk is late by a time from this range; order is kept."""
    chunk: int = 0
    """Bytes that arrive together; 0: as they were sent."""
    baud: int = 0
    """0: bytes take no time."""
    random: Random = field(default_factory=lambda: Random(20))


class Wire:
    """Runs a client and a server against each other until a request is answered."""

    def __init__(self, client, server, line=None):
        self.client = client
        self.server = server
        self.line = line or LineModel()
        self.now = 0.0
        self.events = []
        self.server_events = []
        self.bytes = 0
        self._queue = []
        self._order = itertools.count()
        self._free = {"up": 0.0, "down": 0.0}

    def _post(self, way, data, at):
        line = self.line
        if line.random.random() < line.loss:
            return at
        for _ in range(2 if line.random.random() < line.duplicates else 1):
            data = bytes(
                byte ^ line.random.randrange(1, 256) if line.random.random() < line.noise else byte for byte in data
            )
            size = line.chunk or len(data)
            for start in range(0, len(data), size):
                chunk = data[start : start + size]
                at = max(at, self._free[way]) + line.random.uniform(*line.delay)
                if line.baud:
                    at += len(chunk) * 10 / line.baud
                self._free[way] = at
                self.bytes += len(chunk)
                heapq.heappush(self._queue, (at, next(self._order), way, chunk))
        return at

    def _exchange(self):
        if data := self.client.bytes_to_send():
            self._post("up", data, self.now)
        at = self.now
        for segment, pause in self.server.take():
            at = self._post("down", segment, at) + pause

    def step(self):
        """Move to the next thing that happens; tell whether there was one."""
        self._exchange()
        times = [time for time in (self.client.deadline(), self.server.deadline()) if time is not None]
        if self._queue:
            times.append(self._queue[0][0])
        if not times:
            return False
        self.now = max(self.now, min(times))
        if self._queue and self._queue[0][0] <= self.now:
            _, _, way, chunk = heapq.heappop(self._queue)
            if way == "up":
                self.server_events += self.server.receive(chunk, self.now)
            else:
                self.events += self.client.receive(chunk, self.now)
        else:
            self.events += self.client.expire(self.now)
            self.server_events += self.server.expire(self.now)
        self._exchange()
        return True

    def ask(self, request):
        """Return the response, or the error the request failed with."""
        seen = len(self.events)
        self.client.request(request, self.now)
        for _ in range(100_000):
            for event in self.events[seen:]:
                if isinstance(event, ResponseReceived | RequestFailed):
                    assert event.request == request
                    return event.response if isinstance(event, ResponseReceived) else event.error
            assert self.step(), "nothing left to happen, and no answer"
        pytest.fail("a request without end")

    def rest(self, seconds):
        """Let time pass."""
        end = self.now + seconds
        while True:
            times = [time for time in (self.client.deadline(), self.server.deadline()) if time is not None]
            times += [item[0] for item in self._queue[:1]]
            if not times or min(times) > end:
                break
            self.step()
        self.now = end


@pytest.fixture
def make_wire():
    """Build a wire: ``make_wire(line, encrypt=..., key=..., **server options)``; tables in ``wire.memory.tables``."""

    def make(line=None, *, encrypt=False, key=KEY, keys=None, timing=None, client=None, **server):
        memory = Memory()
        timing = timing or Line(9600, 0.05)
        wire = Wire(
            MepClient(key, encrypt=encrypt, line=timing) if client is None else client(key, line=timing),
            MepServer(keys or {Access.ADVANCED: KEY}, memory, **server),
            line,
        )
        wire.memory = memory  # type: ignore[attr-defined]
        return wire

    return make


@pytest.fixture
def line_model():
    """The class that describes a line."""
    return LineModel


@pytest.fixture
def make_tls(make_wire):
    """Build a wire in TLS mode; ``tls`` is the meter's rule."""

    def make(line=None, *, tls=TlsRule.REQUIRED, **options):
        wire = make_wire(line, client=TlsClient, tls=tls, **options)
        wire.memory.tables |= {23: bytearray(range(44)), 28: bytearray(b"\x1c" * 220), 50: bytearray(40)}
        return wire

    return make
