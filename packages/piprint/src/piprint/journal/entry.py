"""What the journal remembers of one claim of a job: all that is needed to go on after a kill.

This module does not know SQLite, and takes no decision.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from piprint.bc.job import Claim
from piprint.journal.steps import Step
from piprint.printers.printer import Accepted

__all__ = ["Entry", "Outcome"]


_BEFORE_SENDING = frozenset({Step.CLAIMING, Step.CLAIMED, Step.STORED, Step.CREATING, Step.CREATED})


class Outcome(enum.StrEnum):
    """How a claim of a job ended."""

    PRINTED = "printed"
    ERROR = "error"
    UNCERTAIN = "uncertain"  # it may have been printed; Business Central is told Error and why
    RELEASED = "released"  # given back, Queued again
    CHANGED = "changed"  # a user changed it, or another processor has it; Business Central's state stays
    UNCLAIMED = "unclaimed"  # the claim never became ours


@dataclass(frozen=True, slots=True)
class Entry:
    """One claim of a job.

    Attributes:
        row_no: the job's number in Business Central.
        attempt: which claim of that job; with ``row_no`` the key, and the name of the document in the spool.
        printer_id: the printer it is for.
        claim: the claim's token.
        name: the job's name at the printer.
        row_id: the row's SystemId; "" with PIPrint 1.0.
        payload: the print settings; emptied when the job is reported.
        title: the report's name, for people; "" when not told.
        company: the company it was printed in; "" when not told.
        run_id: Business Central's number of that run of the report, for whoever compares logs; "" when not told.
        step: how far it has come.
        tries: submissions at the printer, the present one included.
        faults: how many of them failed by the printer's doing.
        restarts: times the processor was killed while it had the document in its own hands.
        inherits: the name at the printer under which the processor before us may have printed it; "" if there was none,
            or once that is cleared up.
        inherited: whether that processor had said it submits; None when it cannot be known.
        ipp_id: the printer's job id; 0 before it has one.
        ipp_uuid: the printer's job-uuid; "" when it has none.
        ipp_up_time: printer-up-time when the printer took the job; None when not told.
        ipp_begun: time-at-processing, noted once that second was over by the printer's clock, and at the end; None before, or
            when not told.
        ipp_run: which run of the printer the job was handed to (:attr:`piprint.printers.printer.Run.token`); "" when not told.
        held: the printer holds the job until it is released.
        submitted: a part of the document may have reached the printer. False at :attr:`Step.SENDING`: the sending failed, and
            for certain before the first byte.
        size: bytes of the document.
        notes: for people: what was clamped, what happened on the way.
        message: for people: how it ended, or what it waits for.
        outcome: None until :attr:`Step.ENDED`.
        begun: when it was claimed, UTC.
        ended: when it was printed, or ended otherwise, UTC; None before :attr:`Step.ENDED`. The report may be much later.
        changed: when this entry was last written, UTC.
    """

    row_no: int
    attempt: int
    printer_id: str
    claim: str
    name: str
    row_id: str
    payload: str
    step: Step
    begun: datetime
    changed: datetime
    title: str = ""
    company: str = ""
    run_id: str = ""
    tries: int = 0
    faults: int = 0
    restarts: int = 0
    inherits: str = ""
    inherited: bool | None = None
    ipp_id: int = 0
    ipp_uuid: str = ""
    ipp_up_time: int | None = None
    ipp_begun: int | None = None
    ipp_run: str = ""
    held: bool = False
    submitted: bool = False
    size: int = 0
    notes: tuple[str, ...] = ()
    message: str = ""
    outcome: Outcome | None = None
    ended: datetime | None = None

    @property
    def taken_over(self) -> bool:
        """Tell whether the printer has the job from another processor, under the name of that one's claim."""
        return not self.name.endswith(self.claim.rpartition(".")[2])

    @property
    def unsent(self) -> bool:
        """Tell whether the printer cannot have any part of the document."""
        return self.step in _BEFORE_SENDING or (self.step is Step.SENDING and not self.submitted)

    @property
    def seconds(self) -> float | None:
        """Return the time from its claim to its end; None before, and when a clock was put back meanwhile."""
        if self.ended is None or self.ended < self.begun:
            return None
        return (self.ended - self.begun).total_seconds()

    @property
    def about(self) -> str:
        """Return which job this is, for the log: its number, printer, report and run, as far as they are known."""
        run = f"run {self.run_id}" if self.run_id else ""
        known = ", ".join(part for part in (self.title, run) if part)
        return f"job {self.row_no} for {self.printer_id}" + (f" ({known})" if known else "")

    @property
    def accepted(self) -> Accepted:
        """Return the job as the printer knows it; of use from :attr:`Step.CREATED` on."""
        return Accepted(self.ipp_id, self.ipp_uuid, self.name, self.ipp_up_time, self.held)

    def claim_of(self, host: str) -> Claim:
        """Return the claim in full.

        Raises:
            ValueError: the journal holds something that is no claim.
        """
        claim = Claim.read(host, self.claim)
        if claim is None:
            raise ValueError(f"the journal's claim of job {self.row_no} is damaged")
        return claim
