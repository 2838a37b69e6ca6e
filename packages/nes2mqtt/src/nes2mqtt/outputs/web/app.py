"""Puts the web application together: gate, API, metrics, login, page.

This module does not know what the parts do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nes2mqtt import __version__
from nes2mqtt.outputs.dabbler import dash_body
from nes2mqtt.outputs.web import assets, problem
from nes2mqtt.outputs.web.access.gate import COOKIE_SUFFIX, Gate
from nes2mqtt.outputs.web.access.login import login_routes
from nes2mqtt.outputs.web.api import (
    alerts,
    condition,
    console,
    costs,
    current,
    devices,
    events,
    history,
    metrics,
    openapi,
    patterns,
    profile,
)
from nes2mqtt.outputs.web.api.operation import PREFIX
from nes2mqtt.outputs.web.api.parameters import MOST_METERS
from nes2mqtt.outputs.web.api.settings import settings_routes
from nes2mqtt.outputs.web.assets import Asset
from nes2mqtt.outputs.web.context import SettingsDesk, WebContext
from nes2mqtt.outputs.web.problem import PLAIN_PATH
from servicekit.sessions import Sessions

__all__ = ["asset_endpoint", "build_app", "openapi_document"]

_DAY = 86400.0
_NOTHING_YET = "No fresh values of the meter now; try again later.\n"
_DESCRIPTION = """\
Readings of Echelon/NES smart meters, verified and guarded. A value is true or absent.

Read-only. When a password is set, send `Authorization: Bearer` with the token of the section `[web]`.
Times are UTC; days and months begin by the gateway's time zone.
"""


_OPERATIONS = (
    *current.OPERATIONS,
    *devices.OPERATIONS,
    *condition.OPERATIONS,
    *alerts.OPERATIONS,
    *events.OPERATIONS,
    *profile.OPERATIONS,
    *console.OPERATIONS,
    *history.OPERATIONS,
    *patterns.OPERATIONS,
    *costs.OPERATIONS,
)


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI description; docs/reference/openapi.json is this."""
    info = {
        "title": "nes2mqtt",
        "summary": "Gateway to Echelon/NES smart meters",
        "description": _DESCRIPTION,
        "version": __version__,
    }
    return openapi.description(info, _OPERATIONS)


@cache
def _openapi_reply() -> bytes:
    return json.dumps(openapi_document(), ensure_ascii=False).encode()


def build_app(web: WebContext) -> ASGIApp:
    """Make the application. Slow when a password is set: it is hashed; call it in a thread."""
    config, clock = web.config, web.hub.clock
    sessions = None
    if config.password is not None:
        file = None if web.state_dir is None else web.state_dir / "sessions.json"
        sessions = Sessions(config.password.reveal(), config.session_days * _DAY, file, clock=clock)
    cookie = f"{web.gateway.name}{COOKIE_SUFFIX}"
    files = assets.load()
    routes = [
        *(operation.route() for operation in _OPERATIONS),
        Route(f"{PREFIX}/openapi.json", _openapi),
        Route("/", asset_endpoint(files["index.html"]), name="page"),
        Route("/worker.js", asset_endpoint(assets.worker(files)), name="worker"),
        Route("/metrics", _metrics),
        Route("/favicon.ico", asset_endpoint(files["install/icon.svg"]), name="favicon"),
        *(Route(f"/static/{path}", asset_endpoint(asset), name=path) for path, asset in files.items()),
        *settings_routes(web.settings, sessions, clock),
        *login_routes(files, sessions, cookie, config, clock),
    ]
    if config.dabbler:
        routes.append(Route(PLAIN_PATH, _dash_data))
    app = Starlette(routes=routes, exception_handlers=problem.HANDLERS)
    app.router.redirect_slashes = False
    app.state.web = web
    # Around everything, so that also the reply to a mistake of ours carries the headers.
    return Gate(_telling_of_owner(app, web.settings), config=config, sessions=sessions, cookie=cookie, clock=clock)


def _telling_of_owner(app: ASGIApp, settings: SettingsDesk | None) -> ASGIApp:
    """Return the application, which tells the settings that their owner is here where they wait for him."""
    if settings is None or not settings.waits_for_owner:
        return app

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and settings.waits_for_owner and scope["logged_in"]():
            settings.owner_is_here()
        await app(scope, receive, send)

    return telling


def asset_endpoint(asset: Asset) -> Any:
    """Return what serves a file."""
    # The browser asks each time, and gets 304 until a new version is installed.
    headers: Mapping[str, str] = {"etag": asset.etag, "cache-control": "no-cache", "vary": "accept-encoding"}

    async def endpoint(request: Request) -> Response:
        if asset.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = {**headers, "content-encoding": "gzip"}
            return Response(asset.compressed, headers=packed, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)

    return endpoint


async def _openapi(_request: Request) -> Response:
    return Response(_openapi_reply(), media_type="application/json")


async def _metrics(request: Request) -> Response:
    web: WebContext = request.app.state.web
    # Copied here because the hub goes on while the thread writes; samples themselves never change.
    meters = [
        (meter, latest.status, tuple(latest.samples.values())) for meter, latest in sorted(web.hub.latest.items())
    ]
    outputs = [output.status() for output in web.hub.outputs]
    arguments = (web.gateway.version, meters, outputs, web.hub, web.started)
    # A thread for thousands of meters; a few are written faster than a thread is begun.
    few = len(meters) <= MOST_METERS
    text = metrics.render(*arguments) if few else await asyncio.to_thread(metrics.render, *arguments)
    return PlainTextResponse(text, media_type=metrics.CONTENT_TYPE)


async def _dash_data(request: Request) -> Response:
    """Serve what the ESP32 firmware served, of the first meter or the one named with ``?meter=``."""
    web: WebContext = request.app.state.web
    meter = request.query_params.get("meter") or next(iter(web.hub.latest), "")
    if meter and meter not in web.hub.latest:
        return PlainTextResponse(f"There is no meter called {meter!r:.60}.\n", 404)
    document = web.dash.document(meter, web.gateway.version)
    if document is None:
        # Not JSON, so that the Home Assistant integration takes it for a failed request, not for values.
        return PlainTextResponse(_NOTHING_YET, 503, {"retry-after": "10"})
    return Response(dash_body(document), media_type="application/json")
