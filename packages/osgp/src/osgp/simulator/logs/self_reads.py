"""The self reads of the simulated meter: BT23 as it stood at local midnight of the first of each month (BT26).

The meter's own clock decides when a month begins. If the meter has no power then, or the clock jumps over that moment, there is
no self read; a clock that is set back over it makes a second one. Pages are those of the MEP guide v1.1.

This module does not know how BT23 is laid out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from osgp.simulator.house import House
from osgp.simulator.localtime import local_offset
from osgp.simulator.logs.encoding import CIRCULAR, local_time, ring

__all__ = ["SELF_READS", "SelfReads"]

SELF_READS = 12
"""Entries of BT26: a year of months."""


class SelfReads:
    """The self reads of one house's meter.

    Args:
        house: whose registers are read.
        encode_registers: makes BT23 of what the registers show.
    """

    def __init__(
        self, house: House, encode_registers: Callable[[Sequence[int], Sequence[Sequence[int]]], bytes]
    ) -> None:
        self._house = house
        self._encode_registers = encode_registers
        self._made: dict[tuple[int, int], bytes] = {}

    def bt26(self, now: float) -> bytes:
        """Return the ring of self reads (p. 212-214)."""
        moments = list(self.moments(now))
        valid = min(len(moments), SELF_READS)
        newest = max(len(moments) - 1, 0)
        header = struct.pack("<BBBHB", CIRCULAR, valid, newest % SELF_READS, newest & 0xFFFF, 0)
        empty = bytes(len(self._entry(self._house.installed, self._house.installed)))
        return header + ring(SELF_READS, empty, len(moments), lambda counted: self._entry(*moments[counted]))

    def moments(self, now: float) -> Iterator[tuple[int, int]]:
        """Yield true time, and what the meter's clock showed, of each self read."""
        for run in self._house.history.runs(self._house.installed, int(now) + 1):
            for shown in _months(run.first_shown, run.last_shown):
                yield shown - run.ahead, shown

    def _entry(self, moment: int, shown: int) -> bytes:
        made = self._made.get((moment, shown))
        if made is None:
            season = 0
            registers = self._encode_registers(*self._house.registers_at(moment))
            made = self._made[moment, shown] = local_time(shown) + bytes((season,)) + registers
        return made


def _months(begin: int, end: int) -> Iterator[int]:
    """Yield when local months begin, UTC seconds, from ``begin`` up to but without ``end``."""
    first = datetime.fromtimestamp(begin, UTC)
    year, month = first.year, first.month
    while (moment := _local_midnight(year, month)) < end:
        if moment >= begin:
            yield moment
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004 - months of a year


def _local_midnight(year: int, month: int) -> int:
    """Return when a month begins, UTC seconds. Daylight saving begins and ends on other days."""
    naive = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
    return naive - local_offset(naive - local_offset(naive))
