"""A meter as programs see it: tables and measured values, asked for by ``await``.

>>> async with open_meter("serial:///dev/ttyUSB0", key=MeterKey.parse(text)) as meter:
...     print(await meter.registers())

Both ports of a meter give the same: the MEP port, and the optical port behind a probe.

Everything a :class:`Meter` returns was verified. On a MEP port the digest proves that this meter answered this very
question; on an optical port, where there is none, a CRC over each packet and a sum over the data show that nothing was
damaged, and one question at a time that it is the answer. What cannot be verified after the retries of the link is an
error, never a value. What the meter's tables do not hold is absent, never zero: a meter fills reads beyond the end of
a table with zeros, so nothing is read beyond the size that the meter's dimension tables tell.

A meter can be reconfigured at any moment. So no value is decoded by a layout that was not confirmed after its bytes
were read (:mod:`osgp.meter.layout`); behind each table stands one more read, of one byte.

One table at a time goes over the line, its parts back to back; callers wait for their turn. After a
:class:`~osgp.errors.TransportError` the meter is closed for good: open another one, at :attr:`Meter.url`.

This module does not know when to poll what, and does not reconnect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any, TypeAlias

from osgp.errors import MisuseError, TableError, TablesChanging
from osgp.mep.events import ClientEvent as MepEvent
from osgp.mep.security import Security
from osgp.meter.budget import ReadBudget
from osgp.meter.clients.port import Answered, ClientPortReader
from osgp.meter.clients.transaction import Transactor
from osgp.meter.condition import ConditionReader
from osgp.meter.confirmed import ConfirmedReader
from osgp.meter.identity import Identity, Ratings
from osgp.meter.known import KnownMeter
from osgp.meter.layout import ROUNDS, ConfirmedLayout
from osgp.meter.logs import LogRead, LogReader
from osgp.meter.mbus_devices import DeviceReader
from osgp.meter.profile import ProfileReader, Progress
from osgp.meter.profile_devices import ChannelNames
from osgp.meter.reader import FIXED_SIZE, SAFE_READ, TableReader
from osgp.meter.writing import AllowWrites, ProcedureResult, Writer
from osgp.ports.connection import Connection, LinkStats
from osgp.ports.mep_port import MepConnection
from osgp.ports.tap.health import ModuleHealth
from osgp.psem import PartialRead, Read, Request, Response, table_id
from osgp.sources import Source
from osgp.tables import TABLES, Dimensions, Record, present, registers
from osgp.tables.calendar.tariffs import Tariffs
from osgp.tables.clients.mep_port import MepPort
from osgp.tables.identity import firmware_text
from osgp.tables.load_profile.profile import LoadProfile, ProfileMark
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage
from osgp.tables.logs.snapshots import Snapshot
from osgp.tables.mbus.devices import MbusDevice
from osgp.tables.mbus.recurring import RecurringRead
from osgp.tables.quality.report import SupplyQuality
from osgp.tables.status.state import MeterState

if TYPE_CHECKING:
    from osgp.optical.events import ClientEvent as OpticalEvent

__all__ = ["SAFE_READ", "LinkEvent", "Meter"]

LinkEvent: TypeAlias = "MepEvent | OpticalEvent"

_LAYS_OUT_REGISTERS = ("BT20", "BT21", "BT22", "ET55", "ET42")
_LAYS_OUT_PRESENT = ("BT20", "BT21", "BT27")


class Meter:
    """An open meter. Made by :func:`osgp.meter.opening.open_meter`."""

    def __init__(
        self,
        connection: Connection[Any],
        budget: ReadBudget | None,
        allow_writes: AllowWrites | None,
        known: KnownMeter | None,
    ) -> None:
        self._connection = connection
        self._reader = TableReader(connection, budget)
        known = known or KnownMeter()
        self._layout = ConfirmedLayout(connection, self._reader, known)
        self._profile = ProfileReader(connection, self._reader, self._layout, known)
        self._logs = LogReader(self._reader, self._layout)
        self._confirmed = ConfirmedReader(self._reader, self._layout)
        self._devices = DeviceReader(self._reader, self._confirmed.read, self._logs, known)
        self._names = ChannelNames(self.table, self._devices.read)
        self._condition = ConditionReader(self.table)
        self._writer = Writer(self._reader, connection, allow_writes, known.writes)
        self._clients = ClientPortReader(self._reader, self._confirmed, self.table, self._writer.call)
        self._transactor = Transactor(self._reader, self._writer, self._clients.shares_transactions)

    @property
    def url(self) -> str:
        """Where it is, by identity: an address that holds when a serial adapter is plugged in elsewhere."""
        return str(self._connection.address)

    @property
    def stats(self) -> LinkStats:
        """Counts of the link, kept up to date."""
        return self._connection.stats

    @property
    def health(self) -> ModuleHealth | None:
        """What the module in the meter told of itself last; None where the meter is reached without one, or before it told."""
        return self._connection.health

    @property
    def security(self) -> Security | None:
        """How the meter is talked to at its MEP port; None as long as that is to be found out, and at an optical port."""
        return self._connection.security

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
            WritesNotAllowed: it writes a table that ``allow_writes`` does not list.
            WritesTooOften: it writes more often than the meter's memory bears.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        if not isinstance(request, Read | PartialRead):
            return await self._writer.send(request)
        async with self._reader.turn():
            return await self._reader.exchange(request)

    async def read(self, table: str | int, offset: int = 0, count: int | None = None) -> bytes:
        """Read ``count`` bytes of a table from ``offset``; the whole table if no count is given.

        What one answer cannot hold (465 bytes on a MEP port) is read in parts. Beyond the end of a table meters give zeros.

        Args:
            table: the guide's name (``"BT23"``) or the id.
            offset: first byte.
            count: number of bytes; None for a full read, which only tables that one answer holds give.

        Raises:
            MeterRefused: the meter has no such table, or the key may not read it.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        number = table_id(table) if isinstance(table, str) else table
        if count is None:
            if offset:
                raise MisuseError("a read from an offset needs a count")
            async with self._reader.turn():
                return await self._reader.full(number)
        if count < 1:
            raise MisuseError("a read is for one byte or more")
        async with self._reader.turn():
            return await self._reader.part(number, offset, count)

    async def table(self, name: str) -> Record:
        """Read a whole table and decode it.

        Raises:
            MisuseError: this library does not describe the table; :meth:`read` gives its bytes.
            MeterRefused: the meter has no such table, or the key may not read it.
            TableError: its size cannot be.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        described = TABLES.get(name)
        if described is None:
            raise MisuseError(f"'{name}' is no table this program describes; it knows {', '.join(TABLES)}")

        async def read(dims: Dimensions) -> tuple[bytes, Dimensions]:
            dims = await self._layout.told_by(described.told_by)
            return await self._reader.full_or_whole(described, dims), dims

        data, dims = await self._confirmed.read(read)
        return described.decode(data, dims)

    async def dimensions(self, table: str = "") -> Dimensions:
        """Return how large this meter's tables are; read once, and again when the meter changed them.

        Args:
            table: what only this table is laid out by is read, too.

        Raises:
            TableError: the meter does not tell, so nothing in BT23 and BT28 could be trusted.
            TablesChanging: they changed again and again meanwhile.
            MeterSwapped: another meter answers than before.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        async with self._reader.turn(reads=False):
            self._layout.raise_if_swapped()
            dims = await self._layout.checked()
            described = TABLES.get(table)
            return dims if described is None else await self._layout.told_by(described.told_by)

    async def confirms(self, dims: Dimensions) -> bool:
        """Tell whether what :meth:`dimensions` gave was right until now: what :meth:`read` gave since may be decoded by it.

        Raises:
            MeterSwapped: another meter answers than before.
            OsgpError: see :meth:`dimensions`.
        """
        async with self._reader.turn(reads=False):
            self._layout.raise_if_swapped()
            return await self._layout.current() is dims and await self._layout.holds()

    async def identity(self) -> Identity:
        """Ask who the meter is. What is read from now on is of this one: see :class:`~osgp.errors.MeterSwapped`.

        Raises:
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        await self._reader.allow()
        async with self._reader.turn():
            general, utility = await self._one_meter()
        firmware = general.get("firmware")
        return Identity(
            serial=utility.get("utility_serial_number", ""),
            manufacturer=general.get("manufacturer", ""),
            model=general.get("model", ""),
            firmware=firmware_text(firmware) if firmware is not None else "",
        )

    async def ratings(self) -> Ratings:
        """Ask what the meter is made for. It does not change: once per meter is enough.

        Raises:
            MeterSwapped: another meter answers than before.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        et04, bt15 = TABLES["ET04"], TABLES["BT15"]
        await self._reader.allow()
        async with self._reader.turn():
            self._layout.raise_if_swapped()
            told: dict[str, Any] = {}
            # What lies between the first two of ET04 makes a read that not every meter answers.
            for table, *names in (
                (et04, "rated_frequency"),
                (et04, "maximum_current", "rated_voltage"),
                (bt15, "ratios_applied", "ct_ratio", "vt_ratio"),
            ):
                told |= await self._reader.fields(table, *names)
        return Ratings(
            voltage=told.get("rated_voltage") or None,
            frequency=told.get("rated_frequency") or None,
            maximum_current=told.get("maximum_current") or None,
            ct_ratio=told.get("ct_ratio") or None,
            vt_ratio=told.get("vt_ratio") or None,
            ratios_applied=told.get("ratios_applied"),
        )

    async def registers(self) -> dict[Source, int]:
        """Read BT23: energies and counts, in raw units (Wh, varh, s).

        Raises:
            OsgpError: see :meth:`dimensions` and :meth:`osgp.ports.connection.Connection.exchange`.
        """
        return await self._confirmed.values(registers.BT23.id, registers, _LAYS_OUT_REGISTERS)

    async def present(self) -> dict[Source, int]:
        """Read BT28: power, voltage and current now, in raw units (W, mV, mA).

        Raises:
            OsgpError: see :meth:`dimensions` and :meth:`osgp.ports.connection.Connection.exchange`.
        """
        return await self._confirmed.values(present.BT28.id, present, _LAYS_OUT_PRESENT)

    async def profile(
        self,
        *,
        data_set: int = 1,
        since: datetime | None = None,
        known: ProfileMark | None = None,
        progress: Progress | None = None,
        burst: bool = False,
    ) -> LoadProfile:
        """Read a load profile: what the registers showed at the end of each interval of the last days.

        The whole of it takes minutes on a line of 9600 baud. Others have the line between its parts. After a lost line,
        another call on a port opened with the same :class:`~osgp.meter.known.KnownMeter` goes on where this one stopped.

        Args:
            data_set: 1 to 4; meters before firmware 3.50 have one.
            since: only intervals that ended then or later, aware; None for all that the meter has.
            known: only intervals that are newer than those of an earlier call, whose :attr:`LoadProfile.mark` this is. The mark of
                another meter, or of another configuration, counts for nothing.
            progress: told how many bytes of how many have come.
            burst: do not wait for the read budget.

        Raises:
            MisuseError: there is no such data set, or ``since`` has no time zone.
            MeterRefused: the meter keeps no load profile, or the key may not read it.
            TableError: what the tables say of it cannot be.
            OsgpError: see :meth:`dimensions` and :meth:`osgp.ports.connection.Connection.exchange`.
        """
        found = await self._profile.read(data_set, since, known, progress, burst=burst)
        return await self._names.named(found)

    async def mbus_devices(self) -> tuple[MbusDevice, ...]:
        """Read what the meter has of the gas, water and heat meters behind it (ET14, ET16, ET45, ET74), by place.

        No device is asked for anything, which would take of its battery: this is what the meter's own reads brought.

        Raises:
            MeterRefused: the meter has no such tables, or the key may not read them.
            TableError: what they say cannot be.
            OsgpError: see :meth:`dimensions`.
        """
        return await self._devices.read()

    async def mbus_reads(self, known: str = "", *, most: int | None = None) -> LogRead[RecurringRead]:
        """Read what is new in the log of scheduled reads of all devices (ET45). For the rest see :meth:`events`."""
        return await self._logs.recurring_reads("ET45", known, most)

    async def quality(self) -> SupplyQuality:
        """Read what the meter counts of the supply's quality (ET09): sags, swells, phase losses, distortion, by phase.

        Raises:
            MeterRefused: the meter does not count it, or the key may not read it.
            OsgpError: see :meth:`table`.
        """
        return await self._condition.quality()

    async def tariffs(self) -> Tariffs:
        """Read which tariff counts, why, and which comes next (BT54, BT55, ET23, ET47, ET54).

        Raises:
            OsgpError: BT55 cannot be read; see :meth:`table`.
        """
        return await self._condition.tariffs()

    async def state(self) -> MeterState:
        """Read alarms, contactor, relays and wiring (BT03, ET23, ET46, ET54), as far as the meter tells. Raises as :meth:`table`."""
        return await self._condition.state()

    async def clock(self) -> datetime:
        """Read the meter's clock (BT52), aware, in UTC; whole seconds.

        Raises:
            TableError: the clock shows no date.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        bt52 = TABLES["BT52"]
        offset, count = bt52.window(FIXED_SIZE, "clock")
        clock = bt52.decode(await self.read(bt52.id, offset, count), FIXED_SIZE, offset=offset)["clock"]
        if not isinstance(clock, datetime):
            raise TableError("the meter's clock shows no date. It was never set, or lost it in an outage")
        return clock

    async def events(self, known: str = "", *, most: int | None = None) -> LogRead[Event]:
        """Read what is new in the event logs (BT74, ET79), the newest first, each event once.

        Args:
            known: what the last reading of this meter gave as ``known``; "" for all events that the meter holds.
            most: no more than so many, the newest.

        Raises:
            MisuseError: ``known`` is not from there.
            MeterRefused: the key may not read them.
            OsgpError: see :meth:`dimensions`.
        """
        return await self._logs.events(known, most)

    async def outages(self, known: str = "", *, zone: tzinfo | None = None, most: int | None = None) -> LogRead[Outage]:
        """Read what is new about power outages (ET81, ET09). ``zone`` makes UTC of local times; for the rest see :meth:`events`."""
        return await self._logs.outages(known, zone, most)

    async def self_reads(self, known: str = "", *, log: str = "BT26", most: int | None = None) -> LogRead[Snapshot]:
        """Read what is new in a log of registers: self reads (BT26), one-time reads (ET31), demand resets (ET41).

        BT24 and BT25 hold one copy only, of the last season and the last demand reset. For the rest see :meth:`events`.
        """
        return await self._logs.snapshots(log, known, most)

    async def write(self, table: str | int, data: bytes, offset: int = 0, *, verify: bool = True) -> None:
        """Write bytes into a table and read them back.

        Args:
            table: the guide's name or the id; ``allow_writes`` must list it.
            data: what to write.
            offset: where.
            verify: read back; False for tables that do not show what was written.

        Raises:
            WritesNotAllowed: ``allow_writes`` does not list the table.
            WritesTooOften: the meter's memory does not bear it now; nothing was sent.
            WriteUncertain: no answer, or what is read back is something else.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        await self._writer.write(table_id(table) if isinstance(table, str) else table, data, offset, verify=verify)

    async def call(self, procedure: str, parameters: bytes = b"") -> ProcedureResult:
        """Call a procedure and return its result.

        Args:
            procedure: the guide's name, ``"EP17"``; ``allow_writes`` must list it.
            parameters: the bytes from offset 3 of BT07 on.

        Raises:
            WritesNotAllowed: ``allow_writes`` does not list the procedure.
            WritesTooOften: the meter's memory does not bear it now; nothing was sent.
            WriteUncertain: the meter does not say what became of it.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        return await self._writer.call(procedure, parameters)

    async def mep_port(self) -> MepPort:
        """Read which of the meter's MEP ports this is, and what it keeps of the clients of both (ET13-15, ET50, ET51, ET54, ET55, ET70).

        Raises:
            MisuseError: this is an optical port.
            OsgpError: see :meth:`dimensions`.
        """
        self._refuse_unless_mep()
        return await self._clients.read()

    async def answer_alerts(self) -> Answered:
        """Answer those alerts of our MEP port that can be answered without data: ``delta_data``, by EP39, which ``allow_writes`` must list.

        Raises:
            MisuseError: this is an optical port.
            MeterRefused: the meter has no ET13.
            OsgpError: see :meth:`call`.
        """
        self._refuse_unless_mep()
        return await self._clients.answer_alerts()

    async def transaction(self, requests: Sequence[Read | PartialRead]) -> tuple[Response, ...]:
        """Let the meter carry out several reads in a row, with none of another client between them (ET52, ET53).

        Args:
            requests: what to read. ``allow_writes`` must list ``ET52``, and ``EP61`` where the meter has two MEP ports.

        Returns:
            The answer to each of them, also where the meter refuses one; fewer if it had no room for all.

        Raises:
            MisuseError: this is an optical port, or something else than reads is asked for.
            LinkRefused: the client of the other port holds the lock.
            TableError: what ET53 holds are no answers to these requests.
            OsgpError: see :meth:`write` and :meth:`call`.
        """
        self._refuse_unless_mep()
        return await self._transactor.read(requests)

    def _refuse_unless_mep(self) -> None:
        if not isinstance(self._connection, MepConnection):
            raise MisuseError(
                "this is an optical port; the meter keeps such things of the clients of its MEP ports only"
            )

    async def power_cycle(self) -> None:
        """Switch the level shifter off and on again now.

        Raises:
            TransportError: it cannot be switched.
            MisuseError: no recovery was given to :func:`~osgp.meter.opening.open_meter`.
        """
        await self._connection.power_cycle()

    async def _one_meter(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what BT01 and ET03 tell of one and the same meter."""
        bt01, et03 = TABLES["BT01"], TABLES["ET03"]
        for _ in range(ROUNDS):
            general = await self._reader.fields(bt01, "manufacturer", "model", "firmware")
            since = self._connection.doubts.another
            utility = await self._reader.fields(et03, "utility_serial_number")
            if self._connection.doubts.another == since:
                self._layout.begin_with(utility.get("utility_serial_number", ""))
                return general, utility
        raise TablesChanging(
            "the connection was lost again and again while the meter told who it is. It is asked again; put the probe "
            "straight, or check the cable, if this goes on"
        )
