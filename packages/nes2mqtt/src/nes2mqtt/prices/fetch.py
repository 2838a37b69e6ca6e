"""Sends one request of a source and returns the answer, or says why there is none.

Answers are bounded in size, and in time as a whole: a service that sends a byte now and then is not waited for. No redirect
is followed, because the address may hold a token that is for one service only; for the same reason no whole address is
shown. This module does not know what is asked for.
"""

from __future__ import annotations

import io
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, InvalidURL
from typing import Any
from urllib.parse import urlsplit

from nes2mqtt import __version__
from nes2mqtt.prices.sources.source import Request
from nes2mqtt.prices.spot_price import printable

__all__ = ["Answer", "NoAnswer", "fetch"]

_TIMEOUT = 30.0
"""Seconds without a byte."""
_LONGEST = 120.0
"""Seconds for a whole answer, its head and its body."""
_MOST_BYTES = 8_000_000
"""A month of quarter hours is 0.6 MB from the most talkative service."""
_NOTHING_YET = (204, 404)
_TOO_MANY = 429


Monotonic = Callable[[], float]
"""Seconds of a clock that never steps."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; empty if it says that it has nothing."""

    body: bytes


class NoAnswer(Exception):
    """There was no answer to use; the text says why and what happens next.

    Args:
        reason: for people.
        retry_after: seconds the service asks to wait; None if it does not.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


def fetch(request: Request, monotonic: Monotonic) -> Answer:
    """Send a request and wait for the answer; blocks, for a thread.

    Args:
        request: to send.
        monotonic: seconds of a clock that never steps, which bounds the whole answer.

    Raises:
        NoAnswer: none came, or an error.
    """
    headers = {"User-Agent": f"nes2mqtt/{__version__}", "Accept-Encoding": "identity", **request.headers}
    host = "the service"
    try:
        host = urlsplit(request.url).hostname or host
        prepared = urllib.request.Request(request.url, headers=headers)  # noqa: S310 - the configuration takes http(s) only
        opener = urllib.request.build_opener(_NoRedirects, *_handlers(monotonic))
        with opener.open(prepared, timeout=_TIMEOUT) as response:
            body: bytes = response.read(_MOST_BYTES + 1)
            if len(body) > _MOST_BYTES:
                raise NoAnswer(f"{host} answered with more than {_MOST_BYTES // 1_000_000} MB, which are no prices")
            return Answer(b"" if response.status in _NOTHING_YET else body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _NOTHING_YET:
                return Answer(b"")
            raise NoAnswer(_reason(host, error.code), _seconds(error.headers.get("Retry-After"))) from None
    except OSError as error:
        reason = printable(str(getattr(error, "reason", error)))
        raise NoAnswer(f"{host} cannot be reached: {reason}") from None
    except (InvalidURL, ValueError):
        # The text of such an error shows the address, and with it a token.
        raise NoAnswer(f"{printable(host)} cannot be asked: the address in [prices] is none") from None
    except HTTPException:
        raise NoAnswer(f"{host} answered with something that is not HTTP; check address in [prices]") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Leaves a redirect the error that it is without somebody who follows it."""

    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until a moment of the monotonic clock, however the bytes are spread over the time."""

    def __init__(self, connection: socket.socket, monotonic: Monotonic) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._until = monotonic() + _LONGEST
        self._inner = connection.makefile("rb", buffering=0)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read what is there."""
        left = self._until - self._monotonic()
        if left <= 0:
            raise TimeoutError("the answer takes too long")
        self._connection.settimeout(min(left, _TIMEOUT))
        return self._inner.readinto(buffer)

    def close(self) -> None:
        """Close the reader and with it the connection."""
        self._inner.close()
        super().close()


def _handlers(monotonic: Monotonic) -> tuple[urllib.request.BaseHandler, ...]:
    """Return handlers of HTTP and HTTPS whose answers, head and body, end in time."""

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **more: Any) -> None:
            super().__init__(sock, *args, **more)
            self.fp.close()
            self.fp = io.BufferedReader(_BoundedReader(sock, monotonic))

    class Plain(HTTPConnection):
        response_class = Response

    class Secure(HTTPSConnection):
        response_class = Response

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> HTTPResponse:
            return self.do_open(Plain, req)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> HTTPResponse:
            return self.do_open(Secure, req)

    return PlainHandler(), SecureHandler()


def _reason(host: str, code: int) -> str:
    if code == _TOO_MANY:
        return f"{host} says that it was asked too often"
    if code in {401, 403}:
        return f"{host} refuses (HTTP {code}); check the token in [prices]"
    if code in range(300, 400):
        return f"{host} sends on to another address (HTTP {code}), which is not followed; check address in [prices]"
    return f"{host} answered with the error HTTP {code}"


def _seconds(text: str | None) -> float | None:
    """Return what Retry-After says in seconds; a date or nonsense says nothing."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None  # noqa: PLR2004
