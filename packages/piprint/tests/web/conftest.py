"""A shop that shows what it is told to, and a page server on a free port of the loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from pydantic import SecretStr

from piprint.config.settings import Web
from piprint.web.server import PageServer
from piprint.web.view import ActionFailed, Connection, Job, PastJob, PrinterView, Snapshot, Totals, Trouble

NASTY = '<img src=x onerror="document.title=1"> & "æøå" \u2028 </script>'
START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def picture() -> Snapshot:
    """Return a busy moment; every text that a stranger chooses is a nasty one somewhere."""
    totals = Totals({"printed": 4, "error": 1})
    for seconds in (0.4, 1.7, 1.7, 4000.0):
        totals.took(seconds)
    return Snapshot(
        version="0.1.0",
        host="office",
        instance="k3m9x2",
        started=START,
        connection=Connection(
            "connected", "https://bc.example/ODataV4/", NASTY, "API pages", START, calls=120, failed=2, calls_last_hour=60
        ),
        printers=(
            PrinterView(
                "Office", "Laser 4000", "ipp://localhost/printers/Office", "cups", "processing",
                papers=("iso_a4_210x297mm", "iso_a5_148x210mm"), trays=("tray-1", "tray-2"),
                duplex=True, color=False, queued=3, printing=1,
            ),
            PrinterView(NASTY, NASTY, "socket://10.0.0.9:9100", "configured", "stopped",
                        reasons=("media-empty-error", NASTY), words=("no paper", NASTY), message=NASTY, followed=False),
        ),
        jobs=(
            Job(4711, "Office", "following", "page 2", START, 1, "Standard Sales - Invoice", "CRONUS A/S"),
            Job(4712, NASTY, "stored", NASTY, START, 2, NASTY, NASTY),
        ),
        history=(
            PastJob(4710, "Office", "printed", "Printed at office", START, 1.7, 1, "Standard Sales - Invoice", "CRONUS A/S"),
            PastJob(4709, NASTY, "error", NASTY, START - timedelta(days=1), None, 3, NASTY, NASTY),
        ),
        troubles=(Trouble(NASTY, "Look at the printer."),),
        hours=tuple((hour, hour % 5 == 4) for hour in range(24)),
        printed_today=128,
        failed_today=1,
        totals=totals,
    )  # fmt: skip


class FakeShop:
    """A shop without anything behind it; notes what it was asked."""

    def __init__(self) -> None:
        self.now = picture()
        self.asked: list[tuple[str, object]] = []
        self.lines = ["first line", NASTY]
        self.well = True
        self.watches = 0

    def change(self, **changes: object) -> None:
        self.now = replace(self.now, **changes)  # type: ignore[arg-type]

    def snapshot(self) -> Snapshot:
        return self.now

    def watched(self) -> None:
        self.watches += 1

    def healthy(self) -> bool:
        return self.well

    def log_lines(self, after: int = 0) -> tuple[int, list[str]]:
        return len(self.lines), self.lines[after:]

    async def test_page(self, printer_id: str) -> str:
        self.asked.append(("test page", printer_id))
        if printer_id not in {"Office", NASTY}:
            raise ActionFailed(f"there is no printer {printer_id}")
        return f"A test page is on its way to {printer_id}."

    async def restart(self, row_no: int, *, any_host: bool = False) -> str:
        self.asked.append(("restart", row_no) if not any_host else ("restart of any", row_no))
        return f"Job {row_no} is queued again."


Serve = Callable[..., AbstractAsyncContextManager[tuple[str, aiohttp.ClientSession]]]


@pytest.fixture
def shop() -> FakeShop:
    return FakeShop()


@pytest.fixture
def serve(shop: FakeShop) -> Serve:
    @asynccontextmanager
    async def serving(
        password: str | None = None, **settings: object
    ) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
        secret = SecretStr(password) if password is not None else None
        server = PageServer(Web(listen="127.0.0.1:0", password=secret, **settings), shop)
        await server.start()
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            try:
                yield server.url, session
            finally:
                await server.close()

    return serving
