"""BT23 and BT28 of the meter in a house.

This module does not know how tables are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from osgp.simulator.house import House, Moment
from osgp.sources import Source, in_tier
from osgp.tables import Dimensions, present, registers

__all__ = ["HouseReadout"]


class HouseReadout:
    """BT23 and BT28 of the meter in a house. Each is worked out at most once a second, as a real meter does."""

    def __init__(self, house: House, dims: Dimensions) -> None:
        self._house = house
        self._dims = dims
        self._present = [source for source in dims.present_sources if source is not None]
        totals = dims.register_sources
        self._blocks = [totals, *([_of_tier(source, tier) for source in totals] for tier in range(dims.tiers))]
        self._second = -1
        self._moment: Moment | None = None
        self._made: dict[str, bytes] = {}

    def bt23(self, now: float) -> bytes:
        """Return the registers."""
        moment = self._at(now)
        if "BT23" not in self._made:
            self._made["BT23"] = self.encode_registers(moment.total, moment.tiers)
        return self._made["BT23"]

    def encode_registers(self, total: Sequence[int], tiers: Sequence[Sequence[int]]) -> bytes:
        """Return BT23 with these summations."""
        values: dict[Source, int] = {}
        for sources, numbers in zip(self._blocks, (total, *tiers), strict=False):
            values.update(
                (source, number) for source, number in zip(sources, numbers, strict=True) if source is not None
            )
        return registers.encode(values, self._dims)

    def bt28(self, now: float) -> bytes:
        """Return the present values."""
        moment = self._at(now)
        if "BT28" not in self._made:
            values = {source: moment.present[source.id] for source in self._present if source.id is not None}
            self._made["BT28"] = present.encode(values, self._dims)
        return self._made["BT28"]

    def _at(self, now: float) -> Moment:
        if self._moment is None or int(now) != self._second:
            self._second = int(now)
            self._moment = self._house.at(now)
            self._made.clear()
        return self._moment


def _of_tier(source: Source | None, tier: int) -> Source | None:
    return None if source is None else in_tier(source, tier)
