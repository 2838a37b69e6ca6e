"""The test page: one sheet that shows whether the right printer prints, on the right paper, at the right size, in colour.

For label printers the same as a label in ZPL, with the printer's own letters, so that it also works when drawing PDF does not.

Sources: ISO 32000-1 (PDF: the objects, the page's content), Zebra's *ZPL II Programming Guide* (``^GB``, ``^A0``, ``^CI28``, ``^FH``).
This module does not know how the page comes to the printer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from piprint.documents.pdf_file import pdf_file, stream

__all__ = ["make_label", "make_page"]

_A4 = (21000, 29700)
_LABEL = (10000, 5000)
_MM = 72 / 25.4
_MARGIN = 5.0
"""Millimetres the frame stands from the edge: nearly every printer reaches that far."""
_GREYS = 11
_INKS = ("1 0 0 0 k", "0 1 0 0 k", "0 0 1 0 k", "0 0 0 1 k", "1 0 0 rg", "0 1 0 rg", "0 0 1 rg")
"""Cyan, magenta, yellow, black; red, green, blue."""


def _lines(printer: str, host: str, at: datetime, more: Sequence[str]) -> list[str]:
    return [f"Printer: {printer}", f"Host: {host}", f"Time: {at:%Y-%m-%d %H:%M:%S %Z}".rstrip(), *more]


def make_page(printer: str, *, host: str, at: datetime, size: tuple[int, int] = _A4, more: Sequence[str] = ()) -> bytes:
    """Return the test page as PDF.

    Args:
        printer: its name.
        host: this processor's name.
        at: now.
        size: width and height of the sheet in hundredths of a millimetre.
        more: further lines to print.
    """
    width, height = (side / 100 * _MM for side in size)
    content = "\n".join(_content(size[0] / 100, size[1] / 100, _lines(printer, host, at, more))).encode(
        "cp1252", "replace"
    )
    return pdf_file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.2f %.2f] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>"
        % (width, height),
        stream(content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )


def _content(width: float, height: float, lines: Sequence[str]) -> Iterator[str]:
    """Yield the page's drawing, in millimetres from the lower left corner."""
    inner = width - 2 * _MARGIN
    unit = min(inner, height - 2 * _MARGIN) / 100  # what is 1 mm on a large sheet shrinks with the sheet
    unit = min(max(unit, 0.1), 1.9)
    yield f"{_MM:.5f} 0 0 {_MM:.5f} 0 0 cm 0.2 w"
    yield f"{_MARGIN} {_MARGIN} {inner:.2f} {height - 2 * _MARGIN:.2f} re S"
    yield from _ruler(inner, horizontal=True)
    yield from _ruler(height - 2 * _MARGIN, horizontal=False)
    left = _MARGIN + 5 * unit
    top = height - _MARGIN - 10 * unit
    yield _text(left, top, 6 * unit, "piprint test page")
    for number, line in enumerate(lines, 1):
        yield _text(left, top - 5 * unit * number - 2 * unit, 3.5 * unit, line)
    yield _text(left, top - 5 * unit * (len(lines) + 1) - 2 * unit, 3.5 * unit, f"Paper: {width:g} x {height:g} mm")
    yield _text(
        left,
        _MARGIN + 4 * unit,
        2.5 * unit,
        f"The frame stands {_MARGIN:g} mm from each edge; its marks are 10 mm apart.",
    )
    bar = (inner - 10 * unit) / _GREYS
    for step in range(_GREYS):
        yield f"{1 - step / (_GREYS - 1):.2f} g {left + bar * step:.2f} {_MARGIN + 22 * unit:.2f} {bar:.2f} {10 * unit:.2f} re f"
    bar = (inner - 10 * unit) / len(_INKS)
    for step, ink in enumerate(_INKS):
        yield f"{ink} {left + bar * step:.2f} {_MARGIN + 10 * unit:.2f} {bar:.2f} {10 * unit:.2f} re f"


def _ruler(length: float, *, horizontal: bool) -> Iterator[str]:
    """Yield marks of 10 mm along the lower or the left side of the frame."""
    for number in range(1, int(length // 10) + 1):
        at = _MARGIN + 10 * number
        start, end = (
            (f"{at:.2f} {_MARGIN}", f"{at:.2f} {_MARGIN + 2}")
            if horizontal
            else (f"{_MARGIN} {at:.2f}", f"{_MARGIN + 2} {at:.2f}")
        )
        yield f"{start} m {end} l S"


def _text(left: float, bottom: float, size: float, text: str) -> str:
    plain = "".join(character for character in text[:120] if character.isprintable())
    escaped = plain.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"0 g BT /F {size:.2f} Tf {left:.2f} {bottom:.2f} Td ({escaped}) Tj ET"


def make_label(
    printer: str, *, host: str, at: datetime, dpi: int, size: tuple[int, int] = _LABEL, more: Sequence[str] = ()
) -> bytes:
    """Return the test label as ZPL; ``dpi`` is the printer's resolution, see :func:`make_page` for the others."""
    width, height = (round(side / 2540 * dpi) for side in size)
    letter = max(12, min(width // 28, height // 8))
    lines = ["piprint test label", *_lines(printer, host, at, more)]
    fields = "".join(
        f"^FO{letter},{letter + number * (letter + letter // 4)}^A0N,{letter},{letter}^FH_^FD{_field_data(line)}^FS\n"
        for number, line in enumerate(lines)
    )
    return f"^XA\n^CI28\n^PW{width}\n^LL{height}\n^LH0,0\n^FO0,0^GB{width},{height},2^FS\n{fields}^PQ1\n^XZ\n".encode()


def _field_data(text: str) -> str:
    """Return a text as field data; what would be a command, or the sign of ``^FH`` itself, is told in hexadecimal."""
    return "".join(
        f"_{ord(character):02X}" if character in "^~_\\" else character
        for character in text[:120]
        if character.isprintable()
    )
