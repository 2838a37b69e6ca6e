"""A contract: the dated lines of a bill for the energy of one meter in one direction.

Which contract counts is asked by the moment of use, never by today's date. Amounts are those of the contract's currency;
whether VAT is in them is said for each line.

This module does not calculate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from nes2mqtt.costs.price_text import Amount, Per, Price, ShareOfGroup, ShareOfSpot
from nes2mqtt.costs.windows import ALWAYS, Window, overlap
from osgp.sources import Direction

__all__ = [
    "Contract",
    "IfNegative",
    "Line",
    "Part",
    "Peak",
    "SpotStep",
    "Timed",
    "Vat",
    "check",
    "check_all",
    "holes",
]


class Part(StrEnum):
    """Who sends the bill: one company for everything, or the supplier and the grid company apart."""

    ALL = "all"
    SUPPLIER = "supplier"
    GRID = "grid"


class SpotStep(StrEnum):
    """Over which time the spot price is averaged before it is charged."""

    QUARTER = "quarter"
    HOUR = "hour"
    MONTH = "month"


class Vat(StrEnum):
    """How a line's amounts stand to VAT."""

    EXCLUDED = "excluded"
    """It comes on top."""
    INCLUDED = "included"
    NONE = "none"


class IfNegative(StrEnum):
    """What a share of a negative spot price is."""

    KEEP = "keep sign"
    ABSOLUTE = "use absolute"
    ZERO = "zero"


@dataclass(frozen=True, slots=True)
class Timed:
    """A price that holds in a window, in place of the line's own."""

    window: Window
    price: Price


@dataclass(frozen=True, slots=True)
class Peak:
    """How the peak of a month is measured, in kW.

    Args:
        minutes: of the clock periods that are measured, 15 or 60.
        highest: the mean of so many highest periods counts.
        different_days: of each day the highest period only.
        months: the mean of the peaks of so many months, this one and those before it, is billed.
        minimum: kW that are billed at least.
        window: only these periods count.
        steps: (kW, amount per month): the amount of the first step whose kW the peak does not exceed; empty: the line's
            price per kW.
    """

    minutes: int = 15
    highest: int = 1
    different_days: bool = True
    months: int = 1
    minimum: Decimal = Decimal(0)
    window: Window = ALWAYS
    steps: tuple[tuple[Decimal, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill.

    Args:
        name: as on the bill.
        price: whenever no window fits.
        times: other prices by the time of day, week and year.
        group: name by which other lines may charge a share of this one.
        vat: how its amounts stand to VAT.
        if_negative: what a negative spot price becomes.
        valid_from: first local day of the line; None: that of the contract.
        valid_to: first local day without it; None: the end of the contract.
        peak: how the peak is measured, for prices per kW of peak.
    """

    name: str
    price: Price
    times: tuple[Timed, ...] = ()
    group: str = ""
    vat: Vat = Vat.EXCLUDED
    if_negative: IfNegative = IfNegative.KEEP
    valid_from: date | None = None
    valid_to: date | None = None
    peak: Peak | None = None

    def on(self, day: date) -> bool:
        """Tell whether the line is part of the bill on a local day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day < self.valid_to)

    @property
    def prices(self) -> tuple[Price, ...]:
        """Return every price the line can have."""
        return (self.price, *(timed.price for timed in self.times))


@dataclass(frozen=True, slots=True)
class Contract:
    """The lines and the days they hold for.

    Args:
        name: for people.
        meter: id of the meter.
        direction: of the energy; amounts of an export contract are income.
        part: of the bill.
        begins: first local day.
        ends: first local day on which it no longer holds; None: it is open.
        currency: three capital letters.
        spot_area: price area, such as ``DK1``.
        spot_step: over which time the spot price is averaged.
        vat: 0.25 for 25 %.
        vat_on_negative_spot: whether a spot price below zero is credited with VAT.
        lines: of the bill, in its order.
        holidays: days that windows call holidays.
    """

    name: str
    meter: str
    begins: date
    lines: tuple[Line, ...]
    currency: str
    ends: date | None = None
    direction: Direction = Direction.IMPORT
    part: Part = Part.ALL
    spot_area: str = ""
    spot_step: SpotStep = SpotStep.QUARTER
    vat: Decimal = Decimal(0)
    vat_on_negative_spot: bool = True
    holidays: frozenset[date] = frozenset()

    def on(self, day: date) -> bool:
        """Tell whether the contract holds on a local day."""
        return self.begins <= day and (self.ends is None or day < self.ends)

    @property
    def asks_for_spot(self) -> bool:
        """Tell whether a line depends on the spot price."""
        return any(isinstance(price, ShareOfSpot) for line in self.lines for price in line.prices)

    @property
    def prices_since(self) -> date:
        """Return the first day whose spot prices it needs: the mean of a month needs the whole of its first month."""
        return self.begins.replace(day=1) if self.spot_step is SpotStep.MONTH else self.begins


def check(contract: Contract) -> list[str]:
    """Return what is wrong with a contract, each in a sentence; nothing if all is well."""
    found = []
    if contract.ends is not None and contract.ends <= contract.begins:
        found.append("it ends before it begins; 'to' is the first day on which it no longer holds")
    if contract.asks_for_spot and not contract.spot_area:
        found.append('a line asks for the spot price, but no spot_area says of which price area, such as "DK1"')
    names = [line.name for line in contract.lines]
    found += [
        f"two lines are named '{name}'; give each a name of its own"
        for name in sorted({n for n in names if names.count(n) > 1})
    ]
    groups = {line.group for line in contract.lines if line.group}
    for line in contract.lines:
        found += [f"line '{line.name}': {wrong}" for wrong in _wrong_in(line, groups)]
    return found


def _wrong_in(line: Line, groups: set[str]) -> list[str]:
    found = []
    for price in line.prices:
        if isinstance(price, ShareOfGroup):
            if price.group not in groups:
                found.append(f'no line has group = "{price.group}"; write it on each line that the share is of')
            if line.group:
                found.append("a share of a group cannot be in a group itself; leave its 'group' away")
        if isinstance(price, Amount) and price.per is not Per.KWH and line.times:
            found.append(
                f"an amount per {price.per} does not change by the time of day; only prices per kWh have 'times'"
            )
    if line.times and any(isinstance(price, ShareOfGroup) for price in line.prices):
        found.append("a share of a group cannot change by the time of day; give the lines of the group 'times' instead")
    per_peak = any(isinstance(price, Amount) and price.per is Per.PEAK for price in line.prices)
    if per_peak and line.peak is None:
        found.append("a price per kW of peak needs a 'peak' that says how the peak is measured")
    if line.peak is not None and not per_peak:
        found.append("'peak' goes with a price per kW of peak only")
    return found + _wrong_times([timed.window for timed in line.times])


def _wrong_times(windows: Sequence[Window]) -> list[str]:
    found = []
    if any(window.begin % 15 or window.end % 15 for window in windows):
        found.append(
            "its times have to begin and end on a quarter of an hour, because energy is known by the quarter hour"
        )
    pair = overlap(windows)
    if pair is not None:
        found.append(
            f"its times {pair[0] + 1} and {pair[1] + 1} share moments, so there would be two prices; cut one of them"
        )
    return found


def check_all(contracts: Sequence[Contract]) -> list[str]:
    """Return which contracts contradict each other: two for the same energy, part of the bill and day."""
    found = []
    for place, one in enumerate(contracts):
        for other in contracts[place + 1 :]:
            same = one.meter == other.meter and one.direction == other.direction
            parts = one.part == other.part or Part.ALL in {one.part, other.part}
            days = (other.ends is None or one.begins < other.ends) and (one.ends is None or other.begins < one.ends)
            if same and parts and days:
                found.append(
                    f"'{one.name}' and '{other.name}' are both for the {one.direction} of meter '{one.meter}' on the same days; "
                    "end the first with 'to' where the second begins"
                )
            elif same and days and one.currency != other.currency:
                found.append(
                    f"'{one.name}' and '{other.name}' hold on the same days in {one.currency} and {other.currency}; "
                    "write both in one currency"
                )
    return found


def holes(contracts: Sequence[Contract]) -> list[str]:
    """Return between which contracts there are days without any: their energy is in no bill."""
    found: dict[str, None] = {}
    bills = {(one.meter, one.direction) for one in contracts}
    for meter, direction in sorted(bills):
        for part in (Part.SUPPLIER, Part.GRID):
            of_part = sorted(
                (
                    one
                    for one in contracts
                    if (one.meter, one.direction) == (meter, direction) and one.part in {part, Part.ALL}
                ),
                key=lambda one: one.begins,
            )
            for one, after in pairwise(of_part):
                if one.ends is not None and one.ends < after.begins:
                    found[
                        f"no contract holds for the {direction} of meter '{meter}' from {one.ends}, when '{one.name}' ends, "
                        f"until '{after.name}' begins on {after.begins}: what was used then is in no bill. 'to' is the first "
                        "day without the contract, so for no hole it is the day on which the next one begins"
                    ] = None
    return list(found)
