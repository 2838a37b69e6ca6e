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

Nothing here knows a clock, a meter or a database.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES, Kind, Source
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval
from osgp.tables.load_profile.statuses import IntervalFlags

__all__ = ["Decision", "Outcome", "decide"]

_EXACT = 3.0
"""Seconds by which a meter's clock may seem to be off and count as right: it is read in whole seconds."""
_CUT = 1.0
"""Seconds by which the meter's time of a reading is behind on average: its clock shows whole seconds, and whole seconds since
it was read are added (:mod:`nes2mqtt.meters.poller`)."""
_DRIFT = 2e-4
"""So much of the time between two readings a meter's clock may have drifted: a minute in three and a half days."""
_SLACK = 15.0
"""Seconds added to each time in which a register may have counted, as the guard does."""
_ROLLOVERS: tuple[int, ...] = tuple(10**digits for digits in range(5, 12))
"""Where a register may begin anew when the meter does not tell (MEP guide v1.1 p. 119, 158)."""
_NEAR = 10
"""A roll-over is one where less than this part of the range was counted."""
_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ENERGIES = frozenset({SOURCES["active_energy_import"], SOURCES["active_energy_export"]})
"""What hours and days are counted in."""
_CLOCK_SET = IntervalFlags.CLOCK_FORWARD | IntervalFlags.CLOCK_BACK


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

    readings: tuple[Sample, ...]
    outcome: Outcome
    expected: int = 0
    refused: int = 0


class _Placed(NamedTuple):
    """An interval, and when it ended by our clock."""

    at: datetime
    interval: ProfileInterval


def decide(before: Sample, after: Sample, profile: LoadProfile, limits: Limits) -> Decision:
    """Decide what stands in a gap.

    Args:
        before: the last reading of registers before it.
        after: the first one after it, of the same meter.
        profile: the meter's load profile, at least of the time of the gap.
        limits: how fast registers can count.
    """
    if before.segment != after.segment:
        return Decision((), Outcome.REPLACED)
    told = {channel.source for channel in profile.channels if channel.source is not None} | _ENERGIES
    if any((source in before.values) != (source in after.values) for source in told):
        return Decision((), Outcome.CONTRADICTS)
    channels = [
        (place, channel, channel.source)
        for place, channel in enumerate(profile.channels)
        if channel.source is not None
        and channel.source.kind is not Kind.PRESENT
        and channel.source in before.values
        and channel.source in after.values
    ]
    length = timedelta(minutes=profile.minutes)
    if not length:
        return Decision((), Outcome.NOT_KEPT)
    if not channels:
        return Decision((), Outcome.NO_REGISTER)
    placed = _place(before, after, profile.intervals, length)
    if placed is None:
        return Decision((), Outcome.CLOCK)
    expected = max(len(placed), _ends_between(before.received, after.received, length))
    believed: dict[datetime, dict[Source, int]] = {}
    refused: set[datetime] = set()
    for place, channel, source in channels:
        known = [
            (at, value)
            for at, interval in placed
            if interval.usable[place] and (value := interval.values[place]) is not None
        ]
        kept = _fitting(known, before, after, channel, source, limits)
        if 2 * len(kept) < len(known):
            kept = []
        for at, value in kept:
            believed.setdefault(at, {})[source] = value
        refused |= {at for at, _ in known} - {at for at, _ in kept}
    whole = {at: values for at, values in believed.items() if len(values) == len(channels)}
    refused |= believed.keys() - whole.keys()
    readings = tuple(
        Sample(before.meter, TableGroup.REGISTERS, at, values, segment=before.segment)
        for at, values in sorted(whole.items())
    )
    if readings:
        outcome = Outcome.FILLED if len(readings) == expected else Outcome.PARTLY
    else:
        outcome = Outcome.CONTRADICTS if refused else Outcome.NOT_KEPT
    return Decision(readings, outcome, expected, len(refused - whole.keys()))


def _ends_between(begin: datetime, end: datetime, length: timedelta) -> int:
    """Return how many intervals end between two readings. They end at whole multiples of their length, in UTC."""
    step = length // _MILLISECOND
    first, last = ((moment - _EPOCH) // _MILLISECOND for moment in (begin, end))
    return (last - 1) // step - first // step


# -- when -------------------------------------------------------------------------------------------


def _place(
    before: Sample, after: Sample, intervals: Iterable[ProfileInterval], length: timedelta
) -> list[_Placed] | None:
    """Return the intervals that ended in a gap, by our clock, oldest first; None if the meter's clock contradicts itself."""
    ahead_before, ahead_after = _ahead(before), _ahead(after)
    margin = timedelta(seconds=max(abs(ahead_before or 0.0), abs(ahead_after or 0.0))) + length
    near = [one for one in intervals if before.received - margin < one.end < after.received + margin]
    changes = [
        place for place, one in enumerate(near) if one.flags & _CLOCK_SET and _matters(one, before, after, length)
    ]
    if changes:
        first, last = changes[0], changes[-1]
        times = _by(near[:first], ahead_before) + _by(near[last:], ahead_after)
    else:
        ahead_before = ahead_after if ahead_before is None else ahead_before
        ahead_after = ahead_before if ahead_after is None else ahead_after
        if ahead_before is None or ahead_after is None:
            return None
        gap = (after.received - before.received).total_seconds()
        if abs(ahead_after - ahead_before) > _EXACT + _DRIFT * gap:
            return None
        drift = (ahead_after - ahead_before) / gap
        begin, ahead = before.received, ahead_before
        times = []
        for one in near:
            passed = (one.end - begin).total_seconds()
            times += _by([one], ahead + drift * min(max(passed, 0.0), gap))
    placed: list[_Placed] = []
    for found in times:
        if before.received < found.at < after.received and (not placed or found.at > placed[-1].at):
            placed.append(found)
    return placed


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


def _by(intervals: Iterable[ProfileInterval], ahead: float | None) -> list[_Placed]:
    """Return intervals by our clock; none if nobody knows how far the meter's was ahead."""
    if ahead is None:
        return []
    off = timedelta(seconds=0.0 if abs(ahead) <= _EXACT else round(ahead, 3))
    return [_Placed(one.end - off, one) for one in intervals]


# -- what -------------------------------------------------------------------------------------------

_Value = tuple[datetime, int]


def _fitting(
    known: Sequence[_Value], before: Sample, after: Sample, channel: ProfileChannel, source: Source, limits: Limits
) -> list[_Value]:
    """Return the values that a register can have shown between the readings before and after."""
    first, last = before.values[source], after.values[source]
    net = source.kind is Kind.NET_REGISTER
    rise = last - first if net else _counted(first, last, channel.rollover)
    if rise is None:
        return []
    risen: list[tuple[datetime, int, int]] = []
    """When, what it had counted since the gap began, what it showed."""
    for at, value in known:
        counted = value - first if net else _counted(first, value, channel.rollover)
        if counted is None and value < first < value + channel.step:
            counted = 0  # the profile holds whole steps only
        if counted is not None and (net or counted <= rise):
            risen.append((at, counted, value))
    if not net:
        risen = [risen[place] for place in _longest_rise([counted for _, counted, _ in risen])]
    rate = limits.rate(source)
    kept: list[_Value] = []
    since, had = before.received, 0
    for at, counted, value in risen:
        if _possible(counted - had, at - since, rate) and _possible(rise - counted, after.received - at, rate):
            kept.append((at, value))
            since, had = at, counted
    return kept


def _possible(step: int, time: timedelta, rate: float) -> bool:
    return abs(step) <= rate * (time.total_seconds() + _SLACK)


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
