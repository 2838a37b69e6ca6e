"""How often a meter's memory may be written: the limits of the guide, kept.

Writing wears the memory that outlasts a power cut. The MEP guide v1.1 names two limits, each "an average of 4 times per hour, so
that the average number of table writes per day does not exceed 100":

* meters before firmware 3.40: writes of the tables that go directly to that memory (appendix C, p. 259-262), and of BT07, with
  which each procedure is called (p. 51);
* every meter: writes of ET52. A transaction that takes two writes may be made twice an hour (p. 44).

An average could be caught up with; here it is four within any hour, which is never more than 96 a day. A write counts when it is
sent, whatever becomes of it. Tables that appendix C does not name count as if it did.

What is counted is what one program writes as long as it runs: the meter does not tell what others wrote.

This module has no clock: the time is told to it, as monotonic seconds.
"""

from __future__ import annotations

import math
from collections import deque

from osgp.errors import WritesTooOften
from osgp.psem import table_id, table_name

__all__ = ["WriteGovernor"]

MOST_WRITES = 4
HOUR = 3600.0
"""Seconds in which there may be so many."""

_TRANSACTIONS = table_id("ET52")
_UNLIMITED_SINCE = (3, 40)
"""Firmware (p. 51, 259)."""
_FIRST_METERS = (2, 0)
"""Control point modules, which are no meters, have versions 1.x; the limit is "for meters" (p. 51)."""
_IN_RAM = frozenset(
    table_id(name)
    for name in (
        *("BT23", "BT24", "BT33", "ET02", "ET04", "ET05", "ET06", "ET09"),
        *("ET23", "ET50", "ET55", "ET57", "ET67", "ET71", "ET76"),
    )
)
"""Tables that can be written and have no mark in the column "Write - NVM" of appendix C (p. 260-262), apart from BT07."""


class WriteGovernor:
    """Counts the writes to one meter. Keep it over reopenings of the port (:class:`~osgp.meter.known.KnownMeter` does)."""

    __slots__ = ("_all", "_transactions")

    def __init__(self) -> None:
        self._all: deque[float] = deque(maxlen=MOST_WRITES)
        self._transactions: deque[float] = deque(maxlen=MOST_WRITES)

    @staticmethod
    def asks_firmware(table: int) -> bool:
        """Tell whether it depends on the meter's firmware if writing this table is limited."""
        return table != _TRANSACTIONS and table not in _IN_RAM

    def take(self, table: int, writes: int, now: float, firmware: tuple[int, int] | None = None) -> None:
        """Count writes that are about to be made.

        Args:
            table: id.
            writes: how many requests it takes.
            now: monotonic seconds.
            firmware: the meter's; None where it is not known, which counts as an old one.

        Raises:
            WritesTooOften: they would be too many; none is counted, and none may be made.
        """
        old = firmware is None or _FIRST_METERS <= firmware < _UNLIMITED_SINCE
        books = []
        if table == _TRANSACTIONS:
            books.append(self._transactions)
        if old and table not in _IN_RAM:
            books.append(self._all)
        for book in books:
            _refuse_if_full(book, table, writes, now)
        for book in books:
            book.extend([now] * writes)


def _refuse_if_full(book: deque[float], table: int, writes: int, now: float) -> None:
    name = table_name(table)
    if writes > MOST_WRITES:
        raise WritesTooOften(
            f"{name} was not written: it would take {writes} requests, and the meter's memory bears {MOST_WRITES} an hour. "
            "Nothing was sent. Write fewer bytes at once",
            None,
        )
    recent = [moment for moment in book if now - moment < HOUR]
    over = len(recent) + writes - MOST_WRITES
    if over > 0:
        wait = recent[over - 1] + HOUR - now
        raise WritesTooOften(
            f"{name} was not written: the meter's memory bears {MOST_WRITES} writes an hour, and {len(recent)} were made within the "
            f"last one. Nothing was sent. Try again in {max(math.ceil(wait / 60), 1)} min",
            wait,
        )
