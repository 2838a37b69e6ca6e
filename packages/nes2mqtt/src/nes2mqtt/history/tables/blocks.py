"""Present values of one meter, packed: what it showed between two commits, as one row of the database.

Readings that follow each other differ little, so a block holds differences, column by column, each column in
as few bytes as its largest difference needs, and all of it compressed: some 25 bytes a reading instead of 190.

::

    number of readings | times | column of the first source | column of the second ...      (zlib)

A column is one byte that tells its kind, its first value (8 bytes) and the differences of the values to those
before them. Readings in which a source was absent are marked: a byte for each reading says whether it has one.
All integers are little-endian.

This module does not know the database.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

__all__ = ["BadBlock", "pack", "unpack"]

Row = tuple[int, Sequence[int | None]]
"""Time in ms, and a value (None: absent) for each source of the layout."""

_COUNT = struct.Struct("<I")
_FIRST = struct.Struct("<q")
_WIDTHS = "bhiq"
_LIMITS = {"b": 1 << 7, "h": 1 << 15, "i": 1 << 31}
_GAPS = 0x80
_CONSTANT = 0
_LEVEL = 6


class BadBlock(Exception):
    """A block cannot be read: its bytes are damaged.

    Args:
        text: what is wrong.
        block: its number, where that is known.
    """

    def __init__(self, text: str, block: int | None = None) -> None:
        super().__init__(text)
        self.block = block


def pack(rows: Sequence[Row]) -> bytes:
    """Return the readings as bytes. There is at least one, and all have as many values as the layout has sources."""
    parts = [_COUNT.pack(len(rows))]
    _pack_column(parts, [at for at, _ in rows])
    for column in zip(*(values for _, values in rows), strict=True):
        _pack_column(parts, column)
    return zlib.compress(b"".join(parts), _LEVEL)


def unpack(data: bytes, width: int) -> list[tuple[int, tuple[int | None, ...]]]:
    """Return time and values of each reading in it; ``width`` is the number of sources of its layout.

    Raises:
        BadBlock: the bytes are damaged.
    """
    try:
        plain = zlib.decompress(data)
        (count,) = _COUNT.unpack_from(plain)
        place = _COUNT.size
        columns = []
        for _ in range(1 + width):
            column, place = _unpack_column(plain, place, count)
            columns.append(column)
        return [(at or 0, values) for at, *rest in zip(*columns, strict=True) for values in (tuple(rest),)]
    except (zlib.error, struct.error, ValueError, IndexError) as error:
        raise BadBlock(str(error)) from error


def _pack_column(parts: list[bytes], column: Sequence[int | None]) -> None:
    there = [value for value in column if value is not None]
    gaps = _GAPS if len(there) < len(column) else 0
    steps = [later - earlier for earlier, later in pairwise(there)]
    most = max(map(abs, steps), default=0)
    kind = _CONSTANT if most == 0 else 1 + next((place for place, w in enumerate(_WIDTHS[:3]) if most < _LIMITS[w]), 3)
    parts.append(bytes((kind | gaps,)))
    if gaps:
        parts.append(bytes(value is not None for value in column))
    parts.append(_FIRST.pack(there[0] if there else 0))
    if kind:
        parts.append(_little(array(_WIDTHS[kind - 1], steps)).tobytes())


def _unpack_column(plain: bytes, place: int, count: int) -> tuple[Sequence[int | None], int]:
    kind, there = plain[place] & ~_GAPS, count
    place += 1
    marks = b""
    if plain[place - 1] & _GAPS:
        marks = plain[place : place + count]
        there = sum(marks)
        place += count
    (first,) = _FIRST.unpack_from(plain, place)
    place += _FIRST.size
    if kind == _CONSTANT:
        values: Sequence[int] = [first] * there
    else:
        steps = array(_WIDTHS[kind - 1])
        length = max(0, there - 1) * steps.itemsize
        steps.frombytes(plain[place : place + length])
        place += length
        values = list(accumulate(_little(steps), initial=first))
    if len(values) != there:
        raise ValueError("a column ends early")
    if not marks:
        return values, place
    following = iter(values)
    return [next(following) if mark else None for mark in marks], place


def _little(steps: array[int]) -> array[int]:
    if sys.byteorder == "big":
        steps.byteswap()
    return steps
