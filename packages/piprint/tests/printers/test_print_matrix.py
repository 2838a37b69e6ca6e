"""Every line of docs/reference/print-matrix.md, by calculation. The lines that real printers can be asked about are also judged there."""

from __future__ import annotations

import re

import pytest
from matrix import PRINTERS, Row, group, rows

from piprint.document_place import SLACK, place
from piprint.errors import DocumentError
from piprint.ipp.codec import Group
from piprint.ipp.registry import Delimiter
from piprint.payloads import read_job_payload
from piprint.printers.capabilities import capabilities_told, with_settings
from piprint.printers.ipp_printer import job_attributes
from piprint.printers.offer import printer_payload
from piprint.printers.options import make_ticket
from piprint.printers.printer import Capabilities, PrinterAddress, Ticket
from piprint.printers.raw_printer import RawPrinter

PAPERS = {
    "iso_a4_210x297mm": "A4",
    "iso_a5_148x210mm": "A5",
    "custom_100.08x150.11mm_100.08x150.11mm": "100x150mm",  # Business Central tells hundredths of an inch
}
SIZES = {(21000, 29700): "A4", (14800, 21000): "A5"}
COMES_OUT = {"one-sided": "one side", "two-sided-long-edge": "both sides", "monochrome": "black", "color": "colour"}


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
        pages=2,
        page_sizes=[row.page],
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
        "S": 14,
        "C": 8,
        "N": 9,
        "T": 9,
        "P": 12,
        "F": 10,
        "L": 11,
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


def drawn(row: Row, ticket: Ticket) -> str:
    """Say how a page lies on its label, in the words of the page."""
    sheet = None if ticket.media is None else (ticket.media.width, ticket.media.height)
    placed = place(row.page, sheet, ticket.scaling, slack=SLACK * 100)
    turned = (row.page[1], row.page[0]) if placed.quarters else row.page
    told = ["turned"] if placed.quarters else []
    if placed.page != turned:
        told += ["smaller" if placed.page < turned else "larger", "to fill" if ticket.scaling == "fill" else "to fit"]
        inside = all(page <= side for page, side in zip(placed.page, placed.sheet, strict=True))
        assert inside is (ticket.scaling != "fill")
        assert placed.sheet == sheet
    return ", ".join(told) or "as it is"


@pytest.mark.parametrize("row", rows("L"), ids=str)
async def test_p6_every_line_of_the_matrix_about_labels(row):
    labels = row.cells["The labels"]
    more = {"language": "zpl", "paper": () if labels == "not known" else (labels.replace(" ", ""),)}
    capabilities = await RawPrinter(PrinterAddress("p", "socket://x"), row.settings(**more)).capabilities()
    if row.cells["Drawn"] == "not printed":
        with pytest.raises(DocumentError) as refused:
            made(row, capabilities, **more)
        assert str(refused.value) == row.message[:1].lower() + row.message[1:]
        return
    ticket, notes = made(row, capabilities, **more)
    assert drawn(row, ticket) == row.cells["Drawn"]
    assert " ".join(notes) == row.message
