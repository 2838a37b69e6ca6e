"""A moment: when something happened, for durations and for people.

This module does not know any clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Moment"]


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened: a moment for durations, and its label."""

    label: datetime
    """UTC, aware; a mere guess while :attr:`known` is False."""
    instant: float | None = None
    """By :attr:`nes2mqtt.timing.clock.Clock.monotonic`; None for what happened before this program started."""
    known: bool = True
    """Whether the time of day was known."""
