"""What meters say of themselves and what happened to them, in the API: true or absent."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import Found, HappenedKind, happened_of
from nes2mqtt.readings.reading import EntriesRead
from nes2mqtt.readings.reading import MeterState as Link
from osgp.tables.calendar.schedule import Switch
from osgp.tables.calendar.tariffs import Drive, Tariffs
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage
from osgp.tables.quality.report import Events, PhaseQuality, SupplyQuality
from osgp.tables.status.state import Contactor, MeterState

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NONE = Events(0)


def phase(name, *, lost=False, sags=NONE):
    return PhaseQuality(name, lost, NONE, sags, NONE, 0, None, {})


def state(*alarms, **more):
    parts = {"contactor": None, "button_locked": None, "opened_by_limit": None, "mis_wiring": ""}
    parts |= {"relay_1_pending": None, "relay_2_pending": None, "load_profile_off": None}
    return MeterState(alarms=alarms, **parts | more)


def tariffs(at, following):
    return Tariffs(0, Drive.CALENDAR, at, 1, 0, 7, Switch(following, 1), None)


def quality(*phases):
    return SupplyQuality(phases, None, None, 3, 300, 10, 10, 30)


async def test_what_nobody_told_is_null(make_web, client_for):
    web = make_web()
    async with client_for(web) as client:
        (one,) = (await client.get("/api/v1/condition")).json()
    assert one["identity"]["serial"] == "87654321"
    assert {one[key] for key in ("received", "problem", "state", "tariffs", "quality")} == {None}


async def test_all_that_a_meter_says_of_itself(make_web, client_for):
    web = make_web()
    local = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)  # Copenhagen, in winter
    read = ConditionRead(
        "house",
        datetime.now(UTC),
        web.hub.clock.monotonic(),
        state("cover_removed", "load_profile_1_unread", contactor=Contactor.CLOSED),
        tariffs(local, datetime(2026, 12, 24, 6, 0)),  # noqa: DTZ001 - the meter's local time
        quality(phase("l1"), phase("l2", lost=True, sags=Events(2, NOON, 181_500))),
    )
    web.hub.publish(read)
    async with client_for(web) as client:
        (one,) = (await client.get("/api/v1/condition?meter=house")).json()
        assert (await client.get("/api/v1/condition?meter=barn")).status_code == 404
    assert one["problem"] is True
    assert one["state"]["alarms"] == [
        {"name": "cover_removed", "label": "Cover removed", "trouble": True},
        {"name": "load_profile_1_unread", "label": "Load profile 1 unread", "trouble": False},
    ]
    assert (one["state"]["contactor"], one["state"]["button_locked"]) == ("closed", None)
    assert (one["tariffs"]["tariff"], one["tariffs"]["next_tariff"], one["tariffs"]["set_by"]) == (1, 2, "calendar")
    assert [each["lost"] for each in one["quality"]["phases"]] == [False, True]
    sags = one["quality"]["phases"][1]["sags"]
    assert sags == {"count": 2, "last": "2026-11-29T12:00:00Z", "voltage": 181.5}


@pytest.mark.parametrize(
    ("read", "problem"),
    [
        (ConditionRead("house", NOON, 0.0), None),
        (ConditionRead("house", NOON, 0.0, state("load_profile_1_unread")), False),
        (ConditionRead("house", NOON, 0.0, state("magnetic_tamper")), True),
        (ConditionRead("house", NOON, 0.0, state(mis_wiring="low voltage on a phase")), True),
        (ConditionRead("house", NOON, 0.0, None, None, quality(phase("l1"))), False),
        (ConditionRead("house", NOON, 0.0, state(), None, quality(phase("l1", lost=True))), True),
    ],
)
def test_what_is_a_problem(read, problem):
    assert read.problem is problem


def test_the_next_tariff_is_told_only_where_the_meter_has_the_zone_of_the_house(make_web):
    zone = make_web().gateway.timezone
    at, following = datetime(2026, 11, 29, 13, 0, 20), datetime(2026, 11, 29, 17, 0)  # noqa: DTZ001
    known = ConditionRead("house", NOON, 0.0, None, tariffs(at, following))
    assert known.next_switch(zone) == datetime(2026, 11, 29, 16, 0, tzinfo=UTC)
    elsewhere = ConditionRead("house", NOON, 0.0, None, tariffs(at - timedelta(hours=1), following))
    assert elsewhere.next_switch(zone) is None


def event(sequence, number, time=NOON, user=0xFFFF, argument=b"\0\0"):
    return Event(sequence, time, user, number, argument)


async def log(web, *events, outages=(), first=False, meter="house"):
    entries = happened_of(meter, "87654321", events, outages)
    news = () if first else tuple(HappenedKind)
    kept = await web.event_log.keep(Found(meter, "87654321", entries, {HappenedKind.EVENT: "BT74:1:0"}, news, NOON))
    web.hub.publish(EntriesRead(meter, tuple(kept)))
    return kept


async def test_events_in_pages_the_newest_first(make_web, client_for):
    web = make_web()
    await log(web, *(event(sequence, 9, NOON + timedelta(minutes=sequence)) for sequence in range(7, 0, -1)))
    async with client_for(web) as client:
        first = (await client.get("/api/v1/events?limit=3")).json()
        second = (await client.get(f"/api/v1/events?limit=3&before={first['next']}")).json()
        third = (await client.get(f"/api/v1/events?limit=3&before={second['next']}")).json()
        exact = (await client.get("/api/v1/events?limit=7")).json()
    assert [one["sequence"] for one in first["events"] + second["events"] + third["events"]] == [7, 6, 5, 4, 3, 2, 1]
    assert third["next"] is None
    assert exact["next"] is None


async def test_an_event_and_an_outage_are_told_whole(make_web, client_for):
    web = make_web()
    out = Outage(NOON + timedelta(hours=1), NOON + timedelta(hours=2), 3600, cause=3, sequence=5)
    await log(web, event(71, 2, user=0xFFFE), event(70, 0x815, user=3), outages=[out], first=True)
    async with client_for(web) as client:
        outage, back, own = (await client.get("/api/v1/events")).json()["events"]
        assert (await client.get("/api/v1/events?kind=outage")).json()["events"] == [outage]
        assert (await client.get("/api/v1/events?since=2026-11-29T13:00:00Z")).json()["events"] == [outage]
    assert (outage["kind"], outage["time"], outage["end"]) == (
        "outage",
        "2026-11-29T13:00:00Z",
        "2026-11-29T14:00:00Z",
    )
    assert (outage["seconds"], outage["cause"], outage["event"], outage["who"]) == (3600, "power failure", None, None)
    assert (back["event"], back["name"], back["who"], back["user"]) == (2, "power up", "power_line", None)
    assert (own["event"], own["name"], own["who"], own["user"]) == (0x815, "", "optical_port", 3)
    assert not any(one["news"] for one in (outage, back, own))


async def test_news_go_out_on_the_live_stream_and_old_entries_do_not(make_web):
    web = make_web()
    with web.live.subscribe(None) as (client, _):
        await log(web, event(1, 1), event(0, 2), first=True)
        await log(web, event(2, 2), event(1, 1))
        message = await anext(client.messages())
    head, data = message.decode().strip().split("\n")
    assert head == "event: events"
    document = json.loads(data.removeprefix("data: "))
    assert document["id"] == "house"
    assert [(one["sequence"], one["name"], one["news"]) for one in document["events"]] == [(2, "power up", True)]


async def test_what_is_kept_once_is_not_kept_again(make_web):
    web = make_web()
    assert len(await log(web, event(2, 2), event(1, 1))) == 2
    assert [one.sequence for one in await log(web, event(3, 1), event(2, 2), event(1, 1))] == [3]


def test_the_order_of_each_log_stays_whatever_the_clock_of_the_meter_showed():
    events = [event(4, 2, NOON - timedelta(hours=5)), event(3, 1, NOON), event(2, 9, None), event(1, 9, NOON)]
    found = happened_of("house", "", events, [Outage(NOON - timedelta(days=1), NOON - timedelta(hours=23), 3600)])
    assert [one.sequence for one in found] == [None, 1, 2, 3, 4]


async def test_metrics_have_what_the_meter_tells_and_only_while_it_answers(make_web, client_for, online):
    web = make_web()
    bad = quality(phase("l1"), phase("l2", lost=True, sags=Events(2, NOON, 181_500)))
    local = datetime(2026, 11, 29, 13, 0)  # noqa: DTZ001 - the meter's local time
    read = ConditionRead("house", NOON, 1.0, state("cover_removed"), tariffs(local, local), bad)
    async with client_for(web) as client:
        assert "nes_meter_problem" not in (await client.get("/metrics")).text
        web.hub.publish(read)
        lines = (await client.get("/metrics")).text.splitlines()
        web.hub.publish(online(state=Link.SILENT))
        silent = (await client.get("/metrics")).text
    assert {
        'nes_meter_problem{meter="house"} 1',
        'nes_meter_alarm{meter="house",alarm="cover_removed"} 1',
        'nes_tariff{meter="house"} 1',
        'nes_phase_lost{meter="house",phase="1"} 0',
        'nes_phase_lost{meter="house",phase="2"} 1',
        'nes_phase_sags_total{meter="house",phase="2"} 2',
    } <= set(lines)
    assert "nes_meter_problem" not in silent
