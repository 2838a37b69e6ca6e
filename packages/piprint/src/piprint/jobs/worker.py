"""One worker for each printer: takes its jobs in the order of their numbers, one at a time, each from its claim to its end.

No job stops the next one for ever, and none stops another printer: each ends, at the latest when its printer's ``give_up_after``
is over.

This module does not know how a job is printed (see :mod:`piprint.jobs.printing.carrier`).
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass

from piprint.bc.backoff import pause_after
from piprint.bc.job import Claim, JobRow, job_name
from piprint.bc.queue import ClaimOutcome
from piprint.errors import BcError, DocumentError, JournalError, SpoolFull
from piprint.jobs.active_job import ActiveJob, Failed, describe, row_of
from piprint.jobs.context import Context
from piprint.jobs.printing.carrier import Carrier
from piprint.jobs.recovery import ASKED
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step

__all__ = ["Item", "Worker"]

_log = logging.getLogger(__name__)

_AFTER_MISTAKE = 15.0
_RESTARTS = 20
"""A job in whose check this process was killed so often is the reason. Generous: the power may just be bad."""


@dataclass(frozen=True, slots=True)
class Item:
    """A job to claim.

    Attributes:
        row: as it was listed.
        inherits: the name the processor before us may have printed it under; "" for a job that waits.
        inherited: whether that one had said it submits; None when it cannot be known.
    """

    row: JobRow
    inherits: str = ""
    inherited: bool | None = None


class Worker:
    """Works for one printer.

    Args:
        printer_id: whose jobs it takes.
        context: what it works with.

    Attributes:
        job: the active one; None between two.
    """

    def __init__(self, printer_id: str, context: Context) -> None:
        self.printer_id = printer_id
        self.job: ActiveJob | None = None
        self._context = context
        self._carrier = Carrier(printer_id, context)
        self._entries: deque[Entry] = deque()
        self._items: list[tuple[int, Item]] = []
        self._listed: set[int] = set()
        self._called = asyncio.Event()
        self._stopping = False

    @property
    def backlog(self) -> int:
        """Return how many jobs wait here; none of them is claimed."""
        return len(self._items)

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to do."""
        return self.job is None and not self._items and not self._entries

    def resume(self, entry: Entry) -> None:
        """Take up a job found in the journal; such jobs go before new ones."""
        self._entries.append(entry)
        self._called.set()

    def add(self, item: Item) -> bool:
        """Put a job into the queue by its number; return False if it is there already."""
        row_no = item.row.row_no
        if row_no in self._listed:
            return False
        self._listed.add(row_no)
        heapq.heappush(self._items, (row_no, item))
        self._called.set()
        return True

    def stop(self) -> None:
        """Begin no other job; bring the active one to a point from which the next start can go on."""
        self._stopping = self._carrier.stopping = True
        self._called.set()
        if self.job is not None:
            self.job.poke.set()

    async def run(self) -> None:
        """Work until stopped."""
        while not self._stopping:
            if self._entries:
                entry = self._entries.popleft()
                await self._guard(entry.row_no, self._resume(entry))
            elif self._items:
                row_no, item = heapq.heappop(self._items)
                self._listed.discard(row_no)
                if row_no not in self._context.jobs:
                    await self._guard(row_no, self._begin(item))
            else:
                self._called.clear()
                self._context.idle()
                await self._called.wait()

    async def _guard(self, row_no: int, work: Coroutine[None, None, None]) -> None:
        """Do one job's work; nothing that happens to it stops this worker."""
        try:
            await work
        except Exception:  # noqa: BLE001 - one job's mistake is never the queue's
            _log.exception("job %d: a mistake of piprint; it is taken up again", row_no)
            job = self._context.jobs.pop(row_no, None)
            await asyncio.sleep(_AFTER_MISTAKE)
            if job is not None:
                with suppress(JournalError):
                    job.entry = await self._context.journal.by_claim(row_no, job.entry.claim) or job.entry
                self._entries.append(job.entry)
        finally:
            self.job = None

    async def _begin(self, item: Item) -> None:
        """Claim a job and have it carried to its end."""
        context, row = self._context, item.row
        if not await self.has_room(row.size or 0):
            size = (row.size or 0) / 1e6
            why = f"the disk of the print processor has no room for its {size:.1f} MB; make room there"
            if context.no_room.get(self.printer_id) != (row.row_no, why):
                _log.warning("job %d waits: %s", row.row_no, why)
            context.no_room[self.printer_id] = (row.row_no, why)
            context.defer(row.row_no)  # else it would be listed, and left, again and again
            return
        if self.printer_id in context.no_room and context.no_room[self.printer_id][0] == row.row_no:
            del context.no_room[self.printer_id]
        try:
            job = await self._announce(item)
        except JournalError as error:
            _log.error("job %d is not claimed: %s", row.row_no, error)
            context.defer(row.row_no)
            return
        try:
            await self._claim(job)
        except (BcError, JournalError) as error:
            _log.warning("job %d: it is not known whether it was claimed: %s", row.row_no, error)
            context.defer(row.row_no)
            job.hindrance.words = str(error)
            job.wait = pause_after(error, 1, context.rng) if isinstance(error, BcError) else _AFTER_MISTAKE
        await self._finish(job)

    async def _announce(self, item: Item) -> ActiveJob:
        """Write down that a job is about to be claimed."""
        context, row = self._context, item.row
        before = await context.journal.last_attempt(row.row_no)
        attempt = 1 + max(before, row.attempts, row.claim.attempt if row.claim else 0)
        claim = Claim.new(context.config.host, context.journal.instance, attempt)
        name = job_name(context.config.environment, row.row_no, claim)
        entry = await context.journal.begin(row, claim, name=name, inherits=item.inherits, inherited=item.inherited)
        if not item.inherits:
            context.taken[row.row_no] = row.printer_id
        return self._take(ActiveJob(claim, _now(), entry, row))

    async def _claim(self, job: ActiveJob) -> None:
        """Claim the job; its document comes along."""
        context = self._context
        job.lease.confirmed = _now()  # if it becomes ours, then not before now
        document = context.journal.document(job.entry)
        try:
            claimed = await context.queue.claim(job.row, job.claim, document, lease=context.config.lease.seconds)
            if claimed.outcome is ClaimOutcome.OURS:
                await context.journal.settle(job.entry)
        except SpoolFull as error:
            job.entry = await context.journal.advance(job.entry, Step.CLAIMED)
            context.defer(job.entry.row_no)
            if not job.entry.inherits:  # given back, nobody would know that it may have been printed
                job.entry = await context.journal.advance(
                    job.entry, Step.ENDED, outcome=Outcome.RELEASED, message=str(error)
                )
            return
        except DocumentError as error:
            job.entry = await context.journal.advance(job.entry, Step.CLAIMED)
            job.give_up(str(error))
            return
        if claimed.outcome is not ClaimOutcome.OURS:
            taken = claimed.outcome is ClaimOutcome.TAKEN
            context.defer(job.entry.row_no)  # Business Central may list it as waiting a while longer
            message = "another processor was faster" if taken else describe(claimed.row)
            job.entry = await context.journal.advance(
                job.entry, Step.REPORTED, outcome=Outcome.UNCLAIMED, message=message
            )
            return
        job.row = claimed.row or job.row
        inherited = job.row.submitted if job.entry.inherits else None  # the last holder may have said so since the list
        job.entry = await context.journal.advance(
            job.entry, Step.STORED, size=claimed.size, tries=1, inherited=inherited
        )
        _log.info("%s: claimed, %d bytes", job.entry.about, claimed.size)

    async def _resume(self, entry: Entry) -> None:
        """Go on with a job that was active when the processor was killed or stopped."""
        context = self._context
        job = self._take(
            ActiveJob(
                entry.claim_of(context.config.host),
                _now(),
                entry,
                row_of(entry),
                failed=Failed(submissions=entry.faults),
            )
        )
        if entry.step in {Step.CLAIMED, Step.STORED}:
            job.entry = await context.journal.note(entry, restarts=entry.restarts + 1)
            if job.entry.restarts > _RESTARTS:
                job.give_up(f"The processor was stopped {_RESTARTS} times while it looked at this job")
        if entry.step in ASKED or entry.step is Step.STORED:
            await self._refresh(job)
        await self._finish(job)

    async def _refresh(self, job: ActiveJob) -> None:
        """Ask Business Central whether the job is still ours. The lease may have ended even so; it is renewed before printing.

        If it was told of a submission the journal does not know, the journal was restored, with its disk or its machine:
        then the job is treated as if another processor had had it.
        """
        try:
            row = await self._context.queue.row(job.entry.row_no)
        except BcError as error:
            _log.info("job %d: Business Central cannot be asked now: %s", job.entry.row_no, error)
            return
        if row is None or not job.is_ours(row):
            job.change(row)
            return
        job.row = row
        entry = job.entry
        first = entry.step in {Step.STORED, Step.CREATING} and entry.tries <= 1 and entry.inherited is None
        if first and row.submitted:
            _log.warning("job %d: the journal is older than what was done; was it restored?", entry.row_no)
            job.entry = await self._context.journal.note(entry, inherits=entry.name, inherited=True)

    def _take(self, job: ActiveJob) -> ActiveJob:
        self.job = job
        self._context.jobs[job.entry.row_no] = job
        return job

    async def _finish(self, job: ActiveJob) -> None:
        """Have the job carried to its end, and the end reported."""
        if not await self._carrier.carry(job):
            return
        if job.entry.step is Step.ENDED:
            self._context.reporter.add(job)
        else:
            await self._context.journal.remove_document(job.entry)
            self._context.jobs.pop(job.entry.row_no, None)

    async def has_room(self, size: int) -> bool:
        """Tell whether a document of so many bytes may be fetched."""
        return await self._context.journal.free() - size >= self._context.config.limits.keep_free_mb << 20


def _now() -> float:
    return asyncio.get_running_loop().time()
