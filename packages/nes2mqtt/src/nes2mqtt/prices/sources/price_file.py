"""Prices from a file of the user's own: CSV with the columns ``start``, ``minutes`` and ``price``.

``start`` is ISO 8601 with an offset (``2026-10-25T02:00+01:00``), so that the hour that comes twice has two names; ``price``
is of a kWh without VAT in the currency of the contract. The file is read again when it changes.

This module does not read the file itself.
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from nes2mqtt.prices.spot_price import PriceError, SpotPrice

__all__ = ["read_price_file"]

_COLUMNS = ("start", "minutes", "price")
_MINUTES = ("15", "60")
_MOST = Decimal(1000)


def read_price_file(text: str, currency: str) -> list[SpotPrice]:
    """Return the prices of a file, in order of time.

    Args:
        text: of the file; ``,`` or ``;`` between the columns, with ``;`` also a decimal comma.
        currency: three capital letters.

    Raises:
        PriceError: a line cannot be read; says which and why.
    """
    lines = text.lstrip("\ufeff")
    delimiter = ";" if ";" in lines.partition("\n")[0] else ","
    try:
        rows = list(csv.DictReader(io.StringIO(lines), delimiter=delimiter))
    except csv.Error as error:
        raise PriceError(f"the file of prices is no CSV: {error}") from error
    if not rows or not set(_COLUMNS) <= {(name or "").strip() for name in rows[0]}:
        raise PriceError(f"the file of prices needs a first line with {', '.join(_COLUMNS)} and a line for each price")
    prices: dict[datetime, SpotPrice] = {}
    for number, row in enumerate(rows, 2):
        price = _row(
            {(name or "").strip(): value for name, value in row.items() if isinstance(value, str)}, number, currency
        )
        if price.start in prices:
            raise PriceError(f"line {number} of the file of prices has the start of an earlier line again; delete one")
        prices[price.start] = price
    return [prices[start] for start in sorted(prices)]


def _row(row: dict[str, str], number: int, currency: str) -> SpotPrice:
    where = f"line {number} of the file of prices"
    try:
        start = datetime.fromisoformat(row.get("start", "").strip())
    except ValueError:
        raise PriceError(f"{where}: the start is no time such as 2026-10-25T02:00+01:00") from None
    if start.tzinfo is None:
        raise PriceError(
            f"{where}: the start does not say its offset; add it, as in 2026-10-25T02:00+01:00, or Z for UTC"
        )
    minutes = row.get("minutes", "").strip()
    if minutes not in _MINUTES:
        raise PriceError(f"{where}: minutes must be {' or '.join(_MINUTES)}")
    start = start.astimezone(UTC)
    if start.minute % int(minutes) or start.second or start.microsecond:
        raise PriceError(
            f"{where}: a price of {minutes} minutes begins at a full {'hour' if minutes == '60' else 'quarter'}"
        )
    try:
        value = Decimal(row.get("price", "").strip().replace(",", "."))
    except InvalidOperation:
        raise PriceError(f"{where}: the price is no number") from None
    if not value.is_finite() or abs(value) > _MOST:
        raise PriceError(f"{where}: no kWh has such a price; it is the price of a kWh, not of a MWh, in {currency}")
    return SpotPrice(start, int(minutes), value, currency)
