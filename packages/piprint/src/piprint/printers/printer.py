"""What the processor asks of a printer, however it is reached: the interface of all backends.

Implemented by :mod:`piprint.printers.backends.ipp_printer` (CUPS queues and IPP Everywhere printers),
:mod:`piprint.printers.backends.raw_printer` (port 9100) and :mod:`piprint.printers.backends.windows` (the Windows spooler).
All methods raise :class:`piprint.errors.PrinterError`.

This module does not know IPP's encoding, and nothing of Business Central.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

__all__ = [
    "Accepted",
    "Capabilities",
    "Feedback",
    "JobStatus",
    "Media",
    "Printer",
    "PrinterAddress",
    "PrinterState",
    "PrinterStatus",
    "Run",
    "SpoolerState",
    "Ticket",
]


class Feedback(enum.Enum):
    """What a printer tells about a job once it has it."""

    FOLLOWED = "followed"  # its state can be asked to the end
    SENT_ONLY = "sent only"  # nothing comes back; Printed means: sent


class PrinterState(enum.IntEnum):
    """IPP printer-state (RFC 8011, 5.4.11)."""

    IDLE = 3
    PROCESSING = 4
    STOPPED = 5


class SpoolerState(enum.IntEnum):
    """IPP job-state (RFC 8011, 5.3.7)."""

    PENDING = 3
    HELD = 4
    PROCESSING = 5
    STOPPED = 6
    CANCELED = 7
    ABORTED = 8
    COMPLETED = 9

    @property
    def final(self) -> bool:
        """Tell whether the job will never change again."""
        return self >= SpoolerState.CANCELED


@dataclass(frozen=True, slots=True)
class Media:
    """A sheet size.

    Attributes:
        width: hundredths of a millimetre, across the feed, as IPP counts (PWG 5101.1).
        height: the same, along the feed.
        name: the PWG self-describing name, such as ``iso_a4_210x297mm``; "" for a size without one.
    """

    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a printer can do; what it does not tell is absent, not assumed.

    Attributes:
        description: make and model, for people.
        formats: document formats it takes, as MIME types.
        media: sizes it supports (by name); empty when it does not say (a queue without a driver).
        media_ready: what is loaded now, by source where known.
        media_default: the default size; None when not told.
        custom: smallest and largest custom size; None when there are none.
        sources: IPP media-source keywords, such as ``tray-1``, ``manual``.
        sides: IPP sides keywords.
        sides_default: which it uses for a job that names none (sides-default); "" when not told.
        scalings: IPP print-scaling keywords.
        scaling_default: which it uses for a job that names none; "" when not told.
        color: it prints colour; None when not told.
        may_have_color: that it has none is said by the settings, not by itself.
        color_modes: IPP print-color-mode keywords.
        copies: most copies of one job; None when not told.
        copies_default: how many it makes of a job that names no number.
        orientations: IPP orientation-requested values.
        holds: it takes job-hold-until, so that a job can be handed over in two steps.
        media_col: it can be told size and tray together (IPP media-col).
        operations: IPP operation ids.
    """

    description: str = ""
    formats: frozenset[str] = frozenset()
    media: tuple[Media, ...] = ()
    media_ready: tuple[tuple[str, Media], ...] = ()
    media_default: Media | None = None
    custom: tuple[Media, Media] | None = None
    sources: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    sides_default: str = ""
    scalings: tuple[str, ...] = ()
    scaling_default: str = ""
    color: bool | None = None
    may_have_color: bool = False
    color_modes: tuple[str, ...] = ()
    copies: int | None = None
    copies_default: int = 1
    orientations: tuple[int, ...] = ()
    holds: bool = False
    media_col: bool = False
    operations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class PrinterStatus:
    """How a printer is now.

    Attributes:
        state: see :class:`PrinterState`.
        reasons: IPP printer-state-reasons without ``none``, such as ``media-empty-error``.
        message: the printer's own words.
        accepting: it takes new jobs.
        up_time: seconds since it started (printer-up-time); None when not told. A fall means a restart.
    """

    state: PrinterState
    reasons: tuple[str, ...] = ()
    message: str = ""
    accepting: bool = True
    up_time: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """How a document shall be printed; None or "" leaves a matter to the printer. Already clamped to what it can do.

    Attributes:
        name: the job's name at the printer.
        format: the document's MIME type.
        copies: 1 or more.
        sides: an IPP keyword.
        color_mode: an IPP print-color-mode keyword.
        media: the sheet.
        source: an IPP media-source keyword.
        orientation: an IPP orientation-requested value (3 portrait, 4 landscape).
        scaling: an IPP print-scaling keyword (PWG 5100.16).
        notes: for people: what is not as asked; each a sentence, and the IPP attributes it speaks of. Where the printer does not
            take one of these, the sentence is not true any more.
    """

    name: str
    format: str = "application/pdf"
    copies: int = 1
    sides: str = ""
    color_mode: str = ""
    media: Media | None = None
    source: str = ""
    orientation: int | None = None
    scaling: str = ""
    notes: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that the printer knows; what is needed to find it again after a restart of either side.

    Attributes:
        id: the printer's job id; ids may be used again after a spooler's restart. 0 when it has none.
        uuid: the printer's job-uuid; "" when it has none.
        name: the job's name.
        up_time: printer-up-time when the job was made; None when not told.
        held: it prints only after :meth:`Printer.release`.
        ignored: for people: what the printer said it would not do as asked; sentences.
        untrue: the sentences of the ticket's notes that what the printer said makes untrue.
    """

    id: int
    uuid: str
    name: str
    up_time: int | None = None
    held: bool = False
    ignored: tuple[str, ...] = ()
    untrue: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job as the printer tells it.

    Attributes:
        state: see :class:`SpoolerState`.
        reasons: job-state-reasons without ``none``.
        message: job-state-message, or the printer's words.
        document_complete: False while the printer waits for (more of) the document (``job-data-insufficient``,
            ``job-incoming``).
        sheets: sides of paper printed, IPP's impressions; None when not told.
        begun: time-at-processing, in seconds of the printer's own count; None when not told, or before it prints. Another
            number later means that the printer began again.
        progress: what it has done of the job, by its own counts, always in the same order; a count that grows is a sign of life.
        up_time: the printer's own count when it answered (job-printer-up-time); None when not told.
        run: the number of the run that answered, see :class:`Run`; 0 when not told.
    """

    id: int
    uuid: str
    name: str
    state: SpoolerState
    reasons: tuple[str, ...] = ()
    message: str = ""
    document_complete: bool = True
    sheets: int | None = None
    begun: int | None = None
    progress: tuple[int, ...] = ()
    up_time: int | None = None
    run: int = 0


@dataclass(frozen=True, slots=True)
class Run:
    """Which run of a printer, or of its spooler, answers: a restart begins another.

    Attributes:
        number: counted by the one :class:`Printer` object that was asked: the same number later means that it has run on.
            0 when nothing tells.
        token: what :meth:`Printer.has_run_on` takes, also after a restart of this process; "" when nothing tells.
        up_time: printer-up-time; None when not told.
    """

    number: int = 0
    token: str = ""
    up_time: int | None = None


@dataclass(frozen=True, slots=True)
class PrinterAddress:
    """Where a printer was found or configured.

    Attributes:
        printer_id: its name in Business Central's queue; unique on this host.
        uri: ``ipp://``, ``ipps://``, ``socket://`` or ``winspool:``.
        title: for people.
        origin: ``cups``, ``dns-sd``, ``configured`` or ``windows``.
    """

    printer_id: str
    uri: str
    title: str = ""
    origin: str = "configured"


class Printer(Protocol):
    """One printer of this host."""

    address: PrinterAddress
    feedback: Feedback

    async def capabilities(self) -> Capabilities:
        """Ask the printer what it can do: paper, trays, sides, colour."""

    async def status(self) -> PrinterStatus:
        """Ask the printer for its state, and what keeps it from printing."""

    async def create(self, ticket: Ticket) -> Accepted:
        """Announce a job; held where the printer can hold. Nothing is printed yet, the document is not yet sent.

        Raises:
            PrinterBusy: it has a job and takes one at a time; wait.
        """

    async def send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        """Send the document, streamed. If it is not held, it prints from now on.

        Returns:
            The job as the printer knows it now: ``accepted`` itself, or, where ``create`` could announce nothing
            (``accepted.id`` is 0: a printer that takes a job and its document only together), with its id and uuid.
            Note it before going on.

        Raises:
            PrinterBusy: only with ``accepted.id`` 0; the document was not taken, wait and send again.
        """

    async def release(self, accepted: Accepted) -> None:
        """Let a held job print."""

    async def look(self, accepted: Accepted) -> JobStatus | None:
        """Ask for a job by id, and check that name and uuid are still those; None when the printer has no such job."""

    async def find(self, name: str) -> list[JobStatus]:
        """Ask for our jobs of that name, waiting, printing or done, as far as the printer remembers."""

    async def jobs(self) -> list[JobStatus]:
        """Ask for all our jobs, waiting, printing or done, as far as the printer remembers."""

    async def cancel(self, accepted: Accepted) -> None:
        """Cancel a job; no error when it is done or gone."""

    async def run(self) -> Run:
        """Ask which run of the printer answers. Asked before a job may print, and noted."""

    async def has_run_on(self, token: str) -> bool | None:
        """Tell whether the printer has run on since it told this :attr:`Run.token`; None when that cannot be known."""

    async def close(self) -> None:
        """Give back the connections."""
