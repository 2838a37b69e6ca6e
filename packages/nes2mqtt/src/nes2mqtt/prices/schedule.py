"""What to ask a source for next, and when: as little as possible, and never twice within a minute.

Today's prices come first, then tomorrow's, which the market publishes about one in the afternoon of Central European Time,
then earlier days that a contract needs, a month at a time, and once a day the last week again, because prices are
corrected. A day is there when every slot of it is. What failed or was not there yet rests for a while, and what comes after it
is asked for meanwhile. Services limit how
often they may be asked and retries at full hours made outages worse, so waiting times are spread by a random number that is
passed in.

This module does not know what time it is, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from nes2mqtt.prices.spot_price import SpotPrice

__all__ = [
    "LEAST_WAIT",
    "Question",
    "complete_days",
    "day_after",
    "days_of",
    "failure_wait",
    "last_week",
    "next_question",
    "quiet_wait",
]

MARKET = ZoneInfo("Europe/Brussels")
"""The zone of market days."""

LEAST_WAIT = 70.0
"""Seconds between two requests. Energi Data Service takes one a minute."""

_PUBLISHED = 13
"""Hour of the market's clock from which tomorrow's prices can be there."""
_MOST_DAYS = 31
_EARLIEST = date(2000, 1, 1)
_LATE = timedelta(days=7)
_QUARTER = timedelta(minutes=15)
_AGAIN = 900.0
"""Seconds until tomorrow's prices are asked for again, give or take a third."""
_HOURLY = 3600.0
_LONGEST = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Question:
    """Market days to ask for: from ``first`` up to, not including, ``after``."""

    first: date
    after: date


def day_after(now: datetime) -> date:
    """Return the market day after today's."""
    return now.astimezone(MARKET).date() + timedelta(days=1)


def complete_days(prices: Iterable[SpotPrice]) -> set[date]:
    """Return the market days of which every quarter hour has a final price: 92, 96 or 100 of them."""
    covered: dict[date, set[datetime]] = {}
    for price in prices:
        if price.final:
            for number in range(price.minutes // 15):
                start = price.start + _QUARTER * number
                covered.setdefault(start.astimezone(MARKET).date(), set()).add(start)
    return {day for day, starts in covered.items() if len(starts) == _quarters(day)}


def days_of(question: Question) -> set[date]:
    """Return the market days of a question."""
    return set(_days(question.first, question.after))


def last_week(today: date, since: date) -> Question | None:
    """Return the days that are asked for once more; None if the contract begins today."""
    first = max(since, today - _LATE)
    return Question(first, today) if first < today else None


def next_question(
    now: datetime, since: date, complete: Collection[date], given_up: Collection[date], resting: Collection[date] = ()
) -> Question | None:
    """Return what to ask for now; None when everything is there that can be.

    Args:
        now: UTC.
        since: first day that is needed.
        complete: market days that are there.
        given_up: earlier days of which the source has nothing more.
        resting: days that are not asked for now.
    """
    today = now.astimezone(MARKET).date()
    if today not in complete and today not in resting:
        return Question(today, today + timedelta(days=1))
    tomorrow = today + timedelta(days=1)
    if tomorrow not in complete and tomorrow not in resting and now.astimezone(MARKET).hour >= _PUBLISHED:
        return Question(tomorrow, tomorrow + timedelta(days=1))
    known = {*complete, *given_up, *resting}
    missing = [day for day in _days(max(since, _EARLIEST), today) if day not in known]
    if not missing:
        return None
    last = missing[-1]
    first = last
    for day in reversed(missing[:-1]):
        if (last - day).days >= _MOST_DAYS or day != first - timedelta(days=1):
            break
        first = day
    return Question(first, last + timedelta(days=1))


def quiet_wait(now: datetime, chance: float) -> float:
    """Return the seconds until it is worth to look again, when nothing is to be asked or the answer was "not yet".

    Args:
        now: UTC.
        chance: from 0 to 1, random.
    """
    local = now.astimezone(MARKET)
    spread = 2 / 3 + chance * 2 / 3
    if local.hour >= _PUBLISHED:
        return _AGAIN * spread
    until = (local.replace(hour=_PUBLISHED, minute=0, second=0, microsecond=0) - local).total_seconds()
    return min(_HOURLY * spread, max(LEAST_WAIT, until + _AGAIN * chance))


def failure_wait(failures: int, asked_to: float | None, chance: float) -> float:
    """Return the seconds to wait after a request failed.

    Args:
        failures: in a row, from 1.
        asked_to: seconds that the service says (``Retry-After``); None if it says nothing.
        chance: from 0 to 1, random.
    """
    doubled: float = min(LEAST_WAIT * 2 ** min(failures, 10), _LONGEST)
    wait = doubled * (0.8 + chance * 0.4)
    told = 0.0 if asked_to is None else min(asked_to, _LONGEST)
    return max(LEAST_WAIT, wait, told)


def _days(first: date, after: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((after - first).days))


def _quarters(day: date) -> int:
    begin, end = (datetime(one.year, one.month, one.day, tzinfo=MARKET) for one in (day, day + timedelta(days=1)))
    return (end.astimezone(UTC) - begin.astimezone(UTC)) // _QUARTER
