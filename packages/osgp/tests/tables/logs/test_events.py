"""Two event logs that share one count of numbers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import TableError
from osgp.tables import Dimensions
from osgp.tables.logs.events import ALTERNATE, PRIMARY, Event, decode_log, event_ring, together
from osgp.tables.schema.dimensions import Logs
from osgp.tables.schema.types import LTIME_DATE_UTC

DIMS = Dimensions(logs=Logs(events=100, argument_size=2, alternate_events=20))


def log_of(numbers, places=100, spare=b""):
    """Return a log into which these events were entered, one after the other."""
    ring = [bytes(14)] * places
    for number in numbers:
        time = LTIME_DATE_UTC.encode(datetime(2026, 1, 1, number // 60 % 24, number % 60, tzinfo=UTC))  # type: ignore[misc]
        words = (number & 0xFFFF, 0xFFFF, 0x3000 | number % 256)
        ring[number % places] = time + b"".join(word.to_bytes(2, "little") for word in words) + b"\x01\x02"
    last = numbers[-1] if numbers else 0
    header = bytes((4,)) + min(len(numbers), places).to_bytes(2, "little") + (last % places).to_bytes(2, "little")
    return header + last.to_bytes(4, "little") + bytes(2) + b"".join(ring) + spare


def event(number, *logs, time=None, argument=b""):
    return Event(number, time, 0xFFFF, 1, argument, logs or (PRIMARY,))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 250])
def test_07_26_newest_first_over_the_wrap_of_the_ring(count):
    entries = decode_log(log_of(range(count)), DIMS)
    assert [entry.sequence for entry in entries] == list(range(count - 1, max(-1, count - 101), -1))


def test_07_26_an_entry():
    assert decode_log(log_of([5]), DIMS) == [Event(5, datetime(2026, 1, 1, 0, 5, tzinfo=UTC), 0xFFFF, 5, b"\x01\x02")]


def test_d6_the_alternate_log_has_a_size_of_its_own():
    data = log_of(range(30), places=20)
    assert len(data) == 11 + 20 * 14
    found = decode_log(data, DIMS, ALTERNATE)
    assert [entry.sequence for entry in found] == list(range(29, 9, -1))
    assert {entry.logs for entry in found} == {(ALTERNATE,)}
    with pytest.raises(TableError, match="291 bytes where 1411 are right"):
        decode_log(data, DIMS)


@pytest.mark.parametrize(("table", "told"), [(PRIMARY, r"BT71\.5"), (ALTERNATE, r"ET54\.80")])
def test_a_log_of_unknown_size_is_not_guessed(table, told):
    assert event_ring(Dimensions(), table) is None
    assert event_ring(Dimensions(logs=Logs(events=4, alternate_events=4)), table) is None, (
        "nobody told the argument's length"
    )
    with pytest.raises(TableError, match=told):
        decode_log(log_of([5]), Dimensions(), table)


@pytest.mark.parametrize("damage", ["short", "long", "too many", "outside"])
def test_a_log_that_contradicts_itself_is_refused(damage):
    data = bytearray(log_of([5]))
    if damage == "short":
        data.pop()
    elif damage == "long":
        data.append(0)
    else:
        place = 1 if damage == "too many" else 3
        data[place : place + 2] = (101).to_bytes(2, "little")
    with pytest.raises(TableError):
        decode_log(bytes(data), DIMS)


@given(st.binary(min_size=11 + 5 * 14, max_size=11 + 5 * 14))
def test_any_bytes_are_read_or_refused(data):
    try:
        entries = decode_log(data, Dimensions(logs=Logs(events=5, argument_size=2)))
    except TableError:
        return
    assert len(entries) <= 5
    numbers = [entry.sequence for entry in entries]
    assert numbers == sorted(set(numbers), reverse=True)


def test_p52_the_example_of_two_logs():
    # "events 1-10 may occur in the primary log, events 11-15 in the alternate log, and events 16-20 in the primary log".
    primary = [event(number) for number in (*range(20, 15, -1), *range(10, 0, -1))]
    alternate = [event(number, ALTERNATE) for number in range(15, 10, -1)]
    every = together(primary, alternate)
    assert [one.sequence for one in every] == list(range(20, 0, -1))
    assert [one.logs for one in every[4:6]] == [(PRIMARY,), (ALTERNATE,)]


def test_an_event_of_both_logs_comes_once():
    assert together([event(7)], [event(7, ALTERNATE)]) == [event(7, PRIMARY, ALTERNATE)]


def test_different_events_of_one_number_are_both_there():
    assert len(together([event(7)], [event(7, ALTERNATE, argument=b"x")])) == 2


def test_order_is_that_of_numbers_whatever_the_clock_said():
    early, late = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    every = together([event(9, time=early), event(8, time=late)], [event(10, ALTERNATE)])
    assert [one.sequence for one in every] == [10, 9, 8]
