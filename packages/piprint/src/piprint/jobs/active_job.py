"""A job from its claim to its report: its journal entry, and what only matters until the process ends.

This module does not know what is done with it.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState
from piprint.jobs.phases import NEXT, Event, Phase
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
class Lease:
    """What Business Central last said about whose the job is. Times are the loop's.

    Attributes:
        confirmed: when we asked, of the last question that was answered "it is yours".
        guarded: Business Central knows that the document may be at the printer.
        renew_from: the lease is not renewed before.
    """

    confirmed: float = -math.inf
    guarded: bool = False
    renew_from: float = -math.inf


@dataclass(eq=False, slots=True)
class Hindrance:
    """Why the job does not get on. Times are the loop's.

    Attributes:
        words: why, for people; "" while it gets on.
        since: since when the printer does not get on with it; None while it does.
        said_since: since when it is said in these words.
        remedy: what to do about it; "" when that is not known, or the words say it.
        silent: it has been printing for long without a sign of progress.
        again: why it is printed anew, until the printer shows any progress.
        logged: what stands in the log already, whatever number it tells.
    """

    words: str = ""
    since: float | None = None
    said_since: float = -math.inf
    remedy: str = ""
    silent: bool = False
    again: str = ""
    logged: set[str] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Notice:
    """What the job's message in Business Central says of its waiting. Times are the loop's.

    Attributes:
        waiting_since: since when it was seen waiting for whatever it is.
        words: what the message says.
        not_before: it is not written anew before.
    """

    waiting_since: float | None = None
    words: str = ""
    not_before: float = -math.inf


@dataclass(eq=False, slots=True)
class Watch:
    """What was seen of the job at its printer. Times are the loop's.

    Attributes:
        progress: its signs of progress while it prints.
        stopped_since: since when the printer has it stopped for no reason.
        seen_printing: the printer said it prints the job.
        run: the number of the printer's run that it was handed to (:class:`piprint.printers.printer.Run`); 0 when not known.
        unwatched: the printer was not, or could not be, asked all the time since.
        resumed: this process was started anew since.
        begun_at: time-at-processing as it was first seen; None before.
        look_every: seconds until the printer is asked again.
        count_from: the document's pages are not counted before, as that failed.
    """

    progress: Progress = field(default_factory=Progress)
    stopped_since: float | None = None
    seen_printing: bool = False
    run: int = 0
    unwatched: bool = True
    resumed: bool = True
    begun_at: int | None = None
    look_every: float = 0.0
    count_from: float = -math.inf


@dataclass(eq=False, slots=True)
class Failed:
    """How often something failed.

    Attributes:
        in_a_row: steps, since one went well.
        fetches: times Business Central answered and did not give the document.
        mistakes: unexpected exceptions.
        submissions: by the printer's doing, also those the journal does not know yet.
    """

    in_a_row: int = 0
    fetches: int = 0
    mistakes: int = 0
    submissions: int = 0


@dataclass(eq=False, slots=True)
class ActiveJob:
    """A job from its claim to its report.

    What never changes is final; how far it has come is in the journal's entry; what is done with it is its phase, which changes by
    :meth:`happened` alone. The rest is what was seen and said of it, by subject.

    Attributes:
        claim: the claim that makes it ours.
        begun: when it was taken; loop time.
        entry: as the journal has it.
        row: as Business Central told it last.
        phase: what is done with it.
        given_up: why it is not printed any more, for people; "" while it is.
        stuck: it was given up because nothing moved.
        changed: what became of it in Business Central, for people; "" while it is ours.
        wait: seconds before the next step is tried.
        poke: wakes whoever waits on behalf of this job.
        prepared: the document and its ticket, once checked.
        lease: whose it is.
        hindrance: why it does not get on.
        notice: what people were told of that.
        watch: what was seen at the printer.
        failed: how often something failed.
    """

    claim: Final[Claim]
    begun: Final[float]
    entry: Entry
    row: JobRow
    phase: Phase = Phase.UNSURE
    given_up: str = ""
    stuck: bool = False
    changed: str = ""
    wait: float = 0.0
    poke: asyncio.Event = field(default_factory=asyncio.Event)
    prepared: Prepared | None = None
    lease: Lease = field(default_factory=Lease)
    hindrance: Hindrance = field(default_factory=Hindrance)
    notice: Notice = field(default_factory=Notice)
    watch: Watch = field(default_factory=Watch)
    failed: Failed = field(default_factory=Failed)

    def happened(self, event: Event) -> None:
        """Go to the phase that follows (:data:`piprint.jobs.phases.NEXT`)."""
        self.phase = NEXT[self.phase, event]

    def give_up(self, reason: str, *, stuck: bool = False) -> None:
        """Print it no more; the reason is for people."""
        self.given_up, self.stuck = reason, self.stuck or stuck
        self.happened(Event.GAVE_UP)

    def reprint(self) -> None:
        """Print it once more after all: it is waited for as from the beginning."""
        self.given_up, self.stuck = "", False
        self.hindrance.since, self.watch.progress = None, Progress()
        self.happened(Event.REPRINT)

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
        return self.watch.seen_printing or self.entry.ipp_begun is not None or told

    def is_changed(self) -> bool:
        """Tell whether Business Central no longer calls it ours. Another task may note that at any wait, so ask after each."""
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
