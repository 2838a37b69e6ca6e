"""Reading by a layout that is confirmed behind the bytes, and again where it was not.

This module does not know which tables somebody wants.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from osgp.errors import LinkError, TablesChanging
from osgp.meter.layout import ROUNDS, ConfirmedLayout
from osgp.meter.reader import TableReader
from osgp.sources import Source
from osgp.tables import Dimensions
from osgp.tables.schema.windows import Plan, Window
from osgp.tables.survey import SURVEYED

__all__ = ["ConfirmedReader"]

_T = TypeVar("_T")

ONE_MOMENT = 10.0
"""Seconds from the first part of a table to its confirmation; what took longer, on a bad line, is read again. So what
is given out is of now, and its parts belong together."""


class _Readout(Protocol):
    """What :mod:`osgp.tables.registers` and :mod:`osgp.tables.present` have in common."""

    def sources(self, dims: Dimensions) -> tuple[Source, ...]: ...
    def window(self, dims: Dimensions, wanted: Iterable[Source]) -> Window: ...
    def decode(self, data: bytes, dims: Dimensions, *, offset: int = 0) -> dict[Source, int]: ...


class ConfirmedReader:
    """Reads of one connection's meter what may be decoded.

    Args:
        reader: reads.
        layout: says by which layout, and whether it held.
    """

    def __init__(self, reader: TableReader, layout: ConfirmedLayout) -> None:
        self._reader = reader
        self._layout = layout

    async def values(self, table: int, readout: _Readout, by: Sequence[str]) -> dict[Source, int]:
        """Read all measured values of a table. Raises as :meth:`read`."""

        async def read(dims: Dimensions) -> tuple[list[tuple[int, bytes]], Dimensions]:
            plan = dims.cache.get(("values", table))
            if not isinstance(plan, Plan):
                plan = Plan(readout.window(dims, [source]) for source in readout.sources(dims))
                dims.cache["values", table] = plan
            return await self._reader.plan(table, plan), dims

        parts, dims = await self.read(read, by)
        values: dict[Source, int] = {}
        for offset, data in parts:
            values.update(readout.decode(data, dims, offset=offset))
        return values

    async def read(self, read: Callable[[Dimensions], Awaitable[_T]], by: Sequence[str] = SURVEYED) -> _T:
        """Read by the meter's layout until it is confirmed that the layout was right when the bytes were read.

        Args:
            read: reads by a layout.
            by: the tables that say how what is read is laid out.

        Raises:
            TablesChanging: it was not, again and again.
            OsgpError: see :meth:`osgp.meter.layout.ConfirmedLayout.holds`.
        """
        async with self._reader.turn():
            self._layout.raise_if_swapped()
            for _ in range(ROUNDS):
                dims = await self._layout.current()
                self._reader.answered_at = None
                found = await read(dims)
                if await self._confirm(by) and self._reader.age() <= ONE_MOMENT:
                    return found
        raise TablesChanging(
            "the meter's tables changed again and again while they were read, or the line was too slow to confirm what "
            "was read, so nothing is given out. They are read again; check the line if this goes on"
        )

    async def _confirm(self, by: Sequence[str]) -> bool:
        """Ask the layout whether it holds; once more when the answer is lost, which is no reason to lose the values."""
        try:
            return await self._layout.holds(by)
        except LinkError:
            if self._reader.age() > ONE_MOMENT:
                raise
        return await self._layout.holds(by)
