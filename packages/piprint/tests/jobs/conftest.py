# ruff: noqa: ASYNC240, BLE001 - files in memory are quick; a fake executor hands on whatever is raised
"""A world to print in, in memory: a Business Central, printers, and processors that can be killed at any moment.

Time is the loop's and jumps to the next timer. What comes out of the printers is in one ledger: the truth the tests
compare with. A killed processor loses all its memory; its journal file, Business Central and the printers live on.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from virtual_clock import VirtualClockLoop

from piprint.bc.job import Claim, JobRow
from piprint.bc.queue import BcProblem, Claimed, ClaimOutcome, FinishOutcome, OfferedPrinter, Probe
from piprint.config.settings import Config
from piprint.contract import JobState
from piprint.errors import BcUnreachable, PrinterBusy, PrinterRefused, PrinterUnreachable
from piprint.jobs.active_job import Prepared
from piprint.jobs.dispatcher import Dispatcher
from piprint.journal.entry import Entry
from piprint.journal.store import Journal
from piprint.printers.printer import (
    Accepted,
    Capabilities,
    Feedback,
    JobStatus,
    Printer,
    PrinterAddress,
    PrinterState,
    PrinterStatus,
    Run,
    SpoolerState,
    Ticket,
)
from piprint.printers.registry import PrinterRegistry

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "not-a-real-secret"


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualClockLoop}


def now() -> float:
    return asyncio.get_running_loop().time()


# ---- Business Central ------------------------------------------------------------------------------------------------


@dataclass
class ServerRow:
    """A job in Business Central."""

    row_no: int
    printer_id: str
    document: bytes
    state: JobState = JobState.QUEUED
    message: str = ""
    claim: str = ""
    lease_until: float = 0.0
    submitted: bool = False
    attempts: int = 0
    version: int = 1
    runs: int = 1
    """How often a user asked for it: print, and each restart."""
    waits: str = ""
    printed: int = 0
    """How often it was reported Printed."""


@dataclass
class Server:
    """Business Central: rows, users, faults."""

    api: bool = True
    rows: dict[int, ServerRow] = field(default_factory=dict)
    away: bool = False
    latency: float = 0.01
    lose_answers: float = 0.0
    """Part of the writes that are done but whose answer is lost."""
    lag: float = 0.0
    """Seconds by which waiting lists are late."""
    errors: list[Exception] = field(default_factory=list)
    """Raised by the next calls, one each, before anything is done."""
    refuse: dict[str, Exception] = field(default_factory=dict)
    """Raised by every call of that name."""
    calls: list[tuple[float, str]] = field(default_factory=list)
    offered: list[OfferedPrinter] = field(default_factory=list)
    clock_error: timedelta = timedelta(0)
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    _past: list[tuple[float, dict[int, ServerRow]]] = field(default_factory=list)

    def add(self, row_no: int, printer_id: str = "A", document: bytes | None = None) -> ServerRow:
        row = ServerRow(row_no, printer_id, f"document {row_no}".encode() if document is None else document)
        self.rows[row_no] = row
        self.touch(row)
        return row

    def touch(self, row: ServerRow) -> None:
        row.version += 1
        if self.lag:
            self._past.append((now(), {each.row_no: replace(each) for each in self.rows.values()}))

    def set(self, row_no: int, state: JobState) -> None:
        """Do what a user does on the queue page."""
        row = self.rows[row_no]
        if state is JobState.QUEUED:
            row.runs += 1
        row.state, row.claim, row.message, row.lease_until, row.submitted = state, "", "", 0.0, False
        self.touch(row)

    def seen(self) -> dict[int, ServerRow]:
        """Return the rows as a replica has them."""
        if not self.lag:
            return self.rows
        return next((rows for at, rows in reversed(self._past) if at <= now() - self.lag), {})

    def read(self, row: ServerRow) -> JobRow:
        claim = Claim.read("shop", row.claim or row.message)
        printing = row.state is JobState.PRINTING
        return JobRow(
            row_no=row.row_no,
            printer_id=row.printer_id,
            state=row.state,
            payload="{}",
            message=row.message,
            tag="" if self.api else str(row.version),
            id=f"id-{row.row_no}" if self.api else "",
            claim=claim if printing else None,
            attempts=row.attempts if self.api else (claim.attempt if claim else 0),
            lease_until=START + timedelta(seconds=row.lease_until) if self.api and printing else None,
            submitted=row.submitted if self.api else (True if printing and row.submitted else None),
            size=len(row.document),
        )


class QueueView:
    """Business Central as one processor reaches it."""

    dialect = "fake"

    @property
    def says_state(self) -> bool:
        return self.server.api

    def __init__(self, server: Server, alive: Callable[[], bool]) -> None:
        self.server = server
        self._alive = alive

    async def _call(self, name: str) -> None:
        await self._living()
        self.server.calls.append((now(), name))
        await asyncio.sleep(self.server.latency * self.server.rng.random())
        await self._living()
        if self.server.away:
            raise BcUnreachable("no answer")
        if self.server.errors:
            raise self.server.errors.pop(0)
        if name in self.server.refuse:
            raise self.server.refuse[name]

    async def _answer(self) -> None:
        await asyncio.sleep(self.server.latency * self.server.rng.random())
        await self._living()
        if self.server.rng.random() < self.server.lose_answers:
            raise BcUnreachable("the answer was lost")

    async def _living(self) -> None:
        if not self._alive():
            await asyncio.Event().wait()

    async def check(self) -> None:
        await self._call("check")

    async def probe(self, *, beat: bool = False) -> Probe:
        await self._call("probe")
        rows = self.server.seen().values()
        queued = Counter(row.printer_id for row in rows if row.state is JobState.QUEUED)
        printing = Counter(row.printer_id for row in rows if row.state is JobState.PRINTING)
        return Probe(queued, printing)

    async def register(self, printers: Sequence[OfferedPrinter], *, message: str = "") -> dict[str, BcProblem]:
        await self._call("register")
        self.server.offered = list(printers)
        return {}

    async def waiting(self, printers: Sequence[str], limit: int) -> list[JobRow]:
        await self._call("waiting")
        rows = sorted(self.server.seen().values(), key=lambda row: row.row_no)
        return [self.server.read(row) for row in rows if row.state is JobState.QUEUED and row.printer_id in printers][
            :limit
        ]

    async def printing(self) -> list[JobRow]:
        await self._call("printing")
        found = [self.server.read(row) for row in self.server.rows.values() if row.state is JobState.PRINTING]
        await self._answer()
        return found

    async def row(self, row_no: int) -> JobRow | None:
        await self._call("row")
        row = self.server.rows.get(row_no)
        return self.server.read(row) if row else None

    def _is_ours(self, row: ServerRow | None, claim: Claim) -> bool:
        return row is not None and row.state is JobState.PRINTING and row.claim == claim.token

    async def claim(self, job: JobRow, claim: Claim, into: Path, *, lease: float) -> Claimed:
        await self._call("claim")
        server, row = self.server, self.server.rows.get(job.row_no)
        if row is None:
            return Claimed(ClaimOutcome.CHANGED, None)
        over = now() >= row.lease_until if server.api else row.message == job.message and job.state is row.state
        if row.state is not JobState.QUEUED and not (row.state is JobState.PRINTING and over):
            taken = row.state is JobState.PRINTING
            return Claimed(ClaimOutcome.TAKEN if taken else ClaimOutcome.CHANGED, server.read(row))
        row.submitted = row.submitted and row.state is JobState.PRINTING
        row.state, row.claim, row.message = JobState.PRINTING, claim.token, claim.message
        row.lease_until, row.waits = now() + lease, ""
        row.attempts += 1
        server.touch(row)
        await self._answer()
        into.write_bytes(row.document)
        return Claimed(ClaimOutcome.OURS, server.read(row), len(row.document))

    async def fetch(self, job: JobRow, into: Path) -> int:
        await self._call("fetch")
        document = self.server.rows[job.row_no].document
        into.write_bytes(document)
        return len(document)

    def _sign(self, row: ServerRow, claim: Claim) -> None:
        """Write the message of a job that prints, as the dialects do."""
        if self.server.api:
            row.message = row.waits
        else:
            row.message = f"{row.waits} [claim {claim.token}]" if row.waits else claim.message
            row.message += f" {row.version}"

    async def renew(self, job: JobRow, claim: Claim, *, lease: float) -> bool:
        await self._call("renew")
        row = self.server.rows.get(job.row_no)
        if row is None or not self._is_ours(row, claim):
            return False
        row.lease_until = now() + lease
        self._sign(row, claim)
        self.server.touch(row)
        await self._answer()
        return True

    async def submitting(self, job: JobRow, claim: Claim) -> bool:
        await self._call("submitting")
        row = self.server.rows.get(job.row_no)
        if row is None or not self._is_ours(row, claim):
            return False
        row.submitted = True
        self._sign(row, claim)
        self.server.touch(row)
        await self._answer()
        return True

    async def tell(self, job: JobRow, claim: Claim, message: str) -> bool:
        await self._call("tell")
        row = self.server.rows.get(job.row_no)
        if row is None or not self._is_ours(row, claim):
            return False
        row.waits = message
        self._sign(row, claim)
        self.server.touch(row)
        await self._answer()
        return True

    async def note(self, job: JobRow, message: str) -> None:
        await self._call("note")
        assert not self.server.api
        row = self.server.rows[job.row_no]
        if str(row.version) == job.tag:
            row.message = message
            self.server.touch(row)
        await self._answer()

    async def release(self, job: JobRow, claim: Claim, message: str) -> FinishOutcome:
        return await self._end("release", job, claim, JobState.QUEUED, message)

    async def finish(self, job: JobRow, claim: Claim, *, printed: bool, message: str) -> FinishOutcome:
        return await self._end("finish", job, claim, JobState.PRINTED if printed else JobState.ERROR, message)

    async def _end(self, name: str, job: JobRow, claim: Claim, state: JobState, message: str) -> FinishOutcome:
        await self._call(name)
        row = self.server.rows.get(job.row_no)
        if row is None:
            return FinishOutcome.GONE
        if row.state is state and row.message == message:
            return FinishOutcome.DONE
        if not self._is_ours(row, claim):
            return FinishOutcome.LOST if row.state is JobState.PRINTING else FinishOutcome.CHANGED
        row.state, row.message, row.claim, row.lease_until = state, message, "", 0.0
        row.printed += state is JobState.PRINTED
        self.server.touch(row)
        await self._answer()
        return FinishOutcome.DONE

    async def amend(self, job: JobRow, claim: Claim, message: str, *, before: str) -> bool:
        await self._call("amend")
        row = self.server.rows.get(job.row_no)
        if row is None or row.state not in {JobState.PRINTED, JobState.ERROR} or row.message not in {before, message}:
            return False
        row.message = message
        self.server.touch(row)
        await self._answer()
        return True

    async def restart(self, row_no: int, *, any_host: bool = False) -> JobState | None:
        self.server.set(row_no, JobState.QUEUED)
        return JobState.QUEUED

    async def close(self) -> None:
        return None


# ---- Printers --------------------------------------------------------------------------------------------------------


def without_nonce(name: str) -> str:
    """Return a job's name at the printer as far as it can be foretold."""
    return name.partition("_")[0]


@dataclass
class PrinterJob:
    """A job at a printer."""

    id: int
    uuid: str
    name: str
    held: bool
    document: bytes | None = None
    state: SpoolerState = SpoolerState.PENDING
    reasons: tuple[str, ...] = ()
    begun: int | None = None
    sheets: int = 0


@dataclass
class Device:
    """A printer, or CUPS's queue for one. It outlives processors."""

    name: str
    ledger: list[bytes]
    holds: bool = True
    single: bool = False
    """Takes one job at a time (busy otherwise)."""
    uuids: bool = True
    tells_begin: bool = True
    clock: int = 0
    """Its own time of day in seconds when the test begins, as CUPS tells it; 0: it counts from its start."""
    here: bool = False
    """It is a CUPS of the processor's own computer."""
    tells_run: bool = True
    """Whether a restart can be told from a break in the line."""
    feedback: Feedback = Feedback.FOLLOWED
    seconds: float = 1.0
    latency: float = 0.01
    lose_answers: float = 0.0
    away: bool = False
    stopped: tuple[str, ...] = ()
    abort: set[bytes] = field(default_factory=set)
    """Documents it gives up."""
    stops: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    """Documents it stops at, and goes on with the next: by the job-state-reasons it then tells, as CUPS does when a filter fails."""
    hangs: set[bytes] = field(default_factory=set)
    """Documents it says it prints, for ever."""
    says: str = ""
    """Its printer-state-message."""
    deaf: bool = False
    """It takes a cancel and goes on."""
    refuse: dict[str, PrinterRefused] = field(default_factory=dict)
    jobs: dict[int, PrinterJob] = field(default_factory=dict)
    next_id: int = 1
    begun: list[str] = field(default_factory=list)
    reprinted: list[bytes] = field(default_factory=list)
    """Documents of which a crash made two."""
    canceled: list[str] = field(default_factory=list)
    up_since: float = 0.0
    runs: int = 1
    rng: random.Random = field(default_factory=lambda: random.Random(2))
    _printing: PrinterJob | None = None
    _timer: asyncio.TimerHandle | None = None

    def go_on(self) -> None:
        """Print the next job, if nothing speaks against it."""
        if self._printing is not None or self.stopped or self.away:
            return
        for job in self.jobs.values():
            if job.state is SpoolerState.PENDING and job.document is not None:
                self._printing, job.state = job, SpoolerState.PROCESSING
                self.begun.append(without_nonce(job.name))
                counted = self.clock + int(now()) if self.clock else round(now() * 1000)
                job.begun = counted if self.tells_begin else None
                self._timer = asyncio.get_running_loop().call_later(self.seconds, self._put_out, job)
                return

    def _put_out(self, job: PrinterJob) -> None:
        self._printing = None
        if self.stopped:
            job.state = SpoolerState.STOPPED
            return
        assert job.document is not None
        if job.document in self.hangs:
            self._printing = job
            return
        if job.document in self.stops:
            job.state, job.reasons = SpoolerState.STOPPED, self.stops[job.document]
        elif job.document in self.abort:
            job.state, job.reasons = SpoolerState.ABORTED, ("aborted-by-system",)
        else:
            job.state = SpoolerState.COMPLETED
            self.ledger.append(job.document)
        self.go_on()

    def cancel(self, job: PrinterJob) -> None:
        if job.state.final or self.deaf:
            return
        job.state = SpoolerState.CANCELED
        self.canceled.append(without_nonce(job.name))
        if self._printing is job:
            self._printing = None
            if self._timer:
                self._timer.cancel()
        self.go_on()

    def crash(self, *, keep: bool) -> None:
        """Kill the spooler: with ``keep`` the job in progress prints again, else all open jobs are forgotten."""
        if self._timer:
            self._timer.cancel()
        if self._printing is not None:
            assert self._printing.document is not None
            self.ledger.append(self._printing.document)  # it was out already; the spooler does not know
            self.reprinted.append(self._printing.document)
            self._printing.state = SpoolerState.PENDING
        self._printing = None
        self.up_since = now()
        self.runs += 1
        if not keep:
            self.jobs = {number: job for number, job in self.jobs.items() if job.state.final}
            self.next_id = 1
        self.go_on()

    def mend(self) -> None:
        self.stopped, self.away = (), False
        for job in self.jobs.values():
            if job.state is SpoolerState.STOPPED:
                job.state = SpoolerState.PENDING
        self.go_on()


class PrinterView:
    """A printer as one processor reaches it."""

    def __init__(self, device: Device, alive: Callable[[], bool]) -> None:
        self.device = device
        self.address = PrinterAddress(device.name, f"ipp://{'localhost' if device.here else 'cups.lan'}/{device.name}")
        self.feedback = device.feedback
        self._alive = alive

    async def _call(self, name: str) -> None:
        await self._living()
        await asyncio.sleep(self.device.latency * self.device.rng.random())
        await self._living()
        if self.device.away:
            raise PrinterUnreachable("no answer from the printer")
        if name in self.device.refuse:
            raise self.device.refuse[name]

    async def _answer(self) -> None:
        await asyncio.sleep(self.device.latency * self.device.rng.random())
        await self._living()
        if self.device.rng.random() < self.device.lose_answers:
            raise PrinterUnreachable("the answer was lost")

    async def _living(self) -> None:
        if not self._alive():
            await asyncio.Event().wait()

    async def capabilities(self) -> Capabilities:
        await self._call("capabilities")
        return Capabilities(description=self.device.name, holds=self.device.holds)

    async def status(self) -> PrinterStatus:
        await self._call("status")
        state = PrinterState.STOPPED if self.device.stopped else PrinterState.IDLE
        return PrinterStatus(
            state, self.device.stopped, self.device.says, up_time=int(now() - self.device.up_since) + 1
        )

    async def create(self, ticket: Ticket) -> Accepted:
        await self._call("create")
        device = self.device
        if device.feedback is Feedback.SENT_ONLY:
            return Accepted(0, "", ticket.name)
        if device.single and any(not job.state.final for job in device.jobs.values()):
            raise PrinterBusy("the printer is busy")
        number = device.next_id
        while number in device.jobs and not device.jobs[number].state.final:
            number += 1
        device.next_id = number + 1
        unique = f"urn:uuid:{uuid.UUID(int=device.rng.getrandbits(128))}" if device.uuids else ""
        device.jobs.pop(number, None)
        device.jobs[number] = PrinterJob(number, unique, ticket.name, device.holds)
        if device.holds:
            device.jobs[number].state = SpoolerState.HELD
        up_time = int(now() - device.up_since) + 1
        await self._answer()
        return Accepted(number, unique, ticket.name, up_time, device.holds)

    async def send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        await self._call("send")
        device, data = self.device, document.read_bytes()
        if device.feedback is Feedback.SENT_ONLY:
            device.ledger.append(data)
            await self._answer()
            return accepted
        job = device.jobs.get(accepted.id)
        if job is None or job.state.final:
            raise PrinterRefused("no such job", status=0x0406)
        job.document = data
        device.go_on()
        await self._answer()
        return accepted

    async def release(self, accepted: Accepted) -> None:
        await self._call("release")
        job = self.device.jobs.get(accepted.id)
        if job is None:
            raise PrinterRefused("no such job", status=0x0406)
        if job.state is SpoolerState.HELD:
            job.state = SpoolerState.PENDING
            self.device.go_on()
        await self._answer()

    def _status(self, job: PrinterJob) -> JobStatus:
        return JobStatus(
            job.id,
            job.uuid,
            job.name,
            job.state,
            job.reasons,
            document_complete=job.document is not None or job.held,
            sheets=1 if job.state is SpoolerState.COMPLETED else None,
            begun=job.begun,
            progress=(job.sheets,),
            up_time=self.device.clock + int(now()) if self.device.clock else round(now() * 1000),
            run=self.device.runs if self.device.tells_run else 0,
        )

    async def look(self, accepted: Accepted) -> JobStatus | None:
        await self._call("look")
        job = self.device.jobs.get(accepted.id)
        await self._answer()
        if job is None or job.name != accepted.name or (accepted.uuid and job.uuid != accepted.uuid):
            return None
        return self._status(job)

    async def find(self, name: str) -> list[JobStatus]:
        await self._call("find")
        return [job for job in await self.jobs() if job.name == name]

    async def jobs(self) -> list[JobStatus]:
        found = [self._status(job) for job in self.device.jobs.values()]
        await self._answer()
        return found

    async def run(self) -> Run:
        await self._call("run")
        clock = self.device.clock + int(now()) if self.device.clock else None
        told = Run(self.device.runs, str(self.device.runs), clock) if self.device.tells_run else Run()
        await self._answer()
        return told

    async def has_run_on(self, token: str) -> bool | None:
        await self._call("has_run_on")
        same = token == str(self.device.runs) if self.device.tells_run else None
        await self._answer()
        return same

    async def cancel(self, accepted: Accepted) -> None:
        await self._call("cancel")
        job = self.device.jobs.get(accepted.id)
        if job is not None and job.name == accepted.name:
            self.device.cancel(job)
        await self._answer()

    async def close(self) -> None:
        return None


# ---- Processors ------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """kill -9 in the middle of a commit."""


class _Inline(Executor):
    """Does the work at once, as long as its processor lives."""

    def __init__(self, alive: Callable[[], bool]) -> None:
        self._alive = alive

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not self._alive():
            future.set_exception(Killed())
            return future
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Listed:
    addresses: list[PrinterAddress]
    problems: list[str] = field(default_factory=list)
    unlisted: bool = False


class Processor:
    """One run of the processor, from its start to its stop or its kill."""

    def __init__(self, world: World, folder: Path, config: Config) -> None:
        self.world = world
        self.config = config
        self.folder = folder
        self.alive = True
        self.searched = 0
        self.killed = asyncio.Event()
        self.kill_at: tuple[str, int] | None = None
        self.commits: list[tuple[str, Entry]] = []
        self.queue = QueueView(world.server, lambda: self.alive)
        self.prepare: Callable[..., Awaitable[Prepared]] = self._prepare
        self.dispatcher: Dispatcher
        self.journal: Journal
        self.shelf: PrinterRegistry

    async def start(self) -> Processor:
        self.journal = await Journal.open(
            self.folder,
            executor=_Inline(lambda: self.alive),
            durable=False,
            clock=self.world.wall,
            seconds=asyncio.get_running_loop().time,
            observer=self._observe,
        )
        self.shelf = PrinterRegistry(self.config, self.journal, self._find, self._open)
        self.dispatcher = Dispatcher(
            self.config,
            self.queue,
            self.journal,
            self.shelf,
            self.prepare,
            rng=random.Random(3),
            wall=self.world.wall,
        )
        with suppress(Killed):
            await self.dispatcher.start()
        return self

    async def _find(self) -> Listed:
        world = self.world
        self.searched += 1
        there = [PrinterAddress(name, f"ipp://{name}/") for name in world.devices if name not in world.unlisted]
        return Listed(there, world.problems, bool(world.unlisted))

    def _open(self, address: PrinterAddress) -> Printer:
        return PrinterView(self.world.devices[address.printer_id], lambda: self.alive)

    async def _prepare(self, name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        return Prepared(Ticket(name), document)

    def _observe(self, moment: str, entry: Entry) -> None:
        self.commits.append((moment, entry))
        if self.kill_at is not None:
            wanted, count = self.kill_at
            if wanted == moment and sum(each == moment for each, _ in self.commits) == count:
                self.alive = False
                self.killed.set()
                raise Killed

    async def kill(self) -> None:
        """Drop everything it has in memory, at once."""
        self.alive = False
        tasks = [*self.dispatcher._loops, *self.dispatcher._work, *self.dispatcher._reporter._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.journal._database.close()
        if self.journal._lock:
            self.journal._lock.release()

    @property
    def busy(self) -> bool:
        workers = self.dispatcher._workers.values()
        return bool(self.dispatcher._context.jobs) or not all(worker.idle for worker in workers)

    async def stop(self, deadline: float = 20) -> None:
        await self.dispatcher.stop(deadline)
        await self.shelf.close()
        await self.journal.close()
        self.alive = False


class World:
    """Everything there is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = Server()
        self.ledger: list[bytes] = []
        self.devices: dict[str, Device] = {}
        self.problems: list[str] = []
        self.unlisted: set[str] = set()
        """Printers of a CUPS that does not answer."""
        self.processors: list[Processor] = []
        self.wall_error = timedelta(0)

    def wall(self) -> datetime:
        return START + timedelta(seconds=now()) + self.wall_error

    def device(self, name: str = "A", **more: Any) -> Device:
        self.devices[name] = Device(name, self.ledger, **more)
        return self.devices[name]

    def view(self, name: str) -> PrinterView:
        """Return a printer as anybody else reaches it."""
        return PrinterView(self.devices[name], lambda: True)

    async def processor(self, name: str = "one", *, kill_at: tuple[str, int] | None = None, **more: Any) -> Processor:
        settings: dict[str, Any] = {
            "host": "shop",
            "business_central": {
                "environment": "test",
                "login": {"kind": "secret", "tenant": "t", "client_id": "c", "secret": SECRET},
            },
            "limits": {"keep_free_mb": 0},
        }
        prepare = more.pop("prepare", None)
        processor = Processor(self, self.folder / name, Config.model_validate({**settings, **more}))
        processor.kill_at = kill_at
        if prepare is not None:
            processor.prepare = prepare
        self.processors.append(processor)
        return await processor.start()

    async def settled(self, limit: float = 3600) -> None:
        """Wait until no job is waiting or printing and all processors are idle."""
        until = now() + limit
        while now() < until:
            open_rows = [row for row in self.server.rows.values() if row.state in {JobState.QUEUED, JobState.PRINTING}]
            busy = any(each.busy for each in self.processors if each.alive)
            if not open_rows and not busy:
                return
            await asyncio.sleep(0.25)
        states = {row.row_no: (row.state.name, row.message) for row in self.server.rows.values()}
        pytest.fail(f"not settled: {states}")

    def printed(self, row_no: int) -> int:
        return self.ledger.count(self.server.rows[row_no].document)

    def check(self) -> None:
        """Hold the ledger against what Business Central was told: none lost, none twice, doubts told."""
        for row in self.server.rows.values():
            count, doubt = self.printed(row.row_no), "may have been printed" in row.message
            count -= sum(device.reprinted.count(row.document) for device in self.devices.values())
            facts = f"job {row.row_no}: {row.state.name}, {row.message!r}, in the ledger {count} times"
            if row.state is JobState.PRINTED and count <= 0:
                assert count + self.printed(row.row_no) > 0, (
                    facts
                )  # its crash was counted, its second time did not come
            elif row.state is JobState.PRINTED:
                assert count == row.runs or (doubt and count <= row.runs + 1), facts
            elif row.state is JobState.ERROR and doubt:
                assert count <= row.runs + (2 if "more than once" in row.message else 0), facts
            elif row.state is JobState.ERROR:
                assert count < row.runs, facts
            else:
                assert count <= row.runs, facts


@pytest.fixture
async def world(tmp_path: Path) -> Any:
    made = World(tmp_path)
    made.device()
    yield made
    for processor in made.processors:
        if processor.alive:
            await processor.kill()
    for device in made.devices.values():
        if device._timer:
            device._timer.cancel()


@pytest.fixture
def clock() -> Callable[[], float]:
    return now


@pytest.fixture
def new_world() -> Callable[[Path], World]:
    return World
