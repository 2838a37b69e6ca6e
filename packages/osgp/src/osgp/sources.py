"""The one list of what a meter measures: source id -> quantity, unit, phase, direction, tier.

Nothing else in the repository spells out a unit or a register name. MQTT topics,
Home Assistant classes, history columns, the page and the reference docs derive from
:data:`SOURCES`. A ``key`` is a published name: once released it never changes.

Raw values are the meter's own integers (Wh, W, mV, mA, mHz, 1/1000). ``raw / 10**decimals``
is the value in ``unit``, the unit people read.

This module does not know where in a table a source stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Direction", "Kind", "Quantity", "Source"]


class Quantity(StrEnum):
    """What is measured."""

    ACTIVE_ENERGY = "active_energy"
    REACTIVE_ENERGY = "reactive_energy"
    APPARENT_ENERGY = "apparent_energy"
    ACTIVE_POWER = "active_power"
    REACTIVE_POWER = "reactive_power"
    APPARENT_POWER = "apparent_power"
    VOLTAGE = "voltage"
    CURRENT = "current"
    FREQUENCY = "frequency"
    POWER_FACTOR = "power_factor"
    PHASE_ANGLE = "phase_angle"
    DURATION = "duration"
    COUNT = "count"


class Kind(StrEnum):
    """How a value behaves in time, which decides what the guard may believe of it."""

    REGISTER = "register"
    """Counts up only, until it rolls over (energies, outage seconds, counts)."""
    NET_REGISTER = "net_register"
    """A total that may fall (forward minus reverse)."""
    PRESENT = "present"
    """A present value: may be anything the next second."""


class Direction(StrEnum):
    """Seen from the house: import is drawn from the grid (the guide's forward)."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Source:
    """One measured quantity."""

    id: int | None
    """C12.19 source id; None where the guide prints none (table position only)."""
    key: str
    """Published name, stable for ever: ``active_power_import_l1``."""
    label: str
    """English name for people: ``Import power L1``."""
    quantity: Quantity
    kind: Kind
    raw_unit: str
    """Unit of the meter's integer: ``mV``."""
    unit: str
    """Unit people read: ``V``; empty for none."""
    decimals: int
    """Value in ``unit`` = raw / 10**decimals; also the digits worth showing at most."""
    citation: str
    """Document, version and page that say so."""
    phase: int | None = None
    """1, 2, 3 or None for all phases together."""
    direction: Direction | None = None
    tier: int | None = None
    """Tariff tier, 0-based as in the tables; None for the total."""

    def scaled(self, raw: int) -> float:
        """Return ``raw`` in :attr:`unit`."""
        return raw / 10**self.decimals if self.decimals else raw
