"""Tables as bytes from an open connection: one request or several, long or short, whole or in parts.

A table counts once in the read budget, however many requests it takes, and its parts follow each other at once: values
that belong together, such as a power and its phases, then come from one moment. The budget is asked by
:meth:`TableReader.turn`, before the first request of a table.

This module does not know when to read what, nor what the bytes mean beyond the size of a table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from osgp.errors import KeyRejected, LinkError, MeterRefused
from osgp.meter.budget import ReadBudget
from osgp.ports.connection import Connection
from osgp.psem import PartialRead, Read, Request, Response, ResponseCode
from osgp.tables import Dimensions, Table
from osgp.tables.schema.windows import Plan, Window

__all__ = ["FIXED_SIZE", "SAFE_READ", "TableReader"]

FIXED_SIZE = Dimensions()
"""The dimensions of tables whose size depends on none; one object, so that their layout is compiled once."""

SAFE_READ = 100
"""Bytes that every generation gives in one partial read. Clients in the field found that generation 4 meters refuse
some longer reads, with 0x0B or 0x0C; the guide knows of no limit but that of the frame."""

_FINAL = frozenset({ResponseCode.INAPPROPRIATE_ACTION, ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE})
"""Refusals that no other way of asking for the same table changes."""

_WIDE_FAILURES = 2
"""Long reads that must fail where short ones succeed: one may have met noise."""


class _Turn:
    """See :meth:`TableReader.turn`. Not made of a generator, which costs three times as much: there is one for each table that is read."""

    __slots__ = ("_lock", "_reader", "_reads")

    def __init__(self, reader: TableReader, lock: asyncio.Lock, *, reads: bool) -> None:
        self._reader, self._lock, self._reads = reader, lock, reads

    async def __aenter__(self) -> None:
        if self._reads:
            await self._reader.allow()
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


class TableReader:
    """Reads tables of one connection.

    Args:
        connection: to the meter.
        budget: how often to read; None for no limit.
    """

    def __init__(self, connection: Connection[Any], budget: ReadBudget | None) -> None:
        self._connection = connection
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self.answered_at: float | None = None
        """When the first answer came since this was last set to None; on the loop's clock."""
        self._wide: bool | None = None  # whether reads above SAFE_READ work; None: not tried yet
        self._wide_failures = 0

    def turn(self, *, reads: bool = True) -> _Turn:
        """Have the line to oneself, so that what is asked meanwhile is asked back to back.

        Args:
            reads: a table is read, which waits for the read budget.
        """
        return _Turn(self, self._turn, reads=reads)

    async def allow(self) -> None:
        """Wait until the read budget allows one more table."""
        if self._budget is not None:
            wait = self._budget.take(self._loop.time())
            if wait > 0:
                await asyncio.sleep(wait)

    async def exchange(self, request: Request) -> Response:
        """Send one request and return the verified answer.

        Raises:
            MeterRefused: the meter answered with an error code.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        response = await self._connection.exchange(request)
        if self.answered_at is None:
            self.answered_at = self._loop.time()
        response.raise_for_code(request)
        return response

    def age(self) -> float:
        """Return how many seconds ago :attr:`answered_at` was."""
        return 0.0 if self.answered_at is None else self._loop.time() - self.answered_at

    async def full(self, table: int) -> bytes:
        """Read a whole table by a full read. Raises as :meth:`exchange`."""
        return (await self.exchange(Read(table))).data

    async def part(self, table: int, offset: int, count: int) -> bytes:
        """Read ``count`` bytes from ``offset``, in as many requests as it takes. Raises as :meth:`exchange`."""
        return b"".join([data for _, data in await self.plan(table, Plan([(offset, count)]))])

    async def fields(self, described: Table, *names: str) -> dict[str, Any]:
        """Return some fields of a table of fixed size; none if the meter has no such table.

        Raises:
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        dims = FIXED_SIZE
        offset, count = described.window(dims, *names)
        try:
            data = await self.part(described.id, offset, count)
        except MeterRefused:
            return {}
        record = described.decode(data, dims, offset=offset)
        return {name: record[name] for name in names if name in record}

    async def whole(self, described: Table, dims: Dimensions) -> bytes:
        """Read as many bytes of a table as these dimensions say it has. Raises as :meth:`exchange`."""
        plan = dims.cache.get(("whole", described.id))
        if not isinstance(plan, Plan):
            starts = sorted({0, *(entry.offset for entry in described.layout(dims).entries.values())})
            ends = [*starts[1:], described.size(dims)]
            plan = Plan((start, end - start) for start, end in zip(starts, ends, strict=True))
            dims.cache["whole", described.id] = plan
        return b"".join([data for _, data in await self.plan(described.id, plan)])

    async def full_or_whole(self, described: Table, dims: Dimensions) -> bytes:
        """Read a table, preferably by a full read: its count is the table's true size, and the rest is absent, not zero.

        Where the size is computed, the table may end earlier, and a meter fills the rest with zeros (Optical guide
        v1.1 p. 9). Fields that only some firmware has are then left away where nothing but zeros follows.

        Raises:
            MeterRefused: the meter has no such table, or the key may not read it.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        if described.size(dims) <= await self._connection.longest_read():
            try:
                return await self.full(described.id)
            except MeterRefused as error:
                if error.code in _FINAL or described.own_counts or not described.size(dims):
                    raise
            except (LinkError, KeyRejected):
                if not self._connection.proven or described.own_counts:
                    raise
        data = await self.whole(described, dims)
        return data[: max(described.certain_size(dims), len(data.rstrip(b"\0")))]

    async def plan(self, table: int, plan: Plan) -> list[tuple[int, bytes]]:
        """Read in as few requests as this meter allows; find out how long they may be. Raises as :meth:`exchange`."""
        longest = await self._connection.longest_read()
        wide = plan.within(longest)
        if self._wide or all(count <= SAFE_READ for _, count in wide):
            return await self._each(table, wide)
        if self._wide is None:
            try:
                found = await self._each(table, wide)
            except (MeterRefused, LinkError, KeyRejected) as error:
                if not self._connection.proven or (isinstance(error, MeterRefused) and error.code in _FINAL):
                    raise
                self._wide_failures += 1
            else:
                self._wide = True
                return found
        found = await self._each(table, plan.within(min(SAFE_READ, longest)))
        if self._wide_failures >= _WIDE_FAILURES:
            self._wide = False
        return found

    async def _each(self, table: int, asked: Sequence[Window]) -> list[tuple[int, bytes]]:
        return [(offset, (await self.exchange(PartialRead(table, offset, count))).data) for offset, count in asked]
