"""When a price of a line holds: months, days of the week, holidays, and minutes of the local clock.

Everything is asked of the local wall clock at the start of a quarter hour. So both hours from 2 to 3 on the night the
clocks go back have the price of that hour, and on the night they go forward nobody asks for it. A window may run over
midnight (``22:00`` to ``06:00``); its days and months are those of the moment itself, so the part after midnight belongs
to the day after.

This module does not know prices.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

__all__ = ["ALWAYS", "Window", "overlap", "parse_clock", "parse_days", "parse_months"]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Window:
    """A part of the year.

    Args:
        months: 1 to 12.
        days: 0 (Monday) to 6.
        holidays: True: on holidays only; False: on no holiday; None: a holiday is a day like others.
        begin: first minute of the day.
        end: the minute after the last one; not after ``begin``: the window runs over midnight. Equal: the whole day.
    """

    months: frozenset[int] = frozenset(range(1, 13))
    days: frozenset[int] = frozenset(range(7))
    holidays: bool | None = None
    begin: int = 0
    end: int = _DAY_MINUTES

    def holds(self, local: datetime, holidays: Collection[date]) -> bool:
        """Tell whether a moment of the local clock lies in the window."""
        minute = local.hour * 60 + local.minute
        inside = self.begin <= minute < self.end if self.begin < self.end else minute >= self.begin or minute < self.end
        return (
            inside
            and local.month in self.months
            and local.weekday() in self.days
            and (self.holidays is None or self.holidays == (local.date() in holidays))
        )

    def minutes(self) -> frozenset[int]:
        """Return the minutes of the day it covers."""
        if self.begin < self.end:
            return frozenset(range(self.begin, self.end))
        return frozenset(range(self.begin, _DAY_MINUTES)) | frozenset(range(self.end))


ALWAYS = Window()


def overlap(windows: Sequence[Window]) -> tuple[int, int] | None:
    """Return the places of the first two windows that share a moment, None if no two do."""
    for place, one in enumerate(windows):
        for other_place in range(place + 1, len(windows)):
            other = windows[other_place]
            together = {one.holidays, other.holidays} != {True, False}
            if together and one.months & other.months and one.days & other.days and one.minutes() & other.minutes():
                return place, other_place
    return None


def parse_clock(text: str) -> int:
    """Return the minute of the day that ``06:00`` or ``24:00`` says.

    Raises:
        ValueError: it is no time of day.
    """
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    minute = int(found[1]) * 60 + int(found[2]) if found and int(found[2]) < 60 else -1  # noqa: PLR2004 - minutes of an hour
    if not 0 <= minute <= _DAY_MINUTES:
        raise ValueError(f"'{text[:20]}' is no time of day; write it like '06:00', at most '24:00'")
    return minute


def parse_months(text: str) -> frozenset[int]:
    """Return the months that ``apr-sep`` or ``nov, dec`` says; a range may run over New Year.

    Raises:
        ValueError: there is no such month.
    """
    return frozenset(place + 1 for place in _listed(text, _MONTHS, "month"))


def parse_days(text: str) -> frozenset[int]:
    """Return the days of the week that ``mon-fri`` or ``sat, sun`` says, 0 for Monday.

    Raises:
        ValueError: there is no such day.
    """
    return frozenset(_listed(text, _DAYS, "day"))


def _listed(text: str, names: Sequence[str], what: str) -> set[int]:
    found: set[int] = set()
    for part in text.lower().split(","):
        ends = [end.strip()[:3] for end in part.split("-")]
        if len(ends) > 2 or any(end not in names for end in ends):  # noqa: PLR2004 - from and to
            raise ValueError(
                f"'{part.strip()[:20]}' is no {what}; write them like '{names[0]}-{names[4]}' or '{names[5]}, {names[6]}'"
            )
        first, last = names.index(ends[0]), names.index(ends[-1])
        found.update((first + step) % len(names) for step in range((last - first) % len(names) + 1))
    return found
