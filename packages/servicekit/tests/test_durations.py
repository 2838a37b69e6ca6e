"""Durations as people say them."""

from __future__ import annotations

import pytest

from servicekit.durations import about


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 seconds"),
        (56, "56 seconds"),
        (58, "1 minute"),
        (3 * 3600 + 100, "3 hours"),
        (86400, "1 day"),
        (2 * 86400, "2 days"),
        (54 * 366 * 86400, "54 years"),
    ],
)
def test_a_duration_is_said_in_its_largest_unit(seconds, said):
    assert about(seconds) == said
