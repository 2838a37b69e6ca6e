"""When a frame may leave, and how long its reply is waited for: what every request on a MEP line has in common.

A frame is *held* until 100 ms have passed since the last one left (MEP guide v1.1 p. 21), then its reply is *awaited*. What
comes in is cut into frames here. Once something impossible came, everything is dropped until the line is silent.

This module does not know what a frame holds, or what is done when no reply comes.
"""

from __future__ import annotations

from enum import Enum

from osgp.mep.frame import LENGTH_SIZE, SHORTEST_RESPONSE, FrameReader
from osgp.mep.timing import MAX_FRAME, REQUEST_SPACING, SILENCE, Line

__all__ = ["Lapse", "Pacing"]


class _Wait(Enum):
    NOTHING = "no frame is under way"
    HELD = "the frame waits until it may leave"
    REPLY = "the frame has left, its reply is awaited"


class Lapse(Enum):
    """What the passing of time has brought."""

    NOTHING = "nothing that concerns the frame under way"
    DUE = "the frame may leave"
    SILENT = "the reply did not come in time, or not whole"


class Pacing:
    """The times of one client's end of a line.

    Args:
        line: speed of the line.
    """

    def __init__(self, line: Line) -> None:
        self.reader = FrameReader(SHORTEST_RESPONSE)
        self.broken_off = False
        """The last silence ended a frame that had begun."""
        self._line = line
        self._silence = SILENCE + line.latency
        self._wait = _Wait.NOTHING
        self._heard = 0.0
        self._due = 0.0
        self._next_start = float("-inf")
        self._answer_by = 0.0
        self._end_by = 0.0
        self._late_until = float("-inf")

    @property
    def awaiting(self) -> bool:
        """Tell whether a reply is awaited."""
        return self._wait is _Wait.REPLY

    def hold(self, now: float) -> bool:
        """Let a frame wait until it may leave; tell whether it may leave now."""
        self._due = max(now, self._next_start, self._late_until)
        if self.reader.pending:
            self._due = max(self._due, self._heard + self._silence)
        self._wait = _Wait.HELD
        return now >= self._due

    def sent(self, size: int, patience: float, now: float) -> None:
        """Note that a frame of so many bytes leaves, and that its reply begins within ``patience`` seconds."""
        if self.reader.pending:
            self.reader.reset()
        line = self._line
        self._late_until = float("-inf")
        self._next_start = now + REQUEST_SPACING
        self._answer_by = now + line.seconds(size) + patience + line.latency
        # Noise without end must end too; three times the longest response is more than any reply takes.
        self._end_by = self._answer_by + 3 * line.response_seconds(LENGTH_SIZE + MAX_FRAME) + self._silence
        self._wait = _Wait.REPLY

    def settled(self) -> None:
        """Note that nothing is awaited any more."""
        self._wait = _Wait.NOTHING

    def forgotten(self) -> None:
        """Note that nobody wants the reply that is awaited. Until it came, or cannot come any more, the meter is busy."""
        if self.awaiting:
            self._late_until = self._answer_by
        self._wait = _Wait.NOTHING

    def came_late(self, now: float) -> bool:
        """Note that the reply nobody wants came; tell whether a frame that is held may leave now."""
        self._late_until = float("-inf")
        return self._wait is _Wait.HELD and self.hold(now)

    def heard(self, now: float) -> None:
        """Note that bytes came."""
        self._heard = now

    def deadline(self) -> float | None:
        """Return when :meth:`lapse` must be called at the latest; None: not before something else happens."""
        if self._wait is _Wait.HELD:
            return self._due
        if self._wait is _Wait.REPLY:
            if self.reader.lost or self.reader.begun:
                return min(self._heard + self._silence, self._end_by)
            return self._answer_by
        return self._heard + self._silence if self.reader.pending else None

    def lapse(self, now: float) -> Lapse:
        """Say what the time brought. Calling too early or too often does no harm."""
        self.broken_off = False
        deadline = self.deadline()
        if deadline is None or now < deadline:
            return Lapse.NOTHING
        if self._wait is _Wait.HELD:
            return Lapse.DUE
        if self.reader.pending:
            self.broken_off = not self.reader.lost
            self.reader.reset()
        return Lapse.SILENT if self._wait is _Wait.REPLY else Lapse.NOTHING
