"""Draw the pictures of the print processor in docs/images, as a browser shows them.

All is real: the stand-in for Business Central, a private CUPS with three printers, and the processor. Only the past day is made
up: its jobs are put into the journal with a clock that was set back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import random
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

from playwright.async_api import Browser, async_playwright

from piprint.bc.job import Claim, JobRow, job_name
from piprint.config.load import load
from piprint.contract import JobState
from piprint.demo.cups import CupsServer
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.log import RecentLines, Redactor
from piprint.runtime import service
from piprint.simulate.extension.people import Choice
from piprint.simulate.page.sample import sample_invoice
from piprint.simulate.server import StandIn

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync")
REPORTS = {
    "Labels": ("Item GTIN Label",),
    "Office": ("Standard Sales - Invoice", "Standard Sales - Order Conf.", "Standard Purchase - Order"),
    "Warehouse": ("Picking List", "Standard Sales - Shipment"),
}
PRINTERS = tuple(REPORTS)
COMPANY = "CRONUS International Ltd."

_BACKEND = """\
#!/bin/sh
[ $# -ne 0 ] || { echo 'direct slow "Slow" "A printer that takes its time"'; exit 0; }
case "$PRINTER" in
Warehouse) echo 'STATE: +media-empty-error' >&2; echo 'ERROR: Tray 2 is empty.' >&2; exec sleep 600 ;;
Office) exec sleep 25 ;;
esac
"""

_CONFIG = """\
host = "office"
data_dir = "{folder}/data"
[business_central]
url = "{bc.url}"
company = "CRONUS International Ltd."
[business_central.login]
kind = "secret"
tenant = "{accounts.tenant}"
client_id = "{accounts.client_id}"
secret = "{accounts.secret}"
token_url = "{bc.token_url}"
[cups]
url = "{cups.url}"
[poll]
fastest = 0.2
usual = 0.2
slowest = 0.2
[[printers]]
id = "Labels"
paper = ["100x150mm"]
color = false
[web]
listen = "127.0.0.1:0"
"""


@dataclass(frozen=True)
class Picture:
    """One file in docs/images."""

    file: str
    width: int
    height: int
    scheme: str = "light"
    locale: str = "en-GB"
    scale: int = 1
    stand_in: bool = False


PICTURES = (
    Picture("piprint-desktop.png", 1280, 1010),
    Picture("piprint-desktop-dark.png", 1280, 1010, "dark"),
    Picture("piprint-phone-dark.png", 390, 844, "dark", "da-DK", 2),
    Picture("piprint-standin.png", 1280, 900, stand_in=True),
)


async def _made_up_day(folder: Path) -> None:
    """Put a day of an office into the journal."""
    dice = random.Random(7)  # the same pictures each time
    clock = [datetime.now(UTC)]
    journal = await Journal.open(folder, durable=False, clock=lambda: clock[0])
    now = datetime.now(UTC)
    row_no = 4200
    for hour in range(23, -1, -1):
        # Busy in the hours before now, quiet half a day earlier: an office, whatever time it is here.
        jobs = round(14 * max(0.0, math.cos((hour - 3) / 7)) ** 1.5 + dice.random())
        for at in sorted(dice.uniform(0, 55) for _ in range(jobs)):
            row_no += 1
            clock[0] = now - timedelta(hours=hour + 1) + timedelta(minutes=at)
            await _made_up_job(journal, clock, row_no, dice)
    await journal.close()


async def _made_up_job(journal: Journal, clock: list[datetime], row_no: int, dice: random.Random) -> None:
    printer = dice.choice(("Office", "Office", "Warehouse", "Labels"))
    claim = Claim.new("office", journal.instance, 1)
    payload = json.dumps({"objectname": dice.choice(REPORTS[printer]), "companyname": COMPANY})
    row = JobRow(row_no, printer, JobState.PRINTING, payload)
    entry = await journal.begin(row, claim, name=job_name("production", row_no, claim))
    entry = await journal.advance(entry, Step.CLAIMED)
    seconds = dice.uniform(1.5, 9)
    clock[0] += timedelta(seconds=seconds)
    failed = dice.random() < 0.03
    message = (
        "The PDF is damaged and cannot be mended; print it again from Business Central."
        if failed
        else f"Printed at {printer}: job {row_no % 1000}, {dice.randint(2, 5)} pages, {seconds:.0f} s."
    )
    outcome = Outcome.ERROR if failed else Outcome.PRINTED
    entry = await journal.advance(entry, Step.ENDED, outcome=outcome, message=message)
    await journal.advance(entry, Step.REPORTED)


@asynccontextmanager
async def _office(folder: Path) -> AsyncIterator[tuple[str, str]]:
    """Run everything, with some jobs in work; give the addresses of both pages."""
    ppd = _lay_out(folder)
    await _made_up_day(folder / "data")
    with CupsServer(folder / "cups", backends={"slow": _BACKEND}) as cups:
        for name in PRINTERS:
            cups.add_queue(name, "slow:/", ppd=ppd)
        async with StandIn() as bc:
            file = folder / "piprint.toml"
            file.write_text(_CONFIG.format(folder=folder, bc=bc, accounts=bc.settings.accounts, cups=cups))
            file.chmod(0o600)
            loaded = load(file)
            stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
            recent = RecentLines(Redactor(loaded.secrets))
            task = asyncio.create_task(service.run(loaded, recent, stop=stop, started=started.set_result))
            page = await started
            await _some_jobs(bc)
            try:
                yield page, bc.origin + "/"
            finally:
                stop.set()
                await task


def _lay_out(folder: Path) -> Path:
    folder.chmod(0o755)
    (folder / "cups").mkdir()
    ppd = folder / "demo.ppd"
    ppd.write_bytes(files("piprint.demo").joinpath("demo.ppd").read_bytes())
    return ppd


async def _some_jobs(bc: StandIn) -> None:
    while len(bc.database.tables.printers) < len(PRINTERS):  # noqa: ASYNC110 - the processor registers them
        await asyncio.sleep(0.1)
    rows = {row.printer_id: row.row_no for row in bc.database.tables.printers.values()}
    invoice = sample_invoice(4711, datetime.now(UTC), COMPANY)
    for name, count in (("Labels", 2), ("Office", 3), ("Warehouse", 2)):
        for _ in range(count):
            bc.people.print(rows[name], invoice, choice=Choice(report_name=REPORTS[name][0]))
    await asyncio.sleep(8)


def _zone_where_it_is(hour: int) -> str:
    """Return a time zone in which it is about that hour now: offices print by day."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # the sign in these names is the other way round


async def _take(browser: Browser, address: str, picture: Picture, folder: Path) -> None:
    page = await browser.new_page(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme="dark" if picture.scheme == "dark" else "light",
        locale=picture.locale,
        device_scale_factor=picture.scale,
        timezone_id=_zone_where_it_is(16),
    )
    await page.goto(address)
    if not picture.stand_in:
        await page.wait_for_selector("#history tr")
    await page.wait_for_timeout(1_500)
    await page.screenshot(path=folder / picture.file)
    await page.close()
    print(f"  {picture.file}")


async def draw(folder: Path, wanted: str) -> None:
    """Draw the pictures whose file name contains ``wanted``."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("Chromium is not installed: sudo apt install chromium")
    with tempfile.TemporaryDirectory(prefix="piprint-pictures-") as work:
        async with _office(Path(work)) as (page, stand_in), async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM))
            for picture in PICTURES:
                if wanted in picture.file:
                    await _take(browser, stand_in if picture.stand_in else page, picture, folder)
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
