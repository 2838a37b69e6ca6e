"""Dates and times: the formats G, J, F and I, told apart by their length.

=======  ======  ==================================================================================
bytes    format  holds
=======  ======  ==================================================================================
2        G       a date
3        J       a time of day with seconds
4        F       date, hour and minute; an invalid bit; summer time
6        I       date and time with seconds; an invalid bit; summer time
=======  ======  ==================================================================================

The bits are facts on which libmbus, m-bus-parser and wmbusmeters agree; that years 81 to 99 belong to the last century is
known for F and inferred for G and I. The times are the device's own, without a zone.

This module does not know zones, and does not guess which of two equal hours in autumn is meant.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from osgp.mbus.faults import Fault

__all__ = ["TimePoint", "decode_time_point"]

_LONGEST_AGO = 81
"""Two-digit years from here on are of the twentieth century."""
_YEARS_OF_A_CENTURY = 100


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A date, a time of day, or both."""

    value: date | datetime | time
    """Without a zone."""
    summer_time: bool | None = None
    """Whether the device says that its summer time is in force; None where the format has no such bit."""


def decode_time_point(raw: bytes) -> TimePoint | Fault:
    """Return what the bytes say.

    Args:
        raw: 2, 3, 4 or 6 bytes, the least significant first.

    Returns:
        The point in time, or :attr:`Fault.NO_DATE`: never set, marked invalid, a pattern ("every month"), an impossible
        date, or a length that no format has.
    """
    try:
        match len(raw):
            case 2:
                return TimePoint(_date(raw))
            case 3:
                return TimePoint(time(raw[2] & 0x1F, raw[1] & 0x3F, raw[0] & 0x3F))
            case 4 if not raw[0] & 0x80:
                day = _date(raw[2:], century=raw[1] >> 5 & 3)
                return TimePoint(datetime.combine(day, time(raw[1] & 0x1F, raw[0] & 0x3F)), bool(raw[1] & 0x80))
            case 6 if not raw[1] & 0x80:
                clock = time(raw[2] & 0x1F, raw[1] & 0x3F, raw[0] & 0x3F)
                return TimePoint(datetime.combine(_date(raw[3:5]), clock), bool(raw[0] & 0x40))
    except ValueError:
        pass
    return Fault.NO_DATE


def _date(raw: bytes, century: int = 0) -> date:
    """Return the date of format G; ValueError if there is none."""
    year = raw[0] >> 5 | (raw[1] >> 4) << 3
    if year >= _YEARS_OF_A_CENTURY:
        raise ValueError(year)  # 127 means every year
    if century:
        year += 1900 + 100 * century
    else:
        year += 1900 if year >= _LONGEST_AGO else 2000
    return date(year, raw[1] & 0x0F, raw[0] & 0x1F)
