"""What processor and Business Central have agreed on: web services, fields, job states. Data only, the one place for it.

The client asks for these fields, the stand-in serves them, and a test holds the AL extension against them. The first
part (``PRINTER_WS``, ``QUEUE_WS``) is PIPrint 1.0 as published; it never changes. The second (``PRINTERS_API``,
``JOBS_API``, ``PROCESSORS_API``) are the API pages of our extension, which serves the first part, too.

Sources: the published PIPrint 1.0 web services, and Microsoft's documentation of Business Central's OData web services
(``dev-itpro/webservices``), read in August 2026. Ours is what stands in ``packages/piprint/al``.

This module does not know HTTP, OData's URLs or how a caption looks on the wire in every case: see :func:`read_state`.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, field
from typing import Literal

__all__ = [
    "API_GROUP",
    "API_PUBLISHER",
    "API_VERSION",
    "CAPTIONS",
    "ENTITIES",
    "GUARD_ERROR",
    "JOBS_API",
    "PDF",
    "PRINTERS_API",
    "PRINTER_WS",
    "PROCESSORS_API",
    "PROCESSOR_PERMISSION_SET",
    "QUEUE_WS",
    "ZPL",
    "Action",
    "Entity",
    "Field",
    "Guard",
    "JobState",
    "cut",
    "decode_name",
    "read_state",
    "units",
]

Kind = Literal["integer", "text", "boolean", "state", "datetime", "dateformula", "guid", "stream", "json"]


class JobState(enum.IntEnum):
    """The states of a print job; names and numbers as in PIPrint 1.0."""

    HOLD = 0
    QUEUED = 10
    ERROR = 20
    CANCELLED = 30
    PRINTING = 40
    PRINTED = 50

    @property
    def wire(self) -> str:
        """Return the English caption: what is written to and filtered for in Business Central."""
        return CAPTIONS["en"][self]

    @property
    def enum_name(self) -> str:
        """Return the AL enum value's name: what API pages say."""
        return _NAMES[self]


_NAMES: dict[JobState, str] = {
    JobState.HOLD: "Hold",
    JobState.QUEUED: "Queued",
    JobState.ERROR: "Error",
    JobState.CANCELLED: "Cancelled",
    JobState.PRINTING: "Printing",
    JobState.PRINTED: "Printed",
}

CAPTIONS: dict[str, dict[JobState, str]] = {
    "en": {**_NAMES, JobState.HOLD: "OnHold"},
    "da": {
        JobState.HOLD: "Afventer",
        JobState.QUEUED: "I kø",
        JobState.ERROR: "Fejl",
        JobState.CANCELLED: "Annulleret",
        JobState.PRINTING: "Udskriver",
        JobState.PRINTED: "Udskrevet",
    },
    "de": {
        JobState.HOLD: "Angehalten",
        JobState.QUEUED: "In Warteschlange",
        JobState.ERROR: "Fehler",
        JobState.CANCELLED: "Storniert",
        JobState.PRINTING: "Wird gedruckt",
        JobState.PRINTED: "Gedruckt",
    },
}
"""Captions by language. A server set to option captions answers in the language of the request, or in its own."""

_ENCODED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_STATES: dict[str, JobState] = {
    text.casefold(): state for texts in (_NAMES, *CAPTIONS.values()) for state, text in texts.items()
}


def decode_name(text: str) -> str:
    """Undo the XML encoding of an AL name (``_x0020_`` is a blank), as API pages and payloads may have it."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), text)


def read_state(text: str) -> JobState:
    """Read a job state, told as a name, a caption in English, Danish or German, or XML-encoded (``I_x0020_k_x00F8_``).

    Raises:
        ValueError: the text is none of them; the message repeats it.
    """
    plain = decode_name(text).strip().casefold()
    try:
        return _STATES[plain]
    except KeyError:
        raise ValueError(
            f"Business Central calls a job's state {text!r}, which is none of {', '.join(_NAMES.values())}; "
            "set the service user's language to English (United States)"
        ) from None


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a web service.

    Attributes:
        name: as on the wire.
        kind: how it is told there.
        length: the most UTF-16 units a text may have; None for other kinds and for unbounded text.
        writable: the processor may write it.
        looked_up: calculated from another table at each read (a FlowField); takes part in the row's tag.
    """

    name: str
    kind: Kind
    length: int | None = None
    writable: bool = False
    looked_up: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """An action bound to one row of an API page: ``POST .../printJobs(<id>)/Microsoft.NAV.<name>``."""

    name: str
    parameters: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Entity:
    """A published page.

    Attributes:
        name: the web service's name, or the API page's entity set name.
        page: the page's object id in AL.
        table: the source table's name in AL.
        key: the field a single row is asked by.
        fields: all of them, in the page's order.
        insert: the processor may add rows.
        modify: the processor may change rows.
        actions: bound actions; only API pages have them.
    """

    name: str
    page: int
    table: str
    key: str
    fields: tuple[Field, ...]
    insert: bool = False
    modify: bool = True
    actions: tuple[Action, ...] = ()
    by_name: dict[str, Field] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {each.name: each for each in self.fields})


PROCESSOR_PERMISSION_SET = "PIPrintProcessor"

_COUNTERS = ("NoOnHold", "NoQueued", "NoInError", "NoCancelled", "NoPrinting", "NoPrinted")

PRINTER_WS = Entity(
    name="PIPrintPrinterWS",
    page=90000,
    table="PIPrintPrinter",
    key="RowNo",
    insert=True,
    fields=(
        Field("RowNo", "integer"),
        Field("HostID", "text", 250, writable=True),
        Field("PrinterID", "text", 250, writable=True),
        Field("PrinterName", "text", 250, writable=True),
        Field("PrinterJsonPayload", "text", 2048, writable=True),
        Field("Enabled", "boolean", writable=True),
        Field("NewJobsOnHold", "boolean", writable=True),
        Field("AutoDeleteJobsOnHold", "dateformula", writable=True),
        Field("AutoDeleteJobsQueued", "dateformula", writable=True),
        Field("AutoDeleteJobsInError", "dateformula", writable=True),
        Field("AutoDeleteJobsCancelled", "dateformula", writable=True),
        Field("AutoDeleteJobsPrinted", "dateformula", writable=True),
        *(Field(name, "integer", looked_up=True) for name in _COUNTERS),
        Field("LatestUpdate", "datetime"),
    ),
)

QUEUE_WS = Entity(
    name="PIPrintQueueWS",
    page=90002,
    table="PIPrintQueue",
    key="RowNo",
    fields=(
        Field("RowNo", "integer"),
        Field("PrinterRowNo", "integer"),
        Field("HostID", "text", 250, looked_up=True),
        Field("PrinterID", "text", 250, looked_up=True),
        Field("PrinterName", "text", 250, looked_up=True),
        Field("PrinterJobJsonPayload", "text", 2048),
        Field("PDFPrintJobBASE64", "text"),
        Field("Status", "state", writable=True),
        Field("Printed", "datetime"),
        Field("PrinterMessage", "text", 2048, writable=True),
    ),
)

PDF = "application/pdf"
ZPL = "application/vnd.zebra-zpl"
"""``documenttype`` of a job's payload: Business Central itself says PDF; ours says ZPL (the name LPrint gives it) for labels of
other extensions. The extension's codeunit PIPrintPayload has both."""

API_PUBLISHER = "piprint"
API_GROUP = "printing"
API_VERSION = "v2.0"

PRINTERS_API = Entity(
    name="printers",
    page=90010,
    table="PIPrintPrinter",
    key="id",
    insert=True,
    fields=(
        Field("id", "guid"),
        Field("rowNo", "integer"),
        Field("hostId", "text", 250, writable=True),
        Field("printerId", "text", 250, writable=True),
        Field("printerName", "text", 250, writable=True),
        Field("payload", "text", writable=True),  # a blob in the table: no limit of 2048
        Field("enabled", "boolean", writable=True),
        Field("newJobsOnHold", "boolean", writable=True),
        Field("state", "text", 30, writable=True),  # idle, processing, stopped: as IPP calls it
        Field("stateMessage", "text", 250, writable=True),
        Field("queued", "integer", looked_up=True),
        Field("printing", "integer", looked_up=True),
        Field("lastModifiedDateTime", "datetime"),
    ),
)

_TOKEN = Field("claimToken", "text", 250)
_MESSAGE = Field("message", "text", 2048)

JOBS_API = Entity(
    name="printJobs",
    page=90011,
    table="PIPrintQueue",
    key="id",
    modify=False,  # all changes go through the guarded actions
    fields=(
        Field("id", "guid"),
        Field("rowNo", "integer"),
        Field("hostId", "text", 250, looked_up=True),
        Field("printerId", "text", 250, looked_up=True),
        Field("printerName", "text", 250, looked_up=True),
        Field("payload", "text"),
        Field("document", "stream"),
        Field("documentSize", "integer"),
        Field("documentName", "text", 250),
        Field("status", "state"),
        Field("claimedBy", "text", 250),
        Field("leaseUntil", "datetime"),
        Field("submitted", "boolean"),  # the holder of the lease may have handed it to a printer
        Field("attempts", "integer"),
        Field("message", "text", 2048),
        Field("reportRunId", "guid"),
        Field("createdDateTime", "datetime"),
        Field("printedDateTime", "datetime"),
    ),
    actions=(
        # Queued, or Printing with a lease that ran out -> Printing; counts the attempt.
        Action("claim", (_TOKEN, Field("leaseSeconds", "integer"))),
        # The next five are refused unless the token is the job's and the job is still Printing.
        Action("renew", (_TOKEN, Field("leaseSeconds", "integer"))),
        Action("submitting", (_TOKEN,)),
        Action("tell", (_TOKEN, _MESSAGE)),  # what it waits for; changes the message alone
        Action("release", (_TOKEN, _MESSAGE)),  # -> Queued
        Action("finish", (_TOKEN, Field("printed", "boolean"), _MESSAGE)),  # -> Printed or Error
        # Once Printed or Error under that token: something about its end came to light; changes the message alone.
        Action("amend", (_TOKEN, _MESSAGE)),
        # For people, through the processor's page: any state but Printing -> Queued.
        Action("restart", ()),
    ),
)

PROCESSORS_API = Entity(
    name="processors",
    page=90012,
    table="PIPrintProcessor",
    key="id",
    insert=True,
    fields=(
        Field("id", "guid"),
        Field("hostId", "text", 250, writable=True),
        Field("instanceId", "text", 50, writable=True),
        Field("version", "text", 50, writable=True),
        Field("lastSeen", "datetime"),  # stamped by every write that changes something
        Field("stateMessage", "text", 250, writable=True),
        Field("beat", "integer", writable=True),  # a heartbeat writes another number than the row has
        Field("queued", "integer", looked_up=True),
        Field("printing", "integer", looked_up=True),
    ),
)

ENTITIES: tuple[Entity, ...] = (PRINTER_WS, QUEUE_WS, PRINTERS_API, JOBS_API, PROCESSORS_API)


GUARD_ERROR = "Application_DialogException"
"""``error.code`` of an action refused by its guard (status 400): what AL's ``Error`` becomes on the wire."""


class Guard(enum.StrEnum):
    """Why an action was refused: the word stands in square brackets in the message, ``... [not-yours]``, untranslated."""

    NOT_CLAIMABLE = "not-claimable"  # claim: neither Queued nor Printing with a lease that ran out
    NOT_YOURS = "not-yours"  # the five of a holder: another's token, or no longer Printing; amend: another's token, or not ended
    NOT_RESTARTABLE = "not-restartable"  # restart: it is Printing

    @property
    def label(self) -> str:
        """Return the word as Business Central's error message has it, in square brackets."""
        return f"[{self}]"


def units(text: str) -> int:
    """Return the UTF-16 units of a text: what Business Central counts in Text[n]."""
    return len(text) + sum(character > "\uffff" for character in text)


def cut(text: str, length: int) -> str:
    """Cut a text to at most ``length`` UTF-16 units, an ellipsis at its end; Business Central refuses longer ones."""
    if units(text) <= length:
        return text
    room = length - 1
    kept = []
    for character in text:
        room -= 2 if character > "\uffff" else 1
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + "…"
