"""Which entries of the journal are old. Age is counted in hours in which a processor ran: to set a clock deletes nothing.

After :data:`KEEP_DAYS` of running a reported job loses its names (title and company); the last :data:`KEEP_LAST` jobs stay without them,
so that they are recognised if CUPS has one again after a restart. All others are deleted. Runs on the journal's thread.

This module does not know what the other columns mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import suppress

__all__ = ["KEEP_DAYS", "KEEP_JOBS", "KEEP_LAST", "Ageing"]

KEEP_DAYS = 30
"""Days of running for which a reported job stays whole."""
KEEP_JOBS = 10_000
"""Reported jobs kept at most; about 5 MB."""
KEEP_LAST = 1_000
"""Reported jobs kept however old they are, without names: after weeks of holidays CUPS may come back with the last it had."""
PRUNE_EVERY = 256
"""Reports between two looks at what is too old; there is also one each day on which something is reported."""
_HOUR = 3600.0
_DAY = 24
_HOURS_NAME = "hours"


class Ageing:
    """The age of one journal and of the jobs in it.

    Args:
        database: the open journal.
        seconds: seconds that only grow.

    Raises:
        sqlite3.Error, ValueError, TypeError: what stands there is none of what we write.
    """

    def __init__(self, database: sqlite3.Connection, seconds: Callable[[], float]) -> None:
        self._database = database
        self._seconds = seconds
        query = "SELECT coalesce(max(reported_hour), 0), coalesce(max(reported_no), 0) FROM job"
        hours, self._last_no = database.execute(query).fetchone()
        written = database.execute("SELECT value FROM meta WHERE name = ?", (_HOURS_NAME,)).fetchone()
        self._before = max(float(hours), float(written[0]) if written else 0.0)
        self._opened_at = seconds()
        self._written = self._before
        self._looked = self._before
        self._reports = 0

    def hours(self) -> float:
        """Return for how many hours this journal was in use."""
        return self._before + (self._seconds() - self._opened_at) / _HOUR

    def write(self, *, at_least: float = 0.0) -> None:
        """Write the hours down, if there are so many new ones; as a part of the transaction that is open, if one is."""
        hours = self.hours()
        if hours - self._written >= at_least:
            self._database.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_HOURS_NAME, f"{hours:.4f}"))
            self._written = hours

    def write_at_end(self) -> None:
        """Write the hours down; a disk that fails costs only them."""
        with suppress(sqlite3.Error):
            self.write()

    def reported(self, row_no: int, attempt: int) -> None:
        """Note when a job was reported, in order and in hours of running, so that setting a clock changes neither."""
        self._last_no += 1  # a number whose commit fails stays free
        values = (self._last_no, int(self.hours()), row_no, attempt)
        self._database.execute(
            "UPDATE job SET reported_no = ?, reported_hour = ? WHERE row_no = ? AND attempt = ?", values
        )
        self._reports += 1
        if self._reports % PRUNE_EVERY == 0 or self.hours() - self._looked >= _DAY:
            self.prune()

    def prune(self) -> None:
        """Remove the names from old entries, and delete them except the last ones; delete what exceeds the limit."""
        self._looked = self.hours()
        oldest = int(self._looked) - KEEP_DAYS * _DAY
        ranked = (
            "SELECT row_no, attempt, reported_hour, title <> '' OR company <> '' FROM job WHERE step = 'reported' "
            "ORDER BY reported_no DESC, changed DESC"
        )
        for place, (row_no, attempt, hour, named) in enumerate(self._database.execute(ranked).fetchall()):
            if place >= KEEP_JOBS or (place >= KEEP_LAST and hour < oldest):
                self._database.execute("DELETE FROM job WHERE row_no = ? AND attempt = ?", (row_no, attempt))
            elif hour < oldest and named:
                forget = "UPDATE job SET title = '', company = '' WHERE row_no = ? AND attempt = ?"
                self._database.execute(forget, (row_no, attempt))
