"""The end of a TLS session: ours, from wherever we are, and one that somebody else left a meter in, which then refuses RC4."""

import pytest

from osgp.errors import KeyRejected, WriteUncertain
from osgp.key import MeterKey
from osgp.mep.client import SHUT_OUT, MepClient
from osgp.mep.events import DropReason, ReplyDropped, RequestFailed, ResponseReceived, TlsSessionOpened
from osgp.mep.frame import encode_frame
from osgp.mep.server import Access, MepServer
from osgp.mep.tls_client import ENDINGS, TlsClient
from osgp.mep.tls_frames import HANDSHAKE_PATIENCE
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, PartialWrite, Response

KEY = MeterKey(b"Sixteen secrets!")
BT23 = PartialRead(23, 0, 44)
ENDS = bytes.fromhex("0002 57 00")
"""The end of a session and any byte (MEP guide v1.1 p. 8, table 2.1)."""
HEARD = bytes.fromhex("0001 00")
REFUSAL = bytes.fromhex("0001 0b")


def sent_by(wire):
    """Return the list that each frame goes into that the client sends from now on."""
    sent = []
    post = wire._post

    def posted(to, data, at):
        if to == "up":
            sent.append(data)
        return post(to, data, at)

    wire._post = posted
    return sent


def run_until(wire, sent, count):
    while len(sent) < count:
        assert wire.step()


@pytest.mark.parametrize("forgotten", [False, True], ids=["closed", "cancelled, then closed"])
@pytest.mark.parametrize("frames", [1, 2, 3], ids=["hello", "proof", "request"])
@pytest.mark.parametrize("baud", [0, 9600])
def test_from_the_middle_of_a_request_the_session_is_ended(make_tls, line_model, baud, frames, forgotten):
    wire = make_tls(line_model(baud=baud), tls=TlsRule.OFFERED, keys={Access.BASIC: KEY})
    sent = sent_by(wire)
    wire.client.request(BT23, wire.now)
    run_until(wire, sent, frames)
    if forgotten:
        wire.client.abandon()
    wire.client.close(wire.now)
    assert not wire.client.busy
    wire.rest(5.0)
    assert wire.client.quiet
    assert sent[frames:] == [ENDS], "once: it left when the meter could hear it"
    assert not wire.server.in_tls_session
    wire.client = MepClient(KEY)
    assert wire.ask(BT23).ok
    assert ENDS not in sent[frames + 1 :], "nobody had left a session"


def test_after_a_request_that_failed_the_session_is_ended(make_tls):
    wire = make_tls(tls=TlsRule.OFFERED)
    assert wire.ask(BT23).ok
    post = wire._post
    wire._post = lambda to, data, at: at
    assert not isinstance(wire.ask(BT23), Response)
    wire._post = post
    assert wire.client.quiet
    assert wire.server.in_tls_session
    wire.client.close(wire.now)
    wire.rest(2.0)
    assert not wire.server.in_tls_session


def test_a_late_reply_is_no_answer_to_the_end(make_tls):
    client, server = (
        TlsClient(KEY),
        MepServer({Access.BASIC: KEY}, lambda *_: Response(0, bytes(44)), tls=TlsRule.REQUIRED),
    )
    client.request(BT23, 0.0)
    for at in range(2):
        server.receive(client.bytes_to_send(), float(at))
        client.receive(b"".join(part for part, _ in server.take()), at + 0.5)
    server.receive(client.bytes_to_send(), 2.0)
    reply = b"".join(part for part, _ in server.take())
    client.close(1.6)
    client.expire(3.0)
    assert client.bytes_to_send() == ENDS
    assert client.receive(reply, 3.1) == [ReplyDropped(DropReason.LATE)]
    assert not client.quiet
    client.receive(HEARD, 3.2)
    assert client.quiet


def test_a_lost_end_is_sent_again_and_not_for_ever(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    sent = []
    wire._post = lambda to, data, at: sent.append(data) or at
    begun = wire.now
    wire.client.close(wire.now)
    while not wire.client.quiet:
        assert wire.step()
    assert sent == [ENDS, ENDS]
    assert wire.now - begun < 2.0


def test_a_meter_that_is_gone_is_not_waited_for_for_ever(make_tls):
    wire = make_tls()
    assert wire.ask(BT23).ok
    wire._post = lambda to, data, at: at
    wire.client.request(BT23, wire.now)
    begun = wire.now
    wire.client.close(wire.now)
    while not wire.client.quiet:
        assert wire.step()
    assert wire.now - begun < HANDSHAKE_PATIENCE + ENDINGS * 1.0


@pytest.mark.parametrize("tls", [TlsRule.ABSENT, None], ids=["without TLS", "silent"])
def test_a_meter_that_is_in_no_session_is_sent_no_end(make_tls, tls):
    wire = make_tls(tls=tls or TlsRule.REQUIRED)
    if tls is None:
        wire._post = lambda to, data, at: at
    assert not isinstance(wire.ask(BT23), Response)
    wire.client.close(wire.now)
    assert wire.client.quiet
    assert wire.client.bytes_to_send() == b""


def test_a_session_is_opened_after_it_was_ended(make_tls):
    wire = make_tls()
    for turn in range(3):
        assert wire.ask(BT23).ok
        wire.client.close(wire.now)
        wire.rest(2.0)
        assert len([event for event in wire.events if isinstance(event, TlsSessionOpened)]) == turn + 1


def test_after_a_forgotten_request_the_next_one_needs_one_handshake(make_tls, line_model):
    """It waits for the reply that nobody wants: the meter would not hear it, or its reply would spoil the handshake."""
    wire = make_tls(line_model(baud=9600))
    assert wire.ask(BT23).ok
    sent = sent_by(wire)
    wire.client.request(PartialRead(28, 0, 200), wire.now)
    run_until(wire, sent, 1)
    wire.client.abandon()
    assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert len(sent) == 1 + 3


@pytest.mark.parametrize("encrypt", [False, True])
def test_rc4_ends_a_session_that_somebody_left(make_tls, encrypt):
    wire = make_tls(tls=TlsRule.OFFERED)
    assert wire.ask(BT23).ok
    wire.client = MepClient(KEY, encrypt=encrypt)  # the other one was killed
    assert wire.server.in_tls_session
    sent = sent_by(wire)
    assert wire.ask(BT23) == Response(0, bytes(range(44)))
    assert sent.count(ENDS) == 1
    assert sent.index(ENDS) == SHUT_OUT
    assert not wire.server.in_tls_session


def test_a_write_that_was_shut_out_is_done_once(make_tls):
    wire = make_tls(tls=TlsRule.OFFERED)
    assert wire.ask(BT23).ok
    wire.client = MepClient(KEY)
    # It went out three times until the meter named its number, and nothing proves that none of them was carried out.
    assert isinstance(wire.ask(PartialWrite(50, 0, b"once")), WriteUncertain)
    assert wire.ask(PartialWrite(50, 0, b"once")).ok
    assert [request for request in wire.memory.asked if isinstance(request, PartialWrite)] == [
        PartialWrite(50, 0, b"once")
    ]


@pytest.mark.parametrize(
    "answer", [HEARD, REFUSAL, encode_frame(b"\x0b", bytes(8)), b""], ids=["heard", "0B", "0B with digest", "silence"]
)
def test_whatever_is_said_to_the_end_the_request_goes_out_again(answer):
    client = MepClient(KEY, first_sequence=5)
    client.request(BT23, 0.0)
    frame, now = client.bytes_to_send(), 0.0
    for _ in range(SHUT_OUT):
        now += 1.0
        client.receive(REFUSAL, now)
        last = client.bytes_to_send()
    assert last == ENDS
    if answer:
        client.receive(answer, now + 1.0)
    else:
        client.expire(now + 1.0)
    assert client.bytes_to_send() == frame


@pytest.mark.parametrize(("tls", "hint"), [(TlsRule.REQUIRED, True), (TlsRule.ABSENT, False)])
def test_a_refused_key_says_that_the_meter_may_want_tls(make_wire, tls, hint):
    wire = make_wire(key=MeterKey(b"somebody's key.."), tls=tls)
    error = wire.ask(BT23)
    assert isinstance(error, KeyRejected)
    assert ("may require it" in str(error)) == hint


def test_a_request_can_be_forgotten_while_the_end_is_under_way(make_tls):
    client = MepClient(KEY)
    client.request(BT23, 0.0)
    for now in (1.0, 2.0):
        client.receive(REFUSAL, now)
    client.abandon()
    assert not client.busy
    client.request(BT23, 3.0)
    assert not [event for event in client.receive(HEARD, 3.1) if isinstance(event, ResponseReceived | RequestFailed)]
