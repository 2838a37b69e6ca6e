"""What several tables say together: the supply's quality, the tariffs, the meter's state.

A table that the meter does not have, or the key may not read, is left away, and what only it would tell is None.

This module does not know what the tables mean.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from osgp.errors import MeterRefused, TableError
from osgp.tables import Record
from osgp.tables.calendar.tariffs import Tariffs, tariffs
from osgp.tables.quality.report import SupplyQuality, supply_quality
from osgp.tables.status.state import MeterState, meter_state

__all__ = ["ConditionReader"]


class ConditionReader:
    """Reads one meter's.

    Args:
        table: reads a whole table and decodes it, confirmed (:meth:`osgp.meter.meter.Meter.table`).
    """

    def __init__(self, table: Callable[[str], Awaitable[Record]]) -> None:
        self._table = table
        self._hardware: Record | None = None

    async def quality(self) -> SupplyQuality:
        """See :meth:`osgp.meter.meter.Meter.quality`."""
        hardware = await self._built()
        single = bool(hardware and hardware.get("single_phase") and not hardware.get("polyphase"))
        return supply_quality(await self._table("ET09"), single_phase=single)

    async def tariffs(self) -> Tariffs:
        """See :meth:`osgp.meter.meter.Meter.tariffs`."""
        # BT55 last: a tariff that changes meanwhile is no contradiction then.
        others = [await self._if_there(name) for name in ("BT54", "ET23", "ET47", "ET54")]
        return tariffs(await self._table("BT55"), *others)

    async def state(self) -> MeterState:
        """See :meth:`osgp.meter.meter.Meter.state`."""
        hardware = await self._built()
        found = [await self._if_there(name) for name in ("BT03", "ET23", "ET46", "ET54")]
        return meter_state(*found, has_contactor=hardware is None or bool(hardware.get("disconnect", True)))

    async def _built(self) -> Record | None:
        """Read ET29, once: what a meter is built of does not change."""
        if self._hardware is None:
            self._hardware = await self._if_there("ET29")
        return self._hardware

    async def _if_there(self, name: str) -> Record | None:
        try:
            return await self._table(name)
        except (MeterRefused, TableError):
            return None
