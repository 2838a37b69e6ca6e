"""Parquet files: another program's reader (pyarrow) finds in them exactly what was put in."""

import io
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from osgp.image.parquet import Column, Holds, parquet

arrow = pytest.importorskip("pyarrow.parquet")

COLUMNS = (
    Column("at", Holds.TIME),
    Column("kwh", Holds.NUMBER),
    Column("count", Holds.WHOLE),
    Column("complete", Holds.TRUTH),
    Column("meter", Holds.WORDS),
)
TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
    lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
)
ROWS = st.lists(
    st.tuples(
        st.none() | TIMES,
        st.none() | st.floats(allow_nan=False),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        st.none() | st.text(st.characters(exclude_categories=["Cs"])),
    ),
    max_size=40,
)


def read(columns, rows):
    """Return the rows that another reader finds, and its table."""
    table = arrow.read_table(io.BytesIO(b"".join(parquet(columns, rows))))
    return [tuple(row.values()) for row in table.to_pylist()], table


@given(rows=ROWS)
@settings(max_examples=60, deadline=None)
def test_every_cell_comes_back_and_an_absent_one_is_absent(rows):
    assert read(COLUMNS, rows)[0] == rows


def test_the_types_are_those_that_were_asked_for():
    _, table = read(COLUMNS, [])
    assert [str(field.type) for field in table.schema] == ["timestamp[ms, tz=UTC]", "double", "int64", "bool", "string"]
    assert table.schema.names == [column.name for column in COLUMNS]


def test_more_rows_than_a_group_and_more_columns_than_a_short_list():
    columns = [Column(f"column {number}", Holds.WHOLE) for number in range(20)]
    rows = [tuple(range(number, number + 20)) for number in range(45_000)]
    found, table = read(columns, rows)
    assert found[19_999:20_001] == rows[19_999:20_001]
    assert found[-1] == rows[-1]
    assert table.num_rows == 45_000


def test_a_time_with_an_offset_is_the_same_moment_in_utc():
    east = timezone(timedelta(hours=5, minutes=30))
    found, _ = read(COLUMNS[:1], [(datetime(2026, 3, 29, 3, 30, 0, 250_000, tzinfo=east),)])
    assert found == [(datetime(2026, 3, 28, 22, 0, 0, 250_000, tzinfo=UTC),)]
