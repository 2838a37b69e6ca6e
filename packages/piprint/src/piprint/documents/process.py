"""The process that opens PDFs for :mod:`piprint.documents.inspect`: ``python -m piprint.documents.process``.

A PDF comes from outside, and a parser of PDFs is large: whatever one makes of it, a crash, an endless loop, all memory, shall
stay in here. So this process has limits, no files to write, no secrets in its environment, and imports little.

Frames go both ways, over standard input and output: four bytes of length (big-endian), then so many bytes. A request is one
frame of JSON: ``{"do": "check", "path": ...}`` or ``{"do": "draw", "path": ..., "page": 0, "dpi": 203, "sheet": [799, 1199],
"scaling": "auto"}`` (the sheet in dots, or null; a page that lies otherwise is turned by 90 degrees, clockwise). The answer is
one frame of JSON, ``{"pages", "width", "height", "sizes",
"forbidden"}`` (points; each size once) or ``{"width", "height", "pictures",
"fonts"}`` (dots; pictures that could not be drawn, and fonts that are missing) or ``{"trouble": word}``, with one of the words
of :data:`TROUBLES`; to ``draw``, a second frame follows with the bitmap, a bit per dot, 1 is black, rows of whole bytes.
The first frame, without a request, is ``{}``: ready.

It ends when standard input does. This module does not know what the troubles mean for people.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pypdfium2_raw as pdfium

from piprint.documents.faults import faults
from piprint.documents.placement import MOST_MEASURED, Placed, place

__all__ = ["TROUBLES", "read_frame", "write_frame"]

TROUBLES = ("unreadable", "damaged", "encrypted", "empty", "no such page", "too large to draw")

MEMORY = 1 << 29
"""Address space in bytes. Opening takes what the file's structure takes, drawing a byte per dot."""
CPU_SECONDS = 60
"""Processor time of one request."""
MOST_DOTS = 100_000_000
"""Of one drawn page: 100 MB; A4 at 600 dpi is a third of it."""
LONGEST_REQUEST = 1 << 20

_ERRORS = {
    pdfium.FPDF_ERR_FILE: "unreadable",
    pdfium.FPDF_ERR_PASSWORD: "encrypted",
    pdfium.FPDF_ERR_SECURITY: "encrypted",
}
_MAY_PRINT = 1 << 2
"""Bit 3 of P: "print the document" (ISO 32000-1, table 22). Bit 12, of later handlers, only says how finely: nothing here, nor in
CUPS's filters (measured, cups-filters 1.28), makes a difference of it."""
_THRESHOLD = 128
_BITS = bytes(ord("1") if level < _THRESHOLD else ord("0") for level in range(256))
"""For ``bytes.translate``: levels of grey to the digits of a binary number."""
_WHITE = 0xFFFFFFFF
_DRAWING = (
    pdfium.FPDF_ANNOT
    | pdfium.FPDF_PRINTING
    | pdfium.FPDF_GRAYSCALE
    | pdfium.FPDF_RENDER_NO_SMOOTHTEXT  # sharp edges: half-grey ones would thin out the bars of a bar code
    | pdfium.FPDF_RENDER_NO_SMOOTHPATH
)


class _Trouble(Exception):
    """A document that cannot be opened or drawn; its argument is one of TROUBLES."""


def read_frame(source: BinaryIO) -> bytes | None:
    """Return the next frame; None at the end of the stream."""
    head = source.read(4)
    length = int.from_bytes(head)
    if len(head) < 4 or length > LONGEST_REQUEST:  # noqa: PLR2004 - the length's own length
        return None
    body = source.read(length)
    return body if len(body) == length else None


def write_frame(sink: BinaryIO, body: bytes) -> None:
    """Write a frame and send it off."""
    sink.write(len(body).to_bytes(4))
    sink.write(body)
    sink.flush()


@contextmanager
def _opened(path: str) -> Iterator[pdfium.FPDF_DOCUMENT]:
    """Open a document by its path: pdfium reads the parts it needs, when it needs them."""
    document = pdfium.FPDF_LoadDocument(os.fsencode(path), None)
    if not document:
        raise _Trouble(_ERRORS.get(pdfium.FPDF_GetLastError(), "damaged"))
    try:
        yield document
    finally:
        pdfium.FPDF_CloseDocument(document)


def _check(path: str) -> dict[str, object]:
    with _opened(path) as document:
        pages = pdfium.FPDF_GetPageCount(document)
        if pages < 1:
            raise _Trouble("empty")
        size = pdfium.FS_SIZEF()
        if not pdfium.FPDF_GetPageSizeByIndexF(document, 0, size):
            raise _Trouble("damaged")
        forbidden = not pdfium.FPDF_GetDocPermissions(document) & _MAY_PRINT
        first = (size.width, size.height)
        sizes = dict.fromkeys([first, *_sizes(document, min(pages, MOST_MEASURED))])
        told = {"pages": pages, "width": first[0], "height": first[1]}
        return {**told, "sizes": list(sizes), "forbidden": forbidden}


def _sizes(document: pdfium.FPDF_DOCUMENT, pages: int) -> Iterator[tuple[float, float]]:
    size = pdfium.FS_SIZEF()
    for page in range(pages):
        if pdfium.FPDF_GetPageSizeByIndexF(document, page, size):
            yield size.width, size.height


def _draw(
    path: str, number: int, dpi: int, sheet: Sequence[int] | None, scaling: str
) -> tuple[dict[str, object], bytes]:
    with _opened(path) as document:
        page = pdfium.FPDF_LoadPage(document, number)
        if not page:
            raise _Trouble("no such page")
        try:
            sides = (pdfium.FPDF_GetPageWidthF(page), pdfium.FPDF_GetPageHeightF(page))
            placed = place((sides[0] * dpi / 72, sides[1] * dpi / 72), sheet, scaling, unit=dpi / 25.4)
            if placed.sheet[0] * placed.sheet[1] > MOST_DOTS or max(placed.page) > MOST_DOTS:
                raise _Trouble("too large to draw")
            pictures, fonts = faults(page)
            told = {"width": placed.sheet[0], "height": placed.sheet[1], "pictures": pictures, "fonts": fonts}
            return told, _dots(page, placed)
        finally:
            pdfium.FPDF_ClosePage(page)


def _dots(page: pdfium.FPDF_PAGE, placed: Placed) -> bytes:
    """Draw a page into a bitmap."""
    width, height = placed.sheet
    bitmap = pdfium.FPDFBitmap_CreateEx(width, height, pdfium.FPDFBitmap_Gray, None, 0)
    if not bitmap:
        raise _Trouble("too large to draw")
    try:
        pdfium.FPDFBitmap_FillRect(bitmap, 0, 0, width, height, _WHITE)
        pdfium.FPDF_RenderPageBitmap(bitmap, page, *placed.corner, *placed.page, placed.quarters, _DRAWING)
        stride = pdfium.FPDFBitmap_GetStride(bitmap)
        buffer = pdfium.FPDFBitmap_GetBuffer(bitmap)
        levels = memoryview(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ubyte * (stride * height))).contents).cast("B")
        row_bytes = (width + 7) // 8
        spare = b"0" * (row_bytes * 8 - width)
        rows = (bytes(levels[top : top + width]).translate(_BITS) + spare for top in range(0, stride * height, stride))
        return b"".join(int(row, 2).to_bytes(row_bytes) for row in rows)
    finally:
        pdfium.FPDFBitmap_Destroy(bitmap)


def _sheet(request: dict[str, object]) -> tuple[list[int] | None, str]:
    sheet = request["sheet"]
    return [int(side) for side in sheet] if isinstance(sheet, list) else None, str(request["scaling"])


def _answer(request: dict[str, object], sink: BinaryIO) -> None:
    path = str(request["path"])
    dots = None
    try:
        if request["do"] == "draw":
            told, dots = _draw(path, int(str(request["page"])), int(str(request["dpi"])), *_sheet(request))
        else:
            told = _check(path)
    except _Trouble as trouble:
        told = {"trouble": trouble.args[0]}
    write_frame(sink, json.dumps(told).encode())
    if dots is not None:
        write_frame(sink, dots)


def _limit() -> None:
    """Bound what a document can do to this host, where the system has such bounds (not on Windows)."""
    for name in (
        "SIGINT",
        "SIGTERM",
    ):  # the parent ends this process when it has no more use for it, by closing its input
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _allow_time() -> None:
    """Give one more request its processor time; the system kills the process when it is used up."""
    try:
        import resource  # noqa: PLC0415
    except ImportError:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS, most))


def main() -> None:
    """Answer requests until standard input ends."""
    _limit()
    source = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as sink:
        with Path(os.devnull).open("wb") as nowhere:  # whatever is printed shall not stand among the frames
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        pdfium.FPDF_InitLibrary()
        write_frame(sink, b"{}")
        while (frame := read_frame(source)) is not None:
            _allow_time()
            _answer(json.loads(frame), sink)


if __name__ == "__main__":
    main()
