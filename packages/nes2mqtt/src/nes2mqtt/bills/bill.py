"""What some days cost by each contract that holds on them.

Energies and prices are asked for through two functions, so that the same bill is made from a running gateway, from a copy of
its database and in a test. It is made month by month, so that a bill of a year takes no more memory than one of a month.

A day to come is in no bill. Energy of a time in which nobody read the meter is in the bill of each of its days, also where that
time begins before the bill or ends after it. The peak of a month is measured over the whole of it, whatever days are asked for and
whichever contract held on them; it is charged by the contract and the line that hold on its last day, in the bill that has that day.

This module does not read databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.costs.calculation import Costs, Quarter, Spot, peak_charges, sum_day
from nes2mqtt.costs.contract import Contract, Line
from nes2mqtt.costs.metered import Counted, quarters_of
from nes2mqtt.costs.peaks import MonthPeak, billed, charge, month_peak
from nes2mqtt.costs.price_text import Amount, Per
from nes2mqtt.costs.slots import QUARTER, bounds, days, quarters
from nes2mqtt.history.queries.reader import EnergyPeriod
from nes2mqtt.prices.averages import ChargedPrices
from nes2mqtt.prices.spot_price import SpotPrice

__all__ = ["Bill", "EnergyOf", "Peak", "PricesOf", "bills", "counted_of"]

EnergyOf = Callable[[str, str, Sequence[tuple[datetime, datetime]]], list[Counted]]
"""Gives what a meter (its id) counted of a source (its key) in quarter hours that follow each other."""

PricesOf = Callable[[str, str, datetime, datetime], list[SpotPrice]]
"""Gives the prices of an area in a currency from a moment up to another (UTC)."""

_REACH = 100
"""Days that are looked at behind a bill's end for the reading that ends a gap."""

_DAY = timedelta(days=1)
_REGISTERS = {"import": "active_energy_import", "export": "active_energy_export"}


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak of a month, by a line of the contract.

    Args:
        line: its name.
        month: its first day.
        kw: that is billed; None while the month has none.
        complete: whether every period that counts was measured; if not, it is at least this.
        over: whether the month is over.
        charged: whether it is in the sum: the month is over, and its last day is one of the bill's.
    """

    line: str
    month: date
    kw: Decimal | None
    complete: bool
    over: bool
    charged: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """What one contract comes to.

    Args:
        contract: the contract.
        first: first local day.
        after: the day after the last one; tomorrow at most.
        days: sum of each day, without charges for peaks.
        total: sum of all, with them.
        peaks: of the months, by line.
    """

    contract: Contract
    first: date
    after: date
    days: dict[date, Costs]
    total: Costs
    peaks: tuple[Peak, ...]


def bills(
    contracts: Iterable[Contract],
    first: date,
    after: date,
    zone: ZoneInfo,
    energy: EnergyOf,
    prices: PricesOf,
    now: datetime,
) -> list[Bill]:
    """Return a bill for each contract that holds on a day from ``first`` up to, not including, ``after``.

    Days after today are left out, and so is the part of today that is to come.

    Args:
        contracts: all there are.
        first: first local day.
        after: the day after the last one.
        zone: where days and months begin.
        energy: what was metered.
        prices: what is known of them.
        now: UTC.
    """
    found = []
    after = min(after, now.astimezone(zone).date() + _DAY)
    source = _Source(zone, energy, prices, now)
    for contract in contracts:
        begin = max(first, contract.begins)
        end = after if contract.ends is None else min(after, contract.ends)
        if begin < end:
            found.append(_bill(contract, begin, end, source))
    return found


def counted_of(period: EnergyPeriod, key: str) -> Counted:
    """Return what a period of the history counted of a source."""
    wh = period.values.get(key)
    return Counted(period.start, wh, None if wh is None else period.first, period.last, key in period.unplaced)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where energies and prices come from."""

    zone: ZoneInfo
    energy: EnergyOf
    prices: PricesOf
    now: datetime

    @property
    def tomorrow(self) -> date:
        return self.now.astimezone(self.zone).date() + _DAY

    def over(self, day: date) -> bool:
        """Tell whether a local day is over."""
        return day + _DAY < self.tomorrow

    def metered(self, contract: Contract, first: date, after: date) -> dict[date, list[Quarter]]:
        """Return the quarter hours of each day that have begun; those that were not read are left out while they are not over."""
        counted = self._counted(contract, first, after)
        counted = [*self._before(contract, first, counted[0]), *counted, *self._behind(contract, after, counted[-1])]
        found: dict[date, list[Quarter]] = {day: [] for day in days(first, after)}
        for quarter in quarters_of(counted, self.now):
            day = quarter.start.astimezone(self.zone).date()
            if day in found and (quarter.wh is not None or quarter.start + QUARTER <= self.now):
                found[day].append(quarter)
        return found

    def spot(self, contract: Contract, month: date) -> Spot:
        """Return the spot prices of a month as the contract charges them."""
        begin, end = bounds(month, self.zone)[0], bounds(_next_month(month), self.zone)[0]
        known = self.prices(contract.spot_area, contract.currency, begin, end) if contract.asks_for_spot else []
        return ChargedPrices(known, contract.spot_step, self.zone).at

    def _counted(self, contract: Contract, first: date, after: date) -> list[Counted]:
        starts = [start for day in days(first, after) for start in quarters(day, self.zone)]
        spans = [(start, start + QUARTER) for start in starts]
        return self.energy(contract.meter, _REGISTERS[contract.direction], spans)

    def _behind(self, contract: Contract, after: date, last: Counted) -> list[Counted]:
        """Return the quarters from ``after`` until the gap ends that the last one before is in; none if it is in none."""
        found: list[Counted] = []
        step, most = 1, min(after + _REACH * _DAY, self.tomorrow)
        while after < most and not last.whole(self.now) and all(one.wh is None for one in found):
            until = min(after + step * _DAY, most)
            found += self._counted(contract, after, until)
            after, step = until, 2 * step
        return found

    def _before(self, contract: Contract, first: date, begin: Counted) -> list[Counted]:
        """Return the quarters before ``first`` of a gap without this register that goes on there, with the one it began in."""
        found: list[Counted] = []
        step, least = 1, first - _REACH * _DAY
        while first > least and begin.unplaced and all(one.wh is None for one in found):
            since = max(first - step * _DAY, least)
            found[:0] = self._counted(contract, since, first)
            first, step = since, 2 * step
        return found


def _bill(contract: Contract, first: date, after: date, source: _Source) -> Bill:
    lines = [line for line in contract.lines if line.peak is not None]
    bill = Bill(contract, first, after, {}, Costs(contract.currency), ())
    # The mean of the peaks of some months needs those before.
    earlier = max((line.peak.months for line in lines if line.peak is not None), default=1) - 1
    measured: dict[tuple[str, date], MonthPeak] = {}
    peaks: list[Peak] = []
    month = _month_back(first, earlier)
    while month < after:
        ending = _next_month(month)
        low, high = max(first, month), min(after, ending)
        begin, end = (month, min(ending, source.tomorrow)) if lines else (low, high)
        metered = source.metered(contract, begin, end)
        for line in lines:
            over = (each for day in metered.values() for each in day if each.start + QUARTER <= source.now)
            if line.peak is not None:
                measured[line.name, month] = month_peak(line.peak, over, source.zone, contract.holidays)
        if low < high:
            spot = source.spot(contract, month)
            for day in days(low, high):
                bill.days[day] = sum_day(contract, day, metered[day], spot, source.zone)
                bill.total.add(bill.days[day])
            peaks += _peaks(bill, lines, month, measured, source)
        month = ending
    return replace(bill, peaks=tuple(peaks))


def _peaks(
    bill: Bill, lines: Sequence[Line], month: date, measured: dict[tuple[str, date], MonthPeak], source: _Source
) -> list[Peak]:
    """Return the peaks of a month by the lines that hold on its last day, and book what they cost."""
    last = _next_month(month) - _DAY
    over = source.over(last)
    charged = over and last < bill.after
    found: list[Peak] = []
    amounts: dict[str, Decimal] = {}
    for line in lines:
        if line.peak is None or not (bill.contract.on(last) and line.on(last)):
            continue
        months = [measured[line.name, _month_back(month, back)] for back in reversed(range(line.peak.months))]
        known = [each.kw for each in months if each.kw is not None]
        complete = months[-1].complete and all(each.complete for each in months if each.kw is not None)
        kw = None if months[-1].kw is None else billed(line.peak, known)
        found.append(Peak(line.name, month, kw, complete, over, charged))
        if charged and kw is not None:
            per_kw = line.price.value if isinstance(line.price, Amount) and line.price.per is Per.PEAK else Decimal(0)
            amounts[line.name] = charge(line.peak, per_kw, kw)
    bill.total.book(peak_charges(bill.contract, last, amounts))
    return found


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _month_back(day: date, months: int) -> date:
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)
