"""Logging in: a token by OAuth2 client credentials, with a secret or a certificate, or a user name and password.

Sources: RFC 6749 section 4.4 (client credentials) and 5.2 (errors), RFC 7523 section 2.2 (client assertion), Microsoft's
"Microsoft Entra authentication and authorization error codes" for ``AADSTS...``, "Authenticate web services using
OAuth" for what Business Central wants.

A token is kept in memory until five minutes before its end, and asked for once, however many calls need it. Its age is
measured by the loop's clock, which nobody can set; a host that slept, or a token withdrawn early, shows as 401 and costs one
more try. While a token is valid, an error with the next one does no harm. After a refusal the token endpoint is left
alone for a minute: a wrong secret does not get better by asking more often.

This module does not know what the token is used for.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode, urlsplit

from piprint.bc.http.answer import MOST_ERROR_BYTES, retry_after
from piprint.bc.http.client import Login, Wire
from piprint.bc.login.client_assertion import assertion
from piprint.config.settings import Basic, BusinessCentral, Certificate, ClientSecret
from piprint.errors import BcDenied, BcError, BcThrottled, BcUnreachable, ConfigError

__all__ = ["BasicLogin", "TokenLogin", "login_for"]

_EARLY = 300.0
"""Seconds before its end from which a token is renewed."""
_REST = 60.0
"""Seconds the token endpoint is left alone after a refusal."""
_LONGEST = 86_400.0
_ASKED = "get a token"
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_AADSTS = re.compile(r"AADSTS(\d{4,8})")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")

_TENANT = ("tenant", "login.tenant {tenant} is not known to Microsoft Entra; take it from its overview page.")
_CLIENT = ("client", "login.client_id {client} is not known in tenant {tenant}; check both on the app's overview page.")
_SECRET = (
    "secret",
    "login.secret is wrong for client {client}; make a new client secret and take its value, not its id.",
)
_EXPIRED = ("secret", "login.secret of client {client} has expired; make a new client secret.")
_CERTIFICATE = (
    "certificate",
    "login.certificate does not belong to client {client}, or has expired; upload it to the app, or renew it.",
)
_CLOCK = ("certificate", "the clock of this host is wrong, so the certificate's proof is not valid; set the clock.")
_CONSENT = (
    "permission set",
    "client {client} may not use Business Central; give it API.ReadWrite.All and the administrator's consent.",
)
_SCOPE = ("environment", "login.scope is not known in tenant {tenant}; leave it out for Business Central online.")
_UNKNOWN = ("login", "the token endpoint {place} refused client {client}; check tenant, client_id and secret.")

_CAUSES: dict[str, tuple[str, str]] = {
    "50059": _TENANT,
    "90002": _TENANT,
    "90013": _TENANT,
    "900021": _TENANT,
    "900023": _TENANT,
    "700016": _CLIENT,
    "700038": _CLIENT,
    "7000112": ("client", "client {client} is switched off in tenant {tenant}; enable the app."),
    "7000229": ("client", "client {client} has no service principal in tenant {tenant}; add the app there."),
    "7000215": _SECRET,
    "7000216": _SECRET,
    "7000222": _EXPIRED,
    "700024": _CLOCK,
    "700027": _CERTIFICATE,
    "700030": _CERTIFICATE,
    "7000214": _CERTIFICATE,
    "65001": _CONSENT,
    "501051": _CONSENT,
    "53003": (
        "permission set",
        "a conditional access rule keeps client {client} out; exclude it, or allow this place.",
    ),
    "70011": _SCOPE,
    "500011": _SCOPE,
    "1002012": _SCOPE,
    # Without a number: RFC 6749 section 5.2, from token endpoints that are not Microsoft's.
    "invalid_client": _SECRET,
    "unauthorized_client": _CLIENT,
    "invalid_scope": _SCOPE,
}


def login_for(bc: BusinessCentral, wire: Wire, *, now: Callable[[], datetime]) -> Login:
    """Return the login the configuration asks for.

    Raises:
        ConfigError: Business Central would not accept the user name or password.
    """
    if isinstance(bc.login, Basic):
        return BasicLogin(bc.login)
    return TokenLogin(bc.login, wire, now=now)


class BasicLogin:
    """Login with user name and password (RFC 7617). Business Central accepts only ASCII characters.

    Raises:
        ConfigError: the user name or the password has characters that are not ASCII, or the user name contains a colon.
    """

    def __init__(self, login: Basic) -> None:
        password = login.password.get_secret_value()
        if not (login.username.isascii() and password.isascii()) or ":" in login.username:
            raise ConfigError(
                "login.username and login.password may have only ASCII characters (and the name no colon): Business "
                "Central takes no others here. Use a web service access key as the password."
            )
        self._password = password
        self._encoded = base64.b64encode(f"{login.username}:{password}".encode()).decode()

    def __repr__(self) -> str:
        return "BasicLogin()"

    async def header(self) -> str:
        """Return the value of the Authorization header."""
        return f"Basic {self._encoded}"

    def drop(self, header: str) -> bool:  # noqa: ARG002 - there is no other
        """Tell that there is no other login."""
        return False

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown."""
        return (self._password, self._encoded)

    async def close(self) -> None:
        """Do nothing: there is nothing under way."""


class TokenLogin:
    """Login with a token, which is obtained by client credentials.

    Args:
        login: tenant, client, and the client's secret or certificate.
        wire: the session that carries the requests for tokens.
        now: the clock on the wall, for the certificate's proof.
    """

    def __init__(self, login: ClientSecret | Certificate, wire: Wire, *, now: Callable[[], datetime]) -> None:
        self._login = login
        self._wire = wire
        self._now = now
        self._token = ""
        self._renew = self._end = 0.0
        self._proof = ""
        self._asking: asyncio.Task[None] | None = None
        self._refusal: Callable[[], BcError] | None = None
        self._rest_until = 0.0
        self._keep_until = 0.0

    def __repr__(self) -> str:
        return f"TokenLogin(client_id={self._login.client_id!r})"

    async def header(self) -> str:
        """Return the value of the Authorization header, with a token that is good for some time yet.

        Raises:
            BcDenied: tenant, client, secret, certificate (or its files) or consent is wrong; ``cause`` tells which.
            BcUnreachable, BcThrottled: no answer; Microsoft asks to wait.
        """
        clock = asyncio.get_running_loop().time
        if not self._token or clock() >= self._renew:
            try:
                await self._once(self._ask)
            except BcError:
                if not self._token or clock() >= self._end:
                    raise
                self._renew = clock() + _REST  # the old one is still good
        return f"Bearer {self._token}"

    def drop(self, header: str) -> bool:
        """Forget a token that Business Central refused; tell whether a new token may be accepted.

        If the app has no rights, every token is refused. Therefore a new token is obtained at most once a minute.
        """
        if header != f"Bearer {self._token}":
            return True  # there is a newer one already
        now = asyncio.get_running_loop().time()
        if now < self._keep_until:
            return False
        self._token = ""
        self._keep_until = now + _REST
        return True

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown."""
        secret = self._login.secret.get_secret_value() if isinstance(self._login, ClientSecret) else ""
        return (self._token, secret, self._proof)

    async def close(self) -> None:
        """Give up a request that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    async def _once(self, ask: Callable[[], Awaitable[None]]) -> None:
        """Run ``ask`` once for all callers that wait for it; a caller that gives up does not stop it for the others."""
        if self._asking is None:
            self._asking = asyncio.ensure_future(ask())
            self._asking.add_done_callback(self._asked)
        await asyncio.shield(self._asking)

    def _asked(self, task: asyncio.Future[None]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # seen, also when nobody waits any more

    async def _ask(self) -> None:
        clock = asyncio.get_running_loop().time
        if self._refusal is not None and clock() < self._rest_until:
            raise self._refusal()
        status, data, wait = await self._post(await self._form())
        if status != 200 or not isinstance(data.get("access_token"), str):  # noqa: PLR2004
            self._refusal = self._error(status, data, wait)
            self._rest_until = clock() + (_REST if wait is None else wait)
            raise self._refusal()
        self._refusal = None
        self._keep(data["access_token"], data.get("expires_in"))

    def _keep(self, token: str, expires_in: object) -> None:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise BcUnreachable(f"Cannot {_ASKED}: what came is no token. Check login.token_url.")
        try:
            lifetime = min(max(float(str(expires_in)), 1.0), _LONGEST)
        except ValueError:
            lifetime = 2 * _EARLY
        clock = asyncio.get_running_loop().time
        self._token = token
        self._end = clock() + lifetime
        self._renew = clock() + (lifetime - _EARLY if lifetime > 2 * _EARLY else lifetime / 2)

    async def _form(self) -> dict[str, str]:
        login = self._login
        form = {"grant_type": "client_credentials", "client_id": login.client_id, "scope": login.scope}
        if isinstance(login, ClientSecret):
            return {**form, "client_secret": login.secret.get_secret_value()}
        try:
            self._proof = await asyncio.to_thread(
                assertion,
                login.certificate,
                login.key,
                client_id=login.client_id,
                audience=login.token_endpoint,
                now=self._now(),
            )
        except ConfigError as error:  # files may change, and be mended, while we run: a certificate is renewed
            raise BcDenied(f"Cannot {_ASKED}: {error}.", cause="certificate") from None
        return {**form, "client_assertion_type": _JWT_BEARER, "client_assertion": self._proof}

    async def _post(self, form: dict[str, str]) -> tuple[int, dict[str, Any], float | None]:
        """Ask; return the status, the JSON object if there is one, and the seconds to wait if told."""
        self._wire.counters.tokens += 1
        response = await self._wire.send(
            "POST",
            self._login.token_endpoint,
            asked=_ASKED,
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            data=urlencode(form).encode(),
        )
        try:
            body = await self._wire.some(response, MOST_ERROR_BYTES, asked=_ASKED, whole=response.status < 400)  # noqa: PLR2004
        finally:
            response.release()
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        return response.status, data if isinstance(data, dict) else {}, retry_after(response.headers, self._now())

    def _error(self, status: int, data: dict[str, Any], wait: float | None) -> Callable[[], BcError]:
        """Return a function that makes a new error for each caller. The error does not quote the answer's words."""
        place = urlsplit(self._login.token_endpoint).hostname or ""
        if status in {408, 429} or status >= 500:  # noqa: PLR2004
            message = f"Cannot {_ASKED}: {place} is busy (HTTP {status}); this is tried again."
            return partial(BcThrottled, message, retry_after=wait, status=status)
        if status < 400:  # noqa: PLR2004 - a page, or a redirect
            message = f"Cannot {_ASKED}: {place} answers something else (HTTP {status}). Check login.token_url."
            return partial(BcUnreachable, message, status=status)
        numbered = _AADSTS.search(str(data.get("error_description", "")))
        code = numbered[1] if numbered else str(data.get("error", ""))
        cause, text = _CAUSES.get(code, _UNKNOWN)
        correlation = str(data.get("correlation_id", ""))
        correlation = correlation if _GUID.fullmatch(correlation) else ""
        said = text.format(tenant=self._login.tenant, client=self._login.client_id, place=place)
        known = f"AADSTS{code}" if numbered else code if code in _CAUSES else ""
        trace = ", ".join(filter(None, (f"HTTP {status}", known, correlation and f"correlation id {correlation}")))
        return partial(
            BcDenied,
            f"Cannot {_ASKED}: {said} ({trace})",
            cause=cause,
            status=status,
            code=known,
            correlation=correlation,
        )
