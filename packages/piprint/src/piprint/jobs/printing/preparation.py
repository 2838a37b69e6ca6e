"""From a document and its print settings to what goes to the printer: checked, clamped, turned into labels if need be.

This module joins the parts that know how; it does not know jobs.
"""

from __future__ import annotations

from pathlib import Path

from piprint.config.settings import Config
from piprint.contract import ZPL
from piprint.documents.inspect import FORBIDDEN, Inspector
from piprint.documents.payloads import read_job_payload
from piprint.errors import DocumentError
from piprint.jobs.active_job import Prepared
from piprint.printers.find import settings_of
from piprint.printers.printer import Printer
from piprint.printers.ticket.options import make_ticket

__all__ = ["Preparation"]

_RAW = "Raw Printer"
"""What CUPS calls the make and model of a queue without a driver."""


class Preparation:
    """Prepares documents; implements :class:`piprint.jobs.active_job.Prepare`.

    Args:
        config: the settings.
        inspector: looks into documents.
    """

    def __init__(self, config: Config, inspector: Inspector) -> None:
        self._config = config
        self._inspector = inspector

    async def __call__(self, name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        """Return what goes to the printer; see :class:`piprint.jobs.active_job.Prepare`."""
        printer_id = printer.address.printer_id
        settings = settings_of(printer_id, self._config)
        asked = read_job_payload(payload)
        labels = asked.documenttype == ZPL
        if labels and settings.language == "pdf":
            raise DocumentError(
                f"the document is labels in ZPL, and the printer {printer_id!r} is not set up to take ZPL, so nothing was "
                'printed; send it to a label printer, or, if this one speaks ZPL, write language = "zpl" for it in [[printers]]'
            )
        capabilities = await printer.capabilities()
        facts = await self._inspector.check(
            document,
            limit_bytes=self._config.limits.document_mb * 1_000_000,
            language=settings.language,
            labels=labels,
        )
        if settings.language == "zpl" and facts.pages is not None and not printer.address.uri.startswith("socket:"):
            raise DocumentError(
                f"the document is a PDF, and the printer {printer_id!r} is set up for labels in ZPL; PDFs are drawn as labels only for "
                "printers with an uri that begins with socket://; send it to another printer, or have that uri written for this one "
                "in [[printers]]"
            )
        if facts.forbidden and _is_opened(printer.address.origin, capabilities.description, settings.language):
            raise DocumentError(FORBIDDEN)
        ticket, notes = make_ticket(
            name,
            asked,
            capabilities,
            settings,
            self._config.rules,
            printer_id=printer_id,
            page_size=facts.size,
            pages=facts.pages,
            page_sizes=facts.sizes,
        )
        return Prepared(ticket, document, tuple(notes), pages=facts.pages or 0)


def _is_opened(origin: str, description: str, language: str) -> bool:
    """Tell whether a document is opened on its way to the paper, so that its locks count.

    We open what becomes labels; CUPS's filters open all that goes through a queue with a driver, and fail over a lock (measured,
    cups-filters 1.28). A queue without a driver, and a printer asked directly, are given the document as it is.
    """
    return language == "zpl" or (origin == "cups" and not description.endswith(_RAW))
