"""The page as a browser shows it: true values, absent ones absent, old ones grey; nothing from elsewhere.

Each test fails on any console message, any violation of the content security policy and any request
that leaves loopback.
"""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.readings.reading import MeterInfo, MeterState, TableGroup
from osgp.image import MeterImage
from osgp.sources import SOURCES
from osgp.tables import present, registers

pytestmark = [
    pytest.mark.xdist_group("chromium"),
    # One browser for all tests: starting it is what takes time.
    pytest.mark.asyncio(loop_scope="module"),
]
PASSWORD = "correct horse battery"


class FakeStore:
    """A history with 1.5 kWh drawn and 0.25 kWh given in each period until now, and no curve."""

    zone = ZoneInfo("Europe/Copenhagen")

    async def energy(self, meter, unit, start, end):
        del meter
        now = datetime.now(UTC)
        return [
            EnergyPeriod(a, b, {"active_energy_import": 1500, "active_energy_export": 250} if a <= now else {}, a, b)
            for a, b in periods(start, end, unit, self.zone)
        ]

    async def looked_into(self, meter, limit):
        del meter, limit
        return []

    async def series(self, meter, keys, start, end, max_points):
        del start, end, max_points
        return Series(meter, None, [], {key: Line() for key in keys})


async def shown(page, key):
    return float(await page.locator(f'[data-key="{key}"]').first.get_attribute("data-value"))


async def scroll_width(page):
    return await page.evaluate("document.documentElement.scrollWidth")


async def test_the_danish_values_stand_on_the_page_exactly(a_page, make_web, served):
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    raw = registers.decode(image.read("BT23"), dims) | present.decode(image.read("BT28"), dims)
    async with served(make_web(store=FakeStore())) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#now-words")).to_have_text("Drawing from the grid")
        await expect(page.locator("#now-more")).to_have_text("818 VA  ·  50.00 Hz", use_inner_text=False)
        await expect(page.locator("#totals-list")).to_have_text("Import65,845.342kWhExport0.179kWh")
        await expect(page.locator("#phases-list .phase")).to_have_text(
            ["L1320W228.7 V1.98 A", "L259W226.1 V0.78 A", "L353W227.0 V0.85 A"]
        )
        assert await shown(page, "voltage_l1") == 228.693
        assert await shown(page, "current_l2") == 0.782
        await expect(page.locator("#meter-name")).to_have_text("House")
        await expect(page.locator("#minutes-chart canvas")).to_be_visible()
        await expect(page.locator("#hour-chart canvas")).to_be_visible()
        await expect(page.locator("#today-sum")).to_contain_text("kWh")
        await expect(page.locator("#banner")).to_be_hidden()
        await page.get_by_role("link", name="Meter").click()
        await expect(page.locator("#identity")).to_contain_text("NES 83332-3I")
        await expect(page.locator("#identity")).to_contain_text("87654321")
        await expect(page.locator("#link")).to_contain_text("99.9 %")
        await expect(page.locator("#outputs")).to_contain_text("connected to 127.0.0.1")
        await page.locator("#readings summary").click()
        rows = page.locator("#readings-rows td.number")
        await expect(rows).to_have_count(len(raw))
        exact = await rows.evaluate_all("cells => cells.map(c => [c.dataset.key, Number(c.dataset.value)])")
        assert dict(exact) == {source.key: source.scaled(value) for source, value in raw.items()}


async def test_it_follows_the_meter(a_page, make_web, served):
    web = make_web()
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        sample = web.hub.latest["house"].samples[TableGroup.PRESENT]
        values = dict(sample.values) | {SOURCES["active_power_import"]: 0, SOURCES["active_power_export"]: 2750}
        web.hub.publish(replace(sample, values=values, received=datetime.now(UTC)))
        await expect(page.locator("#now-value")).to_have_text("2,750")
        await expect(page.locator("#now-words")).to_have_text("Giving to the grid")
        await expect(page.locator("#now")).to_have_attribute("data-flow", "exporting")
        await expect(page.locator("#announce")).to_have_text("Giving to the grid: 2,750 W")


@pytest.mark.parametrize(
    ("locale", "words", "power"),
    [
        ("da-DK", "Trækker fra nettet", "1.514"),
        ("de-AT", "Bezug aus dem Netz", "1\u00a0514"),
        ("fr-FR", "Drawing from the grid", "1,514"),
    ],
)
async def test_it_speaks_the_browsers_language(a_page, make_web, served, danish_samples, locale, words, power):
    web = make_web()
    sample = danish_samples(datetime.now(UTC))[1]
    web.hub.publish(replace(sample, values=dict(sample.values) | {SOURCES["active_power_import"]: 1514}))
    async with served(web) as url, a_page(url, locale=locale) as page:
        await expect(page.locator("#now-words")).to_have_text(words)
        await expect(page.locator("#now-value")).to_have_text(power)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_never_scrolls_sideways(a_page, make_web, served, scheme):
    phone = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme, "locale": "de-DE"}
    async with served(make_web(store=FakeStore())) as url, a_page(url, **phone) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#month-bars .bar").first).to_be_attached()
        assert await scroll_width(page) == 320
        await page.get_by_role("link", name="Zähler").click()
        await page.locator("#readings summary").click()
        await expect(page.locator("#readings-rows tr").first).to_be_visible()
        assert await scroll_width(page) == 320


async def test_what_the_meter_does_not_send_is_not_there(a_page, make_web, served, make_sample):
    web = make_web(samples=False)
    values = {SOURCES["active_power_import"]: 0, SOURCES["voltage_l1"]: 230_000}
    web.hub.publish(make_sample(values, group=TableGroup.PRESENT, received=datetime.now(UTC)))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("0")
        await expect(page.locator("#now-words")).to_have_text("Nothing flows")
        await expect(page.locator("#now-more")).to_have_text("")
        await expect(page.locator("#phases-list .phase")).to_have_text(["L1W230.0 V"], use_inner_text=False)
        await expect(page.locator("#phases-list .phase-power")).to_be_hidden()
        for absent in ("#totals", "#today", "#month"):
            await expect(page.locator(absent)).to_be_hidden()


async def test_before_the_first_reply_it_waits(a_page, make_web, served, danish_samples):
    web = make_web(samples=False)
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#waiting")).to_contain_text("Waiting for the first verified reply")
        await expect(page.locator("#cards")).to_be_hidden()
        web.hub.publish(danish_samples(datetime.now(UTC))[1])
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#waiting")).to_be_hidden()


async def test_old_values_are_grey_and_say_since_when(a_page, make_web, served, danish_samples, online):
    web = make_web(samples=False)
    heard = datetime.now(UTC) - timedelta(seconds=30)
    for sample in danish_samples(heard):
        web.hub.publish(sample)
    web.hub.publish(online(state=MeterState.SILENT, message="No reply for 30 s. Check the cable at the meter."))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now")).to_have_class("card now stale")
        local = heard.astimezone(ZoneInfo("Europe/Copenhagen")).strftime("%H:%M:%S")
        await expect(page.locator("#now .heard")).to_have_text(re.compile(rf"^Last heard {local}, \d+ seconds ago$"))
        await expect(page.locator("#banner")).to_contain_text("The meter does not answer.")
        await expect(page.locator("#banner")).to_contain_text("Check the cable at the meter.")
        await expect(page.locator("#totals .heard")).to_be_hidden()
        await expect(page.locator("#totals")).to_have_class("card totals")


async def test_values_turn_grey_while_one_looks(a_page, make_web, served):
    web = make_web()
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now")).to_have_class("card now")
        # As if ten seconds had gone by; no event tells so.
        web.hub.expect("house", {TableGroup.PRESENT: timedelta(0)})
        await expect(page.locator("#now")).to_have_class("card now stale")
        await expect(page.locator("#banner")).to_contain_text("The values are old.")


async def test_when_the_gateway_is_gone_it_says_so_and_comes_back(a_page, make_web, served, gateway_gone):
    web = make_web()
    async with served(web) as url:
        context = a_page(url, allowed=gateway_gone)
        page = await context.__aenter__()
        await expect(page.locator("#now-value")).to_have_text("432")
    await expect(page.locator("#banner")).to_contain_text("The gateway does not answer.")
    await expect(page.locator("body")).to_have_class("lost")
    again = make_web(listen=f"127.0.0.1:{web.port}")
    async with served(again):
        await expect(page.locator("#banner")).to_be_hidden()
        await context.__aexit__(None, None, None)


async def test_strange_words_of_a_meter_stay_words(a_page, make_web, served, online):
    web = make_web()
    evil = '<img src=x onerror="document.title=1"><script>alert(1)</script>'
    web.hub.publish(online(MeterInfo("house", evil, evil, evil, evil, evil), message=evil, state=MeterState.SILENT))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#meter-name")).to_have_text(evil)
        await expect(page.locator("#banner-text")).to_have_text(evil)
        await page.get_by_role("link", name="Meter").click()
        await expect(page.locator("#identity")).to_contain_text(evil)
        assert await page.locator("main img, header img, main script").count() == 0


async def test_several_meters_have_a_switch(a_page, make_web, served, online, danish_samples):
    web = make_web()
    web.hub.publish(online(MeterInfo("barn", name="Barn")))
    sample = replace(danish_samples(datetime.now(UTC), meter="barn")[1])
    web.hub.publish(replace(sample, values=dict(sample.values) | {SOURCES["active_power_import"]: 77}))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await expect(page.locator("#meters a")).to_have_text(["All meters", "House", "Barn"])
        await page.get_by_role("link", name="Barn").click()
        await expect(page.locator("#now-value")).to_have_text("77")
        await expect(page.locator("#meters a[aria-current]")).to_have_text("Barn")
        await page.go_back()
        await expect(page.locator("#now-value")).to_have_text("432")


async def test_many_meters_have_a_list(a_page, make_web, served, online, danish_samples):
    web = make_web()
    for number in range(10):
        web.hub.publish(online(MeterInfo(f"m{number}", name=f"Meter {number}")))
    sample = danish_samples(datetime.now(UTC), meter="m7")[1]
    web.hub.publish(replace(sample, values=dict(sample.values) | {SOURCES["active_power_import"]: 77}))
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#now-value")).to_have_text("432")
        await page.get_by_role("combobox").select_option("Meter 7")
        await expect(page.locator("#now-value")).to_have_text("77")


async def test_login_and_logout(a_page, make_web, served):
    web = make_web(password=PASSWORD)
    async with served(web) as url, a_page(url, allowed=("401",)) as page:
        assert page.url.endswith("/login")
        await page.get_by_label("Password").fill("wrong horse")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_have_text("That password is not right.")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#now-value")).to_have_text("432")
        assert await page.evaluate("document.cookie") == "", "the cookie is not for scripts"
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Password")).to_be_visible()
        await page.goto(url)
        await expect(page.get_by_label("Password")).to_be_visible()


async def test_a_session_that_ends_leads_to_the_login(a_page, make_web, served):
    web = make_web(password=PASSWORD)
    async with served(web) as url, a_page(url, allowed=("401",)) as page:
        await page.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#now-value")).to_have_text("432")
        await page.context.clear_cookies()
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.get_by_label("Password")).to_be_visible()


async def test_contrast_is_enough_to_read(a_page, make_web, served):
    """WCAG 2.1 AA: 4.5 to 1 for text, in both schemes."""
    script = """() => {
      const parse = c => c.match(/[\\d.]+/g).map(Number);
      const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
      const style = getComputedStyle(document.documentElement);
      const probe = document.body.appendChild(document.createElement('i'));
      const colour = name => { probe.style.color = style.getPropertyValue(name); return light(parse(getComputedStyle(probe).color)); };
      const found = [];
      for (const ink of ['--ink', '--muted', '--import', '--export', '--bad'])
        for (const paper of ['--paper', '--card', '--import-soft', '--export-soft', '--bad-soft']) {
          const [a, b] = [colour(ink), colour(paper)].sort((x, y) => y - x);
          found.push([ink, paper, (a + 0.05) / (b + 0.05)]);
        }
      return found;
    }"""
    async with served(make_web()) as url:
        for scheme in ("light", "dark"):
            async with a_page(url, color_scheme=scheme) as page:
                for ink, paper, ratio in await page.evaluate(script):
                    assert ratio >= 4.5, (scheme, ink, paper, ratio)
