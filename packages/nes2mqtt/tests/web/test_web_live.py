"""The live stream: everything first, then what changed, never more than once a second; nobody holds it up."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import httpx
import pytest

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.queries.reader import Line, Series
from nes2mqtt.history.store import Store
from nes2mqtt.outputs.web.live.feed import BEAT, QUEUE, LiveFeed, TooManyClients
from nes2mqtt.outputs.web.live.recent import POWER_EXPORT, POWER_IMPORT, SPAN, Recent
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterState, TableGroup

STALE_AFTER = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}


def events(text):
    """Parse a stream into (event, data) pairs."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


async def until(condition):
    """Wait for the other side of a real socket."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def parsed(message):
    ((event, document),) = events(message.decode())
    return event, document


@pytest.fixture
def feed(wall_clock, labelled_clocks):
    """Return a hub, its recent curve and a feed on the virtual clock."""
    hub = Hub(STALE_AFTER, labelled_clocks(wall_clock))
    recent = Recent()
    live = LiveFeed(hub, recent, most_clients=2)

    class Output:
        name = "web"

        def offer(self, event):
            live.offer(event)

    hub.add(Output())
    return hub, recent, live


@pytest.mark.virtual_clock
async def test_a_client_gets_everything_first_and_then_what_changed(feed, danish_samples, online, wall_clock):
    hub, _, live = feed
    registers, present = danish_samples(wall_clock())
    hub.publish(online())
    hub.publish(registers)
    hub.publish(present)
    runner = asyncio.create_task(live.run())
    with live.subscribe(None) as (client, snapshot):
        ((event, document),) = [parsed(message) for message in snapshot]
        assert event == "meter"
        assert document["groups"]["present"]["values"]["voltage_l1"] == 228.693
        assert document["groups"]["registers"]["values"]["active_energy_import"] == 65845.342
        assert document["status"]["info"]["serial"] == "87654321"
        messages = client.messages()
        hub.publish(replace(present, received=wall_clock(), instant=wall_clock().timestamp()))
        event, document = parsed(await anext(messages))
        assert event == "change"
        assert set(document["groups"]) == {"present"}
        assert "status" not in document
    runner.cancel()


@pytest.mark.virtual_clock
async def test_changes_come_at_most_once_a_second_and_none_is_lost(feed, danish_samples, wall_clock):
    hub, _, live = feed
    _, present = danish_samples(wall_clock())
    hub.publish(present)
    runner = asyncio.create_task(live.run())
    with live.subscribe(frozenset({"house"})) as (client, _):
        seen = []

        async def read():
            clock = asyncio.get_running_loop().time
            async for message in client.messages():
                seen.append((clock(), parsed(message)[1]))  # noqa: PERF401 - it never ends, so nothing would arrive

        reader = asyncio.create_task(read())
        for watts in range(100):
            hub.publish(
                replace(present, received=wall_clock(), instant=wall_clock().timestamp(), values={POWER_IMPORT: watts})
            )
            await asyncio.sleep(0.1)
        await asyncio.sleep(2)
        reader.cancel()
    runner.cancel()
    times = [at for at, _ in seen]
    assert len(seen) == pytest.approx(11, abs=1)
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(times))
    assert seen[-1][1]["groups"]["present"]["values"] == {"active_power_import": 99}


@pytest.mark.virtual_clock
async def test_values_that_grow_old_are_told_without_an_event(feed, danish_samples, wall_clock):
    hub, _, live = feed
    _, present = danish_samples(wall_clock())
    hub.publish(present)
    runner = asyncio.create_task(live.run())
    await asyncio.sleep(1)
    with live.subscribe(frozenset({"house"})) as (client, _):
        messages = client.messages()
        while (found := parsed(await anext(messages)))[0] == "beat":
            pass
        assert found[1]["groups"]["present"]["quality"] == "stale"
        assert asyncio.get_running_loop().time() == pytest.approx(11, abs=2)
    runner.cancel()


@pytest.mark.virtual_clock
async def test_silence_is_filled_with_beats(feed):
    _, _, live = feed
    with live.subscribe(None) as (client, _):
        event, document = parsed(await anext(client.messages()))
        assert (event, set(document)) == ("beat", {"now", "instant", "clock"})
        assert asyncio.get_running_loop().time() == pytest.approx(BEAT)


@pytest.mark.virtual_clock
async def test_a_client_hears_of_its_meters_only(feed, danish_samples, wall_clock):
    hub, _, live = feed
    _, present = danish_samples(wall_clock())
    hub.publish(present)
    hub.publish(replace(present, meter="barn"))
    runner = asyncio.create_task(live.run())
    with live.subscribe(frozenset({"barn"})) as (client, snapshot):
        assert [parsed(message)[1]["id"] for message in snapshot] == ["barn"]
        hub.publish(present)
        hub.publish(replace(present, meter="barn"))
        assert parsed(await anext(client.messages()))[1]["id"] == "barn"
        assert client._queue.empty()
    runner.cancel()


@pytest.mark.virtual_clock
async def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on(feed, danish_samples, wall_clock):
    hub, _, live = feed
    _, present = danish_samples(wall_clock())
    hub.publish(present)
    runner = asyncio.create_task(live.run())
    with live.subscribe(None) as (stuck, _), live.subscribe(None) as (reader, _):
        messages = reader.messages()
        for _ in range(QUEUE + 3):
            hub.publish(replace(present, received=wall_clock(), instant=wall_clock().timestamp()))
            assert parsed(await anext(messages))[0] == "change"
        assert stuck.behind.is_set()
        assert not reader.behind.is_set()
        assert (live.clients, live.cut_off) == (1, 1)
    runner.cancel()


@pytest.mark.virtual_clock
async def test_only_so_many_clients(feed):
    _, _, live = feed
    with live.subscribe(None), live.subscribe(None):
        with pytest.raises(TooManyClients), live.subscribe(None):
            pass
        assert live.clients == 2
    assert live.clients == 0


@pytest.mark.virtual_clock
async def test_without_clients_nothing_is_prepared(feed, danish_samples, wall_clock):
    hub, _, live = feed
    runner = asyncio.create_task(live.run())
    await asyncio.sleep(0)
    hub.publish(danish_samples(wall_clock())[1])
    await asyncio.sleep(3600)
    assert not live._changed
    assert not live._wake.is_set()
    runner.cancel()


@pytest.mark.virtual_clock
async def test_a_client_that_comes_back_gets_the_curve_of_the_gap(feed, danish_samples, wall_clock):
    hub, recent, live = feed
    _, present = danish_samples(wall_clock())
    hub.publish(present)
    start = wall_clock()
    for second in range(0, 100, 2):
        recent.add(replace(present, instant=start.timestamp() + second))
    await asyncio.sleep(80)
    with live.subscribe(frozenset({"house"}), recent=3600) as (_, snapshot):
        message = next(iter(snapshot))
        last_event_id = message.decode().splitlines()[0].removeprefix("id: ")
        document = parsed(message)[1]
        assert len(document["recent"]["t"]) == 50
        assert not document["resumed"]
    await asyncio.sleep(20)
    with live.subscribe(frozenset({"house"}), recent=3600, last_event_id=last_event_id) as (_, snapshot):
        document = parsed(next(iter(snapshot)))[1]
        assert document["resumed"]
        assert document["recent"]["t"] == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    future = str(int((start + timedelta(days=1)).timestamp() * 1000))
    for strange in ("nonsense", "-1", f"another-{future}", f"{last_event_id}0000000", "1795348800000"):
        with live.subscribe(frozenset({"house"}), recent=3600, last_event_id=strange) as (_, snapshot):
            assert not parsed(next(iter(snapshot)))[1]["resumed"]


class Now:
    """Clocks that stand still at a moment; the label of a moment is that many seconds after 1970."""

    known = True

    def __init__(self, instant):
        self.instant = instant

    def monotonic(self):
        return self.instant

    def label(self, instant):
        return datetime.fromtimestamp(instant, UTC)


def test_the_curve_keeps_an_hour_and_absent_stays_absent(make_sample):
    recent = Recent()
    for second in range(3 * int(SPAN)):
        values = {POWER_IMPORT: second} if second % 2 else {POWER_EXPORT: second}
        recent.add(make_sample(values, group=TableGroup.PRESENT, instant=1000.0 + second))
    clock = Now(1000 + 3 * SPAN - 1)
    document = recent.document("house", 0.0, clock)
    assert len(document["t"]) == SPAN
    assert document["import"][-1] == 3 * SPAN - 1
    assert document["export"][-1] is None
    assert document["import"][-2] is None
    assert recent.document("barn", 0.0, clock)["t"] == []


def test_the_curve_takes_older_points_in_front(make_sample):
    recent = Recent()
    recent.add(make_sample({POWER_IMPORT: 7}, group=TableGroup.PRESENT, instant=1000.0))
    # The history may know moments that are not over yet, from when this computer's clock was ahead.
    recent.fill("house", [(980, 5, None), (990, None, 6), (1000, 1, 1), (8200, 9, 9)])
    document = recent.document("house", 0.0, Now(1000.0))
    assert document["import"] == [5, None, 7]
    assert document["export"] == [None, 6, None]
    recent.fill("barn", [])
    recent.fill("barn", [(980, 5, None)])
    assert recent.document("barn", 0.0, Now(1000.0))["import"] == [5]


async def test_l2_the_hour_before_a_start_is_as_fine_as_the_meter_was_read(make_web, make_sample, tmp_path):
    web = make_web(samples=False)
    clock = web.hub.clock
    now = clock.now()
    async with Store.open(tmp_path / "history.db", HistoryConfig(), ZoneInfo("UTC"), clock=clock) as store:
        for place in range(2 * 3590):
            at = now - timedelta(seconds=3590 - place / 2)
            values = {POWER_IMPORT: place}
            store.offer(make_sample(values, group=TableGroup.PRESENT, received=at, instant=clock.instant(at)))
        await store.flush()
        web.store = store
        await web.recall("house")
    document = web.recent.document("house", 0.0, clock)
    assert document["import"] == list(range(2 * 3590))


async def test_l2_averages_do_not_stand_beside_readings(make_web):
    class Coarse:
        async def series(self, meter, keys, start, end, _):
            line = Line([5] * 60, [5] * 60, [5] * 60)
            times = [start + timedelta(minutes=place) for place in range(60)]
            return Series(meter, timedelta(minutes=1), times, dict.fromkeys(keys, line))

    web = make_web(store=Coarse())
    before = web.recent.document("house", 0.0, web.hub.clock)
    await web.recall("house")
    assert web.recent.document("house", 0.0, web.hub.clock)["import"] == before["import"]


async def test_over_a_real_server(make_web, served, danish_samples):
    web = make_web()
    async with served(web) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        async with client.stream("GET", "/api/v1/live", params={"meter": "house", "recent": 3600}) as reply:
            assert reply.status_code == 200
            assert reply.headers["content-type"].startswith("text/event-stream")
            lines = reply.aiter_lines()
            text = ""
            while "event: meter" not in text or not text.endswith("\n\n"):
                text += await anext(lines) + "\n"
            ((_, document),) = events(text)
            assert document["recent"]["import"] == [432]
            web.hub.publish(replace(danish_samples(datetime.now(UTC))[1], received=datetime.now(UTC)))
            text = ""
            while "event: change" not in text or not text.endswith("\n\n"):
                text += await anext(lines) + "\n"
            assert web.live.clients == 1
        await until(lambda: web.live.clients == 0)


async def test_the_curve_begins_with_what_the_history_remembers(make_web, served):
    asked = []

    class Store:
        async def series(self, meter, keys, start, end, max_points):
            asked.append((meter, end - start, max_points))
            times = [end - timedelta(seconds=seconds) for seconds in (30, 20, 10)]
            return Series(meter, None, times, {keys[0]: Line([5, None, 7]), keys[1]: Line([None, None, 0])})

    async with served(make_web(store=Store())) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        for _ in range(2):
            async with client.stream("GET", "/api/v1/live?meter=house&recent=3600") as reply:
                lines = reply.aiter_lines()
                while not (line := await anext(lines)).startswith("data: "):
                    pass
            curve = json.loads(line.removeprefix("data: "))["recent"]
            assert curve["import"] == [5, None, 7, 432]
            assert curve["export"] == [None, None, 0, 0]
    assert asked == [("house", timedelta(hours=1), 4 * 3600)], "once"


async def test_a_full_house_is_said_so(make_web, served):
    web = make_web(max_live_clients=1)
    async with (
        served(web) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as client,
        client.stream("GET", "/api/v1/live"),
    ):
        reply = await client.get("/api/v1/live")
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "30"
        assert "max_live_clients" in reply.json()["detail"]


async def test_a_browser_that_stops_reading_is_dropped(make_web, served, danish_samples):
    """The socket's buffers fill, then the queue, then the client goes; the place is free again."""
    web = make_web()
    async with served(web) as url:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await writer.drain()
        await until(lambda: web.live.clients == 1)
        message = b": " + b"x" * 1_000_000 + b"\n\n"
        async with asyncio.timeout(60):
            while web.live.clients:
                for client in set(web.live._clients):
                    client.put(message)
                web.live._send()
                await asyncio.sleep(0)
        assert web.live.cut_off == 1
        writer.close()


async def test_the_state_of_the_meter_is_told(make_web, served, online):
    web = make_web()
    async with (
        served(web) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as client,
        client.stream("GET", "/api/v1/live") as reply,
    ):
        lines = reply.aiter_lines()
        while await anext(lines) != "event: meter":
            pass
        web.hub.publish(online(state=MeterState.SILENT, message="No reply for 2 minutes. Check the cable."))
        while await anext(lines) != "event: change":
            pass
        document = json.loads((await anext(lines)).removeprefix("data: "))
        assert document["status"]["state"] == "silent"
        assert document["status"]["message"] == "No reply for 2 minutes. Check the cable."
        assert "groups" not in document
