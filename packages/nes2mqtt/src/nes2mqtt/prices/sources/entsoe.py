"""The ENTSO-E Transparency Platform: prices of all European areas, with a token of the user's own.

Document type A44 of the RESTful API (https://transparency.entsoe.eu, "Web API user guide", section day-ahead prices): a
``Publication_MarketDocument`` of time series, each of periods with a resolution and numbered points. In a series of
``curveType`` A03 a point that equals the one before is left out; points are filled within their period, to its end, never
beyond. Austria and Germany have two series: 1 is the noon auction that bills are made of, 2 another exchange's at ten;
2 is never taken for 1. Where an answer has an hour's price beside quarters, the quarters count; while one of them is missing
the hour's is not final. An ``Acknowledgement_MarketDocument`` says that there are no prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlencode
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from nes2mqtt.prices.sources.source import Request, decimal_of, moment_of
from nes2mqtt.prices.spot_price import PriceError, SpotPrice, printable

__all__ = ["Entsoe"]

_SERVICE = "ENTSO-E"
_MARKET = ZoneInfo("Europe/Brussels")
_RESOLUTIONS = {"PT15M": 15, "PT60M": 60}
_REPEATS_LEFT_OUT = "A03"
_NOON_AUCTION = "1"
_NO_DATA = "999"
_QUARTER = 15
_MOST_DIGITS = 6
_MOST_POINTS = 5000
"""Of one period: a month of quarter hours is 2,976."""

_AREAS = {
    "AT": "10YAT-APG------L",
    "BE": "10YBE----------2",
    "DE-LU": "10Y1001A1001A82H",
    "DK1": "10YDK-1--------W",
    "DK2": "10YDK-2--------M",
    "NL": "10YNL----------L",
    "NO1": "10YNO-1--------2",
    "NO2": "10YNO-2--------T",
    "NO3": "10YNO-3--------J",
    "NO4": "10YNO-4--------9",
    "NO5": "10Y1001A1001A48H",
    "SE1": "10Y1001A1001A44P",
    "SE2": "10Y1001A1001A45N",
    "SE3": "10Y1001A1001A46L",
    "SE4": "10Y1001A1001A47J",
}
"""Energy identification codes of bidding zones (ENTSO-E, "Area codes" of the same guide)."""


class Entsoe:
    """Prices of the areas in the list, in euros.

    Args:
        token: the user's security token.
        address: of the service; another one in tests.
    """

    name = "entsoe"
    credit = "ENTSO-E Transparency Platform"

    def __init__(self, token: str, address: str = "https://web-api.tp.entsoe.eu") -> None:
        self._token = token
        self._address = address.rstrip("/")

    def __repr__(self) -> str:
        """Return nothing of the token."""
        return f"Entsoe(address={self._address!r})"

    def currency(self, area: str) -> str:
        """Return ``EUR``.

        Raises:
            PriceError: the area is not in the list.
        """
        if area not in _AREAS:
            raise PriceError(f"{area} is no price area known here; known are {', '.join(_AREAS)}")
        return "EUR"

    def request(self, area: str, first: date, after: date) -> Request:
        """Return the request, from midnight to midnight of the market, which keeps Central European Time."""
        begin, end = (
            datetime(day.year, day.month, day.day, tzinfo=_MARKET).astimezone(UTC).strftime("%Y%m%d%H%M")
            for day in (first, after)
        )
        query = {
            "documentType": "A44",
            "in_Domain": _AREAS[area],
            "out_Domain": _AREAS[area],
            "contract_MarketAgreement.type": "A01",
            "periodStart": begin,
            "periodEnd": end,
        }
        shown = f"{self._address}/api?{urlencode(query)}"
        return Request(f"{shown}&{urlencode({'securityToken': self._token})}", shown, after)

    def read(self, body: bytes, area: str) -> list[SpotPrice]:
        """Return the prices; see :class:`~nes2mqtt.prices.sources.source.PriceSource`."""
        del area
        root = _parsed(body)
        kind = _name(root)
        if kind == "Acknowledgement_MarketDocument":
            code = _text(root, "code")
            if code == _NO_DATA:
                return []
            raise PriceError(f"{_SERVICE} refused: {self._shown(_text(root, 'text')) or printable(code)[:10]}")
        if kind != "Publication_MarketDocument":
            raise PriceError(f"{_SERVICE} answered with another document than prices; nothing was taken from it")
        prices: dict[tuple[datetime, int], SpotPrice] = {}
        for series in _all(root, "TimeSeries"):
            place = _text(series, "classificationSequence_AttributeInstanceComponent.position") or _NOON_AUCTION
            if place == _NOON_AUCTION:
                prices |= {(price.start, price.minutes): price for price in _series(series)}
        return _quarters_first(prices[slot] for slot in sorted(prices))

    def _shown(self, text: str) -> str:
        """Return what the service said; nothing if it says the token back."""
        token = "".join(self._token.split()).casefold()
        said = "".join(one for one in text.casefold() if one.isprintable() and not one.isspace())
        return "" if token in said else printable(text)


def _quarters_first(prices: Iterable[SpotPrice]) -> list[SpotPrice]:
    """Leave out the hours whose quarters are there; an hour with some of them is not final."""
    found = list(prices)
    quarters = {price.start for price in found if price.minutes == _QUARTER}
    taken = []
    for price in found:
        count = price.minutes // _QUARTER
        there = sum(price.start + timedelta(minutes=_QUARTER) * number in quarters for number in range(count))
        if price.minutes == _QUARTER:
            taken.append(price)
        elif there < count:
            taken.append(replace(price, final=there == 0))
    return taken


def _parsed(body: bytes) -> ET.Element:
    try:
        text = body.decode()  # in another encoding what is looked for now would hide
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise PriceError(
                f"{_SERVICE} answered with a document that defines things of its own; nothing was taken from it"
            )
        return ET.fromstring(body)  # noqa: S314 - what could expand is refused above
    except (ET.ParseError, ValueError, LookupError) as error:
        raise PriceError(f"{_SERVICE} answered with something that is not XML; nothing was taken from it") from error


def _name(element: ET.Element) -> str:
    """Return the name without its namespace, whose version changes."""
    return str(element.tag).rpartition("}")[2]


def _all(element: ET.Element, name: str) -> Iterator[ET.Element]:
    return (found for found in element.iter() if _name(found) == name)


def _text(element: ET.Element, name: str) -> str:
    return next(((found.text or "").strip() for found in _all(element, name)), "")


def _series(series: ET.Element) -> Iterator[SpotPrice]:
    currency, unit = _text(series, "currency_Unit.name"), _text(series, "price_Measure_Unit.name")
    if (currency, unit) != ("EUR", "MWH"):
        raise PriceError(f"{_SERVICE} answered with prices in another unit than EUR per MWh; nothing was taken from it")
    repeats = _text(series, "curveType") == _REPEATS_LEFT_OUT
    for period in _all(series, "Period"):
        yield from _period(period, repeats=repeats)


def _period(period: ET.Element, *, repeats: bool) -> Iterator[SpotPrice]:
    begin, end = (moment_of(_text(period, name), _SERVICE) for name in ("start", "end"))
    minutes = _RESOLUTIONS.get(_text(period, "resolution"))
    if minutes is None:
        raise PriceError(f"{_SERVICE} answered with slots of neither a quarter nor an hour; nothing was taken from it")
    step = timedelta(minutes=minutes)
    points: dict[int, str] = {}
    for point in _all(period, "Point"):
        place = _text(point, "position")
        if not place.isascii() or not place.isdigit() or len(place) > _MOST_DIGITS:
            raise PriceError(f"{_SERVICE} answered with a point that has no number; nothing was taken from it")
        points[int(place)] = _text(point, "price.amount")
    count = (end - begin) // step
    if not 0 < count <= _MOST_POINTS or not points.keys() <= set(range(1, count + 1)):
        raise PriceError(f"{_SERVICE} answered with points outside their period; nothing was taken from it")
    last: str | None = None
    for number in range(1, count + 1):
        last = points.get(number, last if repeats else None)
        if last is not None:
            yield SpotPrice(begin + step * (number - 1), minutes, decimal_of(last, _SERVICE), "EUR")
