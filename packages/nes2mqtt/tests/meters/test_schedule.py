"""The grid of reads and the waits between attempts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.meters.schedule import Schedule
from nes2mqtt.timing.backoff import Backoff


def test_all_are_due_at_the_start_in_the_order_given():
    schedule = Schedule({"a": 2.0, "b": 10.0}, 100.0)
    assert schedule.next() == ("a", 100.0)
    schedule.done("a", 100.5)
    assert schedule.next() == ("b", 100.0)


def test_a_late_job_goes_on_with_its_grid_and_makes_nothing_up():
    schedule = Schedule({"a": 2.0}, 0.0)
    schedule.done("a", 7.3)
    assert schedule.next() == ("a", 8.0)
    schedule.done("a", 8.0)
    assert schedule.next() == ("a", 10.0)


def test_a_job_can_be_brought_forward_and_put_off():
    schedule = Schedule({"a": 10.0}, 0.0)
    schedule.done("a", 0.1)
    schedule.soon("a", 1.1)
    assert schedule.next() == ("a", 1.1)
    schedule.soon("a", 5.0)
    assert schedule.next() == ("a", 1.1)
    schedule.postpone("a", 600.0)
    assert schedule.next() == ("a", 600.0)


@given(st.floats(0.1, 100), st.lists(st.floats(0, 1000), min_size=1, max_size=30))
def test_a_job_is_never_due_in_the_past_nor_more_than_a_period_ahead(period, delays):
    schedule = Schedule({"a": period}, 0.0)
    now = 0.0
    for delay in delays:
        now = max(now, schedule.next()[1]) + delay
        schedule.done("a", now)
        due = schedule.next()[1]
        assert now < due <= now + period * (1 + 1e-9) or due == pytest.approx(now, rel=1e-9)


def test_backoff_doubles_to_its_limit_and_starts_again():
    backoff = Backoff(1, 5)
    assert [backoff.next() for _ in range(5)] == [1, 2, 4, 5, 5]
    backoff.reset()
    assert backoff.next() == 1
