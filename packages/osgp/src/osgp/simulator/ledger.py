"""The energy a household has used by any second since its meter was installed, in joules, per tariff tier.

Whole days first, then whole cells of the day, then the seconds of the cell: exact integers, no accumulation of
rounding. Each past day is planned once; its sum is kept.

This module does not know about Wh, register layouts or meters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from osgp.simulator.household import CELL, CELLS, DAY, Cell, Household
from osgp.simulator.localtime import tier_at

__all__ = ["INSTALLED", "TIERS", "Energy", "Ledger", "Tiers"]

INSTALLED = 1767225600
"""The meter was put in on 2026-01-01T00:00Z; before that moment the house stands still."""

TIERS = 2


@dataclass(frozen=True, slots=True)
class Energy:
    """Joules since the meter was installed: active forward and reverse, reactive inductive and capacitive."""

    forward: int = 0
    reverse: int = 0
    inductive: int = 0
    capacitive: int = 0

    def plus_all(self, active: Sequence[int], reactive: Sequence[int], seconds: int) -> Energy:
        """Return the energy after so many seconds of each of some powers."""
        forward = sum(watts for watts in active if watts > 0)
        inductive = sum(var for var in reactive if var > 0)
        return Energy(
            self.forward + forward * seconds,
            self.reverse + (forward - sum(active)) * seconds,
            self.inductive + inductive * seconds,
            self.capacitive + (inductive - sum(reactive)) * seconds,
        )

    def plus(self, other: Energy) -> Energy:
        """Return the sum of both."""
        return Energy(
            self.forward + other.forward,
            self.reverse + other.reverse,
            self.inductive + other.inductive,
            self.capacitive + other.capacitive,
        )

    def less(self, other: Energy) -> Energy:
        """Return this energy without the other."""
        return Energy(
            self.forward - other.forward,
            self.reverse - other.reverse,
            self.inductive - other.inductive,
            self.capacitive - other.capacitive,
        )


Tiers = tuple[Energy, ...]


class Ledger:
    """The running sums of one household. Houses with the same habits and installation date may share it.

    Args:
        household: whose energy is counted.
        installed: UTC seconds; the sums start at the midnight before.
    """

    def __init__(self, household: Household, installed: int = INSTALLED) -> None:
        self.household = household
        self.installed = installed - installed % DAY
        self._midnights: list[Tiers] = [(Energy(),) * TIERS]
        self._day = -1
        self._cells: list[Tiers] = []
        self._cell_number = -1
        self._seconds: tuple[list[int], list[int]] = ([], [])
        self._started: tuple[int, list[Tiers]] = (-1, [])

    def starts(self, day: int) -> list[Tiers]:
        """Return the energy per tier at the start of each cell of a UTC day since the installation, and at its end."""
        if day != self._started[0]:
            self._started = day, self._walk(day)
        return self._started[1]

    def at(self, second: int) -> Tiers:
        """Return the energy per tier up to and including ``second``, which is not before installation."""
        day, rest = divmod(second, DAY)
        index, within = divmod(rest, CELL)
        if day != self._day:
            self._cells, self._day = self._walk(day), day
        if second // CELL != self._cell_number:
            cell = self.household.cell(day, index)
            self._seconds, self._cell_number = _running(cell), second // CELL
        active, reactive = self._seconds
        return _credit(self._cells[index], tier_at(second), active[within], reactive[within])

    def count(self, day: int) -> None:
        """Count the days before a day."""
        first = self.installed // DAY
        while len(self._midnights) <= day - first:
            self._count(first + len(self._midnights) - 1)

    def _walk(self, day: int) -> list[Tiers]:
        """Return the energy at the start of each cell of a day, after counting the days on the way there."""
        self.count(day)
        energies = self._midnights[day - self.installed // DAY]
        steps = [energies]
        plan = self.household.day(day)
        tiers = _tiers(day)
        for cell in range(CELLS):
            active, reactive = sum(plan.watts(cell)) * CELL, sum(plan.var(cell)) * CELL
            energies = _credit(energies, tiers[cell * 24 // CELLS], active, reactive)
            steps.append(energies)
        return steps

    def _count(self, day: int) -> None:
        """Add the sums of a whole day to those of the midnight before it."""
        plan = self.household.day(day)
        active = list(map(sum, zip(*plan.active, strict=True)))
        reactive = list(map(sum, zip(*plan.reactive, strict=True)))
        energies = list(self._midnights[-1])
        per_hour = CELLS // 24
        for hour, tier in enumerate(_tiers(day)):
            part = slice(hour * per_hour, (hour + 1) * per_hour)
            energies[tier] = energies[tier].plus_all(active[part], reactive[part], CELL)
        self._midnights.append(tuple(energies))


def _tiers(day: int) -> list[int]:
    """Return the tier of each hour of a UTC day."""
    return [tier_at(day * DAY + hour * 3600) for hour in range(24)]


def _credit(energies: Tiers, tier: int, active: int, reactive: int) -> Tiers:
    credited = energies[tier].plus_all((active,), (reactive,), 1)
    return (*energies[:tier], credited, *energies[tier + 1 :])


def _running(cell: Cell) -> tuple[list[int], list[int]]:
    """Return the joules (var seconds) of a cell up to and including each of its seconds."""
    active = accumulate(map(sum, zip(*cell.active, strict=True)))
    reactive = accumulate(map(sum, zip(*cell.reactive, strict=True)))
    return list(active), list(reactive)
