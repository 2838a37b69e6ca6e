"""The time of day, as far as it is known: told by a server, kept by the milliseconds since the start.

One answer alone never sets the clock, nor moves it by more than a minute: the next one must say the same. Until then the time is unknown.

This module does not know who tells it.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["TimeOfDay"]

_DRIFT = 60_000
"""A quartz that is off by 50 parts in a million is off by 30 s in a week."""
_SAME = 5000


class TimeOfDay:
    """A clock.

    Args:
        now: gives milliseconds since the start that only grow.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._start = 0
        self._doubted = 0
        """Milliseconds since 1970 at the start: as believed, and as one answer said that nobody confirmed; 0: unknown."""

    def now(self) -> int:
        """Return milliseconds since 1970, 0 while the time is unknown."""
        return self._start and self._start + self._now()

    def take(self, told: int) -> bool:
        """Take an answer; tell whether it is believed."""
        start = told - self._now()
        if (self._start and abs(start - self._start) <= _DRIFT) or (
            self._doubted and abs(start - self._doubted) <= _SAME
        ):
            self._start, self._doubted = start, 0
            return True
        self._doubted = start
        return False
