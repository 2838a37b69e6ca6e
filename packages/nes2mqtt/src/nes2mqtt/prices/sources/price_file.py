"""Prices from a file of the user's own: CSV with the columns ``start``, ``minutes``, ``price`` and, for several areas, ``area``.

``start`` is ISO 8601 with an offset (``2026-10-25T02:00+01:00``), so that the hour that comes twice has two names; ``price``
is of a kWh without VAT in the currency of the contract. Lines of other areas are left alone. The file is read again when it changes.

This module does not read the file itself.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from nes2mqtt.prices.spot_price import PriceError, SpotPrice, plain_decimal, slot_start

__all__ = ["read_price_file"]

_COLUMNS = ("start", "minutes", "price")
_MINUTES = ("15", "60")
_MOST = Decimal(1000)


def read_price_file(text: str, currencies: Mapping[str, str]) -> dict[str, list[SpotPrice]]:
    """Return the prices of a file for each area that is wanted, in order of time; an area may have none.

    Args:
        text: of the file; ``,`` or ``;`` between the columns, with ``;`` also a decimal comma.
        currencies: three capital letters for each area that is wanted.

    Raises:
        PriceError: a line cannot be read, or it cannot be told of which area it is; says which and why.
    """
    lines = text.lstrip("\ufeff")
    delimiter = ";" if ";" in lines.partition("\n")[0] else ","
    try:
        rows = list(csv.DictReader(io.StringIO(lines), delimiter=delimiter))
    except csv.Error as error:
        raise PriceError(f"the file of prices is no CSV: {error}") from error
    columns = {(name or "").strip() for name in rows[0]} if rows else set()
    if not set(_COLUMNS) <= columns:
        raise PriceError(f"the file of prices needs a first line with {', '.join(_COLUMNS)} and a line for each price")
    if "area" not in columns and len(currencies) > 1:
        raise PriceError(
            f"the contracts need the prices of {', '.join(sorted(currencies))}, and the file of prices does not say of which "
            "area its lines are; add a column area"
        )
    prices: dict[tuple[str, datetime], SpotPrice] = {}
    for number, row in enumerate(rows, 2):
        texts = {(name or "").strip(): value.strip() for name, value in row.items() if isinstance(value, str)}
        area = texts.get("area", "") if "area" in columns else next(iter(currencies), "")
        if area not in currencies:
            continue
        price = _row(texts, number, currencies[area])
        if (area, price.start) in prices:
            raise PriceError(f"line {number} of the file of prices has the start of an earlier line again; delete one")
        prices[area, price.start] = price
    return {area: [prices[slot] for slot in sorted(prices) if slot[0] == area] for area in currencies}


def _row(row: dict[str, str], number: int, currency: str) -> SpotPrice:
    where = f"line {number} of the file of prices"
    try:
        moment = datetime.fromisoformat(row.get("start", ""))
    except ValueError:
        raise PriceError(f"{where}: the start is no time such as 2026-10-25T02:00+01:00") from None
    if moment.tzinfo is None:
        raise PriceError(
            f"{where}: the start does not say its offset; add it, as in 2026-10-25T02:00+01:00, or Z for UTC"
        )
    minutes = row.get("minutes", "")
    if minutes not in _MINUTES:
        raise PriceError(f"{where}: minutes must be {' or '.join(_MINUTES)}")
    try:
        start = slot_start(moment)
    except ValueError as error:
        raise PriceError(f"{where}: the start is {error}") from None
    if start.minute % int(minutes):
        raise PriceError(f"{where}: a price of 60 minutes begins at a full hour")
    try:
        value = plain_decimal(row.get("price", "").replace(",", "."))
    except ValueError as error:
        raise PriceError(f"{where}: the price is {error}") from None
    if abs(value) > _MOST:
        raise PriceError(f"{where}: no kWh has such a price; it is the price of a kWh, not of a MWh, in {currency}")
    return SpotPrice(start, int(minutes), value, currency)
