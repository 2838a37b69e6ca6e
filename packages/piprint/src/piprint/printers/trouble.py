"""Which words of a printer mean that nothing comes out of it now, and which refusals pass by themselves. Data.

Sources: RFC 8011, 5.4.12 (printer-state-reasons), PWG 5100.9; RFC 8011, appendix B (status codes); ``offline`` is what
CUPS's backends say while they try to reach the device; PWG 5100.13 (``document-...-error``); ``job-completed-with-errors``
and ``cups-...`` are CUPS's own (measured, 2.4.2).

This module does not know jobs, nor how the words are told (see :mod:`piprint.printers.reasons`).
"""

from __future__ import annotations

from piprint.printers.printer import JobStatus, PrinterState, PrinterStatus, SpoolerState
from piprint.printers.reasons import base, remedy, told

__all__ = ["blocked", "helped", "is_hopeless", "is_lasting", "is_passing", "says_why"]

_BLOCKING = frozenset(
    {
        "connecting-to-device",
        "cover-open",
        "door-open",
        "input-tray-missing",
        "interlock-open",
        "marker-supply-empty",
        "media-empty",
        "media-jam",
        "media-needed",
        "moving-to-paused",
        "offline",
        "output-area-full",
        "paused",
        "shutdown",
        "spool-area-full",
        "stopped-partly",
        "timed-out",
        "toner-empty",
    }
)

_HOPELESS = frozenset(
    {
        "aborted-by-system",
        "cups-filter-crashed",
        "cups-missing-filter",
        "document-access-error",
        "document-format-error",
        "document-password-error",
        "document-permission-error",
        "document-security-error",
        "document-unprintable-error",
        "job-completed-with-errors",  # CUPS 2.4, of a job it stopped because a filter failed
        "unsupported-compression",
        "unsupported-document-format",
    }
)
"""Of a stopped job: it will never go on, however long it is waited for."""

_NO_REASON = frozenset({"none", "job-printing", "job-stopped", "processing-to-stop-point"})
"""Of a stopped job: they say that it stopped, not why (RFC 8011, 5.3.8)."""

_PASSING = frozenset(
    {
        0x0502,  # server-error-service-unavailable
        0x0504,  # server-error-device-error
        0x0505,  # server-error-temporary-error
        0x0506,  # server-error-not-accepting-jobs
    }
)
_CLIENT_ERRORS = range(0x0400, 0x0500)


def blocked(status: PrinterStatus) -> str:
    """Return what keeps a printer from printing, for people; "" when nothing does."""
    reasons = _blocking(status)
    return told(reasons, status.message) if reasons else ""


def helped(status: PrinterStatus) -> str:
    """Return what a person can do about it; "" when nothing keeps the printer from printing."""
    reasons = _blocking(status)
    return remedy(reasons) if reasons else ""


def is_hopeless(job: JobStatus, printer: PrinterStatus) -> bool:
    """Tell whether a job the printer has stopped will never go on: a filter failed, the document cannot be read.

    A job of a printer that only wants paper is stopped, too, but says none of these.
    """
    if job.state is not SpoolerState.STOPPED:
        return False
    told_of_queue = [reason for reason in printer.reasons if base(reason).startswith("cups-missing-filter")]
    return any({reason, base(reason)} & _HOPELESS for reason in (*job.reasons, *told_of_queue))


def says_why(job: JobStatus) -> bool:
    """Tell whether a stopped job says what it waits for, as a PIN at the printer."""
    return any(base(reason) not in _NO_REASON for reason in job.reasons)


def _blocking(status: PrinterStatus) -> list[str]:
    reasons = [reason for reason in status.reasons if base(reason) in _BLOCKING or reason.endswith("-error")]
    return reasons or (["stopped"] if status.state is PrinterState.STOPPED else [])


def is_passing(status: int) -> bool:
    """Tell whether a refusal (IPP status code) ends by itself: wait, the job is not at fault."""
    return status in _PASSING


def is_lasting(status: int) -> bool:
    """Tell whether the same would be refused for ever: the request or the job is at fault."""
    return status in _CLIENT_ERRORS
