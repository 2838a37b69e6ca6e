"""Counts wrong guesses: after five in a row everybody waits a minute, then two, up to an hour.

One right guess begins anew, and so does a day without a wrong one. Each door has a count of its own: who is locked out of one is not locked out of the other.

This module does not know what is guessed.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["FREE", "Guesses"]

FREE = 5
_FIRST_PAUSE, _LAST_PAUSE = 60_000, 3_600_000
_FORGOTTEN = 86_400_000


class Guesses:
    """Says whether another guess may be made.

    Args:
        now: gives milliseconds that only grow.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._wrong = 0
        self._last = 0
        self._until = 0
        self._pause = _FIRST_PAUSE

    def wait(self) -> int:
        """Return the milliseconds until the next guess may be made; 0: now."""
        return max(0, self._until - self._now())

    def wrong(self) -> None:
        """Note a wrong guess."""
        now = self._now()
        if now - self._last > _FORGOTTEN:
            self.right()
        self._last = now
        self._wrong += 1
        if self._wrong >= FREE:
            self._until = now + self._pause
            self._pause = min(2 * self._pause, _LAST_PAUSE)

    def right(self) -> None:
        """Note a right one."""
        self._wrong = self._until = 0
        self._pause = _FIRST_PAUSE
