"""A meter as programs see it: tables and measured values, asked for by ``await``.

>>> async with open_meter("serial:///dev/ttyUSB0", key=MeterKey.parse(text)) as meter:
...     print(await meter.registers())

Both ports of a meter give the same: the MEP port, and the optical port behind a probe.

Everything a :class:`Meter` returns was verified. On a MEP port the digest proves that this meter answered this very
question; on an optical port, where there is none, a CRC over each packet and a sum over the data show that nothing was
damaged, and one question at a time that it is the answer. What cannot be verified after the retries of the link is an error, never a value. What the meter's
tables do not hold is absent, never zero: a meter fills reads beyond the end of a table with zeros,
so nothing is read beyond the size that the meter's dimension tables tell.

One question at a time goes over the line; callers wait for their turn. After a :class:`~osgp.errors.TransportError`
the meter is closed for good: open another one, at :attr:`Meter.url`.

This module does not know when to poll what, and does not reconnect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Protocol

from osgp.budget import ReadBudget
from osgp.connection import Connection, LinkStats
from osgp.errors import KeyRejected, LinkError, MeterRefused, MisuseError, TableError
from osgp.key import MeterKey
from osgp.known import KnownMeter
from osgp.mep.events import ClientEvent as MepEvent
from osgp.mep_port import MepConnection
from osgp.optical.events import ClientEvent as OpticalEvent
from osgp.optical.settings import SessionSettings
from osgp.optical_port import OpticalConnection
from osgp.psem import PartialRead, Read, Request, Response, ResponseCode, table_id
from osgp.recovery import Recovery
from osgp.sources import Source
from osgp.tables import TABLES, Dimensions, Record, Table, present, registers
from osgp.tables.identity import firmware_text
from osgp.tables.survey import SURVEYED, survey
from osgp.transport import Address
from osgp.windows import Plan, Window
from osgp.writing import AllowWrites, ProcedureResult, Writer

__all__ = ["Identity", "LinkEvent", "Meter", "open_meter"]

LinkEvent = MepEvent | OpticalEvent

SAFE_READ = 100
"""Bytes that every generation gives in one partial read. Clients in the field found that generation 4 meters refuse
some longer reads, with 0x0B or 0x0C; the guide knows of no limit but that of the frame."""

_FINAL = frozenset({ResponseCode.INAPPROPRIATE_ACTION, ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE})
"""Refusals that no other way of asking for the same table changes."""

_WIDE_FAILURES = 2
"""Long reads that must fail where short ones succeed: one may have met noise."""


@lru_cache(maxsize=256)
def _shared(dims: Dimensions) -> Dimensions:
    """Return the same object for equal dimensions: thousands of meters of one make share what is compiled for them."""
    return dims


class _Readout(Protocol):
    """What :mod:`osgp.tables.registers` and :mod:`osgp.tables.present` have in common."""

    def sources(self, dims: Dimensions) -> tuple[Source, ...]: ...
    def window(self, dims: Dimensions, wanted: Iterable[Source]) -> Window: ...
    def decode(self, data: bytes, dims: Dimensions, *, offset: int = 0) -> dict[Source, int]: ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a meter says it is; empty where it does not."""

    serial: str = ""
    """The grid company's serial number (ET03)."""
    manufacturer: str = ""
    """BT01, as is :attr:`model`."""
    model: str = ""
    firmware: str = ""
    """BT01, as on the meter's display: ``3.10.21``."""


class Meter:
    """An open meter. Made by :func:`open_meter`."""

    def __init__(
        self,
        connection: Connection[Any],
        budget: ReadBudget | None,
        allow_writes: AllowWrites | None,
        known: KnownMeter | None,
    ) -> None:
        self._known = known or KnownMeter()
        self._connection = connection
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(self, connection, allow_writes)
        self._dimensions: Dimensions | None = None
        self._idt_version: int | None = None
        self._wide: bool | None = None  # whether reads above SAFE_READ work; None: not tried yet
        self._wide_failures = 0

    @property
    def url(self) -> str:
        """Where it is, by identity: an address that holds when a serial adapter is plugged in elsewhere."""
        return str(self._connection.address)

    @property
    def stats(self) -> LinkStats:
        """Counts of the link, kept up to date."""
        return self._connection.stats

    @property
    def on_event(self) -> Callable[[LinkEvent], None] | None:
        """Called with each event of the link, for logs and traces; it must not raise."""
        return self._connection.on_event

    @on_event.setter
    def on_event(self, listener: Callable[[LinkEvent], None] | None) -> None:
        self._connection.on_event = listener

    async def exchange(self, request: Request) -> Response:
        """Send one request and return the verified answer; reads wait for the read budget.

        Raises:
            MeterRefused: the meter answered with an error code.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        if self._budget is not None and isinstance(request, Read | PartialRead):
            wait = self._budget.take(self._loop.time())
            if wait > 0:
                await asyncio.sleep(wait)
        response = await self._connection.exchange(request)
        response.raise_for_code(request)
        return response

    async def read(self, table: str | int, offset: int = 0, count: int | None = None) -> bytes:
        """Read ``count`` bytes of a table from ``offset``; the whole table if no count is given.

        What one answer cannot hold (465 bytes on a MEP port) is read in parts. Beyond the end of a table meters give zeros.

        Args:
            table: the guide's name (``"BT23"``) or the id.
            offset: first byte.
            count: number of bytes; None for a full read, which only tables that one answer holds give.

        Raises:
            MeterRefused: the meter has no such table, or the key may not read it.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        number = table_id(table) if isinstance(table, str) else table
        if count is None:
            if offset:
                raise MisuseError("a read from an offset needs a count")
            return (await self.exchange(Read(number))).data
        if count < 1:
            raise MisuseError("a read is for one byte or more")
        return b"".join([data for _, data in await self._read_plan(number, Plan([(offset, count)]))])

    async def table(self, name: str) -> Record:
        """Read a whole table and decode it.

        Raises:
            MisuseError: this library does not describe the table; :meth:`read` gives its bytes.
            MeterRefused: the meter has no such table, or the key may not read it.
            TableError: its size cannot be.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        described = TABLES.get(name)
        if described is None:
            raise MisuseError(f"'{name}' is no table this program describes; it knows {', '.join(TABLES)}")
        dims = await self.dimensions()
        return described.decode(await self._full_or_whole(described, dims), dims)

    async def dimensions(self) -> Dimensions:
        """Return how large this meter's tables are; read once, and again when the meter changed them.

        Raises:
            TableError: the meter does not tell, so nothing in BT23 and BT28 could be trusted.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        # Perhaps the meter's dimensions changed, or the meter is another one.
        if self._dimensions is not None and self._connection.take_doubt():
            version = await self._read_idt_version()
            if version is None or version != self._idt_version:
                self._dimensions = None
        if self._dimensions is None:
            self._dimensions = await self._survey()
            self._connection.take_doubt()  # what came before belongs to the beginning
        return self._dimensions

    async def identity(self) -> Identity:
        """Ask who the meter is.

        Raises:
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        general = await self._fields("BT01", "manufacturer", "model", "firmware")
        utility = await self._fields("ET03", "utility_serial_number")
        firmware = general.get("firmware")
        return Identity(
            serial=utility.get("utility_serial_number", ""),
            manufacturer=general.get("manufacturer", ""),
            model=general.get("model", ""),
            firmware=firmware_text(firmware) if firmware is not None else "",
        )

    async def registers(self) -> dict[Source, int]:
        """Read BT23: energies and counts, in raw units (Wh, varh, s).

        Raises:
            OsgpError: see :meth:`dimensions` and :meth:`osgp.connection.Connection.exchange`.
        """
        dims = await self.dimensions()
        return await self._values(registers.BT23.id, registers, dims)

    async def present(self) -> dict[Source, int]:
        """Read BT28: power, voltage and current now, in raw units (W, mV, mA).

        Raises:
            OsgpError: see :meth:`dimensions` and :meth:`osgp.connection.Connection.exchange`.
        """
        dims = await self.dimensions()
        return await self._values(present.BT28.id, present, dims)

    async def clock(self) -> datetime:
        """Read the meter's clock (BT52), aware, in UTC; whole seconds.

        Raises:
            TableError: the clock shows no date.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        bt52 = TABLES["BT52"]
        offset, count = bt52.window(Dimensions(), "clock")
        clock = bt52.decode(await self.read(bt52.id, offset, count), Dimensions(), offset=offset)["clock"]
        if not isinstance(clock, datetime):
            raise TableError("the meter's clock shows no date. It was never set, or lost it in an outage")
        return clock

    async def write(self, table: str | int, data: bytes, offset: int = 0, *, verify: bool = True) -> None:
        """Write bytes into a table and read them back.

        Args:
            table: the guide's name or the id; ``allow_writes`` must list it.
            data: what to write.
            offset: where.
            verify: read back; False for tables that do not show what was written.

        Raises:
            WritesNotAllowed: ``allow_writes`` does not list the table.
            WriteUncertain: no answer, or what is read back is something else.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        await self._writer.write(table_id(table) if isinstance(table, str) else table, data, offset, verify=verify)

    async def call(self, procedure: str, parameters: bytes = b"") -> ProcedureResult:
        """Call a procedure and return its result.

        Args:
            procedure: the guide's name, ``"EP17"``; ``allow_writes`` must list it.
            parameters: the bytes from offset 3 of BT07 on.

        Raises:
            WritesNotAllowed: ``allow_writes`` does not list the procedure.
            WriteUncertain: the meter does not say what became of it.
            OsgpError: see :meth:`osgp.connection.Connection.exchange`.
        """
        return await self._writer.call(procedure, parameters)

    async def power_cycle(self) -> None:
        """Switch the level shifter off and on again now.

        Raises:
            TransportError: it cannot be switched.
            MisuseError: no recovery was given to :func:`open_meter`.
        """
        await self._connection.power_cycle()

    async def _values(self, table: int, readout: _Readout, dims: Dimensions) -> dict[Source, int]:
        plan = dims.cache.get(("values", table))
        if not isinstance(plan, Plan):
            plan = Plan(readout.window(dims, [source]) for source in readout.sources(dims))
            dims.cache["values", table] = plan
        values: dict[Source, int] = {}
        for offset, data in await self._read_plan(table, plan):
            values.update(readout.decode(data, dims, offset=offset))
        return values

    async def _survey(self) -> Dimensions:
        known = self._known
        known.recognise(await self._signature())
        for name in SURVEYED:
            if name not in known.tables:
                described, dims = TABLES[name], _shared(survey(_told(known)))
                try:
                    known.tables[name] = await self._self_counted(described, dims)
                except MeterRefused:
                    known.tables[name] = None
        found = _told(known)
        if "BT21" not in found and "BT20" not in found:
            raise TableError(
                "the meter tells its table sizes neither in BT21 nor in BT20, so its registers cannot be trusted. "
                "Save an osgp dump and report it"
            )
        return _shared(survey(found))

    async def _signature(self) -> Hashable:
        """Return what changes whenever the meter or its dimensions do; None if the meter does not tell."""
        self._idt_version = await self._read_idt_version()
        if self._idt_version is None:
            return None
        # One by one: what lies between these two fields makes a read that not every meter answers.
        program = await self._fields("ET04", "program_id")
        utility = await self._fields("ET03", "utility_serial_number")
        return (utility.get("utility_serial_number", ""), program.get("program_id"), self._idt_version)

    async def _self_counted(self, described: Table, dims: Dimensions) -> bytes:
        """Read a table of which the beginning may tell how long it is."""
        data = await self._whole(described, dims)
        while described.own_counts and (told := described.size(dims, data)) > len(data):
            data += await self.read(described.id, len(data), told - len(data))
        return data

    async def _read_idt_version(self) -> int | None:
        return (await self._fields("ET04", "idt_version")).get("idt_version")

    async def _fields(self, name: str, *fields: str) -> dict[str, Any]:
        """Return some fields of a table of fixed size; none if the meter has no such table."""
        described, dims = TABLES[name], Dimensions()
        offset, count = described.window(dims, *fields)
        try:
            data = await self.read(described.id, offset, count)
        except MeterRefused:
            return {}
        record = described.decode(data, dims, offset=offset)
        return {field: record[field] for field in fields if field in record}

    async def _whole(self, described: Table, dims: Dimensions) -> bytes:
        """Read as many bytes of a table as these dimensions say it has."""
        plan = dims.cache.get(("whole", described.id))
        if not isinstance(plan, Plan):
            starts = sorted({0, *(entry.offset for entry in described.layout(dims).entries.values())})
            ends = [*starts[1:], described.size(dims)]
            plan = Plan((start, end - start) for start, end in zip(starts, ends, strict=True))
            dims.cache["whole", described.id] = plan
        return b"".join([data for _, data in await self._read_plan(described.id, plan)])

    async def _full_or_whole(self, described: Table, dims: Dimensions) -> bytes:
        """Read a table, preferably by a full read: its count is the table's true size, and the rest is absent, not zero."""
        if described.size(dims) > await self._connection.longest_read():
            return await self._whole(described, dims)
        try:
            return await self.read(described.id)
        except MeterRefused as error:
            if error.code in _FINAL or described.own_counts:
                raise
        except (LinkError, KeyRejected):
            if not self._connection.proven or described.own_counts:
                raise
        return await self._whole(described, dims)

    async def _read_plan(self, table: int, plan: Plan) -> list[tuple[int, bytes]]:
        """Read in as few requests as this meter allows; find out how long they may be."""
        longest = await self._connection.longest_read()
        wide = plan.within(longest)
        if self._wide or all(count <= SAFE_READ for _, count in wide):
            return await self._read_each(table, wide)
        if self._wide is None:
            try:
                found = await self._read_each(table, wide)
            except (MeterRefused, LinkError, KeyRejected) as error:
                if not self._connection.proven or (isinstance(error, MeterRefused) and error.code in _FINAL):
                    raise
                self._wide_failures += 1
            else:
                self._wide = True
                return found
        found = await self._read_each(table, plan.within(min(SAFE_READ, longest)))
        if self._wide_failures >= _WIDE_FAILURES:
            self._wide = False
        return found

    async def _read_each(self, table: int, asked: Sequence[Window]) -> list[tuple[int, bytes]]:
        return [(offset, (await self.exchange(PartialRead(table, offset, count))).data) for offset, count in asked]


def _told(known: KnownMeter) -> dict[str, bytes]:
    return {name: data for name, data in known.tables.items() if data is not None}


@asynccontextmanager
async def open_meter(
    url: str,
    *,
    key: MeterKey | None,
    encrypt: bool = False,
    session: SessionSettings | None = None,
    allow_writes: AllowWrites | None = None,
    power_cycle: Recovery | None = None,
    read_budget: ReadBudget | None = None,
    known: KnownMeter | None = None,
    on_event: Callable[[LinkEvent], None] | None = None,
) -> AsyncIterator[Meter]:
    """Open the port of a meter; nothing is sent before the first question.

    Args:
        url: ``serial:///dev/...``, ``tcp://host:port``, ``rfc2217://host:port`` or the path of a serial port;
            ``optical:///dev/...`` or ``optical+tcp://host:port`` for the optical port.
        key: the meter's key; for an optical port an :class:`~osgp.optical.key.OpticalKey`, or None to read only what
            a meter shows to everybody.
        encrypt: MEP port: encrypt requests; the meter then encrypts its responses.
        session: optical port: how to behave there.
        allow_writes: what may be written; None makes the meter read-only.
        power_cycle: what to do about repeated silence; keep it for the next opening.
        read_budget: how often to read; None for no limit. The guide recommends one table a second on
            average, which is :class:`ReadBudget`'s default.
        known: what earlier openings of this port learned of the meter; spares asking again.
        on_event: see :attr:`Meter.on_event`.

    Raises:
        MisuseError: the address has none of the known forms, or the key is one for the other port.
        PasswordRefused: the optical port refused this key before, while this program runs.
        TransportError: the port cannot be opened; see :func:`osgp.transport.open_port`.
    """
    address = Address.parse(url)
    connection: Connection[Any]
    if address.optical:
        connection = OpticalConnection(address, key, settings=session, recovery=power_cycle)
    elif key is None:
        raise MisuseError("a MEP port tells nothing without the meter's key")
    else:
        connection = MepConnection(address, key, encrypt=encrypt, recovery=power_cycle)
    meter = Meter(connection, read_budget, allow_writes, known)
    meter.on_event = on_event
    await connection.open()
    try:
        yield meter
    finally:
        await connection.close()
