"""Gas, water and heat meters in the API and on the page: what they count, what is wrong with them, and in which words."""

from datetime import UTC, datetime

import pytest
from mbus_house import gas, heat, water
from playwright.async_api import expect

from nes2mqtt.readings.devices import devices_of
from nes2mqtt.readings.reading import DevicesRead
from osgp.mbus.telegram import Status
from osgp.tables.mbus.devices import MbusDevice, with_reads
from osgp.tables.mbus.reading import decode_read

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]


def put(web, *devices, meter="house"):
    found = []
    for index, one in enumerate(devices):
        known = MbusDevice(index, one.handle, one.up, 40, 9, 9, frozenset(), Status(0), None, None)
        found.append(with_reads(known, [decode_read(one.read)]))
    clock = web.hub.clock
    web.hub.publish(DevicesRead(meter, devices_of(found), datetime.now(UTC), clock.monotonic()))


async def test_the_api_tells_all_of_them(make_web, client_for):
    web = make_web()
    put(web, gas(), water(up=False))
    async with client_for(web) as client:
        first, second = (await client.get("/api/v1/devices")).json()
    assert first["values"] == [{"name": "volume", "value": 12.345, "unit": "m³", "main": True}]
    assert (first["id"], first["meter"], first["kind"], first["counter"]) == ("osg_10000004", "house", "gas", "volume")
    assert first["read"] == "2026-11-29T08:00:00+01:00"
    assert (first["battery_low"], second["battery_low"], second["reachable"]) == (False, True, False)


async def test_the_api_tells_nothing_where_nothing_is_known(make_web, client_for):
    web = make_web()
    async with client_for(web) as client:
        assert (await client.get("/api/v1/devices")).json() == []
        put(web, water(time=None, info=0x20))
        (device,) = (await client.get("/api/v1/devices?meter=house")).json()
        assert (device["read"], device["counter"], device["values"]) == (None, "", [])
        assert device["trouble"] == ["security_failed"]
        assert (await client.get("/api/v1/devices?meter=barn")).status_code == 404


async def test_what_they_count_stands_on_the_page(a_page, make_web, served):
    web = make_web()
    put(web, gas(), water(), heat())
    async with served(web) as url, a_page(url, view="meter") as page:
        rows = page.locator("#devices-list > li")
        await expect(rows).to_have_count(3)
        assert await page.locator("#devices [data-key=volume]").first.get_attribute("data-value") == "12.345"
        await expect(rows.nth(0)).to_contain_text("Gas meter 10000004")
        await expect(rows.nth(0)).to_contain_text("12.345")
        await expect(rows.nth(0).locator(".device-trouble")).to_be_hidden()
        await expect(rows.nth(1).locator(".device-trouble")).to_have_text("Battery low")
        await expect(rows.nth(2)).to_contain_text("2,850")
        await expect(rows.nth(2)).to_contain_text("kWh")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 1280


async def test_no_device_no_card(a_page, make_web, served):
    web = make_web()
    async with served(web) as url, a_page(url, view="meter") as page:
        await expect(page.locator("#identity")).to_be_visible()
        await expect(page.locator("#devices")).to_be_hidden()


async def test_a_value_that_is_not_told_is_not_shown(a_page, make_web, served):
    web = make_web()
    put(web, gas(info=0x20, up=False))
    async with served(web) as url, a_page(url, view="meter") as page:
        row = page.locator("#devices-list > li")
        await expect(row).to_contain_text("no value")
        await expect(row).to_contain_text("The meter does not reach it · Its security check failed")
        assert await page.locator("#devices [data-value]").count() == 0


@pytest.mark.parametrize(("language", "words"), [("da", "Lavt batteri"), ("de", "Batterie schwach")])
async def test_other_languages(a_page, make_web, served, language, words):
    web = make_web()
    put(web, water())
    async with served(web) as url, a_page(url, view="meter", locale=language) as page:
        await expect(page.locator(".device-trouble")).to_have_text(words)
