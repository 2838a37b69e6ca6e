"""Sends one request of a source and returns the answer, or says why there is none.

Answers are bounded in size and time. This module does not know what is asked for, and never shows a whole address: it may
hold a token.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException

from nes2mqtt import __version__
from nes2mqtt.prices.sources.source import Request

__all__ = ["Answer", "NoAnswer", "fetch"]

_TIMEOUT = 30.0
_MOST_BYTES = 8_000_000
"""A month of quarter hours is 0.6 MB from the most talkative service."""
_NOTHING_YET = (204, 404)
_TOO_MANY = 429


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


def fetch(request: Request) -> Answer:
    """Send a request and wait for the answer; blocks, for a thread.

    Raises:
        NoAnswer: none came, or an error.
    """
    headers = {"User-Agent": f"nes2mqtt/{__version__}", "Accept-Encoding": "identity", **request.headers}
    prepared = urllib.request.Request(request.url, headers=headers)  # noqa: S310 - the configuration takes http(s) only
    host = prepared.host
    try:
        with urllib.request.urlopen(prepared, timeout=_TIMEOUT) as response:  # noqa: S310
            body: bytes = response.read(_MOST_BYTES + 1)
            if len(body) > _MOST_BYTES:
                raise NoAnswer(f"{host} answered with more than {_MOST_BYTES // 1_000_000} MB, which are no prices")
            return Answer(b"" if response.status in _NOTHING_YET else body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _NOTHING_YET:
                return Answer(b"")
            raise NoAnswer(_reason(host, error.code), _seconds(error.headers.get("Retry-After"))) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise NoAnswer(f"{host} cannot be reached: {reason}") from None


def _reason(host: str, code: int) -> str:
    if code == _TOO_MANY:
        return f"{host} says that it was asked too often"
    if code in {401, 403}:
        return f"{host} refuses (HTTP {code}); check the token in [prices]"
    return f"{host} answered with the error HTTP {code}"


def _seconds(text: str | None) -> float | None:
    """Return what Retry-After says in seconds; a date or nonsense says nothing."""
    return float(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 6 else None  # noqa: PLR2004
