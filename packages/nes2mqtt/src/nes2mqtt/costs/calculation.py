"""Amounts: what a quarter hour's energy costs, what a day costs without any energy, and sums of both.

The order is fixed, so that the order of the lines does not matter: amounts, then shares of groups, then VAT. Amounts keep
all their digits; they are rounded once, where they are shown (:func:`rounded`).

What is not known is told and not guessed: energy without a spot price is *pending*, with its kWh; a quarter hour without
energy is *unmeasured*. Neither adds anything to the sums.

This module does not know where energy and prices come from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from nes2mqtt.costs.contract import Contract, IfNegative, Line, Vat
from nes2mqtt.costs.price_text import Amount, Per, Price, ShareOfGroup, ShareOfSpot
from nes2mqtt.costs.slots import month_days, year_days

__all__ = ["Costs", "Money", "Quarter", "Spot", "peak_charges", "rounded", "slot_price", "standing", "sum_day"]

Spot = Callable[[datetime], Decimal | None]
"""Gives the spot price per kWh without VAT of the slot that begins at a moment (UTC), as the contract averages it; None
while it is not known."""

_KILO = 1000


@dataclass(frozen=True, slots=True)
class Money:
    """An amount, and the VAT on it."""

    net: Decimal = Decimal(0)
    vat: Decimal = Decimal(0)

    @property
    def gross(self) -> Decimal:
        """Return the amount with VAT."""
        return self.net + self.vat

    def __add__(self, other: Money) -> Money:
        """Return the sum."""
        return Money(self.net + other.net, self.vat + other.vat)

    def times(self, factor: Decimal) -> Money:
        """Return the amount so many times."""
        return Money(self.net * factor, self.vat * factor)


@dataclass(frozen=True, slots=True)
class Quarter:
    """What was metered in a quarter hour.

    Args:
        start: UTC.
        wh: energy of the contract's direction; None: it was not measured.
        estimated: the energy was measured, but over a longer time; this is its even share.
    """

    start: datetime
    wh: int | None
    estimated: bool = False


@dataclass(slots=True)
class Costs:
    """A sum of one contract.

    Args:
        currency: of the amounts.
        wh: energy that has a price.
        lines: amount of each line by its name.
        pending: quarter hours whose price is not known yet.
        pending_wh: their energy.
        unmeasured: quarter hours without a measurement.
        estimated: quarter hours whose energy is a share of what was measured over a longer time.
    """

    currency: str
    wh: int = 0
    lines: dict[str, Money] = field(default_factory=dict)
    pending: int = 0
    pending_wh: int = 0
    unmeasured: int = 0
    estimated: int = 0

    @property
    def total(self) -> Money:
        """Return the sum of all lines."""
        return sum(self.lines.values(), Money())

    @property
    def complete(self) -> bool:
        """Tell whether everything was measured and has its price."""
        return not self.pending and not self.unmeasured

    def book(self, amounts: Mapping[str, Money], factor: Decimal = Decimal(1)) -> None:
        """Add amounts by line, so many times."""
        for name, amount in amounts.items():
            self.lines[name] = self.lines.get(name, Money()) + amount.times(factor)

    def add(self, other: Costs) -> None:
        """Add another sum in the same currency.

        Raises:
            ValueError: it is in another currency.
        """
        if other.currency != self.currency:
            raise ValueError(f"amounts in {self.currency} and {other.currency} have no sum")
        self.wh += other.wh
        self.pending += other.pending
        self.pending_wh += other.pending_wh
        self.unmeasured += other.unmeasured
        self.estimated += other.estimated
        self.book(other.lines)


def slot_price(contract: Contract, local: datetime, spot: Decimal | None) -> dict[str, Money] | None:
    """Return the price of a kWh by line.

    Args:
        contract: holds on that day.
        local: start of the slot by the local clock.
        spot: price per kWh without VAT; None if it is not known.

    Returns:
        Nothing for lines that do not depend on energy; None where a line needs a spot price and there is none.
    """
    lines = [line for line in contract.lines if line.on(local.date())]
    net: dict[str, Decimal] = {}
    without_vat = set()
    for line in lines:
        price = _price_at(line, local, contract)
        if isinstance(price, ShareOfSpot):
            if spot is None:
                return None
            net[line.name] = _of_spot(price, spot, line.if_negative)
            if spot < 0 and net[line.name] < 0 and not contract.vat_on_negative_spot:
                without_vat.add(line.name)
        elif isinstance(price, Amount) and price.per is Per.KWH:
            net[line.name] = _without_vat(price.value, line, contract)
    net |= _of_groups(lines, net)
    return {
        line.name: Money(net[line.name]) if line.name in without_vat else _money(net[line.name], line, contract)
        for line in lines
        if line.name in net
    }


def standing(contract: Contract, day: date) -> dict[str, Money]:
    """Return what a local day costs without any energy, by line: a day of 23 or 25 hours costs as much as others.

    A month's amount is divided by the days of that month, a year's by 365 or 366.
    """
    lines = [line for line in contract.lines if line.on(day)]
    parts = {Per.DAY: 1, Per.MONTH: month_days(day), Per.YEAR: year_days(day)}
    net = {
        line.name: _without_vat(line.price.value, line, contract) / parts[line.price.per]
        for line in lines
        if isinstance(line.price, Amount) and line.price.per in parts
    }
    net |= _of_groups(lines, net)
    return {line.name: _money(net[line.name], line, contract) for line in lines if line.name in net}


def peak_charges(contract: Contract, day: date, amounts: Mapping[str, Decimal]) -> dict[str, Money]:
    """Return what the peaks of a month cost, by line, with the shares of their groups.

    Args:
        contract: holds on that day.
        day: the last one of the month; a line that has ended then takes no share.
        amounts: of the lines with a peak, by name, as the contract writes them.
    """
    lines = [line for line in contract.lines if line.on(day)]
    net = {line.name: _without_vat(amounts[line.name], line, contract) for line in lines if line.name in amounts}
    net |= _of_groups(lines, net)
    return {line.name: _money(net[line.name], line, contract) for line in lines if line.name in net}


def sum_day(contract: Contract, day: date, energy: Sequence[Quarter], spot: Spot, zone: ZoneInfo) -> Costs:
    """Return what a local day costs.

    Args:
        contract: holds on that day.
        day: local.
        energy: every quarter hour of it, in any order.
        spot: prices.
        zone: of the local clock.
    """
    costs = Costs(contract.currency)
    costs.book(standing(contract, day))
    for quarter in energy:
        if quarter.wh is None:
            costs.unmeasured += 1
            continue
        price = slot_price(contract, quarter.start.astimezone(zone), spot(quarter.start))
        if price is None:
            costs.pending += 1
            costs.pending_wh += quarter.wh
            continue
        costs.wh += quarter.wh
        costs.estimated += quarter.estimated
        costs.book(price, Decimal(quarter.wh) / _KILO)
    return costs


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """Return an amount as it is shown: half up, away from zero."""
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _price_at(line: Line, local: datetime, contract: Contract) -> Price:
    for timed in line.times:
        if timed.window.holds(local, contract.holidays):
            return timed.price
    return line.price


def _of_spot(price: ShareOfSpot, spot: Decimal, if_negative: IfNegative) -> Decimal:
    base = spot
    if price.above is not None:
        base = max(Decimal(0), spot - price.above)
    elif spot < 0 and if_negative is IfNegative.ZERO:
        base = Decimal(0)
    elif spot < 0 and if_negative is IfNegative.ABSOLUTE:
        # Suppliers that charge "3 % of the absolute price" mean the margin: the price itself keeps its sign.
        return spot + (price.share - 1) * abs(spot)
    return price.share * base


def _of_groups(lines: Iterable[Line], net: Mapping[str, Decimal]) -> dict[str, Decimal]:
    lines = tuple(lines)
    found = {}
    for line in lines:
        if isinstance(line.price, ShareOfGroup):
            of = [net[other.name] for other in lines if other.group == line.price.group and other.name in net]
            if of:
                found[line.name] = line.price.share * sum(of, Decimal(0))
    return found


def _without_vat(value: Decimal, line: Line, contract: Contract) -> Decimal:
    return value / (1 + contract.vat) if line.vat is Vat.INCLUDED else value


def _money(net: Decimal, line: Line, contract: Contract) -> Money:
    return Money(net) if line.vat is Vat.NONE else Money(net, net * contract.vat)
