"""A client and a meter in TLS mode on one line: what is asked arrives, whatever the line does, and nothing else ever does."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from printed_tls_session import (
    CLIENT_PROOF,
    CLIENT_RANDOM,
    GREETING,
    HELLO,
    PSK,
    REPLY,
    REQUEST,
    SERVER_PROOF,
    SERVER_RANDOM,
    SESSION_ID,
    printed_random,
)

from osgp.errors import (
    KeyRejected,
    LinkError,
    LinkRefused,
    MisuseError,
    ResponseTimeout,
    TlsError,
    TlsUnavailable,
    WriteUncertain,
)
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.events import (
    AlertReceived,
    DropReason,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Retried,
    TlsSessionLost,
    TlsSessionOpened,
)
from osgp.mep.server import Access, MepServer
from osgp.mep.tls import records
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_client import DECLINES, HANDSHAKES, REFUSALS_PROVEN, TRIES, TlsClient
from osgp.mep.tls_frames import HANDSHAKE_PATIENCE, MAX_TLS_READ, MAX_TLS_WRITE
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, PartialWrite, Read, Response, ResponseCode

KEY = MeterKey(b"Sixteen secrets!")
OTHER = MeterKey(b"somebody's key..")
BT23 = PartialRead(23, 0, 44)
ENDS_SESSION = bytes.fromhex("0002 57 00")
NO_SESSION = bytes.fromhex("0001 0A")


def opened(wire):
    return [event for event in wire.events if isinstance(event, TlsSessionOpened)]


def lost(wire):
    return [event for event in wire.events if isinstance(event, TlsSessionLost)]


def answer(server):
    return b"".join(segment for segment, _ in server.take())


class TestPrinted:
    """The whole printed session in frames (MEP guide v1.1 p. 14-15)."""

    def test_client_sends_what_the_guide_prints(self):
        client = TlsClient(MeterKey(PSK), random=lambda size: CLIENT_RANDOM)
        client._key_id = KeyId.ADVANCED
        client.request(PartialRead(2048 + 70, 142, 1), 0.0)
        events = []
        for at, (sent, reply) in enumerate([(HELLO, GREETING), (CLIENT_PROOF, SERVER_PROOF), (REQUEST, REPLY)]):
            client.expire(at / 5)
            assert client.bytes_to_send() == sent
            events += client.receive(reply, at / 5 + 0.1)
        assert events == [
            TlsSessionOpened(KeyId.ADVANCED),
            ResponseReceived(PartialRead(2048 + 70, 142, 1), Response(0, b"\x02")),
        ]

    def test_meter_answers_what_the_guide_prints(self):
        server = MepServer(
            {Access.ADVANCED: MeterKey(PSK)},
            lambda request, access: Response(0, b"\x02"),
            tls=TlsRule.REQUIRED,
            random=printed_random(SERVER_RANDOM, SESSION_ID),
        )
        for at, (sent, reply) in enumerate([(HELLO, GREETING), (CLIENT_PROOF, SERVER_PROOF), (REQUEST, REPLY)]):
            server.receive(sent, float(at))
            assert answer(server) == reply


def test_reads_follow_each_other_in_one_session(make_tls):
    wire = make_tls()
    for _ in range(3):
        assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert wire.ask(Read(28)) == Response(0, b"\x1c" * 220)
    assert len(opened(wire)) == 1
    assert wire.client.proven


def test_a_code_of_the_meter_is_an_answer(make_tls):
    wire = make_tls()
    assert wire.ask(PartialRead(99, 0, 4)).code == ResponseCode.INAPPROPRIATE_ACTION
    assert wire.ask(BT23).ok
    assert len(opened(wire)) == 1


def test_the_longest_read_and_write_fit(make_tls):
    wire = make_tls()
    wire.memory.tables[50] = bytearray(1000)
    assert wire.ask(PartialRead(50, 0, MAX_TLS_READ)) == Response(0, bytes(MAX_TLS_READ))
    assert wire.ask(PartialWrite(50, 0, b"w" * MAX_TLS_WRITE)).ok
    assert wire.memory.tables[50][:MAX_TLS_WRITE] == b"w" * MAX_TLS_WRITE
    with pytest.raises(MisuseError):
        wire.client.request(PartialWrite(50, 0, b"w" * (MAX_TLS_WRITE + 1)), wire.now)
    assert wire.ask(PartialRead(50, 0, MAX_TLS_READ + 1)).code == ResponseCode.OPERATION_NOT_POSSIBLE


@pytest.mark.parametrize("access", Access)
def test_the_key_is_tried_as_basic_and_as_advanced_one(make_tls, access):
    wire = make_tls(keys={access: KEY, Access(1 - access): OTHER})
    write = PartialWrite(50, 0, b"x")
    assert wire.ask(write).code == (0 if access is Access.ADVANCED else ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE)
    assert opened(wire) == [TlsSessionOpened(KeyId(access))]


def test_a_wrong_key_is_named(make_tls):
    wire = make_tls(key=OTHER)
    error = wire.ask(BT23)
    assert isinstance(error, KeyRejected)
    assert not wire.client.proven
    assert wire.client.spoke_tls
    assert not wire.memory.asked


def test_a_key_that_was_right_is_not_called_wrong_at_once(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    wire.server = MepServer({Access.ADVANCED: OTHER}, wire.memory, tls=TlsRule.REQUIRED)
    before = len(wire.events)
    error = wire.ask(BT23)
    assert isinstance(error, LinkRefused)
    refused = [event for event in wire.events[before:] if event == ReplyDropped(DropReason.REFUSED)]
    assert len(refused) == REFUSALS_PROVEN + 1  # the first says that there is no session
    assert isinstance(wire.ask(BT23), KeyRejected)


def test_a_meter_without_tls_is_found_out(make_tls):
    wire = make_tls(tls=TlsRule.ABSENT)
    assert isinstance(wire.ask(BT23), TlsUnavailable)
    assert not wire.client.spoke_tls
    assert [event for event in wire.events if event == ReplyDropped(DropReason.REFUSED)] == [
        ReplyDropped(DropReason.REFUSED)
    ] * DECLINES


def test_a_meter_that_lost_the_session_gets_another_one(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    wire.server.forget_tls_session()
    assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert len(opened(wire)) == 2
    assert len(lost(wire)) == 1


def test_the_meter_says_that_there_is_no_session(make_tls):
    wire = make_tls()
    wire.server.receive(REQUEST, 0.0)
    assert answer(wire.server) == NO_SESSION


def test_a_write_is_not_repeated_in_another_session(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    wire.server.forget_tls_session()
    assert isinstance(wire.ask(PartialWrite(50, 0, b"x")), WriteUncertain)
    assert wire.ask(PartialWrite(50, 0, b"x")).ok
    assert [request for request in wire.memory.asked if isinstance(request, PartialWrite)] == [
        PartialWrite(50, 0, b"x")
    ]


def frames_of(wire, way):
    """Let every frame that is sent ``way`` go through this list of functions, one for each frame; then undisturbed."""
    acts = []
    post = wire._post

    def posted(to, data, at):
        if to == way and acts:
            data = acts.pop(0)(data)
        return post(to, data, at) if data else at

    wire._post = posted
    return acts


def through(data):
    return data


def lose(data):
    return b""


def spoil(data):
    return data[:-1] + bytes((data[-1] ^ 1,))


@pytest.mark.parametrize("act", [lose, spoil])
@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("way", ["up", "down"])
def test_a_read_survives_one_lost_or_spoiled_frame_anywhere(make_tls, way, place, act):
    wire = make_tls()
    frames_of(wire, way).extend([through] * place + [act])
    assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert wire.ask(BT23) == Response(0, bytes(range(44)))


def test_after_silence_the_same_bytes_go_out(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    sent = []
    frames_of(wire, "up").extend([lambda data: sent.append(data) or b"", lambda data: sent.append(data) or data])
    assert wire.ask(BT23).ok
    assert sent[0] == sent[1]
    assert len(opened(wire)) == 1, "the meter had not seen the record, so the session goes on"
    assert Retried(BT23, True) in wire.events


def test_a_lost_reply_costs_the_session_and_not_the_answer(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    frames_of(wire, "down").append(lose)
    assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert len(opened(wire)) == 2


def test_a_write_whose_reply_is_lost_is_carried_out_once(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    frames_of(wire, "down").append(lose)
    assert isinstance(wire.ask(PartialWrite(50, 0, b"once")), WriteUncertain)
    assert wire.ask(PartialRead(50, 0, 4)) == Response(0, b"once")
    assert len([request for request in wire.memory.asked if isinstance(request, PartialWrite)]) == 1


def test_a_write_that_was_lost_is_sent_again(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    frames_of(wire, "up").append(lose)
    assert wire.ask(PartialWrite(50, 0, b"once")).ok


def test_silence_ends(make_tls):
    wire = make_tls()
    frames_of(wire, "down").extend([lose] * 100)
    assert isinstance(wire.ask(BT23), ResponseTimeout)
    assert wire.now < TRIES * (HANDSHAKE_PATIENCE + 1)


def test_a_session_that_always_breaks_ends(make_tls):
    wire = make_tls(keys={Access.BASIC: KEY})
    # Of each handshake both answers come, and the reply to the request is damaged.
    frames_of(wire, "down").extend([through, through, spoil] * (HANDSHAKES + 1))
    error = wire.ask(BT23)
    assert isinstance(error, TlsError)
    assert "digest" in str(error)
    assert len(opened(wire)) == HANDSHAKES


def test_the_late_reply_of_a_forgotten_request_answers_no_other_one(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    held = []
    frames_of(wire, "down").append(lambda data: held.append(data) or b"")
    wire.client.request(PartialRead(28, 0, 44), wire.now)
    while not held:
        assert wire.step()
    wire.client.abandon()
    assert wire.client.quiet
    assert wire.client.receive(held[0], wire.now) == [ReplyDropped(DropReason.UNEXPECTED)]
    wire.client.request(BT23, wire.now + 1)
    wire.client.bytes_to_send()
    events = wire.client.receive(held[0], wire.now + 1)
    assert not any(isinstance(event, ResponseReceived) for event in events)


@pytest.mark.parametrize("again", [0, 1, 2])
def test_no_recorded_frame_is_taken_for_an_answer(make_tls, again):
    """Somebody on the line plays back the answers of an earlier session."""
    wire = make_tls()
    heard = []
    frames_of(wire, "down").extend([lambda data: heard.append(data) or data] * 3)
    assert wire.ask(BT23).ok
    client = TlsClient(KEY)
    now = itertools.count(1000.0)
    client.request(BT23, next(now))
    for reply in heard * 4:
        client.bytes_to_send()
        assert not any(
            isinstance(event, ResponseReceived | TlsSessionOpened) for event in client.receive(reply, next(now))
        )
        client.expire(next(now))


def test_a_session_is_ended_for_others(make_tls):
    wire = make_tls(tls=TlsRule.OFFERED)
    assert wire.ask(BT23).ok
    assert wire.server.in_tls_session
    wire.client.close(wire.now)
    wire.rest(1.0)
    assert wire.client.quiet
    assert not wire.server.in_tls_session
    wire.client = MepClient(KEY)
    assert wire.ask(BT23).ok


def test_the_end_is_sent_once_and_not_waited_for_for_ever(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    sent = []
    frames_of(wire, "up").append(lambda data: sent.append(data) or b"")
    wire.client.close(wire.now)
    wire.rest(5.0)
    assert sent == [ENDS_SESSION]
    assert wire.client.quiet


@pytest.mark.parametrize("encrypt", [False, True])
def test_rc4_is_refused_where_tls_is_required(make_wire, encrypt):
    wire = make_wire(encrypt=encrypt, tls=TlsRule.REQUIRED)
    wire.memory.tables[23] = bytearray(44)
    assert isinstance(wire.ask(BT23), KeyRejected)
    assert not wire.memory.asked


def test_rc4_that_happens_to_begin_like_tls_is_rc4(make_wire):
    wire = make_wire(encrypt=True, tls=TlsRule.OFFERED)
    wire.memory.tables[23] = bytearray(44)
    for _ in range(600):
        assert wire.ask(BT23).ok
    assert len(wire.memory.asked) == 600


def test_an_answer_that_comes_twice_counts_once(make_tls):
    wire = make_tls(keys={Access.BASIC: KEY})
    before = [b""]
    again = lambda data: (before.append(data), before[-2] + data)[1]  # noqa: E731 - each answer after the one before
    frames_of(wire, "down").extend([again] * 4)
    assert wire.ask(BT23).ok
    assert wire.ask(BT23).ok
    assert [event for event in wire.events if isinstance(event, ReplyDropped)] == [ReplyDropped(DropReason.LATE)] * 3
    assert len(opened(wire)) == 1


def test_alerts_between_do_no_harm(make_tls):
    wire = make_tls()
    frames_of(wire, "down").extend([lambda data: b"\0\0" + data + b"\0\0\0\0"] * 3)
    assert wire.ask(BT23).ok
    assert AlertReceived() in wire.events


def test_a_session_that_is_used_up_is_replaced(make_tls, monkeypatch):
    monkeypatch.setattr(records, "MOST_RECORDS", 5)
    monkeypatch.setattr("osgp.mep.tls.session.MOST_RECORDS", 5)
    wire = make_tls()
    for _ in range(10):
        assert wire.ask(BT23).ok
    assert len(opened(wire)) == 3  # Finished is the first of five
    assert not lost(wire)


def test_one_request_at_a_time(make_tls):
    wire = make_tls()
    wire.client.request(BT23, 0.0)
    with pytest.raises(MisuseError):
        wire.client.request(BT23, 0.0)


def test_requests_keep_the_distance_the_guide_wants(make_tls):
    wire = make_tls()
    times = []
    send = wire.client._send
    wire.client._send = lambda now: (times.append(now), send(now))
    for _ in range(3):
        assert wire.ask(BT23).ok
    assert min(after - before for before, after in itertools.pairwise(times)) >= 0.1 - 1e-9


LINES = {
    "perfect": {},
    "byte by byte": {"chunk": 1, "baud": 9600},
    "loses one frame in ten": {"loss": 0.1},
    "spoils bytes": {"noise": 0.001},
    "doubles frames": {"duplicates": 0.1},
    "all of it": {"loss": 0.03, "noise": 0.0003, "duplicates": 0.05, "chunk": 16, "baud": 9600, "delay": (0.0, 0.01)},
}


@pytest.mark.parametrize("name", LINES)
def test_on_bad_lines_answers_come_late_and_never_wrong(make_tls, line_model, name):
    chance = random.Random(name)
    wire = make_tls(line_model(**LINES[name], random=chance))
    right = failed = 0
    for _ in range(60):
        table, size = chance.choice([(23, 44), (28, 220)])
        offset = chance.randrange(size - 4)
        found = wire.ask(PartialRead(table, offset, 4))
        if isinstance(found, Response):
            assert found == Response(0, bytes(wire.memory.tables[table][offset : offset + 4]))
            right += 1
        else:
            assert isinstance(found, LinkError)
            failed += 1
        wire.rest(0.5)
    assert right >= 57, f"{failed} failed"


@given(data=st.binary(max_size=80), cut=st.integers(0, 400), at=st.integers(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_meter_that_says_anything_gives_no_answer_and_no_foreign_error(data, cut, at):
    """Whatever follows a good beginning: an answer is the meter's, or there is none."""
    server = MepServer({Access.BASIC: KEY}, lambda request, access: Response(0, bytes(44)), tls=TlsRule.REQUIRED)
    client = TlsClient(KEY)
    client.request(BT23, 0.0)
    events, now = [], 0.0
    for step in range(12):
        now += 1.0
        server.receive(client.bytes_to_send(), now)
        reply = answer(server)
        events += client.receive(reply if step < at else reply[:cut] + data, now + 0.1)
        now += 3.0
        events += client.expire(now)
        if not client.busy:
            break
    ends = [event for event in events if isinstance(event, ResponseReceived | RequestFailed)]
    assert len(ends) <= 1
    for event in ends:
        if isinstance(event, ResponseReceived):
            assert event.response == Response(0, bytes(44))
