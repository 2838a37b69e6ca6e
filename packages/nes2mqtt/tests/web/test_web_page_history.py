"""The view of the history: each day, week, month and year, beside another one, by touch, mouse and keyboard, as table and file."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.filled_power import FilledPower
from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.readings.reading import MeterInfo
from nes2mqtt.timing.clock import Clock

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 28, 14, 20, tzinfo=ZONE)
BEGIN = datetime(2025, 3, 10, 9, 30, tzinfo=ZONE)
GAP = (datetime(2026, 11, 22, 2, 10, tzinfo=ZONE), datetime(2026, 11, 22, 5, 40, tzinfo=ZONE))
NIGHT_WATTS, DAY_WATTS = 200, 1000


def watthours(start, end):
    """Return what the house used in a time: 200 W, from seven to 23 o'clock 1000 W; the oracle of this file."""
    total, at = 0.0, start
    while at < end:
        local = at.astimezone(ZONE)
        step = min(end - at, timedelta(minutes=15) - timedelta(minutes=at.minute % 15, seconds=at.second))
        total += (DAY_WATTS if 7 <= local.hour < 23 else NIGHT_WATTS) * step.total_seconds() / 3600
        at += step
    return round(total)


class House:
    """A history of that house since March 2025, with a silence of some hours in the night to 22 November."""

    zone = ZONE
    filled: tuple[FilledPower, ...] = ()
    imported_until: datetime | None = None

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, unit, ZONE)))

    async def energies(self, meter, spans):
        del meter
        return [self.bucket(start, end) for start, end in spans]

    def bucket(self, start, end):
        first, last = max(start, BEGIN), min(end, NOW)
        if first >= last:
            return EnergyPeriod(start, end, {})
        if GAP[0] <= start and end <= GAP[1]:
            return EnergyPeriod(start, end, {})
        if start < GAP[0] < end <= GAP[1]:
            last = GAP[0]
        if GAP[0] < start < GAP[1] < end:
            first = GAP[0]
        imported = [] if self.imported_until is None or start >= self.imported_until else [(first, last)]
        values = {"active_energy_import": watthours(first, last)}
        return EnergyPeriod(start, end, values, first, last, imported=imported)

    async def series(self, meter, keys, start, end, most):
        del most
        times = [start + timedelta(minutes=minute) for minute in range(int((end - start) / timedelta(minutes=1)))]
        watts = [
            None if at >= NOW else DAY_WATTS if 7 <= at.astimezone(ZONE).hour < 23 else NIGHT_WATTS for at in times
        ]
        nothing = [None] * len(times)
        return Series(
            meter,
            timedelta(minutes=1),
            times,
            {keys[0]: Line(watts, watts, watts), keys[1]: Line(nothing, nothing, nothing)},
            self.filled,
        )


@pytest.fixture
def web(make_web, online):
    """Return a page on 28 November 2026, twenty past two."""
    clock = Clock(wall=NOW.timestamp, monotonic=NOW.timestamp, synchronised=lambda: True, built=0.0)
    made = make_web(samples=False, store=House())
    made.hub.clock = made.live._clock = clock
    made.started = clock.monotonic()
    made.hub.publish(online(instant=clock.monotonic()))
    return made


async def bars(page, number):
    await expect(page.locator("#history-bars .bar")).to_have_count(number)
    return page.locator("#history-bars .bar")


def title(page):
    return page.locator("#history-title")


async def test_what_was_imported_is_drawn_and_told_as_such(a_page, served, web, client_for):
    web.store.imported_until = datetime(2026, 9, 1, tzinfo=ZONE)
    async with served(web) as url, a_page(url, view="history/year", viewport={"width": 1440, "height": 900}) as page:
        months = await bars(page, 12)
        await expect(page.locator("#history-bars .bar.imported")).to_have_count(8)
        await expect(page.locator("#summary-notes")).to_contain_text("Paler bars come from an import of old readings.")
        await months.nth(2).hover()
        await expect(page.locator("#history .note").first).to_have_text("imported")
        await months.nth(9).hover()
        await expect(page.locator("#history .note")).to_have_count(0)
    async with client_for(web) as client:
        asked = "meter=house&period=month&start=2026-08-01&end=2026-10-01"
        report = (await client.get(f"/api/v1/energy?{asked}")).json()
        table = (await client.get(f"/api/v1/energy.csv?{asked}")).text.split("\r\n")
    begin, end = "2026-07-31T22:00:00Z", "2026-08-31T22:00:00Z"
    assert [bucket["imported"] for bucket in report["buckets"]] == [[{"start": begin, "end": end}], []]
    assert report["total"]["imported"] == [{"start": begin, "end": end}]
    assert [line.rsplit(",", 1)[1] for line in table[:3]] == ["imported", "true", "false"]


@pytest.mark.parametrize("width", [1440, 390])
async def test_the_way_from_the_year_to_the_hour_and_back(a_page, served, web, width):
    settings = {"viewport": {"width": width, "height": 900}}
    async with served(web) as url, a_page(url, view="history/year", **settings) as page:
        await expect(title(page)).to_have_text("2026")
        months = await bars(page, 12)
        await months.nth(9).click()
        await expect(title(page)).to_have_text(re.compile("Oct(ober)? 2026"))
        assert page.url.endswith("#/house/history/month/2026-10")
        days = await bars(page, 31)
        await days.nth(24).click()
        await expect(title(page)).to_have_text(re.compile("Sun(day)?,? 25 Oct(ober)? 2026"))
        await bars(page, 25)
        await expect(page.locator("#summary-notes")).to_contain_text("This day has 25 hours")
        await expect(page.locator("#summary")).to_contain_text("17.8 kWh")  # 16 hours of 1000 W, 9 of 200 W
        await page.get_by_role("link", name="Next").click()
        await expect(title(page)).to_have_text(re.compile("Mon(day)?,? 26 Oct(ober)? 2026"))
        await page.go_back()
        await page.go_back()
        await expect(title(page)).to_have_text(re.compile("Oct(ober)? 2026"))
        assert await page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-10-26"])
@pytest.mark.parametrize("by", ["hour", "quarter"])
async def test_a_day_has_its_hours_and_quarters(a_page, served, web, day, by):
    start = datetime.combine(date.fromisoformat(day), datetime.min.time(), ZONE)
    end = datetime.combine(start.date() + timedelta(days=1), datetime.min.time(), ZONE)
    hours = int((end.astimezone(UTC) - start.astimezone(UTC)) / timedelta(hours=1))
    async with served(web) as url, a_page(url, view=f"history/day/{day}?by={by}") as page:
        await bars(page, hours * (4 if by == "quarter" else 1))
        total = watthours(start.astimezone(UTC), end.astimezone(UTC)) / 1000
        await expect(page.locator("#history-sum")).to_contain_text(f"{total:.1f} kWh")


async def test_nothing_lies_in_the_future(a_page, served, web):
    async with served(web) as url, a_page(url, view="history") as page:
        await expect(title(page)).to_have_text(re.compile("Saturday,? 28 November 2026"))
        await expect(page.locator("#history-after")).to_have_attribute("inert", "")
        await expect(page.locator("#history-date")).to_have_attribute("max", "2026-11-28")
        await expect(page.locator("#history-today")).to_be_hidden()
        hours = await bars(page, 24)
        await expect(hours.nth(14)).to_have_class(re.compile("current"))
        await expect(hours.nth(15)).not_to_have_class(re.compile("unknown"))
        await page.locator("#history-date").fill("2026-11-05")
        await expect(title(page)).to_have_text(re.compile("Thursday,? 5 November 2026"))
        await page.get_by_role("link", name="Today").click()
        await expect(title(page)).to_have_text(re.compile("Saturday,? 28 November 2026"))


async def test_a_running_month_is_compared_up_to_the_same_moment_and_says_so(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/month?with=before") as page:
        comparison = page.locator("#history-comparison")
        quarter = datetime(2026, 11, 28, 14, 15, tzinfo=ZONE)
        own = watthours(datetime(2026, 11, 1, tzinfo=ZONE).astimezone(UTC), quarter.astimezone(UTC)) / 1000
        before = datetime(2026, 10, 28, 14, 15, tzinfo=ZONE).astimezone(UTC)
        other = watthours(datetime(2026, 10, 1, tzinfo=ZONE).astimezone(UTC), before) / 1000
        await expect(comparison).to_contain_text(f"Import: {own:.1f} kWh, about as much as Oct 2026 ({other:.1f} kWh)")
        await expect(comparison).to_contain_text("28 Nov, 14:15 and 28 Oct, 14:15")
        # The 31st of October stands alone.
        days = await bars(page, 31)
        heights = await days.nth(30).locator(".up > *").evaluate_all("parts => parts.map(part => part.offsetHeight)")
        assert heights[0] == 0 < heights[1]
        await days.nth(30).hover()
        await expect(page.locator("#history-sum")).to_contain_text("31 Oct")


async def test_months_of_unequal_length_and_of_half_a_history(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/month/2026-02?with=before") as page:
        comparison = page.locator("#history-comparison")
        await expect(comparison).to_contain_text("10 % less than Jan 2026")
        await expect(comparison).to_contain_text("28 days against 31 days")
        await page.goto(f"{url}/#/house/history/month/2026-03?with=year")
        await expect(comparison).to_contain_text(
            "Of Mar 2025 only 21.6 of 31 days are known, so the sums are not compared."
        )
        await page.goto(f"{url}/#/house/history/month/2026-01?with=year")
        await expect(comparison).to_contain_text("Nothing is known of Jan 2025.")


async def test_a_silence_is_told_and_its_energy_is_no_record(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/day/2026-11-22") as page:
        hours = await bars(page, 24)
        await expect(hours.nth(3)).to_have_class(re.compile("unknown"))
        await expect(hours.nth(5)).to_have_class(re.compile("gap carried"))
        notes = page.locator("#summary-notes")
        await expect(notes).to_contain_text("Nothing was heard from 02:10 until some time after 05:00.")
        await expect(notes).to_contain_text("in the hatched bar after it")
        await expect(page.locator("#summary")).not_to_contain_text("05:00")


async def test_every_number_by_keyboard_and_a_day_opens_by_enter(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/month/2026-10") as page:
        await bars(page, 31)
        await page.locator("#history-bars").focus()
        told = []
        await page.keyboard.press("Home")
        for _ in range(31):
            told.append(await page.locator("#announce").inner_text())
            await page.keyboard.press("ArrowRight")
        assert len(set(told)) == 31
        assert all("kWh import" in words for words in told)
        await page.keyboard.press("End")
        await page.keyboard.press("PageUp")
        await page.keyboard.press("Enter")
        await expect(title(page)).to_have_text(re.compile("Wednesday,? 21 October 2026"))


async def test_a_finger_reads_first_and_opens_with_the_second_tap(a_page, served, web):
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    async with served(web) as url, a_page(url, view="history/month/2026-10", **phone) as page:
        days = await bars(page, 31)
        await days.nth(4).tap()
        await expect(page.locator("#history-sum")).to_contain_text("5 Oct")
        await expect(title(page)).to_have_text(re.compile("Oct(ober)? 2026"))
        await days.nth(4).tap()
        await expect(title(page)).to_have_text(re.compile("Mon,? 5 Oct 2026"))


async def test_the_table_has_the_numbers_and_the_files_the_same_days(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/month/2026-10?with=before") as page:
        await bars(page, 31)
        await page.locator("#history-table summary").click()
        rows = page.locator("#history-rows tbody tr")
        await expect(rows).to_have_count(31)
        await expect(rows.nth(24)).to_contain_text("17.8")
        for link, first in (
            ("#csv-point", "2026-10-01T00:00:00+02:00,2026-10-02T00:00:00+02:00,17.6,,true,false,false"),
            ("#csv-comma", "2026-10-01T00:00:00+02:00;2026-10-02T00:00:00+02:00;17,6;;true;false;false"),
        ):
            address = await page.locator(link).get_attribute("href")
            text = await page.evaluate("address => fetch(address).then(reply => reply.text())", address)
            assert text.split("\r\n")[1] == first
        await rows.nth(1).get_by_role("link").click()
        await expect(title(page)).to_have_text(re.compile("Friday,? 2 October 2026"))


async def test_all_of_it_begins_with_the_first_reading(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/all") as page:
        months = await bars(page, 21)
        await months.first.hover()
        await expect(page.locator("#history-sum")).to_contain_text("March 2025")
        await expect(page.locator("#summary-notes")).to_contain_text("What is known begins at 10 Mar 09:30")


async def test_the_curve_of_a_day_and_its_numbers(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/day/2026-11-20") as page:
        await expect(page.locator("#power-chart canvas")).to_be_visible()
        await page.locator("#power-chart").focus()
        await page.keyboard.press("Home")
        await expect(page.locator("#power-readout")).to_contain_text("200 W Import")
        for _ in range(60):
            await page.keyboard.press("PageDown")
        await expect(page.locator("#power-readout")).to_contain_text("1,000 W Import")


async def test_an_old_address_leads_to_its_meter_and_an_unknown_one_to_the_first(a_page, served, web, online):
    web.hub.publish(online(MeterInfo("barn", name="Barn")))
    async with served(web) as url, a_page(url) as page:
        await page.goto(f"{url}/#barn")
        await expect(page.locator("#meters a[aria-current]")).to_have_text("Barn")
        await expect(page.locator("#to-now")).to_have_attribute("href", "#/barn/now")
        await page.goto(f"{url}/#/nobody/history")
        await expect(page.locator("#meters a[aria-current]")).to_have_text("House")
        await expect(page.locator("#view-now")).to_be_visible()
        await page.goto(f"{url}/#/barn/history/month/2026-10")
        await page.get_by_role("link", name="House").click()
        await expect(page.locator("#view-history")).to_be_visible()


async def test_the_highest_hours_of_a_month_lead_to_their_days(a_page, served, web):
    async with served(web) as url, a_page(url, view="history/month/2026-10") as page:
        await bars(page, 31)
        await expect(page.locator("#peaks li")).to_have_count(5)
        await expect(page.locator("#peaks li").first).to_contain_text("1.00 kWh")
        await expect(page.locator("#base-load")).to_have_text("Base load at night: about 200 W")
        await page.locator("#peaks a").first.click()
        await expect(title(page)).to_have_text(re.compile("Thursday,? 1 October 2026"))
        await expect(page.locator("#history-peaks")).to_be_hidden()


async def test_what_the_meter_told_later_is_drawn_apart_and_said_so(a_page, served, web):
    begin = datetime(2026, 11, 28, 14, 30, tzinfo=ZONE).astimezone(UTC)
    part = FilledPower(begin, begin + timedelta(minutes=15), {"active_power_import": 777})
    web.store.filled = (part,)
    async with served(web) as url, a_page(url, view="history/day/2026-11-28") as page:
        await expect(page.locator("#power-chart canvas")).to_be_visible()
        await page.locator("#power-chart").focus()
        await page.keyboard.press("End")
        await expect(page.locator("#power-readout")).to_contain_text(
            "777 W Import  filled in from the meter\N{RIGHT SINGLE QUOTATION MARK}s memory"
        )
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#power-readout")).to_contain_text("14:44:30  777 W Import")
        for _ in range(20):
            await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#power-readout")).to_contain_text("1,000 W Import")
        await expect(page.locator("#power-readout")).not_to_contain_text("filled in")
