"""Documents of the printer tests: made here, small, each with one thing about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from piprint.documents.inspect import Inspector

POINTS_PER_MM = 72 / 25.4


def reportlab_pdf(
    sizes: Sequence[tuple[float, float]] = ((210, 297),),
    draw: Callable[[Canvas], None] | None = None,
    password: str = "",
) -> bytes:
    """Return a PDF with a page per size in millimetres."""
    buffer = BytesIO()
    canvas = Canvas(
        buffer, encrypt=StandardEncryption(password, ownerPassword="owner") if password else None, invariant=True
    )
    for width, height in sizes:
        canvas.setPageSize((width * POINTS_PER_MM, height * POINTS_PER_MM))
        if draw is None:
            canvas.drawString(10, 10, "page")
        else:
            draw(canvas)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def bare_pdf(*objects: bytes) -> bytes:
    """Return a PDF of these objects, whatever they are; the first is the catalogue."""
    out = b"%PDF-1.4\n"
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\n" % (size, table, size)
    return out + b"startxref\n%d\n%%%%EOF\n" % out.index(b"xref\n0 ")


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    """Return an inspector whose process has ended when the test has."""
    inspector = Inspector()
    yield inspector
    await inspector.close()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[bytes], Path]:
    """Return a function that writes a document to disk."""

    def save(content: bytes) -> Path:
        path = tmp_path / "document æ.pdf"
        path.write_bytes(content)
        return path

    return save


@pytest.fixture(name="reportlab_pdf", scope="session")
def reportlab_pdf_fixture() -> Callable[..., bytes]:
    """Return :func:`reportlab_pdf`."""
    return reportlab_pdf


@pytest.fixture(name="bare_pdf", scope="session")
def bare_pdf_fixture() -> Callable[..., bytes]:
    """Return :func:`bare_pdf`."""
    return bare_pdf


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Return a function that makes a page with one picture of 64 x 64 dots; ``in_form``: within a form."""

    def make(filter_name: str, data: bytes, *, bits: int = 8, more: bytes = b"", in_form: bool = False) -> bytes:
        content = b"q 200 0 0 200 50 50 cm /I Do Q"
        body = b"<</Length %d%s>>stream\n%s\nendstream"
        resources = b"/Resources<</XObject<</I 6 0 R>>>>"
        form = b"/Type/XObject/Subtype/Form/BBox[0 0 300 300]" + resources
        image = (
            b"/Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent %d/Filter/%s"
            % (bits, filter_name.encode())
        )
        return bare_pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R%s>>"
            % (b"/Resources<</XObject<</F 5 0 R>>>>" if in_form else resources),
            body % (5, b"", b"/F Do") if in_form else body % (len(content), b"", content),
            body % (len(content), form, content),
            body % (len(data), image + more, data),
        )

    return make
