"""Fixtures of the web tests: the Danish meter's real values on a hub, the app, and a real server on loopback."""

from __future__ import annotations

import asyncio
import importlib.resources
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from nes2mqtt.outputs.web.app import build_app
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import Event, LinkQuality, MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.image import MeterImage
from osgp.tables import present, registers

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT = 60_000
"""Milliseconds; a computer that is busy with something else is no fault of ours."""
expect.set_options(timeout=WAIT)

BASE = "http://127.0.0.1:8099"
SHIFTED = """new Promise(done => {
  const moved = [0];
  new PerformanceObserver(list => {
    for (const { value, sources } of list.getEntries().filter(({ hadRecentInput }) => !hadRecentInput)) {
      moved[0] += value;
      moved.push(...sources.map(({ node }) => node?.id || node?.className || node?.nodeName));
    }
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(moved), 100);
})"""
MOST_SHIFT = 0.01
STALE_AFTER = {TableGroup.PRESENT: timedelta(seconds=10), TableGroup.REGISTERS: timedelta(seconds=50)}
DANE = MeterInfo("house", "87654321", "NES", "83332-3I", "3.10.21", "House")


def danish_samples(received: datetime, meter: str = "house") -> tuple[Sample, Sample]:
    """Return registers and present values of the real Danish meter; their instants are seconds since 1970."""
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    return (
        Sample(
            meter,
            TableGroup.REGISTERS,
            received,
            registers.decode(image.read("BT23"), dims),
            received,
            instant=received.timestamp(),
        ),
        Sample(
            meter, TableGroup.PRESENT, received, present.decode(image.read("BT28"), dims), instant=received.timestamp()
        ),
    )


def online(info: MeterInfo = DANE, **more: Any) -> MeterStatus:
    """Return the status of a meter that answers."""
    link = LinkQuality(requests=1000, replies=999, retries=1)
    status = MeterStatus(info, MeterState.ONLINE, datetime.now(UTC), link=link, instant=time.time())
    return replace(status, **more)


class FakeOutput:
    """Another output, to be told about."""

    name = "mqtt"

    def offer(self, event: Event) -> None:
        del event

    async def run(self) -> None:
        await asyncio.Event().wait()

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, ok=True, message="connected to 127.0.0.1", waiting=2, dropped=1)


def make_web(*, samples: bool = True, store: Any = None, state_dir: Path | None = None, **settings: Any) -> WebOutput:
    """Return a web output whose hub knows the Danish meter."""
    hub = Hub(STALE_AFTER, Clock(monotonic=time.time, synchronised=lambda: True))
    config = WebConfig.model_validate({"listen": "127.0.0.1:0", **settings})
    gateway = GatewayInfo("nes2mqtt", "0.1.0", ZoneInfo("Europe/Copenhagen"), datetime.now(UTC))
    web = WebOutput(config, gateway, hub, store, state_dir=state_dir)
    hub.add(FakeOutput())
    hub.add(web)
    hub.publish(online())
    if samples:
        for sample in danish_samples(datetime.now(UTC)):
            hub.publish(sample)
    return web


def client_for(web: WebOutput, base: str = BASE, **more: Any) -> httpx.AsyncClient:
    """Return a client that talks to the app without a network."""
    transport = httpx.ASGITransport(build_app(web), raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=base, **more)


@asynccontextmanager
async def served(web: WebOutput) -> AsyncIterator[str]:
    """Serve for real on a loopback port; gives the address."""
    task = asyncio.create_task(web.run())
    try:
        async with asyncio.timeout(60):
            await web.listening.wait()
        yield web.url
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture(name="make_web")
def make_web_fixture() -> Callable[..., WebOutput]:
    """Return :func:`make_web`."""
    return make_web


@pytest.fixture(name="served")
def served_fixture() -> Callable[[WebOutput], AbstractAsyncContextManager[str]]:
    """Return :func:`served`."""
    return served


@pytest.fixture(name="client_for")
def client_for_fixture() -> Callable[..., httpx.AsyncClient]:
    """Return :func:`client_for`."""
    return client_for


@pytest.fixture(name="danish_samples")
def danish_samples_fixture() -> Callable[..., tuple[Sample, Sample]]:
    """Return :func:`danish_samples`."""
    return danish_samples


@pytest.fixture(name="online")
def online_fixture() -> Callable[..., MeterStatus]:
    """Return :func:`online`."""
    return online


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    """Return a browser that all tests of this file share."""
    assert CHROMIUM, "the Debian package chromium is missing; make test says how to install it"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS, timeout=180_000)
        yield browser
        await browser.close()


@pytest.fixture
def gateway_gone():
    """Return what Chromium may say on its console while the gateway is away.

    The third is of the page's own worker: it is fetched some seconds after the page, when the gateway may be gone already.
    """
    return ("Failed to load resource", "net::ERR", "An unknown error occurred when fetching the script.")


@pytest.fixture
def a_page(browser):
    """Return what opens a page that must stay quiet and at home."""

    @asynccontextmanager
    async def opened(address, *, view="", allowed=(), **settings):
        settings = {"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | settings
        troubles = []
        page = await browser.new_page(**settings)
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on(
            "request",
            lambda request: request.url.startswith(address) or troubles.append(f"left loopback: {request.url}"),
        )
        await page.add_init_script(
            "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
        )
        await page.goto(f"{address}/#/house/{view}" if view else address)
        yield page
        await page.close()
        left = [trouble for trouble in troubles if not any(words in trouble for words in allowed)]
        assert not left

    return opened


@pytest.fixture
def for_everybody():
    """Return what looks at a page as it is now: nothing that axe-core finds, nothing jumped, nothing scrolls sideways.

    The page must be opened with ``bypass_csp``: its own policy would not let a script of the test in. Where the test has opened
    something (``opened``), what moves for that is no jump: browsers forgive it for half a second, and a busy computer takes longer.
    """
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")

    async def looked(page, *, opened=False):
        await page.evaluate(axe)
        script = "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations)"
        found = await page.evaluate(script)
        told = [(one["id"], [node["target"] for node in one["nodes"]]) for one in found]
        assert not told
        shift, *moved = await page.evaluate(SHIFTED)
        assert opened or shift <= MOST_SHIFT, moved
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0

    return looked
