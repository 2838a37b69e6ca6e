"""A meter and a client wired together in memory, byte by byte, in made-up time."""

import pytest

from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.events import RequestFailed, ResponseReceived
from osgp.mep.server import Access, MepServer
from osgp.simulator.faults import Faults, FaultyLine
from osgp.simulator.line import Broken, MeterLine
from osgp.simulator.memory import TableMemory
from osgp.simulator.rights import mep_sender

MBK = MeterKey(bytes(range(16)))
MAK = MeterKey(bytes(range(16, 32)))


class Conversation:
    """One client on one simulated line. ``now`` moves as far as each request needs."""

    def __init__(self, faults=(), *, key=MBK, baud=0, seed=1, tables=None, encrypt=False, encrypted_only=False):
        self.memory = TableMemory(tables or {23: bytes(range(220)), 28: bytes(300)}, {})
        self.server = MepServer(
            {Access.BASIC: MBK, Access.ADVANCED: MAK},
            lambda request, access: self.memory.answer(request, mep_sender(access), self.now),
            encrypted_only=encrypted_only,
        )
        self.observed = []
        self.now = 0.0
        self.faulty = FaultyLine(Faults.parse(faults), seed)
        self.line = MeterLine(
            self.server, self.faulty, baud=baud, observe=self.observed.append, jump=self.server.advance
        )
        self.client = MepClient(key, encrypt=encrypt)
        self.heard = []
        self.broken = 0

    def ask(self, request, *, patience=30.0):
        """Return all events of one request, from asking to answer or failure."""
        self.client.request(request, self.now)
        events, until = [], self.now + patience
        while self.now < until:
            events += self._exchange()
            if any(isinstance(event, ResponseReceived | RequestFailed) for event in events):
                return events
            self._advance(until)
        raise AssertionError(f"no end in {patience} s: {events}")

    def value(self, request, **kwargs):
        """Return the response of one request."""
        last = self.ask(request, **kwargs)[-1]
        assert isinstance(last, ResponseReceived), last
        return last.response

    def wait(self, seconds):
        """Let time pass; return the client's events."""
        until = self.now + seconds
        events = []
        while self.now < until:
            events += self._exchange()
            self._advance(until)
        return events

    def _exchange(self):
        """Carry bytes both ways until nobody has more to say at this moment."""
        events = []
        while True:
            sent = self.client.bytes_to_send()
            if sent:
                self.line.hear(sent, self.now)
            came = self.line.poll(self.now)
            self.broken += came.count(Broken.BROKEN)
            for item in came:
                if item is not Broken.BROKEN:
                    self.heard.append((self.now, item))
                    events += self.client.receive(item, self.now)
            events += self.client.expire(self.now)
            if not sent and not came:
                return events

    def _advance(self, until):
        due = [time for time in (self.client.deadline(), self.line.deadline()) if time is not None]
        self.now = min([until, *(max(time, self.now + 1e-6) for time in due)])


@pytest.fixture
def conversation():
    """Make conversations."""
    return Conversation


@pytest.fixture
def mak():
    """Return the advanced key of the simulated meter."""
    return MAK


@pytest.fixture
def mbk():
    """Return the basic key of the simulated meter."""
    return MBK
