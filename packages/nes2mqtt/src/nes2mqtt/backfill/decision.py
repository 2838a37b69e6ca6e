"""Which intervals of a load profile may stand in a gap of the history.

The meter notes every interval, mostly a quarter of an hour, what its registers show (MEP guide v1.1 p. 29). For a time in
which nobody read it that is the only witness. It is believed as the guard believes a meter (:mod:`nes2mqtt.meters.guard`):

* **The registers around the gap are the frame.** What an interval shows lies between the last reading before the gap and the
  first after it, no value below the one before it, and none rises faster than the meter can count. What does not fit is left
  out; of a register of which most does not fit, everything is: that is no register of this meter.
* **All registers or none.** A register that is missing in one of the two readings, because the guard held it or the meter left it
  out, has no frame, and what it counted would be booked to a wrong hour: then nothing is filled, and the hours stay as
  incomplete as they are. For the same reason a reading stands in the gap only if every channel was believed at its time.
* **The clock.** Intervals end by the meter's clock, the history goes by ours. How far the meter's was ahead is known on both
  sides of the gap, as each reading has both times. If both agree, all intervals are placed by it. If the meter says that
  its clock was set in between (p. 240), those before that are placed by the one and those from then on by the other; between
  two such changes nobody knows. If both sides differ and the meter says nothing, nothing is placed.
* **Nothing is worked out.** An interval that the meter did not record stays absent, as in a power cut.
* **Further data sets** add registers that the first one lacks, where their intervals are as long and they have a believed value
  for each reading of the first: from fewer it would stay unknown when the register counted, and the history says so of a register
  that is missing altogether.

A year of quarter hours takes half a second. So :func:`deciding` gives way after each week of intervals, for live values go on.

Nothing here knows a clock, a meter or a database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, TypeVar

from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.reading import Sample
from nes2mqtt.readings.register_readings import RegisterReadings
from osgp.sources import SOURCES, Kind, Source
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval
from osgp.tables.load_profile.statuses import IntervalFlags

__all__ = ["Decision", "Outcome", "decide", "deciding", "lacking"]

_EXACT = 3.0
"""Seconds by which a meter's clock may seem to be off and count as right: it is read in whole seconds."""
_CUT = 1.0
"""Seconds by which the meter's time of a reading is behind on average: its clock shows whole seconds, and whole seconds since
it was read are added (:mod:`nes2mqtt.meters.poller`)."""
_DRIFT = 2e-4
"""So much of the time between two readings a meter's clock may have drifted: a minute in three and a half days."""
_HOUR = 3600.0
_SLACK = 15.0
"""Seconds added to each time in which a register may have counted, as the guard does."""
_ROLLOVERS: tuple[int, ...] = tuple(10**digits for digits in range(5, 12))
"""Where a register may begin anew when the meter does not tell (MEP guide v1.1 p. 119, 158)."""
_NEAR = 10
"""A roll-over is one where less than this part of the range was counted."""
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ENERGIES = frozenset({SOURCES["active_energy_import"], SOURCES["active_energy_export"]})
"""What hours and days are counted in."""
_CLOCK_SET = int(IntervalFlags.CLOCK_FORWARD | IntervalFlags.CLOCK_BACK)
_AT_ONCE = 672
"""Intervals between two times to give way: quarters of an hour in a week."""

_T = TypeVar("_T")
_InPieces = Generator[None, None, _T]
"""Work that gives way at each ``yield``, and returns what it found."""


class Outcome(StrEnum):
    """What became of a gap."""

    FILLED = "filled"
    """Each interval that ended in it."""
    PARTLY = "partly"
    """Some of them."""
    NOT_KEPT = "not_kept"
    """The meter kept none of them."""
    NO_REGISTER = "no_register"
    """The load profile holds no register that is read here."""
    CLOCK = "clock"
    """The meter's clock went another way than it says: nobody knows when the intervals were."""
    CONTRADICTS = "contradicts"
    """What it kept does not fit the registers around the gap."""
    REPLACED = "replaced"
    """Another meter is there now."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What stands in a gap.

    Args:
        readings: what the registers showed, oldest first, placed by our clock.
        outcome: in a word.
        expected: how many intervals ended in the gap.
        refused: how many of them the meter kept, and were not believed.
    """

    readings: Sequence[Sample]
    outcome: Outcome
    expected: int = 0
    refused: int = 0


class _Placed(NamedTuple):
    """An interval, and when it ended by our clock."""

    at: datetime
    interval: ProfileInterval


class _Found(NamedTuple):
    """The intervals of a gap, and how many there should be."""

    placed: list[_Placed]
    """The oldest first."""
    expected: int


_Channel = tuple[int, ProfileChannel, Source]
"""A channel that is a register known on both sides of a gap: its place, and what it records."""


def decide(
    before: Sample, after: Sample, profile: LoadProfile, limits: Limits, others: Sequence[LoadProfile] = ()
) -> Decision:
    """Decide what stands in a gap.

    Args:
        before: the last reading of registers before it.
        after: the first one after it, of the same meter.
        profile: the meter's load profile, at least of the time of the gap.
        limits: how fast registers can count.
        others: further data sets of the same meter, if they were read.
    """
    work = deciding(before, after, profile, limits, others)
    while True:
        try:
            next(work)
        except StopIteration as done:
            decision: Decision = done.value
            return decision


def deciding(
    before: Sample, after: Sample, profile: LoadProfile, limits: Limits, others: Sequence[LoadProfile] = ()
) -> _InPieces[Decision]:
    """Decide in pieces; see :func:`decide`."""
    if before.segment != after.segment:
        return Decision((), Outcome.REPLACED)
    sets = [profile, *others]
    first = next((place for place, one in enumerate(sets) if _channels(before, after, one)), 0)
    decision = yield from _by_one(before, after, sets[first], limits)
    readings = decision.readings
    if isinstance(readings, RegisterReadings):
        for one in sets[first + 1 :]:
            if one.minutes == sets[first].minutes:
                yield from _add(readings, before, after, one, limits)
    return decision


def lacking(before: Sample, after: Sample, profiles: Sequence[LoadProfile]) -> frozenset[Source]:
    """Return the registers that counted in a gap and stand in none of some data sets."""
    held = {channel.source for one in profiles for channel in one.channels}
    moved = {source for source, value in before.values.items() if after.values.get(source, value) != value}
    return frozenset(moved - held)


def _channels(before: Sample, after: Sample, profile: LoadProfile) -> list[_Channel]:
    return [
        (place, channel, channel.source)
        for place, channel in enumerate(profile.channels)
        if channel.source is not None
        and channel.source.kind is not Kind.PRESENT
        and channel.source in before.values
        and channel.source in after.values
    ]


def _by_one(before: Sample, after: Sample, profile: LoadProfile, limits: Limits) -> _InPieces[Decision]:
    """Decide by one data set."""
    told = {channel.source for channel in profile.channels if channel.source is not None} | _ENERGIES
    if any((source in before.values) != (source in after.values) for source in told):
        return Decision((), Outcome.CONTRADICTS)
    channels = _channels(before, after, profile)
    length = timedelta(minutes=profile.minutes)
    if not length:
        return Decision((), Outcome.NOT_KEPT)
    if not channels:
        return Decision((), Outcome.NO_REGISTER)
    there = yield from _place(before, after, profile.intervals, length)
    if there is None:
        return Decision((), Outcome.CLOCK)
    placed, expected = there
    believed: dict[Source, Mapping[datetime, int]] = {}
    refused: set[datetime] = set()
    for channel in channels:
        believed[channel[2]], doubted = yield from _believed(placed, before, after, channel, limits)
        refused |= doubted
    readings = RegisterReadings(before.meter, tuple(believed), before.segment)
    for some in _slices(placed):
        refused |= _append(readings, some, believed)
        yield
    refused.difference_update(_EPOCH + at * _MILLISECOND for at in readings.times)
    if readings:
        outcome = Outcome.FILLED if len(readings) == expected else Outcome.PARTLY
    else:
        outcome = Outcome.CONTRADICTS if refused else Outcome.NOT_KEPT
    return Decision(readings or (), outcome, expected, len(refused))


def _append(
    readings: RegisterReadings, placed: Iterable[_Placed], believed: Mapping[Source, Mapping[datetime, int]]
) -> set[datetime]:
    """Append the readings of which every register is believed; return when only some are."""
    some: set[datetime] = set()
    for at, _ in placed:
        values = {source: column[at] for source, column in believed.items() if at in column}
        if len(values) == len(believed):
            readings.append((at - _EPOCH) // _MILLISECOND, values)
        elif values:
            some.add(at)
    return some


def _add(
    readings: RegisterReadings, before: Sample, after: Sample, profile: LoadProfile, limits: Limits
) -> _InPieces[None]:
    """Add the registers of a further data set of which each reading is known."""
    there = yield from _place(before, after, profile.intervals, timedelta(minutes=profile.minutes))
    placed = () if there is None else there.placed
    for channel in _channels(before, after, profile):
        if channel[2] not in readings.sources:
            kept, _ = yield from _believed(placed, before, after, channel, limits)
            values = {(at - _EPOCH) // _MILLISECOND: value for at, value in kept.items()}
            if all(at in values for at in readings.times):
                readings.add_column(channel[2], [values[at] for at in readings.times])


def _slices(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Yield a sequence in pieces of a week."""
    for first in range(0, len(items), _AT_ONCE):
        yield items[first : first + _AT_ONCE]


def _expected(before: Sample, after: Sample, changes: Sequence[int], length: timedelta) -> int:
    """Return how many intervals end in a gap: by the meter's clock, for it is the one that ends them.

    By ours when the meter's was set in the gap: its own then shows another time passed than there was.
    """
    begin, end = before.received, after.received
    ahead = [seconds for seconds in (_ahead(before), _ahead(after)) if seconds is not None]
    if ahead and not changes:
        begin += timedelta(seconds=ahead[0])
        end += timedelta(seconds=ahead[-1])
    return _ends_between(begin, end, length)


def _ends_between(begin: datetime, end: datetime, length: timedelta) -> int:
    """Return how many intervals end between two times of one clock. They end at whole multiples of their length, in UTC."""
    step = length // _MILLISECOND
    first, last = ((moment - _EPOCH) // _MILLISECOND for moment in (begin, end))
    return (last - 1) // step - first // step


# -- when -------------------------------------------------------------------------------------------


def _place(
    before: Sample, after: Sample, intervals: Sequence[ProfileInterval], length: timedelta
) -> _InPieces[_Found | None]:
    """Return the intervals that ended in a gap, by our clock; None if the meter's clock contradicts itself."""
    near, changes = yield from _near(before, after, intervals, length)
    off = _clock(before, after, changes)
    if off is None:
        return None
    placed: list[_Placed] = []
    for some in _slices(range(len(near))):
        for number in some:
            ahead = off(number, near[number].end)
            if ahead is None:
                continue
            at = near[number].end
            if abs(ahead) > _EXACT:
                at -= timedelta(seconds=round(ahead, 3))
            if before.received < at < after.received and (not placed or at > placed[-1].at):
                placed.append(_Placed(at, near[number]))
        yield
    return _Found(placed, max(len(placed), _expected(before, after, changes, length)))


def _near(
    before: Sample, after: Sample, intervals: Sequence[ProfileInterval], length: timedelta
) -> _InPieces[tuple[list[ProfileInterval], list[int]]]:
    """Return the intervals that may have ended in a gap, and at which of them the meter's clock was set in it."""
    margin = timedelta(seconds=max(abs(_ahead(before) or 0.0), abs(_ahead(after) or 0.0))) + length
    near: list[ProfileInterval] = []
    changes: list[int] = []
    for some in _slices(intervals):
        for one in some:
            if before.received - margin < one.end < after.received + margin:
                if one.flags.value & _CLOCK_SET and _matters(one, before, after, length):
                    changes.append(len(near))
                near.append(one)
        yield
    return near, changes


def _clock(before: Sample, after: Sample, changes: Sequence[int]) -> Callable[[int, datetime], float | None] | None:
    """Return how to tell how far the meter's clock was ahead, in seconds, from the place of an interval and its end by that clock.

    None for an interval of which nobody knows it; None at all if the meter's clock contradicts itself.
    """
    first, last = _ahead(before), _ahead(after)
    if changes:
        return lambda place, _: first if place < changes[0] else last if place >= changes[-1] else None
    begin = last if first is None else first
    end = begin if last is None else last
    gap = (after.received - before.received).total_seconds()
    if begin is None or end is None or abs(end - begin) > _EXACT + _DRIFT * gap:
        return None
    drift = (end - begin) / gap
    return lambda _, ended: begin + drift * min(max((ended - before.received).total_seconds(), 0.0), gap)


def _matters(one: ProfileInterval, before: Sample, after: Sample, length: timedelta) -> bool:
    """Tell whether a change of the clock that an interval notes may have come between the two readings."""
    ahead = [seconds for seconds in (_ahead(before), _ahead(after)) if seconds is not None]
    ends = [one.end - timedelta(seconds=seconds) for seconds in ahead] or [one.end]
    return any(before.received < end and end - length < after.received for end in ends)


def _ahead(sample: Sample) -> float | None:
    """Return how far the meter's clock was ahead of ours, in seconds; None if that is not known."""
    if sample.meter_time is None:
        return None
    seconds = (sample.meter_time - sample.received).total_seconds() + _CUT
    return 0.0 if abs(seconds) <= _EXACT else float(round(seconds))


# -- what -------------------------------------------------------------------------------------------


def _believed(
    placed: Sequence[_Placed], before: Sample, after: Sample, channel: _Channel, limits: Limits
) -> _InPieces[tuple[Mapping[datetime, int], set[datetime]]]:
    """Return what a register can have shown between the readings before and after, and when it showed something else."""
    place, described, source = channel
    first, last = before.values[source], after.values[source]
    net = source.kind is Kind.NET_REGISTER
    rise = last - first if net else _counted(first, last, described.rollover)
    told: set[datetime] = set()
    risen: list[tuple[datetime, int, int]] = []
    """When, what it had counted since the gap began, what it showed."""
    for some in _slices(placed):
        for at, interval in some:
            value = interval.values[place]
            if value is None or not interval.usable[place]:
                continue
            told.add(at)
            counted = value - first if net else _counted(first, value, described.rollover)
            if counted is None and value < first < value + described.step:
                counted, value = (
                    0,
                    first,
                )  # the profile holds whole steps only, and the register showed no less than before
            if counted is not None and rise is not None and (net or counted <= rise):
                risen.append((at, counted, value))
        yield
    if not net:
        risen = [risen[each] for each in _longest_rise([counted for _, counted, _ in risen])]
        yield
    kept = {} if rise is None else (yield from _slow_enough(risen, rise, before, after, limits.hourly(source)))
    if 2 * len(kept) < len(told):
        kept = {}
    return kept, told - kept.keys()


def _slow_enough(
    risen: Sequence[tuple[datetime, int, int]], rise: int, before: Sample, after: Sample, hourly: float
) -> _InPieces[dict[datetime, int]]:
    """Return what a register showed, of the values that it can have come to by then, and from which it can have come to the last."""
    kept: dict[datetime, int] = {}
    since, had = before.received, 0
    for some in _slices(risen):
        for at, counted, value in some:
            if _possible(counted - had, at - since, hourly) and _possible(rise - counted, after.received - at, hourly):
                kept[at] = value
                since, had = at, counted
        yield
    return kept


def _possible(step: int, time: timedelta, hourly: float) -> bool:
    return abs(step) * _HOUR <= hourly * (time.total_seconds() + _SLACK)


def _counted(earlier: int, later: int, rollover: int | None) -> int | None:
    """Return what a register counted between two values; None if it can only have fallen."""
    if later >= earlier:
        return later - earlier
    limits: tuple[int, ...] = _ROLLOVERS if rollover is None else (rollover,)
    for limit in limits:
        if limit > earlier and later - earlier + limit < limit // _NEAR:
            return later - earlier + limit
    return None


def _longest_rise(values: Sequence[int]) -> list[int]:
    """Return the places of the longest part of a sequence that never falls: single wrong values cost no others."""
    tails: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        at = bisect_right(tails, value)
        if at == len(tails):
            tails.append(value)
            places.append(place)
        else:
            tails[at], places[at] = value, place
        before.append(places[at - 1] if at else -1)
    return list(_back(before, places[-1]))[::-1] if places else []


def _back(before: Sequence[int], place: int) -> Iterator[int]:
    while place >= 0:
        yield place
        place = before[place]
