"""What the page of the first run asks, answered: the state, the ports, the steps; and the page's own files.

All of it stands below ``/setup`` and ``/api/v1/setup``, behind the same gate as the gateway's own page
(:mod:`nes2mqtt.outputs.web.access.gate`): its names, its origin, its headers. Answers hold no secret, not even one that was
just sent.

This module does not know who listens, nor what a step is about.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from nes2mqtt.outputs.web import assets, problem
from nes2mqtt.outputs.web.access.gate import COOKIE_SUFFIX, Gate, session_cookies
from nes2mqtt.outputs.web.app import asset_endpoint
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.problem import ProblemError
from nes2mqtt.setup.code import Tried, Verdict
from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import STEPS, StepName, form_of, key_of
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Outcome, Wizard
from nes2mqtt.setup.writing import Saved
from nes2mqtt.timing.clock import Clock
from osgp.errors import KeyFormatError
from servicekit.limits import is_loopback
from servicekit.sessions import Sessions

__all__ = ["build_setup_app"]

_log = logging.getLogger(__name__)
_COOKIE = "nes2mqtt_setup"
_MOST_BYTES = 16 * 1024
"""Of a request; a key as a list of numbers with generous blanks is a tenth of that."""
_PATIENCE = 10.0
"""Seconds in which a request has to arrive."""
_API = "/api/v1/setup"
_STATIC = Path(__file__).parents[1] / "static"
_SHARED = ("base.css", "styles/page.css", "styles/narrow.css", "elements.js", "install/icon.svg")
"""Files of the gateway's page that this page is drawn with, too."""
_DAY = 86400
_STATUS = {Verdict.WRONG: 403, Verdict.WAIT: 429, Verdict.ENDED: 403}


class _Questions:
    """Answers the page of one first run.

    Args:
        wizard: takes the answers.
        door: who may give them.
        clock: the clocks of this program.
        finished: called once the configuration is written and the browser has been told.
    """

    def __init__(self, wizard: Wizard, door: Door, clock: Clock, finished: Callable[[Saved], None]) -> None:
        self._wizard = wizard
        self._door = door
        self._clock = clock
        self._finished = finished
        self.saved: Saved | None = None

    def routes(self) -> list[Route]:
        """Return the routes of the questions."""
        return [
            Route(f"{_API}/state", self.state, methods=["GET"]),
            Route(f"{_API}/code", self.code, methods=["POST"]),
            Route(f"{_API}/login", self.login, methods=["POST"]),
            Route(f"{_API}/desk", self._inside(self.desk, at_desk=False), methods=["POST"]),
            Route(f"{_API}/ports", self._inside(self.ports, at_desk=False), methods=["GET"]),
            Route(f"{_API}/brokers", self._inside(self.brokers, at_desk=False), methods=["GET"]),
            Route(f"{_API}/key", self._inside(self.key_form, at_desk=True), methods=["POST"]),
            Route(f"{_API}/steps/{{step}}", self._inside(self.step, at_desk=True), methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Tell a browser where the first run stands, as far as it may know."""
        token = self._token(request)
        if not token:
            stage = "login" if self._door.wants_password else "code"
            return JSONResponse({"stage": stage, "ended": stage == "code" and not self._door.code.valid()})
        if not self._door.is_at_desk(token):
            return JSONResponse({"stage": "elsewhere"})
        wizard, draft = self._wizard, self._wizard.draft
        plan = wizard.plan()
        return JSONResponse(
            {
                "stage": "steps",
                "steps": [
                    {
                        "name": step.name,
                        "done": step.name in draft.done,
                        "fields": [asdict(each) for each in step.fields],
                        "answers": wizard.defaults(step),
                        "kept": self._kept(step.name),
                    }
                    for step in STEPS
                ],
                "optical": draft.optical,
                "seen": _seen(draft.seen),
                "file": str(wizard.path),
                "text": None if plan is None else plan.text,
                "files": [] if plan is None else [str(path) for path in plan.files],
                "port": wizard.listen_port,
                "now": self._clock.now().isoformat(),
            }
        )

    def _kept(self, step: StepName) -> list[str]:
        """Return the fields of a step that hold a secret which was given, and is not told again."""
        draft = self._wizard.draft
        given = {
            StepName.PASSWORD: {"password": bool(draft.password_hash)},
            StepName.KEY: {"key": draft.key is not None},
            StepName.MQTT: {"broker_password": draft.broker_password is not None},
        }.get(step, {})
        return [name for name, there in given.items() if there]

    async def code(self, request: Request) -> Response:
        """Open the door by the code."""
        answers = await _answers(request)
        tried, token = self._door.by_code(answers.get("code", ""), _address(request))
        return self._entered(request, tried, token, "code")

    async def login(self, request: Request) -> Response:
        """Open the door by the password."""
        answers = await _answers(request)
        tried, token = await self._door.by_password(answers.get("password", ""), _address(request))
        return self._entered(request, tried, token, "password")

    def _entered(self, request: Request, tried: Tried, token: str, field: str) -> Response:
        if tried.verdict is not Verdict.RIGHT:
            _log.warning("set-up from %s refused: %s of the %s", _address(request), tried.verdict, field)
            seconds = math.ceil(tried.seconds)
            said = Said(f"{field}_{tried.verdict}", field, {"count": seconds or tried.left})
            headers = {"retry-after": str(seconds)} if seconds else None
            return JSONResponse({"accepted": False, "said": [asdict(said)]}, _STATUS[tried.verdict], headers)
        _log.info("set-up from %s", _address(request))
        reply = JSONResponse({"accepted": True, "said": []})
        reply.set_cookie(_COOKIE, token, path="/", httponly=True, samesite="strict")
        return reply

    def _token(self, request: Request) -> str:
        """Return the token of the visit a request belongs to; empty when it belongs to none."""
        return next(filter(self._door.knows, session_cookies(request.headers, _COOKIE)), "")

    def _inside(
        self, answer: Callable[[Request], Awaitable[Response]], *, at_desk: bool
    ) -> Callable[[Request], Awaitable[Response]]:
        """Let only visits ask something, or only the one that gives the answers."""

        async def guarded(request: Request) -> Response:
            token = self._token(request)
            if not token:
                raise ProblemError(401, "The code is needed first", "Open the page of the set-up.")
            if at_desk and not self._door.is_at_desk(token):
                raise ProblemError(409, "The set-up goes on in another window", "Go on there, or take it over.")
            if self.saved is not None:
                raise ProblemError(409, "The set-up is over", "The gateway starts; open its page.")
            return await answer(request)

        return guarded

    async def desk(self, request: Request) -> Response:
        """Take the set-up over from another window."""
        self._door.take_desk(self._token(request))
        return JSONResponse({"accepted": True, "said": []})

    async def ports(self, _request: Request) -> Response:
        """Look for serial ports."""
        return JSONResponse({"ports": [asdict(port) for port in await self._wizard.ports()]})

    async def brokers(self, _request: Request) -> Response:
        """Look for brokers."""
        found = await self._wizard.brokers()
        return JSONResponse({"brokers": [{"title": broker.title, "answers": broker.answers} for broker in found]})

    async def key_form(self, request: Request) -> Response:
        """Tell how a key is understood, without asking the meter."""
        text = (await _answers(request)).get("key", "")
        try:
            kind, count = form_of(key_of(text, optical=self._wizard.draft.optical))
        except KeyFormatError:
            kind, count = "", 0
        return JSONResponse({"form": kind, "count": count})

    async def step(self, request: Request) -> Response:
        """Take the answers of a step."""
        answers = await _answers(request)
        try:
            name = StepName(request.path_params["step"])
        except ValueError:
            raise ProblemError(404, "There is no such step", "Open the page of the set-up.") from None
        token = self._token(request)
        outcome = await self._wizard.submit(name, answers, anyway=answers.get("anyway") == "yes")
        if name is StepName.PASSWORD and outcome.accepted:
            # Whoever took over meanwhile: this is the password that will be written.
            self._door.password_chosen(self._wizard.draft.password_hash, token)
        return await self._told(outcome)

    async def _told(self, outcome: Outcome) -> Response:
        content: dict[str, Any] = {
            "accepted": outcome.accepted,
            "said": [asdict(said) for said in outcome.said],
            "seen": _seen(outcome.seen),
        }
        if outcome.saved is None:
            return JSONResponse(content)
        saved = self.saved = outcome.saved
        settings = saved.settings
        content["saved"] = {
            "meter": next(iter(settings.meters)),
            "here_only": settings.web is not None and settings.web.address.is_loopback,
            "service": self._wizard.place.drop_in is not None,
        }
        reply = JSONResponse(content, background=BackgroundTask(self._finished, saved))
        token = await asyncio.to_thread(self._log_in, saved)
        # Who chose the password a minute ago need not type it again.
        if token:
            reply.set_cookie(
                f"{settings.name}{COOKIE_SUFFIX}",
                token,
                max_age=30 * _DAY,
                path="/",
                httponly=True,
                samesite="strict",
            )
        reply.delete_cookie(_COOKIE, path="/", httponly=True, samesite="strict")
        return reply

    def _log_in(self, saved: Saved) -> str:
        web = saved.settings.web
        if web is None or web.password is None or self._wizard.place.drop_in is not None:
            return ""  # the service has a data folder of its own
        lifetime = web.session_days * _DAY
        file = saved.settings.data_dir / "sessions.json"
        return Sessions(web.password.reveal(), lifetime, file, clock=self._clock).open()


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _seen(seen: Seen | None) -> Mapping[str, Any] | None:
    if seen is None:
        return None
    told = asdict(seen)
    return told | {"clock": None if seen.clock is None else seen.clock.isoformat()}


async def _answers(request: Request) -> Mapping[str, str]:
    """Read the answers of a request.

    Raises:
        ProblemError: they are none.
    """
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ProblemError(413, "The answers are too long", "Open the page of the set-up and type them.")
        answers = json.loads(body)
    except (ValueError, RecursionError, TimeoutError, ClientDisconnect):
        answers = None
    if not isinstance(answers, dict) or not all(isinstance(each, str) for each in answers.values()):
        # What was sent is not repeated: it may be a key.
        raise ProblemError(400, "The answers are malformed", "Send a JSON object of texts.")
    return answers


@cache
def _files() -> Mapping[str, assets.Asset]:
    """Return the files of the page: its own, and those it shares with the gateway's."""
    shared = assets.load()
    return {name: shared[name] for name in _SHARED} | {
        name: asset for name, asset in assets.load(_STATIC).items() if name.startswith("setup")
    }


def build_setup_app(
    wizard: Wizard,
    door: Door,
    clock: Clock,
    finished: Callable[[Saved], None],
    behind: ASGIApp | None = None,
) -> ASGIApp:
    """Make the application.

    Args:
        wizard: takes the answers.
        door: who may give them.
        clock: the clocks of this program.
        finished: called once the configuration is written and the browser has been told.
        behind: the demonstration, which answers all that is not the first run's, for this computer; None: nothing does.
    """
    questions = _Questions(wizard, door, clock, finished)
    files = _files()
    routes = [
        Route("/setup", asset_endpoint(files["setup.html"]), methods=["GET"]),
        *(Route(f"/setup/static/{name}", asset_endpoint(asset), methods=["GET"]) for name, asset in files.items()),
        *questions.routes(),
    ]
    way_out = None if behind is None else _with_way_out(assets.load()["index.html"])

    async def front(request: Request) -> Response:
        if way_out is None or not is_loopback(_address(request)):
            return RedirectResponse("setup", 303)
        shown: Response = await asset_endpoint(way_out)(request)
        return shown

    routes.append(Route("/", front, methods=["GET"]))
    inner = Starlette(routes=routes, exception_handlers=problem.HANDLERS)
    inner.router.redirect_slashes = False
    # The gate lets only names in that nobody elsewhere can point at this machine. It asks for no password: the door does.
    open_to_network = WebConfig.model_construct(listen=f"0.0.0.0:{wizard.listen_port}")
    gate = Gate(inner, config=open_to_network, sessions=None, cookie=_COOKIE, clock=clock)
    if behind is None:
        return gate

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        ours = path in {"/", "/setup"} or path.startswith(("/setup/", f"{_API}/")) or questions.saved is not None
        await (gate if ours else behind)(scope, receive, send)

    return either


def _with_way_out(page: assets.Asset) -> assets.Asset:
    """Return the demonstration's page with the link that leads here."""
    shown = page.content.replace(b'id="own-meter" class="own-meter" hidden', b'id="own-meter" class="own-meter"')
    return assets.Asset.of(shown, page.media_type)
