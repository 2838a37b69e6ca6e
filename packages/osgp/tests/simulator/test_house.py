"""The house: exact registers that never fall, and present values that belong together."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.simulator.house import House, neighbourhood
from osgp.simulator.household import CELL, CELLS, DAY, Household
from osgp.simulator.ledger import Ledger

WEEK = 7 * DAY
FIRST = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())

seeds = st.integers(1, 40)
mondays = st.integers(0, 52).map(lambda week: FIRST + week * WEEK)
slow = settings(max_examples=15, deadline=None)


def house(seed, installed, **kwargs):
    return House(seed, ledger=Ledger(Household(seed), installed), **kwargs)


def moment_of(day, hour, seed=1):
    now = int(datetime(2026, *day, tzinfo=UTC).timestamp() + hour * 3600)  # type: ignore[misc]
    return house(seed, now - 2 * DAY).at(now)


@slow
@given(seeds, mondays, st.lists(st.floats(0.1, DAY / 4), min_size=20, max_size=40), st.integers(2, 9))
def test_no_register_falls_in_a_week_with_restarts(seed, monday, steps, restart_every):
    now, meter, before = monday, house(seed, monday), None
    for number, step in enumerate(steps):
        if number % restart_every == 0:
            meter = house(seed, monday)
        now += step
        moment = meter.at(now)
        rows = [moment.total[:7], *(tier[:7] for tier in moment.tiers)]
        if before is not None:
            assert all(a <= b for old, new in zip(before, rows, strict=True) for a, b in zip(old, new, strict=True))
        before = rows


@settings(max_examples=8, deadline=None)
@given(seeds, mondays, st.integers(0, WEEK - 4000))
def test_registers_are_the_integral_of_the_powers(seed, monday, start):
    meter = house(seed, monday)
    seconds = range(monday + start + 1, monday + start + 2001)
    first, sums = meter.at(seconds[0] - 1), [0, 0, 0, 0]
    for second in seconds:
        moment = meter.at(second)
        for place, source in enumerate((8, 9, 10, 11)):
            sums[place] += moment.present[source]
    for place in range(4):
        counted = moment.total[place] - first.total[place]
        assert counted == pytest.approx(sums[place] / 3600, abs=2)


@slow
@given(seeds, mondays, st.integers(0, WEEK))
def test_tiers_add_up_to_the_total_and_the_total_to_its_sums(seed, monday, later):
    moment = house(seed, monday).at(monday + later)
    for place in range(4):
        assert sum(tier[place] for tier in moment.tiers) == moment.total[place]
    assert moment.total[6] == moment.total[0] + moment.total[1]
    assert moment.total[7] == max(0, moment.total[0] - moment.total[1])
    assert len(moment.total) == len(moment.tiers[0]) == 11


@slow
@given(seeds, mondays, st.integers(0, WEEK))
def test_present_values_belong_together(seed, monday, later):
    present = house(seed, monday).at(monday + later).present
    phases = [present[185 + phase] - present[188 + phase] for phase in range(3)]
    assert abs(sum(phases) - (present[8] - present[9])) <= 3
    assert min(present[8], present[9]) == 0
    assert min(present[10], present[11]) == 0
    for phase, watts in enumerate(phases):
        var = present[239 + phase] - present[242 + phase]
        apparent = math.hypot(watts, var)
        volts, amps = present[15 + phase] / 1000, present[12 + phase] / 1000
        assert volts * amps == pytest.approx(apparent, abs=0.2)
        assert 207 < volts < 253  # EN 50160: 230 V within 10 %
        factor = present[(18, 21, 22)[phase]]
        assert factor == pytest.approx(1000 * watts / apparent if apparent else 1000, abs=0.51)
    assert 49_900 < present[19] < 50_100
    assert sum(present[source] for source in range(104, 108)) == present[10] + present[11]


@slow
@given(seeds, st.integers(20_454, 20_900), st.integers(0, CELLS - 1))
def test_the_seconds_of_a_cell_obey_its_plan(seed, day, number):
    household = Household(seed)
    plan, cell = household.day(day), household.cell(day, number)
    for means, phases in ((plan.watts(number), cell.active), (plan.var(number), cell.reactive)):
        assert [sum(phase) for phase in phases] == [mean * CELL for mean in means]
        totals = [sum(second) for second in zip(*phases, strict=True)]
        assert min(totals) * max(totals) >= 0, "the house changed its direction within a cell"


def test_a_second_has_one_truth_whatever_was_asked_before():
    now = FIRST + 3 * DAY + 12345
    wanderer = house(3, FIRST)
    for other in (FIRST, now + 5 * DAY, now - 7, now + 1):
        wanderer.at(other)
    assert wanderer.at(now) == house(3, FIRST).at(now)


def test_the_picture_moves_within_seconds():
    now = FIRST + 20 * DAY
    meter = house(1, now - DAY)
    moments = [meter.at(now + second).present for second in range(10)]
    for source in (8, 15, 16, 17, 19, 185):
        assert len({present[source] for present in moments}) >= 3, source


def test_l2_a_house_that_draws_as_much_as_its_roof_gives_still_moves():
    household = Household(1)
    days = range(20_620, 20_630)
    cells = [(day, number) for day in days for number in range(CELLS)]
    flat = [
        sum(household.day(day).watts(number))
        for day, number in cells
        if len({sum(second) for second in zip(*household.cell(day, number).active, strict=True)}) == 1
    ]
    assert all(abs(watts) < 20 for watts in flat), "five minutes of one number look like a coarse history"


def test_summer_noon_exports_and_winter_night_does_not():
    noons = [moment_of((6, day), 11).present for day in range(1, 15)]
    assert sum(present[9] > 1000 for present in noons) >= 4
    nights = [moment_of((12, day), 1).present for day in range(1, 15)]
    assert all(present[9] == 0 and present[8] > 100 for present in nights)


def test_the_car_charges_at_eleven_kilowatts_on_some_winter_evenings():
    evenings = [max(moment_of((1, day), hour / 2).present[8] for hour in range(34, 45)) for day in range(5, 19)]
    assert 3 <= sum(10_500 < watts < 17_000 for watts in evenings) <= 12


def test_one_phase_may_feed_back_while_another_draws():
    found = False
    start = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
    meter = house(1, start)
    for step in range(0, 4 * DAY, CELL):
        present = meter.at(start + step).present
        found |= any(present[185 + phase] for phase in range(3)) and any(present[188 + phase] for phase in range(3))
    assert found


def test_days_cost_what_days_cost():
    for month in range(1, 13):
        start = int(datetime(2026, month, 10, tzinfo=UTC).timestamp())
        meter = house(1, start)
        used = meter.at(start + DAY).total[0] - meter.at(start).total[0]
        assert 3_000 < used < 110_000


def test_outages_are_counted_with_their_seconds():
    meter = house(1, FIRST, start=(0, 0))
    first = meter.at(FIRST)
    later = meter.at(FIRST + 130 * DAY)
    more = later.total[5] - first.total[5]
    assert more >= 1
    assert later.total[4] - first.total[4] >= 2 * more


def test_the_house_stands_still_before_its_meter_was_installed():
    meter = house(1, FIRST, start=(1000, 50))
    assert meter.at(0) == meter.at(FIRST - 1) == meter.at(FIRST)
    assert meter.at(0).total[:2] == [1000, 50]


def test_registers_roll_over_at_their_digits():
    meter = house(1, FIRST, start=(99_999, 0), digits=5)
    assert meter.at(FIRST).total[0] == 99_999
    rolled = meter.at(FIRST + DAY)
    assert rolled.total[0] < 99_999
    assert rolled.tiers[0][0] < 100_000


def test_neighbours_differ_but_share_the_grid():
    now = FIRST + DAY
    moments = [meter.at(now) for meter in neighbourhood(20)]
    assert len({tuple(moment.total) for moment in moments}) == 20
    assert len({moment.present[15] for moment in moments}) >= 18
    assert len({moment.present[19] for moment in moments}) == 1
