"""The energy that a household would have drawn or fed back, had there been voltage on all phases.

A household's sums (:class:`~osgp.simulator.ledger.Ledger`) go on through power cuts and lost phases; the meter's registers are
those sums less what this module works out. It is exact to the joule, as the sums are.

This module does not know registers or what a meter records.
"""

from __future__ import annotations

from collections.abc import Sequence

from osgp.simulator.history.happenings import History
from osgp.simulator.household import CELL, DAY
from osgp.simulator.ledger import Energy, Ledger, Tiers
from osgp.simulator.localtime import tier_at

__all__ = ["Undelivered"]

_PHASES = 3


class Undelivered:
    """What one house did not get.

    Args:
        ledger: what its household would have used.
        history: what happened, all of it after the installation.
        order: of each phase of the meter, the household's phase on it, counted from 0.
    """

    def __init__(self, ledger: Ledger, history: History, order: Sequence[int]) -> None:
        self._ledger = ledger
        self._history = history
        self._order = order
        self._whole: dict[tuple[int, int, frozenset[int]], Tiers] = {}
        self._cells: dict[tuple[int, frozenset[int]], Energy] = {}

    def at(self, second: int) -> Tiers | None:
        """Return what was not delivered up to and including a second, per tier; None if there was nothing."""
        missing: Tiers | None = None
        for begin, end, dead in self._history.supply():
            if begin > second:
                break
            stretch = (begin, end, dead)
            if end <= second:
                if stretch not in self._whole:
                    self._whole[stretch] = self._of(begin, end, dead)
                part = self._whole[stretch]
            else:
                part = self._of(begin, second + 1, dead)
            missing = (
                part if missing is None else tuple(one.plus(more) for one, more in zip(missing, part, strict=True))
            )
        return missing

    def _of(self, begin: int, end: int, dead: frozenset[int]) -> Tiers:
        """Return what was not delivered in a stretch of time."""
        if len(dead) == _PHASES:
            return tuple(
                late.less(early)
                for late, early in zip(self._ledger.at(end - 1), self._ledger.at(begin - 1), strict=True)
            )
        tiers = [Energy() for _ in self._ledger.at(begin)]
        for start in range(begin - begin % CELL, end, CELL):
            seconds = range(max(begin, start) - start, min(end, start + CELL) - start)
            tier = tier_at(start)
            tiers[tier] = tiers[tier].plus(self._of_phases(start, seconds, dead))
        return tuple(tiers)

    def _of_phases(self, start: int, seconds: range, dead: frozenset[int]) -> Energy:
        """Return what was not delivered in seconds of one cell. Whole cells are kept: a phase may be lost for days."""
        whole = len(seconds) == CELL
        if whole and (start, dead) in self._cells:
            return self._cells[start, dead]
        lost = {self._order[phase - 1] for phase in dead}
        day, within = divmod(start, DAY)
        cell = self._ledger.household.cell(day, within // CELL)
        usual, left = (
            Energy().plus_all(
                [sum(cell.active[phase][second] for phase in phases) for second in seconds],
                [sum(cell.reactive[phase][second] for phase in phases) for second in seconds],
                1,
            )
            for phases in (range(_PHASES), [phase for phase in range(_PHASES) if phase not in lost])
        )
        missing = usual.less(left)
        if whole:
            self._cells[start, dead] = missing
        return missing
