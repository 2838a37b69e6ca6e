"""Prints a test page straight on a printer, beside the jobs of Business Central, and tells how it went.

This module does not know how the page looks (:mod:`piprint.printers.test_sheet`).
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

from piprint.clock import utc_now
from piprint.config.settings import Config
from piprint.documents.paper import read_paper
from piprint.documents.payloads import read_job_payload
from piprint.errors import PiprintError, PrinterBusy, PrinterError
from piprint.printers.find import settings_of
from piprint.printers.printer import Accepted, Capabilities, Feedback, Printer, SpoolerState
from piprint.printers.reasons import told
from piprint.printers.test_sheet import make_label, make_page
from piprint.printers.ticket.options import make_ticket

__all__ = ["print_test_page"]

_NAME = "piprint-test-page"
_FOLLOW = 30.0
"""Seconds the page is watched; a laser printer has it out in 20."""
_LOOK_EVERY = 0.5
_A4 = (21000, 29700)


async def print_test_page(printer: Printer, config: Config) -> str:
    """Print a test page; return what to tell.

    Raises:
        PiprintError: the printer did not take it, or gave it up.
    """
    name = printer.address.printer_id
    settings = settings_of(name, config)
    if settings.language == "raw":
        raise PiprintError(f"printer {name} takes documents as they are (raw); no test page fits them all")
    able = await printer.capabilities()
    size = _size(able, settings.paper)
    at = utc_now().astimezone()
    if settings.language == "zpl":
        document = make_label(name, host=config.host, at=at, dpi=settings.dpi, size=size)
    else:
        more = [able.description] if able.description else []
        document = make_page(name, host=config.host, at=at, size=size, more=more)
    payload = read_job_payload("{}")
    ticket, _ = make_ticket(_NAME, payload, able, settings, (), printer_id=name, page_size=size, pages=1)
    with tempfile.TemporaryDirectory(prefix="piprint-") as folder:
        file = Path(folder) / "page"
        await asyncio.to_thread(file.write_bytes, document)
        try:
            accepted = await printer.create(ticket)
        except PrinterBusy:
            raise PiprintError(f"printer {name} is busy with another job; try again when it is done") from None
        try:
            accepted = await printer.send(accepted, ticket, file)
            if accepted.held:
                await printer.release(accepted)
        except PrinterError:
            with suppress(PrinterError):  # else a job without a document would block printers that take one at a time
                await printer.cancel(accepted)
            raise
    if printer.feedback is Feedback.SENT_ONLY:
        return f"The test page was sent to {name}; this printer tells nothing back."
    return await _followed(printer, accepted)


async def _followed(printer: Printer, accepted: Accepted) -> str:
    """Watch the page for a while; return what became of it."""
    name, seen = printer.address.printer_id, ""
    try:
        async with asyncio.timeout(_FOLLOW):
            while True:
                job = await printer.look(accepted)
                if job is None:
                    return f"The test page is at {name}, which no longer remembers it: most likely it is printed."
                seen = told(job.reasons, job.message)
                if job.state is SpoolerState.COMPLETED:
                    return f"The test page is printed on {name}."
                if job.state.final:
                    raise PiprintError(f"printer {name} gave the test page up: {seen or job.state.name.lower()}")
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        waits = f" ({seen})" if seen else ""
        return f"The test page waits at {name}{waits}; it prints as soon as the printer can."


def _size(able: Capabilities, paper: tuple[str, ...]) -> tuple[int, int]:
    if able.media_default is not None:
        return able.media_default.width, able.media_default.height
    return (read_paper(paper[0]) if paper else None) or _A4
