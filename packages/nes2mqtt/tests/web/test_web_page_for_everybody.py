"""Every view in both themes and all languages: nothing that axe-core finds, no jumping, little to load, all by keyboard."""

import importlib.resources
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.history.tables.filled import LookedInto
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import Found, HappenedKind, happened_of
from nes2mqtt.readings.reading import EntriesRead, TableGroup
from nes2mqtt.setup.changes.desk import OpenBook
from osgp.tables.logs.events import Event
from osgp.tables.quality.report import Events, PhaseQuality, SupplyQuality
from osgp.tables.status.state import Contactor, MeterState

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
VIEWS = {
    "now": "#month-sum b",
    "history/day/2026-10-25?by=quarter": "#power-chart canvas",
    "history/month/2026-10?with=before": "#history-comparison span",
    "history/year": "#history-sum b",
    "meter": "#events tr",
    "settings": "#settings-web",
    "wall": "#wall-sum b",
}
"""Each with what is there when all of it is."""
MOST_SHIFT = 0.01
MOST_BYTES = 200_000


class Store:
    """A history with some of everything: a gap, what was filled in, what was imported, import and export."""

    def __init__(self, zone):
        self.zone = zone

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, unit, self.zone)))

    async def energies(self, meter, spans):
        del meter
        now = datetime.now(UTC)
        found = []
        for index, (a, b) in enumerate(spans):
            values = {"active_energy_import": 1500, "active_energy_export": 250 + 10 * index} if a <= now else {}
            first = a - timedelta(days=2) if index == 9 else a
            filled = [(a, b)] if index == 4 else []
            imported = [(a, b)] if index in {2, 3} else []
            empty = index == 8
            found.append(EnergyPeriod(a, b, {} if empty else values, first, min(b, now), filled, frozenset(), imported))
        return found

    async def series(self, meter, keys, start, end, most):
        del most
        times = [start + timedelta(minutes=10 * index) for index in range(int((end - start) / timedelta(minutes=10)))]
        watts = [500 + index for index, _ in enumerate(times)]
        return Series(meter, None, times, {key: Line(watts, watts, watts) for key in keys})

    async def looked_into(self, meter, limit):
        del meter, limit
        return [LookedInto(NOON, NOON + timedelta(hours=4), 16, "filled", ())]


@pytest.fixture
async def web(make_web, danish_samples):
    """Return a page of a meter that tells some of everything."""
    made = make_web(store=object())
    made.store = Store(made.gateway.timezone)
    none = Events(0)
    state = MeterState(
        alarms=("cover_removed", "load_profile_1_unread"),
        contactor=Contactor.CLOSED,
        button_locked=None,
        opened_by_limit=None,
        relay_1_pending=None,
        relay_2_pending=None,
        mis_wiring="",
        load_profile_off=None,
    )
    phases = tuple(PhaseQuality(f"l{number}", False, none, none, none, 0, None, {}) for number in (1, 2, 3))
    quality = SupplyQuality(phases, None, None, 3, 300, 10, 10, 30)
    made.hub.publish(ConditionRead("house", datetime.now(UTC), made.hub.clock.monotonic(), state, None, quality))
    entries = happened_of("house", "87654321", [Event(n, NOON, 0xFFFF, 1, b"\0\0") for n in range(30, 0, -1)], ())
    kept = await made.event_log.keep(Found("house", "87654321", entries, {HappenedKind.EVENT: "BT74:1:0"}, (), NOON))
    made.hub.publish(EntriesRead("house", tuple(kept)))
    made.settings = OpenBook(
        '[meters.house]\nport = "tcp://a:1"\nkey = "ABCDEFGHIJKLMNOPQRST"\n[[mqtt]]\nhost = "b"\n[web]\n'
    )
    del danish_samples
    return made


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "da-DK", "de-DE"])
async def test_axe_finds_nothing(browser, served, web, scheme, locale):
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    script = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations)"
    width = 390 if locale == "da-DK" else 1440
    # The page's own policy would not let a script of the test in.
    settings = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "locale": locale}
    async with served(web) as url:
        for view, ready in VIEWS.items():
            page = await browser.new_page(bypass_csp=True, **settings)
            await page.goto(f"{url}/#/house/{view}")
            await expect(page.locator(ready).first).to_be_visible()
            for summary in await page.locator("details:visible > summary").all():
                await summary.click()
            await page.evaluate(axe)
            found = await page.evaluate(script)
            told = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
            assert not told, (view, told)
            await page.close()


async def test_axe_finds_nothing_before_the_bars_are_there(browser, served, web):
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    async with served(web) as url:
        page = await browser.new_page(bypass_csp=True)
        await page.route("**/api/v1/energy*", lambda _: None)
        await page.goto(f"{url}/#/house/history/year")
        await expect(page.locator("#history-title")).not_to_be_empty()
        await page.evaluate(axe)
        found = await page.evaluate("axe.run(document).then(found => found.violations.map(one => one.id))")
        await page.close()
    assert not found


@pytest.mark.parametrize("width", [1440, 390, 320])
@pytest.mark.parametrize("view", VIEWS)
async def test_nothing_jumps_and_nothing_scrolls_sideways(a_page, served, web, view, width):
    watch = """window.shift = 0; window.moved = [];
      new PerformanceObserver(list => list.getEntries().forEach(entry => {
        window.shift += entry.value;
        window.moved.push(...entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
      })).observe({ type: 'layout-shift', buffered: true });"""
    settings = {"viewport": {"width": width, "height": 800}}
    async with served(web) as url, a_page(url, view=view, **settings) as page:
        await page.add_init_script(watch)
        await page.reload()
        await expect(page.locator(VIEWS[view]).first).to_be_visible()
        shift, moved = await page.evaluate("[window.shift, window.moved]")
        assert shift <= MOST_SHIFT, moved
        assert await page.evaluate("document.documentElement.scrollWidth") == width


async def test_little_is_loaded_before_it_is_wanted(browser, served, web):
    """What comes over the wire for the first view, and for all of them."""
    async with served(web) as url:
        page = await browser.new_page(locale="de-DE")
        session = await page.context.new_cdp_session(page)
        await session.send("Network.enable")
        sizes = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        await page.goto(url)
        await expect(page.locator("#month-sum b").first).to_be_visible()
        first = sum(sizes)
        for view, ready in VIEWS.items():
            await page.goto(f"{url}/#/house/{view}")
            await expect(page.locator(ready).first).to_be_visible()
        await page.close()
    assert 20_000 < first < MOST_BYTES * 0.55
    assert first < sum(sizes) < MOST_BYTES


async def test_all_of_it_by_keyboard_alone(a_page, served, web):
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#month-sum b").first).to_be_visible()
        await page.keyboard.press("Tab")
        await expect(page.locator("#skip")).to_be_focused()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await expect(page.locator("#to-history")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("#history-bars")).to_be_visible()
        await expect(page.locator("#main")).to_be_focused()
        # Day, week, month ...
        for _ in range(3):
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("#span-month")).to_have_attribute("aria-current", "true")
        await expect(page.locator("#span-month")).to_be_focused()
        reached = set()
        for _ in range(20):
            await page.keyboard.press("Tab")
            reached.add(await page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert {"history-before", "history-date", "history-bars", "with-before", "SUMMARY"} <= reached
        assert "history-after" not in reached, "there is no way into the future"
        outline = "getComputedStyle(document.activeElement).outlineStyle"
        await page.locator("#history-date").focus()
        for _ in range(8):
            await page.keyboard.press("Shift+Tab")
            assert await page.evaluate(outline) == "solid", await page.evaluate("document.activeElement.id")


async def test_the_first_number_comes_fast_on_a_slow_device(browser, served, web):
    """First paint under a second with the processor slowed six times; the limit here leaves room for a busy computer."""
    async with served(web) as url:
        page = await browser.new_page()
        session = await page.context.new_cdp_session(page)
        await session.send("Emulation.setCPUThrottlingRate", {"rate": 6})
        await page.goto(url)
        await expect(page.locator("#now-value")).to_be_visible()
        painted = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        await page.close()
    assert painted < 3000


async def test_large_text_and_forced_colours_lose_nothing(a_page, served, web):
    async with served(web) as url, a_page(url, forced_colors="active", viewport={"width": 640, "height": 900}) as page:
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        for view, ready in VIEWS.items():
            await page.goto(f"{url}/#/house/{view}")
            await expect(page.locator(ready).first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") == 640, view
    assert TableGroup.PRESENT in web.hub.latest["house"].samples
