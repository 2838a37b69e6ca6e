"""Acceptance 13: the lines of docs/reference/print-matrix.md at real printers, judged by what came out there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import zip_longest
from pathlib import Path

from everywhere import EverywherePrinter, Out
from matrix import PRINTERS, Row, attributes, rows
from office import Office
from papers import pdf
from printshop import LabelPrinter, Printed

from piprint.contract import JobState
from piprint.demo import cups as demo_cups
from piprint.documents.paper import read_paper

POINTS = 72 / 2540
DPI = 203
TOPICS = ("sides", "color", "copies", "media")
"""What a printer tells of itself is about one of these; so one device stands for a printer of each."""
NOT_HERE = {"N8", "N11", "P7", "P21", "F14", "F15"}
"""ippeveprinter refuses more than 999 copies (N8), tells always how many it makes (N11), and refuses sizes that are not in its list (P7); it
is no CUPS (P21). The documents here have pages of one size (F14, F15). Queues of CUPS are asked below and in
test_13_custom_paper_reaches_a_queue_without_a_driver."""
TOLD = ("asked for", "larger than the paper", "cannot be told", "is not in this printer", "did not take", "A rule asks")
SIDES = {"one-sided": "one side", "two-sided-long-edge": "both sides", "two-sided-short-edge": "both sides"}
COLOURS = {"color": "colour", "monochrome": "black", None: "as it is set"}
SIZES = {"A4": ("21000", "29700"), "A5": ("14800", "21000"), "100x150mm": ("10008", "15011")}


def topic(printer: str) -> str:
    """Return what the words for a printer are about."""
    names = " ".join(PRINTERS[printer])
    return next((each for each in TOPICS if f"{each}-" in names and "media" not in names), "media")


def devices(wanted: Iterable[str]) -> list[list[str]]:
    """Put printers together that tell of different things: each list is one device."""
    by_topic: dict[str, list[str]] = {each: [] for each in TOPICS}
    for printer in dict.fromkeys(wanted):
        by_topic[topic(printer)].append(printer)
    return [[each for each in together if each] for together in zip_longest(*by_topic.values())]


def told(printers: Iterable[str]) -> str:
    """Return a device as ``ippeveprinter -a`` reads it."""
    return "".join(attributes(printer) for printer in printers)


def configuration(row: Row, uri: str) -> str:
    """Return a printer of its own for a line: each has its settings and its rule."""
    rule, setting = row.lines(printer=False), row.lines(printer=True)
    text = f'[[printers]]\nid = "{row.number}"\nuri = "{uri}"\n{setting}\n'
    return text + (f'[[rules]]\nprinter = "{row.number}"\n{rule}\n' if rule else "")


def came_out(row: Row, ticket: Mapping[str, str]) -> str:
    """Say what the printer did, in the words of the page; the printer's own setting counts where it was told nothing."""
    kind = row.number[0]
    if kind == "S":
        return SIDES[ticket.get("IPP_SIDES") or ticket.get("IPP_SIDES_DEFAULT") or "one-sided"]
    if kind == "C":
        return COLOURS[ticket.get("IPP_PRINT_COLOR_MODE")]
    if kind == "N":
        copies = int(ticket.get("IPP_COPIES") or ticket["IPP_COPIES_DEFAULT"])
        return f"{copies} cop{'y' if copies == 1 else 'ies'}"
    if kind == "T":
        _, _, source = ticket.get("IPP_MEDIA_COL", "").partition("media-source=tray-")
        return f"tray {source[0]}" if source else "its own tray"
    return ""


def heard(told: str, ticket: Mapping[str, str]) -> bool:
    """Tell whether the printer heard one thing that the page says it is told."""
    name, _, value = told.partition(" ")
    if name in {"media", "media-col"}:
        size, _, source = value.partition(" from ")
        both = f"{ticket.get('IPP_MEDIA', '')} {ticket.get('IPP_MEDIA_COL', '')}"
        width, height = SIZES[size]
        by_size = f"x-dimension={width}" in both and f"y-dimension={height}" in both
        by_name = f"_{size.lower()}_" in both or "custom_100.08x150.11mm" in both
        return (by_size or by_name) and source in both
    return ticket.get(f"IPP_{name.upper().replace('-', '_')}") == value


def judge(row: Row, out: Out | None, state: JobState, message: str) -> None:
    """Raise AssertionError when a line of the page is not true."""
    if row.told == "not printed":
        assert (out, state) == (None, JobState.ERROR), row.number
        assert row.message in message
        return
    assert state is JobState.PRINTED, f"{row.number}: {message}"
    assert out is not None, row.number
    if "Comes out" in row.cells:
        assert came_out(row, out.ticket) == row.cells["Comes out"], f"{row.number}: {out.ticket}"
    for each in [] if row.told == "nothing" else row.told.split(", "):
        assert heard(each, out.ticket), f"{row.number}: {each} is not in {out.ticket}"
    if row.message:
        assert row.message in message, row.number
    else:
        assert not any(words in message for words in TOLD), f"{row.number}: {message}"


async def print_row(office: Office, row: Row) -> int:
    width, height = row.page
    document = pdf(row.number, pages=row.pages, size=(width * POINTS, height * POINTS))
    offer = office.printer(row.number).payload
    return office.print(row.number, document, payload=row.payload(offer))


async def test_13_p2_p6_p10_the_matrix_at_printers_of_the_network():
    asked = [row for row in rows(*"SCNTPF") if PRINTERS[row.printer] and row.number not in NOT_HERE]
    async with AsyncExitStack() as stack:
        shop = {}
        for together in devices(row.printer for row in asked):
            device = await stack.enter_async_context(EverywherePrinter(attributes=told(together)))
            shop |= dict.fromkeys(together, device)
        lanes = [[row for row in asked if shop[row.printer] is device] for device in dict.fromkeys(shop.values())]
        office = await stack.enter_async_context(
            Office(config="".join(configuration(row, shop[row.printer].uri) for row in asked))
        )
        await office.start()
        await office.offers(*(row.number for row in asked), seconds=60)
        for together in zip_longest(*lanes):  # a job for each device at a time: they take no more
            jobs = {row: await print_row(office, row) for row in together if row}
            await office.ends(jobs.values())
            for row, job in jobs.items():
                outs = [out for out in shop[row.printer].printed() if out.name.split("-")[2] == str(job)]
                judge(row, outs[0] if outs else None, office.job(job).status, office.job(job).message)


LASER = (Path(demo_cups.__file__).with_name("demo.ppd")).read_text()
QUEUES = {
    "can print both sides, is set to one": LASER,
    "can print both sides, is set to both": LASER.replace("DefaultDuplex: None", "DefaultDuplex: DuplexNoTumble"),
    "scales when told": LASER,
    "says nothing about itself (a queue without a driver)": "",
    "makes up to 9999 copies, 1 by itself (a queue of CUPS)": "",
}
"""Queues of CUPS that are a printer of the page, by their drivers."""
PWG = {"A4": "iso_a4_210x297mm", "A5": "iso_a5_148x210mm"}
AT_CUPS = (
    "S1",
    "S2",
    "S6",
    "S8",
    "S9",
    "S11",
    "S12",
    "S5",
    "S13",
    "S18",
    "S19",
    "C13",
    "N8",
    "P9",
    "P10",
    "P16",
    "P19",
    "F1",
    "F2",
    "F6",
    "F7",
    "F8",
    "F9",
)


def options_of(printed: Printed) -> dict[str, str]:
    """Return what CUPS told the printer of a job."""
    return dict(each.partition("=")[::2] for each in printed.options.split())


async def test_13_p2_p6_p10_the_matrix_at_queues_of_cups(tmp_path):
    asked = {row.number: row for row in rows(*"SCNPF")}
    lines = [asked[number] for number in AT_CUPS]
    async with Office() as office:
        for row in lines:
            driver = tmp_path / f"{row.number}.ppd"
            driver.write_text(QUEUES[row.printer])
            office.cups.add_printer(row.number, ppd=driver if QUEUES[row.printer] else None)
        office.config = "".join(configuration(row, "").replace('uri = ""\n', "") for row in lines)
        await office.start()
        await office.offers(*AT_CUPS, seconds=60)
        jobs = {row: await print_row(office, row) for row in lines}
        await office.ends(jobs.values())
        for row, job in jobs.items():
            message, printed = office.job(job).message, office.cups.ledger(row.number)
            if row.told == "not printed":
                assert (printed, row.message in message) == ([], True), f"{row.number}: {message}"
                continue
            (out,) = printed
            told = dict(each.partition(" ")[::2] for each in row.told.split(", ") if each != "nothing")
            options = options_of(out)
            for name, value in told.items():
                got = str(out.copies) if name == "copies" else options.get(name)
                wanted = PWG.get(value, value)
                assert got == wanted, f"{row.number}: {name} is {got} in {out.options}"
            for name in {"sides", "print-scaling"} - told.keys():
                assert name not in options, f"{row.number}: {out.options}"
            assert row.message in message, f"{row.number}: {message}"


async def test_13_p6_the_matrix_at_a_label_printer():
    lines = rows("L")
    async with AsyncExitStack() as stack:
        printers = {row: await stack.enter_async_context(LabelPrinter().listening()) for row in lines}
        config = ""
        for row, printer in printers.items():
            labels = row.cells["The labels"].replace(" ", "")
            paper = "" if labels == "notknown" else f'paper = ["{labels}"]\n'
            place = f'uri = "{printer.uri}"\nlanguage = "zpl"\n{paper}'
            config += configuration(row, printer.uri).replace(f'uri = "{printer.uri}"\n', place)
        office = await stack.enter_async_context(Office(config=config))
        await office.start()
        await office.offers(*(row.number for row in lines), seconds=60)
        jobs = {row: await print_row(office, row) for row in lines}
        await office.ends(jobs.values())
        for row, job in jobs.items():
            message, received = office.job(job).message, printers[row].received
            assert row.message in message, f"{row.number}: {message}"
            if row.cells["Drawn"] == "not printed":
                assert (received, office.job(job).status) == ([], JobState.ERROR), row.number
                continue
            width, height = (int(side) for side in re.search(rb"\^PW(\d+)\n\^LL(\d+)", received[0]).groups())
            drawn = row.cells["Drawn"]
            sides = (row.page[1], row.page[0]) if "turned" in drawn else row.page
            label = read_paper(row.cells["The labels"].replace(" ", "")) or sides
            expected = sides if drawn in {"as it is", "turned"} else label  # a scaled page fills a label's whole bitmap
            assert (width, height) == tuple(round(side * DPI / 2540) for side in expected), row.number
