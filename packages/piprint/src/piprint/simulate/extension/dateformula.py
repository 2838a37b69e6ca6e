"""Business Central's date formulas, as far as retention needs them: ``-1W``, ``-1M+2D``, ``<-10D>``.

Units are D, W, M, Q and Y; a month that is too short ends on its last day. See "CalcDate method" in Microsoft's AL
reference. This module does not know what the formulas are for.
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta

__all__ = ["apply"]

_TERM = re.compile(r"([+-]?)(\d{1,4})([DWMQY])")
_FORMULA = re.compile(rf"<?((?:{_TERM.pattern})+)>?", re.IGNORECASE)
_MONTHS = {"M": 1, "Q": 3, "Y": 12}
_DAYS = {"D": 1, "W": 7}


def apply(formula: str, moment: datetime) -> datetime:
    """Return the moment moved by a formula.

    Raises:
        ValueError: it is no date formula, or leads out of the calendar.
    """
    match = _FORMULA.fullmatch(formula.strip())
    if match is None:
        raise ValueError(f"{formula!r} is not a date formula such as -1W")
    try:
        for sign, digits, unit in _TERM.findall(match[1].upper()):
            count = -int(digits) if sign == "-" else int(digits)
            if unit in _DAYS:
                moment += timedelta(days=count * _DAYS[unit])
            else:
                moment = _months(moment, count * _MONTHS[unit])
    except (OverflowError, ValueError):
        raise ValueError(f"{formula!r} leads out of the calendar") from None
    return moment


def _months(moment: datetime, count: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))
