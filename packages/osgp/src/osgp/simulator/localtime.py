"""The simulated place: where the house stands, its local time, and its two tariffs.

A meter carries its own rule for daylight saving time (BT53, BT54), so the simulated one carries its own too, and
does not ask the computer's time zone database: small containers have none.

Times are seconds since 1970 in UTC, as ``time.time()`` counts them.

This module does not know what the house draws or how a table looks.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

__all__ = [
    "DAY_HOURS",
    "DAY_TIER",
    "DST",
    "DST_BEGINS_AT",
    "LATITUDE",
    "LONGITUDE",
    "NIGHT_TIER",
    "STANDARD_OFFSET",
    "daylight_saving",
    "local_offset",
    "tier_at",
]

LATITUDE = 55.7
LONGITUDE = 12.5
"""Degrees north and east: Copenhagen, as the meters in the captures stand in Denmark."""

STANDARD_OFFSET = 3600
"""Seconds that local time is ahead of UTC in winter."""

DST = 3600
"""Seconds that summer adds to that."""

_DST_HOUR_UTC = 1
"""The European Union switches at 01:00 UTC on the last Sundays of March and October (directive 2000/84/EC)."""

DST_BEGINS_AT = _DST_HOUR_UTC + STANDARD_OFFSET // 3600
"""Local hour at which summer time begins: 02:00. It ends as many minutes later by the clock as summer adds: at 03:00."""

DAY_TIER = 0
NIGHT_TIER = 1
DAY_HOURS = range(6, 22)
"""Local hours of the day tariff; the rest is night. An invention, but a common one."""


def _last_sunday(year: int, month: int) -> float:
    day = datetime(year, month, 31, _DST_HOUR_UTC, tzinfo=UTC)
    return (day - timedelta(days=(day.weekday() + 1) % 7)).timestamp()


@lru_cache(maxsize=8)
def _summer(year: int) -> tuple[float, float]:
    return _last_sunday(year, 3), _last_sunday(year, 10)


def daylight_saving(now: float) -> bool:
    """Tell whether daylight saving time is in effect."""
    begin, end = _summer(datetime.fromtimestamp(now, UTC).year)
    return begin <= now < end


def local_offset(now: float) -> int:
    """Return the seconds to add to UTC to get local time."""
    return STANDARD_OFFSET + (DST if daylight_saving(now) else 0)


def tier_at(now: float) -> int:
    """Return the tariff tier in force, 0-based as in the tables: day 0, night 1."""
    hour = int(now + local_offset(now)) // 3600 % 24
    return DAY_TIER if hour in DAY_HOURS else NIGHT_TIER
