"""What energy costs now, and what it has cost today and this month, by the contracts of one meter.

Values are absent or true. A price is absent while a spot price is missing, and while a part of the bill (the supplier's or the grid
company's) has no contract although other days have one. A sum is absent while energy in it waits for its price. Quarter hours
without a measurement are in no sum; they are counted beside it. The sum of a month that is over has its charges for
peaks; that of a running month has none yet.

This module does not read databases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.bills.bill import Bill, EnergyOf, PricesOf, bills
from nes2mqtt.costs.calculation import Costs, slot_price
from nes2mqtt.costs.contract import Contract, Part, SpotStep
from nes2mqtt.costs.slots import bounds, floor
from nes2mqtt.prices.averages import ChargedPrices
from osgp.sources import Direction

__all__ = ["CostsNow", "Sum", "closed", "price_now", "running"]

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sum:
    """An amount with VAT, over some days.

    Args:
        amount: None while energy in it waits for its price, or there are amounts in two currencies.
        unmeasured: quarter hours without a measurement.
    """

    amount: Decimal | None = Decimal(0)
    unmeasured: int = 0

    def __add__(self, other: Sum) -> Sum:
        """Return the sum of both."""
        known = self.amount is not None and other.amount is not None
        amount = (self.amount or Decimal(0)) + (other.amount or Decimal(0)) if known else None
        return Sum(amount, self.unmeasured + other.unmeasured)


@dataclass(frozen=True, slots=True)
class CostsNow:
    """Prices and costs of a meter. What is not known is absent.

    Args:
        currency: of all amounts.
        prices: of a kWh now, with everything that depends on energy, and VAT.
        today: sums of the local day; of export what was earned.
        month: likewise of the local month.
        day_began: when that day began, UTC; None while nothing is known.
        month_began: likewise the month.
    """

    currency: str
    prices: dict[Direction, Decimal]
    today: dict[Direction, Sum]
    month: dict[Direction, Sum]
    day_began: datetime | None = None
    month_began: datetime | None = None


def price_now(contracts: Sequence[Contract], zone: ZoneInfo, prices: PricesOf, now: datetime) -> Decimal | None:
    """Return the price of a kWh with VAT, in the quarter hour that is running; None while it is not known.

    Args:
        contracts: of one meter and direction.
        zone: of the local clock.
        prices: what is known of them.
        now: UTC.
    """
    start = floor(now, 15)
    local = start.astimezone(zone)
    holding = [contract for contract in contracts if contract.on(local.date())]
    if not holding or _parts(holding) != _parts(contracts):
        return None
    total = Decimal(0)
    for contract in holding:
        spot = None
        if contract.asks_for_spot:
            begin, end = _averaged(contract, start, zone)
            known = prices(contract.spot_area, contract.currency, begin, end)
            spot = ChargedPrices(known, contract.spot_step, zone).at(start)
        price = slot_price(contract, local, spot)
        if price is None:
            return None
        total += sum((amount.gross for amount in price.values()), Decimal(0))
    return total


def running(
    contracts: Sequence[Contract],
    first: date,
    after: date,
    zone: ZoneInfo,
    energy: EnergyOf,
    prices: PricesOf,
    now: datetime,
) -> Sum:
    """Return what local days from ``first`` up to, not including, ``after`` come to, without charges for peaks.

    Args:
        contracts: of one meter and direction.
        first: first local day.
        after: the day after the last one.
        zone: where days begin.
        energy: what was metered.
        prices: what is known of them.
        now: UTC.
    """
    # A peak is measured over its whole month, which would be read each time, and is in no sum of days.
    plain = [replace(one, lines=tuple(line for line in one.lines if line.peak is None)) for one in contracts]
    return _sum(bills(plain, first, after, zone, energy, prices, now), peaks=False)


def closed(
    contracts: Sequence[Contract],
    first: date,
    after: date,
    zone: ZoneInfo,
    energy: EnergyOf,
    prices: PricesOf,
    now: datetime,
) -> Sum:
    """Return what days that are over come to, with charges for peaks. The arguments are those of :func:`running`."""
    return _sum(bills(contracts, first, after, zone, energy, prices, now), peaks=True)


def _sum(made: Sequence[Bill], *, peaks: bool) -> Sum:
    if len({bill.contract.currency for bill in made}) > 1:
        return Sum(None, _unmeasured(made))
    costs: list[Costs] = [bill.total for bill in made] if peaks else [day for b in made for day in b.days.values()]
    if any(each.pending for each in costs):
        return Sum(None, _unmeasured(made))
    return Sum(sum((each.total.gross for each in costs), Decimal(0)), _unmeasured(made))


def _unmeasured(made: Sequence[Bill]) -> int:
    """Return how many quarter hours were not measured; supplier and grid company leave out the same ones."""
    found: dict[date, int] = {}
    for bill in made:
        for day, costs in bill.days.items():
            found[day] = max(found.get(day, 0), costs.unmeasured)
    return sum(found.values())


def _parts(contracts: Sequence[Contract]) -> set[Part]:
    """Return the parts of the bill that contracts are for."""
    both = {Part.SUPPLIER, Part.GRID}
    return {part for one in contracts for part in (both if one.part is Part.ALL else {one.part})}


def _averaged(contract: Contract, start: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the time whose spot prices are needed for that of a quarter hour."""
    if contract.spot_step is SpotStep.MONTH:
        month = start.astimezone(zone).date().replace(day=1)
        return bounds(month, zone)[0], bounds((month + 32 * _DAY).replace(day=1), zone)[0]
    begin = floor(start, 60)
    return begin, begin + _HOUR
