"""Every line of docs/reference/print-matrix.md, by calculation. The lines that real printers can be asked about are also judged there."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from matrix import PRINTERS, Row, group, rows
from printshop import LabelPrinter
from reportlab.pdfgen.canvas import Canvas
from zpl_reader import read_graphic_field

from piprint.documents.inspect import Bitmap, Inspector
from piprint.documents.payloads import read_job_payload
from piprint.errors import DocumentError
from piprint.ipp.codec import Group
from piprint.ipp.registry import Delimiter
from piprint.printers.backends.ipp_printer import job_attributes
from piprint.printers.backends.raw_printer import RawPrinter
from piprint.printers.capabilities import capabilities_told, with_settings
from piprint.printers.printer import Capabilities, PrinterAddress, Ticket
from piprint.printers.ticket.offer import printer_payload
from piprint.printers.ticket.options import make_ticket

PAPERS = {
    "iso_a4_210x297mm": "A4",
    "iso_a5_148x210mm": "A5",
    "custom_100.08x150.11mm_100.08x150.11mm": "100x150mm",  # Business Central tells hundredths of an inch
}
SIZES = {(21000, 29700): "A4", (14800, 21000): "A5"}
COMES_OUT = {
    "one-sided": "one side",
    "two-sided-long-edge": "both sides",
    "two-sided-short-edge": "both sides",
    "monochrome": "black",
    "color": "colour",
}


def made(row: Row, capabilities: Capabilities, **more: object) -> tuple[Ticket, list[str]]:
    settings = row.settings(**more)
    payload = read_job_payload(row.payload(printer_payload(capabilities, settings)))
    return make_ticket(
        "n",
        payload,
        capabilities,
        settings,
        row.rules(),
        printer_id="p",
        page_size=row.page,
        pages=row.pages,
        page_sizes=row.page_sizes,
    )


def words(ticket: Ticket, known: Capabilities, only: str = "") -> str:
    """Say what is sent, in the words of the page."""
    sent = Group(Delimiter.JOB, tuple(job_attributes(ticket, known)))
    told = []
    for each in sent.attributes:
        if each.name == "media-col":
            (media,) = sent.collections("media-col")
            sizes = [
                SIZES[side.integer("x-dimension"), side.integer("y-dimension")]
                for side in media.collections("media-size")
            ]
            told.append(f"media-col {''.join(sizes)} from {media.text('media-source')}")
        else:
            value = sent.values(each.name)[0]
            told.append(f"{each.name} {PAPERS.get(value, value)}")
    return ", ".join(each for each in told if re.match(only, each)) or "nothing"


def comes_out(row: Row, ticket: Ticket, known: Capabilities) -> str:
    if row.number[0] == "S":
        return COMES_OUT.get(ticket.sides or known.sides_default, "as it is set")
    if row.number[0] == "C":
        return COMES_OUT.get(ticket.color_mode, "as it is set")
    if row.number[0] == "N":
        return f"{ticket.copies} cop{'y' if ticket.copies == 1 else 'ies'}"
    return f"tray {ticket.source[-1]}" if ticket.source else "its own tray"


def test_the_page_has_all_its_tables_and_every_printer_is_used():
    assert {section: len(rows(section)) for section in "SCNTPFL"} == {
        "S": 23,
        "C": 15,
        "N": 12,
        "T": 12,
        "P": 21,
        "F": 15,
        "L": 17,
    }
    assert {row.printer for row in rows(*"SCNTPF")} == set(PRINTERS)


SUBJECTS = {
    "S": "sides",
    "C": "print-color-mode",
    "N": "copies",
    "T": "media-col",
    "P": "media|print-scaling",
    "F": "print-scaling",
}


@pytest.mark.parametrize("row", rows(*"SCNTPF"), ids=str)
def test_p2_p6_p10_every_line_of_the_matrix(row):
    capabilities = capabilities_told(group(row.printer))
    known = with_settings(capabilities, row.settings())
    if row.told == "not printed":
        with pytest.raises(DocumentError) as refused:
            made(row, capabilities)
        assert str(refused.value) == row.message[:1].lower() + row.message[1:]
        return
    ticket, notes = made(row, capabilities)
    assert words(ticket, known, SUBJECTS[row.number[0]]) == row.told
    assert " ".join(notes) == row.message
    if "Comes out" in row.cells:
        assert comes_out(row, ticket, known) == row.cells["Comes out"]


DPI = 254
"""Ten dots a millimetre."""
HOLE = (0.25, 0.5)
"""Of the pages below: the share of the width and of the height that is left white, in a black page: it is there whatever is cut."""


def holed(canvas: Canvas) -> None:
    """Draw a page that is black to its edges, with a white hole in its middle."""
    width, height = canvas._pagesize
    canvas.rect(0, 0, width, height, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    across, along = width * HOLE[0], height * HOLE[1]
    canvas.rect((width - across) / 2, (height - along) / 2, across, along, stroke=0, fill=1)


def white_in_the_middle(bitmap: Bitmap) -> tuple[int, int]:
    """Return width and height of the hole, dots."""

    def is_white(x: int, y: int) -> bool:
        return not bitmap.rows[y * bitmap.row_bytes + x // 8] >> (7 - x % 8) & 1

    def run(line: list[bool]) -> int:
        middle = len(line) // 2
        assert line[middle]
        before = next((back for back in range(middle) if not line[middle - 1 - back]), middle)
        return before + next((on for on in range(len(line) - middle) if not line[middle + on]), len(line) - middle)

    columns, lines = range(bitmap.width), range(bitmap.height)
    return (
        run([is_white(x, bitmap.height // 2) for x in columns]),
        run([is_white(bitmap.width // 2, y) for y in lines]),
    )


def drawn(row: Row, bitmap: Bitmap, size: tuple[int, int]) -> str:
    """Say how a page lies on its label, in the words of the page, by what the printer got."""
    hole = white_in_the_middle(bitmap)
    straight = tuple(side / 10 * share for side, share in zip(row.page, HOLE, strict=True))
    turned = (hole[0] > hole[1]) is not (straight[0] > straight[1])
    expected = straight[::-1] if turned else straight
    ratios = [got / asked for got, asked in zip(hole, expected, strict=True)]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.03)  # nothing is distorted
    told = ["turned"] if turned else []
    if ratios[0] == pytest.approx(1, rel=0.012):
        return ", ".join(told) or "as it is"
    page = [side / 10 * ratios[0] for side in (row.page[::-1] if turned else row.page)]
    inside = all(mine <= side * 1.02 for mine, side in zip(page, size, strict=True))
    told += ["smaller" if ratios[0] < 1 else "larger", "to fit" if inside else "to fill"]
    return ", ".join(told)


@pytest.mark.parametrize("row", rows("L"), ids=str)
async def test_p6_every_line_of_the_matrix_about_labels(
    row: Row, inspector: Inspector, saved: Callable[[bytes], Path], reportlab_pdf: Callable[..., bytes]
) -> None:
    labels = row.cells["The labels"]
    more = {
        "language": "zpl",
        "dpi": DPI,
        "paper": () if labels == "not known" else (labels.replace(" ", ""),),
    }
    async with LabelPrinter().listening() as sink:
        printer = RawPrinter(PrinterAddress("p", sink.uri), row.settings(**more), inspector)
        capabilities = await printer.capabilities()
        if row.cells["Drawn"] == "not printed":
            with pytest.raises(DocumentError) as refused:
                made(row, capabilities, **more)
            assert str(refused.value) == row.message[:1].lower() + row.message[1:]
            return
        ticket, notes = made(row, capabilities, **more)
        document = saved(reportlab_pdf([tuple(side / 100 for side in row.page)], holed))
        await printer.send(await printer.create(ticket), ticket, document)
    (received,) = sink.received
    width, height = (int(side) for side in re.search(rb"\^PW(\d+)\n\^LL(\d+)", received).groups())
    field = read_graphic_field(re.search(rb"\^GFA[^^]*", received)[0].decode())
    assert drawn(row, Bitmap(width, height, field.rows), (width, height)) == row.cells["Drawn"]
    assert " ".join(notes) == row.message
