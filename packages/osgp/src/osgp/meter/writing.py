"""Writing to a meter: only what the caller names, and never believed without reading back.

A meter is read-only unless :class:`AllowWrites` lists the tables and procedures that may be touched. Lists, not a switch:
a program that sets a tariff must not by mistake be able to open the contactor.

The response to a write is one zero byte, and a zero byte does not change a digest: anybody on the line can make
it (:mod:`osgp.mep.digest`). So a write counts as done when it is read back.

A *procedure* is called by writing its number, a procedure sequence number (PSN) and parameters into BT07; the result is read
from ET59, BT08 or ET85 (MEP guide v1.1 p. 51-54). The PSN is what makes it safe: a meter refuses one that it has just
seen, so the same call cannot be carried out twice.

Writing wears the memory, so all of it passes :mod:`osgp.meter.wear`: what would be too often is refused before it is sent.

This module does not know what procedures do.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from struct import Struct
from typing import Protocol

from osgp.errors import MeterRefused, MisuseError, WritesNotAllowed, WriteUncertain
from osgp.mep.digest import PASS_SIZE
from osgp.meter.reader import TableReader
from osgp.meter.wear import WriteGovernor
from osgp.psem import EXTENDED, PartialWrite, Response, ResponseCode, Write, table_id, table_name
from osgp.tables import TABLES, Dimensions

__all__ = ["AllowWrites", "ProcedureResult", "Writer"]

_BT07, _BT08, _ET50, _ET59, _ET70, _ET85 = 7, 8, EXTENDED + 50, EXTENDED + 59, EXTENDED + 70, EXTENDED + 85
_REPLIES_IN_ET59 = TABLES["ET50"].place(Dimensions(), "clients", 0, "replies_in_et59")
"""Whether results are in ET59, not in BT08 (p. 51)."""
_ET70_CHANNEL = TABLES["ET70"].place(Dimensions(), "channel").offset
_SECOND_CLIENT = 2
"""ET70.142 on the second MEP port: results are always in ET85 (p. 23, 51)."""

_PROCEDURES = 1 << 12
_MAX_PARAMETERS = 255

_RESULT_SIZE = 16
_RESULT_HEAD = Struct("<HBB")
RESULT_PATIENCE = 2.0
"""Seconds to wait for a result; "may take up to 1 second to be posted" (p. 52)."""
_RESULT_PAUSE = 0.25

_WRITE_OVERHEAD = 12
"""Bytes of a partial write next to its data that the digest covers: code, table, offset, count, sequence number."""


def _procedure_id(name: str) -> int:
    """Return the number of ``BPn`` (n) or ``EPn`` (2048 + n)."""
    if name[1:2].upper() != "P" or name[:1].upper() not in {"B", "E"}:
        raise MisuseError(f"'{name}' is no procedure name; write BP00 to BP2047 or EP00 to EP2047")
    return table_id(f"{name[0]}T{name[2:]}")


@dataclass(frozen=True, slots=True)
class AllowWrites:
    """The capability to write: exactly what is listed.

    Args:
        tables: names of tables, ``"ET50"``.
        procedures: names of procedures, ``"EP39"``. Calling them needs no right to BT07.
    """

    tables: tuple[str, ...] = ()
    procedures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in self.tables:
            table_id(name)
        for name in self.procedures:
            _procedure_id(name)

    def table(self, table: int) -> bool:
        """Tell whether a table may be written."""
        return table in map(table_id, self.tables)

    def procedure(self, procedure: int) -> bool:
        """Tell whether a procedure may be called."""
        return procedure in map(_procedure_id, self.procedures)


@dataclass(frozen=True, slots=True)
class ProcedureResult:
    """What a meter says about a procedure."""

    code: int
    """0 done, 1 accepted but not finished, 2 bad parameter, 3 conflict, 4 not now, 5 not allowed, 6 unknown (p. 53)."""
    data: bytes
    """Result data, at most 12 bytes; the meter does not tell their number."""

    @property
    def done(self) -> bool:
        """Tell whether it was carried out."""
        return self.code == 0


class _Port(Protocol):
    """What differs between the ports of a meter; see :class:`osgp.ports.connection.Connection`."""

    procedure_numbers: range
    results_table: int | None

    async def longest_write(self) -> int: ...


class Writer:
    """Writes and calls on behalf of :class:`osgp.meter.Meter`.

    Args:
        reader: has the line, and reads back.
        port: to the meter.
        allowed: what may be written.
        governor: how often.
    """

    def __init__(self, reader: TableReader, port: _Port, allowed: AllowWrites | None, governor: WriteGovernor) -> None:
        self._reader = reader
        self._port = port
        self._allowed = allowed or AllowWrites()
        self._governor = governor
        self._firmware: tuple[int, int] | None = None
        self._loop = asyncio.get_running_loop()
        self._psn = port.procedure_numbers[-1]
        self._results = port.results_table
        self._turn = asyncio.Lock()

    async def write(self, table: int, data: bytes, offset: int, *, verify: bool) -> None:
        """See :meth:`osgp.meter.Meter.write`."""
        self.refuse_unless_allowed(table)
        most = await self._port.longest_write()
        parts, done = [], 0
        while done < len(data):
            part = data[done : done + self._fitting(min(len(data) - done, most))]
            parts.append(PartialWrite(table, offset + done, part))
            done += len(part)
        await self._count(table, len(parts))
        for request in parts:
            await self._write_part(request, verify=verify)

    async def send(self, request: Write | PartialWrite) -> Response:
        """Send one write as it is. See :meth:`osgp.meter.Meter.exchange`."""
        self.refuse_unless_allowed(request.table)
        await self._count(request.table)
        return await self._exchange(request)

    def refuse_unless_allowed(self, table: int) -> None:
        """Raise :class:`~osgp.errors.WritesNotAllowed` unless this table may be written."""
        if not self._allowed.table(table):
            raise WritesNotAllowed(
                f"this program may not write {table_name(table)}. Nothing was sent. "
                "Name the table in AllowWrites if it is meant"
            )

    async def _count(self, table: int, writes: int = 1) -> None:
        """Count writes that are about to be made.

        Raises:
            WritesTooOften: the meter's memory does not bear them now.
        """
        if self._firmware is None and self._governor.asks_firmware(table):
            async with self._reader.turn():
                told = (await self._reader.fields(TABLES["BT01"], "firmware")).get("firmware")
            self._firmware = told if told is None else told[:2]
        self._governor.take(table, writes, self._loop.time(), self._firmware)

    async def _exchange(self, request: Write | PartialWrite) -> Response:
        async with self._reader.turn(reads=False):
            return await self._reader.exchange(request)

    async def _read(self, table: int, offset: int, count: int) -> bytes:
        async with self._reader.turn():
            return await self._reader.part(table, offset, count)

    @staticmethod
    def _fitting(count: int) -> int:
        """Return how many bytes go into one request.

        On the MEP port a request that fills the digest's passes exactly has two possible digests (:func:`osgp.mep.digest.verify`), and
        which one the meter takes is not known; one byte less avoids the question.
        """
        return count - 1 if (count + _WRITE_OVERHEAD) % PASS_SIZE == 0 else count

    async def _write_part(self, request: PartialWrite, *, verify: bool) -> None:
        try:
            await self._exchange(request)
        except WriteUncertain:
            if not verify:
                raise
        if verify and await self._read(request.table, request.offset, len(request.data)) != request.data:
            raise WriteUncertain(
                f"{table_name(request.table)} does not hold what was written to it. "
                "Some fields cannot be changed, or the write never arrived: read the table and compare"
            )

    async def call(self, name: str, parameters: bytes) -> ProcedureResult:
        """See :meth:`osgp.meter.Meter.call`."""
        procedure = _procedure_id(name)
        if not self._allowed.procedure(procedure):
            raise WritesNotAllowed(
                f"this program may not call {name}. Nothing was sent. Name the procedure in AllowWrites if it is meant"
            )
        if procedure >= _PROCEDURES or len(parameters) > _MAX_PARAMETERS:
            raise MisuseError(
                f"procedures have numbers below {_PROCEDURES} and at most {_MAX_PARAMETERS} parameter bytes"
            )
        async with self._turn:
            results = await self._results_table()
            await self._start(procedure, parameters)
            return await self._result(results, name, procedure)

    async def _start(self, procedure: int, parameters: bytes) -> None:
        """Write BT07 under the next PSN; skip one that an earlier program used last."""
        for last_chance in (False, True):
            numbers = self._port.procedure_numbers
            self._psn = numbers[0] if self._psn == numbers[-1] else self._psn + 1
            call = Write(_BT07, procedure.to_bytes(2, "little") + bytes((self._psn,)) + parameters)
            await self._count(_BT07)
            try:
                await self._exchange(call)
            except WriteUncertain:
                return  # the result, found under our PSN, will tell
            except MeterRefused as error:
                if last_chance or error.code != ResponseCode.OPERATION_NOT_POSSIBLE:
                    raise
            else:
                return

    async def _result(self, results: int, name: str, procedure: int) -> ProcedureResult:
        loop = asyncio.get_running_loop()
        end = loop.time() + RESULT_PATIENCE
        while True:
            data = await self._read(results, 0, _RESULT_SIZE)
            number, psn, code = _RESULT_HEAD.unpack_from(data)
            if (number % _PROCEDURES, psn) == (procedure, self._psn):
                return ProcedureResult(code, data[_RESULT_HEAD.size :])
            if loop.time() >= end:
                raise WriteUncertain(
                    f"the meter shows no result of {name} in {table_name(results)}. "
                    "It may have been carried out or not: look at its effect before calling it again"
                )
            await asyncio.sleep(_RESULT_PAUSE)

    async def _results_table(self) -> int:
        """Find out, once, where this meter puts results (p. 51)."""
        if self._results is None:
            if await self._byte(_ET70, _ET70_CHANNEL) == _SECOND_CLIENT:
                self._results = _ET85
            else:
                flags = await self._byte(_ET50, _REPLIES_IN_ET59.offset)
                self._results = _ET59 if flags is not None and flags & _REPLIES_IN_ET59.mask else _BT08
        return self._results

    async def _byte(self, table: int, offset: int) -> int | None:
        try:
            return (await self._read(table, offset, 1))[0]
        except MeterRefused:
            return None
