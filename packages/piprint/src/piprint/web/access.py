"""Who may ask the page for what. Applied to every request, before anything else sees it.

In this order:

0. A request whose length is told twice, or whose head is longer than any browser's, is not looked at.
1. Who asks: the caller behind a trusted proxy (:mod:`servicekit.caller`), else the other side of the connection. A request
   whose headers name two different callers is refused.
2. ``Host`` must be an address or a name of this host: a page from elsewhere whose name was made to point here (DNS
   rebinding) is turned away. So is what a browser asks for on behalf of another page, except to go here.
3. What changes something needs JSON, a header no form can send, and, where the browser tells it, the page's own origin.
4. With a password: a session, or HTTP Basic (for Prometheus and the ``piprint`` command). Wrong ones are limited, per address
   and for all strangers together, and logged with the caller's address; a session passes whatever others do, and a device from
   which somebody logged in, and this machine, do not wait for strangers. What a browser sends as Basic is not looked at: it
   is the password of a proxy in front.
5. Answers forbid scripts, styles and frames from elsewhere.

This module does not know what the page shows.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import logging
import math
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from piprint.clock import monotonic, utc_now
from piprint.config.settings import Web
from servicekit.caller import READ, Caller, Proxies
from servicekit.cookies import cookies
from servicekit.limits import GuessLimit
from servicekit.page import TWO_CALLERS, Asked, Page, Refusal, digest, refused_form
from servicekit.sessions import DEVICE_LIFETIME, Sessions

__all__ = ["BODY_WITHIN", "HEADER", "NO_MEMBER", "Access"]

_log = logging.getLogger(__name__)

NO_MEMBER = (ValueError, LookupError, TypeError, RecursionError)
"""What a member of a request's JSON object may raise: no JSON, an unknown charset, no object, no such member, too deep."""

HEADER = "X-Piprint"
"""Sent by our page and our command with what changes something; a form or an image elsewhere cannot send it."""

_COOKIE = "piprint"
_SESSION = 30 * 24 * 3600.0
BODY_WITHIN = 10.0
"""Seconds in which a body has to arrive; the largest is 16 kB."""
_LOGIN = "/api/v1/login"
_OPEN = frozenset({"/healthz", "/login", _LOGIN})
_PROXYS = (
    ". If a reverse proxy in front asks for a password itself, let it keep that one to itself; in nginx: "
    'proxy_set_header Authorization "";'
)
_EVENTS = "/api/v1/events"
_SAFE = frozenset({"GET", "HEAD"})

_ANSWER_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "piprint",
}


class _Seconds:
    """The clock of the logins: none of them ends, or lives for ever, because the time of day is wrong or set."""

    known = False

    def __init__(self, access: Access) -> None:
        self._access = access

    def monotonic(self) -> float:
        return self._access.seconds()

    def now(self) -> datetime:
        return utc_now()


class Access:
    """The page's door.

    Args:
        settings: the section ``[web]``. Without a password whoever reaches the page may use it (only for loopback; the
            configuration sees to that).
        now: seconds of a clock that never goes back.
        logins: the file in which logins survive a restart; None keeps them in memory only.
    """

    def __init__(self, settings: Web, now: Callable[[], float] = monotonic, *, logins: Path | None = None) -> None:
        password = settings.password
        self._password = digest(password.get_secret_value()) if password is not None else None
        public = urlsplit(settings.public_url)
        own = socket.gethostname().lower()
        named = {name.lower().removesuffix(".") for name in (*settings.allowed_hosts, public.hostname or "") if name}
        self._names = {"localhost", own, f"{own.split('.')[0]}.local"} | named
        origin = f"{public.scheme}://{public.netloc}" if settings.public_url else ""
        self._page = Page(settings.path, origin, _EVENTS)
        self._https = public.scheme == "https"
        self._path = settings.path
        self._proxies = Proxies(settings.trusted_proxies)
        self._now = now
        self._sessions: Sessions | None = None
        if password is not None:
            # The word in front: whatever the password is, it is not taken for a hash of one.
            own_name = f"piprint {password.get_secret_value()}"
            self._sessions = Sessions(own_name, _SESSION, logins, clock=_Seconds(self))
        port = settings.listen.rpartition(":")[2]
        # Cookies know no ports: two processors on one computer must not end each other's logins.
        self._cookie = _COOKIE if port == "0" else f"{_COOKIE}_{port}"
        self._device_cookie = f"{self._cookie}_device"
        self._logins = GuessLimit()
        self._programs = GuessLimit()
        """Apart from the page's: a program with an old password must not keep its neighbour from logging in."""

    @property
    def locked(self) -> bool:
        """Tell whether there is a password."""
        return self._password is not None

    def seconds(self) -> float:
        """Return seconds of the clock that never goes back."""
        return self._now()

    def middleware(self) -> Middleware:
        """Return what aiohttp calls for every request."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return self._refuse(request) or await handler(request)

        return guard

    async def add_headers(self, _: web.BaseRequest, response: web.StreamResponse) -> None:
        """Put the answer's own protection onto it; called before any answer's head goes out."""
        for name, value in _ANSWER_HEADERS.items():
            response.headers[name] = value if name == "Server" else response.headers.get(name, value)
        if self._https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"

    def caller(self, request: web.BaseRequest) -> Caller:
        """Return who asks, as far as proxies may be believed."""
        lines = {name: request.headers.getall(name, []) for name in READ}
        return self._proxies.caller(request.remote or "", lines, secure=request.secure)

    def is_stranger(self, request: web.Request) -> bool:
        """Tell whether a request shows neither a login nor that the page itself asks."""
        return request.headers.get("Sec-Fetch-Site") != "same-origin" and not self.still_allowed(request)

    def still_allowed(self, request: web.Request) -> bool:
        """Tell whether an answer that lasts may go on: a logout ends it."""
        given = _basic_password(request.headers.get("Authorization", ""))
        return self._password is None or self._session_of(request) or (given is not None and self._matches(given))

    def _refuse(self, request: web.Request) -> web.Response | None:
        target = len(request.raw_path)
        if refused := refused_form(request.headers, target, request.raw_headers):
            response = _refusal(refused)
            response.force_close()
            return response
        caller = self.caller(request)
        path = self._page.path_here(request.path)
        if caller.disputed:
            return _refusal(TWO_CALLERS)
        if not (self._host_known(request.headers.get("Host", "")) and self._host_known(caller.host)):
            return _problem(
                421,
                "this name is not one of this host; use its address, or add the name to allowed_hosts in the section [web], or set "
                "public_url",
            )
        if f"{request.path}/" == self._path and request.method in _SAFE:
            return web.Response(status=303, headers={"Location": f"{self._path.split('/')[-2]}/"})
        asked = _asked(request, path, caller)
        if self._page.is_for_another(asked):
            return _problem(403, "the request came from another page; open the status page itself")
        if request.method not in _SAFE:
            if not self._from_our_page(request, asked):
                return _problem(
                    403,
                    "only the status page itself may do that. Behind a reverse proxy, set public_url in the section [web] to "
                    "the address in the browser, or let the proxy pass on the Host header",
                )
            if request.content_type != "application/json":
                return _problem(415, "send application/json")
        if self._password is None or path in _OPEN or path.startswith("/static/") or self._session_of(request):
            return None
        return self._refuse_stranger(request, path, caller)

    def _refuse_stranger(self, request: web.Request, path: str, caller: Caller) -> web.Response | None:
        if path == "/":
            return web.Response(status=303, headers={"Location": "login"})
        given = _basic_password(request.headers.get("Authorization", ""))
        # A browser sends with every request the password that a proxy in front asked for, also when the page itself asks.
        if given is None or "Sec-Fetch-Site" in request.headers:
            return _problem(401, "log in first")
        return self._guess(self._programs, given, caller.address, "a program", hint=_PROXYS)

    def _guess(
        self, limit: GuessLimit, given: str, address: str, who: str, *, device: str = "", hint: str = ""
    ) -> web.Response | None:
        """Look at a password; who has to wait is not told whether it is right."""
        refused = limit.look(address, self._now(), lambda: self._matches(given), device)
        if refused is None:
            return None
        many = bool(refused.seconds)
        if refused.first:
            why = "too many wrong passwords" if many else "wrong password"
            _log.warning("login of %s from %s refused: %s", who, address, why)
        if not many:
            return _problem(401, f"that is not the password{hint}")
        seconds = math.ceil(refused.seconds)
        words = f"too many wrong passwords, perhaps of others; try again in {seconds} s{hint}"
        return _problem(429, words, {"Retry-After": str(seconds)})

    def _host_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.removesuffix(".").lower() in self._names
        return True

    def _from_our_page(self, request: web.Request, asked: Asked) -> bool:
        if request.headers.get(HEADER) != "1" or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
            return False
        return asked.origin is None or self._page.is_ours(asked)

    def _matches(self, given: str) -> bool:
        """Compare in constant time."""
        return self._password is not None and hmac.compare_digest(digest(given), self._password)

    def _session_of(self, request: web.Request) -> bool:
        return self._sessions is not None and any(map(self._sessions.valid, _cookies(request, self._cookie)))

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /api/v1/login`` with ``{"password": ...}``."""
        try:
            async with asyncio.timeout(BODY_WITHIN):
                given = (await request.json())["password"]
        except TimeoutError:
            return _problem(408, "the request did not arrive in time")
        except NO_MEMBER:
            given = None
        if not isinstance(given, str):
            return _problem(400, 'send {"password": "..."}')
        caller = self.caller(request)
        response = web.json_response({})
        if self._sessions is None:
            return response
        mark = next(filter(self._sessions.device, _cookies(request, self._device_cookie)), "")
        device = self._sessions.device(mark)
        # After the body is here: else many requests are begun first, and all their passwords are tried at once.
        if refused := self._guess(self._logins, given, caller.address, "somebody at the page", device=device):
            return refused
        _log.info("login at the page from %s", caller.address)
        for name, value, seconds, path in (
            (self._cookie, self._sessions.open(), int(_SESSION), self._path),
            # Sent to the login alone, and left there by a logout.
            (self._device_cookie, self._sessions.mark(mark), DEVICE_LIFETIME, f"{self._path.rstrip('/')}{_LOGIN}"),
        ):
            response.set_cookie(
                name,
                value,
                max_age=seconds,
                httponly=True,
                samesite="Strict",
                secure=self._https or caller.secure,
                path=path,
            )
        return response

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /api/v1/logout``."""
        if self._sessions is not None:
            for token in _cookies(request, self._cookie):
                self._sessions.close(token)
        response = web.json_response({})
        response.del_cookie(self._cookie, path=self._path, httponly=True, samesite="Strict")
        return response


def _problem(status: int, words: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": words}, status=status, headers=headers)


def _refusal(refusal: Refusal) -> web.Response:
    return _problem(refusal.status, f"{refusal.what}. {refusal.remedy}")


def _asked(request: web.BaseRequest, path: str, caller: Caller) -> Asked:
    told = request.headers.get
    return Asked(path, caller.host, told("Origin"), told("Sec-Fetch-Site"), told("Sec-Fetch-Mode"))


def _cookies(request: web.BaseRequest, name: str) -> list[str]:
    return cookies(request.headers.getall("Cookie", []), name)


def _basic_password(header: str) -> str | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
