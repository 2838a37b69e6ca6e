"""Local time of the simulated place."""

from datetime import UTC, datetime

import pytest

from osgp.simulator.household import CELL
from osgp.simulator.localtime import DAY_HOURS, DAY_TIER, NIGHT_TIER, daylight_saving, local_offset, tier_at


def utc(*moment):
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("moment", "summer"),
    [
        ((2026, 3, 29, 0, 59, 59), False),
        ((2026, 3, 29, 1, 0, 0), True),
        ((2026, 10, 25, 0, 59, 59), True),
        ((2026, 10, 25, 1, 0, 0), False),
        ((2027, 3, 28, 1, 0, 0), True),
        ((2025, 3, 30, 0, 59, 59), False),
    ],
)
def test_the_union_switches_on_last_sundays(moment, summer):
    assert daylight_saving(utc(*moment)) is summer
    assert local_offset(utc(*moment)) == (7200 if summer else 3600)


@pytest.mark.parametrize(
    ("moment", "tier"),
    [
        ((2026, 1, 10, 4, 59, 59), NIGHT_TIER),
        ((2026, 1, 10, 5, 0, 0), DAY_TIER),
        ((2026, 1, 10, 20, 59, 59), DAY_TIER),
        ((2026, 1, 10, 21, 0, 0), NIGHT_TIER),
        ((2026, 7, 10, 4, 0, 0), DAY_TIER),
        ((2026, 7, 10, 20, 0, 0), NIGHT_TIER),
    ],
)
def test_tiers_follow_local_time(moment, tier):
    assert tier_at(utc(*moment)) == tier


def test_a_cell_has_one_tier():
    assert 3600 % CELL == 0
    assert DAY_HOURS.step == 1
