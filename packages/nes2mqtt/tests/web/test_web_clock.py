"""The page through clocks that are set: charts go on, freshness is what it is, no wrong date, and the trouble is told."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.web.live.feed import LiveFeed
from nes2mqtt.outputs.web.live.recent import POWER_IMPORT, Recent
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import TableGroup
from nes2mqtt.timing.clock import Clock

STALE_AFTER = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}
TRUTH = datetime(2026, 11, 30, 18, 0, tzinfo=UTC)


class Machine:
    """A computer whose time of day can be set; true time passes by :meth:`wait` only."""

    def __init__(self):
        self.uptime = 5000.0
        self.ahead = timedelta(0)
        self.synchronised = False
        self.clock = Clock(
            wall=self.host_shows,
            monotonic=lambda: self.uptime,
            synchronised=lambda: self.synchronised,
            built=datetime(2026, 11, 29, tzinfo=UTC).timestamp(),
        )

    def truth(self):
        return TRUTH + timedelta(seconds=self.uptime - 5000.0)

    def host_shows(self):
        return (self.truth() + self.ahead).timestamp()

    def wait(self, seconds):
        self.uptime += seconds

    def meter_tells_the_time(self):
        self.clock.witness("house", self.truth(), self.uptime)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def web_on(make_web, danish_samples, online):
    """Return a page on a machine, and what reads its meter once."""

    def made(machine, **settings):
        base = make_web(samples=False)
        hub = Hub(STALE_AFTER, machine.clock)
        web = WebOutput(base.config.model_copy(update=settings), base.gateway, hub, settings.pop("store", None))
        hub.add(web)
        hub.publish(online(instant=machine.uptime))

        def read():
            for sample in danish_samples(machine.clock.now()):
                hub.publish(replace(sample, instant=machine.uptime))

        return web, read

    return made


STEPS = [timedelta(days=-3653), timedelta(days=-3), timedelta(hours=-2), timedelta(hours=2), timedelta(days=3653)]


@pytest.mark.parametrize("step", STEPS)
def test_t2_the_chart_goes_on_through_a_step_and_is_labelled_by_the_clock_as_it_is_now(machine, make_sample, step):
    machine.synchronised = True
    machine.ahead = max(timedelta(0), step)
    recent = Recent()
    for second in range(0, 120, 2):
        if second == 60:
            machine.ahead = min(step, timedelta(0))
        recent.add(make_sample({POWER_IMPORT: second}, group=TableGroup.PRESENT, instant=machine.uptime))
        machine.wait(2)
    document = recent.document("house", float("-inf"), machine.clock)
    assert document["import"] == list(range(0, 120, 2)), "nothing is dropped, nothing is out of order"
    assert document["t"] == list(range(0, 120, 2))
    if machine.clock.known:
        shown = datetime.fromtimestamp(document["start"], UTC)
        assert shown == TRUTH + (machine.ahead or timedelta(0))
    else:
        assert document["start"] is None


@pytest.mark.parametrize("step", STEPS)
async def test_t5_n2_the_document_is_there_while_the_meter_answers_and_not_after(machine, web_on, client_for, step):
    web, read = web_on(machine)
    machine.synchronised = True
    machine.ahead = max(step, timedelta(0))
    read()
    async with client_for(web) as client:
        assert (await client.get("/getDashDataWS")).status_code == 200
        machine.ahead = min(step, timedelta(0))
        read()
        assert (await client.get("/getDashDataWS")).status_code == 200, "N2: the meter answers"
        machine.wait(45)
        reply = await client.get("/getDashDataWS")
        assert reply.status_code == 503, "T5: the meter is silent"
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        readings = (await client.get("/api/v1/readings")).json()["readings"]
        assert {r["quality"] for r in readings if r["group"] == "present"} == {"stale"}
        metrics = (await client.get("/metrics")).text
        assert 'nes_reading_age_seconds{meter="house",group="present"} 45' in metrics


async def test_t3_a_wrong_clock_is_told_by_how_much_and_against_which_meter(machine, web_on, client_for):
    machine.ahead = timedelta(days=-3)
    web, read = web_on(machine)
    # Three days behind is before this program was made.
    async with client_for(web) as client:
        read()
        status = (await client.get("/api/v1/status")).json()
        assert status["now"] is None
        assert status["gateway"]["started"] is None
        assert status["clock"] == status["clock"] | {"source": "none", "off": None, "code": "clock_unknown"}
        readings = (await client.get("/api/v1/readings")).json()
        assert readings["now"] is None
        assert {reading["received"] for reading in readings["readings"]} == {None}, "no wrong date"
        machine.meter_tells_the_time()
        status = (await client.get("/api/v1/status")).json()
        assert status["now"] == "2026-11-30T18:00:00Z"
        assert status["gateway"]["started"] == "2026-11-30T18:00:00Z"
        expected = {"source": "meter", "off": -3 * 86400, "meter": "house", "code": "clock_behind"}
        assert status["clock"] == status["clock"] | expected
        assert "3 days behind" in status["clock"]["message"]
        readings = (await client.get("/api/v1/readings")).json()
        assert {reading["received"] for reading in readings["readings"]} == {"2026-11-30T18:00:00Z"}, "labelled late"
        metrics = (await client.get("/metrics")).text
        assert f'nes_host_clock_offset_seconds{{meter="house"}} {-3 * 86400}' in metrics
        assert 'nes_clock_source{source="meter"} 1' in metrics
        assert f"process_start_time_seconds {TRUTH.timestamp():.0f}" in metrics
        machine.ahead = timedelta(0)
        assert (await client.get("/api/v1/status")).json()["clock"]["source"] == "host"


async def test_while_nobody_knows_the_day_there_is_no_day(machine, web_on, client_for):
    machine.ahead = timedelta(days=-30)
    web, read = web_on(machine)
    web.store = web.billing = object()
    read()
    async with client_for(web) as client:
        for path in (
            "/api/v1/energy?meter=house&period=hour",
            "/api/v1/series?meter=house&name=voltage_l1",
            "/api/v1/costs?meter=house&first=2026-10-01&after=2026-11-01",
        ):
            reply = await client.get(path)
            assert reply.status_code == 503
            assert reply.json()["title"] == "The time of day is not known"
        first = (await client.get("/getDashDataWS")).json()
        assert first["CurrentDateTime"].startswith("1970-01-01T")
        machine.wait(2)
        assert (await client.get("/getDashDataWS")).json()["CurrentDateTime"] != first["CurrentDateTime"]


def test_the_stream_tells_no_time_while_there_is_none_and_the_moment_always(machine, make_sample):
    hub = Hub(STALE_AFTER, machine.clock)
    machine.ahead = timedelta(days=-30)
    hub.publish(make_sample({POWER_IMPORT: 7}, group=TableGroup.PRESENT, instant=machine.uptime))
    live = LiveFeed(hub, Recent(), most_clients=2)

    def snapshot():
        with live.subscribe(None, recent=3600) as (_, messages):
            return json.loads(next(iter(messages)).decode().split("data: ")[1])

    document = snapshot()
    assert document["now"] is None
    assert document["clock"]["code"] == "clock_unknown"
    assert document["instant"] == machine.uptime
    assert document["groups"]["present"]["received"] is None
    assert document["groups"]["present"]["instant"] == machine.uptime
    assert document["recent"]["start"] is None
    machine.meter_tells_the_time()
    assert snapshot()["groups"]["present"]["received"] == "2026-11-30T18:00:00.000Z"


@pytest.mark.virtual_clock
async def test_another_meter_replaces_the_values_of_the_old_one(loop_clocks, online, danish_samples, wall_clock):
    hub = Hub(STALE_AFTER, loop_clocks())
    live = LiveFeed(hub, Recent(), most_clients=2)

    class Output:
        name = "web"
        offer = staticmethod(live.offer)

    hub.add(Output())
    hub.publish(online())
    now = asyncio.get_running_loop().time
    runner = asyncio.create_task(live.run())
    for sample in danish_samples(wall_clock()):
        hub.publish(replace(sample, instant=now()))
    with live.subscribe(None) as (client, snapshot):
        assert len(list(snapshot)) == 1
        messages = client.messages()
        hub.publish(replace(sample, instant=now()))
        hub.publish(online(replace(online().info, serial="11111111")))
        event, data = (line.partition(": ")[2] for line in (await anext(messages)).decode().splitlines()[1:3])
        assert event == "meter"
        assert json.loads(data)["groups"] == {}, "also not the one that came just before"
        assert json.loads(data)["status"]["info"]["serial"] == "11111111"
    runner.cancel()
