"""What is raised and what is told: never to and fro, never twice, never forgotten; quiet hours on days when the clocks change."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.alerts.book import AlertBook
from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.quiet import parse_hours
from nes2mqtt.alerts.rule import Rule, Watch
from nes2mqtt.alerts.telling import Telling, What

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LOAD = Rule(Kind.PHASE_LOAD, "house", 22.5, 20.0, 60.0, 120.0, phase="l2", fuse=25.0)
LOW = Rule(Kind.VOLTAGE_LOW, "house", 207.0, 209.0, 60.0, 300.0, below=True, phase="l1")

VALUES = st.one_of(st.none(), st.sampled_from([0.0, 19.9, 20.0, 21.0, 22.5, 22.6, 30.0, 206.0, 207.0, 208.0, 209.0]))
LOOKS = st.lists(st.tuples(st.floats(0.5, 200.0), VALUES), max_size=60)


def label(instant: float) -> datetime:
    return START + timedelta(seconds=instant)


def changes(rule, looks):
    watch, now, found, seen = Watch(), 0.0, [], []
    for step, value in looks:
        now += step
        seen.append((now, value))
        if (change := watch.see(rule, value, now)) is not None:
            found.append((now, change))
    return found, seen


@given(st.sampled_from([LOAD, LOW]), LOOKS)
def test_what_is_raised_is_cleared_before_it_is_raised_again_and_each_takes_its_time(rule, looks):
    found, _ = changes(rule, looks)
    for number, (now, change) in enumerate(found):
        assert change.raised == (number % 2 == 0)
        hold = rule.raise_after if change.raised else rule.clear_after
        earlier = found[number - 1][0] if number else 0.0
        assert now - earlier >= hold


@given(st.sampled_from([LOAD, LOW]), LOOKS)
def test_during_its_whole_hold_every_value_was_known_and_spoke_for_the_change(rule, looks):
    """The oracle: plain arithmetic over the looks, without the state machine."""
    found, seen = changes(rule, looks)
    for now, change in found:
        hold = rule.raise_after if change.raised else rule.clear_after
        within = [(at, value) for at, value in seen if change.since <= at <= now]
        assert now - change.since >= hold
        for _, value in within:
            assert value is not None
            if change.raised:
                assert value < 207.0 if rule.below else value > 22.5
            else:
                assert value >= 209.0 if rule.below else value <= 20.0


def test_a_value_that_is_absent_changes_nothing_and_says_that_it_is_unknown():
    watch = Watch()
    for now in range(0, 70, 10):
        watch.see(LOAD, 24.0, float(now))
    assert watch.raised
    assert not watch.unknown
    for now in range(70, 10_000, 10):
        assert watch.see(LOAD, None, float(now)) is None
    assert watch.raised
    assert watch.unknown


def test_a_hold_begins_anew_after_a_value_was_absent():
    watch = Watch()
    assert watch.see(LOAD, 24.0, 0.0) is None
    assert watch.see(LOAD, None, 30.0) is None
    assert watch.see(LOAD, 24.0, 59.0) is None
    assert watch.see(LOAD, 24.0, 61.0) is None
    assert watch.see(LOAD, 24.0, 119.0) is not None


@pytest.mark.parametrize(("rule", "wrong", "between", "right"), [(LOAD, 24.0, 20.1, 20.0), (LOW, 206.9, 208.9, 209.0)])
def test_between_the_two_limits_nothing_changes(rule, wrong, between, right):
    found, _ = changes(rule, [(10.0, between)] * 360 + [(10.0, wrong)] * 7 + [(10.0, between)] * 360)
    assert [change.raised for _, change in found] == [True]
    found, _ = changes(rule, [(10.0, wrong)] * 8 + [(10.0, right)] * 31)
    assert [change.raised for _, change in found] == [True, False]


def test_a_thousand_edges_of_a_value_that_swings_around_its_limit_make_no_alert():
    looks = [(5.0, 22.6 if number % 2 else 22.4) for number in range(1000)]
    assert changes(LOAD, looks)[0] == []


STEPS = st.lists(
    st.tuples(st.floats(1.0, 120.0), VALUES, st.booleans(), st.booleans()),  # seconds, value, quiet, restart
    max_size=60,
)


@given(STEPS)
def test_people_are_told_in_turn_whatever_the_hours_and_however_often_it_starts_anew(steps):
    book, now, told = AlertBook([LOAD]), 0.0, []
    for seconds, value, quiet, restart in steps:
        now += seconds
        if restart:
            document = json.loads(json.dumps(book.document()))
            book = AlertBook([LOAD])
            book.remember(document)
        (alert,) = book.alerts
        book.see(alert, value, now)
        told += book.settle(label, label(now), quiet=quiet)
    in_turn = [one.what for one in told if one.what in {What.RAISED, What.CLEARED}]
    assert in_turn == [What.RAISED, What.CLEARED] * (len(in_turn) // 2) + [What.RAISED] * (len(in_turn) % 2)
    assert [one.number for one in told] == list(range(1, len(told) + 1))
    (alert,) = book.alerts
    last = book.settle(label, label(now), quiet=False)
    # When nobody is to be left in peace any more, what people know is what is so.
    known = [one.what for one in [*told, *last] if one.what in {What.RAISED, What.CLEARED}]
    assert (known[-1:] == [What.RAISED]) == alert.raised
    assert book.settle(label, label(now), quiet=False) == []


class Drive:
    """Gives values for some seconds each, a look every ten; returns what is told."""

    def __init__(self):
        self.now = 0.0

    def __call__(self, book, spans, *, quiet):
        told = []
        for seconds, value in spans:
            for _ in range(0, seconds, 10):
                self.now += 10.0
                (alert,) = book.alerts
                book.see(alert, value, self.now)
                told += book.settle(label, label(self.now), quiet=quiet)
        return told


@pytest.fixture
def drive():
    return Drive()


def test_what_came_and_went_in_quiet_hours_is_told_once_afterwards(drive):
    book = AlertBook([LOW])
    assert drive(book, [(100, 230.0), (300, 190.0), (600, 230.0), (300, 190.0), (600, 230.0)], quiet=True) == []
    assert book.held == 1
    (told,) = drive(book, [(20, 230.0)], quiet=False)
    assert (told.what, told.times) == (What.PASSED, 2)
    assert told.since == label(1010.0)
    assert drive(book, [(600, 230.0)], quiet=False) == []


def test_what_is_still_so_when_quiet_hours_end_is_told_with_its_beginning(drive):
    book = AlertBook([LOW])
    drive(book, [(100, 230.0), (900, 190.0)], quiet=True)
    (told,) = drive(book, [(20, 190.0)], quiet=False)
    assert (told.what, told.since) == (What.RAISED, label(110.0))


def test_who_was_told_that_it_is_raised_hears_once_that_it_ended_in_the_night(drive):
    book = AlertBook([LOW])
    assert [one.what for one in drive(book, [(100, 190.0)], quiet=False)] == [What.RAISED]
    drive(book, [(600, 230.0), (300, 190.0), (600, 230.0)], quiet=True)
    assert [one.what for one in drive(book, [(20, 230.0)], quiet=False)] == [What.CLEARED]


def test_what_is_urgent_does_not_wait(drive):
    book = AlertBook([LOAD], urgent=[Kind.PHASE_LOAD])
    assert [one.what for one in drive(book, [(100, 24.0)], quiet=True)] == [What.RAISED]


def test_a_restart_tells_nothing_twice_and_knows_nothing_before_the_first_value(drive):
    book = AlertBook([LOAD])
    drive(book, [(100, 24.0)], quiet=False)
    again = AlertBook([LOAD])
    again.remember(json.loads(json.dumps(book.document())))
    (alert,) = again.alerts
    assert alert.raised
    assert alert.unknown
    assert drive(again, [(100, 24.0)], quiet=False) == []
    assert [one.what for one in drive(again, [(200, 5.0)], quiet=False)] == [What.CLEARED]
    assert again.tellings[-1].since == label(10.0)


def test_what_has_no_measured_value_is_told_without_one(drive):
    book = AlertBook([Rule(Kind.KEY_REFUSED, "house", 0.5, 0.5)])
    (told,) = drive(book, [(10, 1.0)], quiet=False)
    assert (told.value, told.limit) == (None, None)
    assert "value" not in told.document()


def test_what_left_the_configuration_is_forgotten(drive):
    book = AlertBook([LOAD])
    drive(book, [(100, 24.0)], quiet=False)
    again = AlertBook([LOW])
    again.remember(book.document())
    assert [alert.raised for alert in again.alerts] == [False]
    assert again.number == 1


def test_what_happened_waits_for_the_end_of_quiet_hours():
    book = AlertBook([])
    book.happened(Telling(What.HAPPENED, Kind.METER_EVENT, "house", events=("power up",)))
    assert book.settle(label, START, quiet=True) == []
    again = AlertBook([])
    again.remember(json.loads(json.dumps(book.document())))
    assert [one.events for one in again.settle(label, START, quiet=False)] == [("power up",)]
    assert again.settle(label, START, quiet=False) == []


def test_what_a_meter_logs_in_quiet_hours_is_one_thing_to_tell_and_does_not_grow():
    book = AlertBook([])
    for minute in range(500):
        since = START + timedelta(minutes=minute)
        for meter in ("house", "barn"):
            event = f"event {minute % 3}"
            book.happened(Telling(What.HAPPENED, Kind.METER_EVENT, meter, since=since, events=(event,)))
        assert book.settle(label, START, quiet=True) == []
    assert book.held == 2
    first, _ = book.settle(label, START, quiet=False)
    assert first.events == ("event 0", "event 1", "event 2")
    assert first.since == since


@given(
    st.builds(
        Telling,
        st.sampled_from(What),
        st.sampled_from(Kind),
        st.just("house"),
        phase=st.sampled_from(["", "l1"]),
        value=st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        since=st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)).map(lambda one: one.replace(microsecond=0))),
        events=st.lists(st.text(min_size=1), max_size=3).map(tuple),
        number=st.integers(0, 2**53),
    )
)
def test_a_telling_is_the_same_after_it_was_written_down(telling):
    assert Telling.of(json.loads(json.dumps(telling.document()))) == telling


@pytest.mark.parametrize(
    ("utc", "quiet"),
    [
        # The clocks go forward on 29 March 2026 at 1:00 UTC, back on 25 October 2026 at 1:00 UTC.
        ("2026-03-28T20:59", False),
        ("2026-03-28T21:00", True),
        ("2026-03-29T04:59", True),
        ("2026-03-29T05:00", False),
        ("2026-10-24T19:59", False),
        ("2026-10-24T20:00", True),
        ("2026-10-25T05:59", True),
        ("2026-10-25T06:00", False),
    ],
)
def test_quiet_hours_are_those_of_the_clock_on_the_wall(utc, quiet):
    local = datetime.fromisoformat(utc).replace(tzinfo=UTC).astimezone(ZoneInfo("Europe/Copenhagen"))
    assert parse_hours("22:00-07:00").hold(local) is quiet


@pytest.mark.parametrize("text", ["", "22:00", "24:00-07:00", "22.00-07.00", "07:00-07:00", "22:60-07:00", None, 22])
def test_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match=r"22:00-07:00|same minute"):
        parse_hours(text)
