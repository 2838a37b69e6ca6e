"""One end of the data link of C12.18: messages in, packets out, until the other end has them.

Sending is stop and wait. A message is cut into packets; each must be answered by ACK before the next one leaves, is
sent again after a NAK or after two seconds without answer, three times at most. The life of a message is the table of
:mod:`osgp.optical.datalink.states`.

Receiving answers every packet. The *toggle* tells a new packet from one that came again because our ACK was lost: a
packet equal to the last one is acknowledged and dropped. (The rule says same toggle and same CRC; equal packets
have both.) The same toggle on another packet means that one was missed: the client then holds the exchange for
lost, because nothing in an answer says which request it belongs to. A meter takes it: it is a new client. Some meters
are strict, though: to them the same toggle is a duplicate, whatever the packet holds.

Three things can stand where an ACK should:

* a packet. The other end sends again what we have, or answers already and its ACK got lost. Either way it is read and
  acknowledged; an answer stands for the missing ACK. Before anything of a message has left, nothing can be an answer to it.
* our own bytes. Some probes hear their own light. The first packet that comes back unchanged proves it; from then on as
  many bytes as were sent are dropped when they come back.
* anything else: skipped.

A spoiled packet is refused only while one is expected. Otherwise it was noise, and a NAK would be more of it.

This module does not know what messages mean, or what to do when one did not get across.
"""

from __future__ import annotations

from osgp.errors import MisuseError
from osgp.moves import move
from osgp.optical.datalink.events import (
    EchoFound,
    ExchangeFailed,
    FailReason,
    LinkEvent,
    MessageDelivered,
    MessageReceived,
    NoiseHeard,
    PacketDropped,
    PacketDropReason,
    PacketRepeated,
)
from osgp.optical.datalink.packet import ACK, NAK, Item, Noise, Packet, PacketReader, Signal, split_message
from osgp.optical.datalink.states import MOVES, Happening, LinkState, Role
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

__all__ = ["Link"]

_HELD = frozenset({LinkState.HELD_FIRST, LinkState.HELD_NEXT})


class Link:
    """One end of the data link, with the calls that all links here have.

    Args:
        line: speed and delays, for the timers.
        patience: the client's: how long to wait for the answer to a message; None at the meter, which waits for nothing.
        strict: drop every packet with the toggle of the one before as a duplicate.
        adapt: wait longer before sending when the other end turns out to be deaf after its own packets.
    """

    def __init__(self, line: Line, *, patience: float | None = None, strict: bool = False, adapt: bool = False) -> None:
        self._role = Role.METER if patience is None else Role.CLIENT
        self._state = LinkState.IDLE
        self._line = line
        self._longer = list(TURNAROUNDS) if adapt else []
        self._turnaround = 0.0
        self._quick = False  # whether the packet under way was sent right after something was heard
        self._lost_turns = 0
        self._strict = strict
        self._patience = self._patience_now = patience or 0.0
        self._reader = PacketReader()
        self.limits = DEFAULT_LIMITS
        self._heard = float("-inf")
        self._out = b""
        # the message on its way out; each time counts in the states that wait for it
        self._packets: list[Packet] = []
        self._tries = 0
        self._leave_at = self._ack_by = self._reply_by = 0.0
        self._last_out: Packet | None = None
        # the message on its way in, and the ACK or NAK that waits to be sent for it
        self._signal = b""
        self._last_in: Packet | None = None
        self._any_toggle = False
        self._parts = b""
        self._to_come = 0
        self._nak_at: float | None = None
        self._echoes = False
        self._echo_due = 0

    @property
    def state(self) -> LinkState:
        """Where the message under way stands."""
        return self._state

    @property
    def busy(self) -> bool:
        """Tell whether a message is on its way, or its answer."""
        return self._state is not LinkState.IDLE

    @property
    def echoes(self) -> bool:
        """Tell whether the probe is known to return what we send."""
        return self._echoes

    def set_largest(self, size: int) -> None:
        """Believe packets up to this size from now on."""
        self._reader.largest = size

    def set_line(self, line: Line) -> None:
        """Go on at another speed."""
        self._line = line

    def listen(self, now: float) -> None:
        """Wait for an answer, or for another one than that which came. The meter waits for nothing."""
        if self._role is Role.CLIENT:
            self._move(Happening.LISTENED)
            self._await_reply(now)

    def expect_stranger(self) -> None:
        """Let the next new packet have any toggle: whoever sends it need not have sent the last one."""
        self._any_toggle = True

    def forget(self) -> None:
        """A session ended: whatever comes next is new, and nothing is awaited. What is held back still leaves."""
        self._move(Happening.FORGOTTEN)
        self._packets.clear()
        self._last_in = self._nak_at = None
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
        self._hold_packet(Happening.ASKED, now)

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""
        out, self._out = self._out, b""
        return out

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""
        times = [self._nak_at]
        if self._holding:
            times.append(self._leave_at)
        if self._state is LinkState.AWAITING_ACK:
            times.append(self._postponed(self._ack_by))
        elif self._state is LinkState.AWAITING_REPLY:
            times.append(self._postponed(self._reply_by))
        if self._reader.pending:
            times.append(self._heard + self._character_timeout)
        return min((time for time in times if time is not None), default=None)

    def expire(self, now: float) -> list[LinkEvent]:
        """Act on the time that has passed. Calling too early or too often does no harm."""
        events: list[LinkEvent] = []
        if self._reader.pending and now >= self._heard + self._character_timeout:
            self._take(self._reader.give_up(), now, events)
        if self._nak_at is not None and now >= self._nak_at:
            if self._signal:
                self._nak_at = None  # an ACK has not left yet: the other end cannot have sent anything new
            else:
                self._answer(NAK, now)
        if self._state is LinkState.AWAITING_ACK and now >= self._postponed(self._ack_by):
            self._repeat(Happening.SILENT, now, events)
        elif self._state is LinkState.AWAITING_REPLY and now >= self._postponed(self._reply_by):
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
                    if self._is_expecting:
                        self._nak_at = now + self._nak_quiet

    def _take_signal(self, positive: bool, now: float, events: list[LinkEvent]) -> None:  # noqa: FBT001
        if self._state is not LinkState.AWAITING_ACK:
            return  # late, or noise
        if not positive:
            self._repeat(Happening.NAKED, now, events)
            return
        if self._quick and not self._tries:
            self._lost_turns = 0
        del self._packets[0]
        self._tries = 0
        if self._packets:
            self._hold_packet(Happening.ACKNOWLEDGED, now)
        else:
            self._delivered(Happening.DELIVERED, now, events)

    def _delivered(self, how: Happening, now: float, events: list[LinkEvent]) -> None:
        self._move(how)
        self._packets.clear()
        self._await_reply(now)
        events.append(MessageDelivered())

    def _await_reply(self, now: float) -> None:
        self._reply_by = now + self._patience_now + self._line.latency

    def _take_packet(self, packet: Packet, now: float, events: list[LinkEvent]) -> None:
        self._nak_at = None
        if self._role is Role.CLIENT and packet == self._last_out:
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
        if Happening.OVERTAKEN in MOVES[self._role][self._state]:
            self._delivered(Happening.OVERTAKEN, now, events)
        if self._role is Role.CLIENT and self._state is not LinkState.AWAITING_REPLY:
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))  # nothing was asked, or not yet
        elif missed and self._role is Role.CLIENT:
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))
            self._fail(FailReason.OUT_OF_STEP, events, same_toggle=True)
        else:
            self._assemble(packet, now, events)

    def _assemble(self, packet: Packet, now: float, events: list[LinkEvent]) -> None:
        starts = packet.first or not packet.multi
        if not starts and (not self._parts or packet.to_come != self._to_come - 1):
            self._parts = b""
            events.append(PacketDropped(PacketDropReason.OUT_OF_STEP))
            if self._role is Role.CLIENT:
                self._fail(FailReason.OUT_OF_STEP, events)
            return
        message = packet.data if starts else self._parts + packet.data
        self._to_come = packet.to_come
        if packet.to_come:
            self._parts = message
            self.listen(now)
            return
        self._parts = b""
        if self._role is Role.CLIENT:
            self._move(Happening.ANSWERED)
        events.append(MessageReceived(message))

    def _repeat(self, why: Happening, now: float, events: list[LinkEvent]) -> None:
        if self._quick and not self._tries:
            self._lose_turn()
        self._tries += 1
        if self._tries > RETRIES:
            self._fail(FailReason.NAKED if why is Happening.NAKED else FailReason.SILENT, events)
            return
        self._echo_due = 0
        self._hold_packet(why, now)
        events.append(PacketRepeated())

    def _lose_turn(self) -> None:
        """What was sent right after the other end had sent did not arrive. When that is the rule, it was too early."""
        self._lost_turns += 1
        if self._lost_turns >= LOST_TURNS and self._longer:
            self._lost_turns, self._turnaround = 0, self._longer.pop(0)

    def _fail(self, reason: FailReason, events: list[LinkEvent], *, same_toggle: bool = False) -> None:
        arrived = len(self._packets) <= 1
        self._move(Happening.FAILED)
        self._packets.clear()
        self._parts = b""
        if self._echoes:
            self._echoes, self._echo_due = False, 0  # another probe may be there now
        events.append(ExchangeFailed(reason, arrived, same_toggle))

    def _answer(self, signal: int, now: float) -> None:
        """ACK or NAK."""
        self._nak_at = None
        self._hold(now)
        self._signal = bytes((signal,))

    def _hold_packet(self, why: Happening, now: float) -> None:
        self._hold(now)
        self._move(why)

    def _hold(self, now: float) -> None:
        if not self._holding:
            self._leave_at = max(now, self._heard + max(self._line.turnaround, self._turnaround))

    def _release(self, now: float) -> None:
        """Send what was held back, an ACK before a packet."""
        if not self._holding or now < self._leave_at:
            return
        sent, self._signal = self._signal, b""
        if self._state in _HELD:
            self._move(Happening.SENT)
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

    def _move(self, happening: Happening) -> None:
        self._state = move(MOVES[self._role], self._state, happening)

    @property
    def _holding(self) -> bool:
        """Whether an ACK, a NAK or a packet waits for the turn-around to be over."""
        return bool(self._signal) or self._state in _HELD

    @property
    def _is_expecting(self) -> bool:
        """Whether a packet is to come next: an answer, or at the meter a question."""
        return self._state is (LinkState.AWAITING_REPLY if self._role is Role.CLIENT else LinkState.IDLE)

    def _postponed(self, due: float) -> float:
        """Let a packet that has begun end before a timer acts; what never ends does not postpone it for ever."""
        if not self._reader.pending:
            return due
        return max(due, min(self._heard + self._character_timeout, due + self._line.seconds(self._reader.largest)))

    @property
    def _character_timeout(self) -> float:
        return CHARACTER_TIMEOUT + self._line.latency

    @property
    def _nak_quiet(self) -> float:
        return NAK_QUIET + self._line.latency
