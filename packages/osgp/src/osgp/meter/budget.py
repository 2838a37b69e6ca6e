"""The read budget: how often a meter may be asked.

The guide recommends "reading tables no more than once per second (on average)" (MEP guide v1.1 p. 51).
An average leaves room for bursts, so the budget is a token bucket. The bucket gains ``rate`` tokens a second and holds
at most ``burst``. Reading a table takes one token, however many requests that needs. If no token is left, the caller is
told how long to wait. The caller's token is reserved at once, so no later caller can take it meanwhile.

This module does not know what time it is or how to wait.
"""

from __future__ import annotations

from osgp.errors import MisuseError

__all__ = ["ReadBudget"]


class ReadBudget:
    """A token bucket for table reads.

    Args:
        rate: tables a second on average; the guide's recommendation by default.
        burst: how many tables may be read at once after a quiet time; the default is enough to find out who a
            meter is and how large its tables are.
    """

    __slots__ = ("_burst", "_rate", "_tokens", "_updated")

    def __init__(self, rate: float = 1.0, burst: int = 30) -> None:
        if rate <= 0 or burst < 1:
            msg = "a read budget needs a rate above 0 and a burst of 1 or more"
            raise MisuseError(msg)
        self._rate = rate
        self._burst = float(burst)
        self._tokens = float(burst)
        self._updated: float | None = None

    def available(self, now: float) -> float:
        """Return how many reads could be made at once; below zero if some are waiting."""
        if self._updated is not None:
            return min(self._burst, self._tokens + (now - self._updated) * self._rate)
        return self._tokens

    def take(self, now: float) -> float:
        """Take the token of one read and return the seconds to wait before making it."""
        self._tokens = self.available(now) - 1.0
        self._updated = now
        return max(0.0, -self._tokens / self._rate)
