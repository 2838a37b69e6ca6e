"""The last hour of each meter's power, in memory, so that a page opened now shows a full chart at once.

Points are ordered and cut by the monotonic clock, and get their time of day when they are asked for. So setting the
host's clock, by seconds or by years, neither stops a chart nor tears it. Sixteen bytes a sample: an hour at one sample a second
is 58 kB a meter. This module does not know about history on disk, except that it can be filled from there at the start.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

__all__ = ["POWER_EXPORT", "POWER_IMPORT", "Recent"]

SPAN = 3600.0
_SLACK = 256
"""Old samples are cut off in one go when this many have gathered."""
_ABSENT = -(2**31)


POWER_IMPORT = SOURCES["active_power_import"]
POWER_EXPORT = SOURCES["active_power_export"]


class _Line:
    """Parallel columns of one meter: moment of the monotonic clock, W, W."""

    __slots__ = ("exported", "imported", "instants")

    def __init__(self) -> None:
        self.instants = array("d")
        self.imported = array("i")
        self.exported = array("i")

    def append(self, at: float, imported: int | None, exported: int | None) -> None:
        if self.instants and at <= self.instants[-1]:
            return
        self.instants.append(at)
        self.imported.append(_ABSENT if imported is None else imported)
        self.exported.append(_ABSENT if exported is None else exported)
        old = bisect_left(self.instants, at - SPAN)
        if old > _SLACK:
            for column in (self.instants, self.imported, self.exported):
                del column[:old]


class Recent:
    """Power of the last hour, by meter."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def add(self, sample: Sample) -> None:
        """Remember a sample's power, if it has any."""
        if sample.group is not TableGroup.PRESENT:
            return
        imported = sample.values.get(POWER_IMPORT)
        exported = sample.values.get(POWER_EXPORT)
        if imported is None and exported is None:
            return
        line = self._lines.get(sample.meter)
        if line is None:
            line = self._lines[sample.meter] = _Line()
        line.append(sample.instant, imported, exported)

    def fill(self, meter: str, points: Iterable[tuple[float, int | None, int | None]]) -> None:
        """Put older points (moment, import W, export W; oldest first) in front of what is already there."""
        newer = self._lines.get(meter)
        line = self._lines[meter] = _Line()
        first = newer.instants[0] if newer is not None and newer.instants else float("inf")
        for point in points:
            if point[0] < first:
                line.append(*point)
        if newer is not None:
            for at, imported, exported in zip(newer.instants, newer.imported, newer.exported, strict=True):
                line.append(at, *(None if watts == _ABSENT else watts for watts in (imported, exported)))

    def document(self, meter: str, after: float, clock: Clock) -> dict[str, Any]:
        """Return the points after a moment of the monotonic clock.

        Returns:
            ``instant``, the moment of the first point, and ``start``, its time of day (seconds since 1970; None while that
            is not known); as columns of equal length ``t`` (seconds after it), ``import`` and ``export`` (W or None).
        """
        now = clock.monotonic()
        line = self._lines.get(meter) or _Line()
        first = bisect_right(line.instants, max(after, now - SPAN))
        instant = line.instants[first] if first < len(line.instants) else now
        return {
            "start": round(clock.label(instant).timestamp(), 3) if clock.known else None,
            "instant": round(instant, 3),
            "t": [round(at - instant, 1) for at in line.instants[first:]],
            "import": [None if watts == _ABSENT else watts for watts in line.imported[first:]],
            "export": [None if watts == _ABSENT else watts for watts in line.exported[first:]],
        }
