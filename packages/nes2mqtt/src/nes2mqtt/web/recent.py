"""The last hour of each meter's power, in memory, so that a page opened now shows a full chart at once.

Sixteen bytes a sample: an hour at one sample a second is 58 kB a meter. This module does
not know about history on disk, except that it can be filled from there at the start.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from nes2mqtt.reading import Sample, TableGroup
from osgp.sources import SOURCES

__all__ = ["POWER_EXPORT", "POWER_IMPORT", "Recent"]

SPAN = 3600.0
_SLACK = 256
"""Old samples are cut off in one go when this many have gathered."""
_ABSENT = -(2**31)


POWER_IMPORT = SOURCES["active_power_import"]
POWER_EXPORT = SOURCES["active_power_export"]


class _Line:
    """Parallel columns of one meter: seconds since 1970, W, W."""

    __slots__ = ("exported", "imported", "times")

    def __init__(self) -> None:
        self.times = array("d")
        self.imported = array("i")
        self.exported = array("i")

    def append(self, at: float, imported: int | None, exported: int | None) -> None:
        if self.times and at <= self.times[-1]:
            return
        self.times.append(at)
        self.imported.append(_ABSENT if imported is None else imported)
        self.exported.append(_ABSENT if exported is None else exported)
        old = bisect_left(self.times, at - SPAN)
        if old > _SLACK:
            for column in (self.times, self.imported, self.exported):
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
        line.append(sample.received.timestamp(), imported, exported)

    def fill(self, meter: str, points: Iterable[tuple[float, int | None, int | None]]) -> None:
        """Put older points (seconds, import W, export W; oldest first) in front of what is already there."""
        newer = self._lines.get(meter)
        line = self._lines[meter] = _Line()
        for point in points:
            line.append(*point)
        if newer is not None:
            for at, imported, exported in zip(newer.times, newer.imported, newer.exported, strict=True):
                line.append(at, *(None if watts == _ABSENT else watts for watts in (imported, exported)))

    def document(self, meter: str, after: float, now: float) -> dict[str, Any]:
        """Return the points after a moment: ``start`` and, as columns, ``t`` (s since start), ``import``, ``export``."""
        line = self._lines.get(meter) or _Line()
        first = bisect_right(line.times, max(after, now - SPAN))
        start = round(line.times[first], 3) if first < len(line.times) else round(now, 3)
        return {
            "start": start,
            "t": [round(at - start, 1) for at in line.times[first:]],
            "import": [None if watts == _ABSENT else watts for watts in line.imported[first:]],
            "export": [None if watts == _ABSENT else watts for watts in line.exported[first:]],
        }
