"""The login page: a form, a limit on guesses, a cookie.

It works without scripts. This module does not know what the login protects.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nes2mqtt.outputs.web.access.gate import COOKIE_SUFFIX, session_cookies
from nes2mqtt.outputs.web.assets import Asset
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.timing.clock import Clock
from servicekit.limits import GuessLimit
from servicekit.sessions import DEVICE_LIFETIME, Sessions

__all__ = ["login_routes"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 4096
"""A form with one password is smaller."""
_PATIENCE = 10.0
"""Seconds in which the form has to arrive."""
_ERROR_MARK = b'data-error=""'
"""Where the page takes the reason it is shown again."""
_PUBLIC_MARK = b'data-public=""'
"""Where the page takes the address at which logging in works, if there is only one."""
_DEVICE_SUFFIX = "_device"
_DAY = 86400


class _Login:
    def __init__(self, page: Asset, sessions: Sessions, cookie: str, config: WebConfig, clock: Clock) -> None:
        self._media_type = page.media_type
        # Checked when the configuration was read: no quotation mark is in it.
        self._page = page.content.replace(_PUBLIC_MARK, b'data-public="%s"' % config.public_url.encode("ascii"))
        self._sessions = sessions
        self._cookie = cookie
        self._device_cookie = cookie.removesuffix(COOKIE_SUFFIX) + _DEVICE_SUFFIX
        self._path = config.path
        self._lifetime = config.session_days * _DAY
        self._secure = config.is_https
        self._clock = clock
        self._limit = GuessLimit()
        # One hash at a time: each takes 16 MB and most of a core.
        self._hashing = asyncio.Semaphore(1)

    async def show(self, _request: Request) -> Response:
        return self._reply(200)

    async def log_in(self, request: Request) -> Response:
        address = request.client.host if request.client else ""
        mark = next(filter(self._sessions.device, session_cookies(request.headers, self._device_cookie)), "")
        device = self._sessions.device(mark)
        refused = self._limit.refuse(address, self._clock.monotonic(), device)
        if refused is not None:
            if refused.first:
                _log.warning("login from %s refused: too many attempts", address)
            return self._reply(429, b"wait", {"retry-after": str(math.ceil(refused.seconds))})
        password = await _password(request)
        if password is None:
            return PlainTextResponse("The form is malformed.", 400)
        async with self._hashing:
            right = await asyncio.to_thread(self._sessions.password_matches, password)
        if not right:
            _log.warning("login from %s refused: wrong password", address)
            return self._reply(401, b"wrong")
        self._limit.right(address, device)
        _log.info("login from %s", address)
        response = Response(status_code=303, headers={"location": "./"})
        secure = self._secure or request.scope["scheme"] == "https"
        for name, value, seconds, path in (
            (self._cookie, self._sessions.open(), self._lifetime, self._path),
            # Sent to the login alone, and left there by a logout.
            (self._device_cookie, self._sessions.mark(mark), DEVICE_LIFETIME, f"{self._path}login"),
        ):
            response.set_cookie(
                name, value, max_age=seconds, path=path, httponly=True, samesite="strict", secure=secure
            )
        return response

    async def log_out(self, request: Request) -> Response:
        for token in session_cookies(request.headers, self._cookie):
            self._sessions.close(token)
        response = Response(status_code=303, headers={"location": "login"})
        response.delete_cookie(
            self._cookie,
            path=self._path,
            httponly=True,
            samesite="strict",
            secure=self._secure or request.scope["scheme"] == "https",
        )
        return response

    def _reply(self, status: int, error: bytes = b"", headers: Mapping[str, str] | None = None) -> Response:
        page = self._page.replace(_ERROR_MARK, b'data-error="%s"' % error)
        return Response(page, status, {"cache-control": "no-store", **(headers or {})}, self._media_type)


async def _password(request: Request) -> str | None:
    """Read the form's password, None when the form is none or who sent it is gone."""
    body = b""
    try:
        async with asyncio.timeout(_PATIENCE):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BYTES:
                    return None
        fields = parse_qs(body.decode("ascii"), max_num_fields=4, strict_parsing=True, keep_blank_values=True)
        return fields["password"][0]
    except (ValueError, KeyError, TimeoutError, ClientDisconnect):
        return None


def login_routes(
    files: Mapping[str, Asset], sessions: Sessions | None, cookie: str, config: WebConfig, clock: Clock
) -> list[Route]:
    """Return the routes of the login; none without a password."""
    if sessions is None:
        return []
    login = _Login(files["login.html"], sessions, cookie, config, clock)
    return [
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.log_in, methods=["POST"]),
        Route("/logout", login.log_out, methods=["POST"]),
    ]
