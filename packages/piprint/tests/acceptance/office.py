"""An office in which everything is real but Business Central: its stand-in, a private CUPS with a ledger, processors.

Processors run as processes, so they can be killed as a power cut would. Business Central is in the test's own process: its rows are the test's to read, its faults to command.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from papers import pdf
from printshop import Printed, PrivateCups, until

from free_ports import free_port
from piprint.contract import JobState
from piprint.demo.cups import end_processes
from piprint.simulate.extension.people import Choice
from piprint.simulate.extension.tables import Printer, PrintJob
from piprint.simulate.server import StandIn

__all__ = ["FINAL", "Office", "Processor", "StandIn"]

DRIVER = Path(__file__).parent / "shop" / "driven.py"
SECRET = "do-not-show-this-secret-7f3a"
FINAL = frozenset({JobState.PRINTED, JobState.ERROR, JobState.CANCELLED, JobState.HOLD})
"""States in which nothing happens to a job by itself."""


@dataclass
class Processor:
    """One processor: what ``piprint run`` becomes.

    Attributes:
        folder: its data, configuration and log are here.
        config: the text of the configuration.
        web: the port of its page.
        hurried: it looks for printers all the time.
        watchful: it looks for printers every second.
        as_installed: start it by its command.
        prefix: words before its command line.
        env: more of its environment.
    """

    folder: Path
    config: str
    web: int
    hurried: bool = False
    watchful: bool = False
    as_installed: bool = False
    prefix: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Return its data_dir."""
        return self.folder / "data"

    @property
    def log(self) -> str:
        """Return all it has said."""
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, *, kill_at: str = "") -> None:
        """Start it.

        Args:
            kill_at: where it shall kill itself: ``before STEP``, ``after STEP``, of a job first seen in that run.
        """
        self.folder.mkdir(exist_ok=True)
        path = self.folder / "piprint.toml"
        path.write_text(self.config)
        path.chmod(0o600)
        pace = ["hurried"] if self.hurried else ["watchful"] if self.watchful else []
        words = [*pace, *kill_at.split()]
        program = [str(DRIVER), str(path), *words] if words else ["-m", "piprint.runtime.process", str(path)]
        command = [sys.executable, "-P", *program]
        if self.as_installed:
            command = [str(Path(sys.executable).parent / "piprint"), "run", "--config", str(path)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self.prefix, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, "PIPRINT_TEST": str(self.folder), **self.env},
            )

    @property
    def running(self) -> bool:
        """Tell whether it lives."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    async def stop(self, seconds: float = 60) -> int:
        """Ask it to end (SIGTERM); return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        await until(lambda: not self.running, seconds, "the processor's end")
        code = self.process.returncode
        self.process = None
        return code

    async def ended(self, seconds: float = 90) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self.process is not None
        try:
            await until(lambda: not self.running, seconds)
        except AssertionError:
            raise AssertionError(
                f"the processor did not end within {seconds} s; it says:\n{self.log[-2000:]}"
            ) from None
        return self.process.returncode

    def close(self) -> None:
        """End it and all it started, however far removed."""
        self.kill()
        end_processes("PIPRINT_TEST", str(self.folder))

    async def status(self) -> Any:
        """Return what its page shows, as JSON."""

        def ask() -> Any:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/api/v1/status", timeout=5) as reply:
                return json.loads(reply.read())

        return await asyncio.to_thread(ask)


class Office:
    """The stand-in, a CUPS, and any number of processors; an async context manager.

    Args:
        queues: CUPS queues to begin with.
        extension: which extension Business Central has.
        host: the processors' host id.
        poll: seconds between two questions for work.
        cups: keyword arguments of :class:`PrivateCups`.
        config: more lines of the configuration, TOML.
        bc: keyword arguments of :class:`StandIn`.
    """

    def __init__(
        self,
        *queues: str,
        extension: str = "2.0",
        host: str = "pi",
        poll: float = 0.1,
        error_policy: str = "retry-job",
        cups: Mapping[str, Any] | None = None,
        config: str = "",
        bc: Mapping[str, Any] | None = None,
    ) -> None:
        self.queues = queues
        self.host = host
        self.poll = poll
        self.error_policy = error_policy
        self.config = config
        self.folder = Path(tempfile.mkdtemp(prefix="printshop-office-"))
        self.cups = PrivateCups(**(cups or {}))
        self.bc = StandIn(extension=extension, **(bc or {}))
        self.processors: list[Processor] = []

    async def __aenter__(self) -> Self:
        self._stack = contextlib.AsyncExitStack()
        try:
            self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            await self._stack.enter_async_context(self.cups)
            await self._stack.enter_async_context(self.bc)
            for queue in self.queues:
                self.cups.add_printer(queue, error_policy=self.error_policy)
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for processor in self.processors:
            if error is not None:  # pytest shows it with the failure
                print(f"--- {processor.folder.name}\n{processor.log[-6000:]}")  # noqa: T201
            processor.close()
        await self._stack.aclose()

    def processor(
        self,
        *,
        host: str = "",
        config: str = "",
        hurried: bool = False,
        env: Mapping[str, str] | None = None,
        prefix: tuple[str, ...] = (),
    ) -> Processor:
        """Make a processor of this office, not started; ``config``: lines in place of the office's own."""
        folder = self.folder / f"processor-{len(self.processors) + 1}"
        web = free_port()
        text = self.config_text(folder / "data", web, host=host or self.host, more=config or self.config)
        made = Processor(folder, text, web, hurried=hurried, prefix=prefix, env=env or {})
        self.processors.append(made)
        return made

    def config_text(self, data: Path, web: int, *, host: str, more: str) -> str:
        """Return a configuration. ``more`` may begin with lines of the first table, and with a table of its own after."""
        accounts = self.bc.settings.accounts
        top, _, tables = more.partition("[")
        tables = f"[{tables}" if tables else ""
        poll = (
            ""
            if "[poll]" in more
            else f"[poll]\nfastest = {min(self.poll, 1)}\nusual = {self.poll}\nslowest = {self.poll}\n"
        )
        limits = "" if "[limits]" in more else "[limits]\nkeep_free_mb = 20\n"
        return f"""\
host = {json.dumps(host)}
data_dir = "{data}"
{top}
[business_central]
url = "{self.bc.url}"
timeout = 10
[business_central.login]
kind = "secret"
tenant = "{accounts.tenant}"
client_id = "{accounts.client_id}"
secret = "{accounts.secret}"
token_url = "{self.bc.token_url}"
[cups]
url = "{self.cups.url}"
[web]
listen = "127.0.0.1:{web}"
{poll}{limits}{tables}
"""

    async def start(self, **options: Any) -> Processor:
        """Start a processor and wait until Business Central offers the office's queues."""
        processor = self.processor(**options)
        processor.start()
        await self.offers(*self.queues, host=options.get("host", ""))
        return processor

    async def offers(self, *printer_ids: str, host: str = "", seconds: float = 60) -> None:
        """Wait until Business Central offers these printers."""

        def told() -> bool:
            return all(self.printer(each, host=host).enabled for each in printer_ids)

        try:
            await until(told, seconds)
        except AssertionError:
            raise AssertionError(
                f"not offered within {seconds} s: {printer_ids}; processors say:\n{self.logs}"
            ) from None

    @property
    def logs(self) -> str:
        """Return the last lines of all processors."""
        return "\n".join(each.log[-1500:] for each in self.processors)

    def printer(self, printer_id: str, *, host: str = "") -> Printer:
        """Return Business Central's row of a printer.

        Raises:
            KeyError: there is none.
        """
        for row in self.bc.database.tables.printers.values():
            if (row.host_id, row.printer_id) == (host or self.host, printer_id):
                return row
        raise KeyError(printer_id)

    def print(
        self,
        printer_id: str,
        document: bytes | Path | None = None,
        *,
        host: str = "",
        choice: Choice | None = None,
        payload: str | None = None,
    ) -> int:
        """Press Print in Business Central; return the job's number. ``payload``: the job's, in place of one made of the choice."""
        count = len(self.bc.database.tables.jobs) + 1
        row = self.printer(printer_id, host=host)
        return self.bc.people.print(
            row.row_no, pdf(f"job {count}") if document is None else document, choice=choice, payload=payload
        ).row_no

    def job(self, row_no: int) -> PrintJob:
        """Return a job's row as it is now."""
        return self.bc.database.job(row_no)

    def states(self) -> dict[int, JobState]:
        """Return the state of every job."""
        return {row_no: job.status for row_no, job in self.bc.database.tables.jobs.items()}

    async def becomes(self, state: JobState, *row_nos: int, seconds: float = 90) -> None:
        """Wait until jobs have a state."""

        def reached() -> bool:
            return all(self.job(row_no).status is state for row_no in row_nos)

        try:
            await until(reached, seconds)
        except AssertionError:
            told = "\n".join(f"{no}: {self.job(no).status.name} {self.job(no).message}" for no in row_nos)
            raise AssertionError(f"not all {state.name} within {seconds} s:\n{told}\n{self.logs}") from None

    async def ends(self, row_nos: Iterable[int], *, seconds: float = 120) -> None:
        """Wait until nothing happens to these jobs by itself."""
        wanted = set(row_nos)

        def over() -> bool:
            return all(self.job(row_no).status in FINAL for row_no in wanted)

        try:
            await until(over, seconds)
        except AssertionError:
            open_jobs = [self.job(no) for no in wanted if self.job(no).status not in FINAL]
            told = "\n".join(f"{job.row_no}: {job.status.name} {job.message}" for job in open_jobs)
            raise AssertionError(f"not over within {seconds} s:\n{told}\n{self.logs}") from None

    def at_printer(self, queue: str) -> bool:
        """Tell whether a queue's printer is busy with a job."""
        return f"now printing {queue}-" in self.cups.command("lpstat", "-p", queue)

    def printed(self, queue: str = "") -> list[int]:
        """Return what came out, by the jobs' numbers, in the order it came out; a job that came out twice is in it twice."""
        return [row_of(printed) for printed in self.cups.ledger(queue)]


def row_of(printed: Printed) -> int:
    """Return the number of the job in Business Central, from its name at the printer."""
    return int(printed.title.split("-")[-2])
