"""The login page: a form, a limit on guesses, a cookie.

It works without scripts. This module does not know what the login protects.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nes2mqtt.web.assets import Asset
from nes2mqtt.web.gate import session_cookie
from nes2mqtt.web.sessions import LoginLimit, Sessions

__all__ = ["login_routes"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 4096
"""A form with one password is smaller."""
_PATIENCE = 10.0
"""Seconds in which the form has to arrive."""
_ERROR_MARK = b'data-error=""'
"""Where the page takes the reason it is shown again."""


class _Login:
    def __init__(self, page: Asset, sessions: Sessions, cookie: str, *, lifetime: float, secure: bool) -> None:
        self._page = page
        self._sessions = sessions
        self._cookie = cookie
        self._lifetime = lifetime
        self._secure = secure
        self._limit = LoginLimit()
        # One hash at a time: each takes 16 MB and most of a core.
        self._hashing = asyncio.Semaphore(1)

    async def show(self, _request: Request) -> Response:
        return self._reply(200)

    async def log_in(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        wait = self._limit.wait(address, time.monotonic())
        if wait:
            _log.warning("login from %s refused: too many attempts", address)
            return self._reply(429, b"wait", {"retry-after": str(math.ceil(wait))})
        password = await _password(request)
        if password is None:
            return PlainTextResponse("The form is malformed.", 400)
        async with self._hashing:
            right = await asyncio.to_thread(self._sessions.password_matches, password)
        if not right:
            _log.warning("login from %s refused: wrong password", address)
            return self._reply(401, b"wrong")
        self._limit.forget(address)
        _log.info("login from %s", address)
        response = Response(status_code=303, headers={"location": "./"})
        response.set_cookie(
            self._cookie,
            self._sessions.open(time.time()),
            max_age=int(self._lifetime),
            httponly=True,
            samesite="strict",
            secure=self._secure,
        )
        return response

    async def log_out(self, request: Request) -> Response:
        token = session_cookie(request.headers, self._cookie)
        if token:
            self._sessions.close(token, time.time())
        response = Response(status_code=303, headers={"location": "login"})
        response.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._secure)
        return response

    def _reply(self, status: int, error: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        page = self._page.content.replace(_ERROR_MARK, b'data-error="%s"' % error)
        return Response(page, status, {"cache-control": "no-store", **(headers or {})}, self._page.media_type)


async def _password(request: Request) -> str | None:
    """Read the form's password, None when the form is none."""
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
        fields = parse_qs(body.decode("ascii"), max_num_fields=4, strict_parsing=True, keep_blank_values=True)
        return fields["password"][0]
    except (ValueError, KeyError, TimeoutError):
        return None


def login_routes(
    files: Mapping[str, Asset], sessions: Sessions | None, cookie: str, *, lifetime: float, secure: bool
) -> list[Route]:
    """Return the routes of the login; none without a password."""
    if sessions is None:
        return []
    login = _Login(files["login.html"], sessions, cookie, lifetime=lifetime, secure=secure)
    return [
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.log_in, methods=["POST"]),
        Route("/logout", login.log_out, methods=["POST"]),
    ]
