"""The part of the REST API that tells what happened to the meters, by their own logs.

This module does not know how the logs are read or kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.outputs.web.api.history import Moment, unreadable
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterIds, asked_meters
from nes2mqtt.readings import happened
from nes2mqtt.readings.happened import Happened, HappenedKind, Who

__all__ = ["OPERATIONS", "EventReport", "event_report"]

_MOST = 500
_HIGHEST = 1 << 53
"""No entry has such a number; programs whose numbers are floating point can still say it."""
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _Events(Asked):
    meters: MeterIds = None
    kind: Annotated[HappenedKind | None, Field(description="Only events, or only outages; both when absent")] = None
    since: Moment = None
    before: Annotated[
        int | None,
        Field(ge=1, le=_HIGHEST, description="Only entries with a `number` below this one: `next` of the page before"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=_MOST, description="At most so many entries")] = 100


class EventReport(_Model):
    """One entry of a meter's logs. Null is what the meter does not tell."""

    number: int = Field(description="Of this list: grows in the order in which the gateway learned of entries")
    meter: str
    kind: HappenedKind
    time: datetime | None = Field(description="When it happened, or began, by the meter's clock")
    read: datetime | None = Field(description="When the gateway read it")
    news: bool = Field(
        description="False for what the meter had logged before the gateway first read its logs: nobody is told of that"
    )
    event: int | None = Field(
        description="What happened: a number that each meter's documentation explains; null for an outage", examples=[1]
    )
    name: str = Field(
        description="What the event is called, by your catalogue (`event_names`) or the standard; empty where neither has a "
        "name",
        examples=["power down"],
    )
    who: Who | None = Field(description="Who was logged in at the meter; null for an outage")
    user: int | None = Field(description="Which user, where `who` is `optical_port`")
    argument: str = Field(description="In hexadecimal digits; what it says depends on the event")
    sequence: int | None = Field(description="Its number in the meter's own log")
    end: datetime | None = Field(description="When an outage ended, by the meter's clock")
    seconds: int | None = Field(description="How long an outage lasted")
    cause: str = Field(
        description="Why the meter started anew after an outage; empty where it does not tell",
        examples=["power failure"],
    )


class EventsReport(_Model):
    """A page of entries, the one learned last first."""

    events: list[EventReport]
    next: int | None = Field(description="Ask with `before` of this for older entries; null where there are none")


async def events(request: Request, asked: _Events) -> EventsReport:
    """Events and power outages, as the meters' own logs tell them. Without `meter`: of all meters."""
    web = context_of(request)
    since = None if asked.since is None else _within(asked.since, web.gateway.timezone)
    wanted = happened.Asked(asked_meters(web, asked.meters), asked.limit + 1, asked.before, since, asked.kind)
    try:
        found = await web.event_log.entries(wanted)
    except HistoryError as error:
        raise unreadable(error) from error
    shown = [event_report(one) for one in found[: asked.limit]]
    return EventsReport(events=shown, next=shown[-1].number if len(found) > asked.limit else None)


def _within(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return a moment, aware, as far as it is within the years in which there are entries."""
    if not _FIRST.year < moment.year < _LAST.year:
        return _FIRST if moment.year <= _FIRST.year else _LAST
    return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment


def event_report(one: Happened) -> EventReport:
    """Return an entry as the API shows it."""
    return EventReport(
        number=one.number,
        meter=one.meter,
        kind=one.kind,
        time=one.time,
        read=one.read,
        news=one.news,
        event=one.event,
        name=one.name,
        who=one.who,
        user=one.user,
        argument=one.argument,
        sequence=one.sequence,
        end=one.end,
        seconds=one.seconds,
        cause=one.cause,
    )


OPERATIONS = (
    Operation(
        "/events",
        "What happened to the meters, by their own logs",
        _Events,
        events,
        EventsReport,
        problems=(400, 401, 404, 422, 503),
    ),
)
