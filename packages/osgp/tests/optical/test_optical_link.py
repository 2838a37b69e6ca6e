"""The data link: what is lost, doubled, late, echoed or out of step."""

import pytest

from osgp.errors import MisuseError
from osgp.optical.datalink.events import (
    EchoFound,
    ExchangeFailed,
    FailReason,
    MessageDelivered,
    MessageReceived,
    PacketDropped,
    PacketDropReason,
    PacketRepeated,
)
from osgp.optical.datalink.link import Link
from osgp.optical.datalink.packet import ACK, NAK, Packet
from osgp.optical.timing import CHARACTER_TIMEOUT, RESPONSE_TIMEOUT, RETRIES, Limits, Line

A, N = bytes((ACK,)), bytes((NAK,))
LINE = Line(turnaround=0.0)


def client():
    return Link(LINE, patience=6.0)


def asked(message=b"\x20"):
    link = client()
    link.send(message, 0.0)
    link.expire(0.0)
    return link, link.bytes_to_send()


def reply(data, **fields):
    return Packet(data, **fields).encode()


def test_a_message_and_its_answer():
    link, sent = asked()
    assert sent == Packet(b"\x20").encode()
    assert link.receive(A, 0.1) == [MessageDelivered()]
    assert link.receive(reply(b"\0"), 0.2) == [MessageReceived(b"\0")]
    assert link.bytes_to_send() == A
    assert not link.busy
    assert link.deadline() is None


def test_nothing_leaves_before_the_turn_around_is_over():
    link = Link(Line(turnaround=0.01), patience=6.0)
    link.send(b"\x20", 0.0)
    assert link.expire(0.0) == []
    link.bytes_to_send()
    link.receive(A + reply(b"\0"), 0.1)
    assert link.bytes_to_send() == b""
    assert link.deadline() == pytest.approx(0.11)
    link.expire(0.11)
    assert link.bytes_to_send() == A


def test_07_07_duplicate_is_acknowledged_and_dropped():
    link, _ = asked()
    link.receive(A + reply(b"\0"), 0.1)
    link.bytes_to_send()
    assert link.receive(reply(b"\0"), 2.1) == [PacketDropped(PacketDropReason.DUPLICATE)]
    assert link.bytes_to_send() == A


def test_07_07_lost_ack_is_made_up_for_by_sending_again():
    link, sent = asked()
    assert link.expire(link.deadline()) == [PacketRepeated()]
    assert link.bytes_to_send() == sent
    assert link.receive(A + reply(b"\0"), 2.5) == [MessageDelivered(), MessageReceived(b"\0")]


def test_07_07_late_ack_after_the_repeat_does_no_harm():
    link, _ = asked()
    link.expire(link.deadline())
    assert link.receive(A, 2.2) == [MessageDelivered()]
    assert link.receive(A, 2.3) == []
    assert link.receive(reply(b"\0"), 2.4) == [MessageReceived(b"\0")]


def test_07_07_answer_instead_of_ack():
    link, _ = asked()
    assert link.receive(reply(b"\0"), 0.3) == [MessageDelivered(), MessageReceived(b"\0")]
    assert link.bytes_to_send() == A
    assert link.deadline() is None


def test_07_07_old_packet_instead_of_ack():
    link, _ = asked()
    link.receive(A + reply(b"\0"), 0.1)
    link.send(b"\x21", 0.2)
    link.expire(0.2)
    link.bytes_to_send()
    assert link.receive(reply(b"\0"), 2.1) == [PacketDropped(PacketDropReason.DUPLICATE)]
    assert link.bytes_to_send() == A
    assert link.receive(A, 2.15) == [MessageDelivered()]


def test_nak_is_answered_at_once_and_three_times_at_most():
    link, sent = asked()
    for _ in range(RETRIES):
        assert link.receive(N, 0.1) == [PacketRepeated()]
        assert link.bytes_to_send() == sent
    assert link.receive(N, 0.2) == [ExchangeFailed(FailReason.NAKED, arrived=True)]
    assert not link.busy


def test_silence_is_given_up_after_four_sendings():
    link, _ = asked()
    events, times = [], []
    while link.deadline() is not None:
        times.append(link.deadline())
        events += link.expire(times[-1])
        link.bytes_to_send()
    assert events == [PacketRepeated()] * RETRIES + [ExchangeFailed(FailReason.SILENT, arrived=True)]
    assert times[-1] == pytest.approx(4 * RESPONSE_TIMEOUT, abs=0.1)


def test_no_reply_is_given_up_when_the_meter_has_dropped_the_session():
    link, _ = asked()
    link.receive(A, 0.1)
    assert link.deadline() == pytest.approx(6.1)
    assert link.expire(6.1) == [ExchangeFailed(FailReason.NO_REPLY, arrived=True)]


def test_a_spoiled_reply_is_refused_when_the_line_is_quiet():
    link, _ = asked()
    damaged = bytearray(reply(b"\0"))
    damaged[6] ^= 1
    assert PacketDropped(PacketDropReason.SPOILED) in link.receive(A + bytes(damaged), 0.1)
    assert link.bytes_to_send() == b""
    link.expire(link.deadline())
    assert link.bytes_to_send() == N
    assert link.receive(reply(b"\0"), 0.2) == [MessageReceived(b"\0")]


def test_a_reply_that_breaks_off_is_refused():
    link, _ = asked()
    link.receive(A + reply(b"\0")[:-1], 0.1)
    assert link.deadline() == pytest.approx(0.1 + CHARACTER_TIMEOUT)
    assert link.expire(0.1 + CHARACTER_TIMEOUT)[0] == PacketDropped(PacketDropReason.SPOILED)
    link.expire(link.deadline())
    assert link.bytes_to_send() == N


def test_latency_of_a_network_bridge_relaxes_the_timers():
    link = Link(Line(latency=0.4), patience=6.0)
    link.send(b"\x20", 0.0)
    link.expire(0.0)
    link.receive(A + reply(b"\0")[:-1], 0.1)
    assert link.deadline() == pytest.approx(0.1 + CHARACTER_TIMEOUT + 0.4)


def test_noise_draws_no_nak_while_nothing_is_expected():
    link, _ = asked()
    damaged = bytearray(reply(b"\0"))
    damaged[6] ^= 1
    link.receive(bytes(damaged), 0.1)
    assert link.expire(0.2) == []
    assert link.bytes_to_send() == b""


class TestSeveralPackets:
    PARTS = (
        Packet(b"ab", multi=True, first=True, to_come=2),
        Packet(b"cd", toggle=True, multi=True, to_come=1),
        Packet(b"e", multi=True),
    )

    def test_each_is_acknowledged(self):
        link, _ = asked()
        link.receive(A, 0.1)
        events = []
        for part in self.PARTS:
            events += link.receive(part.encode(), 0.2)
            assert link.bytes_to_send() == A
        assert events == [MessageReceived(b"abcde")]

    def test_ours_wait_for_each_ack(self):
        link = client()
        link.limits = Limits(10, 3)
        link.send(b"abcde", 0.0)
        link.expire(0.0)
        for part in self.PARTS:
            assert link.bytes_to_send() == part.encode()
            events = link.receive(A, 0.1)
        assert events == [MessageDelivered()]

    @pytest.mark.parametrize(
        "parts",
        [
            (PARTS[0], Packet(b"e", toggle=True, multi=True)),
            (PARTS[1],),
            (PARTS[0], Packet(b"cd", multi=True, to_come=1)),
        ],
        ids=["sequence gap", "the first is missing", "the toggle did not change"],
    )
    def test_07_09_out_of_step_voids_the_message(self, parts):
        link, _ = asked()
        link.receive(A, 0.1)
        events = [event for part in parts for event in link.receive(part.encode(), 0.2)]
        assert events[-1] == ExchangeFailed(FailReason.OUT_OF_STEP, arrived=True)
        assert not [event for event in events if isinstance(event, MessageReceived)]

    def test_07_09_a_second_first_packet_begins_anew(self):
        link, _ = asked()
        link.receive(A + self.PARTS[0].encode(), 0.1)
        events = link.receive(Packet(b"whole", toggle=True).encode(), 0.2)
        assert events == [MessageReceived(b"whole")]


class TestEcho:
    def test_07_06_the_first_packet_that_comes_back_proves_it(self):
        link, sent = asked()
        assert link.receive(sent, 0.01) == [EchoFound()]
        assert link.receive(A + reply(b"\0"), 0.1) == [MessageDelivered(), MessageReceived(b"\0")]
        ack = link.bytes_to_send()
        link.send(b"\x21\x06\x06", 0.2)
        link.expire(0.2)
        sent = link.bytes_to_send()
        assert link.receive(ack + sent, 0.21) == []
        assert link.receive(A, 0.3) == [MessageDelivered()]

    def test_07_06_a_damaged_echo_is_dropped_too(self):
        link, sent = asked()
        link.receive(sent + A + reply(b"\0"), 0.01)
        link.bytes_to_send()
        link._echo_due = 0
        link.send(b"\x21\x06\x06", 0.2)
        link.expire(0.2)
        echo = bytearray(link.bytes_to_send())
        echo[0] ^= 1
        assert link.receive(bytes(echo), 0.21) == []
        assert link.receive(A, 0.3) == [MessageDelivered()]

    def test_a_meter_takes_no_packet_for_its_echo(self):
        meter = Link(LINE)
        meter.receive(Packet(b"\0").encode(), 0.0)
        meter.bytes_to_send()
        meter.send(b"\0", 0.0)
        meter.expire(0.0)
        meter.bytes_to_send()
        assert meter.receive(A + Packet(b"\0", toggle=True).encode(), 0.1) == [
            MessageDelivered(),
            MessageReceived(b"\0"),
        ]


def test_toggle_changes_with_each_new_packet_only():
    link, first = asked()
    link.receive(N, 0.1)
    assert link.bytes_to_send() == first
    link.receive(A + reply(b"\0"), 0.2)
    link.bytes_to_send()
    link.send(b"\x21", 0.3)
    link.expire(0.3)
    assert Packet.decode(link.bytes_to_send()).toggle is not Packet.decode(first).toggle


def test_misuse_is_said():
    link, _ = asked()
    with pytest.raises(MisuseError):
        link.send(b"\x20", 0.1)
    with pytest.raises(MisuseError):
        client().send(bytes(57), 0.0)


def test_noise_without_end_ends_too():
    link, _ = asked()
    link.receive(A, 0.0)
    now, failed = 0.0, []
    while not failed and now < 60:
        now += 0.3
        failed = [event for event in link.receive(b"\xee\0\0\0\0\x38", now) if isinstance(event, ExchangeFailed)]
        failed += [event for event in link.expire(now) if isinstance(event, ExchangeFailed)]
    assert failed
    assert now < 7.0


def test_latency_of_a_network_bridge_is_given_to_the_ack_too():
    line = Line(turnaround=0.0, latency=0.4)
    link = Link(line, patience=6.0)
    link.send(b"\x20", 0.0)
    link.expire(0.0)
    assert link.deadline() == pytest.approx(line.seconds(9) + RESPONSE_TIMEOUT + 0.4)


def _told(link, now, number, *, lost=False):
    """Send a message, once more if its packet is lost, and take the answer; return the time and when its packet left."""
    link.send(b"\x20", now)
    left = max(now, link.deadline())
    link.expire(left)
    now = left
    if lost:
        for _ in range(2):  # nothing comes; it leaves again
            now = link.deadline()
            link.expire(now)
    link.bytes_to_send()
    link.receive(A + reply(b"\0", toggle=bool(number % 2)), now + 0.2)
    link.expire(now + 0.2 + 0.06)
    link.bytes_to_send()
    return now + 0.2, left


def test_only_what_left_at_once_and_arrived_shows_that_the_other_end_is_not_deaf():
    """Two turns are lost; a message that leaves a second later arrives; a third turn is lost: that makes three in a row."""
    link = Link(Line(turnaround=0.0), patience=6.0, adapt=True)
    now, _ = _told(link, 0.0, 0)
    for number in (1, 2):
        now, _ = _told(link, now, number, lost=True)
    now, _ = _told(link, now + 1.0, 3)
    now, left = _told(link, now, 4, lost=True)
    later, left = _told(link, now, 5)
    assert left == pytest.approx(now + 0.006)  # the shortest of the longer times (osgp.optical.timing)
    assert later > now


def test_what_left_at_once_and_arrived_makes_the_count_begin_anew():
    link = Link(Line(turnaround=0.0), patience=6.0, adapt=True)
    now, _ = _told(link, 0.0, 0)
    for number in (1, 2):
        now, _ = _told(link, now, number, lost=True)
    now, _ = _told(link, now, 3)
    now, _ = _told(link, now, 4, lost=True)
    _, left = _told(link, now, 5)
    assert left == pytest.approx(now)
