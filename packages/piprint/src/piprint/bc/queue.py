"""What the processor asks of Business Central, whichever extension answers: the interface of its two dialects.

:class:`Queue` is implemented by :mod:`piprint.bc.dialects.webservice` (PIPrint 1.0, OData pages and tags) and by
:mod:`piprint.bc.dialects.api` (our extension's API pages and guarded actions). All methods raise :class:`piprint.errors.BcError`;
waiting and trying again on throttling is the caller's, except where a method says otherwise.

This module does not know HTTP.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState

__all__ = ["BcProblem", "ClaimOutcome", "Claimed", "FinishOutcome", "OfferedPrinter", "Probe", "Queue"]


@dataclass(frozen=True, slots=True)
class OfferedPrinter:
    """A printer of this host, as Business Central shall offer it.

    Attributes:
        printer_id: our name for it, at most 250 UTF-16 units.
        printer_name: the name to show at first; a user may have changed it since.
        payload: the printer's JSON payload, valid by :mod:`piprint.documents.payloads`.
        state: ``idle``, ``processing`` or ``stopped``; told only to our extension.
        state_message: for people.
    """

    printer_id: str
    printer_name: str
    payload: str
    state: str = "idle"
    state_message: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """The cheap answer to "is there work?".

    Attributes:
        queued: jobs waiting, by printer id; only enabled printers of this host.
        printing: jobs in state Printing, by printer id.
        disabled: printers a user switched off in Business Central.
    """

    queued: Mapping[str, int]
    printing: Mapping[str, int]
    disabled: frozenset[str] = frozenset()


class ClaimOutcome(enum.Enum):
    """How a claim ended."""

    OURS = "ours"
    CHANGED = "changed"  # a user held, cancelled or deleted it; leave it
    TAKEN = "taken"  # another processor has it


@dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to a claim.

    Attributes:
        outcome: see :class:`ClaimOutcome`.
        row: the row as it is now; None when it is gone.
        size: bytes of the document written; 0 unless OURS.
    """

    outcome: ClaimOutcome
    row: JobRow | None
    size: int = 0


class FinishOutcome(enum.Enum):
    """How a report of an outcome ended."""

    DONE = "done"
    CHANGED = "changed"  # a user changed the job meanwhile, and that stays
    LOST = "lost"  # another processor has taken it over
    GONE = "gone"  # the job was deleted


@dataclass(frozen=True, slots=True)
class BcProblem:
    """Why a printer could not be registered, for people."""

    message: str


class Queue(Protocol):
    """Business Central, seen from the processor."""

    dialect: str
    """For people: ``PIPrint 1.0 web services`` or ``API pages``."""
    says_state: bool
    """A printer's row says how the printer is, so that jobs waiting for it need no word of their own."""

    @property
    def calls(self) -> int:
        """Return how many calls went out so far, answered or not."""

    async def processors(self, since: datetime) -> set[str]:
        """Return the instances that work for this host's id, ours among them: those seen since then, by Business Central's clock.

        PIPrint 1.0 knows only those that are printing just now.
        """

    async def check(self) -> None:
        """Ask for as little as possible, to see that login, rights and extension are in order."""

    async def probe(self, *, beat: bool = False) -> Probe:
        """Ask whether there is work. One call. May be answered by a replica that lags.

        Args:
            beat: say at the same time that this processor lives (API pages; costs no further call).
        """

    async def register(self, printers: Sequence[OfferedPrinter], *, message: str = "") -> dict[str, BcProblem]:
        """Make Business Central offer exactly these printers for this host.

        New ones are added, changed payloads written, those gone are disabled (PIPrint 1.0 and ours; never deleted: a
        deleted printer takes its jobs along). A printer a user disabled stays so; one that we disabled is enabled again.

        Returns:
            what failed, by printer id; one printer's trouble never stops the others.

        Raises:
            BcError: it is not one printer's: no answer, no rights, a pause asked for. Call again, it goes on where it was.
        """

    async def waiting(self, printers: Sequence[str], limit: int) -> list[JobRow]:
        """Return jobs in state Queued for these printers, oldest first, without documents; at most ``limit``.

        Name printers that have work, as :meth:`probe` tells: one without may cost a call of its own.
        """

    async def printing(self) -> list[JobRow]:
        """Return all jobs of this host in state Printing, of whatever processor; from the primary, never a replica."""

    async def row(self, row_no: int) -> JobRow | None:
        """Return one job as it is now, from the primary; None when it is gone."""

    async def claim(self, job: JobRow, claim: Claim, into: Path, *, lease: float) -> Claimed:
        """Take a job and write its document to ``into`` (mode 0600, streamed, not yet fsynced by contract: the caller does).

        Also takes over a job in state Printing, when ``job`` carries a claim whose lease ran out: with API pages Business
        Central checks that by its clock, with PIPrint 1.0 the caller has watched the message stay the same.
        An unknown outcome (no answer) is cleared up by reading the row, and the document fetched again.

        Raises:
            SpoolFull: no room for the document; the claim stands, release it.
            DocumentError: it is damaged, missing or too large; the claim stands, report Error.
        """

    async def fetch(self, job: JobRow, into: Path) -> int:
        """Write the document of a job that is ours once more (after a restart); return its bytes.

        Raises:
            SpoolFull, DocumentError: as :meth:`claim`.
        """

    async def renew(self, job: JobRow, claim: Claim, *, lease: float) -> bool:
        """Say that we still have the job; False when it is no longer ours."""

    async def submitting(self, job: JobRow, claim: Claim) -> bool:
        """Say that the job goes to a printer now; False when it is no longer ours: then it must not be printed."""

    async def tell(self, job: JobRow, claim: Claim, message: str) -> bool:
        """Write into the message of a job of ours what it waits for, "" when it goes on; False when that cannot be said.

        It changes nothing else: neither the claim, nor who takes it over when, nor that it prints.
        """

    async def note(self, job: JobRow, message: str) -> None:
        """Write into the message of a job that waits and is nobody's why it is not taken.

        Only where no printer's row says so (:attr:`says_state`); left as it is when it changed since it was listed.
        """

    async def release(self, job: JobRow, claim: Claim, message: str) -> FinishOutcome:
        """Give a job back: Printing -> Queued."""

    async def finish(self, job: JobRow, claim: Claim, *, printed: bool, message: str) -> FinishOutcome:
        """Report Printed or Error, unless the job is no longer ours. Safe to call again after no answer."""

    async def amend(self, job: JobRow, claim: Claim, message: str, *, before: str) -> bool:
        """Write another message into a job whose end was reported, as something about it came to light.

        Args:
            job: the job.
            claim: the claim under which it ended.
            message: the message in full.
            before: the message as it was reported.

        Returns:
            False when it is not as we left it any more: a user, or another processor, had it since.
        """

    async def restart(self, row_no: int, *, any_host: bool = False) -> JobState | None:
        """Queue a job again, as a user would with Restart; return its state, None when it is gone.

        Raises:
            BcRefused: it is another host's, and ``any_host`` was not asked for; nothing was done.
        """

    async def close(self) -> None:
        """Give back the connections."""
