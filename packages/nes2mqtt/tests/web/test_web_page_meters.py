"""The view of all meters: power now, today, how each is, a way into each; an old value is none; not there with one meter."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.readings.reading import MeterInfo, MeterState
from osgp.sources import SOURCES

PEOPLE = [("da-DK", 390, "dark"), ("de-DE", 1440, "light"), ("de-DE", 320, "dark")]

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]


class Days:
    """A history in which each meter has used as many kWh today as its name is long."""

    def __init__(self, zone):
        self.zone = zone

    async def energy(self, meter, unit, start, end):
        now = datetime.now(UTC)
        return [
            EnergyPeriod(a, b, {"active_energy_import": 1000 * len(meter)} if a <= now else {}, a, min(b, now))
            for a, b in periods(start, end, unit, self.zone)
        ]

    async def looked_into(self, meter, limit):
        del meter, limit
        return []

    async def series(self, meter, keys, start, end, most):
        del start, end, most
        return Series(meter, None, [], {key: Line() for key in keys})


@pytest.fixture
def web(make_web, online, danish_samples):
    """Return a page of a house that draws 432 W, a barn that gives 900 W, a shed that does not answer."""
    made = make_web(store=object())
    made.store = Days(made.gateway.timezone)
    made.hub.publish(online(MeterInfo("barn", name="Barn")))
    sample = danish_samples(datetime.now(UTC), meter="barn")[1]
    values = {SOURCES["active_power_import"]: 0, SOURCES["active_power_export"]: 900}
    made.hub.publish(replace(sample, values=dict(sample.values) | values))
    gone = online(MeterInfo("shed", name="Shed"), state=MeterState.SILENT, message="It is silent.", code="silent")
    made.hub.publish(gone)
    made.hub.publish(danish_samples(datetime.now(UTC), meter="shed")[1])
    return made


async def test_each_meter_with_its_power_its_day_and_its_state(a_page, served, web):
    async with served(web) as url, a_page(url, view="meters") as page:
        cards = page.locator("#meters-list li")
        await expect(cards).to_have_count(3)
        await expect(cards.nth(0)).to_have_text("House432WDrawing from the gridToday: Import 5.00\u00a0kWh")
        await expect(cards.nth(1)).to_have_text("Barn900WGiving to the gridToday: Import 4.00\u00a0kWh")
        # What it said before it fell silent is not shown as if it were of now.
        await expect(cards.nth(2)).to_have_text("ShedThe meter does not answer.Today: Import 4.00\u00a0kWh")
        await expect(page.locator("#meters a[aria-current]")).to_have_text("All meters")
        await cards.nth(1).get_by_role("link").click()
        await expect(page.locator("#now-value")).to_have_text("900")
        await page.get_by_role("link", name="All meters").click()
        await expect(cards.nth(0)).to_be_visible()


async def test_an_old_value_is_no_value(a_page, served, web, danish_samples):
    async with served(web) as url, a_page(url, view="meters") as page:
        card = page.locator("#meters-list li").nth(0)
        await expect(card).to_contain_text("432")
        old = danish_samples(datetime.now(UTC))[1]
        web.hub.publish(replace(old, instant=old.instant - 60))
        await expect(card).to_contain_text("The values are old.")
        await expect(card).not_to_contain_text("432")


async def test_with_one_meter_there_is_nothing_to_choose(a_page, served, make_web):
    async with served(make_web()) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#meters")).to_be_hidden()


@pytest.mark.parametrize("width", [320, 390, 1440])
async def test_it_fits(a_page, served, web, online, width):
    web.hub.publish(online(MeterInfo("long", name="The summer house behind the harbour of Frederikshavn")))
    settings = {"viewport": {"width": width, "height": 800}, "locale": "de-DE"}
    async with served(web) as url, a_page(url, view="meters", **settings) as page:
        await expect(page.locator("#meters-list li")).to_have_count(4)
        places = await page.locator("#meters-list li").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().y)"
        )
        assert len(set(places)) == (1 if width == 1440 else 4), "side by side where there is room"
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_a_broken_answer_is_no_value_and_the_next_one_counts(a_page, served, web):
    async with served(web) as url, a_page(url, view="meters") as page:
        card = page.locator("#meters-list li").nth(0)
        await expect(card).to_contain_text("432")
        await page.route("**/api/v1/readings*", lambda route: route.fulfill(body="<html>A proxy's own words.</html>"))
        await expect(card).not_to_contain_text("432")
        await page.unroute("**/api/v1/readings*")
        await expect(card).to_contain_text("432")


async def test_what_was_told_long_ago_is_no_power_of_now_while_an_answer_is_waited_for(a_page, served, web):
    async with served(web) as url, a_page(url, view="meters") as page:
        card = page.locator("#meters-list li").nth(0)
        await expect(card).to_contain_text("432")
        # The line falls silent; a minute goes by.
        await page.route("**/api/v1/readings*", lambda _: None)
        await page.evaluate("const now = performance.now.bind(performance); performance.now = () => now() + 60_000;")
        await expect(card).to_contain_text("The values are old.")
        await expect(card).not_to_contain_text("432")


@pytest.mark.parametrize(("locale", "width", "scheme"), PEOPLE)
async def test_it_is_for_everybody(a_page, served, web, for_everybody, locale, width, scheme):
    settings = {
        "locale": locale,
        "viewport": {"width": width, "height": 844},
        "color_scheme": scheme,
        "bypass_csp": True,
    }
    async with served(web) as url, a_page(url, view="meters", **settings) as page:
        await expect(page.locator("#meters-list li").nth(2)).to_contain_text("kWh")
        await for_everybody(page)
        await page.locator("#main").focus()
        for name in ("House", "Barn", "Shed"):
            await page.keyboard.press("Tab")
            assert name in await page.evaluate("document.activeElement.innerText")
            assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#view-now")).to_be_visible()
        assert "/barn/now" in page.url


@pytest.mark.parametrize(("locale", "width", "scheme"), PEOPLE)
async def test_the_page_of_a_gateway_that_is_away_is_for_everybody(
    a_page, served, web, for_everybody, locale, width, scheme
):
    settings = {
        "locale": locale,
        "viewport": {"width": width, "height": 844},
        "color_scheme": scheme,
        "bypass_csp": True,
    }
    async with served(web) as url, a_page(url, allowed=("Failed to load",), **settings) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await page.route("**/api/v1/**", lambda route: route.abort())
        await page.reload()
        await expect(page.locator("#away")).to_be_visible()
        await for_everybody(page)
        # Nothing is there to be reached but the way past the head.
        await page.keyboard.press("Tab")
        await expect(page.locator("#skip")).to_be_focused()
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement === document.body || document.activeElement.id === 'skip'")
