"""The gate in front of every request: right name, right origin, logged in; and the headers behind it.

In this order:

1. ``Host`` must be a name of ours while only this machine may connect: a web page elsewhere
   whose name was pointed at 127.0.0.1 (DNS rebinding) is turned away. So is what a browser asks for on behalf
   of another site's page (``Sec-Fetch-Site``), except to go here: it could not read a reply, but hold every place
   of the live stream.
2. A request that changes something must come from our own page (``Origin``), whatever cookies it carries.
3. With a password set, everything but the login page and its files needs a session or the token.
4. Every reply carries the security headers.

This module does not know what is served behind it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nes2mqtt.web.config import WebConfig
from nes2mqtt.web.problem import problem_response
from nes2mqtt.web.sessions import Sessions

__all__ = ["COOKIE_SUFFIX", "Gate", "session_cookie"]

COOKIE_SUFFIX = "_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS = frozenset(
    {"/login", "/static/login.js", "/static/texts.js", "/static/style.css", "/static/icon.svg", "/favicon.ico"}
)
"""What somebody who is not logged in may load: the login page and what it is drawn with."""
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{0,5})?")
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def session_cookie(headers: Headers, name: str) -> str:
    """Return the session token of a request, empty without one."""
    # By hand: http.cookies takes seconds for one hostile header of 64 kB (CVE-2024-7592), and Debian 12 has that version.
    for line in headers.getlist("cookie"):
        for pair in line.split(";"):
            key, _, value = pair.partition("=")
            if key.strip() == name:
                return value.strip()
    return ""


def _is_for_another_site(headers: Headers) -> bool:
    """Tell whether a browser says that another site's page wants to load this; programs say nothing of the kind."""
    return headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate"


def _host_name(host: str) -> str:
    """Return a ``Host`` header's name without port and brackets; empty when it is none."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower() if found else ""


class Gate:
    """ASGI middleware that lets a request through or answers it itself."""

    def __init__(self, app: ASGIApp, *, config: WebConfig, sessions: Sessions | None, cookie: str) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie
        self._open = _OPEN_PATHS | ({"/getDashDataWS"} if config.dabbler_open else frozenset())
        self._token = None if config.token is None else _digest(config.token.reveal())
        named = frozenset(host.lower() for host in config.allowed_hosts)
        # In the network any name will do: a foreign page has no cookie for it, and the login is in front of everything.
        self._names = _LOOPBACK_NAMES | named if config.address.is_loopback else frozenset()
        self._headers = _security_headers(config.frame_ancestors, secure=config.tls_certificate is not None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def guarded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in self._headers:
                    out.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope, headers)
        # A reply that lasts, such as the live stream, asks again: a logout ends it.
        scope["still_allowed"] = lambda: self._sessions is None or self._known(headers)
        await (refusal or self._app)(scope, receive, guarded_send)

    def _refusal(self, scope: Scope, headers: Headers) -> ASGIApp | None:
        host = headers.get("host", "")
        if self._names and _host_name(host) not in self._names:
            return problem_response(
                421,
                "This address is not one of this gateway's names",
                "Open it as http://127.0.0.1 or http://localhost with its port, "
                "or add the name to allowed_hosts in the section [web].",
            )
        if _is_for_another_site(headers):
            return problem_response(
                403,
                "The request came from another page",
                "Open this gateway's own page; pages of other sites may only link to it.",
            )
        if scope["method"] not in _SAFE_METHODS and not self._same_origin(headers, host):
            return problem_response(
                403,
                "The request came from another page",
                "Send it from this gateway's own page. Behind a reverse proxy, let the proxy pass on the Host header.",
            )
        if self._sessions is None or scope["path"] in self._open or self._known(headers):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return _redirect_to_login
        return problem_response(
            401,
            "Login needed",
            "Log in on the page, or send the header Authorization: Bearer with the token of the section [web].",
            {"WWW-Authenticate": "Bearer"},
        )

    def _same_origin(self, headers: Headers, host: str) -> bool:
        origin = headers.get("origin")
        if origin is None:
            # Browsers send Origin with every POST; without it and without a cookie it is a program.
            return not session_cookie(headers, self._cookie)
        return bool(host) and _netloc(origin) == host.lower()

    def _known(self, headers: Headers) -> bool:
        token = session_cookie(headers, self._cookie)
        if token and self._sessions is not None and self._sessions.valid(token, time.time()):
            return True
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if self._token is None or scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(_digest(credentials.strip()), self._token)


def _netloc(origin: str) -> str:
    """Return ``host:port`` of an origin in lower case; empty for ``null`` and anything odd."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


async def _redirect_to_login(_scope: Scope, _receive: Receive, send: Send) -> None:
    # Relative, so that it also holds behind a proxy that adds a path in front.
    headers = [(b"location", b"login"), (b"cache-control", b"no-store"), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def _security_headers(frame_ancestors: Iterable[str], *, secure: bool) -> tuple[tuple[str, str], ...]:
    ancestors = " ".join(frame_ancestors) or "'none'"
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
            "require-trusted-types-for 'script'",
        )
    )
    return (
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        # Not "no-referrer": browsers would then send "Origin: null" with our own login form.
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=()"),
        ("cache-control", "no-store"),
        *((("x-frame-options", "DENY"),) if ancestors == "'none'" else ()),
        *((("strict-transport-security", "max-age=31536000"),) if secure else ()),
    )
