"""When a job of another processor may be taken over: when it gave no sign of life for the length of a lease.

Our extension says until when a lease lasts, by Business Central's clock; it checks that itself when a job is claimed, so a
wrong clock here costs a refused call at most. PIPrint 1.0 has no such field: its processors change the job's message as a
sign of life, and a message that stayed the same for a whole lease *by our own clock* means that its writer is gone.

Pure: rows and times go in, rows come out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from piprint.bc.job import JobRow

__all__ = ["LeaseWatch"]

_GRACE = timedelta(seconds=2)


@dataclass(slots=True)
class _Watched:
    sign: tuple[object, ...]
    since: float
    tried: bool = False


class LeaseWatch:
    """Watches jobs others have.

    Args:
        seconds: the length of a lease.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._watched: dict[int, _Watched] = {}

    def abandoned(self, rows: Iterable[JobRow], now: float, wall: datetime) -> list[JobRow]:
        """Return the jobs that may be taken over; each again only after another lease.

        Args:
            rows: all jobs in state Printing that are not in our hands.
            now: seconds of a clock that never goes back.
            wall: the time of day.
        """
        listed = {row.row_no: row for row in rows}
        self._watched = {row_no: seen for row_no, seen in self._watched.items() if row_no in listed}
        return [row for row in listed.values() if self._is_abandoned(row, now, wall)]

    def _is_abandoned(self, row: JobRow, now: float, wall: datetime) -> bool:
        sign = (row.claim, row.message, row.lease_until)
        seen = self._watched.get(row.row_no)
        if seen is None or seen.sign != sign:
            seen = self._watched[row.row_no] = _Watched(sign, now)
        over = row.lease_until is not None and wall >= row.lease_until + _GRACE and not seen.tried
        if not over and now - seen.since < self._seconds:
            return False
        seen.since, seen.tried = now, True
        return True
