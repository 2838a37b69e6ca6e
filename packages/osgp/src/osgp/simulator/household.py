"""What a household draws: the plan of a day in cells of five minutes, and each cell second by second.

The plan comes first and the seconds obey it: a cell of a phase has a mean power in whole watts, and the 300 seconds
of the cell wander around it so that their sum is exactly the mean times 300. So the energy of any past day is a sum
over 288 cells, and nobody has to replay its seconds. Within one cell the house as a whole never changes between import
and export (nor between inductive and capacitive); a cell whose seconds would cross zero wanders less. That keeps each
register exact and makes it a function of time.

Everything follows from a seed and the time; there is no clock and no state here. Random numbers come from
``random.Random(text).random()``, the one sequence Python promises to keep over its versions.

Signs: active power > 0 is import from the grid, < 0 export; reactive power > 0 is inductive (import).

This module does not know about registers, voltages, tables or meters.
"""

# Habits are numbers, and their dice need to be repeatable, not secret.
# ruff: noqa: PLR2004, S311

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Literal

from osgp.simulator.localtime import LATITUDE, LONGITUDE, local_offset

__all__ = ["CELL", "CELLS", "DAY", "PHASES", "Cell", "DayPlan", "Household", "Traits"]

CELL = 300
"""Seconds of a cell. A divisor of the tariff switch times, so that a cell has one tier."""
DAY = 86400
CELLS = DAY // CELL
PHASES = range(3)

_PER_HOUR = 3600 // CELL

Watts = list[float]
Triple = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Traits:
    """What stands in the house. Phases are 0-based."""

    base: tuple[float, float, float]
    """Watts that never sleep, per phase."""
    fridge_phase: int
    freezer_phase: int
    kitchen_phase: int
    capacitive: float
    """Var that power supplies and lamps feed back, per phase."""
    heat_pump: float
    """Electric watts per kelvin of cold; 0 for none."""
    car: Literal["none", "one-phase", "three-phase"]
    sun: float
    """Peak watts of the panels; 0 for none."""
    sun_phases: tuple[int, ...]

    @classmethod
    def of(cls, seed: int) -> Traits:
        """Return the traits that belong to a seed. Seed 1, the default house, has everything."""
        draw = Random(f"traits/{seed}").random
        everything = seed == 1
        phase = int(draw() * 3)
        car = draw()
        return cls(
            base=(45 + 60 * draw(), 35 + 50 * draw(), 30 + 50 * draw()),
            fridge_phase=phase,
            freezer_phase=(phase + 1) % 3,
            kitchen_phase=(phase + 2) % 3,
            capacitive=20 + 40 * draw(),
            heat_pump=60 + 50 * draw() if draw() < 0.55 or everything else 0.0,
            car="three-phase" if car < 0.35 or everything else "one-phase" if car < 0.5 else "none",
            sun=4000 + 4000 * draw() if draw() < 0.5 or everything else 0.0,
            sun_phases=(0, 1, 2) if draw() < 0.7 or everything else (phase,),
        )


@dataclass(frozen=True, slots=True)
class Duty:
    """An appliance that switches within a cell: ``watts`` for ``on`` seconds of every ``period`` seconds."""

    phase: int
    watts: int
    on: int
    period: int = CELL

    @property
    def mean(self) -> float:
        """Mean watts over a cell; exact because ``period`` divides it."""
        return self.watts * self.on / self.period


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Mean watts and var per phase and cell of one UTC day, and what makes the cells lively."""

    active: tuple[Sequence[int], Sequence[int], Sequence[int]]
    reactive: tuple[Sequence[int], Sequence[int], Sequence[int]]
    duties: dict[int, list[Duty]]
    clouds: Sequence[float]
    """Watts by which passing clouds move each sun phase up and down."""

    def watts(self, cell: int) -> Triple:
        """Return the mean active power of a cell, per phase."""
        one, two, three = self.active
        return one[cell], two[cell], three[cell]

    def var(self, cell: int) -> Triple:
        """Return the mean reactive power of a cell, per phase."""
        one, two, three = self.reactive
        return one[cell], two[cell], three[cell]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell second by second: three phases of 300 whole watts and var."""

    active: tuple[Sequence[int], Sequence[int], Sequence[int]]
    reactive: tuple[Sequence[int], Sequence[int], Sequence[int]]


class Household:
    """The habits behind a seed. Many meters may share one: it only remembers what it has worked out."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.traits = Traits.of(seed)
        self.day = lru_cache(maxsize=4)(self._day)
        self.cell = lru_cache(maxsize=4)(self._cell)

    def _day(self, day: int) -> DayPlan:
        """Return the plan of a UTC day, counted from 1970-01-01."""
        return _Planner(self.seed, self.traits, day).plan()

    def _cell(self, day: int, cell: int) -> Cell:
        """Return the seconds of one cell of a day."""
        plan = self.day(day)
        draw = Random(f"{self.seed}/{day}/{cell}").random
        shapes = [_wander(4 + abs(watts) / 100, draw) for watts in plan.watts(cell)]
        clouds = plan.clouds[cell]
        if clouds:
            shared = _wander(clouds, draw)
            for phase in self.traits.sun_phases:
                shapes[phase] = [a + b for a, b in zip(shapes[phase], shared, strict=True)]
        for duty in plan.duties.get(cell, ()):
            shape, low, high = shapes[duty.phase], -duty.mean, duty.watts - duty.mean
            shapes[duty.phase] = [
                value + (high if second % duty.period < duty.on else low) for second, value in enumerate(shape)
            ]
        trembles = [_wander(2 + abs(var) / 60, draw) for var in plan.var(cell)]
        return Cell(active=_fit(plan.watts(cell), shapes), reactive=_fit(plan.var(cell), trembles))


def _wander(amplitude: float, draw: Callable[[], float]) -> Watts:
    """Return 300 seconds of drift (a new aim every 15 s) with a little noise on top."""
    step = 15
    aims = [(draw() * 2 - 1) * amplitude for _ in range(CELL // step + 1)]
    noise = min(3.0, amplitude / 2)
    return [
        start + (end - start) * second / step + (draw() - 0.5) * noise
        for start, end in pairwise(aims)
        for second in range(step)
    ]


def _fit(means: Triple, shapes: Sequence[Watts]) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
    """Lay shapes around means: whole numbers whose sums are exact and whose total never changes its sign."""
    total = sum(means)
    for scale in (1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01):
        phases = [_centred(mean, shape, scale) for mean, shape in zip(means, shapes, strict=True)]
        sums = list(map(sum, zip(*phases, strict=True)))
        if (total > 0 and min(sums) >= 0) or (total < 0 and max(sums) <= 0):
            return phases[0], phases[1], phases[2]
    one, two, three = means
    return (one,) * CELL, (two,) * CELL, (three,) * CELL


def _centred(mean: int, shape: Watts, scale: float) -> list[int]:
    values = [mean + round(value * scale) for value in shape]
    share, rest = divmod(mean * CELL - sum(values), CELL)
    return [value + share + (second < rest) for second, value in enumerate(values)]


_SLOWEST = 540.0
"""Watts at which the heat pump's compressor just turns."""

_HOUR_ANGLE = [math.cos(math.radians(15 * ((cell + 0.5) / _PER_HOUR - 12) + LONGITUDE)) for cell in range(CELLS)]
_ROOF_PITCH = 35.0
_YEAR = 365.25


class _Planner:
    """Writes the plan of one day: appliances are added up phase by phase, then rounded to whole watts."""

    def __init__(self, seed: int, traits: Traits, day: int) -> None:
        self.traits = traits
        self.draw = Random(f"{seed}/{day}").random
        # Neighbours share the weather, so it hangs on the day alone.
        self.weather = Random(f"weather/{day}").random
        self.turn = 2 * math.pi * (day % _YEAR) / _YEAR
        self.weekend = (day + 4) % 7 in {0, 6}  # 1970-01-01 was a Thursday; 0 is Sunday
        self.offset = local_offset(day * DAY + DAY / 2) // CELL
        self.watts: list[Watts] = [[base] * CELLS for base in traits.base]
        self.var: list[Watts] = [[-traits.capacitive] * CELLS for _ in PHASES]
        self.duties: dict[int, list[Duty]] = {}
        self.clouds: Watts = [0.0] * CELLS

    def plan(self) -> DayPlan:
        self._cold()
        self._people()
        self._heat()
        self._car()
        self._sun()
        active = [list(map(round, phase)) for phase in self.watts]
        reactive = [list(map(round, phase)) for phase in self.var]
        return DayPlan(
            active=(active[0], active[1], active[2]),
            reactive=(reactive[0], reactive[1], reactive[2]),
            duties=self.duties,
            clouds=self.clouds,
        )

    def _cells(self, hour: float, hours: float) -> range:
        """Return the cells from a local hour on for some hours, as far as they lie within this UTC day."""
        start = round(hour * _PER_HOUR) - self.offset
        return range(max(start, 0), min(start + max(1, round(hours * _PER_HOUR)), CELLS))

    def _add(self, phases: Iterable[int], cells: Iterable[int], watts: float, *, var: float = 0.0) -> None:
        for phase in phases:
            active, reactive = self.watts[phase], self.var[phase]
            for cell in cells:
                active[cell] += watts
                reactive[cell] += var

    def _curve(self, phases: Iterable[int], watts: Watts, *, var: float) -> None:
        """Add a whole day; ``var`` per watt."""
        for phase in phases:
            self.watts[phase] = [a + b for a, b in zip(self.watts[phase], watts, strict=True)]
            self.var[phase] = [a + b * var for a, b in zip(self.var[phase], watts, strict=True)]

    def _switch(self, cells: Iterable[int], duty: Duty) -> None:
        for cell in cells:
            self.watts[duty.phase][cell] += duty.mean
            self.duties.setdefault(cell, []).append(duty)

    def _cold(self) -> None:
        """Fridge and freezer: compressors that run a third of the hour."""
        for phase, watts, period in ((self.traits.fridge_phase, 85, 11), (self.traits.freezer_phase, 110, 14)):
            run = period // 3
            first = int(self.draw() * period)
            cells = [cell for start in range(first, CELLS, period) for cell in range(start, min(start + run, CELLS))]
            self._add((phase,), cells, watts, var=watts * 0.55)

    def _people(self) -> None:
        draw, kitchen = self.draw, self.traits.kitchen_phase
        rise = (7.8 if self.weekend else 6.2) + draw()
        self._add(PHASES, self._cells(rise, 1.6), 40 + 50 * draw())
        self._switch(self._cells(rise + 0.3, 0.08), Duty(kitchen, 2000, 110 + int(draw() * 60)))
        self._switch(self._cells(rise + 0.5, 0.08), Duty((kitchen + 1) % 3, 900, 150))
        dusk = 18.2 - 2.2 * math.cos(self.turn)
        self._add(PHASES, self._cells(dusk - 0.5, 22.7 - dusk + draw()), 35 + 40 * draw())
        self._add((self.traits.fridge_phase,), self._cells(19 + draw(), 3.2), 110)
        supper = 17.2 + 1.2 * draw()
        self._switch(self._cells(supper, 0.7 + 0.4 * draw()), Duty(kitchen, 1800, 12 + int(draw() * 10), 30))
        self._switch(self._cells(supper + 0.1, 0.6), Duty((kitchen + 1) % 3, 2100, 25, 60))
        if draw() < 0.45:
            oven = self._cells(supper - 0.3, 1.0)
            self._switch(oven, Duty((kitchen + 2) % 3, 2300, 35, 60))
        if draw() < 0.6:
            wash = (9 if self.weekend else 19.4) + 1.5 * draw()
            self._add((kitchen,), self._cells(wash, 0.4), 2050, var=60)
            self._add((kitchen,), self._cells(wash + 0.4, 1.0), 180, var=120)
        for _ in range(int(3 * draw()) + (2 if self.weekend else 0)):
            self._switch(self._cells(9 + 12 * draw(), 0.08), Duty(kitchen, 2000, 90 + int(draw() * 90)))

    def _heat(self) -> None:
        """Heat pump: more when it is cold outside and in the morning; hot water at night and after lunch."""
        draw, slope = self.draw, self.traits.heat_pump
        mean = 8.5 - 8.5 * math.cos(self.turn - 0.35) + 6 * (self.weather() - 0.5)
        if not slope:
            return
        needs = []
        for cell in range(CELLS):
            hour = (cell + self.offset) / _PER_HOUR
            outside = mean - 3.0 * math.cos((hour - 3) * math.pi / 12)
            need = slope * max(0.0, 16.0 - outside) * (1.15 if 5 <= hour % 24 < 9 else 1.0)
            if need < _SLOWEST:  # it cannot turn slower, so it cycles: part of each 50 minutes
                need = _SLOWEST if cell % 10 < need / _SLOWEST * 10 else 0.0
            needs.append(need)
        self._curve(PHASES, [need / 3 for need in needs], var=0.36)
        for hour in (3.5 + draw(), 13 + draw()):
            self._add(PHASES, self._cells(hour, 0.75), 520, var=130)

    def _car(self) -> None:
        draw = self.draw
        start, length, today = 17 + 4.5 * draw(), draw(), draw() < 0.5
        if self.traits.car == "none" or not today:
            return
        if self.traits.car == "three-phase":
            self._add(PHASES, self._cells(start, 1.0 + 2.5 * length), 3670, var=-45)
        else:
            self._add((self.traits.fridge_phase,), self._cells(start, 2.5 + 5 * length), 3690, var=-45)

    def _sun(self) -> None:
        """Panels facing south: the angle of the sun on the roof, dimmed by thin air, thick air and clouds."""
        sky = self.weather()
        if not self.traits.sun:
            return
        clear, broken = (0.95, 0.05) if sky < 0.3 else (0.68, 0.5) if sky < 0.65 else (0.22, 0.25)
        declination = math.radians(-23.44) * math.cos(self.turn + 0.17)
        lift, reach = (math.sin(declination), math.cos(declination))
        up, out = (math.sin(math.radians(LATITUDE)), math.cos(math.radians(LATITUDE)))
        pitched = math.radians(LATITUDE - _ROOF_PITCH)
        share = 1 / len(self.traits.sun_phases)
        drift = clear
        curve = [0.0] * CELLS
        for cell, swing in enumerate(_HOUR_ANGLE):
            height = up * lift + out * reach * swing
            drift += 0.25 * (clear - drift) + 0.35 * broken * (self.weather() - 0.5)
            if height <= 0:
                continue
            facing = max(0.15, math.sin(pitched) * lift + math.cos(pitched) * reach * swing)
            power = self.traits.sun * 0.86 * facing * (1 - math.exp(-6 * height)) * min(1.0, max(0.05, drift))
            curve[cell] = -power * share
            self.clouds[cell] = power * share * broken * 0.4
        self._curve(self.traits.sun_phases, curve, var=-0.01)
