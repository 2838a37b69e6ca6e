"""The client's rules, one test each: silence, nonsense, refusals, sequence numbers, late replies, alerts."""

import random

import pytest

from osgp.errors import (
    CorruptFrame,
    DigestMismatch,
    IllegalMove,
    KeyRejected,
    LinkRefused,
    MisuseError,
    ResponseTimeout,
    SequenceLost,
    WriteUncertain,
)
from osgp.key import MeterKey
from osgp.mep import client as rules
from osgp.mep.cipher import encryption_key, message_cipher
from osgp.mep.client import MepClient
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.events import (
    AlertReceived,
    DropReason,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Resynchronised,
    Retried,
)
from osgp.mep.states import TRANSITIONS, Outcome
from osgp.mep.timing import MAX_FRAME, REQUEST_SPACING, RESPONSE_TIMEOUT, SILENCE, Line
from osgp.moves import move
from osgp.psem import PartialRead, PartialWrite, Response, Write

KEY = MeterKey(b"Sixteen secrets!")
SCHEDULE = KeySchedule(KEY.secret)
READ = PartialRead(23, 0, 4)
WRITE = PartialWrite(2098, 30, b"\x01")
DATA = b"\x00\x00\x04abcd"
REFUSAL = bytes.fromhex("0009 0B 0000000000000000")


def reply(request, body, schedule=SCHEDULE):
    """Return what a meter answers to the bytes of a plain request."""
    message = request[2:-8]
    tag = digest(schedule, message, body)
    return (len(body) + 8).to_bytes(2, "big") + body + tag


def sequence(frame):
    return int.from_bytes(frame[-12:-8], "big")


ENDS_TLS = bytes.fromhex("0002 57 00")


def renumber(request, number):
    return reply(request, b"\x0c" + number.to_bytes(4, "big"))


@pytest.fixture
def client():
    return MepClient(KEY, first_sequence=100)


def ask(client, request=READ, now=0.0):
    client.request(request, now)
    return client.bytes_to_send()


def expire(client):
    """Let the next deadline pass; return what happened, what goes out and when it was."""
    now = client.deadline()
    assert now is not None
    events = client.expire(now)
    return events, client.bytes_to_send(), now


def test_10_a_move_that_is_in_no_row_has_an_error_of_its_own(client):
    with pytest.raises(IllegalMove, match="ANSWERED cannot happen to a link that is IDLE"):
        client._move(Outcome.ANSWERED)
    assert not client.busy


def test_10_every_row_of_the_table_happens_and_nothing_else(monkeypatch):
    """A row that nothing brings about, or a move that no row has, is a table that lies."""
    made = set()

    def recorded(table, state, event):
        made.add((state, event))
        return move(table, state, event)

    monkeypatch.setattr(rules, "move", recorded)
    chance = random.Random(10)
    for number in range(150):
        client, now, frame = MepClient(KEY, first_sequence=number), 0.0, b""
        for _ in range(40):
            now += chance.choice([0.0, 0.01, 0.05, 0.2])
            match chance.randrange(7):
                case 0 | 1 if not client.busy:
                    client.request(chance.choice([READ, WRITE]), now)
                case 2 if frame:
                    client.receive(reply(frame, DATA), now)
                case 3 if frame:
                    client.receive(renumber(frame, chance.randrange(1000)), now)
                case 4:
                    client.receive(chance.choice([REFUSAL, b"\xff\xff", b"\0\x09nonsense!"]), now)
                case 5 if client.deadline() is not None:
                    now = max(now, client.deadline())  # type: ignore[assignment, type-var]
                    client.expire(now)
                case 6 if chance.random() < 0.1:
                    client.abandon()
                case _:
                    client.expire(now)
            frame = client.bytes_to_send() or frame
    assert made == {(state, outcome) for state, row in TRANSITIONS.items() for outcome in row}


def test_an_answer_is_believed_whatever_the_chunks(client):
    for size in range(1, 17):
        frame = ask(client, now=float(size))
        answer = reply(frame, DATA)
        events = []
        for start in range(0, len(answer), size):
            events += client.receive(answer[start : start + size], size + 0.05)
        assert events == [ResponseReceived(READ, Response(0, b"abcd"))]
        assert not client.busy


def test_one_request_at_a_time(client):
    ask(client)
    with pytest.raises(MisuseError):
        client.request(READ, 0.0)


def test_a_request_must_fit_a_frame(client):
    ask(client, PartialWrite(1, 0, bytes(456)))
    client.abandon()
    with pytest.raises(MisuseError):
        client.request(PartialWrite(1, 0, bytes(457)), 1.0)
    assert not client.busy


def test_requests_begin_100_ms_apart(client):
    frame = ask(client, now=5.0)
    client.receive(reply(frame, DATA), 5.01)
    client.request(READ, 5.02)
    assert client.bytes_to_send() == b""
    assert client.deadline() == pytest.approx(5.0 + REQUEST_SPACING)
    assert client.expire(5.05) == []
    assert client.bytes_to_send() == b""
    events, frame, _ = expire(client)
    assert events == []
    assert sequence(frame) == 101


def test_silence_resends_the_same_bytes_then_names_the_step(client):
    frame = ask(client)
    sendings = 1
    while client.busy:
        events, again, now = expire(client)
        if again:
            sendings += 1
            assert again == frame
            assert events == [Retried(READ, silent=True)]
    assert sendings == rules.TRIES
    (failed,) = events
    assert isinstance(failed, RequestFailed)
    assert isinstance(failed.error, ResponseTimeout)
    assert "reading BT23" in str(failed.error)
    assert now == pytest.approx(rules.TRIES * (RESPONSE_TIMEOUT + Line().seconds(len(frame))))


def test_the_response_timer_starts_after_the_last_byte_is_on_the_line():
    for baud in (300, 9600, 115200):
        client = MepClient(KEY, line=Line(baud, 0.1))
        frame = ask(client, now=7.0)
        assert client.deadline() == pytest.approx(7.0 + len(frame) * 10 / baud + RESPONSE_TIMEOUT + 0.1)


def test_a_reply_just_in_time_is_not_cut_off(client):
    """The timer is for the first two bytes; the rest may come later, with pauses shorter than SILENCE."""
    frame = ask(client)
    answer = reply(frame, DATA)
    now = client.deadline() - 0.001
    assert client.receive(answer[:2], now) == []
    for place in range(2, len(answer)):
        assert client.deadline() == pytest.approx(now + SILENCE)
        now += SILENCE - 0.04
        assert client.expire(now) == []
        events = client.receive(answer[place : place + 1], now)
    assert events == [ResponseReceived(READ, Response(0, b"abcd"))]


def test_a_reply_that_breaks_off_is_asked_again_under_the_next_number(client):
    frame = ask(client)
    client.receive(reply(frame, DATA)[:-1], 0.1)
    events, again, now = expire(client)
    assert now == pytest.approx(0.1 + SILENCE)
    assert events == [ReplyDropped(DropReason.BROKEN_OFF), Retried(READ, silent=False)]
    assert sequence(again) == sequence(frame) + 1


def test_a_write_is_always_sent_again_with_the_same_bytes(client):
    frame = ask(client, WRITE)
    client.receive(b"\xff\xff nonsense", 0.1)
    events, again, _ = expire(client)
    assert events[-1] == Retried(WRITE, silent=False)
    assert again == frame


def test_nonsense_is_waited_out_before_asking_again(client):
    frame = ask(client)
    assert client.receive(b"\xff\xff", 0.1) == [ReplyDropped(DropReason.GARBAGE)]
    assert client.receive(reply(frame, DATA), 0.2) == []
    assert client.deadline() == pytest.approx(0.2 + SILENCE)
    _, again, _ = expire(client)
    assert client.receive(reply(again, DATA), 0.5) == [ResponseReceived(READ, Response(0, b"abcd"))]


def test_noise_without_end_ends_in_an_error(client):
    ask(client)
    now, events = 0.0, []
    while client.busy:
        now += 0.01
        events += client.receive(b"\xff", now) + client.expire(now)
        client.bytes_to_send()
        assert now < 60
    assert isinstance(events[-1].error, CorruptFrame)


def test_bytes_that_trickle_without_end_are_given_up():
    client = MepClient(KEY)
    ask(client)
    now, events = 0.0, client.receive((MAX_FRAME).to_bytes(2, "big"), 0.1)
    while not events:
        now += SILENCE * 0.9
        events = client.receive(b"\x00", now) + client.expire(now)
        assert now < 10
    assert events[0] == ReplyDropped(DropReason.BROKEN_OFF)


def test_spoiled_digests_end_in_an_error_that_says_so(client):
    frame = ask(client)
    events = []
    now = 0.0
    while client.busy:
        if frame:
            spoiled = bytearray(reply(frame, DATA))
            spoiled[5] ^= 4
            now += 0.1
            events += client.receive(bytes(spoiled), now)
        more, frame, now = expire(client)
        events += more
    assert events.count(ReplyDropped(DropReason.DIGEST)) == rules.TRIES
    assert isinstance(events[-1].error, DigestMismatch)


class TestRefusals:
    """0x0B."""

    def test_one_is_noise(self, client):
        frame = ask(client)
        assert client.receive(REFUSAL, 0.2) == [ReplyDropped(DropReason.REFUSED), Retried(READ, silent=False)]
        again = client.bytes_to_send()
        assert again == frame
        assert client.receive(reply(again, DATA), 0.3) == [ResponseReceived(READ, Response(0, b"abcd"))]

    @pytest.mark.parametrize("refusal", [REFUSAL, b"\x00\x01\x0b"], ids=["with digest", "bare"])
    def test_five_are_a_wrong_key(self, client, refusal):
        frame = ask(client)
        events, now = [], 0.0
        for turn in range(rules.REFUSALS_UNPROVEN + 1):  # one of them answers the end of a TLS session
            assert client.busy, turn
            now += 0.2
            events += client.receive(refusal, now)
            assert client.bytes_to_send() in {frame, ENDS_TLS, b""}
        assert isinstance(events[-1], RequestFailed)
        assert isinstance(events[-1].error, KeyRejected)
        assert "secrets" not in str(events[-1].error)

    def test_a_refusal_with_our_own_digest_is_one_too(self, client):
        now, events, frame = 0.0, [], ask(client)
        while client.busy:
            now += 0.2
            events += client.receive(reply(frame, b"\x0b"), now)
        assert isinstance(events[-1].error, KeyRejected)

    def test_a_proven_key_takes_more(self, client):
        frame = ask(client)
        client.receive(reply(frame, DATA), 0.1)
        ask(client, now=1.0)
        now, count, events = 1.0, 0, []
        while client.busy:
            now += 0.2
            count += 1
            events += client.receive(REFUSAL, now)
        assert count == rules.REFUSALS_PROVEN + 1
        assert isinstance(events[-1].error, LinkRefused)

    def test_n1_a_key_that_was_right_is_wrong_only_when_it_is_refused_twice(self, client):
        """The grid company may have changed it; much more often the line is bad, or somebody else talks on it."""
        frame = ask(client)
        client.receive(reply(frame, DATA), 0.1)
        now, found = 1.0, []
        for _ in range(3):
            ask(client, now=now)
            while client.busy:
                now += 0.2
                events = client.receive(REFUSAL, now)
            found.append(type(events[-1].error))
            now += 1
        assert found == [LinkRefused, KeyRejected, KeyRejected]
        frame = ask(client, now=now)
        client.receive(reply(frame, DATA), now + 0.1)
        now += 1
        ask(client, now=now)
        while client.busy:
            now += 0.2
            events = client.receive(REFUSAL, now)
        assert isinstance(events[-1].error, LinkRefused)

    def test_once_refused_the_next_refusal_is_enough(self, client):
        now = 0.0
        for _ in range(2):
            ask(client, now=now)
            while client.busy:
                now += 0.2
                events = client.receive(REFUSAL, now)
            assert isinstance(events[-1].error, KeyRejected)
            now += 1
        ask(client, now=now)
        assert isinstance(client.receive(REFUSAL, now + 0.1)[-1], RequestFailed)

    def test_a_verified_answer_in_between_forgets_them(self, client):
        now = 0.0
        for _ in range(20):
            ask(client, now=now)
            client.receive(REFUSAL, now + 0.2)
            again = client.bytes_to_send()
            assert isinstance(client.receive(reply(again, DATA), now + 0.3)[0], ResponseReceived)
            now += 1


class TestSequenceNumbers:
    """0x0C."""

    def test_number_plus_one_is_used(self, client):
        frame = ask(client)
        events = client.receive(renumber(frame, 0x77635B90), 0.2)
        assert events == [Resynchronised(0x77635B91), Retried(READ, silent=False)]
        assert sequence(client.bytes_to_send()) == 0x77635B91

    def test_the_number_wraps(self, client):
        frame = ask(client)
        client.receive(renumber(frame, 0xFFFFFFFF), 0.2)
        assert sequence(client.bytes_to_send()) == 0

    def test_how_far_it_moved_is_told_across_the_wrap(self, client):
        first, _ = client.receive(renumber(ask(client), 0xFFFFFFFE), 0.2)
        second = client.receive(renumber(client.bytes_to_send(), 3), 0.4)[0]
        assert (first.moved, second.moved) == (None, 5)

    def test_a_number_whose_digest_is_wrong_is_not_believed(self, client):
        frame = ask(client)
        forged = bytearray(renumber(frame, 0x77635B90))
        forged[-1] ^= 1
        assert client.receive(bytes(forged), 0.2) == [ReplyDropped(DropReason.DIGEST)]
        _, again, _ = expire(client)
        assert sequence(again) == sequence(frame) + 1

    def test_the_end_of_patience(self, client):
        frame, events, now = ask(client), [], 0.0
        while client.busy:
            now += 0.2
            events = client.receive(renumber(frame, 1000), now)
            frame = client.bytes_to_send()
        assert isinstance(events[-1].error, SequenceLost)
        assert "reading BT23" in str(events[-1].error)

    def test_numbers_go_on_after_failures(self, client):
        frame = ask(client)
        while client.busy:
            *_, now = expire(client)
        assert sequence(ask(client, now=now + 1)) == sequence(frame) + 1

    def test_a_first_write_may_be_renumbered(self, client):
        frame = ask(client, WRITE)
        assert isinstance(client.receive(renumber(frame, 5), 0.2)[0], Resynchronised)
        again = client.bytes_to_send()
        assert client.receive(reply(again, b"\0"), 0.4) == [ResponseReceived(WRITE, Response(0))]

    def test_a_write_that_may_have_happened_is_not_repeated(self, client):
        frame = ask(client, Write(7, b"call"))
        expire(client)
        events = client.receive(renumber(frame, 5), 0.9)
        assert isinstance(events[-1], RequestFailed)
        assert isinstance(events[-1].error, WriteUncertain)
        assert client.bytes_to_send() == b""


class TestLateReplies:
    def test_the_reply_to_an_earlier_request_is_never_the_answer(self, client):
        first = ask(client, PartialRead(23, 0, 4))
        while client.busy:
            *_, now = expire(client)
        second = ask(client, PartialRead(23, 4, 4), now + 1)
        late = reply(first, b"\0\0\4OLD!")
        assert client.receive(late, now + 1.1) == [ReplyDropped(DropReason.LATE)]
        answer = reply(second, b"\0\0\4new!")
        assert client.receive(answer, now + 1.2) == [ResponseReceived(PartialRead(23, 4, 4), Response(0, b"new!"))]

    def test_the_doubled_reply_after_a_resend_is_dropped(self, client):
        frame = ask(client)
        *_, now = expire(client)
        answer = reply(frame, DATA)
        assert isinstance(client.receive(answer, now + 0.01)[0], ResponseReceived)
        assert client.receive(answer, now + 0.02) == [ReplyDropped(DropReason.LATE)]
        second = ask(client, now=now + 1)
        assert client.receive(renumber(frame, 5), now + 1.1) == [ReplyDropped(DropReason.LATE)]
        assert isinstance(client.receive(reply(second, DATA), now + 1.2)[0], ResponseReceived)

    def test_the_same_question_under_another_number_is_another_question(self, client):
        first = ask(client)
        client.receive(reply(first, DATA), 0.1)
        ask(client, now=1.0)
        assert client.receive(reply(first, DATA), 1.1) == [ReplyDropped(DropReason.LATE)]

    def test_a_reply_nobody_asked_for_is_dropped(self, client):
        stranger = MepClient(KEY, first_sequence=7)
        assert client.receive(reply(ask(stranger), DATA), 0.0) == [ReplyDropped(DropReason.UNEXPECTED)]

    def test_an_abandoned_request_leaves_no_trace(self, client):
        frame = ask(client)
        client.abandon()
        client.abandon()
        assert not client.busy
        assert client.deadline() is None
        assert client.receive(reply(frame, DATA), 0.2) == [ReplyDropped(DropReason.LATE)]


class TestAlerts:
    @pytest.mark.parametrize("count", [1, 3])
    def test_before_a_reply(self, client, count):
        frame = ask(client)
        events = client.receive(bytes(2 * count) + reply(frame, DATA), 0.1)
        assert events == [AlertReceived()] * count + [ResponseReceived(READ, Response(0, b"abcd"))]

    def test_when_idle_in_two_halves(self, client):
        assert client.receive(b"\0", 1.0) == []
        assert client.receive(b"\0", 1.01) == [AlertReceived()]
        assert client.deadline() is None

    def test_the_response_timer_goes_on(self, client):
        ask(client)
        deadline = client.deadline()
        client.receive(b"\0\0", 0.1)
        assert client.deadline() == deadline

    def test_a_stray_byte_when_idle_is_forgotten_in_silence(self, client):
        client.receive(b"\x12", 1.0)
        assert client.deadline() == pytest.approx(1.0 + SILENCE)
        assert client.expire(1.0 + SILENCE) == [ReplyDropped(DropReason.BROKEN_OFF)]
        frame = ask(client, now=2.0)
        assert isinstance(client.receive(reply(frame, DATA), 2.1)[0], ResponseReceived)

    def test_a_request_waits_until_stray_bytes_are_over(self, client):
        client.receive(b"\xff\xff\xff", 1.0)
        assert ask(client, now=1.01) == b""
        _, frame, now = expire(client)
        assert now == pytest.approx(1.0 + SILENCE)
        assert isinstance(client.receive(reply(frame, DATA), now + 0.1)[0], ResponseReceived)


def test_a_0x0b_like_first_byte_of_an_encrypted_reply_is_no_refusal():
    """In cipher text any byte comes up; the digest is asked first."""
    found = 0
    for number in range(2000):
        client = MepClient(KEY, encrypt=True, first_sequence=number)
        frame = ask(client, WRITE)
        cipher = message_cipher(encryption_key(KEY.secret), frame[-8:])
        message = cipher.apply(frame[2:-8])
        body = cipher.apply(b"\x00")
        if body[0] == 0x0B:
            found += 1
            answer = b"\x00\x09" + body + digest(SCHEDULE, message, b"\x00")
            assert client.receive(answer, 0.1) == [ResponseReceived(WRITE, Response(0))]
    assert found
