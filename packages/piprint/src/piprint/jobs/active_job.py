"""A job in hand: its journal entry, and what only matters until the process ends.

This module does not know what is done with it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState
from piprint.jobs.progress import Progress
from piprint.journal.entry import Entry
from piprint.printers.printer import JobStatus, Printer, Ticket

__all__ = ["ActiveJob", "Prepare", "Prepared", "row_of"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may go to its printer.

    Attributes:
        ticket: how to print it.
        document: what to send; the one from Business Central, or what was made of it (beside it in the spool).
        notes: for people: what was clamped.
        pages: of the document; 0 when not known.
    """

    ticket: Ticket
    document: Path
    notes: tuple[str, ...] = ()
    pages: int = 0


class Prepare(Protocol):
    """Checks a document and decides how it is printed."""

    async def __call__(self, name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        """Return what goes to the printer.

        Raises:
            DocumentError: it cannot be printed.
            PrinterError: the printer did not tell what it can do.
        """


@dataclass(eq=False, slots=True)
class ActiveJob:
    """A job from its claim to its report.

    Attributes:
        entry: as the journal has it.
        row: as Business Central told it last.
        claim: the claim that makes it ours.
        begun: when it was taken in hand; loop time.
        confirmed: when the call was begun by which Business Central last called it ours; loop time.
        guarded: Business Central knows that the document may be at the printer.
        renew_from: its lease is not renewed before; loop time.
        live: nothing unexpected happened since the journal was written; else the printer is asked first.
        wait: seconds before the next step is tried.
        trouble_since: since when the printer does not get on with it; loop time.
        trouble: why, for people; also what else it waits for.
        trouble_at: since when it is said in these words; loop time.
        remedy: what to do about that; "" when it is not known, or the trouble says it.
        logged: troubles that stand in the log already, whatever number they tell.
        quiet: its signs of progress while it prints.
        silent: it has been printing for long without any; that is its trouble.
        stuck: it was given up because there were none.
        again: why it is printed anew, until the printer shows any progress.
        stopped_since: since when the printer has it stopped for no reason; loop time.
        waiting_since: since when it was seen waiting for whatever it is; loop time.
        told: what its message in Business Central says of that.
        tell_from: it is not told anything before; loop time.
        failures: waits in a row.
        refusals: times Business Central answered and did not give the document.
        mistakes: unexpected exceptions.
        seen_printing: the printer said it prints the job.
        run: the number of the printer's run that it was handed to (:class:`piprint.printers.printer.Run`); 0 when not known.
        unwatched: the printer was not, or could not be, asked all the time since.
        resumed: this process was started anew since.
        begun_at: time-at-processing as it was first seen; None before.
        withdrawing: Business Central no longer calls it ours; what is at the printer is being cancelled.
        given_up: why the printer is not waited for any longer.
        faults: submissions that failed by the printer's doing, also those the journal does not know yet.
        prepared: the document and its ticket, once checked.
        count_from: its pages are not counted before, as that failed; loop time.
        look_every: seconds until the printer is asked again.
        poke: wakes whoever waits on behalf of this job.
        changed: what became of it in Business Central, for people; "" while it is ours.
    """

    entry: Entry
    row: JobRow
    claim: Claim
    begun: float
    confirmed: float = -math.inf
    guarded: bool = False
    renew_from: float = -math.inf
    live: bool = False
    wait: float = 0.0
    trouble_since: float | None = None
    trouble: str = ""
    trouble_at: float = -math.inf
    remedy: str = ""
    logged: set[str] = field(default_factory=set)
    quiet: Progress = field(default_factory=Progress)
    silent: bool = False
    stuck: bool = False
    again: str = ""
    stopped_since: float | None = None
    waiting_since: float | None = None
    told: str = ""
    tell_from: float = -math.inf
    failures: int = 0
    refusals: int = 0
    mistakes: int = 0
    seen_printing: bool = False
    run: int = 0
    unwatched: bool = True
    resumed: bool = True
    begun_at: int | None = None
    withdrawing: bool = False
    given_up: str = ""
    faults: int = 0
    prepared: Prepared | None = None
    count_from: float = -math.inf
    look_every: float = 0.0
    poke: asyncio.Event = field(default_factory=asyncio.Event)
    changed: str = ""

    def is_ours(self, row: JobRow | None) -> bool:
        """Tell whether a row, freshly read, still carries our claim."""
        return (
            row is not None
            and row.state is JobState.PRINTING
            and row.claim is not None
            and row.claim.token == self.entry.claim
        )

    def has_begun(self, status: JobStatus | None) -> bool:
        """Tell whether the printer began to print it, so that pages may be out; ``status``: what it says last."""
        told = status is not None and (status.begun is not None or bool(status.sheets))
        return self.seen_printing or self.entry.ipp_begun is not None or told

    def is_changed(self) -> bool:
        """Tell whether Business Central calls it ours no longer. Asked anew after each wait: the answer comes from elsewhere."""
        return bool(self.changed)

    def change(self, row: JobRow | None) -> None:
        """Note that Business Central no longer calls it ours, and wake its worker."""
        self.changed = describe(row)
        self.poke.set()


def describe(row: JobRow | None) -> str:
    """Say for people what became of a job that is no longer ours."""
    if row is None:
        return "it was deleted in Business Central"
    if row.state is JobState.PRINTING:
        return "another processor has taken it over"
    return f"it was set to {row.state.enum_name} in Business Central"


def row_of(entry: Entry) -> JobRow:
    """Make a row of what the journal knows; its tag is not known."""
    return JobRow(
        row_no=entry.row_no,
        printer_id=entry.printer_id,
        state=JobState.PRINTING,
        payload=entry.payload,
        id=entry.row_id,
        attempts=entry.attempt,
    )
