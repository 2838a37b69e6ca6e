"""When to read what: a fixed grid per job, so that reads neither drift nor bunch up after a delay.

Each job is due at ``start + n * period``. A job that was late is done once and goes on with
the next point of its grid; missed points are not made up for, because the meter's read budget
(MEP guide v1.1, p. 51: one table read a second on average) is not ours to catch up on.

This module does not know a clock: times are seconds of whatever clock the caller has.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["Pace", "Schedule"]

Job = TypeVar("Job", bound=Hashable)

_READS = 30
"""Reads over which it is looked whether a table comes as often as it should."""
_SLOW = 1.5
"""So many times longer than wanted is told."""


class Schedule(Generic[Job]):
    """Jobs and when each is due.

    Args:
        periods: seconds between two runs, per job; the order decides when several are due together.
        start: when all of them are due first.
    """

    def __init__(self, periods: Mapping[Job, float], start: float) -> None:
        self._periods = dict(periods)
        self._due = dict.fromkeys(periods, start)

    def next(self) -> tuple[Job, float]:
        """Return the job that is due first, and when."""
        job = min(self._due, key=self._due.__getitem__)
        return job, self._due[job]

    def done(self, job: Job, now: float) -> None:
        """Note that a job was done (or given up) and is due again at its next grid point."""
        period = self._periods[job]
        due = self._due[job] + period
        if due <= now:
            due += (now - due) // period * period + period
        self._due[job] = due

    def soon(self, job: Job, when: float) -> None:
        """Bring a job forward; its grid stays."""
        self._due[job] = min(self._due[job], when)

    def postpone(self, job: Job, when: float) -> None:
        """Put a job off; its grid starts there."""
        self._due[job] = when


class Pace:
    """How often a table is really read.

    Args:
        wanted: seconds between two reads.
    """

    def __init__(self, wanted: float) -> None:
        self.wanted = wanted
        self._begin: float | None = None
        self._count = 0
        self._said = False

    def restart(self) -> None:
        """Begin to count anew: the meter was silent meanwhile."""
        self._begin = None

    def done(self, now: float) -> float | None:
        """Note a read; return the seconds between two, once, if they are far more than wanted."""
        if self._begin is None:
            self._begin, self._count = now, 0
            return None
        self._count += 1
        if self._count < _READS:
            return None
        seconds = (now - self._begin) / self._count
        self._begin, self._count = now, 0
        slow = seconds > _SLOW * self.wanted
        said, self._said = self._said, self._said or slow
        return seconds if slow and not said else None
