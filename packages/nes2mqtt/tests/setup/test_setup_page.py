"""The page of the first run in Chromium: every step in both themes and all languages, by keyboard alone, on any screen."""

import asyncio
import importlib.resources
import shutil
import socket
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import async_playwright, expect

from nes2mqtt.setup.brokers import NearBroker
from nes2mqtt.setup.code import Code
from nes2mqtt.setup.steps import StepName
from nes2mqtt.setup.web.app import build_setup_app
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Wizard
from nes2mqtt.timing.clock import Clock

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDTHS = {"en-GB": 1440, "da-DK": 390, "de-DE": 320}
STEPS = tuple(StepName)
WIDE_FONT = "document.documentElement.style.fontFamily = 'DejaVu Sans'"

expect.set_options(timeout=60_000)

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    assert CHROMIUM, "the Debian package chromium is missing; make test says how to install it"
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=180_000
        )
        yield started
        await started.close()


@asynccontextmanager
async def served(app):
    """Serve for real on a port of this computer; gives the address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/setup"
        finally:
            server.should_exit = True
            await task


async def at_step(page, step):
    """Wait until a step is shown: its heading has the focus."""
    number = STEPS.index(step) + 1
    await expect(page.locator(".setup-count")).to_contain_text(str(number))
    await expect(page.locator("h1")).to_be_focused()


async def typed(page, text):
    """Type over what stands there."""
    await page.keyboard.press("Control+A")
    await page.keyboard.type(text)


async def tab_to(page, selector):
    """Go on by the Tab key until something has the focus."""
    for _ in range(40):
        if await page.locator(selector).evaluate_all("all => all.includes(document.activeElement)"):
            return
        await page.keyboard.press("Tab")
    pytest.fail(f"no way by keyboard to {selector}")


async def fill(page, step, answers):
    """Answer a step by keyboard alone, as far as it asks for something; its first choices stay."""
    names = {"port": "port-typed"}
    for name, value in answers.items():
        field = f"#field-{names.get(name, name)}"
        if await page.locator(f"input{field}:visible").count():
            await tab_to(page, field)
            await typed(page, value)
    if step is StepName.MQTT:
        await tab_to(page, "input[name=use]")
        chosen = page.locator("input[name=use][value=none]")
        for _ in range(4):
            if await chosen.is_checked():
                break
            await page.keyboard.press("ArrowDown")
        await expect(chosen).to_be_checked()


async def complaints(page, width):
    """Return what axe-core finds, and what does not fit: with the usual font and with a wide one."""
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    await page.evaluate(axe)
    found = await page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations)")
    told: list[object] = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
    for font in ("", WIDE_FONT):
        if font:
            await page.evaluate(font)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            told.append(("wider than the screen", font, wide))
    await page.evaluate("document.documentElement.style.fontFamily = ''")
    return told


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", WIDTHS)
async def test_every_step_by_keyboard_alone_and_axe_finds_nothing(browser, setup_page, answers, scheme, locale):
    width, troubles = WIDTHS[locale], {}
    settings = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme, "locale": locale}
    async with served(setup_page.app) as url:
        page = await browser.new_page(bypass_csp=True, **settings)
        page.set_default_timeout(60_000)
        await page.goto(url)
        await expect(page.locator("h1")).to_be_focused()
        troubles["door"] = await complaints(page, width)
        await tab_to(page, "#field-code")
        await page.keyboard.type(setup_page.code.text)
        await page.keyboard.press("Enter")
        for step in STEPS:
            await at_step(page, step)
            troubles[step] = await complaints(page, width)
            if step not in {StepName.MQTT, StepName.CHECK}:
                # Nothing filled in: what is missing is told, and that, too, fits and is found by whoever cannot see it.
                for field in await page.locator("input[type=text]:visible, input[type=password]:visible").all():
                    await field.fill("")
                await tab_to(page, ".setup-buttons button:not([type=button])")
                await page.keyboard.press("Enter")
                await expect(page.locator(".setup-errors")).to_be_focused()
                troubles[f"{step}, empty"] = await complaints(page, width)
            await fill(page, step, answers.get(step, {}))
            await tab_to(page, ".setup-buttons button:not([type=button])")
            await page.keyboard.press("Enter")
            if step is StepName.CHECK:
                await expect(page.locator(".setup-count")).to_have_count(0)
                troubles["saved"] = await complaints(page, width)
        await page.close()
    assert setup_page.saved
    assert {where: told for where, told in troubles.items() if told} == {}


async def test_port_and_encryption_of_a_broker_that_was_found_are_filled_in(browser, place, world, answers):
    async def near():
        return [NearBroker("localhost", 1884), NearBroker("pi.local", 8883, tls=True)]

    wizard = Wizard(place, 8099, replace(world, near_brokers=near))
    for step in STEPS[: STEPS.index(StepName.MQTT)]:
        assert (await wizard.submit(step, answers[step])).accepted
    code = Code(None, Clock().monotonic)
    async with served(build_setup_app(wizard, Door(code, Clock().monotonic), Clock(), lambda _: None)) as url:
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        await page.goto(f"{url}#{code.text}")
        await at_step(page, StepName.MQTT)
        await page.locator("input[name=use][value=homeassistant]").check()
        await expect(page.locator("#field-host")).to_have_value("localhost")
        await expect(page.locator("#field-broker_port")).to_have_value("1884")
        await expect(page.locator("[data-field=host]")).to_contain_text("localhost:1884, pi.local (TLS)")
        await page.fill("#field-host", "pi.local")
        await expect(page.locator("#field-broker_port")).to_have_value("")
        await expect(page.locator("input[name=tls][value=yes]")).to_be_checked()
        await page.close()
