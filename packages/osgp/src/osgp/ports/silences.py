"""When a silent meter's level shifter is power-cycled: after repeated silence, then ever less often, for ever.

A cycle helps at once or not at all, so each that did not help doubles the pause before the next. Whatever the meter answers, the next
silence starts afresh.

This module does not know clocks, ports or ways to switch. Times are seconds of any clock that does not jump.
"""

from __future__ import annotations

__all__ = ["OFF_SECONDS", "SETTLE_SECONDS", "Silences"]

OFF_SECONDS = 1.0
"""Without power; capacitors are empty by then."""

SETTLE_SECONDS = 2.0
"""From power to the first byte."""

SILENCES = 2
"""Requests in a row that must go unanswered. One can be an optical session on the shared UART (MEP guide v1.1 p. 20)."""

FIRST_PAUSE = 10.0
LAST_PAUSE = 600.0
"""Seconds between two power cycles: doubling from the first to the last, then so for ever."""


class Silences:
    """Counts what went unanswered at one meter, and says when it is time for a power cycle."""

    def __init__(self) -> None:
        self._count = 0
        self._pause = FIRST_PAUSE
        self._not_before = float("-inf")

    def answered(self) -> None:
        """Note that the meter answered: the next silence starts afresh."""
        self._count = 0
        self._pause = FIRST_PAUSE
        self._not_before = float("-inf")

    def silent(self, now: float) -> bool:
        """Note that a request went unanswered; tell whether it is time for a power cycle."""
        self._count += 1
        return self._count >= SILENCES and now >= self._not_before

    def cycled(self, now: float) -> None:
        """Note that a power cycle begins: the next one has to wait, longer each time."""
        self._not_before = now + self._pause
        self._pause = min(2 * self._pause, LAST_PAUSE)
