"""What people read in Business Central about a job: what happened, what it means, what to do next.

Whole messages are made here and nowhere else (:func:`message`): of one text about the end, of doubts, and of notes about what
was printed otherwise than asked. Each becomes a sentence, and what would contradict the end is left out.

The phrases "may have been printed" and "may have been printed twice" are kept for jobs of which just that is true; whoever
looks for doubtful jobs can search for them.

This module does not know when any of it is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from piprint.contract import cut, units
from piprint.journal.entry import Outcome
from piprint.printers import reasons
from piprint.printers.printer import JobStatus, SpoolerState
from piprint.printers.reasons import told

__all__ = [
    "BEGAN_AGAIN",
    "NOT_CANCELLED",
    "TWICE",
    "came_back",
    "came_back_note",
    "came_back_of",
    "changed",
    "doubts",
    "ended",
    "failed",
    "fit",
    "given_up",
    "helped",
    "holds_up",
    "lasted",
    "may_have_restarted",
    "message",
    "not_printed",
    "others",
    "printed",
    "printed_late",
    "quiet",
    "refused",
    "restarted",
    "says_came_back",
    "says_what_to_do",
    "sent",
    "sentence",
    "silent",
    "stopped",
    "tried_again",
    "uncertain",
    "waiting",
    "waits",
    "with_came_back",
    "without_came_back",
]

TWICE = "It may have been printed twice"
_DOUBT = "It may have been printed"
LONGEST = 2048
"""UTF-16 units: Text[2048] of Business Central."""
_LONGEST_TEXT = 1200
"""Units of what is said about the end, and of all doubts: a printer's words may be long, and the doubts have to fit."""
NOT_CANCELLED = "it could not be cancelled at the printer, and may still come out"
_THROW = "If two lie there, throw one away."
_CAME_BACK = {
    (
        True,
        True,
    ): f"{TWICE}: after a restart the print server (CUPS) printed it again, as it had not yet saved that it was done. {_THROW}",
    (True, False): f"{TWICE}: the printer printed it again after it had said that it was done. {_THROW}",
    (False, True): f"{_DOUBT} after all: after a restart the print server (CUPS) had it again. Look at the paper.",
    (False, False): f"{_DOUBT} after all: the printer had it again after its end had been told. Look at the paper.",
}
"""By whether it had been printed, and whether CUPS printed it again."""
_NO_SIGN = (
    "the processor that had it before gave no more sign, and it is not known whether the printer or its print server "
    "(CUPS) was restarted meanwhile"
)
BEGAN_AGAIN = f"{TWICE}: the printer began again while it printed. {_THROW}"
_SOME = " Some pages may have come out."
_UNCERTAIN = "It may have been printed, that is not certain"
_IF = "If it came out, this is true of it:"
_LOOK = "Look at the printer; restart the job if it is missing."
_REMEDIES = ("print it", "print fewer", "restart the job", "send it to")
"""A reason with one of these says already what to do; a damaged PDF is not mended by a restart."""
_END = re.compile(r"[.!?…](?=\s)")
_CAME_OUT = frozenset({Outcome.PRINTED, Outcome.UNCERTAIN})
"""Ends after which people want to know how it was printed."""


# ---- Whole messages ----


def message(outcome: Outcome, text: str, notes: Iterable[str] = ()) -> str:
    """Put together what is said about a job's end, at most :data:`LONGEST` units, cut at the end of a sentence.

    Doubts (:func:`doubts`) are told whatever the end; they fit always. Of a job that did not come out it is not told how it was printed,
    and of one that may have come out only on that condition.
    """
    notes = tuple(notes)
    doubtful = doubts(notes)
    others = [note for note in notes if note not in doubtful] if outcome in _CAME_OUT else []
    said = _at_once(doubtful)
    if outcome is Outcome.UNCERTAIN:
        said = ()  # the text says so itself, see :func:`uncertain`
    parts = [fit(sentence(text), _LONGEST_TEXT), fit(" ".join(map(sentence, said)), LONGEST - _LONGEST_TEXT - 1)]
    if others and outcome is Outcome.UNCERTAIN:
        parts.append(_IF)
    return fit(" ".join([*filter(None, parts), *map(sentence, others)]), LONGEST)


def doubts(notes: Iterable[str]) -> tuple[str, ...]:
    """Return the notes that say that a document, or a part of it, may have come out more often than asked."""
    return tuple(note for note in notes if note.startswith(_DOUBT))


def _at_once(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Say only once that it may have been printed twice, with all reasons."""
    twice = [note for note in notes if note.startswith(f"{TWICE}: ")]
    if len(twice) < 2:  # noqa: PLR2004 - one is said as it is
        return notes
    reasons_told = [note.removeprefix(f"{TWICE}: ").removesuffix(_THROW).rstrip(" .") for note in twice]
    end = f" {_THROW}" if any(note.endswith(_THROW) for note in twice) else ""
    return (
        f"{TWICE}: {'; and '.join(dict.fromkeys(reasons_told))}.{end}",
        *(note for note in notes if note not in twice),
    )


def fit(text: str, length: int) -> str:
    """Cut a text to so many UTF-16 units, behind a whole sentence if more than half of it remains, else with an ellipsis."""
    if units(text) <= length:
        return text
    short = cut(text, length)
    ends = [match.end() for match in _END.finditer(short) if match.end() > len(short) / 2]
    return short[: ends[-1]] if ends else short


def sentence(text: str) -> str:
    """Begin a text with a capital and end it with one full stop, or with its own mark."""
    text = text.strip()
    if not text:
        return ""
    text = f"{text[:1].upper()}{text[1:]}"
    return text if text[-1] in "?!…" else f"{text.rstrip('. ;,:')}."


def lasted(seconds: float) -> str:
    """Say how long something lasted, as people say it: ``45 s``, ``20 minutes``, ``1 hour``, ``3 hours``."""
    if seconds < 120:  # noqa: PLR2004 - "1 minute" would be too coarse
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 120 and minutes != 60:  # noqa: PLR2004
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} {'hour' if hours == 1 else 'hours'}"


def says_what_to_do(text: str) -> bool:
    """Tell whether a reason says already what its reader can do."""
    return any(each in text.casefold() for each in _REMEDIES)


# ---- Ends ----


def printed(printer_id: str, status: JobStatus, seconds: float) -> str:
    """Say that a job was printed."""
    pages = "" if status.sheets is None else f", {status.sheets} {'page' if status.sheets == 1 else 'pages'}"
    return f"Printed at {printer_id}: job {status.id}{pages}, {seconds:.0f} s."


def printed_late(reason: str) -> str:
    """Say that it came out after all, when it had been given up."""
    return f"Printed after all, just as it was given up. {sentence(reason)}"


def sent(printer_id: str) -> str:
    """Say the same of a printer that tells nothing."""
    return f"Sent to {printer_id}, which does not tell whether it was printed."


def failed(status: JobStatus, *, printing: bool) -> str:
    """Say that the printer, or somebody at it, ended a job; ``printing``: after it had begun, so pages may have come out."""
    some = _SOME if printing else ""
    return f"{sentence(ended(status))}{some} Look there, then restart the job."


def not_printed(reason: str, remedy: str = "") -> str:
    """Say that nothing came out, for certain."""
    if remedy:
        return f"Not printed. {sentence(reason)} {_to_do(remedy)}"
    return f"Not printed. {sentence(reason)}{'' if says_what_to_do(reason) else ' Mend it, then restart the job.'}"


def given_up(reason: str, *, printing: bool, remedy: str = "") -> str:
    """Say that the printer was not waited for any longer, and that it let the job go; ``printing``: as in :func:`failed`."""
    some = _SOME if printing else ""
    return f"{sentence(reason)} The job was cancelled at the printer.{some} {_to_do(remedy or 'Look at the printer')}"


def uncertain(why: str, remedy: str = "", *, often: bool = False) -> str:
    """Say that nobody knows whether it came out; ``often``: nor how many times."""
    what = "It may have been printed, perhaps more than once; that is not certain" if often else _UNCERTAIN
    more = f"{sentence(remedy)} " if remedy else ""
    return f"{what}: {sentence(why)} {more}{_LOOK}"


def may_have_restarted(*, taken_over: bool) -> str:
    """Say why what a printer tells of a job proves nothing."""
    if taken_over:
        return f"{_NO_SIGN}, so that what the printer says proves nothing"
    return "the printer or its print server (CUPS) may have been restarted, so that what it says proves nothing"


def restarted(*, failed: bool, taken_over: bool = False) -> str:
    """Say that the printer, or its spooler, may have begun anew with a job.

    Args:
        failed: it was not printed in the end.
        taken_over: another processor had handed it over.
    """
    why = "the printer or its print server (CUPS) was restarted, or could not be asked, while it had the job"
    if taken_over:
        why = _NO_SIGN
    if failed:
        return f"It may have been printed before that: {why}. Look at the paper first."
    return f"{TWICE}: {why}. {_THROW}"


def came_back_note(outcome: Outcome | None, *, cups: bool) -> str:
    """Say in a job's message that the printer had it again after its end; ``cups``: it is CUPS that had it."""
    return _CAME_BACK[outcome is None or outcome is Outcome.PRINTED, cups]


def came_back_of(notes: Iterable[str]) -> str:
    """Return the note that says that the printer had the job again after its end; "" when there is none."""
    return next((note for note in notes if note in _CAME_BACK.values()), "")


def others(notes: Iterable[str]) -> tuple[str, ...]:
    """Return the notes without the one that says that the printer had the job again after its end."""
    return tuple(note for note in notes if note not in _CAME_BACK.values())


def with_came_back(text: str, note: str) -> str:
    """Add to a job's message what came to light after its end; :func:`without_came_back` takes it off again."""
    more = _too(note) if TWICE in text else note
    return f"{cut(text, LONGEST - units(more) - 1)} {more}".strip()


def says_came_back(text: str) -> bool:
    """Tell whether a job's message says that the printer had the job again after its end."""
    return any(note in text or _too(note) in text for note in _CAME_BACK.values())


def without_came_back(text: str) -> str:
    """Return the message as it was before :func:`with_came_back` added to it."""
    for note in _CAME_BACK.values():
        for more in (note, _too(note)):
            if text.endswith(more):
                return text.removesuffix(more).rstrip()
    return text


def _too(note: str) -> str:
    """Say a reason for two prints where another is told already."""
    return sentence(note.removeprefix(f"{TWICE}: ").removesuffix(_THROW))


def came_back(row_no: int, title: str, printer_id: str) -> str:
    """Say that a job that had ended was printed again, where people look who do not look at the job any more."""
    what = f"job {row_no} ({title})" if title else f"job {row_no}"
    return (
        f"{what} may have been printed twice at {printer_id}: after a restart CUPS had it again. Look at the paper. "
        "DirtyCleanInterval 0 in /etc/cups/cupsd.conf makes CUPS save at once"
    )


def changed(what: str, more: str = "") -> str:
    """Say that a job was no longer ours; kept in the history only."""
    return " ".join(["Not ours any more:", *(sentence(text) for text in (what, more) if text)])


def stopped(host: str) -> str:
    """Say that a job waits again."""
    return f"Queued again: the processor {host} was stopped."


# ---- Reasons ----


def refused(words: str) -> str:
    """Say that a spooler's filter, or the printer, could not make anything of a document."""
    return f"The document could not be made ready for this printer ({words or 'no reason told'})"


def quiet(seconds: float) -> str:
    """Say that a job seems to print and nothing moves."""
    return f"it has been printing for {lasted(seconds)} without a sign of progress"


def tried_again(why: str) -> str:
    """Say that a job is printed anew, as nothing moved."""
    return f"{why}; it was cancelled there and is printed again"


def ended(status: JobStatus) -> str:
    """Say how the printer, or somebody at it, ended a job."""
    what = "was cancelled at the printer" if status.state is SpoolerState.CANCELED else "was given up by the printer"
    return f"the job {what} ({_told(status)})"


def waits(status: JobStatus) -> str:
    """Say why a job at the printer does not get on."""
    if status.state is SpoolerState.STOPPED:
        return f"the job stopped at the printer ({_told(status)})"
    if status.state is SpoolerState.HELD:
        return f"the job is held at the printer ({_told(status)})"
    return "other jobs are printed first"


def helped(status: JobStatus) -> str:
    """Return what a person can do about a job that does not get on; "" when its turn will come."""
    return "" if status.state is SpoolerState.PENDING and not status.reasons else reasons.remedy(status.reasons)


def waiting(reason: str, remedy: str, patience: float | None) -> str:
    """Say what a job waits for, while it waits.

    Args:
        reason: why it does not get on.
        remedy: what to do; "": nothing is known, or the reason says it.
        patience: seconds of waiting after which it is given up; None: never.
    """
    parts = ["Waiting.", sentence(reason), sentence(remedy), "It goes on by itself when that is over."]
    if patience is not None:
        parts.append(f"After {lasted(patience)} of waiting it goes to Error.")
    return " ".join(filter(None, parts))


def silent(reason: str, remedy: str, patience: float) -> str:
    """Say of a job that seems to print that nothing moves, and what becomes of it."""
    end = (
        f"If nothing moves for {lasted(patience)}, it is cancelled and goes to Error; a large document gets more time."
    )
    return " ".join(filter(None, (sentence(reason), sentence(remedy), end)))


def holds_up(row_no: int, reason: str, remedy: str) -> str:
    """Say of a printer that a job waits there, and others behind it."""
    return " ".join(filter(None, (f"Job {row_no} waits, and those behind it: {sentence(reason)}", sentence(remedy))))


def _to_do(remedy: str) -> str:
    """Say what to do, and what to do then, unless a restart would not help."""
    return sentence(remedy if says_what_to_do(remedy) else f"{remedy}, then restart the job")


def _told(status: JobStatus) -> str:
    return told(status.reasons, status.message) or "no reason told"
