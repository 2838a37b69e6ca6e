"""The view for a wall: readable from afar, dark, moving, dimmed at night; old values are not taken for new ones there."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.readings.reading import MeterState, TableGroup
from osgp.sources import SOURCES

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]


class Days:
    """A history in which each hour drew 1 kWh; of a cut day, today is told half of what yesterday is."""

    zone = None

    def __init__(self, zone):
        self.zone = zone

    async def energy(self, meter, unit, start, end):
        del meter
        now = datetime.now(UTC)
        spans = periods(start, end, unit, self.zone)
        return [
            EnergyPeriod(a, b, {"active_energy_import": 1000} if a <= now else {}, a, min(b, now)) for a, b in spans
        ]

    async def energies(self, meter, spans):
        del meter
        today = datetime.now(self.zone).date()
        ((a, b),) = spans
        watthours = 6000 if a.astimezone(self.zone).date() == today else 12_000
        return [EnergyPeriod(a, b, {"active_energy_import": watthours}, a, b)]

    async def series(self, meter, keys, start, end, most):
        del start, end, most
        return Series(meter, None, [], {key: Line() for key in keys})


@pytest.fixture
def web(make_web):
    """Return a page with a history."""
    made = make_web(store=object())
    made.store = Days(made.gateway.timezone)
    return made


@pytest.mark.parametrize("size", [(1280, 800), (800, 480), (390, 844)])
async def test_the_number_is_readable_from_across_the_room_and_all_fits(a_page, served, web, size):
    width, height = size
    settings = {"viewport": {"width": width, "height": height}}
    async with served(web) as url, a_page(url, view="wall", **settings) as page:
        await expect(page.locator("#wall-value")).to_have_text("432")
        await expect(page.locator("#wall-words")).to_have_text("Drawing from the grid")
        await expect(page.locator("#wall-phases")).to_contain_text("L1 2.0 A")
        digits = await page.locator("#wall-value").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
        assert digits >= 0.12 * min(size)
        await expect(page.locator("#wall-bars .bar")).to_have_count(24)
        assert await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
            width,
            height,
        ]
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert max(int(part) for part in re.findall(r"\d+", paper)) < 32, "dark, whatever the system says"
        for part in ("views", "meter-name", "pulse"):
            await expect(page.locator(f"#{part}")).to_be_hidden()


@pytest.mark.parametrize("size", [(1280, 800), (800, 480), (390, 844)])
async def test_much_power_fits_with_a_wide_font(a_page, served, web, size):
    sample = web.hub.latest["house"].samples[TableGroup.PRESENT]
    web.hub.publish(replace(sample, values=dict(sample.values) | {SOURCES["active_power_import"]: 105_300}))
    settings = {"viewport": {"width": size[0], "height": size[1]}}
    async with served(web) as url, a_page(url, view="wall", **settings) as page:
        await expect(page.locator("#wall-value")).to_have_text("105,300")
        await page.evaluate("document.documentElement.style.setProperty('--font', 'DejaVu Sans, Verdana')")
        edge = "e => [e.lastElementChild.getBoundingClientRect().right, e.closest('section').getBoundingClientRect().right]"
        right, room = await page.locator(".wall-power").evaluate(edge)
        assert right <= room + 1
        assert await page.evaluate("document.documentElement.scrollWidth") == size[0]


async def test_today_is_compared_with_yesterday_until_now(a_page, served, web):
    if datetime.now(web.gateway.timezone).strftime("%H:%M") < "00:15":
        pytest.skip("today has not begun")
    async with served(web) as url, a_page(url, view="wall") as page:
        await expect(page.locator("#wall-before")).to_have_text("50 % less than yesterday until now (12.0 kWh)")


async def test_a_tap_shows_what_can_be_set_and_it_goes_away_by_itself(a_page, served, web):
    async with served(web) as url, a_page(url, view="wall") as page:
        await page.clock.install()
        await expect(page.locator("#wall-value")).to_be_visible()
        await page.locator("#wall-value").click()
        await expect(page.locator("#wall-bar")).to_be_visible()
        await page.clock.run_for(6000)
        await expect(page.locator("#wall-bar")).to_be_hidden()
        await page.keyboard.press("Tab")
        await expect(page.locator("#wall-bar")).to_be_visible()
        await page.get_by_label("Dim").select_option("always")
        await page.evaluate("document.activeElement.blur()")
        await page.clock.run_for(12_000)
        await expect(page.locator("#view-wall")).to_have_class(re.compile("dim"))
        await page.locator("#wall-value").click()
        await expect(page.locator("#view-wall")).not_to_have_class(re.compile("dim"))
        await page.reload()
        assert await page.get_by_label("Dim").input_value() == "always"
        await page.get_by_role("link", name="Leave").click()
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#views")).to_be_visible()


async def test_it_moves_a_little_each_minute(a_page, served, web):
    async with served(web) as url, a_page(url, view="wall") as page:
        await page.clock.install()
        await page.reload()
        await expect(page.locator("#wall-value")).to_be_visible()
        places = set()
        for _ in range(8):
            places.add(await page.locator("#wall").evaluate("e => e.style.transform"))
            await page.clock.run_for(60_000)
        moved = [tuple(int(part) for part in re.findall(r"\d+", place)) for place in places]
        assert len(moved) >= 6
        assert max(max(each) for each in moved) <= 8


async def test_old_values_are_small_and_grey_and_after_ten_minutes_only_the_time_is_left(
    a_page, make_web, served, online, gateway_gone
):
    web = make_web()
    async with served(web) as url:
        context = a_page(url, view="wall", allowed=gateway_gone)
        page = await context.__aenter__()
        await expect(page.locator("#wall-value")).to_have_text("432")
        live = await page.locator("#wall-value").evaluate("e => e.getBoundingClientRect().height")
        web.hub.publish(online(state=MeterState.SILENT, message="No reply."))
        await expect(page.locator("#banner")).to_contain_text("The meter does not answer.")
        await page.clock.install()
    await expect(page.locator("#wall-now")).to_have_class("wall-now stale")
    assert await page.locator("#wall-value").evaluate("e => e.getBoundingClientRect().height") < 0.7 * live
    await expect(page.locator("#wall-heard")).to_contain_text("Last heard")
    await page.clock.run_for(11 * 60_000)
    await expect(page.locator("#view-wall")).to_have_class(re.compile("gone"))
    await expect(page.locator("#wall-value")).to_be_hidden()
    await expect(page.locator("#wall-time")).to_be_visible()
    await context.__aexit__(None, None, None)
