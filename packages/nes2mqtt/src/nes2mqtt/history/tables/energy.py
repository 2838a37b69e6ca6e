"""Energy from registers: the difference of two readings of one physical meter.

Power is never integrated: what registers did not count is not energy. Differences do not cross
segments (a meter swap), go on across a roll-over, and step over readings in which a register was
absent, so their sum is always last minus first.

This module does not know tables or time buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from osgp.sources import Kind, Source

__all__ = ["Head", "difference"]

_SMALLEST_ROLLOVER = 10**5
_NEAR = 10


def difference(source: Source, earlier: int, later: int) -> int | None:
    """Return what a register counted between two values, None if that cannot be told.

    Registers roll over at 10^digits, digits 5..9, in units of 1, 10 or 100 Wh (MEP guide v1.1 p. 119, ET42): at the
    power of ten just above the earlier value, of which a fall must have been near. The guard lets no other fall pass.
    """
    step = later - earlier
    if step >= 0 or source.kind is Kind.NET_REGISTER:
        return step
    limit = max(_SMALLEST_ROLLOVER, 10 ** len(str(earlier)))
    step += limit
    return step if step < limit // _NEAR else None


@dataclass(slots=True)
class Head:
    """What the registers of one meter showed last.

    Args:
        seq: the reading's number in the journal.
        received: when, in ms since 1970.
        segment: which physical meter at this place; a swap begins the next number.
        values: the last value of every register it ever showed in this segment, raw (:attr:`osgp.sources.Source.raw_unit`).
    """

    seq: int
    received: int
    segment: int
    values: dict[Source, int] = field(default_factory=dict)

    def advance(
        self, seq: int, received: int, segment: int, values: Mapping[Source, int], counted: Iterable[Source]
    ) -> dict[Source, int]:
        """Take the next reading; return what the ``counted`` registers counted since the one before, raw.

        Nothing for the first reading of a segment, nor of a register that lacks in one of the two or whose step cannot be told.
        """
        if segment != self.segment:
            self.seq, self.received, self.segment, self.values = seq, received, segment, dict(values)
            return {}
        steps: dict[Source, int] = {}
        for source in counted:
            later, earlier = values.get(source), self.values.get(source)
            if later is not None and earlier is not None:
                step = difference(source, earlier, later)
                if step is not None:
                    steps[source] = step
        self.seq, self.received = seq, received
        self.values.update(values)
        return steps
