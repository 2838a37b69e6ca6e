"""How the processor stands at one moment, for whoever shows it: the facts themselves, not yet in the words of a page. Data only.

What people see is made of it in one place, :mod:`piprint.web.presenter`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from piprint.bc.backoff import Connection
from piprint.journal.entry import Entry, Outcome
from piprint.printers.printer import PrinterAddress
from piprint.printers.registry import KnownPrinter

__all__ = ["JobFacts", "PrinterFacts", "State"]


@dataclass(frozen=True, slots=True)
class PrinterFacts:
    """A printer, and how Business Central and the jobs stand to it.

    Attributes:
        known: what this host knows of it.
        refused: for people: why it was not registered; "" when it was.
        offered: Business Central is told of it.
        disabled: a user switched it off in Business Central.
        queued: jobs waiting in Business Central, as it counted last, without those whose claim was begun since.
        printing: row number of its active job; None without one.
    """

    known: KnownPrinter
    refused: str
    offered: bool
    disabled: bool
    queued: int
    printing: int | None

    @property
    def address(self) -> PrinterAddress:
        """Return the printer's id and address."""
        return self.known.address

    @property
    def gone(self) -> bool:
        """Tell whether this host no longer has the printer."""
        return self.known.gone_since is not None

    @property
    def problem(self) -> str:
        """Return for people why it cannot be reached, or was not registered; "" when all is well."""
        return self.known.problem or self.refused


@dataclass(frozen=True, slots=True)
class JobFacts:
    """An active job, from before its claim until its report is accepted.

    Attributes:
        entry: as the journal has it.
        message: what it waits for, or how it ended; "" while all goes well.
        remedy: what to do about what it waits for; "" when that is not known, or the message says it.
    """

    entry: Entry
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class State:
    """All of it.

    Attributes:
        host: the host id.
        instance: this processor's random name.
        dialect: which extension answers.
        started: when the processor started.
        overdue: seconds for which the loop that asks for work should have asked again; 0 while it waits as it meant to, also
            after a failed call. A watchdog looks at it.
        connection: Business Central, as the last calls found it.
        printers: by id.
        jobs: the active ones, by row number.
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
    connection: Connection
    printers: tuple[PrinterFacts, ...]
    jobs: tuple[JobFacts, ...]
    totals: Mapping[Outcome, int]
    paused: str
    problems: tuple[str, ...]
    mistakes: int
