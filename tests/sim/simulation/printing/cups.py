"""CUPS in memory, as 2.4 behaves: it saves its job list late, forgets what was not saved when it is killed, begins again with what printed,
tells its up-time by the host's clock, and says "completed" of a document that a power cut destroyed.

Measured with the real one (docs/decisions/printing.md): a job that was printing when cupsd was killed prints again from its beginning, even a
finished one whose end was not saved; ids that were not saved are given anew; a filter that fails stops the job, not the queue.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

from piprint.ipp.codec import Attribute, Group, Message, attribute, decode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from simulation.loop import SimLoop
from simulation.printing.network import Place
from simulation.printing.papers import read
from simulation.printing.printers import (
    ABORTED,
    CANCELED,
    COMPLETED,
    FINAL,
    HELD,
    PENDING,
    PROCESSING,
    STOPPED,
    Device,
    DeviceOff,
    Spawn,
    SpoolJob,
    describe,
    done,
    job_group,
)
from simulation.printing.web import Reply, Request, Web

__all__ = ["Cups"]

_OPERATIONS = (
    Operation.PRINT_JOB,
    Operation.CREATE_JOB,
    Operation.SEND_DOCUMENT,
    Operation.CANCEL_JOB,
    Operation.GET_JOB_ATTRIBUTES,
    Operation.GET_JOBS,
    Operation.GET_PRINTER_ATTRIBUTES,
    Operation.RELEASE_JOB,
    Operation.CUPS_GET_PRINTERS,
)
_ORPHANED = 900.0
"""MultipleOperationTimeout: a job whose document does not come is ended."""
_RETRY = 5.0
_NAMES = 5.0
"""Seconds after which a file's new name is on the disk."""
_WRITE_BACK = 30.0
"""Seconds after which Linux has written what nobody synced."""


class Cups:
    """A scheduler with its queues.

    Args:
        loop: the loop.
        rng: draws what a kill leaves to chance.
        spawn: starts a task of the world.
        wall: the host's time, seconds since 1970.
        devices: by the name of the queue.
        save_after: seconds from a change to the saving of the job list (DirtyCleanInterval).
    """

    def __init__(
        self,
        loop: SimLoop,
        rng: random.Random,
        spawn: Spawn,
        wall: Callable[[], float],
        devices: dict[str, Device],
        save_after: float,
    ) -> None:
        self._loop, self._rng, self._spawn, self._wall = loop, rng, spawn, wall
        self.devices, self.save_after = devices, save_after
        self.web = Web(loop, spawn, self._handle)
        self.place = Place(self.web, (0.0002, 0.002))
        self.jobs: dict[int, SpoolJob] = {}
        self.disabled: set[str] = set()
        self.doubled: set[int] = set()
        """Numbers of documents that it began again with, by its own doing."""
        self._next_id = 1
        self._saved: list[tuple[float, int, dict[int, SpoolJob]]] = [(-1e9, 1, {})]
        """The job list as it is on disk: the last two savings, each with its time."""
        self._came: dict[str, float] = {}
        """When each job's document came, by its uuid."""
        self._dirty: asyncio.TimerHandle | None = None
        self._tasks: dict[str, tuple[SpoolJob, asyncio.Task[None]]] = {}

    # Life.

    def kill(self, *, power: bool = False) -> None:
        """Kill it; with ``power`` the host goes down with it."""
        self.web.up += 1
        self.place.away = True
        for end in tuple(self.place.ends):
            if power:
                end.vanish()
            else:
                end.close()
        if self._dirty is not None:
            self._dirty.cancel()
            self._dirty = None
        for _, task in self._tasks.values():
            # A backend that was on its way with the last page may outlive cupsd; without power nothing does.
            if power or self._rng.random() < 0.5:
                task.cancel()
        self._tasks.clear()
        if power:
            self._cut()

    def _cut(self) -> None:
        """Leave what a power cut leaves: the list is synced and its name is not; documents are not synced at all."""
        now, rng = self._loop.now, self._rng
        if now - self._saved[-1][0] < _NAMES and rng.random() < 0.5:
            self._saved = self._saved[:1]
        for job in self._saved[-1][2].values():
            if job.document is not None and now - self._came.get(job.uuid, -1e9) < _WRITE_BACK:
                whole = job.document
                job.document = rng.choice((whole, whole, b"", whole[: len(whole) // 2], bytes(len(whole))))

    def stop(self) -> None:
        """End it as systemd does: the job list is saved."""
        for job, task in self._tasks.values():
            task.cancel()
            job.state = PENDING
        self._tasks.clear()
        self._save()
        self.kill()

    def start(self) -> None:
        """Start it: what the saved list says is what there is."""
        _, self._next_id, saved = self._saved[-1]
        self.jobs = {number: replace(job) for number, job in saved.items()}
        self.place.away = False
        for job in self.jobs.values():
            if job.state == PROCESSING:
                job.state = PENDING
            if job.state == PENDING and job.document is not None and (paper := read(job.document)) is not None:
                self.doubled.add(paper.number)
            if job.state == HELD and job.document is None:
                self._loop.call_later(_ORPHANED, self._orphan, job)
        self._go_on()

    def _touch(self) -> None:
        if self._dirty is None:
            self._dirty = self._loop.call_later(self.save_after, self._save)

    def _save(self) -> None:
        self._dirty = None
        now = self._loop.now, self._next_id, {number: replace(job) for number, job in self.jobs.items()}
        self._saved = [self._saved[-1], now]

    # Printing.

    @property
    def busy(self) -> bool:
        """Tell whether it prints."""
        return bool(self._tasks)

    def enable(self, queue: str) -> None:
        """Let a queue print again."""
        self.disabled.discard(queue)
        self._go_on()

    def disable(self, queue: str) -> None:
        """Stop a queue (cupsdisable): the job that prints goes back and begins anew later."""
        self.disabled.add(queue)
        active = self._tasks.pop(queue, None)
        if active is not None:
            job, task = active
            task.cancel()
            job.state = PENDING
            if job.document is not None and (paper := read(job.document)) is not None:
                self.doubled.add(paper.number)

    def _go_on(self) -> None:
        for job in self.jobs.values():
            if job.state == PENDING and not job.hold and job.document is not None:
                if job.queue in self._tasks or job.queue in self.disabled:
                    continue
                job.state, job.begun = PROCESSING, int(self._wall())
                self._tasks[job.queue] = job, self._spawn(self._work(job))
                self._touch()

    async def _work(self, job: SpoolJob) -> None:
        assert job.document is not None
        device, up = self.devices[job.queue], self.web.up

        def page(number: int) -> None:
            job.impressions = number

        paper = read(job.document)
        await asyncio.sleep(0.05 + self._rng.random() * 0.2)  # the filters
        if paper is not None and paper.poison:
            job.state, job.reasons, job.message = STOPPED, ("job-stopped",), "Filter failed"
        else:
            while True:
                try:
                    await device.put_out(job.document, page)
                    break
                except DeviceOff:
                    while not device.on:  # noqa: ASYNC110 - in virtual time
                        await asyncio.sleep(_RETRY)
            job.state, job.completed = COMPLETED, int(self._wall())
        if self.web.up == up:
            if self._tasks.get(job.queue, (None,))[0] is job:
                del self._tasks[job.queue]
            self._touch()
            self._go_on()

    def _orphan(self, job: SpoolJob) -> None:
        if self.jobs.get(job.id) is job and job.document is None and job.state == HELD:
            job.state = ABORTED

    def _cancel(self, job: SpoolJob) -> None:
        job.state, job.completed = CANCELED, int(self._wall())
        active = self._tasks.get(job.queue)
        if active is not None and active[0] is job:
            active[1].cancel()
            del self._tasks[job.queue]
        self._touch()
        self._go_on()

    # Answers.

    def _about_queue(self, queue: str) -> list[Attribute]:
        device, busy = self.devices[queue], queue in self._tasks
        state, message = (4 if busy else 3), ""
        reasons: tuple[str, ...] = ()
        if queue in self.disabled:
            state, reasons, message = 5, ("paused",), "Paused"
        elif busy and not device.on:
            reasons, message = ("connecting-to-device", "offline-report"), "The printer is not responding."
        elif busy and device.jammed:
            reasons, message = ("media-empty-error",), ""
        told = describe(
            state=state,
            reasons=reasons,
            message=message,
            up_time=int(self._wall()),
            operations=_OPERATIONS,
            holds=True,
        )
        return [
            *told,
            attribute("printer-name", Tag.NAME, queue),
            attribute("printer-info", Tag.TEXT, queue),
            attribute("printer-uri-supported", Tag.URI, f"ipp://127.0.0.1/printers/{queue}"),
        ]

    async def _handle(self, request: Request) -> Reply:
        asked, end = decode(request.body)
        operation, group = asked.code, asked.first(Delimiter.OPERATION)
        if operation == Operation.CUPS_GET_PRINTERS:
            return done(asked, *(Group(Delimiter.PRINTER, tuple(self._about_queue(queue))) for queue in self.devices))
        queue = request.path.rpartition("/")[2]
        if queue not in self.devices:
            return done(asked, status=Status.NOT_FOUND)
        now = int(self._wall())
        if operation == Operation.GET_PRINTER_ATTRIBUTES:
            return done(asked, Group(Delimiter.PRINTER, tuple(self._about_queue(queue))))
        if operation in (Operation.CREATE_JOB, Operation.PRINT_JOB):
            job = self._create(asked, queue)
            if operation == Operation.PRINT_JOB:
                self._take(job, request.body[end:])
            return done(asked, job_group(job, now))
        if operation == Operation.GET_JOBS:
            completed = group.text("which-jobs") == "completed"
            found = [job for job in self.jobs.values() if job.queue == queue and (job.state in FINAL) is completed]
            return done(asked, *(job_group(job, now) for job in found))
        named = self.jobs.get(group.integer("job-id") or 0)
        if named is None:
            return done(asked, status=Status.NOT_FOUND)
        return self._about_job(named, asked, request.body[end:])

    def _about_job(self, job: SpoolJob, asked: Message, document: bytes) -> Reply:
        operation = asked.code
        if operation == Operation.SEND_DOCUMENT:
            if job.state in FINAL:
                return done(asked, status=Status.NOT_POSSIBLE)
            self._take(job, document)
        elif operation == Operation.RELEASE_JOB:
            if job.state != HELD:
                return done(asked, status=Status.NOT_POSSIBLE)
            job.hold, job.state = False, PENDING
            self._touch()
            self._go_on()
        elif operation == Operation.CANCEL_JOB:
            if job.state in FINAL:
                return done(asked, status=Status.NOT_POSSIBLE)
            self._cancel(job)
        return done(asked, job_group(job, int(self._wall())))

    def _create(self, asked: Message, queue: str) -> SpoolJob:
        hold = "indefinite" in (
            asked.first(Delimiter.JOB).text("job-hold-until"),
            asked.first(Delimiter.OPERATION).text("job-hold-until"),
        )
        name = asked.first(Delimiter.OPERATION).text("job-name")
        uuid = f"urn:uuid:{self._rng.getrandbits(64):016x}"
        job = SpoolJob(self._next_id, uuid, name, queue, int(self._wall()), HELD if hold else PENDING, hold)
        self._next_id += 1
        self.jobs[job.id] = job
        self._loop.call_later(_ORPHANED, self._orphan, job)
        self._touch()
        return job

    def _take(self, job: SpoolJob, document: bytes) -> None:
        job.document = document
        self._came[job.uuid] = self._loop.now
        self._touch()
        self._go_on()
