"""How this process stands to a job while it lasts, as a table: what happened, and what is done with the job then.

The step on disk (:mod:`piprint.journal.steps`) says how far the job has come, also after a kill. The phase says what this process
knows of it now, and ends with the process:

=============  ==============================================================================================
unsure         something unexpected happened, or nothing yet: the printer is asked before anything else
followed       the printer has the job and tells of it what fits
withdrawing    Business Central no longer calls it ours: it is cancelled at the printer, and ended
giving up      it is not printed: what the printer has of it is cancelled, and it ends with the reason
abandoning     both of these: it ends as Business Central has it
=============  ==============================================================================================

Which phase follows on which event is :data:`NEXT`, to be read by rows: a failure, for instance, makes a followed job unsure, and
changes nothing of one that is being ended.

This module does not know printers or Business Central.
"""

from __future__ import annotations

import enum

__all__ = ["NEXT", "Event", "Phase"]


class Phase(enum.Enum):
    """What this process does with a job."""

    UNSURE = "unsure"
    FOLLOWED = "followed"
    WITHDRAWING = "withdrawing"
    GIVING_UP = "giving up"
    ABANDONING = "abandoning"

    @property
    def is_given_up(self) -> bool:
        """Tell whether the job is not printed any more by our decision, whatever Business Central says."""
        return self in {Phase.GIVING_UP, Phase.ABANDONING}

    @property
    def is_withdrawn(self) -> bool:
        """Tell whether it was taken from us by Business Central, and we have begun to act on that."""
        return self in {Phase.WITHDRAWING, Phase.ABANDONING}


class Event(enum.Enum):
    """What happened to a job."""

    FOLLOWED = "followed"  # the printer told of it what fits
    FAILED = "failed"  # a step failed, or what the printer told does not fit
    CHANGED = "changed"  # Business Central no longer calls it ours
    GAVE_UP = "gave up"  # it cannot be printed, or was waited for long enough
    REPRINT = "reprint"  # given up at the printer, and by its settings printed once more


_U, _F, _W, _G, _A = Phase
_ROWS: dict[Phase, tuple[Phase, ...]] = {
    # phase:    FOLLOWED  FAILED  CHANGED  GAVE_UP  REPRINT
    _U: (_F, _U, _W, _G, _U),
    _F: (_F, _U, _W, _G, _U),
    # What is being ended stays so, whatever fails on the way.
    _W: (_W, _W, _W, _A, _W),
    _G: (_G, _G, _A, _G, _U),
    _A: (_A, _A, _A, _A, _A),
}

NEXT: dict[tuple[Phase, Event], Phase] = {
    (phase, event): after for phase, row in _ROWS.items() for event, after in zip(Event, row, strict=True)
}
"""What a job's phase is after something happened: for each pair of them, so that nothing that happens is out of place."""
