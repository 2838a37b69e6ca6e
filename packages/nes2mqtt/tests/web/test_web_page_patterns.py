"""The patterns of a week, a month and a year: the map of hours, the average day; by mouse, touch, keyboard, and as tables."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.timing.clock import Clock

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 28, 14, 20, tzinfo=ZONE)
BEGIN = datetime(2026, 1, 1, tzinfo=ZONE)
SILENT = datetime(2026, 11, 4, 7, tzinfo=ZONE)
"""An hour of a Wednesday of which nothing is known."""


def used(start):
    """Return what an hour used: 300 Wh, on working days from seven 1200 Wh for one hour, on Saturdays 900 Wh at noon."""
    local = start.astimezone(ZONE)
    if local.weekday() < 5 and local.hour == 7:
        return 1200
    return 900 if local.weekday() == 5 and local.hour == 12 else 300


class House:
    """A history of that house."""

    zone = ZONE

    def __init__(self, given=0):
        self.given = given

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, unit, ZONE)))

    async def energies(self, meter, spans):
        del meter
        found = []
        for start, end in spans:
            if start >= NOW or start == SILENT or end <= BEGIN:
                found.append(EnergyPeriod(start, end, {}))
                continue
            hours = [
                max(start, BEGIN) + timedelta(hours=n)
                for n in range(round((min(end, NOW) - max(start, BEGIN)) / timedelta(hours=1)) or 1)
            ]
            values = {"active_energy_import": sum(map(used, hours)), "active_energy_export": self.given * len(hours)}
            found.append(EnergyPeriod(start, end, values, max(start, BEGIN), min(end, NOW)))
        return found

    async def series(self, meter, keys, start, end, most):
        del start, end, most
        return Series(meter, None, [], {key: Line() for key in keys})


@pytest.fixture
def web_of(make_web, online):
    """Return what makes a page on 28 November 2026, twenty past two."""

    def made(store):
        clock = Clock(wall=NOW.timestamp, monotonic=NOW.timestamp, synchronised=lambda: True, built=0.0)
        web = make_web(samples=False, store=store)
        web.hub.clock = web.live._clock = clock
        web.started = clock.monotonic()
        web.hub.publish(online(instant=clock.monotonic()))
        return web

    return made


async def opened(page):
    await page.locator("#history-patterns summary").click()
    await expect(page.locator("#heat > [data-level]").first).to_be_visible()


async def test_each_hour_of_a_month_by_mouse_and_keyboard_and_as_a_table(a_page, served, web_of):
    async with served(web_of(House())) as url, a_page(url, view="history/month/2026-11") as page:
        await opened(page)
        cells = page.locator("#heat > [data-level]")
        await expect(cells).to_have_count(30 * 24)
        # Monday 2 November: 1.2 kWh at seven, the most there is; 0.3 kWh is a quarter of it.
        await expect(cells.nth(24 + 7)).to_have_attribute("data-level", "10")
        await expect(cells.nth(24 + 8)).to_have_attribute("data-level", "3")
        await expect(cells.nth(3 * 24 + 7)).to_have_attribute("data-level", "")  # the silent hour
        await expect(cells.nth(27 * 24 + 14)).to_have_class("part")  # the running one
        await expect(cells.nth(28 * 24)).to_have_attribute("data-level", "")  # tomorrow
        await cells.nth(24 + 7).hover()
        await expect(page.locator("#heat-readout")).to_have_text(re.compile(r"Mon,? 2 Nov, 07:00.08:00: 1.20\skWh"))
        await page.mouse.move(0, 0)
        await page.locator("#heat").focus()
        for key in ("Home", "ArrowDown", "ArrowDown", "ArrowDown", *["ArrowRight"] * 7):
            await page.keyboard.press(key)
        await expect(page.locator("#heat-readout")).to_have_text(re.compile("Wed,? 4 Nov, 07:00.08:00: not known"))
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#announce")).to_have_text(re.compile(r"Wed,? 4 Nov, 08:00.09:00: 0.30\skWh"))
        rows = page.locator("#heat-table tbody tr")
        await expect(rows).to_have_count(30)
        assert (await rows.nth(1).locator("td").all_inner_texts())[6:9] == ["0.30", "1.20", "0.30"]
        assert (await rows.nth(3).locator("td").all_inner_texts())[7] == ""


async def test_the_average_day_of_the_week_and_of_the_weekend(a_page, served, web_of):
    async with served(web_of(House())) as url, a_page(url, view="history/month/2026-11") as page:
        await opened(page)
        await page.locator("#average").focus()
        for _ in range(8):
            await page.keyboard.press("ArrowRight")
        # Twenty working days until the 28th, one of them with a silent hour; four Saturdays and four Sundays.
        await expect(page.locator("#average-readout")).to_have_text(
            re.compile(r"07:00.08:00: Monday to Friday 1.20\skWh \(of 19 hours\), Weekend 0.30\skWh \(of 8 hours\)")
        )
        for _ in range(5):
            await page.keyboard.press("ArrowRight")
        # Saturdays 900 Wh, Sundays 300 Wh.
        await expect(page.locator("#average-readout")).to_contain_text(re.compile(r"Weekend 0.60\skWh \(of 8 hours\)"))
        rows = page.locator("#average-table tbody tr")
        assert await rows.nth(12).locator("td").all_inner_texts() == ["0.30", "0.60"]


async def test_the_hour_that_comes_twice_is_told_twice_and_the_one_that_is_left_out_is_not_unknown(
    a_page, served, web_of
):
    async with served(web_of(House())) as url, a_page(url, view="history/week/2026-10-25") as page:
        await opened(page)
        await page.locator("#heat > [data-level]").nth(6 * 24 + 2).hover()
        await expect(page.locator("#heat-readout")).to_have_text(re.compile(r"02:00.03:00: 0.30\skWh \+ 0.30\skWh"))
        await page.goto(f"{url}/#/house/history/week/2026-03-29")
        await expect(page.locator("#heat .row-name").last).to_have_text("Sun")
        await expect(page.locator("#heat-table tbody th").last).to_have_text(re.compile("29 Mar"))
        await page.locator("#heat > [data-level]").nth(6 * 24 + 2).hover()
        await expect(page.locator("#heat-readout")).to_contain_text("left out when the clocks change")


async def test_the_hours_of_one_month_are_not_shown_below_the_title_of_another(a_page, served, web_of):
    allowed = ("Failed to load",)
    async with served(web_of(House())) as url, a_page(url, view="history/month/2026-11", allowed=allowed) as page:
        await opened(page)
        await page.route("**/api/v1/energy*period=hour*", lambda route: route.fulfill(status=503, json={"status": 503}))
        await page.goto(f"{url}/#/house/history/month/2026-10")
        await expect(page.locator("#history-title")).to_contain_text("October")
        await expect(page.locator("#heat")).to_be_hidden()
        await page.unroute("**/api/v1/energy*period=hour*")
        await page.goto(f"{url}/#/house/history/month/2026-09")
        await expect(page.locator("#heat > [data-level]").first).to_be_visible()
        await expect(page.locator("#heat-table tbody tr")).to_have_count(30)


async def test_a_finger_reads_and_export_has_its_own_map(a_page, served, web_of):
    phone = {"viewport": {"width": 320, "height": 844}, "has_touch": True, "is_mobile": True, "locale": "de-DE"}
    async with served(web_of(House(given=2500))) as url, a_page(url, view="history/month/2026-11", **phone) as page:
        await opened(page)
        await page.get_by_role("button", name="Einspeisung").click()
        await page.locator("#heat > [data-level]").nth(30).tap()
        await expect(page.locator("#heat-readout")).to_contain_text(re.compile(r"2,50\skWh"))
        assert await page.evaluate("document.documentElement.scrollWidth") == 320


async def test_the_hours_of_a_year_by_month_and_by_day_of_the_week(a_page, served, web_of, client_for):
    """The oracle counts hour by hour; of the year up to 28 November, twenty past two, with one silent hour."""
    told = {}
    begin = datetime(2026, 1, 1, tzinfo=ZONE).astimezone(UTC)
    while begin + timedelta(hours=1) <= NOW:
        if begin != SILENT:
            local = begin.astimezone(ZONE)
            told.setdefault(("month", local.month, local.hour), []).append(used(begin))
            told.setdefault(("day", local.isoweekday(), local.hour), []).append(used(begin))
        begin += timedelta(hours=1)
    web = web_of(House(given=50))
    async with client_for(web) as client:
        report = (await client.get("/api/v1/patterns?meter=house")).json()
        assert (await client.get("/api/v1/patterns?meter=house&start=2024-01-01&end=2026-01-01")).status_code == 400
    assert [one["month"] for one in report["months"]] == [f"2026-{month:02d}-01" for month in range(1, 13)]
    for kind, rows in (("month", report["months"]), ("day", report["weekdays"])):
        for number, row in enumerate(rows, 1):
            for hour, one in enumerate(row["hours"]):
                hours = told.get((kind, number, hour), [])
                assert one["count"] == len(hours)
                expected = pytest.approx(sum(hours) / len(hours) / 1000, abs=1e-5) if hours else None
                assert (one["import_kwh"], one["export_kwh"]) == (expected, 0.05 if hours else None)
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
    async with served(web) as url, a_page(url, view="history/year/2026", **phone) as page:
        await opened(page)
        await expect(page.locator("#heat > [data-level]")).to_have_count(11 * 24)  # December is to come
        await expect(page.locator("#heat-readout-title")).to_have_text("The average hours of each month")
        await page.locator("#heat").focus()
        for key in ("Home", "ArrowDown", *["ArrowRight"] * 7):
            await page.keyboard.press(key)
        mean = sum(told["month", 2, 7]) / len(told["month", 2, 7]) / 1000
        words = rf"February 2026, 07:00.08:00: {mean:.2f}\skWh \(of 28 hours\)"
        await expect(page.locator("#heat-readout")).to_have_text(re.compile(words))
        weekend = [*told["day", 6, 12], *told["day", 7, 12]]
        rows = page.locator("#average-table tbody tr")
        assert await rows.nth(12).locator("td").all_inner_texts() == [
            "0.30",
            f"{sum(weekend) / len(weekend) / 1000:.2f}",
        ]
        await expect(page.locator("#heat-table tbody tr")).to_have_count(11)
        assert await page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("view", ["history/day", "history/all"])
async def test_other_times_have_none(a_page, served, web_of, view):
    async with served(web_of(House())) as url, a_page(url, view=view) as page:
        await expect(page.locator("#history-table")).to_be_visible()
        await expect(page.locator("#history-patterns")).to_be_hidden()


async def test_the_oracle_of_this_file():
    assert used(datetime(2026, 11, 2, 6, tzinfo=UTC)) == 1200
    assert used(SILENT) == 1200
