"""The console on the page: read when somebody asks, raw and decoded side by side, what is hidden cannot be chosen, by keyboard too."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from nes2mqtt.meters.console import Console, RequestLog
from nes2mqtt.outputs.web.output import WebOutput
from osgp.image import MeterImage
from osgp.psem import PartialRead, Read, Response, ResponseReceived

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]


class Danish:
    """A poller, and the session, of the real Danish meter's image."""

    name = "house"

    def __init__(self):
        self.image, self.asked = MeterImage.load("image:denmark-gen3"), 0

    async def beside(self, read):
        self.asked += 1
        return await read(self)

    async def dimensions(self, table=""):
        del table
        return self.image.derive_dimensions()

    async def confirms(self, dims):
        return bool(dims)

    async def read(self, table, offset=0, count=None):
        data = self.image.read(table)
        return data if count is None else data[offset : offset + count]

    async def table(self, name):
        assert name == "BT00"
        return {"basic_tables_used": {23, 28, 42}, "extended_tables_used": set()}


@pytest.fixture
def danish(make_web, online, danish_samples):
    """Return a page of that meter, and its poller."""
    del danish_samples
    base, meter = make_web(), Danish()
    log = RequestLog(base.hub.clock.monotonic)
    log.hear(ResponseReceived(Read(28), Response(0, bytes(104))))
    log.hear(ResponseReceived(PartialRead(23, 0, 44), Response(4)))
    console = Console([meter], {"house": log}, base.hub.clock.monotonic)
    web = WebOutput(base.config, base.gateway, base.hub, None, console=console)
    base.hub.add(web)
    base.hub.publish(online())
    return web, meter


class Late(Danish):
    """The same, which answers when it is let."""

    def __init__(self):
        super().__init__()
        self.may = asyncio.Event()

    async def beside(self, read):
        await self.may.wait()
        return await super().beside(read)


@pytest.mark.parametrize("width", [1440, 320])
async def test_a_table_is_read_when_somebody_asks_and_shows_bytes_and_words(a_page, served, danish, width):
    web, meter = danish
    settings = {"viewport": {"width": width, "height": 900}}
    async with served(web) as url, a_page(url, view="meter", **settings) as page:
        await page.locator("#console-card summary").click()
        await expect(page.locator("#console-choice")).to_be_hidden()
        assert meter.asked == 0, "nobody asked for it"
        await page.locator("#console-list").click()
        await expect(page.locator("#console-said")).to_contain_text("tables.")
        assert await page.locator("#console-table option[value=BT42]").get_attribute("disabled") is not None
        await page.locator("#console-table").select_option("BT23")
        await page.locator("#console-read").click()
        rows = page.locator("#console-fields tbody tr")
        await expect(rows.first).to_be_visible()
        raw = "".join(await page.locator("#console-fields .raw").all_inner_texts())
        assert bytes.fromhex(raw.replace(" ", "")) == meter.image.read("BT23")
        await expect(page.locator("#console-fields")).to_contain_text("65845.342 kWh")
        # When it was, for it stands there until somebody reads again.
        await expect(page.locator("#console-fields caption")).to_have_text(
            re.compile(r"^BT23 \S.*20\d\d,? (at )?\d\d:\d\d$")
        )
        assert meter.asked == 2
        assert await page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", ["read BT23", "44 bytes from 0", "refused by the meter · 0x04", "answered, verified · 104 bytes"]),
        ("da-DK", ["læs BT23", "44 byte fra 0", "afvist af måleren · 0x04", "besvaret, kontrolleret · 104 byte i alt"]),
        ("de-DE", ["lies BT23", "44 Byte ab 0", "vom Zähler abgelehnt · 0x04", "beantwortet, geprüft · 104 Byte insgesamt"]),
    ],
)  # fmt: skip
async def test_the_last_requests_in_words(a_page, served, danish, locale, words):
    async with served(danish[0]) as url, a_page(url, view="meter", locale=locale) as page:
        await expect(page.locator("#console-card summary")).to_be_visible()
        await page.locator("#console-card summary").focus()
        await page.keyboard.press("Enter")
        await page.locator("#console-requests").focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#console-rows tbody tr")).to_have_count(2)
        for each in words:
            await expect(page.locator("#console-rows")).to_contain_text(each)


async def test_why_there_is_none(a_page, served, make_web):
    async with served(make_web()) as url, a_page(url, view="meter", allowed=("Failed to load",)) as page:
        await page.locator("#console-card summary").click()
        await page.locator("#console-list").click()
        await expect(page.locator("#console-said")).to_contain_text("Try again in a moment")


async def test_who_looks_at_the_requests_meanwhile_gets_the_tables_too(a_page, served, danish):
    web, _ = danish
    late = Late()
    web.console = Console([late], {}, web.hub.clock.monotonic)
    async with served(web) as url, a_page(url, view="meter") as page:
        await page.locator("#console-card summary").click()
        await page.locator("#console-list").click()
        await page.locator("#console-requests").click()
        await expect(page.locator("#console-requests")).to_be_enabled()
        await expect(page.locator("#console-list")).to_be_disabled()
        late.may.set()
        await expect(page.locator("#console-list")).to_be_enabled()
        await expect(page.locator("#console-choice")).to_be_visible()
        await expect(page.locator("#console-said")).to_contain_text("tables.")


@pytest.mark.parametrize(
    ("locale", "width", "scheme"), [("da-DK", 390, "dark"), ("de-DE", 1440, "light"), ("de-DE", 320, "dark")]
)
async def test_it_is_for_everybody(a_page, served, danish, for_everybody, locale, width, scheme):
    settings = {
        "locale": locale,
        "viewport": {"width": width, "height": 844},
        "color_scheme": scheme,
        "bypass_csp": True,
    }
    async with served(danish[0]) as url, a_page(url, view="meter", **settings) as page:
        summary = page.locator("#console-card summary")
        await expect(summary).to_be_visible()
        await summary.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#console-list")).to_be_visible()

        async def goes_on(to):
            await page.keyboard.press("Tab")
            await expect(page.locator(to)).to_be_focused()
            assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"

        await goes_on("#console-list")
        await page.keyboard.press("Enter")
        await expect(page.locator("#console-choice")).to_be_visible()
        await page.locator("#console-list").focus()
        await goes_on("#console-requests")
        await page.keyboard.press("Enter")
        await expect(page.locator("#console-rows tbody tr")).to_have_count(2)
        await page.locator("#console-requests").focus()
        await goes_on("#console-table")
        await goes_on("#console-read")
        await page.keyboard.press("Enter")
        await expect(page.locator("#console-fields tbody tr").first).to_be_visible()
        await page.locator("#console-read").focus()
        await goes_on("#console-shown")
        await goes_on("#console-log")
        await for_everybody(page, opened=True)
