"""What follows for a job from a step that failed: how long it waits before the next try, what people read, when it is given up.

After any failure the job is no longer *live*: before the next step the printer is asked how it stands.
This module takes no step.
"""

from __future__ import annotations

import logging
import random

from piprint.bc.backoff import pause_after
from piprint.errors import BcError, JournalError, PrinterError, PrinterRefused, PrinterUnreachable, SpoolFull
from piprint.jobs.active_job import ActiveJob
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
        job.live = False
        job.unwatched = job.unwatched or isinstance(error, PrinterUnreachable)
        if isinstance(error, PrinterRefused) and job.entry.step is Step.STORED and not is_passing(error.status):
            job.faults += 1
            if is_lasting(error.status):
                job.given_up = f"The printer refused the job: {error}"
        job.quiet.interrupt()
        self._printer_wait.hinder(job, str(error))
        job.failures += 1
        job.wait = min(_FIRST_WAIT * 1.6 ** min(job.failures - 1, 20), _LONGEST_WAIT)

    def of_other_side(self, job: ActiveJob, error: BcError | JournalError | SpoolFull) -> None:
        """Note that Business Central or our own disk failed: wait, for as long as it takes."""
        job.live = False
        if str(error) not in job.logged:
            job.logged.add(str(error))
            _log.warning("job %d waits: %s", job.entry.row_no, error)
        job.trouble, job.remedy = str(error), ""
        job.failures += 1
        job.wait = pause_after(error, job.failures, self._rng) if isinstance(error, BcError) else _LONGEST_WAIT

    def of_ours(self, job: ActiveJob, error: Exception) -> None:
        """Note a mistake of this program: a few more tries, then the job is given up."""
        job.live = False
        job.mistakes += 1
        job.wait = _LONGEST_WAIT
        job.trouble = f"a mistake of piprint ({type(error).__name__}); please report it with the lines of the log"
        if job.mistakes >= MISTAKES:
            job.given_up = job.trouble
