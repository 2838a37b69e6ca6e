"""The gateway is stopped for days: afterwards each quarter of an hour is what the house used, and what was filled in is marked.

What the meter cannot know, the history does not claim to know: those quarters are named in each test.
"""

from __future__ import annotations

import pytest
from simulation.gateway.downtime import QUARTER, Downtime, live_through
from simulation.gateway.world import INTO_SUMMER, INTO_WINTER, ORDINARY

from osgp.simulator.history.happenings import ClockSet, Happening, PowerCut, Reconfigured

DAY = 86_400
STOPPED = 1800
"""Seconds after the start of a world when the gateway stops."""


def outcome(world: Downtime) -> str:
    """Return what became of the gap, which is one, and told in the log once."""
    (gap,) = world.gaps
    assert gap["readings"] == len(world.filled)
    assert sum("the gap from" in line for line in world.said) == 1
    return str(gap["outcome"])


@pytest.mark.parametrize("start", [ORDINARY, INTO_SUMMER, INTO_WINTER], ids=["ordinary", "summer", "winter"])
def test_six_days_are_filled_quarter_by_quarter(start: float) -> None:
    """Also across the nights in which daylight saving begins and ends."""
    world = live_through(start, 6 * DAY)
    assert world.check() == []
    away = world.quarters_away()
    assert [reading.at for reading in world.filled] == [away[0] - QUARTER, *away, away[-1] + QUARTER]
    assert len({world.used(begin) for begin in away}) > len(away) // 4  # the load changes
    assert outcome(world) == "filled"


def test_a_power_cut_leaves_the_quarters_it_touched_unknown() -> None:
    begin = int(ORDINARY) + 2 * DAY + 7 * 60
    world = live_through(ORDINARY, 6 * DAY, PowerCut(begin, 3 * 3600))
    hour = begin - 7 * 60
    assert world.check() == list(range(hour, hour + 3 * 3600 + 1, QUARTER))
    assert (
        world.quarters[hour + 3 * 3600][0] == hour
    )  # what it used is in the quarter in which power came back, and says so
    assert outcome(world) == "partly"


def test_a_short_power_cut_within_a_quarter_costs_nothing() -> None:
    world = live_through(ORDINARY, 6 * DAY, PowerCut(int(ORDINARY) + 2 * DAY + 7 * 60, 90))
    assert world.check() == []
    assert outcome(world) == "filled"


@pytest.mark.parametrize(("ahead", "longer"), [(600, 0), (-600, 0), (1200, 1)])
def test_a_clock_that_is_put_right_moves_no_energy(ahead: int, longer: int) -> None:
    """What the meter noted by its wrong clock is placed where it was in truth, between our quarters of an hour.

    The interval in which the clock is set back by twenty minutes goes on for a quarter of an hour more.
    """
    wrong, right = ClockSet(int(ORDINARY) - 40 * DAY, ahead), ClockSet(int(ORDINARY) + 2 * DAY + 100, -ahead)
    world = live_through(ORDINARY, 6 * DAY, wrong, right)
    unknown = world.check()
    assert unknown == [begin for begin in world.quarters_away() if begin <= right.at + longer * QUARTER]
    shifted = [(reading.at + ahead) % QUARTER for reading in world.filled if reading.at < right.at]
    assert set(shifted) <= {0, 1, QUARTER - 1}
    assert len(shifted) > 180


def test_a_clock_that_is_set_wrong_is_followed() -> None:
    world = live_through(ORDINARY, 6 * DAY, ClockSet(int(ORDINARY) + 2 * DAY + 100, 300))
    world.check()
    assert {round(reading.at % QUARTER, -1) for reading in world.filled} == {0, QUARTER - 300}


def test_after_a_reconfiguration_what_the_meter_has_noted_since_is_filled() -> None:
    change = Reconfigured(int(ORDINARY) + 3 * DAY + 400)
    world = live_through(ORDINARY, 6 * DAY, change)
    away = world.quarters_away()
    first = int(ORDINARY) + 3 * DAY + QUARTER
    assert world.check() == [begin for begin in away if begin < first]
    assert world.filled[0].at == first
    assert outcome(world) == "partly"


def test_of_a_ring_that_lapped_the_youngest_days_are_filled() -> None:
    world = live_through(ORDINARY, 20 * DAY)
    unknown = world.check()
    away = world.quarters_away()
    assert unknown == away[: len(unknown)]
    assert 13 * 96 <= len(away) - len(unknown) <= 14 * 96  # as many as the meter keeps
    assert outcome(world) == "partly"


def test_all_of_it_at_once() -> None:
    """Cuts on two days, a clock put right between them, daylight saving ends, and the ring laps."""
    start = int(INTO_WINTER)
    happened: list[Happening] = [
        ClockSet(start - 40 * DAY, 420),
        PowerCut(start + 12 * DAY, 5000),
        ClockSet(start + 13 * DAY + 50, -420),
        PowerCut(start + 14 * DAY + 10, 40_000),
    ]
    world = live_through(start, 20 * DAY, *happened)
    unknown = world.check()
    exact = [begin for begin in world.quarters_away() if begin not in unknown]
    assert min(exact) > start + 13 * DAY
    assert (
        len(exact) == len(world.quarters_away()) - len([b for b in world.quarters_away() if b <= start + 13 * DAY]) - 45
    )
    assert outcome(world) == "partly"
