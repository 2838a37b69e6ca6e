"""How Business Central answers at the moment, and how long to wait after it did not.

Waiting times grow, and chance changes each a little, so that many processors that lost the same server do not all come back at
the same moment. A pause that the server asks for (Retry-After) is kept. Trying never ends: each outcome has to be reported some day.

This module makes no calls; it is told how they ended.
"""

from __future__ import annotations

import enum
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from piprint.clock import utc_now
from piprint.errors import BcDenied, BcError, BcThrottled, BcUnreachable

__all__ = ["Connection", "ConnectionState", "pause_after"]


class ConnectionState(enum.StrEnum):
    """For people and monitoring."""

    UNKNOWN = "unknown"  # nothing was asked yet
    OK = "ok"
    AWAY = "away"
    THROTTLED = "throttled"
    DENIED = "denied"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class _Pace:
    """Waiting times of a kind of trouble, in seconds."""

    first: float
    limit: float


_AWAY = _Pace(1, 30)
_DENIED = _Pace(30, 300)
"""A wrong secret does not mend itself, and too many wrong logins lock an account."""
_REFUSED = _Pace(5, 600)
_SAID_EVERY = 600.0
"""Seconds between two times that the log says the same of Business Central."""


def _sort(error: BcError) -> tuple[ConnectionState, _Pace]:
    if isinstance(error, BcUnreachable):
        return ConnectionState.AWAY, _AWAY
    if isinstance(error, BcThrottled):
        return ConnectionState.THROTTLED, _AWAY
    if isinstance(error, BcDenied):
        return ConnectionState.DENIED, _DENIED
    return ConnectionState.REFUSED, _REFUSED


def pause_after(error: BcError, failures: int, rng: random.Random) -> float:
    """Return how many seconds to wait after the ``failures``-th failure in a row (from 1)."""
    if isinstance(error, BcThrottled) and error.retry_after is not None:
        return error.retry_after + rng.uniform(0, 0.5)
    _, pace = _sort(error)
    return float(min(pace.first * 2 ** min(failures - 1, 20), pace.limit) * rng.uniform(0.75, 1.25))


class Connection:
    """What the last calls of the poll loop said of Business Central.

    Args:
        rng: blurs waiting times.
        now: the time of day, UTC; for people.

    Attributes:
        state: see :class:`ConnectionState`.
        message: for people; "" when all is well.
        failures: failed calls in a row.
        next_try: when it is asked again after a failed call, UTC; None while it answers.
    """

    def __init__(self, rng: random.Random, now: Callable[[], datetime] = utc_now) -> None:
        self._rng = rng
        self._now = now
        self.state = ConnectionState.UNKNOWN
        self.message = ""
        self.failures = 0
        self.next_try: datetime | None = None
        self._told = ""
        self._told_at = -math.inf
        self._telling = False

    def is_news(self, now: float) -> bool:
        """Tell whether to log this failure: one that comes and goes is logged only now and then.

        Args:
            now: seconds of a clock that never goes back.
        """
        if self.failures != 1 or (self.message == self._told and now - self._told_at < _SAID_EVERY):
            return False
        self._told, self._told_at, self._telling = self.message, now, True
        return True

    def is_relief(self) -> bool:
        """Tell whether to log that it answers again: it was logged that it did not."""
        telling, self._telling = self._telling, False
        return telling

    def succeeded(self) -> None:
        """Note an answer."""
        self.failures = 0
        self.next_try = None
        self.state, self.message = ConnectionState.OK, ""

    def failed(self, error: BcError) -> float:
        """Note a failure; return how long to wait, in seconds."""
        self.failures += 1
        self.state, self.message = _sort(error)[0], str(error)
        pause = pause_after(error, self.failures, self._rng)
        self.next_try = self._now() + timedelta(seconds=pause)
        return pause
