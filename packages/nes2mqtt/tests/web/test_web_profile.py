"""A meter's own load profile in the API: what the house's registers showed, asked for once, true or absent."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.meters.profiles import AskedProfiles
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, MeterState
from osgp.errors import MeterRefused, ResponseTimeout
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger
from osgp.sources import SOURCES
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

pytestmark = pytest.mark.virtual_clock

QUARTER = timedelta(minutes=15)
ON_PURPOSE = {"x-requested-with": "test"}
TODAY = "/api/v1/profile?meter=house"


class Scripted:
    """A poller whose meter says what the test wants, or raises it."""

    name = "house"

    def __init__(self, answer, seconds=0.0):
        self.answer, self.seconds, self.asked = answer, seconds, []

    async def profile(self, since, data_set=1):
        self.asked.append((since, data_set))
        await asyncio.sleep(self.seconds)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Counted:
    """A poller that counts how often it is asked for a profile."""

    name = "house"

    def __init__(self, poller):
        self._poller, self.asked = poller, 0

    async def profile(self, since, data_set=1):
        self.asked += 1
        return await self._poller.profile(since, data_set)


@pytest.fixture
def page_of(make_web, loop_clocks, online):
    """Return what makes a page that asks a poller for profiles, and its hub."""

    def made(poller, hub=None):
        base, hub = make_web(samples=False), hub or Hub({}, loop_clocks())
        web = WebOutput(base.config, base.gateway, hub, None, profiles=AskedProfiles([poller], hub.clock.monotonic))
        hub.publish(online())
        return web

    return made


def of(*intervals, channels=None, minutes=15):
    channels = channels or (ProfileChannel(SOURCES["active_energy_import"], 0),)
    return LoadProfile(1, minutes, channels, intervals, ProfileMark("1", "", None, 0, None))


def noted(end, value, status=ChannelStatus.OK, flags=0):
    return ProfileInterval(end, (value,), (status,), IntervalFlags(flags), (status.usable,))


async def test_what_the_house_used_is_what_its_meter_kept(page_of, client_for, wall_clock, loop_clocks):
    start = wall_clock().timestamp()
    house = House(1, ledger=Ledger(Household(1), int(start - 10 * 86_400)))
    hub = Hub({}, loop_clocks())
    async with SimulatedMeter(house, seed=7, clock=lambda: wall_clock().timestamp()) as meter:
        url, known, budget = await meter.serve_tcp(), KnownMeter(), ReadBudget()
        poller = Poller(
            MeterInfo("house"),
            url,
            lambda at: open_meter(at, key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=budget, known=known),
            Guard("house"),
            hub,
            Cadence(present=10.0, registers=30.0),
        )
        counted = Counted(poller)
        task = asyncio.create_task(poller.run())
        try:
            await asyncio.sleep(100)
            async with client_for(page_of(counted, hub), headers=ON_PURPOSE) as client:
                day = (await client.get(f"{TODAY}&day=2026-11-21")).json()
                again = (await client.get(f"{TODAY}&day=2026-11-21")).json()
                today = (await client.get(TODAY)).json()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    midnight = datetime(2026, 11, 20, 23, tzinfo=UTC)  # of Copenhagen, in winter
    ends = [midnight + QUARTER * number for number in range(1, 97)]
    assert [datetime.fromisoformat(one["end"]) for one in day["intervals"]] == ends
    assert [one["values"] for one in day["intervals"]] == [
        [wh / 1000 for wh in house.registers_at(int(end.timestamp()))[0][:2]] for end in ends
    ]
    assert {(*one["status"], *one["flags"]) for one in day["intervals"]} == {("ok", "ok")}
    assert [(one["name"], one["unit"]) for one in day["channels"]] == [
        ("active_energy_import", "kWh"),
        ("active_energy_export", "kWh"),
    ]
    assert again == day
    assert today["intervals"][0]["start"] == "2026-11-21T23:00:00Z"
    assert today["intervals"][-1]["end"] == "2026-11-22T12:00:00Z"
    assert counted.asked == 1, "today stands in what was read of yesterday"


async def test_what_the_meter_says_of_a_value_is_told_in_words_and_what_it_did_not_note_is_absent(page_of, client_for):
    noon = datetime(2026, 11, 22, 11, tzinfo=UTC)
    flags = IntervalFlags.POWER_FAIL | IntervalFlags.CLOCK_BACK
    found = of(
        noted(noon, 5000),
        noted(noon + QUARTER, None, ChannelStatus.SKIPPED),
        noted(noon + 3 * QUARTER, 5250, ChannelStatus.LONG, flags),
    )
    async with client_for(page_of(Scripted(found)), headers=ON_PURPOSE) as client:
        told = (await client.get(TODAY)).json()
    assert [(one["end"][11:16], one["values"], one["status"], one["flags"]) for one in told["intervals"]] == [
        ("11:00", [5.0], ["ok"], []),
        ("11:15", [None], ["skipped"], []),
        ("11:45", [5.25], ["long"], ["power_fail", "clock_back"]),
    ]


@pytest.mark.parametrize(
    ("answer", "status", "title"),
    [
        (None, 503, "The meter is not read now"),
        (MeterRefused("no", 3), 403, "The meter does not show its load profile to this key"),
        (MeterRefused("no such table", 5), 404, "The meter keeps no load profile"),
        (MeterRefused("the data are locked", 7), 503, "The load profile cannot be read now"),
        (of(minutes=0), 404, "The meter keeps no load profile"),
        (ResponseTimeout("no reply"), 503, "The meter did not answer"),
    ],
)
async def test_why_there_is_no_profile(page_of, client_for, answer, status, title):
    async with client_for(page_of(Scripted(answer)), headers=ON_PURPOSE) as client:
        reply = await client.get(TODAY)
    assert (reply.status_code, reply.json()["title"]) == (status, title)
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("answer", [of(), ResponseTimeout("no reply")])
async def test_a_meter_is_asked_once_a_minute_whoever_asks(page_of, client_for, answer):
    meter = Scripted(answer, seconds=5.0)
    async with client_for(page_of(meter), headers=ON_PURPOSE) as client:
        await asyncio.gather(*(client.get(TODAY) for _ in range(3)))
        await asyncio.sleep(59)
        await client.get(TODAY)
        assert len(meter.asked) == 1
        await asyncio.sleep(2)
        await client.get(TODAY)
    assert len(meter.asked) == 2


async def test_a_meter_that_was_not_read_is_asked_again_at_once(page_of, client_for):
    meter = Scripted(None)
    async with client_for(page_of(meter), headers=ON_PURPOSE) as client:
        assert (await client.get(TODAY)).status_code == 503
        meter.answer = of()
        assert (await client.get(TODAY)).status_code == 200


@pytest.mark.parametrize(("message", "begins"), [("", "Ask again"), ("No answer.", "No answer. Ask again")])
async def test_why_a_meter_is_not_read_is_told_when_it_is_known(page_of, client_for, online, message, begins):
    web = page_of(Scripted(None))
    web.hub.publish(replace(online(), state=MeterState.STARTING, message=message))
    async with client_for(web, headers=ON_PURPOSE) as client:
        assert (await client.get(TODAY)).json()["detail"].startswith(begins)


async def test_earlier_days_are_read_after_what_is_being_read(page_of, client_for):
    meter = Scripted(of(), seconds=5.0)
    async with client_for(page_of(meter), headers=ON_PURPOSE) as client:
        both = await asyncio.gather(client.get(TODAY), client.get(f"{TODAY}&day=2026-11-20"))
    assert [one.status_code for one in both] == [200, 200]
    assert [f"{since:%d %H}" for since, _ in meter.asked] == ["21 23", "19 23"]
    assert asyncio.get_running_loop().time() >= 10


async def test_a_long_read_goes_on_and_its_answer_waits(page_of, client_for):
    meter = Scripted(of(), seconds=40.0)
    async with client_for(page_of(meter), headers=ON_PURPOSE) as client:
        early = await client.get(TODAY)
        assert (early.status_code, early.headers["retry-after"]) == (503, "10")
        await asyncio.sleep(10)
        assert (await client.get(TODAY)).status_code == 200
    assert len(meter.asked) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("day=2026-11-21&start=2026-11-21", 400),
        ("start=2026-11-21&end=2026-11-20", 400),
        ("start=2026-11-10&end=2026-11-20", 400),
        ("day=2026-10-01", 400),
        ("day=yesterday", 422),
        ("start=2026-11-19&end=2026-11-22", 200),
    ],
)
async def test_which_times_can_be_asked_for(page_of, client_for, query, status):
    meter = Scripted(of())
    async with client_for(page_of(meter), headers=ON_PURPOSE) as client:
        assert (await client.get(f"{TODAY}&{query}")).status_code == status
        assert (await client.get("/api/v1/profile?meter=barn")).status_code == 404
    assert len(meter.asked) == (status == 200)
