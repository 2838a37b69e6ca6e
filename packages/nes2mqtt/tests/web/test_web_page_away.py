"""The page without its gateway: it opens, says since when there is no connection, and shows no value; a new page replaces it."""

import re
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import expect

from free_ports import free_port
from nes2mqtt.outputs.web import assets
from nes2mqtt.outputs.web.assets import Asset, load, worker

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery"
KEPT = "navigator.serviceWorker.ready.then(({ active }) => Boolean(active))"
CACHES = "caches.keys()"
IN_CACHE = "caches.keys().then(names => caches.open(names.find(name => !name.includes('other')))).then(cache => cache.keys()).then(all => all.map(one => one.url))"


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def page_in(browser):
    """Return what opens a page of its own in a language; whatever the console says: a gateway that is gone fills it."""

    @asynccontextmanager
    async def opened(locale="en-GB"):
        context = await browser.new_context(locale=locale, viewport={"width": 390, "height": 844})
        context.set_default_timeout(60_000)
        yield await context.new_page()
        await context.close()

    return opened


async def away(page, words):
    """Look at the page of a gateway that is gone."""
    await expect(page.locator("#away-title")).to_have_text(re.compile(words))
    text = await page.locator("body").inner_text()
    assert not re.search(r"432|65[.,]845|kWh", text), text
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    for view in ("now", "history", "meter", "wall"):
        await expect(page.locator(f"#view-{view}")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-GB", r"^No connection since \d+ \w+ 20\d\d,? (at )?\d\d:\d\d$"),
        ("da-DK", r"^Ingen forbindelse siden \d+\. \w+\.? 20\d\d.*\d\d[.:]\d\d$"),
        ("de-DE", r"^Keine Verbindung seit \d+\. \w+\.? 20\d\d.*\d\d:\d\d$"),
    ],
)
async def test_it_opens_without_the_gateway_and_shows_no_value(page_in, served, make_web, port, locale, words):
    async with page_in(locale) as page:
        async with served(make_web(listen=f"127.0.0.1:{port}")) as url:
            await page.goto(url)
            await expect(page.locator("#now-value")).to_have_text("432")
            assert await page.evaluate(KEPT)
        await page.goto(f"{url}/?from=a-bookmark#/house/history/month")
        await away(page, words)
        async with served(make_web(listen=f"127.0.0.1:{port}")):
            await expect(page.locator("#view-history")).to_be_visible()
            await expect(page.locator("#away")).to_be_hidden()
            await page.goto(f"{url}/#/house/now")
            await expect(page.locator("#now-value")).to_have_text("432")


async def test_it_keeps_files_and_no_answer_of_the_api(page_in, served, make_web, port):
    async with page_in() as page, served(make_web(listen=f"127.0.0.1:{port}")) as url:
        await page.goto(url)
        # Behind a proxy another gateway may be at another path of this address; what it keeps is its own.
        await page.evaluate("caches.open('shell /other/ 1')")
        assert await page.evaluate(KEPT)
        await page.reload()
        await expect(page.locator("#now-value")).to_have_text("432")
        assert "shell /other/ 1" in await page.evaluate(CACHES)
        kept = await page.evaluate(IN_CACHE)
        assert f"{url}/" in kept
        assert {one.removeprefix(url).split("/")[1] for one in kept} == {"", "static"}


async def test_with_a_password_it_opens_and_tells_nothing_and_then_asks_for_it(page_in, served, make_web, port):
    settings = {"listen": f"127.0.0.1:{port}", "password": PASSWORD}
    async with page_in() as page:
        async with served(make_web(**settings)) as url:
            await page.goto(url)
            await page.locator("#password").fill(PASSWORD)
            await page.get_by_role("button").click()
            await expect(page.locator("#now-value")).to_have_text("432")
            assert await page.evaluate(KEPT)
        await page.reload()
        await away(page, "^No connection since")
        # Without its memory of logins the gateway knows nobody after a restart.
        async with served(make_web(**settings)):
            await expect(page.locator("#password")).to_be_visible()


async def test_a_new_page_replaces_the_kept_one(page_in, served, make_web, port, monkeypatch):
    async with page_in() as page:
        async with served(make_web(listen=f"127.0.0.1:{port}")) as url:
            await page.goto(url)
            assert await page.evaluate(KEPT)
        old = await page.evaluate(CACHES)
        assert len(old) == 1
        files = dict(load())
        index = files["index.html"]
        files["index.html"] = Asset.of(index.content.replace(b"<body>", b'<body class="newer">'), index.media_type)
        monkeypatch.setattr(assets, "load", lambda: files)
        async with served(make_web(listen=f"127.0.0.1:{port}")):
            await page.reload()
            # What the gateway has is shown at once, not at the next visit.
            await expect(page.locator("body.newer #now-value")).to_have_text("432")
            while len(kept := await page.evaluate(CACHES)) != 1 or kept == old:
                await page.wait_for_timeout(100)
        await page.reload()
        await away(page, "^No connection since")
        await expect(page.locator("body.newer")).to_be_visible()


async def test_the_worker_keeps_what_the_page_loads_and_another_page_is_another_worker():
    files = dict(load())
    script = worker(files).content.decode()
    assert '"static/app.js"' in script
    assert '"static/base.css"' in script
    assert "login" not in script.split("const NAME")[0].split("SHELL = ")[1]
    files["app.js"] = Asset.of(files["app.js"].content + b"\n", "text/javascript")
    assert worker(files).etag != worker(load()).etag
