"""Configurations for a stand-in, and a private CUPS for all tests of this folder."""

from __future__ import annotations

import asyncio
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from printshop import PrivateCups

from piprint.config.load import load
from piprint.log import RecentLines, Redactor
from piprint.runtime import service
from piprint.simulate.server import StandIn

NOBODY = 65534
"""The user id of somebody who may write nowhere."""


@pytest.fixture(scope="session")
def cups() -> Iterator[PrivateCups]:
    with PrivateCups() as shop:
        shop.add_printer("Office")
        yield shop


def _config_text(bc: StandIn, folder: Path, *, cups: str = "", web: str = "127.0.0.1:0", **changes: str) -> str:
    """Return a configuration for a stand-in; ``changes`` replace values by the names of their settings."""
    accounts = bc.login.accounts
    values = {
        "host": "pi",
        "url": bc.url,
        "company": "",
        "tenant": accounts.tenant,
        "client_id": accounts.client_id,
        "secret": accounts.secret,
        "token_url": bc.token_url,
    } | changes
    ca = f"ca_file = '{bc.ca_file}'\n" if bc.ca_file else ""
    return f"""
host = "{values["host"]}"
data_dir = '{folder / "data"}'
[business_central]
url = "{values["url"]}"
company = "{values["company"]}"
timeout = 5
{ca}[business_central.login]
kind = "secret"
tenant = "{values["tenant"]}"
client_id = "{values["client_id"]}"
secret = "{values["secret"]}"
token_url = "{values["token_url"]}"
[cups]
{f'url = "{cups}"' if cups else "enabled = false"}
{"" if cups else chr(10).join(["[[printers]]", 'id = "far"', 'uri = "socket://127.0.0.1:9"'])}
[poll]
fastest = 0.1
usual = 0.1
slowest = 0.1
[limits]
keep_free_mb = 1
[web]
listen = "{web}"
"""


@pytest.fixture
def config_text() -> Callable[..., str]:
    return _config_text


@pytest.fixture
def locked_folder() -> Iterator[Path]:
    """A folder in which only root may write; outside of pytest's own, which nobody else may enter."""
    folder = Path(tempfile.mkdtemp(prefix="piprint-locked-"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


_DROP_RIGHTS = f"""
import asyncio, os, sys

def drop_rights():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid({NOBODY})
        os.setuid({NOBODY})
"""


@pytest.fixture
def as_nobody() -> Callable[..., str]:
    """Run Python code which calls ``drop_rights()`` when all is imported: Python itself may lie in root's home."""

    def run(code: str, *arguments: str) -> str:
        command = [sys.executable, "-W", "error", "-c", _DROP_RIGHTS + code, *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout

    return run


Run = Callable[..., AbstractAsyncContextManager[str]]


@pytest.fixture
def run_service(tmp_path: Path) -> Run:
    """Run the processor in this process while the context is open; gives the page's address."""

    @asynccontextmanager
    async def running(text: str) -> AsyncIterator[str]:
        file = tmp_path / "piprint.toml"
        file.write_text(text)
        file.chmod(0o600)
        loaded = load(file)
        recent = RecentLines(Redactor(loaded.secrets))
        logger = logging.getLogger("piprint")
        level = logger.level
        logger.addHandler(recent)
        logger.setLevel(logging.INFO)
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(service.run(loaded, recent, stop=stop, started=started.set_result))
        try:
            await asyncio.wait([task, started], return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                await task
            yield started.result()
            stop.set()
            await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            logger.removeHandler(recent)
            logger.setLevel(level)

    return running


@pytest.fixture
def ask_page() -> Callable[..., Awaitable[Any]]:
    """Ask a page's API; waits, where ``until`` is given, for a snapshot that fits."""

    async def ask(
        url: str, path: str = "api/v1/status", body: object = None, until: Callable[[Any], bool] | None = None
    ) -> Any:
        async with asyncio.timeout(60), aiohttp.ClientSession(headers={"X-Piprint": "1"}) as session:
            while True:
                call = session.get(url + path) if body is None else session.post(url + path, json=body)
                async with call as answer:
                    told = await answer.json()
                if until is None or until(told):
                    return told
                await asyncio.sleep(0.05)

    return ask
