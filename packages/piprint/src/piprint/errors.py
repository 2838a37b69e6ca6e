"""What can go wrong, sorted by whose fault it is and what helps.

One root, :class:`PiprintError`. Every message says what happened, what it means and what to do next,
and never holds a secret. This module does not know when to try again; the callers decide by class.
"""

from __future__ import annotations

import os

__all__ = [
    "BcConflict",
    "BcDenied",
    "BcDuplicate",
    "BcError",
    "BcMissing",
    "BcRefused",
    "BcThrottled",
    "BcUnreachable",
    "ConfigError",
    "DocumentError",
    "JournalError",
    "JournalUnavailable",
    "PiprintError",
    "PrinterBusy",
    "PrinterError",
    "PrinterRefused",
    "PrinterUnreachable",
    "SpoolFull",
    "concerns_one",
    "reason_of",
]

_INTERNAL = 500


class PiprintError(Exception):
    """Root of all errors of this package."""


class ConfigError(PiprintError):
    """The configuration cannot be used; the message names file, line and mending."""


class JournalError(PiprintError):
    """The journal cannot be used: another processor holds it, or it was written by a newer version."""


class JournalUnavailable(JournalError):
    """The disk is full, or the file is busy or may not be opened just now: it is no damage, and may be over soon."""


class SpoolFull(PiprintError):
    """No room on disk for a document. The job goes back to Business Central, nothing is lost."""


class DocumentError(PiprintError):
    """A document cannot be printed: empty, damaged, encrypted, too large or of another kind than said."""


class BcError(PiprintError):
    """Business Central did not do what was asked.

    Args:
        message: for people.
        status: the HTTP status; 0 when there was no answer.
        code: the ``error.code`` of the answer, such as ``Request_EntityChanged``; "" when it had none.
        correlation: the correlation id Business Central names; support asks for it.
    """

    def __init__(self, message: str, *, status: int = 0, code: str = "", correlation: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.correlation = correlation


class BcUnreachable(BcError):
    """No answer: no network, a refused connection, a broken or a timed-out one.

    A write may have been done all the same: read the row before it is tried again.
    """


class BcThrottled(BcError):
    """Business Central, or what stands before it, asks to wait (408, 429, 500, 502, 503, 504).

    Args:
        retry_after: seconds it asked for; None when it did not say.
        See :class:`BcError` for the others.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, status: int = 0, code: str = "", correlation: str = ""
    ) -> None:
        super().__init__(message, status=status, code=code, correlation=correlation)
        self.retry_after = retry_after


class BcDenied(BcError):
    """Logging in failed, or the rights do not suffice.

    Args:
        cause: which of ``"tenant"``, ``"client"``, ``"secret"``, ``"certificate"``, ``"login"``,
            ``"permission set"`` or ``"environment"`` it is, as far as the answer tells; else ``"login"``.
        See :class:`BcError` for the others.
    """

    def __init__(self, message: str, *, cause: str, status: int = 0, code: str = "", correlation: str = "") -> None:
        super().__init__(message, status=status, code=code, correlation=correlation)
        self.cause = cause


class BcConflict(BcError):
    """The row changed since its tag was read (409 ``Request_EntityChanged``, or 412 from a proxy). Read again, decide again."""


class BcDuplicate(BcError):
    """A row with that key is there already (``Internal_EntityWithSameKeyExists``)."""


class BcMissing(BcError):
    """404: the row is gone, or the web service is not published (the extension is not installed)."""


class BcRefused(BcError):
    """Any other refusal (400, 405, 413 ...): trying the same again would not help."""


def concerns_one(error: BcError) -> bool:
    """Tell whether Business Central answered, and what is wrong may be this one row's: with others all may go well.

    An error inside Business Central (500) is mostly the extension's, over this row's data.
    """
    if isinstance(error, BcThrottled):
        return error.status == _INTERNAL
    return isinstance(error, (BcRefused, BcConflict, BcDuplicate, BcMissing))


def reason_of(error: OSError) -> str:
    """Return why there is no connection, in the system's words; asyncio's name its own calls and every address tried."""
    told = error.strerror or str(error)
    if not told.startswith(("Connect call failed", "Multiple exceptions")):
        return told
    return os.strerror(error.errno) if error.errno else "none of its addresses answers"


class PrinterError(PiprintError):
    """A printer, or CUPS, did not do what was asked."""


class PrinterUnreachable(PrinterError):
    """No answer from the printer or from CUPS. What was asked may have been done all the same.

    Args:
        message: for people.
        started: of a document: False, nothing of it was sent, for certain; True, a part was, and may come out;
            None, it cannot be told.
    """

    def __init__(self, message: str, *, started: bool | None = None) -> None:
        super().__init__(message)
        self.started = started


class PrinterBusy(PrinterError):
    """The printer takes no job just now; nothing was taken. Wait; it is no fault.

    It takes one at a time and has one (IPP ``server-error-busy``, 0x0507), or its queue is full or closed (0x0506).
    """


class PrinterRefused(PrinterError):
    """The printer answered and refused.

    Args:
        message: for people.
        status: the IPP status code; 0 for a printer without IPP.
        unsupported: names of the attributes it named as those it does not do as asked.
    """

    def __init__(self, message: str, *, status: int = 0, unsupported: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.unsupported = unsupported
