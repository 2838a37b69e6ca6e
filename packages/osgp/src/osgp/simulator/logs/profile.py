"""The load profile of the simulated meter: which intervals were recorded, with which marks, and where they stand in the ring.

One data set from one configuration to the next is a :class:`ProfileRing`. An interval is recorded when the meter's clock
reaches its end while the meter runs. So an interval in which power failed is left out unless power comes back before its
end, and those that a clock set forward jumps over are left out too. A clock that is set back does not record an interval a second
time: the one it was in goes on and becomes longer, as in the guide's example of 70 minutes (MEP guide v1.1 p. 240). The guides
do not print what becomes of an interval that a power cut interrupts; ``docs/decisions/simulator.md`` says why it is left out.

Numbers of pages are those of the MEP guide v1.1. This module does not know tables, nor what happened: it asks the house.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from osgp.simulator.history.configuration import DataSet
from osgp.simulator.history.happenings import ClockSet, Run
from osgp.simulator.house import House
from osgp.simulator.household import DAY
from osgp.simulator.localtime import daylight_saving
from osgp.simulator.logs.encoding import number, short_time

__all__ = ["Newest", "ProfileRing", "Recorded"]

_SUMMER, _POWER_FAIL, _FORWARD, _BACK = 1, 2, 4, 8
"""Bits of the status that all channels have in common (p. 240)."""
_PARTIAL, _LONG = 2, 3
"""Status of a channel: the clock was set forward, or back, in the interval (p. 240)."""
_SUMMATIONS = {source: place for place, source in enumerate((*range(8), 26, 27, 28))}
"""Place of a source id among BT23's summations (p. 208-209)."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One interval that was recorded: what the meter's clock showed at its end, true time then, and its marks."""

    slot: int
    shown: int
    end: int
    common: int
    channel: int


@dataclass(frozen=True, slots=True)
class Newest:
    """How far a ring has come: its newest block, counted from 0, the block's intervals, and the newest one's slot."""

    block: int
    intervals: int
    slot: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Intervals recorded one after another, by their number, while nothing happened."""

    first: int
    last: int
    run: Run


class ProfileRing:
    """One data set of one house, from one configuration to the next.

    Args:
        house: whose registers are recorded.
        one: how the data set is configured.
        begin: true time of the configuration.
        end: true time of the next one, None if there is none.
    """

    def __init__(self, house: House, one: DataSet, begin: int, end: int | None = None) -> None:
        self.one = one
        self._house = house
        self._begin = begin
        self._end = end
        first = int(house.history.shown(begin))
        self._anchor = first - first % DAY
        """Blocks begin at midnight by the meter's own clock, in standard time (p. 240)."""
        self._kept: dict[int, bytes] = {}

    def newest(self, now: float) -> Newest | None:
        """Return how far the ring has come; None if no interval has been recorded."""
        stretches = self._stretches(now)
        if not stretches:
            return None
        spans = self._spans(stretches)
        first, last, counted = spans[-1]
        slots = list(self._numbers(last, stretches))
        return Newest(counted + last - first, len(slots), slots[-1] % self.one.intervals)

    def intervals(self, block: int, now: float) -> list[Recorded]:
        """Return what has been recorded in a block, by the block's number counted from 0."""
        stretches = self._stretches(now)
        numbered = next(
            (
                first + block - counted
                for first, last, counted in self._spans(stretches)
                if block - counted <= last - first
            ),
            None,
        )
        return [] if numbered is None else list(self._recorded(numbered, stretches))

    def data(self, now: float) -> bytes:
        """Return all blocks. What has been left out, or is still to come, has the bytes of an older round (p. 239)."""
        one = self.one
        places = [bytes(one.sizes.block_size)] * one.blocks
        newest = self.newest(now)
        if newest is not None:
            for block in range(max(0, newest.block - one.blocks), newest.block + 1):
                places[block % one.blocks] = self._block(block, now, over=block < newest.block)
            for gone in [block for block in self._kept if block < newest.block - one.blocks]:
                del self._kept[gone]
        return b"".join(places)

    # -- blocks -----------------------------------------------------------------------------------

    def _block(self, block: int, now: float, *, over: bool) -> bytes:
        if block in self._kept:
            return self._kept[block]
        sizes = self.one.sizes
        recorded = self.intervals(block, now)
        status = sum(1 << one.slot for one in recorded).to_bytes(sizes.simple_status_size, "little")
        older = bytes(sizes.block_size)
        if len(recorded) < sizes.intervals and block >= self.one.blocks:
            older = self._block(block - self.one.blocks, now, over=True)
        # The time is that of the end of the newest interval (p. 239).
        made = bytearray(short_time(recorded[-1].shown) + status + older[sizes.header_size :])
        for one in recorded:
            begin = sizes.header_size + one.slot * sizes.interval_size
            made[begin : begin + sizes.interval_size] = self._interval(one)
        if over:
            self._kept[block] = bytes(made)
        return bytes(made)

    def _interval(self, one: Recorded) -> bytes:
        channels = len(self.one.sources)
        nibbles = [one.common, *[one.channel] * channels, *[0] * ((channels + 1) % 2)]
        statuses = bytes(high << 4 | low for high, low in zip(nibbles[::2], nibbles[1::2], strict=True))
        return statuses + b"".join(map(number, self._values(one.end)))

    def _values(self, end: int) -> Iterator[int]:
        total: Sequence[int] = self._house.registers_at(end)[0]
        present = None
        for source in self.one.sources:
            place = _SUMMATIONS.get(source)
            if place is not None:
                yield total[place]
                continue
            present = present or self._house.at(end - 1).present
            yield present[source]

    # -- which intervals were recorded --------------------------------------------------------------

    def _stretches(self, now: float) -> list[_Stretch]:
        until = int(now) if self._end is None else min(int(now), self._end)
        found: list[_Stretch] = []
        last = -1
        for run in self._house.history.runs(self._begin, until):
            first = max((run.first_shown - self._anchor) // self.one.seconds, last + 1)
            final = (run.last_shown - self._anchor) // self.one.seconds - 1
            if first <= final:
                found.append(_Stretch(first, final, run))
                last = final
        return found

    def _spans(self, stretches: Sequence[_Stretch]) -> list[tuple[int, int, int]]:
        """Return first and last block of each run of blocks by the calendar, and how many blocks came before.

        A block counts when an interval of it is recorded (p. 238): days without any take no place in the ring.
        """
        found: list[tuple[int, int, int]] = []
        for stretch in stretches:
            first, last = stretch.first // self.one.intervals, stretch.last // self.one.intervals
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], last, found[-1][2])
            else:
                counted = found[-1][2] + found[-1][1] - found[-1][0] + 1 if found else 0
                found.append((first, last, counted))
        return found

    def _numbers(self, block: int, stretches: Sequence[_Stretch]) -> Iterator[int]:
        begin = block * self.one.intervals
        for stretch in stretches:
            yield from range(max(stretch.first, begin), min(stretch.last + 1, begin + self.one.intervals))

    def _recorded(self, block: int, stretches: Sequence[_Stretch]) -> Iterator[Recorded]:
        before = self._begin
        for stretch in stretches:
            for numbered in self._numbers(block, (stretch,)):
                shown = self._anchor + (numbered + 1) * self.one.seconds
                end = shown - stretch.run.ahead
                # Something can have happened before the first one only: then a new run begins.
                marks, channel = self._marks(before, end) if numbered == stretch.first else (0, 0)
                # "In effect during or at start of interval" (p. 240): what begins or ends at its end does not count.
                summer = any(map(daylight_saving, (shown - self.one.seconds, shown - 1)))
                yield Recorded(numbered % self.one.intervals, shown, end, marks | _SUMMER * summer, channel)
            before = self._anchor + (stretch.last + 1) * self.one.seconds - stretch.run.ahead

    def _marks(self, before: int, end: int) -> tuple[int, int]:
        """Return the common marks and the status of the channels for what happened since the interval before."""
        history = self._house.history
        common = channel = 0
        if any(begin < end and over > before for begin, over in history.cuts(end)):
            common |= _POWER_FAIL
        for one in history.until(end - 1, ClockSet):
            if one.at >= before:
                common |= _FORWARD if one.seconds > 0 else _BACK
        if common & _FORWARD:
            channel = _PARTIAL  # of more than one the higher number of precedence counts: 5 before 4 (p. 240)
        elif common & _BACK:
            channel = _LONG
        return common, channel
