"""The card of what the meter keeps: read when somebody asks, absent values with their reason, refusals in words."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.meters.profiles import AskedProfiles
from nes2mqtt.outputs.web.output import WebOutput
from osgp.errors import MeterRefused
from osgp.psem import ResponseCode
from osgp.sources import SOURCES
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

CHANNELS = (ProfileChannel(SOURCES["active_energy_import"], 0), ProfileChannel(SOURCES["active_energy_export"], 0))


class Told:
    """A poller whose meter says what the test wants, or raises it."""

    name = "house"

    def __init__(self, answer):
        self.answer, self.asked = answer, 0

    async def profile(self, since, data_set=1):
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def page_of(make_web, online):
    """Return what makes a page that asks a poller for profiles."""

    def made(poller):
        base = make_web()
        profiles = AskedProfiles([poller], base.hub.clock.monotonic)
        web = WebOutput(base.config, base.gateway, base.hub, None, profiles=profiles)
        base.hub.add(web)
        base.hub.publish(online())
        return web

    return made


def profile(*intervals, minutes=15):
    return LoadProfile(1, minutes, CHANNELS, intervals, ProfileMark("1", "", None, 0, None))


def noted(number, values, statuses=(ChannelStatus.OK, ChannelStatus.OK), flags=0):
    zone = ZoneInfo("Europe/Copenhagen")
    midnight = datetime.combine(datetime.now(zone), time(), zone).astimezone(UTC)
    end = midnight + timedelta(minutes=15) * number
    return ProfileInterval(end, values, statuses, IntervalFlags(flags), tuple(status.usable for status in statuses))


async def test_a_day_is_read_when_somebody_asks_and_what_is_absent_has_its_reason(a_page, served, page_of):
    skipped = (ChannelStatus.OK, ChannelStatus.SKIPPED)
    poller = Told(
        profile(
            noted(1, (35_781_957, 1_939_980)),
            noted(2, (35_782_001, None), skipped, IntervalFlags.POWER_FAIL | IntervalFlags.DAYLIGHT_SAVING),
        )
    )
    async with served(page_of(poller)) as url, a_page(url, view="meter") as page:
        await expect(page.locator("#profile-card")).to_be_visible()
        await expect(page.locator("#profile-scroll")).to_be_hidden()
        assert poller.asked == 0, "nobody asked for it"
        await page.locator("#profile-read").click()
        rows = page.locator("#profile-rows tr")
        await expect(rows).to_have_count(2)
        await expect(page.locator("#profile-head")).to_have_text("TimeImport energy, kWhExport energy, kWhNote")
        await expect(rows.nth(0)).to_have_text("00:00\u201300:15" + "35,781.957" + "1,939.980")
        await expect(rows.nth(1)).to_have_text("00:15\u201300:30" + "35,782.001" + "skipped" + "power cut")
        assert poller.asked == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (MeterRefused("refused", ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE), "does not show its load profile to this key"),
        (profile(minutes=0), "keeps no load profile"),
        (None, "Try again in a moment"),
        (profile(), "noted nothing on this day"),
    ],
)  # fmt: skip
async def test_why_there_is_none(a_page, served, page_of, answer, words):
    async with served(page_of(Told(answer))) as url, a_page(url, view="meter", allowed=("Failed to load",)) as page:
        await page.locator("#profile-read").click()
        await expect(page.locator("#profile-said")).to_contain_text(words)
        await expect(page.locator("#profile-scroll")).to_be_hidden()
        await expect(page.locator("#profile-read")).to_be_enabled()


async def test_another_day_is_asked_for_by_its_date(a_page, served, page_of):
    poller = Told(profile(noted(-95, (1000, 2000), flags=IntervalFlags.DAYLIGHT_SAVING)))
    async with served(page_of(poller)) as url, a_page(url, view="meter") as page:
        await page.locator("#profile-read").click()
        await expect(page.locator("#profile-said")).to_contain_text("noted nothing")
        today = datetime.now(ZoneInfo("Europe/Copenhagen")).date()
        await page.locator("#profile-day").fill((today - timedelta(days=1)).isoformat())
        await page.locator("#profile-read").click()
        await expect(page.locator("#profile-rows")).to_have_text("00:00\u201300:15" + "1.000" + "2.000")
        await expect(page.locator("#profile-head")).not_to_contain_text("Note")
