"""The Windows spooler as a backend: queues, papers and job states by pywin32, PDF printed by SumatraPDF.

**Not tested on Windows.** It is written from the documentation named below and tested against a spooler made up by the tests.

Windows has no call that prints a PDF, so SumatraPDF does (found on PATH, or where ``PIPRINT_SUMATRA`` says), started with a list
of arguments, never through a shell. The job's name in the queue is the file's, so the document is printed from a file of that
name. A job that is done leaves the queue without a trace: one that this process handed over whole and that is gone counts as
printed, unless it was last seen being deleted; after a restart nothing is known of it.

Sources: Microsoft Learn, *JOB_INFO_2*, *PRINTER_INFO_2*, *DeviceCapabilities* (flags and numbers, ``winspool.h`` and
``wingdi.h``); pywin32, module ``win32print``; SumatraPDF, *Command-line arguments* (``-print-to``, ``-print-settings``).
This module does not know Business Central.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any
from urllib.parse import quote, unquote

from piprint.config.settings import PrinterConfig
from piprint.documents.paper import PAPER_KINDS, media_name
from piprint.errors import PrinterError, PrinterRefused, PrinterUnreachable
from piprint.printers.backends.unsupported import not_taken
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import (
    Accepted,
    Capabilities,
    Feedback,
    JobStatus,
    Media,
    PrinterAddress,
    PrinterState,
    PrinterStatus,
    Run,
    SpoolerState,
    Ticket,
)

__all__ = ["WindowsPrinter", "find_windows_printers"]

_LOCAL_AND_CONNECTED = 0x2 | 0x4
"""PRINTER_ENUM_LOCAL, PRINTER_ENUM_CONNECTIONS."""
_CANCEL = 3
"""JOB_CONTROL_CANCEL."""
_MOST_JOBS = 1000
_DC_PAPERS, _DC_PAPERSIZE, _DC_BINS, _DC_DUPLEX, _DC_COPIES, _DC_COLORDEVICE = 2, 3, 6, 7, 18, 32

_DELETED = 0x4 | 0x100
"""JOB_STATUS_DELETING, JOB_STATUS_DELETED."""
_JOB_STATES: tuple[tuple[int, SpoolerState], ...] = (  # the first that fits
    (_DELETED, SpoolerState.CANCELED),
    (0x80 | 0x1000, SpoolerState.COMPLETED),  # PRINTED, COMPLETE
    (0x2 | 0x200, SpoolerState.STOPPED),  # ERROR, BLOCKED_DEVQ
    (0x1, SpoolerState.HELD),  # PAUSED
    (
        0x8 | 0x10 | 0x20 | 0x40 | 0x400,
        SpoolerState.PROCESSING,
    ),  # SPOOLING, PRINTING, OFFLINE, PAPEROUT, USER_INTERVENTION
)
_JOB_REASONS: tuple[tuple[int, str], ...] = (
    (0x20, "printer-stopped"),
    (0x40, "media-empty"),
    (0x400, "printer-stopped"),
)
_PRINTER_REASONS: tuple[tuple[int, str], ...] = (
    (0x1, "paused"),
    (0x2, "other-error"),
    (0x8, "media-jam-error"),
    (0x10, "media-empty-error"),
    (0x40, "media-needed-error"),
    (0x80, "offline-report"),
    (0x40000, "toner-empty-error"),
    (0x100000, "other-error"),  # USER_INTERVENTION
    (0x400000, "door-open-error"),
)
_PRINTING = 0x200 | 0x400
"""PRINTER_STATUS_BUSY, PRINTER_STATUS_PRINTING."""

_BIN_KEYWORDS: dict[int, str] = {
    1: "top",
    2: "bottom",
    3: "middle",
    4: "manual",
    5: "envelope",
    6: "by-pass-tray",
    7: "auto",
    8: "main-roll",
    9: "photo",
    11: "large-capacity",
    14: "tray-4",
}
"""IPP media-source by DMBIN number; chosen so that :mod:`piprint.printers.ticket.offer` gives each its own number back."""
_SIDES = {"one-sided": "simplex", "two-sided-long-edge": "duplexlong", "two-sided-short-edge": "duplexshort"}
_DUPLEX = {1: "one-sided", 2: "two-sided-long-edge", 3: "two-sided-short-edge"}
"""What the queue is set to, by DEVMODE's dmDuplex (DMDUP_SIMPLEX, DMDUP_VERTICAL, DMDUP_HORIZONTAL)."""
_UNSCALED = "none"
_SCALINGS = {"auto": "shrink", "fit": "fit", _UNSCALED: "noscale"}
"""SumatraPDF's words for print-scaling. Without one it would make every page smaller by the printer's margins, also one that fits."""
_PAPERS = {8: "A3", 9: "A4", 11: "A5", 66: "A2", 70: "A6", 1: "letter", 5: "legal", 3: "tabloid", 6: "statement"}
"""Names SumatraPDF knows, by PaperKind."""


def _spooler() -> Any:
    try:
        return importlib.import_module("win32print")
    except ImportError:
        raise PrinterError(
            'printing with Windows needs Windows and the package pywin32: pip install "piprint[windows]"'
        ) from None


def find_windows_printers(spooler: Any = None) -> list[PrinterAddress]:
    """List the queues of this Windows host; on other systems there are none.

    Args:
        spooler: the module ``win32print``, or what stands in for it.

    Raises:
        PrinterError: pywin32 is missing, or the spooler does not answer.
    """
    if spooler is None:
        if os.name != "nt":
            return []
        spooler = _spooler()
    with _told_plainly(spooler, "the Windows spooler"):
        queues = spooler.EnumPrinters(_LOCAL_AND_CONNECTED, None, 4)
    names = [str(queue["pPrinterName"]) for queue in queues]
    return [PrinterAddress(name, f"winspool:/{quote(name, safe='')}", name, "windows") for name in names]


@contextmanager
def _told_plainly(spooler: Any, who: str) -> Iterator[None]:
    """Turn the spooler's errors (``pywintypes.error``: number, function, text) into ours."""
    try:
        yield
    except spooler.error as error:
        text = str(error.args[-1]).strip() if error.args else "no reason given"
        raise PrinterUnreachable(f"{who} does not answer: {text}; is the service Print Spooler running?") from None


class WindowsPrinter:
    """A queue of the Windows spooler; see :class:`piprint.printers.printer.Printer`. Not tested on Windows.

    Args:
        address: ``winspool:/<name>``, percent-encoded.
        settings: what the configuration says about it.
        spooler: the module ``win32print``, or what stands in for it.
        sumatra: the program that prints PDF; default: ``PIPRINT_SUMATRA``, else the one on PATH.
    """

    feedback = Feedback.FOLLOWED

    def __init__(
        self, address: PrinterAddress, settings: PrinterConfig, spooler: Any = None, *, sumatra: str = ""
    ) -> None:
        self.address = address
        self._settings = settings
        self._module = spooler
        self._sumatra = sumatra
        self._queue = unquote(address.uri.removeprefix("winspool:").lstrip("/"))
        self._bins: dict[str, int] = {}
        self._handed_over: dict[str, int] = {}  # job name to its last known status
        self._calls = asyncio.Lock()  # the spooler's calls block: each runs in a thread, one at a time

    async def _ask(self, question: Callable[[Any], Any]) -> Any:
        """Ask the spooler something with the queue's handle."""
        if self._module is None:
            self._module = _spooler()
        with _told_plainly(self._module, f"the Windows printer {self._queue!r}"):
            async with self._calls:
                return await asyncio.to_thread(self._with_handle, question)

    def _with_handle(self, question: Callable[[Any], Any]) -> Any:
        handle = self._module.OpenPrinter(self._queue)
        try:
            return question(handle)
        finally:
            self._module.ClosePrinter(handle)

    async def capabilities(self) -> Capabilities:
        """Ask the driver what the printer can do."""
        return with_settings(await self._ask(self._driver_told), self._settings)

    def _driver_told(self, handle: Any) -> Capabilities:
        info = self._module.GetPrinter(handle, 2)

        def told(what: int) -> Any:
            return self._module.DeviceCapabilities(self._queue, info["pPortName"], what)

        sizes = [(size["x"] * 10, size["y"] * 10) for size in told(_DC_PAPERSIZE)]  # tenths of a millimetre
        media = tuple(Media(*size, media_name(size)) for size in sizes if size[0] > 0 and size[1] > 0)
        self._bins = {_BIN_KEYWORDS.get(number, f"bin-{number}"): number for number in told(_DC_BINS)}
        color = told(_DC_COLORDEVICE) == 1
        return Capabilities(
            description=str(info.get("pDriverName") or ""),
            formats=frozenset({"application/pdf"}),
            media=media,
            media_default=self._default_media(info),
            sources=tuple(self._bins),
            sides=tuple(_SIDES) if told(_DC_DUPLEX) == 1 else ("one-sided",),
            sides_default=_DUPLEX.get(getattr(info.get("pDevMode"), "Duplex", 0), ""),
            color=color,
            color_modes=("color", "monochrome") if color else ("monochrome",),
            copies=max(int(told(_DC_COPIES)), 1),
            media_col=True,
            scalings=tuple(_SCALINGS),
            scaling_default=_UNSCALED,
        )

    def _default_media(self, info: Any) -> Media | None:
        kind = PAPER_KINDS.get(getattr(info.get("pDevMode"), "PaperSize", 0))
        return Media(*kind.size, kind.media) if kind and kind.size and not kind.rotated else None

    async def status(self) -> PrinterStatus:
        """Ask how it is."""
        info = await self._ask(lambda handle: self._module.GetPrinter(handle, 2))
        flags = int(info["Status"])
        reasons = tuple(dict.fromkeys(reason for flag, reason in _PRINTER_REASONS if flags & flag))
        if reasons:
            return PrinterStatus(PrinterState.STOPPED, reasons)
        return PrinterStatus(PrinterState.PROCESSING if flags & _PRINTING else PrinterState.IDLE)

    async def create(self, ticket: Ticket) -> Accepted:
        """Name the job; Windows announces none."""
        return Accepted(id=0, uuid="", name=ticket.name)

    async def send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        """Print the document; return when the spooler has it.

        Raises:
            PrinterRefused: SumatraPDF is not there, or could not print.
        """
        program = self._sumatra or os.environ.get("PIPRINT_SUMATRA") or shutil.which("SumatraPDF")
        if not program:
            raise PrinterRefused(
                "SumatraPDF was not found; install it, and put it on PATH or name it in PIPRINT_SUMATRA"
            )
        with tempfile.TemporaryDirectory(dir=document.parent) as folder:
            named = Path(folder) / f"{accepted.name}.pdf"
            await asyncio.to_thread(_link, document, named)
            await self._run(
                program,
                "-print-to",
                self._queue,
                "-print-settings",
                self._print_settings(ticket),
                "-silent",
                str(named),
            )
        self._handed_over[accepted.name] = 0
        if len(self._handed_over) > _MOST_JOBS:
            del self._handed_over[next(iter(self._handed_over))]  # the oldest; nobody asks for it any more
        found = await self.find(accepted.name)
        if found:
            accepted = Accepted(found[-1].id, "", accepted.name)
        names = self._left_out(ticket)
        untrue = tuple(text for text, about in ticket.notes if not names.isdisjoint(about))
        return replace(accepted, ignored=not_taken(names), untrue=untrue)

    async def _run(self, *command: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*command)
        except OSError as error:
            raise PrinterRefused(
                f"SumatraPDF cannot be started ({error.strerror or error}); see PIPRINT_SUMATRA"
            ) from None
        try:
            async with asyncio.timeout(self._settings.give_up_after):
                code = await process.wait()
        except BaseException as error:
            process.kill()
            await process.wait()
            if isinstance(error, TimeoutError):
                raise PrinterUnreachable(
                    "SumatraPDF did not come to an end; a part may have been printed", started=True
                ) from None
            raise
        if code:
            raise PrinterRefused(
                f"SumatraPDF could not print (code {code}); try the document by hand at this computer", status=code
            )

    def _print_settings(self, ticket: Ticket) -> str:
        """Return the ticket in SumatraPDF's words."""
        parts = [f"{ticket.copies}x", _SCALINGS[ticket.scaling or _UNSCALED]]
        if ticket.sides:
            parts.append(_SIDES[ticket.sides])
        if ticket.color_mode:
            parts.append("color" if ticket.color_mode == "color" else "monochrome")
        if ticket.source in self._bins:
            parts.append(f"bin={self._bins[ticket.source]}")
        if ticket.media is not None:
            kind = _paper_kind(ticket.media)
            if kind is not None:
                parts.append(f"paper={_PAPERS[kind]}")
        return ",".join(parts)

    def _left_out(self, ticket: Ticket) -> set[str]:
        """Return the IPP names of what SumatraPDF has no word for, or the driver has no more."""
        names = set()
        if ticket.media is not None and _paper_kind(ticket.media) is None:
            names.add("media")
        if ticket.source and ticket.source not in self._bins:
            names.add("media-col")
        return names

    async def release(self, accepted: Accepted) -> None:
        """Do nothing: jobs are not held."""

    async def look(self, accepted: Accepted) -> JobStatus | None:
        """Ask for a job; one that was handed over whole and has left the queue is done."""
        found = await self.find(accepted.name)
        if found:
            return next((job for job in found if job.id == accepted.id), found[-1])
        if accepted.name not in self._handed_over:
            return None
        deleted = self._handed_over[accepted.name] & _DELETED
        state = SpoolerState.CANCELED if deleted else SpoolerState.COMPLETED
        return JobStatus(accepted.id, "", accepted.name, state, message="it has left the Windows queue")

    async def find(self, name: str) -> list[JobStatus]:
        """Ask for the jobs of that name in the queue."""
        jobs = await self._ask(lambda handle: self._module.EnumJobs(handle, 0, _MOST_JOBS, 2))
        ours = [job for job in jobs if PureWindowsPath(str(job["pDocument"] or "")).stem == name]
        for job in ours:
            if name in self._handed_over:
                self._handed_over[name] = int(job["Status"])
        return [_job(job, name) for job in ours]

    async def jobs(self) -> list[JobStatus]:
        """Ask for all jobs in the queue, by the names of their documents; done ones have left it."""
        found = await self._ask(lambda handle: self._module.EnumJobs(handle, 0, _MOST_JOBS, 2))
        return [_job(job, PureWindowsPath(str(job["pDocument"] or "")).stem) for job in found]

    async def cancel(self, accepted: Accepted) -> None:
        """Cancel a job; no error when it is gone."""
        for job in await self.find(accepted.name):
            await self._ask(functools.partial(self._cancel, job.id))
            if accepted.name in self._handed_over:
                self._handed_over[accepted.name] |= _DELETED

    def _cancel(self, number: int, handle: Any) -> None:
        self._module.SetJob(handle, number, 0, None, _CANCEL)

    async def run(self) -> Run:
        """Know nothing: the spooler tells nobody when it started."""
        return Run()

    async def has_run_on(self, token: str) -> bool | None:  # noqa: ARG002 - the interface's
        """Know nothing."""
        return None

    async def close(self) -> None:
        """Do nothing: no connection is kept."""


def _paper_kind(media: Media) -> int | None:
    return next((kind for kind in _PAPERS if PAPER_KINDS[kind].media == media.name), None)


def _job(job: Any, name: str) -> JobStatus:
    flags = int(job["Status"])
    return JobStatus(
        id=int(job["JobId"]),
        uuid="",
        name=name,
        state=next((state for mask, state in _JOB_STATES if flags & mask), SpoolerState.PENDING),
        reasons=tuple(dict.fromkeys(reason for flag, reason in _JOB_REASONS if flags & flag)),
        message=str(job.get("pStatus") or ""),
        document_complete=not flags & 0x8,
        sheets=int(job.get("PagesPrinted") or 0) or None,
    )


def _link(document: Path, named: Path) -> None:
    """Give the document the job's name; a second name for the same file where the disk has such."""
    try:
        os.link(document, named)
    except OSError:
        shutil.copyfile(document, named)
