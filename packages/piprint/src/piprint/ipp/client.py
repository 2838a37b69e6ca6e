"""Send requests to a printer or to CUPS by IPP over HTTP (RFC 8010, 4): one request, one answer.

The document goes from disk to the network in pieces, so a large document needs no memory. Failures are turned into the
errors of :mod:`piprint.errors`, which say what people can do about them.

A printer that waits for paper may stop taking bytes for as long. So there is one time limit for connecting and for the
answer, and a separate limit, ``stall``, for requests with a document.

This module does not know jobs, or what any attribute means.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from piprint.errors import DocumentError, PrinterBusy, PrinterError, PrinterRefused, PrinterUnreachable, reason_of
from piprint.ipp.codec import Attribute, Group, MalformedIpp, Message, attribute, decode, encode
from piprint.ipp.registry import ADVICE, ENDING, WAITING, Delimiter, Operation, Status, Tag, status_name
from piprint.ipp.requester import requester
from servicekit.tls import client_context

__all__ = ["IppClient", "http_url", "printer_uri"]

MOST_ANSWER: Final = 8 * 1024 * 1024
"""Bytes; a thousand jobs are about 1 MB. More comes from no printer."""

_PORT: Final = 631
_PIECE: Final = 64 * 1024
_LONGEST_WORDS: Final = 255
_CONNECT: Final = 10.0
_WHOLE: Final = 4
"""A whole request without a document may take so many times the timeout, even if bytes keep arriving slowly."""
_IDLE: Final = 1.0
"""Seconds an idle connection is kept. Every printer keeps it longer, so no connection is used that is being closed."""
_KEPT: Final = 300.0
"""Seconds an idle connection is kept that shall tell whether the other side was restarted."""
_PATH: Final = "/%:@!$&()*+,;=-._~"
"""Characters of a path that stay as they are (RFC 3986, 3.3); people write others, such as blanks, into addresses, too."""
_SCHEMES: Final = {"ipp": "http", "ipps": "https", "http": "http", "https": "https"}
_QUESTIONS: Final = frozenset(
    {
        Operation.GET_PRINTER_ATTRIBUTES,
        Operation.GET_JOBS,
        Operation.GET_JOB_ATTRIBUTES,
        Operation.GET_SUBSCRIPTION_ATTRIBUTES,
        Operation.GET_SUBSCRIPTIONS,
        Operation.GET_NOTIFICATIONS,
        Operation.CUPS_GET_PRINTERS,
    }
)
"""Operations that change nothing. They are sent once more when a connection breaks."""
_HTTP_REFUSALS: Final = {
    401: Status.NOT_AUTHENTICATED,
    403: Status.FORBIDDEN,
    404: Status.NOT_FOUND,
    413: Status.REQUEST_ENTITY_TOO_LARGE,
    503: Status.SERVICE_UNAVAILABLE,
}
"""The meaning of an HTTP answer without IPP in it (RFC 8010, 3.4.3 leaves this to HTTP)."""


def http_url(uri: str) -> URL:
    """Return the HTTP address for a printer's URI; the port is 631 unless the URI names one (RFC 8010, 4.2; RFC 7472).

    Raises:
        PrinterUnreachable: the URI is not an IPP address.
    """
    try:
        parts = urlsplit(uri)
        port, host, scheme = parts.port or _PORT, parts.hostname or "", _SCHEMES.get(parts.scheme, "")
        host.encode("idna")  # the name server would not be asked for a name with an empty or too long part
        host = f"[{host}]" if ":" in host else host
        path = quote(parts.path or "/", safe=_PATH)
        url = URL(f"{scheme}://{host}:{port}{path}", encoded=True)
    except ValueError:
        url = URL()
    if not url.host or not url.scheme:
        raise PrinterUnreachable(f"{uri!r} is no printer's address; one looks like ipp://192.168.1.20/ipp/print")
    return url


def printer_uri(uri: str) -> str:
    """Return the URI as it is told to the printer: always ipp or ipps (RFC 8011, 4.1.5)."""
    url = http_url(uri)
    scheme = "ipps" if url.scheme == "https" else "ipp"
    port = "" if url.port == _PORT else f":{url.port}"
    host = url.raw_host or ""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{port}{url.raw_path}"


class IppClient:
    """Sends IPP requests to one printer or to a CUPS server.

    Args:
        uri: ``ipp://``, ``ipps://``, ``http://`` or ``https://``.
        ca_file: PEM file with the certificates to trust; None: the authorities that the system trusts.
        timeout: for requests without a document: the longest wait for the next bytes of the answer, in seconds.
        stall: for requests with a document: the longest pause while the document is sent, and the longest wait for the
            answer, in seconds.
        keep: use a single connection for all requests, and keep it open. As long as the connection is the same, the
            other side has not been restarted.
        user: the requesting-user-name of all requests; empty: see :mod:`piprint.ipp.requester`.

    Attributes:
        connections: how many connections were opened so far. With ``keep``, this number tells whether the connection is
            still the same.
    """

    def __init__(
        self,
        uri: str,
        *,
        ca_file: Path | None = None,
        timeout: float = 30,
        stall: float = 3600,
        keep: bool = False,
        user: str = "",
    ) -> None:
        self.uri = uri
        self.connections = 0
        self._keep = keep
        self._user = user
        self._ca_file = ca_file
        self._timeout = timeout
        self._stall = stall
        self._session: aiohttp.ClientSession | None = None
        self._numbers = itertools.count(1)

    async def ask(
        self,
        operation: Operation,
        attributes: Iterable[Attribute] = (),
        *,
        job_id: int | None = None,
        job: Iterable[Attribute] = (),
        subscription: Iterable[Attribute] = (),
        document: Path | None = None,
        target: bool = True,
        about: str = "",
    ) -> Message:
        """Do one operation.

        Args:
            operation: the operation.
            attributes: further operation attributes.
            job_id: the job that the operation is about.
            job: job attributes.
            subscription: subscription attributes.
            document: a file to send after the request.
            target: whether the request names the printer; CUPS's own operations name none.
            about: the URI of another printer at the same address. The request then goes to that printer, over the same
                connection.

        Raises:
            PrinterUnreachable: no answer, or no answer of a printer. The operation may have been done all the same.
            PrinterBusy: the printer refused for now; it took nothing.
            PrinterRefused: the printer refused.
            DocumentError: the file cannot be read.
        """
        uri = about or self.uri
        # RFC 8011, 4.1.4 and 4.1.5: charset and language come first, then the target. CUPS insists.
        head = [
            attribute("attributes-charset", Tag.CHARSET, "utf-8"),
            attribute("attributes-natural-language", Tag.NATURAL_LANGUAGE, "en"),
        ]
        if target:
            head.append(attribute("printer-uri", Tag.URI, printer_uri(uri)))
        if job_id is not None:
            head.append(attribute("job-id", Tag.INTEGER, job_id))
        head.append(attribute("requesting-user-name", Tag.NAME, self._user or requester(http_url(uri).host or "")))
        groups = [Group(Delimiter.OPERATION, (*head, *attributes))]
        if job_attributes := tuple(job):
            groups.append(Group(Delimiter.JOB, job_attributes))
        if subscription_attributes := tuple(subscription):
            groups.append(Group(Delimiter.SUBSCRIPTION, subscription_attributes))
        request = encode(Message(operation, next(self._numbers) & 0x7FFFFFFF, tuple(groups)))
        answer = await self._exchange(uri, request, document, questions=2 if operation in _QUESTIONS else 1)
        if answer.code >= 0x0100:  # noqa: PLR2004 - RFC 8011, 4.1.6: the successful ones are below
            raise _refused(uri, operation, answer)
        return answer

    @property
    def is_open(self) -> bool:
        """Whether the client was used since it was last closed."""
        return self._session is not None

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _exchange(self, uri: str, request: bytes, document: Path | None, questions: int) -> Message:
        url = http_url(uri)
        try:
            if document is None:
                async with asyncio.timeout(_WHOLE * self._timeout):
                    return await self._post(uri, request, {}, self._timeout)
            with await asyncio.to_thread(_opened, document) as file:
                size = os.fstat(file.fileno()).st_size
                length = {"Content-Length": str(len(request) + size)}
                async with asyncio.timeout(self._stall) as stall:
                    pieces = _pieces(request, file, size, stall, self._stall)
                    return await self._post(uri, pieces, length, self._stall)
        except aiohttp.ClientConnectorCertificateError as error:
            raise PrinterUnreachable(_certificate(url, error.certificate_error)) from None
        except aiohttp.ClientSSLError:
            raise PrinterUnreachable(f"{uri} does not speak TLS as expected; try ipp:// instead of ipps://") from None
        except TimeoutError:
            raise PrinterUnreachable(f"{uri} does not answer; is the printer, or CUPS, switched on?") from None
        except aiohttp.ClientConnectorError as error:
            raise PrinterUnreachable(
                f"{url.host}:{url.port} cannot be reached ({reason_of(error.os_error)}); is the printer, or CUPS, switched on and its address right?"
            ) from None
        except aiohttp.ClientError as error:
            if questions > 1:  # the printer may just have closed a connection that was kept
                return await self._exchange(uri, request, document, questions - 1)
            broke = f"the connection to {uri} broke ({type(error).__name__}); it is tried again"
            raise PrinterUnreachable(broke if document is None else f"{broke}. {ENDING}") from None
        except MalformedIpp as error:
            raise PrinterUnreachable(
                f"{uri} answers, but not as a printer does ({error}); is the address right?"
            ) from None

    async def _post(
        self, uri: str, data: bytes | AsyncIterator[bytes], headers: dict[str, str], patience: float
    ) -> Message:
        session = self._session = self._session or self._open()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=patience)
        async with session.post(
            http_url(uri),
            data=data,
            headers={"Content-Type": "application/ipp", **headers},
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            if response.status != 200:  # noqa: PLR2004 - RFC 8010, 3.4.3: an IPP answer comes with 200
                raise _refused_by_http(uri, response.status)
            body = bytearray()
            async for piece in response.content.iter_any():
                body += piece
                if len(body) > MOST_ANSWER:
                    raise MalformedIpp(f"more than {MOST_ANSWER} bytes")
        return decode(bytes(body))[0]

    def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            ssl=self._trust() if http_url(self.uri).scheme == "https" else True,
            keepalive_timeout=_KEPT if self._keep else _IDLE,
            limit=1 if self._keep else 0,
            socket_factory=_socket,
            resolver=aiohttp.ThreadedResolver(),  # the system's, which knows printer.local and /etc/hosts
        )
        # No proxies from the environment, no cookies: printers stand in the same house.
        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(self._count)
        return aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, trace_configs=[trace]
        )

    async def _count(self, *_: object) -> None:
        self.connections += 1

    def _trust(self) -> ssl.SSLContext:
        try:
            return client_context(self._ca_file)
        except ValueError as error:
            raise PrinterError(f"the printer's ca_file {self._ca_file} cannot be used: {error}") from None


def _socket(info: tuple[Any, ...]) -> socket.socket:
    """Open a socket that notices a printer switched off while it is waited for."""
    family, kind, protocol, *_ = info
    made = socket.socket(family, kind, protocol)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, option):  # not everywhere
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made


def _opened(document: Path) -> BinaryIO:
    try:
        return document.open("rb")
    except OSError as error:
        raise DocumentError(
            f"the document {document.name} cannot be read from the disk here: {error.strerror}"
        ) from None


async def _pieces(
    request: bytes, document: BinaryIO, size: int, stall: asyncio.Timeout, seconds: float
) -> AsyncIterator[bytes]:
    """Yield the request and then the document; the time limit starts anew with every piece that the printer took."""
    loop = asyncio.get_running_loop()
    yield request
    while size > 0:
        piece = await asyncio.to_thread(document.read, min(_PIECE, size))
        if not piece:
            raise DocumentError("the document became shorter while it was sent")  # breaks the connection off
        size -= len(piece)
        yield piece
        stall.reschedule(loop.time() + seconds)


def _refused(uri: str, operation: Operation, answer: Message) -> PrinterError:
    words = " ".join(answer.first(Delimiter.OPERATION).text("status-message").split())[:_LONGEST_WORDS]
    refused = tuple(each.name for each in answer.first(Delimiter.UNSUPPORTED).attributes)
    what = operation.name.replace("_", "-").title().replace("Cups-", "CUPS-")
    told = f": {words}" if words else ""
    if refused:
        told += f" ({', '.join(refused[:8])})"
    advice = ADVICE.get(answer.code, "see the printer's own log or display")
    message = f"{uri} refused {what}, {status_name(answer.code)}{told}; {advice}"
    if answer.code in WAITING:
        return PrinterBusy(message)
    return PrinterRefused(message, status=answer.code, unsupported=refused)


def _refused_by_http(uri: str, http_status: int) -> PrinterError:
    if http_status == 426:  # noqa: PLR2004 - Upgrade Required: CUPS with Encryption Required
        return PrinterRefused(f"{uri} wants TLS; write ipps:// instead of ipp://")
    status = _HTTP_REFUSALS.get(http_status)
    if status is None:
        return PrinterUnreachable(
            f"{uri} answers with HTTP status {http_status}, not as a printer does; is the address right?"
        )
    message = f"{uri} refused with HTTP status {http_status}; {ADVICE[status]}"
    return PrinterBusy(message) if status in WAITING else PrinterRefused(message, status=status)


def _certificate(url: URL, error: Exception) -> str:
    reason = getattr(error, "verify_message", "") or str(error)
    return (
        f"the certificate of {url.host}:{url.port} is not trusted ({reason}). Printers make their own: fetch it with "
        f"openssl s_client -connect {url.host}:{url.port}, compare it with the printer's own page, and name the file as ca_file "
        "of this printer; the address must then use the name in the certificate"
    )
