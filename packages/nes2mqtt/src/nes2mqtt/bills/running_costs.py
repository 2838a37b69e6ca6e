"""Prices and costs of each meter with a contract, kept at hand for whoever publishes them.

A bill is made from disk, in its own time. :class:`RunningCosts` has it made in a reading thread of the history, once a minute: the price
and today each time, the days of the month before today every quarter of an hour, because a price or a reading that came late changes
them. It gives the last answer at once.

When a day is over, its last sum is told once more before the first one of the new day: who adds up sums that start anew each
day, as Home Assistant does, would else miss what came between the last look and midnight, and the charges of a month's end.

This module does not calculate, nor know who publishes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from nes2mqtt.bills.bill import EnergyOf, PricesOf
from nes2mqtt.bills.billing import Billing
from nes2mqtt.bills.costs_now import CostsNow, Sum, closed, price_now, running
from nes2mqtt.costs.contract import Contract
from nes2mqtt.costs.slots import bounds, floor
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.timing.clock import Clock
from osgp.sources import Direction

__all__ = ["Follower", "RunningCosts"]

_MINUTE = 60.0
_UNKNOWN_TIME = 10.0
"""Seconds until the clock is asked again whether it knows the day."""
_LATE = timedelta(minutes=2)
"""How long after midnight a day ends here: the reading that ends it has to come first."""
_DAY = timedelta(days=1)
_CLOSED_KEPT = 40
"""Days of which the last word waits for a follower that is away."""


@dataclass(slots=True)
class _Meter:
    """What is known of a meter.

    Args:
        contracts: of it, by direction.
        now: the last answer.
        day: the local day it is of.
        earlier: sums of the month's days before that day.
        earlier_of: the quarter hour in which they were made.
    """

    contracts: dict[Direction, list[Contract]]
    now: CostsNow
    day: date | None = None
    earlier: dict[Direction, Sum] = field(default_factory=dict)
    earlier_of: datetime | None = None


Changed = Callable[[str, Collection[Direction], str], None]
"""Is told of a meter with news, the directions for which it has contracts, and their currency."""


class Follower:
    """What somebody who publishes has not taken yet.

    Args:
        current: gives the last answer of each meter.
        changed: is told of each meter of which there is something new.
    """

    def __init__(self, current: Callable[[], Mapping[str, CostsNow]], changed: Changed) -> None:
        self._current = current
        self._closed: dict[str, deque[CostsNow]] = {}
        self.changed = changed

    def close(self, meter: str, last: CostsNow) -> None:
        """Keep the last word on a day until it is taken."""
        self._closed.setdefault(meter, deque(maxlen=_CLOSED_KEPT)).append(last)

    def take(self, *meters: str) -> Iterator[tuple[str, CostsNow]]:
        """Yield what to publish of meters, oldest first: last words on days that are over, then what is so now.

        Args:
            meters: ids; all without any.
        """
        for meter in meters or tuple(self._current()):
            closed = self._closed.get(meter)
            while closed:
                yield meter, closed.popleft()
            yield meter, self._current()[meter]


class RunningCosts:
    """Keeps prices and costs at hand. Make one only if somebody publishes them.

    Args:
        billing: asks history and prices.
        contracts: all there are.
        zone: where days begin.
        clock: of the gateway.
    """

    def __init__(self, billing: Billing, contracts: Sequence[Contract], zone: ZoneInfo, clock: Clock) -> None:
        self._billing = billing
        self._zone = zone
        self._clock = clock
        self._meters: dict[str, _Meter] = {}
        self._followers: list[Follower] = []
        for contract in contracts:
            meter = self._meters.setdefault(contract.meter, _Meter({}, CostsNow(contract.currency, {}, {}, {})))
            meter.contracts.setdefault(contract.direction, []).append(contract)

    def of(self) -> Mapping[str, CostsNow]:
        """Return the last answer of each meter with a contract."""
        return {name: meter.now for name, meter in self._meters.items()}

    def follow(self, changed: Changed) -> Follower:
        """Return what gives each meter's news to somebody, and tell him of each meter, now and when there is news."""
        follower = Follower(self.of, changed)
        self._followers.append(follower)
        for name, meter in self._meters.items():
            changed(name, frozenset(meter.contracts), meter.now.currency)
        return follower

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            if not self._clock.known:
                await asyncio.sleep(_UNKNOWN_TIME)
                continue
            await self.look()
            now = self._clock.now()
            # Just behind the minute, so that a new price is told when its quarter hour begins.
            await asyncio.sleep(_MINUTE - now.second - now.microsecond / 1e6 + 0.5)

    async def look(self) -> None:
        """Ask once."""
        for name, meter in self._meters.items():
            await self._look(name, meter)

    async def _look(self, name: str, meter: _Meter) -> None:
        moment = self._clock.now()
        today = (moment - _LATE).astimezone(self._zone).date()
        try:
            last, now = await self._billing.ask(name, lambda e, p: self._made(meter, today, moment, e, p))
        except HistoryError:  # the status of the history tells why
            last, now = None, CostsNow(meter.now.currency, {}, {}, {})
        else:
            meter.day = today
        news = now != meter.now
        meter.now = now
        for follower in self._followers:
            if last is not None:
                follower.close(name, last)
            if news or last is not None:
                follower.changed(name, frozenset(meter.contracts), now.currency)

    def _made(
        self, meter: _Meter, today: date, moment: datetime, energy: EnergyOf, prices: PricesOf
    ) -> tuple[CostsNow | None, CostsNow]:
        """Return the last word on the day before, if it ended since the last look, and what is so now. Runs in a thread."""
        zone, month, quarter = self._zone, today.replace(day=1), floor(moment, 15)
        if meter.day != today or meter.earlier_of != quarter:
            meter.earlier = {
                way: running(contracts, month, today, zone, energy, prices, moment)
                for way, contracts in meter.contracts.items()
            }
            meter.earlier_of = quarter
        sums = {
            way: running(contracts, today, today + _DAY, zone, energy, prices, moment)
            for way, contracts in meter.contracts.items()
        }
        found = {way: price_now(contracts, zone, prices, moment) for way, contracts in meter.contracts.items()}
        now = CostsNow(
            self._currency(meter, today),
            {way: price for way, price in found.items() if price is not None},
            {way: one for way, one in sums.items() if _any_on(meter.contracts[way], today, today)},
            {way: meter.earlier[way] + one for way, one in sums.items() if _any_on(meter.contracts[way], month, today)},
            bounds(today, zone)[0],
            bounds(month, zone)[0],
        )
        if meter.day is None or meter.day >= today:
            return None, now
        return self._last_word(meter, meter.day, now, energy, prices, moment), now

    def _last_word(
        self, meter: _Meter, day: date, now: CostsNow, energy: EnergyOf, prices: PricesOf, moment: datetime
    ) -> CostsNow:
        """Return what a day and its month came to. A month that is over has its charges for peaks."""
        zone, month = self._zone, day.replace(day=1)
        began, over = bounds(month, zone)[0], bounds(month, zone)[0] != now.month_began
        end = (month + 32 * _DAY).replace(day=1)
        sums, months = {}, {}
        for way, contracts in meter.contracts.items():
            if _any_on(contracts, day, day):
                sums[way] = running(contracts, day, day + _DAY, zone, energy, prices, moment)
            if _any_on(contracts, month, day):
                whole = closed(contracts, month, end, zone, energy, prices, moment) if over else meter.earlier[way]
                months[way] = whole
        return CostsNow(self._currency(meter, day), now.prices, sums, months, bounds(day, zone)[0], began)

    @staticmethod
    def _currency(meter: _Meter, day: date) -> str:
        """Return the currency of a day; where no contract holds on it, the one before."""
        every = [one for contracts in meter.contracts.values() for one in contracts]
        return next((one.currency for one in every if one.on(day)), meter.now.currency)


def _any_on(contracts: Sequence[Contract], first: date, last: date) -> bool:
    """Tell whether a contract holds on a day from ``first`` to ``last``."""
    return any(one.begins <= last and (one.ends is None or one.ends > first) for one in contracts)
