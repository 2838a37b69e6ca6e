"""Printers in memory: the mechanism that puts out sheets, a printer by IPP without hold, a raw one at port 9100. CUPS: ``cups``."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from piprint.ipp.codec import Attribute, Group, Message, attribute, decode, encode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from simulation.loop import SimLoop
from simulation.printing.network import Place
from simulation.printing.papers import Ledger, Sheet, pages_in, read
from simulation.printing.web import Reply, Request, Web

__all__ = [
    "CANCELED",
    "FINAL",
    "Device",
    "DeviceOff",
    "IppPrinter",
    "RawPrinter",
    "SpoolJob",
    "describe",
    "done",
    "job_group",
]

PENDING, HELD, PROCESSING, STOPPED, CANCELED, ABORTED, COMPLETED = range(3, 10)
"""RFC 8011, 5.3.7."""
FINAL = frozenset({CANCELED, ABORTED, COMPLETED})

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]


class DeviceOff(Exception):
    """The printer has no power."""


class Device:
    """The mechanism: pages go in, sheets come out, one after the other.

    Args:
        name: of the printer.
        loop: the loop.
        ledger: where each sheet is noted.
        seconds: for one page.
    """

    def __init__(self, name: str, loop: SimLoop, ledger: Ledger, seconds: float) -> None:
        self.name, self.loop, self.ledger, self.seconds = name, loop, ledger, seconds
        self.on = True
        self.jammed = False
        """It tells that paper is missing, and waits."""
        self.stuck = False
        """It says that it prints, and nothing happens."""
        self.moving = -1e9
        """When the last sheet came out."""
        self._busy = asyncio.Lock()

    async def put_out(self, document: bytes, told: Callable[[int], None] = lambda _: None) -> None:
        """Print what is whole of a document.

        Raises:
            DeviceOff: in the middle.
        """
        paper = read(document)
        if paper is None:
            return
        async with self._busy:
            await self._print(paper.number, document, told)

    async def _print(self, number: int, document: bytes, told: Callable[[int], None]) -> None:
        for page in pages_in(document):
            if not self.on:
                raise DeviceOff
            await asyncio.sleep(self.seconds)
            while self.jammed or self.stuck:
                await asyncio.sleep(0.5)
                if not self.on:
                    raise DeviceOff
            if not self.on:
                raise DeviceOff
            self.ledger.sheets.append(Sheet(self.loop.now, self.name, number, page))
            self.moving = self.loop.now
            told(page)


@dataclass
class SpoolJob:
    """A job at a spooler or a printer."""

    id: int
    uuid: str
    name: str
    queue: str
    created: int
    state: int = PENDING
    hold: bool = False
    document: bytes | None = None
    begun: int | None = None
    completed: int | None = None
    impressions: int = 0
    reasons: tuple[str, ...] = ()
    message: str = ""


def done(request: Message, *groups: Group, status: int = Status.OK) -> Reply:
    """Answer by IPP."""
    head = Group(
        Delimiter.OPERATION,
        (
            attribute("attributes-charset", Tag.CHARSET, "utf-8"),
            attribute("attributes-natural-language", Tag.NATURAL_LANGUAGE, "en"),
        ),
    )
    body = encode(Message(status, request.request_id, (head, *groups)))
    return Reply(200, body, {"Content-Type": "application/ipp"})


def job_group(job: SpoolJob, up_time: int) -> Group:
    """Tell of a job."""
    told: list[Attribute] = [
        attribute("job-id", Tag.INTEGER, job.id),
        attribute("job-uuid", Tag.URI, job.uuid),
        attribute("job-name", Tag.NAME, job.name),
        attribute("job-state", Tag.ENUM, job.state),
        attribute("job-printer-up-time", Tag.INTEGER, up_time),
        attribute("time-at-creation", Tag.INTEGER, job.created),
        attribute("job-impressions-completed", Tag.INTEGER, job.impressions),
        attribute("number-of-documents", Tag.INTEGER, int(job.document is not None)),
        attribute("job-originating-user-name", Tag.NAME, "piprint"),
    ]
    reasons = job.reasons or {
        HELD: ("job-hold-until-specified",),
        PROCESSING: ("job-printing",),
        COMPLETED: ("job-completed-successfully",),
        CANCELED: ("job-canceled-by-user",),
        ABORTED: ("aborted-by-system",),
    }.get(job.state, ("none",))
    told.append(attribute("job-state-reasons", Tag.KEYWORD, *reasons))
    if job.state == HELD:
        told.append(attribute("job-hold-until", Tag.KEYWORD, "indefinite"))
    if job.message:
        told.append(attribute("job-printer-state-message", Tag.TEXT, job.message))
    for name, value in (("time-at-processing", job.begun), ("time-at-completed", job.completed)):
        told.append(attribute(name, Tag.INTEGER, value) if value is not None else attribute(name, Tag.NO_VALUE, None))
    return Group(Delimiter.JOB, tuple(told))


def describe(
    *, state: int, reasons: tuple[str, ...], message: str, up_time: int, operations: tuple[int, ...], holds: bool
) -> list[Attribute]:
    """Tell of a printer: how it is, and what it can do."""
    keywords = ("no-hold", "indefinite") if holds else ("no-hold",)
    return [
        attribute("printer-state", Tag.ENUM, state),
        attribute("printer-state-reasons", Tag.KEYWORD, *(reasons or ("none",))),
        attribute("printer-state-message", Tag.TEXT, message),
        attribute("printer-is-accepting-jobs", Tag.BOOLEAN, True),
        attribute("printer-up-time", Tag.INTEGER, up_time),
        attribute("operations-supported", Tag.ENUM, *operations),
        attribute("job-hold-until-supported", Tag.KEYWORD, *keywords),
        attribute("document-format-supported", Tag.MIME_MEDIA_TYPE, "application/pdf", "application/octet-stream"),
        attribute("printer-make-and-model", Tag.TEXT, "Simulated"),
    ]


class IppPrinter:
    """A printer that takes one job at a time, holds none, and forgets all of them with its power.

    It prints while the document comes: of one that breaks off, what had come by then.
    """

    _OPERATIONS = (
        Operation.PRINT_JOB,
        Operation.CREATE_JOB,
        Operation.SEND_DOCUMENT,
        Operation.CANCEL_JOB,
        Operation.GET_JOB_ATTRIBUTES,
        Operation.GET_JOBS,
        Operation.GET_PRINTER_ATTRIBUTES,
    )

    def __init__(self, device: Device, loop: SimLoop, rng: random.Random, spawn: Spawn) -> None:
        self.device, self._loop, self._rng, self._spawn = device, loop, rng, spawn
        self.web = Web(loop, spawn, self._handle, self._cut_off)
        self.place = Place(self.web)
        self.jobs: dict[int, SpoolJob] = {}
        self._next_id = 1
        self._since = -1000.0
        self._task: asyncio.Task[None] | None = None

    def switch_off(self) -> None:
        """Take its power; what it has is gone."""
        self.device.on = False
        self.place.away = True
        self.web.up += 1
        for end in tuple(self.place.ends):
            end.vanish()
        if self._task is not None:
            self._task.cancel()
        self.jobs.clear()
        self._next_id = 1

    def switch_on(self) -> None:
        """Begin anew."""
        self.device.on, self.place.away = True, False
        self._since = self._loop.now

    def _up_time(self) -> int:
        return int(self._loop.now - self._since) + 1

    def _active(self) -> SpoolJob | None:
        return next((job for job in self.jobs.values() if job.state not in FINAL), None)

    async def _handle(self, request: Request) -> Reply:
        asked, end = decode(request.body)
        operation, group = asked.code, asked.first(Delimiter.OPERATION)
        if operation == Operation.GET_PRINTER_ATTRIBUTES:
            reasons = ("media-empty-error",) if self.device.jammed else ()
            state = 5 if self.device.jammed else 4 if self._active() else 3
            told = describe(
                state=state,
                reasons=reasons,
                message="",
                up_time=self._up_time(),
                operations=self._OPERATIONS,
                holds=False,
            )
            return done(asked, Group(Delimiter.PRINTER, tuple(told)))
        if operation in (Operation.CREATE_JOB, Operation.PRINT_JOB):
            if self._active() is not None:
                return done(asked, status=Status.BUSY)
            if asked.first(Delimiter.JOB).text("job-hold-until"):
                return done(asked, status=Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED)
            job = SpoolJob(
                self._next_id,
                f"urn:uuid:{self._rng.getrandbits(64):016x}",
                group.text("job-name"),
                "",
                self._up_time(),
            )
            self._next_id += 1
            self.jobs[job.id] = job
            self._loop.call_later(60, self._orphan, job)
            if operation == Operation.PRINT_JOB:
                self._print(job, request.body[end:])
            return done(asked, job_group(job, self._up_time()))
        if operation == Operation.GET_JOBS:
            completed = group.text("which-jobs") == "completed"
            found = [job for job in self.jobs.values() if (job.state in FINAL) is completed]
            return done(asked, *(job_group(job, self._up_time()) for job in found))
        named = self.jobs.get(group.integer("job-id") or 0)
        if named is None:
            return done(asked, status=Status.NOT_FOUND)
        return self._about(named, asked, request.body[end:])

    def _about(self, job: SpoolJob, asked: Message, document: bytes) -> Reply:
        if asked.code == Operation.SEND_DOCUMENT:
            if job.document is not None or job.state in FINAL:
                return done(asked, status=Status.NOT_POSSIBLE)
            self._print(job, document)
        elif asked.code == Operation.CANCEL_JOB:
            if job.state in FINAL:
                return done(asked, status=Status.NOT_POSSIBLE)
            self._cancel(job)
        return done(asked, job_group(job, self._up_time()))

    def _cut_off(self, data: bytes) -> None:
        """Print what came of a document before the connection broke."""
        _, _, body = data.partition(b"\r\n\r\n")
        start = body.find(b"%PDF")
        if start < 0 or not self.device.on:
            return
        job = next((job for job in self.jobs.values() if job.state == PENDING and job.document is None), None)
        if job is not None:
            self._print(job, body[start:], cut=True)

    def _orphan(self, job: SpoolJob) -> None:
        if job.document is None and job.state == PENDING:
            job.state = ABORTED

    def _cancel(self, job: SpoolJob) -> None:
        if self._task is not None and job.state == PROCESSING:
            self._task.cancel()
        job.state = CANCELED

    def _print(self, job: SpoolJob, document: bytes, *, cut: bool = False) -> None:
        job.document, job.state, job.begun = document, PROCESSING, self._up_time()
        self._task = self._spawn(self._work(job, cut=cut))

    async def _work(self, job: SpoolJob, *, cut: bool) -> None:
        def page(number: int) -> None:
            job.impressions = number

        assert job.document is not None
        paper = read(job.document)
        try:
            if paper is not None and not paper.poison:
                await self.device.put_out(job.document, page)
        except DeviceOff:
            return
        if job.state == PROCESSING:
            job.state = ABORTED if cut or paper is None or paper.poison else COMPLETED
            job.reasons = ("document-format-error",) if paper is not None and paper.poison else ()
            job.completed = self._up_time()


class RawPrinter(asyncio.Protocol):
    """What happens on one connection to port 9100: what comes is printed when the other side has ended."""

    def __init__(self, device: Device, spawn: Spawn, queue: asyncio.Lock) -> None:
        self._device, self._spawn, self._queue = device, spawn, queue
        self._data = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        self._data += data

    def eof_received(self) -> bool:
        """Print, and close."""
        self._print()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Print what had come."""
        del exc
        self._print()

    def _print(self) -> None:
        data, self._data = bytes(self._data), bytearray()
        if data and self._device.on:
            self._spawn(self._work(data))

    async def _work(self, data: bytes) -> None:
        async with self._queue:
            try:
                await self._device.put_out(data)
            except DeviceOff:
                return
