"""Who has shown the device's own key, which stands on its label: sessions of the page, as cookies.

Behind the door is everything but values: settings, updates, what the tap's token is. Without a key there is no way in. Sessions live in memory: a
restart ends them all.

This module does not know what is behind the door.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from nesmodule.access.guesses import Guesses
from nesmodule.access.request import Request, read_request

__all__ = ["COOKIE", "Door"]

COOKIE = b"nes_module"
_SHORTEST = 10
_MOST = 3
"""Sessions at a time; the next one ends the oldest."""
_IDLE = 1_800_000
_LONGEST = 43_200_000
"""Milliseconds: half an hour without a request, and half a day in any case."""


class Door:
    """Lets in who has the key.

    Args:
        key: of the device; too short a one counts as none.
        now: gives milliseconds that only grow.
        random: gives so many bytes that nobody can foresee.
    """

    def __init__(self, key: str, now: Callable[[], int], random: Callable[[int], bytes]) -> None:
        key = key.strip()
        self._key = _mixed(key.encode()) if len(key) >= _SHORTEST else b""
        self._now = now
        self._random = random
        self._guesses = Guesses(now)
        self._sessions: list[tuple[bytes, int, int]] = []
        """Of each its mixed token, when it began, when it was used last; the oldest first."""

    async def read(self, reader: Any) -> Request:
        """Return the head of a request. Raises ValueError for what is none."""
        return await read_request(reader)

    def wait(self) -> int:
        """Return the milliseconds until a key is looked at again; 0: now."""
        return self._guesses.wait()

    def log_in(self, given: bytes) -> bytes:
        """Return the token of a new session; empty if the key is wrong, or nobody may guess now."""
        if self._guesses.wait():
            return b""
        if not compare_digest(_mixed(given.strip()), self._key):
            self._guesses.wrong()
            return b""
        self._guesses.right()
        token = binascii.hexlify(self._random(16))
        now = self._now()
        self._sessions = [*self._sessions, (_mixed(token), now, now)][-_MOST:]
        return token

    def lets_in(self, request: Request) -> bool:
        """Tell whether a request belongs to a session, and comes from a page of ours if it changes something."""
        if request.method != b"GET" and not request.own:
            return False
        given = _mixed(_token(request.cookie))
        now = self._now()
        found = False
        kept: list[tuple[bytes, int, int]] = []
        for token, began, used in self._sessions:
            if now - used > _IDLE or now - began > _LONGEST:
                continue
            fits = compare_digest(token, given)
            found = found or fits
            kept.append((token, began, now if fits else used))
        self._sessions = kept
        return found

    def log_out(self, request: Request) -> None:
        """End the session of a request."""
        given = _mixed(_token(request.cookie))
        self._sessions = [one for one in self._sessions if not compare_digest(one[0], given)]


def _mixed(text: bytes) -> bytes:
    """Return something of one length: what is compared tells neither a key's length nor where it differs."""
    return hashlib.sha256(text).digest()


def _token(cookies: bytes) -> bytes:
    for one in cookies.split(b";"):
        name, _, value = one.strip().partition(b"=")
        if name == COOKIE:
            return value
    return b""
