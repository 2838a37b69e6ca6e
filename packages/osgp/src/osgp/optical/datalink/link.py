"""One end of the data link of C12.18: messages in, packets out, until the other end has them.

Sending is stop and wait. A message is cut into packets; each must be answered by ACK before the next one leaves, is
sent again after a NAK or after two seconds without answer, three times at most::

    IDLE --send--> HELD --turn-around over--> AWAITING_ACK --last ACK--> IDLE, or AWAITING_REPLY at the client
                     ^                             |
                     +------ NAK, silence, ACK ----+

Receiving answers every packet. The *toggle* tells a new packet from one that came again because our ACK was lost: a
packet equal to the last one is acknowledged and dropped. (The rule says same toggle and same CRC; equal packets
have both.) The same toggle on another packet means that one was missed: the client then holds the exchange for
lost, because nothing in an answer says which request it belongs to. A meter takes it: it is a new client. Some meters
are strict, though: to them the same toggle is a duplicate, whatever the packet holds.

Three things can stand where an ACK should:

* a packet. The other end sends again what we have, or answers already and its ACK got lost. Either way it is read and
  acknowledged; an answer stands for the missing ACK.
* our own bytes. Some probes hear their own light. The first packet that comes back unchanged proves it; from then on as
  many bytes as were sent are dropped when they come back.
* anything else: skipped.

A spoiled packet is refused only while one is expected. Otherwise it was noise, and a NAK would be more of it.

This module does not know what messages mean, or what to do when one did not get across.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from osgp.errors import MisuseError
from osgp.optical.datalink.packet import ACK, NAK, Item, Noise, Packet, PacketReader, Signal, split_message
from osgp.optical.timing import (
    CHARACTER_TIMEOUT,
    DEFAULT_LIMITS,
    LOST_TURNS,
    NAK_QUIET,
    QUICK,
    RESPONSE_TIMEOUT,
    RETRIES,
    TURNAROUNDS,
    Line,
)

__all__ = [
    "EchoFound",
    "ExchangeFailed",
    "FailReason",
    "Link",
    "LinkEvent",
    "MessageDelivered",
    "MessageReceived",
    "NoiseHeard",
    "PacketDropReason",
    "PacketDropped",
    "PacketRepeated",
]


class FailReason(StrEnum):
    """Why an exchange came to nothing."""

    SILENT = "no answer"
    """No ACK although the packet was sent again and again."""
    NAKED = "refused as damaged"
    """A NAK for each sending."""
    NO_REPLY = "acknowledged, but no reply"
    """The message arrived and its answer did not."""
    OUT_OF_STEP = "packets out of step"
    """A packet is missing: a gap in the sequence, or a toggle that did not change."""


class PacketDropReason(StrEnum):
    """Why a packet that arrived was not used."""

    SPOILED = "spoiled"
    """Wrong CRC, or broken off."""
    DUPLICATE = "duplicate"
    """The packet before, once more: our ACK was lost."""
    OUT_OF_STEP = "out of step"
    """Not the packet that was due."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A whole message."""

    message: bytes


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """The other end acknowledged the last packet, or answered already."""


@dataclass(frozen=True, slots=True)
class ExchangeFailed:
    """Sending, or waiting for the answer, was given up. ``arrived``: the other end may have the whole message."""

    reason: FailReason
    arrived: bool
    same_toggle: bool = field(default=False, compare=False)
    """Because the toggle bit did not change, which some devices never do."""


@dataclass(frozen=True, slots=True)
class PacketRepeated:
    """A packet was sent once more."""


@dataclass(frozen=True, slots=True)
class PacketDropped:
    """A packet was not used."""

    reason: PacketDropReason


@dataclass(frozen=True, slots=True)
class EchoFound:
    """The probe returns what we send."""


@dataclass(frozen=True, slots=True)
class NoiseHeard:
    """Bytes that belong to no packet."""

    data: bytes


LinkEvent = (
    MessageReceived | MessageDelivered | ExchangeFailed | PacketRepeated | PacketDropped | EchoFound | NoiseHeard
)


class Link:
    """One end of the data link, with the calls that all links here have.

    Args:
        line: speed and delays, for the timers.
        patience: the client's: how long to wait for the answer to a message; None at the meter, which waits for nothing.
        strict: drop every packet with the toggle of the one before as a duplicate.
        adapt: wait longer before sending when the other end turns out to be deaf after its own packets.
    """

    def __init__(self, line: Line, *, patience: float | None = None, strict: bool = False, adapt: bool = False) -> None:
        self._line = line
        self._longer = list(TURNAROUNDS) if adapt else []
        self._turnaround = 0.0
        self._quick = False  # whether the packet under way was sent right after something was heard
        self._lost_turns = 0
        self._strict = strict
        self._patience = self._patience_now = patience
        self._reader = PacketReader()
        self.limits = DEFAULT_LIMITS
        self._heard = float("-inf")
        self._out = b""
        # held back until the turn-around is over
        self._signal = b""
        self._packet_held = False
        self._held_until: float | None = None
        # the message on its way out
        self._packets: list[Packet] = []
        self._tries = 0
        self._last_out: Packet | None = None
        self._ack_by: float | None = None
        # the message on its way in
        self._reply_by: float | None = None
        self._last_in: Packet | None = None
        self._any_toggle = False
        self._parts = b""
        self._to_come = 0
        self._nak_at: float | None = None
        self._echoes: bool | None = None if patience is not None else False
        self._echo_due = 0

    @property
    def busy(self) -> bool:
        """Tell whether a message is on its way, or its answer."""
        return bool(self._packets) or self._reply_by is not None

    @property
    def echoes(self) -> bool:
        """Tell whether the probe is known to return what we send."""
        return bool(self._echoes)

    def set_largest(self, size: int) -> None:
        """Believe packets up to this size from now on."""
        self._reader.largest = size

    def set_line(self, line: Line) -> None:
        """Go on at another speed."""
        self._line = line

    def listen(self, now: float) -> None:
        """Wait for an answer, or for another one than that which came. The meter waits for nothing."""
        if self._patience_now is not None:
            self._reply_by = now + self._patience_now + self._line.latency

    def expect_stranger(self) -> None:
        """Let the next new packet have any toggle: whoever sends it need not have sent the last one."""
        self._any_toggle = True

    def forget(self) -> None:
        """A session ended: whatever comes next is new, and nothing is awaited. What is held back still leaves."""
        self._last_in = None
        self._packets.clear()
        self._packet_held = False
        self._ack_by = self._reply_by = self._nak_at = None
        self._parts, self._to_come = b"", 0

    def send(self, message: bytes, now: float, *, patience: float | None = None) -> None:
        """Begin to send a message; the client may have another patience for its answer than usual.

        Raises:
            MisuseError: one is under way, or this one is longer than the limits allow.
        """
        if self.busy:
            msg = "one message at a time"
            raise MisuseError(msg)
        if not 1 <= len(message) <= self.limits.message:
            msg = f"a message has 1 to {self.limits.message} bytes"
            raise MisuseError(msg)
        toggle = self._last_out is not None and not self._last_out.toggle
        self._packets = split_message(message, self.limits.payload, toggle=toggle)
        self._tries = 0
        self._nak_at = None
        self._patience_now = self._patience if patience is None else patience
        self._hold_packet(now)

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""
        out, self._out = self._out, b""
        return out

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""
        times = [self._held_until, self._nak_at, self._postponed(self._ack_by), self._postponed(self._reply_by)]
        if self._reader.pending:
            times.append(self._heard + self._character_timeout)
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[LinkEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        events: list[LinkEvent] = []
        if self._reader.pending and now >= self._heard + self._character_timeout:
            self._take(self._reader.give_up(), now, events)
        if _is_due(self._nak_at, now):
            self._answer(NAK, now)
        if _is_due(self._postponed(self._ack_by), now):
            self._repeat(FailReason.SILENT, now, events)
        elif _is_due(self._postponed(self._reply_by), now):
            self._fail(FailReason.NO_REPLY, events)
        self._release(now)
        return events

    def receive(self, data: bytes, now: float) -> list[LinkEvent]:
        """Take bytes from the line, in chunks of any size."""
        events: list[LinkEvent] = []
        if self._echo_due:
            data = self._without_echo(data)
        if data:
            self._heard = now
            if self._nak_at is not None:
                self._nak_at = now + self._nak_quiet
            self._take(self._reader.feed(data), now, events)
        self._release(now)
        return events

    def _take(self, items: list[Item], now: float, events: list[LinkEvent]) -> None:
        for item in items:
            match item:
                case Packet():
                    self._take_packet(item, now, events)
                case Signal(positive):
                    self._take_signal(positive, now, events)
                case Noise(data):
                    events.append(NoiseHeard(data))
                case _:
                    events.append(PacketDropped(PacketDropReason.SPOILED))
                    if self._reply_by is not None or (self._patience is None and not self._packets):
                        self._nak_at = now + self._nak_quiet

    def _take_signal(self, positive: bool, now: float, events: list[LinkEvent]) -> None:  # noqa: FBT001
        if self._ack_by is None:
            return  # late, or noise
        self._ack_by = None
        if not positive:
            self._repeat(FailReason.NAKED, now, events)
            return
        if self._quick and not self._tries:
            self._lost_turns = 0
        del self._packets[0]
        self._tries = 0
        if self._packets:
            self._hold_packet(now)
        else:
            self._delivered(now, events)

    def _delivered(self, now: float, events: list[LinkEvent]) -> None:
        self.listen(now)
        events.append(MessageDelivered())

    def _take_packet(self, packet: Packet, now: float, events: list[LinkEvent]) -> None:
        self._nak_at = None
        if self._echoes is not False and packet == self._last_out:
            if not self._echoes:
                self._echoes = True
                events.append(EchoFound())
            return
        self._answer(ACK, now)
        missed = self._last_in is not None and packet.toggle == self._last_in.toggle and not self._any_toggle
        if packet == self._last_in or (missed and self._strict):
            events.append(PacketDropped(PacketDropReason.DUPLICATE))
            self._lose_turn()
            return
        self._any_toggle = False
        self._last_in = packet
        if self._packets:
            self._packets.clear()
            self._packet_held = False
            self._ack_by = None
            self._delivered(now, events)
        if self._patience is not None and self._reply_by is None:
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))  # nothing was asked
        elif missed and self._patience is not None:
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))
            self._fail(FailReason.OUT_OF_STEP, events, same_toggle=True)
        else:
            self._assemble(packet, now, events)

    def _assemble(self, packet: Packet, now: float, events: list[LinkEvent]) -> None:
        starts = packet.first or not packet.multi
        if not starts and (not self._parts or packet.to_come != self._to_come - 1):
            self._parts = b""
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))
            if self._patience is not None:
                self._fail(FailReason.OUT_OF_STEP, events)
            return
        message = packet.data if starts else self._parts + packet.data
        self._to_come = packet.to_come
        if packet.to_come:
            self._parts = message
            self.listen(now)
            return
        self._parts = b""
        self._reply_by = None
        events.append(MessageReceived(message))

    def _repeat(self, reason: FailReason, now: float, events: list[LinkEvent]) -> None:
        self._ack_by = None
        if self._quick and not self._tries:
            self._lose_turn()
        self._tries += 1
        if self._tries > RETRIES:
            self._fail(reason, events)
            return
        self._echo_due = 0
        self._hold_packet(now)
        events.append(PacketRepeated())

    def _lose_turn(self) -> None:
        """What was sent right after the other end had sent did not arrive. When that is the rule, it was too early."""
        self._lost_turns += 1
        if self._lost_turns >= LOST_TURNS and self._longer:
            self._lost_turns, self._turnaround = 0, self._longer.pop(0)

    def _fail(self, reason: FailReason, events: list[LinkEvent], *, same_toggle: bool = False) -> None:
        arrived = len(self._packets) <= 1
        self._packets.clear()
        self._packet_held = False
        self._ack_by = self._reply_by = None
        self._parts = b""
        if self._echoes:
            self._echoes, self._echo_due = None, 0  # another probe may be there now
        events.append(ExchangeFailed(reason, arrived, same_toggle))

    def _answer(self, signal: int, now: float) -> None:
        """ACK or NAK."""
        self._nak_at = None
        self._signal = bytes((signal,))
        self._hold(now)

    def _hold_packet(self, now: float) -> None:
        self._packet_held = True
        self._hold(now)

    def _hold(self, now: float) -> None:
        if self._held_until is None:
            self._held_until = max(now, self._heard + max(self._line.turnaround, self._turnaround))

    def _release(self, now: float) -> None:
        """Send what was held back, an ACK before a packet."""
        if self._held_until is None or now < self._held_until:
            return
        self._held_until = None
        sent, self._signal = self._signal, b""
        if self._packet_held:
            self._packet_held = False
            self._last_out = self._packets[0]
            sent += self._last_out.encode()
            line = self._line
            self._quick = now - self._heard < QUICK
            self._ack_by = now + line.seconds(len(sent)) + RESPONSE_TIMEOUT + line.latency
        self._out += sent
        if self._echoes:
            self._echo_due += len(sent)

    def _without_echo(self, data: bytes) -> bytes:
        """Drop as many bytes as were sent. They need not be equal: light can damage them on the way back, too."""
        rest = data[self._echo_due :]
        self._echo_due -= len(data) - len(rest)
        return rest

    def _postponed(self, due: float | None) -> float | None:
        """Let a packet that has begun end before a timer acts; what never ends does not postpone it for ever."""
        if due is None or not self._reader.pending:
            return due
        return max(due, min(self._heard + self._character_timeout, due + self._line.seconds(self._reader.largest)))

    @property
    def _character_timeout(self) -> float:
        return CHARACTER_TIMEOUT + self._line.latency

    @property
    def _nak_quiet(self) -> float:
        return NAK_QUIET + self._line.latency


def _is_due(time: float | None, now: float) -> bool:
    return time is not None and now >= time
