"""The energy of the running hour, day and month of each meter, kept at hand.

The history answers such a question from disk, in its own time; an MQTT dialect that publishes
these numbers must not wait for it. :class:`RunningEnergy` asks in the background when a meter's registers
were read since, or a period is over, and gives the last answer at once.

This module does not know how energy is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.queries.reader import EnergyPeriod
from nes2mqtt.history.store import Store
from nes2mqtt.timing.clock import Clock

__all__ = ["RunningEnergy"]

_ROUND = 10.0
"""Seconds in which every meter is looked at, as long as there are few."""

_LEAST_PAUSE = 0.5
"""Seconds between two meters, however many there are."""

_NONE: Mapping[str, int] = MappingProxyType({})
_UNITS = (Unit.HOUR, Unit.DAY, Unit.MONTH)
_DIRECTIONS = {"import": "active_energy_import", "export": "active_energy_export"}


class RunningEnergy:
    """Asks ``store`` for the energies of ``meters``. Make one only if somebody publishes them."""

    def __init__(self, store: Store, meters: Collection[str], clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._meters = tuple(meters)
        self._known: dict[str, tuple[datetime, Mapping[str, int]]] = {}
        self._asked: dict[str, int] = {}
        """How many register samples there were of a meter when its energies were asked for."""

    def of(self, meter: str) -> Mapping[str, int]:
        """Return Wh by ``import_hour`` ... ``export_month``; nothing when the last answer's hour is over."""
        until, energy = self._known.get(meter, (datetime.min.replace(tzinfo=UTC), _NONE))
        return energy if self._clock.known and self._clock.now() < until else _NONE

    async def run(self) -> None:
        """Ask until cancelled."""
        pause = max(_ROUND / len(self._meters), _LEAST_PAUSE)
        while True:
            for meter in self._meters:
                heard = self._store.registers_heard.get(meter, 0)
                if self._asked.get(meter) != heard or not self._is_current(meter):
                    await self._ask(meter)
                    self._asked[meter] = heard
                await asyncio.sleep(pause)

    def _is_current(self, meter: str) -> bool:
        known = self._known.get(meter)
        return known is not None and self._clock.now() < known[0]

    async def _ask(self, meter: str) -> None:
        try:
            periods = {unit: await self._store.now(meter, unit) for unit in _UNITS}
        except HistoryError:  # the status of the history tells why
            self._known.pop(meter, None)
            return
        self._known[meter] = (periods[Unit.HOUR].end, _by_name(periods))


def _by_name(periods: Mapping[Unit, EnergyPeriod]) -> Mapping[str, int]:
    return {
        f"{direction}_{unit}": period.values[key]
        for unit, period in periods.items()
        for direction, key in _DIRECTIONS.items()
        if key in period.values
    }
