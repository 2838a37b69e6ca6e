"""Draw the pictures in docs/images: the page on a simulated meter, as a browser shows it.

A made-up house lives through a June day; its past weeks are put into a history the quick way, then the
real gateway reads the simulated meter and Chromium looks at the page. House, meter and gateway have clocks
that show that day, whatever day it is here.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.async_api import Browser, async_playwright

from nes2mqtt.config.settings import parse
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.queries.periods import Unit, floor
from nes2mqtt.history.store import Store
from nes2mqtt.readings.reading import Sample, TableGroup
from nes2mqtt.runtime import gateway
from nes2mqtt.runtime.demo import free_port
from nes2mqtt.timing.clock import Clock
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.sources import Source, by_id

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CHROMIUM = (
    "--headless=new",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-sandbox",
)
_PASSWORD = "only-for-this-picture"

_TOTALS = (0, 1, 2, 3, 4, 5, 6, 7, 26, 27, 28)
"""Source ids of the eleven summations, in their order (MEP guide v1.1 p. 208-209)."""

_CONFIG = """
name = "demo"
timezone = "Europe/Copenhagen"
data_dir = '{folder}'
[meters.house]
name = "{name}"
port = "{meter}"
key = "{key}"
security = "rc4"
[web]
listen = "127.0.0.1:{port}"
{password}
"""

_CONTRACT = """
[[contracts]]
name = "Made up"
meter = "house"
from = 2026-01-01
currency = "DKK"
vat = "25 %"
[[contracts.lines]]
name = "Energy"
price = "95 øre per kWh"
times = [{ from = "17:00", to = "21:00", price = "180 øre per kWh" }]
[[contracts]]
name = "Made up, sold"
meter = "house"
direction = "export"
from = 2026-01-01
currency = "DKK"
vat = "0 %"
[[contracts.lines]]
name = "Energy"
price = "40 øre per kWh"
"""
"""Amounts of nobody's bill."""
_WEEKS = 8


@dataclass(frozen=True)
class Picture:
    """One file in docs/images."""

    file: str
    width: int
    height: int
    scheme: str
    locale: str = "en-GB"
    scale: int = 1
    path: str = ""
    ready: tuple[str, ...] = ("#today-sum b", "#totals-list .value", "#hour-chart canvas")
    """What is there when the picture can be taken."""


@dataclass(frozen=True)
class Scene:
    """A moment in the house, and the pictures taken of it."""

    at: datetime
    name: str
    pictures: tuple[Picture, ...]
    password: str = ""


_DENMARK = ZoneInfo("Europe/Copenhagen")
_MONTH = Picture(
    "history-month.png",
    1280,
    900,
    "light",
    path="#/house/history/month/2026-06?with=before",
    ready=("#history-comparison span", "#peaks li"),
)
_DAY = Picture(
    "history-day.png",
    390,
    844,
    "light",
    "en-GB",
    2,
    path="#/house/history/day/2026-06-20",
    ready=("#history-bars .bar", "#power-chart canvas"),
)
_METER = Picture("meter.png", 1280, 900, "light", path="#/house/meter", ready=("#identity dd", "#link dd"))
_WALL = Picture("wall.png", 1280, 800, "dark", path="#/house/wall", ready=("#wall-sum b",))
SCENES = (
    Scene(
        datetime(2026, 6, 20, 17, 57, tzinfo=_DENMARK),
        "House",
        (
            Picture("desktop.png", 1280, 900, "light"),
            Picture("phone-dark.png", 390, 844, "dark", "de-DE", 2),
            _MONTH,
            _DAY,
            _METER,
            _WALL,
        ),
    ),
    Scene(
        datetime(2026, 6, 20, 13, 52, tzinfo=_DENMARK),
        "House",
        (Picture("desktop-dark.png", 1280, 900, "dark"), Picture("phone.png", 390, 844, "light", "da-DK", 2)),
    ),
    Scene(
        datetime(2026, 6, 20, 17, 57, tzinfo=_DENMARK),
        "House",
        (Picture("login.png", 1280, 900, "light", path="login", ready=("#password",)),),
        _PASSWORD,
    ),
)


def _sources(numbers: dict[int, int]) -> dict[Source, int]:
    return {source: value for number, value in numbers.items() if (source := by_id(number)) is not None}


def _between(house: House, clock: Clock, since: datetime, until: datetime) -> Iterator[Sample]:
    """Yield what the gateway would have read: registers, and of the last day all, though not as often."""
    last_day, last_hour = until - timedelta(days=1), until - timedelta(hours=1)

    def registers(at: datetime) -> Sample:
        totals = dict(zip(_TOTALS, house.at(at.timestamp()).total, strict=True))
        return Sample("house", TableGroup.REGISTERS, at, _sources(totals), instant=clock.instant(at))

    at = since
    while at < last_day:
        yield registers(at)
        at += timedelta(minutes=15)
    while at < until:
        values = _sources(house.at(at.timestamp()).present)
        yield Sample("house", TableGroup.PRESENT, at, values, instant=clock.instant(at))
        if at.second % 10 == 0:
            yield registers(at)
        at += timedelta(seconds=20 if at < last_hour else 2)


async def _remember(house: House, clock: Clock, database: Path) -> None:
    """Write the past into a history, and then what went by meanwhile: the curve shall have no hole."""
    since = floor(clock.now() - timedelta(weeks=_WEEKS), Unit.DAY, _DENMARK)
    async with Store.open(database, HistoryConfig(), _DENMARK, clock=clock) as store:
        for _ in range(3):
            until = clock.now().replace(microsecond=0)
            for sample in await asyncio.to_thread(list, _between(house, clock, since, until)):
                store.offer(sample)
            await store.flush()
            since = until


@asynccontextmanager
async def _gateway(scene: Scene, folder: Path) -> AsyncIterator[str]:
    ahead = scene.at.timestamp() - time.time()

    def wall() -> float:
        return time.time() + ahead

    clock = Clock(wall=wall, synchronised=lambda: True, built=0.0)
    house = await asyncio.to_thread(House)
    if not scene.password:
        await _remember(house, clock, folder / "history.db")
    port = free_port(18099)
    stop, started = asyncio.Event(), asyncio.Event()
    async with SimulatedMeter(house, clock=wall) as meter:
        text = _CONFIG.format(
            folder=folder,
            name=scene.name,
            meter=await meter.serve_tcp("127.0.0.1", 0),
            key=DEMO_KEY_TEXT,
            port=port,
            password=f'password = "{scene.password}"' if scene.password else "",
        )
        config = parse(text + ("" if scene.password else _CONTRACT), Path("pictures"))
        task = asyncio.create_task(gateway.run(config, stop=stop, started=started.set, clock=clock))
        await started.wait()
        # Link counts are told once a minute.
        await asyncio.sleep(2 if scene.password else 63)
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            stop.set()
            await task


async def _take(browser: Browser, address: str, picture: Picture, folder: Path) -> None:
    page = await browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        locale=picture.locale,
        device_scale_factor=picture.scale,
    )
    await page.goto(address + picture.path)
    for selector in picture.ready:
        await page.wait_for_selector(selector)
    if "wall" in picture.path:
        # The bar with what can be set goes away by itself.
        await page.wait_for_selector("#wall-bar", state="hidden")
    await page.wait_for_timeout(5_000)
    await page.screenshot(path=folder / picture.file)
    await page.close()
    print(f"  {picture.file}")


async def draw(folder: Path, wanted: str) -> None:
    """Draw the pictures whose file name contains ``wanted``."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("Chromium is not installed: sudo apt install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
        for scene in SCENES:
            pictures = [picture for picture in scene.pictures if wanted in picture.file]
            if pictures:
                with tempfile.TemporaryDirectory() as data:
                    async with _gateway(scene, Path(data)) as address:
                        for picture in pictures:
                            await _take(browser, address, picture, folder)
        await browser.close()


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("wanted", nargs="?", default="", help="part of a file name; all pictures without it")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(arguments.folder, arguments.wanted))


if __name__ == "__main__":
    main()
