"""The part of the REST API that tells what needs attention, and what people were told.

This module does not know when an alert is raised.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.alerts.kinds import UNITS, Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterIds, asked_meters

if TYPE_CHECKING:
    from nes2mqtt.alerts.book import Alert
    from nes2mqtt.alerts.words import AlertWords

__all__ = ["OPERATIONS"]

_MOST = 200


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _Alerts(Asked):
    meters: MeterIds = None
    language: Annotated[Literal["en", "da", "de"], Field(description="Of titles and texts")] = "en"
    limit: Annotated[int, Field(ge=0, le=_MOST, description="At most so many of what was told")] = 20


class AlertState(StrEnum):
    """How an alert is."""

    RAISED = "raised"
    CLEARED = "cleared"
    UNKNOWN = "unknown"
    """Nothing was seen yet that could raise it."""


class AlertReport(_Model):
    """One alert of the configuration."""

    kind: Kind
    meter: str
    phase: str = Field(description="l1, l2 or l3; empty for all together")
    state: AlertState
    stale: bool = Field(description="Whether that is still so cannot be told now: the value is absent or old")
    since: datetime | None = Field(description="When it began; null also while the time of day is not known")
    value: float | None = Field(description="That was seen last; null while it is not known")
    limit: float | None = Field(description="Beyond it the alert is raised")
    unit: str = Field(description="Of value and limit", examples=["A"])
    title: str = Field(description="For people", examples=["L2 is near its fuse"])
    text: str = Field(description="What it means and what to do; empty unless it is raised")


class ToldReport(_Model):
    """Something that people were told."""

    number: int = Field(description="Only grows")
    what: What
    kind: Kind
    meter: str
    phase: str
    since: datetime | None
    until: datetime | None
    time: datetime | None = Field(description="When it was told; null if the time of day was not known")
    title: str
    text: str


class AlertsReport(_Model):
    """What needs attention."""

    configured: bool = Field(description="Whether the configuration has a section `[alerts]`")
    quiet: bool = Field(description="Whether these are quiet hours")
    held: int = Field(description="So many are told when the quiet hours end")
    alerts: list[AlertReport] = Field(description="All of the configuration, those that are raised first")
    told: list[ToldReport] = Field(description="The newest first")


async def alerts(request: Request, asked: _Alerts) -> AlertsReport:
    """Alerts with their state, and what people were told of them. Without `meter`: of all meters."""
    web = context_of(request)
    meters = asked_meters(web, asked.meters)
    keeper = web.alerts
    if keeper is None:
        return AlertsReport(configured=False, quiet=False, held=0, alerts=[], told=[])
    from nes2mqtt.alerts.words import AlertWords  # noqa: PLC0415 - only with alerts

    words = AlertWords(asked.language, web.gateway.timezone)
    found = sorted((one for meter in meters for one in keeper.book.of(meter)), key=lambda one: not one.raised)
    told = [one for one in keeper.book.tellings[::-1] if one.meter in meters][: asked.limit]
    return AlertsReport(
        configured=True,
        quiet=keeper.quiet,
        held=keeper.book.held,
        alerts=[_alert(one, words) for one in found],
        told=[_told(one, words) for one in told],
    )


def _alert(alert: Alert, words: AlertWords) -> AlertReport:
    rule = alert.rule
    unit = UNITS.get(rule.kind, "")
    value = alert.value if unit and not alert.unknown else None
    said = words.said(Telling(What.RAISED, rule.kind, rule.meter, rule.phase, alert.value, rule.limit, rule.fuse))
    unseen = alert.unknown and not alert.raised
    return AlertReport(
        kind=rule.kind,
        meter=rule.meter,
        phase=rule.phase,
        state=AlertState.UNKNOWN if unseen else AlertState.RAISED if alert.raised else AlertState.CLEARED,
        stale=alert.unknown,
        since=alert.since if alert.raised else None,
        value=value,
        limit=rule.limit if unit else None,
        unit=unit,
        title=said.title,
        text=said.text if alert.raised else "",
    )


def _told(one: Telling, words: AlertWords) -> ToldReport:
    said = words.said(one)
    return ToldReport(
        number=one.number,
        what=one.what,
        kind=one.kind,
        meter=one.meter,
        phase=one.phase,
        since=one.since,
        until=one.until,
        time=one.time,
        title=said.title,
        text=said.text,
    )


OPERATIONS = (
    Operation(
        "/alerts",
        "What needs attention, and what people were told",
        _Alerts,
        alerts,
        AlertsReport,
        problems=(400, 401, 404, 422),
    ),
)
