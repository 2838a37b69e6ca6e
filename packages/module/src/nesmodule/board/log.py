"""What happened lately: the last lines, in memory. Whoever writes must not write secrets.

This module does not know who reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

__all__ = ["Log"]

_ROOM, _EACH = 2048, 16
"""Bytes of all lines, and what each takes beside its text: a heap of 100 kB has no more for them."""
_LONGEST = 96


class Log:
    """A ring of lines.

    Args:
        now: gives milliseconds since the start.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._lines: list[bytes] = []
        self._last = ""
        self._again = 0

    def note(self, text: str) -> None:
        """Add a line; one that only says again what the last one said is counted there."""
        if text == self._last and self._lines:
            self._again += 1
            text = "%s (%d more)" % (text[: _LONGEST - 16], self._again)
            self._lines.pop()
        else:
            self._last, self._again = text, 0
        line = "%d %s" % (self._now() // 1000, text[:_LONGEST].replace("\n", " "))
        self._lines.append(line.encode())
        while sum([len(line) + _EACH for line in self._lines]) > _ROOM:
            self._lines.pop(0)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, the oldest first: seconds since the start, text."""
        for line in list(self._lines):
            yield line + b"\n"
