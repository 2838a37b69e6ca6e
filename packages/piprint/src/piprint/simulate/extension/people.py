"""What people do in Business Central: print, hold, cancel, restart, delete; rename and switch off printers.

A job's payload is made as Business Central makes it (Microsoft, ``developer/devenv-onafterdocumentprintready-event``) from
the printer's payload and what the user chose. This module does not know HTTP.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piprint.contract import JOBS_API, PDF, JobState, units
from piprint.documents.paper import kind_by_name, source_by_name
from piprint.documents.payloads import UNITS, validate_printer_payload
from piprint.simulate.extension.actions import act
from piprint.simulate.extension.database import UNCLAIMED, Database
from piprint.simulate.extension.tables import Document, Printer, PrintJob
from piprint.simulate.refusal import Refusal

__all__ = ["Choice", "People"]

_IN_MEMORY = 1 << 20
"""Bytes; larger documents are kept in files."""
_PAYLOAD_LENGTH = 2048
"""Of PIPrint 1.0's field; printing fails when the payload does not fit."""

_MOST_COPIES = 999
"""Of one call of PIPrintAPI."""

_RESTART = next(action for action in JOBS_API.actions if action.name == "restart")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user, or the report's page setup, chose for a job; None leaves it to the printer's payload.

    That is all there is to choose: sides, colour and copies of a job are those of the printer's payload, whoever prints what.

    Attributes:
        report_id: the report's number.
        report_name: its name.
        source: paper source, a number of .NET's PaperSourceKind.
        paper: paper kind, a number of .NET's PaperKind.
        height: of a custom paper, in hundredths of an inch.
        width: likewise.
        landscape: lie the page across.
    """

    report_id: int = 1306
    report_name: str = "Standard Sales - Invoice"
    source: int | None = None
    paper: int | None = None
    height: int | None = None
    width: int | None = None
    landscape: bool | None = None


class People:
    """Users of Business Central.

    Args:
        database: they work on.
        folder: where large documents are kept; must exist.
        company: whose documents they print.
    """

    def __init__(self, database: Database, folder: Path, company: str) -> None:
        self._database = database
        self._folder = folder
        self._company = company

    def print(
        self,
        printer: int | str,
        document: bytes | Path,
        *,
        name: str = "",
        choice: Choice | None = None,
        payload: str | None = None,
    ) -> PrintJob:
        """Print a document.

        Args:
            printer: row number, or the name it is offered by.
            document: its bytes, or a file that stays as it is.
            name: of the document, for people.
            choice: see :class:`Choice`.
            payload: the job's payload word for word, in place of one made from the choice.

        Raises:
            Refusal: no such printer, it is disabled, or its payload or the job's is not usable.
        """
        printer_name, row = self._chosen(printer)
        choice = choice or Choice()
        run = str(uuid.uuid4())
        text = self._payload(printer_name, row, choice, run) if payload is None else payload
        if self._database.extension == "1.0" and units(text) > _PAYLOAD_LENGTH:
            raise Refusal(
                "Application_StringExceededLength",
                f"The length of the string is {units(text)}, but it must be less than or equal to "
                f"{_PAYLOAD_LENGTH} characters.",
            )
        return self._database.insert_job(
            PrintJob(
                row_no=0,
                printer_row_no=row.row_no,
                payload=text,
                document=self._keep(document),
                document_name=name or f"{choice.report_name}.pdf",
                status=JobState.HOLD if row.new_jobs_on_hold else JobState.QUEUED,
                created=self._database.now(),
                report_run_id=run,
            )
        )

    def send(
        self, printer: int | str, document: bytes | Path, *, name: str, document_type: str = PDF, copies: int = 1
    ) -> PrintJob:
        """Send a document without a report, as another extension does through our codeunit PIPrintAPI.

        Args:
            printer: as for :meth:`print`.
            document: likewise.
            name: of the document.
            document_type: :data:`piprint.contract.PDF` or ``ZPL``.
            copies: 1 to 999.

        Raises:
            Refusal: no such printer, too many copies, or the extension is PIPrint 1.0, which has no such codeunit.
        """
        if self._database.extension == "1.0":
            raise Refusal(
                "Application_DialogException", "PIPrint 1.0 prints reports only, no labels of other extensions."
            )
        if not 1 <= copies <= _MOST_COPIES:
            raise Refusal(
                "Application_DialogException", f"A document is printed 1 to {_MOST_COPIES} times, not {copies}."
            )
        told = {
            "version": 1,
            "objectname": name,
            "objectid": 0,
            "documenttype": document_type,
            "companyname": self._company,
            "printername": self._chosen(printer)[0],
            "defaultcopies": copies,
        }
        payload = json.dumps(told, separators=(",", ":"), ensure_ascii=False)
        return self.print(printer, document, name=name, payload=payload)

    def hold(self, row_no: int) -> PrintJob:
        """Keep a job from being printed."""
        return self._set(row_no, JobState.HOLD, "Put on hold by USER")

    def cancel(self, row_no: int) -> PrintJob:
        """Cancel a job."""
        return self._set(row_no, JobState.CANCELLED, "Cancelled by USER")

    def restart(self, row_no: int) -> PrintJob:
        """Queue a job again.

        Raises:
            Refusal: by our extension, while it prints.
        """
        if self._database.extension == "1.0":
            return self._set(row_no, JobState.QUEUED, "")
        return act(self._database, self._database.job(row_no), _RESTART, {})

    def delete(self, row_no: int) -> None:
        """Delete a job."""
        self._database.delete_job(self._database.job(row_no))

    def change_printer(self, row_no: int, **values: Any) -> Printer:
        """Rename a printer, switch it off, let its jobs wait; columns by name.

        Raises:
            Refusal: no such printer, or a value is not allowed.
        """
        return self._database.change_printer(self._database.printer(row_no), values)

    def delete_printer(self, row_no: int) -> None:
        """Delete a printer with its jobs."""
        self._database.delete_printer(self._database.printer(row_no))

    def offered(self) -> dict[str, Printer]:
        """Look up printers: those switched on, by the name they are offered by.

        Raises:
            Refusal: with PIPrint 1.0 one bad payload or two equal names break every look-up; ours leaves the one
                out and numbers the other.
        """
        self._database.clean_up_in_passing()
        offered: dict[str, Printer] = {}
        for row in self._database.tables.printers.values():
            if not row.enabled or not row.payload:
                continue
            name, problems = row.printer_name, validate_printer_payload(row.payload)
            if self._database.extension == "1.0" and (problems or name in offered):
                reason = problems[0] if problems else "an item with the same key has already been added"
                raise Refusal("Application_DialogException", f"Printers cannot be set up: {name}: {reason}.")
            if not problems:
                offered[f"{name} ({row.row_no})" if name in offered else name] = row
        return offered

    def _set(self, row_no: int, state: JobState, message: str) -> PrintJob:
        values: dict[str, Any] = {"status": state, **UNCLAIMED}
        if self._database.extension == "2.0":  # PIPrint 1.0 leaves the processor's message
            values["message"] = message
        return self._database.change_job(self._database.job(row_no), values)

    def _chosen(self, printer: int | str) -> tuple[str, Printer]:
        for name, row in self.offered().items():
            if printer in {row.row_no, name}:
                return name, row
        raise Refusal("Application_DialogException", f"There is no printer {printer} that is switched on.")

    def _payload(self, name: str, printer: Printer, choice: Choice, run: str) -> str:
        given = json.loads(printer.payload)
        trays = [_tray(tray) for tray in given["papertrays"]]
        tray = next((tray for tray in trays if tray["papersourcekind"] == choice.source), trays[0])
        if choice.paper is not None:
            tray |= {"height": 0, "width": 0}
        chosen = {
            "papersourcekind": choice.source,
            "paperkind": choice.paper,
            "landscape": choice.landscape,
            "height": choice.height,
            "width": choice.width,
        }
        told = tray | {name: value for name, value in chosen.items() if value is not None}
        return json.dumps(
            {
                "filterviews": [
                    {"name": "Header", "tableid": 112, "view": "VERSION(1) SORTING(Field3) WHERE(Field3=1(103001))"}
                ],
                "version": 1,
                "objectname": choice.report_name,
                "objectid": choice.report_id,
                "documenttype": PDF,
                "invokedby": "00000000-0000-0000-0000-000000000001",
                "invokeddatetime": self._database.now().isoformat(timespec="milliseconds"),
                "companyname": self._company,
                "printername": name,
                "duplex": given.get("duplex", False),
                "color": given.get("color", False),
                "defaultcopies": given.get("defaultcopies", 1),
                "papertray": told,
                "intent": "Print",
                "layoutmodel": "Rdlc",
                "layoutname": "StandardSalesInvoice.rdlc",
                "layoutmimetype": "Application/Report",
                "layoutapplicationid": "437dbf0e-84ff-417a-965d-ed2bb9650972",
                "reportrunid": run,
            },
            separators=(",", ":"),
            ensure_ascii=False,
        )

    def _keep(self, document: bytes | Path) -> Document:
        if isinstance(document, Path):
            with document.open("rb") as file:
                return Document(document.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), document)
        digest = hashlib.sha256(document).hexdigest()
        if len(document) <= _IN_MEMORY:
            return Document(len(document), digest, document)
        path = self._folder / f"{digest}.pdf"
        if not path.exists():
            path.write_bytes(document)
        return Document(len(document), digest, path)


def _tray(given: Mapping[str, Any]) -> dict[str, Any]:
    """Tell a tray of a printer's payload as jobs have it: numbers for names, sizes in hundredths of an inch (unit 0)."""
    source, paper = given["papersourcekind"], given["paperkind"]
    kind = kind_by_name(paper) if isinstance(paper, str) else None
    size = UNITS[given.get("units", "HI").upper()] / UNITS["HI"]
    return {
        "papersourcekind": source_by_name(source) if isinstance(source, str) else source,
        "paperkind": kind.number if kind else paper,
        "landscape": given.get("landscape", False),
        "units": 0,
        "height": round(given.get("height", 0) * size),
        "width": round(given.get("width", 0) * size),
    }
