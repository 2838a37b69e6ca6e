"""What the meter measures, in the place of :mod:`osgp.sources`: only what the module reads, each made when it is first asked for.

The list is that of :mod:`nesmodule.meter.plan`. Labels, pages and citations stay behind. A source only knows its line of the list, and
reads there what it is asked for: sixty of them would take six kilobytes otherwise.

This module does not know where values stand.
"""

from __future__ import annotations

from typing import Any

from nesmodule.meter import plan

__all__ = ["SOURCES", "Kind", "Quantity", "Source", "by_id"]


class Quantity:
    """Values of :class:`osgp.sources.Quantity`."""

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
    PHASE_ANGLE_SINE = "phase_angle_sine"
    VOLTAGE_ANGLE = "voltage_angle"
    DURATION = "duration"
    COUNT = "count"


class Kind:
    """Values of :class:`osgp.sources.Kind`."""

    REGISTER = "register"
    NET_REGISTER = "net_register"
    PRESENT = "present"


_KINDS = {"r": Kind.REGISTER, "n": Kind.NET_REGISTER, "p": Kind.PRESENT}


class Source:
    """One measured quantity; there is one object of each.

    Args:
        place: where its line begins in the list.
    """

    def __init__(self, place: int) -> None:
        self._place = place

    def __repr__(self) -> str:
        return self.key

    def _word(self, number: int) -> str:
        """Return one of the words of the line: id, key, place in UNITS, kind."""
        lines = plan.SOURCES
        return lines[self._place : lines.find(b"\n", self._place)].decode().split(":")[number]

    def _unit(self, number: int) -> Any:
        return plan.UNITS[int(self._word(2))][number]

    @property
    def key(self) -> str:
        """Its name in topics and documents."""
        return self._word(1)

    @property
    def kind(self) -> str:
        """How it changes."""
        return _KINDS[self._word(3)]

    @property
    def label(self) -> str:
        """A name for people."""
        return self.key.replace("_", " ")

    @property
    def quantity(self) -> str:
        """What is measured."""
        found: str = self._unit(0)
        return found

    @property
    def raw_unit(self) -> str:
        """Unit of the meter's integer."""
        found: str = self._unit(1)
        return found

    @property
    def unit(self) -> str:
        """Unit people read."""
        found: str = self._unit(2)
        return found

    @property
    def decimals(self) -> int:
        """Value in :attr:`unit` = raw / 10**decimals."""
        found: int = self._unit(3)
        return found

    def text(self, raw: int) -> str:
        """Return ``raw`` in :attr:`unit` as decimal digits, exactly: ``65845.342``, ``2``."""
        decimals = self.decimals
        whole, part = divmod(abs(raw), 10**decimals)
        digits = ("%d.%0*d" % (whole, decimals, part)).rstrip("0").rstrip(".") if part else str(whole)
        return "-" + digits if raw < 0 else digits


_made: dict[int, Source] = {}


def by_id(number: int) -> Source | None:
    """Return the source of a source id; None for one that the module does not read."""
    return _at(plan.SOURCES.find(b"\n%d:" % number))


def _at(place: int) -> Source | None:
    """Return the source in whose line a place is; None for no place. Each line begins and ends with a line end."""
    if place < 0:
        return None
    start = plan.SOURCES.rfind(b"\n", 0, place + 1) + 1
    if start not in _made:
        _made[start] = Source(start)
    return _made[start]


class _Sources:
    """All sources by key."""

    def __getitem__(self, key: str) -> Source:
        found = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: str) -> Source | None:
        """Return a source; None where there is none of that key."""
        return _at(plan.SOURCES.find(b":" + key.encode() + b":"))


SOURCES = _Sources()
