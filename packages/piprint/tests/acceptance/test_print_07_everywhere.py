"""Acceptance 7 and 13: a real IPP Everywhere printer, busy or left with half a job; print settings as it hears them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from everywhere import EverywherePrinter
from office import Office
from papers import pdf
from printshop import until
from reportlab.lib.pagesizes import A4, landscape

from piprint.contract import JobState
from piprint.simulate.extension.people import Choice


def configured(printer: EverywherePrinter, more: str = "") -> str:
    return f'[[printers]]\nid = "eve"\nuri = "{printer.uri}"\n{more}'


async def test_07_busy_printer_is_waited_for_without_an_error(tmp_path):
    stranger = tmp_path / "stranger.pdf"
    stranger.write_bytes(pdf("somebody else's"))
    async with EverywherePrinter() as printer, Office() as office:
        office.config = configured(printer)
        await office.start()
        await office.offers("eve")
        printer.behave(sleep=2)
        elsewhere = await asyncio.create_subprocess_exec(
            *("ipptool", "-f", str(stranger), printer.uri, "print-job.test"), stdout=asyncio.subprocess.DEVNULL
        )
        await elsewhere.wait()
        job = office.print("eve")
        await until(lambda: "server-error-busy" in printer.log, what="the printer's refusal")
        printer.behave(sleep=None)
        assert office.job(job).status is JobState.PRINTING
        await office.becomes(JobState.PRINTED, job)
        assert [out.name.partition("_")[0] for out in printer.printed()][1:] == [f"bc-BC-{job}-1"]


async def test_07_orphan_of_a_kill_is_cancelled_at_the_next_start():
    async with EverywherePrinter() as printer, Office() as office:
        office.config = configured(printer)
        processor = await office.start()
        await office.offers("eve")
        await processor.stop()
        processor.start(kill_at="after created")
        job = office.print("eve")
        assert await processor.ended() == -9
        assert "Create-Job successful-ok" in printer.log
        processor.start()
        await office.becomes(JobState.PRINTED, job)
        assert len(printer.printed()) == 1
        assert "Cancel-Job successful-ok" in printer.log


BOTH_LONG, BOTH_SHORT, ONE = "two-sided-long-edge", "two-sided-short-edge", "one-sided"
A4_KIND, A5_KIND, LETTER_KIND, A3_KIND, CUSTOM_KIND = 9, 11, 1, 8, 0
SETTINGS = {
    "copies": ("copies = 3", Choice(), {"IPP_COPIES": "3"}),
    "one-sided": (f'sides = "{ONE}"', Choice(), {"IPP_SIDES": ONE}),
    "long edge": (f'sides = "{BOTH_LONG}"', Choice(), {"IPP_SIDES": BOTH_LONG}),
    "colour": ("color = true", Choice(), {"IPP_PRINT_COLOR_MODE": "color"}),
    "no colour": ("color = false", Choice(), {"IPP_PRINT_COLOR_MODE": "monochrome"}),
    "A4": ("", Choice(paper=A4_KIND), {"media": "iso_a4_210x297mm"}),
    "A5": ("", Choice(paper=A5_KIND), {"media": "iso_a5_148x210mm"}),
    "Letter by rule": ('paper = "Letter"', Choice(), {"media": "na_letter_8.5x11in"}),
    "photo tray": ("", Choice(source=9), {"source": "photo"}),
}
"""What a rule and the report's page setup say, and what the printer hears."""
DIMENSIONS = {
    "iso_a4_210x297mm": ("21000", "29700"),
    "iso_a5_148x210mm": ("14800", "21000"),
    "na_letter_8.5x11in": ("21590", "27940"),
}


def heard(ticket: Any, what: str, value: str) -> bool:
    """Tell whether a ticket says so; a sheet may be told by its name (media) or by its size (media-col)."""
    if what == "media":
        width, height = DIMENSIONS[value]
        told = ticket.get("IPP_MEDIA_COL", "")
        return ticket.get("IPP_MEDIA") == value or (f"x-dimension={width}" in told and f"y-dimension={height}" in told)
    if what == "source":
        return f"media-source={value}" in ticket.get("IPP_MEDIA_COL", "")
    return ticket.get(what) == value


async def test_13_print_settings_reach_the_printer():
    ruled = enumerate((rule for rule, _, _ in SETTINGS.values()), 1)
    rules = "".join(f"[[rules]]\nreport = {number}\n{rule}\n" for number, rule in ruled if rule)
    async with EverywherePrinter(duplex=True, color=True) as printer, Office() as office:
        office.config = configured(printer, rules)
        await office.start()
        await office.offers("eve")
        jobs = {
            what: office.print("eve", choice=replace(choice, report_id=number))
            for number, (what, (_, choice, _)) in enumerate(SETTINGS.items(), 1)
        }
        await office.becomes(JobState.PRINTED, *jobs.values(), seconds=60)
        tickets = {out.name.partition("_")[0]: out.ticket for out in printer.printed()}
        for what, (_, _, wanted) in SETTINGS.items():
            ticket = tickets[f"bc-BC-{jobs[what]}-1"]
            for name, value in wanted.items():
                assert heard(ticket, name, value), f"{what}: {name} is not {value} in {ticket}"


async def test_13_landscape_and_short_edge_by_rule():
    rule = '[[rules]]\nprinter = "eve"\nsides = "two-sided-short-edge"\n'
    async with EverywherePrinter(duplex=True) as printer, Office() as office:
        office.config = configured(printer, rule)
        await office.start()
        await office.offers("eve")
        job = office.print("eve", pdf("wide", size=landscape(A4)), choice=Choice(landscape=True))
        await office.becomes(JobState.PRINTED, job)
        (out,) = printer.printed()
        assert out.ticket["IPP_SIDES"] == BOTH_SHORT
        assert out.ticket["IPP_ORIENTATION_REQUESTED"] == "landscape"


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_13_p10_what_the_printer_cannot_do_is_clamped_and_told(extension):
    async with EverywherePrinter(duplex=False, color=False) as printer, Office(extension=extension) as office:
        rule = f'[[rules]]\nreport = 7\nsides = "{BOTH_LONG}"\ncolor = true\n'
        office.config = configured(printer, rule)
        await office.start()
        await office.offers("eve")
        tray = {"papersourcekind": 7, "paperkind": A3_KIND}
        payload = json.dumps({"objectid": 7, "defaultcopies": 32767, "papertray": tray})
        job = office.print("eve", pdf("two", pages=2), payload=payload)
        unknown_tray = office.print("eve", choice=Choice(source=5))
        await office.becomes(JobState.PRINTED, job, unknown_tray)
        ticket = printer.printed()[0].ticket
        assert ticket["IPP_SIDES"] == ONE
        assert ticket["IPP_COPIES"] == "999"
        assert ticket.get("IPP_PRINT_COLOR_MODE", "monochrome") == "monochrome"
        message = office.job(job).message
        assert "32767 copies were asked for, and this printer makes 999 at most" in message
        assert "A3" in message
        assert "one-sided" in message
        assert "tray" in office.job(unknown_tray).message.lower() or "paper source" in office.job(unknown_tray).message


async def test_13_custom_paper_reaches_a_queue_without_a_driver():
    async with Office("labels") as office:
        office.config = '[[printers]]\nid = "labels"\npaper = ["A4", "100x150mm"]\n'
        await office.start()
        job = office.print("labels", choice=Choice(paper=CUSTOM_KIND, width=394, height=591))  # hundredths of an inch
        await office.becomes(JobState.PRINTED, job)
        (printed,) = office.cups.ledger()
        assert "custom_100x150mm_100x150mm" in printed.options


async def test_13_p2_what_the_printer_refuses_is_left_out_and_told():
    # ippeveprinter names sizes of its own, and refuses a job over any other.
    sizes = "ATTR keyword media-supported iso_a4_210x297mm,custom_min_76x127mm,custom_max_216x356mm\n"
    async with EverywherePrinter(attributes=sizes) as printer, Office() as office:
        office.config = configured(printer, '[[rules]]\nprinter = "eve"\npaper = "100x150mm"\n')
        await office.start()
        await office.offers("eve")
        job = office.print("eve")
        await office.becomes(JobState.PRINTED, job)
        (out,) = printer.printed()
        assert "IPP_MEDIA" not in out.ticket
        assert "The printer did not take what was asked about the paper" in office.job(job).message
