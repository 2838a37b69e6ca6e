"""Outages from two tables, in local time and in UTC."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import TableError
from osgp.tables import Dimensions
from osgp.tables.logs.outages import Outage, in_zone, outage_ring, put_together, recorded
from osgp.tables.schema.dimensions import Logs

DENMARK = ZoneInfo("Europe/Copenhagen")
DIMS = Dimensions(firmware=(3, 82))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(text):
    return datetime.fromisoformat(text)


def logged(begin, end, sequence=0):
    return Outage(local_begin=local(begin), local_end=local(end), sequence=sequence)


def record(off, on, seconds, cause=3):
    return {"power_off": off and utc(off), "power_on": on and utc(on), "duration": seconds, "cause": cause}


@pytest.mark.parametrize(
    ("begin", "end", "seconds"),
    [
        ("2026-06-01 12:00:00", "2026-06-01 12:00:45", 45),
        ("2026-10-25 02:50:00", "2026-10-25 02:10:00", 1200),  # the only way it can have been
        ("2026-10-25 01:50:00", "2026-10-25 03:10:00", 2 * 3600 + 1200),  # over the whole hour that comes twice
        ("2026-10-25 02:10:00", "2026-10-25 02:50:00", None),  # 40 or 100 minutes
        ("2026-10-25 02:10:00", "2026-10-25 03:10:00", None),
        ("2026-03-29 01:50:00", "2026-03-29 03:10:00", 1200),  # over the hour that is left out
        ("2026-03-29 02:10:00", "2026-03-29 03:10:00", None),  # such a time was never
        ("2026-06-01 12:00:00", "2026-06-01 11:00:00", None),  # the clock was set
    ],
)
def test_local_times_give_a_length_only_where_there_is_no_choice(begin, end, seconds):
    outage = in_zone(logged(begin, end), DENMARK)
    assert outage.seconds == seconds
    assert (outage.begin is None) == (outage.end is None) == (seconds is None)
    if outage.begin is not None and outage.end is not None:
        assert outage.end - outage.begin == timedelta(seconds=outage.seconds or 0)
        assert outage.begin.astimezone(DENMARK).replace(tzinfo=None) == outage.local_begin


@given(st.datetimes(local("2026-01-01"), local("2027-12-31")), st.integers(0, 7200))
def test_what_a_zone_tells_is_true(begin, seconds):
    begin = begin.replace(microsecond=0, tzinfo=UTC)
    end = begin + timedelta(seconds=seconds)
    local_begin, local_end = (each.astimezone(DENMARK).replace(tzinfo=None, fold=0) for each in (begin, end))
    found = in_zone(Outage(local_begin=local_begin, local_end=local_end), DENMARK)
    assert found.seconds in (None, seconds)
    assert found.begin in (None, begin)
    if not (begin.month == 10 and 24 <= begin.day <= 31):
        assert found.seconds == seconds


def test_without_a_zone_local_times_stay_what_they_are():
    outage = logged("2026-06-01 12:00:00", "2026-06-01 12:00:45")
    assert in_zone(outage, None) == outage


def test_an_outage_that_both_tables_have_comes_once():
    known = recorded(
        [
            record("2026-10-25 00:50:00", "2026-10-25 01:10:00", 1200),
            record("2026-08-01 10:00:00", "2026-08-01 10:00:01", 1, cause=8),
            record("2026-06-01 10:00:00", "2026-06-01 10:00:45", 45),
        ],
        DIMS,
    )
    log = [
        logged("2026-10-25 02:50:00", "2026-10-25 02:10:00", 9),
        logged("2026-06-01 12:00:00", "2026-06-01 12:00:45", 8),
        logged("2025-06-01 12:00:00", "2025-06-01 12:01:00", 7),
    ]
    every = put_together(log, known, 3)
    assert [(one.sequence, one.seconds, one.cause) for one in every] == [
        (9, 1200, 3),
        (None, 1, 8),
        (8, 45, 3),
        (7, None, None),
    ]
    assert every[0].local_begin == local("2026-10-25 02:50:00")
    assert every[0].begin == utc("2026-10-25 00:50:00")


def test_records_that_are_not_new_only_help_to_understand_the_log():
    known = recorded(
        [
            record("2026-08-01 10:00:00", "2026-08-01 10:00:01", 1),
            record("2026-06-01 10:00:00", "2026-06-01 10:00:45", 45),
        ],
        DIMS,
    )
    log = [logged("2026-06-01 12:00:00", "2026-06-01 12:00:45", 8)]
    assert [(one.sequence, one.seconds) for one in put_together(log, known, 0)] == [(8, 45)]


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        ("2026-06-01 12:00:01", "2026-06-01 12:00:45"),  # a second later
        ("2026-06-01 12:00:00", "2026-06-01 15:00:45"),  # three hours of daylight saving
        ("2026-06-02 12:00:00", "2026-06-02 12:00:45"),  # the next day
    ],
)
def test_an_outage_at_another_time_is_another_one(begin, end):
    known = recorded([record("2026-06-01 10:00:00", "2026-06-01 10:00:45", 45)], DIMS)
    assert len(put_together([logged(begin, end)], known, 1)) == 2


@pytest.mark.parametrize(("firmware", "seconds"), [((2, 0), 125), ((2, 10), 2), (None, 2)])
def test_firmware_2_0_is_not_believed_to_count_seconds(firmware, seconds):
    # Registers of firmware 2.0 count minutes (Optical guide v1.1 p. 25).
    (outage,) = recorded([record("2026-06-01 10:00:00", "2026-06-01 10:02:05", 2)], Dimensions(firmware=firmware))
    assert outage.seconds == seconds


def test_firmware_2_0_without_times_tells_no_length():
    (outage,) = recorded([record(None, "2026-06-01 10:02:05", 2)], Dimensions(firmware=(2, 0)))
    assert outage.seconds is None


def test_entries_of_another_size_are_no_outages():
    with pytest.raises(TableError, match="13 bytes"):
        outage_ring(Dimensions(logs=Logs(outages=5, outage_size=13)))
    assert outage_ring(Dimensions(logs=Logs(outages=0, outage_size=12))) is None
    assert outage_ring(Dimensions()) is None
