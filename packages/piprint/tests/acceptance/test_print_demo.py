"""The demonstration, as ``make run-print`` starts it: from Print to a PDF in a folder, also for an ordinary user."""

from __future__ import annotations

import asyncio
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
        await until(lambda: "Ctrl-C" in self.log or self.process.poll() is not None, 40)
        found = re.search(r"Business Central +(http://\S+)", self.log)
        assert found, self.log
        return found[1]


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


def nobody_can_run_python() -> bool:
    """Tell whether we are root, and a user without rights can run this Python (not, if it is in root's home)."""
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import piprint'], check=True)"
    command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-c", again]
    return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0


ANOTHER_USER = pytest.mark.skipif(not nobody_can_run_python(), reason="needs root, and a Python that anybody can run")


@pytest.mark.parametrize("user", ["", pytest.param(NOBODY, marks=ANOTHER_USER)])
async def test_demo_prints_into_a_folder_and_leaves_nothing_else(folder, user):
    demonstration = Demonstration(folder, user)
    try:
        await print_on_its_page(await demonstration.welcome())
        await until(lambda: "printed: " in demonstration.log, 20, f"a printed line in:\n{demonstration.log}\n")
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
