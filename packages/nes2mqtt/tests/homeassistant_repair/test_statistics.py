"""Which hours are put right. Sums are Home Assistant's own and have nothing to do with the register: each case by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.homeassistant.statistics import Hour, Inconsistent, hours_of


def at(hour, minute=0, second=0):
    return datetime(2026, 1, 15, hour, minute, second, tzinfo=UTC)


QUARTERS = [(at(12) + timedelta(minutes=15 * n), 100.0 + n) for n in range(1, 17)]
"""1 kWh each quarter of an hour from noon to four."""
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
    assert told(hours_of(QUARTERS, GAP, known)) == FOUR


def test_without_anything_from_before_there_is_nothing_to_repair():
    assert hours_of(QUARTERS, GAP, [AFTER]) == []
    assert hours_of(QUARTERS, GAP, []) == []


def test_an_hour_whose_end_is_not_known_is_left_as_it_is():
    readings = [reading for reading in QUARTERS if reading[0] not in {at(14), at(16)}]
    readings.append((at(15, 58, 40), 116.0))  # a meter whose clock is ahead
    assert told(hours_of(sorted(readings), GAP, [*BEFORE, AFTER])) == [FOUR[0], FOUR[2], FOUR[3]]


def test_a_gap_within_an_hour_moves_nothing():
    assert hours_of(QUARTERS[:2], (at(12, 7), at(12, 50)), BEFORE) == []


@pytest.mark.parametrize("after", [Hour(at(16), 118.0, 145.0), Hour(at(16), 2.0, 27.0)])
def test_where_home_assistant_began_to_count_anew_nothing_is_touched(after):
    with pytest.raises(Inconsistent):
        hours_of(QUARTERS, GAP, [*BEFORE, after])


def test_a_register_that_stands_below_what_home_assistant_had_is_another_one():
    with pytest.raises(Inconsistent):
        hours_of(QUARTERS, GAP, [Hour(at(11), 200.0, 9.0)])
