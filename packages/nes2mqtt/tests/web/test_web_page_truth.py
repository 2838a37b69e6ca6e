"""The page does not contradict itself: gaps, ages, first days, clocks, one language at a time, every number by keyboard."""

import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.outputs.web import output as web_output
from nes2mqtt.outputs.web.context import Fuse
from nes2mqtt.readings.hub import OutputStatus
from nes2mqtt.readings.reading import MeterState, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

ZONE = ZoneInfo("Europe/Copenhagen")
STATIC = Path(web_output.__file__).parent / "static"
LANGUAGES = ("en", "da", "de")
CATALOGUES = {
    language: {
        key: words
        for path in sorted(STATIC.glob(f"texts/*.{language}.json"))
        for key, words in json.loads(path.read_text("utf-8")).items()
    }
    for language in LANGUAGES
}
POWER = SOURCES["active_power_import"]


class History:
    """A history that knows what it is told: a function of a period's index, start and end."""

    zone = ZONE

    def __init__(self, bucket=None, *, curve=False):
        self.bucket = bucket
        self.curve = curve

    async def energy(self, meter, unit, start, end):
        del meter
        now = datetime.now(UTC)
        found = []
        for index, (a, b) in enumerate(periods(start, end, unit, ZONE)):
            plain = (
                EnergyPeriod(a, b, {"active_energy_import": 1500}, a, min(b, now))
                if a <= now
                else EnergyPeriod(a, b, {})
            )
            found.append(self.bucket(unit, index, plain) if self.bucket else plain)
        return found

    async def looked_into(self, meter, limit):
        del meter, limit
        return []

    async def series(self, meter, keys, start, end, most):
        del start, most
        times = [end - timedelta(seconds=seconds) for seconds in range(3000, 10, -10)] if self.curve else []
        watts = [1000 + index for index in range(len(times))]
        return Series(meter, None, times, {keys[0]: Line(watts, watts, watts), keys[1]: Line([None] * len(times))})


def gap(unit, index, plain):
    """Days 3 to 5 are silent; the first after them holds their energy, the last before them ends at noon."""
    if unit != "day":
        return plain
    if index in {2, 3, 4}:
        return EnergyPeriod(plain.start, plain.end, {})
    if index == 5:
        return replace(plain, values={"active_energy_import": 75_000}, first=plain.start - timedelta(days=3, hours=12))
    if index == 1:
        return replace(plain, last=plain.start + timedelta(hours=12))
    return replace(plain, values={"active_energy_import": 10_000}) if plain.values else plain


def filled(unit, index, plain):
    """Days 3 to 5 were silent; the meter's load profile told them later, and the end of the day before."""
    if unit != "day" or not plain.values or index not in {1, 2, 3, 4}:
        return plain
    since = plain.start + timedelta(hours=12) if index == 1 else plain.start
    return replace(plain, filled=[(since, plain.end)])


@pytest.fixture
def november(monkeypatch):
    """Keep the tests' days within one long month, whatever day it is."""
    moment = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
    ahead = moment.timestamp() - time.time()

    def clock():
        return Clock(
            wall=lambda: time.time() + ahead,
            monotonic=lambda: time.time() + ahead,
            synchronised=lambda: True,
            built=0.0,
        )

    class Moved(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime.fromtimestamp(time.time() + ahead, zone)

    monkeypatch.setitem(globals(), "datetime", Moved)
    return clock


@pytest.fixture
def web_at(make_web, danish_samples, online):
    """Return what makes a page on a clock."""

    def made(clock, *, samples=True, status=None, **settings):
        web = make_web(samples=False, **settings)
        web.hub.clock = web.live._clock = clock
        web.started = clock.monotonic()
        web.hub.publish(online(instant=clock.monotonic(), **(status or {})))
        if samples:
            for sample in danish_samples(clock.now()):
                web.hub.publish(replace(sample, instant=clock.monotonic()))
        return web

    return made


async def texts_of(page):
    return await page.evaluate("document.body.innerText")


@pytest.mark.parametrize("width", [1440, 390])
async def test_days_that_the_meter_told_later_are_whole_and_say_so(a_page, served, web_at, november, width):
    web = web_at(november(), store=History(filled))
    async with served(web) as url, a_page(url) as page:
        await page.set_viewport_size({"width": width, "height": 900})
        bars = page.locator("#month-bars .bar")
        await expect(bars).to_have_count(30)
        await expect(page.locator("#month-bars .bar.filled")).to_have_count(4)
        await expect(page.locator("#month-bars .bar.gap")).to_have_count(0)
        heights = await bars.evaluate_all(
            "bars => bars.slice(0, 6).map(bar => bar.querySelector('.up i').getBoundingClientRect().height)"
        )
        assert heights == [heights[0]] * 6, "they count like any other day"
        await expect(page.locator("#month-sum")).not_to_contain_text("filled in")
        await bars.nth(2).hover()
        await expect(page.locator("#month-sum")).to_contain_text("filled in from the meter")
        await bars.nth(6).hover()
        await expect(page.locator("#month-sum")).not_to_contain_text("filled in")


async def test_a_day_after_a_gap_is_hatched_says_what_it_holds_and_is_kept_out_of_the_scale(
    a_page, served, web_at, november
):
    web = web_at(november(), store=History(gap))
    async with served(web) as url, a_page(url) as page:
        bars = page.locator("#month-bars .bar")
        await expect(bars).to_have_count(30)
        await expect(page.locator("#month-bars .bar.carried")).to_have_count(1)
        await expect(bars.nth(5)).to_have_class("bar gap carried")
        await expect(bars.nth(1)).to_have_class("bar gap")
        heights = await bars.evaluate_all(
            "bars => bars.map(bar => bar.querySelector('.up i').getBoundingClientRect().height)"
        )
        room = await bars.nth(0).locator(".up").evaluate("up => up.getBoundingClientRect().height")
        assert heights[0] == pytest.approx(room, abs=2), "an ordinary day fills the scale"
        assert heights[5] <= room + 1, "75 kWh do not leave it"
        assert heights[2] == 0
        await bars.nth(5).hover()
        await expect(page.locator("#month-sum")).to_contain_text("includes 2 Nov \N{EN DASH} 5 Nov")
        await expect(page.locator("#month-sum")).to_contain_text("75.0 kWh")
        await bars.nth(1).hover()
        await expect(page.locator("#month-sum")).to_contain_text("until 12:00")


async def test_one_missing_day_is_named(a_page, served, web_at, november):
    def bucket(unit, index, plain):
        if unit == "day" and index == 25:
            return replace(plain, first=plain.start - timedelta(hours=9))
        return plain

    web = web_at(november(), store=History(bucket))
    async with served(web) as url, a_page(url, locale="da-DK") as page:
        await page.locator("#month-bars .bar").nth(25).hover()
        await expect(page.locator("#month-sum")).to_contain_text("inkl. 25. nov.")


async def test_a_restart_with_a_silent_meter_shows_the_history(a_page, served, web_at, november):
    status = {"state": MeterState.SILENT, "code": "timeout", "message": "No reply."}
    web = web_at(november(), samples=False, status=status, store=History(curve=True))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#month-sum")).to_contain_text("kWh")
        await expect(page.locator("#today-bars")).to_be_visible()
        await expect(page.locator("#hour-chart canvas")).to_be_visible()
        await expect(page.locator("#waiting")).to_contain_text("Waiting for the first verified reply")
        await expect(page.locator("#banner")).to_contain_text("The meter does not answer.")
        for absent in ("#now", "#phases", "#totals", "#minutes"):
            await expect(page.locator(absent)).to_be_hidden()


async def test_the_first_day_has_a_word_in_every_card(a_page, served, web_at, november):
    web = web_at(november(), store=History(lambda _unit, _index, plain: EnergyPeriod(plain.start, plain.end, {})))
    async with served(web) as url, a_page(url) as page:
        for card in ("today", "month"):
            await expect(page.locator(f"#{card}-empty")).to_have_text(CATALOGUES["en"]["energy_none"])
            await expect(page.locator(f"#{card}-bars")).to_be_hidden()


async def test_the_first_hours_say_since_when(a_page, served, web_at, november):
    def bucket(unit, index, plain):
        del index
        begin = datetime(2026, 11, 28, 9, 3, tzinfo=ZONE)
        if plain.end <= begin or not plain.values:
            return EnergyPeriod(plain.start, plain.end, {})
        return replace(plain, first=max(plain.start, begin))

    web = web_at(november(), store=History(bucket))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#today-sum")).to_contain_text("from 09:03")
        await expect(page.locator("#month-sum")).to_contain_text("from 28 Nov 09:03")


async def test_a_history_that_cannot_be_read_is_said_and_nothing_else_stops(a_page, served, web_at, november):
    def damaged(*_):
        raise HistoryError("page 17 is damaged")

    web = web_at(november(), store=History(damaged))
    async with served(web) as url, a_page(url, allowed=("503",), locale="de-DE") as page:
        for card in ("today", "month"):
            await expect(page.locator(f"#{card}-empty")).to_have_text(CATALOGUES["de"]["energy_unreadable"])
        await expect(page.locator("#now-value")).to_have_text("432")


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("da-DK", "da"), ("de-AT", "de")])
async def test_what_happened_to_the_history_is_shown_with_the_way_to_acknowledge_it(
    a_page, served, web_at, november, locale, language
):
    class Told:
        name = "history"
        command = "nes2mqtt history acknowledge"

        def offer(self, event):
            pass

        async def run(self):
            pass

        def status(self):
            return OutputStatus(
                self.name,
                ok=False,
                message=f"history: three days were lost. When you have read this, type: {self.command}",
                code="history_damaged",
                params={"command": self.command, "lost": "three days were lost"},
            )

    web = web_at(november(), store=History())
    web.hub.add(Told())
    async with served(web) as url, a_page(url, locale=locale) as page:
        await expect(page.locator("#history-banner")).to_contain_text(CATALOGUES[language]["history"])
        await expect(page.locator("#history-banner")).to_contain_text("nes2mqtt history acknowledge")
        told = await page.locator("#history-banner").inner_text()
        assert ("three days were lost" in told) is (language == "en")


async def test_an_old_value_is_small_and_tells_its_age_and_no_title_repeats_it(a_page, served, web_at, november):
    clock = november()
    web = web_at(clock)

    async def size(page):
        return await page.locator("#now-value").evaluate("value => value.getBoundingClientRect().height")

    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page).to_have_title("↑ 432 W")
        live = await size(page)
        sample = web.hub.latest["house"].samples["present"]
        web.hub.publish(replace(sample, instant=clock.monotonic() - 12 * 60))
        await expect(page.locator("#now")).to_have_class("card now stale")
        await expect(page.locator("#now .heard")).to_contain_text("12 minutes ago")
        assert await size(page) < 0.6 * live
        await expect(page).to_have_title("Electricity meter")


async def test_a_silent_meter_has_no_share_of_answers_and_this_page_counts(a_page, served, web_at, november):
    web = web_at(november(), status={"state": MeterState.SILENT, "code": "timeout"})
    async with served(web) as url, a_page(url, view="meter") as page:
        await expect(page.locator("#link")).to_contain_text("Verified repliesnone now", use_inner_text=False)
        assert "%" not in await page.locator("#link").inner_text()
        await expect(page.locator("#outputs")).to_contain_text("1 open page")


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", "3 days behind"), ("da-DK", "3 dage bagud"), ("de-DE", "3 Tage nach")]
)
async def test_t3_a_wrong_clock_is_told_on_the_page_and_the_time_is_the_meters(a_page, served, web_at, locale, words):
    truth = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)
    start = time.time()

    def monotonic():
        return time.time() - start + 1000

    clock = Clock(
        wall=lambda: truth.timestamp() - 3 * 86400 + monotonic(),
        monotonic=monotonic,
        synchronised=lambda: False,
        built=0.0,
    )
    clock.witness("house", truth + timedelta(seconds=monotonic()), monotonic())
    web = web_at(clock)
    async with served(web) as url, a_page(url, locale=locale) as page:
        await expect(page.locator("#clock-banner")).to_contain_text(words)
        await expect(page.locator("#clock-banner")).to_contain_text("House")
        await expect(page.locator("#pulse-text")).to_contain_text(re.compile(r"15.1\d.\d\d"))


async def test_while_the_time_is_not_known_no_date_is_shown(a_page, served, web_at):
    start = time.time()
    clock = Clock(
        wall=lambda: 1_000_000_000.0 + time.time() - start,
        monotonic=lambda: time.time() - start + 1000,
        synchronised=lambda: False,
    )
    web = web_at(clock, store=History())
    async with served(web) as url, a_page(url, allowed=("503",)) as page:
        await expect(page.locator("#clock-banner")).to_contain_text("does not know the time of day")
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#pulse-text")).to_have_text("Live")
        await expect(page.locator("#today-empty")).to_have_text(CATALOGUES["en"]["energy_no_time"])
        await expect(page.locator("#hour-chart canvas")).to_be_visible()
        await page.locator("#tables summary").click()
        await expect(page.locator("#table-minutes tbody tr")).to_have_count(1)
        assert not re.search(r"\d\d:\d\d|20\d\d|Sep", await texts_of(page))
        await page.get_by_role("link", name="Meter").click()
        await page.locator("#readings summary").click()
        await expect(page.locator("#readings-rows tr").first).to_be_visible()
        assert not re.search(r"\d\d:\d\d|20\d\d|Sep", await texts_of(page))


async def test_t2_the_chart_on_the_page_goes_on_when_the_clock_is_set_back(a_page, served, web_at):
    wall = [time.time() + 7200]
    start = time.time()
    clock = Clock(
        wall=lambda: wall[0] + time.time() - start,
        monotonic=lambda: time.time() - start + 5000,
        synchronised=lambda: True,
        built=0.0,
    )
    web = web_at(clock)
    sample = web.hub.latest["house"].samples["present"]

    def newest(watts):
        values = dict(sample.values) | {POWER: watts}
        web.hub.publish(replace(sample, instant=clock.monotonic(), values=values))

    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        wall[0] -= 7200
        newest(777)
        await expect(page.locator("#now-value")).to_have_text("777")
        local = datetime.fromtimestamp(clock.now().timestamp(), ZONE).strftime("%H:%M")
        await expect(page.locator("#pulse-text")).to_contain_text(local[:4])
        await page.locator("#minutes-chart").focus()
        await page.keyboard.press("End")
        await expect(page.locator("#minutes-readout")).to_contain_text("777 W")
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator("#minutes-readout")).to_contain_text("432 W")


async def test_every_number_of_a_chart_is_reached_by_keyboard(a_page, served, web_at, november):
    web = web_at(november(), store=History(gap, curve=True))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#hour-chart canvas")).to_be_visible()
        await expect(page.locator("#month-sum")).to_contain_text("kWh")
        stops = []
        await page.locator("#main").focus()
        for _ in range(5):
            await page.keyboard.press("Tab")
            stops.append(await page.evaluate("document.activeElement.id || document.activeElement.parentElement.id"))
        assert stops == ["minutes-chart", "hour-chart", "today-bars", "month-bars", "tables"], "one stop each"
        await page.locator("#hour-chart").focus()
        seen = set()
        await page.keyboard.press("Home")
        for _ in range(300):
            seen.add(await page.locator("#hour-readout").inner_text())
            await page.keyboard.press("ArrowRight")
        watts = {int(re.search(r"([\d,]+) W", words)[1].replace(",", "")) for words in seen}
        assert watts == {1000 + index for index in range(299)} | {432}
        await expect(page.locator("#announce")).to_contain_text("432 W Import")
        await page.keyboard.press("Escape")
        await expect(page.locator("#hour-readout")).to_have_text("")
        await page.locator("#month-bars").focus()
        await page.keyboard.press("Home")
        told = []
        for _ in range(25):
            told.append(await page.locator("#announce").inner_text())
            await page.keyboard.press("ArrowRight")
        assert told[0].startswith("Sun 1 Nov: 10.0 kWh import") or told[0].startswith("Sun, 1 Nov: 10.0 kWh import")
        assert len(set(told)) == 25
        assert any("75.0 kWh import, includes 2 Nov \N{EN DASH} 5 Nov" in words for words in told)
        label = await page.locator("#month-bars").get_attribute("aria-label")
        assert label.startswith("This month: ")
        assert len(label) < 200, "one sentence, not thirty values in a row"


async def test_the_charts_are_there_as_tables(a_page, served, web_at, november):
    web = web_at(november(), store=History(gap, curve=True))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#month-sum")).to_contain_text("kWh")
        await page.locator("#tables summary").click()
        await expect(page.locator("#table-days tbody tr")).to_have_count(25)
        await expect(page.locator("#table-days")).to_contain_text("includes 2 Nov \N{EN DASH} 5 Nov")
        await expect(page.locator("#table-hours tbody tr").first).to_contain_text("00:00\N{EN DASH}01:00")
        minutes = page.locator("#table-minutes tbody tr")
        assert await minutes.count() == pytest.approx(51, abs=1)
        await expect(minutes.last).to_contain_text("432")


@pytest.mark.parametrize("size", [320, 390])
@pytest.mark.parametrize("power", [11_520, 105_300])
async def test_large_numbers_fit_a_phone_with_a_wide_font(a_page, served, web_at, november, size, power):
    web = web_at(november())
    sample = web.hub.latest["house"].samples["present"]
    phases = {SOURCES[f"active_power_import_l{phase}"]: power // 3 for phase in (1, 2, 3)}
    web.hub.publish(replace(sample, values=dict(sample.values) | {POWER: power} | phases))
    script = """() => [...document.querySelectorAll('.now-power, .phase-power, .totals dd, .card-head')]
      .filter(line => line.offsetParent)
      .map(line => [line.className || line.tagName, line.textContent, [...line.children].at(-1).getBoundingClientRect().right,
                    line.closest('.phase, .card').getBoundingClientRect().right])"""
    async with served(web) as url, a_page(url, viewport={"width": size, "height": 800}) as page:
        await expect(page.locator("#now-value")).to_have_text(f"{power:,}")
        await page.evaluate("document.documentElement.style.setProperty('--font', 'DejaVu Sans, Verdana')")
        for name, words, right, edge in await page.evaluate(script):
            assert right <= edge + 0.5, (name, words)
        assert await page.evaluate("document.documentElement.scrollWidth") == size


@pytest.mark.parametrize("size", [320, 390, 1440])
async def test_labels_of_an_axis_do_not_collide(a_page, served, web_at, november, size):
    web = web_at(november(), store=History(curve=True))
    spy = """(() => {
      const write = CanvasRenderingContext2D.prototype.fillText;
      window.written = [];
      CanvasRenderingContext2D.prototype.fillText = function (words, x, y, ...more) {
        const width = this.measureText(words).width;
        const at = this.getTransform().transformPoint({ x, y });
        const left = at.x - (this.textAlign === 'center' ? width / 2 : this.textAlign === 'right' ? width : 0);
        window.written.push([this.canvas.closest('.plot').id, words, left, left + width, at.y, this.canvas.width]);
        return write.call(this, words, x, y, ...more);
      };
    })()"""
    async with served(web) as url, a_page(url, viewport={"width": size, "height": 800}) as page:
        await page.add_init_script(spy)
        await page.goto(url)
        await expect(page.locator("#hour-chart canvas")).to_be_visible()
        await page.evaluate("window.written = []")
        written = []
        while len({chart for chart, *_ in written}) < 2:
            await page.wait_for_timeout(100)
            written = await page.evaluate("window.written")
    rows = {}
    for chart, words, left, right, y, width in {tuple(one) for one in written}:
        assert left >= 0, words
        assert right <= width, words
        rows.setdefault((chart, round(y)), []).append((left, right, words))
    assert max(len(row) for row in rows.values()) >= 2
    for row in rows.values():
        row.sort()
        for (_, right, one), (left, _, other) in pairwise(row):
            assert right < left or one == other, (one, other)


async def test_a_bar_of_a_phase_says_what_full_means(a_page, served, web_at, november):
    async with served(web_at(november())) as url, a_page(url) as page:
        await expect(page.locator("#phases-full")).to_have_text("A full bar is 320 W")
        await expect(page.locator("#phases-near")).to_be_hidden()


async def test_a_bar_of_a_phase_fills_to_the_fuse_and_says_what_is_near_it(a_page, served, web_at, november, online):
    """Currents of 9.05, 2.5 and 12 A at a fuse of 10 A are 90.5, 25 and, as a bar has an end, 100 %."""
    web = web_at(november())
    web.fuses = {"house": Fuse(10.0, 9.0)}
    present = web.hub.latest["house"].samples[TableGroup.PRESENT]
    amperes = {f"current_l{phase}": value for phase, value in ((1, 9050), (2, 2500), (3, 12_000))}
    values = {source: amperes.get(source.key, value) for source, value in present.values.items()}
    async with served(web) as url, a_page(url) as page:
        web.hub.publish(replace(present, values=values, instant=web.hub.clock.monotonic()))
        bars = page.locator(".phase .balance i")
        await expect(page.locator("#phases-near")).to_have_text("L1, L3: near the fuse")
        await expect(page.locator("#phases-full")).to_have_text("A full bar is the fuse, 10 A")
        for index, share in enumerate((90.5, 25, 100)):
            await expect(bars.nth(index)).to_have_attribute("style", re.compile(rf"width: {share}%"))
        colours = await bars.evaluate_all("bars => bars.map(bar => getComputedStyle(bar).backgroundColor)")
        assert colours[0] == colours[2] != colours[1]
        # No current, no bar: what is not known is not drawn as nothing.
        values = {source: value for source, value in values.items() if source.key not in amperes}
        web.hub.publish(replace(present, values=values, instant=web.hub.clock.monotonic()))
        await expect(page.locator("#phases-near")).to_be_empty()
        await expect(page.locator(".phase .balance").first).to_be_hidden()
        await expect(page.locator("#phases-full")).to_be_hidden()


@pytest.mark.parametrize("password", [None, "correct horse battery"])
async def test_the_page_can_be_added_to_a_home_screen(a_page, served, make_web, password):
    web = make_web(password=password)
    async with served(web) as url, a_page(url, allowed=("401",)) as page:
        session = await page.context.new_cdp_session(page)
        manifest = await session.send("Page.getAppManifest")
        assert manifest["errors"] == []
        assert manifest["url"] == f"{url}/static/install/manifest.webmanifest"
        errors = (await session.send("Page.getInstallabilityErrors"))["installabilityErrors"]
        # The test's own window is a private one.
        assert [error for error in errors if error["errorId"] != "in-incognito"] == []
        document = json.loads(manifest["data"])
        sizes = {}
        for icon in document["icons"]:
            address = f"{url}/static/install/{icon['src']}"
            script = """address => new Promise((good, bad) => { const i = new Image(); i.onload = () => good([i.naturalWidth,
                i.naturalHeight]); i.onerror = bad; i.src = address; })"""
            sizes[icon["src"]] = await page.evaluate(script, address)
        assert sizes["icon-192.png"] == [192, 192]
        assert sizes["icon-512.png"] == [512, 512]
        assert sizes["icon-maskable-512.png"] == [512, 512]


async def test_the_app_on_the_home_screen_speaks_the_language_too(a_page, served, make_web):
    async with served(make_web()) as url, a_page(url, locale="da-DK") as page:
        await expect(page.locator("#now-value")).to_be_visible()
        assert (
            await page.locator("link[rel=manifest]").get_attribute("href")
        ) == "static/install/manifest.da.webmanifest"
        assert "Elmåler" in await page.evaluate("fetch('static/install/manifest.da.webmanifest').then(r => r.text())")


async def test_a_swedish_browser_gets_all_of_it_in_english(a_page, served, web_at, november):
    web = web_at(november(), store=History())
    async with served(web) as url, a_page(url, locale="sv-SE") as page:
        await expect(page.locator("#now-words")).to_have_text("Drawing from the grid")
        await expect(page.locator("#totals-list")).to_contain_text("65,845.342kWh", use_inner_text=False)
        await expect(page.locator("#phases-list")).to_contain_text("228.7 V")
        await page.locator("#month-bars .bar").nth(20).hover()
        await expect(page.locator("#month-sum")).to_contain_text(re.compile("Sat,? 21 Nov"))
        assert await page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_reading_has_a_name_in_every_language(a_page, served, make_web, language):
    async with (
        served(make_web()) as url,
        a_page(url, locale={"en": "en-GB", "da": "da-DK", "de": "de-DE"}[language]) as page,
    ):
        await expect(page.locator("#now-value")).to_be_visible()
        script = (
            "async keys => { await (await import('./static/texts/texts.js')).bring('meter');"
            " const { label } = await import('./static/texts/labels.js'); return keys.map(key => [key, label(key)]); }"
        )
        labels = dict(await page.evaluate(script, list(SOURCES)))
    assert len(set(labels.values())) == len(SOURCES), "no two readings have one name"
    for key, label in labels.items():
        assert label != key
        assert not re.search(r"[{}_\x00]", label)
        if language == "en":
            assert label == SOURCES[key].label


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("da-DK", "da"), ("de-DE", "de")])
@pytest.mark.parametrize("code", ["timeout", "port_missing", "key_rejected", "no_values", "nothing_known"])
async def test_troubles_are_told_in_one_language(a_page, served, web_at, november, locale, language, code):
    english = "the port /dev/ttyUSB0 is gone. Plug it in again"
    state = {"key_rejected": MeterState.KEY_REFUSED, "no_values": MeterState.NO_VALUES}.get(code, MeterState.SILENT)
    status = {"state": state, "code": code, "params": {"port": "/dev/ttyUSB0"}, "message": english}
    web = web_at(november(), samples=False, status=status)
    async with served(web) as url, a_page(url, locale=locale) as page:
        await expect(page.locator("#banner-title")).to_have_text(CATALOGUES[language][f"state_{state}"])
        words = await page.locator("#banner-text").inner_text()
        if language == "en":
            assert words == "The port /dev/ttyUSB0 is gone. Plug it in again"
        else:
            key = f"trouble_{code}" if f"trouble_{code}" in CATALOGUES[language] else "trouble_unknown"
            assert words == CATALOGUES[language][key].replace("{port}", "/dev/ttyUSB0")
