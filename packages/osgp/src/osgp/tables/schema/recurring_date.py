"""RDATE: a date that comes again each year, month, week or so many days (MEP guide v1.1 p. 41-42).

What the guide leaves open is decided so: a day that a month does not have is not observed in it; "advance to WEEKDAY before"
means before, not on; what repeats by period has no day to count from ("anchor", BT50.0.5, which meters do not support), so it
is not known when it falls due unless that is each day.

This module does not know what is done on such a date.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from osgp.tables.schema.types import Type

__all__ = ["RDATE", "RecurringDate"]

MONTHLY, WEEKLY, PERIODIC = 13, 14, 15
"""Values of MONTH above the twelve."""
_LONGEST_YEAR = 366
_BEFORE, _FIRST, _FOURTH, _LAST = 1, 2, 5, 6
_AND_NEXT, _NEXT_ONLY = 7, 15
_SUNDAY, _SATURDAY = 0, 6
_UNASSIGNED = 7
_MOVES: dict[int, dict[int, int]] = {
    8: {_SUNDAY: 1},
    9: {_SUNDAY: -2},
    10: {_SATURDAY: 2},
    11: {_SATURDAY: -1},
    12: {_SUNDAY: 1, _SATURDAY: 2},
    13: {_SUNDAY: -2, _SATURDAY: -1},
    14: {_SUNDAY: 1, _SATURDAY: -1},
}
"""OFFSET 8 to 14: by how many days a date is moved that falls on such a weekday."""

_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_ORDINALS = {2: "first", 3: "second", 4: "third", 5: "fourth", 6: "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringDate:
    """One RDATE; what its kind does not have is 0."""

    month: int
    """1 to 12; 13 monthly, 14 weekly, 15 by period."""
    offset: int = 0
    """0 to 15, how the date is moved (p. 41-42)."""
    weekday: int = 0
    """0 Sunday to 6 Saturday, 7 none."""
    day: int = 0
    """Of the month; 0 is invalid."""
    period: int = 0
    delta: int = 0

    @property
    def is_known(self) -> bool:
        """Tell whether it can be worked out when it falls due."""
        return self.month != PERIODIC or (self.period, self.delta) == (1, 0)

    def dates_in(self, year: int) -> Iterator[date]:
        """Yield the days of a year that are such dates, in order; none where :attr:`is_known` is false."""
        first = date(year, 1, 1)
        if self.month in (WEEKLY, PERIODIC):
            step = 7 if self.month == WEEKLY else 1
            ahead = (self.weekday - _weekday(first)) % 7 if self.month == WEEKLY else 0
            if self.is_known and self.weekday != _UNASSIGNED:
                days = (first + timedelta(days=place) for place in range(ahead, _LONGEST_YEAR, step))
                yield from (day for day in days if day.year == year)
            return
        # No offset moves a date further than into the month before or after.
        months = [(year - 1, 12), *((year, month) for month in range(1, 13)), (year + 1, 1)]
        found = {day for each in months for day in self._in_month(*each)}
        yield from sorted(day for day in found if day.year == year)

    def _in_month(self, year: int, month: int) -> Iterator[date]:
        """Yield the days on which what is entered for one month is observed."""
        last = monthrange(year, month)[1]
        if self.month not in (month, MONTHLY) or not 1 <= self.day <= last:
            return
        entered = date(year, month, self.day)
        if self.offset in _MOVES:
            yield entered + timedelta(days=_MOVES[self.offset].get(_weekday(entered), 0))
        elif self.offset in (_AND_NEXT, _NEXT_ONLY):
            yield from [entered] if self.offset == _AND_NEXT else []
            yield entered + timedelta(days=1)
        elif not self.offset:
            yield entered
        elif self.weekday != _UNASSIGNED:
            ahead = timedelta(days=(self.weekday - _weekday(entered)) % 7)
            if self.offset == _BEFORE:
                yield entered + ahead - timedelta(weeks=1)
            elif _FIRST <= self.offset <= _FOURTH:
                yield entered + ahead + timedelta(weeks=self.offset - _FIRST)
            else:
                end = date(year, month, last)
                found = end - timedelta(days=(_weekday(end) - self.weekday) % 7)
                yield from [found] if found >= entered else []

    def __str__(self) -> str:
        if self.month == PERIODIC:
            return f"every {self.period} days and {self.delta}"
        if self.month == WEEKLY:
            return f"every {_name(self.weekday)}"
        when = "every month" if self.month == MONTHLY else _MONTHS[self.month - 1]
        text = f"{when}, day {self.day}"
        if self.offset == _BEFORE:
            return f"{text}: the {_name(self.weekday)} before"
        if self.offset in _ORDINALS:
            return f"{text}: the {_ORDINALS[self.offset]} {_name(self.weekday)} from there on"
        return text + _WORDS.get(self.offset, "")


_WORDS = {
    7: " and the day after",
    8: ", on Monday if that is Sunday",
    9: ", on Friday if that is Sunday",
    10: ", on Monday if that is Saturday",
    11: ", on Friday if that is Saturday",
    12: ", on Monday if that is Saturday or Sunday",
    13: ", on Friday if that is Saturday or Sunday",
    14: ", on Monday if that is Sunday, on Friday if that is Saturday",
    15: ": the day after",
}


def _weekday(day: date) -> int:
    """Return the day of the week as the guide counts it, from Sunday."""
    return day.isoweekday() % 7


def _name(weekday: int) -> str:
    return "no weekday" if weekday == _UNASSIGNED else _WEEKDAYS[weekday]


def _decode(raw: int) -> RecurringDate | None:
    month = raw & 0xF
    if not month:
        return None
    if month == PERIODIC:
        return RecurringDate(month=month, period=raw >> 4 & 0x3F, delta=raw >> 10)
    weekday = raw >> 8 & 0x7
    if month == WEEKLY:
        return RecurringDate(month=month, weekday=weekday)
    return RecurringDate(month=month, offset=raw >> 4 & 0xF, weekday=weekday, day=raw >> 11)


def _encode(value: RecurringDate | None) -> int:
    if value is None:
        return 0
    if value.month == PERIODIC:
        return value.month | value.period << 4 | value.delta << 10
    return value.month | value.offset << 4 | value.weekday << 8 | value.day << 11


RDATE = Type("RDATE", "H", 2, _decode, _encode)
"""A :class:`RecurringDate`; None where no month is entered."""
