"""What takes more than one call to a printer: to find it, to know how it is, to cancel a job and wait until it is cancelled.

This module does not know Business Central, and decides nothing about a job.
"""

from __future__ import annotations

import asyncio

from piprint.errors import DocumentError, PrinterBusy, PrinterError, PrinterUnreachable
from piprint.jobs.context import Printers
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from piprint.printers.printer import Accepted, Feedback, JobStatus, Printer, PrinterStatus

__all__ = ["PrinterSession", "accepted_of", "cancel", "cancel_by_name", "sent_nothing", "take_back"]

_STATUS_EVERY = 2.0
"""Seconds between two questions for the printer's state."""
_LOOKS, _LOOK_EVERY = 10, 0.2
"""How often it is asked whether a job is cancelled, and the seconds between."""


class PrinterSession:
    """The printer of one carrier.

    Args:
        printer_id: the printer.
        printers: where it is got from.
    """

    def __init__(self, printer_id: str, printers: Printers) -> None:
        self._printer_id = printer_id
        self._printers = printers
        self._status: PrinterStatus | None = None
        self._status_at = 0.0

    def printer(self) -> Printer:
        """Return the printer.

        Raises:
            PrinterUnreachable: this host has none of that name at present.
        """
        printer = self._printers.printer(self._printer_id)
        if printer is None and self._printers.problems:
            raise PrinterUnreachable(
                f"the printer {self._printer_id} cannot be found just now: {'; '.join(self._printers.problems)}",
                started=False,
            )
        if printer is None:
            raise PrinterUnreachable(
                f"the printer {self._printer_id} is not there any more; add it again or rename it back", started=False
            )
        return printer

    async def status(self, printer: Printer, *, fresh: bool = False) -> PrinterStatus:
        """Return how the printer is; asked every few seconds, or at once if ``fresh``."""
        now = asyncio.get_running_loop().time()
        if fresh or self._status is None or now - self._status_at >= _STATUS_EVERY:
            self._status, self._status_at = await printer.status(), now
        return self._status


def accepted_of(status: JobStatus) -> Accepted:
    """Return how to ask for a job that was found."""
    return Accepted(status.id, status.uuid, status.name)


async def cancel(printer: Printer, accepted: Accepted) -> JobStatus | None:
    """Cancel a job and wait until it is; return how it ended, None when the printer does not know it.

    Raises:
        PrinterBusy: it is not cancelled yet.
    """
    await printer.cancel(accepted)
    for _ in range(_LOOKS):
        status = await printer.look(accepted)
        if status is None or status.state.final:
            return status
        await asyncio.sleep(_LOOK_EVERY)
    raise PrinterBusy(f"the printer has not cancelled job {accepted.id} yet")


async def cancel_by_name(printer: Printer, name: str) -> None:
    """Cancel all our jobs of that name that are not done."""
    for status in await printer.find(name):
        if not status.state.final:
            await cancel(printer, accepted_of(status))


async def take_back(printer: Printer, entry: Entry) -> JobStatus | None:
    """Cancel at the printer whatever it has of a job; return how that ended, None when nothing can be said."""
    if entry.step is Step.CREATING:
        await cancel_by_name(printer, entry.name)
    elif entry.ipp_id:
        return await cancel(printer, entry.accepted)
    elif entry.inherits:
        await cancel_by_name(printer, entry.inherits)
    return None


def sent_nothing(error: PrinterError | DocumentError, printer: Printer) -> bool:
    """Tell whether not a byte of the document can have reached the printer."""
    if isinstance(error, PrinterUnreachable):
        return error.started is False
    # A printer that tells nothing back refuses nothing: whatever was refused, was refused here.
    return isinstance(error, (PrinterBusy, DocumentError)) or printer.feedback is Feedback.SENT_ONLY
