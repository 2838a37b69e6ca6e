"""Quarter hours out of what the registers counted.

A register is the truth: what it counted is used up to the last watt-hour. When nobody read the meter for some time, the
next reading holds all its energy; it is spread evenly over that time, to the watt-hour, and every quarter hour that has a part
in it is marked as estimated. Each share follows from the two readings alone, so whoever looks at a part of that time only,
such as the bill of a month, finds the same shares as who looks at the rest.

This module does not know the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nes2mqtt.costs.calculation import Quarter
from nes2mqtt.costs.slots import QUARTER, floor

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
        last: time of the last reading in it; None: its end.
        unplaced: it has a part in a time that was filled in without this register: ``since`` says nothing of it, and what
            it counted then is in the first quarter hour that has it again.
    """

    start: datetime
    wh: int | None
    since: datetime | None
    last: datetime | None = None
    unplaced: bool = False

    def whole(self, now: datetime) -> bool:
        """Tell whether it was read until its end, or until now while it is not over."""
        end = min(self.start + QUARTER, now)
        return self.wh is not None and (self.last is None or self.last >= end - _NEAR)


def quarters_of(counted: Sequence[Counted], now: datetime) -> list[Quarter]:
    """Return the energy of quarter hours that follow each other, in their order.

    Args:
        counted: of them; energy that was counted since before the first of them is spread over that time, too. For the end
            to be right they go on until the first one that was read.
        now: UTC.
    """
    energy: list[int | None] = [None] * len(counted)
    estimated = [False] * len(counted)
    for place, one in enumerate(counted):
        if one.wh is None or (since := _since(counted, place)) is None:
            continue
        whole = one.whole(now)
        if since >= one.start - _NEAR:
            energy[place] = one.wh
            estimated[place] = one.unplaced or not whole or since > one.start + _NEAR
            continue
        until = one.start + QUARTER if whole or one.last is None else max(one.last, one.start)
        back = place
        while back >= 0 and counted[back].start + QUARTER > since:
            begin, end = counted[back].start, counted[back].start + QUARTER
            share = _until(one.wh, since, min(end, until), until) - _until(one.wh, since, max(begin, since), until)
            energy[back] = (energy[back] or 0) + share
            estimated[back] = True
            back -= 1
    return [Quarter(one.start, wh, estimated=guess) for one, wh, guess in zip(counted, energy, estimated, strict=True)]


def _since(counted: Sequence[Counted], place: int) -> datetime | None:
    """Return when the counting began of what a quarter holds; None if nobody knows."""
    one = counted[place]
    since = one.since
    if since is not None and one.unplaced:
        back = place
        while back > 0 and counted[back - 1].wh is None and counted[back - 1].unplaced:
            back -= 1
        if back == 0 and place > 0:
            return None  # it began before the first of all
        since = min(since, counted[back].start)
    if since is not None and (edge := floor(since + _NEAR, 15)) > since:
        return edge
    return since


def _until(wh: int, since: datetime, moment: datetime, until: datetime) -> int:
    """Return how much of what was counted evenly from ``since`` to ``until`` was counted up to a moment."""
    return -(wh * (since - moment) // (until - since))
