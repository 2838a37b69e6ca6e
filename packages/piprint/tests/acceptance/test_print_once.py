"""P3, S1, S2: what a restart of CUPS may print twice is told, and nothing else is. The backend's ledger is the judge.

A power cut is a kill of CUPS and of the processor, and CUPS's files as they were some moments before: it saves them late.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from contextlib import contextmanager

import pytest
from office import Office
from printshop import until

from piprint.contract import JobState

ONCE = "may have been printed"
TWICE = "may have been printed twice"


@contextmanager
def power_cut(office, processor):
    """Inside, nothing runs, and CUPS's jobs are as they were when it is left."""
    processor.kill()
    office.cups.kill()
    yield
    office.cups.start()
    processor.start()


class Saved:
    """CUPS's jobs at one moment."""

    def __init__(self, office):
        self.cups = office.cups.folder
        self.copy = office.folder / "saved"
        for part in ("spool", "cache"):
            shutil.copytree(self.cups / part, self.copy / part)

    def restore(self):
        for part in ("spool", "cache"):
            shutil.rmtree(self.cups / part)
            shutil.copytree(self.copy / part, self.cups / part)


async def in_a_fresh_second():
    await asyncio.sleep(1 - time.time() % 1)


@pytest.mark.parametrize("processor_too", [False, True])
async def test_p3_cupsd_killed_in_mid_job_and_back_within_the_second_is_told(processor_too):
    async with Office("one") as office:
        office.cups.restart()  # queues are saved by now
        office.cups.behave("one", sleep=1)
        processor = await office.start()
        await in_a_fresh_second()
        job = office.print("one")
        await until(lambda: office.at_printer("one"))
        if processor_too:
            with power_cut(office, processor):
                pass
        else:
            office.cups.kill()
            office.cups.start()
        await office.ends([job])
        await office.cups.wait_ledger(2)
        assert office.printed() == [job, job]
        # If CUPS has done it again before the processor is back, its computer may have restarted and lost the document.
        late = processor_too and office.job(job).status is JobState.ERROR
        assert late or office.job(job).status is JobState.PRINTED
        assert ("may have been printed" if late else TWICE) in office.job(job).message


async def test_p3_cupsd_restarted_long_after_a_job_began_is_not_taken_for_another_beginning():
    """A processor alone is killed in mid-job: CUPS has run on, and nothing is told."""
    async with Office("one") as office:
        office.cups.behave("one", sleep=1)
        processor = await office.start()
        job = office.print("one")
        await until(lambda: office.at_printer("one"))
        processor.kill()
        processor.start()
        await office.ends([job])
        assert office.printed() == [job]
        assert office.job(job).status is JobState.PRINTED
        assert ONCE not in office.job(job).message


async def test_p3_200_healthy_jobs_are_told_nothing():
    queues = ("a", "b", "c", "d")
    async with Office(*queues, poll=0.05) as office:
        await office.start()
        jobs = [office.print(queue) for queue in queues for _ in range(50)]
        await office.becomes(JobState.PRINTED, *jobs, seconds=120)
        assert Counter(office.printed()) == Counter(jobs)
        assert not [job for job in jobs if ONCE in office.job(job).message]


@pytest.mark.parametrize("policy", ["hold", "reprint"])
async def test_s1_a_job_that_a_power_cut_shows_held_again_goes_by_policy(policy):
    async with Office("one", config=f'[[printers]]\nid = "one"\nuncertain = "{policy}"\n') as office:
        processor = await office.start()
        await processor.stop()
        processor.start(kill_at="before releasing")
        job = office.print("one")
        await processor.ended()
        held = Saved(office)
        office.cups.behave("one", sleep=1)
        processor.start()
        await until(lambda: office.at_printer("one"))
        with power_cut(office, processor):
            await office.cups.wait_ledger(1)  # what was at the printer comes out
            held.restore()
        await office.ends([job])
        if policy == "hold":
            assert office.printed() == [job]
            assert office.job(job).status is JobState.ERROR
        else:
            assert office.printed() == [job, job]
            assert TWICE in office.job(job).message
        assert ONCE in office.job(job).message
        await until(
            lambda: not office.cups.command("lpstat", "-o", "one"), 5, "an empty queue: nobody can let it go later"
        )


@pytest.mark.parametrize(("in_time", "extension"), [(True, "2.0"), (False, "2.0"), (False, "1.0")])
async def test_s2_a_finished_job_that_cups_has_again_is_cancelled_or_told(in_time, extension):
    async with Office("one", extension=extension) as office:
        office.cups.command("cupsdisable", "one")
        processor = await office.start(hurried=True)
        job = office.print("one")
        await until(lambda: _is_released(office), what="the release")
        waiting = Saved(office)
        office.cups.command("cupsenable", "one")
        await office.becomes(JobState.PRINTED, job)
        if in_time:
            office.cups.command("cupsdisable", "one")
        with power_cut(office, processor):
            waiting.restore()
        if in_time:
            await until(lambda: not office.cups.command("lpstat", "-o", "one"), what="the cancelling")
            office.cups.command("cupsenable", "one")
            later = office.print("one")
            await office.becomes(JobState.PRINTED, later)
            assert office.printed() == [job, later]
        else:
            await office.cups.wait_ledger(2)
            assert office.printed() == [job, job]
            await until(lambda: TWICE in office.job(job).message, what="it is told")
            assert office.job(job).status is JobState.PRINTED
            if extension == "2.0":
                await until(lambda: TWICE in office.printer("one").state_message, what="it is told there, too")
            assert TWICE in str(await processor.status())


def _is_released(office):
    return b"no-hold" in (office.cups.folder / "spool/c00001").read_bytes()
