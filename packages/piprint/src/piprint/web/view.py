"""What the status page shows, as plain data: one picture of the service at one moment.

The service makes it (see :mod:`piprint.runtime.service`), the page's API and the metrics tell it, and ``piprint jobs`` prints it.
Texts from printers and from Business Central may hold anything, markup too: whoever shows them must show them as plain text.

This module does not know HTTP, and not where the facts come from.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

__all__ = [
    "ActionFailed",
    "Connection",
    "Job",
    "PastJob",
    "PrinterView",
    "Service",
    "Snapshot",
    "Totals",
    "Trouble",
    "to_json",
]


@dataclass(frozen=True, slots=True)
class Connection:
    """How Business Central is reached.

    Attributes:
        state: ``connected``, ``connecting`` or ``trouble``.
        address: of Business Central, without login.
        company: as configured; "" when there is one only.
        dialect: which extension answers; "" before it is known.
        last_contact: when it answered last.
        calls: since the start.
        failed: of these, without a good answer.
        calls_last_hour: in the last 60 minutes.
        next_try: when it is asked again after a failed call; None while it answers.
    """

    state: str = "connecting"
    address: str = ""
    company: str = ""
    dialect: str = ""
    last_contact: datetime | None = None
    calls: int = 0
    failed: int = 0
    calls_last_hour: int = 0
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class PrinterView:
    """A printer of this host.

    Attributes:
        id: its name in Business Central's queue.
        title: make and model, or what it calls itself.
        uri: where it is, without login.
        origin: ``cups``, ``dns-sd``, ``configured`` or ``windows``.
        state: ``idle``, ``processing``, ``stopped`` or ``unreachable``.
        reasons: IPP printer-state-reasons, such as ``media-empty-error``; for programs.
        words: the same in plain words.
        message: the printer's own words, or why it cannot be asked.
        accepting: it takes jobs.
        offered: Business Central offers it; False: a user switched it off there, or it is not registered; None: not asked.
        problem: why it could not be registered; "" when it was.
        papers: sizes it offers, the default first.
        trays: names of its paper sources.
        duplex: None when not told.
        color: None when not told.
        followed: its jobs can be asked to their end; False: "Printed" means "sent".
        queued: jobs waiting for it in Business Central.
        printing: jobs of it here.
    """

    id: str
    title: str = ""
    uri: str = ""
    origin: str = ""
    state: str = "idle"
    reasons: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    message: str = ""
    accepting: bool = True
    offered: bool | None = True
    problem: str = ""
    papers: tuple[str, ...] = ()
    trays: tuple[str, ...] = ()
    duplex: bool | None = None
    color: bool | None = None
    followed: bool = True
    queued: int = 0
    printing: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A job this processor has.

    Attributes:
        row_no: its number in Business Central.
        printer: the printer's id.
        step: how far it has come (see :mod:`piprint.journal.steps`).
        message: for people.
        since: when it was claimed.
        attempt: 1 for its first time.
        title: the report's name; "" when not told.
        company: the company it was printed in; "" when not told.
    """

    row_no: int
    printer: str
    step: str
    message: str = ""
    since: datetime | None = None
    attempt: int = 1
    title: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class PastJob:
    """A job that is over.

    Attributes:
        row_no: its number in Business Central.
        printer: the printer's id.
        outcome: ``printed``, ``error``, ``uncertain``, ``released`` or ``changed`` (see :class:`piprint.journal.entry.Outcome`).
        message: what Business Central was told.
        ended: when it was printed, or ended otherwise; Business Central may have been told later.
        seconds: from the claim to that; None when not known.
        attempt: which try it was.
        title: see :class:`Job`.
        company: see :class:`Job`.
    """

    row_no: int
    printer: str
    outcome: str
    message: str = ""
    ended: datetime | None = None
    seconds: float | None = None
    attempt: int = 1
    title: str = ""
    company: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something a person should know; :attr:`help` says what to do about it."""

    what: str
    help: str = ""


BUCKETS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800)
"""Upper bounds, in seconds, of the distribution of times from claim to printed."""


@dataclass(slots=True)
class Totals:
    """Counts: outcomes since the journal began, times since the start."""

    outcomes: dict[str, int] = field(default_factory=dict)
    seconds: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds_sum: float = 0.0

    def took(self, seconds: float) -> None:
        """Count how long a job took from its claim until it was printed."""
        self.seconds[sum(bound < seconds for bound in BUCKETS)] += 1
        self.seconds_sum += seconds


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment.

    Attributes:
        hours: printed and failed jobs of each of the last 24 hours, the current one last.
        printed_today, failed_today: since midnight, by this host's clock.
    """

    version: str
    host: str
    instance: str
    started: datetime
    connection: Connection = Connection()
    printers: tuple[PrinterView, ...] = ()
    jobs: tuple[Job, ...] = ()
    history: tuple[PastJob, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    hours: tuple[tuple[int, int], ...] = ()
    printed_today: int = 0
    failed_today: int = 0
    totals: Totals = field(default_factory=Totals)


class ActionFailed(Exception):
    """What was asked on the page could not be done; the message is for people."""


class Service(Protocol):
    """The service, seen from its page."""

    def snapshot(self) -> Snapshot:
        """Return how everything is now; asks nobody, costs little."""

    def watched(self) -> None:
        """Note that somebody has the page open; called again and again while it is."""

    def healthy(self) -> bool:
        """Tell whether all parts run; trouble outside (Business Central, a printer) is no illness."""

    def log_lines(self, after: int = 0) -> tuple[int, list[str]]:
        """Return how many lines were logged so far, and those after the ``after``-th that are still there."""

    async def test_page(self, printer_id: str) -> str:
        """Print a test page; return what to tell. Raises ActionFailed."""

    async def restart(self, row_no: int, *, any_host: bool = False) -> str:
        """Queue a job again in Business Central; return what to tell. Raises ActionFailed."""


def to_json(snapshot: Snapshot) -> str:
    """Return a snapshot as JSON; its keys are the attributes' names, times are ISO 8601."""
    return json.dumps(dataclasses.asdict(snapshot), default=datetime.isoformat, ensure_ascii=False)
