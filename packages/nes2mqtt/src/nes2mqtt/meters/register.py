"""What is known of one register of a meter, and which value may come next.

How long it was between two reads decides how far a register can have counted. Within one run of this program that is
measured by the monotonic clock. Across a restart only labels are left, and either may come from a clock that was
wrong: such a time is only claimed, and when a clock was not known there is none at all.

This module does not know what becomes of a value; :mod:`nes2mqtt.meters.guard` decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from nes2mqtt.timing.moment import Moment
from osgp.sources import Kind, Quantity, Source

__all__ = ["Held", "Limits", "Register", "Why"]

_ROLLOVERS = tuple(10**digits for digits in range(5, 12))
"""Registers roll over after 5 to 9 decimal digits (MEP guide v1.1, p. 119, ET42), of units of 1, 10 or 100 Wh (p. 158):
at 10^5 to 10^11 Wh. The guide speaks of digits "in Wh", but also of larger units that keep the roll-over away
(p. 118-119), so all are tried; a held fall is confirmed anyway."""

_COUNT_ROLLOVERS = (*_ROLLOVERS, 2**8, 2**16, 2**32)
"""Counts may also roll over where their field ends; the guide says of a UINT8 count that it does (p. 187, ET89)."""

_SLACK_SECONDS = 15.0
"""Added to every elapsed time: a register may lag up to 0.5 s, replies wait behind retries."""

_IMPOSSIBLE = 10
"""So many times faster than the limit, a rise is no consumption, however carelessly ``max_power`` was set."""

_ENERGIES = frozenset({Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY, Quantity.APPARENT_ENERGY})
_HOUR = 3600.0
_MARGIN_PER_CENT = 110
_DURATION_PER_HOUR = 3600 * _MARGIN_PER_CENT // 100
_PULSES_PER_HOUR = 100 * 3600
"""Pulse inputs and error counters; above any meter pulse output (S0 allows 33 a second)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How fast registers can count.

    Args:
        power: the most that can flow through the meter, in W (var, VA).
    """

    power: float = 100_000

    def hourly(self, source: Source) -> float:
        """Return how much a register can grow, in raw units per hour."""
        if source.quantity in _ENERGIES:
            return self.power * _MARGIN_PER_CENT // 100
        return _DURATION_PER_HOUR if source.quantity == Quantity.DURATION else _PULSES_PER_HOUR


class Why(Enum):
    """Why a value waits for the next read."""

    FIRST = auto()
    GAP = auto()
    """It rose across a restart, and nobody knows how long that took."""
    JUMP = auto()
    ROLLOVER = auto()
    LAYOUT = auto()


@dataclass(frozen=True, slots=True)
class Held:
    """What the last read said and the next one has to confirm."""

    value: int
    at: Moment
    why: Why


@dataclass(slots=True)
class Register:
    """What is known of one register."""

    hourly: float
    net: bool
    rollovers: tuple[int, ...]
    value: int | None = None
    """The last value believed."""
    at: Moment | None = None
    held: Held | None = None
    falling: bool = False
    """An unexplained fall was said already."""
    fast: bool = False
    """A confirmed jump was said already."""
    outran: int = 0
    """Reads in a row that rose too fast to confirm the one before."""
    doubted: float | None = None
    """When a jump last made somebody ask who the meter is, by the monotonic clock."""

    @classmethod
    def of(cls, source: Source, limits: Limits) -> Register:
        """Return a register nothing is known about."""
        return cls(
            limits.hourly(source),
            net=source.kind != Kind.REGISTER,
            rollovers=_COUNT_ROLLOVERS if source.quantity == Quantity.COUNT else _ROLLOVERS,
        )

    def may_become(self, value: int, at: Moment) -> bool:
        """Tell whether the register can have counted from the last value believed to this one."""
        return self.value is not None and self.at is not None and self.follows(value, self.value, self.at, at)

    def follows(self, value: int, earlier: int, since: Moment, at: Moment) -> bool:
        """Tell whether ``value`` at ``at`` can come after ``earlier`` at ``since`` (G2)."""
        step = value - earlier
        if step == 0:
            return True
        if step < 0 and not self.net:
            return False
        return abs(step) <= self._most(elapsed(since, at) or 0.0)

    def impossible(self, value: int, at: Moment) -> bool:
        """Tell whether a rise is so fast that no setting explains it; only of a measured time."""
        if self.value is None or self.at is None or not measured(self.at, at):
            return False
        return abs(value - self.value) > _IMPOSSIBLE * self._most(elapsed(self.at, at) or 0.0)

    def rolls_over(self, value: int, at: Moment) -> bool:
        """Tell whether a fall to ``value`` is what a roll-over looks like (G4): by more than half of the range."""
        if self.net or self.value is None or self.at is None or not 0 <= value < self.value:
            return False
        seconds = elapsed(self.at, at)
        for limit in self.rollovers:
            most = limit // 2 if seconds is None else min(self._most(seconds), limit // 2)
            if self.value < limit and limit - self.value + value <= most:
                return True
        return False

    def _most(self, seconds: float) -> float:
        """Return the most this register can have counted in some seconds."""
        return self.hourly * (seconds + _SLACK_SECONDS) // _HOUR


def measured(since: Moment, at: Moment) -> bool:
    """Tell whether the time between two moments is known for sure."""
    return since.instant is not None and at.instant is not None


def elapsed(since: Moment, at: Moment) -> float | None:
    """Return the seconds between two moments; None when neither a clock measured them nor the labels can be right."""
    if since.instant is not None and at.instant is not None:
        return max(at.instant - since.instant, 0.0)
    seconds: float = (at.label - since.label).total_seconds()
    return seconds if seconds >= 0 and since.known and at.known else None
