"""Copies of the simulated meter's registers: self reads (BT26), last season (BT24), demand resets (BT25, ET41).

A self read is BT23 as it stood at local midnight of the first of each month. The one season begins anew each year. Nobody asks for
one-time reads (ET31).

The meter's own clock decides when a month begins. If the meter has no power then, or the clock jumps over that moment, there is
no self read; a clock that is set back over it makes a second one. Pages are those of the MEP guide v1.1.

This module does not know how BT23 is laid out.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from osgp.simulator.history.happenings import DemandReset
from osgp.simulator.house import House
from osgp.simulator.localtime import local_offset
from osgp.simulator.logs.encoding import CIRCULAR, local_time, ring

__all__ = ["DEMAND_RESETS", "ONE_TIME_READS", "RESET_HEAD", "SELF_READS", "SelfReads"]

SELF_READS = 12
"""Entries of BT26: a year of months."""
ONE_TIME_READS, DEMAND_RESETS = 2, 12
"""Entries of ET31 (the default, p. 109) and of ET41."""
RESET_HEAD = 5
"""Bytes of an entry of ET41 before time and season (p. 111)."""
_BY_PROCEDURE = 1
"""What brought a reset about (p. 111)."""


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
        return header + ring(SELF_READS, self._empty(), len(moments), lambda counted: self._entry(*moments[counted]))

    def bt24(self, now: float) -> bytes:
        """Return the registers when the season changed last: all zero, an invalid time, before it did (p. 211-212)."""
        changes = [(moment, shown) for moment, shown in self.moments(now) if _is_new_year(shown)]
        return self._entry(*changes[-1]) if changes else self._empty()

    def bt25(self, now: float) -> bytes:
        """Return the registers at the last demand reset: all zero, an invalid time, if there was none (p. 212)."""
        resets = self._house.history.until(now, DemandReset)
        return self._reset(resets[-1]) if resets else self._empty()

    def et31(self, _now: float) -> bytes:
        """Return the one-time reads, of which there are none (p. 104-105)."""
        return bytes((CIRCULAR, 0, 0, 0, 0, 0)) + self._empty() * ONE_TIME_READS

    def et41(self, now: float) -> bytes:
        """Return the ring of demand resets (p. 110-111)."""
        resets = self._house.history.until(now, DemandReset)
        newest = max(len(resets) - 1, 0)
        header = struct.pack(
            "<BBBHB", CIRCULAR, min(len(resets), DEMAND_RESETS), newest % DEMAND_RESETS, newest & 0xFFFF, 0
        )
        size = RESET_HEAD + len(self._empty())
        bidn = 0

        def entry(counted: int) -> bytes:
            return struct.pack("<HBH", size, _BY_PROCEDURE, bidn) + self._reset(resets[counted])

        return header + ring(DEMAND_RESETS, bytes(size), len(resets), entry)

    def _reset(self, one: DemandReset) -> bytes:
        return self._entry(one.at, int(self._house.history.shown(one.at)))

    def _empty(self) -> bytes:
        return bytes(len(self._entry(self._house.installed, self._house.installed)))

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


def _is_new_year(shown: int) -> bool:
    local = datetime.fromtimestamp(shown + local_offset(shown), UTC)
    return (local.month, local.day) == (1, 1)


def _local_midnight(year: int, month: int) -> int:
    """Return when a month begins, UTC seconds. Daylight saving begins and ends on other days."""
    naive = int(datetime(year, month, 1, tzinfo=UTC).timestamp())
    return naive - local_offset(naive - local_offset(naive))
