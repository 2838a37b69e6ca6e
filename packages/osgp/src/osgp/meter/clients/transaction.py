"""Several reads as one transaction: written into ET52, carried out by the meter, found in ET53 (MEP guide v1.1 p. 43-50).

Where two MEP ports share these tables, they are locked by EP61 before and unlocked behind (p. 44). Each step is of one moment, the
whole is not (p. 43): what a transaction gains is that no other client's request comes between. It takes a write of
lasting memory, of which a meter bears four an hour (:mod:`osgp.meter.wear`): for a tariff that is to be known exactly, not for polling.

This module does not know what is read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from osgp.errors import LinkRefused, MisuseError, OsgpError, WriteUncertain
from osgp.meter.clients.messages import HEAD_SIZE, decode_responses, encode_requests, transaction_head
from osgp.meter.reader import TableReader
from osgp.meter.writing import ProcedureResult, Writer
from osgp.psem import PartialRead, Read, Response, table_id

__all__ = ["Transactor"]

_ET52, _ET53 = table_id("ET52"), table_id("ET53")
_LOCK, _UNLOCK = b"\x01", b"\x00"
_CONFLICT = 3
"""EP61: the client of the other port holds the lock (p. 247)."""
_PATIENCE = 2.0
"""Seconds until ET53 must hold the answers. "Executed in a few hundred milliseconds" (p. 50)."""
_PAUSE = 0.25
_NUMBERS = 1 << 16


class Transactor:
    """Carries out transactions at one MEP port.

    Args:
        reader: reads.
        writer: writes ET52, and calls EP61.
        two_ports: tells whether another MEP port shares the tables.
    """

    def __init__(self, reader: TableReader, writer: Writer, two_ports: Callable[[], Awaitable[bool]]) -> None:
        self._reader = reader
        self._writer = writer
        self._two_ports = two_ports
        self._turn = asyncio.Lock()

    async def read(self, requests: Sequence[Read | PartialRead]) -> tuple[Response, ...]:
        """See :meth:`osgp.meter.meter.Meter.transaction`."""
        if not all(isinstance(one, Read | PartialRead) for one in requests):
            raise MisuseError("a transaction of this program only reads; write by Meter.write")
        self._writer.refuse_unless_allowed(_ET52)  # before something is locked for nothing
        async with self._turn:
            if not await self._two_ports():
                return await self._carry_out(requests)
            await self._lock()
            try:
                found = await self._carry_out(requests)
            except BaseException:
                with contextlib.suppress(OsgpError):  # the first error is the one to tell; the lock falls by itself
                    await self._writer.call("EP61", _UNLOCK)
                raise
            await self._writer.call("EP61", _UNLOCK)
            return found

    async def _lock(self) -> None:
        result: ProcedureResult = await self._writer.call("EP61", _LOCK)
        if result.code == _CONFLICT:
            raise LinkRefused(
                "the client at the meter's other MEP port has locked the transactions (ET52, ET53). Nothing was written. The lock "
                "falls within ten seconds: try again"
            )
        if not result.done:
            raise LinkRefused(
                f"the meter did not lock its transactions for this client (EP61, result {result.code}). Nothing was written to ET52"
            )

    async def _carry_out(self, requests: Sequence[Read | PartialRead]) -> tuple[Response, ...]:
        before = transaction_head(await self._part(HEAD_SIZE))
        # A transaction with the number and the bytes of the one before is not carried out again (p. 50).
        number = 1 if before is None else (before.number + 1) % _NUMBERS
        await self._writer.write(_ET52, encode_requests(number, requests), 0, verify=False)
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE
        while True:
            head = transaction_head(await self._part(HEAD_SIZE))
            if head is not None and head.number == number and head.answers:
                return decode_responses(await self._part(head.size), number, requests)
            if loop.time() >= end:
                raise WriteUncertain(
                    "the meter shows no answers to the transaction in ET53. A user of the power line may have been quicker (MEP guide "
                    "p. 50): ask again"
                )
            await asyncio.sleep(_PAUSE)

    async def _part(self, count: int) -> bytes:
        async with self._reader.turn():
            return await self._reader.part(_ET53, 0, count)
