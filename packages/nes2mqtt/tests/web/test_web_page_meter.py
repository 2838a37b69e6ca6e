"""The view of the meter: what it says of itself, what happened to it; a card only where there is something to tell."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.reader import Line, Series
from nes2mqtt.history.tables.filled import LookedInto
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import Found, HappenedKind, happened_of
from nes2mqtt.readings.reading import EntriesRead
from osgp.tables.calendar.schedule import Switch
from osgp.tables.calendar.tariffs import Drive, Tariffs
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage
from osgp.tables.quality.report import Distortion, Events, Extreme, PhaseQuality, SupplyQuality
from osgp.tables.status.state import Contactor, MeterState

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
NONE = Events(0)
QUIET = MeterState(
    alarms=(),
    contactor=None,
    button_locked=None,
    opened_by_limit=None,
    relay_1_pending=None,
    relay_2_pending=None,
    mis_wiring="",
    load_profile_off=None,
)
CARDS = ("complaints-card", "state-card", "tariff-card", "quality-card", "events-card", "gaps-card", "devices")


def tell(web, state=None, tariffs=None, quality=None):
    web.hub.publish(ConditionRead("house", datetime.now(UTC), web.hub.clock.monotonic(), state, tariffs, quality))


def told(state, **more):
    fields = {name: getattr(state, name) for name in MeterState.__dataclass_fields__}
    return MeterState(**fields | more)


async def log(web, events, outages=()):
    entries = happened_of("house", "87654321", events, outages)
    known = {HappenedKind.EVENT: "BT74:1:0"}
    kept = await web.event_log.keep(Found("house", "87654321", entries, known, tuple(HappenedKind), NOON))
    web.hub.publish(EntriesRead("house", tuple(kept)))


async def test_what_the_meter_does_not_tell_has_no_card(a_page, make_web, served):
    async with served(make_web()) as url, a_page(url, view="meter") as page:
        await expect(page.locator("#identity")).to_contain_text("87654321")
        for card in CARDS:
            await expect(page.locator(f"#{card}")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", ("Cover removed", "Load profile 1 not collected", "on", "the meter's calendar")),
        ("da-DK", ("Dækslet er taget af", "Belastningsprofil 1 ikke hentet", "tændt", "målerens kalender")),
        ("de-DE", ("Abdeckung geöffnet", "Lastprofil 1 nicht abgeholt", "ein", "den Kalender des Zählers")),
    ],
)
async def test_what_it_says_of_itself_in_the_readers_language(a_page, make_web, served, locale, words):
    web = make_web()
    local = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None, microsecond=0)
    following = datetime(2026, 12, 24, 6, 0)  # noqa: DTZ001 - the meter's local time
    tell(
        web,
        told(QUIET, alarms=("cover_removed", "load_profile_1_unread"), contactor=Contactor.CLOSED),
        Tariffs(0, Drive.CALENDAR, local, 1, 0, 7, Switch(following, 1), None),
    )
    async with served(web) as url, a_page(url, view="meter", locale=locale) as page:
        trouble, noted, switch, by = words
        await expect(page.locator("#complaints .trouble")).to_contain_text(trouble)
        await expect(page.locator("#complaints li").nth(1)).to_have_text(noted)
        await expect(page.locator("#state dd").first).to_have_text(switch)
        await expect(page.locator("#tariff")).to_contain_text(by)
        await expect(page.locator("#tariff")).to_contain_text("06")
        for card in ("quality-card", "events-card"):
            await expect(page.locator(f"#{card}")).to_be_hidden()


async def test_what_only_notes_something_is_no_trouble(a_page, make_web, served):
    web = make_web()
    tell(web, told(QUIET, alarms=("load_profile_1_unread",)))
    async with served(web) as url, a_page(url, view="meter") as page:
        await expect(page.locator("#complaints")).to_have_text("Load profile 1 not collected")
        await expect(page.locator("#complaints-hint")).to_have_text("Nothing of this is a trouble.")


async def test_the_quality_of_the_supply_by_phase(a_page, make_web, served):
    web = make_web()
    sags = Events(2, NOON, 181_500)
    distorted = {"voltage": Distortion(4, NOON, 8.25, 6.5)}
    phases = (
        PhaseQuality("l1", False, NONE, NONE, Events(1, NOON, 254_000), 0, None, distorted),
        PhaseQuality("l2", True, Events(1, NOON), sags, NONE, 3, None, {}),
    )
    tell(web, None, None, SupplyQuality(phases, Extreme(49_730, NOON), None, 3, 300, 10, 10, 30))
    async with served(web) as url, a_page(url, view="meter") as page:
        table = page.locator("#quality tbody")
        await expect(table).to_contain_text("Low voltage0" + "2, 181.5 V, 29 Nov 2026, 13:00")
        await expect(table).to_contain_text("High voltage1, 254.0 V, 29 Nov 2026, 13:00" + "0")
        await expect(table).to_contain_text("Distorted voltage4, 8.3 %, 29 Nov 2026, 13:00")
        await expect(table).not_to_contain_text("Distorted current")
        await expect(page.locator("#complaints .trouble")).to_contain_text("L2 is missing")
        await expect(page.locator("#quality-facts")).to_contain_text("49.73 Hz, 29 Nov 2026, 13:00")
        await expect(page.locator("#quality-facts")).not_to_contain_text("Highest frequency")


async def test_what_happened_the_newest_first_older_on_demand_and_as_it_happens(a_page, make_web, served):
    web = make_web()
    old = [Event(number, NOON + timedelta(minutes=number), 0xFFFF, 9, b"\0\0") for number in range(50, 0, -1)]
    await log(web, old, [Outage(NOON + timedelta(hours=2), NOON + timedelta(hours=3), 3600, cause=3, sequence=5)])
    async with served(web) as url, a_page(url, view="meter") as page:
        rows = page.locator("#events tr")
        await expect(rows).to_have_count(20)
        await expect(page.locator("#events .outage")).to_contain_text("Power outage")
        await expect(page.locator("#events .outage")).to_contain_text("lasted 1 hour")
        await expect(page.locator("#events .outage")).to_contain_text("29 Nov 2026, 15:00")
        await page.get_by_role("button", name="Show older ones").click()
        await expect(rows).to_have_count(40)
        await page.get_by_role("button", name="Show older ones").click()
        await expect(rows).to_have_count(51)
        await expect(page.get_by_role("button", name="Show older ones")).to_be_hidden()
        await page.get_by_label("Show").select_option("outage")
        await expect(rows).to_have_count(1)
        await page.get_by_label("Show").select_option("")
        await expect(rows).to_have_count(20)
        await log(web, [Event(51, NOON + timedelta(hours=9), 0xFFFE, 1, b"\0\x07"), *old])
        await expect(rows.first).to_contain_text("Power down")
        await expect(rows.first).to_contain_text("by the grid company")
        await expect(rows.first).to_contain_text("0007")
        await expect(page.locator("#events")).not_to_contain_text("0000")


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("locale", ["da-DK", "de-DE"])
async def test_what_happened_is_whole_on_a_phone(a_page, make_web, served, locale, width):
    web = make_web()
    await log(web, [], [Outage(NOON, NOON + timedelta(minutes=1, seconds=13), 73, cause=3, sequence=5)])
    settings = {"locale": locale, "viewport": {"width": width, "height": 800}}
    async with served(web) as url, a_page(url, view="meter", **settings) as page:
        row = page.locator("#events .outage")
        await expect(row).to_be_visible()
        cut = """row => {
          const end = row.closest('.card').getBoundingClientRect().right;
          const over = it => it.getBoundingClientRect().right > end || it.scrollWidth > it.clientWidth;
          return [row, ...row.cells].filter(over).length;
        }"""
        assert await row.evaluate(cut) == 0
        assert await row.locator("th").evaluate("cell => cell.clientHeight") < 120
        await expect(row.locator(".below")).to_be_visible()


async def test_what_the_meter_told_of_gaps(a_page, make_web, served):
    class Store:
        async def looked_into(self, meter, limit):
            del meter, limit
            return [
                LookedInto(NOON, NOON + timedelta(hours=4), 16, "filled", ()),
                LookedInto(NOON - timedelta(days=9), NOON - timedelta(days=8), 0, "not_kept", ()),
            ]

        async def series(self, meter, keys, start, end, most):
            del start, end, most
            return Series(meter, None, [], {key: Line() for key in keys})

    async with served(make_web(store=Store())) as url, a_page(url, view="meter") as page:
        gaps = page.locator("#gaps tr")
        await expect(gaps).to_have_count(2)
        await expect(gaps.first).to_contain_text("all of it; the history has it now")
        await expect(gaps.first).to_contain_text("13:00")
        await expect(gaps.nth(1)).to_contain_text("it kept none of it")


async def test_an_output_in_trouble_marks_the_link_to_the_meter(a_page, make_web, served):
    web = make_web()
    async with served(web) as url, a_page(url) as page:
        await expect(page.locator("#to-meter")).not_to_have_class("old")
        web.hub.outputs[0].status = lambda: type(web.hub.outputs[1].status())(
            "mqtt", ok=False, message="the broker cannot be reached", code="mqtt_unreachable", params={"broker": "x"}
        )
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(page.locator("#to-meter")).to_have_class("old")
        await expect(page.locator("#to-meter")).to_have_accessible_name("Meter: something is wrong")
        await page.locator("#to-meter").click()
        await expect(page.locator("#outputs .trouble")).to_contain_text("the broker cannot be reached")
