"""Puts Home Assistant's statistics right where a gap was filled.

Each gap is worked off once, in the order in which the gaps were filled; how far that has come is kept in the history. While Home
Assistant cannot be asked it is tried again, for ever. What it does not have (an entity that was never announced, or has no statistics)
is passed over.

This module does not know how bytes reach Home Assistant, nor which hours are right (:mod:`nes2mqtt.outputs.homeassistant.statistics`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.store import Store
from nes2mqtt.history.tables.filled import FilledGap
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.homeassistant.connection import HomeAssistant, HomeAssistantError
from nes2mqtt.outputs.homeassistant.statistics import HOUR, Hour, Inconsistent, hours_of
from nes2mqtt.outputs.unique_ids import value_id
from nes2mqtt.readings.hub import OutputStatus
from nes2mqtt.readings.reading import Event
from nes2mqtt.timing.backoff import Backoff
from osgp.sources import Source

__all__ = ["Repair"]

_log = logging.getLogger(__name__)

_LOOK_EVERY = 60.0
"""Seconds between two looks whether a gap was filled."""
_AGAIN = (60.0, 3600.0)
_BEFORE = timedelta(days=32)
"""How far before a gap Home Assistant is asked for its last hour: it may have been away as well."""
_DONE = "homeassistant_gap"
"""Under this name the history keeps the number of the last gap that was worked off."""
_UNITS: Mapping[tuple[str, str], float] = {("kWh", "Wh"): 1e3, ("kWh", "MWh"): 1e-3}
"""What a number of ours is multiplied with, where people chose another unit in Home Assistant."""


class Asked(Protocol):
    """What is needed of :class:`~nes2mqtt.outputs.homeassistant.connection.HomeAssistant`."""

    async def ask(self, command: str, **more: Any) -> Any:
        """Send a command and return its result."""


class Repair:
    """An output: hears nothing of the hub, and looks into the history by itself.

    Args:
        config: where Home Assistant is.
        gateway: this gateway's name.
        store: the history.
        connect: makes the connection; tests have others.
    """

    name = "homeassistant"

    def __init__(
        self,
        config: HomeAssistantConfig,
        gateway: str,
        store: Store,
        connect: Callable[[], AbstractAsyncContextManager[Asked]] | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._connect = connect if connect is not None else lambda: HomeAssistant(config.url, config.token)
        self._problem = ""
        self._waiting = 0

    def offer(self, event: Event) -> None:
        """Take nothing: what is filled comes from the history."""
        del event

    def status(self) -> OutputStatus:
        """Tell whether Home Assistant could be asked, when it had to be."""
        text = self._problem or "Home Assistant is asked when a gap was filled"
        return OutputStatus(self.name, not self._problem, text, waiting=self._waiting)

    async def run(self) -> None:
        """Work off what is filled, until cancelled."""
        again = Backoff(*_AGAIN)
        while True:
            pause = _LOOK_EVERY
            try:
                gaps = await self._store.filled_gaps(await self._store.noted(_DONE))
                self._waiting = len(gaps)
                if gaps:
                    async with self._connect() as home:
                        entities = await self._entities(home)
                        for gap in gaps:
                            await self._repair(home, entities, gap)
                            await self._store.note(_DONE, gap.number)
                            self._waiting -= 1
                if self._problem:
                    _log.info("Home Assistant can be asked again")
                self._problem = ""
                again.reset()
            except HomeAssistantError as error:
                if not self._problem:
                    _log.warning(
                        "the statistics of Home Assistant are not repaired after a gap: %s. It is tried again", error
                    )
                self._problem = f"{error}. Its statistics are repaired when it can be asked"
                pause = again.next()
            except HistoryError:  # the status of the history tells why
                pause = again.next()
            await asyncio.sleep(pause)

    @staticmethod
    async def _entities(home: Asked) -> dict[str, str]:
        """Return the entities of MQTT, by the unique id with which they were announced."""
        found = await home.ask("config/entity_registry/list")
        return {str(one["unique_id"]): str(one["entity_id"]) for one in found if one.get("platform") == "mqtt"}

    async def _repair(self, home: Asked, entities: Mapping[str, str], gap: FilledGap) -> None:
        """Put right what one gap made wrong."""
        sources = {source for sample in gap.readings for source in sample.values}
        wanted = {
            entity: source
            for source in sources
            if (entity := entities.get(value_id(self._gateway, gap.meter, source.key))) is not None
        }
        if not wanted:
            return
        about = await home.ask("recorder/get_statistics_metadata", statistic_ids=sorted(wanted))
        repaired = 0
        for one in about:
            source, unit = wanted.get(one["statistic_id"]), one.get("statistics_unit_of_measurement")
            factor = None if source is None else 1.0 if unit == source.unit else _UNITS.get((source.unit, unit or ""))
            if source is None or factor is None or not one.get("has_sum"):
                continue
            repaired += await self._repair_one(home, one, _shown(gap, source, factor), gap)
        if repaired:
            _log.info(
                "meter %s: the statistics of Home Assistant are right again from %s to %s UTC (%d hours of values)",
                gap.meter,
                f"{gap.began:%Y-%m-%d %H:%M}",
                f"{gap.ended:%Y-%m-%d %H:%M}",
                repaired,
            )

    async def _repair_one(
        self, home: Asked, about: Mapping[str, Any], readings: Sequence[tuple[datetime, float]], gap: FilledGap
    ) -> int:
        """Put one entity right; return how many hours."""
        entity, unit = str(about["statistic_id"]), about.get("statistics_unit_of_measurement")
        kind = about.get("unit_class")
        answer = await home.ask(
            "recorder/statistics_during_period",
            start_time=(gap.began - _BEFORE).isoformat(),
            end_time=(gap.ended + 2 * HOUR).isoformat(),
            statistic_ids=[entity],
            period="hour",
            types=["state", "sum"],
            **({"units": {kind: unit}} if kind and unit else {}),
        )
        known = [hour for row in answer.get(entity, ()) if (hour := _hour(row)) is not None]
        try:
            hours = hours_of(readings, (gap.began, gap.ended), known)
        except Inconsistent as error:
            _log.warning("Home Assistant's statistics of %s are left as they are after a gap: %s", entity, error)
            return 0
        if not hours:
            return 0
        await home.ask(
            "recorder/import_statistics",
            metadata={
                "has_mean": False,
                "has_sum": True,
                "name": about.get("name"),
                "source": "recorder",
                "statistic_id": entity,
                "unit_of_measurement": unit,
            },
            stats=[{"start": one.start.isoformat(), "state": one.state, "sum": one.sum} for one in hours],
        )
        return len(hours)


def _shown(gap: FilledGap, source: Source, factor: float) -> list[tuple[datetime, float]]:
    """Return when and what the entity would have shown: after a swap it counts from what the new meter had first."""
    return [
        (sample.received, round(source.scaled(sample.values[source] - sample.base.get(source, 0)) * factor, 6))
        for sample in gap.readings
        if source in sample.values
    ]


def _hour(row: Mapping[str, Any]) -> Hour | None:
    """Return an hour as Home Assistant tells it; its times are milliseconds since 1970."""
    state, total = row.get("state"), row.get("sum")
    if state is None or total is None:
        return None
    return Hour(datetime.fromtimestamp(row["start"] / 1000, UTC), float(state), float(total))
