"""Finding out whether a meter speaks TLS: what is taken for a no, how often it is asked, what is kept of the answer."""

import itertools

import pytest

from osgp.errors import KeyRejected, ResponseTimeout, TlsError, TlsUnavailable
from osgp.key import MeterKey
from osgp.mep.choosing_client import ASK_AGAIN, ChoosingClient
from osgp.mep.client import MepClient
from osgp.mep.events import Retried, SecurityChosen, TlsSessionOpened
from osgp.mep.pacing import Pacing
from osgp.mep.security import Security, SecuritySeen
from osgp.mep.server import Access
from osgp.mep.timing import Line
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_client import DECLINES, HANDSHAKES, TlsClient
from osgp.mep.tls_server import TlsRule
from osgp.psem import PartialRead, PartialWrite, Response

KEY = MeterKey(b"Sixteen secrets!")
BT23 = PartialRead(23, 0, 44)
HELLO = 0x58


@pytest.fixture
def make_choosing(make_tls):
    """Build a wire whose client finds out what the meter speaks; its frames are in ``wire.sent``, their times in ``wire.times``."""

    def make(seen, *, tls=TlsRule.ABSENT, key=KEY, declines=DECLINES, **options):
        wire = make_tls(tls=tls, **options)
        wire.connect = lambda: reconnect(wire, seen, key, declines)
        wire.sent, wire.times = [], []
        post = wire._post

        def posted(to, data, at):
            if to == "up":
                wire.sent.append(data)
                wire.times.append(at)
            return post(to, data, at)

        wire._post = posted
        wire.connect()
        return wire

    return make


def reconnect(wire, seen, key, declines):
    pace = Pacing(Line(9600, 0.05))
    tls = TlsClient(key, pace=pace, seen=seen, hello_tries=2, declines=declines)
    wire.client = ChoosingClient(tls, MepClient(key, pace=pace), seen)


def hellos(wire):
    return [frame for frame in wire.sent if frame[2] == HELLO]


def test_a_meter_without_tls_is_asked_about_it_once_a_day(make_choosing):
    seen = SecuritySeen()
    wire = make_choosing(seen)
    assert wire.ask(BT23).ok
    assert len(hellos(wire)) == DECLINES
    for _ in range(3):
        wire.connect()
        assert wire.ask(BT23).ok
        assert wire.client.chosen is Security.RC4_PLAIN
        wire.rest(ASK_AGAIN / 4)
    assert len(hellos(wire)) == DECLINES
    wire.rest(ASK_AGAIN / 4)
    wire.connect()
    assert wire.ask(BT23).ok
    assert len(hellos(wire)) == 2 * DECLINES
    wire.connect()
    assert wire.ask(BT23).ok
    assert len(hellos(wire)) == 2 * DECLINES


def test_a_meter_that_got_tls_is_found_out_when_it_refuses_rc4(make_choosing):
    seen = SecuritySeen(rc4_at=0.0)
    wire = make_choosing(seen, tls=TlsRule.REQUIRED)
    write = PartialWrite(50, 0, b"x")
    assert isinstance(wire.ask(write), KeyRejected), "nothing proves that it was not carried out"
    assert not hellos(wire)
    seen.rc4_at = 0.0
    assert wire.ask(BT23).ok
    assert wire.client.chosen is Security.TLS
    assert seen.tls
    assert wire.ask(write).ok
    assert wire.memory.asked == [BT23, write]


def test_a_silent_line_changes_nothing_in_what_is_known(make_choosing):
    seen = SecuritySeen(rc4_at=0.0)
    wire = make_choosing(seen)
    post, wire._post = wire._post, lambda to, data, at: at
    for _ in range(3):
        assert isinstance(wire.ask(BT23), ResponseTimeout)
    wire._post = post
    assert wire.ask(BT23).ok
    assert not hellos(wire)


def test_tls_that_was_seen_counts_more_than_rc4_that_was_seen(make_choosing):
    wire = make_choosing(SecuritySeen(tls=True, rc4_at=0.0))
    assert isinstance(wire.ask(BT23), TlsUnavailable)
    assert not wire.memory.asked


def test_a_wrong_key_is_not_taken_for_a_meter_without_tls(make_choosing):
    seen = SecuritySeen()
    wire = make_choosing(seen, key=MeterKey(b"somebody's key.."))
    assert isinstance(wire.ask(BT23), KeyRejected)
    assert seen.rc4_at is None


@pytest.mark.parametrize("access", Access)
def test_the_key_that_the_meter_took_is_the_first_to_be_tried(make_choosing, access):
    seen = SecuritySeen()
    wire = make_choosing(seen, tls=TlsRule.REQUIRED, keys={access: KEY})
    assert wire.ask(BT23).ok
    assert seen == SecuritySeen(tls=True, key=KeyId(access))
    before = len(hellos(wire))
    for turn in range(3):
        wire.connect()
        assert wire.ask(BT23).ok
        assert len(hellos(wire)) == before + turn + 1, "one handshake each"
    assert {event for event in wire.events if isinstance(event, TlsSessionOpened)} == {TlsSessionOpened(KeyId(access))}


def test_a_key_that_was_exchanged_is_still_found(make_choosing):
    wire = make_choosing(SecuritySeen(tls=True, key=KeyId.ADVANCED), tls=TlsRule.REQUIRED, keys={Access.BASIC: KEY})
    assert wire.ask(BT23).ok


def test_what_auto_asks_is_no_fault_of_the_line(make_choosing):
    wire = make_choosing(SecuritySeen())
    assert wire.ask(BT23).ok
    retried = [event for event in wire.events if isinstance(event, Retried)]
    assert len(retried) == DECLINES, "two more hellos, and the first sequence number"
    assert all(event.ordinary for event in retried)
    assert [event for event in wire.events if isinstance(event, SecurityChosen)] == [SecurityChosen(Security.RC4_PLAIN)]


def test_a_broken_line_is_one(make_choosing):
    wire = make_choosing(SecuritySeen())
    assert wire.ask(BT23).ok
    post, lost = wire._post, [1]
    wire._post = lambda to, data, at: post(to, data, at) if to == "up" or not lost or lost.pop() is None else at
    assert wire.ask(BT23).ok
    assert any(isinstance(event, Retried) and not event.ordinary for event in wire.events)


def test_both_modes_keep_the_distance_the_guide_wants(make_choosing):
    """100 ms from start to start (MEP guide v1.1 p. 21), also from the last hello to the first request in RC4 mode."""
    wire = make_choosing(SecuritySeen())
    assert wire.ask(BT23).ok
    assert len(wire.times) == DECLINES + 2
    assert min(after - before for before, after in itertools.pairwise(wire.times)) >= 0.1 - 1e-9


def saying(wire, *answers):
    """Let the meter give these answers, then its own."""
    left = list(answers)
    post = wire._post
    wire._post = lambda to, data, at: post(to, left.pop(0) if to == "down" and left else data, at)


def bare(code):
    return bytes((0, 1, code))


@pytest.mark.parametrize("code", [0x02, 0x0B])
def test_these_codes_say_that_there_is_no_tls(make_choosing, code):
    wire = make_choosing(SecuritySeen(), tls=TlsRule.OFFERED)
    saying(wire, *[bare(code)] * DECLINES)
    assert wire.ask(BT23).ok
    assert wire.client.chosen is Security.RC4_PLAIN


@pytest.mark.parametrize("code", [0x01, 0x03, 0x04, 0x05, 0x0A, 0x0C, 0x77])
def test_other_codes_do_not(make_choosing, code):
    wire = make_choosing(SecuritySeen(), tls=TlsRule.OFFERED)
    saying(wire, *[bare(code)] * 100)
    error = wire.ask(BT23)
    assert isinstance(error, TlsError)
    assert not isinstance(error, TlsUnavailable)
    assert "knows TLS and begins no session" in str(error)
    assert len(wire.sent) == len(hellos(wire)) == HANDSHAKES
    assert not wire.memory.asked


def test_refusals_count_in_a_row_and_for_one_request_only(make_choosing):
    wire = make_choosing(SecuritySeen(), tls=TlsRule.OFFERED)
    saying(wire, bare(0x0B), bare(0x0B), bare(0x01), bare(0x0B), bare(0x0B))
    assert isinstance(wire.ask(BT23), Response)
    assert wire.client.chosen is Security.TLS
