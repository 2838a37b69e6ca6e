"""The gate in front of every request: right form, right name, right origin, logged in; and the headers behind it.

In this order:

0. A request whose length is told twice, or whose head is longer than any browser's, is not looked at.
1. Who asks: the caller behind a trusted proxy (:mod:`servicekit.caller`), else the other side of the connection. A
   request whose headers name two different callers is refused.
2. ``Host`` must be a name of ours, so that a web page elsewhere cannot point its own name at this machine (DNS
   rebinding). In the network, every address and every name that nobody can register counts as ours. What a browser
   asks for on behalf of another page (``Sec-Fetch-Site``, or ``Origin`` where browsers do not send that) is refused too,
   be it a page of another site or on another port of this host: it could not read a reply, but it could hold every
   place of the live stream. Only following a link to here is allowed.
3. A request that changes something must come from our own page (``Origin``), whatever cookies it carries.
4. With a password set, everything but the login page and its files needs a session or the token. Wrong tokens are
   limited and logged, with the caller's address; a session passes whatever others do.
5. Every reply carries the security headers.

This module does not know what is served behind it.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import math
import re
import socket
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nes2mqtt.outputs.web.access.headers import security_headers
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.problem import problem_response
from nes2mqtt.timing.clock import Clock
from servicekit.caller import READ, Caller, Proxies
from servicekit.cookies import cookies
from servicekit.limits import GuessLimit
from servicekit.page import TWO_CALLERS, Asked, Page, Refusal, digest, refused_form
from servicekit.sessions import Sessions

__all__ = ["COOKIE_SUFFIX", "Gate", "session_cookie", "session_cookies"]

_log = logging.getLogger(__name__)

COOKIE_SUFFIX = "_session"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_OPEN_PATHS = frozenset(
    {
        "/login",
        "/favicon.ico",
        "/static/login.js",
        "/static/texts/texts.js",
        "/static/texts/texts.en.json",
        "/static/texts/texts.da.json",
        "/static/texts/texts.de.json",
        "/static/base.css",
        "/static/styles/page.css",
        "/static/styles/login.css",
        "/static/styles/narrow.css",
        "/static/install/icon.svg",
        "/static/install/icon-180.png",
        "/static/install/icon-192.png",
        "/static/install/icon-512.png",
        "/static/install/icon-maskable-512.png",
        "/static/install/manifest.webmanifest",
        "/static/install/manifest.da.webmanifest",
        "/static/install/manifest.de.webmanifest",
    }
)
"""What somebody who is not logged in may load: the login page, what it is drawn with, and what a home screen needs
(browsers ask for a manifest and its icons without cookies). None of it tells anything about the house."""
_LIVE_PATH = "/api/v1/live"
_HOST = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._-]+))(?::[0-9]{0,5})?")
_HOME_DOMAINS = (
    ".local",
    ".lan",
    ".home.arpa",
    ".fritz.box",
    ".internal",
    ".localhost",
    ".localdomain",
    ".home",
    ".intranet",
)
"""Ends of names that home networks use and that nobody on the internet can own."""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def session_cookie(headers: Headers, name: str) -> str:
    """Return the session token of a request, empty without one."""
    return next(iter(session_cookies(headers, name)), "")


def session_cookies(headers: Headers, name: str) -> list[str]:
    """Return all session tokens of a request: a neighbour under our host name may have set one, too."""
    return cookies(headers.getlist("cookie"), name)


def _host_name(host: str) -> str:
    """Return a ``Host`` header's name without port and brackets; empty when it is none."""
    found = _HOST.fullmatch(host)
    return (found["v6"] or found["name"]).lower().removesuffix(".") if found else ""


def _is_of_the_network(name: str) -> bool:
    """Tell whether a name cannot be one that somebody on the internet pointed at this machine.

    It is an address, a name without a dot, or one below a domain of home networks.
    """
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return bool(name) and ":" not in name and ("." not in name or name.endswith(_HOME_DOMAINS))


class Gate:
    """ASGI middleware that lets a request through or answers it itself.

    Args:
        app: what is served.
        config: the section ``[web]``.
        sessions: the logins; None without a password.
        cookie: the name of the session's cookie.
        clock: the clocks of this program.
    """

    def __init__(
        self, app: ASGIApp, *, config: WebConfig, sessions: Sessions | None, cookie: str, clock: Clock
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._cookie = cookie
        self._clock = clock
        self._open = _OPEN_PATHS | ({"/getDashDataWS"} if config.dabbler_open else frozenset())
        self._token = None if config.token is None else digest(config.token.reveal())
        self._tokens = GuessLimit()
        self._proxies = Proxies(config.trusted_proxies)
        self._path = config.path
        public = config.public
        self._page = Page(config.path, f"{public.scheme}://{public.netloc}" if public is not None else "", _LIVE_PATH)
        named = {host.lower() for host in config.allowed_hosts}
        if public is not None and public.hostname:
            named.add(public.hostname)
        self._only_here = config.address.is_loopback
        if not self._only_here:
            named |= {socket.gethostname().lower(), config.address.host.lower()}
        self._names = _LOOPBACK_NAMES | {name.removesuffix(".") for name in named}
        self._headers = security_headers(config)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        started = False

        async def guarded_send(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                for name, value in self._headers:
                    out.setdefault(name, value)
            await send(message)

        scope = {**scope, "path": self._page.path_here(scope["path"])}
        try:
            # First, so that nothing reads a head that is longer than any browser's.
            if refused := _refused_form(scope, headers):
                refusal = _refusal_response(scope["path"], refused, {"connection": "close"})
                await refusal(scope, receive, guarded_send)
                return
            peer = scope["client"][0] if scope.get("client") else ""
            lines = {name: headers.getlist(name) for name in READ}
            caller = self._proxies.caller(peer, lines, secure=scope["scheme"] == "https")
            scope = self._seen_from_here(scope, headers, caller)
            await (self._refusal(scope, headers, caller) or self._app)(scope, receive, guarded_send)
        except Exception:
            if started:
                raise
            _log.exception("the page failed to answer")
            mistake = problem_response(
                scope["path"], 500, "This gateway made a mistake", "Its log tells more; please report it."
            )
            await mistake(scope, receive, guarded_send)

    def _seen_from_here(self, scope: Scope, headers: Headers, caller: Caller) -> Scope:
        """Return the request as the application sees it: who asks, and what it may."""
        return {
            **scope,
            "client": (caller.address, 0) if caller.address else None,
            "scheme": "https" if caller.secure else scope["scheme"],
            # A reply that lasts, such as the live stream, asks again: a logout ends it.
            "still_allowed": lambda: self._sessions is None or self._is_logged_in(headers) or self._has_token(headers),
            "logged_in": lambda: self._is_logged_in(headers),
            "stranger": lambda: (
                not (
                    headers.get("sec-fetch-site") == "same-origin"
                    or self._is_logged_in(headers)
                    or self._has_token(headers)
                )
            ),
        }

    def _refusal(self, scope: Scope, headers: Headers, caller: Caller) -> ASGIApp | None:
        path = scope["path"]
        if caller.disputed:
            return _refusal_response(path, TWO_CALLERS)
        if not (self._is_named(headers.get("host", "")) and self._is_named(caller.host)):
            ours = "as http://127.0.0.1 or http://localhost" if self._only_here else "by this machine's IP address"
            return problem_response(
                path,
                421,
                "This address is not one of this gateway's names",
                f"Open it {ours} with its port, or add the name to allowed_hosts in the section [web], "
                'such as allowed_hosts = ["energy.example.org"], or set public_url.',
            )
        asked = _asked(path, headers, caller)
        if self._page.is_for_another(asked):
            return problem_response(
                path,
                403,
                "The request came from another page",
                "Open this gateway's own page; other pages may only link to it.",
            )
        if scope["method"] not in _SAFE_METHODS and not self._same_origin(headers, asked):
            return problem_response(
                path,
                403,
                "The request came from another page",
                "Send it from this gateway's own page. Behind a reverse proxy, set public_url in the section [web] to the "
                "address in the browser, or let the proxy pass on the Host header.",
            )
        if self._path != "/" and path == self._path[:-1]:
            return _Redirect(self._path)
        if self._sessions is None or path in self._open or self._is_logged_in(headers):
            return None
        return self._without_session(scope, headers, caller)

    def _is_named(self, host: str) -> bool:
        """Tell whether a ``Host`` is a name of this gateway."""
        name = _host_name(host)
        return name in self._names or (not self._only_here and _is_of_the_network(name))

    def _without_session(self, scope: Scope, headers: Headers, caller: Caller) -> ASGIApp | None:
        """Look at the token of a request; there is a password, and no session."""
        path = scope["path"]
        if self._token is not None and _bearer(headers):
            refused = self._guess(headers, caller.address)
            if refused is None:
                return None
            if refused:
                return problem_response(
                    path,
                    429,
                    "Too many wrong tokens",
                    "Wait, and send the token of the section [web]. The log names the address that sent them.",
                    {"retry-after": str(refused)},
                )
        if scope["method"] in {"GET", "HEAD"} and "text/html" in headers.get("accept", ""):
            # Relative, so that it also holds behind a proxy that adds a path in front.
            return _Redirect("../" * (path.count("/") - 1) + "login")
        return problem_response(
            path,
            401,
            "Login needed",
            "Log in on the page, or send the header Authorization: Bearer with the token of the section [web].",
            {"WWW-Authenticate": "Bearer"},
        )

    def _guess(self, headers: Headers, address: str) -> int | None:
        """Look at a token: None when it is right, 0 when it is wrong, the seconds to wait when it is not looked at."""
        refused = self._tokens.look(
            address, self._clock.monotonic(), lambda: self._has_token(headers), spare_known=True
        )
        if refused is None:
            return None
        if refused.first:
            _log.warning(
                "token from %s refused: %s", address, "too many wrong ones" if refused.seconds else "wrong token"
            )
        return math.ceil(refused.seconds)

    def _same_origin(self, headers: Headers, asked: Asked) -> bool:
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return False
        if "origin" not in headers:
            # Browsers send Origin with every POST; without it and without a cookie it is a program.
            return not session_cookie(headers, self._cookie)
        return self._page.is_ours(asked)

    def _is_logged_in(self, headers: Headers) -> bool:
        sessions = self._sessions
        return sessions is not None and any(map(sessions.valid, session_cookies(headers, self._cookie)))

    def _has_token(self, headers: Headers) -> bool:
        return self._token is not None and hmac.compare_digest(digest(_bearer(headers)), self._token)


def _refused_form(scope: Scope, headers: Headers) -> Refusal | None:
    target = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    return refused_form(headers, target, scope["headers"])


def _refusal_response(path: str, refusal: Refusal, headers: Mapping[str, str] | None = None) -> ASGIApp:
    return problem_response(path, refusal.status, refusal.what, refusal.remedy, headers)


def _asked(path: str, headers: Headers, caller: Caller) -> Asked:
    return Asked(path, caller.host, headers.get("origin"), headers.get("sec-fetch-site"), headers.get("sec-fetch-mode"))


def _bearer(headers: Headers) -> str:
    """Return the token a request shows; empty without one."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else ""


class _Redirect:
    """A reply that leads elsewhere."""

    def __init__(self, location: str) -> None:
        self._location = location.encode()

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"location", self._location), (b"cache-control", b"no-store"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
