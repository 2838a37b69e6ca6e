"""Pages on labels: turned, fitted, never cut without a word; and what could not be drawn is said. Judged by the dots themselves."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from piprint.documents.inspect import Bitmap, Inspector
from piprint.documents.placement import Placed, place
from piprint.printers.backends.zpl import not_drawn
from piprint.printers.ticket.scaling import fits

MM = 72 / 25.4
DPI = 254
"""Ten dots a millimetre: positions can be read as they are."""


def filled(canvas: Canvas) -> None:
    """Fill the page to its edges: what is cut would be missing."""
    width, height = canvas._pagesize
    canvas.rect(0, 0, width, height, fill=1)


def black(bitmap: Bitmap) -> set[tuple[int, int]]:
    """Return where a coarse grid of dots is black."""
    return {
        (x, y)
        for y in range(0, bitmap.height, 10)
        for x in range(0, bitmap.width, 10)
        if bitmap.rows[y * bitmap.row_bytes + x // 8] >> (7 - x % 8) & 1
    }


def box(points: set[tuple[int, int]]) -> tuple[int, int, int, int]:
    columns, rows = zip(*points, strict=True)
    return min(columns), min(rows), max(columns), max(rows)


@pytest.mark.parametrize(
    ("page", "scaling", "size", "where"),
    [
        ((210, 297), "auto", (1000, 1500), (0, 50, 990, 1450)),  # 1000 / 2100 of 2970 is 1414: 43 dots above and below
        ((297, 210), "auto", (1000, 1500), (0, 50, 990, 1450)),
        ((100, 150), "auto", (1000, 1500), (0, 0, 990, 1490)),
        ((150, 100), "auto", (1000, 1500), (0, 0, 990, 1490)),
        ((50, 75), "auto", (500, 750), (0, 0, 490, 740)),
        ((50, 75), "fit", (1000, 1500), (0, 0, 990, 1490)),
        ((210, 297), "fill", (1000, 1500), (0, 0, 990, 1490)),
        ((102, 152), "auto", (1020, 1520), (0, 0, 1010, 1510)),  # within the tolerance: as it is
        ((102, 152), "fit", (1000, 1500), (0, 10, 990, 1490)),
    ],
)
async def test_p6_a_page_lies_on_its_label(inspector, saved, reportlab_pdf, page, scaling, size, where):
    path = saved(reportlab_pdf([page], filled))
    bitmap = await inspector.draw(path, 0, dpi=DPI, sheet=(10000, 15000), scaling=scaling)
    assert (bitmap.width, bitmap.height) == size
    assert box(black(bitmap)) == pytest.approx(where, abs=10)


async def test_p6_every_page_of_a_document_is_fitted_for_itself(inspector, saved, reportlab_pdf):
    path = saved(reportlab_pdf([(100, 150), (210, 297)], filled))
    facts = await inspector.check(path, limit_bytes=10**6)
    assert facts.sizes == ((10000, 15000), (21000, 29700))
    second = await inspector.draw(path, 1, dpi=DPI, sheet=(10000, 15000))
    assert (second.width, second.height) == (1000, 1500)


async def test_a_page_larger_than_the_memory_is_drawn_small_where_the_label_is(inspector, saved, bare_pdf):
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 14400 14400]>>"
    path = saved(bare_pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page))
    bitmap = await inspector.draw(path, 0, dpi=203, sheet=(10000, 15000))
    assert (bitmap.width, bitmap.height) == (799, 1199)


def test_a_page_without_a_label_keeps_its_size():
    assert place((800.4, 1200.2), None, "fit", unit=8) == Placed((800, 1200), (800, 1200), (0, 0), 0)


# ------------------------------------------------------------------------------------------ pictures and fonts


def encoded(kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).save(buffer, kind, **options)
    return buffer.getvalue()


JPEG = encoded("JPEG")
JPX = encoded("JPEG2000")
FLATE = zlib.compress(bytes(64 * 64))
NONSENSE = b"nonsense" * 90


@pytest.mark.parametrize("in_form", [False, True])
@pytest.mark.parametrize(
    ("filter_name", "data", "bits", "missing"),
    [
        ("DCTDecode", JPEG, 8, 0),
        ("DCTDecode", NONSENSE, 8, 1),
        ("DCTDecode", JPEG[: len(JPEG) // 2], 8, 1),
        ("JPXDecode", JPX, 8, 0),
        ("JPXDecode", NONSENSE, 8, 1),
        ("JPXDecode", JPX[: len(JPX) // 2], 8, 1),
        ("JBIG2Decode", NONSENSE, 1, 1),
        ("FlateDecode", FLATE, 8, 0),
        ("FlateDecode", zlib.compress(bytes(64 * 8)), 1, 0),
        ("FlateDecode", FLATE[:9], 8, 1),
        ("FlateDecode", b"", 8, 1),
        ("LZWDecode", b"\xff" * 50, 8, 1),
        ("MadeUpDecode", NONSENSE, 8, 1),
    ],
)
async def test_p13_a_picture_that_cannot_be_drawn_is_found(
    inspector: Inspector,
    saved: Callable[[bytes], Path],
    picture: Callable[..., bytes],
    filter_name: str,
    data: bytes,
    bits: int,
    missing: int,
    *,
    in_form: bool,
) -> None:
    path = saved(picture(filter_name, data, bits=bits, in_form=in_form))
    bitmap = await inspector.draw(path, 0, dpi=DPI)
    assert bitmap.pictures == missing


async def test_p13_pictures_as_reports_have_them_are_all_there(inspector, saved, reportlab_pdf):
    def draw(canvas: Canvas) -> None:
        for line, mode in enumerate(("1", "L", "RGB", "RGBA", "P")):
            plain = "RGB" if mode == "RGBA" else mode
            canvas.drawInlineImage(Image.new(plain, (30, 20)), 20, 20 + 40 * line, 30, 20)
            canvas.drawImage(ImageReader(Image.new(mode, (30, 20))), 100, 20 + 40 * line, 30, 20, mask="auto")

    bitmap = await inspector.draw(saved(reportlab_pdf([(100, 150)], draw)), 0, dpi=DPI)
    assert (bitmap.pictures, bitmap.fonts) == (0, ())


async def test_p13_png_predictors_are_no_damage(inspector, saved, picture):
    rows = b"".join(b"\x02" + bytes(64) for _ in range(64))  # each row with its filter's number (ISO 32000-1, 7.4.4.4)
    more = b"/DecodeParms<</Predictor 15/Columns 64>>"
    bitmap = await inspector.draw(saved(picture("FlateDecode", zlib.compress(rows), more=more)), 0, dpi=DPI)
    assert bitmap.pictures == 0


W = 60
"""Dots of a row: at some depths it does not fill whole bytes."""
SPACES = {
    "/DeviceGray": 1,
    "/DeviceRGB": 3,
    "/DeviceCMYK": 4,
    "[/Indexed/DeviceRGB 1<000000ffffff>]": 1,
    "[/CalGray<</WhitePoint[0.95 1 1.08]>>]": 1,
    "[/Lab<</WhitePoint[0.95 1 1.08]>>]": 3,
    "[/Separation/Spot/DeviceGray<</FunctionType 2/Domain[0 1]/N 1/C0[1]/C1[0]>>]": 1,
}
PICTURES = [
    (space, bits, mask)
    for space, colours in SPACES.items()
    for bits in (1, 2, 4, 8, 16)
    for mask in ("", "/Mask[{}]".format(" ".join(["1 1"] * colours)))
    if not (bits == 16 and "Indexed" in space)
] + [("", 1, "/ImageMask true")]


def raster(space: str, bits: int) -> bytes:
    """Return the dots of a picture of W x W: stripes, each row in whole bytes."""
    row = "".join(format((x // 6) % 2, f"0{bits}b") * SPACES.get(space, 1) for x in range(W))
    row += "0" * (-len(row) % 8)
    return int(row, 2).to_bytes(len(row) // 8) * W


@pytest.fixture
def striped(bare_pdf: Callable[..., bytes]) -> Callable[..., bytes]:
    """Return a function that makes a page with a picture of a colour space, depth and mask."""

    def make(space: str, bits: int, mask: str, data: bytes) -> bytes:
        content = b"q 200 0 0 200 50 50 cm /I Do Q"
        told = f"/Width {W}/Height {W}/BitsPerComponent {bits}{f'/ColorSpace{space}' if space else ''}{mask}".encode()
        image = b"<</Type/XObject/Subtype/Image%s/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
        return bare_pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
            image % (told, len(data), data),
        )

    return make


@pytest.mark.parametrize(("space", "bits", "mask"), PICTURES)
async def test_p13_a_sound_picture_is_never_called_damaged_and_half_a_picture_always(
    inspector: Inspector,
    saved: Callable[[bytes], Path],
    striped: Callable[..., bytes],
    space: str,
    bits: int,
    mask: str,
) -> None:
    dots = raster(space, bits)
    sound = zlib.compress(dots)
    assert (await inspector.draw(saved(striped(space, bits, mask, sound)), 0, dpi=100)).pictures == 0
    lax = sound[:-4]  # without its checksum: all dots are there
    assert (await inspector.draw(saved(striped(space, bits, mask, lax)), 0, dpi=100)).pictures == 0
    stored = zlib.compress(dots, 0)
    torn = stored[: len(stored) * 55 // 100]
    assert (await inspector.draw(saved(striped(space, bits, mask, torn)), 0, dpi=100)).pictures == 1


@pytest.mark.parametrize(
    ("name", "told"),
    [("IDAutomationHC39M", ("IDAutomationHC39M",)), ("Helvetica-Bold", ()), ("ArialMT", ()), ("TimesNewRomanPSMT", ())],
)
async def test_p13_a_font_that_is_not_in_the_document_is_named(inspector, saved, bare_pdf, name, told):
    text = b"BT /F 20 Tf 50 50 Td (4711) Tj ET"
    path = saved(
        bare_pdf(
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 300]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
            b"<</Type/Font/Subtype/TrueType/BaseFont/%s/Encoding/WinAnsiEncoding>>" % name.encode(),
        )
    )
    assert (await inspector.draw(path, 0, dpi=DPI)).fonts == told


def test_p13_what_is_missing_is_said_in_sentences():
    assert not_drawn({}, []) == ()
    picture, font = not_drawn({2: 1}, ["Code39"])
    assert picture == (
        "1 picture is damaged and is missing on the label (page 2 of the document). Print it again from Business Central; "
        "if it is missing again, put the picture into the report anew."
    )
    assert font == (
        "The font Code39 is not in the document, so another was printed; a bar code in it cannot be read. "
        "Have the report embed its fonts."
    )
    many, fonts = not_drawn(dict.fromkeys(range(1, 9), 2), ["A", "B"])
    assert many.startswith("16 pictures are damaged and are missing on the label (pages 1, 2, 3, 4, 5 and 3 more of")
    assert fonts.startswith("The fonts A, B are not in the document")


@pytest.mark.parametrize(
    ("page", "sheet", "fitting"),
    [
        ((5000, 1200), (5000, 1200), True),
        ((5000, 1224), (5000, 1200), True),
        ((5000, 1225), (5000, 1200), False),
        ((1224, 5000), (5000, 1200), True),
        ((2800, 1300), (2500, 1000), False),
        ((10160, 15240), (10000, 15000), True),
        ((21300, 29700), (21000, 29700), True),
        ((21301, 29700), (21000, 29700), False),
        ((21590, 27940), (21000, 29700), False),
    ],
)
def test_p6_a_little_too_large_is_little_compared_with_the_paper(page, sheet, fitting):
    assert fits(page, sheet) is fitting
    placed = place(page, sheet, "auto", unit=100)
    assert (
        placed.sheet != sheet or page in {sheet, sheet[::-1]}
    ) is fitting  # at its own size, or scaled into the sheet
