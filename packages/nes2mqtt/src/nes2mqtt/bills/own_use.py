"""What the house used of what its inverter gave: the meter's energies beside those of the inverter.

Used by itself is what was produced and not exported; consumed is what was imported and that. Both are told only where meter and
inverter are known for the same time, as a difference of two times is no energy of either.

This module does not know how either is counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nes2mqtt.history.queries.reader import EnergyPeriod
from nes2mqtt.meters.production.counting import QUARTER

if TYPE_CHECKING:
    from nes2mqtt.history.store import Store
    from nes2mqtt.meters.production.counting import Sum
    from nes2mqtt.meters.production.keeper import Production

__all__ = ["OwnUse", "own_use_of", "own_uses"]


@dataclass(frozen=True, slots=True)
class OwnUse:
    """What an inverter gave in a time and what became of it, in kWh; None is what is not known.

    Args:
        produced: by the inverter.
        used: of it by the house itself.
        consumed: by the house in all.
        until: the end of the time that all three are of, where it is before that of the meter.
    """

    produced: float | None
    used: float | None = None
    consumed: float | None = None
    until: datetime | None = None


_IMPORT, _EXPORT = "active_energy_import", "active_energy_export"
_DIGITS = 3
"""Behind the point, of kWh: a Wh."""


async def own_uses(production: Production | None, meter: str, periods: Sequence[EnergyPeriod]) -> list[OwnUse | None]:
    """Return it for each period; None where the meter's house has no inverter that is heard."""
    if production is None or production.meter != meter:
        return [None] * len(periods)
    given = await production.energies([(period.start, period.end) for period in periods])
    return [_of(period, each, production.tolerance) for period, each in zip(periods, given, strict=True)]


def _of(period: EnergyPeriod, given: Sum, tolerance: float) -> OwnUse:
    produced = None if given.wh is None else given.wh
    used = None
    if produced is not None and _same_time(period, given, tolerance) and {_IMPORT, _EXPORT} <= period.values.keys():
        used = produced - period.values[_EXPORT]
    if used is None or used < 0:
        # More was exported than produced: something else exports too, or one of the two is wrong.
        return OwnUse(_kwh(produced))
    return OwnUse(produced=_kwh(produced), used=_kwh(used), consumed=_kwh(used + period.values[_IMPORT]))


def _same_time(period: EnergyPeriod, given: Sum, tolerance: float) -> bool:
    if period.first is None or period.last is None or given.first is None or given.last is None:
        return False
    first, last = given.first / 1000, given.last / 1000
    edges = abs(period.first.timestamp() - first) <= tolerance and abs(period.last.timestamp() - last) <= tolerance
    return edges and not period.unplaced and given.known / 1000 >= last - first - tolerance


async def own_use_of(production: Production | None, store: Store, meter: str, whole: EnergyPeriod) -> OwnUse | None:
    """Return it for a time; where the inverter fell silent before the meter did, as at night, up to that quarter hour.

    Raises:
        HistoryError: the history cannot be read now.
    """
    (found,) = await own_uses(production, meter, [whole])
    if production is None or found is None or found.used is not None or whole.last is None:
        return found
    (given,) = await production.energies([(whole.start, whole.end)])
    if given.last is None or given.last / 1000 >= whole.last.timestamp():
        return found
    until = datetime.fromtimestamp(given.last // QUARTER * QUARTER / 1000, UTC)
    if until <= whole.start:
        return found
    (part,) = await store.energies(meter, [(whole.start, until)])
    (shorter,) = await own_uses(production, meter, [part])
    return found if shorter is None or shorter.used is None else replace(shorter, until=until)


def _kwh(wh: float | None) -> float | None:
    return None if wh is None else round(wh / 1000, _DIGITS)
