"""One spot price: of an area, from a moment on, for some minutes.

This module does not know where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

__all__ = ["QUARTERS_SINCE", "PriceError", "SpotPrice", "plain_decimal", "printable", "slot_start"]

QUARTERS_SINCE = date(2025, 10, 1)
"""First day on which the coupled European market traded quarter hours; before, it traded hours."""

_MOST_CHARACTERS = 40
_LEAST_EXPONENT, _MOST_ADJUSTED = -30, 9
_FIRST_YEAR, _LAST_YEAR = 1990, 2199
_MOST_SHOWN = 200


class PriceError(Exception):
    """What came is no answer with prices; the text says what it was and what to do."""


@dataclass(frozen=True, slots=True)
class SpotPrice:
    """A price of the day-ahead market without VAT.

    Args:
        start: UTC.
        minutes: 15 or 60.
        value: of a kWh, in the currency; below zero is a price like others.
        currency: three capital letters.
        final: False: the source may still change it.
    """

    start: datetime
    minutes: int
    value: Decimal
    currency: str
    final: bool = True


def plain_decimal(text: str) -> Decimal:
    """Return the number that a text is, if it has a size that can be reckoned with.

    Raises:
        ValueError: it is none, has more than 40 characters, or an exponent that no price has.
    """
    if len(text) > _MOST_CHARACTERS:
        raise ValueError("too many digits")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("no number") from None
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < _LEAST_EXPONENT or value.adjusted() > _MOST_ADJUSTED:
        raise ValueError("no number of a size that prices have")
    return value


def slot_start(moment: datetime) -> datetime:
    """Return a moment in UTC, if a slot can begin then.

    Raises:
        ValueError: it is at no full quarter hour, or in a year that has no prices.
    """
    if moment.year not in range(_FIRST_YEAR, _LAST_YEAR):
        raise ValueError("no year that has prices")
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if utc.minute % 15 or utc.second or utc.microsecond:
        raise ValueError("no full quarter hour")
    return utc


def printable(text: str) -> str:
    """Return what a service said in one line of at most 200 characters that can be shown."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line[:_MOST_SHOWN]
