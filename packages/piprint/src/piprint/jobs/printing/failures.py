"""What follows for a job from a step that failed: how long it waits before the next try, what people read, when it is given up.

After any failure it is not known how the job stands (:mod:`piprint.jobs.phases`): the printer is asked before the next step.
This module takes no step.
"""

from __future__ import annotations

import logging
import random

from piprint.bc.backoff import pause_after
from piprint.errors import BcError, JournalError, PrinterError, PrinterRefused, PrinterUnreachable, SpoolFull
from piprint.jobs.active_job import ActiveJob
from piprint.jobs.phases import Event
from piprint.jobs.printing.printer_wait import PrinterWait
from piprint.journal.steps import Step
from piprint.printers.trouble import is_lasting, is_passing

__all__ = ["MISTAKES", "Failures"]

_log = logging.getLogger(__name__)

MISTAKES = 3
"""Unexpected exceptions after which a job is ended."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 15.0
"""Seconds between two tries at a printer that is busy or away."""


class Failures:
    """Notes the failures of one printer's jobs.

    Args:
        rng: blurs waiting times.
        printer_wait: how long the printer is waited for.
    """

    def __init__(self, rng: random.Random, printer_wait: PrinterWait) -> None:
        self._rng = rng
        self._printer_wait = printer_wait

    def of_printer(self, job: ActiveJob, error: PrinterError) -> None:
        """Note that the printer refused or did not answer: wait, longer each time, as long as its settings say."""
        job.happened(Event.FAILED)
        job.watch.unwatched = job.watch.unwatched or isinstance(error, PrinterUnreachable)
        if isinstance(error, PrinterRefused) and job.entry.step is Step.STORED and not is_passing(error.status):
            job.failed.submissions += 1
            if is_lasting(error.status):
                job.give_up(f"The printer refused the job: {error}")
        job.watch.progress.interrupt()
        self._printer_wait.hinder(job, str(error))
        job.failed.in_a_row += 1
        job.wait = min(_FIRST_WAIT * 1.6 ** min(job.failed.in_a_row - 1, 20), _LONGEST_WAIT)

    def of_other_side(self, job: ActiveJob, error: BcError | JournalError | SpoolFull) -> None:
        """Note that Business Central or our own disk failed: wait, for as long as it takes."""
        job.happened(Event.FAILED)
        if str(error) not in job.hindrance.logged:
            job.hindrance.logged.add(str(error))
            _log.warning("job %d waits: %s", job.entry.row_no, error)
        job.hindrance.words, job.hindrance.remedy = str(error), ""
        job.failed.in_a_row += 1
        job.wait = pause_after(error, job.failed.in_a_row, self._rng) if isinstance(error, BcError) else _LONGEST_WAIT

    def of_ours(self, job: ActiveJob, error: Exception) -> None:
        """Note a mistake of this program: a few more tries, then the job is given up."""
        job.happened(Event.FAILED)
        job.failed.mistakes += 1
        job.wait = _LONGEST_WAIT
        job.hindrance.words = (
            f"a mistake of piprint ({type(error).__name__}); please report it with the lines of the log"
        )
        if job.failed.mistakes >= MISTAKES:
            job.give_up(job.hindrance.words)
