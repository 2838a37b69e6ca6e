"""The settings: shown to who is logged in, changed by who types the page's password for it once more.

A tablet on the kitchen wall is logged in for months; that opens nothing here but a look. The token of programs does not
even do that: it is for reading the meter. Without a password of the page nothing is changed at all.

This module does not know which settings there are, nor where they are kept.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from nes2mqtt.outputs.web.api.operation import PREFIX, packed
from nes2mqtt.outputs.web.context import SettingsDesk
from nes2mqtt.outputs.web.problem import ProblemError
from nes2mqtt.timing.clock import Clock
from servicekit.limits import GuessLimit
from servicekit.sessions import Sessions

__all__ = ["settings_routes"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 64 * 1024
"""Of a request: all settings at once are a tenth of that."""
_PATIENCE = 10.0
"""Seconds in which a request has to arrive."""
_LANGUAGES = frozenset({"en", "da", "de"})
_ELSEWHERE = "Open this gateway's page and log in there."


class _Settings:
    def __init__(self, desk: SettingsDesk, sessions: Sessions | None, clock: Clock) -> None:
        self._desk = desk
        self._sessions = sessions
        self._clock = clock
        self._limit = GuessLimit()
        # One at a time: a hash takes 16 MB, and of two changes the second has to see what the first left.
        self._turn = asyncio.Semaphore(1)

    async def show(self, request: Request) -> Response:
        self._only_the_owner(request)
        asked = request.query_params.get("language", "en")
        picture = dict(await asyncio.to_thread(self._desk.picture, asked if asked in _LANGUAGES else "en"))
        if self._sessions is None and not picture["closed"]:
            picture["closed"] = "no_password"
        # Compressed: 60 kB become 12. No secret is in it that the length could tell of.
        reply = packed(request, to_json(picture), "application/json")
        reply.headers["cache-control"] = "no-store"
        return reply

    async def check(self, request: Request) -> Response:
        self._only_with_password(request)
        revision, changes, _ = await _sent(request)
        async with self._turn:
            return _reply(await self._ask(self._desk.check, revision, changes))

    async def take(self, request: Request) -> Response:
        sessions = self._only_with_password(request)
        revision, changes, password = await _sent(request)
        async with self._turn:
            await self._look_at(password, request, sessions)
            told = await self._ask(self._desk.take, revision, changes)
        if not told["taken"]:
            return _reply(told)
        _log.warning(
            "settings were changed on the page, from %s; what they were before is kept in %s; the gateway begins anew",
            _address(request),
            told.get("before", ""),
        )
        return _reply(told, BackgroundTask(self._desk.when_changed))

    async def _ask(self, question: Any, revision: str, changes: object) -> Mapping[str, Any]:
        try:
            told: Mapping[str, Any] = await asyncio.to_thread(question, revision, changes)
        except ValueError as error:
            # Its text repeats nothing of what was sent, which may be a secret.
            raise ProblemError(400, "The changes are malformed", f"{str(error).capitalize()}.") from None
        return told

    def _only_the_owner(self, request: Request) -> None:
        if self._sessions is not None and not request.scope["logged_in"]():
            raise ProblemError(403, "Settings are not for programs", _ELSEWHERE)

    def _only_with_password(self, request: Request) -> Sessions:
        self._only_the_owner(request)
        if self._sessions is None:
            raise ProblemError(
                403,
                "Settings are changed here only when the page has a password",
                "Set one in the section [web] of the configuration, as docs/configuration.md shows, and start the gateway again.",
            )
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise ProblemError(415, "The changes are malformed", "Send them as application/json.")
        return self._sessions

    async def _look_at(self, password: str, request: Request, sessions: Sessions) -> None:
        address = _address(request)
        refused = self._limit.refuse(address, self._clock.monotonic())
        if refused is not None:
            if refused.first:
                _log.warning("change of settings from %s refused: too many attempts", address)
            wait = {"retry-after": str(math.ceil(refused.seconds))}
            raise ProblemError(429, "Too many attempts", "Wait half a minute and try again.", wait)
        if not await asyncio.to_thread(sessions.password_matches, password):
            _log.warning("change of settings from %s refused: wrong password", address)
            raise ProblemError(409, "That password is not right", "Type the password of this page.")
        self._limit.right(address)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _reply(content: Mapping[str, Any], background: BackgroundTask | None = None) -> Response:
    return Response(to_json(content), 200, {"cache-control": "no-store"}, "application/json", background)


async def _sent(request: Request) -> tuple[str, object, str]:
    """Read what was sent: the revision that was looked at, the changes, the password.

    Raises:
        ProblemError: it is something else. What was sent is not repeated: there may be a secret in it.
    """
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    raise ProblemError(413, "The changes are too long", "Change fewer settings at once.")
        sent = json.loads(body)
        revision, changes, password = sent["revision"], sent["changes"], sent.get("password", "")
    except (ValueError, RecursionError, TimeoutError, ClientDisconnect, KeyError, TypeError, AttributeError):
        raise ProblemError(400, "The changes are malformed", "Send a JSON object.") from None
    if not isinstance(revision, str) or not isinstance(password, str):
        raise ProblemError(400, "The changes are malformed", "Send a JSON object.")
    return revision, changes, password


def settings_routes(desk: SettingsDesk | None, sessions: Sessions | None, clock: Clock) -> list[Route]:
    """Return the routes of the settings; none where there are none to show."""
    if desk is None:
        return []
    settings = _Settings(desk, sessions, clock)
    return [
        Route(f"{PREFIX}/settings", settings.show, methods=["GET"]),
        Route(f"{PREFIX}/settings", settings.take, methods=["POST"]),
        Route(f"{PREFIX}/settings/check", settings.check, methods=["POST"]),
    ]
