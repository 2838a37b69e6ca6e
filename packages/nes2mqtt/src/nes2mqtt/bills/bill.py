"""What some days cost by each contract that holds on them.

Energies and prices are asked for through two functions, so that the same bill is made from a running gateway, from a copy of
its database and in a test.

This module does not read databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.costs.calculation import Costs, Money, Quarter, sum_day
from nes2mqtt.costs.contract import Contract, Line, Vat
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

_REGISTERS = {"import": "active_energy_import", "export": "active_energy_export"}


@dataclass(frozen=True, slots=True)
class Peak:
    """The peak of a month, by a line of the contract.

    Args:
        line: its name.
        month: its first day.
        measured: the month's peak.
        kw: that is billed; None while the month has none.
        over: whether the month has ended within the bill's days, so that it is in the sum.
    """

    line: str
    month: date
    measured: MonthPeak
    kw: Decimal | None
    over: bool


@dataclass(frozen=True, slots=True)
class Bill:
    """What one contract comes to.

    Args:
        contract: the contract.
        first: first local day.
        after: the day after the last one.
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
    contracts: Iterable[Contract], first: date, after: date, zone: ZoneInfo, energy: EnergyOf, prices: PricesOf
) -> list[Bill]:
    """Return a bill for each contract that holds on a day from ``first`` up to, not including, ``after``.

    Args:
        contracts: all there are.
        first: first local day.
        after: the day after the last one.
        zone: where days and months begin.
        energy: what was metered.
        prices: what is known of them.
    """
    found = []
    for contract in contracts:
        begin = max(first, contract.begins)
        end = after if contract.ends is None else min(after, contract.ends)
        if begin < end:
            found.append(_bill(contract, begin, end, zone, energy, prices))
    return found


def counted_of(period: EnergyPeriod, key: str) -> Counted:
    """Return what a period of the history counted of a source."""
    wh = period.values.get(key)
    return Counted(period.start, wh, None if wh is None else period.first)


def _bill(contract: Contract, first: date, after: date, zone: ZoneInfo, energy: EnergyOf, prices: PricesOf) -> Bill:
    peak_lines = [line for line in contract.lines if line.peak is not None]
    # A peak is of whole months, and the mean of some months needs those before.
    longest = max((line.peak.months for line in peak_lines if line.peak is not None), default=0)
    since = _month_back(first, longest - 1) if longest else first
    metered = _metered(contract, max(since, contract.begins), after, zone, energy)
    begin, end = bounds(first.replace(day=1), zone)[0], bounds(_next_month(after - timedelta(days=1)), zone)[0]
    known = prices(contract.spot_area, contract.currency, begin, end) if contract.asks_for_spot else []
    spot = ChargedPrices(known, contract.spot_step, zone)
    by_day = {day: sum_day(contract, day, metered[day], spot.at, zone) for day in days(first, after)}
    total = Costs(contract.currency)
    for costs in by_day.values():
        total.add(costs)
    peaks = []
    for line in peak_lines:
        for peak in _peaks(contract, line, metered, zone):
            if peak.month >= first.replace(day=1):
                peaks.append(peak)
                if peak.over and peak.kw is not None:
                    total.book({line.name: _charged(contract, line, peak.kw)})
    return Bill(contract, first, after, by_day, total, tuple(peaks))


def _metered(
    contract: Contract, first: date, after: date, zone: ZoneInfo, energy: EnergyOf
) -> dict[date, list[Quarter]]:
    """Return the quarter hours of each day; one day more is read before, for a gap that ends on the first."""
    starts = [start for day in days(first - timedelta(days=1), after) for start in quarters(day, zone)]
    counted = energy(contract.meter, _REGISTERS[contract.direction], [(start, start + QUARTER) for start in starts])
    found: dict[date, list[Quarter]] = {day: [] for day in days(first, after)}
    for quarter in quarters_of(counted):
        day = quarter.start.astimezone(zone).date()
        if day in found:
            found[day].append(quarter)
    return found


def _peaks(contract: Contract, line: Line, metered: dict[date, list[Quarter]], zone: ZoneInfo) -> list[Peak]:
    if line.peak is None:
        return []
    found: list[Peak] = []
    measured: list[Decimal] = []
    for month in sorted({day.replace(day=1) for day in metered}):
        ending = _next_month(month)
        of_month = [quarter for day in days(month, ending) if line.on(day) for quarter in metered.get(day, ())]
        peak = month_peak(line.peak, of_month, zone, contract.holidays)
        over = ending - timedelta(days=1) in metered
        kw = None
        if peak.kw is not None:
            measured.append(peak.kw)
            kw = billed(line.peak, measured)
        found.append(Peak(line.name, month, peak, kw, over))
    return found


def _charged(contract: Contract, line: Line, kw: Decimal) -> Money:
    per_kw = line.price.value if isinstance(line.price, Amount) and line.price.per is Per.PEAK else Decimal(0)
    net = charge(line.peak, per_kw, kw) if line.peak is not None else Decimal(0)
    if line.vat is Vat.NONE:
        return Money(net)
    if line.vat is Vat.INCLUDED:
        net /= 1 + contract.vat
    return Money(net, net * contract.vat)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _month_back(day: date, months: int) -> date:
    place = day.year * 12 + day.month - 1 - months
    return date(place // 12, place % 12 + 1, 1)
