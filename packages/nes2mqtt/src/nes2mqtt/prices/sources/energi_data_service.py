"""Energi Data Service of Energinet: Danish prices in kroner, without a key.

``DayAheadPrices`` has quarter hours from 2025-10-01 on, ``Elspotprices`` the hours before
(https://www.energidataservice.dk/tso-electricity/DayAheadPrices and .../Elspotprices). Times named ``TimeUTC`` and
``HourUTC`` are UTC and do not say so; prices are per MWh without VAT. The service takes one request per dataset and minute.

At times the kroner come hours after the euros. A quarter without kroner takes the rate of the others of the same answer and
is not final; if there are none, it has no price yet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from nes2mqtt.prices.sources.source import Request, decimal_of, json_of, moment_of
from nes2mqtt.prices.spot_price import QUARTERS_SINCE, PriceError, SpotPrice

__all__ = ["EnergiDataService"]

_SERVICE = "Energi Data Service"
_AREAS = ("DK1", "DK2")
_LEAST_RATE, _MOST_RATE = 7, 8
"""Kroner for a euro. The krone is kept at 7.46 (ERM II); another rate is a misread one."""


class EnergiDataService:
    """Prices of DK1 and DK2.

    Args:
        address: of the service; another one in tests.
    """

    name = "energi-data-service"
    credit = "Energinet, Energi Data Service (CC BY 4.0)"

    def __init__(self, address: str = "https://api.energidataservice.dk") -> None:
        self._address = address.rstrip("/")

    def currency(self, area: str) -> str:
        """Return ``DKK``.

        Raises:
            PriceError: the area is not Danish.
        """
        if area not in _AREAS:
            raise PriceError(f"{_SERVICE} has the prices of {' and '.join(_AREAS)}; for {area} take another source")
        return "DKK"

    def request(self, area: str, first: date, after: date) -> Request:
        """Return the request; days before 2025-10-01 stand in another dataset, so one request never asks across that day."""
        quarters = first >= QUARTERS_SINCE
        if not quarters:
            after = min(after, QUARTERS_SINCE)
        dataset = "DayAheadPrices" if quarters else "Elspotprices"
        time = "TimeUTC" if quarters else "HourUTC"
        columns = (
            "TimeUTC,PriceArea,DayAheadPriceEUR,DayAheadPriceDKK"
            if quarters
            else "HourUTC,PriceArea,SpotPriceEUR,SpotPriceDKK"
        )
        query = urlencode(
            {
                "start": first.isoformat(),
                "end": after.isoformat(),
                "timezone": "dk",
                "filter": json.dumps({"PriceArea": [area]}, separators=(",", ":")),
                "columns": columns,
                "sort": f"{time} asc",
                "limit": "0",
            }
        )
        url = f"{self._address}/dataset/{dataset}?{query}"
        return Request(url, url, after)

    def read(self, body: bytes, area: str) -> list[SpotPrice]:
        """Return the prices; see :class:`~nes2mqtt.prices.sources.source.PriceSource`."""
        answer = json_of(body, _SERVICE)
        records = answer.get("records") if isinstance(answer, Mapping) else None
        if not isinstance(records, list) or not all(isinstance(record, Mapping) for record in records):
            raise PriceError(f"{_SERVICE} answered without a list of records; nothing was taken from it")
        here = [record for record in records if record.get("PriceArea") == area]
        rate = _rate(here)
        prices = [price for record in here if (price := _price(record, rate)) is not None]
        return sorted(prices, key=lambda price: price.start)


def _amounts(record: Mapping[str, Any]) -> tuple[Decimal | None, Decimal | None]:
    """Return euros and kroner per kWh, None where a record has none."""
    found = []
    for names in (("DayAheadPriceEUR", "SpotPriceEUR"), ("DayAheadPriceDKK", "SpotPriceDKK")):
        value = next((record[name] for name in names if record.get(name) is not None), None)
        found.append(None if value is None else decimal_of(value, _SERVICE))
    return found[0], found[1]


def _rate(records: list[Mapping[str, Any]]) -> Decimal | None:
    """Return how many kroner the answer takes for a euro; by its largest price, which was rounded least."""
    both = [(euros, kroner) for euros, kroner in map(_amounts, records) if euros and kroner]
    if not both:
        return None
    euros, kroner = max(both, key=lambda pair: abs(pair[0]))
    rate = kroner / euros
    return rate if _LEAST_RATE < rate < _MOST_RATE else None


def _price(record: Mapping[str, Any], rate: Decimal | None) -> SpotPrice | None:
    quarters = "TimeUTC" in record
    start = moment_of(record.get("TimeUTC") if quarters else record.get("HourUTC"), _SERVICE)
    euros, kroner = _amounts(record)
    minutes = 15 if quarters else 60
    if kroner is not None:
        return SpotPrice(start, minutes, kroner, "DKK")
    if euros is None or rate is None:
        return None
    return SpotPrice(start, minutes, euros * rate, "DKK", final=False)
