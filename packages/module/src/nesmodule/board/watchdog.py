"""Feeds the chip's watchdog as long as everything that must go on does; then the chip begins again.

Each task that must go on says so itself. One that hangs, or that ended without a word, is late sooner or later, and then nobody feeds.

This module does not know the chip: what feeds is handed in.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Watchdog"]

_LAG = 5000


class Watchdog:
    """Watches tasks.

    Args:
        feed: feeds the chip's watchdog.
        now: gives milliseconds that only grow.
    """

    def __init__(self, feed: Callable[[], None], now: Callable[[], int]) -> None:
        self._feed = feed
        self._now = now
        self._until: dict[str, int] = {}
        self._ticked = now()

    def alive(self, task: str, patience: int) -> None:
        """Note that a task goes on; it says so again within so many milliseconds."""
        self._until[task] = self._now() + patience

    def tick(self) -> str:
        """Feed, if all is well; return which task is late, or ``loop`` when this was not called for long. Call it each second."""
        now = self._now()
        lag, self._ticked = now - self._ticked, now
        if lag > _LAG:
            return "loop"
        for task, until in self._until.items():
            if now > until:
                return task
        self._feed()
        return ""
