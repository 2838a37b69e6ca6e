"""The shop itself: before the ledger is believed, it is tested."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import subprocess
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
from everywhere import EverywherePrinter
from killplan import draw
from oracle import Came, Story, judge
from papers import CORRUPT, big_pdf, pdf
from powercut import SpoolerDisk
from printshop import LabelPrinter, PrivateCups, until
from relay import Relay

from piprint.contract import JobState


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
        await until(lambda: {printed.title for printed in cups.ledger()} == {"first", "second"})


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
            await until(lambda label=label: printer.received and printer.received[-1] == label)  # type: ignore[misc]


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


ONCE = (Came(1.0),)
TWO = (Came(1.0), Came(2.0))
KILLED = ("a kill",)
ORACLE = {
    "printed once, plain": ((JobState.PRINTED, "Printed at a: job 1.", ONCE, ()), []),
    "printed once, doubted, killed": ((JobState.PRINTED, "It may have been printed twice.", ONCE, KILLED), []),
    "uncertain and out": ((JobState.ERROR, "It may have been printed.", ONCE, KILLED), []),
    "uncertain and not out": ((JobState.ERROR, "It may have been printed.", (), KILLED), []),
    "not printed and not out": ((JobState.ERROR, "Not printed.", (), KILLED), []),
    "twice, told": ((JobState.PRINTED, "It may have been printed twice.", TWO, KILLED), []),
    "twice, told as a doubt": ((JobState.ERROR, "It may have been printed.", TWO, KILLED), []),
    "twice, plain": ((JobState.PRINTED, "Printed.", TWO, KILLED), ["doubled without being told"]),
    "twice, told as once": (
        (JobState.PRINTED, "It may have been printed.", TWO, KILLED),
        ["doubled without being told"],
    ),
    "nothing came out": ((JobState.PRINTED, "It may have been printed twice.", (), KILLED), ["lost"]),
    "an empty page came out": ((JobState.PRINTED, "Printed.", (Came(1.0, whole=False),), KILLED), ["lost"]),
    "out and denied": ((JobState.ERROR, "Not printed.", ONCE, KILLED), ["denied"]),
    "still printing": ((JobState.PRINTING, "", ONCE, KILLED), ["did not end"]),
    "doubted for nothing": ((JobState.PRINTED, "It may have been printed twice.", ONCE, ()), ["false alarm"]),
    "given up for nothing": (
        (JobState.ERROR, "Not printed.", (), ()),
        ["not printed once although nothing happened"],
    ),
}


@pytest.mark.parametrize("case", ORACLE)
def test_oracle_of_the_kill_test_can_fail(case):
    (status, message, came, touched), kinds = ORACLE[case]
    story = Story(7, "a", status, message, came=came, touched=touched)
    assert [finding.kind for finding in judge([story])] == kinds


def test_oracle_hears_what_the_list_of_printers_says():
    story = Story(7, "a", JobState.PRINTED, "Printed.", ("Job 7 may have been printed twice.",), TWO, KILLED)
    assert judge([story]) == []
    (finding,) = judge([replace(story, came=ONCE, touched=())])
    assert finding.kind == "false alarm"


def test_plan_of_kills_comes_again_with_its_seed():
    plans = [draw(random.Random("7 2.0"), 50, longest=20.0) for _ in range(2)]
    assert plans[0] == plans[1] != draw(random.Random("8 2.0"), 50)
    assert len({kill.kind for kill in plans[0]}) == 5
    assert all(str(kill) for kill in plans[0])


async def test_relay_cuts_and_swallows():
    heard: list[bytes] = []

    async def echo(reader, writer):
        while data := await reader.read(100):
            heard.append(data)
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, Relay(server.sockets[0].getsockname()[1]).listening() as relay:

        async def ask(word: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
            writer.write(word)
            answer = asyncio.create_task(reader.read(100))
            await asyncio.wait({answer}, timeout=0.3)
            await relay.heal()
            try:
                return await answer
            except ConnectionError:
                return b""
            finally:
                writer.close()
                await asyncio.sleep(0)

        assert await ask(b"well") == b"well"
        await relay.fail("requests")
        assert await ask(b"swallowed") == b""
        await relay.fail("answers")
        assert await ask(b"done") == b""
        await relay.fail("cut")
        with pytest.raises(ConnectionRefusedError):
            await ask(b"nobody")
        await relay.heal()
        assert await ask(b"again") == b"again"
        assert heard == [b"well", b"done", b"again"]


async def test_power_cut_takes_what_was_not_on_disk(tmp_path):
    path = tmp_path / "x.pdf"
    path.write_bytes(pdf())
    async with PrivateCups() as cups:
        cups.add_printer("Cap")
        disk = SpoolerDisk(cups.folder)
        cups.behave("Cap", dead=True)
        print_file(cups, "Cap", path, "-t", "first")
        await until((cups.folder / "spool/c00001").exists)
        disk.remember()
        print_file(cups, "Cap", path, "-t", "second")
        cups.kill()
        disk.lose("empty")
        spool = {path.name: path.stat().st_size for path in (cups.folder / "spool").iterdir() if path.is_file()}
        unfinished = {"c00001.N"}  # what CUPS was about to put into its place
        assert spool.keys() - unfinished == {"c00001", "d00001-001"}
        assert spool["d00001-001"] == 0 < spool["c00001"]
        cups.start()
        assert "Cap-1" in cups.command("lpstat", "-o")
        assert "Cap-2" not in cups.command("lpstat", "-o")
