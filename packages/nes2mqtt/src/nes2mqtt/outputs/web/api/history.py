"""The part of the REST API that asks the history: curves of present values, energy by quarter hour to year.

This module does not know SQL, nor how registers become energy.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from nes2mqtt.bills.own_use import OwnUse, own_use_of, own_uses
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.periods import Unit, cut, floor, following, periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line
from nes2mqtt.history.store import Store
from nes2mqtt.outputs.web.api.models import (
    EnergyBucket,
    EnergyReport,
    FilledPart,
    FilledPowerReport,
    GapsReport,
    LineReport,
    LookedIntoGap,
    OwnUseReport,
    PeaksReport,
    SeriesReport,
)
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, known_meter
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.problem import ProblemError
from osgp.sources import SOURCES, Source

__all__ = ["OPERATIONS", "history", "now_of", "unreadable"]

_FIRST_YEAR, _LAST_YEAR = 2000, 2100
_AROUND: Mapping[Unit, Unit] = {
    Unit.QUARTER: Unit.DAY,
    Unit.HOUR: Unit.DAY,
    Unit.DAY: Unit.MONTH,
    Unit.WEEK: Unit.YEAR,
    Unit.MONTH: Unit.YEAR,
    Unit.YEAR: Unit.YEAR,
}
"""What is asked for without ``start``: the hours of today, the days of this month, ..."""
_LONGEST: Mapping[Unit, timedelta] = {
    Unit.QUARTER: timedelta(days=15),
    Unit.HOUR: timedelta(days=62),
    Unit.DAY: timedelta(days=1100),
    Unit.WEEK: timedelta(days=7700),
    Unit.MONTH: timedelta(days=36600),
    Unit.YEAR: timedelta(days=36600),
}
"""One request asks for about a thousand buckets at most, which takes a Raspberry Pi well under a second."""

_LONGEST_PEAKS = timedelta(days=367)
_NIGHT_ENDS = 6
"""Hour of the day."""
_ENOUGH_NIGHTS = 100
"""Quarter hours: four nights and a bit."""
_MOST_GAPS = 100
_MOST_LINES = 12
_MOST_POINTS = 5000

_IMPORT = SOURCES["active_energy_import"]
_EXPORT = SOURCES["active_energy_export"]

Moment = Annotated[
    datetime | None,
    Field(description="`2026-11-22T14:00:00Z`; without a zone, and for a date alone, in the gateway's time zone"),
]


class _Energy(Asked):
    meter: MeterId
    period: Annotated[Unit, Field(description="Length of a bucket")] = Unit.HOUR
    start: Moment = None
    end: Moment = None
    exact: Annotated[
        bool,
        Field(
            description="Cut the first and last bucket at `start` and `end` (to the quarter hour before); else they are whole"
        ),
    ] = False


class _Peaks(Asked):
    meter: MeterId
    period: Annotated[Literal["quarter", "hour"], Field(description="Length of what is compared")] = "hour"
    start: Moment = None
    end: Moment = None
    count: Annotated[int, Field(ge=1, le=100, description="At most so many")] = 10
    distinct_days: Annotated[bool, Field(description="Of each day only its highest, as some capacity tariffs want")] = (
        False
    )


class _EnergyTable(_Energy):
    decimal: Annotated[
        Literal["point", "comma"],
        Field(
            description="comma: numbers with a decimal comma, columns between semicolons, as spreadsheets of most of Europe want"
        ),
    ] = "point"


class _Series(Asked):
    meter: MeterId
    names: Annotated[
        list[Annotated[str, Field(max_length=60)]],
        Field(alias="name", min_length=1, max_length=_MOST_LINES, description="Of `/api/v1/sources`, kind present"),
    ]
    start: Moment = None
    end: Moment = None
    points: Annotated[int, Field(ge=2, le=_MOST_POINTS, description="At most so many; buckets get longer")] = 600


class _Gaps(Asked):
    meter: MeterId


def history(web: WebContext) -> Store:
    """Return the store, or answer with a problem."""
    if web.store is None:
        raise ProblemError(503, "There is no history", "Set enabled = true in the section [history].")
    return web.store


def in_zone(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return an aware moment within the years that are served."""
    if not _FIRST_YEAR <= moment.year < _LAST_YEAR:
        raise ProblemError(400, "That is too far away", f"Ask for the years {_FIRST_YEAR} to {_LAST_YEAR - 1}.")
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(UTC)


_UNREADABLE = "The history cannot be read now"


def unreadable(error: HistoryError) -> ProblemError:
    """Say why the history has no answer: an empty one would look as if nothing had been used."""
    return ProblemError(503, _UNREADABLE, f"{str(error) or type(error).__name__}. /api/v1/status tells how it is.")


def now_of(web: WebContext) -> datetime:
    """Return the time of day, or answer with a problem while nobody knows which day it is."""
    clock = web.hub.clock
    if not clock.known:
        raise ProblemError(
            503,
            "The time of day is not known",
            "Which day it is will be known when this computer's clock is set, or a meter tells the time. "
            "Until then, name start and end. /api/v1/status tells more.",
        )
    return clock.now()


def _kwh(watthours: int | None) -> float | None:
    return None if watthours is None else _IMPORT.scaled(watthours)


def _sum(parts: Iterable[int | None]) -> int | None:
    """Add up what is known; None when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


async def energy(request: Request, asked: _Energy) -> EnergyReport:
    """Differences of the meter's registers. Without `start`: the hours of today, the days of this month, and so on."""
    web, meter, period = context_of(request), asked.meter, asked.period
    store = history(web)
    known_meter(web, meter)
    zone = web.gateway.timezone
    around = _AROUND[period]
    begin = floor(now_of(web), around, zone) if asked.start is None else in_zone(asked.start, zone)
    until = following(floor(begin, around, zone), around, zone) if asked.end is None else in_zone(asked.end, zone)
    if until <= begin:
        raise ProblemError(400, "The end is not after the start", "Swap start and end.")
    if until - begin > _LONGEST[period]:
        raise ProblemError(
            400, "That is too much at once", f"Ask for at most {_LONGEST[period].days} days by {period}."
        )
    if asked.exact and not (spans := list(cut(periods(begin, until, period, zone), begin, until))):
        raise ProblemError(400, "There is no whole quarter hour between start and end", "Ask for more.")
    try:
        if asked.exact:
            found = await store.energies(meter, spans)
        else:
            found = await store.energy(meter, period, begin, until)
        if not found:
            raise ProblemError(503, _UNREADABLE, "The log and /api/v1/status tell why.")
        own = await own_uses(web.production, meter, found)
        own_use = await own_use_of(web.production, store, meter, _whole(found))
    except HistoryError as error:
        raise unreadable(error) from error
    now = web.hub.clock.now() if web.hub.clock.known else None
    spent = [_spent(part, now) for part in found]
    buckets = [_bucket(part, *times, use) for part, times, use in zip(found, spent, own, strict=True)]
    total = EnergyBucket(
        own_use=_own_use(own_use),
        start=buckets[0].start,
        end=buckets[-1].end,
        import_kwh=_kwh(_sum(part.values.get(_IMPORT.key) for part in found)),
        export_kwh=_kwh(_sum(part.values.get(_EXPORT.key) for part in found)),
        expected_seconds=_sum(expected for expected, _ in spent),
        known_seconds=sum(known for _, known in spent),
        complete=all(bucket.complete for bucket in buckets),
        first=next((bucket.first for bucket in buckets if bucket.first is not None), None),
        last=next((bucket.last for bucket in reversed(buckets) if bucket.last is not None), None),
        filled=[filled for bucket in buckets for filled in bucket.filled],
        imported=[imported for bucket in buckets for imported in bucket.imported],
    )
    return EnergyReport(meter=meter, period=period, timezone=str(zone), total=total, buckets=buckets)


def _whole(parts: Sequence[EnergyPeriod]) -> EnergyPeriod:
    """Return periods that follow each other as one; of what is not known in one that has readings, nothing is known."""
    known = [part.values.keys() for part in parts if part.values]
    keys = set(known[0]).intersection(*known) if known else set()
    return EnergyPeriod(
        parts[0].start,
        parts[-1].end,
        {key: sum(part.values.get(key, 0) for part in parts) for key in keys},
        next((part.first for part in parts if part.first is not None), None),
        next((part.last for part in reversed(parts) if part.last is not None), None),
        unplaced=frozenset().union(*(part.unplaced for part in parts)),
    )


async def peaks(request: Request, asked: _Peaks) -> PeaksReport:
    """By import. Without `start`: of this month. At most a year by the hour, or two months by the quarter hour."""
    web, meter = context_of(request), asked.meter
    store = history(web)
    known_meter(web, meter)
    zone = web.gateway.timezone
    begin = (
        floor(now_of(web), Unit.MONTH, zone)
        if asked.start is None
        else floor(in_zone(asked.start, zone), Unit.DAY, zone)
    )
    until = (
        following(floor(begin, Unit.MONTH, zone), Unit.MONTH, zone) if asked.end is None else in_zone(asked.end, zone)
    )
    if until <= begin:
        raise ProblemError(400, "The end is not after the start", "Swap start and end.")
    short = until - begin <= _LONGEST[Unit.HOUR]
    most = _LONGEST[Unit.HOUR] if asked.period == "quarter" else _LONGEST_PEAKS
    if until - begin > most:
        raise ProblemError(400, "That is too much at once", f"Ask for at most {most.days} days by {asked.period}.")
    try:
        quarters = await store.energies(meter, list(periods(begin, until, Unit.QUARTER, zone))) if short else []
        found = quarters if asked.period == "quarter" else await store.energy(meter, Unit.HOUR, begin, until)
    except HistoryError as error:
        raise unreadable(error) from error
    highest = sorted(
        (part for part in found if part.complete and _IMPORT.key in part.values), key=_imported, reverse=True
    )
    if asked.distinct_days:
        days: dict[date, EnergyPeriod] = {}
        for part in highest:
            days.setdefault(part.start.astimezone(zone).date(), part)
        highest = list(days.values())
    now = web.hub.clock.now() if web.hub.clock.known else None
    return PeaksReport(
        meter=meter,
        period=asked.period,
        highest=[_bucket(part, *_spent(part, now)) for part in highest[: asked.count]],
        base_watts=_base_load(quarters, zone),
    )


def _imported(part: EnergyPeriod) -> int:
    return part.values[_IMPORT.key]


def _base_load(quarters: Iterable[EnergyPeriod], zone: ZoneInfo) -> float | None:
    """Return the import power in W that one of twenty quarter hours of the nights undercuts."""
    nights = sorted(
        _imported(part)
        for part in quarters
        if part.complete and _IMPORT.key in part.values and part.start.astimezone(zone).hour < _NIGHT_ENDS
    )
    return None if len(nights) < _ENOUGH_NIGHTS else 4.0 * nights[len(nights) // 20]


def _own_use(own: OwnUse | None) -> OwnUseReport | None:
    if own is None:
        return None
    return OwnUseReport(produced_kwh=own.produced, self_used_kwh=own.used, consumed_kwh=own.consumed, until=own.until)


def _bucket(part: EnergyPeriod, expected: int | None, known: int, own_use: OwnUse | None = None) -> EnergyBucket:
    return EnergyBucket(
        own_use=_own_use(own_use),
        start=part.start,
        end=part.end,
        import_kwh=_kwh(part.values.get(_IMPORT.key)),
        export_kwh=_kwh(part.values.get(_EXPORT.key)),
        expected_seconds=expected,
        known_seconds=known,
        complete=part.complete,
        first=part.first,
        last=part.last,
        filled=[FilledPart(start=since, end=until) for since, until in part.filled],
        imported=[FilledPart(start=since, end=until) for since, until in part.imported],
    )


def _spent(part: EnergyPeriod, now: datetime | None) -> tuple[int | None, int]:
    """Return how many seconds of a period are over, None while nobody knows the time, and of how many its energy is known."""
    expected = None if now is None else max(0, round((min(part.end, now) - part.start).total_seconds()))
    if part.first is None or part.last is None:
        return expected, 0
    known = round((min(part.last, part.end) - max(part.first, part.start)).total_seconds())
    return expected, max(0, known)


async def energy_csv(request: Request, asked: _EnergyTable) -> PlainTextResponse:
    """The buckets of `/energy`: local start and end with offset, kWh (empty when not known), complete, filled, imported."""
    import csv  # noqa: PLC0415 - few ask for tables

    report = await energy(request, asked)
    zone = context_of(request).gateway.timezone
    lines = io.StringIO()
    comma = asked.decimal == "comma"
    writer = csv.writer(lines, delimiter=";" if comma else ",")

    def written(kwh: float | None) -> str:
        number = "" if kwh is None else str(kwh)
        return number.replace(".", ",") if comma else number

    writer.writerow(("start", "end", "import_kwh", "export_kwh", "complete", "filled", "imported"))
    for bucket in report.buckets:
        times = (moment.astimezone(zone).isoformat() for moment in (bucket.start, bucket.end))
        marks = (str(mark).lower() for mark in (bucket.complete, bool(bucket.filled), bool(bucket.imported)))
        writer.writerow((*times, written(bucket.import_kwh), written(bucket.export_kwh), *marks))
    headers = _as_file(request, asked, report, "csv")
    return PlainTextResponse(lines.getvalue(), headers=headers, media_type="text/csv")


async def energy_parquet(request: Request, asked: _Energy) -> Response:
    """The buckets of `/energy` as an Apache Parquet file, with the columns of `/energy.csv`: times in UTC, kWh (null when not known)."""
    from osgp.image.parquet import Column, Holds, parquet  # noqa: PLC0415 - few ask for tables

    columns = (
        Column("start", Holds.TIME),
        Column("end", Holds.TIME),
        Column("import_kwh", Holds.NUMBER),
        Column("export_kwh", Holds.NUMBER),
        Column("complete", Holds.TRUTH),
        Column("filled", Holds.TRUTH),
        Column("imported", Holds.TRUTH),
    )
    report = await energy(request, asked)
    rows = (
        (
            bucket.start,
            bucket.end,
            bucket.import_kwh,
            bucket.export_kwh,
            bucket.complete,
            bool(bucket.filled),
            bool(bucket.imported),
        )
        for bucket in report.buckets
    )
    content = b"".join(parquet(columns, rows))
    headers = _as_file(request, asked, report, "parquet")
    return Response(content, headers=headers, media_type="application/vnd.apache.parquet")


def _as_file(request: Request, asked: _Energy, report: EnergyReport, kind: str) -> dict[str, str]:
    """Return the headers that make a browser keep an answer as a file of that name."""
    day = report.total.start.astimezone(context_of(request).gateway.timezone)
    return {"content-disposition": f'attachment; filename="{asked.meter}-{asked.period}-{day:%Y-%m-%d}.{kind}"'}


async def gaps(request: Request, asked: _Gaps) -> GapsReport:
    """Times in which the meter was not read, and whether its load profile could fill them; the newest hundred."""
    web = context_of(request)
    store = history(web)
    known_meter(web, asked.meter)
    try:
        found = await store.looked_into(asked.meter, _MOST_GAPS)
    except HistoryError as error:
        raise unreadable(error) from error
    return GapsReport(
        meter=asked.meter,
        gaps=[
            LookedIntoGap(
                start=gap.began,
                end=gap.ended,
                outcome=gap.outcome,
                readings=gap.readings,
                unplaced=list(gap.unplaced),
            )
            for gap in found
        ],
    )


async def series(request: Request, asked: _Series) -> SeriesReport:
    """Single readings where few enough, else averages with lowest and highest. Without `start`: the last day."""
    web = context_of(request)
    store = history(web)
    known_meter(web, asked.meter)
    zone = web.gateway.timezone
    until = now_of(web) if asked.end is None else in_zone(asked.end, zone)
    begin = until - timedelta(days=1) if asked.start is None else in_zone(asked.start, zone)
    if until <= begin:
        raise ProblemError(400, "The end is not after the start", "Swap start and end.")
    try:
        found = await store.series(asked.meter, asked.names, begin, until, asked.points)
    except ValueError as error:
        raise ProblemError(400, "That cannot be asked for", f"{error}. /api/v1/sources lists the names.") from error
    except HistoryError as error:
        raise unreadable(error) from error
    return SeriesReport(
        meter=asked.meter,
        step=found.step.total_seconds() if found.step else None,
        times=found.times,
        lines={name: _line(SOURCES[name], line) for name, line in found.lines.items()},
        filled=[
            FilledPowerReport(
                start=part.start,
                end=part.end,
                values={name: SOURCES[name].scaled(value) for name, value in part.values.items()},
            )
            for part in found.filled
        ],
    )


def _line(source: Source, line: Line) -> LineReport:
    def scaled(column: list[int | None]) -> list[float | None]:
        return [None if value is None else source.scaled(value) for value in column]

    return LineReport(average=scaled(line.average), lowest=scaled(line.lowest), highest=scaled(line.highest))


_PROBLEMS = (400, 401, 404, 422, 503)
OPERATIONS = (
    Operation(
        "/energy",
        "Energy by quarter hour, hour, day, week, month or year",
        _Energy,
        energy,
        EnergyReport,
        problems=_PROBLEMS,
    ),
    Operation(
        "/energy.csv",
        "Energy as a table for spreadsheets",
        _EnergyTable,
        energy_csv,
        media_type="text/csv",
        answered="One line a bucket",
        problems=_PROBLEMS,
    ),
    Operation(
        "/energy.parquet",
        "Energy as a Parquet file",
        _Energy,
        energy_parquet,
        media_type="application/vnd.apache.parquet",
        answered="One row a bucket",
        problems=_PROBLEMS,
    ),
    Operation("/peaks", "Hours with the most import", _Peaks, peaks, PeaksReport, problems=_PROBLEMS),
    Operation("/gaps", "Gaps that were looked into", _Gaps, gaps, GapsReport, problems=_PROBLEMS),
    Operation("/series", "Present values over time", _Series, series, SeriesReport, problems=_PROBLEMS),
)
