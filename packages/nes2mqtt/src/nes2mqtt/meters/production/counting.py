"""How the readings of an inverter become energy: of its register by differences, else of its power by adding up.

What cannot be true is not counted: a register that falls belongs to another inverter or began anew, one that comes back to where
it fell from was away, one that rises faster than the inverter can was misread. Counting then goes on from the new reading, and the time between is not known.

This module knows no clock, file or socket.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["QUARTER", "Part", "PowerCount", "RegisterCount", "Sum"]

QUARTER = 900_000
"""Milliseconds of a quarter hour; every time zone's hours begin on one."""

_RESOLUTION = 1000.0
"""Wh by which a register may jump at once: some count whole kWh."""

_TRIFLE = 100.0
"""Wh. What an inverter gave while it was silent may be that much and the silence still counts as known: it is silent at night, and
two minutes of a middling day are as much."""

_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Part:
    """Energy that was given between two readings.

    Args:
        since: of the first of them, milliseconds since 1970.
        until: of the second.
        wh: Wh between them.
        known: milliseconds of this time of which that is known.
    """

    since: int
    until: int
    wh: float
    known: int

    @property
    def quarter(self) -> int:
        """Return the start of the quarter hour it is booked to: the one in which it was read."""
        return (self.until - 1) // QUARTER * QUARTER


@dataclass(frozen=True, slots=True)
class Sum:
    """What was given in a time.

    Args:
        wh: Wh; None where nothing is known.
        first: reading (ms) at which counting began.
        last: reading at which it ended.
        known: milliseconds of which it is known.
    """

    wh: float | None = None
    first: int | None = None
    last: int | None = None
    known: int = 0

    def plus(self, other: Sum) -> Sum:
        """Return what was given in both."""
        if self.wh is None or self.first is None or self.last is None:
            return other
        if other.wh is None or other.first is None or other.last is None:
            return self
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Sum(self.wh + other.wh, first, last, self.known + other.known)


class RegisterCount:
    """Counts by the register of all energy ever given.

    Args:
        max_power: W that the inverter cannot exceed.
        last: time (ms) and register (Wh) of the last reading there was, also by an earlier process.
    """

    def __init__(self, max_power: float, last: tuple[int, float] | None = None) -> None:
        self._max_power = max_power
        self._fell_from = float("inf")
        self.last = last

    def read(self, at: int, wh: float) -> Iterator[Part]:
        """Take a reading; yield what was given since the one before, the earliest first.

        Args:
            at: milliseconds since 1970.
            wh: what the register shows, in Wh.
        """
        before, self.last = self.last, (at, wh)
        if before is None or at <= before[0]:
            return
        since, given = before[0], wh - before[1]
        if given < 0:
            self._fell_from = before[1]
            return
        if wh >= self._fell_from:
            # It had only been away, as with what speaks for an inverter that sleeps: that is no energy.
            self._fell_from = float("inf")
            return
        if given > self._max_power * (at - since) / _HOUR + _RESOLUTION:
            return
        if given <= _TRIFLE:
            # Nothing to speak of: known in each quarter hour, and not only in the one of the later reading.
            edge = (since // QUARTER + 1) * QUARTER
            while edge < at:
                yield Part(since, edge, 0.0, edge - since)
                since, edge = edge, edge + QUARTER
        yield Part(since, at, given, at - since)


class PowerCount:
    """Adds power up, where no register tells.

    Args:
        patience: milliseconds between two readings after which what was given between them is not known.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._last: tuple[int, float] | None = None

    def read(self, at: int, watts: float) -> Iterator[Part]:
        """Take a reading, as :meth:`RegisterCount.read`; between two the power is their mean."""
        before, self._last = self._last, (at, watts)
        if before is not None and 0 < at - before[0] <= self._patience:
            length = at - before[0]
            yield Part(before[0], at, (before[1] + watts) / 2 * length / _HOUR, length)
