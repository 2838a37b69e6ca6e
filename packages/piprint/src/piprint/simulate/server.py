"""The stand-in for Business Central as a server: sockets, faults, log; for tests, for the demo and for ``piprint simulate``.

::

    async with StandIn() as bc:
        printer = bc.database.insert_printer({"host_id": "pi", "printer_id": "office"})
        bc.people.print(printer.row_no, pdf)
        ...  # a client of bc.url with tokens of bc.token_url

What it answers is :mod:`piprint.simulate.odata.service`'s; here it is put on the wire, or a fault in its place.
"""

from __future__ import annotations

import asyncio
import base64
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from piprint.simulate.environment import Environment, Settings, utc_now
from piprint.simulate.faults import FaultRule
from piprint.simulate.limits import Gate
from piprint.simulate.login import TokenRefusal
from piprint.simulate.odata.pages import Part
from piprint.simulate.odata.service import API_ROUTE, Answer, Call
from piprint.simulate.page.web import add_page
from piprint.simulate.refusal import Refusal
from piprint.simulate.request_log import Entry

__all__ = ["Settings", "StandIn", "serve"]

_LARGEST_BODY = 350 << 20
"""Bytes (Microsoft, ``administration/operational-limits-online``)."""
_CHUNK = 48 << 10
"""Bytes read at once; a multiple of 3, so that base64 needs no filling in the middle."""

_CRUMBS = 10
_PARTING = 0.1
"""Seconds that requests still running get when it goes away."""
_NO_FAULT = FaultRule("delay", seconds=0)
_CLEAN_UP_EVERY = 3600
"""Seconds between two runs of the job queue that our extension cleans up by."""


class StandIn(Environment):
    """A Business Central of our own: an :class:`Environment` that listens while it is open (async context manager)."""

    def __init__(
        self, settings: Settings | None = None, *, now: Callable[[], datetime] = utc_now, **changes: Any
    ) -> None:
        super().__init__(settings, now=now, **changes)
        self._gate = Gate(self.settings.limits)
        self._tls: ssl.SSLContext | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        if self.settings.tls:
            from piprint.simulate.certificates import make_authority  # noqa: PLC0415 - needs piprint[certificate]

            hosts = dict.fromkeys((self.settings.host, "localhost", "127.0.0.1"))
            self.ca_file, self._tls = make_authority(Path(self.folder.name), tuple(hosts))
        await self.come_back()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.go_away()
        self.folder.cleanup()

    async def go_away(self) -> None:
        """Listen no longer and break all connections; nothing is forgotten."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def come_back(self) -> None:
        """Listen, on the same port as before."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        application.router.add_route("*", f"/{self.settings.instance}/{{tail:.*}}", self._odata)
        if self.settings.page:
            add_page(application, self)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=_PARTING)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.port, ssl_context=self._tls)
        await site.start()
        self.port = self._runner.addresses[0][1]

    # requests

    async def _token(self, request: web.Request) -> web.StreamResponse:
        async def answer() -> Answer:
            form = {name: str(value) for name, value in (await request.post()).items()}
            try:
                return Answer.of_json(200, self.login.token(request.match_info["tenant"], form, str(request.url)))
            except TokenRefusal as refusal:
                return Answer.of_json(refusal.status, refusal.body(self.now()))

        return await self._exchange(request, answer, token=True)

    async def _odata(self, request: web.Request) -> web.StreamResponse:
        async def answer() -> Answer:
            return self.service.answer(call)

        path = request.rel_url.raw_path.removeprefix(f"/{self.settings.instance}/")
        route = next((route for route in ("ODataV4", API_ROUTE) if f"{path}/".startswith(f"{route}/")), None)
        if route is None:
            return web.json_response(Refusal("BadRequest_ResourceNotFound", "No such service.").body(), status=404)
        call = Call(
            method=request.method,
            root=f"{request.url.origin()}/{self.settings.instance}/{route}/",
            api=route == API_ROUTE,
            path=path.removeprefix(route),
            query=request.query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        return await self._exchange(request, answer, token=False)

    async def _exchange(
        self, request: web.Request, answer: Callable[[], Awaitable[Answer]], *, token: bool
    ) -> web.StreamResponse:
        """Answer a request as the fault script has it, and note it in the log.

        What was asked is done even if the client hangs up meanwhile, as servers do.
        """
        body = await request.read()
        path = request.path_qs if not request.query_string else f"{request.path}?{request.query_string}"
        rule = FaultRule("reset before") if self.away else self.faults.take(request.method, path, body)
        entry = Entry(self.now(), request.method, path, received=len(body), fault=rule.kind if rule else "")
        started = asyncio.get_running_loop().time()
        self.log.begin(entry, token=token)
        try:
            async with self._place(token=token):
                return await self._carry_out(request, answer, rule or _NO_FAULT, entry)
        except Refusal as refusal:
            refused = Answer.of_json(refusal.status, refusal.body(), refusal.headers)
            return await self._send(request, refused, _NO_FAULT, entry)
        except ConnectionError:
            return _broken(request)  # the client has gone; what was done stays done
        finally:
            entry.seconds = asyncio.get_running_loop().time() - started
            self.log.end(entry)
            self.changed()

    @asynccontextmanager
    async def _place(self, *, token: bool) -> AsyncIterator[None]:
        if token:
            yield
            return
        async with self._gate.enter():
            yield

    async def _carry_out(
        self, request: web.Request, answer: Callable[[], Awaitable[Answer]], fault: FaultRule, entry: Entry
    ) -> web.StreamResponse:
        if fault.kind in {"status", "html"}:
            return await self._send(request, _fault_answer(fault), _NO_FAULT, entry)
        if fault.kind == "reset before":
            return _broken(request)
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        given = await answer()
        if fault.kind == "reset after":
            return _broken(request)
        if fault.kind == "late":
            await asyncio.sleep(fault.seconds)
        return await self._send(request, given, fault, entry)

    async def _send(self, request: web.Request, answer: Answer, fault: FaultRule, entry: Entry) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        entry.status = answer.status
        chunks = _wire(answer.parts, raw=answer.raw)
        if fault.kind == "cut body":
            chunks = _first(chunks, fault.size)
        await response.prepare(request)
        async for chunk in _paced(chunks, fault.seconds if fault.kind == "slow body" else 0):
            await response.write(chunk)
            entry.sent += len(chunk)
        if fault.kind == "cut body":
            return _broken(request, response)
        await response.write_eof()
        return response


def _broken(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response()


def _fault_answer(rule: FaultRule) -> Answer:
    headers = {} if rule.retry_after is None else {"Retry-After": f"{rule.retry_after:g}"}
    if rule.kind == "html":
        page = f"<html><head><title>{rule.status}</title></head><body><h1>{rule.status} Bad Gateway</h1></body></html>"
        return Answer(rule.status, (page,), {"Content-Type": "text/html", **headers})
    code = {401: "Authentication_InvalidCredentials", 403: "Authorization_RequestDenied"}.get(rule.status, "Unknown")
    return Answer.of_json(rule.status, Refusal(code, "The stand-in's fault script says so.").body(), headers)


def _wire(parts: Iterable[Part], *, raw: bool) -> Iterator[bytes]:
    """Turn an answer's parts into bytes, never much more at once than a chunk."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
            if len(text) < _CHUNK:
                continue
            yield text.encode()
        else:
            yield text.encode()
            for chunk in part.chunks(_CHUNK):
                yield chunk if raw else base64.b64encode(chunk)
        text = ""
    if text:
        yield text.encode()


def _first(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return


async def _paced(chunks: Iterator[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Let an answer begin a byte at a time: ten of them, then the rest."""
    crumbs = _CRUMBS if seconds else 0
    for chunk in chunks:
        slow, crumbs = chunk[:crumbs], max(0, crumbs - len(chunk))
        for place in range(len(slow)):
            await asyncio.sleep(seconds / _CRUMBS)
            yield slow[place : place + 1]
        if rest := chunk[len(slow) :]:
            yield rest


async def serve(settings: Settings, *, started: Callable[[StandIn], object] = lambda _bc: None) -> None:
    """Run a stand-in until cancelled or told to end (SIGTERM).

    Args:
        settings: see :class:`Settings`.
        started: called as soon as it listens, to tell people where.
    """
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    async with StandIn(settings) as bc:
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(signal.SIGTERM, told.set)
        try:
            started(bc)
            while not told.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(told.wait(), _CLEAN_UP_EVERY)
                bc.database.clean_up()
        finally:
            with suppress(NotImplementedError):
                loop.remove_signal_handler(signal.SIGTERM)
