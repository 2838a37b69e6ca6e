"""Alerts in the API, in the live stream and on the page."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.alerts.config import AlertsConfig
from nes2mqtt.alerts.keeper import AlertKeeper
from nes2mqtt.readings.happened import RememberedEvents

pytestmark = pytest.mark.asyncio(loop_scope="module")

ZONE = ZoneInfo("Europe/Copenhagen")


def keeper_for(web, **settings):
    """Return a keeper beside a page; the Danish meter of these tests has 230 V and less than 25 A."""
    keeper = AlertKeeper(
        AlertsConfig.model_validate(settings), {"house": 25.0}, web.hub, RememberedEvents(), ZONE, None
    )
    web.alerts = keeper
    keeper.follow(web._alerted)
    return keeper


async def raised(keeper, key, value, *, seconds=700):
    """Let an alert be raised, as long ago as that takes."""
    alert = next(alert for alert in keeper.book.alerts if alert.rule.key == key)
    now = keeper._clock.monotonic()
    for ago in (seconds, 0):
        keeper.book.see(alert, value, now - ago)
    keeper.book.settle(keeper._clock.label_if_known, datetime.now(UTC), quiet=False)
    for follower in keeper._followers:
        follower("house")


class TestApi:
    async def test_without_the_section_there_is_nothing_to_tell(self, make_web, client_for):
        async with client_for(make_web()) as client:
            answer = (await client.get("/api/v1/alerts")).json()
            assert answer == {"configured": False, "quiet": False, "held": 0, "alerts": [], "told": []}
            assert (await client.get("/api/v1/status")).json()["gateway"]["alerts"] is False

    async def test_alerts_have_state_value_and_words_in_the_language_that_is_asked_for(self, make_web, client_for):
        web = make_web()
        keeper = keeper_for(web, phase_load={}, voltage={})
        await raised(keeper, "house/phase_load/l2", 24.13)
        async with client_for(web) as client:
            answer = (await client.get("/api/v1/alerts?language=de")).json()
            assert (await client.get("/api/v1/status")).json()["gateway"]["alerts"] is True
        first, *others = answer["alerts"]
        assert first["title"] == "L2 ist nahe an der Grenze der Sicherung"
        assert "22,5 A" in first["text"]
        assert first | {"title": "", "text": "", "since": ""} == {
            "kind": "phase_load",
            "meter": "house",
            "phase": "l2",
            "state": "raised",
            "stale": False,
            "since": "",
            "value": 24.13,
            "limit": 22.5,
            "unit": "A",
            "title": "",
            "text": "",
        }
        assert {one["state"] for one in others} == {"unknown"}
        assert {one["value"] for one in others} == {None}
        assert {one["text"] for one in others} == {""}
        (told,) = answer["told"]
        assert (told["number"], told["what"], told["title"]) == (1, "raised", first["title"])

    async def test_a_meter_that_is_not_there_is_said(self, make_web, client_for):
        async with client_for(make_web()) as client:
            assert (await client.get("/api/v1/alerts?meter=shed")).status_code == 404
            assert (await client.get("/api/v1/alerts?language=fr")).status_code == 422


async def test_the_stream_says_at_once_that_alerts_changed(make_web):
    web = make_web()
    keeper = keeper_for(web, phase_load={})
    with web.live.subscribe(frozenset({"house"})) as (client, _), web.live.subscribe(frozenset({"barn"})) as (other, _):
        await raised(keeper, "house/phase_load/l2", 24.0)
        message = (await asyncio.wait_for(anext(client.messages()), 60)).decode()
        assert other._queue.empty()
    assert message.startswith("event: alerts\n")
    document = json.loads(message.partition("data: ")[2])
    assert (document["id"], document["raised"]) == ("house", ["house/phase_load/l2"])


async def test_the_page_shows_what_needs_attention_and_takes_it_away_when_it_is_over(make_web, served, a_page):
    web = make_web()
    keeper = keeper_for(web, phase_load={})
    async with served(web) as address, a_page(address, locale="da-DK") as page:
        await page.wait_for_selector("#cards:not([hidden])")
        assert await page.locator("#alerts").is_hidden()
        await raised(keeper, "house/phase_load/l2", 24.13)
        await page.wait_for_selector("#alerts-list li")
        assert await page.locator("#alerts-title").inner_text() == "Det kræver opmærksomhed"
        words = await page.locator("#alerts-list").inner_text()
        assert "L2 er tæt på sikringens grænse" in words
        assert "22,5 A" in words
        assert "12 minutter, siden" in words
        await raised(keeper, "house/phase_load/l2", 1.0)
        await page.wait_for_selector("#alerts.calm")
        assert await page.locator("#alerts-head").is_hidden()
        await page.locator("#alerts-over-title").focus()
        await page.keyboard.press("Enter")
        assert "det er ovre" in await page.locator("#alerts-over-list").inner_text()


async def test_the_wall_names_what_needs_attention_in_few_words(make_web, served, a_page):
    web = make_web()
    keeper = keeper_for(web, phase_load={})
    async with served(web) as address, a_page(address, view="wall") as page:
        await page.wait_for_selector("#wall:not([hidden])")
        assert await page.locator("#wall-alerts").inner_text() == ""
        await raised(keeper, "house/phase_load/l2", 24.13)
        await page.get_by_text("L2 is near its fuse").locator("visible=true").wait_for()


async def test_what_the_banner_says_already_is_not_said_twice(make_web, served, a_page):
    web = make_web()
    keeper = keeper_for(web)
    await raised(keeper, "house/meter_silent", 1.0)
    async with served(web) as address, a_page(address) as page:
        await page.wait_for_selector("#cards:not([hidden])")
        assert await page.locator("#alerts").is_hidden()
