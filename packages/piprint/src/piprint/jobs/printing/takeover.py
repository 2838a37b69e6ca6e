"""A job taken over from a processor that died: finds what that one left at the printer, and cancels it if it must not be printed.

This module does not know the journal, nor how the job goes on.
"""

from __future__ import annotations

import logging
from typing import Literal

from piprint.jobs.printing.printer_session import accepted_of, cancel
from piprint.jobs.recovery import Action, Known, decide_inherited, judge, pick
from piprint.journal.entry import Entry
from piprint.printers.printer import JobStatus, Printer, SpoolerState

__all__ = ["clear_predecessor"]

_log = logging.getLogger(__name__)


async def clear_predecessor(
    printer: Printer, entry: Entry, policy: Literal["hold", "reprint"]
) -> tuple[Action, JobStatus | None]:
    """Find what the processor before us has at the printer, and cancel it if it must not be printed.

    Args:
        printer: where it was to be printed.
        entry: the job, with the name it has there (``inherits``).
        policy: what the printer's configuration says about uncertain jobs.

    Returns:
        What is to be done now, and the job that was found; None without one.

    Raises:
        PrinterError: the printer did not tell, or has not cancelled it yet.
    """
    status = pick(await printer.find(entry.inherits), Known())
    action = decide_inherited(judge(status), policy, submitted=entry.inherited)
    _log.info("job %d taken over from %s: %s", entry.row_no, entry.inherits, action.value)
    if status is not None and action in {Action.CANCEL_AND_SUBMIT, Action.HOLD, Action.REPRINT}:
        after = status if status.state.final else await cancel(printer, accepted_of(status))
        if after is not None and after.state is SpoolerState.COMPLETED:  # it was faster than the cancel
            action = Action.FOLLOW
        elif action is Action.CANCEL_AND_SUBMIT:
            action = Action.SUBMIT
    return action, status
