"""Every view in every state, from 320 to 2560 px and with a wide font: nothing scrolls sideways, no word is cut off.

``PICTURES=folder .venv/bin/pytest packages/nes2mqtt/tests/web/test_web_page_states.py`` also draws all of it, to be looked at.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.readings.reading import MeterState
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

ZONE = ZoneInfo("Europe/Copenhagen")
PICTURES = os.environ.get("PICTURES", "")
LOCALES = ("en-GB", "da-DK", "de-DE")
WIDTHS = (2560, 1440, 768, 390, 320)
IMPORT, EXPORT = "active_energy_import", "active_energy_export"
WIDE = "document.documentElement.style.setProperty('--font', 'DejaVu Sans, Verdana')"
LONG_AGO = datetime(2024, 1, 1, tzinfo=ZONE)

CUT = """() => {
  const told = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const words = node.textContent.trim();
    const own = node.parentElement;
    if (!words || !own.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || own.closest('.unseen, .skip, option, noscript, script, style')) {
      continue;
    }
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    if (box.width < 1 || box.height < 1) {
      continue;
    }
    let scrolls = false;
    for (let up = own; up && up !== document.documentElement; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (['auto', 'scroll'].includes(style.overflowX)) {
        scrolls = true;
        break;
      }
      const edge = up.getBoundingClientRect();
      const hides = ['hidden', 'clip'].includes(style.overflowX);
      const card = up.matches('.card, button, .choice a, .views a');
      if ((hides || card) && (box.right > edge.right + 1 || box.left < edge.left - 1)) {
        told.push([words.slice(0, 60), up.id || up.className || up.tagName]);
        break;
      }
    }
    if (!scrolls && (box.right > innerWidth + 1 || box.left < -1)) {
      told.push([words.slice(0, 60), 'the window']);
    }
  }
  return told;
}"""
"""The words that stand out of their card, button or window."""


class House:
    """A history that begins somewhere, with a silence somewhere, up to now."""

    zone = ZONE

    def __init__(self, now, begin, silence, *, watts, export):
        self.now, self.begin, self.silence, self.watts, self.export = now, begin, silence, watts, export

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, unit, ZONE)))

    async def energies(self, meter, spans):
        del meter
        return [self.bucket(start, end) for start, end in spans]

    def bucket(self, start, end):
        now = self.now()
        first, last = max(start, self.begin), min(end, now)
        if first >= last:
            return EnergyPeriod(start, end, {})
        if self.silence:
            begin, over = self.silence
            if begin <= start and end <= over:
                return EnergyPeriod(start, end, {})
            if start < begin < end <= over:
                last = begin
            elif begin < start < over < end:
                first = begin
        hours = (last - first) / timedelta(hours=1)
        values = {IMPORT: round(self.watts * hours * (0.5 + (start.hour % 7) / 7))}
        if self.export:
            values[EXPORT] = round(values[IMPORT] * 1.7)
        return EnergyPeriod(start, end, values, first, last)

    async def series(self, meter, keys, start, end, most):
        del most
        step = max(timedelta(seconds=10), (end - start) / 1440)
        times = [start + step * index for index in range(int((end - start) / step))]
        silent = self.silence or (self.now(), self.now())
        known = [self.begin <= at < self.now() and not silent[0] <= at < silent[1] for at in times]
        watts = [self.watts + (index % 90) * 3 if there else None for index, there in enumerate(known)]
        nothing = [None] * len(times)
        pair = (nothing, watts) if self.export else (watts, nothing)
        return Series(meter, step, times, {key: Line(line, line, line) for key, line in zip(keys, pair, strict=True)})

    async def looked_into(self, meter, limit):
        del meter, limit
        return []


@dataclass(frozen=True)
class State:
    """A state of the house, the meter and the gateway."""

    at: datetime
    samples: bool = True
    values: Mapping[str, int | None] = field(default_factory=dict)
    """Present values in place of the Danish meter's; None takes one away."""
    only: Callable[[str], bool] = lambda _: True
    begin: datetime = LONG_AGO
    silence: tuple[datetime, datetime] | None = None
    scheme: str = "light"
    age: timedelta = timedelta()
    ends: bool = False
    """The gateway ends while somebody looks."""
    views: tuple[str, ...] = ()
    """What of the history belongs to it, beside the rest."""
    watts: int = 600
    export: bool = False
    wide: bool = False


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZONE)


NOON = at(2026, 11, 28, 14, 20)
STRONG = {f"current_l{phase}": 16_100 for phase in (1, 2, 3)}
STATES = {
    "plain": State(NOON, views=("history/day", "history/month?with=before", "history/year", "history/all")),
    "nothing": State(NOON, samples=False, begin=at(2100, 1, 1), views=("history/day", "history/year")),
    "one_phase": State(NOON, only=lambda name: not name.endswith(("_l2", "_l3"))),
    "export": State(
        at(2026, 6, 20, 12, 30),
        values={"active_power_import": 0, "active_power_export": 7431},
        export=True,
        watts=2400,
        views=("history/day", "history/month?with=year"),
    ),
    "night": State(at(2026, 11, 28, 2, 30), scheme="dark", views=("history/day", "history/week")),
    "offline": State(NOON, ends=True, scheme="dark", views=("history/month",)),
    "stale": State(NOON, age=timedelta(minutes=11), views=("history/day",)),
    "gap": State(
        NOON,
        silence=(at(2026, 11, 22, 2, 10), at(2026, 11, 25, 5, 40)),
        views=("history/day/2026-11-25", "history/month", "history/week"),
    ),
    "first_day": State(NOON, begin=at(2026, 11, 28, 13, 10), views=("history/day", "history/month?with=before", "history/year")),
    "leap_day": State(at(2028, 2, 29, 18, 0), views=("history/day?with=year", "history/month?with=year", "history/year?with=before")),
    "long_day": State(at(2026, 10, 25, 22, 0), views=("history/day?with=before", "history/day?by=quarter")),
    "strong": State(
        at(2026, 12, 31, 19, 0),
        values={"active_power_import": 11_040, **{f"active_power_import_l{phase}": 3680 for phase in (1, 2, 3)}, **STRONG},
        watts=11_000,
        scheme="dark",
        views=("history/day", "history/year"),
    ),
    "wide": State(NOON, values={"active_power_import": 11_040}, wide=True, watts=11_000, views=("history/day", "history/month?with=before", "history/year")),
}  # fmt: skip
CASES = [(name, "de-DE" if name != "wide" else locale) for name in STATES for locale in LOCALES[: 3 if name == "wide" else 1]] + [
    ("plain", "en-GB"),
    ("plain", "da-DK"),
]  # fmt: skip
"""German words are the longest; the others are looked at with what is always there."""


@pytest.fixture
def web_in(make_web, danish_samples, online):
    """Return what makes a page of a state."""

    def made(state):
        # It stands still, so that nothing grows old while it is looked at.
        wall = state.at.timestamp
        clock = Clock(wall=wall, monotonic=wall, synchronised=lambda: True, built=0.0)
        house = House(clock.now, state.begin, state.silence, watts=state.watts, export=state.export)
        web = make_web(samples=False, store=house)
        web.hub.clock = web.live._clock = clock
        web.started = clock.monotonic()
        if not state.samples:
            return web
        web.hub.publish(online(instant=clock.monotonic()))
        heard = clock.now() - state.age
        for sample in danish_samples(heard):
            values = dict(sample.values)
            if sample.group == "present":
                for name, value in state.values.items():
                    if value is None:
                        values.pop(SOURCES[name], None)
                    else:
                        values[SOURCES[name]] = value
            values = {source: value for source, value in values.items() if state.only(source.key)}
            web.hub.publish(replace(sample, values=values, instant=clock.monotonic() - state.age.total_seconds()))
        if state.age:
            gone = online(instant=clock.monotonic(), state=MeterState.SILENT, message="The meter does not answer.")
            web.hub.publish(gone)
        return web

    return made


async def seen(page, name, locale, view, width):
    """Look at a view in one width: what is wrong with it."""
    await page.set_viewport_size({"width": width, "height": 900 if width > 700 else 844})
    await page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    found = [(view, width, *one) for one in await page.evaluate(CUT)]
    scroll = await page.evaluate("document.documentElement.scrollWidth")
    if scroll != width:
        found.append((view, width, f"scrolls sideways: {scroll}", ""))
    if PICTURES:
        folder = Path(PICTURES) / name
        folder.mkdir(parents=True, exist_ok=True)
        await page.wait_for_timeout(700)
        file = f"{view.replace('/', '-').replace('?', '-')}-{width}-{locale[:2]}.png"
        await page.screenshot(path=folder / file, full_page="wall" not in view)
    return found


async def ready(page, view):
    """Wait until a view shows what it has."""
    kind = view.split("/", 1)[0]
    await expect(page.locator(f"#view-{kind}")).to_be_visible()
    if kind == "history":
        await expect(page.locator("#view-history.first, #view-history.loading")).to_have_count(0)
    if kind == "meter":
        await expect(page.locator("#meter-cards")).to_be_visible()
    await page.wait_for_load_state("load")


@pytest.mark.parametrize(("name", "locale"), CASES)
async def test_nothing_is_cut_off_in_any_state(a_page, served, web_in, name, locale):
    state = STATES[name]
    settings = {
        "locale": locale,
        "color_scheme": state.scheme,
        "allowed": ("Failed to load", "ERR_", "fetching the script"),
    }
    async with AsyncExitStack() as gateway:
        url = await gateway.enter_async_context(served(web_in(state)))
        async with a_page(url, view="now", **settings) as page:
            found = await looked_at(page, url, name, locale, gateway)
    assert not found


async def looked_at(page, url, name, locale, gateway):
    """Look at all views of a state; where the gateway ends, after it has ended."""
    state = STATES[name]
    views = ("now", *state.views, "meter", "wall")
    found = []
    if state.wide:
        await page.evaluate(WIDE)
    for view in views:
        await page.evaluate("view => { location.hash = `/house/${view}`; }", view)
        await ready(page, view)
        for width in () if state.ends else WIDTHS:
            found += await seen(page, name, locale, view, width)
    if state.ends:
        await gateway.aclose()
        await expect(page.locator("#banner")).to_be_visible()
        for view in views:
            await page.evaluate("view => { location.hash = `/house/${view}`; }", view)
            await expect(page.locator(f"#view-{view.split('/', 1)[0]}")).to_be_visible()
            for width in WIDTHS:
                found += await seen(page, name, locale, view, width)
    return found


@pytest.mark.parametrize("locale", LOCALES)
async def test_nothing_is_cut_off_at_the_login(browser, served, make_web, locale):
    async with served(make_web(password="correct horse battery")) as url:
        page = await browser.new_page(locale=locale)
        found = []
        for address in ("login", "wrong"):
            await page.goto(f"{url}/login")
            if address == "wrong":
                await page.locator("#password").fill("no")
                await page.locator("button").click()
                await expect(page.locator("#error")).to_be_visible()
            for wide in (False, True):
                if wide:
                    await page.evaluate(WIDE)
                for width in WIDTHS:
                    # Where words stand is no matter of colour; pictures are drawn in both.
                    for scheme in ("light", "dark") if PICTURES else ():
                        await page.emulate_media(color_scheme=scheme)
                        await seen(page, f"login-{scheme}", locale, f"{address}{'-wide' if wide else ''}", width)
                    found += await seen(page, "login", locale, f"{address}{'-wide' if wide else ''}", width)
        await page.close()
    assert not found
