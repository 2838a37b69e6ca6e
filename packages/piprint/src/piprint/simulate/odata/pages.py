"""Which column of which table each field of a published page shows, and what its values look like on the wire.

The fields themselves, their types, lengths and rights, are :mod:`piprint.contract`'s; here stands only where a value
comes from. This module does not know HTTP.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from piprint.contract import (
    CAPTIONS,
    ENTITIES,
    JOBS_API,
    PRINTER_WS,
    PRINTERS_API,
    PROCESSORS_API,
    QUEUE_WS,
    Entity,
    Field,
    JobState,
    read_state,
    units,
)
from piprint.simulate.extension.tables import Document, Printer, PrintJob, Row, Tables
from piprint.simulate.refusal import Refusal

__all__ = ["EMPTY", "Language", "OptionFormat", "Page", "Tongue", "page"]

Language = Literal["en", "da", "de"]
OptionFormat = Literal["caption", "name", "encoded"]

EMPTY = datetime(1, 1, 1, tzinfo=UTC)
"""How an empty date and time looks on the wire."""

_NO_GUID = "00000000-0000-0000-0000-000000000000"
_JSON_LENGTH = 2048
"""What the web services' payload fields hold; a longer payload shows in the API pages only."""


@dataclass(frozen=True, slots=True)
class Tongue:
    """How states are told in an answer.

    Attributes:
        language: of the captions.
        form: captions, names, or captions encoded as XML names (``I_x0020_k_x00F8_``).
    """

    language: Language = "en"
    form: OptionFormat = "caption"

    def tell(self, state: JobState) -> str:
        """Return a state as this session tells it."""
        text = state.enum_name if self.form == "name" else CAPTIONS[self.language][state]
        return text if self.form == "caption" else re.sub(r"[^A-Za-z0-9]", _encoded, text)

    def read(self, text: str) -> JobState:
        """Read a state: this session's caption or the enum's name, plain or encoded.

        Raises:
            ValueError: it is neither; a caption of another language is none.
        """
        state = read_state(text)
        plain = re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text).casefold()
        if plain not in {state.enum_name.casefold(), CAPTIONS[self.language][state].casefold()}:
            raise ValueError(text)
        return state


def _encoded(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"


Column = str | Callable[[Tables, Any], object]
"""A column's name in the row, or how the value is looked up."""


def _printers(column: str) -> Callable[[Tables, PrintJob], object]:
    """Look up a column of the job's printer."""
    return lambda tables, job: getattr(tables.printers.get(job.printer_row_no), column, "")


def _counter(state: JobState) -> Callable[[Tables, Printer], object]:
    return lambda tables, printer: tables.count(printer.row_no, state)


def _of_host(state: JobState) -> Callable[[Tables, Any], object]:
    """Count the jobs of all printers of the processor's host."""
    return lambda tables, processor: sum(
        tables.count(printer.row_no, state)
        for printer in tables.printers.values()
        if printer.host_id == processor.host_id
    )


def _short_payload(_tables: Tables, row: Printer | PrintJob) -> str:
    """Shorten a payload to what PIPrint 1.0's field holds, and leave it valid."""
    for text in _shorter(row.payload):
        if units(text) <= _JSON_LENGTH:
            return text
    return ""


def _shorter(payload: str) -> Iterator[str]:
    """Yield a payload without more and more of what is least needed."""
    yield payload
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return
    if not isinstance(told, dict):
        return
    for name in ("description", "filterviews"):
        told.pop(name, None)
    yield json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    if isinstance(told.get("papertrays"), list):
        told["papertrays"] = told["papertrays"][:1]
        yield json.dumps(told, separators=(",", ":"), ensure_ascii=False)


_COLUMNS: Mapping[str, Mapping[str, Column]] = {
    PRINTER_WS.name: {
        "RowNo": "row_no",
        "HostID": "host_id",
        "PrinterID": "printer_id",
        "PrinterName": "printer_name",
        "PrinterJsonPayload": _short_payload,
        "Enabled": "enabled",
        "NewJobsOnHold": "new_jobs_on_hold",
        "AutoDeleteJobsOnHold": "delete_on_hold",
        "AutoDeleteJobsQueued": "delete_queued",
        "AutoDeleteJobsInError": "delete_in_error",
        "AutoDeleteJobsCancelled": "delete_cancelled",
        "AutoDeleteJobsPrinted": "delete_printed",
        "NoOnHold": _counter(JobState.HOLD),
        "NoQueued": _counter(JobState.QUEUED),
        "NoInError": _counter(JobState.ERROR),
        "NoCancelled": _counter(JobState.CANCELLED),
        "NoPrinting": _counter(JobState.PRINTING),
        "NoPrinted": _counter(JobState.PRINTED),
        "LatestUpdate": "latest_update",
    },
    QUEUE_WS.name: {
        "RowNo": "row_no",
        "PrinterRowNo": "printer_row_no",
        "HostID": _printers("host_id"),
        "PrinterID": _printers("printer_id"),
        "PrinterName": _printers("printer_name"),
        "PrinterJobJsonPayload": _short_payload,
        "PDFPrintJobBASE64": "document",
        "Status": "status",
        "Printed": "printed",
        "PrinterMessage": "message",
    },
    PRINTERS_API.name: {
        "id": "id",
        "rowNo": "row_no",
        "hostId": "host_id",
        "printerId": "printer_id",
        "printerName": "printer_name",
        "payload": "payload",
        "enabled": "enabled",
        "newJobsOnHold": "new_jobs_on_hold",
        "state": "state",
        "stateMessage": "state_message",
        "queued": _counter(JobState.QUEUED),
        "printing": _counter(JobState.PRINTING),
        "lastModifiedDateTime": "latest_update",
    },
    JOBS_API.name: {
        "id": "id",
        "rowNo": "row_no",
        "hostId": _printers("host_id"),
        "printerId": _printers("printer_id"),
        "printerName": _printers("printer_name"),
        "payload": "payload",
        "document": "document",
        "documentSize": lambda _tables, job: job.document.size,
        "documentName": "document_name",
        "status": "status",
        "claimedBy": "claimed_by",
        "leaseUntil": "lease_until",
        "submitted": "submitted",
        "attempts": "attempts",
        "message": "message",
        "reportRunId": "report_run_id",
        "createdDateTime": "created",
        "printedDateTime": "printed",
    },
    PROCESSORS_API.name: {
        "id": "id",
        "hostId": "host_id",
        "instanceId": "instance_id",
        "version": "processor_version",
        "lastSeen": "last_seen",
        "stateMessage": "state_message",
        "beat": "beat",
        "queued": _of_host(JobState.QUEUED),
        "printing": _of_host(JobState.PRINTING),
    },
}

_WRITTEN: Mapping[str, str] = {"PrinterJsonPayload": "payload"}
"""Columns written by fields that are shown in another way."""

_TABLES: Mapping[str, Callable[[Tables], Mapping[Any, Row]]] = {
    "PIPrintPrinter": lambda tables: tables.printers,
    "PIPrintQueue": lambda tables: tables.jobs,
    "PIPrintProcessor": lambda tables: tables.processors,
}

_TYPES: Mapping[str, tuple[type, str]] = {
    "text": (str, "Edm.String"),
    "json": (str, "Edm.String"),
    "dateformula": (str, "Edm.String"),
    "state": (str, "Edm.String"),
    "integer": (int, "Edm.Int32"),
    "boolean": (bool, "Edm.Boolean"),
    "datetime": (str, "Edm.DateTimeOffset"),
    "guid": (str, "Edm.Guid"),
    "stream": (bytes, "Edm.Stream"),
}
"""The type a field's value has in JSON, and its name in ``$metadata``."""


class Page:
    """A published page over its table.

    Args:
        entity: the contract's part.
    """

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self._columns = _COLUMNS[entity.name]
        self._rows = _TABLES[entity.table]

    def rows(self, tables: Tables) -> Iterable[Row]:
        """Return all rows in the order of row numbers."""
        rows = self._rows(tables)
        return [rows[key] for key in sorted(rows)] if self.entity.key == "RowNo" else list(rows.values())

    def find(self, tables: Tables, key: object) -> Row | None:
        """Return the row with a key; None when there is none."""
        rows = self._rows(tables)
        if key in rows:
            return rows[key]
        return next((row for row in rows.values() if row.id == key), None) if isinstance(key, str) else None

    def value(self, name: str, tables: Tables, row: Row) -> object:
        """Return a field's value; what is empty is never None."""
        column = self._columns[name]
        value = getattr(row, column) if isinstance(column, str) else column(tables, row)
        if value is None:
            return EMPTY
        return (value or _NO_GUID) if self.entity.by_name[name].kind == "guid" else value

    def getter(self, tables: Tables, row: Row) -> Callable[[str], object]:
        """Return how a filter asks for the row's values."""
        return lambda name: self.value(name, tables, row)

    def encode(
        self, tables: Tables, row: Row, tag: str, names: Sequence[str], tongue: Tongue, address: str
    ) -> Iterator[Part]:
        """Yield the row as JSON: pieces of text, and documents where their base64 goes (in quotes already).

        Args:
            tables: the row is from.
            row: the row.
            tag: its tag.
            names: of the fields to show, in the order of the page.
            tongue: how states are told.
            address: the row's own URL; a stream is a link below it.
        """
        text = '{"@odata.etag":' + json.dumps(tag)
        for name in names:
            if self.entity.by_name[name].kind == "stream":
                text += f',"{name}@odata.mediaReadLink":' + json.dumps(f"{address}/{name}")
                continue
            value = self.value(name, tables, row)
            if isinstance(value, Document):
                yield f'{text},"{name}":"'
                yield value
                text = '"'
            else:
                text += f',"{name}":' + json.dumps(_told(value, tongue), ensure_ascii=False)
        yield text + "}"

    def read(self, body: Mapping[str, object], tongue: Tongue) -> dict[str, Any]:
        """Turn a request's fields into the columns to write.

        Raises:
            Refusal: an unknown or read-only field, a wrong type, or a text that is too long.
        """
        values = {}
        for name, told in body.items():
            if name.startswith("@odata.") or "@odata." in name:
                continue
            field = self.entity.by_name.get(name)
            if field is None:
                raise Refusal("BadRequest", f"The property '{name}' does not exist on type '{self.entity.name}'.")
            if not field.writable:
                raise Refusal("BadRequest_InvalidOperation", f"Control '{name}' is read-only.")
            column = self._columns[name]
            values[column if isinstance(column, str) else _WRITTEN[name]] = _read(field, told, tongue)
        return values

    def metadata(self) -> str:
        """Return the page's part of ``$metadata``."""
        lines = [f'<EntityType Name="{self.entity.name}"><Key><PropertyRef Name="{self.entity.key}"/></Key>']
        for field in self.entity.fields:
            most = f' MaxLength="{field.length}"' if field.length else ""
            lines.append(f'<Property Name="{field.name}" Type="{_TYPES[field.kind][1]}"{most}/>')
        return "".join([*lines, "</EntityType>"])


Part = str | Document
"""A piece of an answer: text as it is, or a document to be sent as base64."""


def _told(value: object, tongue: Tongue) -> object:
    if isinstance(value, JobState):
        return tongue.tell(value)
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds" if value.microsecond else "seconds").replace("+00:00", "Z")
    return value


def _read(field: Field, told: object, tongue: Tongue) -> object:
    wanted = _TYPES[field.kind][0]
    if type(told) is not wanted:
        raise Refusal("BadRequest", f"Cannot convert the value of '{field.name}' to {_TYPES[field.kind][1]}.")
    if isinstance(told, str) and re.search("[\ud800-\udfff]", told):
        raise Refusal("BadRequest", f"The value of '{field.name}' is not Unicode.")
    if field.kind == "state":
        try:
            return tongue.read(str(told))
        except ValueError:
            raise Refusal("BadRequest", f"'{told}' is not an option of '{field.name}'.") from None
    if field.length is not None and units(str(told)) > field.length:
        raise Refusal(
            "Application_StringExceededLength",
            f"The length of the string is {units(str(told))}, but it must be less than or equal to "
            f"{field.length} characters. Value: {str(told)[:60]}",
        )
    return told


_PAGES = {entity.name: Page(entity) for entity in ENTITIES}


def page(entity: Entity) -> Page:
    """Return the page that shows an entity."""
    return _PAGES[entity.name]
