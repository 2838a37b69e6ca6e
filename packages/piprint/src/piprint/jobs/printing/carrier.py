"""Carries one job, step by step, from wherever it stands to its end.

While all goes well, :meth:`Carrier._submit` and :meth:`Carrier._follow` are the whole way, to be read from top to bottom. Every
error arrives in one place, :meth:`Carrier.carry`. From then on it is not sure how the job stands (:mod:`piprint.jobs.phases`), so the
printer is asked first, and :mod:`piprint.jobs.recovery` decides. After a kill it is the same code: so it runs every day.

:mod:`piprint.jobs.printing.printer_wait` decides how long a printer is waited for. Business Central is waited for without end.

An aborted job is not sent again if the printer had the whole document: some pages may have come out, so a person decides.

This module does not know what a document is, nor the wire of either side.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from piprint.errors import (
    BcError,
    DocumentError,
    JournalError,
    PrinterBusy,
    PrinterError,
    PrinterRefused,
    SpoolFull,
    concerns_one,
)
from piprint.jobs import wording
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.context import Context
from piprint.jobs.evidence import MAY_BE_LOST, NOT_TOLD, Evidence, ran_on
from piprint.jobs.phases import Event, Phase
from piprint.jobs.printing.failures import MISTAKES, Failures
from piprint.jobs.printing.lease_check import LeaseCheck
from piprint.jobs.printing.notes import obeyed, says_twice, with_notes
from piprint.jobs.printing.printer_session import (
    PrinterSession,
    accepted_of,
    cancel,
    cancel_by_name,
    sent_nothing,
    take_back,
)
from piprint.jobs.printing.printer_wait import PrinterWait
from piprint.jobs.printing.restart_watch import RestartWatch
from piprint.jobs.printing.takeover import clear_predecessor
from piprint.jobs.recovery import (
    Action,
    Known,
    Ownership,
    decide,
    is_not_printed,
    judge,
    may_be_given_back,
    pick,
)
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.printers.printer import Accepted, Feedback, JobStatus, Printer, SpoolerState

__all__ = ["Carrier"]

_log = logging.getLogger(__name__)

_FIRST_LOOK, _LONGEST_LOOK = 0.02, 1.0
"""Seconds between two questions for a job's state."""
_REFUSALS = 6
"""Times Business Central may answer and not give a document, before that is the document's fault."""


class _Left(Exception):
    """The processor stops; the job stays as it is."""


class Carrier:
    """Carries the jobs of one printer, one after the other.

    Args:
        printer_id: the printer.
        context: what is worked with.

    Attributes:
        stopping: no new step is begun that the next start could not take up.
    """

    def __init__(self, printer_id: str, context: Context) -> None:
        self.stopping = False
        self._printer_id = printer_id
        self._context = context
        self._session = PrinterSession(printer_id, context.printers)
        self._printer_wait = PrinterWait(printer_id, context, self._session)
        self._failures = Failures(context.rng, self._printer_wait)
        self._lease_check = LeaseCheck(context)
        self._restart_watch = RestartWatch(context)
        self._policy = context.policy(printer_id)

    async def carry(self, job: ActiveJob) -> bool:
        """Take step after step until the job has ended; return False when it was left as it is, for the next start."""
        while job.entry.step not in {Step.ENDED, Step.REPORTED}:
            try:
                await self._wait(job)
                await self._step(job)
            except _Left:
                if not await self._leave(job):
                    return False
            except PrinterError as error:
                self._failures.of_printer(job, error)
            except DocumentError as error:
                job.give_up(str(error))
            except (BcError, JournalError, SpoolFull) as error:
                self._failures.of_other_side(job, error)
            except Exception as error:  # noqa: BLE001 - one job's mistake is never the queue's
                _log.exception("job %d: unexpected; the printer is asked, then it goes on", job.entry.row_no)
                self._failures.of_ours(job, error)
        return True

    async def _wait(self, job: ActiveJob) -> None:
        seconds, job.wait = job.wait, 0.0
        if seconds and not self.stopping:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await job.poke.wait()
        job.poke.clear()
        if self.stopping:
            raise _Left
        if job.changed and not job.phase.is_withdrawn:
            job.happened(Event.CHANGED)
            job.hindrance.since = None
            _log.info("job %d: %s; it is cancelled at the printer", job.entry.row_no, job.changed)

    async def _step(self, job: ActiveJob) -> None:
        step = job.entry.step
        if step is Step.CLAIMING:
            await self._settle_claim(job)
        elif job.phase.is_given_up:
            await self._give_up(job)
        elif job.phase is Phase.WITHDRAWING:
            await self._withdraw(job)
        elif step is Step.CLAIMED:
            await self._fetch(job)
        elif step is Step.STORED and job.entry.inherits:
            await self._inherit(job)
        elif step is Step.STORED:
            await self._submit(job)
        elif step is Step.FOLLOWING and job.phase is Phase.FOLLOWED:
            await self._follow(job)
        else:
            await self._clear_up(job)

    # ---- Before the printer ----

    async def _settle_claim(self, job: ActiveJob) -> None:
        """Find out whether a claim became ours."""
        row = await self._context.queue.row(job.entry.row_no)
        if row is not None and job.is_ours(row):
            job.row = row
            await self._advance(job, Step.CLAIMED)
        else:
            await self._advance(
                job, Step.REPORTED, outcome=Outcome.UNCLAIMED, message="the claim did not reach Business Central"
            )

    async def _fetch(self, job: ActiveJob) -> None:
        """Fetch the document of a job that is ours."""
        context = self._context
        row = await context.queue.row(job.entry.row_no)
        if row is None or not job.is_ours(row):
            job.change(row)
            return
        job.row = row
        try:
            size = await context.queue.fetch(row, context.journal.document(job.entry))
            await context.journal.settle(job.entry)
        except SpoolFull as error:
            if job.entry.inherits:  # given back, nobody would know that it may have been printed
                raise
            await self._end(job, Outcome.RELEASED, str(error))
        except BcError as error:
            job.failed.fetches += concerns_one(error)
            if job.failed.fetches < _REFUSALS:
                raise
            raise DocumentError(f"Business Central does not give the document: {error}") from None
        else:
            await self._advance(job, Step.STORED, size=size, tries=1)
            job.failed.in_a_row, job.hindrance.words, job.hindrance.remedy = 0, "", ""

    async def _inherit(self, job: ActiveJob) -> None:
        """Find out what a processor that died has done with the job, before it is handed to the printer."""
        entry = job.entry
        action, status = await clear_predecessor(self._session.printer(), entry, self._policy)
        if action is Action.SUBMIT:
            job.entry = await self._context.journal.note(entry, inherits="")
        elif action is Action.REPRINT:
            notes = with_notes(entry.notes, f"{wording.TWICE}: the processor that had it before gave no more sign.")
            job.entry = await self._context.journal.note(entry, inherits="", notes=notes)
        elif action is Action.HOLD:
            await self._hold(job, "the processor that had it before gave no more sign")
        elif status is not None:
            found = {"name": entry.inherits, "ipp_id": status.id, "ipp_uuid": status.uuid, "submitted": True}
            await self._advance(job, Step.FOLLOWING, inherits="", ipp_run=NOT_TOLD, **found)

    # ---- At the printer ----

    async def _submit(self, job: ActiveJob) -> None:
        """Hand the job to the printer: announced, sent, let go."""
        context = self._context
        if job.failed.submissions >= context.config.limits.attempts:
            job.give_up(
                f"Tried {job.failed.submissions} times{f': {job.hindrance.words}' if job.hindrance.words else ''}"
            )
            return
        printer = self._session.printer()
        await self._lease_check.confirm(job)
        if job.changed:
            return
        if job.prepared is None:
            document = context.journal.document(job.entry)
            job.prepared = await context.prepare(job.entry.name, job.entry.payload, document, printer)
        ready = job.prepared
        # What was told of an earlier preparation is not true of this one; a doubt stays.
        notes = with_notes(wording.doubts(job.entry.notes), *ready.notes)
        await self._advance(job, Step.CREATING, faults=job.failed.submissions, notes=notes)
        accepted = await self._create(job, printer)
        await self._advance(
            job,
            Step.CREATED,
            ipp_id=accepted.id,
            ipp_uuid=accepted.uuid,
            ipp_up_time=accepted.up_time,
            held=accepted.held,
            notes=obeyed(job.entry.notes, accepted),
        )
        if not await self._lease_check.announce(job) or job.is_changed():
            return
        await self._advance(job, Step.SENDING, submitted=True, **await self._restart_watch.watch(job, printer))
        sent = await self._send(job, printer, accepted)
        notes = obeyed(job.entry.notes, sent)
        await self._advance(job, Step.SENT, ipp_id=sent.id, ipp_uuid=sent.uuid, notes=notes)
        if printer.feedback is Feedback.SENT_ONLY:
            await self._end_sent(job, printer)
            return
        if accepted.held:
            if job.is_changed():
                return
            await self._advance(job, Step.RELEASING)
            await printer.release(sent)
        await self._advance(job, Step.FOLLOWING)
        job.happened(Event.FOLLOWED)
        job.hindrance.since, job.hindrance.words, job.hindrance.remedy, job.failed.in_a_row = None, "", "", 0
        job.wait = job.watch.look_every = _FIRST_LOOK

    async def _create(self, job: ActiveJob, printer: Printer) -> Accepted:
        assert job.prepared is not None  # noqa: S101 - for the type checker
        try:
            return await printer.create(job.prepared.ticket)
        except (PrinterBusy, PrinterRefused):
            await self._advance(job, Step.STORED)  # it said no: nothing was made
            raise

    async def _send(self, job: ActiveJob, printer: Printer, accepted: Accepted) -> Accepted:
        assert job.prepared is not None  # noqa: S101 - for the type checker
        try:
            return await printer.send(accepted, job.prepared.ticket, job.prepared.document)
        except (PrinterError, DocumentError) as error:
            if sent_nothing(error, printer):
                job.entry = await self._context.journal.note(job.entry, submitted=False)
            else:
                job.failed.submissions += 1
            raise

    async def _follow(self, job: ActiveJob) -> None:
        """Ask once how far the job is."""
        printer, entry = self._session.printer(), job.entry
        status = await printer.look(entry.accepted)
        lost = entry.ipp_run == MAY_BE_LOST and status is not None and status.state.final
        if status is None or lost or not ran_on(job.watch.run, status.run, unwatched=job.watch.unwatched):
            job.happened(Event.FAILED)
            return
        await self._restart_watch.follow(job, status)
        if status.state.final:
            await self._perform(job, printer, decide(entry, Ownership.OURS, judge(status), "hold"), status)
            return
        job.watch.seen_printing = job.watch.seen_printing or status.state is SpoolerState.PROCESSING
        await self._printer_wait.watch(job, printer, status)
        job.wait = job.watch.look_every = min(max(job.watch.look_every, _FIRST_LOOK) * 1.5, _LONGEST_LOOK)

    # ---- The way back ----

    async def _clear_up(self, job: ActiveJob) -> None:
        """Ask the printer what became of the job, and do what the table says."""
        entry, printer = job.entry, self._session.printer()
        if printer.feedback is Feedback.SENT_ONLY and entry.step is Step.SENT:
            await self._end_sent(job, printer)
            return
        if entry.step is Step.CREATING:
            await cancel_by_name(printer, entry.name)
            await self._again(job)
            return
        status = await self._search(job, printer)
        evidence = await self._restart_watch.weigh(job, printer, status)
        entry, finding = job.entry, judge(status)
        action = decide(entry, Ownership.OURS, finding, self._policy, evidence)
        words = (entry.row_no, entry.step, finding.value, evidence.value, action.value)
        _log.info("job %d, step %s, printer says %s, %s: %s", *words)
        await self._restart_watch.take_note(job, status, action, evidence)
        await self._perform(job, printer, action, status)
        if status is not None and job.phase is Phase.FOLLOWED:
            self._restart_watch.goes_on(job, status)

    async def _search(self, job: ActiveJob, printer: Printer) -> JobStatus | None:
        """Look for the job by id, then by name."""
        entry = job.entry
        status = await printer.look(entry.accepted) if entry.ipp_id else None
        if status is None:
            known = Known(entry.ipp_uuid, unique=entry.tries <= 1)
            status = pick(await printer.find(entry.name), known)
            if status is not None:
                job.entry = await self._context.journal.note(entry, ipp_id=status.id, ipp_uuid=status.uuid)
                status = await printer.look(job.entry.accepted) or status  # it says by which run it was told
        return status

    async def _perform(self, job: ActiveJob, printer: Printer, action: Action, status: JobStatus | None) -> None:
        if action is Action.SUBMIT:
            await self._again(job)
        elif action is Action.CANCEL_AND_SUBMIT and status is not None:
            after = await cancel(printer, accepted_of(status))
            if after is not None and after.state is SpoolerState.COMPLETED and not job.entry.unsent:
                await self._end_printed(job, printer, after)
            else:
                await self._again(job)
        elif action is Action.RELEASE:
            if job.entry.step is Step.SENT:
                await self._advance(job, Step.RELEASING)
            await printer.release(job.entry.accepted)
            await self._to_following(job)
        elif action is Action.FOLLOW:
            await self._to_following(job)
        elif action is Action.END_PRINTED and status is not None:
            await self._end_printed(job, printer, status)
        elif action in {Action.END_CANCELED, Action.END_ABORTED} and status is not None:
            await self._end_failed(job, status)
        else:
            await self._leave_to_policy(job, printer, action, status)

    async def _leave_to_policy(
        self, job: ActiveJob, printer: Printer, action: Action, status: JobStatus | None
    ) -> None:
        """End an uncertain job, or print it again."""
        why = "the printer no longer knows it after an interruption"
        if status is not None:
            why = wording.may_have_restarted(taken_over=job.entry.taken_over)
            # Nobody shall let it go later.
            after = None if status.state.final else await cancel(printer, accepted_of(status))
            if after is not None and after.state is SpoolerState.COMPLETED:  # it was faster than the cancel
                await self._restart_watch.take_note(job, after, Action.END_PRINTED, Evidence.OPEN)
                await self._end_printed(job, printer, after)
                return
        if action is Action.REPRINT:
            await self._reprint(job, why)
        else:
            await self._hold(job, why, status=status)

    async def _again(self, job: ActiveJob, **changes: Any) -> None:
        """Go back to before the printer."""
        entry = job.entry
        gone = {"ipp_id": 0, "ipp_uuid": "", "ipp_up_time": None, "ipp_begun": None, "held": False, "submitted": False}
        gone["ipp_run"] = ""
        await self._advance(job, Step.STORED, tries=entry.tries + 1, faults=job.failed.submissions, **gone, **changes)
        job.watch.seen_printing, job.watch.run, job.watch.unwatched, job.watch.begun_at = False, 0, True, None

    async def _to_following(self, job: ActiveJob) -> None:
        if job.entry.step is not Step.FOLLOWING:
            await self._advance(job, Step.FOLLOWING, submitted=True)
        job.happened(Event.FOLLOWED)
        job.wait = job.watch.look_every = _FIRST_LOOK

    async def _withdraw(self, job: ActiveJob) -> None:
        """Cancel at the printer what Business Central no longer calls ours."""
        entry, after = job.entry, None
        if decide(entry, Ownership.CHANGED, None, "hold") is Action.WITHDRAW:
            printer = self._session.printer()
            if entry.step is Step.CREATING:
                await cancel_by_name(printer, entry.name)
            elif (found := await self._search(job, printer)) is not None:
                after = found if found.state.final else await cancel(printer, accepted_of(found))
        elif entry.inherits:
            await cancel_by_name(self._session.printer(), entry.inherits)
        printed = "It had been printed by then" if after and after.state is SpoolerState.COMPLETED else ""
        await self._end(job, Outcome.CHANGED, wording.changed(job.changed, printed))

    async def _give_up(self, job: ActiveJob) -> None:
        """End a job that could not be printed; what the printer still has of it is cancelled first."""
        entry, reason = job.entry, job.given_up
        sure = is_not_printed(entry, doubted=bool(wording.doubts(entry.notes)))
        after, evidence = None, Evidence.OPEN
        if job.failed.mistakes <= MISTAKES:  # one more was made here: the printer keeps what it has of the job
            with suppress(PrinterError):
                after = await take_back(printer := self._session.printer(), entry)
                evidence = evidence if sure else await self._restart_watch.last_word(job, printer, after)
        ended = after is not None and after.state.final
        if job.phase.is_withdrawn:
            await self._end(job, Outcome.CHANGED, wording.changed(job.changed, reason))
        elif after is not None and after.state is SpoolerState.COMPLETED and evidence is not Evidence.LOST:
            await self._end(job, Outcome.PRINTED, wording.printed_late(reason), after)
        elif sure:
            await self._end(job, Outcome.ERROR, wording.not_printed(reason, job.hindrance.remedy))
        elif ended and job.stuck and self._may_reprint(job):
            await self._reprint(job, "the printer did not get on with it")
        elif ended and not job.stuck and not wording.doubts(job.entry.notes):
            some = job.has_begun(after)
            await self._end(job, Outcome.ERROR, wording.given_up(reason, printing=some, remedy=job.hindrance.remedy))
        else:
            lost = entry.ipp_id and not ended
            await self._hold(job, f"{reason}; {wording.NOT_CANCELLED}" if lost else reason, job.hindrance.remedy)

    def _may_reprint(self, job: ActiveJob) -> bool:
        return self._policy == "reprint" and job.failed.submissions + 1 < self._context.config.limits.attempts

    async def _reprint(self, job: ActiveJob, why: str) -> None:
        """Print once more what may have been printed; the printer's settings want it so."""
        job.failed.submissions = max(
            job.failed.submissions, job.entry.faults + 1
        )  # a sending that broke is counted already
        job.hindrance.again = wording.tried_again(why) if job.stuck else ""  # it may well hang again
        job.reprint()
        await self._again(job, notes=with_notes(job.entry.notes, f"{wording.TWICE}: {why}."))

    async def _leave(self, job: ActiveJob) -> bool:
        """The processor stops: give back what is not at the printer; return whether the job has ended."""
        entry = job.entry
        if not may_be_given_back(entry, doubted=bool(wording.doubts(entry.notes))):
            return False
        try:
            if entry.step not in {Step.CLAIMED, Step.STORED}:
                await cancel_by_name(self._session.printer(), entry.name)
            if job.changed:
                await self._end(job, Outcome.CHANGED, wording.changed(job.changed))
            else:
                await self._end(job, Outcome.RELEASED, wording.stopped(job.claim.host))
        except (PrinterError, JournalError) as error:
            _log.warning("job %d is left as it is: %s", entry.row_no, error)
            return False
        return True

    # ---- Ends ----

    async def _end_printed(self, job: ActiveJob, printer: Printer, status: JobStatus) -> None:
        text = wording.printed(printer.address.printer_id, status, _now() - job.begun)
        await self._end(job, Outcome.PRINTED, text, status)

    async def _end_sent(self, job: ActiveJob, printer: Printer) -> None:
        await self._end(job, Outcome.PRINTED, wording.sent(printer.address.printer_id))

    async def _end_failed(self, job: ActiveJob, status: JobStatus) -> None:
        if says_twice(job.entry.notes):  # this time it was not; but before?
            await self._hold(job, wording.ended(status), status=status)
        else:
            failed = wording.failed(status, printing=job.has_begun(status))
            await self._end(job, Outcome.ERROR, failed, status)

    async def _hold(self, job: ActiveJob, why: str, remedy: str = "", status: JobStatus | None = None) -> None:
        often = says_twice(job.entry.notes)
        await self._end(job, Outcome.UNCERTAIN, wording.uncertain(why, remedy, often=often), status)

    async def _end(self, job: ActiveJob, outcome: Outcome, text: str, status: JobStatus | None = None) -> None:
        begun = {} if status is None else {"ipp_begun": status.begun}  # another later: it was printed again
        message = wording.message(outcome, text, job.entry.notes)
        await self._advance(job, Step.ENDED, outcome=outcome, message=message, faults=job.failed.submissions, **begun)
        job.hindrance.words = job.hindrance.remedy = ""

    async def _advance(self, job: ActiveJob, step: Step, **changes: Any) -> None:
        job.entry = await self._context.journal.advance(job.entry, step, **changes)


def _now() -> float:
    return asyncio.get_running_loop().time()
