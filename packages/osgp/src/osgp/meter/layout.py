"""Which bytes of this meter mean what, and the proof that it was so when they were read.

A grid company reconfigures meters from afar, at any moment: tables grow, and what stood at an offset stands at another
one. Decoded by the old layout, a maximum demand is a power and a voltage is 2.3 V. So a layout is a *claim*, and bytes
are decoded only after something that came behind them has confirmed it.

**What confirms.** ET04.116, the IDT version, is incremented with every change of what ET42 describes and with each
firmware (MEP guide v1.1 p. 54-55, 64). It only grows, so one byte read behind the data that shows the number of before
proves that nothing changed in between; the same holds for the tables of sizes, which are read between two looks at
it. Both ports are asked alike.

On a MEP port the sequence number jumps by 25 with it, and the next request draws 0x0C (p. 55). That proves less than it
seems. The number is checked before the table is read: so an answer proves that nothing had changed before its bytes were read, and only
the *next* answer proves it for the time after. And lost requests move the number on, too, which can hide the jump. It is therefore used only
to look again where no data are read, and for a meter that does not show ET04: there, any later answer
without a 0x0C in between is the proof. On an optical port such a meter has those tables read again behind the data that
say how the data are laid out.

**Another meter** may have the same IDT version. Where the meter could have been another one since (a session lost or
renewed, a sequence number far from the last), its serial number and program are read too.

This module does not know registers or present values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from osgp.errors import MeterRefused, MeterSwapped, TableError, TablesChanging
from osgp.meter.known import KnownMeter, Signature
from osgp.meter.reader import FIXED_SIZE, TableReader
from osgp.ports.connection import Connection, Doubts
from osgp.psem import PartialRead, ResponseCode, table_id
from osgp.tables import TABLES, Dimensions, Table
from osgp.tables.survey import SURVEYED, et55_sizes, summary_of, survey

__all__ = ["REFUSED_FOR_GOOD", "ROUNDS", "ConfirmedLayout"]

ROUNDS = 4
"""Times something is read again because the meter changed meanwhile, or may have."""

_BT01, _ET55 = table_id("BT01"), table_id("ET55")
_VERSION = PartialRead(table_id("ET04"), *TABLES["ET04"].window(FIXED_SIZE, "idt_version"))
"""Asks for the IDT version: one byte."""

REFUSED_FOR_GOOD = frozenset(range(ResponseCode.ERROR, ResponseCode.INAPPROPRIATE_ACTION + 1))
"""Refusals for good, with which a meter is read without that table. Others (data locked, say) may pass."""


@lru_cache(maxsize=256)
def _shared(dims: Dimensions) -> Dimensions:
    """Return the same object for equal dimensions: thousands of meters of one make share what is compiled for them."""
    return dims


@lru_cache(maxsize=1024)
def _surveyed(tables: frozenset[tuple[str, bytes]]) -> Dimensions:
    """Return what these bytes of the tables of sizes tell: meters of one make have the same, and a survey takes milliseconds.

    Raises:
        TableError: they do not fit together.
    """
    return _shared(survey(dict(tables)))


def _survey_of(tables: Mapping[str, bytes | None]) -> Dimensions:
    """Return what the tables tell that the meter has; None stands for one that it refuses. Raises as :func:`_surveyed`."""
    return _surveyed(frozenset(_told(tables).items()))


class ConfirmedLayout:
    """The layout of one connection's meter. Its user has the line to itself (:meth:`osgp.meter.reader.TableReader.turn`).

    Args:
        connection: tells what may have changed.
        reader: reads.
        known: what earlier connections learned.
    """

    def __init__(self, connection: Connection[Any], reader: TableReader, known: KnownMeter) -> None:
        self._connection = connection
        self._reader = reader
        self._known = known
        self._dims: Dimensions | None = None
        self._signature = Signature()
        self._doubts = Doubts()
        self._serial = ""
        self._swapped: MeterSwapped | None = None
        self.surveys = 0
        """How often the layout was found out. Equal dimensions may come of another configuration."""

    @property
    def serial(self) -> str:
        """The serial number that the meter told; "" if it told none."""
        return self._serial

    def summary(self, dims: Dimensions) -> Mapping[str, Any]:
        """Return ET42 as it was read; nothing if the meter does not have it, or it does not add up."""
        data = self._known.tables.get("ET42")
        return (None if data is None else summary_of(data, dims)) or {}

    def raise_if_swapped(self) -> None:
        """Raise :class:`~osgp.errors.MeterSwapped` if another meter was met and nobody asked who it is."""
        if self._swapped is not None:
            raise self._swapped

    def begin_with(self, serial: str) -> None:
        """Take the meter with this serial number, "" where it tells none, for the one that is read from now on."""
        if serial != self._serial or self._swapped is not None:
            self._dims = self._swapped = None
        self._serial = serial

    def _meet(self, serial: str) -> None:
        """Note the serial number that the meter just told. Raises MeterSwapped if it told another one before."""
        if serial and self._serial and serial != self._serial:
            self._dims = None
            self._swapped = MeterSwapped(
                f"another meter answers here: its serial number is {serial} and was {self._serial}. "
                "Nothing of it is taken for the old one; ask who it is, or open the port anew"
            )
            raise self._swapped
        self._serial = serial or self._serial

    async def current(self) -> Dimensions:
        """Return the layout to read by; found out first where it is not known.

        Raises:
            TableError: the meter does not tell, so nothing in BT23 and BT28 could be trusted.
            TablesChanging, MeterSwapped: see :mod:`osgp.errors`.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        if self._dims is None:
            self._dims = await self._survey()
            self.surveys += 1
        return self._dims

    async def checked(self) -> Dimensions:
        """Return the layout, looked at again if anything hints that it is another one. Raises as :meth:`current`."""
        if self._dims is not None and self._connection.doubts != self._doubts:
            await self.holds()
        return await self.current()

    async def told_by(self, names: Sequence[str]) -> Dimensions:
        """Return the layout with what these tables tell, too; those that were not read yet are read. Raises as :meth:`current`."""
        await self.current()
        known = self._known.tables
        missing = [name for name in names if name not in known]
        if missing:
            await self._learn(known, missing)
            # Proven as everything that is read now is: by what is asked behind it.
            self._dims = _survey_of(known)
        return await self.current()

    async def holds(self, by: Sequence[str] = SURVEYED) -> bool:
        """Tell whether the layout of :meth:`current` was right until now: only then may what was read by it be decoded.

        Args:
            by: the tables that say how what was read is laid out.

        Raises:
            TablesChanging: it cannot be told, because the connection is lost again and again.
            MeterSwapped: another meter answers.
            OsgpError: see :meth:`osgp.ports.connection.Connection.exchange`.
        """
        if self._dims is None or not await self._unchanged(self._dims, by):
            self._dims = None
            return False
        return True

    async def _unchanged(self, dims: Dimensions, by: Sequence[str] = SURVEYED) -> bool:
        for _ in range(ROUNDS):
            if self._connection.doubts.another == self._doubts.another:
                # A 0x0C that this very read draws is no matter: its answer came later.
                version, since = await self._version_or_refusal()
                same = version == self._signature.version
                sure = since.another == self._doubts.another
            else:
                signature, since = await self._read_signature()
                version, same = signature.version, signature == self._signature
                sure = self._connection.doubts.another == since.another
            if not sure:
                continue  # perhaps yet another meter: ask again who it is
            if not same:
                return False
            if version is None:
                return await self._same_without_version(dims, by)
            self._doubts = since
            return True
        raise TablesChanging(
            "the connection to the meter was lost again and again while its values were confirmed, so none are given "
            "out. They are read again; put the probe straight, or check the cable, if this goes on"
        )

    async def _version_or_refusal(self) -> tuple[int | None, Doubts]:
        """Ask for the version. Where it was refused before, that only helps where a refusal stands in sequence."""
        if self._signature.version is None and not self._connection.in_sequence:
            return None, self._connection.doubts
        return await self._version()

    async def _same_without_version(self, dims: Dimensions, by: Sequence[str]) -> bool:
        """Confirm the layout of a meter that does not show ET04, by a later answer in sequence or by its tables of sizes."""
        if self._connection.in_sequence and self._connection.doubts == self._doubts:
            return True
        before = self._connection.doubts
        tables = _told(self._known.tables)
        try:
            for name in list(tables):
                if name in by and not (name == "BT20" and "BT21" in tables):
                    tables[name] = await self._self_counted(TABLES[name], dims)
            same = _survey_of(tables) == dims
        except (MeterRefused, TableError):
            return False
        if self._connection.doubts != before:
            return False
        self._doubts = before
        return same

    async def _survey(self) -> Dimensions:
        known = self._known
        for _ in range(ROUNDS):
            self._signature, self._doubts = await self._read_signature()
            if self._connection.doubts.another != self._doubts.another:
                continue
            known.recognise(None if self._signature.version is None else self._signature)
            complete = known.tables.keys() >= set(SURVEYED)
            dims, failure = None, None
            try:
                dims = _survey_of(await self._learn(known.tables))
            except TableError as error:  # perhaps half of the tables are from before a change
                failure = error
            # What was known is of this signature. What was read now may be a mixture, unless it did not change meanwhile.
            if complete or await self._settled(dims):
                if failure is not None:
                    raise failure
                if "BT21" not in _told(known.tables) and "BT20" not in _told(known.tables):
                    raise TableError(
                        "the meter tells its table sizes neither in BT21 nor in BT20, so its registers cannot be "
                        "trusted. Save an osgp dump and report it"
                    )
                assert dims is not None  # noqa: S101 - or there is a failure
                return dims
            known.tables.clear()
        raise TablesChanging(
            "the meter's tables changed again and again while they were read, or the connection was lost, so nothing "
            "is given out. They are read again; the grid company may be configuring the meter just now"
        )

    async def _settled(self, dims: Dimensions | None) -> bool:
        """Tell whether what was read since the signature belongs together."""
        if self._signature.version is None:
            # Nothing is given out before :meth:`holds` has compared once more.
            return self._connection.doubts == self._doubts or not self._connection.in_sequence
        return await self._unchanged(dims or FIXED_SIZE)

    async def _learn(
        self, tables: dict[str, bytes | None], wanted: Sequence[str] = SURVEYED
    ) -> dict[str, bytes | None]:
        """Read those of the wanted tables of sizes that are missing in ``tables``, into it."""
        for name in wanted:
            if name not in tables:
                described, dims = TABLES[name], _survey_of(tables)
                await self._reader.allow()
                try:
                    tables[name] = await self._self_counted(described, dims)
                except MeterRefused as error:
                    if error.code not in REFUSED_FOR_GOOD:
                        raise
                    tables[name] = None
        return tables

    async def _self_counted(self, described: Table, dims: Dimensions) -> bytes:
        """Read a table of which the beginning, or the end, may tell how long it is."""
        if described.id == _BT01:
            return await self._reader.part(described.id, 0, described.certain_size(dims))
        if described.id == _ET55:
            least, most = et55_sizes(dims)
            data = await self._reader.part(described.id, 0, most)
            # Behind the end of a table come zeros (Optical guide v1.1 p. 9).
            return data if any(data[least:]) else data[:least]
        data = await self._reader.whole(described, dims)
        while described.own_counts and (told := described.size(dims, data)) > len(data):
            data += await self._reader.part(described.id, len(data), told - len(data))
        return data

    async def _read_signature(self) -> tuple[Signature, Doubts]:
        """Return what changes whenever the meter or its layout does, and the doubts as they were at its first answer."""
        version, since = await self._version()
        # One by one: what lies between these two fields makes a read that not every meter answers.
        program = (await self._reader.fields(TABLES["ET04"], "program_id")).get("program_id")
        serial = (await self._reader.fields(TABLES["ET03"], "utility_serial_number")).get("utility_serial_number", "")
        if self._connection.doubts.another == since.another:
            self._meet(serial)
        return Signature(serial, program, version), since

    async def _version(self) -> tuple[int | None, Doubts]:
        try:
            data = (await self._reader.exchange(_VERSION)).data
        except MeterRefused:
            data = b""
        return data[0] if data else None, self._connection.doubts


def _told(tables: Mapping[str, bytes | None]) -> dict[str, bytes]:
    return {name: data for name, data in tables.items() if data is not None}
