"""The process that opens PDFs, spoken to by frames within this process: limits left out, so that what it does can be measured.

That it has its limits, and what becomes of those who break them, is in test_document_check.py.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from piprint.documents import process
from piprint.documents.process import CPU_SECONDS, LONGEST_REQUEST, MEMORY, TROUBLES, read_frame, write_frame

Pdf = Callable[..., bytes]
Saved = Callable[[bytes], Path]
Talk = Callable[..., list[bytes]]
CATALOGUE = (b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>")


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> dict[int, tuple[int, int]]:
    """Return the limits that were asked for: none is set, for this process has tests to run after this one."""
    asked: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(resource, "setrlimit", asked.__setitem__)
    return asked


@pytest.fixture
def ignored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the signals that the process has asked to ignore; none is ignored."""
    asked: list[int] = []
    monkeypatch.setattr(signal, "signal", lambda number, _: asked.append(number))
    return asked


@pytest.fixture
def talk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[int, tuple[int, int]], ignored: list[int]
) -> Iterator[Talk]:
    """Run the process's main function with these requests as its input; return the frames of its output."""
    assert (limits, ignored) == ({}, [])
    said, heard = tmp_path / "input", tmp_path / "output"

    def run(*requests: object) -> list[bytes]:
        with said.open("wb") as sink:
            for request in requests:
                write_frame(sink, request if isinstance(request, bytes) else json.dumps(request).encode())
        with said.open() as source, heard.open("w") as sink, monkeypatch.context() as patched:
            patched.setattr(sys, "stdin", source)
            patched.setattr(sys, "stdout", sink)
            process.main()
            print("printed by whatever reads PDFs", flush=True)  # noqa: T201 - must not stand among the frames
        with heard.open("rb") as source:
            frames = list(iter(lambda: read_frame(source), None))
            assert source.read() == b""
        assert frames.pop(0) == b"{}", "it says first that it is ready"
        return frames

    yield run
    for file in (said, heard):
        file.unlink(missing_ok=True)


@pytest.fixture
def check(talk: Talk, saved: Saved) -> Callable[[bytes], dict[str, Any]]:
    """Return a function that has a document looked at."""

    def ask(content: bytes) -> dict[str, Any]:
        (answer,) = talk({"do": "check", "path": str(saved(content))})
        told: dict[str, Any] = json.loads(answer)
        return told

    return ask


@pytest.fixture
def draw(talk: Talk, saved: Saved) -> Callable[..., tuple[dict[str, Any], bytes]]:
    """Return a function that has a page drawn, and returns what is told and the dots."""

    def ask(
        content: bytes, page: int = 0, dpi: int = 72, sheet: list[int] | None = None, scaling: str = "auto"
    ) -> tuple[dict[str, Any], bytes]:
        request = {"do": "draw", "path": str(saved(content)), "page": page, "dpi": dpi}
        told, *dots = talk({**request, "sheet": sheet, "scaling": scaling})
        return json.loads(told), b"".join(dots)

    return ask


# ---- Frames ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\4abc",
        (LONGEST_REQUEST + 1).to_bytes(4) + b"x" * (LONGEST_REQUEST + 1),
    ],
)
def test_half_a_frame_and_one_too_long_end_the_talk(stream: bytes) -> None:
    assert read_frame(io.BytesIO(stream)) is None


def test_a_frame_of_nothing_is_no_end() -> None:
    assert read_frame(io.BytesIO(b"\0\0\0\0rest")) == b""


def test_one_request_after_the_other_is_answered_until_the_input_ends(
    talk: Talk, saved: Saved, reportlab_pdf: Pdf
) -> None:
    check = {"do": "check", "path": str(saved(reportlab_pdf()))}
    first, bad, third = talk(check, {**check, "path": "/nowhere/at all.pdf"}, check)
    assert json.loads(bad) == {"trouble": "unreadable"}
    assert json.loads(first)["pages"] == json.loads(third)["pages"] == 1


def test_it_asks_for_its_limits_before_it_says_that_it_is_ready(
    talk: Talk, limits: dict[int, tuple[int, int]], ignored: list[int]
) -> None:
    assert talk() == []
    assert limits == {
        resource.RLIMIT_AS: (MEMORY, MEMORY),
        resource.RLIMIT_CORE: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
    }
    assert ignored == [signal.SIGINT, signal.SIGTERM], "its parent ends it, by closing its input"


def test_each_request_gets_processor_time_of_its_own(
    talk: Talk, limits: dict[int, tuple[int, int]], saved: Saved, reportlab_pdf: Pdf
) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    talk({"do": "check", "path": str(saved(reportlab_pdf()))})
    soft, hard = limits[resource.RLIMIT_CPU]
    assert used.ru_utime + used.ru_stime + CPU_SECONDS - 1 <= soft <= used.ru_utime + used.ru_stime + CPU_SECONDS + 20
    assert hard == resource.getrlimit(resource.RLIMIT_CPU)[1], "else the next request could not be given more"


def test_a_system_without_such_limits_does_the_same_work(
    talk: Talk, saved: Saved, reportlab_pdf: Pdf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    (answer,) = talk({"do": "check", "path": str(saved(reportlab_pdf()))})
    assert json.loads(answer)["pages"] == 1


# ---- What a document is ----------------------------------------------------------------------------------------------


def test_pages_and_each_size_once_are_told_in_points(
    check: Callable[[bytes], dict[str, Any]], reportlab_pdf: Pdf
) -> None:
    a4, label = (210, 297), (101.6, 152.4)
    told = check(reportlab_pdf([a4, label, a4]))
    assert (told["pages"], told["forbidden"]) == (3, False)
    assert told["sizes"] == [
        pytest.approx([595.28, 841.89], abs=0.01),
        pytest.approx([288, 432], abs=0.01),
    ]
    assert [told["width"], told["height"]] == told["sizes"][0]


@pytest.mark.parametrize("may_print", [True, False])
def test_a_lock_that_forbids_printing_is_told(check: Callable[[bytes], dict[str, Any]], *, may_print: bool) -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption("", ownerPassword="owner", canPrint=int(may_print)))
    canvas.drawString(10, 10, "locked")
    canvas.save()
    assert check(buffer.getvalue())["forbidden"] is not may_print


def test_what_cannot_be_opened_is_told_by_one_of_the_known_words(
    check: Callable[[bytes], dict[str, Any]], reportlab_pdf: Pdf, bare_pdf: Pdf
) -> None:
    told = [
        check(b"%PDF-1.7\nthat is all"),
        check(reportlab_pdf(password="s3cret")),
        check(bare_pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>")),
        check(bare_pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[9 0 R]/Count 1>>")),
    ]
    assert told == [{"trouble": word} for word in ("damaged", "encrypted", "empty", "damaged")]
    assert {each["trouble"] for each in told} <= set(TROUBLES)


# ---- A drawn page ----------------------------------------------------------------------------------------------------


def marked(bare_pdf: Pdf, marks: bytes, box: bytes = b"0 0 20 10") -> bytes:
    """Return a page with these marks on it."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R>>" % box
    return bare_pdf(*CATALOGUE, page, b"<</Length %d>>stream\n%s\nendstream" % (len(marks), marks))


def test_a_page_comes_as_rows_of_whole_bytes_black_is_one(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf
) -> None:
    told, dots = draw(marked(bare_pdf, b"0 0 7 3 re f 18 9 2 1 re f"))  # bottom left, and top right; a dot a point
    assert told == {"width": 20, "height": 10, "pictures": 0, "fonts": []}
    blank, low, top = bytes(3), b"\xfe\0\0", b"\0\0\x30"
    assert [dots[start : start + 3] for start in range(0, len(dots), 3)] == [top, *[blank] * 6, *[low] * 3]


def test_grey_is_white_or_black_and_nothing_between(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf
) -> None:
    _, dots = draw(marked(bare_pdf, b".4 g 0 0 10 10 re f .6 g 10 0 10 10 re f"))
    assert dots == b"\xff\xc0\0" * 10


def test_a_page_lies_on_its_sheet_turned_where_it_lies_otherwise(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf
) -> None:
    page = marked(bare_pdf, b"0 0 10 10 re f")  # its left half
    told, dots = draw(page, sheet=[10, 20])
    assert (told["width"], told["height"]) == (10, 20)
    assert dots == b"\xff\xc0" * 10 + bytes(2) * 10, "turned clockwise: what was left is at the top"
    told, dots = draw(page, sheet=[40, 20], scaling="fit")
    assert dots == (b"\xff" * 2 + b"\xf0" + bytes(2)) * 20


def test_pages_that_cannot_be_drawn_are_told_and_no_dots_follow(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf
) -> None:
    house = marked(bare_pdf, b"", b"0 0 14400 14400")
    assert draw(house, page=1) == ({"trouble": "no such page"}, b"")
    assert draw(house, page=-1) == ({"trouble": "no such page"}, b"")
    assert draw(house, dpi=203) == ({"trouble": "too large to draw"}, b"")
    assert draw(b"%PDF-1.7\nthat is all") == ({"trouble": "damaged"}, b"")


# ---- Pictures and fonts that are missing -----------------------------------------------------------------------------

DOTS = bytes(range(64)) * 64
"""Of a picture of 64 x 64 dots in grey."""


def torn_at(whole: int) -> bytes:
    """Return a stream of Flate that gives so many bytes, and then is no stream of Flate any more."""
    packer = zlib.compressobj()
    return packer.compress(DOTS[:whole]) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 40


@pytest.mark.parametrize(
    ("filter_name", "data", "missing"),
    [
        ("FlateDecode", zlib.compress(DOTS), 0),
        ("FlateDecode", zlib.compress(DOTS)[:-4], 0),  # without its checksum
        ("FlateDecode", zlib.compress(DOTS, 0)[: 64 * 8], 1),  # less than a bit a dot
        ("FlateDecode", zlib.compress(DOTS, 0)[:711], 1),  # a whole picture at no depth
        ("FlateDecode", zlib.compress(DOTS[: 64 * 8]), 0),  # whole, at one bit a dot, whatever the depth is said to be
        ("FlateDecode", torn_at(64 * 8), 0),
        ("FlateDecode", torn_at(700), 1),
        ("FlateDecode", zlib.compress(DOTS[:700]), 0),  # the same, but the stream comes to its end: perhaps meant so
        ("FlateDecode", b"", 1),
        ("ASCIIHexDecode", DOTS.hex().encode() + b">", 0),
        ("ASCIIHexDecode", b"00>", 1),
        ("DCTDecode", b"nonsense" * 90, 1),
        ("MadeUpDecode", b"nonsense" * 90, 1),
    ],
)
@pytest.mark.parametrize("in_form", [False, True])
def test_a_picture_that_cannot_be_drawn_is_counted(
    draw: Callable[..., tuple[dict[str, Any], bytes]],
    picture: Pdf,
    filter_name: str,
    data: bytes,
    missing: int,
    *,
    in_form: bool,
) -> None:
    told, _ = draw(picture(filter_name, data, in_form=in_form))
    assert told["pictures"] == missing


def test_a_picture_too_large_to_be_tried_is_not_called_damaged(
    draw: Callable[..., tuple[dict[str, Any], bytes]], picture: Pdf
) -> None:
    sound = picture("FlateDecode", zlib.compress(DOTS, 0)[: 64 * 8])
    assert draw(sound)[0]["pictures"] == 1
    larger = sound.replace(b"/Width 64/Height 64", b"/Width 9000/Height 9000")
    assert draw(larger)[0]["pictures"] == 0


@pytest.mark.parametrize(("forms", "found"), [(0, 1), (8, 1), (9, 0)])
def test_forms_within_forms_are_looked_into_so_deep(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf, forms: int, found: int
) -> None:
    """The page, forms each within the one before, and in the innermost a picture of nothing."""
    box, body = b"[0 0 300 300]", b"/Length 5>>stream\n/X Do\nendstream"
    inner = [b"<</XObject<</X %d 0 R>>>>" % number for number in range(5, 6 + forms)]
    told, _ = draw(
        bare_pdf(
            *CATALOGUE,
            b"<</Type/Page/Parent 2 0 R/MediaBox%s/Contents 4 0 R/Resources%s>>" % (box, inner[0]),
            b"<<" + body,
            *(b"<</Type/XObject/Subtype/Form/BBox%s/Resources%s%s" % (box, each, body) for each in inner[1:]),
            b"<</Type/XObject/Subtype/Image/Width 64/Height 64/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/FlateDecode"
            b"/Length 0>>stream\n\nendstream",
        )
    )
    assert told["pictures"] == found


def test_fonts_that_are_not_in_the_document_are_named_once_and_those_that_every_reader_has_are_not(
    draw: Callable[..., tuple[dict[str, Any], bytes]], bare_pdf: Pdf
) -> None:
    everywhere = (b"Helvetica-Bold", b"ArialMT", b"TimesNewRomanPSMT", b"CourierNew", b"Symbol", b"ZapfDingbats")
    names = (b"Code39", *everywhere, b"IDAutomationHC39M", b"Code39")
    text = b"BT " + b"".join(b"/F%d 9 Tf (4711) Tj " % number for number in range(len(names))) + b"ET"
    fonts = b"".join(b"/F%d %d 0 R" % (number, number + 5) for number in range(len(names)))
    told, _ = draw(
        bare_pdf(
            *CATALOGUE,
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<<%s>>>>>>" % fonts,
            b"<</Length %d>>stream\n%s\nendstream" % (len(text), text),
            *(b"<</Type/Font/Subtype/TrueType/BaseFont/%s/Encoding/WinAnsiEncoding>>" % name for name in names),
        )
    )
    assert told["fonts"] == ["Code39", "IDAutomationHC39M"]


def test_a_font_in_the_document_is_not_missing(
    draw: Callable[..., tuple[dict[str, Any], bytes]], reportlab_pdf: Pdf
) -> None:
    registerFont(TTFont("Vera", "Vera.ttf"))  # comes with ReportLab

    def write(canvas: Canvas) -> None:
        canvas.setFont("Vera", 12)
        canvas.drawString(10, 10, "4711")

    told, dots = draw(reportlab_pdf([(50, 50)], write))
    assert told["fonts"] == []
    assert dots.strip(b"\0"), "it is drawn"
