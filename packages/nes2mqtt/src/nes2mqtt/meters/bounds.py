"""Which values cannot be, whatever the meter says: those are taken for absent.

A verified reply can still hold numbers that nobody measured: fields that a meter's firmware does not fill, or a table
that was reconfigured. The bounds are wide on purpose: they keep out what no house and no grid can have, never a true
value that is merely unusual. Where they come from:

==================  ==============================  ===========================================================
quantity            bounds                          reason
==================  ==============================  ===========================================================
any                 not 0x7FFFFFFF, 0x80000000      the ends of a 32-bit field stand for "not measured" in many
                    or 0xFFFFFFFF                   systems; as a measurement they are 2,147,483,647 W
voltage             0 to 2 * rated voltage;         a lost neutral raises the voltage to neutral by up to the
                    without a rating 0 to 600 V     square root of 3; meters are made for 120 to 277 V
frequency           rated +- 20 %; without a        grids of 50 and 60 Hz switch off before that
                    rating 40 to 70 Hz
power               2 * the larger of max_power     what the owner says can flow, or what the meter is made for,
                    and the rated power             doubled for moments in which a fuse holds more than it carries
current             2 * rated current * ratio;      as above; 100 V is the lowest voltage, and all may flow through
                    without a rating or a ratio     one phase
                    that power / 100 V
values on the       4000 times as much              the largest ratio of current transformers in use
primary side
power factor, sine  -1 to 1                         by definition
angle               -360 to 360 degrees             by definition
==================  ==============================  ===========================================================

The ratings are the meter's own (ET04, MEP guide v1.1 p. 58), the ratio that of its transformers (BT15, p. 199-200, of meters
behind transformers only), whether or not it is part of what the meter shows. A rating that cannot be is none. A ratio
that is not told is 1 where no transformer can be: meters for more than 20 A or at least 120 V are wired directly. Else
it may be the largest in use.

0 V and 0 A are true values of a phase that is off; 0 Hz is not, a meter without mains does not answer.

This module does not know a meter or a clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from osgp.sources import Quantity, Source

__all__ = ["NOT_MEASURED", "Bounds", "Judge", "Ratings"]

NOT_MEASURED = frozenset({0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, -0x8000_0000})
"""Both ends of a 32-bit field, signed and unsigned, but -1, which is a value of signed fields."""

_BY_DEFINITION = {
    Quantity.POWER_FACTOR: 1000,
    Quantity.PHASE_ANGLE_SINE: 1000,
    Quantity.VOLTAGE_ANGLE: 36_000,
}
"""In raw units: 1/1000, 1/100 degree; either side of 0."""

_POWERS = frozenset({Quantity.ACTIVE_POWER, Quantity.REACTIVE_POWER, Quantity.APPARENT_POWER})
_VOLTAGE = 600_000
"""In mV, as all below is in raw units: mHz, mA, W."""
_FREQUENCY = (40_000, 70_000)
_ABOVE_RATED = 2
_FREQUENCY_AROUND = (800, 1200)
"""20 % either side of a rated Hz."""
_LOWEST_VOLTAGE = 100
_ANYTHING = 1 << 64
"""More than any field holds."""
_LARGEST_RATIO = 4000
_BEHIND_TRANSFORMERS = 20
"""A: transformers give 1 or 5 A when fully loaded, and their meters are made for at most four times that."""
_WIRED_DIRECTLY = 120
"""V: transformers give 57 to 115 V. A house with less than 120 V is rare; its voltage is only bound more widely."""
_PHASES = 3
_VOLTAGES = range(50, 1001)
_CURRENTS = range(1, 10_001)
_FREQUENCIES = range(45, 66)


class Ratings(Protocol):
    """What a meter is made for, as :class:`osgp.meter.Ratings`; None where it does not tell."""

    @property
    def voltage(self) -> int | None:
        """Rated voltage of a phase in V."""

    @property
    def frequency(self) -> int | None:
        """Rated frequency in Hz."""

    @property
    def maximum_current(self) -> int | None:
        """Of a phase, in A."""

    @property
    def ct_ratio(self) -> int | None:
        """Of current transformers; 1 without."""

    @property
    def vt_ratio(self) -> int | None:
        """Of voltage transformers; 1 without."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the present values of one meter can be.

    Args:
        power: the most that can flow through it, in W (var, VA).
        voltage: the highest, in mV.
        frequency: the lowest and the highest, in mHz.
        current: the highest, in mA; None where it follows from the power.
    """

    power: float = 100_000
    voltage: int = _VOLTAGE
    frequency: tuple[int, int] = _FREQUENCY
    current: int | None = None

    @classmethod
    def of(cls, power: float, ratings: Ratings | None) -> Bounds:
        """Return the bounds of a meter that is said to carry some power, by its own ratings as far as it tells them."""
        if ratings is None:
            return cls(power)
        volts, amperes = _told(ratings.voltage, _VOLTAGES), _told(ratings.maximum_current, _CURRENTS)
        hertz = _told(ratings.frequency, _FREQUENCIES)
        ct, vt = (_told(ratio, range(1, _LARGEST_RATIO + 1)) for ratio in (ratings.ct_ratio, ratings.vt_ratio))
        rated = _PHASES * volts * (vt or 1) * amperes * (ct or 1) if volts and amperes else 0
        if amperes and ct is None:
            ct = 1 if amperes > _BEHIND_TRANSFORMERS else None
        if volts and vt is None:
            vt = 1 if volts >= _WIRED_DIRECTLY else _LARGEST_RATIO
        return cls(
            max(power, rated),
            1000 * _ABOVE_RATED * volts * vt if volts and vt else _VOLTAGE,
            (hertz * _FREQUENCY_AROUND[0], hertz * _FREQUENCY_AROUND[1]) if hertz else _FREQUENCY,
            1000 * _ABOVE_RATED * amperes * ct if amperes and ct else None,
        )

    def ends(self, source: Source) -> tuple[float, float]:
        """Return the least and the most that a raw value can be, apart from those for "not measured"."""
        quantity = source.quantity
        if quantity in _BY_DEFINITION:
            most: float = _BY_DEFINITION[quantity]
            return -most, most
        if quantity == Quantity.VOLTAGE:
            return 0, self.voltage
        if quantity == Quantity.FREQUENCY:
            return self.frequency
        ratio = _LARGEST_RATIO if "_primary_" in source.key else 1
        if quantity == Quantity.CURRENT:
            most = self.current if self.current is not None else 1000 * _ABOVE_RATED * self.power // _LOWEST_VOLTAGE
            return -most * ratio, most * ratio
        if quantity in _POWERS:
            most = _ABOVE_RATED * self.power * ratio
            return -most, most
        return -_ANYTHING, _ANYTHING

    def depends_on_power(self, source: Source) -> bool:
        """Tell whether the bounds of a value follow from the setting ``max_power``."""
        return source.quantity in _POWERS or (source.quantity == Quantity.CURRENT and self.current is None)


class Judge:
    """Tells whether present values can be; the ends of each source's bounds are worked out once.

    Args:
        bounds: of the meter.
    """

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._ends: dict[Source, tuple[float, float]] = {}
        self._same: dict[tuple[float, float], tuple[float, float]] = {}
        """Many sources have the same ends; on the module each pair takes memory."""

    def believable(self, values: Mapping[Source, int]) -> dict[Source, int]:
        """Return those raw values that can be measurements."""
        known = self._ends
        found = {}
        for source, value in values.items():
            ends = known.get(source)
            if ends is None:
                ends = self.bounds.ends(source)
                ends = known[source] = self._same.setdefault(ends, ends)
            if ends[0] <= value <= ends[1] and value not in NOT_MEASURED:
                found[source] = value
        return found


def _told(rating: int | None, possible: range) -> int | None:
    return rating if rating in possible else None
