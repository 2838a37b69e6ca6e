"""Energies and costs of a year equal a plain calculation with fractions, quarter hour by quarter hour.

The calculation is written from docs/costs.md alone and uses nothing of what it is held against. The year has both changes of the clock,
another meter in September, a gateway that was off for five hours in November, another supplier price from July, another grid
tariff from October, and prices below zero.
"""

import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from nes2mqtt.bills.billing import Billing
from nes2mqtt.costs.config import ContractConfig
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore

QUARTER = timedelta(minutes=15)
BEGIN, END = datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 12, 31, 23, tzinfo=UTC)
QUARTERS = [BEGIN + QUARTER * number for number in range((END - BEGIN) // QUARTER)]
SWAP = datetime(2026, 9, 10, 12, tzinfo=UTC)
OFF, ON = datetime(2026, 11, 3, 10, tzinfo=UTC), datetime(2026, 11, 3, 15, tzinfo=UTC)
CONTRACTS = """
[[contracts]]
name = "Old"
meter = "house"
from = 2026-01-01
to = 2026-07-01
currency = "DKK"
spot_area = "DK1"
vat = "25 %"
[[contracts.lines]]
name = "Spot"
price = "spot"
[[contracts.lines]]
name = "Supplier"
price = "8 øre per kWh"
[[contracts.lines]]
name = "Grid"
price = "30 øre per kWh"
times = [
    { from = "00:00", to = "06:00", price = "10 øre per kWh" },
    { from = "17:00", to = "21:00", price = "90 øre per kWh" },
]
[[contracts.lines]]
name = "Subscription"
price = "41 DKK per month"
[[contracts]]
name = "New"
meter = "house"
from = 2026-07-01
currency = "DKK"
spot_area = "DK1"
vat = "25 %"
[[contracts.lines]]
name = "Spot"
price = "103 % of spot"
[[contracts.lines]]
name = "Supplier"
price = "11 øre per kWh"
[[contracts.lines]]
name = "Grid of the summer"
valid_to = 2026-10-01
price = "30 øre per kWh"
times = [
    { from = "00:00", to = "06:00", price = "10 øre per kWh" },
    { from = "17:00", to = "21:00", price = "90 øre per kWh" },
]
[[contracts.lines]]
name = "Grid of the winter"
valid_from = 2026-10-01
price = "45 øre per kWh"
times = [{ from = "22:00", to = "02:30", price = "15 øre per kWh" }]
[[contracts.lines]]
name = "Subscription"
price = "180 DKK per year"
"""


def hundredths(moment):
    """Return the spot price of a quarter hour, in øre per kWh: from -60 to 239."""
    return int(moment.timestamp()) // 900 * 7919 % 300 - 60


def used(moment):
    """Return what the house used in a quarter hour, in Wh."""
    number = int(moment.timestamp()) // 900
    if OFF <= moment < ON:
        return 400 if moment == OFF else 100  # 2300 Wh: 115 Wh in each of 20 quarter hours
    return 50 + number * 104_729 % 900


def booked(moment):
    """Return what is known of it afterwards: the even share while nobody read the meter."""
    return 115 if OFF <= moment < ON else used(moment)


def price(local, spot):
    """Return the price of a kWh in kroner with VAT, by the clock of the house."""
    minute = local.hour * 60 + local.minute
    if local.date() < date(2026, 10, 1):
        grid = 10 if minute < 6 * 60 else 90 if 17 * 60 <= minute < 21 * 60 else 30
    else:
        grid = 15 if minute >= 22 * 60 or minute < 2 * 60 + 30 else 45
    if local.date() < date(2026, 7, 1):
        return Fraction(spot + 8 + grid, 100) * Fraction(125, 100)
    return (Fraction(spot * 103, 100) + 11 + grid) / 100 * Fraction(125, 100)


def subscription(day):
    """Return what a day costs without energy, with VAT."""
    if day >= date(2026, 7, 1):
        return Fraction(180, 365) * Fraction(125, 100)
    length = {1: 31, 2: 28, 3: 31, 4: 30, 5: 31, 6: 30}[day.month]
    return Fraction(41, length) * Fraction(125, 100)


def exact(amount):
    """Return an amount to a millionth of an øre: days of a month are thirds and sevenths of an amount."""
    return round(Fraction(amount), 8)


@pytest.fixture
async def year(open_store, registers, clock, tmp_path, zone):
    """Return the history of the year, and what makes bills of it."""
    prices = PriceStore(tmp_path / "prices.db")
    spot = [SpotPrice(each, 15, Decimal(hundredths(each)) / 100, "DKK") for each in QUARTERS]
    prices.keep("DK1", spot, "test", BEGIN)
    contracts = [ContractConfig.model_validate(one).contract() for one in tomllib.loads(CONTRACTS)["contracts"]]
    async with open_store() as store:
        shows, segment, began = 1_000_000, 1, None

        async def read(moment):
            clock.now = moment
            seconds = (moment - clock.at(0)).total_seconds()
            sample = registers(seconds, shows, segment=segment, segment_start=began)
            if moment.minute or moment.hour:
                store.offer(sample)
            else:
                await store.append(sample)

        await read(BEGIN)
        for quarter in QUARTERS:
            shows += used(quarter)
            end = quarter + QUARTER
            if not OFF < end < ON:
                await read(end)
            if end == SWAP:
                shows, segment, began = 77_000, 2, end + timedelta(seconds=10)
                await read(began)
        yield store, Billing(store, prices, contracts, zone)


async def test_days_months_and_year_cost_what_a_plain_calculation_says(year, zone):
    store, billing = year
    wh, cost = defaultdict(int), defaultdict(Fraction)
    for quarter in QUARTERS:
        local = quarter.astimezone(zone)
        wh[local.date()] += booked(quarter)
        cost[local.date()] += Fraction(booked(quarter), 1000) * price(local, hundredths(quarter))
    for day in wh:
        cost[day] += subscription(day)
    assert len(wh) == 365

    old, new = await billing.of("house", date(2026, 1, 1), date(2027, 1, 1), END + timedelta(hours=1))
    found = old.days | new.days
    assert {day: one.wh for day, one in found.items()} == wh
    assert {day: exact(one.total.gross) for day, one in found.items()} == {day: exact(one) for day, one in cost.items()}
    assert old.total.complete
    assert new.total.complete
    assert new.total.estimated == 20
    assert exact(old.total.total.gross + new.total.total.gross) == exact(sum(cost.values()))
    assert min(cost.values()) < max(cost.values())

    for month in range(1, 13):
        first, after = date(2026, month, 1), date(2026 + month // 12, month % 12 + 1, 1)
        (bill,) = await billing.of("house", first, after, END + timedelta(hours=1))
        of_month = [one for day, one in cost.items() if day.month == month]
        assert exact(bill.total.total.gross) == exact(sum(of_month))

    for unit in ("month", "year"):
        for period in await store.energy("house", unit, BEGIN, END):
            begin, end = (moment.astimezone(zone).date() for moment in (period.start, period.end))
            assert period.values["active_energy_import"] == sum(one for day, one in wh.items() if begin <= day < end)
