"""Who may take part in the first run: first who has the code, then who has the password that was chosen, one at a time.

The one-time code opens the door as long as no password is chosen; choosing it ends the code and every other visit. From then on the
password opens. Of several visits one is at the desk and gives answers; another one may take its place, and is told so.

Visits live in memory and end with the first run. This module does not know HTTP.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable

from nes2mqtt.setup.code import Code, Tried, Verdict
from servicekit.limits import GuessLimit
from servicekit.password import PasswordHash

__all__ = ["Door"]

_MOST_VISITS = 16
"""The one that came first is forgotten when one more comes in."""


class Door:
    """The door of one first run.

    Args:
        code: the one-time code.
        now: the monotonic clock.
    """

    def __init__(self, code: Code, now: Callable[[], float]) -> None:
        self.code = code
        self._now = now
        self._visits: OrderedDict[str, None] = OrderedDict()
        self._at_desk = ""
        self._hash: PasswordHash | None = None
        self._limit = GuessLimit()
        # One hash at a time: each takes 16 MB and most of a core.
        self._hashing = asyncio.Semaphore(1)

    @property
    def wants_password(self) -> bool:
        """Whether the password opens the door; else the code does."""
        return self._hash is not None

    def knows(self, token: str) -> bool:
        """Tell whether a cookie's token is a visit's."""
        return _digest(token) in self._visits

    def is_at_desk(self, token: str) -> bool:
        """Tell whether a visit is the one that gives answers."""
        return self.knows(token) and _digest(token) == self._at_desk

    def take_desk(self, token: str) -> None:
        """Let a visit give the answers from now on."""
        if self.knows(token):
            self._at_desk = _digest(token)

    def by_code(self, typed: str, address: str) -> tuple[Tried, str]:
        """Try the code; return what became of it, and a visit's token when it was right."""
        if self.wants_password:
            return Tried(Verdict.ENDED), ""
        tried = self.code.look(typed, address)
        return tried, self._enter() if tried.verdict is Verdict.RIGHT else ""

    async def by_password(self, typed: str, address: str) -> tuple[Tried, str]:
        """Try the password; return what became of it, and a visit's token when it was right. Slow on purpose."""
        if self._hash is None:
            return Tried(Verdict.ENDED), ""
        refused = self._limit.refuse(address, self._now())
        if refused is not None:
            return Tried(Verdict.WAIT, seconds=refused.seconds), ""
        async with self._hashing:
            right = await asyncio.to_thread(self._hash.matches, typed)
        if not right:
            return Tried(Verdict.WRONG), ""
        self._limit.right(address)
        return Tried(Verdict.RIGHT), self._enter()

    def password_chosen(self, hashed: str, token: str) -> None:
        """End the code and all other visits: from now on the password opens the door."""
        first = self._hash is None
        self._hash = PasswordHash.parse(hashed)
        self.code.end(used=True)
        if first:
            for visit in [visit for visit in self._visits if visit != _digest(token)]:
                del self._visits[visit]

    def _enter(self) -> str:
        token = secrets.token_urlsafe(32)
        while len(self._visits) >= _MOST_VISITS:
            self._visits.popitem(last=False)
        self._visits[_digest(token)] = None
        if self._at_desk not in self._visits:
            self._at_desk = _digest(token)
        return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
