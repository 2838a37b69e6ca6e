"""What the house uses of its own production, in the API and on the page.

The oracle knows what the house draws and what the inverter gives in each quarter hour, and takes the smaller one. The gateway knows
neither: it has the meter's import and export and the inverter's register.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import expect

from nes2mqtt.history.queries.periods import Unit, floor, following, periods
from nes2mqtt.history.queries.reader import EnergyPeriod, Line, Series
from nes2mqtt.meters.production.config import ProductionConfig
from nes2mqtt.meters.production.counting import Sum
from nes2mqtt.meters.production.keeper import Production
from nes2mqtt.meters.production.store import ProductionStore
from nes2mqtt.readings.reading import TableGroup

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

ZONE = ZoneInfo("Europe/Copenhagen")
QUARTER = timedelta(minutes=15)
JUNE = datetime(2026, 6, 1, tzinfo=ZONE)
NIGHT = datetime(2026, 6, 10, 20, 30, tzinfo=ZONE)
"""On the last day the inverter falls silent here, and says no more."""


def sun(moment):
    """Return the Wh that the inverter gives in the quarter hour at a moment: it works from 6 to 20 o'clock."""
    local = moment.astimezone(ZONE)
    return max(0, 900 - 20 * (local.hour - 13) ** 2) + 10 * local.day if 6 <= local.hour < 20 else 0


def load(moment):
    """Return the Wh that the house draws in it."""
    local = moment.astimezone(ZONE)
    return 100 + 37 * (local.hour % 5) + 9 * (local.day % 7) + (600 if local.hour == 18 else 0)


def quarters(begin, end):
    moment = begin.astimezone(UTC)
    while moment < end:
        yield moment
        moment += QUARTER


class Meter:
    """A history of the days of June up to the tenth: of each quarter hour the difference, one way or the other."""

    zone = ZONE

    async def energy(self, meter, unit, start, end):
        return await self.energies(meter, list(periods(start, end, Unit(unit), ZONE)))

    async def energies(self, meter, spans):
        del meter
        return [self.period(begin, end) for begin, end in spans]

    def period(self, begin, end):
        last = min(end, following(floor(NIGHT, Unit.DAY, ZONE), Unit.DAY, ZONE))
        known = [load(at) - sun(at) for at in quarters(max(begin, JUNE), last)]
        if not known:
            return EnergyPeriod(begin, end, {})
        values = {"active_energy_import": sum(max(0, each) for each in known)}
        values["active_energy_export"] = sum(max(0, -each) for each in known)
        return EnergyPeriod(begin, end, values, max(begin, JUNE), last)

    async def series(self, meter, keys, start, end, most):
        del start, end, most
        return Series(meter, None, [], {key: Line() for key in keys})

    async def looked_into(self, meter, limit):
        del meter, limit
        return []


@pytest.fixture
def web(make_web, tmp_path):
    """Return a page with that meter, and with the inverter as it was counted."""
    made = make_web(store=Meter())
    file = tmp_path / "production.db"
    told = {}
    for at in quarters(JUNE, NIGHT):
        stamp, length = round(at.timestamp() * 1000), 900_000
        told[stamp] = Sum(float(sun(at)), stamp, stamp + length, length)
    ProductionStore(file).keep("house", told, None)
    config = ProductionConfig(power_topic="sun/power")
    made.production = made.live._production = Production(config, "house", file, made.hub.clock)
    return made


def oracle(begin, end):
    """Return produced, used by the house itself, used by the house in all: kWh."""
    at = list(quarters(begin, end))
    parts = (sum(map(sun, at)), sum(min(sun(each), load(each)) for each in at), sum(map(load, at)))
    return [pytest.approx(part / 1000) for part in parts]


NAMES = ("produced_kwh", "self_used_kwh", "consumed_kwh")


async def test_days_and_hours_are_those_of_the_oracle(web, client_for):
    async with client_for(web) as client:
        for period, start, end in (("day", "2026-06-01", "2026-06-10"), ("hour", "2026-06-04", "2026-06-05")):
            asked = f"/api/v1/energy?meter=house&period={period}&start={start}&end={end}"
            report = (await client.get(asked)).json()
            for one in (*report["buckets"], report["total"]):
                begin, after = datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])
                assert [one["own_use"][name] for name in NAMES] == oracle(begin, after)
                assert one["own_use"]["until"] is None


async def test_where_the_inverter_fell_silent_it_is_told_up_to_there_and_no_farther(web, client_for):
    async with client_for(web) as client:
        asked = "/api/v1/energy?meter=house&period=hour&start=2026-06-10&end=2026-06-11"
        report = (await client.get(asked)).json()
        before = (await client.get("/api/v1/energy?meter=house&period=day&start=2026-05-31&end=2026-06-02")).json()
    own = report["total"]["own_use"]
    assert [own[name] for name in NAMES] == oracle(NIGHT.replace(hour=0, minute=0), NIGHT)
    assert datetime.fromisoformat(own["until"]) == NIGHT
    # Half of this hour the inverter told: its production is known, what became of it is not.
    assert [report["buckets"][20]["own_use"][name] for name in NAMES] == [0, None, None]
    assert [report["buckets"][22]["own_use"][name] for name in NAMES] == [None, None, None]
    assert [before["buckets"][0]["own_use"][name] for name in NAMES] == [None, None, None]
    assert [before["buckets"][1]["own_use"][name] for name in NAMES] == oracle(JUNE, JUNE + timedelta(days=1))


async def test_more_export_than_production_says_nothing_of_own_use(web, client_for):
    web.store.period = lambda begin, end: EnergyPeriod(
        begin, end, {"active_energy_import": 0, "active_energy_export": 10**9}, begin, end
    )
    async with client_for(web) as client:
        asked = "/api/v1/energy?meter=house&period=day&start=2026-06-04&end=2026-06-05"
        (day,) = (await client.get(asked)).json()["buckets"]
        plain = await client.get("/api/v1/status")
    assert [day["own_use"][name] is None for name in NAMES] == [False, True, True]
    assert plain.json()["gateway"]["production"] == "house"


async def test_a_total_says_no_own_use_where_the_export_of_a_day_is_not_known(web, client_for):
    def without_export_on_the_third(begin, end, period=web.store.period):
        found = period(begin, end)
        third = begin.astimezone(ZONE).day == 3
        return replace(found, values={"active_energy_import": found.values["active_energy_import"]}) if third else found

    web.store.period = without_export_on_the_third
    async with client_for(web) as client:
        asked = "/api/v1/energy?meter=house&period=day&start=2026-06-01&end=2026-06-06"
        total = (await client.get(asked)).json()["total"]
    assert [total["own_use"][name] is None for name in NAMES] == [False, True, True]


async def test_the_page_tells_now_and_of_a_time(a_page, served, web, for_everybody):
    present = web.hub.latest["house"].samples[TableGroup.PRESENT]
    power = {"active_power_import": 0, "active_power_export": 1200}
    values = {source: power.get(source.key, value) for source, value in present.values.items()}
    web.production.hear("sun/power", "3000")
    web.hub.publish(replace(present, values=values, instant=web.hub.clock.monotonic()))
    settings = {"viewport": {"width": 390, "height": 900}, "color_scheme": "dark", "bypass_csp": True}
    async with served(web) as url, a_page(url, **settings) as page:
        await expect(page.locator("#now-own")).to_have_text("Solar3,000 WHouse1,800 WUsed here60 %")
        await for_everybody(page)
        await page.evaluate("location.hash = '#/house/history/day/2026-06-10'")
        facts = page.locator("#summary")
        produced, used, consumed = (part.expected for part in oracle(NIGHT.replace(hour=0, minute=0), NIGHT))
        await expect(facts).to_contain_text(f"Produced{produced:.1f}")
        await expect(facts).to_contain_text(f"({used / produced * 100:.0f}")
        await expect(facts).to_contain_text(f"{used / consumed * 100:.0f}")
        await expect(page.locator("#summary-notes")).to_contain_text("up to 20:30")
        await for_everybody(page, opened=True)
        # What the inverter gave a while ago says nothing of now.
        web.production._power = (3000, web.hub.clock.monotonic() - 1000)
        await page.evaluate("location.hash = '#/house/now'")
        web.hub.publish(replace(present, values=values, instant=web.hub.clock.monotonic()))
        await expect(page.locator("#now-own dd")).to_have_text(["\u2013"] * 3)
