"""Reactive and apparent energy by quadrant, which meters from firmware 4.0 on count (MEP guide v1.1 p. 210).

Within one cell of a household neither the active nor the reactive power of all phases changes its sign, so a cell lies in one
quadrant. Two views of a household make other powers of its cells, whose sums ordinary ledgers keep. Apparent energy follows
from the mean powers of a cell, so it differs a little from the sum of the apparent powers of its seconds.

This module does not know registers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from osgp.simulator.history.happenings import History
from osgp.simulator.history.undelivered import Undelivered
from osgp.simulator.household import CELL, CELLS, DAY, PHASES, Cell, DayPlan, Household
from osgp.simulator.ledger import Ledger, Tiers

__all__ = ["Quadrants"]

_Powers = tuple[Sequence[int], Sequence[int], Sequence[int]]
_NO_DAY: _Powers = ((0,) * CELLS,) * 3
_NO_CELL: _Powers = ((0,) * CELL,) * 3


class Quadrants:
    """Energies by quadrant of one house.

    Args:
        ledger: of its household.
        history: what happens to it.
        order: of each phase of the meter, the household's phase on it, counted from 0.
    """

    def __init__(self, ledger: Ledger, history: History, order: Sequence[int]) -> None:
        views = (_FedBack(ledger.household), _Apparent(ledger.household))
        self._ledgers = [Ledger(view, ledger.installed) for view in views]
        self._counted = ledger.installed // DAY
        self._undelivered = [Undelivered(one, history, order) for one in self._ledgers]

    def at(self, second: int, energies: Tiers) -> list[list[int]]:
        """Return varh of quadrants 1 to 4 and VAh of quadrants 1 to 4 per tier, in joules.

        Args:
            second: up to and including it.
            energies: the house's at that second, of which all reactive energy is a part.
        """
        while self._counted < second // DAY:
            self._counted += 1
            for ledger in self._ledgers:  # both, while the household remembers the day
                ledger.count(self._counted)
        fed_back, apparent = (
            self._less(ledger.at(second), undelivered.at(second))
            for ledger, undelivered in zip(self._ledgers, self._undelivered, strict=True)
        )
        return [
            [
                all_of_it.inductive - back.inductive,
                back.inductive,
                back.capacitive,
                all_of_it.capacitive - back.capacitive,
                volt_amperes.forward,
                volt_amperes.reverse,
                volt_amperes.inductive,
                volt_amperes.capacitive,
            ]
            for all_of_it, back, volt_amperes in zip(energies, fed_back, apparent, strict=True)
        ]

    @staticmethod
    def _less(energies: Tiers, missing: Tiers | None) -> Tiers:
        if missing is None:
            return energies
        return tuple(used.less(lacking) for used, lacking in zip(energies, missing, strict=True))


class _View(Household):
    """A household with other powers."""

    def __init__(self, of: Household) -> None:
        self.seed, self.traits = of.seed, of.traits
        self._of = of
        self.day = lru_cache(maxsize=4)(self._day)
        self.cell = lru_cache(maxsize=4)(self._cell)


class _FedBack(_View):
    """The reactive power while active power is fed back: quadrants 2 and 3."""

    def _day(self, day: int) -> DayPlan:
        plan = self._of.day(day)
        one, two, three = (
            [var if sum(plan.watts(cell)) < 0 else 0 for cell, var in enumerate(phase)] for phase in plan.reactive
        )
        return DayPlan(_NO_DAY, (one, two, three), {}, ())

    def _cell(self, day: int, cell: int) -> Cell:
        back = sum(self._of.day(day).watts(cell)) < 0
        return Cell(_NO_CELL, self._of.cell(day, cell).reactive if back else _NO_CELL)


class _Apparent(_View):
    """The apparent power, as active power in quadrants 1 (+) and 2 (-), as reactive power in 3 (+) and 4 (-)."""

    def _day(self, day: int) -> DayPlan:
        plan = self._of.day(day)
        active: list[list[int]] = [[], [], []]
        reactive: list[list[int]] = [[], [], []]
        for cell in range(CELLS):
            watts, var = plan.watts(cell), plan.var(cell)
            importing, inductive = sum(watts) >= 0, sum(var) >= 0
            for phase in PHASES:
                amount = round(math.hypot(watts[phase], var[phase]))
                active[phase].append((amount if importing else -amount) if inductive else 0)
                reactive[phase].append(0 if inductive else (-amount if importing else amount))
        return DayPlan((active[0], active[1], active[2]), (reactive[0], reactive[1], reactive[2]), {}, ())

    def _cell(self, day: int, cell: int) -> Cell:
        plan = self.day(day)
        active, reactive = (tuple((mean,) * CELL for mean in means) for means in (plan.watts(cell), plan.var(cell)))
        return Cell((active[0], active[1], active[2]), (reactive[0], reactive[1], reactive[2]))
