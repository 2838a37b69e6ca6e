"""How long a job has been printing without a sign of progress.

These are signs of progress: more sides, sheets or kilobytes done than ever before, or a state, reason or message that
this job did not have before. A repeated state or message is not a sign, because a backend that hangs may say
"connecting" and "waiting" in turn for ever. Time in which the printer waits for something (paper, another job) does not
count here, because it has a limit of its own.

The functions are pure: times and what the printer says are arguments. This module does not know what follows from the
result.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

__all__ = ["Progress", "allowance", "without_counts"]

_MOST_SIGNS = 200
"""At most so many states and messages count as signs. A message that counts seconds would otherwise be new for ever; a
message with percents has only a hundred forms."""
_PER_PAGE = 20.0
"""Seconds a slow printer takes for a page: 3 a minute."""
_PER_MEGABYTE = 60.0
"""Seconds a slow computer takes to make a megabyte of PDF ready for a printer."""


class Progress:
    """How long one job has shown no progress. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._counts: tuple[int, ...] = ()
        self._signs: set[Hashable] = set()
        self._seconds = 0.0
        self._at: float | None = None

    def note(self, now: float, counts: Sequence[int], sign: Hashable, *, waits: bool) -> float:
        """Take in what the printer says of the job.

        Args:
            now: the time.
            counts: what the printer has done of the job so far: sides, sheets, kilobytes; always in the same order.
            sign: the job's state, reasons and message.
            waits: the printer does not print the job now, and says why.

        Returns:
            For how many seconds the job has been printing without a sign of progress.
        """
        since, self._at = self._at, now
        more = len(counts) != len(self._counts) or any(new > old for new, old in zip(counts, self._counts, strict=True))
        fresh = sign not in self._signs and len(self._signs) < _MOST_SIGNS
        if more:
            self._counts = tuple(counts)
        if fresh:
            self._signs.add(sign)
        if more or fresh:
            self._seconds = 0.0
        elif since is not None and not waits:
            self._seconds += now - since
        return self._seconds

    def interrupt(self) -> None:
        """Note that the printer could not be asked for a while: that time says nothing about the job."""
        self._at = None


def allowance(size: int, sheets: int) -> float:
    """Return how many extra seconds a large document may print without reporting progress.

    Some queues do not report how many pages they have printed, so for them a long job looks as if it stood still.

    Args:
        size: bytes of the document.
        sheets: pages times copies; 0 when not known.
    """
    return sheets * _PER_PAGE + size / 1e6 * _PER_MEGABYTE


def without_counts(text: str) -> str:
    """Return a text with all numbers replaced by "#": a message that counts seconds or sheets then stays the same."""
    return re.sub(r"\d+(?:[.,]\d+)*", "#", text)
