"""How long a job has been printing without a sign of progress.

A sign is: more sides, sheets or kilobytes done than ever before, or a state, reason or message that this job did not have before.
To repeat an earlier one is no sign: a backend that hangs may say "connecting" and "waiting" in turn for ever. Time in which the
printer waits for something (paper, another job) does not count here: it has a limit of its own.

Pure: what the printer says and times go in. This module does not know what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence

__all__ = ["Progress", "allowance", "without_counts"]

_MOST_SIGNS = 200
"""States and messages that count; a message that counts seconds would be new for ever, one with percents has a hundred."""
_PER_PAGE = 20.0
"""Seconds a slow printer takes for a page: 3 a minute."""
_PER_MEGABYTE = 60.0
"""Seconds a slow computer takes to make a megabyte of PDF ready for a printer."""


class Progress:
    """One job's silence. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self._counts: tuple[int, ...] = ()
        self._signs: set[Hashable] = set()
        self._seconds = 0.0
        self._at: float | None = None

    def note(self, now: float, counts: Sequence[int], sign: Hashable, *, waits: bool) -> float:
        """Take in what the printer says of the job.

        Args:
            now: the time.
            counts: what it has done so far: sides, sheets, kilobytes; always in the same order.
            sign: its state, reasons and message.
            waits: it does not print at all now, and it is told why.

        Returns:
            For how many seconds it has been printing without a sign of progress.
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
    """Return how many seconds more a large document may be silent: not every queue counts what it has printed.

    Args:
        size: bytes.
        sheets: pages times copies; 0 when not known.
    """
    return sheets * _PER_PAGE + size / 1e6 * _PER_MEGABYTE


def without_counts(text: str) -> str:
    """Return a text with its numbers made equal: a message that counts seconds or sheets says the same all the time."""
    return re.sub(r"\d+(?:[.,]\d+)*", "#", text)
