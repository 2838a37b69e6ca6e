"""Which values cannot be, whatever the meter says: those are taken for absent.

A verified reply can still hold numbers that nobody measured: fields that a meter's firmware does not fill, or a table
that was reconfigured. The bounds are wide on purpose: they keep out what no house and no grid can have, never a true
value that is merely unusual. Where they come from:

==================  ==========================  ===========================================================
quantity            bounds                      reason
==================  ==========================  ===========================================================
any                 not 0x7FFFFFFF, 0x80000000  the ends of a 32-bit field stand for "not measured" in many
                    or 0xFFFFFFFF               systems; as a measurement they are 2,147,483,647 W
voltage             0 to 600 V                  meters are made for 120 to 277 V to neutral; a lost neutral
                                                raises that by up to the square root of 3, to 480 V
frequency           40 to 70 Hz                 grids of 50 and 60 Hz switch off before that
power               2 * max_power               what the owner says can flow, doubled for the moments in
                                                which a fuse holds more than it carries
current             2 * max_power / 100 V       all of that through one phase at the lowest voltage
values on the       4000 times as much          the largest ratio of current transformers in use
primary side
power factor, sine  -1 to 1                     by definition
angle               -360 to 360 degrees         by definition
==================  ==========================  ===========================================================

0 V and 0 A are true values of a phase that is off; 0 Hz is not, a meter without mains does not answer.

This module does not know a meter or a clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from osgp.sources import Quantity, Source

__all__ = ["NOT_MEASURED", "Bounds"]

NOT_MEASURED = frozenset({0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, -0x8000_0000})
"""Both ends of a 32-bit field, signed and unsigned, but -1, which is a value of signed fields."""

_FIXED = {
    Quantity.VOLTAGE: (0, 600_000),
    Quantity.FREQUENCY: (40_000, 70_000),
    Quantity.POWER_FACTOR: (-1000, 1000),
    Quantity.PHASE_ANGLE_SINE: (-1000, 1000),
    Quantity.VOLTAGE_ANGLE: (-36_000, 36_000),
}
"""In raw units: mV, mHz, 1/1000, 1/100 degree."""

_POWERS = frozenset({Quantity.ACTIVE_POWER, Quantity.REACTIVE_POWER, Quantity.APPARENT_POWER})
_SURGE = 2.0
_LOWEST_VOLTAGE = 100.0
_LARGEST_RATIO = 4000.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the present values of one meter can be.

    Args:
        power: the most that can flow through it, in W (var, VA).
    """

    power: float = 100_000.0

    def allows(self, source: Source, value: int) -> bool:
        """Tell whether a raw value can be a measurement."""
        if value in NOT_MEASURED:
            return False
        fixed = _FIXED.get(source.quantity)
        if fixed is not None:
            return fixed[0] <= value <= fixed[1]
        if not depends_on_power(source):
            return True
        most = _SURGE * self.power
        if source.quantity is Quantity.CURRENT:
            most *= 1000 / _LOWEST_VOLTAGE  # mA
        return abs(value) <= most * (_LARGEST_RATIO if "_primary_" in source.key else 1)


def depends_on_power(source: Source) -> bool:
    """Tell whether the bounds of a value follow from the setting ``max_power``."""
    return source.quantity in _POWERS or source.quantity is Quantity.CURRENT
