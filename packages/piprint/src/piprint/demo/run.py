"""The demonstration: from Print in a stand-in for Business Central to a PDF in a folder, with nothing to configure.

The stand-in is in this process. A private CUPS with PDF printers and the processor are processes of their own, and the
processor gets a configuration file as anybody would write it. Everything listens on loopback and is gone after; only what
was printed stays.

This module does not know how any of the parts works.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

from piprint.demo.cups import CupsServer, ending_with_us, missing_packages
from piprint.errors import PiprintError, PrinterError
from piprint.simulate.server import StandIn

__all__ = ["main", "run_demo"]

_LOOPBACK = "127.0.0.1"
_BUSINESS_CENTRAL_PORT, _PAGE_PORT = 7048, 8632
_QUEUES = ("Office", "Warehouse")
_START = 30.0
"""Seconds until the printers must be offered; a small computer takes some of them."""
_STOP = 25.0
"""Seconds the processor gets to end in good order."""

_CONFIG = """\
# Made by piprint demo. Your own: piprint init
host = "demo"
data_dir = {data}

[business_central]
url = "{bc.url}"

[business_central.login]
kind = "secret"
tenant = "{accounts.tenant}"
client_id = "{accounts.client_id}"
secret = {{ file = {secret} }}
token_url = "{bc.token_url}"

[cups]
url = "{cups.url}"

[poll]
usual = 1
slowest = 1

[web]
listen = "{loopback}:{page}"
"""

_PDF_PRINTER = """\
#!/bin/sh
# A CUPS backend: pdf-folder job user title copies options [file]. It takes a second, as printers do.
[ $# -ne 0 ] || { echo 'direct pdf-folder "PDF" "PDF into a folder"'; exit 0; }
umask 022
name=$(printf %s "$PRINTER-$3" | tr -c 'A-Za-z0-9_.-' _)
folder=$(cat "$CUPS_SERVERROOT/folder")
sleep 1
part="$folder/.$name.$1"
# When a filter before it fails, CUPS starts a backend all the same, and gives it nothing.
cat "${6:--}" >"$part" && [ -s "$part" ] && mv "$part" "$folder/$name.pdf" || { rm -f "$part"; exit 1; }
"""

_WELCOME = """\
Printing from Business Central, with a stand-in for Business Central. Nothing leaves this computer.

  Business Central  {bc.origin}/   take the sample invoice or drop a PDF, press Print
  Status page       http://{loopback}:{page}/   see it fetched and printed
  What comes out    {folder}

Ctrl-C ends it; what was printed stays."""


def main(folder: Path = Path("printed")) -> int:
    """Run the demonstration until Ctrl-C; return the exit code.

    Args:
        folder: where printed PDFs go; made if missing.

    Raises:
        PiprintError: CUPS is missing, or a part does not start; the message says what to do.
    """
    asyncio.run(run_demo(folder, lambda line: print(line, flush=True)))  # noqa: T201 - a command talks to people
    return 0


async def run_demo(folder: Path, say: Callable[[str], None], *, stop: asyncio.Event | None = None) -> None:
    """Run the demonstration until it is stopped.

    Args:
        folder: where printed PDFs go; made if missing.
        say: prints a line.
        stop: ends it; SIGINT and SIGTERM do so in any case.

    Raises:
        PiprintError: see :func:`main`.
    """
    stop = stop or asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has it ignored
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    if missing := missing_packages():
        raise PrinterError(
            f"CUPS is needed to print. Type: sudo apt-get install {' '.join([*missing, 'cups-filters'])}"
        )
    folder, work = _folders(folder)
    try:
        with _cups(work / "cups", folder) as cups:
            async with StandIn(port=_free_port(_BUSINESS_CENTRAL_PORT)) as bc:
                page = _free_port(_PAGE_PORT)
                async with _processor(work, _config(work, bc, cups, page)) as processor:
                    await _printers_offered(bc, processor, work, stop)
                    if not stop.is_set():
                        say(_WELCOME.format(bc=bc, loopback=_LOOPBACK, page=page, folder=folder))
                    await _watch(folder, processor, work, say, stop)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _folders(folder: Path) -> tuple[Path, Path]:
    """Make the folder for what is printed, and one for everything else."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PiprintError(
            f"{folder} for printed PDFs cannot be made: {error.strerror}; go to another folder"
        ) from None
    work = Path(tempfile.mkdtemp(prefix="piprint-demo-"))
    work.chmod(0o755)  # as root, CUPS runs its filters as the user lp
    return folder.resolve(), work


@contextlib.contextmanager
def _cups(work: Path, folder: Path) -> Iterator[CupsServer]:
    """Run a CUPS whose queues print into the folder."""
    work.mkdir()
    work.chmod(0o755)  # see _folders()
    cups = CupsServer(work, backends={"pdf-folder": _PDF_PRINTER})
    (work / "etc/folder").write_text(str(folder))
    ppd = work / "demo.ppd"
    ppd.write_bytes(files("piprint.demo").joinpath("demo.ppd").read_bytes())
    with cups:
        for queue in _QUEUES:
            cups.add_queue(queue, "pdf-folder:/", ppd=ppd)
        yield cups


def _config(work: Path, bc: StandIn, cups: CupsServer, page: int) -> Path:
    accounts = bc.settings.accounts
    secret = work / "client-secret"
    secret.touch(mode=0o600)
    secret.write_text(accounts.secret)
    text = _CONFIG.format(
        data=json.dumps(str(work / "data")),
        bc=bc,
        accounts=accounts,
        secret=json.dumps(str(secret)),
        cups=cups,
        loopback=_LOOPBACK,
        page=page,
    )
    path = work / "piprint.toml"
    path.write_text(text)
    return path


@contextlib.asynccontextmanager
async def _processor(work: Path, config: Path) -> AsyncIterator[Process]:
    """Run the processor in a session of its own: Ctrl-C reaches us alone, and it ends when we say so."""
    with (work / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *ending_with_us([sys.executable, "-P", "-m", "piprint.runtime.process", str(config)]),
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"},
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP)
            except TimeoutError:
                process.kill()
                await process.wait()


async def _printers_offered(bc: StandIn, processor: Process, work: Path, stop: asyncio.Event) -> None:
    """Wait until one can print."""
    end = asyncio.get_running_loop().time() + _START
    while not stop.is_set():
        if len(bc.database.tables.printers) >= len(_QUEUES):
            return
        if processor.returncode is not None or asyncio.get_running_loop().time() > end:
            _fail(work)
        await asyncio.sleep(0.1)


async def _watch(folder: Path, processor: Process, work: Path, say: Callable[[str], None], stop: asyncio.Event) -> None:
    """Say what comes out, until the end."""
    seen = _printed(folder)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)
        now = _printed(folder)
        for path in sorted(path for path, moment in now.items() if seen.get(path) != moment):
            say(f"printed: {path}")
        seen = now
        if processor.returncode is not None:
            _fail(work)


def _printed(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.glob("*.pdf")}


def _fail(work: Path) -> NoReturn:
    said = (work / "log").read_text(errors="replace").strip()[-2000:]
    raise PiprintError(f"the demonstration's processor does not run. It says:\n{said or '(nothing)'}")


def _free_port(first: int) -> int:
    """Return a loopback port nobody listens on: this one, or any."""
    for port in (first, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((_LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise PiprintError("no free port on this computer")
