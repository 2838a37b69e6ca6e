"""Who is logged in, and how fast somebody may guess.

A session is 256 random bits in a cookie; kept here is only its SHA-256 and its end. The table
survives a restart in a file of its own, together with a hash of the password it belongs to:
a new password ends all sessions.

This module does not know HTTP; time is passed in.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import logging
import os
import secrets
from collections import OrderedDict
from pathlib import Path

from nes2mqtt.web.password import PasswordHash

__all__ = ["LoginLimit", "Sessions"]

_log = logging.getLogger(__name__)

MOST_SESSIONS = 256
"""The oldest ends when one more logs in: memory and file stay small whatever happens."""
MOST_ADDRESSES = 1024
"""Addresses remembered by the limit; who pushes others out has long met the limit for everybody."""


class Sessions:
    """The logins that are valid now.

    Args:
        password: the password as configured: text or ``scrypt:...``.
        lifetime: seconds a login lasts.
        file: where the table survives a restart; None keeps it in memory only.
    """

    def __init__(self, password: str, lifetime: float, file: Path | None = None) -> None:
        self._lifetime = lifetime
        self._file = file
        self._ends: OrderedDict[str, float] = OrderedDict()
        stored, ends = self._load()
        if PasswordHash.is_one(password):
            self._hash = PasswordHash.parse(password)
            known = str(self._hash) == stored
        else:
            self._hash, known = _hash_again(password, stored)
        if known:
            self._ends.update(ends)

    def password_matches(self, password: str) -> bool:
        """Compare a password somebody typed; slow on purpose, so call it in a thread."""
        return self._hash.matches(password)

    def open(self, now: float) -> str:
        """Begin a session and return its token for the cookie."""
        token = secrets.token_urlsafe(32)
        while len(self._ends) >= MOST_SESSIONS:
            self._ends.popitem(last=False)
        self._ends[_digest(token)] = now + self._lifetime
        self._save(now)
        return token

    def valid(self, token: str, now: float) -> bool:
        """Tell whether a cookie's token is a session that has not ended."""
        end = self._ends.get(_digest(token))
        return end is not None and now < end

    def close(self, token: str, now: float) -> None:
        """End a session."""
        if self._ends.pop(_digest(token), None) is not None:
            self._save(now)

    def _load(self) -> tuple[str, dict[str, float]]:
        if self._file is None:
            return "", {}
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            return str(content["password"]), {str(key): float(end) for key, end in content["sessions"].items()}
        except FileNotFoundError:
            return "", {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("logins of the page are forgotten, %s cannot be read: %s", self._file, error)
            return "", {}

    def _save(self, now: float) -> None:
        for key in [key for key, end in self._ends.items() if end <= now]:
            del self._ends[key]
        if self._file is None:
            return
        content = json.dumps({"password": str(self._hash), "sessions": self._ends})
        new = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What lies there under this name is not ours: a link may lead anywhere, a file may be open to others.
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
            new.replace(self._file)
        except OSError as error:
            _log.warning("logins of the page will not survive a restart, %s cannot be written: %s", self._file, error)


def _hash_again(password: str, stored: str) -> tuple[PasswordHash, bool]:
    """Keep the stored hash when the password is still the same, else make a new one."""
    if PasswordHash.is_one(stored):
        try:
            hash_ = PasswordHash.parse(stored)
        except ValueError:
            return PasswordHash.of(password), False
        if hash_.matches(password):
            return hash_, True
    return PasswordHash.of(password), False


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class LoginLimit:
    """Allows a few guesses at once, then one each few seconds: per address and for all together."""

    ADDRESS = (5.0, 30.0)
    """Guesses at once, and seconds for each further one, from one address."""
    EVERYBODY = (20.0, 3.0)

    def __init__(self) -> None:
        self._everybody = (self.EVERYBODY[0], 0.0)
        self._addresses: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Return 0 and count a guess, or the seconds to wait before the next one."""
        key = _network(address)
        own = _refilled(self._addresses.get(key, (self.ADDRESS[0], now)), self.ADDRESS, now)
        everybody = _refilled(self._everybody, self.EVERYBODY, now)
        wait = max(
            0.0,
            (1.0 - own[0]) * self.ADDRESS[1],
            (1.0 - everybody[0]) * self.EVERYBODY[1],
        )
        spent = 0.0 if wait else 1.0
        self._addresses[key] = (own[0] - spent, now)
        self._addresses.move_to_end(key)
        self._everybody = (everybody[0] - spent, now)
        while len(self._addresses) > MOST_ADDRESSES:
            self._addresses.popitem(last=False)
        return wait

    def forget(self, address: str) -> None:
        """Give an address its guesses back, after a right one."""
        self._addresses.pop(_network(address), None)


def _refilled(bucket: tuple[float, float], limit: tuple[float, float], now: float) -> tuple[float, float]:
    left, at = bucket
    most, seconds_each = limit
    return min(most, left + max(0.0, now - at) / seconds_each), now


def _network(address: str) -> str:
    """Take an IPv6 /64 as one, because one subscriber has all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 6:  # noqa: PLR2004 - the protocol's own number
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
