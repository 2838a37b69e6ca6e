"""The part of the REST API that tells how the hours of a long time compare: of each month, and of each day of the week.

This module does not know how registers become energy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.periods import Unit, floor, following
from nes2mqtt.history.queries.reader import EnergyPeriod
from nes2mqtt.outputs.web.api.history import Moment, history, in_zone, now_of, unreadable
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, known_meter
from nes2mqtt.outputs.web.problem import ProblemError

__all__ = ["OPERATIONS"]

_HOURS = 24
_LONGEST = timedelta(days=367)
_KEYS = {"import": "active_energy_import", "export": "active_energy_export"}


class _Patterns(Asked):
    meter: MeterId
    start: Moment = None
    end: Moment = None


class PatternHour(BaseModel):
    """An hour of the day, on average."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    import_kwh: float | None = Field(description="Null where no such hour was measured whole")
    export_kwh: float | None
    count: int = Field(description="Hours that were measured whole")


class MonthPattern(BaseModel):
    """The hours of a month."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    month: date = Field(description="Its first day")
    hours: list[PatternHour] = Field(description="Of each hour of the day, by the gateway's time zone: 24")


class WeekdayPattern(BaseModel):
    """The hours of a day of the week."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    weekday: int = Field(description="1 is Monday, 7 Sunday (ISO 8601)")
    hours: list[PatternHour]


class PatternsReport(BaseModel):
    """How the hours of a time compare."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    meter: str
    timezone: str
    months: list[MonthPattern]
    weekdays: list[WeekdayPattern]


async def patterns(request: Request, asked: _Patterns) -> PatternsReport:
    """Averages of hours that were measured whole; of the hour that comes twice in autumn both count. Without `start`: of this year."""
    web, meter = context_of(request), asked.meter
    store = history(web)
    known_meter(web, meter)
    zone = web.gateway.timezone
    begin = floor(now_of(web), Unit.YEAR, zone) if asked.start is None else in_zone(asked.start, zone)
    begin = floor(begin, Unit.DAY, zone)
    until = following(floor(begin, Unit.YEAR, zone), Unit.YEAR, zone) if asked.end is None else in_zone(asked.end, zone)
    if until <= begin:
        raise ProblemError(400, "The end is not after the start", "Swap start and end.")
    if until - begin > _LONGEST:
        raise ProblemError(400, "That is too much at once", f"Ask for at most {_LONGEST.days} days.")
    try:
        found = await store.energy(meter, Unit.HOUR, begin, until)
    except HistoryError as error:
        raise unreadable(error) from error
    months: dict[date, list[list[EnergyPeriod]]] = defaultdict(_day)
    weekdays: dict[int, list[list[EnergyPeriod]]] = {day: _day() for day in range(1, 8)}
    for part in found:
        local = part.start.astimezone(zone)
        hours = months[local.date().replace(day=1)]  # also of a month of which nothing is known
        if part.complete:
            hours[local.hour].append(part)
            weekdays[local.isoweekday()][local.hour].append(part)
    return PatternsReport(
        meter=meter,
        timezone=str(zone),
        months=[MonthPattern(month=month, hours=[*map(_mean, hours)]) for month, hours in months.items()],
        weekdays=[WeekdayPattern(weekday=day, hours=[*map(_mean, hours)]) for day, hours in weekdays.items()],
    )


def _day() -> list[list[EnergyPeriod]]:
    return [[] for _ in range(_HOURS)]


def _mean(parts: Iterable[EnergyPeriod]) -> PatternHour:
    known: Mapping[str, list[int]] = {
        name: [part.values[key] for part in parts if key in part.values] for name, key in _KEYS.items()
    }
    means = {name: round(sum(values) / len(values) / 1000, 6) if values else None for name, values in known.items()}
    return PatternHour(import_kwh=means["import"], export_kwh=means["export"], count=len(known["import"]))


OPERATIONS = (
    Operation(
        "/patterns",
        "How the hours of a year compare, by month and by day of the week",
        _Patterns,
        patterns,
        PatternsReport,
        problems=(400, 401, 404, 422, 503),
    ),
)
