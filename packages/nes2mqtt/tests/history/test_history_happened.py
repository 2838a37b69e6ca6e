"""What the meters' logs told: kept once, numbered, with how far the logs are known, over restarts and kills."""

import sqlite3
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.history.event_log import StoredEvents
from nes2mqtt.history.tables import happened
from nes2mqtt.readings.happened import Asked, Found, HappenedKind, RememberedEvents, happened_of
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
EVENT, OUTAGE = HappenedKind
BOTH = (EVENT, OUTAGE)


def event(sequence, number=9, *, minutes=None):
    return Event(sequence, NOON + timedelta(minutes=minutes or sequence), 0xFFFD, number, b"\x01\x02")


def found(*events, outages=(), mark="m", news=BOTH, meter="house", serial="1"):
    entries = happened_of(meter, serial, events, outages)
    return Found(meter, serial, entries, {EVENT: mark, OUTAGE: "o"}, news, NOON)


def newest(limit=100, **more):
    return Asked(("house",), limit, **more)


@pytest.fixture(params=["history", "memory"])
async def make_log(request, open_store):
    """Return what opens an event log: the one of the history, or the one of a gateway without a history."""
    if request.param == "memory":
        yield lambda **names: RememberedEvents(names)
    else:
        async with open_store() as store:
            yield lambda **names: StoredEvents(store, names)


async def test_what_was_there_first_is_no_news_and_all_after_it_is(make_log):
    log = make_log()
    assert await log.known("house", "1") == {}
    old = await log.keep(found(event(2), event(1), mark="a", news=()))
    new = await log.keep(found(event(3), mark="b"))
    assert [(one.number, one.sequence, one.news) for one in (*old, *new)] == [
        (1, 1, False),
        (2, 2, False),
        (3, 3, True),
    ]
    assert await log.known("house", "1") == {EVENT: "b", OUTAGE: "o"}
    assert [one.number for one in await log.news(0, 10)] == [3]
    assert [one.number for one in await log.entries(newest())] == [3, 2, 1]
    assert await log.last() == 3


async def test_an_entry_is_kept_once_however_often_it_is_read(make_log):
    log = make_log()
    await log.keep(found(event(2), event(1)))
    again = await log.keep(found(event(3), event(2), event(1), mark="c"))
    assert [one.sequence for one in again] == [3]
    assert len(await log.entries(newest())) == 3


async def test_the_logs_of_another_meter_at_that_place_are_not_known(make_log):
    log = make_log()
    await log.keep(found(event(1), serial="1"))
    assert await log.known("house", "2") == {}
    other = await log.keep(found(event(1), serial="2", news=()))
    assert [(one.sequence, one.news) for one in other] == [(1, False)], "the same bytes, and yet another event"


async def test_pages_times_and_kinds(make_log):
    log = make_log()
    out = Outage(NOON + timedelta(hours=2), NOON + timedelta(hours=3), 3600, cause=8, sequence=4)
    await log.keep(found(*(event(number) for number in range(5, 0, -1)), outages=[out]))
    assert [one.number for one in await log.entries(newest(2, before=4))] == [3, 2]
    assert [one.kind for one in await log.entries(newest(kind=OUTAGE))] == [OUTAGE]
    (late,) = await log.entries(newest(since=NOON + timedelta(hours=1)))
    assert (late.time, late.end, late.seconds, late.cause) == (out.begin, out.end, 3600, "brown-out")
    assert await log.entries(Asked(("barn",), 10)) == []


async def test_names_are_the_owners_before_the_standards(make_log):
    log = make_log(house={9: "cover opened"})
    await log.keep(found(event(3, 9), event(2, 2), event(1, 77)))
    assert [one.name for one in await log.entries(newest())] == ["cover opened", "power up", ""]


async def test_all_of_it_outlives_a_restart_and_a_name_given_later_counts(open_store):
    async with open_store() as store:
        kept = await StoredEvents(store, {}).keep(found(event(2), event(1), mark="x"))
    async with open_store() as store:
        log = StoredEvents(store, {"house": {9: "cover opened"}})
        assert await log.known("house", "1") == {EVENT: "x", OUTAGE: "o"}
        read = await log.entries(newest())
        assert [(one.number, one.identity, one.argument, one.who, one.user) for one in read[::-1]] == [
            (one.number, one.identity, one.argument, one.who, one.user) for one in kept
        ]
        assert {one.name for one in read} == {"cover opened"}


async def test_entry_and_mark_are_written_together_or_not_at_all(open_store, monkeypatch):
    async with open_store() as store:
        log = StoredEvents(store, {})
        await log.keep(found(event(1), mark="a"))

        def torn(connection, what, read):
            real(connection, what, read)
            raise sqlite3.OperationalError("disk full")

        real = happened.keep
        monkeypatch.setattr(happened, "keep", torn)
        assert await log.keep(found(event(2), mark="b")) is None
        monkeypatch.undo()
        assert await log.known("house", "1") == {EVENT: "a", OUTAGE: "o"}
        assert [one.sequence for one in await log.entries(newest())] == [1]
        assert [one.sequence for one in await log.keep(found(event(2), mark="b")) or ()] == [2]


async def test_only_the_newest_of_each_meter_are_kept(open_store, monkeypatch):
    monkeypatch.setattr(happened, "KEPT", 3)
    async with open_store() as store:
        log = StoredEvents(store, {})
        await log.keep(found(event(1), meter="barn"))
        await log.keep(found(*(event(number) for number in range(5, 0, -1))))
        assert [one.sequence for one in await log.entries(newest())] == [5, 4, 3]
        assert len(await log.entries(Asked(("barn",), 10))) == 1
        await log.keep(found(event(6)))
        assert (await log.entries(newest()))[0].number == 7, "numbers go on"


async def test_a_damaged_row_is_left_out(open_store):
    async with open_store() as store:
        log = StoredEvents(store, {})
        await log.keep(found(event(2), event(1)))
        await store.transact(lambda connection: connection.execute("UPDATE happened SET kind = 'x' WHERE number = 1"))
        assert [one.number for one in await log.entries(newest())] == [2]


async def test_while_the_time_of_day_is_not_known_nothing_is_kept(open_store):
    async with open_store() as store:
        log = StoredEvents(store, {})
        one = found(event(1))
        assert await log.keep(Found(one.meter, one.serial, one.entries, one.known, one.news, None)) is None
