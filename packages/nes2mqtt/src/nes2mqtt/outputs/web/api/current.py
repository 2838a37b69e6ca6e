"""The part of the REST API that tells what is now: latest readings, meters, status, the live stream.

Everything is read-only. Errors are problems in plain words (:mod:`nes2mqtt.outputs.web.problem`).
This module does not know who may ask; the gate has decided that.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from nes2mqtt.outputs.web.api.models import (
    ClockReport,
    GatewayReport,
    LinkReport,
    MeterReport,
    OutputReport,
    QuantityReport,
    ReadingReport,
    ReadingsReport,
    StatusReport,
)
from nes2mqtt.outputs.web.api.parameters import MeterId, MeterIds, Web, asked_meters, known_meter
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.live.feed import TooManyClients
from nes2mqtt.outputs.web.live.stream import LiveResponse
from nes2mqtt.outputs.web.live.view import clock_document, label
from nes2mqtt.outputs.web.problem import ProblemError, responses
from nes2mqtt.readings.reading import LinkQuality, MeterState
from osgp.sources import SOURCES

__all__ = ["router"]

router = APIRouter(prefix="/api/v1", responses=responses(401))


@router.get("/readings", summary="The latest readings", responses=responses(400, 404, 422))
async def readings(web: Web, meters: MeterIds = None) -> ReadingsReport:
    """Each value with its unit, the meter's time, the time it was received, and whether it is still fresh."""
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
            for meter in asked_meters(web, meters)
            for group, sample in web.hub.latest[meter].samples.items()
            for reading in sample.readings(web.hub.quality(sample))
        ],
    )


@router.get("/sources", summary="All quantities a meter may measure")
async def sources() -> list[QuantityReport]:
    """Name, label and unit of each; a meter sends some of them."""
    return _QUANTITIES


_QUANTITIES = [
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
    )


@router.get("/meters", summary="All meters")
async def meters(web: Web) -> list[MeterReport]:
    """Who they are, how they are, and how good the link to them is."""
    return [_meter_report(web, meter) for meter in web.hub.latest]


@router.get("/meters/{meter}", summary="One meter", responses=responses(404, 422))
async def one_meter(web: Web, meter: MeterId) -> MeterReport:
    """Who it is, how it is, and how good the link to it is."""
    return _meter_report(web, known_meter(web, meter))


@router.get("/status", summary="The gateway at a glance")
async def status(web: Web) -> StatusReport:
    """How this program, its outputs and its meters are."""
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
        ),
        outputs=[OutputReport(**asdict(output.status())) for output in web.hub.outputs],
        meters=await meters(web),
    )


@router.get(
    "/live",
    summary="What changes, as it changes",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `meter` with everything first, then `change`, at most one a second "
            "and meter; `beat` when nothing happens. See docs/api.md",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **responses(400, 404, 422, 503),
    },
)
async def live(
    request: Request,
    web: Web,
    meters: MeterIds = None,
    recent: Annotated[int, Query(ge=0, le=3600, description="Seconds of power curve to begin with")] = 0,
    last_event_id: Annotated[
        str, Header(max_length=40, description="Sent by browsers that come back; shortens the power curve to the gap")
    ] = "",
) -> LiveResponse:
    """Follow one, several or all meters."""
    asked = frozenset(asked_meters(web, meters)) if meters is not None or recent else None
    if recent:
        for meter in asked or ():
            await web.recall(meter)
    # The place is taken before the reply starts, so that no place is a 503.
    place = ExitStack()
    try:
        client, snapshot = place.enter_context(
            web.live.subscribe(
                asked,
                recent=float(recent),
                last_event_id=last_event_id,
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
