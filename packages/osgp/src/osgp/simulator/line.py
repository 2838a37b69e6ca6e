"""The serial line of one port of a simulated meter: when each byte is heard and when each one leaves.

Between the line and the meter's end of the link (:class:`~osgp.mep.server.MepServer`,
:class:`~osgp.optical.server.OpticalServer`) stand the baud rate and the faults. Bytes of a request take
their time to arrive, replies leave at ten bits a byte (8N1), with the server's pauses between segments. A baud rate of
0 is no line at all: everything is at once, pauses too.

Sans-IO: bytes and time in, bytes and a deadline out. Times are seconds of any steadily growing clock.

This module does not know about ports, tasks or tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from osgp.mep.timing import Line
from osgp.simulator.faults import FaultyLine

__all__ = ["SEQUENCE_JUMP", "Broken", "MeterLine", "Server"]

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)

_LUMP = 16
"""Bytes handed over at a time, as the buffer of a UART does: 17 ms at 9600 baud."""

SEQUENCE_JUMP = 25
"""How far a meter's sequence number moves by itself when its dimensions change (MEP guide v1.1 p. 16)."""


class Broken(Enum):
    """Leaves in place of a reply when a fault breaks the connection."""

    BROKEN = auto()


Outgoing = bytes | Broken


class Server(Protocol[E_co]):
    """A meter's end of a link."""

    def receive(self, data: bytes, now: float) -> Sequence[E_co]:
        """Take bytes."""

    def expire(self, now: float) -> Sequence[E_co]:
        """Act on the time that has passed."""

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""

    def take(self) -> list[tuple[bytes, float]]:
        """Return what is to be sent, each segment with the seconds of silence after it."""


def _never() -> bool:
    return False


class MeterLine(Generic[E]):
    """One meter's end of a line.

    Args:
        server: the meter itself.
        faulty: what goes wrong on the way.
        baud: bits a second; 0 for no pacing.
        observe: told each event of the server.
        jump: moves the server's sequence number, where it has one.
        switched_out: tells whether the UART serves the meter's other port now, so that nothing comes or goes here.
    """

    def __init__(
        self,
        server: Server[E],
        faulty: FaultyLine,
        *,
        baud: int = 0,
        observe: Callable[[E], None] | None = None,
        jump: Callable[[int], None] | None = None,
        switched_out: Callable[[], bool] = _never,
    ) -> None:
        self._server = server
        self._faulty = faulty
        self._line = Line(baud) if baud else None
        self._observe = observe or (lambda _event: None)
        self._jump = jump or (lambda _far: None)
        self._switched_out = switched_out
        self._arriving: deque[tuple[float, bytes]] = deque()
        self._leaving: deque[tuple[float, Outgoing]] = deque()
        self._heard_until = 0.0
        self._busy_until = 0.0

    def hear(self, data: bytes, now: float) -> None:
        """Take bytes that a client sent. Call :meth:`poll` afterwards."""
        self._heard_until = max(now, self._heard_until) + self._seconds(len(data))
        self._arriving.append((self._heard_until, data))

    def power_cycle(self, now: float) -> None:
        """Take the level shifter's power away and give it back: what was under way is lost."""
        self._arriving.clear()
        self._leaving.clear()
        self._faulty.power_cycle(now)

    def deadline(self) -> float | None:
        """Return when :meth:`poll` must be called at the latest; None while nothing is due."""
        times = [queue[0][0] for queue in (self._arriving, self._leaving) if queue]
        due = self._server.deadline()
        if due is not None:
            times.append(due)
        return min(times, default=None)

    def poll(self, now: float) -> list[Outgoing]:
        """Return what has left by now, in order."""
        while self._arriving and self._arriving[0][0] <= now:
            self._arrive(*self._arriving.popleft())
        due = self._server.deadline()
        if due is not None and due <= now:
            # By the meter's time, not ours: timers of a computer ring late, and a line would become slower by it.
            self._report(self._server.expire(due))
            self._send(due)
        gone: list[Outgoing] = []
        while self._leaving and self._leaving[0][0] <= now:
            gone.append(self._leaving.popleft()[1])
        return gone

    def _arrive(self, when: float, data: bytes) -> None:
        heard = b"" if self._switched_out() else self._faulty.towards_meter(data, when)
        if not heard:
            return
        if self._faulty.jumps_sequence():
            self._jump(SEQUENCE_JUMP)
        # What the server had to do before these bytes came, it did before them.
        self._report(self._server.expire(when))
        self._report(self._server.receive(heard, when))
        self._send(when)

    def _report(self, events: Sequence[E]) -> None:
        for event in events:
            self._observe(event)

    def _send(self, now: float) -> None:
        taken = self._server.take()
        for segments in () if self._switched_out() else _messages(taken):
            reply = b"".join(data for data, _ in segments)
            if len(reply) > len(_ALERT) and self._faulty.drops_connection():
                self._leaving.append((now, Broken.BROKEN))
                continue
            sent = self._faulty.from_meter(reply, now)
            if sent:
                self._queue(sent, segments, now + self._faulty.faults.delay)

    def _queue(self, sent: bytes, segments: list[tuple[bytes, float]], ready: float) -> None:
        """Lay the bytes of a message onto the line; a fault may have shortened it."""
        at = max(ready, self._busy_until)
        if self._line is None:
            self._busy_until = at
            self._leaving.append((at, sent))
            return
        start = 0
        for segment, pause in segments:
            part = sent[start : start + len(segment)]
            start += len(segment)
            for begin, end in pairwise([*range(0, len(part), _LUMP), len(part)]):
                at += self._seconds(end - begin)
                self._leaving.append((at, part[begin:end]))
            at += pause
        self._busy_until = at

    def _seconds(self, count: int) -> float:
        return self._line.seconds(count) if self._line is not None else 0.0


_ALERT = b"\0\0"


def _messages(taken: list[tuple[bytes, float]]) -> list[list[tuple[bytes, float]]]:
    """Group segments into messages: a segment without a pause after it is the last of its message."""
    messages: list[list[tuple[bytes, float]]] = [[]]
    for segment in taken:
        messages[-1].append(segment)
        if not segment[1]:
            messages.append([])
    return [message for message in messages if message]
