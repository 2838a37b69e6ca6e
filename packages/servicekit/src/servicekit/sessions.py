"""Who is logged in.

A session is 256 random bits in a cookie; kept here is only its SHA-256 and its end. The table
survives a restart in a file of its own, together with a hash of the password it belongs to:
a new password ends all sessions.

Beside them stand the marks of devices from which somebody logged in, kept in the same way and for much longer. A mark
opens nothing: who shows it has an own limit for guessing the password (OWASP, "Slow Down Online Guessing Attacks with Device
Cookies"), and does not wait because strangers guess.

How long a session lasts is counted by the monotonic clock, so that no step of the time of day ends it or lets it live
for ever. In the file stands what is left of each. What passed while the program did not run is counted by the
monotonic clock too while the machine ran on, and by the time of day after the machine itself was restarted, if it is known.

This module does not know HTTP.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
from collections import OrderedDict
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from servicekit.boot import boot_id
from servicekit.password import PasswordHash

__all__ = ["DEVICE_LIFETIME", "MOST_DEVICES", "MOST_SESSIONS", "Clock", "Sessions"]

_log = logging.getLogger(__name__)

MOST_SESSIONS = 256
"""The oldest ends when one more logs in: memory and file stay small whatever happens."""
MOST_DEVICES = 256
"""The one that logged in longest ago loses its mark."""
DEVICE_LIFETIME = 365 * 86400
"""Seconds a mark lasts after the last login."""
_SAVE_EVERY = 3600.0
"""Seconds between two notes of what is left, when sessions are used: more than this is not forgotten in a power cut."""


class Clock(Protocol):
    """What is asked for the time."""

    @property
    def known(self) -> bool:
        """Tell whether the time of day is known."""

    def monotonic(self) -> float:
        """Return seconds that only grow, also over a restart of the program, as long as the machine runs on."""

    def now(self) -> datetime:
        """Return the time of day, UTC and aware."""


class Sessions:
    """The logins that are valid now.

    Args:
        password: the password as configured: text or ``scrypt:...``.
        lifetime: seconds a login lasts.
        file: where the table survives a restart; None keeps it in memory only.
        clock: the clocks of this program.
        boot: which run of this machine it is.
    """

    def __init__(
        self, password: str, lifetime: float, file: Path | None = None, *, clock: Clock, boot: str | None = None
    ) -> None:
        self._lifetime = lifetime
        self._file = file
        self._clock = clock
        self._boot = boot_id() if boot is None else boot
        self._ends: OrderedDict[str, float] = OrderedDict()
        """Moments of the monotonic clock."""
        self._devices: OrderedDict[str, float] = OrderedDict()
        """The same of marks."""
        self._saved = clock.monotonic()
        stored, ends, devices = self._load()
        if PasswordHash.is_one(password):
            self._hash = PasswordHash.parse(password)
            known = str(self._hash) == stored
        else:
            self._hash, known = _hash_again(password, stored)
        if known:
            self._ends.update(ends)
            self._devices.update(devices)

    def password_matches(self, password: str) -> bool:
        """Compare a password somebody typed; slow on purpose, so call it in a thread."""
        return self._hash.matches(password)

    def open(self) -> str:
        """Begin a session and return its token for the cookie."""
        token = secrets.token_urlsafe(32)
        while len(self._ends) >= MOST_SESSIONS:
            self._ends.popitem(last=False)
        self._ends[_digest(token)] = self._clock.monotonic() + self._lifetime
        self._save()
        return token

    def valid(self, token: str) -> bool:
        """Tell whether a cookie's token is a session that has not ended."""
        now = self._clock.monotonic()
        end = self._ends.get(_digest(token))
        if end is None:
            return False
        if now >= end or now - self._saved >= _SAVE_EVERY:
            self._save()
        return now < end

    def close(self, token: str) -> None:
        """End a session."""
        if self._ends.pop(_digest(token), None) is not None:
            self._save()

    def mark(self, token: str) -> str:
        """Return the mark for a device that has just logged in: the one it showed if it is ours, else a new one."""
        if not self.device(token):
            token = secrets.token_urlsafe(32)
            while len(self._devices) >= MOST_DEVICES:
                self._devices.popitem(last=False)
        key = _digest(token)
        self._devices[key] = self._clock.monotonic() + DEVICE_LIFETIME
        self._devices.move_to_end(key)
        self._save()
        return token

    def device(self, token: str) -> str:
        """Return the name of the device that shows a mark; empty if the mark is not ours or has ended."""
        key = _digest(token)
        return key if self._clock.monotonic() < self._devices.get(key, 0.0) else ""

    def _load(self) -> tuple[str, dict[str, float], dict[str, float]]:
        if self._file is None:
            return "", {}, {}
        try:
            content = json.loads(self._file.read_text(encoding="utf-8"))
            ends = self._ends_of(content, "sessions", self._lifetime)
            # Version 0.1 had no marks.
            devices = self._ends_of(content, "devices", DEVICE_LIFETIME) if "devices" in content else {}
            return str(content["password"]), ends, devices
        except FileNotFoundError:
            return "", {}, {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            _log.warning("logins of the page are forgotten, %s cannot be read: %s", self._file, error)
            return "", {}, {}

    def _ends_of(self, content: dict[str, Any], table: str, lifetime: float) -> dict[str, float]:
        """Return when the sessions, or marks, of the file end, by the monotonic clock of this run."""
        now = self._clock.monotonic()
        seconds = {str(key): float(value) for key, value in content[table].items()}
        wall = self._clock.now().timestamp() if self._clock.known else None
        if "saved" not in content:  # written by version 0.1: ends by the time of day
            left = {key: end - wall if wall is not None else lifetime for key, end in seconds.items()}
        else:
            moment = content["instant"]
            saved = content["saved"]
            if self._boot and content["boot"] == self._boot and now >= float(moment):
                away = now - float(moment)
            else:
                away = max(0.0, wall - float(saved)) if wall is not None and saved is not None else 0.0
            left = {key: rest - away for key, rest in seconds.items()}
        return {key: now + min(rest, lifetime) for key, rest in left.items() if rest > 0}

    def _save(self) -> None:
        now = self._saved = self._clock.monotonic()
        for table in (self._ends, self._devices):
            for key in [key for key, end in table.items() if end <= now]:
                del table[key]
        if self._file is None:
            return
        content = json.dumps(
            {
                "password": str(self._hash),
                "boot": self._boot,
                "instant": now,
                "saved": self._clock.now().timestamp() if self._clock.known else None,
                "sessions": {key: end - now for key, end in self._ends.items()},
                "devices": {key: end - now for key, end in self._devices.items()},
            }
        )
        new = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # What lies there under this name is not ours: a link may lead anywhere, a file may be open to others.
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
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
