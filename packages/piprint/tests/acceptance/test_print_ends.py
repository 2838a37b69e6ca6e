"""Acceptance 6, further: every job ends and says how, every wait is told; what CUPS really does decides."""

from __future__ import annotations

import asyncio
import time
from importlib.resources import files
from pathlib import Path

import pytest
from office import Office
from papers import locked_pdf
from printshop import PrivateCups, until

from piprint.config.settings import PrinterConfig
from piprint.contract import JobState
from piprint.documents.inspect import Inspector
from piprint.printers.backends.ipp_printer import IppPrinter
from piprint.printers.printer import PrinterAddress, SpoolerState, Ticket

PPD = Path(__file__).parent / "shop" / "driver.ppd"
BOTH = pytest.mark.parametrize("extension", ["1.0", "2.0"])
ALL, PRINT, FINELY = -4, 4, 0x800
LOCKS = {
    "nothing": (ALL & ~PRINT & ~FINELY, 128),
    "finely alone": (ALL & ~PRINT, 128),
    "coarsely": (ALL & ~FINELY, 128),
    "all": (ALL, 128),
    "nothing, 40 bits": (ALL & ~PRINT, 40),
    "all, 40 bits": (ALL, 40),
}


def add_driven(cups: PrivateCups, folder: Path, name: str = "driven", script: str = "") -> Path:
    """Make a queue with a driver: CUPS's own filters, or one with this script, whose place is returned."""
    ppd, program = folder / f"{name}.ppd", cups.folder / f"filter-{name}"
    if script:
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        ppd.write_text(PPD.read_text().replace("@FILTER@", str(program)))
    else:
        ppd.write_bytes(files("piprint.demo").joinpath("demo.ppd").read_bytes())
    cups.add_printer(name, ppd=ppd)
    return program


async def test_p1_what_is_refused_is_what_a_real_queue_does_not_print(tmp_path):
    inspector = Inspector()
    try:
        with PrivateCups() as cups:
            add_driven(cups, tmp_path)
            printer = IppPrinter(PrinterAddress("driven", cups.queue_uri("driven")), PrinterConfig(id="driven"))
            for name, (permissions, strength) in LOCKS.items():
                path, ticket = tmp_path / "locked.pdf", Ticket(f"bc-test-{name}")
                path.write_bytes(locked_pdf(permissions, strength=strength))
                forbidden = (await inspector.check(path, limit_bytes=10**6)).forbidden
                accepted = await printer.create(ticket)
                await printer.send(accepted, ticket, path)
                await printer.release(accepted)
                state = SpoolerState.PENDING
                while not (state.final or state is SpoolerState.STOPPED):
                    await asyncio.sleep(0.05)
                    status = await printer.look(accepted)
                    assert status is not None
                    state = status.state
                printed = any(each.job == accepted.id for each in cups.ledger())
                assert printed is (state is SpoolerState.COMPLETED)
                # Newer filters (Debian 13) refuse what may be printed coarsely only; older ones print it. So it is tried.
                wrong = forbidden if name == "coarsely" else forbidden is printed
                assert not wrong, f"{name}: {state.name}"
                await printer.cancel(accepted)
            await printer.close()
    finally:
        await inspector.close()


async def test_p1_locked_documents_are_refused_before_they_are_sent_and_the_next_goes_on(tmp_path):
    async with Office("raw") as office:
        add_driven(office.cups, tmp_path)
        await office.start()
        await office.offers("driven")
        locked = locked_pdf(ALL & ~PRINT)
        forbidden = office.print("driven", locked)
        password = office.print("driven", locked_pdf(ALL, password="secret"))
        coarse = office.print("driven", locked_pdf(ALL & ~FINELY))
        raw = office.print("raw", locked)
        await office.becomes(JobState.ERROR, forbidden, password)
        await office.becomes(JobState.PRINTED, raw)
        await office.ends([coarse])
        assert office.job(forbidden).message == (
            "Not printed. The PDF forbids printing: whoever made it locked it with a password; make it without that lock, or "
            "print it from a program that knows the password."
        )
        assert office.job(password).message == (
            "Not printed. The PDF asks for a password before it can be read; print it without one."
        )
        came_out = office.job(coarse).status is JobState.PRINTED
        assert came_out or "a filter of CUPS failed" in office.job(coarse).message
        assert office.printed("driven") == ([coarse] if came_out else [])
        assert office.printed("raw") == [raw], "a queue without a driver does not open it"


@BOTH
async def test_p1_a_document_a_filter_refuses_ends_at_once_with_its_words(tmp_path, extension):
    async with Office(extension=extension) as office:
        fails = "echo 'ERROR: The toner library is missing.' >&2; exit 1"
        program = add_driven(office.cups, tmp_path, script=f'[ ! -e "$0.fails" ] || {{ {fails}; }}\ncat "$6"')
        mark = Path(f"{program}.fails")
        await asyncio.to_thread(mark.touch)
        await office.start()
        await office.offers("driven")
        began = time.monotonic()
        poison = office.print("driven")
        await office.becomes(JobState.ERROR, poison, seconds=60)
        assert time.monotonic() - began < 60
        await asyncio.to_thread(mark.unlink)
        later = office.print("driven")
        await office.becomes(JobState.PRINTED, later)
        assert office.printed() == [later], "the job a filter refused is not kept for later"
        message = office.job(poison).message
        assert "The toner library is missing" in message
        assert "print it on another printer" in message


async def test_p1_filters_that_crash_or_are_missing_end_at_once_too(tmp_path):
    async with Office() as office:
        add_driven(office.cups, tmp_path, "crashes", "kill -SEGV $$")
        add_driven(office.cups, tmp_path, "missing", "exit 0").unlink()
        await office.start()
        await office.offers("crashes", "missing")
        jobs = [office.print(queue) for queue in ("crashes", "missing")]
        await office.becomes(JobState.ERROR, *jobs, seconds=60)
        assert "one of CUPS's filters crashed" in office.job(jobs[0]).message
        assert "not available" in office.job(jobs[1]).message


@pytest.mark.takes_long
async def test_p4_a_backend_that_hangs_ends_the_job_and_the_next_goes_on():
    async with Office("one") as office:
        office.config = '[[printers]]\nid = "one"\nstuck_after = 3\n'
        office.cups.behave("one", sleep=600)
        await office.start()
        hangs = office.print("one")
        await until(lambda: office.at_printer("one"), what="the printing")
        await asyncio.sleep(1)  # a backend says that it begins before it reads how to behave
        office.cups.behave("one", sleep=None)
        later = office.print("one")
        await office.becomes(JobState.ERROR, hangs, seconds=120)  # its page and megabytes get more time
        await office.becomes(JobState.PRINTED, later, seconds=60)
        assert "without a sign of progress" in office.job(hangs).message
        assert "may have been printed" in office.job(hangs).message
        assert office.printed() == [later]


@pytest.mark.takes_long
@BOTH
async def test_p5_a_disabled_queue_is_told_within_a_minute_and_taken_back(extension):
    async with Office("one", extension=extension) as office:
        processor = await office.start()
        office.cups.command("cupsdisable", "-r", "on holiday", "one")
        first = office.print("one")
        second = office.print("one")
        await until(lambda: "The queue is stopped: on holiday" in office.job(first).message, 60, "the message")
        assert "Start the queue again, on CUPS's page or with cupsenable" in office.job(first).message
        assert "the queue is stopped: on holiday" in processor.log
        jobs = str((await processor.status())["jobs"])
        assert "on holiday" in jobs
        assert "Start the queue again" in jobs
        if extension == "2.0":
            told = lambda: office.printer("one").state_message  # noqa: E731 - read again and again
            await until(lambda: f"Job {first} waits, and those behind it" in told(), 90, "the printer's message")
        else:
            await until(
                lambda: f"Waiting behind job {first}: " in office.job(second).message, 60, "the second's message"
            )
        office.cups.command("cupsenable", "one")
        await office.becomes(JobState.PRINTED, first, second, seconds=60)
        assert office.printed() == [first, second]
        assert not any("Waiting" in office.job(number).message for number in (first, second))
