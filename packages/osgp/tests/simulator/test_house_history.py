"""What happens to a house: its registers are the sum of what its present values say, second by second."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.simulator.history.happenings import (
    BrokenConductor,
    ClockSet,
    History,
    NeutralLost,
    PhaseLost,
    PowerCut,
    VoltageChange,
)
from osgp.simulator.house import House, neighbourhood
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

INSTALLED = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
NOON = INSTALLED + 86400 + 12 * 3600
LEDGER = Ledger(Household(1), INSTALLED)
FORWARD, REVERSE, INDUCTIVE, CAPACITIVE = range(4)
SECONDS, COUNT = 4, 5
SPAN = 1500


def house(*happenings, **more):
    return House(ledger=LEDGER, history=History(happenings), **more)


def grown(one, begin, end):
    early, late = one.at(begin).total, one.at(end).total
    return [late[place] - early[place] for place in range(4)]


def summed(one, begin, end):
    """Return Wh and varh by the present values of the seconds after ``begin``, as sources 8 to 11 give them."""
    sums = [0, 0, 0, 0]
    for second in range(begin + 1, end + 1):
        present = one.at(second).present
        for place, source in enumerate((8, 9, 10, 11)):
            sums[place] += present[source]
    return [joules / 3600 for joules in sums]


stretches = st.tuples(st.integers(1, SPAN), st.integers(1, SPAN))


@settings(max_examples=12, deadline=None)
@given(
    cuts=st.lists(stretches, max_size=2),
    lost=st.lists(st.tuples(*[st.integers(1, SPAN)] * 2, st.integers(1, 3)), max_size=3),
)
def test_registers_are_the_sum_of_what_is_present(cuts, lost):
    one = house(
        *[PowerCut(NOON + at, seconds) for at, seconds in cuts],
        *[PhaseLost(NOON + at, seconds, phase) for at, seconds, phase in lost],
        phase_shift=1,
    )
    for registers, powers in zip(grown(one, NOON, NOON + SPAN), summed(one, NOON, NOON + SPAN), strict=True):
        assert abs(registers - powers) < 2.01  # two tiers, whole Wh each


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(stretches, max_size=4), moments=st.lists(st.integers(0, 3 * SPAN), min_size=2, max_size=20))
def test_registers_never_fall_and_agree_with_those_of_the_logs(cuts, moments):
    one = house(*[PowerCut(NOON + at, seconds) for at, seconds in cuts], PhaseLost(NOON, 700, 2))
    shown = [one.at(NOON + moment) for moment in sorted(moments)]
    for earlier, later in pairwise(shown):
        for before, after in zip([earlier.total, *earlier.tiers], [later.total, *later.tiers], strict=True):
            assert all(b <= a for b, a in zip(before[:6], after[:6], strict=True))
    for moment in moments:
        assert one.registers_at(NOON + moment + 1)[0][:4] == list(one.at(NOON + moment).total[:4])


def test_in_a_power_cut_registers_stand_still_and_all_is_zero():
    one, usual = house(PowerCut(NOON, 1000)), house()
    assert one.at(NOON - 1) == usual.at(NOON - 1)
    still = [one.at(NOON + second).total[:4] for second in (0, 1, 500, 999)]
    assert [list(total) for total in still] == [list(usual.at(NOON - 1).total[:4])] * 4
    dark = one.at(NOON + 500).present
    assert {dark[source] for source in (8, 9, 12, 13, 14, 15, 16, 17)} == {0}
    averages = {205: 0, 206: 0, 207: 0}  # of a time in which there was no voltage
    assert one.at(NOON + 1000).present | averages == usual.at(NOON + 1000).present | averages
    assert grown(one, NOON + 999, NOON + 5000) == pytest.approx(grown(usual, NOON + 999, NOON + 5000), abs=1)


def test_a_power_cut_is_an_outage_when_it_is_over():
    one, usual = house(PowerCut(NOON, 1000), PowerCut(NOON + 1000, 20)), house()
    assert one.at(NOON + 1019).total[COUNT] == usual.at(NOON).total[COUNT]
    assert one.at(NOON + 1020).total[COUNT] == usual.at(NOON).total[COUNT] + 1, "one after the other is one"
    assert one.at(NOON + 1020).total[SECONDS] == usual.at(NOON).total[SECONDS] + 1020
    assert (NOON, NOON + 1020) in one.outages(NOON + 1020)
    assert (NOON, NOON + 1020) not in one.outages(NOON + 1019)


def test_a_lost_phase_has_no_voltage_and_no_current():
    present = house(PhaseLost(NOON, 60, 2)).at(NOON + 5).present
    assert (present[16], present[13]) == (0, 0)
    assert present[15] > 220_000 < present[17]
    assert house(PhaseLost(NOON, 60, 2)).at(NOON + 60).present[16] > 220_000


def percent(present):
    return [present[source] / 2300 for source in (15, 16, 17)]


def test_a_lost_neutral_is_the_zero_fault_of_page_36():
    one, two, three = percent(house(NeutralLost(NOON, 60, 2)).at(NOON + 5).present)
    assert two >= 115
    assert 60 <= one <= 85
    assert 60 <= three <= 85


def test_a_broken_conductor_is_that_of_page_35():
    one, two, three = percent(house(BrokenConductor(NOON, 900, 3)).at(NOON + 5).present)
    assert 85 <= three <= 115
    for half in (one, two):
        assert abs(half / three - 0.5) <= 0.025


def test_a_changed_voltage_is_that_of_one_phase():
    one, two, three = percent(house(VoltageChange(NOON, 60, 1, 80)).at(NOON + 5).present)
    assert 77 < one < 83
    assert 97 < two < 103 > three > 97


def test_a_set_clock_moves_no_register():
    assert house(ClockSet(NOON, 3600)).at(NOON + 7200) == house().at(NOON + 7200)


def test_what_happened_before_the_installation_is_refused():
    with pytest.raises(MisuseError, match="installed on 2026-03-01"):
        house(ClockSet(INSTALLED, 5))


def test_a_street_has_one_history():
    history = History([PowerCut(INSTALLED + 500_000_000, 5)])
    assert all(one.history is history for one in neighbourhood(3, history=history))


def test_no_meter_was_there_before():
    with pytest.raises(ValueError, match="no meter was there"):
        house().registers_at(INSTALLED - 1)


@pytest.mark.parametrize("wrong", [lambda: PowerCut(1, 0), lambda: ClockSet(1, 0), lambda: PhaseLost(1, 5, 4)])
def test_happenings_that_cannot_be(wrong):
    with pytest.raises(MisuseError):
        wrong()
