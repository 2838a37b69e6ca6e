"""Which hours are put right. Sums are Home Assistant's own and have nothing to do with the register: each case by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.homeassistant.statistics import Hour, Inconsistent, hours_of


def at(hour, minute=0, second=0):
    return datetime(2026, 1, 15, hour, minute, second, tzinfo=UTC)


QUARTERS = [(at(12) + timedelta(minutes=15 * n), 100.0 + n) for n in range(1, 17)]
"""1 kWh each quarter of an hour from noon to four."""
QUARTER = timedelta(minutes=15)
GAP = at(12, 7), at(16, 2)
BEFORE = [Hour(at(10), 98.0, 7.0), Hour(at(11), 100.0, 9.0)]
AFTER = Hour(at(16), 118.0, 27.0)


def told(hours):
    return [(one.start.hour, one.state, one.sum) for one in hours]


FOUR = [(12, 104.0, 13.0), (13, 108.0, 17.0), (14, 112.0, 21.0), (15, 116.0, 25.0)]


@pytest.mark.parametrize(
    "known",
    [
        [*BEFORE, AFTER],
        BEFORE,
        [*BEFORE, Hour(at(12), 100.4, 9.4), AFTER],  # it heard the register until 12:07
        [*BEFORE, *(Hour(at(hour), 100.4, 9.4) for hour in range(12, 16)), AFTER],  # it went on with the last state
        [Hour(at(10) - timedelta(days=9), 90.0, -1.0), AFTER],  # it was away itself
    ],
)
def test_each_hour_that_ends_in_the_gap_gets_what_the_register_counted_until_then(known):
    assert told(hours_of(QUARTERS, GAP, known, QUARTER)) == FOUR


def test_without_anything_from_before_there_is_nothing_to_repair():
    assert hours_of(QUARTERS, GAP, [AFTER], QUARTER) == []
    assert hours_of(QUARTERS, GAP, [], QUARTER) == []


def test_an_hour_whose_last_interval_is_missing_is_left_as_it_is():
    readings = [reading for reading in QUARTERS if reading[0] != at(14)]
    assert told(hours_of(readings, GAP, [*BEFORE, AFTER], QUARTER)) == [FOUR[0], FOUR[2], FOUR[3]]


@pytest.mark.parametrize("ahead", [1, 89, 91, 600, 800, -1, -90])
def test_by_a_meter_s_clock_that_is_off_an_hour_has_its_four_intervals(ahead):
    """As in the history: what ended up to 90 s behind the hour is the hour's."""
    readings = [(each - timedelta(seconds=ahead), shown) for each, shown in QUARTERS]
    assert told(hours_of(readings, GAP, [*BEFORE, AFTER], QUARTER)) == FOUR
    without = [reading for reading in readings if reading[1] != 108.0]
    assert told(hours_of(without, GAP, [*BEFORE, AFTER], QUARTER)) == [FOUR[0], FOUR[2], FOUR[3]]


def test_an_interval_that_ended_long_behind_the_hour_is_the_next_hour_s():
    readings = [(each + timedelta(seconds=91), shown) for each, shown in QUARTERS]
    assert [one.state for one in hours_of(readings, GAP, [*BEFORE, AFTER], QUARTER)] == [103.0, 107.0, 111.0, 115.0]


def test_of_intervals_of_a_minute_the_one_at_the_hour_counts():
    readings = [(at(12) + timedelta(minutes=n), 100 + n / 10) for n in range(8, 242)]
    hours = hours_of(readings, GAP, [*BEFORE, AFTER], timedelta(minutes=1))
    assert [one.state for one in hours] == [106.0, 112.0, 118.0, 124.0]


def test_a_gap_within_an_hour_moves_nothing():
    assert hours_of(QUARTERS[:2], (at(12, 7), at(12, 50)), BEFORE, QUARTER) == []


@pytest.mark.parametrize("after", [Hour(at(16), 118.0, 145.0), Hour(at(16), 2.0, 27.0)])
def test_where_home_assistant_began_to_count_anew_nothing_is_touched(after):
    with pytest.raises(Inconsistent):
        hours_of(QUARTERS, GAP, [*BEFORE, after], QUARTER)


def test_a_register_that_stands_below_what_home_assistant_had_is_another_one():
    with pytest.raises(Inconsistent):
        hours_of(QUARTERS, GAP, [Hour(at(11), 200.0, 9.0)], QUARTER)
