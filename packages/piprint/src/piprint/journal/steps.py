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
SENT              it has the document (a held job: whole) held, and it has run on: release; else cancel and submit
RELEASING         it may print                            ask, see below
FOLLOWING         it prints                               ask, see below
ENDED             outcome known, not yet reported         report; a spooler that has the job again: see below
REPORTED          Business Central knows                  the document is deleted; a spooler that has it again: see below
================  ======================================  ==============================================

"Ask": look for the job by id, uuid and name, then by name alone; weigh whether the printer has run on since it got the job
(:mod:`piprint.jobs.evidence`). Then, at a step after which it may have printed:

=============================  ==========================  =========================================================
the printer says               it has run on               that it restarted cannot be excluded
=============================  ==========================  =========================================================
no such job                    policy                      policy
it waits for the document      follow (sending: again)     policy: it may have had it, printed it, and forgotten
held, release begun            release                     policy: what it says may be older than what it printed
held, release done             follow: somebody holds it   policy, as above
prints, or will                follow                      follow, told "may have been printed twice"
completed                      printed                     printed, told so; policy if it may have lost the document
cancelled, aborted             Error                       Error, told "may have been printed before that"
=============================  ==========================  =========================================================

"Policy" is the printer's setting ``uncertain`` (hold: Error, "may have been printed"; reprint: a new attempt, told); whatever
the printer still has of the job is cancelled first. "May have lost the document": a CUPS that is
not proven to have run on, after a restart of this process or if it runs on another computer, for then that computer may have
restarted, too, and CUPS never syncs documents.

What tells the kinds of printers apart: CUPS shows a restart by its connection and by a subscription; IPP printers by
printer-up-time; the Windows queue by nothing, so after any error it cannot be excluded; a raw printer (port 9100) takes
a job in one go and is never asked: a sending that broke is *uncertain*.

A job that had ended and that a spooler has again (CUPS saves its list up to 30 s late) is cancelled there, and told if it
came out first (:mod:`piprint.jobs.returned_jobs`).

This module does not know SQLite (see :mod:`piprint.journal.store`) and takes no decision (see :mod:`piprint.jobs.recovery`).
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
