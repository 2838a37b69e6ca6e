"""What a year of readings comes to, worked out by hand, so to say: with decimal numbers, the calendar and nothing of the gateway.

It is written from docs/costs.md, docs/history.md and docs/api.md alone. It is slow and plain on purpose: each number is a sum over
all quarter hours, and no rule stands in a table that the gateway has, too.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from calendar import isleap, monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

QUARTER, HOUR, MINUTE, MICROSECOND = (
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(microseconds=1),
)
DIRECTIONS = "import", "export"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Reading(NamedTuple):
    """What the registers of one physical meter showed; energies in Wh."""

    moment: datetime
    meter: int
    wh: Mapping[str, int]
    filled: bool = False


class Step(NamedTuple):
    """What was counted between two readings of one meter; a reading that is near the end of a quarter hour ends it."""

    begin: datetime
    end: datetime
    wh: Mapping[str, int]
    filled: bool


@dataclass
class Sum:
    """What was counted in a time, and whether it is of exactly that time."""

    wh: Mapping[str, int | None]
    complete: bool


@dataclass
class Day:
    """What a day costs by one contract, in the contract's currency."""

    kwh: Decimal = Decimal(0)
    lines: dict[str, list[Decimal]] = field(default_factory=lambda: defaultdict(lambda: [Decimal(0), Decimal(0)]))
    """By line: net, VAT."""
    pending: int = 0
    pending_kwh: Decimal = Decimal(0)
    unmeasured: int = 0
    estimated: int = 0

    @property
    def gross(self) -> Decimal:
        """Return the sum of all lines with VAT."""
        return sum((net + vat for net, vat in self.lines.values()), Decimal(0))


def settled(reading: Reading) -> datetime:
    """Return the time a reading stands for: the end of the quarter hour, if it came in its last minute.

    What the meter noted may also stand up to 90 seconds behind (docs/history.md, "Gaps that the meter fills").
    """
    past = (reading.moment - _EPOCH) % QUARTER
    if QUARTER - past <= MINUTE:
        return reading.moment - past + QUARTER
    return reading.moment - past if reading.filled and past <= timedelta(seconds=90) else reading.moment


def quarter_end(moment: datetime) -> datetime:
    """Return the end of the quarter hour that a moment is in; its end is in it, its beginning is not."""
    return moment + (_EPOCH - moment) % QUARTER


def _up_to(moment: datetime, begin: datetime, end: datetime, wh: int) -> int:
    """Return what was counted evenly until a moment, rounded up."""
    return -(-wh * ((moment - begin) // MICROSECOND) // ((end - begin) // MICROSECOND))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return when a local day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def next_month(day: date) -> date:
    """Return the first day of the month after a day."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def days(first: date, after: date) -> Iterator[date]:
    """Give all days from one to the day before another."""
    return (first + timedelta(number) for number in range((after - first).days))


def pieces(begin: datetime, end: datetime, length: timedelta = QUARTER) -> Iterator[datetime]:
    """Give the beginnings of all quarter hours (or hours) of a time."""
    return (begin + length * number for number in range((end - begin) // length))


def buckets(unit: str, first: date, after: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    """Return the whole quarter hours, hours, days, weeks, months or years that some days are in."""
    if unit in {"quarter", "hour"}:
        length = QUARTER if unit == "quarter" else HOUR
        return [(each, each + length) for each in pieces(midnight(first, zone), midnight(after, zone), length)]
    found, day = [], first
    if unit == "week":
        day -= timedelta(day.weekday())
    elif unit != "day":
        day = day.replace(day=1, month=1 if unit == "year" else day.month)
    while day < after:
        then = (
            day + timedelta({"day": 1, "week": 7}[unit])
            if unit in {"day", "week"}
            else next_month(day)
            if unit == "month"
            else date(day.year + 1, 1, 1)
        )
        found.append((midnight(day, zone), midnight(then, zone)))
        day = then
    return found


class Energies:
    """The energies that readings tell of."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        ordered = sorted(readings, key=lambda one: one.moment)
        self.steps = [
            Step(
                settled(before), settled(one), {name: one.wh[name] - before.wh[name] for name in DIRECTIONS}, one.filled
            )
            for before, one in pairwise(ordered)
            if before.meter == one.meter
        ]
        self._ends = [step.end for step in self.steps]

    def of(self, begin: datetime, end: datetime) -> Sum:
        """Return what was counted in a time: all differences whose later reading is in it.

        A reading exactly on the boundary ends the time before it. It is complete if readings reach from its beginning to its end.
        """
        steps = self.steps[bisect_right(self._ends, begin) : bisect_right(self._ends, end)]
        if not steps:
            return Sum(dict.fromkeys(DIRECTIONS), complete=False)
        complete = steps[0].begin == begin and steps[-1].end == end
        return Sum({name: sum(step.wh[name] for step in steps) for name in DIRECTIONS}, complete)

    def highest(self, starts: Iterable[datetime], length: timedelta) -> list[tuple[int, datetime]]:
        """Return the import in Wh of all hours (or quarter hours) that are complete, the most first."""
        sums = [(self.of(each, each + length), each) for each in starts]
        return sorted(
            ((one.wh["import"] or 0, each) for one, each in sums if one.complete), key=lambda one: (-one[0], one[1])
        )

    @cache  # noqa: B019 - lives as long as the test
    def spread(self, direction: str) -> tuple[dict[datetime, int], set[datetime]]:
        """Return the Wh of each quarter hour, and which of them are estimated.

        Energy of a time that reaches over the end of a quarter hour is spread evenly, and what was counted up to each moment is
        rounded up to whole Wh. What was counted in the rest of the quarter hour in which the meter was heard again goes with it.
        """
        wh: dict[datetime, int] = defaultdict(int)
        read: dict[datetime, tuple[datetime, datetime]] = {}
        estimated = set()
        for begin, end, counted in self._times(direction):
            quarter = begin - (begin - _EPOCH) % QUARTER
            across = end > quarter + QUARTER
            while quarter < end:
                low, high = max(begin, quarter), min(end, quarter + QUARTER)
                wh[quarter] += _up_to(high, begin, end, counted) - _up_to(low, begin, end, counted)
                read[quarter] = read.get(quarter, (low, high))[0], high
                if across:
                    estimated.add(quarter)
                quarter += QUARTER
        # That the meter was changed within a quarter hour is not seen (docs/decisions/costs.md).
        return wh, estimated | {each for each, (low, high) in read.items() if (low, high) != (each, each + QUARTER)}

    def _times(self, direction: str) -> list[tuple[datetime, datetime, int]]:
        """Return begin, end and Wh of the times that energy is known of, as fine as quarter hours need."""
        found: list[tuple[datetime, datetime, int]] = []
        for step in self.steps:
            wh = step.wh[direction]
            if found and found[-1][1] == step.begin and step.end <= quarter_end(step.begin):
                begin, _, before = found.pop()
                found.append((begin, step.end, before + wh))
            else:
                found.append((step.begin, step.end, wh))
        return found


class Costs:
    """The costs of energies by one contract, which is a table of the configuration."""

    def __init__(
        self,
        contract: Mapping[str, Any],
        energies: Energies,
        spot: Mapping[datetime, Decimal],
        zone: ZoneInfo,
        now: datetime,
    ) -> None:
        self._contract, self._energies, self._spot, self._zone, self._now = contract, energies, spot, zone, now
        self._vat = Decimal(contract["vat"].split()[0]) / 100
        self._wh, self._estimated = energies.spread(contract.get("direction", "import"))
        self._means: dict[datetime, Decimal | None] = {}

    def days(self, first: date, after: date) -> dict[date, Day]:
        """Return what each day of a time costs, without charges for peaks."""
        begin, end = self._contract["from"], self._contract.get("to", date.max)
        end = min(end, self._now.astimezone(self._zone).date() + timedelta(1))
        return {day: self._day(day) for day in days(max(first, begin), min(after, end))}

    def _lines(self, day: date) -> list[Mapping[str, Any]]:
        return [
            line
            for line in self._contract["lines"]
            if line.get("valid_from", date.min) <= day < line.get("valid_to", date.max)
        ]

    def _day(self, day: date) -> Day:
        found = Day()
        nets: dict[str, Decimal] = defaultdict(Decimal)
        without_vat: dict[str, Decimal] = defaultdict(Decimal)
        lines = self._lines(day)
        for quarter in pieces(midnight(day, self._zone), midnight(day + timedelta(1), self._zone)):
            if quarter not in self._wh:
                found.unmeasured += quarter + QUARTER <= self._now
                continue
            kwh = Decimal(self._wh[quarter]) / 1000
            local = quarter.astimezone(self._zone)
            needs_spot = any("spot" in _price(line, local, self._contract) for line in lines)
            spot = self._price_of(quarter) if needs_spot else Decimal(0)
            if spot is None:
                found.pending += 1
                found.pending_kwh += kwh
                continue
            found.kwh += kwh
            found.estimated += quarter in self._estimated
            for line in lines:
                amount = _per_kwh(_price(line, local, self._contract), spot, line)
                if amount is not None:
                    nets[line["name"]] += amount * kwh
                    if "spot" in line["price"] and spot < 0 and not self._contract.get("vat_on_negative_spot", True):
                        without_vat[line["name"]] += amount * kwh
        self._without_energy(day, lines, nets)
        for line in lines:
            self._book(found, line, nets[line["name"]], without_vat[line["name"]])
        return found

    @staticmethod
    def _without_energy(day: date, lines: Sequence[Mapping[str, Any]], nets: dict[str, Decimal]) -> None:
        """Add what a day costs without energy, then the shares of groups."""
        for line in lines:
            nets[line["name"]] += _standing(line["price"], day)
        for line in lines:
            share = re.fullmatch(r"(\S+) % of (?!spot)(\w+)", line["price"])
            if share:
                group = sum((nets[one["name"]] for one in lines if one.get("group") == share[2]), Decimal(0))
                nets[line["name"]] += _number(share[1]) / 100 * group

    def _book(self, found: Day, line: Mapping[str, Any], amount: Decimal, without_vat: Decimal) -> None:
        how = line.get("vat", "excluded")
        net = amount / (1 + self._vat) if how == "included" else amount
        found.lines[line["name"]][0] += net
        found.lines[line["name"]][1] += 0 if how == "none" else (net - without_vat) * self._vat

    def _price_of(self, quarter: datetime) -> Decimal | None:
        """Return the spot price that the supplier charges for a quarter hour."""
        step = self._contract.get("spot_step", "quarter")
        if step == "quarter":
            return self._spot.get(quarter)
        if step == "hour":
            begin = quarter.replace(minute=0)
            end = begin + HOUR
        else:
            first = quarter.astimezone(self._zone).date().replace(day=1)
            begin, end = midnight(first, self._zone), midnight(next_month(first), self._zone)
        if begin not in self._means:
            prices = [self._spot.get(each) for each in pieces(begin, end)]
            known = [price for price in prices if price is not None]
            self._means[begin] = sum(known, Decimal(0)) / len(known) if len(known) == len(prices) else None
        return self._means[begin]

    def peak(self, line: Mapping[str, Any], month: date) -> tuple[Decimal | None, bool]:
        """Return the kW of a month that a line charges for, if it has any, and whether every period was measured."""
        how = line.get("peak", {})
        length = HOUR if how.get("measure") == "hour" else QUARTER
        all_of_them = [
            each
            for each in pieces(midnight(month, self._zone), midnight(next_month(month), self._zone), length)
            if _fits(how, each.astimezone(self._zone), self._contract)
        ]
        found = [(self._measured(each, length), each) for each in all_of_them]
        highest = sorted(((wh, each) for wh, each in found if wh is not None), key=lambda one: (-one[0], one[1]))
        if how.get("different_days", True):
            first_of_day: dict[date, tuple[int, datetime]] = {}
            for one in highest:
                first_of_day.setdefault(one[1].astimezone(self._zone).date(), one)
            best = list(first_of_day.values())
        else:
            best = highest
        taken = [one[0] for one in best[: how.get("highest", 1)]]
        whole = len(highest) == len(all_of_them)
        if not taken:
            return None, whole
        return Decimal(sum(taken)) / len(taken) / 1000 * (HOUR // length), whole

    def _measured(self, begin: datetime, length: timedelta) -> int | None:
        """Return the Wh of a time whose quarter hours were all read, with nothing that was spread."""
        all_of_it = list(pieces(begin, begin + length))
        if any(each not in self._wh or each in self._estimated for each in all_of_it):
            return None
        return sum(self._wh[each] for each in all_of_it)

    def peaks(self, first: date, after: date, over: date) -> dict[tuple[str, date], tuple[Decimal, Decimal, bool]]:
        """Return by line and month kW, net amount, and whether all was measured, of months whose last day is in a time.

        A month that is not over on the day ``over`` is not charged.
        """
        found = {}
        for line in self._contract["lines"]:
            if "of peak" not in line["price"]:
                continue
            how = line.get("peak", {})
            month = first.replace(day=1)
            while month < after:
                last = next_month(month) - timedelta(1)
                holds = max(self._contract["from"], line.get("valid_from", date.min)) <= last
                holds = holds and last < min(self._contract.get("to", date.max), line.get("valid_to", date.max))
                if (
                    holds
                    and first <= last < min(after, over)
                    and _in_names(how.get("months"), _MONTHS, month.month - 1)
                ):
                    mean = self._mean_of_months(line, month, how.get("mean_of_months", 1))
                    if mean is not None:
                        kw = max(mean[0], _number(how.get("minimum", "0 kW").split()[0]))
                        found[line["name"], month] = kw, self._charge(line["price"], how, kw), mean[1]
                month = next_month(month)
        return found

    def _mean_of_months(self, line: Mapping[str, Any], month: date, count: int) -> tuple[Decimal, bool] | None:
        kws, whole = [], True
        for _ in range(count):
            kw, measured = self.peak(line, month)
            if kw is not None:
                kws.append(kw)
                whole = whole and measured
            month = (month - timedelta(1)).replace(day=1)
        return (sum(kws, Decimal(0)) / len(kws), whole) if kws else None

    @staticmethod
    def _charge(price: str, how: Mapping[str, Any], kw: Decimal) -> Decimal:
        for limit, amount in how.get("steps", []):
            if kw <= _number(limit.split()[0]):
                return _amount(amount.split()[0], amount.split()[1])
        if how.get("steps"):
            amount = how["steps"][-1][1]
            return _amount(amount.split()[0], amount.split()[1])
        number, unit, *_ = price.split()
        return _amount(number, unit) * kw


def _number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def _amount(number: str, unit: str) -> Decimal:
    return _number(number) / (100 if unit in {"øre", "öre", "ct"} else 1)


@cache
def _in_names(text: str | None, names: tuple[str, ...], number: int) -> bool:
    """Return whether ``apr-sep`` or ``nov, dec`` has the month (or day) of a number, from 0."""
    for part in (text or f"{names[0]}-{names[-1]}").replace(" ", "").split(","):
        begin, _, end = part.partition("-")
        one, last = names.index(begin), names.index(end or begin)
        if one <= number <= last or (last < one and (number >= one or number <= last)):
            return True
    return False


@cache
def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _fits(when: Mapping[str, Any], local: datetime, contract: Mapping[str, Any]) -> bool:
    """Return whether months, days, holidays and the time of day of a row fit."""
    begin, end = _minutes(when.get("from", "00:00")), _minutes(when.get("to", "24:00"))
    minute = local.hour * 60 + local.minute
    in_time = begin <= minute < end if begin < end else minute >= begin or minute < end
    holiday = when.get("holidays")
    return (
        in_time
        and _in_names(when.get("months"), _MONTHS, local.month - 1)
        and _in_names(when.get("days"), _DAYS, local.weekday())
        and holiday in {None, local.date() in contract.get("holidays", [])}
    )


def _price(line: Mapping[str, Any], local: datetime, contract: Mapping[str, Any]) -> str:
    """Return the text of the price that holds at a local time."""
    return next((row["price"] for row in line.get("times", []) if _fits(row, local, contract)), line["price"])


@cache
def _parsed(price: str) -> tuple[str, Decimal, Decimal]:
    """Return what kind of price a text is, its share or amount, and the amount above which it counts."""
    if fixed := re.fullmatch(r"(\S+) (\S+) per kWh", price):
        return "fixed", _amount(fixed[1], fixed[2]), Decimal(0)
    if above := re.fullmatch(r"(\S+) % of spot above (\S+) (\S+) per kWh", price):
        return "above", _number(above[1]) / 100, _amount(above[2], above[3])
    if share := re.fullmatch(r"(\S+) % of spot", "100 % of spot" if price == "spot" else price):
        return "share", _number(share[1]) / 100, Decimal(0)
    return "other", Decimal(0), Decimal(0)


def _per_kwh(price: str, spot: Decimal, line: Mapping[str, Any]) -> Decimal | None:
    """Return what a kWh costs, or nothing for a price that is for something else."""
    kind, part, above = _parsed(price)
    if kind == "fixed":
        return part
    if kind == "above":
        return part * max(Decimal(0), spot - above)
    if kind == "share":
        negative = line.get("if_negative", "keep sign") if spot < 0 else "keep sign"
        if negative == "use absolute":
            return spot + abs(spot) * (part - 1)
        return Decimal(0) if negative == "zero" else spot * part
    return None


def _standing(price: str, day: date) -> Decimal:
    """Return the part of a day in an amount per day, month or year."""
    match = re.fullmatch(r"(\S+) (\S+) per (day|month|year)", price)
    if not match:
        return Decimal(0)
    length = {"day": 1, "month": monthrange(day.year, day.month)[1], "year": 366 if isleap(day.year) else 365}[match[3]]
    return _amount(match[1], match[2]) / length
