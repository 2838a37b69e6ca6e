"""The view of the settings in Chromium: looked at, changed, refused, and nothing that axe finds."""

import importlib.resources
import tomllib

import pytest
from playwright.async_api import expect

from nes2mqtt.runtime.owners_desk import OwnersDesk

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]

PASSWORD = "correct horse battery"
FILE = f"""\
# The kitchen's.
[meters.house]
name = "Kitchen"   # short
port = "serial:///dev/ttyUSB0"
key = "ABCDEFGHIJKLMNOPQRST"

[[mqtt]]
host = "10.0.0.1"
username = "me"
password = "broker-canary"

[web]
password = "{PASSWORD}"
"""
AXE = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations)"


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "nes2mqtt.toml"
    made.write_text(FILE)
    return made


@pytest.fixture
def web(make_web, file):
    made = make_web(password=PASSWORD)
    made.settings = OwnersDesk(file)
    made.settings.when_changed = lambda: None
    return made


async def enter(page):
    await page.locator("#password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await page.locator("#to-settings").click()
    await expect(page.locator("#settings-meters-house")).to_be_visible()


async def unfold(page, section):
    await page.locator(f"#settings-{section} > summary").click()


def field(page, section, name):
    return page.locator(f"#settings-{section}").get_by_label(name, exact=True)


@pytest.mark.parametrize(
    ("locale", "width", "scheme"), [("en-GB", 1440, "light"), ("da-DK", 390, "dark"), ("de-DE", 390, "light")]
)
async def test_axe_finds_nothing_in_the_forms_nor_in_what_would_change(browser, served, web, locale, width, scheme):
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    async with served(web) as url:
        page = await browser.new_page(
            bypass_csp=True, locale=locale, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        await page.goto(url)
        await enter(page)
        for summary in await page.locator("#settings-list > details > summary").all():
            await summary.click()
        await field(page, "meters-house", "present_every").fill("0,01")
        await page.locator("#settings-look").click()
        await expect(page.locator(".settings-error:visible")).to_have_count(1)
        await page.evaluate(axe)
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in await page.evaluate(AXE)] == []
        await field(page, "meters-house", "present_every").fill("5")
        await page.locator("#settings-look").click()
        await expect(page.locator("#settings-review")).to_be_visible()
        await page.locator("#settings-review summary").click()
        assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in await page.evaluate(AXE)] == []
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        await page.close()


async def test_a_change_is_shown_and_then_taken_with_the_password(a_page, served, web, file):
    allowed = ("409 (Conflict)", "401 (Unauthorized)")
    async with served(web) as url, a_page(url, allowed=allowed) as page:
        await enter(page)
        await unfold(page, "meters-house")
        await field(page, "meters-house", "present_every").fill("5")
        await field(page, "meters-house", "name").fill("Cellar")
        await expect(page.locator("#settings-count")).to_have_text("2 changes")
        await page.locator("#settings-look").click()
        review = page.locator("#settings-review")
        await expect(review).to_be_focused()
        await expect(review.locator("li").first).to_have_text("name of meters.house: Kitchen becomes Cellar")
        await expect(review.locator("li").last).to_have_text("present_every of meters.house: 2 becomes 5")
        await review.locator("summary").click()
        await expect(review.locator("pre")).to_contain_text('+ name = "Cellar"')
        assert file.read_text() == FILE
        await page.locator("#settings-password").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.locator("#settings-password-error")).to_have_text("That password is not right.")
        assert file.read_text() == FILE
        await page.locator("#settings-password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(review).to_contain_text("The settings are changed.")
    written = file.read_text()
    assert 'name = "Cellar"   # short' in written
    assert tomllib.loads(written)["meters"]["house"]["present_every"] == 5


async def test_what_is_wrong_stands_at_its_field_which_has_the_focus(a_page, served, web, file):
    async with served(web) as url, a_page(url) as page:
        await enter(page)
        await unfold(page, "meters-house")
        every = field(page, "meters-house", "registers_every")
        await every.fill("0.01")
        await page.locator("#settings-look").click()
        await expect(every).to_be_focused()
        await expect(every).to_have_attribute("aria-invalid", "true")
        await expect(page.locator(".settings-error:visible")).to_have_text("Must be at least 0.1.")
        await every.fill("0.5")
        await page.locator("#settings-look").click()
        await expect(page.locator(".settings-error:visible")).to_contain_text("reads_per_second allows 1")
    assert file.read_text() == FILE


async def test_a_danish_page_says_limits_in_danish_and_marks_what_is_english(a_page, served, web):
    async with served(web) as url, a_page(url, locale="da-DK") as page:
        await enter(page)
        await unfold(page, "meters-house")
        await field(page, "meters-house", "registers_every").fill("0,01")
        await page.locator("#settings-look").click()
        await expect(page.locator(".settings-error:visible")).to_have_text("Skal være mindst 0,1.")
        await field(page, "meters-house", "registers_every").fill("0,5")
        await page.locator("#settings-look").click()
        await expect(page.locator(".settings-error:visible [lang=en]")).to_contain_text("reads_per_second allows 1")


async def test_no_secret_is_in_the_page_and_a_new_receiver_wants_it_typed(a_page, served, web, file):
    async with served(web) as url, a_page(url) as page:
        await enter(page)
        await unfold(page, "mqtt-0")
        shown = await page.content()
        assert "broker-canary" not in shown
        assert "ABCDEFGHIJKLMNOPQRST" not in shown
        await field(page, "mqtt-0", "host *").fill("10.6.6.6")
        await page.locator("#settings-look").click()
        secret = field(page, "mqtt-0", "password")
        await expect(secret).to_be_focused()
        await secret.fill("broker-canary-2")
        await page.locator("#settings-look").click()
        await expect(page.locator("#settings-review")).to_contain_text("gets a new value, which is not shown")
        assert "broker-canary" not in await page.locator("#settings-review").inner_text()
    assert file.read_text() == FILE


async def test_sections_are_added_and_removed(a_page, served, web, file):
    async with served(web) as url, a_page(url) as page:
        await enter(page)
        await page.locator("#settings-add").get_by_role("button", name="Alerts [alerts]").click()
        await page.locator("#settings-add").get_by_role("button", name="Alert: voltage").click()
        await unfold(page, "mqtt-0")
        await page.locator("#settings-mqtt-0").get_by_role("button", name="Remove this section").click()
        await expect(page.locator("#settings-mqtt-0-homeassistant")).to_have_count(0)
        await page.locator("#settings-look").click()
        await expect(page.locator("#settings-review")).to_contain_text("mqtt(1): all of it goes away")
        await page.locator("#settings-password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(page.locator("#settings-review")).to_contain_text("The settings are changed.")
    data = tomllib.loads(file.read_text())
    assert "mqtt" not in data
    assert data["alerts"]["voltage"] == {"enabled": True}


async def test_a_file_that_was_changed_meanwhile_is_said(a_page, served, web, file):
    async with served(web) as url, a_page(url) as page:
        await enter(page)
        await unfold(page, "meters-house")
        await field(page, "meters-house", "name").fill("Cellar")
        file.write_text(FILE + "# mine\n")
        await page.locator("#settings-look").click()
        await expect(page.locator("#settings-said")).to_contain_text("The file was changed meanwhile")
    assert file.read_text() == FILE + "# mine\n"


async def test_without_a_password_of_the_page_the_view_says_how_to_set_one(a_page, served, make_web, file):
    web = make_web()
    web.settings = OwnersDesk(file)
    async with served(web) as url, a_page(url, view="settings") as page:
        await expect(page.locator("#settings-closed")).to_contain_text("only when this page has a password")
        await unfold(page, "meters-house")
        await expect(page.locator("#settings-meters-house")).to_contain_text("Kitchen")
        await expect(
            page.locator("#settings-list input, #settings-list select, #settings-list textarea")
        ).to_have_count(0)
        await expect(page.locator("#settings-add")).to_be_hidden()
