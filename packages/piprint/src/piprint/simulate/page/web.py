"""The page for people: drop a PDF, choose a printer, print; see queue and requests; let things go wrong.

==========================  ==================================================================================
``GET /``, ``/static/...``  the page
``GET /page/events``        all the page shows (:mod:`piprint.simulate.page.view`), pushed whenever it changes
``GET /page/jobs/7``        the document of a job
``POST /page/print``        a PDF, or ZPL as its content type says, as body, the choice in the query; without a body the sample invoice
``POST /page/do``           ``{"do": "cancel", "row_no": 7, ...}``, see ``_DEEDS``
==========================  ==================================================================================

What changes something needs a header that no form on another site can send, and every request a host name of this
machine. There is no password: the stand-in holds nothing worth one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any, get_args
from urllib.parse import quote

from aiohttp import web

from piprint.contract import PDF, ZPL
from piprint.documents.payloads import read_job_payload
from piprint.errors import PiprintError
from piprint.simulate.environment import Environment
from piprint.simulate.extension.people import Choice
from piprint.simulate.faults import FaultRule
from piprint.simulate.login import Access
from piprint.simulate.odata.pages import Language
from piprint.simulate.odata.tags import TagMode
from piprint.simulate.page.sample import sample_invoice
from piprint.simulate.page.view import TROUBLES, view
from servicekit.page import STATIC

__all__ = ["add_page"]

HEADER = "X-Piprint"
_CALM = 0.15
"""Seconds between two pushes at least."""
_BREATHE = 15
"""Seconds after which a silent stream says something."""
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class DeedError(PiprintError):
    """The page asked for something that cannot be done."""


def add_page(application: web.Application, bc: Environment) -> None:
    """Add the page's routes to a stand-in's application."""
    page = _Page(bc)
    application.router.add_get("/", page.index)
    application.router.add_get("/static/{name:[a-z]+[.][a-z]+}", page.static)
    application.router.add_get("/page/events", page.events)
    application.router.add_get("/page/jobs/{row_no:[0-9]{1,9}}", page.document)
    application.router.add_post("/page/print", page.print)
    application.router.add_post("/page/do", page.do)


class _Page:
    """The handlers of one stand-in."""

    def __init__(self, bc: Environment) -> None:
        self._bc = bc
        self._samples = 0

    async def index(self, request: web.Request) -> web.StreamResponse:
        """Return the page itself."""
        self._check(request)
        return _file("index.html")

    async def static(self, request: web.Request) -> web.StreamResponse:
        """Return one of its files."""
        self._check(request)
        return _file(request.match_info["name"])

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Push what the page shows until it is closed."""
        self._check(request)
        response = web.StreamResponse(headers={**_HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        changed = asyncio.Event()
        self._bc.listeners.add(changed.set)
        try:
            while True:
                changed.clear()
                await response.write(f"data: {json.dumps(view(self._bc))}\n\n".encode())
                await asyncio.sleep(_CALM)
                try:
                    await asyncio.wait_for(changed.wait(), _BREATHE)
                except TimeoutError:
                    continue
        except ConnectionError:
            return response
        finally:
            self._bc.listeners.discard(changed.set)

    async def document(self, request: web.Request) -> web.StreamResponse:
        """Return a job's document."""
        self._check(request)
        job = self._bc.database.tables.jobs.get(int(request.match_info["row_no"]))
        if job is None:
            raise web.HTTPNotFound(text="The job is gone.")
        headers = {**_HEADERS, "Content-Disposition": f"inline; filename*=UTF-8''{quote(job.document_name)}"}
        kind = "text/plain; charset=utf-8" if read_job_payload(job.payload).documenttype == ZPL else PDF
        response = web.StreamResponse(headers={**headers, "Content-Type": kind})
        response.content_length = job.document.size
        await response.prepare(request)
        for chunk in job.document.chunks(1 << 16):
            await response.write(chunk)
        return response

    async def print(self, request: web.Request) -> web.StreamResponse:
        """Print what was dropped, or the sample invoice."""
        self._check(request, changing=True)
        document, name = await request.read(), request.query.get("name", "")
        if document and request.content_type == ZPL:
            return await _done(lambda: self._send_labels(request.query, document, name))
        if not document:
            self._samples += 1
            bc = self._bc
            document = sample_invoice(self._samples, bc.now(), bc.settings.companies[0].name)
            name = f"Invoice {103_000 + self._samples}.pdf"
        return await _done(lambda: self._print(request.query, document, name))

    async def do(self, request: web.Request) -> web.StreamResponse:
        """Carry out one of ``_DEEDS``."""
        self._check(request, changing=True)
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        deed = _DEEDS.get(str(asked.get("do"))) if isinstance(asked, dict) else None
        if deed is None:
            raise web.HTTPBadRequest(text="The page asked for something unknown; load it again.")
        answer = await _done(lambda: deed(self._bc, asked))
        self._bc.changed()
        return answer

    def _print(self, query: Mapping[str, str], document: bytes, name: str) -> None:
        choice = Choice(
            source=_integer(query, "source"),
            paper=_integer(query, "paper"),
            landscape=_truth(query, "landscape"),
        )
        self._bc.people.print(_integer(query, "printer") or 0, document, name=name, choice=choice)

    def _send_labels(self, query: Mapping[str, str], document: bytes, name: str) -> None:
        copies = _integer(query, "copies") or 1
        self._bc.people.send(
            _integer(query, "printer") or 0, document, name=name or "Labels", document_type=ZPL, copies=copies
        )

    def _check(self, request: web.Request, *, changing: bool = False) -> None:
        host = request.url.host or ""
        if host not in _LOCAL and host != self._bc.settings.host:
            raise web.HTTPForbidden(text="The page answers to this machine's names only.")
        if changing and HEADER not in request.headers:
            raise web.HTTPForbidden(text=f"The header {HEADER} is missing.")


Asked = Mapping[str, Any]


def _row_no(asked: Asked) -> int:
    value = asked.get("row_no")
    if type(value) is not int:
        raise DeedError("row_no must be a number")
    return value


def _set_printer(bc: Environment, asked: Asked) -> None:
    columns = {"printer_name": str, "enabled": bool, "new_jobs_on_hold": bool}
    values = {name: asked[name] for name in columns if name in asked}
    if any(type(value) is not columns[name] for name, value in values.items()):
        raise DeedError("a printer's setting has the wrong type")
    bc.people.change_printer(_row_no(asked), **values)


def _trouble(bc: Environment, asked: Asked) -> None:
    name = str(asked.get("name"))
    if name not in TROUBLES:
        raise DeedError("there is no such trouble")
    bc.faults.rules.extend(FaultRule.read(rule) for rule in TROUBLES[name][1])


def _fault(bc: Environment, asked: Asked) -> None:
    bc.faults.rules.append(FaultRule.read({name: value for name, value in asked.items() if name != "do"}))


def _all_well(bc: Environment, _asked: Asked) -> None:
    bc.faults.clear()
    bc.login.access = "granted"
    bc.database.lag.seconds = 0
    bc.away = False


def _set_habits(bc: Environment, asked: Asked) -> None:
    allowed: dict[str, tuple[object, ...]] = {"tags": get_args(TagMode), "language": get_args(Language)}
    for name, values in allowed.items():
        if name in asked:
            if asked[name] not in values:
                raise DeedError(f"{name} is one of {', '.join(map(str, values))}")
            setattr(bc.habits, name, asked[name])
    if asked.get("access", "granted") not in get_args(Access):
        raise DeedError("there is no such access")
    bc.login.access = asked.get("access", bc.login.access)
    if type(lag := asked.get("lag", 0)) is not int or not 0 <= lag <= 3600:  # noqa: PLR2004 - an hour
        raise DeedError("lag is 0 to 3600 seconds")
    bc.database.lag.seconds = asked.get("lag", bc.database.lag.seconds)


_DEEDS: Mapping[str, Callable[[Environment, Asked], object]] = {
    "hold": lambda bc, asked: bc.people.hold(_row_no(asked)),
    "cancel": lambda bc, asked: bc.people.cancel(_row_no(asked)),
    "restart": lambda bc, asked: bc.people.restart(_row_no(asked)),
    "delete": lambda bc, asked: bc.people.delete(_row_no(asked)),
    "printer": _set_printer,
    "delete printer": lambda bc, asked: bc.people.delete_printer(_row_no(asked)),
    "trouble": _trouble,
    "fault": _fault,
    "all well": _all_well,
    "habits": _set_habits,
    "expire tokens": lambda bc, _asked: bc.login.expire_tokens(),
    "away": lambda bc, asked: setattr(bc, "away", asked.get("away") is True),
    "clean up": lambda bc, _asked: bc.database.clean_up(),
}
"""What the page's buttons do, by name."""


async def _done(deed: Callable[[], object]) -> web.Response:
    try:
        deed()
    except PiprintError as error:
        return web.json_response({"error": str(error)}, status=400, headers=_HEADERS)
    return web.json_response({}, headers=_HEADERS)


def _file(name: str) -> web.Response:
    kind = _TYPES.get(name.rpartition(".")[2])
    own = resources.files("piprint.simulate.page") / "static" / name
    file = own if own.is_file() else STATIC / name
    if kind is None or not file.is_file():
        raise web.HTTPNotFound
    return web.Response(body=file.read_bytes(), content_type=kind, charset="utf-8", headers=_HEADERS)


def _integer(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and len(text) < 6):  # noqa: PLR2004 - of 16 bits
        raise DeedError(f"{name} is no number")
    return int(text) if text else None


def _truth(query: Mapping[str, str], name: str) -> bool | None:
    return {"": None, "true": True, "false": False}.get(query.get(name, ""))
