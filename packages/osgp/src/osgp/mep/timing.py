"""The times and sizes both sides of a MEP port keep to, each with its reason.

Everything is in seconds or bytes. This module does not know who waits for what.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "ALERT_PERIOD",
    "DEFAULT_BAUD",
    "MAX_FRAME",
    "MAX_READ",
    "MAX_WRITE",
    "REQUEST_GAP",
    "REQUEST_SPACING",
    "RESPONSE_TIMEOUT",
    "SEGMENT",
    "SEGMENT_PAUSE",
    "SILENCE",
    "Line",
]

DEFAULT_BAUD = 9600
"""MEP guide v1.1 p. 20. 8 data bits, no parity, 1 stop bit: the guide is silent, the field agrees."""

MAX_FRAME = 476
"""Largest value of the length field (p. 8)."""

MAX_READ = MAX_FRAME - 1 - 2 - 8
"""Table bytes that fit one response next to code, count and digest: 465."""

MAX_WRITE = 456
"""Table bytes of one partial write (p. 44, said of ET52); 476 would leave room for eight more."""

RESPONSE_TIMEOUT = 0.5
"""From the last request byte on the line to the first two response bytes (p. 21)."""

SEGMENT = 117
"""A longer response pauses after each so many bytes (p. 21)."""

SEGMENT_PAUSE = 0.025
"""Length of that pause (p. 21)."""

REQUEST_SPACING = 0.1
"""A meter takes no more than one request in this time (p. 21); counted from start to start."""

REQUEST_GAP = 0.05
"""A client sends at least one byte in this time while it sends a request (p. 21)."""

SILENCE = 0.15
"""No byte for this long: what came before is over. Six segment pauses, and longer than
the 16 ms for which a USB adapter may sit on bytes."""

ALERT_PERIOD = 1.0
"""Alerts come this often, and not sooner than this after a frame from the client (p. 17, 21)."""

_BITS_PER_BYTE = 10  # 8N1


@dataclass(frozen=True, slots=True)
class Line:
    """How fast the line between client and meter is.

    Args:
        baud: bits a second.
        latency: what lies between the program and the line adds at most this much there and back:
            a USB adapter hardly anything, a network bridge some tenths of a second.
    """

    baud: int = DEFAULT_BAUD
    latency: float = 0.0

    def seconds(self, count: int) -> float:
        """Return how long ``count`` bytes take on the line."""
        return count * _BITS_PER_BYTE / self.baud

    def response_seconds(self, count: int) -> float:
        """Return how long a response frame of ``count`` bytes takes, segment pauses included."""
        return self.seconds(count) + (count - 1) // SEGMENT * SEGMENT_PAUSE
