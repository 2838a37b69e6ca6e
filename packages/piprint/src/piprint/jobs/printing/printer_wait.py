"""How long a printer is waited for, before its job is given up.

Two limits are set for each printer: ``give_up_after`` counts while the printer is away, busy, stopped, or has other jobs first;
``stuck_after`` counts while the job is said to print and shows no sign of progress (:mod:`piprint.jobs.progress`). A job that a filter of
CUPS refused never goes on by itself; it is given up at once.

This module does not know what is done with a job that is given up.
"""

from __future__ import annotations

import asyncio
import logging
import math

from piprint.errors import DocumentError, PrinterError
from piprint.jobs import wording
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.context import Context
from piprint.jobs.printing.printer_session import PrinterSession
from piprint.jobs.progress import allowance, without_counts
from piprint.printers.printer import JobStatus, Printer, PrinterState, PrinterStatus, SpoolerState
from piprint.printers.reasons import told
from piprint.printers.trouble import blocked, helped, is_hopeless, says_why

__all__ = ["PrinterWait"]

_log = logging.getLogger(__name__)

_STOPPED_FOR = 60.0
"""Seconds after which a job that is stopped for no reason, at a printer that is not, is taken not to go on."""
_SAME_TOLD = 600.0
"""Seconds for which a reason that differs only by a number stays as it was told."""
_MOST_LOGGED = 50
"""Lines of the log for the reasons of one job."""
_COUNT_AGAIN = 600.0
"""Seconds until the pages of a document are counted again, as the printer did not say what it can do."""
_QUIET_TOLD = 600.0
"""Seconds without progress that are told first; then twice as long, and so on."""
_HOPELESS = (
    "It would end the same way again: print it on another printer, or make the document anew. Whoever looks after this "
    "printer finds more in CUPS's error_log"
)
_STUCK = "Switch the printer off and on if it does nothing"


class PrinterWait:
    """Waits for one printer.

    Args:
        printer_id: the printer.
        context: what is worked with.
        session: where it is met.
    """

    def __init__(self, printer_id: str, context: Context, session: PrinterSession) -> None:
        self._printer_id = printer_id
        self._context = context
        self._session = session

    def hinder(self, job: ActiveJob, reason: str, remedy: str = "") -> None:
        """Note why the printer does not get on with a job; when that has lasted too long, give up."""
        now = _now()
        if job.hindrance.since is None:
            job.hindrance.since = now
        if (
            without_counts(reason) == without_counts(job.hindrance.words)
            and now - job.hindrance.said_since < _SAME_TOLD
        ):
            reason, remedy = job.hindrance.words, job.hindrance.remedy  # a message that counts is no news
        elif reason != job.hindrance.words:
            job.hindrance.said_since = now
        if (kind := without_counts(reason)) not in job.hindrance.logged and len(job.hindrance.logged) < _MOST_LOGGED:
            job.hindrance.logged.add(kind)
            _log.warning("job %d waits for printer %s: %s", job.entry.row_no, self._printer_id, reason)
        job.hindrance.words, job.hindrance.remedy, job.hindrance.silent = reason, remedy, False
        patience = self._context.give_up_after(self._printer_id)
        if now - job.hindrance.since >= patience and not job.phase.is_given_up:
            job.give_up(f"Given up after waiting {wording.lasted(patience)} for the printer: {reason}")

    async def watch(self, job: ActiveJob, printer: Printer, status: JobStatus) -> None:
        """Decide from what the printer says of a job that has not ended whether it is waited for any longer."""
        how = await self._session.status(printer, fresh=status.state is SpoolerState.STOPPED)
        if is_hopeless(status, how) or self._is_left(job, status, how):
            self._give_up_refused(job, status, how)
            return
        hindrance = self._hindrance(status, how)
        sign = (status.state, status.reasons, status.message)
        silent = job.watch.progress.note(_now(), status.progress, sign, waits=bool(hindrance))
        job.hindrance.silent = False
        if hindrance:
            self.hinder(job, hindrance, helped(how) or wording.helped(status))
            return
        if any(status.progress):
            job.hindrance.again = ""
        job.hindrance.since, job.hindrance.words, job.hindrance.remedy, job.failed.in_a_row = (
            None,
            job.hindrance.again,
            _STUCK if job.hindrance.again else "",
            0,
        )
        job.hindrance.silent = bool(job.hindrance.again)
        patience = self._context.stuck_after(self._printer_id)
        if silent >= min(_QUIET_TOLD, patience):
            await self._quiet(job, printer, silent, patience)

    def _hindrance(self, status: JobStatus, how: PrinterStatus) -> str:
        """Return why a job does not get on, for people; "" while it prints."""
        words = blocked(how)
        return words if words or status.state is SpoolerState.PROCESSING else wording.waits(status)

    def _is_left(self, job: ActiveJob, status: JobStatus, how: PrinterStatus) -> bool:
        """Tell whether the printer stopped a job some time ago, says no reason, and would print others.

        Windows tells no time, and stops a job also when paper is out: it does not say more.
        """
        if status.state is not SpoolerState.STOPPED or blocked(how) or says_why(status) or status.up_time is None:
            job.watch.stopped_since = None
            return False
        job.watch.stopped_since = _now() if job.watch.stopped_since is None else job.watch.stopped_since
        return _now() - job.watch.stopped_since >= _STOPPED_FOR

    def _give_up_refused(self, job: ActiveJob, status: JobStatus, how: PrinterStatus) -> None:
        """Give up a job that a filter, or the printer, stopped for good; CUPS has the filter's words in the printer's message."""
        messages = dict.fromkeys(filter(None, (status.message, how.message)))
        words = told(status.reasons, "; ".join(messages))
        refused, job.hindrance.remedy = wording.refused(words), _HOPELESS
        if how.state is PrinterState.STOPPED:
            refused += "; its queue is stopped now, too"
            job.hindrance.remedy = f"{helped(how)}. {_HOPELESS}"
        job.give_up(refused)
        _log.warning("job %d at printer %s: %s", job.entry.row_no, self._printer_id, job.given_up)

    async def _quiet(self, job: ActiveJob, printer: Printer, silent: float, patience: float) -> None:
        """Tell that nothing moves; when that has lasted too long, give up."""
        told_for = min(_QUIET_TOLD, patience)
        while told_for * 2 <= silent:
            told_for *= 2
        job.hindrance.words, job.hindrance.remedy, job.hindrance.silent = wording.quiet(told_for), _STUCK, True
        if job.hindrance.words not in job.hindrance.logged:
            job.hindrance.logged.add(job.hindrance.words)
            _log.warning("job %d at printer %s: %s", job.entry.row_no, self._printer_id, job.hindrance.words)
        if silent >= patience and silent >= patience + await self._allowance(job, printer):
            job.give_up(f"Given up, as {wording.quiet(silent)}", stuck=True)

    async def _allowance(self, job: ActiveJob, printer: Printer) -> float:
        """Return how much longer a large document may take; after a restart its pages have to be counted again."""
        if job.prepared is None and _now() >= job.watch.count_from:
            entry, context = job.entry, self._context
            try:
                job.prepared = await context.prepare(
                    entry.name, entry.payload, context.journal.document(entry), printer
                )
            except DocumentError:
                job.watch.count_from = math.inf  # that stays so
            except PrinterError:
                job.watch.count_from = _now() + _COUNT_AGAIN
        ready = job.prepared
        sheets = ready.pages * ready.ticket.copies if ready is not None else 0
        return allowance(job.entry.size, sheets)


def _now() -> float:
    return asyncio.get_running_loop().time()
