"""aWATTar: hourly prices of Austria and Germany in euros, without a key.

``GET /v1/marketdata?start=MS&end=MS`` (https://www.awattar.at/services/api) answers with a list of hours in UTC milliseconds
and prices per MWh without VAT. It has hours only, also since the market trades quarters: right for contracts that charge by
the hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nes2mqtt.prices.sources.source import Request, decimal_of, json_of, moment_of
from nes2mqtt.prices.spot_price import PriceError, SpotPrice

__all__ = ["Awattar"]

_SERVICE = "aWATTar"
_ADDRESSES = {"AT": "https://api.awattar.at", "DE-LU": "https://api.awattar.de"}
_MARKET = ZoneInfo("Europe/Vienna")
_HOUR_MS = 3_600_000


class Awattar:
    """Prices of ``AT`` and ``DE-LU``.

    Args:
        address: of the service; another one in tests; empty: that of the area.
    """

    name = "awattar"
    credit = "aWATTar"

    def __init__(self, address: str = "") -> None:
        self._address = address.rstrip("/")

    def currency(self, area: str) -> str:
        """Return ``EUR``.

        Raises:
            PriceError: it has no prices of the area.
        """
        if area not in _ADDRESSES:
            raise PriceError(f"{_SERVICE} has the prices of {' and '.join(_ADDRESSES)}; for {area} take another source")
        return "EUR"

    def request(self, area: str, first: date, after: date) -> Request:
        """Return the request, in milliseconds of the market's midnights."""
        begin, end = (
            int(datetime(day.year, day.month, day.day, tzinfo=_MARKET).timestamp()) * 1000 for day in (first, after)
        )
        url = f"{self._address or _ADDRESSES[area]}/v1/marketdata?{urlencode({'start': begin, 'end': end})}"
        return Request(url, url, after)

    def read(self, body: bytes, area: str) -> list[SpotPrice]:
        """Return the prices; see :class:`~nes2mqtt.prices.sources.source.PriceSource`."""
        del area
        answer = json_of(body, _SERVICE)
        data = answer.get("data") if isinstance(answer, Mapping) else None
        if not isinstance(data, list) or not all(isinstance(hour, Mapping) for hour in data):
            raise PriceError(f"{_SERVICE} answered without a list of hours; nothing was taken from it")
        return sorted((_price(hour) for hour in data), key=lambda price: price.start)


def _price(hour: Mapping[str, object]) -> SpotPrice:
    begin, end = hour.get("start_timestamp"), hour.get("end_timestamp")
    if not isinstance(begin, int) or not isinstance(end, int) or end - begin != _HOUR_MS:
        raise PriceError(f"{_SERVICE} answered with a slot that is no hour; nothing was taken from it")
    return SpotPrice(moment_of(begin // 1000, _SERVICE), 60, decimal_of(hour.get("marketprice"), _SERVICE), "EUR")
