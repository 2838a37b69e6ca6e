"""Bitmaps as ZPL: what is written is what a printer reads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from zpl_reader import read_graphic_field

from piprint.documents.inspect import Bitmap, Inspector
from piprint.printers.backends.zpl import graphic_field, label

GOLDEN = Path(__file__).with_name("label_golden.zpl")


@st.composite
def bitmaps(draw: st.DrawFn) -> Bitmap:
    row_bytes = draw(st.sampled_from([1, 2, 3, 10, 19, 100, 210]))
    byte = st.sampled_from([0, 0, 255, 255, 0x0F, 0xF0, 0x12])
    runs = st.lists(st.tuples(byte, st.integers(1, row_bytes)), min_size=1, max_size=5)
    row = runs.map(
        lambda found: b"".join(bytes([value]) * length for value, length in found)[:row_bytes].ljust(row_bytes, b"\0")
    )
    rows = draw(st.lists(row, min_size=1, max_size=6))
    doubled = [each for each in rows for _ in range(draw(st.integers(1, 2)))]
    return Bitmap(row_bytes * 8, len(doubled), b"".join(doubled))


@given(bitmaps())
def test_a_printer_reads_the_bitmap_that_was_written(bitmap: Bitmap) -> None:
    assert read_graphic_field(graphic_field(bitmap)) == bitmap


@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_come_through(data: bytes) -> None:
    assert read_graphic_field(graphic_field(Bitmap(8, len(data), data))).rows == data


@pytest.mark.parametrize(
    ("rows", "row_bytes", "data"),
    [
        (b"\0\0", 2, ","),
        (b"\xff\xff", 2, "!"),
        (b"\x00\x00\x00\x00", 2, ",:"),
        (b"\x12\x34", 2, "1234"),
        (b"\xaa\xaa", 2, "JA"),  # J: 4
        (b"\xf0\x00", 2, "F,"),
        (b"\x0f\xff", 2, "0!"),
        (b"\xcc" * 110 + b"\x01", 111, "qC01"),  # 220 = 20 x 11
        (b"\xcc" * 205 + b"\x01", 206, "zPC01"),  # 410 = 400 + 10
    ],
)
def test_shortening_as_in_the_guide(rows: bytes, row_bytes: int, data: str) -> None:
    assert graphic_field(Bitmap(row_bytes * 8, len(rows) // row_bytes, rows)).split(",", 4)[4] == data


def test_a_label_says_its_size_and_how_many() -> None:
    text = label(Bitmap(10, 2, b"\xff\xc0\xff\xc0"), 3).decode()
    assert text == "^XA\n^PW10\n^LL2\n^LH0,0\n^FO0,0^GFA,4,4,2,FFC,:^FS\n^PQ3\n^XZ\n"


def draw_label(canvas: object) -> None:
    canvas.setFont("Helvetica-Bold", 14)  # type: ignore[attr-defined]
    canvas.drawString(8, 40, "7048 / K-1")  # type: ignore[attr-defined]
    for bar in range(20):
        canvas.rect(8 + bar * 5, 8, 1 + bar % 3, 26, stroke=0, fill=1)  # type: ignore[attr-defined]


async def test_the_whole_way_from_pdf_to_zpl(
    inspector: Inspector, saved: Callable[[bytes], Path], reportlab_pdf: Callable[..., bytes]
) -> None:
    """A label of 50 x 25 mm against the golden file: made by this test with pypdfium2 5.15.2, looked at with an eye on each bar.

    Another pdfium may draw letters a little differently, so dots are counted: bars must be exact, letters nearly.
    """
    path = saved(reportlab_pdf([(50, 25)], draw_label))
    bitmap = await inspector.draw(path, 0, dpi=203)
    assert (bitmap.width, bitmap.height) == (400, 200)
    made = label(bitmap)
    golden = GOLDEN.read_bytes()
    head, tail = golden.split(b"^GFA")[0], golden.split(b"^FS")[1]
    assert made.startswith(head)
    assert made.endswith(tail)
    expected = read_graphic_field(golden[golden.index(b"^GFA") : golden.index(b"^FS")].decode())
    assert read_graphic_field(graphic_field(bitmap)) == Bitmap(400, 200, bitmap.rows)
    different = sum((one ^ other).bit_count() for one, other in zip(bitmap.rows, expected.rows, strict=True))
    assert different < 200
    bars = slice(120 * 50, 140 * 50)
    assert bitmap.rows[bars] == expected.rows[bars]


async def test_a_page_is_turned_to_lie_as_the_sheet_does(
    inspector: Inspector, saved: Callable[[bytes], Path], reportlab_pdf: Callable[..., bytes]
) -> None:
    path = saved(reportlab_pdf([(50, 25)], lambda canvas: canvas.rect(0, 0, 20, 10, stroke=0, fill=1)))
    across = await inspector.draw(path, 0, dpi=203, sheet=(15000, 10000))
    assert (across.width, across.height) == (400, 200)
    turned = await inspector.draw(path, 0, dpi=203, sheet=(10000, 15000))
    assert (turned.width, turned.height) == (200, 400)
    black = sum(byte.bit_count() for byte in across.rows)
    assert abs(sum(byte.bit_count() for byte in turned.rows) - black) < black * 0.1
    assert across.rows[-50:][0] == 0xFF  # the mark is at the bottom left,
    assert turned.rows[0] == 0xFF  # and at the top left after a quarter turn clockwise
    assert across.rows[0] == turned.rows[-1] == 0
