"""The status page's web server: one page, a small JSON API, live by server-sent events, metrics and health.

==============================  ========================================================================
``GET /``                       the page
``GET /api/v1/status``          the snapshot (:class:`piprint.web.view.Snapshot`) as JSON
``GET /api/v1/events``          the same, pushed: events ``status`` and ``log`` (text/event-stream)
``GET /api/v1/log``             the last lines of the log
``POST /api/v1/test-page``      ``{"printer": id}``: print a test page
``POST /api/v1/restart``        ``{"row_no": 7}``: queue a job of this host again; ``"any_host": true``: of any
``POST /api/v1/login, logout``  a session, when there is a password
``GET /metrics``                Prometheus
``GET /healthz``                200 while all parts run, else 503; open to everybody who reaches the page
==============================  ========================================================================

Who may ask is :mod:`piprint.web.access`'s; this module knows neither printers nor Business Central.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from importlib import resources
from pathlib import Path
from typing import TypeVar

from aiohttp import web

from piprint.config.load import listen
from piprint.config.settings import Web
from piprint.web import access
from piprint.web.access import NO_MEMBER, Access
from piprint.web.metrics import metrics
from piprint.web.view import ActionFailed, Service, to_json
from servicekit.connections import REQUEST_WITHIN, ConnectionLimit
from servicekit.limits import Places
from servicekit.page import STATIC

__all__ = ["PageServer"]

_T = TypeVar("_T")

_LARGEST_REQUEST = 16 * 1024
_LOOK_EVERY = 0.5
"""Seconds between two looks at the snapshot while somebody watches."""
_BREATHE_EVERY = 15
"""Seconds after which a silent stream says something, so that proxies keep it open."""
_UNREAD = 30.0
"""Seconds a page may leave what it is sent unread; then its place is another's."""
_MOST_STREAMS = 20
_GOODBYE = 0.5

_TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "svg": "image/svg+xml",
}


class PageServer:
    """Serves the page until :meth:`close`.

    Args:
        settings: where to listen, and the password.
        service: what the page shows and what its buttons do.
        logins: the file in which logins survive a restart; None keeps them in memory only.
    """

    def __init__(self, settings: Web, service: Service, *, logins: Path | None = None) -> None:
        self._address, self._port = listen(settings.listen)
        self._service = service
        self._settings = settings
        self._access = Access(settings, logins=logins)
        self._places = Places(_MOST_STREAMS)
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._streams: set[asyncio.Task[None]] = set()
        self.url = ""

    async def start(self) -> None:
        """Begin to listen; :attr:`url` says where.

        Raises:
            OSError: the address cannot be listened on, such as a port that is taken.
        """
        app = web.Application(middlewares=[self._access.middleware()], client_max_size=_LARGEST_REQUEST)
        app.on_response_prepare.append(self._access.add_headers)
        # Some proxies leave the path they stand at in front, others take it off.
        for base in {"", self._settings.path.rstrip("/")}:
            app.add_routes(self._routes(base))
        # What says no whole request in time is closed as what is idle.
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=_GOODBYE, keepalive_timeout=REQUEST_WITHIN, lingering_time=2
        )
        await runner.setup()
        assert runner.server is not None  # noqa: S101 - for mypy: it is set up
        limit = ConnectionLimit(runner.server, self._settings.trusted_proxies)
        try:
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(limit, self._address, self._port)
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        port = self._listening.sockets[0].getsockname()[1]
        shown = f"[{self._address}]" if ":" in self._address else self._address
        self.url = f"http://{shown}:{port}/"

    def _routes(self, base: str) -> list[web.RouteDef]:
        return [
            web.RouteDef(each.method, f"{base}{each.path}", each.handler, each.kwargs)
            for each in (
                web.get("/", self._page),
                web.get("/login", self._login_page),
                web.get("/static/{name}", self._static),
                web.get("/api/v1/status", self._status),
                web.get("/api/v1/events", self._events),
                web.get("/api/v1/log", self._log_lines),
                web.post("/api/v1/test-page", self._test_page),
                web.post("/api/v1/restart", self._restart),
                web.post("/api/v1/login", self._access.log_in),
                web.post("/api/v1/logout", self._access.log_out),
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._health),
            )
        ]

    async def close(self) -> None:
        """Stop listening and end what is open."""
        for stream in self._streams:
            stream.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _page(self, _: web.Request) -> web.StreamResponse:
        return _file("index.html")

    async def _login_page(self, _: web.Request) -> web.StreamResponse:
        if not self._access.locked:
            raise web.HTTPSeeOther("./")
        return _file("login.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _file(request.match_info["name"])

    async def _status(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(text=to_json(self._service.snapshot()))

    async def _log_lines(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"lines": self._service.log_lines()[1]})

    async def _metrics(self, _: web.Request) -> web.StreamResponse:
        text = metrics(self._service.snapshot())
        return web.Response(text=text, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _health(self, _: web.Request) -> web.StreamResponse:
        healthy = self._service.healthy()
        return web.Response(status=200 if healthy else 503, text="ok\n" if healthy else "not all parts run\n")

    async def _test_page(self, request: web.Request) -> web.StreamResponse:
        printer = await _member(request, "printer", str)
        return await _act(self._service.test_page(printer))

    async def _restart(self, request: web.Request) -> web.StreamResponse:
        row_no = await _member(request, "row_no", int)
        any_host = (await request.json()).get("any_host") is True  # it was read a moment ago
        return await _act(self._service.restart(row_no, any_host=any_host))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stranger = self._access.is_stranger(request)
        give_back = self._places.take(self._access.caller(request).address, stranger=stranger)
        if give_back is None:
            return web.json_response({"error": "too many pages are open; close some"}, status=503)
        try:
            return await self._stream(request)
        finally:
            give_back()

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
        await response.prepare(request)
        stream = asyncio.create_task(self._feed(request, response))
        self._streams.add(stream)
        try:
            await asyncio.gather(stream, return_exceptions=True)
        finally:
            stream.cancel()
            self._streams.discard(stream)
        return response

    async def _feed(self, request: web.Request, response: web.StreamResponse) -> None:
        """Write what changes, until the reader is gone, or logged out."""
        said, logged, silent = "", 0, 0.0
        while self._access.still_allowed(request):
            news = []
            self._service.watched()
            status = to_json(self._service.snapshot())
            if status != said:
                news.append(("status", status))
                said = status
            logged, lines = self._service.log_lines(logged)
            if lines:
                news.append(("log", json.dumps(lines, ensure_ascii=False)))
            silent = 0.0 if news else silent + _LOOK_EVERY
            if silent >= _BREATHE_EVERY:
                news.append(("", ""))
                silent = 0.0
            if news:
                async with asyncio.timeout(_UNREAD):
                    await response.write(b"".join(_event(name, data) for name, data in news))
            await asyncio.sleep(_LOOK_EVERY)


def _event(name: str, data: str) -> bytes:
    """Return a server-sent event (WHATWG HTML, 9.2.6); without a name, a comment that only keeps the line open."""
    return f"event: {name}\ndata: {data}\n\n".encode() if name else b":\n\n"


def _file(name: str) -> web.Response:
    kind = _TYPES.get(name.rpartition(".")[2])
    if kind is None or "/" in name or "\\" in name or name.startswith("."):
        raise web.HTTPNotFound(text="there is no such page\n")
    try:
        own = resources.files("piprint.web") / "static" / name
        text = (own if own.is_file() else STATIC / name).read_text(encoding="utf-8")
    except (OSError, ValueError):  # not there, or no name a file could have
        raise web.HTTPNotFound(text="there is no such page\n") from None
    # no-cache: the browser asks again, so that an update of the program is an update of the page.
    return web.Response(text=text, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"})


async def _member(request: web.Request, name: str, kind: type[_T]) -> _T:
    try:
        async with asyncio.timeout(access.BODY_WITHIN):
            value = (await request.json())[name]
    except TimeoutError:
        text = json.dumps({"error": "the request did not arrive in time"})
        raise web.HTTPRequestTimeout(text=text, content_type="application/json") from None
    except NO_MEMBER:
        value = None
    if not isinstance(value, kind) or isinstance(value, bool):
        text = json.dumps({"error": f"send a JSON object with {name}"})
        raise web.HTTPBadRequest(text=text, content_type="application/json")
    return value


async def _act(doing: Awaitable[str]) -> web.Response:
    try:
        return web.json_response({"message": await doing})
    except ActionFailed as error:
        return web.json_response({"error": str(error)}, status=409)
