"""The energy of the running hour, day and month of each meter, kept at hand.

The history answers such a question from disk, in its own time; an MQTT dialect that publishes
these numbers must not wait for it. :class:`RunningEnergy` asks again and again in the background
and gives the last answer at once.

This module does not know how energy is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from nes2mqtt.clock import Clock
from nes2mqtt.history import EnergyPeriod, Store, Unit

__all__ = ["RunningEnergy"]

_ROUND = 10.0
"""Seconds in which every meter has its turn, as long as there are few."""

_LEAST_PAUSE = 0.5
"""Seconds between two meters, however many there are."""

_NONE: Mapping[str, int] = MappingProxyType({})
_UNITS = (Unit.HOUR, Unit.DAY, Unit.MONTH)
_DIRECTIONS = {"import": "active_energy_import", "export": "active_energy_export"}


class RunningEnergy:
    """Asks ``store`` for the energies of ``meters`` in turn."""

    def __init__(self, store: Store, meters: Collection[str], clock: Clock) -> None:
        self._clock = clock
        self._store = store
        self._meters = tuple(meters)
        self._known: dict[str, tuple[datetime, Mapping[str, int]]] = {}

    def of(self, meter: str) -> Mapping[str, int]:
        """Return Wh by ``import_hour`` ... ``export_month``; nothing when the last answer's hour is over."""
        until, energy = self._known.get(meter, (datetime.min.replace(tzinfo=UTC), _NONE))
        return energy if self._clock.now() < until else _NONE

    async def run(self) -> None:
        """Ask until cancelled."""
        pause = max(_ROUND / len(self._meters), _LEAST_PAUSE)
        while True:
            for meter in self._meters:
                periods = {unit: await self._store.now(meter, unit) for unit in _UNITS}
                self._known[meter] = (periods[Unit.HOUR].end, _by_name(periods))
                await asyncio.sleep(pause)


def _by_name(periods: Mapping[Unit, EnergyPeriod]) -> Mapping[str, int]:
    return {
        f"{direction}_{unit}": period.values[key]
        for unit, period in periods.items()
        for direction, key in _DIRECTIONS.items()
        if key in period.values
    }
