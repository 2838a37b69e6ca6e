"""One spot price: of an area, from a moment on, for some minutes.

This module does not know where it comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

__all__ = ["PriceError", "SpotPrice"]


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
