"""The part of the REST API that tells what is now: latest readings, meters, status, the live stream.

Everything is read-only. Errors are problems in plain words (:mod:`nes2mqtt.outputs.web.problem`).
This module does not know who may ask; the gate has decided that.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated, ClassVar

from pydantic import Field
from starlette.requests import Request

from nes2mqtt.outputs.web.api.models import (
    ClockReport,
    FuseReport,
    GatewayReport,
    LinkReport,
    MeterReport,
    ModuleReport,
    OutputReport,
    QuantityReport,
    ReadingReport,
    ReadingsReport,
    StatusReport,
)
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, MeterIds, asked_meters, known_meter
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.live.feed import TooManyClients
from nes2mqtt.outputs.web.live.stream import LiveResponse
from nes2mqtt.outputs.web.live.view import clock_document, label
from nes2mqtt.outputs.web.problem import ProblemError
from nes2mqtt.readings.reading import LinkQuality, MeterState
from osgp.ports.tap.health import ModuleHealth, told_of
from osgp.sources import SOURCES

__all__ = ["OPERATIONS"]


class _Meters(Asked):
    meters: MeterIds = None


class _OneMeter(Asked):
    meter: MeterId


class _Live(_Meters):
    HEADERS: ClassVar[frozenset[str]] = frozenset({"last-event-id"})

    recent: Annotated[int, Field(ge=0, le=3600, description="Seconds of power curve to begin with")] = 0
    last_event_id: Annotated[
        str,
        Field(
            alias="last-event-id",
            max_length=40,
            description="Sent by browsers that come back; shortens the power curve to the gap",
        ),
    ] = ""


async def readings(request: Request, asked: _Meters) -> ReadingsReport:
    """Each value with its unit, the meter's time, the time it was received, and whether it is still fresh."""
    web = context_of(request)
    clock = web.hub.clock
    return ReadingsReport(
        now=label(clock, clock.monotonic()),
        readings=[
            ReadingReport(
                meter=reading.meter,
                name=reading.source.key,
                label=reading.source.label,
                value=reading.scaled,
                unit=reading.source.unit,
                group=group,
                meter_time=reading.meter_time,
                received=label(clock, sample.instant, sample.received),
                quality=reading.quality,
            )
            for meter in asked_meters(web, asked.meters)
            for group, sample in web.hub.latest[meter].samples.items()
            for reading in sample.readings(web.hub.quality(sample))
        ],
    )


async def sources(_request: Request, _asked: Asked) -> list[QuantityReport]:
    """Name, label and unit of each; a meter sends some of them."""
    return [
        QuantityReport(
            name=source.key,
            label=source.label,
            quantity=source.quantity,
            kind=source.kind,
            unit=source.unit,
            decimals=source.decimals,
            phase=source.phase,
            direction=source.direction,
            tier=source.tier,
        )
        for source in SOURCES.values()
    ]


def _module_report(health: ModuleHealth) -> ModuleReport:
    told = told_of(health)
    return ModuleReport.model_validate({name: told.get(name) for name in ModuleReport.model_fields})


def _fuse_report(web: WebContext, meter: str) -> FuseReport | None:
    fuse = web.fuses.get(meter)
    return None if fuse is None else FuseReport(current=fuse.amperes, near=fuse.near)


def _meter_report(web: WebContext, meter: str) -> MeterReport:
    status = web.hub.latest[meter].status
    if status is None:
        return MeterReport(
            id=meter,
            name=meter,
            serial="",
            manufacturer="",
            model="",
            firmware="",
            state=MeterState.STARTING,
            since=None,
            message="",
            code="",
            params={},
            security="",
            link=LinkReport(**asdict(LinkQuality())),
            fuse=_fuse_report(web, meter),
            module=None,
        )
    info = status.info
    return MeterReport(
        id=meter,
        name=info.name or meter,
        serial=info.serial,
        manufacturer=info.manufacturer,
        model=info.model,
        firmware=info.firmware,
        state=status.state,
        since=label(web.hub.clock, status.instant, status.since) if status.instant else status.since,
        message=status.message,
        code=status.code,
        params=dict(status.params),
        security=status.security,
        link=LinkReport(**asdict(status.link)),
        fuse=_fuse_report(web, meter),
        module=None if status.module is None else _module_report(status.module),
    )


async def meters(request: Request, _asked: Asked) -> list[MeterReport]:
    """Who they are, how they are, and how good the link to them is."""
    web = context_of(request)
    return [_meter_report(web, meter) for meter in web.hub.latest]


async def one_meter(request: Request, asked: _OneMeter) -> MeterReport:
    """Who it is, how it is, and how good the link to it is."""
    web = context_of(request)
    return _meter_report(web, known_meter(web, asked.meter))


async def status(request: Request, asked: Asked) -> StatusReport:
    """How this program, its outputs and its meters are."""
    web = context_of(request)
    gateway, clock = web.gateway, web.hub.clock
    return StatusReport(
        now=label(clock, clock.monotonic()),
        clock=ClockReport.model_validate(clock_document(clock)),
        gateway=GatewayReport(
            name=gateway.name,
            version=gateway.version,
            timezone=str(gateway.timezone),
            started=label(clock, web.started, gateway.started),
            login=web.config.password is not None,
            history=web.store is not None,
            costs=web.billing is not None and web.store is not None,
            alerts=web.alerts is not None,
            production=None if web.production is None else web.production.meter,
        ),
        outputs=[OutputReport(**asdict(output.status())) for output in web.hub.outputs],
        meters=await meters(request, asked),
    )


async def live(request: Request, asked: _Live) -> LiveResponse:
    """Follow one, several or all meters."""
    web = context_of(request)
    followed = frozenset(asked_meters(web, asked.meters)) if asked.meters is not None or asked.recent else None
    if asked.recent:
        for meter in followed or ():
            await web.recall(meter)
    # The place is taken before the reply starts, so that no place is a 503.
    place = ExitStack()
    try:
        client, snapshot = place.enter_context(
            web.live.subscribe(
                followed,
                recent=float(asked.recent),
                last_event_id=asked.last_event_id,
                address=request.client.host if request.client else "",
                stranger=request.scope["stranger"](),
            )
        )
    except TooManyClients as error:
        raise ProblemError(
            503,
            "Too many open pages",
            f"Close one, or raise max_live_clients in the section [web] ({web.config.max_live_clients} now). One address may "
            "hold half of them, and a quarter without login or a browser's page.",
            {"Retry-After": "30"},
        ) from error
    return LiveResponse(client, snapshot, place, request.scope["still_allowed"])


OPERATIONS = (
    Operation("/readings", "The latest readings", _Meters, readings, ReadingsReport, problems=(400, 401, 404, 422)),
    Operation(
        "/sources", "All quantities a meter may measure", Asked, sources, QuantityReport, several=True, problems=(401,)
    ),
    Operation("/meters", "All meters", Asked, meters, MeterReport, several=True, problems=(401,)),
    Operation("/meters/{meter}", "One meter", _OneMeter, one_meter, MeterReport, problems=(401, 404, 422)),
    Operation("/status", "The gateway at a glance", Asked, status, StatusReport, problems=(401,)),
    Operation(
        "/live",
        "What changes, as it changes",
        _Live,
        live,
        media_type="text/event-stream",
        answered="Server-sent events: `meter` with everything first, then `change`, at most one a second and meter; `beat` when "
        "nothing happens. See docs/api.md",
        problems=(400, 401, 404, 422, 503),
    ),
)
