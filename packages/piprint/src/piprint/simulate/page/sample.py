"""A sample invoice: one page of PDF written by hand, so that there is something to print.

PDF 1.4 with the standard font Helvetica, which every printer has (ISO 32000-1, 9.6.2.2). Widths of its characters are from
Adobe's Core 14 AFM files; only those of digits and signs are needed, to set numbers flush right.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from piprint.documents.pdf_file import pdf_file, stream

__all__ = ["sample_invoice"]

_LINES = (
    ("1968-S", "MEXICO swivel chair, black", 4, 190.10),
    ("1996-S", "ATLANTA whiteboard, base", 1, 1397.30),
    ("1928-S", "AMSTERDAM lamp", 6, 54.90),
    ("1906-S", "ATHENS mobile pedestal", 2, 433.90),
    ("", "Delivery and assembly", 1, 120.00),
)
_TAX = 0.25
_DIGIT, _POINT = 0.556, 0.278
"""Widths of Helvetica's digits and of its point, comma and blank, in ems."""

_TEAL, _INK, _GREY = "0 0.42 0.42", "0.1 0.11 0.13", "0.42 0.45 0.5"


def sample_invoice(number: int, day: datetime, company: str) -> bytes:
    """Return the PDF.

    Args:
        number: of the invoice.
        day: its date.
        company: whose invoice it is.
    """
    net = sum(count * price for _, _, count, price in _LINES)
    marks = [
        f"{_TEAL} rg 0 802 595 40 re f",
        _text(56, 816, 15, company, "1 1 1", bold=True),
        _text(56, 716, 30, "Invoice", _INK, bold=True),
        _text(56, 692, 11, f"No. {103_000 + number}    {day:%d %B %Y}", _GREY),
        *(
            _text(56, 640 - 15 * row, 11, line, _INK)
            for row, line in enumerate(("Adatum Corporation", "Robert Townes", "Station Road 21", "SE1 9RT London"))
        ),
        *(
            _text(360, 640 - 15 * row, 10, line, _GREY)
            for row, line in enumerate(("Payment within 14 days", "Shipped by our own van", "Your order 2-4711"))
        ),
        _text(56, 540, 9, "Item", _GREY),
        _text(130, 540, 9, "Description", _GREY),
        _text(352, 540, 9, "Quantity", _GREY),
        _text(432, 540, 9, "Price", _GREY),
        _text(504, 540, 9, "Amount", _GREY),
        f"{_TEAL} RG 1.2 w 56 531 m 539 531 l S",
        *_rows(),
        *_sums(net),
        _text(56, 132, 11, "Thank you for your order.", _INK),
        "0.85 G 0.6 w 56 96 m 539 96 l S",
        _text(
            56,
            80,
            8.5,
            "Sample invoice of piprint's stand-in for Business Central. Nobody owes anybody anything.",
            _GREY,
        ),
        _text(500, 80, 8.5, "Page 1 / 1", _GREY),
    ]
    return _pdf("\n".join(marks).encode("cp1252", "replace"))


def _rows() -> Iterable[str]:
    for row, (item, title, count, price) in enumerate(_LINES):
        y = 510 - 26 * row
        yield _text(56, y, 10.5, item, _GREY)
        yield _text(130, y, 10.5, title, _INK)
        yield _number(386, y, f"{count}")
        yield _number(456, y, f"{price:,.2f}")
        yield _number(539, y, f"{count * price:,.2f}")
        yield f"0.9 G 0.5 w 56 {y - 9} m 539 {y - 9} l S"


def _sums(net: float) -> Iterable[str]:
    top = 510 - 26 * len(_LINES) - 14
    for row, (title, amount) in enumerate((("Net", net), (f"VAT {_TAX:.0%}", net * _TAX))):
        yield _text(352, top - 20 * row, 10.5, title, _GREY)
        yield _number(539, top - 20 * row, f"{amount:,.2f}")
    yield f"{_TEAL} rg 340 {top - 64} 199 28 re f"
    yield _text(352, top - 55, 12, "Total EUR", "1 1 1", bold=True)
    yield _number(531, top - 55, f"{net * (1 + _TAX):,.2f}", size=12, colour="1 1 1")


def _text(x: float, y: float, size: float, text: str, colour: str, *, bold: bool = False) -> str:
    safe = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT {colour} rg /{'B' if bold else 'F'} {size} Tf {x:g} {y:g} Td ({safe}) Tj ET"


def _number(right: float, y: float, text: str, *, size: float = 10.5, colour: str = _INK) -> str:
    width = size * sum(_DIGIT if character.isdigit() else _POINT for character in text)
    return _text(right - width, y, size, text, colour)


def _pdf(content: bytes) -> bytes:
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"
    return pdf_file(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 6 0 R /Resources 7 0 R >>",
        font % b"Helvetica",
        font % b"Helvetica-Bold",
        stream(content),
        b"<< /Font << /F 4 0 R /B 5 0 R >> >>",
    )
