"""A year of a house, as a gateway reads it: two clock changes, a leap day, meters exchanged, times in which nobody read.

All of it follows from a seed. What the house used is known for each second; what is handed out is what was read.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from year_oracle import HOUR, QUARTER, Reading, days, midnight, pieces

if TYPE_CHECKING:
    from collections.abc import Iterator

ZONE = ZoneInfo("Europe/Copenhagen")
YEAR = 2028
"""With a 29 February, and clock changes on 26 March and 29 October."""
FIRST, AFTER = date(YEAR, 1, 1), date(YEAR + 1, 1, 1)

CONTRACTS = """
[[contracts]]
name = "Spot by the quarter"
meter = "house"
part = "supplier"
from = 2028-01-01
to = 2028-05-17
currency = "DKK"
spot_area = "DK1"
vat = "25 %"
[[contracts.lines]]
name = "Spot"
price = "103 % of spot"
[[contracts.lines]]
name = "Add-on"
price = "8 øre per kWh"
valid_to = 2028-02-11
[[contracts.lines]]
name = "Dearer add-on"
price = "11,5 øre per kWh"
valid_from = 2028-02-11
[[contracts.lines]]
name = "Subscription"
price = "29 DKK per month"
[[contracts]]
name = "One price"
meter = "house"
part = "supplier"
from = 2028-05-17
to = 2028-08-20
currency = "DKK"
vat = "25 %"
[[contracts.lines]]
name = "Energy"
price = "1.20 DKK per kWh"
vat = "included"
[[contracts.lines]]
name = "Daily"
price = "0.50 DKK per day"
[[contracts]]
name = "Spot by the hour"
meter = "house"
part = "supplier"
from = 2028-08-20
to = 2028-12-01
currency = "DKK"
spot_area = "DK1"
spot_step = "hour"
vat = "25 %"
vat_on_negative_spot = false
[[contracts.lines]]
name = "Spot"
price = "110 % of spot"
if_negative = "use absolute"
[[contracts.lines]]
name = "Relief"
price = "-90 % of spot above 75 øre per kWh"
vat = "none"
[[contracts.lines]]
name = "Membership"
price = "180 DKK per year"
[[contracts]]
name = "Spot by the month"
meter = "house"
part = "supplier"
from = 2028-12-01
currency = "DKK"
spot_area = "DK1"
spot_step = "month"
vat = "25 %"
[[contracts.lines]]
name = "Spot"
price = "spot"
[[contracts]]
name = "Grid until October"
meter = "house"
part = "grid"
from = 2028-01-01
to = 2028-10-12
currency = "DKK"
vat = "25 %"
holidays = [2028-04-13, 2028-04-14, 2028-04-17]
[[contracts.lines]]
name = "Grid tariff"
group = "grid"
price = "30 øre per kWh"
times = [
    { months = "apr-sep", from = "10:00", to = "16:00", price = "7 øre per kWh" },
    { days = "mon-fri", holidays = false, from = "17:00", to = "21:00", price = "90 øre per kWh" },
    { from = "23:30", to = "06:15", price = "10 øre per kWh" },
]
[[contracts.lines]]
name = "Metering"
group = "grid"
price = "48 DKK per year"
[[contracts.lines]]
name = "Highest quarter hour"
group = "grid"
price = "40 DKK per kW of peak"
peak = { months = "jan-nov" }
[[contracts.lines]]
name = "Town"
price = "6 % of grid"
[[contracts.lines]]
name = "Tax"
price = "0.8 øre per kWh"
[[contracts]]
name = "Grid from October"
meter = "house"
part = "grid"
from = 2028-10-12
currency = "DKK"
vat = "25 %"
[[contracts.lines]]
name = "Grid tariff"
price = "45 øre per kWh"
times = [
    { from = "02:00", to = "03:00", price = "5 øre per kWh" },
    { from = "22:00", to = "02:00", price = "15 øre per kWh" },
]
[[contracts.lines]]
name = "Three hours"
price = "0 DKK per kW of peak"
peak = { measure = "hour", highest = 3, steps = [["2.4 kW", "125 DKK per month"], ["2.5 kW", "200 DKK per month"], ["2.6 kW", "300 DKK per month"]] }
[[contracts]]
name = "Sold"
meter = "house"
direction = "export"
from = 2028-01-01
currency = "DKK"
spot_area = "DK1"
vat = "0 %"
[[contracts.lines]]
name = "Spot"
price = "spot"
[[contracts.lines]]
name = "Deduction"
price = "-2.5 øre per kWh"
"""


@dataclass(frozen=True)
class Away:
    """A time in which the gateway read nothing: no reading after ``off`` and before ``on``."""

    off: datetime
    on: datetime
    told: bool = False
    """Whether the meter's load profile tells of it afterwards."""


@dataclass(frozen=True)
class Swap:
    """The last reading of one meter and the first of the next."""

    last: datetime
    first: datetime


@dataclass
class World:
    """A year."""

    seed: int
    everywhere: bool = False
    """Whether each quarter hour of the year is read; else some weeks, and the other days by the hour."""
    ahead: int = 0
    """Seconds the meter's clock is ahead."""
    aways: list[Away] = field(init=False)
    swaps: list[Swap] = field(init=False)

    def __post_init__(self) -> None:
        rng = random.Random(self.seed)

        def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
            local = datetime(YEAR, month, day, hour, minute, tzinfo=ZONE).astimezone(UTC)
            return local + timedelta(seconds=rng.randrange(0, 600))

        self.aways = [
            Away(at(1, 20, 9, 17), at(1, 20, 12, 20)),
            Away(at(2, 22, 23, 2), at(3, 5, 22, 31)),  # twelve days, over the 29th and the end of the month
            Away(at(3, 25, 21, 40), at(3, 26, 8, 5)),  # over the change of the clocks
            Away(at(6, 3, 13, 1), at(6, 15, 16, 2), told=True),  # twelve days
            Away(at(9, 30, 22, 31), at(10, 1, 1, 46), told=True),  # three hours over the end of a month
            Away(at(10, 29, 0, 10), at(10, 29, 6, 20), told=True),  # over the other change of the clocks
        ]
        first, second = at(4, 18, 14, 18), at(8, 23, 10, 31)
        self.swaps = [
            Swap(first, first + timedelta(seconds=70)),
            Swap(second, second + timedelta(minutes=38, seconds=rng.randrange(0, 300))),
        ]
        self._power: dict[datetime, tuple[int, int]] = {}
        self._shown: dict[datetime, tuple[int, int]] = {}
        imported = exported = 0
        self._begin = midnight(FIRST, ZONE)
        for quarter in pieces(self._begin, midnight(AFTER, ZONE) + HOUR):
            hour = quarter.astimezone(ZONE).hour
            sun = rng.randrange(0, 500) if 9 <= hour < 17 else 0
            used = 40 + rng.randrange(0, 640)
            if quarter.astimezone(ZONE).date() == date(YEAR, 11, 14) and 17 <= hour < 20:
                used += 500  # three hours of one day are the highest of the month
            self._shown[quarter] = imported, exported
            self._power[quarter] = used, sun
            imported, exported = imported + used, exported + sun
        self.prices = {
            quarter: Decimal(rng.randrange(-600, 2390)) / 1000
            for quarter in self._power
            if quarter < midnight(AFTER, ZONE)
        }
        for missing in (at(4, 6, 12), at(9, 11, 13)):
            del self.prices[missing - (missing - self._begin) % QUARTER]

    @property
    def most_in_an_hour(self) -> int:
        """Return more than the house uses in an hour, in Wh."""
        return 4 * 680

    def shown(self, moment: datetime) -> dict[str, int]:
        """Return what a meter that was never exchanged shows at a moment."""
        quarter = moment - (moment - self._begin) % QUARTER
        seconds = (moment - quarter).seconds
        (imported, exported), (used, sun) = self._shown[quarter], self._power[quarter]
        return {"import": imported + used * seconds // 900, "export": exported + sun * seconds // 900}

    def meter(self, moment: datetime) -> int:
        """Return the number of the meter that hangs there."""
        return 1 + sum(moment >= swap.first for swap in self.swaps)

    def reading(self, moment: datetime, *, filled: bool = False) -> Reading:
        """Return what the meter of a moment shows at it."""
        meter = self.meter(moment)
        hung = {"import": 1_000_000, "export": 5_000}
        if meter > 1:
            before = self.shown(self.swaps[meter - 2].first)
            hung = {name: 77 * meter - value for name, value in before.items()}
        return Reading(moment, meter, {name: hung[name] + value for name, value in self.shown(moment).items()}, filled)

    def readings(self) -> Iterator[Reading]:
        """Give what the gateway read, in the order of time."""
        rng = random.Random(-self.seed)
        moments = {self._begin}
        dense = self._dense()
        for quarter in pieces(self._begin, midnight(AFTER, ZONE)):
            end = quarter + QUARTER
            if quarter in dense or end.minute == 0:
                moments.add(end - timedelta(seconds=rng.randrange(0, 10)))
            if quarter in dense and rng.randrange(8) == 0:
                moments.add(quarter + timedelta(seconds=rng.randrange(60, 780)))
        for away in self.aways:
            moments |= {away.off, away.on}
        for swap in self.swaps:
            moments |= {swap.last, swap.first}
        for moment in sorted(moments):
            silent = any(away.off < moment < away.on for away in self.aways)
            between = any(swap.last < moment < swap.first for swap in self.swaps)
            if not silent and not between:
                yield self.reading(moment)

    def told(self, away: Away) -> list[Reading]:
        """Return what the meter's load profile tells of a time, placed by the true clock."""
        if not away.told:
            return []
        ends = pieces(self._begin, midnight(AFTER, ZONE))
        placed = (end - timedelta(seconds=self.ahead) for end in ends)
        return [self.reading(moment, filled=True) for moment in placed if away.off < moment < away.on]

    def _dense(self) -> set[datetime]:
        """Return the quarter hours whose ends are read."""
        if self.everywhere:
            return set(self._power)
        weeks = [date(YEAR, 1, 17), date(YEAR, 2, 20), date(YEAR, 3, 22), date(YEAR, 4, 14), date(YEAR, 5, 13)]
        weeks += [
            date(YEAR, 6, 1),
            date(YEAR, 6, 13),
            date(YEAR, 8, 18),
            date(YEAR, 9, 28),
            date(YEAR, 10, 8),
            date(YEAR, 10, 27),
        ]
        chosen = {day for week in weeks for day in days(week, week + timedelta(7))}
        chosen |= set(days(date(YEAR, 11, 1), date(YEAR, 12, 1)))
        return {quarter for quarter in self._power if quarter.astimezone(ZONE).date() in chosen}
