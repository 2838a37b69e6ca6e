"""Quarter hours out of what the registers counted.

A register is the truth: what it counted is used up to the last watt-hour. When nobody read the meter for some hours, the
next reading holds all their energy; it is spread evenly over the quarter hours of that time, to the watt-hour, and marked as
estimated.

This module does not know the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nes2mqtt.costs.calculation import Quarter

__all__ = ["Counted", "quarters_of"]

_NEAR = timedelta(seconds=90)
"""How far from its edge a quarter may be read for its energy to be its own."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a register counted between the readings of a quarter hour.

    Args:
        start: of the quarter hour, UTC.
        wh: counted; None if it was not read in it.
        since: time of the reading from which was counted; None if it was not read.
    """

    start: datetime
    wh: int | None
    since: datetime | None


def quarters_of(counted: Sequence[Counted]) -> list[Quarter]:
    """Return the energy of quarter hours that follow each other, in their order.

    Energy that began to be counted before the first of them is not spread: its share in them is not known, so those of
    them that it may have fallen into are unmeasured.
    """
    found: list[Quarter] = [Quarter(one.start, None) for one in counted]
    for place, one in enumerate(counted):
        if one.wh is None or one.since is None:
            continue
        gap = _quarters_before(counted, place, one.since)
        if gap is None:
            continue
        if gap == 0:
            found[place] = Quarter(one.start, one.wh)
            continue
        share, rest = divmod(one.wh, gap + 1)
        for back in range(gap + 1):
            at = place - gap + back
            found[at] = Quarter(counted[at].start, share + (back < rest), estimated=True)
    return found


def _quarters_before(counted: Sequence[Counted], place: int, since: datetime) -> int | None:
    """Return into how many unread quarters before this one the counted time reaches; None: before the first of all."""
    gap = 0
    while since < counted[place - gap].start - _NEAR:
        if gap == place:
            return None
        if counted[place - gap - 1].wh is not None:
            break  # the rest of that quarter, which was read: its end is where counting began
        gap += 1
    return gap
