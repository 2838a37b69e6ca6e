"""Has a job been printed once, or may a restart have printed it twice? What is known of that is judged here, and nowhere else.

Nobody can ask the paper. What shows that a job was printed only once, the strongest proof first:

==============================  ==========================================================================================
evidence                        what it proves
==============================  ==========================================================================================
the same connection (CUPS)      the same cupsd: a process that dies, or reloads, closes its connections (measured with 2.4.2)
a subscription without events   the same cupsd, also across a restart of ours: it notes "server-started" (RFC 3995, 5.3.3.4)
printer-up-time (printers)      the same run, if the moment it counts from is the same (RFC 8011, 5.4.29)
time-at-processing              not begun again, if it is unchanged and the spooler's clock was past that second before
an error, or nothing            nothing: that it restarted cannot be excluded
==============================  ==========================================================================================

What proves nothing: job ids (CUPS gives them out again), CUPS's printer-up-time (it is the time of day), CUPS's job list
(saved up to 30 s late), "completed" after a restart of its computer (CUPS never syncs documents, and "prints" an empty one:
2.4.2), job-impressions-completed (0 on queues that count nothing), and a time-at-processing within the
second in which the connection broke: CUPS can be back, and have begun again, in the same second.

Pure: this module asks nobody, and knows no clock.
"""

from __future__ import annotations

import enum

from piprint.journal.entry import Entry
from piprint.printers.printer import JobStatus, SpoolerState
from piprint.printers.restarts.runs import is_time_of_day

__all__ = ["MAY_BE_LOST", "NOT_TOLD", "Evidence", "begun_for_certain", "ran_on", "weigh"]

MAY_BE_LOST = "may be lost"
"""In the journal in place of a run: CUPS may have lost the document, so that it says "completed" proves nothing."""
NOT_TOLD = "not told"
"""The same: nothing told which run it was. An empty text: it was not asked, by a program older than this."""
_AT_WORK = frozenset(SpoolerState) - {SpoolerState.PENDING, SpoolerState.HELD}


class Evidence(enum.Enum):
    """Whether the printer can have printed a job twice."""

    RAN_ON = "it has run on since it got the job"
    NOT_AGAIN = "it may have restarted, but has not begun the job again"
    OPEN = "that it restarted since it got the job cannot be excluded"
    LOST = "that its computer restarted, and lost the document, cannot be excluded"


def ran_on(noted: int, told: int, *, unwatched: bool) -> bool:
    """Tell whether the printer has run on since this process handed it a job.

    Args:
        noted: the number of its run at that time; 0 when not known.
        told: the number of the run that answers now; 0 when not known.
        unwatched: it was not, or could not be, asked all the time since.
    """
    return noted == told if noted and told else not unwatched


def weigh(entry: Entry, status: JobStatus | None, *, same_run: bool, same_boot: bool) -> Evidence:
    """Weigh what is known of a job that was handed over.

    Args:
        entry: the job as the journal has it.
        status: what the printer says of it now; None when it does not know it.
        same_run: it is proven that the printer has run on since it got the job.
        same_boot: it is proven that the computer CUPS runs on was not restarted since: it is this one, and this process
            has run on. Of another computer nobody here knows.
    """
    if entry.ipp_run == MAY_BE_LOST:
        return Evidence.LOST
    if same_run:
        return Evidence.RAN_ON
    if status is None or not is_time_of_day(status.up_time):
        return Evidence.OPEN  # a printer that counts from its start may come to the same time-at-processing again
    if status.begun is not None and status.begun == entry.ipp_begun and status.state in _AT_WORK:
        # A beginning after the outage would have a later second: the one noted was over before (see begun_for_certain).
        return Evidence.NOT_AGAIN
    if same_boot or not entry.ipp_run:  # a journal of before runs were noted: its program was replaced, no power failed
        return Evidence.OPEN
    return Evidence.LOST


def begun_for_certain(status: JobStatus) -> int | None:
    """Return when the job began, if the second in which it did is over by the printer's own clock; else None."""
    if status.begun is None or status.up_time is None:
        return status.begun
    return status.begun if status.up_time > status.begun else None
