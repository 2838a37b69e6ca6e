"""Which parts of a table to ask for, so that no value is torn between two answers.

A meter's values change between two requests. Where a table takes several, each value must therefore lie wholly in
one of them. A *window* is the offset and count of one partial read.

This module does not know what the values mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Plan", "Window", "windows"]

Window = tuple[int, int]
"""Offset and count of a partial read."""


class Plan:
    """How to read some pieces of a table; works out each set of windows once.

    Args:
        pieces: offset and count of each value.
    """

    __slots__ = ("_found", "_pieces")

    def __init__(self, pieces: Iterable[Window]) -> None:
        self._pieces = tuple(pieces)
        self._found: dict[int, Sequence[Window]] = {}

    def within(self, limit: int) -> Sequence[Window]:
        """Return the windows of at most ``limit`` bytes."""
        found = self._found.get(limit)
        if found is None:
            found = self._found[limit] = tuple(windows(self._pieces, limit))
        return found


def windows(pieces: Iterable[Window], limit: int) -> list[Window]:
    """Return the fewest windows of at most ``limit`` bytes, in order, that cover the pieces without tearing one.

    Gaps between pieces are read over where that saves a request. A piece longer than the limit is
    cut up; only texts, bitmaps and arrays are so long.
    """
    found: list[Window] = []
    start = end = -1
    for offset, count in sorted(_cut(pieces, limit)):
        if start >= 0 and offset + count - start <= limit:
            end = max(end, offset + count)
            continue
        if start >= 0:
            found.append((start, end - start))
        start, end = offset, offset + count
    if start >= 0:
        found.append((start, end - start))
    return found


def _cut(pieces: Iterable[Window], limit: int) -> Iterator[Window]:
    for offset, count in pieces:
        for done in range(0, count, limit):
            yield offset + done, min(limit, count - done)
