"""Bills of the running gateway: asked of its history beside everything else.

This module does not know who asks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from nes2mqtt.bills.bill import Bill, EnergyOf, PricesOf, bills, counted_of
from nes2mqtt.costs.contract import Contract
from nes2mqtt.costs.metered import Counted
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.reader import OpenRow, Reader
from nes2mqtt.history.store import Store
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore

__all__ = ["Billing"]

T = TypeVar("T")


class Billing:
    """Makes bills.

    Args:
        store: the history.
        prices: the kept prices.
        contracts: all there are.
        zone: where days begin.
    """

    def __init__(self, store: Store, prices: PriceStore, contracts: Sequence[Contract], zone: ZoneInfo) -> None:
        self._store = store
        self._prices = prices
        self._contracts = tuple(contracts)
        self._zone = zone

    async def of(self, meter: str, first: date, after: date, now: datetime) -> list[Bill]:
        """Return the bills of a meter for local days from ``first`` up to, not including, ``after``; none without a contract.

        Args:
            meter: its id.
            first: first local day.
            after: the day after the last one; days to come are left out.
            now: UTC.

        Raises:
            HistoryError: history or prices cannot be read now.
        """
        contracts = [contract for contract in self._contracts if contract.meter == meter]
        if not contracts:
            return []

        return await self.ask(
            meter, lambda energy, prices: bills(contracts, first, after, self._zone, energy, prices, now)
        )

    async def ask(self, meter: str, question: Callable[[EnergyOf, PricesOf], T]) -> T:
        """Return the answer to a question that needs energies and prices, asked in a reading thread of the history.

        Args:
            meter: the id of the meter whose energies it needs.
            question: takes what gives energies and prices.

        Raises:
            HistoryError: history or prices cannot be read now.
        """

        def answer(reader: Reader, pending: Iterable[OpenRow]) -> T:
            rows = tuple(pending)

            def energy(meter: str, key: str, spans: Sequence[tuple[datetime, datetime]]) -> list[Counted]:
                return [counted_of(period, key) for period in reader.energies(meter, spans, rows, long_steps=True)]

            def prices(area: str, currency: str, begin: datetime, end: datetime) -> list[SpotPrice]:
                try:
                    return self._prices.prices(area, currency, begin, end)
                except sqlite3.Error as error:
                    # Not the history's damage, which an error of SQLite would be taken for.
                    raise HistoryError(f"the prices in {self._prices.path} cannot be read: {error}") from error

            return question(energy, prices)

        return await self._store.ask(answer, meter)
