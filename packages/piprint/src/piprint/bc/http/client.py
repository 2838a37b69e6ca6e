"""HTTP as Business Central wants it: one session, few calls at once, TLS that is checked, answers that are data or an error.

:class:`Wire` is the session: TLS, timeouts, proxies, and what breaks, told as :class:`~piprint.errors.BcUnreachable`. It
also carries the calls for tokens. :class:`Http` adds what Business Central's own calls need: the login, the limit of calls
at once, the pauses asked for (:mod:`piprint.bc.http.throttling`), the headers, and errors from answers (:mod:`piprint.bc.http.answer`).

A redirect is never followed: the login would go along. Calls are not repeated here, except once when a login is refused
that may only be out of date (401: nothing was done).

This module does not know OData, nor where tokens come from (:mod:`piprint.bc.login.tokens`).
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from piprint import __version__
from piprint.bc.http.answer import MOST_ERROR_BYTES, Answered, error_of
from piprint.bc.http.throttling import Circuit
from piprint.config.settings import TOKEN_HOST, BusinessCentral, is_loopback
from piprint.errors import BcError, BcUnreachable, ConfigError, reason_of
from servicekit.tls import client_context

__all__ = ["READ_ONLY", "READ_WRITE", "Answer", "Counters", "Http", "Login", "Wire", "page_size"]

_log = logging.getLogger(__name__)

_CONNECT = 30.0
"""Seconds for name, connection and TLS together, where the configured timeout is not shorter."""
_DATA = 50_000
"""For each so many bytes of an answer, one second is added to the timeout. Who asks for work waits for it all."""
_DOCUMENT = 4000
"""Bytes per second of a document. If a document arrives more slowly than this for longer than the timeout, the cause is
not a slow line, but a server or a proxy that sends almost nothing."""
_LONGEST_DOCUMENT = 3600.0
"""Seconds a document may take in all: 350 MB at 100 kB/s."""
_MOST_JSON = 8 * 1024 * 1024
"""Bytes of an answer without documents: a thousand jobs with full payloads are 5 MB. Read, they take up to 25 times as much."""

_NEAR = 256 * 1024
"""So many bytes of a body that nobody needs are still read, because a new connection with TLS would take as long."""

READ_ONLY = {"Data-Access-Intent": "ReadOnly"}
"""For a GET that may be answered by a replica, whose data are a little old."""
READ_WRITE = {"Data-Access-Intent": "ReadWrite"}
"""For a GET whose tag or state decides something."""


def page_size(rows: int) -> dict[str, str]:
    """Return the header that asks for pages of at most so many rows."""
    return {"Prefer": f"odata.maxpagesize={rows}"}


@dataclass(slots=True)
class Counters:
    """Counts of the requests and bytes so far.

    Attributes:
        calls: requests sent to Business Central, those refused included.
        tokens: requests sent for a token.
        bytes_out: bodies sent.
        bytes_in: bodies received, as they are after decompression.
    """

    calls: int = 0
    tokens: int = 0
    bytes_out: int = 0
    bytes_in: int = 0


class Login(Protocol):
    """How calls to Business Central are authorized."""

    async def header(self) -> str:
        """Return the value of the Authorization header.

        Raises:
            BcError: no token could be obtained.
        """

    def drop(self, header: str) -> bool:
        """Forget a header value that Business Central refused; tell whether a new value may be accepted."""

    def secrets(self) -> tuple[str, ...]:
        """Return what must not be shown, should an answer repeat it."""

    async def close(self) -> None:
        """Give up a request for a token that is under way."""


class Wire:
    """One session for all calls. Made inside a running loop; :meth:`close` gives back its connections.

    Args:
        bc: the settings; used are the addresses, the certificates, and how long an answer may take.
        dated: called with the ``Date`` of each answer.

    Raises:
        ConfigError: the file of the certificate authority cannot be used.
    """

    def __init__(self, bc: BusinessCentral, *, dated: Callable[[str], None] | None = None) -> None:
        self.counters = Counters()
        self._timeout = bc.timeout
        self._dated = dated
        self._until: WeakKeyDictionary[aiohttp.ClientResponse, float] = WeakKeyDictionary()
        self._ours = _trust(bc)
        timeout = aiohttp.ClientTimeout(
            total=None,  # 30 MB on a slow line take their time; see chunks()
            connect=min(_CONNECT, bc.timeout),
            sock_read=bc.timeout,
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=timeout,
            headers={"User-Agent": f"piprint/{__version__}"},
            auto_decompress=True,
        )

    async def send(
        self, method: str, url: str, *, asked: str, headers: Mapping[str, str], data: bytes | None = None
    ) -> aiohttp.ClientResponse:
        """Send a request; return the answer as soon as its headers are here. The caller releases it.

        Args:
            method: GET, POST or PATCH.
            url: percent-encoded already.
            asked: the purpose of the request, in words for people: "read the printers".
            headers: all but the usual ones.
            data: the body.

        Raises:
            BcUnreachable: there was no answer.
        """
        self.counters.bytes_out += len(data or b"")
        until = asyncio.get_running_loop().time() + self._timeout
        with self._breakage(url, asked):
            async with asyncio.timeout_at(until):
                response = await self._session.request(
                    method,
                    URL(url, encoded=True),
                    data=data,
                    headers=headers,
                    allow_redirects=False,
                    ssl=self._context(url),
                    proxy=_proxy(url),
                )
        self._until[response] = until
        if self._dated is not None and "Age" not in response.headers:  # what a cache kept tells its own day
            self._dated(response.headers.get("Date", ""))
        return response

    async def chunks(
        self, response: aiohttp.ClientResponse, *, asked: str, document: bool = False
    ) -> AsyncGenerator[bytes, None]:
        """Yield an answer's body in parts, as they arrive.

        The whole answer, counted from the request on, must arrive within the timeout plus the time that its size takes.
        A document may be long, so there the timeout applies to each part, and only the time spent waiting for the
        server counts.

        Raises:
            BcUnreachable: the body broke off, stopped arriving, or arrived too slowly.
        """
        clock = asyncio.get_running_loop().time
        left = self._timeout if document else max(self._until.get(response, clock() + self._timeout) - clock(), 0.0)
        waited = 0.0
        with self._breakage(str(response.url), asked):
            while True:
                begun = clock()
                # No timeout stands around the yield: it would end what the caller does with a part.
                async with asyncio.timeout(min(left, _LONGEST_DOCUMENT - waited)):
                    chunk = await response.content.readany()
                if not chunk:
                    return
                waited += clock() - begun
                self.counters.bytes_in += len(chunk)
                left -= clock() - begun
                left = min(left + len(chunk) / _DOCUMENT, self._timeout) if document else left + len(chunk) / _DATA
                yield chunk

    async def some(self, response: aiohttp.ClientResponse, most: int, *, asked: str, whole: bool = False) -> bytes:
        """Return the first ``most`` bytes of an answer's body; a longer body is cut.

        Without ``whole``, if the body breaks off, return the bytes that were received until then.

        Raises:
            BcUnreachable: ``whole`` is set, and the body broke off, stopped arriving, or arrived too slowly.
        """
        body = bytearray()
        try:
            async with aclosing(self.chunks(response, asked=asked)) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) >= most:
                        break
        except BcUnreachable:
            if whole:
                raise  # else the status says enough
        return bytes(body[:most])

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    def _context(self, url: str) -> ssl.SSLContext | bool:
        """Return how the server of a URL proves who it is; what was set for our own servers is not for Microsoft's."""
        if not url.startswith("https://"):
            return True
        if self._ours is None or url.startswith(f"{TOKEN_HOST}/"):
            return self._usual
        return self._ours

    @cached_property
    def _usual(self) -> ssl.SSLContext:
        """Trusts whom this host trusts."""
        return client_context()

    @contextmanager
    def _breakage(self, url: str, asked: str) -> Iterator[None]:
        """Turn errors into our own words; those of aiohttp may show more of the request than should be seen."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            place = urlsplit(url)
            raise BcUnreachable(
                f"Cannot {asked}: {_reason(error, place.hostname or '', self._timeout)}"
            ) from None  # the cause may hold headers


class Answer:
    """A good answer, its body not yet read.

    Attributes:
        status: the HTTP status, 2xx.
    """

    def __init__(self, response: aiohttp.ClientResponse, wire: Wire, asked: str) -> None:
        self.status = response.status
        self._response = response
        self._wire = wire
        self._asked = asked

    def chunks(self, *, document: bool = True) -> AsyncGenerator[bytes, None]:
        """Yield the body in parts, as they arrive. The body of a document may take longer, as long as parts arrive.

        Raises:
            BcUnreachable: the body broke off, stopped arriving, or arrived too slowly.
        """
        return self._wire.chunks(self._response, asked=self._asked, document=document)

    async def drain(self) -> None:
        """Read the rest of the body, if it is short, so that the connection can be used again."""
        await self._wire.some(self._response, _NEAR, asked=self._asked)

    async def json(self) -> dict[str, Any]:
        """Read the body, a JSON object.

        Raises:
            BcUnreachable: the body broke off, or is not a JSON object but, for example, a proxy's page.
        """
        body = bytearray()
        async with aclosing(self.chunks(document=False)) as chunks:
            async for chunk in chunks:
                body += chunk
                if len(body) > _MOST_JSON:
                    raise BcUnreachable(f"Cannot {self._asked}: the answer has no end.", status=self.status)
        try:
            data = json.loads(body)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise BcUnreachable(
                f"Cannot {self._asked}: the answer is not Business Central's. "
                "Check url, and whether a proxy stands in between.",
                status=self.status,
            )
        return data


class Http:
    """Calls to Business Central.

    Args:
        wire: the session.
        login: how to authorize.
        parallel: most calls at once, downloads included; others wait.
        now: the clock on the wall, for ``Retry-After`` with a date.
    """

    def __init__(self, wire: Wire, login: Login, *, parallel: int, now: Callable[[], datetime]) -> None:
        self._wire = wire
        self._login = login
        self._room = asyncio.Semaphore(parallel)
        self._circuit = Circuit()
        self._now = now

    @property
    def counters(self) -> Counters:
        """Return what went over the wire so far."""
        return self._wire.counters

    @property
    def pause(self) -> float:
        """Return the seconds Business Central wants us to wait still; 0 when calls go out."""
        return self._circuit.pause

    @asynccontextmanager
    async def call(
        self,
        method: str,
        url: str,
        *,
        asked: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = "application/json",
    ) -> AsyncIterator[Answer]:
        """Call Business Central; the answer's body is read inside the ``with``. No other call may be made in there.

        Args:
            method: GET, POST or PATCH.
            url: percent-encoded already.
            asked: the purpose of the request, in words for people: "read the printers".
            body: sent as JSON.
            headers: more of them, such as :data:`READ_ONLY` or ``If-Match``.
            accept: the kind of answer.

        Raises:
            BcError: there is no answer, or its status is not 2xx.
        """
        told = {"Accept": accept, "Accept-Language": "en-US", **(headers or {})}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            told["Content-Type"] = "application/json"
        async with self._room:
            response = await self._send(method, url, asked, told, data)
            try:
                yield Answer(response, self._wire, asked)
            finally:
                response.release()  # closes the connection, if the body was not read to its end

    async def json(
        self,
        method: str,
        url: str,
        *,
        asked: str,
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Call Business Central and return the answer's JSON object; see :meth:`call`."""
        async with self.call(method, url, asked=asked, body=body, headers=headers) as answer:
            return await answer.json()

    async def close(self) -> None:
        """Close all connections."""
        await self._login.close()
        await self._wire.close()

    async def _send(
        self, method: str, url: str, asked: str, headers: dict[str, str], data: bytes | None
    ) -> aiohttp.ClientResponse:
        answer, login = await self._once(method, url, asked, headers, data)
        if isinstance(answer, BcError) and answer.status == 401 and self._login.drop(login):  # noqa: PLR2004
            answer, login = await self._once(method, url, asked, headers, data)
        if isinstance(answer, BcError):
            raise answer
        return answer

    async def _once(
        self, method: str, url: str, asked: str, headers: dict[str, str], data: bytes | None
    ) -> tuple[aiohttp.ClientResponse | BcError, str]:
        """Send a request when the circuit lets it; return the answer or the error it is, and the login it was sent with."""
        first = await self._circuit.enter()
        try:
            login = await self._login.header()
            self.counters.calls += 1
            response = await self._wire.send(
                method, url, asked=asked, headers={**headers, "Authorization": login}, data=data
            )
            good = 200 <= response.status < 300  # noqa: PLR2004
            answer = response if good else await self._error(response, asked)
        except BaseException:  # no answer, or given up: nothing is known of Business Central's load
            self._circuit.abandon(first=first)
            raise
        self._circuit.leave(answer if isinstance(answer, BcError) else None, first=first)
        return answer, login

    async def _error(self, response: aiohttp.ClientResponse, asked: str) -> BcError:
        try:
            body = await self._wire.some(response, MOST_ERROR_BYTES, asked=asked)
        finally:
            response.release()
        answer = Answered(response.status, response.headers, body, asked, str(response.url))
        error = error_of(answer, now=self._now(), secrets=self._login.secrets())
        _log.debug("%s", error)
        return error


def _trust(bc: BusinessCentral) -> ssl.SSLContext | None:
    """Return how the configured servers prove who they are; None for the usual way."""
    if bc.ca_file is None and bc.verify:
        return None
    try:
        return client_context(bc.ca_file, and_system=True, accept_any=not bc.verify)  # the last is said by config.load
    except ValueError as error:
        raise ConfigError(
            f"business_central.ca_file {bc.ca_file} cannot be used: {error}. Give the certificate authority's PEM file."
        ) from None


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for a URL (HTTPS_PROXY, NO_PROXY)."""
    place = urlsplit(url)
    host = place.hostname or ""
    if is_loopback(host) or proxy_bypass(host):
        return None
    return getproxies().get(place.scheme)


def _reason(error: Exception, host: str, timeout: float) -> str:
    """Say why there is no answer, and what to do."""
    if isinstance(error, (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError)):
        return _tls(error, host)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {host} is not known. Check the network, the name server and url."
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused to connect (HTTP {error.status}). Check HTTPS_PROXY."
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return "no connection to the proxy. Check HTTPS_PROXY and NO_PROXY."
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"no connection to {host}: {reason_of(error.os_error)}. Check url, network and firewall."
    if isinstance(error, TimeoutError):
        return f"{host} is silent for {timeout:g} s, or its answer drips. It may be busy or restarting; this is tried again."
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{host} does not speak HTTP there. Check the port in url, and http or https."
    return f"the connection to {host} broke off; this is tried again."


def _tls(error: aiohttp.ClientConnectorError, host: str) -> str:
    """Say what is wrong with a server's certificate."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorSSLError) else error.certificate_error  # type: ignore[attr-defined]
    if not isinstance(cause, ssl.SSLCertVerificationError):
        return f"{host} does not speak TLS there. Check the port in url, and http or https."
    why = {
        10: "has expired. Renew it on the server; check the clock of this host, too.",
        9: "is not yet valid. Check the clock of this host.",
        62: "is for another name. Write the name it is for to url.",
        64: "is for another address. Write the name it is for to url.",
    }.get(cause.verify_code, "comes from an authority this host does not know. Give its PEM file as ca_file.")
    return f"the certificate of {host} {why}"
