"""Answers of price services for whole days, in the formats they document."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

COPENHAGEN, VIENNA = ZoneInfo("Europe/Copenhagen"), ZoneInfo("Europe/Vienna")

PerMwh = Callable[[datetime, datetime], float]
"""Gives a price by UTC and local time."""


def slots(day: date, zone: ZoneInfo, minutes: int) -> list[datetime]:
    """Return the starts of a local day's slots by seconds since 1970, apart from the code under test."""
    begin, end = (
        int(datetime(one.year, one.month, one.day, tzinfo=zone).timestamp()) for one in (day, day + timedelta(days=1))
    )
    return [datetime.fromtimestamp(second, UTC) for second in range(begin, end, minutes * 60)]


class Answers:
    """Makes answers."""

    payloads = Path(__file__).parent / "payloads"

    def energi_data_service(
        self, day: date, price: PerMwh, skip: Collection[datetime] = (), *, kroner: bool = True, area: str = "DK1"
    ) -> bytes:
        """Return the quarters of a day, the newest first."""
        records = []
        for start in slots(day, COPENHAGEN, 15):
            if start in skip:
                continue
            local = start.astimezone(COPENHAGEN)
            euros = price(start, local)
            records.append(
                {
                    "TimeUTC": start.strftime("%Y-%m-%dT%H:%M:%S"),
                    "TimeDK": local.strftime("%Y-%m-%dT%H:%M:%S"),
                    "PriceArea": area,
                    "DayAheadPriceEUR": round(euros, 2),
                    "DayAheadPriceDKK": round(euros * 7.46, 6) if kroner else None,
                }
            )
        return json.dumps(
            {"total": len(records), "limit": 0, "dataset": "DayAheadPrices", "records": records[::-1]}
        ).encode()

    def energy_charts(self, day: date, price: PerMwh, skip: Collection[datetime] = (), minutes: int = 15) -> bytes:
        """Return the slots of a day as two lists."""
        starts = [start for start in slots(day, VIENNA, minutes) if start not in skip]
        return json.dumps(
            {
                "license_info": "made up",
                "unix_seconds": [int(start.timestamp()) for start in starts],
                "price": [price(start, start.astimezone(VIENNA)) for start in starts],
                "unit": "EUR / MWh",
                "deprecated": False,
            }
        ).encode()

    def awattar(self, day: date, price: PerMwh) -> bytes:
        """Return the hours of a day."""
        return json.dumps(
            {
                "object": "list",
                "data": [
                    {
                        "start_timestamp": int(start.timestamp()) * 1000,
                        "end_timestamp": int(start.timestamp()) * 1000 + 3_600_000,
                        "marketprice": price(start, start.astimezone(VIENNA)),
                        "unit": "Eur/MWh",
                    }
                    for start in slots(day, VIENNA, 60)
                ],
            }
        ).encode()


@pytest.fixture
def answers() -> Answers:
    return Answers()
