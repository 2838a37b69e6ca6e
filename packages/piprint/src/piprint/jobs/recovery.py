"""What to do with a job of which only the last step on disk is known: after a kill, or when no answer came.

The same table serves the start of the processor, a connection that broke while a document was sent, and a job taken
over from another processor. Three things decide: the step on disk (what may have happened), whether Business Central
still calls the job ours, and what the printer says when it is asked by id, uuid and name. A printer, or its spooler, that was
restarted may say what was true before; so a fourth decides there: the evidence (:mod:`piprint.jobs.evidence`).

The rule behind every cell: a document goes to a printer again only when it is certain that nothing came out of it.
"Certain" is: the printer never had the whole document, or it held the job and the release was not begun, or it holds the
job and has run on since the release was begun. Everything else that cannot be found is *uncertain*, and the printer's
policy decides. What goes on or has ended at a printer of which a restart cannot be excluded may have come out twice, and
is told so (:func:`is_doubtful`).

Pure: this module asks nobody and waits for nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from piprint.jobs.evidence import Evidence
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from piprint.printers.printer import JobStatus, SpoolerState

__all__ = [
    "ASKED",
    "TABLE",
    "Action",
    "Finding",
    "Known",
    "Ownership",
    "decide",
    "decide_inherited",
    "is_doubtful",
    "is_not_printed",
    "judge",
    "may_be_given_back",
    "pick",
]


class Ownership(enum.Enum):
    """Whose job it is, as far as Business Central tells."""

    OURS = "ours"
    CHANGED = "changed"  # a user changed it, another processor has it, or it is gone
    UNKNOWN = "unknown"  # Business Central cannot be asked now


class Finding(enum.Enum):
    """What the printer says of a job."""

    NONE = "none"  # it knows no such job
    INCOMPLETE = "incomplete"  # it waits for the document, or for the rest of it
    HELD = "held"  # it has the document and waits for the release
    ACTIVE = "active"  # it prints, will print, or has stopped while printing
    COMPLETED = "completed"
    CANCELED = "canceled"
    ABORTED = "aborted"


class Action(enum.Enum):
    """What to do next."""

    ASK_BC = "wait until Business Central tells whose it is"
    DROP = "not ours, and the printer has nothing of it: forget it"
    WITHDRAW = "no longer ours: cancel at the printer what can be cancelled, leave Business Central's state"
    FETCH = "fetch the document"
    SUBMIT = "hand it to the printer; nothing of it was printed"
    CANCEL_AND_SUBMIT = "cancel what the printer has of it, then hand it over again; nothing of it was printed"
    RELEASE = "release the held job"
    FOLLOW = "ask for its state until the end"
    END_PRINTED = "it was printed"
    END_CANCELED = "somebody cancelled it at the printer"
    END_ABORTED = "the printer gave it up"
    HOLD = "uncertain: report that it may have been printed, a person decides"
    REPRINT = "uncertain: print it again and say so"
    REPORT = "tell Business Central how it ended"
    NOTHING = "it is reported"


class _Uncertain(enum.Enum):
    """A cell more than the step and the printer's word decide."""

    BY_POLICY = "by policy"
    RELEASE = "release if the printer has run on; else by policy"
    FOLLOW = "follow if the printer has run on; else by policy"
    SUBMIT = "submit if the printer has run on; else by policy"
    AGAIN = "cancel and submit if the printer has run on; else by policy"
    RELEASE_OR_AGAIN = "release if the printer has run on; else cancel and submit"
    DONE = "printed, unless the document may be lost; else by policy"


_BY_POLICY = _Uncertain.BY_POLICY
_IF_RAN_ON: dict[_Uncertain, Action] = {
    _Uncertain.RELEASE: Action.RELEASE,
    _Uncertain.FOLLOW: Action.FOLLOW,
    _Uncertain.SUBMIT: Action.SUBMIT,
    _Uncertain.AGAIN: Action.CANCEL_AND_SUBMIT,
    _Uncertain.RELEASE_OR_AGAIN: Action.RELEASE,
}
_Cell = Action | _Uncertain
_SUBMIT, _AGAIN, _FOLLOW = Action.SUBMIT, Action.CANCEL_AND_SUBMIT, Action.FOLLOW
_DONE, _CANCELED, _ABORTED = Action.END_PRINTED, Action.END_CANCELED, Action.END_ABORTED
_RELEASE_OR, _FOLLOW_OR = _Uncertain.RELEASE, _Uncertain.FOLLOW
_SUBMIT_OR, _AGAIN_OR, _DONE_OR = _Uncertain.SUBMIT, _Uncertain.AGAIN, _Uncertain.DONE
_REL_AGAIN = _Uncertain.RELEASE_OR_AGAIN

_ROWS: dict[tuple[Step, bool], tuple[_Cell, ...]] = {
    # step, held:             NONE        INCOMPLETE  HELD      ACTIVE   COMPLETED  CANCELED   ABORTED
    # The printer may have made an empty job of that name; without a document nothing is printed.
    (Step.CREATING, False): (_SUBMIT, _AGAIN, _AGAIN, _AGAIN, _SUBMIT, _SUBMIT, _SUBMIT),
    (Step.CREATING, True): (_SUBMIT, _AGAIN, _AGAIN, _AGAIN, _SUBMIT, _SUBMIT, _SUBMIT),
    (Step.CREATED, False): (_SUBMIT, _AGAIN, _AGAIN, _AGAIN, _SUBMIT, _SUBMIT, _SUBMIT),
    (Step.CREATED, True): (_SUBMIT, _AGAIN, _AGAIN, _AGAIN, _SUBMIT, _SUBMIT, _SUBMIT),
    # Held and not released: only somebody at the printer can have released it, and then it is found active or done.
    # Canceled while still incomplete is CUPS ending an orphan (MultipleOperationTimeout, 15 minutes).
    (Step.SENDING, True): (_SUBMIT, _AGAIN, _AGAIN, _FOLLOW, _DONE_OR, _SUBMIT, _SUBMIT),
    # Not the whole document, or aborted while it was on its way: the printer never had the whole of it. Unless it has
    # restarted since and says what it had saved: then it may have got it, printed it, and forgotten.
    (Step.SENDING, False): (_BY_POLICY, _AGAIN_OR, _FOLLOW, _FOLLOW, _DONE_OR, _CANCELED, _SUBMIT_OR),
    # Held, and nothing of it was printed. After a power cut the document CUPS has may be damaged: it gets another.
    (Step.SENT, True): (_SUBMIT, _AGAIN, _REL_AGAIN, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
    (Step.SENT, False): (_BY_POLICY, _FOLLOW_OR, _FOLLOW, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
    # Held, though its release was begun: CUPS saves its jobs up to 30 s late, and after a power cut tells what was saved.
    # It may have printed since; only if CUPS has run on it was not let go.
    (Step.RELEASING, True): (_BY_POLICY, _FOLLOW_OR, _RELEASE_OR, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
    (Step.RELEASING, False): (_BY_POLICY, _FOLLOW_OR, _FOLLOW, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
    # As before; but if CUPS has run on, somebody holds it at the printer, and may let it go.
    (Step.FOLLOWING, True): (_BY_POLICY, _FOLLOW_OR, _FOLLOW_OR, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
    (Step.FOLLOWING, False): (_BY_POLICY, _FOLLOW_OR, _FOLLOW, _FOLLOW, _DONE_OR, _CANCELED, _ABORTED),
}

TABLE: dict[tuple[Step, bool, Finding], _Cell] = {
    (step, held, finding): cell
    for (step, held), cells in _ROWS.items()
    for finding, cell in zip(Finding, cells, strict=True)
}
"""What to do by step on disk, whether the printer was told to hold the job, and what it says."""

ASKED: frozenset[Step] = frozenset(step for step, _, _ in TABLE)
"""Steps after which the printer has to be asked."""

_OURS: dict[Step, Action] = {
    Step.CLAIMING: Action.FETCH,
    Step.CLAIMED: Action.FETCH,
    Step.STORED: Action.SUBMIT,
    Step.ENDED: Action.REPORT,
    Step.REPORTED: Action.NOTHING,
}
"""What to do after the other steps while the job is ours."""


def decide(
    entry: Entry,
    ownership: Ownership,
    finding: Finding | None,
    policy: Literal["hold", "reprint"],
    evidence: Evidence = Evidence.OPEN,
) -> Action:
    """Decide how to go on with a job of our own.

    Args:
        entry: the job as the journal has it.
        ownership: whose it is.
        finding: what the printer says; None for a step after which it need not be asked (not in :data:`ASKED`).
        policy: what the printer's configuration says about uncertain jobs.
        evidence: whether the printer can have printed the job, and forgotten it.

    Raises:
        ValueError: the printer should have been asked, or should not.
    """
    step = entry.step
    if (finding is None) is (step in ASKED and ownership is not Ownership.CHANGED):
        raise ValueError(f"after step {step} the printer {'is' if finding is None else 'is not'} asked")
    if step in {Step.ENDED, Step.REPORTED}:
        return _OURS[step]  # reporting finds out by itself what became of the job
    if ownership is Ownership.CHANGED:
        return Action.WITHDRAW if step in ASKED else Action.DROP
    if finding is not None:
        row = Step.CREATED if entry.unsent and step is Step.SENDING else step
        return _resolve(TABLE[row, entry.held, finding], policy, evidence)
    if ownership is Ownership.UNKNOWN and step in {Step.CLAIMING, Step.CLAIMED}:
        return Action.ASK_BC
    return _OURS[step]


_MAY_PRINT = frozenset({Step.SENDING, Step.SENT, Step.RELEASING, Step.FOLLOWING})
_GOES_ON = frozenset({Action.FOLLOW, Action.END_PRINTED, Action.END_CANCELED, Action.END_ABORTED})


def is_doubtful(entry: Entry, action: Action, evidence: Evidence) -> bool:
    """Tell whether a job that goes on or has ended at its printer may have come out before.

    A restart begins a job again that was printing, or that CUPS had not yet saved as done.
    """
    doubtful = evidence in {Evidence.OPEN, Evidence.LOST}
    return doubtful and action in _GOES_ON and entry.step in _MAY_PRINT and not entry.unsent


# Found held or incomplete: it was not printed yet, or so says a spooler that restarted since. Who takes a job over has no
# evidence of that; so by policy, unless the job was never submitted. What is followed of CUPS goes by policy in the end,
# too, as it may have lost the document (see Carrier._inherit and piprint.jobs.evidence).
_INHERITED: dict[Finding, _Cell] = {
    Finding.NONE: _BY_POLICY,
    Finding.INCOMPLETE: _BY_POLICY,
    Finding.HELD: _BY_POLICY,
    Finding.ACTIVE: _FOLLOW,
    Finding.COMPLETED: _DONE,
    Finding.CANCELED: _BY_POLICY,
    Finding.ABORTED: _BY_POLICY,
}


def is_not_printed(entry: Entry, *, doubted: bool) -> bool:
    """Tell whether a job that is given up is certainly on no paper.

    Args:
        entry: the job as the journal has it.
        doubted: its notes say that an earlier try may have printed it.
    """
    if entry.step in {Step.CLAIMED, Step.STORED} and entry.inherits and entry.inherited is not False:
        return False  # not printed by us; but by whoever had it before?
    unsent = entry.unsent or (entry.held and entry.step in {Step.SENDING, Step.SENT})
    return unsent and not doubted


def may_be_given_back(entry: Entry, *, doubted: bool) -> bool:
    """Tell whether a job may be queued again for any processor: certainly nothing of it was printed."""
    return entry.step is not Step.CLAIMING and entry.unsent and not entry.inherits and not doubted


def decide_inherited(finding: Finding, policy: Literal["hold", "reprint"], *, submitted: bool | None) -> Action:
    """Decide how to go on with a job taken over from a processor that gave no sign for longer than its lease.

    Args:
        finding: what the printer says of the job under the name that processor gave it.
        policy: as above.
        submitted: that processor had said it submits; None when Business Central cannot tell (PIPrint 1.0).
    """
    cell = _INHERITED[finding]
    if cell is _BY_POLICY and submitted is False:
        return Action.CANCEL_AND_SUBMIT if finding in {Finding.HELD, Finding.INCOMPLETE} else Action.SUBMIT
    return _resolve(cell, policy, Evidence.OPEN)


def _resolve(cell: _Cell, policy: Literal["hold", "reprint"], evidence: Evidence) -> Action:
    if isinstance(cell, Action):
        return cell
    if cell in _IF_RAN_ON and evidence is Evidence.RAN_ON:
        return _IF_RAN_ON[cell]
    if cell is _Uncertain.RELEASE_OR_AGAIN:
        return Action.CANCEL_AND_SUBMIT
    if cell is _Uncertain.DONE and evidence is not Evidence.LOST:
        return Action.END_PRINTED
    return Action.REPRINT if policy == "reprint" else Action.HOLD


_FINAL = {
    SpoolerState.COMPLETED: Finding.COMPLETED,
    SpoolerState.CANCELED: Finding.CANCELED,
    SpoolerState.ABORTED: Finding.ABORTED,
}


def judge(status: JobStatus | None) -> Finding:
    """Say in one word what the printer told of a job."""
    if status is None:
        return Finding.NONE
    if status.state.final:
        return _FINAL[status.state]
    if not status.document_complete:
        return Finding.INCOMPLETE
    return Finding.HELD if status.state is SpoolerState.HELD else Finding.ACTIVE


_MEANING_MOST = (
    Finding.ACTIVE,
    Finding.COMPLETED,
    Finding.HELD,
    Finding.INCOMPLETE,
    Finding.ABORTED,
    Finding.CANCELED,
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a job at the printer beyond its name.

    Attributes:
        uuid: its job-uuid; "" when not known.
        unique: no other submission had the same name, so that the name alone suffices.
    """

    uuid: str = ""
    unique: bool = True


def pick(statuses: Sequence[JobStatus], known: Known) -> JobStatus | None:
    """Choose ours among the jobs a printer lists under our name; None when none is certain to be it.

    A job with another uuid is another one (an earlier try). Without uuids the name must be unique to this try. Of several, one that
    may still print, or has printed, is chosen before one that was cancelled or aborted.
    """
    ours = [
        status for status in statuses if (status.uuid == known.uuid if status.uuid and known.uuid else known.unique)
    ]
    return min(ours, key=lambda status: _MEANING_MOST.index(judge(status)), default=None)
