"""Rows that are not tried again for a while, longer each time, as they could not be claimed or Business Central refused them.

Pure: row numbers and times go in. This module does not know why a row is put off.
"""

from __future__ import annotations

__all__ = ["DeferredRows"]

_FIRST, _LONGEST = 5.0, 600.0
"""Seconds a row is left alone: at first, at most; that long after its time is over, it begins at the first again."""


class DeferredRows:
    """The rows that are left alone. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[float, float]] = {}

    def put(self, row_no: int, now: float) -> None:
        """Leave a row alone; twice as long as the last time."""
        self._rows = {known: (until, pause) for known, (until, pause) in self._rows.items() if now < until + _LONGEST}
        _, last = self._rows.get(row_no, (0.0, 0.0))
        pause = min(max(last * 2, _FIRST), _LONGEST)
        self._rows[row_no] = (now + pause, pause)

    def has(self, row_no: int, now: float) -> bool:
        """Tell whether a row is left alone now."""
        return row_no in self._rows and now < self._rows[row_no][0]

    def forget(self, row_no: int) -> None:
        """Begin anew with a row: all went well."""
        self._rows.pop(row_no, None)

    def count(self, now: float) -> int:
        """Return how many rows are left alone now."""
        return sum(now < until for until, _ in self._rows.values())
