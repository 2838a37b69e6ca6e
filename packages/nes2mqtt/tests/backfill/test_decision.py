"""What may stand in a gap. The truth is a formula of the time; each case is worked out by hand from it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.backfill.decision import Outcome, decide, deciding
from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
IMPORT, EXPORT, POWER = (
    SOURCES[key] for key in ("active_energy_import", "active_energy_export", "active_power_import")
)
NET = SOURCES["active_energy_net"]
QUARTER = timedelta(minutes=15)
LIMITS = Limits(20_000.0)


def truth(at):
    """Return what the register shows: 4 kW, and a little more each hour."""
    hours = (at - NOON).total_seconds() / 3600
    return 1_000_000 + int(4000 * hours + 10 * hours * hours)


def reading(at, value=None, ahead=0.0, **others):
    """Return a reading of registers; ``ahead``: of the meter's clock, None if it was not read. Its time is cut twice."""
    values = {IMPORT: truth(at) if value is None else value} | {SOURCES[key]: value for key, value in others.items()}
    meter_time = None if ahead is None else (at + timedelta(seconds=ahead - 1)).replace(microsecond=0)
    return Sample("house", TableGroup.REGISTERS, at, values, meter_time)


def interval(end, *values, flags=0, status=ChannelStatus.OK):
    return ProfileInterval(end, values, (status,) * len(values), IntervalFlags(flags), (status.usable,) * len(values))


def profile(intervals, *channels, minutes=15):
    channels = channels or (ProfileChannel(IMPORT, 0),)
    return LoadProfile(1, minutes, channels, tuple(intervals), ProfileMark("1", "", None, 0, None))


def quarters(first, last, ahead=0.0, **others):
    """Return what the meter notes at the quarters of its own clock, which is ``ahead`` of ours."""
    count = int((last - first) / QUARTER)
    ends = [first + QUARTER * number for number in range(count + 1)]
    return [interval(end, truth(end - timedelta(seconds=ahead)), **others) for end in ends]


BEFORE, AFTER = NOON + timedelta(minutes=7), NOON + timedelta(hours=5, minutes=22, seconds=10)
FIRST, LAST = NOON + QUARTER, NOON + timedelta(hours=5, minutes=15)
ALL = [FIRST + QUARTER * number for number in range(21)]


def found(decision):
    return [(sample.received, sample.values.get(IMPORT)) for sample in decision.readings]


def test_each_quarter_that_ended_in_the_gap_is_taken_and_no_other():
    decision = decide(reading(BEFORE), reading(AFTER), profile(quarters(NOON, NOON + timedelta(hours=9))), LIMITS)
    assert found(decision) == [(at, truth(at)) for at in ALL]
    assert (decision.outcome, decision.expected, decision.refused) == (Outcome.FILLED, 21, 0)
    assert {(sample.meter, sample.segment, sample.meter_time) for sample in decision.readings} == {("house", 1, None)}


def test_a_quarter_that_ends_with_a_reading_is_that_reading():
    decision = decide(reading(FIRST), reading(LAST), profile(quarters(NOON, LAST)), LIMITS)
    assert found(decision) == [(at, truth(at)) for at in ALL[1:-1]]
    assert decision.outcome is Outcome.FILLED


@pytest.mark.parametrize("ahead", [-2, 3])
def test_a_clock_read_in_whole_seconds_counts_as_right(ahead):
    decision = decide(reading(BEFORE, ahead=ahead), reading(AFTER), profile(quarters(NOON, LAST)), LIMITS)
    assert found(decision) == [(at, truth(at)) for at in ALL]


@pytest.mark.parametrize("ahead", [40, -400, 1500])
def test_intervals_of_a_clock_that_is_off_are_placed_by_ours(ahead):
    near = quarters(NOON - timedelta(hours=1), LAST + timedelta(hours=1), ahead=ahead)
    decision = decide(reading(BEFORE, ahead=ahead), reading(AFTER, ahead=ahead), profile(near), LIMITS)
    off = timedelta(seconds=ahead)
    ours = [one.end - off for one in near if BEFORE < one.end - off < AFTER]
    assert found(decision) == [(at, truth(at)) for at in ours]
    assert len(ours) in {20, 21}
    assert decision.outcome is Outcome.FILLED


def test_a_clock_that_is_behind_has_ended_fewer_intervals_than_ours():
    """17:15 by our clock is in the gap, by the meter's it is not yet: nothing is missing."""
    after = reading(LAST + timedelta(seconds=20), ahead=-40)
    decision = decide(reading(BEFORE, ahead=-40), after, profile(quarters(NOON, LAST, ahead=-40)), LIMITS)
    assert found(decision) == [(at + timedelta(seconds=40), truth(at + timedelta(seconds=40))) for at in ALL[:-1]]
    assert (decision.outcome, decision.expected) == (Outcome.FILLED, 20)


def test_a_hole_is_one_where_the_gap_holds_an_interval_more_by_the_meter_s_clock():
    """12:00 by our clock is before the gap, by the meter's it is in it: of 22 intervals 21 are known."""
    before = reading(NOON + timedelta(seconds=20), ahead=-40)
    known = [one for one in quarters(NOON, LAST, ahead=-40) if one.end != ALL[4]]
    decision = decide(before, reading(AFTER, ahead=-40), profile(known), LIMITS)
    assert len(decision.readings) == 21
    assert (decision.outcome, decision.expected) == (Outcome.PARTLY, 22)


def corrected(flags):
    """Return what a meter notes whose clock was 20 minutes ahead and is put right at 14:30 by our clock."""
    ahead = quarters(NOON + 2 * QUARTER, NOON + timedelta(hours=2, minutes=45), ahead=1200)
    right = quarters(NOON + timedelta(hours=3), LAST)
    return [*ahead, interval(right[0].end, right[0].values[0], flags=flags), *right[1:]]


def test_what_came_before_the_meter_s_clock_was_set_is_placed_by_the_clock_of_then():
    decision = decide(reading(BEFORE, ahead=1200), reading(AFTER), profile(corrected(IntervalFlags.CLOCK_BACK)), LIMITS)
    assert found(decision) == [
        *((at, truth(at)) for at in (NOON + timedelta(minutes=minutes) for minutes in range(10, 146, 15))),
        *((at, truth(at)) for at in (NOON + timedelta(minutes=minutes) for minutes in range(180, 316, 15))),
    ]
    assert decision.outcome is Outcome.PARTLY


def test_between_two_changes_of_the_clock_nothing_is_placed():
    intervals = corrected(IntervalFlags.CLOCK_BACK)
    intervals[3] = interval(intervals[3].end, *intervals[3].values, flags=IntervalFlags.CLOCK_FORWARD)
    decision = decide(reading(BEFORE, ahead=1200), reading(AFTER), profile(intervals), LIMITS)
    assert [at for at, _ in found(decision)][:4] == [
        *(NOON + timedelta(minutes=minutes) for minutes in (10, 25, 40)),
        NOON + timedelta(hours=3),
    ]


@pytest.mark.parametrize(("before", "after"), [(1200, 0), (0, 1200), (None, None)])
def test_a_clock_that_changed_unsaid_places_nothing(before, after):
    decision = decide(reading(BEFORE, ahead=before), reading(AFTER, ahead=after), profile(corrected(0)), LIMITS)
    assert (decision.readings, decision.outcome) == ((), Outcome.CLOCK)


def test_a_clock_that_drifts_is_no_contradiction():
    after = BEFORE + timedelta(days=6)
    near = quarters(NOON, after, ahead=30)
    decision = decide(reading(BEFORE, ahead=25), reading(after, ahead=55), profile(near), LIMITS)
    assert decision.outcome is Outcome.FILLED
    assert decision.readings[0].received == FIRST - timedelta(seconds=25.028)
    assert decision.readings[-1].received == near[-1].end - timedelta(
        seconds=54.976
    )  # seven minutes of six days are left


@pytest.mark.parametrize("wrong", [0, 999_999, 1_040_000, 1_005_500])
def test_a_wrong_value_costs_no_other(wrong):
    intervals = quarters(NOON, LAST)
    intervals[2] = interval(intervals[2].end, wrong)
    decision = decide(reading(BEFORE), reading(AFTER), profile(intervals), LIMITS)
    assert found(decision) == [(at, truth(at)) for at in ALL if at != intervals[2].end]
    assert (decision.outcome, decision.refused) == (Outcome.PARTLY, 1)


@pytest.mark.parametrize("shift", [-50_000, 50_000])
def test_another_register_is_none_of_this_meter(shift):
    intervals = [interval(one.end, one.values[0] + shift) for one in quarters(NOON, LAST)]
    decision = decide(reading(BEFORE), reading(AFTER), profile(intervals), LIMITS)
    assert (decision.readings, decision.outcome, decision.refused) == ((), Outcome.CONTRADICTS, 21)


def test_no_register_counts_faster_than_the_meter_can():
    """All of the gap's energy within its first quarter would be 85 kW."""
    intervals = [interval(at, truth(AFTER)) for at in ALL]
    decision = decide(reading(BEFORE), reading(AFTER), profile(intervals), LIMITS)
    late = [at for at, _ in found(decision)]
    assert late[0] >= BEFORE + timedelta(hours=(truth(AFTER) - truth(BEFORE)) / 22_000, seconds=-15)


def test_what_the_meter_did_not_note_stays_absent():
    intervals = [
        one for one in quarters(NOON, LAST) if not NOON + timedelta(hours=1) < one.end < NOON + timedelta(hours=3)
    ]
    decision = decide(reading(BEFORE), reading(AFTER), profile(intervals), LIMITS)
    assert len(decision.readings) == 14
    assert (decision.outcome, decision.expected, decision.refused) == (Outcome.PARTLY, 21, 0)


@pytest.mark.parametrize("status", [ChannelStatus.SKIPPED, ChannelStatus.OVERFLOW, ChannelStatus.PLACEHOLDER])
def test_what_the_meter_says_is_no_value_is_none(status):
    decision = decide(reading(BEFORE), reading(AFTER), profile(quarters(NOON, LAST, status=status)), LIMITS)
    assert (decision.readings, decision.outcome) == ((), Outcome.NOT_KEPT)


def test_a_roll_over_is_gone_through():
    def rolled(at):
        return (truth(at) + 98_992_000) % 10**8

    intervals = [interval(at, rolled(at)) for at in ALL]
    assert rolled(ALL[0]) > rolled(ALL[-1])
    for channel in (ProfileChannel(IMPORT, 0, rollover=10**8), ProfileChannel(IMPORT, 0)):
        before, after = reading(BEFORE, rolled(BEFORE)), reading(AFTER, rolled(AFTER))
        decision = decide(before, after, profile(intervals, channel), LIMITS)
        assert found(decision) == [(at, rolled(at)) for at in ALL]


def test_a_profile_in_steps_of_a_hundred_is_below_the_register():
    channel = ProfileChannel(IMPORT, 0, step=100)
    intervals = [interval(at, truth(at) // 100 * 100) for at in ALL[5:]]
    before = reading(ALL[5] - timedelta(seconds=10))
    assert intervals[0].values[0] < before.values[IMPORT]
    decision = decide(before, reading(AFTER), profile(intervals, channel), LIMITS)
    assert (
        found(decision)
        == [
            (ALL[5], before.values[IMPORT]),  # a register does not fall: nothing would be booked below zero
            *((at, truth(at) // 100 * 100) for at in ALL[6:]),
        ]
    )


def test_each_register_stands_for_itself():
    """A present value is none, what is not read live has no frame, a net register may fall."""
    channels = [ProfileChannel(source, 0) for source in (POWER, EXPORT, IMPORT, NET)] + [ProfileChannel(None, 500)]
    intervals = [interval(at, 4000, 7, truth(at), 500 - n, 1) for n, at in enumerate(ALL)]
    before = reading(BEFORE, active_energy_net=501)
    after = reading(AFTER, active_energy_net=479, active_energy_export_t1=7)
    decision = decide(before, after, profile(intervals, *channels), LIMITS)
    assert [sample.values for sample in decision.readings] == [
        {IMPORT: truth(at), NET: 500 - n} for n, at in enumerate(ALL)
    ]
    none = decide(before, after, profile(intervals, *[ProfileChannel(POWER, 0)] * 5), LIMITS)
    assert none.outcome is Outcome.NO_REGISTER


def test_a_meter_that_notes_nothing_kept_nothing():
    assert decide(reading(BEFORE), reading(AFTER), profile([], minutes=0), LIMITS).outcome is Outcome.NOT_KEPT
    assert decide(reading(BEFORE), reading(AFTER), profile([]), LIMITS).outcome is Outcome.NOT_KEPT


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(-100, 30_000)), max_size=60))
def test_whatever_the_meter_says_no_register_falls_or_leaves_its_frame(told):
    """Times in any order, values of any size: what is taken could have been read."""
    intervals = [interval(NOON + QUARTER * number, 1_000_000 + value) for number, value in told]
    before, after = reading(BEFORE), reading(AFTER)
    shown = [
        (BEFORE, before.values[IMPORT]),
        *found(decide(before, after, profile(intervals), LIMITS)),
        (AFTER, after.values[IMPORT]),
    ]
    for (since, earlier), (until, later) in pairwise(shown):
        assert since < until
        assert 0 <= later - earlier <= LIMITS.hourly(IMPORT) / 3600 * ((until - since).total_seconds() + 15)


@pytest.mark.parametrize("missing", ["before", "after"])
@pytest.mark.parametrize("key", [IMPORT, EXPORT])
def test_a_register_that_is_missing_on_one_side_of_the_gap_fills_nothing(missing, key):
    """What it counted would be booked to the hour in which it is seen again, and the hours before called whole."""
    sides = {"before": reading(BEFORE, active_energy_export=5), "after": reading(AFTER, active_energy_export=500)}
    del sides[missing].values[key]
    both = (ProfileChannel(IMPORT, 0), ProfileChannel(EXPORT, 1))
    known = [interval(one.end, one.values[0], 100) for one in quarters(NOON, LAST)]
    for channels in (both, both[:1], both[1:]):
        held = profile([interval(one.end, *one.values[: len(channels)]) for one in known], *channels)
        decision = decide(sides["before"], sides["after"], held, LIMITS)
        assert (decision.readings, decision.outcome) == ((), Outcome.CONTRADICTS)


def test_a_hole_in_one_channel_is_a_hole_in_all():
    """Energies are booked by reading, not by register: half a reading would put the other half into a wrong hour."""
    both = (ProfileChannel(IMPORT, 0), ProfileChannel(EXPORT, 1))
    hole = {NOON + timedelta(hours=1, minutes=45), NOON + timedelta(hours=2), NOON + timedelta(hours=2, minutes=15)}
    known = [interval(one.end, None if one.end in hole else one.values[0], 100) for one in quarters(NOON, LAST)]
    sides = reading(BEFORE, active_energy_export=100), reading(AFTER, active_energy_export=100)
    decision = decide(*sides, profile(known, *both), LIMITS)
    assert found(decision) == [(at, truth(at)) for at in ALL if at not in hole]
    assert {len(sample.values) for sample in decision.readings} == {2}
    assert (decision.outcome, decision.refused) == (Outcome.PARTLY, 3)


def test_a_long_gap_is_decided_in_pieces_of_a_week_and_takes_little_memory():
    after = BEFORE + timedelta(days=21)
    work = deciding(reading(BEFORE), reading(after), profile(quarters(NOON, after)), LIMITS)
    pieces = 0
    while True:
        try:
            next(work)
        except StopIteration as done:
            readings = done.value.readings
            break
        pieces += 1
    assert len(readings) == 21 * 96
    assert pieces >= 5 * 3  # five steps of three weeks
    assert sys.getsizeof(readings.times) < 10 * len(readings)
    assert readings[1:3] == tuple(Sample("house", TableGroup.REGISTERS, at, {IMPORT: truth(at)}) for at in ALL[1:3])
