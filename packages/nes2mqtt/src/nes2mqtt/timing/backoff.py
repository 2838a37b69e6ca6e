"""How long to wait before trying again: longer each time, up to a limit, for ever.

This module does not wait; it only counts.
"""

from __future__ import annotations

__all__ = ["Backoff"]


class Backoff:
    """Waiting times ``first``, ``first * factor``, ... at most ``limit`` seconds."""

    def __init__(self, first: float, limit: float, factor: float = 2.0) -> None:
        self._first = first
        self._limit = limit
        self._factor = factor
        self._next = first

    def next(self) -> float:
        """Return the time to wait now, in seconds."""
        wait = self._next
        self._next = min(self._next * self._factor, self._limit)
        return wait

    def reset(self) -> None:
        """Start again from the first waiting time: it worked."""
        self._next = self._first
