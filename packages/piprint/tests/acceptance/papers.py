"""Documents for tests: PDFs of any size, and things that are none."""

from __future__ import annotations

import io
import random
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

__all__ = ["CORRUPT", "EMPTY", "LABEL", "NOT_A_PDF", "big_pdf", "locked_pdf", "pdf"]

EMPTY = b""
CORRUPT = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n" + bytes(range(256)) * 8
"""It begins like a PDF, and ends in the middle."""
NOT_A_PDF = b"<html><body>502 Bad Gateway</body></html>"
LABEL = b"^XA^FO50,50^A0N,50,50^FDpallet 4711^FS^XZ"
"""ZPL."""


def pdf(text: str = "test", *, pages: int = 1, size: tuple[float, float] = A4) -> bytes:
    """Return a PDF with this text on each page. Two texts, two documents: nobody else's bytes.

    Args:
        text: on every page, with the page's number.
        pages: how many.
        size: width and height in points; wider than high is landscape.
    """
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=size, invariant=True)
    for number in range(1, pages + 1):
        canvas.drawString(72, size[1] - 72, f"{text} {number}/{pages}")
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


class _Lock(StandardEncryption):  # type: ignore[misc]  # reportlab has no types
    """A lock with just these permissions: the number P of ISO 32000-1, table 20."""

    def __init__(self, password: str, permissions: int, strength: int) -> None:
        super().__init__(password, ownerPassword="owner", strength=strength)
        self._permissions = permissions

    def permissionBits(self) -> int:  # noqa: N802 - reportlab's name
        return self._permissions + 2**31  # it takes that away again


def locked_pdf(permissions: int, *, password: str = "", strength: int = 128) -> bytes:
    """Return a PDF that only its owner may do everything with.

    Args:
        permissions: what others may, ISO 32000-1, table 22: bit 3 (4) print, bit 12 (0x800) print finely.
        password: needed to open it; "": anybody can look at it.
        strength: of the lock: 40 or 128 bits.
    """
    stream = io.BytesIO()
    canvas = Canvas(stream, pagesize=A4, encrypt=_Lock(password, permissions, strength))
    canvas.drawString(72, A4[1] - 72, "locked")
    canvas.showPage()
    canvas.save()
    return stream.getvalue()


def big_pdf(path: Path, megabytes: int, *, seed: int = 0) -> None:
    """Write a PDF of so many MB: one page with a scanned picture that no packing makes smaller.

    Args:
        path: where to.
        megabytes: about its size.
        seed: another seed, another picture.
    """
    width = 1000
    height = megabytes * 1_000_000 // (3 * width)
    noise = random.Random(seed)
    offsets: list[int] = []
    with path.open("wb") as file:

        def add(body: bytes) -> None:
            offsets.append(file.tell())
            file.write(b"%d 0 obj\n%s" % (len(offsets), body))

        file.write(b"%PDF-1.4\n")
        add(b"<< /Type /Catalog /Pages 2 0 R >>\nendobj\n")
        add(b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n")
        add(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /XObject << /Scan 5 0 R >> >> >>\nendobj\n"
        )
        draw = b"q 595 0 0 842 0 0 cm /Scan Do Q"
        add(b"<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (len(draw), draw))
        add(
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
            b"/Length %d >>\nstream\n" % (width, height, 3 * width * height)
        )
        for _ in range(height):
            file.write(noise.randbytes(3 * width))
        file.write(b"\nendstream\nendobj\n")
        start = file.tell()
        file.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(offsets) + 1))
        for offset in offsets:
            file.write(b"%010d 00000 n \n" % offset)
        file.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(offsets) + 1, start))
