from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nes2mqtt.history.queries.periods import Unit, cut, floor, following, periods

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
ZONES = ["Europe/Copenhagen", "UTC", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Santiago"]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-06-01", 24), ("2026-10-25", 25)])
def test_a_local_day_has_as_many_hours_as_the_clocks_say(day, hours):
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=COPENHAGEN)
    start = floor(noon, Unit.DAY, COPENHAGEN)
    end = following(start, Unit.DAY, COPENHAGEN)
    assert end - start == timedelta(hours=hours)
    assert len(list(periods(start, end, Unit.HOUR, COPENHAGEN))) == hours


def test_the_hour_that_comes_twice_in_autumn_is_two_periods():
    first = floor(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), Unit.HOUR, COPENHAGEN)
    second = floor(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), Unit.HOUR, COPENHAGEN)
    assert second - first == timedelta(hours=1)
    assert first.astimezone(COPENHAGEN).hour == second.astimezone(COPENHAGEN).hour == 2


def test_a_month_with_a_clock_change_is_an_hour_shorter():
    start = floor(datetime(2026, 3, 15, tzinfo=UTC), Unit.MONTH, COPENHAGEN)
    assert following(start, Unit.MONTH, COPENHAGEN) - start == timedelta(days=31, hours=-1)


def test_a_day_without_midnight_begins_with_its_first_moment():
    zone = ZoneInfo("America/Santiago")  # clocks went from 24:00 to 01:00 on 2025-09-07
    start = floor(datetime(2025, 9, 7, 15, tzinfo=UTC), Unit.DAY, zone)
    assert start == datetime(2025, 9, 7, 4, tzinfo=UTC)
    assert following(start, Unit.DAY, zone) - start == timedelta(hours=23)
    assert following(start - timedelta(hours=24), Unit.DAY, zone) == start


@settings(max_examples=300)
@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)).map(lambda time: time.replace(tzinfo=UTC)),  # noqa: DTZ001
    st.sampled_from(list(Unit)),
    st.sampled_from(ZONES),
)
def test_every_moment_is_in_the_period_it_floors_to_and_periods_join(moment, unit, name):
    zone = ZoneInfo(name)
    start = floor(moment, unit, zone)
    end = following(start, unit, zone)
    assert start <= moment < end
    assert floor(end - timedelta(microseconds=1), unit, zone) == start
    assert floor(end, unit, zone) == end


def test_a_week_begins_on_monday_and_is_an_hour_longer_in_autumn():
    start = floor(datetime(2026, 10, 25, 12, tzinfo=UTC), Unit.WEEK, COPENHAGEN)
    assert start.astimezone(COPENHAGEN).isoformat() == "2026-10-19T00:00:00+02:00"
    assert following(start, Unit.WEEK, COPENHAGEN) - start == timedelta(days=7, hours=1)
    assert start.astimezone(COPENHAGEN).isocalendar().week == 43


@pytest.mark.parametrize(("day", "quarters"), [("2026-03-29", 92), ("2026-06-01", 96), ("2026-10-25", 100)])
def test_a_day_has_its_quarter_hours(day, quarters):
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=COPENHAGEN)
    start = floor(noon, Unit.DAY, COPENHAGEN)
    end = following(start, Unit.DAY, COPENHAGEN)
    assert len(list(periods(start, end, Unit.QUARTER, COPENHAGEN))) == quarters


def test_periods_are_cut_to_the_quarter_hour_before():
    start, end = datetime(2026, 11, 3, 10, 20, tzinfo=UTC), datetime(2026, 11, 5, 14, 29, tzinfo=UTC)
    found = list(cut(periods(start, end, Unit.DAY, COPENHAGEN), start, end))
    assert found[0] == (datetime(2026, 11, 3, 10, 15, tzinfo=UTC), datetime(2026, 11, 3, 23, tzinfo=UTC))
    assert found[-1] == (datetime(2026, 11, 4, 23, tzinfo=UTC), datetime(2026, 11, 5, 14, 15, tzinfo=UTC))
    assert len(found) == 3
    same = start + timedelta(minutes=5)
    assert list(cut(periods(start, same, Unit.DAY, COPENHAGEN), start, same)) == []
