"""One conversation with Home Assistant in which the statistics of filled gaps are put right.

Since Home Assistant 2025.11 statistics are sent with ``mean_type`` and ``unit_class``, which it demands from 2026.11 on; older ones
demand ``has_mean`` and refuse a field that they do not know (developers.home-assistant.io/blog/2025/10/16/recorder-statistics-api-changes).
No command tells which of them it is, so the newer form is tried first, once in each conversation.

This module does not know how bytes reach Home Assistant, nor which hours are right (:mod:`nes2mqtt.outputs.homeassistant.statistics`).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

from nes2mqtt.history.tables.filled import FilledGap
from nes2mqtt.outputs.homeassistant.connection import INVALID_FORMAT, Refused
from nes2mqtt.outputs.homeassistant.statistics import HOUR, Hour, Inconsistent, hours_of
from nes2mqtt.outputs.unique_ids import value_id
from nes2mqtt.readings.register_readings import values_of
from osgp.sources import Source

__all__ = ["Asked", "Visit"]

_log = logging.getLogger(__name__)

_BEFORE = timedelta(days=32)
"""How far before a gap Home Assistant is asked for its last hour: it may have been away as well."""
_AT_ONCE = 1000
"""Hours in one message: six weeks."""
_UNITS: Mapping[tuple[str, str], float] = {("kWh", "Wh"): 1e3, ("kWh", "MWh"): 1e-3}
"""What a number of ours is multiplied with, where people chose another unit in Home Assistant."""
_NO_MEAN = 0
_HOUR = HOUR // timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Asked(Protocol):
    """What is needed of :class:`~nes2mqtt.outputs.homeassistant.connection.HomeAssistant`."""

    async def ask(self, command: str, **more: Any) -> Any:
        """Send a command and return its result."""


class Visit:
    """One conversation.

    Args:
        home: is asked.
        gateway: this gateway's name.
        entities: of MQTT, by the unique id with which they were announced.
    """

    def __init__(self, home: Asked, gateway: str, entities: Mapping[str, str]) -> None:
        self._home = home
        self._gateway = gateway
        self._entities = entities
        self._newer = True
        """It takes the newer form of statistics, as far as is known."""

    @classmethod
    async def begin(cls, home: Asked, gateway: str) -> Self:
        """Ask for the entities.

        Raises:
            HomeAssistantError: it cannot be asked.
        """
        found = await home.ask("config/entity_registry/list")
        return cls(
            home,
            gateway,
            {str(one["unique_id"]): str(one["entity_id"]) for one in found if one.get("platform") == "mqtt"},
        )

    async def repair(self, gap: FilledGap, only: Collection[str] | None = None) -> dict[str, str]:
        """Put right what one gap made wrong.

        Args:
            gap: which.
            only: these entities, of those that the gap concerns.

        Returns:
            Why each entity that was refused was, in words.

        Raises:
            HomeAssistantError: it cannot be asked.
        """
        wanted = {
            entity: source
            for source in (gap.readings[-1].values if gap.readings else ())
            if (entity := self._entities.get(value_id(self._gateway, gap.meter, source.key))) is not None
            and (only is None or entity in only)
        }
        if not wanted:
            return {}
        about = await self._home.ask("recorder/get_statistics_metadata", statistic_ids=sorted(wanted))
        repaired = 0
        refused: dict[str, str] = {}
        for one in about:
            entity, unit = str(one.get("statistic_id")), one.get("statistics_unit_of_measurement")
            source = wanted.get(entity)
            factor = None if source is None else 1.0 if unit == source.unit else _UNITS.get((source.unit, unit or ""))
            if source is None or factor is None or not one.get("has_sum"):
                continue
            try:
                repaired += await self._repair_one(one, _shown(gap, source, factor), gap)
            except Refused as error:
                refused[entity] = str(error)
        if repaired:
            _log.info(
                "meter %s: the statistics of Home Assistant are right again from %s to %s UTC (%d hours of values)",
                *(gap.meter, f"{gap.began:%Y-%m-%d %H:%M}", f"{gap.ended:%Y-%m-%d %H:%M}", repaired),
            )
        return refused

    async def _repair_one(
        self, about: Mapping[str, Any], shown: tuple[Sequence[tuple[datetime, float]], timedelta], gap: FilledGap
    ) -> int:
        """Put one entity right; return how many hours."""
        entity, unit = str(about["statistic_id"]), about.get("statistics_unit_of_measurement")
        kind = about.get("unit_class")
        answer = await self._home.ask(
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
            readings, interval = shown
            hours = hours_of(readings, (gap.began, gap.ended), known, interval)
        except Inconsistent as error:
            _log.warning("Home Assistant's statistics of %s are left as they are after a gap: %s", entity, error)
            return 0
        for first in range(0, len(hours), _AT_ONCE):
            await self._import(about, hours[first : first + _AT_ONCE])
        return len(hours)

    async def _import(self, about: Mapping[str, Any], hours: Sequence[Hour]) -> None:
        """Write hours, in the newer form of the command or in the older one."""
        common = {
            "has_sum": True,
            "name": about.get("name"),
            "source": "recorder",
            "statistic_id": about["statistic_id"],
            "unit_of_measurement": about.get("statistics_unit_of_measurement"),
        }
        newer = common | {"mean_type": _NO_MEAN, "unit_class": about.get("unit_class")}
        older = common | {"has_mean": False}
        stats = [{"start": one.start.isoformat(), "state": one.state, "sum": one.sum} for one in hours]
        if self._newer:
            try:
                await self._home.ask("recorder/import_statistics", metadata=newer, stats=stats)
            except Refused as error:
                if error.code != INVALID_FORMAT:
                    raise
                await self._home.ask("recorder/import_statistics", metadata=older, stats=stats)
                self._newer = False
        else:
            await self._home.ask("recorder/import_statistics", metadata=older, stats=stats)


def _shown(gap: FilledGap, source: Source, factor: float) -> tuple[list[tuple[datetime, float]], timedelta]:
    """Return when and what the entity would have shown, and how far readings are apart where none is missing.

    After a swap it counts from what the new meter had first. Of each hour the first reading, which may end the hour before, and
    the last are enough.
    """
    base = gap.readings[-1].base.get(source, 0)
    needed: list[tuple[int, int]] = []
    apart: Counter[int] = Counter()
    before: int | None = None
    for at, value in values_of(gap.readings, source):
        if before is not None:
            apart[at - before] += 1
        before = at
        if len(needed) > 1 and needed[-2][0] // _HOUR == at // _HOUR:
            needed.pop()
        needed.append((at, value))
    ((most, _),) = apart.most_common(1) or ((_HOUR, 1),)
    found = [
        (_EPOCH + timedelta(milliseconds=at), round(source.scaled(value - base) * factor, 6)) for at, value in needed
    ]
    return found, timedelta(milliseconds=most)


def _hour(row: Mapping[str, Any]) -> Hour | None:
    """Return an hour as Home Assistant tells it; its times are milliseconds since 1970."""
    state, total = row.get("state"), row.get("sum")
    if state is None or total is None:
        return None
    return Hour(datetime.fromtimestamp(row["start"] / 1000, UTC), float(state), float(total))
