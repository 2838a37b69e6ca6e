"""Which hours of Home Assistant's statistics are put right after a gap, and what stands in them.

For a register Home Assistant keeps, of each hour, what it showed at the end (``state``) and a sum that only it knows: that of all
differences since it first saw the entity (components/sensor/recorder.py). What was used in a gap it books to the hour in which it
heard of the register again, so the sums after the gap are right and those in it are not. An hour in the gap therefore gets the sum
before the gap plus what the register counted since: so it fits both sides.

An interval belongs to the hour it ended in by our clock, one that ended up to 90 s behind an hour to that hour: so Home
Assistant's hours are those of the history, also where the meter's clock is off.

Nothing here knows a connection.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

__all__ = ["HOUR", "Hour", "Inconsistent", "hours_of"]

HOUR = timedelta(hours=1)
_NEAR = timedelta(seconds=90)
"""How far behind the end of an hour a reading may be and still end it, as in the history."""
_EXACT = 0.005
"""By how much two sums may differ that were added up from rounded numbers."""


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour in Home Assistant's statistics: when it began, and state and sum at its end."""

    start: datetime
    state: float
    sum: float


class Inconsistent(Exception):
    """Home Assistant counted something else than this register there; the text is for the owner."""


def hours_of(
    readings: Sequence[tuple[datetime, float]],
    gap: tuple[datetime, datetime],
    known: Sequence[Hour],
    interval: timedelta,
) -> list[Hour]:
    """Return the hours that end in a gap, as they should be.

    Args:
        readings: when, and what the register showed, in the unit of the statistics; oldest first.
        gap: the last reading before it, and the first after it.
        known: the hours Home Assistant has around the gap, oldest first.
        interval: how far readings are apart where none is missing. An hour whose last reading is missing stays as it is.

    Returns:
        Nothing when it has none from before the gap: then nothing is wrong there.

    Raises:
        Inconsistent: across the gap its sum did not grow as its states did.
    """
    began, ended = gap
    before = [one for one in known if one.start <= began]
    if not before:
        return []
    anchor = before[-1]
    after = next((one for one in known if one.start + HOUR > ended), None)
    if after is not None and abs((after.sum - anchor.sum) - (after.state - anchor.state)) > _EXACT:
        raise Inconsistent(
            "its sum did not grow as the register did: the counting began anew there, or the entity changed"
        )
    times = [at for at, _ in readings]
    near = min(_NEAR, interval / 2)
    found: list[Hour] = []
    end = began.replace(minute=0, second=0, microsecond=0) + HOUR
    while end <= ended:
        place = bisect_right(times, end + near) - 1
        if place >= 0 and end + near - times[place] < interval:
            state = readings[place][1]
            if state < anchor.state - _EXACT:
                raise Inconsistent("the register stood higher before the gap than in it")
            found.append(Hour(end - HOUR, state, round(anchor.sum + state - anchor.state, 6)))
        end += HOUR
    return found
