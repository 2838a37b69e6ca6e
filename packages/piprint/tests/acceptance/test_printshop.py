"""The shop itself: before the ledger is believed, it is tested."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
from pathlib import Path

import pypdfium2
from everywhere import EverywherePrinter
from papers import CORRUPT, big_pdf, pdf
from printshop import LabelPrinter, PrivateCups, until


def print_file(cups: PrivateCups, queue: str, path: Path, *words: str) -> None:
    cups.command("lp", "-d", queue, *words, str(path))


async def test_ledger_tells_what_came_out(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf("hello"))
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        cups.keep_documents()
        print_file(cups, "Cap", path, "-n", "2", "-o", "sides=two-sided-long-edge", "-t", "bc-7-1")
        (printed,) = await cups.wait_ledger(1)
        assert (printed.queue, printed.title, printed.copies) == ("Cap", "bc-7-1", 2)
        assert "sides=two-sided-long-edge" in printed.options
        assert printed.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert cups.document(printed) == path.read_bytes()
        assert cups.ledger("Other") == []


async def test_exit_codes_are_taken_one_by_one(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        cups.behave("Cap", exits=[5, 5])
        for title in ("cancelled", "as well", "printed"):
            print_file(cups, "Cap", path, "-t", title)
        await cups.wait_ledger(1)
        assert [printed.title for printed in cups.ledger()] == ["printed"]


async def test_dead_printer_prints_when_it_is_back(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        cups.behave("Cap", dead=True)
        print_file(cups, "Cap", path)
        await until(
            lambda: (
                "processing" in cups.command("lpstat", "-p", "Cap") or "printing" in cups.command("lpstat", "-p", "Cap")
            )
        )
        assert not cups.ledger()
        cups.behave("Cap", dead=False)
        await cups.wait_ledger(1)


async def test_job_survives_a_kill_of_cupsd(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        cups.behave("Cap", dead=True)
        print_file(cups, "Cap", path, "-t", "first")
        print_file(cups, "Cap", path, "-t", "second")
        cups.kill()
        cups.start()
        cups.behave("Cap", dead=False)
        await until(lambda: {printed.title for printed in cups.ledger()} == {"first", "second"}, 30)


async def test_nothing_is_left(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        cups.behave("Cap", sleep=600)
        print_file(cups, "Cap", path)
        await until(lambda: _processes(f"CUPS_SERVERROOT={cups.folder}/etc"))
    await until(lambda: not _processes(f"CUPS_SERVERROOT={cups.folder}/etc"))
    assert not cups.folder.exists()


def _processes(mark: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in entry.read_bytes().split(b"\0"):
                found.append(entry.parent.name)
        except OSError:
            continue
    return found


async def test_everywhere_printer_tells_the_ticket(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with EverywherePrinter() as printer:
        command = ["ipptool", "-f", str(path), printer.uri, "print-job.test"]
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
        (out,) = await printer.wait_printed(1)
        assert out.ticket["IPP_COPIES"] == "1"
        assert out.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        printer.power_off()
        printer.power_on()
        folder = printer.folder
    assert not folder.exists()
    await until(lambda: not _processes(f"SHOP={folder}"))


def test_n3_printers_of_one_machine_run_at_once_each_with_an_avahi_of_its_own(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    with EverywherePrinter() as one, EverywherePrinter() as other:
        places = [printer.avahi for printer in (one, other)]
        assert all((place / "pid").exists() for place in places), "not in /run"
        for printer in (one, other):
            subprocess.run(["ipptool", "-f", path, printer.uri, "print-job.test"], check=True, capture_output=True)
            asyncio.run(printer.wait_printed(1))
    assert not any(place.exists() for place in places)


async def test_label_printer_keeps_every_byte():
    async with LabelPrinter().listening() as printer:
        for label in (b"^XA^XZ", os.urandom(200_000)):
            _, writer = await asyncio.open_connection("127.0.0.1", printer.port)
            writer.write(label)
            writer.close()
            await writer.wait_closed()
            await until(lambda label=label: printer.received and printer.received[-1] == label)


def test_papers_are_what_they_say(tmp_path):
    big = tmp_path / "big.pdf"
    big_pdf(big, 3)
    assert 2_900_000 < big.stat().st_size < 3_100_000
    for document, pages in ((big.read_bytes(), 1), (pdf("x", pages=3), 3)):
        opened = pypdfium2.PdfDocument(document)
        assert len(opened) == pages
        opened.close()
    try:
        pypdfium2.PdfDocument(CORRUPT)
    except pypdfium2.PdfiumError:
        return
    raise AssertionError("the corrupt PDF opens")
