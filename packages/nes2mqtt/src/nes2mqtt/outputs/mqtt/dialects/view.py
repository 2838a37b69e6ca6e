"""Everything known of one meter at one moment, by name.

The rows of the dialects (:mod:`nes2mqtt.outputs.mqtt.dialects.rows`) ask a :class:`View` for values: a source's
key (``voltage_l1``, see :data:`osgp.sources.SOURCES`) or one of :data:`EXPRESSIONS`, which are not
read from one place of one table. A name that has no value now gives None: rows then publish
nothing, never a zero.

This module does not know topics.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from osgp.sources import SOURCES

if TYPE_CHECKING:
    from nes2mqtt.bills.costs_now import CostsNow

__all__ = ["EXPRESSIONS", "EnergyPeriods", "Fixed", "View"]


class Fixed(NamedTuple):
    """A number as the meter holds it: ``raw / 10**decimals`` in the unit people read."""

    raw: int
    decimals: int = 0

    @property
    def number(self) -> int | float:
        """Return the value in the unit people read; as a decimal text it is exact."""
        return self.raw / 10**self.decimals if self.decimals else self.raw


Known = Fixed | str

EnergyPeriods = Mapping[str, int]
"""Wh so far, from register differences, by ``import_hour`` ... ``export_month``; absent where not known."""


@dataclass(frozen=True)
class View:
    """One meter at one moment.

    Args:
        meter: the meter's id.
        gateway: this program.
        uptime: seconds this program runs.
        status: the meter's last status, None before the first.
        samples: the samples to tell of, at most one per group. Leave out what is stale.
        seq: number of the register sample in the journal, if it comes from there.
        energy: energy of the running hour, day and month, if a history counts it.
        label: gives the time of day (UTC, aware) of a moment of the monotonic clock; None while it is not known.
        condition: what the meter says of itself, None before it was read.
        costs: prices and costs, None without a contract.
        alerts: what needs attention, as the document says it; None if nothing is watched.
        clock_trouble: what is wrong with this computer's clock, for people; empty when it is right.
    """

    meter: str
    gateway: GatewayInfo
    uptime: float
    status: MeterStatus | None = None
    samples: tuple[Sample, ...] = ()
    seq: int | None = None
    energy: EnergyPeriods = field(default_factory=dict)
    label: Callable[[float], datetime | None] | None = None
    clock_trouble: str = ""
    condition: ConditionRead | None = None
    costs: CostsNow | None = None
    alerts: Mapping[str, Any] | None = None

    def get(self, name: str) -> Known | None:
        """Return a value by source key or expression name; None if it is not known now."""
        expression = EXPRESSIONS.get(name)
        return expression(self) if expression is not None else self.fixed(name)

    def fixed(self, name: str) -> Fixed | None:
        """Return a measured value by its source's key."""
        source = SOURCES.get(name)
        if source is not None:
            for sample in self.samples:
                raw = sample.values.get(source)
                if raw is not None:
                    return Fixed(raw, source.decimals)
        return None

    def sample(self, group: TableGroup) -> Sample | None:
        """Return the sample of a group, None if there is none."""
        return next((sample for sample in self.samples if sample.group is group), None)

    @property
    def info(self) -> MeterInfo:
        """Return who the meter is; all unknown before the first status."""
        return self.status.info if self.status is not None else MeterInfo(self.meter)

    @property
    def newest(self) -> Sample | None:
        """Return the sample that arrived last."""
        return max(self.samples, key=lambda sample: sample.instant, default=None)

    def received(self, sample: Sample) -> datetime | None:
        """Return when a sample arrived, by the clock as it is known now; None while nobody knows the time of day.

        A sample that comes from the disk has a label from then and no moment.
        """
        if self.label is None or not sample.instant:
            return sample.received
        return self.label(sample.instant)

    @property
    def since(self) -> datetime | None:
        """Return since when the meter is as it is; None while nobody knows the time of day."""
        if self.status is None:
            return None
        if self.label is None or not self.status.instant:
            return self.status.since
        return self.label(self.status.instant)


def _text(pick: Callable[[MeterInfo], str]) -> Callable[[View], str | None]:
    return lambda view: pick(view.info) or None


def _net_power(view: View) -> Fixed | None:
    """Import minus export, of one and the same reply."""
    taken, given = view.fixed("active_power_import"), view.fixed("active_power_export")
    return None if taken is None or given is None else Fixed(taken.raw - given.raw, taken.decimals)


def _unix(moment: datetime | None) -> Fixed | None:
    return None if moment is None else Fixed(int(moment.timestamp()))


def _meter_clock(view: View) -> Fixed | None:
    times: Iterable[datetime | None] = (sample.meter_time for sample in view.samples)
    return _unix(max((time for time in times if time is not None), default=None))


def _answers(view: View) -> str | None:
    return None if view.status is None else ("online" if view.status.state is MeterState.ONLINE else "offline")


def _data_ready(view: View) -> Fixed | None:
    return None if view.status is None else Fixed(int(view.status.state is MeterState.ONLINE))


def _energy(period: str) -> Callable[[View], Fixed | None]:
    def of(view: View) -> Fixed | None:
        watt_hours = view.energy.get(period)
        return None if watt_hours is None else Fixed(watt_hours, 3)

    return of


EXPRESSIONS: Mapping[str, Callable[[View], Known | None]] = MappingProxyType(
    {
        "net_power": _net_power,
        "meter_answers": _answers,
        "data_ready": _data_ready,
        "verified_replies": lambda view: None if view.status is None else Fixed(view.status.link.replies),
        "serial": _text(lambda info: info.serial),
        "manufacturer": _text(lambda info: info.manufacturer),
        "model": _text(lambda info: info.model),
        "firmware": _text(lambda info: info.firmware),
        "received": lambda view: _unix(view.received(view.newest) if view.newest else None),
        "meter_clock": _meter_clock,
        "uptime": lambda view: Fixed(int(view.uptime)),
        **{
            f"energy_{direction}_{period}": _energy(f"{direction}_{period}")
            for direction in ("import", "export")
            for period in ("hour", "day", "month")
        },
    }
)
"""Values that are not one field of one table, by name."""
