"""The meter's end alone: what it allows when, and what it forgets."""

import pytest

from osgp.optical.datalink.packet import ACK, NAK, Packet, PacketReader
from osgp.optical.events import DropReason, EndReason, RequestDropped, ServiceRefused, SessionEnded
from osgp.optical.server import Access, FirstPacket, Meter, OpticalServer
from osgp.optical.services import (
    Identify,
    Logoff,
    Logon,
    Negotiate,
    OpticalResponseCode,
    Security,
    Terminate,
    Wait,
    encode_service,
)
from osgp.optical.states import AFTER, State
from osgp.optical.timing import CHANNEL_TRAFFIC, HOLD_OFF, SESSION_LIMIT, Limits, Line
from osgp.psem import PartialRead, PartialWrite, Read, Write

ACKNOWLEDGE = bytes((ACK,))
LINE = Line(turnaround=0.0)


class Talk:
    """Asks a server one service after another and acknowledges its answers."""

    def __init__(self, optical, tables=None, **meter):
        self.memory = optical.Memory(tables or {1: b"one", 28: bytes(range(100))})
        self.server = OpticalServer(optical.KEYS, self.memory, meter=Meter(**meter), line=LINE)
        self.password = optical.KEYS[Access.UNIQUE].password()
        self.now, self.toggle, self.events = 0.0, True, []

    def put(self, data):
        self.events += self.server.receive(data, self.now)
        self.events += self.server.expire(self.now)
        return b"".join(part for part, _ in self.server.take())

    def ask(self, service):
        """Return the message that answers; None for silence."""
        self.toggle = not self.toggle
        message = service if isinstance(service, bytes) else encode_service(service)
        answer = self.put(Packet(message, self.toggle).encode())
        if not answer:
            return None
        parts = [item.data for item in PacketReader(8192).feed(answer) if isinstance(item, Packet)]
        while more := self.put(ACKNOWLEDGE):
            parts += [item.data for item in PacketReader(8192).feed(more) if isinstance(item, Packet)]
        return b"".join(parts)

    def wait(self, seconds):
        end = self.now + seconds
        while (due := self.server.deadline()) is not None and due <= end:
            self.now = due
            self.events += self.server.expire(due)
            self.server.take()
        self.now = end

    def reach(self, state):
        path = {
            State.BASE: [],
            State.IDENTIFIED: [Identify()],
            State.SETTLED: [Identify(), Negotiate(Limits(128, 2))],
            State.LOGGED_ON: [Identify(), Logon(1)],
            State.SECURED: [Identify(), Logon(1), Security(self.password)],
        }
        for service in path[state]:
            assert self.ask(service)[0] == 0
        assert self.server.state is state


EVERY = [
    Identify(),
    Terminate(),
    Logoff(),
    Negotiate(Limits(128, 2)),
    Logon(7, b"name"),
    Wait(10),
    Read(1),
    PartialRead(1, 0, 3),
    Write(1, b"one"),
    PartialWrite(1, 0, b"o"),
]


@pytest.mark.parametrize("service", EVERY, ids=lambda service: type(service).__name__)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_each_service_is_allowed_where_the_table_says(optical, state, service):
    talk = Talk(optical)
    talk.reach(state)
    answer = talk.ask(service)
    after = AFTER[state].get(type(service))
    if after is None:
        assert answer == bytes((OpticalResponseCode.ISSS,))
        assert talk.server.state is state
    elif state is State.LOGGED_ON and isinstance(service, Write | PartialWrite):
        assert answer == bytes((OpticalResponseCode.ISC,))
    else:
        assert answer[0] == OpticalResponseCode.OK
        assert talk.server.state is after


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"\x53", OpticalResponseCode.SNS),
        (b"\x71\x01", OpticalResponseCode.SNS),
        (b"\x31\x00\x17\x00\x00\x00\x01", OpticalResponseCode.SNS),
        (b"\x30\x00", OpticalResponseCode.ERR),
        (b"\x40\x00\x01\x00\x01\xaa\x00", OpticalResponseCode.ERR),
        (b"\x60\x00\x04\x01", OpticalResponseCode.ERR),
    ],
    ids=["authenticate", "timing setup", "by index", "too short", "wrong checksum", "impossible size"],
)
def test_what_is_no_service_is_refused(optical, message, code):
    talk = Talk(optical)
    talk.reach(State.SECURED)
    assert talk.ask(message) == bytes((code,))
    assert RequestDropped(DropReason.CONTENT) in talk.events
    assert talk.memory.asked == []


@pytest.mark.parametrize("access", [Access.READ_ONLY, Access.PROVISIONING, Access.UNIQUE])
def test_each_key_opens_its_own_rights(optical, access):
    talk = Talk(optical)
    talk.reach(State.LOGGED_ON)
    assert talk.ask(Security(optical.KEYS[access].password())) == b"\0"
    assert talk.server.access is access
    assert talk.ask(Logoff()) == b"\0"
    assert talk.server.access is Access.NONE


def test_all_twenty_bytes_of_a_key_count(optical):
    talk = Talk(optical)
    talk.reach(State.LOGGED_ON)
    assert talk.ask(Security(talk.password[:-1] + b"?")) == bytes((OpticalResponseCode.ISC,))
    assert ServiceRefused("Security", OpticalResponseCode.ISC) in talk.events
    assert talk.server.state is State.LOGGED_ON


def test_the_last_packet_is_forgotten_when_a_session_ends(optical):
    talk = Talk(optical)
    for _ in range(3):
        talk.toggle = True  # every session of this client begins with toggle 0
        assert talk.ask(Identify())[0] == 0
        assert talk.ask(Terminate()) == b"\0"
    talk.toggle = True
    assert talk.ask(Identify())[0] == 0
    talk.toggle = True
    assert talk.ask(Identify()) == b""
    assert RequestDropped(DropReason.DUPLICATE) in talk.events
    talk.wait(CHANNEL_TRAFFIC)
    assert talk.events[-1] == SessionEnded(EndReason.IDLE)
    talk.toggle = True
    assert talk.ask(Identify())[0] == 0


def test_wait_lengthens_one_silence(optical):
    talk = Talk(optical)
    talk.reach(State.SECURED)
    assert talk.ask(Wait(60)) == b"\0"
    talk.wait(59)
    assert talk.server.state is State.SECURED
    assert talk.ask(Read(1))[0] == 0
    talk.wait(CHANNEL_TRAFFIC)
    assert talk.server.state is State.BASE


def test_the_guard_ends_a_long_session_and_makes_the_port_deaf(optical):
    talk = Talk(optical)
    talk.reach(State.SECURED)
    while talk.now < SESSION_LIMIT - 5:
        assert talk.ask(Read(1))[0] == 0
        talk.wait(5)
    assert talk.ask(Read(1))[0] == 0
    talk.wait(5)
    assert talk.events[-1] == SessionEnded(EndReason.GUARD)
    assert talk.ask(Identify()) is None
    talk.wait(HOLD_OFF)
    assert talk.ask(Identify())[0] == 0


def test_an_answer_that_does_not_fit_is_not_possible(optical):
    talk = Talk(optical)
    talk.reach(State.SECURED)
    assert talk.ask(Read(28)) == bytes((OpticalResponseCode.ONP,))
    assert talk.ask(PartialRead(28, 90, 20))[3:-1] == bytes(range(90, 100)) + bytes(10)
    assert talk.ask(Terminate()) == b"\0"
    talk.toggle = True
    talk.reach(State.SETTLED)
    assert talk.ask(Logon(1)) == b"\0"
    assert talk.ask(Security(talk.password)) == b"\0"
    assert talk.ask(Read(28))[3:-1] == bytes(range(100))


@pytest.mark.parametrize(("first", "answer"), [(FirstPacket.DAMAGED, bytes((NAK,))), (FirstPacket.MISSED, b"")])
@pytest.mark.parametrize("size", [1, 2, 9])
def test_the_first_packet_wakes_a_shared_uart(optical, first, answer, size):
    talk = Talk(optical, first_packet=first)
    assert talk.put(b"\x00\x14\x3f") == b""
    frame = Packet(encode_service(Identify())).encode()
    heard = b"".join(talk.put(frame[at : at + size]) for at in range(0, len(frame), size))
    while (due := talk.server.deadline()) is not None and due <= talk.now + 1:
        talk.now = due
        heard += talk.put(b"")
    assert heard == answer
    assert talk.put(frame)[:1] == ACKNOWLEDGE


def test_07_02_a_strict_meter_takes_the_same_toggle_for_a_duplicate(optical):
    for strict in (False, True):
        talk = Talk(optical, strict_toggle=strict)
        talk.reach(State.SECURED)
        assert talk.ask(PartialRead(28, 0, 4))[3:7] == bytes(range(4))
        talk.toggle = not talk.toggle
        answer = talk.ask(PartialRead(28, 8, 4))
        if strict:
            assert not answer
            assert talk.events[-1] == RequestDropped(DropReason.DUPLICATE)
        else:
            assert answer[3:7] == bytes(range(8, 12))


def test_07_02_a_strict_meter_hears_the_next_client_whatever_its_toggle(optical):
    talk = Talk(optical, strict_toggle=True)
    talk.reach(State.SECURED)
    toggle = not talk.toggle
    assert talk.put(Packet(encode_service(Terminate()), toggle).encode())  # the ACK of its answer is lost
    again = talk.put(Packet(encode_service(Terminate()), toggle).encode())
    assert not [item for item in PacketReader(64).feed(again) if isinstance(item, Packet)], "a duplicate still"
    answer = talk.put(Packet(encode_service(Identify()), toggle).encode())
    assert [item for item in PacketReader(64).feed(answer) if isinstance(item, Packet)]
    assert talk.server.state is State.IDENTIFIED
