"""The command ``nes2mqtt costs``: bills as text, also while the gateway runs.

This module does not calculate.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from nes2mqtt.bills.bill import Bill, Peak, bills, counted_of
from nes2mqtt.costs.calculation import Costs, rounded
from nes2mqtt.costs.contract import Contract
from nes2mqtt.costs.metered import Counted
from nes2mqtt.history.commands.export import copy_up_to_date
from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.reader import Reader
from nes2mqtt.prices.store import PriceStore

__all__ = ["bill_lines", "make_bills", "parse_days"]


def make_bills(
    database: Path, prices: Path, contracts: Sequence[Contract], first: date, after: date, zone: ZoneInfo, now: datetime
) -> list[Bill]:
    """Return the bills of some days, from a copy of the history.

    Args:
        database: the gateway's history.
        prices: the database of prices.
        contracts: to bill.
        first: first local day.
        after: the day after the last one.
        zone: where days begin.
        now: UTC.

    Raises:
        HistoryError: something cannot be read; the text says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="nes2mqtt-costs-") as folder:
        copy = copy_up_to_date(database, Path(folder))
        try:
            with closing(sqlite3.connect(copy)) as connection:
                reader = Reader(connection)

                def energy(meter: str, key: str, spans: Sequence[tuple[datetime, datetime]]) -> list[Counted]:
                    return [counted_of(period, key) for period in reader.energies(meter, spans, (), long_steps=True)]

                return bills(contracts, first, after, zone, energy, PriceStore(prices).prices, now)
        except sqlite3.Error as error:
            raise HistoryError(f"history or prices cannot be read: {error}") from error


def parse_days(begin: str, end: str, today: date) -> tuple[date, date]:
    """Return the first day and the day after the last one.

    Args:
        begin: ``--from``: ``2026-11-01``, or ``2026-11`` for the first day of that month.
        end: ``--to``, likewise; empty: the day after today.
        today: the local day.

    Raises:
        HistoryError: one of them is no day, or they are in the wrong order.
    """
    first = _day(begin, "--from")
    after = _day(end, "--to") if end else today + timedelta(days=1)
    if after <= first:
        raise HistoryError("--to is not after --from; swap them" if end else "--from is a day to come")
    return first, after


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == len("2026-11") else text)
    except ValueError as error:
        raise HistoryError(
            f"{option}: '{text[:30]}' is no day; write 2026-11-01, or 2026-11 for its first day"
        ) from error


def bill_lines(bill: Bill, *, by_day: bool = False) -> Iterator[str]:
    """Yield a bill as lines of text: a line for each of its own, the sum, and what it leaves open."""
    contract, total = bill.contract, bill.total
    yield f"{contract.name}: {contract.direction} of meter '{contract.meter}', {bill.first} until {bill.after} (not included)"
    for line in contract.lines:
        amount = total.lines.get(line.name)
        if amount is not None:
            yield f"  {line.name:40.40} {_money(amount.net):>14} {contract.currency}"
    yield f"  {'without VAT':40} {_money(total.total.net):>14} {contract.currency}"
    yield f"  {'VAT':40} {_money(total.total.vat):>14} {contract.currency}"
    word = "income" if contract.direction == "export" else "sum"
    yield f"  {word:40} {_money(total.total.gross):>14} {contract.currency}"
    yield f"  for {Decimal(total.wh) / 1000} kWh"
    yield from (f"  {text}" for text in _open(total))
    yield from (f"  {_peak(peak)}" for peak in bill.peaks)
    if by_day:
        for day, costs in bill.days.items():
            left = "" if costs.complete else "  not complete"
            yield f"  {day}  {Decimal(costs.wh) / 1000:>10} kWh {_money(costs.total.gross):>14} {contract.currency}{left}"


def _open(costs: Costs) -> Iterator[str]:
    if costs.pending:
        yield f"{costs.pending} quarter hours with {Decimal(costs.pending_wh) / 1000} kWh wait for their price and are not in it"
    if costs.unmeasured:
        yield f"{costs.unmeasured} quarter hours were not measured and are not in it"
    if costs.estimated:
        yield f"{costs.estimated} quarter hours have an even share of what was measured over a longer time, or were read in part"


def _peak(peak: Peak) -> str:
    if peak.kw is None:
        return f"{peak.line}: no peak was measured in {peak.month:%Y-%m}"
    least = "" if peak.complete else "at least "
    if not peak.over:
        note = ", so far; it is not in the sum before the month is over"
    elif not peak.charged:
        note = "; it is in the sum of the bill that has the last day of the month, not in this one"
    else:
        note = ""
    return f"{peak.line}: peak of {peak.month:%Y-%m} {least}{rounded(peak.kw, 3)} kW{note}"


def _money(amount: Decimal) -> str:
    return f"{rounded(amount):,.2f}".replace(",", " ")
