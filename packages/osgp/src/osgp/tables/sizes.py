"""How long the tables are that this library does not declare, so that they can be read in parts: none any more.

A table longer than one answer of the MEP port (465 bytes) can be read in parts only, and a read beyond its end gives zeros
without a word (Optical guide v1.1 p. 9): without its size it cannot be read at all.

Pages are those of the MEP guide v1.1. This module does not know what stands in these tables, nor how they are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Table

__all__ = ["SIZES", "TELLING", "Size", "size_of"]


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


SIZES: Mapping[str, Size] = {}
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
        return size.of(_Known(dims, held))
    except _Untold:
        return None
