"""What a command does itself while no processor runs on this host.

The journal is only read, never locked or written: the command may run as another user than the service.
This module does not know how it is shown.
"""

from __future__ import annotations

import asyncio
import dataclasses
from typing import TYPE_CHECKING, Any

from piprint.config.load import data_dir_at_shell
from piprint.config.settings import Config
from piprint.errors import PiprintError, PrinterError

if TYPE_CHECKING:
    from piprint.journal.reading import Row

__all__ = ["jobs_of_journal", "printers_found", "restart", "send_test_page"]

_PATIENCE = 20.0
_MOST = 50


async def printers_found(config: Config) -> tuple[list[dict[str, Any]], list[str]]:
    """Find the printers and ask each; return them as the page's API tells them, and what could not be listed."""
    from piprint.printers.find import find_printers, open_printer  # noqa: PLC0415
    from piprint.printers.printer import Feedback  # noqa: PLC0415
    from piprint.printers.reasons import in_words  # noqa: PLC0415
    from piprint.web.view import PrinterView  # noqa: PLC0415

    found = await find_printers(config)

    async def look(address: Any) -> dict[str, Any]:
        view = PrinterView(address.printer_id, address.title, address.uri, address.origin, offered=None)
        try:
            printer = open_printer(address, config)
        except (PiprintError, ImportError) as error:
            return dataclasses.asdict(dataclasses.replace(view, state="unreachable", message=str(error)))
        try:
            async with asyncio.timeout(_PATIENCE):
                able, status = await printer.capabilities(), await printer.status()
        except (PrinterError, TimeoutError) as error:
            trouble = str(error) or "it does not answer"
            return dataclasses.asdict(dataclasses.replace(view, state="unreachable", message=trouble))
        finally:
            await printer.close()
        return dataclasses.asdict(
            dataclasses.replace(
                view,
                title=able.description or view.title,
                state=status.state.name.lower(),
                reasons=status.reasons,
                words=in_words(status.reasons),
                message=status.message,
                accepting=status.accepting,
                papers=tuple(dict.fromkeys(media.name for media in (able.media_default, *able.media) if media)),
                trays=able.sources,
                duplex=len(able.sides) > 1 if able.sides else None,
                color=able.color,
                followed=printer.feedback is Feedback.FOLLOWED,
            )
        )

    return list(await asyncio.gather(*map(look, found.addresses))), found.problems


async def jobs_of_journal(config: Config) -> dict[str, Any]:
    """Read the journal; return jobs as the page's API tells them."""
    from piprint.journal import reading  # noqa: PLC0415
    from piprint.journal.entry import Outcome  # noqa: PLC0415
    from piprint.journal.steps import Step  # noqa: PLC0415

    folder = data_dir_at_shell(config)
    rows = await asyncio.to_thread(reading.jobs, folder, _MOST)
    return {
        "running": False,
        "folder": str(folder),
        "jobs": [_told(row) | {"step": row.step, "since": row.begun} for row in rows if row.step != Step.REPORTED],
        "history": [
            _told(row) | {"outcome": row.outcome, "ended": row.ended}
            for row in rows
            if row.step == Step.REPORTED and row.outcome != Outcome.UNCLAIMED
        ],
    }


def _told(row: Row) -> dict[str, Any]:
    names = ("row_no", "printer", "message", "attempt", "title", "company")
    return {name: getattr(row, name) for name in names}


async def send_test_page(config: Config, printer_id: str) -> str:
    """Print a test page without a processor; return what to tell.

    Raises:
        PiprintError: there is no such printer, or it refuses.
    """
    from piprint.printers.find import find_printers, open_printer  # noqa: PLC0415
    from piprint.printers.sample_print import print_test_page  # noqa: PLC0415

    found = await find_printers(config)
    address = next((each for each in found.addresses if each.printer_id == printer_id), None)
    if address is None:
        names = ", ".join(each.printer_id for each in found.addresses) or "none"
        raise PiprintError(f"this host has no printer {printer_id}; it has: {names}")
    printer = open_printer(address, config)
    try:
        return await print_test_page(printer, config)
    finally:
        await printer.close()


async def restart(config: Config, row_no: int, *, any_host: bool) -> str:
    """Queue a job again in Business Central; return what to tell.

    Raises:
        PiprintError: there is no such job, or Business Central does not answer.
    """
    from piprint.bc.connect import connect  # noqa: PLC0415

    queue = await connect(config, instance="command")
    try:
        state = await queue.restart(row_no, any_host=any_host)
    finally:
        await queue.close()
    if state is None:
        raise PiprintError(f"Business Central has no job {row_no} (any more)")
    return f"Job {row_no} is now {state.enum_name}; it prints when a processor runs."
