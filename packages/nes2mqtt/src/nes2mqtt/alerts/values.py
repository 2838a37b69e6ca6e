"""The value that a rule is about, from what is known of its meter now. None is what is not known, or too old.

Two of them are of a whole night or day: the power of the quietest quarter hour, and the most that was given to the grid. They are known
once a day, and only if enough of the time was.

This module does not know clocks, nor what a value leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.quiet import Hours
from nes2mqtt.alerts.rule import Rule
from nes2mqtt.readings.reading import MeterState, MeterStatus

__all__ = ["Looked", "MostExport", "QuietestQuarter", "value_of"]

_ENOUGH = 0.8
"""Of a night or a day, to tell anything of it."""
_LONGEST = 60.0
"""Seconds that one look may stand for."""
_QUARTER = 15
_PHASES = ("l1", "l2", "l3")
_FEWEST_PHASES = 2


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known of a meter at one moment.

    Args:
        status: its last; None before the first.
        values: fresh present values, by their published key, in the unit people read.
        instant: by the monotonic clock.
        local: the time of day where the meter stands; None while it is not known.
    """

    status: MeterStatus | None
    values: Mapping[str, float]
    instant: float
    local: datetime | None

    @property
    def net(self) -> float | None:
        """Return import minus export in W."""
        taken, given = self.values.get("active_power_import"), self.values.get("active_power_export")
        if taken is None:
            return None if given is None else -given
        return taken - (given or 0.0)


def _silent(looked: Looked, _: Rule) -> float | None:
    if looked.status is None or looked.status.state is MeterState.STARTING:
        return None
    return float(looked.status.state in {MeterState.SILENT, MeterState.PORT_GONE, MeterState.NO_VALUES})


def _key_refused(looked: Looked, _: Rule) -> float | None:
    state = looked.status.state if looked.status is not None else MeterState.STARTING
    if state in {MeterState.ONLINE, MeterState.NO_VALUES}:
        return 0.0
    # Who is silent says nothing of the key.
    return 1.0 if state is MeterState.KEY_REFUSED else None


def _unbalance(looked: Looked, _: Rule) -> float | None:
    currents = [value for phase in _PHASES if (value := looked.values.get(f"current_{phase}")) is not None]
    return max(currents) - min(currents) if len(currents) >= _FEWEST_PHASES else None


def _export(looked: Looked, _: Rule) -> float | None:
    if "active_power_export" not in looked.values or looked.net is None:
        return None
    return max(-looked.net, 0.0)


def _clock(looked: Looked, _: Rule) -> float | None:
    status = looked.status
    if status is None or status.state is not MeterState.ONLINE or status.clock_ahead is None:
        return None
    return abs(status.clock_ahead)


_VALUES: Mapping[Kind, Callable[[Looked, Rule], float | None]] = {
    Kind.METER_SILENT: _silent,
    Kind.KEY_REFUSED: _key_refused,
    Kind.PHASE_LOAD: lambda looked, rule: looked.values.get(f"current_{rule.phase}"),
    Kind.VOLTAGE_HIGH: lambda looked, rule: looked.values.get(f"voltage_{rule.phase}"),
    Kind.VOLTAGE_LOW: lambda looked, rule: looked.values.get(f"voltage_{rule.phase}"),
    Kind.UNBALANCE: _unbalance,
    Kind.EXPORT: _export,
    Kind.CLOCK_DRIFT: _clock,
}


def value_of(rule: Rule, looked: Looked) -> float | None:
    """Return the value that a rule is about, if it is one of a moment."""
    return _VALUES[rule.kind](looked, rule)


@dataclass(slots=True)
class _Times:
    """How much of some hours was seen."""

    hours: Hours
    seconds: float = 0.0
    last: float | None = None

    def step(self, looked: Looked) -> float:
        """Return how many seconds the value of a look stands for."""
        before, self.last = self.last, looked.instant
        passed = looked.instant - before if before is not None else 0.0
        seen = passed if 0.0 < passed <= _LONGEST else 0.0
        self.seconds += seen
        return seen

    @property
    def enough(self) -> bool:
        return self.seconds >= _ENOUGH * self.hours.minutes * 60


class QuietestQuarter:
    """The mean power in W that is drawn in the quietest quarter hour of each night; known once, when the night is over.

    Args:
        hours: of the night.
    """

    def __init__(self, hours: Hours) -> None:
        self._hours = hours
        self._times: _Times | None = None
        self._quarters: dict[datetime, list[float]] = {}

    def see(self, looked: Looked) -> float | None:
        """Take a look; return the value with the first one after a night of which enough is known."""
        if looked.local is None:
            self._times = None
            return None
        if not self._hours.hold(looked.local):
            times, self._times = self._times, None
            return self._lowest() if times is not None and times.enough else None
        if self._times is None:
            self._times, self._quarters = _Times(self._hours), {}
        if looked.net is None:
            self._times.last = None
            return None
        seconds = self._times.step(looked)
        quarter = looked.local.replace(minute=looked.local.minute // _QUARTER * _QUARTER, second=0, microsecond=0)
        sums = self._quarters.setdefault(quarter, [0.0, 0.0])
        sums[0] += looked.net * seconds
        sums[1] += seconds
        return None

    def _lowest(self) -> float | None:
        means = [total / seconds for total, seconds in self._quarters.values() if seconds >= _ENOUGH * _QUARTER * 60]
        return max(min(means), 0.0) if means else None


@dataclass(slots=True)
class MostExport:
    """The most that was given to the grid in some hours of a day, in W.

    It is known when they are over, and at once when something is given.

    Args:
        hours: in which a plant gives something, as a rule.
        some: so many W are something.
    """

    hours: Hours
    some: float
    _times: _Times | None = field(default=None)
    _most: float = 0.0

    def see(self, looked: Looked) -> float | None:
        """Take a look; return what is known with it."""
        given = None if "active_power_export" not in looked.values else looked.net
        watts = None if given is None else max(-given, 0.0)
        result = watts if watts is not None and watts >= self.some else None
        if looked.local is None:
            self._times = None
        elif not self.hours.hold(looked.local):
            times, self._times = self._times, None
            if times is not None and times.enough and result is None:
                result = self._most
        else:
            if self._times is None:
                self._times, self._most = _Times(self.hours), 0.0
            if watts is None:
                self._times.last = None
            else:
                self._times.step(looked)
                self._most = max(self._most, watts)
        return result
