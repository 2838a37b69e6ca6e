"""Who may ask the page for what. Applied to every request, before anything else sees it.

- The ``Host`` header must be an address or a name of this host: a page from elsewhere whose name was made to point here
  (DNS rebinding) is turned away.
- What changes something needs JSON, a header no form can send, and, where the browser tells it, the page's own origin.
- With a password: a session cookie, or HTTP Basic (for Prometheus and the ``piprint`` command). Wrong ones slow down.
- Answers forbid scripts, styles and frames from elsewhere.

This module does not know what the page shows.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from pydantic import SecretStr

__all__ = ["HEADER", "NO_MEMBER", "Gate"]

NO_MEMBER = (ValueError, LookupError, TypeError, RecursionError)
"""What a member of a request's JSON object may raise: no JSON, an unknown charset, no object, no such member, too deep."""

HEADER = "X-Piprint"
"""Sent by our page and our command with what changes something; a form or an image elsewhere cannot send it."""

_COOKIE = "piprint"
_SESSION = 30 * 24 * 3600.0
_MOST_SESSIONS = 100
_OPEN = frozenset({"/healthz", "/login", "/api/v1/login"})
_SAFE = frozenset({"GET", "HEAD"})
_FREE_FAILURES = 3
_LONGEST_WAIT = 60.0

_ANSWER_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "piprint",
}


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


class Gate:
    """The page's door.

    Args:
        password: None: whoever reaches the page may use it (only for loopback; the configuration sees to that).
        names: further names of this host that may stand in ``Host``.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self, password: SecretStr | None, names: frozenset[str] = frozenset(), now: Callable[[], float] = time.monotonic
    ) -> None:
        self._password = _digest(password.get_secret_value()) if password is not None else None
        own = socket.gethostname().lower()
        self._names = {"localhost", own, f"{own.split('.')[0]}.local", *(name.lower() for name in names)}
        self._now = now
        self._sessions: dict[bytes, float] = {}
        self._failures = 0
        self._again_at = 0.0

    @property
    def locked(self) -> bool:
        """Tell whether there is a password."""
        return self._password is not None

    def middleware(self) -> Middleware:
        """Return what aiohttp calls for every request."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return self._refuse(request) or await handler(request)

        return guard

    @staticmethod
    async def add_headers(_: web.BaseRequest, response: web.StreamResponse) -> None:
        """Put the answer's own protection onto it; called before any answer's head goes out."""
        for name, value in _ANSWER_HEADERS.items():
            response.headers[name] = value if name == "Server" else response.headers.get(name, value)

    def _refuse(self, request: web.Request) -> web.Response | None:
        if not self._host_known(request.headers):
            return _problem(421, "this name is not one of this host; use its address")
        if request.method not in _SAFE:
            if not _from_our_page(request):
                return _problem(403, "only the status page itself may do that")
            if request.content_type != "application/json":
                return _problem(415, "send application/json")
        if self._password is None or request.path in _OPEN or request.path.startswith("/static/"):
            return None
        return None if self._session_of(request) else self._refuse_stranger(request)

    def _refuse_stranger(self, request: web.Request) -> web.Response | None:
        given = _basic_password(request.headers.get("Authorization", ""))
        wait = self._again_at - self._now()
        if given is not None and wait > 0:
            return _too_fast(wait)
        if given is not None and self._matches(given):
            return None
        if request.path == "/":
            return web.Response(status=303, headers={"Location": "login"})
        return _problem(401, "log in first")

    def _host_known(self, headers: Mapping[str, str]) -> bool:
        try:
            name = urlsplit(f"//{headers.get('Host', '')}").hostname or ""
        except ValueError:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.removesuffix(".").lower() in self._names
        return True

    def _matches(self, given: str) -> bool:
        """Compare in constant time; each wrong one after a few makes the next wait longer."""
        if self._password is not None and hmac.compare_digest(_digest(given), self._password):
            self._failures = 0
            return True
        self._failures += 1
        beyond = self._failures - _FREE_FAILURES
        if beyond > 0:
            self._again_at = self._now() + min(2.0 ** min(beyond, 10), _LONGEST_WAIT)
        return False

    def _session_of(self, request: web.Request) -> bool:
        cookie = request.cookies.get(_COOKIE, "")
        return bool(cookie) and self._sessions.get(_digest(cookie), 0) > self._now()

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /api/v1/login`` with ``{"password": ...}``."""
        try:
            given = (await request.json())["password"]
        except NO_MEMBER:
            return _problem(400, 'send {"password": "..."}')
        # After the body is here: else many requests are begun first, and all their passwords are tried at once.
        wait = self._again_at - self._now()
        if wait > 0:
            return _too_fast(wait)
        if not isinstance(given, str) or not self._matches(given):
            return _problem(401, "that is not the password")
        token = secrets.token_urlsafe(32)
        now = self._now()
        alive = {known: end for known, end in self._sessions.items() if end > now}
        self._sessions = dict(list(alive.items())[-_MOST_SESSIONS + 1 :]) | {_digest(token): now + _SESSION}
        response = web.json_response({})
        response.set_cookie(
            _COOKIE, token, max_age=int(_SESSION), httponly=True, samesite="Strict", secure=request.secure, path="/"
        )
        return response

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """Answer ``POST /api/v1/logout``."""
        self._sessions.pop(_digest(request.cookies.get(_COOKIE, "")), None)
        response = web.json_response({})
        response.del_cookie(_COOKIE, path="/", httponly=True, samesite="Strict")
        return response


def _problem(status: int, words: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.json_response({"error": words}, status=status, headers=headers)


def _too_fast(wait: float) -> web.Response:
    seconds = int(wait) + 1
    words = f"too many wrong passwords; try again in {seconds} s"
    return _problem(429, words, {"Retry-After": str(seconds)})


def _from_our_page(request: web.Request) -> bool:
    if request.headers.get(HEADER) != "1":
        return False
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return False
    origin = request.headers.get("Origin")
    # Behind a proxy that speaks TLS the scheme differs, so only host and port are compared.
    try:
        return origin is None or urlsplit(origin).netloc.lower() == request.headers.get("Host", "").lower()
    except ValueError:
        return False


def _basic_password(header: str) -> str | None:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
