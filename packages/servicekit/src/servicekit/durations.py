"""Durations as people say them.

This module does not know what lasts so long.
"""

from __future__ import annotations

__all__ = ["about"]

_UNITS = (("year", 365.2425 * 86400), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0))


def about(seconds: float) -> str:
    """Write a duration in its largest unit, such as ``3 hours``; seconds when it is less than a minute."""
    for unit, length in _UNITS:
        count = round(seconds / length)
        if seconds >= 0.95 * length:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{round(seconds)} seconds"
