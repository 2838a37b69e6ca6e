"""Two ends of an optical port on one line in memory, with a clock that jumps.

Ask for the fixture ``optical``, which is :class:`Bench`: ``optical.pair()`` puts a client and a meter on a :class:`Wire`.
"""

import heapq
import random
from itertools import count

import pytest

from osgp.optical.events import Identified, RequestFailed, ResponseReceived, SessionFailed, SessionOpened
from osgp.optical.key import OpticalKey
from osgp.optical.server import Access, OpticalServer
from osgp.optical.session import OpticalClient
from osgp.psem import PartialRead, PartialWrite, Read, Response, ResponseCode, Write

KEYS = {
    Access.READ_ONLY: OpticalKey(b"read-only key of 20 b"[:20]),
    Access.PROVISIONING: OpticalKey(b"provisioning key 20b"),
    Access.UNIQUE: OpticalKey(b"unique key, 20 bytes"),
}


def perfect(data):
    """Everything at once."""
    return [(0.0, data)]


def byte_by_byte(data):
    """Each byte alone, at 9600 baud."""
    return [(place * 10 / 9600, data[place : place + 1]) for place in range(len(data))]


class Lossy:
    """Loses a share of what is sent in one go."""

    def __init__(self, share=0.2, seed=1):
        self.share, self.random = share, random.Random(seed)

    def __call__(self, data):
        return [] if self.random.random() < self.share else [(0.0, data)]


class Flipping:
    """Flips one bit in a share of the bytes."""

    def __init__(self, share=1e-3, seed=1):
        self.share, self.random = share, random.Random(seed)

    def __call__(self, data):
        rnd = self.random
        return [(0.0, bytes(byte ^ (1 << rnd.randrange(8)) if rnd.random() < self.share else byte for byte in data))]


class Delayed:
    """Keeps everything for some time, in order."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __call__(self, data):
        return [(self.seconds, data)]


class Memory:
    """A handler: tables in memory, and what was asked."""

    def __init__(self, tables=None):
        self.tables = {table: bytearray(data) for table, data in (tables or {}).items()}
        self.asked = []

    def __call__(self, request, access):
        self.asked.append(request)
        table = self.tables.get(request.table)
        if table is None:
            return Response(ResponseCode.INAPPROPRIATE_ACTION)
        match request:
            case Read():
                return Response(0, bytes(table))
            case PartialRead(_, offset, size):
                return Response(0, bytes(table[offset : offset + size]))
            case Write(_, data):
                table[:] = data
            case PartialWrite(_, offset, data):
                table[offset : offset + len(data)] = data
        return Response(0)


class Wire:
    """A client and a meter, and what is on its way between them."""

    def __init__(self, client, server, up=perfect, down=perfect, *, echo=False):
        self.client, self.server = client, server
        self.up, self.down, self.echo = up, down, echo
        self.now = 0.0
        self.events, self.server_events = [], []
        self.sent, self.answered = [], []
        self._queue, self._order = [], count()

    def put(self, target, data, delay=0.0):
        """Let bytes arrive at an end."""
        heapq.heappush(self._queue, (self.now + delay, next(self._order), target, data))

    def step(self, until=float("inf")):
        """Do what is due next; False when nothing is, up to that time."""
        self._send()
        times = [self.client.deadline(), self.server.deadline() if self.server else None]
        times += [self._queue[0][0]] if self._queue else []
        due = min((time for time in times if time is not None), default=float("inf"))
        if due > until:
            self.now = max(self.now, until if until != float("inf") else self.now)
            return False
        self.now = max(self.now, due)
        if self._queue and self._queue[0][0] <= self.now:
            _, _, target, data = heapq.heappop(self._queue)
            if target == "client":
                self.events += self.client.receive(data, self.now)
            elif self.server:
                self.server_events += self.server.receive(data, self.now)
        self._send()
        self.events += self.client.expire(self.now)
        if self.server:
            self.server_events += self.server.expire(self.now)
        self._send()
        return True

    def run(self, seconds):
        """Let so much time pass."""
        end = self.now + seconds
        while self.step(end):
            pass

    def result(self, patience=1000.0):
        """Run until the client has its answer and return the event."""
        end = self.now + patience
        seen = len(self.events)
        while True:
            for event in self.events[seen:]:
                if isinstance(event, ResponseReceived | RequestFailed | SessionFailed):
                    self.run(0.01)
                    return event
                if not self.client.busy and isinstance(event, Identified | SessionOpened):
                    return event
            seen = len(self.events)
            assert self.step(end), "the client owes an answer"

    def ask(self, request, patience=1000.0):
        """Ask and return the event that answers."""
        self.client.request(request, self.now)
        return self.result(patience)

    def _send(self):
        data = self.client.bytes_to_send()
        if data:
            self.sent.append((self.now, data))
            if self.echo:
                for delay, part in perfect(data):
                    self.put("client", part, delay)
            for delay, part in self.up(data):
                self.put("server", part, delay)
        for data, _ in self.server.take() if self.server else ():
            self.answered.append((self.now, data))
            for delay, part in self.down(data):
                self.put("client", part, delay)


class Bench:
    """What the tests take from here; test folders are no packages."""

    KEYS = KEYS
    Wire, Memory = Wire, Memory
    Lossy, Flipping, Delayed = Lossy, Flipping, Delayed
    perfect, byte_by_byte = staticmethod(perfect), staticmethod(byte_by_byte)

    @staticmethod
    def pair(tables=None, *, access=Access.READ_ONLY, key=None, settings=None, meter=None, line=None, **wire):
        """Return a wire between a client and a meter with these tables, and the meter's memory."""
        memory = Memory(tables if tables is not None else {23: bytes(range(220)), 28: bytes(range(164)), 1: bytes(24)})
        server = OpticalServer(KEYS, memory, meter=meter)
        client = OpticalClient(key or KEYS[access], settings=settings, line=line)
        return Wire(client, server, **wire), memory


@pytest.fixture(scope="session")
def optical():
    """Return the bench."""
    return Bench
