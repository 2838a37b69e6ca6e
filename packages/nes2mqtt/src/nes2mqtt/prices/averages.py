"""The spot price that a contract charges: of the quarter, or the mean of the hour or of the month.

A mean is of all its slots or none: while one is missing there is no price yet. The market traded hours until September
2025, so a quarter of that time has the price of its hour.

This module does not know where prices are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.prices.spot_price import SpotPrice

__all__ = ["ChargedPrices", "Step"]

Step = str
"""``quarter``, ``hour`` or ``month``."""

_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)


class ChargedPrices:
    """Prices of one area as one contract charges them.

    Args:
        prices: of the area, one for each slot; of a time that has both a quarter's and an hour's, the quarter's counts, unless
            only the hour's is final.
        step: over which time is averaged.
        zone: where months begin.
    """

    def __init__(self, prices: Iterable[SpotPrice], step: Step, zone: ZoneInfo) -> None:
        hours: dict[datetime, SpotPrice] = {}
        self._quarters: dict[datetime, SpotPrice] = {}
        for price in prices:
            (hours if price.minutes == 60 else self._quarters)[price.start] = price  # noqa: PLR2004 - minutes of an hour
        for start, price in hours.items():
            for number in range(4):
                quarter = self._quarters.get(start + _QUARTER * number)
                if quarter is None or (price.final and not quarter.final):
                    self._quarters[start + _QUARTER * number] = price
        self._step = step
        self._zone = zone
        self._means: dict[datetime, tuple[Decimal, bool] | None] = {}

    def at(self, start: datetime) -> Decimal | None:
        """Return the price per kWh of the quarter hour that begins at ``start`` (UTC); None while it is not known."""
        found = self._charged(start)
        return None if found is None else found[0]

    def final(self, start: datetime) -> bool:
        """Tell whether that price can no longer change; False also while it is not known."""
        found = self._charged(start)
        return found is not None and found[1]

    def _charged(self, start: datetime) -> tuple[Decimal, bool] | None:
        if self._step == "quarter":
            price = self._quarters.get(start)
            return None if price is None else (price.value, price.final)
        begin, end = _hour(start) if self._step == "hour" else _month(start, self._zone)
        if begin not in self._means:
            self._means[begin] = _mean(self._quarters, begin, end)
        return self._means[begin]


def _hour(start: datetime) -> tuple[datetime, datetime]:
    begin = start.replace(minute=0)
    return begin, begin + _HOUR


def _month(start: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    local = start.astimezone(zone).replace(day=1, hour=0, minute=0, fold=0)
    after = (local + timedelta(days=32)).replace(day=1)
    return local.astimezone(start.tzinfo), after.astimezone(start.tzinfo)


def _mean(quarters: Mapping[datetime, SpotPrice], begin: datetime, end: datetime) -> tuple[Decimal, bool] | None:
    slots = [quarters.get(begin + _QUARTER * number) for number in range((end - begin) // _QUARTER)]
    known = [price for price in slots if price is not None]
    if len(known) < len(slots):
        return None
    return sum((price.value for price in known), Decimal(0)) / len(known), all(price.final for price in known)
