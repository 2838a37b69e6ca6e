"""Acceptance 4, 5 and 6: what happens below the processor: CUPS killed, printers dead, jammed, given wrong documents."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from office import Office
from papers import CORRUPT, EMPTY, NOT_A_PDF, pdf
from printshop import until

from piprint.contract import JobState

UNCERTAIN = "may have been printed"
PPD = Path(__file__).parent / "shop" / "driver.ppd"


@pytest.mark.parametrize("dirty_clean_interval", [0, 30])
async def test_04_cupsd_killed_in_mid_job(dirty_clean_interval):
    async with Office("one", "two") as office:
        office.cups.restart(dirty_clean_interval=dirty_clean_interval)  # queues are saved by now
        office.cups.behave("one", sleep=1)
        await office.start()
        jobs = [office.print("one") for _ in range(3)]
        others = [office.print("two") for _ in range(3)]
        await until(lambda: office.at_printer("one"))
        await office.becomes(JobState.PRINTED, *others)
        in_flight = next(number for number in jobs if office.job(number).status is JobState.PRINTING)
        office.cups.kill()
        await asyncio.sleep(1.1)  # CUPS tells in whole seconds when it began with a job
        office.cups.start()
        await office.ends(jobs)
        await until(lambda: "idle" in office.cups.command("lpstat", "-p", "one"), what="the end of all printing")
        came_out = Counter(office.printed("one"))
        for number in jobs:
            job = office.job(number)
            if number != in_flight:
                assert came_out[number] == 1
                assert job.status is JobState.PRINTED
        assert came_out[in_flight] >= 1 or UNCERTAIN in office.job(in_flight).message, "lost"
        if came_out[in_flight] != 1:
            assert "may have been printed" in office.job(in_flight).message, "a doubt is told"
        assert office.printed("two") == others


async def test_05_dead_printer_that_comes_back_prints_once():
    async with Office("one") as office:
        office.cups.behave("one", dead=True)
        await office.start()
        jobs = [office.print("one") for _ in range(2)]
        await until(lambda: office.job(jobs[0]).status is JobState.PRINTING)
        await asyncio.sleep(3)
        assert office.printed() == []
        office.cups.behave("one", dead=False)
        await office.becomes(JobState.PRINTED, *jobs)
        assert office.printed() == jobs


async def test_05_dead_longer_than_the_deadline_is_an_error_and_the_next_jobs_go_on():
    async with Office("one", "other") as office:
        office.config = '[[printers]]\nid = "one"\ngive_up_after = 3\n'
        office.cups.behave("one", dead=True)
        await office.start()
        lost = office.print("one")
        other = office.print("other")
        await office.becomes(JobState.PRINTED, other)
        await office.becomes(JobState.ERROR, lost)
        assert "waiting 3 s for the printer: connecting" in office.job(lost).message
        office.cups.behave("one", dead=False)
        later = office.print("one")
        await office.becomes(JobState.PRINTED, later)
        assert office.printed("one") == [later], "what was given up stays given up"


async def test_06_backend_codes_end_as_what_they_are():
    async with Office("cancels", "retries", "stops", "aborts") as office:
        office.cups.command("lpadmin", "-p", "aborts", "-o", "printer-error-policy=abort-job")
        office.cups.behave("cancels", exits=[5])
        office.cups.behave("retries", exits=[6])
        office.cups.behave("stops", exits=[4])
        office.cups.behave("aborts", exits=[1])
        await office.start()
        jobs = {queue: [office.print(queue) for _ in range(2)] for queue in office.queues}
        await office.becomes(JobState.PRINTED, *jobs["retries"])
        await office.becomes(JobState.ERROR, jobs["cancels"][0], jobs["aborts"][0])
        assert "cancelled at the printer" in office.job(jobs["cancels"][0]).message
        assert "given up by the printer" in office.job(jobs["aborts"][0]).message
        await office.becomes(JobState.PRINTED, jobs["cancels"][1], jobs["aborts"][1])
        assert office.printed("stops") == []
        office.cups.command("cupsenable", "stops")
        await office.becomes(JobState.PRINTED, *jobs["stops"])
        assert office.printed("stops") == jobs["stops"]
        assert office.printed("retries") == jobs["retries"]


async def test_06_jam_is_told_and_printing_goes_on_after_it():
    async with Office("one") as office:
        office.config = '[[printers]]\nid = "one"\ngive_up_after = 60\n'
        office.cups.behave("one", state="STATE: +media-jam-error", dead=True)
        processor = await office.start(hurried=True)
        job = office.print("one")
        await until(lambda: "paper jam" in processor.log, what="the jam in the log")
        await until(lambda: office.printer("one").state_message, what="the jam in Business Central")
        assert "paper jam" in office.printer("one").state_message
        assert "media-jam" in str((await processor.status())["printers"])
        office.cups.behave("one", state="STATE: -media-jam-error", dead=False)
        await office.becomes(JobState.PRINTED, job)
        assert office.printed() == [job]


def add_queue_with_broken_driver(office: Office, name: str) -> Path:
    """Make a queue whose filter fails; return a file whose removal mends it."""
    broken = office.cups.folder / "broken-filter"
    broken.write_text('#!/bin/sh\n[ -e "$0.fails" ] || exec cat "$6"\nexit 1\n')
    broken.chmod(0o755)
    fails = Path(f"{broken}.fails")
    fails.touch()
    ppd = office.folder / "driver.ppd"
    ppd.write_text(PPD.read_text().replace("@FILTER@", str(broken)))
    office.cups.add_printer(name, ppd=ppd)
    return fails


async def test_06_stopped_job_is_given_up_and_the_queue_goes_on():
    async with Office() as office:
        fails = add_queue_with_broken_driver(office, "driven")
        office.config = '[[printers]]\nid = "driven"\ngive_up_after = 3\n'
        await office.start()
        await office.offers("driven")
        poison = office.print("driven")
        await office.becomes(JobState.ERROR, poison)
        await asyncio.to_thread(fails.unlink)
        later = office.print("driven")
        await office.becomes(JobState.PRINTED, later)
        assert office.printed() == [later]


async def test_06_wrong_documents_are_refused_and_the_queue_goes_on():
    async with Office("one") as office:
        await office.start()
        wrong = [office.print("one", document) for document in (CORRUPT, EMPTY, NOT_A_PDF)]
        good = office.print("one", pdf("good"))
        await office.becomes(JobState.ERROR, *wrong)
        await office.becomes(JobState.PRINTED, good)
        assert office.printed() == [good]
        for number in wrong:
            assert office.job(number).message
        assert "no document" in office.job(wrong[1]).message
        assert "PDF" in office.job(wrong[2]).message
