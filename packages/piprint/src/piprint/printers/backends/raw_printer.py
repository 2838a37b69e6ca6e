"""A printer that takes bytes on a TCP port, 9100 as a rule: what is sent is printed, and nothing comes back.

So Printed means here: sent to the last byte, and the printer closed the connection or kept it without complaint. Two
failures differ: if there was no connection, nothing was printed; if it broke in the middle, a part may have been.

What the printer takes is a setting: ``raw`` passes documents on unchanged; ``zpl`` passes labels on unchanged and draws PDF as
labels, whole, before the first byte is sent, so that a damaged page leaves no half job; ``pdf`` is for printers that read PDF.

Sources: there is no standard for port 9100, which HP's JetDirect brought; ``~HS`` (host status) is Zebra's, *ZPL II
Programming Guide*. This module does not know journals: what follows from a broken connection is the worker's.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from piprint.config.settings import PrinterConfig
from piprint.contract import PDF, ZPL
from piprint.documents.inspect import Inspector, is_zpl
from piprint.errors import DocumentError, PrinterError, PrinterUnreachable, reason_of
from piprint.printers.backends.zpl import label, not_drawn
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import (
    Accepted,
    Capabilities,
    Feedback,
    JobStatus,
    PrinterAddress,
    PrinterState,
    PrinterStatus,
    Run,
    Ticket,
)

__all__ = ["RawPrinter", "host_status"]

PORT = 9100
_CHUNK = 1 << 16
_MOST_PAGES = 1000
"""Labels of one PDF; more is no label job."""
_LABELS = Capabilities(
    description="label printer (ZPL)",
    formats=frozenset({PDF, ZPL, "application/octet-stream"}),
    color=False,
    copies=999,
    scalings=("auto", "fit", "fill", "none"),
    scaling_default="auto",
)
_ANY = Capabilities(description="printer on a network port", copies=1)
"""A stream of unknown bytes cannot be told how often to print it."""


class RawPrinter:
    """A printer on a TCP port; see :class:`piprint.printers.printer.Printer`.

    Args:
        address: ``socket://host:port``.
        settings: its language and resolution.
        inspector: draws PDF for label printers; default: one of its own.
        timeout: seconds for the connection to stand, and for an answer to a question.
        grace: seconds the printer gets to close the connection after the last byte.
    """

    feedback = Feedback.SENT_ONLY

    def __init__(
        self,
        address: PrinterAddress,
        settings: PrinterConfig,
        inspector: Inspector | None = None,
        *,
        timeout: float = 10,
        grace: float = 5,
    ) -> None:
        self.address = address
        self._settings = settings
        self._inspector = inspector or Inspector()
        self._inspector_is_own = inspector is None
        self._timeout = timeout
        self._grace = grace
        self._sending = asyncio.Lock()  # most of these printers take one connection at a time

    async def capabilities(self) -> Capabilities:
        """Say what its language can; the printer cannot be asked."""
        return with_settings(_LABELS if self._settings.language == "zpl" else _ANY, self._settings)

    async def status(self) -> PrinterStatus:
        """Ask how it is: a label printer by ``~HS``; of others it is known only that they answer."""
        if self._sending.locked():
            return PrinterStatus(PrinterState.PROCESSING)
        async with self._sending, self._connected() as (reader, writer):
            if self._settings.language != "zpl":
                return PrinterStatus(PrinterState.IDLE)
            answer = b""
            with suppress(TimeoutError, OSError, asyncio.LimitOverrunError):
                async with asyncio.timeout(self._timeout):
                    writer.write(b"~HS\r\n")
                    while answer.count(b"\x03") < 3 and (more := await reader.read(_CHUNK)):  # noqa: PLR2004 - three strings
                        answer = (answer + more)[:_CHUNK]
            return host_status(answer)

    async def create(self, ticket: Ticket) -> Accepted:
        """Name the job; the printer hears nothing of it."""
        return Accepted(id=0, uuid="", name=ticket.name)

    async def send(self, accepted: Accepted, ticket: Ticket, document: Path) -> Accepted:
        """Send the document.

        Raises:
            PrinterUnreachable: its ``started`` says whether a part may have been printed.
            DocumentError: it cannot be read or drawn; nothing was sent.
        """
        async with self._sending:
            with self._opened(document) as (file, drawn):
                repeats = 1
                if self._settings.language == "zpl":
                    if ticket.format == ZPL or is_zpl(file.read(_CHUNK)):
                        repeats = ticket.copies  # its own ^PQ stays as it is
                    else:
                        accepted = replace(accepted, ignored=await self._draw(document, ticket, drawn))
                await self._transmit(drawn if drawn.tell() else file, repeats)
        return accepted

    @contextmanager
    def _opened(self, document: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
        """Open the document, and a file to draw labels into; our own disk's trouble means that nothing was sent."""
        try:
            with document.open("rb") as file, tempfile.TemporaryFile(dir=document.parent) as drawn:
                yield file, drawn
        except FileNotFoundError:
            raise DocumentError("the document is not on the disk here any more; restart the job") from None
        except OSError as error:
            raise PrinterUnreachable(
                f"nothing was sent to {self._place}: {document.parent} cannot be used ({error.strerror or error}); "
                "make room there, or mend it",
                started=False,
            ) from None

    async def _draw(self, document: Path, ticket: Ticket, into: BinaryIO) -> tuple[str, ...]:
        """Draw a label per page; return what could not be drawn, for people."""
        facts = await self._inspector.check(document, limit_bytes=sys.maxsize)
        pages = facts.pages or 0
        if pages > _MOST_PAGES:
            raise DocumentError(
                f"the document has {pages} pages, and a label printer gets {_MOST_PAGES} at most; print fewer at a time"
            )
        sheet = None if ticket.media is None else (ticket.media.width, ticket.media.height)
        pictures: dict[int, int] = {}
        fonts: dict[str, None] = {}
        for page in range(pages):
            bitmap = await self._inspector.draw(
                document, page, dpi=self._settings.dpi, sheet=sheet, scaling=ticket.scaling or "auto"
            )
            if bitmap.pictures:
                pictures[page + 1] = bitmap.pictures
            fonts |= dict.fromkeys(bitmap.fonts)
            text = await asyncio.to_thread(label, bitmap, ticket.copies)
            into.write(text)
        into.flush()  # a full disk shows here, before the first byte is sent
        return not_drawn(pictures, list(fonts))

    async def _transmit(self, source: BinaryIO, repeats: int) -> None:
        sent = 0
        async with self._connected() as (reader, writer):
            try:
                for _ in range(repeats):
                    source.seek(0)
                    while chunk := await asyncio.to_thread(source.read, _CHUNK):
                        writer.write(chunk)
                        sent += len(chunk)
                        async with asyncio.timeout(self._settings.give_up_after):
                            await writer.drain()
                await self._finish(reader, writer)
            except TimeoutError:
                raise PrinterUnreachable(
                    f"{self._place} took {sent} bytes and then no more for {self._settings.give_up_after:g} s; "
                    "a part may have been printed: look for paper, a pause or an open cover, then print again",
                    started=True,
                ) from None
            except OSError as error:
                raise PrinterUnreachable(
                    f"the connection to {self._place} broke after {sent} bytes ({error.strerror or error}); "
                    "a part may have been printed: check, then print again",
                    started=True,
                ) from None

    async def _finish(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say that this was all, and give the printer time to say so, too; printers that keep the connection are let be."""
        async with asyncio.timeout(self._settings.give_up_after):
            writer.write_eof()
            await writer.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                while await reader.read(_CHUNK):
                    pass

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        host, port = self._endpoint()
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await asyncio.open_connection(host, port)
        except TimeoutError:
            raise PrinterUnreachable(f"{self._place} does not answer; is it switched on?", started=False) from None
        except OSError as error:
            raise PrinterUnreachable(
                f"{self._place} cannot be reached ({reason_of(error)}); is it switched on, and busy for another?",
                started=False,
            ) from None
        try:
            yield reader, writer
        finally:
            writer.transport.abort()  # all is sent, or nothing more shall be
            with suppress(OSError):
                await writer.wait_closed()

    def _endpoint(self) -> tuple[str, int]:
        try:
            parts = urlsplit(self.address.uri)
            if parts.hostname:
                return parts.hostname, parts.port or PORT
        except ValueError:
            pass
        raise PrinterError(f"{self.address.uri!r} is no address of a printer; write socket://host:9100")

    @property
    def _place(self) -> str:
        return f"the printer {self.address.printer_id!r} at {self.address.uri}"

    async def release(self, accepted: Accepted) -> None:
        """Do nothing: these printers hold no jobs."""

    async def look(self, accepted: Accepted) -> JobStatus | None:  # noqa: ARG002 - the interface's
        """Know nothing: these printers do not tell."""
        return None

    async def find(self, name: str) -> list[JobStatus]:  # noqa: ARG002 - the interface's
        """Find nothing: these printers do not tell."""
        return []

    async def jobs(self) -> list[JobStatus]:
        """Find nothing: these printers do not tell."""
        return []

    async def cancel(self, accepted: Accepted) -> None:
        """Do nothing: what was sent cannot be called back."""

    async def run(self) -> Run:
        """Know nothing: a restart cannot be told, and what was in the printer is lost by it."""
        return Run()

    async def has_run_on(self, token: str) -> bool | None:  # noqa: ARG002 - the interface's
        """Know nothing."""
        return None

    async def close(self) -> None:
        """End the helper process, if this printer started one."""
        if self._inspector_is_own:
            await self._inspector.close()


_STRING = re.compile(rb"\x02([^\x02\x03]*)\x03")
_FLAGS: tuple[tuple[int, int, str], ...] = (
    # string, field, IPP printer-state-reason (RFC 8011 5.4.12)
    (0, 1, "media-empty-error"),
    (0, 2, "paused"),
    (0, 11, "other-error"),  # over temperature
    (1, 2, "cover-open-error"),  # head up
    (1, 3, "marker-supply-empty-error"),  # ribbon out
)
_WAITING = ((0, 4), (1, 8))
"""Formats in the buffer, labels left of a batch."""


def host_status(answer: bytes) -> PrinterStatus:
    """Read the answer to ``~HS``; a printer that says nothing counts as idle: some do so when idle, some when out of paper."""
    strings = [match.decode("ascii", "replace").split(",") for match in _STRING.findall(answer)]

    def told(string: int, place: int) -> int:
        text = strings[string][place] if string < len(strings) and place < len(strings[string]) else ""
        return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0

    reasons = tuple(reason for string, place, reason in _FLAGS if told(string, place))
    if reasons:
        return PrinterStatus(PrinterState.STOPPED, reasons)
    busy = any(told(string, place) for string, place in _WAITING)
    return PrinterStatus(PrinterState.PROCESSING if busy else PrinterState.IDLE)
