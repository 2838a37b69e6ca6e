"""When to read what: a fixed grid per job, so that reads neither drift nor bunch up after a delay.

Each job is due at ``start + n * period``. A job that was late is done once and goes on with
the next point of its grid; missed points are not made up for, because the meter's read budget
(MEP guide v1.1, p. 51: one table read a second on average) is not ours to catch up on.

This module does not know a clock: times are seconds of whatever clock the caller has.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

__all__ = ["Schedule"]

Job = TypeVar("Job", bound=Hashable)


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
