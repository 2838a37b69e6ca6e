"""Pure rules: how often to read, and which bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import MisuseError
from osgp.meter.budget import ReadBudget
from osgp.tables.schema.windows import windows


def test_a_burst_is_free_then_one_read_a_second():
    budget = ReadBudget(rate=1.0, burst=3)
    assert [budget.take(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 1.0, 2.0]
    assert budget.available(100.0) == -2.0


def test_it_fills_again_up_to_the_burst():
    budget = ReadBudget(rate=2.0, burst=3)
    for _ in range(3):
        budget.take(0.0)
    assert budget.available(1.0) == 2.0
    assert budget.available(1000.0) == 3.0


@given(st.lists(st.floats(0, 5), min_size=1, max_size=80))
def test_never_more_than_rate_and_burst_allow(gaps):
    budget, now, reads = ReadBudget(rate=1.0, burst=4), 0.0, []
    for gap in gaps:
        now += gap
        now += budget.take(now)
        reads.append(now)
    for first, start in enumerate(reads):
        for last in range(first, len(reads)):
            assert last - first + 1 <= 4 + (reads[last] - start) + 1e-6


@pytest.mark.parametrize("arguments", [(0.0, 5), (-1.0, 5), (1.0, 0)])
def test_a_budget_of_nothing_is_a_mistake(arguments):
    with pytest.raises(MisuseError):
        ReadBudget(*arguments)


@pytest.mark.parametrize(
    ("pieces", "limit", "expected"),
    [
        ([], 100, []),
        ([(0, 4), (4, 4)], 100, [(0, 8)]),
        ([(0, 4), (4, 4)], 7, [(0, 4), (4, 4)]),
        ([(1, 4), (5, 4), (9, 4)], 8, [(1, 8), (9, 4)]),
        ([(9, 4), (1, 4)], 12, [(1, 12)]),
        ([(0, 4), (50, 4)], 20, [(0, 4), (50, 4)]),
        ([(0, 250)], 100, [(0, 100), (100, 100), (200, 50)]),
    ],
)
def test_windows(pieces, limit, expected):
    assert windows(pieces, limit) == expected


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(1, 20)), max_size=40), st.integers(20, 465))
def test_windows_cover_every_piece_whole(pieces, limit):
    found = windows(pieces, limit)
    assert all(0 < count <= limit for _, count in found)
    for offset, count in pieces:
        assert any(start <= offset and offset + count <= start + length for start, length in found)
