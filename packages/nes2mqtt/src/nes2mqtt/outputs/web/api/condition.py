"""The part of the REST API that tells what meters say of themselves and of the supply: alarms, contactor, tariff, quality.

This module does not know how it is read.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterIds, asked_meters
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.live.view import label
from nes2mqtt.readings.condition import ConditionRead, is_trouble
from nes2mqtt.readings.hub import Latest
from osgp.tables.calendar.tariffs import Tariffs
from osgp.tables.quality.report import Distortion, Events, Extreme, PhaseQuality, SupplyQuality
from osgp.tables.status.alarms import alarm_words
from osgp.tables.status.state import Contactor
from osgp.tables.status.state import MeterState as Reported

__all__ = ["OPERATIONS"]

_MILLI = 1000


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _ConditionOf(Asked):
    meters: MeterIds = None


class AlarmReport(_Model):
    """Something that the meter complains about. It stays until the grid company takes it away."""

    name: str = Field(description="Stable for ever", examples=["cover_removed"])
    label: str = Field(description="In English", examples=["Cover removed"])
    trouble: bool = Field(
        description="False for what only notes that there is something to read, or that something was done"
    )


class IdentityReport(_Model):
    """Who the meter is; empty where it does not tell."""

    serial: str
    manufacturer: str
    model: str
    firmware: str


class MeterStateReport(_Model):
    """What the meter says of itself. Null is what it does not tell."""

    alarms: list[AlarmReport] | None = Field(description="That are on now; empty where none is")
    contactor: Contactor | None = Field(description="Null also where it has none")
    button_locked: bool | None = Field(
        description="The button that would close the contactor is locked for some seconds"
    )
    opened_by_limit: datetime | None = Field(
        description="When the contactor was last opened for too much power or current; whose time is not said"
    )
    relay_1_pending: int | None = Field(description="Seconds until relay 1 switches")
    relay_2_pending: int | None
    mis_wiring: str = Field(description="What is wrong with the wiring, in English; empty where nothing is")
    load_profile_off: bool | None


class TariffReport(_Model):
    """Which tariff counts, and which comes next. Tariffs count from 1, as on the display."""

    tariff: int
    set_by: str | None = Field(
        description="`calendar`, `until_next_switch`, `by_hand`, `override`, `over_power`, `step_tariff`; null where it is not "
        "told"
    )
    until: datetime | None = Field(description="When an override ends")
    next: datetime | None = Field(
        description="When the next tariff begins; the meter's local time is taken for the gateway's. Null where there is none, "
        "or it is not known"
    )
    next_tariff: int | None
    unknown: str = Field(description="Why the next one is not known, in English; empty where it is, or there is none")
    season: int = Field(description="From 1")
    calendar_id: int | None


class CountReport(_Model):
    """How often something happened since statistics were reset."""

    count: int
    last: datetime | None = Field(description="By the meter's clock; null where it never happened, or is not known")
    voltage: float | None = Field(description="In V: of the last sag the lowest, of the last swell the highest")


class DistortionReport(_Model):
    """Total harmonic distortion above the meter's threshold."""

    count: int
    last: datetime | None
    maximum: float | None = Field(description="Percent, of the last event")
    average: float | None = Field(description="Percent, of the last event")


class ExtremeReport(_Model):
    """The lowest or highest there was, since statistics were reset."""

    hertz: float
    at: datetime | None


class PhaseReport(_Model):
    """One phase of the supply."""

    phase: str = Field(examples=["l1"])
    lost: bool = Field(description="It is missing now")
    losses: CountReport
    sags: CountReport
    swells: CountReport
    over_currents: int
    deep_sags: CountReport | None = Field(description="By the second set of thresholds; null where the meter has none")
    distortion: dict[str, DistortionReport] = Field(
        description="Of `voltage`, `current` and `apparent power`, where the meter has a threshold"
    )


class QualityReport(_Model):
    """What the meter counts of the supply's quality. Counts may fall: they can be reset."""

    phases: list[PhaseReport]
    lowest_frequency: ExtremeReport | None
    highest_frequency: ExtremeReport | None
    short_outages: int = Field(description="Shorter than `long_outage_seconds`")
    long_outage_seconds: int
    sag_percent: int = Field(description="So much below the rated voltage it is a sag")
    swell_percent: int
    event_seconds: int = Field(description="How long a sag or a swell must last to be counted")


class ConditionReport(_Model):
    """What a meter says of itself and of its supply, as it was read last. Null is what it does not tell."""

    meter: str
    identity: IdentityReport
    received: datetime | None = Field(
        description="When the meter told of it; null while the time of day is not known, or nothing was read yet"
    )
    problem: bool | None = Field(
        description="An alarm that is a trouble is on, the wiring is wrong, or a phase is missing"
    )
    clock_ahead: float | None = Field(description="Seconds the meter's clock is ahead of the gateway's")
    state: MeterStateReport | None
    tariffs: TariffReport | None
    quality: QualityReport | None


async def condition(request: Request, asked: _ConditionOf) -> list[ConditionReport]:
    """Alarms, contactor, tariff in force and the next one, quality of the supply. It is read each few minutes."""
    web = context_of(request)
    return [_report(web, meter, web.hub.latest[meter]) for meter in asked_meters(web, asked.meters)]


def _report(web: WebContext, meter: str, latest: Latest) -> ConditionReport:
    read, status = latest.condition, latest.status
    info = None if status is None else status.info
    return ConditionReport(
        meter=meter,
        identity=IdentityReport(
            serial=info.serial if info else "",
            manufacturer=info.manufacturer if info else "",
            model=info.model if info else "",
            firmware=info.firmware if info else "",
        ),
        received=None if read is None else label(web.hub.clock, read.instant, read.received),
        problem=None if read is None else read.problem,
        clock_ahead=None if status is None else status.clock_ahead,
        state=None if read is None or read.state is None else _state(read.state),
        tariffs=None if read is None or read.tariffs is None else _tariffs(web, read, read.tariffs),
        quality=None if read is None or read.quality is None else _quality(read.quality),
    )


def _state(state: Reported) -> MeterStateReport:
    return MeterStateReport(
        alarms=None
        if state.alarms is None
        else [
            AlarmReport(name=name, label=alarm_words(name) or name, trouble=is_trouble(name)) for name in state.alarms
        ],
        contactor=state.contactor,
        button_locked=state.button_locked,
        opened_by_limit=state.opened_by_limit,
        relay_1_pending=state.relay_1_pending,
        relay_2_pending=state.relay_2_pending,
        mis_wiring=state.mis_wiring,
        load_profile_off=state.load_profile_off,
    )


def _tariffs(web: WebContext, read: ConditionRead, tariffs: Tariffs) -> TariffReport:
    return TariffReport(
        tariff=tariffs.tier + 1,
        set_by=None if tariffs.drive is None else tariffs.drive.name.lower(),
        until=tariffs.until,
        next=read.next_switch(web.gateway.timezone),
        next_tariff=None if tariffs.next is None else tariffs.next.tier + 1,
        unknown=tariffs.unknown,
        season=tariffs.season + 1,
        calendar_id=tariffs.calendar_id,
    )


def _quality(quality: SupplyQuality) -> QualityReport:
    return QualityReport(
        phases=[_phase(phase) for phase in quality.phases],
        lowest_frequency=_extreme(quality.lowest_frequency),
        highest_frequency=_extreme(quality.highest_frequency),
        short_outages=quality.short_outages,
        long_outage_seconds=quality.long_outage_seconds,
        sag_percent=quality.sag_percent,
        swell_percent=quality.swell_percent,
        event_seconds=quality.event_seconds,
    )


def _phase(phase: PhaseQuality) -> PhaseReport:
    return PhaseReport(
        phase=phase.name,
        lost=phase.lost,
        losses=_count(phase.losses),
        sags=_count(phase.sags),
        swells=_count(phase.swells),
        over_currents=phase.over_currents,
        deep_sags=None if phase.deep_sags is None else _count(phase.deep_sags),
        distortion={name: _distortion(one) for name, one in phase.distortion.items()},
    )


def _count(events: Events) -> CountReport:
    voltage = None if events.voltage is None else events.voltage / _MILLI
    return CountReport(count=events.count, last=events.last, voltage=voltage)


def _distortion(one: Distortion) -> DistortionReport:
    return DistortionReport(count=one.count, last=one.last, maximum=one.maximum, average=one.average)


def _extreme(one: Extreme | None) -> ExtremeReport | None:
    return None if one is None else ExtremeReport(hertz=one.value / _MILLI, at=one.at)


OPERATIONS = (
    Operation(
        "/condition",
        "What the meters say of themselves and of the supply",
        _ConditionOf,
        condition,
        ConditionReport,
        several=True,
        problems=(400, 401, 404, 422),
    ),
)
