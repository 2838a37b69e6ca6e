"""Which words of a printer mean that nothing comes out of it now, and which refusals pass by themselves. Data.

Sources: RFC 8011, 5.4.12 (printer-state-reasons), PWG 5100.9; RFC 8011, appendix B (status codes); ``offline`` is what
CUPS's backends say while they try to reach the device.

This module does not know jobs, nor how the words are told (see :mod:`piprint.reasons`).
"""

from __future__ import annotations

from piprint.printers.printer import PrinterState, PrinterStatus
from piprint.reasons import base, told

__all__ = ["blocked", "is_lasting", "is_passing"]

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
    reasons = [reason for reason in status.reasons if base(reason) in _BLOCKING or reason.endswith("-error")]
    if not reasons and status.state is not PrinterState.STOPPED:
        return ""
    return told(reasons or ["stopped"], status.message)


def is_passing(status: int) -> bool:
    """Tell whether a refusal (IPP status code) ends by itself: wait, the job is not at fault."""
    return status in _PASSING


def is_lasting(status: int) -> bool:
    """Tell whether the same would be refused for ever: the request or the job is at fault."""
    return status in _CLIENT_ERRORS
