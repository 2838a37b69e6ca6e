"""What a job's row, read again, says about a change of it that was refused or not answered.

Both dialects decide by this. The module does not know how a row is read or changed.
"""

from __future__ import annotations

from piprint.bc.job import Claim, JobRow
from piprint.bc.queue import FinishOutcome
from piprint.contract import JobState
from piprint.errors import BcRefused

__all__ = ["ours", "seen"]


def ours(job: JobRow, claim: Claim) -> bool:
    """Tell whether a job prints under this claim."""
    return job.state is JobState.PRINTING and job.claim is not None and job.claim.token == claim.token


def seen(now: JobRow | None, claim: Claim, state: JobState, message: str) -> FinishOutcome | None:
    """Tell how a change of a job of ours to a state and message ended; None when it has to be tried again."""
    if now is None:
        return FinishOutcome.GONE
    if now.state is state and now.message == message:
        return FinishOutcome.DONE  # by an earlier try whose answer got lost
    if now.state is not JobState.PRINTING:
        return FinishOutcome.CHANGED
    return None if ours(now, claim) else FinishOutcome.LOST


def expect_own(now: JobRow | None, host: str, *, any_host: bool) -> None:
    """Refuse to queue again a job for another host's printers: its paper would come out elsewhere.

    Raises:
        BcRefused: it is another host's, and that was not asked for.
    """
    if now is None or any_host or now.host == host:
        return
    raise BcRefused(
        f"Job {now.row_no} is for the printers of host {now.host!r}, this one is {host!r}; nothing was done. To have it printed "
        f"there once more, type: piprint reprint {now.row_no} --any-host"
    )
