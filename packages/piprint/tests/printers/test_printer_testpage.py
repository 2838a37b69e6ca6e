"""The test page is a good PDF of the right size, whatever the printer is called; the label is good ZPL."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest

from piprint.documents.inspect import Inspector
from piprint.printers.test_sheet import make_label, make_page

AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
NAMES = ["Office", "Lager 2 (æøå)", "a\\b(c))(", "x" * 500, "日本", "nl\nnl", "^XZ~HS_5E"]


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    try:
        page = document[0]
        textpage = page.get_textpage()
        text = str(textpage.get_text_range())
        textpage.close()
        page.close()
        return text
    finally:
        document.close()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(21000, 29700), (29700, 21000), (10160, 15240), (5000, 2500)])
async def test_the_page_is_a_pdf_of_that_size(
    inspector: Inspector, saved: Callable[[bytes], Path], name: str, size: tuple[int, int]
) -> None:
    facts = await inspector.check(saved(make_page(name, host="pi", at=AT, size=size)), limit_bytes=100_000)
    assert facts.pages == 1
    assert facts.size is not None
    assert max(abs(facts.size[0] - size[0]), abs(facts.size[1] - size[1])) <= 1


def test_it_says_which_printer_where_and_when() -> None:
    text = text_of(make_page("Lager 2 (æøå)", host="pi-1", at=AT, more=["Queue: ipp://localhost/printers/Lager2"]))
    assert text.splitlines() == [
        "piprint test page",
        "Printer: Lager 2 (æøå)",
        "Host: pi-1",
        "Time: 2026-11-22 12:30:00 UTC",
        "Queue: ipp://localhost/printers/Lager2",
        "Paper: 210 x 297 mm",
        "The frame stands 5 mm from each edge; its marks are 10 mm apart.",
    ]


async def test_the_frame_stands_where_it_says(inspector: Inspector, saved: Callable[[bytes], Path]) -> None:
    bitmap = await inspector.draw(saved(make_page("x", host="y", at=AT)), 0, dpi=254)  # 10 dots to the millimetre
    row = bitmap.row_bytes
    middle = int.from_bytes(bitmap.rows[1000 * row : 1001 * row]) >> (row * 8 - bitmap.width)
    black = [dot for dot in range(bitmap.width) if middle >> (bitmap.width - 1 - dot) & 1]
    assert abs(black[0] - 50) <= 1
    assert abs(black[-1] - 2050) <= 1


def test_it_has_colours_and_greys() -> None:
    content = make_page("x", host="y", at=AT)
    for ink in (b"1 0 0 0 k", b"0 0 1 0 k", b"1 0 0 rg", b"0 0 1 rg", b"0.50 g"):
        assert re.search(rb"^%s [\d. ]+ re f$" % re.escape(ink), content, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_the_label_is_one_format_whatever_the_name(name: str) -> None:
    text = make_label(name, host="pi", at=AT, dpi=203).decode()
    assert text.startswith("^XA\n^CI28\n^PW799\n^LL400\n")
    assert text.count("^XA") == text.count("^XZ") == 1
    assert "~" not in text
    assert text.count("^FD") == 4


def test_signs_of_commands_are_told_in_hexadecimal() -> None:
    assert "^FDPrinter: _5EXZ_7EHS_5F5E^FS" in make_label("^XZ~HS_5E", host="pi", at=AT, dpi=203).decode()
