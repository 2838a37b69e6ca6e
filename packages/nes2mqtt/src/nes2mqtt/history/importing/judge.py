"""Which old readings may be believed, and where they may stand.

* **Nothing that was measured is touched.** A reading is taken only where this program read nothing: before its first reading, and in
  gaps of more than half an hour. Where both exist they must agree.
* **No register falls unless that is explained.** A single value that is too low and back again is left out. A fall that stays is
  a roll-over, or the meter was exchanged, and then the owner has to say when.
* **No register rises faster than a house can use.** A value that does is left out. So is a single value that is too high by less, if the
  two readings behind it go on from the one before it within a day: no new meter would begin just there.
* **What lies around is the frame.** In a gap no register shows less than before it or more than after it; before the first reading
  the last imported one shows no more than that, unless the meter was exchanged in between.

Nothing here knows a file, a database or a clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.lines import Refused
from nes2mqtt.history.tables.energy import difference
from nes2mqtt.history.tables.imported import SHORTEST_GAP, Hole, Shown
from osgp.sources import Source

__all__ = ["Candidate", "Difference", "Judge", "Swap", "Verdict"]

_MOST_WATTS = 250_000
"""A connection of 3 x 360 A: what a meter of this kind can count."""
_SLACK = 300_000
"""Milliseconds by which clocks may be apart."""
_HOUR = 3_600_000
_DAY = 24 * _HOUR + _SLACK
_ROLLED_WATTS = 20_000
_STAYS = 3
"""So many readings in a row that are too low are a fall, fewer are a mistake of whoever wrote them down."""
_GOES_ON = 2
"""So many readings in a row that are lower than one, and not lower than that before it, show that it is too high."""
_DIFFERENCES = 5
"""As many are told."""
_SMALLEST_STEP = 10
"""Wh by which two readings of one register may differ and agree."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reading that may come in: the registers at a time (ms), and the line it is from."""

    place: int
    at: int
    values: Mapping[Source, int]


@dataclass(frozen=True, slots=True)
class Swap:
    """When the meter was exchanged, as its owner says: at some moment of a time (ms)."""

    begin: int
    end: int
    said: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A reading that does not agree with what was measured: between which values the register must have been then."""

    place: int
    at: int
    source: Source
    value: int
    low: int
    high: int


@dataclass(slots=True)
class Verdict:
    """What became of the readings.

    Args:
        agree: how many stand where this program read the same.
        differences: the first of those that do not agree with it.
        differ: how many do not.
        late: how many are of after the last reading of this program.
        closed: how many stand in gaps in which none may.
        swaps: when the meter was exchanged (ms): the first reading of each new one.
        rollovers: when a register began anew (ms).
    """

    agree: int = 0
    differences: list[Difference] = field(default_factory=list)
    differ: int = 0
    late: int = 0
    closed: int = 0
    swaps: list[int] = field(default_factory=list)
    rollovers: list[int] = field(default_factory=list)


class Judge:
    """Judges readings in order of time.

    Args:
        there: what this program read and what was imported before, in order of time.
        swaps: when the meter was exchanged.
        step: Wh; the last digit that the file has.
        refuse: told of each reading that is not believed.
        date: writes a time for people.
    """

    def __init__(
        self,
        there: Iterable[Shown],
        swaps: Sequence[Swap],
        step: int,
        refuse: Callable[[Refused], None],
        date: Callable[[int], str],
    ) -> None:
        self._coming = iter(there)
        self._near: deque[Shown] = deque()
        self._ended = False
        self._swaps = list(swaps)
        self._tolerance = max(step, _SMALLEST_STEP)
        self._refuse = refuse
        self._date = date
        self.verdict = Verdict()
        self._hole: Hole | None = None
        self._last: Candidate | None = None
        """The last reading that was believed in this hole, and all registers it showed."""
        self._before: Candidate | None = None
        """All registers before that one."""
        self._held: Candidate | None = None
        """That one as it was read. It is held back until those behind it show that it can be true."""
        self._first: Candidate | None = None
        """The first one of the hole, until the second one shows that it can be true."""
        self._low: list[Candidate] = []
        """Readings that are too low, until more come."""

    def of(self, readings: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield the readings that may come in.

        Raises:
            HistoryError: a register falls, and nothing explains it.
        """
        for one in readings:
            hole = self._hole_at(one)
            if hole is None:
                continue
            if hole is not self._hole:
                yield from self._end()
                self._begin(hole)
            yield from self._take(one)
        yield from self._end()
        for swap in self._swaps:
            raise HistoryError(
                f"--swap {swap.said}: no register falls at that time in what would come in. If the new meter began above the old one, "
                "say the minute of the swap, such as --swap 2024-05-06T10:30; else leave it out"
            )

    # -- where -----------------------------------------------------------------------------------------

    def _hole_at(self, one: Candidate) -> Hole | None:
        """Return the time without readings that a reading stands in; None if it stands in none that may be filled."""
        while not self._ended and (not self._near or self._near[-1].at < one.at + _SLACK):
            following = next(self._coming, None)
            if following is None:
                self._ended = True
            else:
                self._near.append(following)
        while len(self._near) > 1 and self._near[1].at <= one.at - _SLACK:
            self._near.popleft()
        before = next((shown for shown in reversed(self._near) if shown.at <= one.at), None)
        after = next((shown for shown in self._near if shown.at > one.at), None)
        if before is not None and before.at == one.at:
            self._compare(one)
        elif after is None:
            self.verdict.late += 1
        elif before is not None and after.at - before.at <= SHORTEST_GAP:
            self._compare(one)
        elif not (hole := Hole(before, after)).usable:
            self.verdict.closed += 1
        elif self._hole is not None and self._hole.after.at == hole.after.at:
            return self._hole
        else:
            return hole
        return None

    def _compare(self, one: Candidate) -> None:
        earlier = [shown for shown in self._near if shown.at <= one.at]
        later = [shown for shown in self._near if shown.at >= one.at]
        before, after = (later[0], later[0]) if later[0].at == one.at else (earlier[0], later[-1])
        if before.segment != after.segment:
            return
        differs = False
        for source, value in one.values.items():
            low, high = before.values.get(source), after.values.get(source)
            if low is None or high is None or high < low:
                continue
            if not low - self._tolerance <= value <= high + self._tolerance:
                differs = True
                if len(self.verdict.differences) < _DIFFERENCES:
                    self.verdict.differences.append(Difference(one.place, one.at, source, value, low, high))
        self.verdict.differ += differs
        self.verdict.agree += not differs

    # -- what ------------------------------------------------------------------------------------------

    def _begin(self, hole: Hole) -> None:
        self._hole = hole
        before = hole.before
        self._last = None if before is None else Candidate(0, before.at, dict(before.values))

    def _take(self, one: Candidate) -> Iterator[Candidate]:
        last = self._last
        if last is None:
            self._first = self._last = self._held = one
            return
        said = next((swap for swap in self._swaps if swap.begin == swap.end and last.at < swap.begin <= one.at), None)
        if said is not None:
            yield from self._exchange(one, said)
            return
        fallen = self._fallen(last, one)
        if fallen is not None:
            day = next((swap for swap in self._swaps if swap.begin <= one.at and swap.end > last.at), None)
            if day is not None and not self._low:
                yield from self._exchange(one, day)
                return
            yield from self._lower(last, one)
            return
        for low in self._low:
            self._refuse(
                Refused(low.place, f"at {self._date(low.at)} the register falls and is back again in the next reading")
            )
        self._low = []
        too_fast = _too_fast(last, one)
        if too_fast is not None:
            if self._first is last:
                self._refuse(Refused(last.place, self._faster(too_fast, last, one)))
                self._first = self._last = self._held = one
                return
            self._refuse(Refused(one.place, self._faster(too_fast, last, one)))
            return
        if any(one.values[source] < last.values[source] for source in one.values if source in last.values):
            self.verdict.rollovers.append(one.at)
        yield from self._believe(one)

    def _lower(self, last: Candidate, one: Candidate) -> Iterator[Candidate]:
        """Note a reading that is lower than the last one, until it is clear which of them is wrong."""
        self._low.append(one)
        if self._too_high(self._low):
            yield from self._without_last()
        elif len(self._low) >= _STAYS:
            self._fell(last, self._low[0])

    def _believe(self, one: Candidate) -> Iterator[Candidate]:
        if self._held is not None:
            yield self._held
        self._first = None
        last = {} if self._last is None else dict(self._last.values)
        self._before, self._held = self._last, one
        self._last = Candidate(one.place, one.at, last | dict(one.values))

    def _too_high(self, low: Sequence[Candidate]) -> bool:
        """Tell whether the last reading must be too high, because two behind it that are lower go on from the one before it."""
        before = self._before
        if before is None or self._held is None or len(low) < _GOES_ON or low[-1].at - before.at > _DAY:
            return False
        most = _ROLLED_WATTS * (low[-1].at - before.at + _SLACK) / _HOUR
        return all(
            0 <= later.values[source] - earlier.values[source] <= most
            for earlier, later in pairwise((before, *low))
            for source in later.values
            if source in earlier.values
        )

    def _without_last(self) -> Iterator[Candidate]:
        """Leave out the last reading, and take those behind it."""
        if self._held is not None:
            when = self._date(self._held.at)
            self._refuse(Refused(self._held.place, f"at {when} the register is higher than in the readings behind it"))
        low, self._low = self._low, []
        self._last, self._before, self._held = self._before, None, None
        for one in low:
            yield from self._take(one)

    def _exchange(self, one: Candidate, swap: Swap) -> Iterator[Candidate]:
        if self._hole is not None and self._hole.before is not None:
            raise HistoryError(
                f"--swap {swap.said}: this program read the same meter before and after that time, so it was not exchanged then"
            )
        self._swaps.remove(swap)
        self.verdict.swaps.append(one.at)
        self._last = Candidate(one.place, one.at, {})
        yield from self._believe(one)

    def _end(self) -> Iterator[Candidate]:
        """End a hole: what was believed in it must lead to what was read behind it."""
        hole, last = self._hole, self._last
        if hole is None or last is None:
            return
        after = Candidate(0, hole.after.at, hole.after.values)
        if self._low and self._fallen(last, after) is not None and self._too_high([*self._low, after]):
            yield from self._without_last()
            last = self._last or last
        if self._low:
            if self._fallen(last, after) is not None and self._fallen(self._low[-1], after) is None:
                self._fell(last, self._low[0])
            for low in self._low:
                self._refuse(
                    Refused(
                        low.place, f"at {self._date(low.at)} the register falls and is back again in the next reading"
                    )
                )
            self._low = []
        fallen = self._fallen(last, after)
        if fallen is not None:
            swap = next((swap for swap in self._swaps if swap.begin <= after.at and swap.end > last.at), None)
            if swap is None or hole.before is not None:
                self._fell(last, after)
            else:
                self._swaps.remove(swap)
                self.verdict.swaps.append(after.at)
        elif (too_fast := _too_fast(last, after)) is not None:
            raise HistoryError(
                f"what would come in does not lead to what this program read: {self._faster(too_fast, last, after)}. Is it of another "
                "meter, or in another unit (--unit)?"
            )
        if self._held is not None:
            yield self._held
        self._hole = self._last = self._before = self._held = self._first = None

    def _fallen(self, last: Candidate, one: Candidate) -> Source | None:
        """Return a register that falls and does not roll over.

        A meter that was exchanged may look as if it rolled over. So before this program's first reading a roll-over counts as one only
        if it takes no more than a house uses within a day; in a gap the readings around it prove it.
        """
        most = _ROLLED_WATTS * (one.at - last.at + _SLACK) / _HOUR
        if self._hole is not None and self._hole.before is None and one.at - last.at > _DAY:
            most = 0
        for source, value in one.values.items():
            earlier = last.values.get(source)
            if earlier is not None and value < earlier:
                step = difference(source, earlier, value)
                if step is None or (step > most and (self._hole is None or self._hole.before is None)):
                    return source
        return None

    def _fell(self, last: Candidate, one: Candidate) -> None:
        source = self._fallen(last, one)
        name = "a register" if source is None else source.key
        shown = "" if source is None else f" from {_kwh(last.values[source])} to {_kwh(one.values[source])} kWh"
        where = f"line {one.place}" if one.place else "the first reading of this program behind it"
        hint = (
            "It lies between two readings of the same meter, so it is of another meter, or its times are of another zone (--zone)"
            if self._hole is not None and self._hole.before is not None
            else f"If the meter was exchanged then, add --swap {self._date(one.at)[:10]}. If not, the file is of another meter, or its "
            "times or units are others (--zone, --unit)"
        )
        raise HistoryError(
            f"{where}: {name} falls{shown} between {self._date(last.at)} and {self._date(one.at)}, and nothing explains it. A meter "
            f"only counts up, so nothing was taken. {hint}"
        )

    def _faster(self, source: Source, last: Candidate, one: Candidate) -> str:
        rise = one.values[source] - last.values[source]
        return f"{source.key} would rise by {_kwh(rise)} kWh from {self._date(last.at)} to {self._date(one.at)}, more than a house can use"


def _too_fast(last: Candidate, one: Candidate) -> Source | None:
    """Return a register that counts more than there can have been."""
    hours = (one.at - last.at + _SLACK) / _HOUR
    for source, value in one.values.items():
        earlier = last.values.get(source)
        if earlier is not None and (difference(source, earlier, value) or 0) > _MOST_WATTS * hours:
            return source
    return None


def _kwh(watthours: int) -> str:
    return f"{watthours / 1000:.3f}"
