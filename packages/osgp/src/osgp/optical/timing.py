"""The times and sizes both ends of an optical port keep to, each with its reason.

C12.18 gives the values; the Optical guide v1.1 p. 5 refers to C12.18-1996 and repeats none of them. Everything is in
seconds or bytes. This module does not know who waits for what.
"""

from __future__ import annotations

from dataclasses import dataclass

from osgp.errors import MisuseError

__all__ = [
    "CHANNEL_TRAFFIC",
    "CHARACTER_TIMEOUT",
    "DEFAULT_BAUD",
    "DEFAULT_LIMITS",
    "HOLD_OFF",
    "IDENTIFY_PATIENCE",
    "KEEP_ALIVE",
    "LARGEST_PACKET",
    "LOST_TURNS",
    "NAK_QUIET",
    "OVERHEAD",
    "QUICK",
    "RESPONSE_TIMEOUT",
    "RETRIES",
    "RETRY_PAUSE",
    "SESSION_LIMIT",
    "SESSION_RENEWAL",
    "TURNAROUND",
    "TURNAROUNDS",
    "WAKEUP_PAUSE",
    "Limits",
    "Line",
]

DEFAULT_BAUD = 9600
"""Every session begins at this rate, 8N1."""

OVERHEAD = 8
"""Bytes of a packet around its data: start, identity, control, sequence, length, CRC."""

LARGEST_PACKET = 8192
"""C12.18's largest packet."""

CHARACTER_TIMEOUT = 0.5
"""A packet that stops for longer than this is broken off."""

RESPONSE_TIMEOUT = 2.0
"""From the last byte of a packet to its ACK or NAK."""

RETRIES = 3
"""A packet is sent this many times more before the sender gives up."""

CHANNEL_TRAFFIC = 6.0
"""Without a valid packet for this long the meter drops the session, and all settings are the defaults
again. A reply that takes longer cannot come any more, so it is also our patience for one."""

IDENTIFY_PATIENCE = 3.0
"""How long to wait for the answer to Identify: long enough for the meter to send it twice. A meter that took our
Identify for the repeat of an older one does not answer it. It answers the next one."""

TURNAROUND = 0.000175
"""Least time between the last byte heard and the first one sent."""

TURNAROUNDS = (0.006, 0.012, 0.025, 0.05)
"""What is tried instead with a meter, or a probe, that turns out to be deaf for longer after it has sent. The cost is
small: at 9600 baud a byte takes 1 ms."""

LOST_TURNS = 3
"""Turns in a row that must be lost before the next longer time is tried."""

QUICK = 0.1
"""What is sent later than this after the last byte heard was not sent too early."""

NAK_QUIET = 0.02
"""A spoiled packet is refused when the line has been quiet for this long. Its end may be still to come when a
damaged length makes it look short, and a NAK sent into it would not be heard; USB adapters deliver in lumps of 16 ms."""

KEEP_ALIVE = 4.0
"""An idle session is prolonged by a Wait after this long: two seconds are left to send it again."""

RETRY_PAUSE = 2.0
"""Pause before a service is asked again that the meter was too busy for (bsy, dnr)."""

SESSION_LIMIT = 600.0
"""The meter ends a session after this long: a guard against denial of service, set in ET51 (Optical guide
v1.1 p. 14-16; from firmware 4 with two MEP ports on in ET55, MEP guide v1.1 p. 128-129)."""

HOLD_OFF = 300.0
"""How long it then ignores the optical port (ET51.6; same pages)."""

SESSION_RENEWAL = 540.0
"""We end a session by ourselves after this long. Whether the guard is on stands in ET51, which the read-only
key may not read, so it is taken to be on."""

WAKEUP_PAUSE = 0.05
"""Between a wake-up byte and the first packet."""

_BITS_PER_BYTE = 10  # 8N1
_MOST_PACKETS = 255


@dataclass(frozen=True, slots=True)
class Limits:
    """What one message may be cut into, and so how long it may be.

    Args:
        size: largest packet in bytes, the eight around its data included.
        packets: most packets of a message.

    Raises:
        MisuseError: no packet or message could be so.
    """

    size: int = 64
    packets: int = 1

    def __post_init__(self) -> None:
        if not OVERHEAD < self.size <= LARGEST_PACKET or not 1 <= self.packets <= _MOST_PACKETS:
            msg = f"packets have 9 to {LARGEST_PACKET} bytes and there are 1 to {_MOST_PACKETS} of them"
            raise MisuseError(msg)

    @property
    def payload(self) -> int:
        """Data bytes of a full packet."""
        return self.size - OVERHEAD

    @property
    def message(self) -> int:
        """Bytes of the longest message."""
        return self.payload * self.packets

    @property
    def read(self) -> int:
        """Table bytes of one read: next to them stand the response code, a count of two bytes and a checksum."""
        return max(0, self.message - 4)

    @property
    def full_write(self) -> int:
        """Table bytes of one full write: next to code, table, count, checksum."""
        return max(0, self.message - 6)

    @property
    def partial_write(self) -> int:
        """Table bytes of one partial write: three less, for the offset."""
        return max(0, self.message - 9)


DEFAULT_LIMITS = Limits()
"""What holds until Negotiate says otherwise: at most 52 table bytes a read."""


@dataclass(frozen=True, slots=True)
class Line:
    """How fast the line between the two ends is.

    Args:
        baud: bits a second.
        latency: what lies between the program and the line adds at most this much there and back: a USB adapter
            hardly anything, a network bridge some tenths of a second. Our timers wait longer by it.
        turnaround: least time between hearing and sending.
    """

    baud: int = DEFAULT_BAUD
    latency: float = 0.0
    turnaround: float = TURNAROUND

    def seconds(self, count: int) -> float:
        """Return how long ``count`` bytes take on the line."""
        return count * _BITS_PER_BYTE / self.baud
