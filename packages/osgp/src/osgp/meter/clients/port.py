"""The MEP port that we are at: which one it is, what the meter wants of us, and what the client of the other one holds.

Reading asks nothing of the meter and changes nothing. Answering an alert is a procedure, EP39, and needs the permission to call
it. Only one alert can be answered by somebody who has no data to deliver: that of ET71, by type 12 (MEP guide v1.1 p. 35). A scheduled read and
a request in ET15 are answered with the data that they ask for (p. 18), and the number of EP39 that clears an M-Bus change is
printed nowhere: those stay, and so do their flags, because nothing is made up to silence them.

Of ET13 only the elements of MEP clients are read: those of M-Bus devices hold keys (p. 82), which would cross the line for nothing.

This module does not know how a port is opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from osgp.errors import MeterRefused, TableError, WriteUncertain
from osgp.meter.confirmed import ConfirmedReader
from osgp.meter.reader import TableReader
from osgp.meter.writing import ProcedureResult
from osgp.tables import TABLES, Dimensions, Record
from osgp.tables.clients.mep_port import ALERTS, MepPort, mep_port

__all__ = ["Answered", "ClientPortReader"]

_CLEAR_DELTA = 12
_POST = bytes((_CLEAR_DELTA, 0, 0, 0))
"""EP39: type, result, and a length of two bytes of what follows: nothing. The guide prints the type only; real meters take this form."""
_LEFT: Mapping[str, str] = {
    "scheduled_read": "the meter waits for the data of a scheduled read, and this program has none",
    "on_demand_request": "a request in ET15 waits for its answer, and this program has none",
    "mbus_change": "no guide prints how EP39 clears it; who reads ET58 and the load profile knows what it tells",
}
_OPTIONAL = ("ET50", "ET51", "ET14", "ET15", "ET54", "ET55")


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the alerts of our port."""

    answered: frozenset[str]
    """Those that the meter has taken back."""
    left: Mapping[str, str]
    """The others, each with the reason, for people."""


class ClientPortReader:
    """Reads what the meter knows of its MEP clients.

    Args:
        reader: reads.
        confirmed: reads by the meter's layout, until it is confirmed.
        table: reads a whole table and decodes it, confirmed (:meth:`osgp.meter.meter.Meter.table`).
        call: calls a procedure (:meth:`osgp.meter.meter.Meter.call`).
    """

    def __init__(
        self,
        reader: TableReader,
        confirmed: ConfirmedReader,
        table: Callable[[str], Awaitable[Record]],
        call: Callable[[str, bytes], Awaitable[ProcedureResult]],
    ) -> None:
        self._reader = reader
        self._confirmed = confirmed
        self._table = table
        self._call = call

    async def read(self) -> MepPort:
        """See :meth:`osgp.meter.meter.Meter.mep_port`."""
        channel = await self._channel()
        try:
            wanted = await self._wanted()
        except (MeterRefused, TableError):
            wanted = None
        et50, et51, *others = [await self._if_there(name) for name in _OPTIONAL]
        return mep_port(channel, et50, et51, wanted, *others)

    async def answer_alerts(self) -> Answered:
        """See :meth:`osgp.meter.meter.Meter.answer_alerts`."""
        before = await self._alerts()
        if "delta_data" in before:
            result = await self._call("EP39", _POST)
            if not result.done:
                raise WriteUncertain(
                    f"the meter did not take the answer to its alert (EP39, result {result.code}). Nothing else was sent; read ET71 "
                    "for what the alert is about"
                )
        after = await self._alerts() if "delta_data" in before else before
        left = {name: _LEFT.get(name, "a source of ET71 changed again meanwhile") for name in ALERTS if name in after}
        return Answered(before - after, left)

    async def shares_transactions(self) -> bool:
        """Tell whether the client of another MEP port may use ET52 and ET53, too (p. 23)."""
        if await self._channel() > 1:
            return True
        et54 = await self._if_there("ET54")
        return bool(et54 and et54.get("multiple_mep_clients"))

    async def _alerts(self) -> frozenset[str]:
        """Return what the meter wants of us now.

        Raises:
            MeterRefused: the meter has no ET13, or does not show it.
        """
        channel, et13 = await self._channel(), await self._wanted()
        return mep_port(channel, et13=et13).own.alerts or frozenset()

    async def _wanted(self) -> Record:
        """Return the elements of ET13 that are of MEP clients."""
        et13 = TABLES["ET13"]

        async def read(dims: Dimensions) -> tuple[bytes, int, Dimensions]:
            offset, count = et13.window(dims, "mep")
            return await self._reader.part(et13.id, offset, count), offset, dims

        data, offset, dims = await self._confirmed.read(read)
        return et13.decode(data, dims, offset=offset)

    async def _channel(self) -> int:
        """Return which MEP port is ours (ET70.142); 1 in meters that have one."""
        async with self._reader.turn():
            told = (await self._reader.fields(TABLES["ET70"], "channel")).get("channel")
        return told if told in {1, 2} else 1

    async def _if_there(self, name: str) -> Record | None:
        try:
            return await self._table(name)
        except (MeterRefused, TableError):
            return None
