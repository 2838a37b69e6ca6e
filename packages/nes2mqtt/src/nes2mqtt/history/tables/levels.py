"""The kinds of roll-up: which bucket a moment lies in, and which table holds it.

This module does not know what is rolled up.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DAYS", "HOURS", "LEVELS", "MINUTES", "NEAR", "QUARTERS", "Level"]


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of roll-up.

    Args:
        table: its table.
        step: length of a bucket in ms.
    """

    table: str
    step: int

    def floor(self, time: int) -> int:
        """Return the start of the bucket a moment (ms) is in."""
        return time // self.step * self.step


MINUTES = Level("minute_rollups", 60_000)
"""Kept for ``keep_minutes_days``; all others for ever."""
QUARTERS = Level("quarter_rollups", 900_000)
"""Every time zone's days begin on one."""
HOURS = Level("hour_rollups", 3_600_000)
DAYS = Level("day_rollups", 86_400_000)
LEVELS = (MINUTES, QUARTERS, HOURS, DAYS)
NEAR = 90_000
"""Milliseconds by which the readings at the edges of a period may be off and the period still counts as complete."""
