"""The quarter hours of a local day.

A price belongs to a moment in UTC and lasts some minutes. The local day of a clock change has 92 or 100 quarters, so none
is ever found by its place in the day.

This module does not know prices.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["QUARTER", "bounds", "days", "floor", "month_days", "quarters", "year_days"]

QUARTER = timedelta(minutes=15)


def bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return when a local day begins and when the next one does, in UTC."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    return begin.astimezone(UTC), datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)


def quarters(day: date, zone: ZoneInfo) -> list[datetime]:
    """Return the starts (UTC) of the quarter hours of a local day: 96, or 92 or 100 where the clocks change."""
    begin, end = bounds(day, zone)
    return [begin + QUARTER * number for number in range((end - begin) // QUARTER)]


def days(first: date, after: date) -> Iterator[date]:
    """Yield the days from ``first`` up to, not including, ``after``."""
    for number in range((after - first).days):
        yield first + timedelta(days=number)


def floor(moment: datetime, minutes: int) -> datetime:
    """Return the start of the UTC slot of so many minutes (a divisor of an hour) that a moment is in."""
    moment = moment.astimezone(UTC)
    return moment.replace(minute=moment.minute - moment.minute % minutes, second=0, microsecond=0)


def month_days(day: date) -> int:
    """Return how many days the month of a day has."""
    return calendar.monthrange(day.year, day.month)[1]


def year_days(day: date) -> int:
    """Return how many days the year of a day has."""
    return 366 if calendar.isleap(day.year) else 365
