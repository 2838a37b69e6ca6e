"""How long the tables are that this library does not decode, or not to their end, so that they can be read in parts.

A table longer than one answer of the MEP port (465 bytes) can be read in parts only, and a read beyond its end gives zeros
without a word (Optical guide v1.1 p. 9): without its size it cannot be read at all. Most of these are logs: a header and a
ring of entries whose size and number other tables tell, ET36 above all (MEP guide v1.1 p. 107-109).

Pages are those of the MEP guide v1.1. This module does not know what stands in these tables, nor how they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osgp.errors import TableError
from osgp.psem import table_id
from osgp.tables.load_profile import MAX_MEMORY
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Table
from osgp.tables.status.configuration import ET54

__all__ = ["SIZES", "TELLING", "Size", "size_of"]

_RING_HEADER = 6
"""Flags, valid entries, newest entry, its sequence number, unread entries (p. 213)."""
_LONG_RING_HEADER = 9
"""The same with numbers of two bytes: ET74 (p. 176-177)."""

_ET36_FIRST, _ET36_RECORD = 1, 17
_ET36_ENTRY_SIZE, _ET36_CURRENT = 2, 6
_NUMBER_BITS = 0x0FFF
"""Table number and the bit that says it is an extended one: together a table id (p. 108)."""


class _Untold(Exception):
    """A table that would tell is not there, or ends before."""


@dataclass(slots=True)
class _Known:
    """What is known of a meter: its dimensions, and tables by name."""

    dims: Dimensions
    held: Mapping[str, bytes]

    def field(self, table: Table, name: str) -> Any:
        data = self.held.get(table.name)
        if data is None:
            raise _Untold
        record = table.decode(data, self.dims)
        if name not in record:
            raise _Untold
        return record[name]

    def log(self, name: str) -> tuple[int, int]:
        """Return entry size and number of entries of a log by ET36; a log that ET36 does not list has none."""
        data = self.held.get("ET36", b"")
        if not data:
            raise _Untold
        for place in range(data[0]):
            start = _ET36_FIRST + place * _ET36_RECORD
            record = data[start : start + _ET36_RECORD]
            if len(record) < _ET36_RECORD:
                raise _Untold
            if self.number(record, 0) & _NUMBER_BITS == table_id(name):
                return self.number(record, _ET36_ENTRY_SIZE), self.number(record, _ET36_CURRENT)
        raise _Untold

    def number(self, data: bytes, at: int) -> int:
        return int.from_bytes(data[at : at + 2], "big" if self.dims.big_endian else "little")


@dataclass(frozen=True, slots=True)
class Size:
    """How long one table is.

    Args:
        formula: as the guide would write it.
        pages: of the MEP guide v1.1.
        by: tables that tell it, beside those that tell the dimensions.
        of: works it out.
    """

    formula: str
    pages: str
    by: tuple[str, ...]
    of: Callable[[_Known], int] = field(repr=False)


def _ring(name: str, pages: str) -> Size:
    def of(known: _Known) -> int:
        size, entries = known.log(name)
        return _RING_HEADER + size * entries

    return Size("6 + entry size * entries (ET36)", pages, ("ET36",), of)


def _extended_log(known: _Known) -> int:
    return _LONG_RING_HEADER + int(known.field(ET54, "et74_entries")) * known.log("ET45")[0]


SIZES: Mapping[str, Size] = {
    "ET45": _ring("ET45", "119-121"),
    "ET74": Size("9 + ET54.69 * entry size of ET45 (ET36)", "176-177", ("ET54", "ET36"), _extended_log),
}
"""By name; shorter tables without a description need none, since one answer holds them."""

TELLING: tuple[str, ...] = tuple(dict.fromkeys(name for size in SIZES.values() for name in size.by))
"""The tables that tell them, each once."""


def size_of(name: str, dims: Dimensions, held: Mapping[str, bytes]) -> int | None:
    """Return how many bytes a table has in such a meter; None if nothing that is known tells.

    Args:
        name: the guide's.
        dims: the meter's dimensions.
        held: tables of the meter by name, as many of those in ``SIZES[name].by`` as there are.

    Raises:
        TableError: what tells cannot be.
    """
    size = SIZES.get(name)
    if size is None:
        return None
    try:
        count = size.of(_Known(dims, held))
    except _Untold:
        return None
    if count > MAX_MEMORY:
        raise TableError(
            f"{name} would have {count} bytes ({size.formula}), more than any meter's memory; what tells its size was read "
            "wrongly. Read the table that tells it again"
        )
    return count
