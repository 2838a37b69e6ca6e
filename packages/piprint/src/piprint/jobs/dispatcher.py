"""Asks Business Central for work, hands it to the workers, and watches over what they have.

One loop asks for work, another looks after the printers (:mod:`piprint.jobs.printer_list`). After an unexpected exception, which
is logged and counted, the loop goes on. All waiting goes by a clock that cannot jump; the time of day is used only for what people
read, and for leases, which Business Central tells by its own clock.

A row that was listed may have changed since. So the list only says what to try; whether a job is ours, its claim decides.

This module does not know how a job is printed, nor the wire of either side.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

from piprint.bc.backoff import Connection
from piprint.bc.job import Claim, JobRow, job_name
from piprint.bc.queue import Probe, Queue
from piprint.clock import utc_now
from piprint.config.settings import Config
from piprint.errors import BcError
from piprint.jobs.active_job import ActiveJob, Prepare
from piprint.jobs.context import Context
from piprint.jobs.outcome_reporter import OutcomeReporter
from piprint.jobs.polling.deferred_rows import DeferredRows
from piprint.jobs.polling.leases import LeaseWatch
from piprint.jobs.polling.poll_interval import PollInterval
from piprint.jobs.printer_list import PrinterList
from piprint.jobs.returned_jobs import ReturnedJobs
from piprint.jobs.state import JobFacts, PrinterFacts, State
from piprint.jobs.waiting_messages import WaitingMessages, excuse
from piprint.jobs.worker import Item, Worker
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.printers.registry import PrinterRegistry

__all__ = ["Dispatcher"]

_log = logging.getLogger(__name__)

BEAT_EVERY = 60.0
"""Seconds between two signs of life of this processor."""
_LOW = 5
"""A worker with fewer jobs in its line is asked for more."""
_AT_ONCE = 20
"""Jobs listed per printer."""
_MOST_DEFERRED = 500
"""Jobs listed beyond these because so many are left alone."""
_AFTER_MISTAKE = 5.0
_MISTAKE_TOLD = 86400.0
"""Seconds a mistake of ours is shown after its last time."""


class Dispatcher:
    """The processor between Business Central and the printers.

    Args:
        config: the settings.
        queue: Business Central.
        journal: open.
        registry: the printers.
        prepare: checks documents and decides how they are printed.
        rng: blurs waiting times.
        wall: the time of day, UTC; for people.
        theirs: the same by the clock of Business Central, which tells until when leases last; default: ``wall``.
    """

    def __init__(
        self,
        config: Config,
        queue: Queue,
        journal: Journal,
        registry: PrinterRegistry,
        prepare: Prepare,
        *,
        rng: random.Random | None = None,
        wall: Callable[[], datetime] = utc_now,
        theirs: Callable[[], datetime] | None = None,
    ) -> None:
        self._config = config
        self._queue = queue
        self._journal = journal
        self._registry = registry
        self._theirs = theirs or wall
        self._rng = rng or random.Random()  # noqa: S311 - blurs waiting times
        self._connection = Connection(self._rng, wall)
        self._leases = LeaseWatch(config.lease.seconds)
        self._reporter = OutcomeReporter(queue, journal, self._rng, self._reported)
        self._context = Context(
            config=config,
            queue=queue,
            journal=journal,
            printers=registry,
            prepare=prepare,
            reporter=self._reporter,
            rng=self._rng,
            defer=self._defer,
            idle=self._idle,
        )
        self._waiting_messages = WaitingMessages(self._context)
        self._returned = ReturnedJobs(self._context, registry, self._guarded)
        self._printer_list = PrinterList(queue, registry, self._guarded)
        self._workers: dict[str, Worker] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._work: list[asyncio.Task[None]] = []
        self._wake = asyncio.Event()
        self._deferred = DeferredRows()
        self._probe = Probe({}, {})
        self._started = wall()
        self._due_at = 0.0
        self._beaten_at: float | None = None
        self._totals: dict[Outcome, int] = {}
        self._paused = ""
        self._mistake = ""
        self._mistaken_at = 0.0
        self._mistakes = 0
        self._more = False
        self._stopping = False

    # ---- Life ----

    async def start(self) -> None:
        """Take up what the last run left, and begin to work."""
        self._due_at = _now()
        self._totals = await self._journal.totals()
        swept = await self._journal.sweep()
        await self._printer_list.start()
        await self._returned.look_everywhere()
        entries = await self._journal.unreported()
        if swept or entries:
            _log.info("taken up from the journal: %d jobs; documents without a job deleted: %d", len(entries), swept)
        for entry in entries:
            self._take_up(entry)
        self._loops = [
            asyncio.create_task(self._printer_list.look_after(), name="printers"),
            asyncio.create_task(self._poll_forever(), name="poll"),
            asyncio.create_task(self._returned.watch(), name="spoolers"),
        ]

    async def stop(self, deadline: float = 20) -> None:
        """Claim nothing more; give back what is not at a printer, finish what is going there, leave what prints.

        Args:
            deadline: seconds after which everything is dropped where it stands; the next start takes it up.
        """
        self._stopping = True
        until = _now() + deadline
        for task in self._loops:
            task.cancel()
        for worker in self._workers.values():
            worker.stop()
        if self._work:
            await asyncio.wait(self._work, timeout=max(until - _now(), 0))
        await self._reporter.drain(max(until - _now(), 0))
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._loops, *self._work, return_exceptions=True)
        await self._reporter.close()

    def wake(self) -> None:
        """Ask for work now."""
        self._wake.set()

    # ---- The loop that asks ----

    async def _poll_forever(self) -> None:
        pace = PollInterval(self._config.poll, _now())
        while True:
            self._wake.clear()
            try:
                busy = await self._poll()
            except BcError as error:
                pause = self._connection.failed(error)
                if self._connection.is_news(_now()):
                    _log.warning("Business Central: %s", error)
                self._due_at = _now() + pause
                await asyncio.sleep(pause)
                continue
            except Exception as error:  # noqa: BLE001 - it is logged and counted, and the loop goes on
                self._note_mistake("asking for work", error)
                await asyncio.sleep(_AFTER_MISTAKE)
                continue
            self._answered()
            pause = (
                0.0 if self._more else pace.next(_now(), busy=busy, printers=len(self._printer_list.registered or ()))
            )
            self._due_at = _now() + pause
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()

    def _answered(self) -> None:
        if self._connection.failures:
            if self._connection.is_relief():
                _log.info("Business Central answers again")
            self._reporter.hurry()
        self._connection.succeeded()
        if self._mistake and _now() - self._mistaken_at >= _MISTAKE_TOLD:
            self._mistake = ""

    async def _poll(self) -> bool:
        """Ask once; return whether there is work."""
        self._more = False
        await self._register()
        beat = self._beaten_at is None or _now() - self._beaten_at >= BEAT_EVERY
        self._probe = probe = await self._context.count(beat=beat)
        if beat:
            self._beaten_at = _now()
        if probe.queued:
            await self._list(probe)
        if self._context.jobs or probe.printing:
            await self._watch()
        await self._renew()
        await self._waiting_messages.tell(self._paused, probe.queued)
        return bool(self._context.jobs or any(worker.backlog for worker in self._workers.values()) or self._more)

    async def _list(self, probe: Probe) -> None:
        """List waiting jobs for the printers that can take more."""
        if not await self._may_claim():
            return
        present = set(self._registry.present())
        idle = [name for name in probe.queued if name in present and self._worker(name).backlog < _LOW]
        if not idle:
            return
        # Rows left alone are listed all the same, and must not hide those behind them.
        limit = _AT_ONCE * len(idle) + min(self._deferred.count(_now()), _MOST_DEFERRED)
        rows = await self._queue.waiting(idle, limit)
        added = 0
        for row in rows:
            if (
                row.printer_id in present
                and row.row_no not in self._context.jobs
                and not self._deferred.has(row.row_no, _now())
            ):
                added += self._worker(row.printer_id).add(Item(row))
        # A list of nothing but rows left alone would be the same at once, again and again.
        self._more = bool(added) and len(rows) >= limit and any(self._worker(name).backlog < _LOW for name in idle)

    async def _may_claim(self) -> bool:
        """Tell whether there is room for documents; if not, say so once."""
        needed = self._config.limits.keep_free_mb << 20
        free = await self._journal.free()
        paused = ""
        if free < needed:
            paused = (
                f"less than {needed >> 20} MB are free on the disk of {self._journal.folder} at {self._config.host}, and no "
                "job is taken until there is room; make room there, or lower keep_free_mb in [limits]. Jobs wait in Business Central"
            )
        if paused and not self._paused:
            _log.error("%s", paused)
        self._paused = paused
        return not paused

    # ---- Watching what is printed ----

    async def _watch(self) -> None:
        """Compare the jobs that Business Central calls Printing with the active ones."""
        asked = [job for job in self._context.jobs.values() if self._is_watched(job)]
        rows = {row.row_no: row for row in await self._queue.printing()}
        for job in asked:
            row = rows.get(job.entry.row_no)
            if row is None or not job.is_ours(row):
                await self._look_again(job)
            else:
                self._waiting_messages.read(job, row)
        strange = [row for row_no, row in rows.items() if row_no not in self._context.jobs]
        own = [row for row in strange if row.claim and row.claim.instance == self._journal.instance]
        for row in own:
            if self._deferred.has(row.row_no, _now()) or await self._is_known(row):
                strange.remove(row)
        present = set(self._registry.present())
        for row in self._leases.abandoned(strange, _now(), self._theirs()):
            if row.printer_id in present:
                self._take_over(row)

    def _is_watched(self, job: ActiveJob) -> bool:
        return job.entry.step not in {Step.CLAIMING, Step.ENDED, Step.REPORTED} and not job.changed

    async def _look_again(self, job: ActiveJob) -> None:
        """Make sure that a job is no longer ours before its worker is told: the list may be older than the claim."""
        try:
            row = await self._queue.row(job.entry.row_no)
        except BcError as error:
            excuse(job.entry.row_no, error)
            return
        if self._is_watched(job) and not job.is_ours(row):
            job.change(row)

    async def _is_known(self, row: JobRow) -> bool:
        """Tell whether the journal knows a claim of ours that is not active; if it had ended, report its end once more."""
        try:
            return await self._report_again(row)
        except BcError as error:
            excuse(row.row_no, error)
            self._defer(row.row_no)
            return True

    async def _report_again(self, row: JobRow) -> bool:
        """Tell Business Central once more how a claim of ours ended: it arrived late, when we had given it up.

        Returns:
            whether the journal knows the claim; if not, it is like another processor's.
        """
        assert row.claim is not None  # noqa: S101 - the caller's choice
        entry = await self._journal.by_claim(row.row_no, row.claim.token)
        if entry is None or entry.step is not Step.REPORTED or row.row_no in self._context.jobs:
            return entry is not None and entry.step is not Step.REPORTED
        if entry.outcome is Outcome.UNCLAIMED and entry.inherits:
            return False
        now = await self._queue.row(row.row_no)
        if now is None or now.claim != row.claim:
            return True
        if entry.outcome is Outcome.PRINTED or entry.submitted:
            printed = entry.outcome is Outcome.PRINTED
            await self._queue.finish(now, row.claim, printed=printed, message=entry.message)
        else:
            await self._queue.release(now, row.claim, "Queued again: an answer of Business Central had come late.")
        return True

    def _take_over(self, row: JobRow) -> None:
        """Take a job whose processor gave no sign for longer than its lease."""
        _log.warning("job %d: its processor gives no sign any more; it is taken over", row.row_no)
        # Another program's job has no claim, and no name that could be known.
        claim = row.claim or Claim.new(self._config.host, "", max(row.attempts, 1))
        name = job_name(self._config.environment, row.row_no, claim)
        self._worker(row.printer_id).add(Item(row, inherits=name, inherited=row.submitted))

    async def _renew(self) -> None:
        """Say that we still have the jobs that last."""
        lease = self._config.lease.seconds
        for job in list(self._context.jobs.values()):
            due = max(job.lease.confirmed, job.begun) + lease / 3
            if (
                _now() < max(due, job.lease.renew_from)
                or job.entry.step in {Step.CLAIMING, Step.REPORTED}
                or job.changed
            ):
                continue
            job.lease.renew_from = _now() + lease / 12
            try:
                await self._renew_one(job)
            except BcError as error:
                excuse(job.entry.row_no, error)

    async def _renew_one(self, job: ActiveJob) -> None:
        asked = _now()
        if job.entry.submitted and job.row.id and not job.lease.guarded:
            ours = job.lease.guarded = await self._queue.submitting(job.row, job.claim)
        else:
            ours = await self._queue.renew(job.row, job.claim, lease=self._config.lease.seconds)
        if ours:
            job.lease.confirmed = asked
        else:
            await self._look_again(job)

    async def _register(self) -> None:
        offered = tuple(
            map(self._returned.with_remark, self._waiting_messages.offered(self._registry.offered(), self._paused))
        )
        await self._printer_list.register(offered, message=self._mistake or self._paused)

    # ---- Workers ----

    def _worker(self, printer_id: str) -> Worker:
        worker = self._workers.get(printer_id)
        if worker is None:
            worker = self._workers[printer_id] = Worker(printer_id, self._context)
            self._work.append(asyncio.create_task(worker.run(), name=f"printer {printer_id}"))
        return worker

    def _take_up(self, entry: Entry) -> None:
        """Go on with a job of the last run."""
        self._worker(entry.printer_id).resume(entry)

    def _idle(self) -> None:
        """Note that a worker has no job left; ask Business Central at once if it may have more."""
        if any(self._probe.queued.values()) and not self._stopping and not self._connection.failures:
            self._wake.set()

    def _defer(self, row_no: int) -> None:
        self._deferred.put(row_no, _now())

    def _reported(self, job: ActiveJob) -> None:
        self._context.jobs.pop(job.entry.row_no, None)
        if job.entry.outcome is not None:
            self._totals[job.entry.outcome] = self._totals.get(job.entry.outcome, 0) + 1
        if job.entry.outcome is not Outcome.RELEASED:
            self._deferred.forget(job.entry.row_no)

    async def _guarded(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - it is logged and counted, and the loop goes on
            self._note_mistake(what, error)

    def _note_mistake(self, what: str, error: Exception) -> None:
        self._mistakes += 1
        self._mistaken_at = _now()
        self._mistake = (
            f"a mistake of piprint while {what} ({type(error).__name__}); please report it with the lines of the log"
        )
        _log.error("unexpected while %s; it goes on", what, exc_info=error)

    # ---- Seen from outside ----

    async def history(self, limit: int = 100) -> Sequence[Entry]:
        """Return the last jobs that have ended, newest first."""
        return await self._journal.history(limit)

    def snapshot(self) -> State:
        """Return how everything is at this moment."""
        registered = {each.printer_id for each in self._printer_list.registered or ()}
        taken = Counter(self._context.taken.values())
        printers = tuple(
            PrinterFacts(
                known=each,
                refused=self._printer_list.problems.get(each.address.printer_id, ""),
                offered=each.address.printer_id in registered,
                disabled=each.address.printer_id in self._probe.disabled,
                queued=max(self._probe.queued.get(each.address.printer_id, 0) - taken[each.address.printer_id], 0),
                printing=self._active_at(each.address.printer_id),
            )
            for each in self._registry.all()
        )
        problems = [*self._registry.problems, *self._returned.told(), *([self._mistake] if self._mistake else [])]
        return State(
            host=self._config.host,
            instance=self._journal.instance,
            dialect=self._queue.dialect,
            started=self._started,
            overdue=max(_now() - self._due_at, 0.0),
            connection=self._connection,
            printers=printers,
            jobs=tuple(_facts(job) for _, job in sorted(self._context.jobs.items())),
            totals=dict(self._totals),
            paused=self._paused,
            problems=tuple(problems),
            mistakes=self._mistakes,
        )

    def _active_at(self, printer_id: str) -> int | None:
        worker = self._workers.get(printer_id)
        return worker.job.entry.row_no if worker is not None and worker.job is not None else None


def _facts(job: ActiveJob) -> JobFacts:
    entry = job.entry
    message = entry.message if entry.step is Step.ENDED else job.hindrance.words
    if entry.step is Step.ENDED and job.hindrance.words:
        message = f"{message} Not reported yet: {job.hindrance.words}"
    return JobFacts(entry, message, job.hindrance.remedy)


def _now() -> float:
    return asyncio.get_running_loop().time()
