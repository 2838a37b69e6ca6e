"""Looking at a document before it goes to a printer: is it one, how many pages, how large; and drawing pages for label printers.

A raw queue prints garbage as garbage, and a driver queue stops for good over a damaged PDF (measured, CUPS 2.4.2). So every
document is opened once before it is handed over, in a process of its own (:mod:`piprint.documents.process`): what a hostile or
broken PDF does to a parser ends there. Whatever pdfium opens, after mending it if need be, and whose first page has a size
counts as good: printers and filters mend, too, and refusing what they would print helps nobody.

This module does not know printers, and does not read the document into memory.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from piprint.errors import DocumentError

__all__ = ["FORBIDDEN", "Bitmap", "DocumentFacts", "Inspector", "is_zpl", "looks_like"]

Language = Literal["pdf", "zpl", "raw"]

PROGRAM = (sys.executable, "-P", "-m", "piprint.documents.process")
"""The helper process; -P: nothing is imported from the folder the service happens to run in."""

_HEAD = 1024
"""Bytes within which ``%PDF-`` may stand: readers accept it there (ISO 32000-1, annex H, note 13)."""
_MEGABYTE = 1_000_000
_POINT = 2540 / 72
_KEPT_ENVIRONMENT = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "LANG",
    "LC_ALL",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
)
"""The others may be secrets, which have no business near a hostile document."""

_LOOKS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), name)
    for pattern, name in (
        (rb"\s*(<!doctype html|<html|<head|<body)", "a web page (HTML), perhaps an error message in its place"),
        (rb"\x89PNG\r\n", "a PNG picture"),
        (rb"\xff\xd8\xff", "a JPEG picture"),
        (rb"GIF8", "a GIF picture"),
        (rb"(II\*\0|MM\0\*)", "a TIFF picture"),
        (rb"(\x04)?%!", "PostScript"),
        (rb"\x1b%-12345X|\x1bE", "PCL"),
        (rb"(~[A-Z]{2}|\^XA|\s+\^XA)", "ZPL, labels"),
        (rb"PK\x03\x04", "a ZIP file, such as those of Office"),
        (rb"\xd0\xcf\x11\xe0", "an old Office file"),
        (rb"\s*<\?xml", "XML"),
        (rb"\s*[{\[]\s*[\"{\[\]}]", "JSON"),
        (rb"JVBERi0", "a PDF that is still in base64"),
        (rb"\x1f\x8b", "a gzip file"),
        (rb"\s*\{\\rtf", "RTF"),
    )
)

_TROUBLES: dict[str, str] = {
    "unreadable": "the document cannot be read from disk any more; restart the job",
    "damaged": "the PDF is damaged and cannot be mended; print it again from Business Central",
    "encrypted": "the PDF asks for a password before it can be read; print it without one",
    "empty": "the PDF has no pages; print it again from Business Central",
    "no such page": "a page of the PDF is damaged; print it again from Business Central",
    "too large to draw": "a page of the PDF is too large for this printer's resolution; print it on another printer",
}
FORBIDDEN = (
    "the PDF forbids printing: whoever made it locked it with a password; make it without that lock, or print it from a "
    "program that knows the password"
)
"""Told of a document that :attr:`DocumentFacts.forbidden` is true of, where that keeps it from being printed."""
_CRASHED = "the PDF is damaged so badly that reading it fails; print it again from Business Central"


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What is known of a document.

    Attributes:
        bytes: its size.
        pages: how many; None for labels and raw data.
        size: width and height of the first page as it is seen, in hundredths of a millimetre; None as above.
        sizes: every size its pages have, each once.
        forbidden: its maker allows looking at it, and not printing (ISO 32000-1, 7.6.3.2). Programs that open it obey that: CUPS's
            filters and we; whoever passes it on unopened does not know.
    """

    bytes: int
    pages: int | None = None
    size: tuple[int, int] | None = None
    sizes: tuple[tuple[int, int], ...] = ()
    forbidden: bool = False


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A drawn page.

    Attributes:
        width: dots.
        height: dots.
        rows: a bit per dot, 1 is black, the leftmost first; each row fills whole bytes.
        pictures: how many pictures of the page could not be drawn and are missing.
        fonts: names of fonts that are not in the document, so that others were drawn.
    """

    width: int
    height: int
    rows: bytes
    pictures: int = 0
    fonts: tuple[str, ...] = ()

    @property
    def row_bytes(self) -> int:
        """Return the bytes of a row."""
        return (self.width + 7) // 8


def looks_like(head: bytes) -> str:
    """Say for people what a document is that is no PDF, by its first bytes."""
    if not head.strip(b"\0"):
        return "nothing but zeros: the file was not written to its end"
    name = next((name for pattern, name in _LOOKS if pattern.match(head.removeprefix(b"\xef\xbb\xbf"))), "")
    if name:
        return name
    is_text = all(byte >= 0x20 or byte in b"\t\r\n\f" for byte in head)  # noqa: PLR2004 - the control characters end here
    return "plain text" if is_text else "of an unknown kind"


def is_zpl(head: bytes) -> bool:
    """Tell whether a document is ZPL already: its first command is a format (``^XA``) or a control (``~HS`` ...)."""
    return re.match(rb"\s*(\^XA|~[A-Z]{2})", head, re.IGNORECASE) is not None


class Inspector:
    """Looks at documents, one at a time; starts its helper process at the first one, and ends it when there are none.

    Args:
        timeout: seconds one document may take.
        starting: seconds the helper process may take to start; on a busy host that is long.
        idle: seconds after which the helper process is ended.
        program: what to start as the helper process.
    """

    def __init__(
        self, *, timeout: float = 60, starting: float = 60, idle: float = 60, program: Sequence[str] = PROGRAM
    ) -> None:
        self._timeout = timeout
        self._starting = starting
        self._idle = idle
        self._program = program
        self._process: Process | None = None
        self._one_at_a_time = asyncio.Lock()
        self._retirement: asyncio.TimerHandle | None = None
        self._ending: set[asyncio.Task[None]] = set()

    async def check(
        self, path: Path, *, limit_bytes: int, language: Language = "pdf", labels: bool = False
    ) -> DocumentFacts:
        """Say what a document is.

        Args:
            path: where it lies.
            limit_bytes: a larger one is refused.
            language: what the printer takes: ``zpl`` lets labels pass beside PDF, ``raw`` anything that is not empty.
            labels: whoever sent it says that it is ZPL. Its first command may then be any, so only a PDF is refused.

        Raises:
            DocumentError: it cannot be printed; the message says why and what to do.
        """
        size, head = await asyncio.to_thread(_look, path)
        if not size:
            raise DocumentError("the document is empty; print it again from Business Central")
        if size > limit_bytes:
            raise DocumentError(
                f"the document has {size / _MEGABYTE:.1f} MB, more than the {limit_bytes / _MEGABYTE:g} MB allowed here; "
                "raise document_mb in [limits], or print fewer pages"
            )
        if labels:
            if b"%PDF-" in head:
                raise DocumentError("the document was sent as labels in ZPL, but it is a PDF; send it as a PDF")
            return DocumentFacts(size)
        if language == "raw" or (language == "zpl" and is_zpl(head)):
            return DocumentFacts(size)
        if b"%PDF-" not in head:
            raise DocumentError(
                f"the document is no PDF: it is {looks_like(head)}; print it again from Business Central"
            )
        told, _ = await self._ask({"do": "check", "path": str(path)})
        first, *_ = sizes = [(_points(width), _points(height)) for width, height in told["sizes"]]
        known = tuple(filter(all, sizes))
        return DocumentFacts(size, told["pages"], first if all(first) else None, known, told["forbidden"])

    async def draw(
        self, path: Path, page: int, *, dpi: int, sheet: tuple[int, int] | None = None, scaling: str = "auto"
    ) -> Bitmap:
        """Draw a page of a PDF in black and white.

        Args:
            path: where it lies.
            page: from 0.
            dpi: dots per inch.
            sheet: width and height of the label in hundredths of a millimetre: a page that lies otherwise is turned; None: not
                known.
            scaling: what is done with a page of another size (print-scaling, PWG 5100.16): auto, fit, fill or none.

        Raises:
            DocumentError: it cannot be drawn.
        """
        dots = None if sheet is None else [max(1, round(side * dpi / 2540)) for side in sheet]
        request = {"do": "draw", "path": str(path), "page": page, "dpi": dpi, "sheet": dots, "scaling": scaling}
        told, rows = await self._ask(request)
        return Bitmap(told["width"], told["height"], rows, told["pictures"], tuple(told["fonts"]))

    async def close(self) -> None:
        """End the helper process, after the document it is at."""
        async with self._one_at_a_time:
            self._retire()
        await asyncio.gather(*self._ending)

    async def _ask(self, request: dict[str, object]) -> tuple[dict[str, Any], bytes]:
        async with self._one_at_a_time:
            if self._retirement is not None:
                self._retirement.cancel()
            try:
                # A second try, in a fresh process: the first may have fallen to a former document, or to a lack of memory.
                told, more = await self._exchange(request) or await self._exchange(request) or ({"crashed": True}, b"")
            finally:
                if self._process is not None:
                    self._retirement = asyncio.get_running_loop().call_later(self._idle, self._retire)
        if "crashed" in told:
            raise DocumentError(_CRASHED)
        if "trouble" in told:
            raise DocumentError(_TROUBLES[told["trouble"]])
        return told, more

    async def _exchange(self, request: dict[str, object]) -> tuple[dict[str, Any], bytes] | None:
        """Ask the process; None when it ended over it. A process that did not answer to the end is never asked again."""
        process = await self._started()
        try:
            async with asyncio.timeout(self._timeout):
                assert process.stdin is not None  # noqa: S101 - for mypy: PIPE was asked for
                body = json.dumps(request).encode()
                process.stdin.write(len(body).to_bytes(4) + body)
                await process.stdin.drain()
                told: dict[str, Any] = json.loads(await _frame(process))
                more = await _frame(process) if request["do"] == "draw" and "trouble" not in told else b""
        except TimeoutError:
            await self._kill()
            raise DocumentError(
                f"the PDF could not be read within {self._timeout:g} seconds; it is damaged or far too complicated; "
                "print it again from Business Central, with less in it"
            ) from None
        except (asyncio.IncompleteReadError, ConnectionError, json.JSONDecodeError):
            await self._kill()
            return None
        except BaseException:
            await self._kill()
            raise
        return told, more

    async def _started(self) -> Process:
        if self._process is None:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._program,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=DEVNULL,
                    env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ},
                )
                async with asyncio.timeout(self._starting):
                    await _frame(self._process)  # ready
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._kill()
                raise DocumentError(
                    "the program that checks PDFs does not start on this host; "
                    "run python -m piprint.documents.process to see why, then restart the job"
                ) from None
            except BaseException:
                await self._kill()
                raise
        return self._process

    def _retire(self) -> None:
        """Let the process go; the next document gets a new one."""
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None
        if self._process is not None:
            task = asyncio.ensure_future(_end(self._process))
            self._process = None
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await asyncio.shield(asyncio.ensure_future(_end(process)))


async def _end(process: Process) -> None:
    """Close the pipes and wait for the end, which the process comes to by itself when its input is closed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(5):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()


async def _frame(process: Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - for mypy: PIPE was asked for
    length = int.from_bytes(await process.stdout.readexactly(4))
    return await process.stdout.readexactly(length)


def _look(path: Path) -> tuple[int, bytes]:
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size, file.read(_HEAD)
    except OSError as error:
        raise DocumentError(f"the document cannot be read from disk: {error.strerror}") from None


def _points(side: float) -> int:
    """Return points as hundredths of a millimetre; 0 for what is no size."""
    return round(side * _POINT) if math.isfinite(side) and side > 0 else 0
