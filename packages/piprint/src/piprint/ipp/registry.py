"""IPP's numbers and what they are called: delimiter and value tags, operations, status codes. Data only.

Sources: RFC 8010 section 3.5 (tags), RFC 8011 section 5.4.15 and appendix B (operations, status codes),
PWG 5100.14 (IPP Everywhere), the IANA registry "Internet Printing Protocol (IPP) Registrations", and CUPS's own
numbers from its "Implementation of IPP" (0x4001 and up).

What a refusal means for the person who runs the printer stands here, too (:data:`ADVICE`), so that no caller makes up its
own. This module does not know how any of it is encoded.
"""

from __future__ import annotations

import enum

__all__ = ["ADVICE", "ENDING", "WAITING", "Delimiter", "Operation", "Status", "Tag", "status_name"]


class Delimiter(enum.IntEnum):
    """Tags that begin a group of attributes, or end them all (RFC 8010, 3.5.1)."""

    OPERATION = 0x01
    JOB = 0x02
    END = 0x03
    PRINTER = 0x04
    UNSUPPORTED = 0x05
    SUBSCRIPTION = 0x06
    EVENT_NOTIFICATION = 0x07
    RESOURCE = 0x08
    DOCUMENT = 0x09
    SYSTEM = 0x0A


class Tag(enum.IntEnum):
    """Tags that tell a value's syntax (RFC 8010, 3.5.2). Others are legal on the wire; their values stay bytes."""

    UNSUPPORTED = 0x10
    UNKNOWN = 0x12
    NO_VALUE = 0x13
    NOT_SETTABLE = 0x15
    DELETE_ATTRIBUTE = 0x16
    ADMIN_DEFINE = 0x17
    INTEGER = 0x21
    BOOLEAN = 0x22
    ENUM = 0x23
    OCTET_STRING = 0x30
    DATE_TIME = 0x31
    RESOLUTION = 0x32
    RANGE = 0x33
    BEGIN_COLLECTION = 0x34
    TEXT_WITH_LANGUAGE = 0x35
    NAME_WITH_LANGUAGE = 0x36
    END_COLLECTION = 0x37
    TEXT = 0x41
    NAME = 0x42
    KEYWORD = 0x44
    URI = 0x45
    URI_SCHEME = 0x46
    CHARSET = 0x47
    NATURAL_LANGUAGE = 0x48
    MIME_MEDIA_TYPE = 0x49
    MEMBER_NAME = 0x4A


class Operation(enum.IntEnum):
    """What a printer is asked to do (RFC 8011, 5.4.15; RFC 3995 and 3996: subscriptions; CUPS)."""

    PRINT_JOB = 0x0002
    VALIDATE_JOB = 0x0004
    CREATE_JOB = 0x0005
    SEND_DOCUMENT = 0x0006
    CANCEL_JOB = 0x0008
    GET_JOB_ATTRIBUTES = 0x0009
    GET_JOBS = 0x000A
    GET_PRINTER_ATTRIBUTES = 0x000B
    RELEASE_JOB = 0x000D
    CREATE_PRINTER_SUBSCRIPTIONS = 0x0016
    GET_SUBSCRIPTION_ATTRIBUTES = 0x0018
    GET_SUBSCRIPTIONS = 0x0019
    RENEW_SUBSCRIPTION = 0x001A
    CANCEL_SUBSCRIPTION = 0x001B
    GET_NOTIFICATIONS = 0x001C
    CUPS_GET_PRINTERS = 0x4002


class Status(enum.IntEnum):
    """How a request ended (RFC 8011, appendix B.1). Below 0x0100 it was done."""

    OK = 0x0000
    OK_IGNORED_OR_SUBSTITUTED = 0x0001
    OK_CONFLICTING = 0x0002
    BAD_REQUEST = 0x0400
    FORBIDDEN = 0x0401
    NOT_AUTHENTICATED = 0x0402
    NOT_AUTHORIZED = 0x0403
    NOT_POSSIBLE = 0x0404
    TIMEOUT = 0x0405
    NOT_FOUND = 0x0406
    GONE = 0x0407
    REQUEST_ENTITY_TOO_LARGE = 0x0408
    REQUEST_VALUE_TOO_LONG = 0x0409
    DOCUMENT_FORMAT_NOT_SUPPORTED = 0x040A
    ATTRIBUTES_OR_VALUES_NOT_SUPPORTED = 0x040B
    URI_SCHEME_NOT_SUPPORTED = 0x040C
    CHARSET_NOT_SUPPORTED = 0x040D
    CONFLICTING_ATTRIBUTES = 0x040E
    COMPRESSION_NOT_SUPPORTED = 0x040F
    COMPRESSION_ERROR = 0x0410
    DOCUMENT_FORMAT_ERROR = 0x0411
    DOCUMENT_ACCESS_ERROR = 0x0412
    DOCUMENT_PASSWORD_ERROR = 0x0418
    DOCUMENT_PERMISSION_ERROR = 0x0419
    DOCUMENT_SECURITY_ERROR = 0x041A
    DOCUMENT_UNPRINTABLE_ERROR = 0x041B
    ACCOUNT_INFO_NEEDED = 0x041C
    ACCOUNT_CLOSED = 0x041D
    ACCOUNT_LIMIT_REACHED = 0x041E
    ACCOUNT_AUTHORIZATION_FAILED = 0x041F
    INTERNAL_ERROR = 0x0500
    OPERATION_NOT_SUPPORTED = 0x0501
    SERVICE_UNAVAILABLE = 0x0502
    VERSION_NOT_SUPPORTED = 0x0503
    DEVICE_ERROR = 0x0504
    TEMPORARY_ERROR = 0x0505
    NOT_ACCEPTING_JOBS = 0x0506
    BUSY = 0x0507
    JOB_CANCELED = 0x0508
    MULTIPLE_DOCUMENT_JOBS_NOT_SUPPORTED = 0x0509
    PRINTER_IS_DEACTIVATED = 0x050A
    TOO_MANY_JOBS = 0x050B
    TOO_MANY_DOCUMENTS = 0x050C


WAITING: frozenset[int] = frozenset(
    {
        Status.SERVICE_UNAVAILABLE,
        Status.TEMPORARY_ERROR,
        Status.NOT_ACCEPTING_JOBS,
        Status.BUSY,
        Status.PRINTER_IS_DEACTIVATED,
        Status.TOO_MANY_JOBS,
    }
)
"""Refusals that end by themselves or by somebody at the printer: nothing was taken, the same will work later."""

_RIGHTS = (
    "it does not let this program print: a queue's allowed users (lpadmin -u allow:...) must include piprint, and the policies "
    "in /etc/cups/cupsd.conf must let it in without a password. CUPS 2.4.17 and 2.4.18, and Debian's of 2026, let in only names "
    "that have an account on the computer of CUPS: run sudo adduser --system piprint there"
)
_SETTINGS = (
    "it cannot do what the job asks for (paper, tray, sides, copies or colour): compare the job's settings and rules"
)
_DOCUMENT = "the document is damaged, protected or of a kind the printer cannot read: print it again, or see its format"

ADVICE: dict[int, str] = {
    Status.FORBIDDEN: _RIGHTS,
    Status.NOT_AUTHENTICATED: "it asks for a password, which this program does not give: " + _RIGHTS.partition(": ")[2],
    Status.NOT_AUTHORIZED: _RIGHTS,
    Status.NOT_POSSIBLE: "the job is not in a state for that: it was ended, or let go already",
    Status.NOT_FOUND: "there is no such job or queue: look at its name in the address (lpstat -v)",
    Status.GONE: "the printer has forgotten the job",
    Status.REQUEST_ENTITY_TOO_LARGE: "the document is too large for it: raise LimitRequestBody and free disk space",
    Status.DOCUMENT_FORMAT_NOT_SUPPORTED: (
        "it does not take this kind of document: print through a CUPS queue with a driver, or set the printer's language"
    ),
    Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED: _SETTINGS,
    Status.CONFLICTING_ATTRIBUTES: _SETTINGS,
    Status.DOCUMENT_FORMAT_ERROR: _DOCUMENT,
    Status.DOCUMENT_PASSWORD_ERROR: _DOCUMENT,
    Status.DOCUMENT_PERMISSION_ERROR: _DOCUMENT,
    Status.DOCUMENT_SECURITY_ERROR: _DOCUMENT,
    Status.DOCUMENT_UNPRINTABLE_ERROR: _DOCUMENT,
    Status.ACCOUNT_INFO_NEEDED: "it counts pages per account; let it accept jobs without one",
    Status.ACCOUNT_LIMIT_REACHED: "the account's pages are used up; ask who runs the printer",
    Status.OPERATION_NOT_SUPPORTED: "this printer is too simple for that: print through a CUPS queue",
    Status.VERSION_NOT_SUPPORTED: "it speaks an older IPP: print through a CUPS queue",
    Status.SERVICE_UNAVAILABLE: "it cannot print just now; the job waits",
    Status.DEVICE_ERROR: "something at the printer is broken or jammed: look at its display",
    Status.TEMPORARY_ERROR: "it cannot print just now; the job waits",
    Status.NOT_ACCEPTING_JOBS: "it takes no new jobs: run cupsaccept with the queue's name, or look at its display; the job waits",
    Status.BUSY: "it takes one job at a time and has one; the job waits",
    Status.JOB_CANCELED: "the job was cancelled at the printer",
    Status.PRINTER_IS_DEACTIVATED: "it was switched off by its owner; the job waits until it is switched on again",
    Status.TOO_MANY_JOBS: "its queue is full; the job waits",
}
"""What a refusal means and what helps, by status; a sentence's second half."""

ENDING = (
    "Where it breaks at each document, CUPS itself ends: CUPS 2.4.17, and Debian's of 2026, do so at a name that has no account "
    "on the computer of CUPS. Update CUPS, or run sudo adduser --system piprint there"
)
"""What helps where CUPS breaks the connection again and again (OpenPrinting CUPS, issues 1555 and 1557)."""


def status_name(code: int) -> str:
    """Return a status as people can look it up: ``client-error-not-found (0x0406)``."""
    try:
        name = Status(code).name.lower().replace("_", "-")
    except ValueError:
        name = "unknown"
    family = {0: "successful", 4: "client-error", 5: "server-error"}.get(code >> 8, "status")
    return f"{family}-{name} (0x{code:04x})"
