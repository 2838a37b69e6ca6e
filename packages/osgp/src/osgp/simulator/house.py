"""The house behind the simulated meter: registers and present values as a pure function of time.

:class:`House` has no clock and keeps no state: it is asked for a moment and answers. Its registers are sums over the
cells of :class:`~osgp.simulator.household.Household` since the day the meter was installed. So a simulated meter that
is killed and started again shows what it would show if it had never stopped: its registers cannot fall, and no
file has to be kept. The price is the sum over all those days, under a millisecond each, when it starts.

Values are keyed by the source ids of the guide ("Source IDs", MEP guide v1.1 p. 204-206) in the meter's own units:
W, var, VA, mV, mA, mHz, 1/1000. Totals are the net of the three phases, so of forward and reverse one is 0, while a
phase may feed back as another draws. The apparent total is the sum of the phases, as the Danish meter reports it.

This module does not know about tables, keys or ports.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from osgp.errors import MisuseError
from osgp.simulator.history.happenings import History
from osgp.simulator.history.quadrants import Quadrants
from osgp.simulator.history.undelivered import Undelivered
from osgp.simulator.household import CELL, DAY, PHASES, Household
from osgp.simulator.ledger import Ledger, Tiers
from osgp.simulator.noise import Wave, extremes, mix, smooth, sum_of

__all__ = ["House", "Moment", "neighbourhood"]

_WH = 3600
"""Joules of a watt-hour (and of a varh)."""

_NOMINAL = 230.0
_NOMINAL_FREQUENCY = 50_000
"""mHz."""
_GRID = (Wave(22, 1, 600), Wave(9, 2, 45), Wave(3, 3, 3))
"""By how many mHz the frequency wanders."""
_WIRE_OHMS = 0.22
_KINDS = 8
_QUADRANTS_SINCE = (4, 0)
"""Firmware (MEP guide v1.1 p. 210)."""
_OUTAGE_PERIOD = 61 * DAY
"""Seconds in which there is one outage."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the meter shows at one second."""

    total: Sequence[int]
    """The eleven summations of BT23 (MEP guide v1.1 p. 208-209), in their order, source ids 0 to 7 and 26 to 28. Meters from
    firmware 4.0 on have eight more: reactive and apparent energy by quadrant (p. 210)."""
    tiers: Sequence[Sequence[int]]
    """The same per tier; what has no tiers is 0 there."""
    present: dict[int, int]
    """Present values by source id."""


class House:
    """One metered house.

    Args:
        seed: decides the household, the starting registers and every ripple.
        ledger: habits and sums to share with neighbours; by default those of the seed.
        start: forward and reverse Wh at installation; by default some years' worth, by the seed.
        phase_shift: turns the phases, so that neighbours with one plan still differ.
        digits: energy registers roll over at 10 to this power Wh.
        history: what happens to the house and its meter; by default nothing. In a power cut registers stand still.

    Raises:
        MisuseError: something of the history happened before the meter was installed.
    """

    def __init__(
        self,
        seed: int = 1,
        *,
        ledger: Ledger | None = None,
        start: tuple[int, int] | None = None,
        phase_shift: int = 0,
        digits: int = 8,
        history: History | None = None,
    ) -> None:
        self.seed = seed
        self.history = History() if history is None else history
        self.digits = digits
        self._ledger = ledger or Ledger(Household(seed))
        self._household = self._ledger.household
        self.installed = self._ledger.installed
        if any(one.at <= self.installed for one in self.history):
            day = datetime.fromtimestamp(self.installed, UTC).date()
            raise MisuseError(f"this simulated meter was installed on {day}; nothing can have happened to it before")
        self._order = [(phase + phase_shift) % 3 for phase in PHASES]
        sold = 4_000_000 if self._household.traits.sun else 300
        forward, reverse = start or (8_000_000 + mix(seed) % 30_000_000, mix(seed + 1) % sold)
        self._base = (forward, reverse, forward // 9, forward // 5)
        four = self.history.firmware(self.installed) >= _QUADRANTS_SINCE
        self._quadrants = Quadrants(self._ledger, self.history, self._order) if four else None
        self._undelivered = Undelivered(self._ledger, self.history, self._order)

    def at(self, now: float) -> Moment:
        """Return the moment at ``now``, UTC seconds. Values change once a second."""
        second = max(int(now), self.installed)
        day, rest = divmod(second, DAY)
        index, within = divmod(rest, CELL)
        cell = self._household.cell(day, index)
        total, tiers = self._registers(second, second, self._delivered(second, self._ledger.at(second)))
        levels = self.history.levels(second)
        active, reactive = (
            [powers[phase][within] if level else 0 for phase, level in zip(self._order, levels, strict=True)]
            for powers in (cell.active, cell.reactive)
        )
        return Moment(total, tiers, self._present(second, active, reactive))

    def registers_at(self, moment: int) -> tuple[list[int], list[list[int]]]:
        """Return the total and the tiers' summations when a second since the installation begins, UTC seconds.

        Raises:
            ValueError: the meter was installed later.
        """
        if moment < self.installed:
            msg = f"no meter was there at {moment}"
            raise ValueError(msg)
        day, rest = divmod(moment, DAY)
        index, within = divmod(rest, CELL)
        energies = self._ledger.at(moment - 1) if within else self._ledger.starts(day)[index]
        return self._registers(moment, max(moment - 1, self.installed), self._delivered(moment - 1, energies))

    def outages(self, now: float) -> list[tuple[int, int]]:
        """Return begin and end of each outage since the installation, UTC seconds. It is counted when it ends.

        Beside those of the house's history there is a short one now and then, which is over before a client could notice.
        """
        found: list[tuple[int, int]] = []
        number = 0
        while (end := self._outage_end(number)) <= now:
            found.append((end - self._outage_seconds(number), end))
            number += 1
        return sorted(found + self.history.cuts(now))

    def frequencies(self, begin: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the lowest and the highest mHz of a stretch of time, each with one of the seconds at which it was."""
        (low, when_low), (high, when_high) = _grid_extremes(begin, end)
        return (_NOMINAL_FREQUENCY + round(low), when_low), (_NOMINAL_FREQUENCY + round(high), when_high)

    # -- registers ----------------------------------------------------------------------------

    def _delivered(self, second: int, energies: Tiers) -> Tiers:
        """Return the energies up to and including a second without those that were not delivered."""
        missing = self._undelivered.at(second)
        if missing is None:
            return energies
        return tuple(used.less(lacking) for used, lacking in zip(energies, missing, strict=True))

    def _registers(self, second: int, counted: int, energies: Tiers) -> tuple[list[int], list[list[int]]]:
        """Return BT23's summations. The total is the sum of the tiers' whole Wh, so that they always agree.

        Args:
            second: at which they are shown; it decides which outages are over.
            counted: the last second that they include.
            energies: up to and including it.
        """
        blocks = []
        quadrants = [] if self._quadrants is None else self._quadrants.at(counted, energies)
        for tier, energy in enumerate(energies):
            joules = (energy.forward, energy.reverse, energy.inductive, energy.capacitive)
            # Years before the installation date were split 3 : 1 between day and night.
            base = [value - value // 4 if tier == 0 else value // 4 for value in self._base]
            counts = [start + value // _WH for start, value in zip(base, joules, strict=True)]
            if quadrants:
                before = (base[2], 0, 0, base[3], base[0], base[1], 0, 0)
                counts += [start + value // _WH for start, value in zip(before, quadrants[tier], strict=True)]
            blocks.append(counts)
        totals = list(map(sum, zip(*blocks, strict=True)))
        return self._block(totals, self._outages(second)), [self._block(counts) for counts in blocks]

    def _block(self, energies: Sequence[int], outages: tuple[int, int] = (0, 0)) -> list[int]:
        """Return the summations. "Fwd-Rev" is clamped at 0 (MEP guide v1.1 p. 209)."""
        forward, reverse = energies[:2]
        sums = (forward + reverse, max(forward - reverse, 0))
        roll = 10**self.digits
        first, quadrants = ([value % roll for value in part] for part in (energies[:4], energies[4:]))
        return [*first, *outages, *(value % roll for value in sums), 0, 0, 0, *quadrants]

    def _outages(self, second: int) -> tuple[int, int]:
        """Return seconds and count of outages that are over."""
        gone = (second - self.installed) // _OUTAGE_PERIOD
        if self._outage_end(gone) <= second:
            gone += 1
        cuts = [end - begin for begin, end in self.history.cuts(second)]
        seconds = sum(map(self._outage_seconds, range(gone))) + sum(cuts)
        return 400 + mix(self.seed) % 9000 + seconds, 3 + self.seed % 5 + gone + len(cuts)

    def _outage_end(self, number: int) -> int:
        return self.installed + number * _OUTAGE_PERIOD + mix(self.seed + number) % _OUTAGE_PERIOD + 1

    def _outage_seconds(self, number: int) -> int:
        return 2 + mix(self.seed * 31 + number) % 90

    # -- present values -----------------------------------------------------------------------

    def _present(self, second: int, active: list[int], reactive: list[int]) -> dict[int, int]:
        millivolts = self._voltages(second, active)
        apparent = [math.hypot(p, q) for p, q in zip(active, reactive, strict=True)]
        milliamps = [round(s / u * 1e6) if u else 0 for s, u in zip(apparent, millivolts, strict=True)]
        before = self._mean_before(second)
        mean_volts = [round(value) for value in self._voltages(second - CELL // 2, before)]
        watts, var, va = sum(active), sum(reactive), round(sum(apparent))
        values: dict[int, int] = {19: self._frequency(second), 20: va}
        _spread(values, (8, 9, 10, 11), (*_both(watts), *_both(var)))
        _spread(values, (81, 82, 83, 84), (*_both(watts), *_both(var)))
        _spread(values, range(104, 108), _quadrants(watts, var, abs(var)))
        for ids, numbers in (
            ((12, 13, 14), milliamps),
            ((15, 16, 17), millivolts),
            ((18, 21, 22), [_ratio(p, s) for p, s in zip(active, apparent, strict=True)]),
            ((23, 24, 25), [_ratio(q, s) if s else 0 for q, s in zip(reactive, apparent, strict=True)]),
            (range(197, 200), milliamps),
            (range(202, 205), millivolts),
            (range(205, 208), mean_volts),
            (range(233, 236), milliamps),
            (range(236, 239), (12000, 12000, 12000)),
        ):
            _spread(values, ids, numbers)
        for first in (185, 191):
            _spread(values, range(first, first + 3), [max(p, 0) for p in active])
            _spread(values, range(first + 3, first + 6), [max(-p, 0) for p in active])
        _spread(values, (208, 209), _both(sum(before)))
        _spread(values, range(210, 213), [max(p, 0) for p in before])
        _spread(values, range(213, 216), [max(-p, 0) for p in before])
        _spread(values, range(216, 220), _quadrants(watts, var, va))
        for phase in PHASES:
            first = 220 + 4 * phase
            quadrants = _quadrants(active[phase], reactive[phase], round(apparent[phase]))
            _spread(values, range(first, first + 4), quadrants)
            values[239 + phase], values[242 + phase] = _both(reactive[phase])
        values[232] = _neutral(milliamps)
        return values

    def _mean_before(self, second: int) -> list[int]:
        """Return the mean watts per phase of the last whole cell: the meter's "average" power."""
        day, rest = divmod(max(second - CELL, self.installed), DAY)
        watts = self._household.day(day).watts(rest // CELL)
        return [watts[phase] for phase in self._order]

    def _voltages(self, second: float, active: Sequence[int]) -> list[int]:
        """Return mV per phase: the street's voltage, its own drift, and the drop on the house's own wire."""
        hour = second / 3600 % 24
        street = _NOMINAL + 1.6 * smooth(7, second, 900) - 1.1 * math.cos((hour - 2) * math.pi / 12 + math.pi)
        values = []
        for phase, watts in enumerate(active):
            own = self.seed * 8 + phase
            drift = (
                1.3 * smooth(own, second, 420) + 0.35 * smooth(own + 3, second, 17) + 0.12 * smooth(own + 5, second, 2)
            )
            values.append(round(1000 * (street + drift - watts / _NOMINAL * _WIRE_OHMS)))
        levels = self.history.levels(second)
        return [value * level // 100 for value, level in zip(values, levels, strict=True)]

    @staticmethod
    def _frequency(second: int) -> int:
        """Return mHz: the same for every house, as all hang on one grid."""
        return _NOMINAL_FREQUENCY + round(sum_of(_GRID, second))


def neighbourhood(count: int, *, seed: int = 1, history: History | None = None) -> list[House]:
    """Return that many houses of one street, to all of which the same happens.

    A plan is worked out for each of a few kinds of household only, so that a town costs no more than a street; the
    houses of a kind differ in starting registers, phase order and voltages.
    """
    ledgers = [Ledger(Household(seed + kind)) for kind in range(min(count, _KINDS))]
    return [
        House(seed + number, ledger=ledgers[number % _KINDS], phase_shift=number // _KINDS, history=history)
        for number in range(count)
    ]


@lru_cache(maxsize=64)
def _grid_extremes(begin: int, end: int) -> tuple[tuple[float, int], tuple[float, int]]:
    """Kept, as all houses hang on one grid: months of it take a second or more."""
    return extremes(_GRID, begin, end)


def _spread(values: dict[int, int], ids: Sequence[int], numbers: Sequence[int]) -> None:
    values.update(zip(ids, numbers, strict=True))


def _both(value: int) -> tuple[int, int]:
    return max(value, 0), max(-value, 0)


def _quadrants(watts: int, var: int, amount: int) -> list[int]:
    """Put an amount into its quadrant: Q1 import/inductive, Q2 export/inductive, Q3, Q4 import/capacitive."""
    quadrant = (0 if watts >= 0 else 1) if var >= 0 else (3 if watts >= 0 else 2)
    return [amount if number == quadrant else 0 for number in range(4)]


def _ratio(part: float, whole: float) -> int:
    return round(1000 * part / whole) if whole else 1000


def _neutral(milliamps: Sequence[int]) -> int:
    """Return the current of the neutral wire for three currents 120 degrees apart."""
    one, two, three = milliamps
    return round(math.sqrt(max(0, one**2 + two**2 + three**2 - one * two - two * three - one * three)))
