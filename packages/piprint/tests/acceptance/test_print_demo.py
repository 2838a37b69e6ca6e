"""The demonstration, as ``make run-print`` starts it: from Print to a PDF in a folder, also for an ordinary user."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import aiohttp
import psutil
import pypdfium2
import pytest
from printshop import until

BIN = Path(sys.executable).parent
NOBODY = "nobody"


class Demonstration:
    """``piprint demo`` in a folder, as some user."""

    def __init__(self, folder: Path, user: str = "") -> None:
        self.log_file = folder / "log"
        prefix = []
        if user:
            account = pwd.getpwnam(user)
            shutil.chown(folder, account.pw_uid, account.pw_gid)
            prefix = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
            # Python may be installed in root's home: the user may read there what others may not, and nothing more.
            prefix += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *prefix, str(BIN / "piprint"), "demo"],
                cwd=folder,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": str(folder), "TMPDIR": str(folder)},
            )

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    async def welcome(self) -> str:
        """Wait for the welcome; return the stand-in's address."""
        await self.says("Ctrl-C", 40)
        found = re.search(r"Business Central +(http://\S+)", self.log)
        assert found, self.log
        return found[1]

    async def says(self, word: str, seconds: float) -> None:
        """Wait until it says a word; if it does not, tell what it said, and what its processor and its CUPS did."""
        with contextlib.suppress(AssertionError):
            await until(lambda: word in self.log or self.process.poll() is not None, seconds)
        if word not in self.log:
            logs = [
                self.log_file,
                *self.log_file.parent.glob("piprint-demo-*/log"),
                *self.log_file.parent.glob("piprint-demo-*/cups/log/*"),
            ]
            told = "\n".join(f"--- {path}\n{path.read_text(errors='replace')[-4000:]}" for path in logs)
            raise AssertionError(f"no {word!r} within {seconds:g} s, exit code {self.process.poll()}\n{told}")


async def print_on_its_page(address: str) -> None:
    """Take the sample invoice and press Print, as the page does."""
    async with (
        aiohttp.ClientSession(headers={"X-Piprint": "1"}) as session,
        session.post(f"{address}page/print", params={"printer": "1"}) as answer,
    ):
        assert answer.status == 200, await answer.text()


@pytest.fixture
def folder():
    made = Path(tempfile.mkdtemp(prefix="printshop-demo-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


USERS = ["", NOBODY] if os.geteuid() == 0 else [""]
"""Whoever is not root tests an ordinary user anyway."""


@pytest.mark.parametrize("user", USERS)
async def test_demo_prints_into_a_folder_and_leaves_nothing_else(folder, user):
    demonstration = Demonstration(folder, user)
    try:
        await print_on_its_page(await demonstration.welcome())
        # A job takes two seconds here; each of a dozen programs of CUPS may wait on a busy machine.
        await demonstration.says("printed: ", 60)
        printed = list((folder / "printed").glob("*.pdf"))
        assert len(printed) == 1
        document = pypdfium2.PdfDocument(printed[0])
        assert len(document) == 1
        document.close()
        demonstration.process.send_signal(signal.SIGINT)
        assert await asyncio.to_thread(demonstration.process.wait, 30) == 0
        assert {path.name for path in folder.iterdir()} == {"log", "printed"}
    finally:
        demonstration.process.kill()
        demonstration.process.wait(10)


async def test_demo_prints_where_new_folders_are_kept_private(folder):
    """CUPS runs its filters as another user when root starts it."""
    before = os.umask(0o077)
    try:
        demonstration = Demonstration(folder)
    finally:
        os.umask(before)
    try:
        await print_on_its_page(await demonstration.welcome())
        await demonstration.says("printed: ", 60)
    finally:
        demonstration.process.kill()
        demonstration.process.wait(10)


async def test_demo_killed_leaves_no_process(folder):
    demonstration = Demonstration(folder)
    await demonstration.welcome()
    assert len(processes_in(folder)) > 2, "the demonstration, its processor and CUPS"
    demonstration.process.kill()
    demonstration.process.wait(10)
    await until(lambda: not processes_in(folder))


def processes_in(folder: Path) -> list[str]:
    """Return the command lines of all processes that have something to do with a folder."""
    lines = []
    for entry in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(entry.info["cmdline"] or ())
        if str(folder) in line or entry.info["cwd"] == str(folder):
            lines.append(line)
    return lines
