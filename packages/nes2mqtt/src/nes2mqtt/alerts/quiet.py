"""Hours of the local clock: quiet hours, a night, the middle of a day.

This module does not know clocks: it is given the time of day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

__all__ = ["Hours", "parse_hours"]

_FORM = re.compile(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)\s*")
_DAY = 1440


@dataclass(frozen=True, slots=True)
class Hours:
    """From a minute of the day up to, not including, another; over midnight if that is not later."""

    begin: int
    end: int

    def hold(self, local: datetime) -> bool:
        """Tell whether a moment of the local clock lies in them."""
        minute = local.hour * 60 + local.minute
        if self.begin < self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end

    @property
    def minutes(self) -> int:
        """Return how long they are, on a day without a change of the clocks."""
        return (self.end - self.begin) % _DAY or _DAY

    def __str__(self) -> str:
        return f"{self.begin // 60:02}:{self.begin % 60:02}-{self.end // 60:02}:{self.end % 60:02}"


def parse_hours(text: object) -> Hours:
    """Return the hours that ``22:00-07:00`` says.

    Raises:
        ValueError: it says none.
    """
    if isinstance(text, Hours):
        return text
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError('this is not a time from-to; write it like "22:00-07:00"')
    hours = Hours(int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4]))
    if hours.begin == hours.end:
        raise ValueError("begin and end are the same minute; leave the line out if nothing is meant")
    return hours
