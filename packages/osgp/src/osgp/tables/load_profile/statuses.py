"""What the meter says of an interval: four bits for all channels and four for each (MEP guide v1.1 p. 240-241).

The first four bits are flags, of which several can be set. The others are a number for each channel; where several reasons
apply, the meter names the one with the highest precedence. A meter that follows ANSI C12.19 strictly says
"skipped" instead of 8, 11 and 15, and nothing instead of 9 and 10 (p. 241).

This module does not know values.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, IntFlag

__all__ = ["ChannelStatus", "IntervalFlags", "weightiest"]


class IntervalFlags(IntFlag):
    """What is said of all channels of an interval (p. 240)."""

    DAYLIGHT_SAVING = 1
    """At the beginning of the interval or during it. It moves nothing: the profile is kept in standard time."""
    POWER_FAIL = 2
    CLOCK_FORWARD = 4
    CLOCK_BACK = 8


class ChannelStatus(IntEnum):
    """What is said of one channel of an interval (p. 240-241)."""

    OK = 0
    OVERFLOW = 1
    """From firmware 3.70 on. The guide does not say of what."""
    PARTIAL = 2
    """Shorter than an interval: the clock was set forward meanwhile."""
    LONG = 3
    """Longer than an interval: the clock was set back meanwhile."""
    SKIPPED = 4
    """Not recorded; the value is zero and means nothing."""
    TEST_MODE = 5
    """The meter counted no energy, as it was being tested."""
    UNDEFINED_6 = 6
    UNDEFINED_7 = 7
    NOT_DECRYPTED = 8
    """What a device behind the meter sent could not be decrypted; the value is not readable."""
    CLOCK_ERROR = 9
    """The interval may have been shorter or longer."""
    DEVICE_MISSING = 10
    """The device behind the meter could not be asked."""
    NOT_CURRENT = 11
    """The device behind the meter sent an older value again."""
    OPTED_OUT = 12
    """The profile was switched off; the value is zero and means nothing. From firmware 3.70 on."""
    UNDEFINED_13 = 13
    UNDEFINED_14 = 14
    PLACEHOLDER = 15
    """Nothing was received from the device behind the meter, or not yet."""

    @property
    def precedence(self) -> int:
        """Return how weighty it is: of several, the meter names the weightiest (p. 240-241). What the guide lacks is -1."""
        return _PRECEDENCE.get(self, -1)

    @property
    def holds_value(self) -> bool:
        """Tell whether the value beside it is one that was measured, at whatever time."""
        return self in _MEASURED

    @property
    def usable(self) -> bool:
        """Tell whether the value is the register at the end of the interval, of which differences may be taken."""
        return self in _OF_THE_INTERVAL


_PRECEDENCE = {
    ChannelStatus.OK: 0,
    ChannelStatus.OPTED_OUT: 0,
    ChannelStatus.TEST_MODE: 2,
    ChannelStatus.CLOCK_ERROR: 3,
    ChannelStatus.LONG: 4,
    ChannelStatus.PARTIAL: 5,
    ChannelStatus.DEVICE_MISSING: 6,
    ChannelStatus.NOT_CURRENT: 7,
    ChannelStatus.NOT_DECRYPTED: 8,
    ChannelStatus.OVERFLOW: 10,
    ChannelStatus.SKIPPED: 11,
    ChannelStatus.PLACEHOLDER: 11,
}

_OF_THE_INTERVAL = frozenset(
    {
        ChannelStatus.OK,
        ChannelStatus.PARTIAL,
        ChannelStatus.LONG,
        ChannelStatus.TEST_MODE,
        ChannelStatus.CLOCK_ERROR,
    }
)
_MEASURED = _OF_THE_INTERVAL | {ChannelStatus.OVERFLOW, ChannelStatus.NOT_CURRENT}


def weightiest(statuses: Iterable[ChannelStatus]) -> ChannelStatus:
    """Return the status with the highest precedence, as the meter itself would choose; OK if there is none."""
    return max(statuses, key=lambda status: status.precedence, default=ChannelStatus.OK)
