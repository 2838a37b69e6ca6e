"""Watches a job at its printer for signs of a restart, after which it may be printed twice, and writes them into the journal.

What the signs prove is judged in :mod:`piprint.jobs.evidence`; what follows from it is decided in :mod:`piprint.jobs.recovery`.
"""

from __future__ import annotations

from typing import Any

from piprint.jobs import wording
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.context import Context
from piprint.jobs.evidence import MAY_BE_LOST, NOT_TOLD, Evidence, begun_for_certain, ran_on, weigh
from piprint.jobs.recovery import Action, is_doubtful
from piprint.printers.printer import JobStatus, Printer, SpoolerState
from piprint.printers.restarts.runs import is_here, is_time_of_day

__all__ = ["RestartWatch"]

_WAITING = frozenset({SpoolerState.PENDING, SpoolerState.HELD})


class RestartWatch:
    """Sees what becomes of the jobs of one printer.

    Args:
        context: what is worked with; the journal takes the notes.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def watch(self, job: ActiveJob, printer: Printer) -> dict[str, Any]:
        """Begin: find out which run of the printer is about to print a job; return what the journal shall keep of it."""
        run = await printer.run()
        job.watch.run, job.watch.unwatched, job.watch.resumed = run.number, False, False
        return {"ipp_run": run.token or NOT_TOLD}

    async def weigh(self, job: ActiveJob, printer: Printer, status: JobStatus | None) -> Evidence:
        """Find out whether a restart of the printer may have made two of a job."""
        same_run = status is not None and ran_on(job.watch.run, status.run, unwatched=job.watch.unwatched)
        if not same_run and job.entry.ipp_run not in {"", MAY_BE_LOST, NOT_TOLD}:
            same_run = await printer.has_run_on(job.entry.ipp_run) is True
        if not same_run:
            self._context.suspected.set()
        same_boot = not job.watch.resumed and is_here(printer.address.uri)
        return weigh(job.entry, status, same_run=same_run, same_boot=same_boot)

    async def take_note(self, job: ActiveJob, status: JobStatus | None, action: Action, evidence: Evidence) -> None:
        """Write down what the evidence says against a job.

        The job is not watched anew by that (:meth:`goes_on`): if what was decided cannot be done at once, the same has to be
        decided again.
        """
        if status is None:
            return
        entry = job.entry
        await self._compare(job, status)
        if is_doubtful(entry, action, evidence):
            failed = action in {Action.END_CANCELED, Action.END_ABORTED}
            await self._doubt(job, wording.restarted(failed=failed, taken_over=entry.taken_over))
            if evidence is Evidence.LOST and not status.state.final:
                job.entry = await self._context.journal.note(job.entry, ipp_run=MAY_BE_LOST)

    @staticmethod
    def goes_on(job: ActiveJob, status: JobStatus) -> None:
        """Watch a job anew that goes on at the printer, from the run that told its status."""
        job.watch.run, job.watch.unwatched = status.run, False

    async def last_word(self, job: ActiveJob, printer: Printer, after: JobStatus | None) -> Evidence:
        """Weigh what a printer says of a job that was given up and cancelled there, and write down the doubt there is."""
        evidence = await self.weigh(job, printer, after)
        if after is not None and is_doubtful(job.entry, Action.FOLLOW, evidence):
            printed = after.state is SpoolerState.COMPLETED
            await self._doubt(job, wording.restarted(failed=not printed, taken_over=job.entry.taken_over))
        return evidence

    async def follow(self, job: ActiveJob, status: JobStatus) -> None:
        """Look at what a printer says that has run on."""
        if status.up_time is not None:
            self._context.heard[job.entry.printer_id, status.run] = status.up_time
            if status.state.final and status.begun == status.up_time and is_time_of_day(status.up_time):
                self._context.unheard.put_nowait(job.entry.printer_id)
        await self._compare(job, status)

    async def _compare(self, job: ActiveJob, status: JobStatus) -> None:
        """Notice that the printer, or CUPS, began again with a job it was printing: pages came out twice."""
        before, begun = job.entry.ipp_begun or job.watch.begun_at, status.begun
        later = begun is not None and before not in (None, begun)
        waits_again = begun is None and job.watch.seen_printing and status.state in _WAITING
        if later or waits_again:
            await self._doubt(job, wording.BEGAN_AGAIN)
        job.watch.begun_at = begun or job.watch.begun_at
        certain = begun_for_certain(status)
        if certain is not None and certain != job.entry.ipp_begun:
            job.entry = await self._context.journal.note(job.entry, ipp_begun=certain)

    async def _doubt(self, job: ActiveJob, note: str) -> None:
        if not any(wording.TWICE in each for each in job.entry.notes):  # one sentence of that kind is enough
            job.entry = await self._context.journal.note(job.entry, notes=(*job.entry.notes, note))
