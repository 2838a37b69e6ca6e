"""Energy-Charts of Fraunhofer ISE: prices of most European areas in euros, without a key.

``GET /price?bzn=AREA&start=DAY&end=DAY`` (https://api.energy-charts.info) answers with two lists of the same length, Unix
seconds and prices per MWh, which may be null. How long a price holds is not said. Where the coupled market sets it, it is a
quarter hour since October 2025, also when an answer has every fourth quarter only; before, and in the areas outside, it is
the distance to the nearest other price. The licence of an area's prices stands in each answer. It has its prices from ENTSO-E, so both fail together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from nes2mqtt.prices.sources.source import Request, decimal_of, json_of, moment_of
from nes2mqtt.prices.spot_price import QUARTERS_SINCE, PriceError, SpotPrice

__all__ = ["EnergyCharts"]

_SERVICE = "Energy-Charts"
_MARKET = ZoneInfo("Europe/Brussels")
_STEPS = {timedelta(minutes=15): 15, timedelta(hours=1): 60}
_NOT_COUPLED = ("CH", "ME", "MK", "RS")
"""Areas outside the coupled market, which may trade hours still."""


class EnergyCharts:
    """Prices of the areas that Energy-Charts names, such as ``AT``, ``DE-LU``, ``DK1``, ``NL``.

    Args:
        address: of the service; another one in tests.
    """

    name = "energy-charts"
    credit = "Energy-Charts, Fraunhofer ISE; licence of the prices by area: energy-charts.info"

    def __init__(self, address: str = "https://api.energy-charts.info") -> None:
        self._address = address.rstrip("/")

    def currency(self, area: str) -> str:
        """Return ``EUR``, which it has for every area, Danish and Swedish ones too."""
        del area
        return "EUR"

    def request(self, area: str, first: date, after: date) -> Request:
        """Return the request; the service counts the last day in."""
        query = urlencode({"bzn": area, "start": first.isoformat(), "end": (after - timedelta(days=1)).isoformat()})
        url = f"{self._address}/price?{query}"
        return Request(url, url, after)

    def read(self, body: bytes, area: str) -> list[SpotPrice]:
        """Return the prices; see :class:`~nes2mqtt.prices.sources.source.PriceSource`."""
        answer = json_of(body, _SERVICE)
        if not isinstance(answer, Mapping):
            raise PriceError(f"{_SERVICE} answered with something else than prices; nothing was taken from it")
        seconds, values = answer.get("unix_seconds"), answer.get("price")
        if not isinstance(seconds, list) or not isinstance(values, list) or len(seconds) != len(values):
            raise PriceError(f"{_SERVICE} answered without two lists of one length; nothing was taken from it")
        starts = [moment_of(second, _SERVICE) for second in seconds]
        steps = _steps(starts, coupled=area not in _NOT_COUPLED)
        return [
            SpotPrice(start, minutes, decimal_of(value, _SERVICE), "EUR")
            for start, value, minutes in zip(starts, values, steps, strict=True)
            if value is not None
        ]


def _steps(starts: list[datetime], *, coupled: bool) -> list[int]:
    """Return the minutes of each slot.

    Slots are missing at times. So the nearer neighbour counts, and a slot that has none takes the length of the one before:
    no price is stretched over time that it may not be of.
    """
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    if any(gap <= timedelta(0) for gap in gaps):
        raise PriceError(f"{_SERVICE} answered with times out of order; nothing was taken from it")
    known = None
    found = []
    for number, start in enumerate(starts):
        nearest = min(gaps[max(number - 1, 0) : number + 1], default=None)
        if coupled and start.astimezone(_MARKET).date() >= QUARTERS_SINCE:
            known = 15
        else:
            known = (_STEPS.get(nearest) if nearest is not None else None) or known
        if known is None:
            raise PriceError(
                f"{_SERVICE} answered with slots of neither a quarter nor an hour; nothing was taken from it"
            )
        found.append(known)
    return found
