"""Quarter hours, hours, days, weeks, months and years as people mean them: by the rules of a time zone.

A local day has 23, 24 or 25 hours. Periods are computed in local calendar terms and handed out
in UTC; nothing here adds 24 hours to anything.

This module does not know the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

__all__ = ["Unit", "cut", "floor", "following", "periods"]


class Unit(StrEnum):
    """What energies are summed over."""

    QUARTER = "quarter"
    """A quarter of an hour."""
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    """From Monday, as in ISO 8601."""
    MONTH = "month"
    YEAR = "year"


_SHORT = {Unit.QUARTER: timedelta(minutes=15), Unit.HOUR: timedelta(hours=1)}
"""Units that a change of the clocks does not make longer or shorter."""


def floor(moment: datetime, unit: Unit, zone: ZoneInfo) -> datetime:
    """Return the start (UTC) of the period that ``moment`` is in."""
    local = moment.astimezone(zone)
    if unit in _SHORT:
        # Minutes and seconds are taken off the instant, not the wall clock: of the hour that comes
        # twice in autumn each is a period of its own.
        past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return moment.astimezone(UTC) - past % _SHORT[unit]
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if unit is Unit.WEEK:
        day -= timedelta(days=day.weekday())
    elif unit is Unit.MONTH:
        day = day.replace(day=1)
    elif unit is Unit.YEAR:
        day = day.replace(month=1, day=1)
    return day.astimezone(UTC)


def following(start: datetime, unit: Unit, zone: ZoneInfo) -> datetime:
    """Return the start (UTC) of the period after the one that begins at ``start``."""
    if unit in _SHORT:
        return start.astimezone(UTC) + _SHORT[unit]
    local = start.astimezone(zone).replace(tzinfo=None)
    if unit in {Unit.DAY, Unit.WEEK}:
        later = local + timedelta(days=7 if unit is Unit.WEEK else 1)
    elif unit is Unit.MONTH:
        later = (local.replace(day=1) + timedelta(days=32)).replace(day=1)
    else:
        later = local.replace(year=local.year + 1)
    # Where a clock change skips midnight, the day begins with the first moment that exists.
    return floor(later.replace(hour=12, tzinfo=zone), unit, zone)


def periods(start: datetime, end: datetime, unit: Unit, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield start and end (UTC) of every period that has a part in ``start`` up to ``end``."""
    begin = floor(start, unit, zone)
    while begin < end:
        after = following(begin, unit, zone)
        yield begin, after
        begin = after


def cut(
    spans: Iterator[tuple[datetime, datetime]], start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield periods with what lies before ``start`` and after ``end`` cut off.

    Both are taken to the quarter hour before, by the clock in UTC: shorter buckets are not kept for ever.
    """
    low, high = (floor(edge, Unit.QUARTER, ZoneInfo("UTC")) for edge in (start, end))
    for begin, after in spans:
        if max(begin, low) < min(after, high):
            yield max(begin, low), min(after, high)
