"""The simulated meter's outages and power quality: ET81 and ET09 (MEP guide v1.1 p. 67-77, 185-186).

Counters begin at the installation: nobody has reset the statistics. A sag or swell is what lowers or raises the voltage of a phase that
is not dead by more than the threshold, for longer than the time that ET09 sets, and its time is when it began. In a house as this
one no current is too high and no distortion is recorded.

This module does not know how tables are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from osgp.simulator.history.happenings import BrokenConductor, History, NeutralLost, PhaseLost, VoltageChange
from osgp.simulator.house import House
from osgp.simulator.household import DAY
from osgp.simulator.logs.encoding import CIRCULAR, local_second, ring
from osgp.tables import TABLES, Dimensions

__all__ = ["OUTAGE_ENTRIES", "OUTAGE_SIZE", "Quality"]

OUTAGE_ENTRIES, OUTAGE_SIZE = 20, 12
"""Entries of ET81, and the bytes of one."""

_LONG = 60
"""Seconds: shorter outages are counted only (ET09.0)."""
_SAG_MINUTES, _SAG_SECONDS = 1, 0
_THRESHOLD = 10
"""Percent under and over the rated voltage."""
_POWER_FAILURE = 3
_PHASES = (1, 2, 3)
_VOLTAGES = 15
"""Source id of the first phase's voltage (p. 204)."""


@dataclass(frozen=True, slots=True)
class _Deviation:
    """The voltage of one phase was too low, or too high."""

    phase: int
    begin: int
    end: int
    percent: int


class Quality:
    """Outages and quality of one house's supply.

    Args:
        house: that is supplied.
        dims: the meter's dimensions.
    """

    def __init__(self, house: House, dims: Dimensions) -> None:
        self._house = house
        self._dims = dims
        self._extremes: tuple[int, tuple[int, int], tuple[int, int]] | None = None
        self._worst: dict[_Deviation, int] = {}

    def et81(self, now: float) -> bytes:
        """Return the log of outages, by the meter's local time (p. 185-186)."""
        outages, shown = self._house.outages(now), self._house.history.shown
        newest = max(len(outages) - 1, 0)
        header = struct.pack(
            "<BBBHB", CIRCULAR, min(len(outages), OUTAGE_ENTRIES), newest % OUTAGE_ENTRIES, newest & 0xFFFF, 0
        )

        def entry(counted: int) -> bytes:
            return b"".join(local_second(shown(moment)) for moment in outages[counted])

        return header + ring(OUTAGE_ENTRIES, bytes(OUTAGE_SIZE), len(outages), entry)

    def et09(self, now: float) -> bytes:
        """Return the counters of power quality (p. 67-77)."""
        table = TABLES["ET09"]
        known = table.layout(self._dims).entries
        fields = (
            self._settings() | self._outages(now) | self._deviations(now) | self._losses(now) | self._frequencies(now)
        )
        return table.encode({name: value for name, value in fields.items() if name in known}, self._dims)

    @staticmethod
    def _settings() -> dict[str, Any]:
        return {
            "long_outage_threshold": _LONG,
            "sag_swell_minutes": _SAG_MINUTES,
            "sag_swell_seconds": _SAG_SECONDS,
            "sag_threshold": _THRESHOLD,
            "swell_threshold": _THRESHOLD,
            "over_current_threshold": 10,
            "power_up_hold": 2,
            "over_current_seconds": 10,
            # Meters have a second threshold from 4.10 on; here nothing lies below it.
            "sag2_threshold": 255,
            "average_current_seconds": 600,
        }

    def _outages(self, now: float) -> dict[str, Any]:
        outages, history = self._house.outages(now), self._house.history
        long = [(begin, end) for begin, end in outages if end - begin >= _LONG]
        places = self._dims.power_outages_recorded or 0
        records: list[dict[str, Any]] = [
            {
                "power_on": _utc(history, end),
                "cause": _POWER_FAILURE,
                "power_off": _utc(history, begin),
                "duration": end - begin,
            }
            for begin, end in reversed(long[-places:])
        ]
        return {"outages": records + [{}] * (places - len(records)), "short_outages": len(outages) - len(long)}

    def _deviations(self, now: float) -> dict[str, Any]:
        found = [one for one in self._lasting() if one.begin + _SAG_MINUTES * 60 + _SAG_SECONDS <= now]
        fields: dict[str, Any] = {}
        for name, voltages, low in (("sags", "sag_voltages", True), ("swells", "swell_voltages", False)):
            records: list[dict[str, Any]] = []
            worst = []
            for phase in _PHASES:
                of_phase = [one for one in found if one.phase == phase and (one.percent < 100) is low]  # noqa: PLR2004
                last = of_phase[-1] if of_phase else None
                records.append({} if last is None else _events(len(of_phase), _utc(self._house.history, last.begin)))
                worst.append(0 if last is None else self._extreme(last, now, low=low))
            fields |= {name: records, voltages: worst}
        return fields

    def _lasting(self) -> Iterator[_Deviation]:
        """Yield voltages that were too low or too high for long enough, in their order."""
        for one in self._house.history:
            if not isinstance(one, VoltageChange | NeutralLost | BrokenConductor):
                continue
            if one.seconds < _SAG_MINUTES * 60 + _SAG_SECONDS:
                continue
            for phase, percent in zip(_PHASES, one.levels(), strict=True):
                if abs(percent - 100) > _THRESHOLD:
                    yield _Deviation(phase, one.at, one.over, percent)

    def _extreme(self, one: _Deviation, now: float, *, low: bool) -> int:
        """Return the lowest or highest mV of the phase in that time so far."""
        if one in self._worst:
            return self._worst[one]
        source = _VOLTAGES + one.phase - 1
        volts = [self._house.at(second).present[source] for second in range(one.begin, min(one.end, int(now) + 1))]
        worst = min(volts) if low else max(volts)
        if one.end <= now:
            self._worst[one] = worst
        return worst

    def _losses(self, now: float) -> dict[str, Any]:
        history = self._house.history
        losses = [
            one
            for one in history.until(now, PhaseLost)
            if one.seconds >= one.ALARM_AFTER and one.at + one.ALARM_AFTER <= now
        ]
        fields: dict[str, Any] = {}
        records: list[dict[str, Any]] = []
        for phase in _PHASES:
            of_phase = [one for one in losses if one.phase == phase]
            records.append(_events(len(of_phase), _utc(history, of_phase[-1].at)) if of_phase else {})
            fields[f"phase_lost_l{phase}"] = any(one.covers(now) for one in of_phase)
        return fields | {"phase_losses": records}

    def _frequencies(self, now: float) -> dict[str, Any]:
        second = max(int(now), self._house.installed)
        midnight = second - second % DAY
        begin = self._house.installed
        if self._extremes is None or self._extremes[0] > midnight:
            self._extremes = (begin, *self._house.frequencies(begin, begin))
        if self._extremes[0] < midnight:
            # What is over is worked out once a day.
            self._extremes = (midnight, *self._more_extreme(self._extremes, midnight))
        (low, when_low), (high, when_high) = self._more_extreme(self._extremes, second)
        history = self._house.history
        return {
            "minimum_frequency": low,
            "minimum_frequency_at": _utc(history, when_low),
            "maximum_frequency": high,
            "maximum_frequency_at": _utc(history, when_high),
        }

    def _more_extreme(
        self, known: tuple[int, tuple[int, int], tuple[int, int]], end: int
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the lowest and the highest frequency up to ``end``, of which those up to a midnight are known."""
        midnight, lowest, highest = known
        low, high = self._house.frequencies(midnight, end)
        return min(lowest, low), max(highest, high)


def _utc(history: History, moment: int) -> datetime:
    """Return what the meter's clock showed at a moment, UTC."""
    return datetime.fromtimestamp(int(history.shown(moment)), UTC)


def _events(count: int, last: datetime) -> dict[str, Any]:
    return {"events": count, "last_at": last}
