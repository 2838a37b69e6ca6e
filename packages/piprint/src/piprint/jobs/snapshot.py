"""What the processor looks like from outside at one moment: for the status page, the metrics and the doctor. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from piprint.bc.backoff import ConnectionState
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.printers.printer import PrinterAddress, PrinterStatus

__all__ = ["ConnectionView", "JobView", "PrinterView", "Snapshot"]


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """Business Central, as the last calls found it; see :class:`piprint.bc.backoff.Connection`."""

    state: ConnectionState
    message: str
    failures: int
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrinterView:
    """A printer.

    Attributes:
        address: who and where it is.
        status: how it is; None while that is not known.
        problem: for people: why it cannot be reached or was not registered; "" when all is well.
        description: make and model.
        offered: Business Central is told of it.
        disabled: a user switched it off in Business Central.
        gone: this host no longer has it.
        queued: jobs waiting in Business Central, as it counted last, without those whose claim was begun since.
        printing: row number of the job in hand; None without one.
    """

    address: PrinterAddress
    status: PrinterStatus | None
    problem: str
    description: str
    offered: bool
    disabled: bool
    gone: bool
    queued: int
    printing: int | None


@dataclass(frozen=True, slots=True)
class JobView:
    """A job in hand, from before its claim until its report is accepted.

    Attributes:
        row_no: its number in Business Central.
        attempt: which claim.
        printer_id: the printer.
        name: its name at the printer.
        step: how far it has come.
        tries: submissions so far.
        size: bytes of the document.
        message: what it waits for, or how it ended; "" while all goes well.
        begun: when it was claimed.
        title: the report's name; "" when not told.
        company: the company it was printed in; "" when not told.
        remedy: what to do about what it waits for; "" when that is not known, or the message says it.
    """

    row_no: int
    attempt: int
    printer_id: str
    name: str
    step: Step
    tries: int
    size: int
    message: str
    begun: datetime
    title: str = ""
    company: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of it.

    Attributes:
        host: the host id.
        instance: this processor's random name.
        dialect: which extension answers.
        started: when the processor started.
        overdue: seconds for which the loop that asks for work should have asked again; 0 while it waits as it meant to, also
            after a failed call. A watchdog looks at it.
        connection: Business Central.
        printers: by id.
        jobs: those in hand, by row number.
        totals: how many jobs ended how, since the journal began.
        paused: for people: why no job is claimed; "" when they are.
        problems: for people: printers that could not be listed or registered, mistakes of this program.
        mistakes: unexpected exceptions survived since the start.
    """

    host: str
    instance: str
    dialect: str
    started: datetime
    overdue: float
    connection: ConnectionView
    printers: tuple[PrinterView, ...]
    jobs: tuple[JobView, ...]
    totals: Mapping[Outcome, int]
    paused: str
    problems: tuple[str, ...]
    mistakes: int
