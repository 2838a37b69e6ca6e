"""Draw the pictures in docs/images: the page on a simulated meter, as a browser shows it.

A made-up house lives through a June day; its past month is put into a history the quick way, then the
real gateway reads the simulated meter and Chromium looks at the page. The time zone is chosen so that
the day on the page is the day in the house, whatever time it is here.
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
from datetime import UTC, datetime, timedelta
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
from osgp.simulator.house import Moment
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
timezone = "{zone}"
data_dir = '{folder}'
[meters.house]
name = "{name}"
port = "{meter}"
key = "{key}"
[web]
listen = "127.0.0.1:{port}"
{password}
"""


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


@dataclass(frozen=True)
class Scene:
    """A moment in the house, and the pictures taken of it."""

    at: datetime
    name: str
    pictures: tuple[Picture, ...]
    password: str = ""


_DENMARK = ZoneInfo("Europe/Copenhagen")
SCENES = (
    Scene(
        datetime(2026, 6, 20, 17, 57, tzinfo=_DENMARK),
        "House",
        (Picture("desktop.png", 1280, 900, "light"), Picture("phone-dark.png", 390, 844, "dark", "de-DE", 2)),
    ),
    Scene(
        datetime(2026, 6, 20, 13, 52, tzinfo=_DENMARK),
        "House",
        (Picture("desktop-dark.png", 1280, 900, "dark"), Picture("phone.png", 390, 844, "light", "da-DK", 2)),
    ),
    Scene(
        datetime(2026, 6, 20, 17, 57, tzinfo=_DENMARK),
        "House",
        (Picture("login.png", 1280, 900, "light", path="login"),),
        _PASSWORD,
    ),
)


class MovedHouse(House):
    """A house that lives at another time than we do."""

    def __init__(self, ahead: float) -> None:
        super().__init__()
        self._ahead = ahead
        # The days before are added up now, not while the meter's reader waits.
        self.at(time.time())

    def at(self, now: float) -> Moment:
        """Return the moment that far away."""
        return super().at(now + self._ahead)


def _zone_where_it_is(hour: float) -> str:
    """Return a time zone in which it is about that hour now."""
    now = datetime.now(UTC)
    ahead = round(hour - now.hour - now.minute / 60)
    ahead = (ahead + 11) % 24 - 11
    # The sign in these names is the other way round.
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def _sources(numbers: dict[int, int]) -> dict[Source, int]:
    return {source: value for number, value in numbers.items() if (source := by_id(number)) is not None}


def _past(house: House, zone: ZoneInfo, clock: Clock) -> Iterator[Sample]:
    """Yield what the gateway would have read since the month began: registers, and of the last hour all."""
    now = clock.now()

    def registers(at: datetime) -> Sample:
        totals = dict(zip(_TOTALS, house.at(at.timestamp()).total, strict=True))
        return Sample("house", TableGroup.REGISTERS, at, _sources(totals), instant=clock.instant(at))

    last_hour = (now - timedelta(hours=1)).replace(second=0, microsecond=0)
    at = floor(now, Unit.MONTH, zone)
    while at < last_hour:
        yield registers(at)
        at += timedelta(minutes=15)
    at = last_hour
    while at < now:
        values = _sources(house.at(at.timestamp()).present)
        yield Sample("house", TableGroup.PRESENT, at, values, instant=clock.instant(at))
        if at.second % 10 == 0:
            yield registers(at)
        at += timedelta(seconds=2)


@asynccontextmanager
async def _gateway(scene: Scene, folder: Path) -> AsyncIterator[str]:
    zone = _zone_where_it_is(scene.at.hour + scene.at.minute / 60)
    house = await asyncio.to_thread(MovedHouse, scene.at.timestamp() - time.time())
    if not scene.password:
        clock = Clock()
        async with Store.open(folder / "history.db", HistoryConfig(), ZoneInfo(zone), clock=clock) as store:
            for sample in await asyncio.to_thread(list, _past(house, ZoneInfo(zone), clock)):
                store.offer(sample)
            await store.flush()
    port = free_port(18099)
    stop, started = asyncio.Event(), asyncio.Event()
    async with SimulatedMeter(house) as meter:
        text = _CONFIG.format(
            zone=zone,
            folder=folder,
            name=scene.name,
            meter=await meter.serve_tcp("127.0.0.1", 0),
            key=DEMO_KEY_TEXT,
            port=port,
            password=f'password = "{scene.password}"' if scene.password else "",
        )
        task = asyncio.create_task(gateway.run(parse(text, Path("pictures")), stop=stop, started=started.set))
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
    if not picture.path:
        await page.wait_for_selector("#today-sum b")
        await page.wait_for_selector("#totals-list .value")
        await page.wait_for_selector("#hour-chart canvas")
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
