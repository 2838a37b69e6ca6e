from __future__ import annotations

import pytest

from nes2mqtt.history.tables.energy import Head, difference
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]
NET = SOURCES["active_energy_net"]


@pytest.mark.parametrize(
    ("source", "earlier", "later", "counted"),
    [
        (IMPORT, 1000, 1000, 0),
        (IMPORT, 1000, 1003, 3),
        (IMPORT, 99_999, 2, 3),  # five digits
        (IMPORT, 999_999_990, 5, 15),  # nine digits
        (IMPORT, 9_999_999_900, 100, 200),  # eight digits in units of 100 Wh
        (IMPORT, 500_000, 3, None),  # no roll-over is near: not believed
        (IMPORT, 42, 3, None),
        (NET, 1000, 990, -10),
    ],
)
def test_difference(source, earlier, later, counted):
    assert difference(source, earlier, later) == counted


def test_a_register_that_was_absent_for_a_while_is_counted_when_it_is_back():
    head = Head(1, 0, 1, {IMPORT: 100, NET: 5})
    assert head.advance(2, 10, 1, {NET: 6}, (IMPORT, NET)) == {NET: 1}
    assert head.advance(3, 20, 1, {IMPORT: 130, NET: 6}, (IMPORT, NET)) == {IMPORT: 30, NET: 0}


def test_the_next_segment_starts_without_a_difference():
    head = Head(1, 0, 1, {IMPORT: 100, NET: 5})
    assert head.advance(2, 10, 2, {IMPORT: 4000}, (IMPORT, NET)) == {}
    assert head.advance(3, 20, 2, {IMPORT: 4001, NET: 1}, (IMPORT, NET)) == {IMPORT: 1}
