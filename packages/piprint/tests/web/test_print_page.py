"""The page in a real browser: what it shows, what its buttons do, and that strangers' texts stay texts."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="Chromium is not installed")

ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
expect.set_options(timeout=60_000)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, timeout=180_000
        )
        yield chromium
        await chromium.close()


async def _open(browser: Browser, url: str, *, width: int = 1280) -> tuple[Page, list[str]]:
    page = await browser.new_page(viewport={"width": width, "height": 900})
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: None if request.url.startswith(url) else complaints.append(request.url))
    await page.goto(url)
    return page, complaints


async def test_the_page_shows_everything_and_strangers_texts_as_texts(browser, serve, shop):
    nasty = shop.now.printers[1].id
    async with serve() as (url, _):
        page, complaints = await _open(browser, url)
        await expect(page.locator("#today")).to_have_text("128")
        await expect(page.locator("#link-state")).to_have_text("Connected")
        await expect(page.locator(".printer")).to_have_count(2)
        first, second = page.locator(".printer").nth(0), page.locator(".printer").nth(1)
        await expect(first.locator(".chips li")).to_have_text(["A4", "A5", "2 trays", "both sides", "black only"])
        await expect(first).to_contain_text("3 waiting · 1 in work")
        await expect(second.locator("h3")).to_have_text(nasty)
        await expect(second.locator(".said")).to_contain_text("No paper")
        await expect(page.locator("#jobs tr")).to_have_count(2)
        await expect(page.locator("#jobs tr").nth(0).locator(".reached")).to_have_count(4)
        await expect(page.locator("#history tr").nth(0)).to_contain_text("Printed")
        await expect(page.locator("#troubles")).to_contain_text("Look at the printer.")
        await page.locator("summary").click()
        await expect(page.locator("#log")).to_contain_text("first line")
        assert await page.locator("img[src=x]").count() == 0
        assert await page.title() == "office \u2013 piprint"
        assert complaints == []


async def test_the_page_follows_without_reload_and_its_buttons_work(browser, serve, shop):
    async with serve() as (url, _):
        page, complaints = await _open(browser, url)
        button = page.locator(".printer").nth(0).get_by_role("button", name="Test page")
        await button.focus()
        shop.change(printed_today=129, jobs=(), troubles=())
        await expect(page.locator("#today")).to_have_text("129")
        await expect(page.locator("#no-jobs")).to_be_visible()
        await expect(page.locator("#troubles")).to_be_hidden()
        await expect(page.locator("#mood")).to_have_text("Ready")
        await expect(button).to_be_focused()
        await button.click()
        await expect(page.locator("#toast")).to_have_text("A test page is on its way to Office.")
        await page.locator("#history tr").nth(1).get_by_role("button").click()
        await expect(page.locator("#toast")).to_have_text("Job 4709 is queued again.")
        assert shop.asked == [("test page", "Office"), ("restart", 4709)]
        assert complaints == []


async def test_what_a_printer_says_in_words_and_as_its_message_is_shown_once(browser, serve, shop):
    printer = dataclasses.replace(
        shop.now.printers[0],
        state="processing",
        reasons=("media-empty-error", "toner-low-warning"),
        words=("no paper", "little toner left"),
        message="no paper: Tray 2 is empty.",
    )
    trouble = dataclasses.replace(shop.now.troubles[0], help="paper jam")
    shop.change(printers=(printer,), troubles=(trouble,))
    async with serve() as (url, _):
        page, _ = await _open(browser, url)
        await expect(page.locator(".printer .said")).to_have_text("Little toner left · no paper: Tray 2 is empty.")
        await expect(page.locator("#troubles span")).to_have_text("Paper jam")


@pytest.mark.parametrize("width", [390, 1280])
async def test_what_is_and_was_printed_is_named_with_its_try(browser, serve, shop, width):
    async with serve() as (url, _):
        page, _ = await _open(browser, url, width=width)
        for rows in ("#jobs tr", "#history tr"):
            first, second = page.locator(rows).nth(0), page.locator(rows).nth(1)
            await expect(first.get_by_text("Standard Sales - Invoice")).to_be_visible()
            await expect(first.locator("td.report")).to_have_attribute("title", "CRONUS A/S")
            await expect(second.locator("td.report")).to_have_text(shop.now.jobs[1].title)
        await expect(page.locator("#jobs .number")).to_have_text(["4711", "4712 (try 2)"])
        await expect(page.locator("#history .number")).to_have_text(["4710", "4709 (try 3)"])


@pytest.mark.parametrize("width", [320, 390, 768, 920, 1280])
async def test_nothing_sticks_out_at_any_width(browser, serve, width):
    async with serve() as (url, _):
        page, _ = await _open(browser, url, width=width)
        await expect(page.locator(".printer")).to_have_count(2)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width


_LINES = """cell => {
    const text = document.createRange();
    text.selectNodeContents(cell);
    return text.getClientRects().length;
}"""


async def test_while_business_central_is_away_the_page_says_when_it_is_asked_again(browser, serve, shop):
    async with serve() as (url, _):
        page, _ = await _open(browser, url)
        await expect(page.locator("#link")).not_to_contain_text("Next try")
        away = dataclasses.replace(
            shop.now.connection, state="trouble", next_try=datetime.now(UTC) + timedelta(seconds=90)
        )
        shop.change(connection=away)
        await expect(page.locator("#link")).to_contain_text(re.compile(r"Next try\s*in [78]\d s"))
        assert shop.watches > 1


@pytest.mark.parametrize("width", [390, 1280])
async def test_outcome_reason_and_printer_of_a_job_are_read_at_any_width(browser, serve, shop, width):
    shop.change(history=[dataclasses.replace(shop.now.history[0], message="A long reason, said in full. " * 8)])
    async with serve() as (url, _):
        page, _ = await _open(browser, url, width=width)
        await expect(page.locator("#history td.message")).to_be_visible()
        assert await page.locator("#history td.name").evaluate(_LINES) == 1, "a name is not broken for want of room"


async def test_one_logs_in_and_out(browser, serve):
    async with serve("horse battery") as (url, _):
        page, _ = await _open(browser, url)
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.get_by_role("alert")).to_have_text("that is not the password")
        await page.get_by_label("Password").fill("horse battery")
        await page.get_by_role("button", name="Log in").click()
        await expect(page.locator("#today")).to_have_text("128")
        await page.get_by_role("button", name="Log out").click()
        await expect(page.get_by_label("Password")).to_be_visible()
