"""The life of a job here, as a table: which step may follow which, and what each means after a kill.

A step is written to disk *before* the thing it announces (``CREATING``, ``SENDING``, ``RELEASING``) or *after* the
thing it notes (``CREATED``, ``SENT`` ...). So whoever starts after a kill knows what may have happened:

================  ======================================  ==============================================
step on disk      what may have happened                  what recovery does
================  ======================================  ==============================================
CLAIMING          Business Central may call it ours       read the row, compare the claim
CLAIMED           it is ours; no document here            fetch the document
STORED            the document is here                    submit
CREATING          the printer may have an empty job       cancel any of that name, then submit
CREATED           the printer has an empty job            cancel it, then submit
SENDING           it may have the document                held jobs: cancel and submit; others: ask, see below
SENT              it has the document (a held job: whole) held: release; else follow
RELEASING         it may print                            ask, see below
FOLLOWING         it prints                               ask, see below
ENDED             outcome known, not yet reported         report
REPORTED          Business Central knows                  nothing; the document is deleted
================  ======================================  ==============================================

"Ask": look for the job by id, uuid and name, then by name alone. Found: follow it. Not found: it is *uncertain*, and the
printer's policy decides (hold: Error, "may have printed"; reprint: a new attempt).

This module does not know SQLite (see :mod:`piprint.journal.store`) and takes no decision (see :mod:`piprint.recovery`).
"""

from __future__ import annotations

import enum

__all__ = ["FOLLOWED_BY", "Step"]


class Step(enum.StrEnum):
    """How far a job has come; see the table above."""

    CLAIMING = "claiming"
    CLAIMED = "claimed"
    STORED = "stored"
    CREATING = "creating"
    CREATED = "created"
    SENDING = "sending"
    SENT = "sent"
    RELEASING = "releasing"
    FOLLOWING = "following"
    ENDED = "ended"
    REPORTED = "reported"


FOLLOWED_BY: dict[Step, frozenset[Step]] = {
    Step.CLAIMING: frozenset({Step.CLAIMED, Step.STORED, Step.REPORTED}),
    Step.CLAIMED: frozenset({Step.STORED, Step.ENDED}),
    Step.STORED: frozenset({Step.CREATING, Step.FOLLOWING, Step.ENDED}),
    Step.CREATING: frozenset({Step.CREATED, Step.STORED, Step.ENDED}),
    Step.CREATED: frozenset({Step.SENDING, Step.STORED, Step.ENDED}),
    Step.SENDING: frozenset({Step.SENT, Step.STORED, Step.FOLLOWING, Step.ENDED}),
    Step.SENT: frozenset({Step.RELEASING, Step.FOLLOWING, Step.STORED, Step.ENDED}),
    Step.RELEASING: frozenset({Step.FOLLOWING, Step.STORED, Step.ENDED}),
    Step.FOLLOWING: frozenset({Step.STORED, Step.ENDED}),
    Step.ENDED: frozenset({Step.REPORTED}),
    Step.REPORTED: frozenset(),
}
"""``STORED`` again is a new try at the printer, ``STORED`` from ``CLAIMING``: the document came with the claim's answer,
``FOLLOWING`` from ``STORED``: the processor before us had it printed, ``REPORTED`` from ``CLAIMING``: the claim was not
ours, or is given up."""
