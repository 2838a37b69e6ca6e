"""What people read in Business Central about how a job ended: what happened, what it means, what to do next.

The phrases "may have been printed" and "may have been printed twice" are kept for jobs of which just that is true; whoever
looks for doubtful jobs can search for them.

This module does not know when any of it is said.
"""

from __future__ import annotations

from piprint.printers.printer import JobStatus, SpoolerState
from piprint.reasons import told

__all__ = [
    "BEGAN_AGAIN",
    "CAME_BACK",
    "TWICE",
    "came_back",
    "changed",
    "failed",
    "given_up",
    "not_printed",
    "printed",
    "printed_late",
    "restarted",
    "sent",
    "stopped",
    "uncertain",
    "waits",
]

TWICE = "It may have been printed twice"
BEGAN_AGAIN = f"{TWICE}: the printer began again while it printed. If two lie there, throw one away."
CAME_BACK = (
    f"{TWICE}: after a restart the print server (CUPS) printed it again, as it had not yet saved that it was done. "
    "If two lie there, throw one away."
)
_SOME = " Some pages may have come out."
_REMEDIES = ("print it again", "restart the job")
"""A reason with one of these says already what to do; a damaged PDF is not mended by a restart."""


def printed(printer_id: str, status: JobStatus, seconds: float) -> str:
    """Say that a job was printed."""
    pages = "" if status.sheets is None else f", {status.sheets} {'page' if status.sheets == 1 else 'pages'}"
    return f"Printed at {printer_id}: job {status.id}{pages}, {seconds:.0f} s."


def printed_late(reason: str) -> str:
    """Say that it came out after all, when it had been given up."""
    return f"Printed, although late. {_sentence(reason)}"


def sent(printer_id: str) -> str:
    """Say the same of a printer that tells nothing."""
    return f"Sent to {printer_id}, which does not tell whether it was printed."


def failed(status: JobStatus, *, printing: bool) -> str:
    """Say that the printer, or somebody at it, ended a job."""
    what = "was cancelled at the printer" if status.state is SpoolerState.CANCELED else "was given up by the printer"
    some = _SOME if printing else ""
    return f"The job {what} ({_told(status)}).{some} Look there, then restart the job."


def not_printed(reason: str) -> str:
    """Say that nothing came out, for certain."""
    told = any(remedy in reason for remedy in _REMEDIES)
    return f"Not printed. {_sentence(reason)}{'' if told else ' Mend it, then restart the job.'}"


def given_up(reason: str, *, printing: bool) -> str:
    """Say that the printer was not waited for any longer, and that it let the job go."""
    return f"{_sentence(reason)} The job was cancelled at the printer.{_SOME if printing else ''}"


def uncertain(why: str) -> str:
    """Say that nobody knows whether it came out."""
    return (
        f"It may have been printed, that is not certain: {_sentence(why)} "
        "Look at the printer; restart the job if it is missing."
    )


def restarted(*, failed: bool) -> str:
    """Say that the printer, or its spooler, may have begun anew with a job.

    Args:
        failed: it was not printed in the end.
    """
    why = "the printer or its print server (CUPS) was restarted, or could not be asked, while it had the job"
    if failed:
        return f"It may have been printed before that: {why}. Look at the paper first."
    return f"{TWICE}: {why}. If two lie there, throw one away."


def came_back(row_no: int, title: str, printer_id: str) -> str:
    """Say that a job that had ended was printed again, where people look who do not look at the job any more."""
    what = f"job {row_no} ({title})" if title else f"job {row_no}"
    return (
        f"{what} may have been printed twice at {printer_id}: after a restart CUPS had it again. Look at the paper. "
        "DirtyCleanInterval 0 in /etc/cups/cupsd.conf makes CUPS save at once"
    )


def changed(what: str, more: str = "") -> str:
    """Say that a job was no longer ours; kept in the history only."""
    return " ".join(["Not ours any more:", *(_sentence(text) for text in (what, more) if text)])


def stopped(host: str) -> str:
    """Say that a job waits again."""
    return f"Queued again: the processor {host} was stopped."


def waits(status: JobStatus) -> str:
    """Say why a job at the printer does not get on."""
    if status.state is SpoolerState.STOPPED:
        return f"the job stopped at the printer ({_told(status)})"
    if status.state is SpoolerState.HELD:
        return f"the job is held at the printer ({_told(status)})"
    return "other jobs are printed first"


def _told(status: JobStatus) -> str:
    return told(status.reasons, status.message) or "no reason told"


def _sentence(text: str) -> str:
    """Begin a text with a capital and end it with one full stop."""
    text = text.rstrip(". ")
    return f"{text[:1].upper()}{text[1:]}."
