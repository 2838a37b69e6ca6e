"""A stand-in, a plain client of it, and clocks that are moved by hand."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from virtual_clock import pytest_asyncio_loop_factories, pytest_configure

from piprint.simulate.extension.tables import PrintJob
from piprint.simulate.server import StandIn

__all__ = ["pytest_asyncio_loop_factories", "pytest_configure"]  # for pytest, which finds hooks by their names

SCOPE = "https://api.businesscentral.dynamics.com/.default"
PDF = b"%PDF-1.4\nnot quite one\n%%EOF\n"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """The server's clock."""

    moment: datetime = START

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class Reply:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    json: Any = None

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


@dataclass
class Client:
    """Asks the stand-in; knows no more than HTTP."""

    bc: StandIn
    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    async def log_in(self, **changes: str | None) -> Reply:
        accounts = self.bc.login.accounts
        form = {
            "grant_type": "client_credentials",
            "client_id": accounts.client_id,
            "client_secret": accounts.secret,
            "scope": SCOPE,
        } | changes
        url = self.bc.token_url
        reply = await self._ask("POST", url, data={name: value for name, value in form.items() if value is not None})
        if reply.status == 200:
            self.headers["Authorization"] = f"Bearer {reply.json['access_token']}"
        return reply

    @property
    def api(self) -> str:
        company = self.bc.settings.companies[0].id
        return self.bc.url.replace("ODataV4/", f"api/piprint/printing/v2.0/companies({company})/")

    def add_printer(self, printer_id: str = "office", host: str = "pi", **columns: Any) -> int:
        """Register a printer, behind the wire; return its row number."""
        return self.bc.database.insert_printer({"host_id": host, "printer_id": printer_id, **columns}).row_no

    def print(self, printer: int | str = 1, document: bytes = PDF, **options: Any) -> PrintJob:
        """Print as a user does."""
        return self.bc.people.print(printer, document, **options)

    def job(self, row_no: int = 1) -> PrintJob:
        """Return a job as it is."""
        return self.bc.database.job(row_no)

    async def act(self, job: PrintJob, action: str, **parameters: Any) -> Reply:
        """Ask for an action of an API page."""
        return await self("POST", f"{self.api}printJobs({job.id})/Microsoft.NAV.{action}", parameters)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, tag: str | None = None, headers: Any = None, **query: str
    ) -> Reply:
        """Ask for a path below ODataV4/, or for a whole URL; query names are without their $."""
        sent = self.headers | (headers or {}) | ({} if tag is None else {"If-Match": tag})
        url = path if "://" in path else self.bc.url + path
        params = {name if name == "company" else f"${name}": value for name, value in query.items()}
        return await self._ask(method, url, json=body, headers=sent, params=params)

    async def _ask(self, method: str, url: str, **options: Any) -> Reply:
        async with self.session.request(method, url, **options) as response:
            body = await response.read()
            is_json = "json" in response.headers.get("Content-Type", "")
            told = await response.json() if is_json else None
            return Reply(response.status, response.headers, body, told)


Open = Callable[..., AbstractAsyncContextManager[Client]]


@asynccontextmanager
async def _open(*, logged_in: bool = True, **settings: Any) -> AsyncIterator[Client]:
    async with StandIn(**settings) as bc:
        context = ssl.create_default_context(cafile=bc.ca_file) if bc.ca_file else False
        connector = aiohttp.TCPConnector(ssl=context, force_close=True)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            client = Client(bc, session)
            if logged_in:
                await client.log_in()
            yield client


@pytest.fixture
def opened() -> Open:
    """Opens a stand-in with settings of the test's choice."""
    return _open


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def ask(clock: Clock) -> AsyncIterator[Client]:
    """A client of a stand-in with our extension, one printer and a clock of its own."""
    async with _open(now=clock) as client:
        client.add_printer()
        yield client


@pytest.fixture
async def ask_old(clock: Clock) -> AsyncIterator[Client]:
    """The same with PIPrint 1.0."""
    async with _open(now=clock, extension="1.0") as client:
        client.add_printer()
        yield client
