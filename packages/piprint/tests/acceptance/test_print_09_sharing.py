"""Acceptance 9 and 10: several processors share a host's jobs; users change their minds at every moment."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from office import Office
from printshop import until

from piprint.contract import JobState

BOTH = pytest.mark.parametrize("extension", ["1.0", "2.0"])
LEASE = "[lease]\nseconds = 2\n"


@BOTH
async def test_09_two_processors_print_each_job_once(extension):
    async with Office("one", "two", extension=extension, poll=0.05) as office:
        await office.start()
        second = office.processor()
        second.start()
        await until(lambda: "sqlite" in str(list(second.data.glob("*"))))
        jobs = [office.print(queue) for _ in range(20) for queue in ("one", "two")]
        await office.becomes(JobState.PRINTED, *jobs)
        assert Counter(office.printed()) == Counter(jobs)


@BOTH
async def test_09_lease_of_a_killed_processor_is_taken_over(extension):
    async with Office("one", extension=extension, config=LEASE) as office:
        office.cups.behave("one", dead=True)
        first = await office.start()
        job = office.print("one")
        await until(lambda: office.at_printer("one"), what="the job at the printer")
        first.kill()
        later = office.print("one")
        second = office.processor()
        second.start()
        await asyncio.sleep(0.5)
        office.cups.behave("one", dead=False)
        await office.becomes(JobState.PRINTED, later)
        await office.ends([job])
        assert office.printed() == [job, later], "the second processor did not print the job of the first again"
        # It saw nothing of what CUPS did before, so it does not vouch for the job (docs/decisions/printing.md).
        assert office.job(job).status is JobState.ERROR
        assert "may have been printed" in office.job(job).message


async def test_09_killed_before_it_submitted_is_printed_by_the_other():
    async with Office("one", config=LEASE) as office:
        first = await office.start()
        await first.stop()
        first.start(kill_at="after stored")
        job = office.print("one")
        assert await first.ended() == -9
        second = office.processor()
        second.start()
        await office.becomes(JobState.PRINTED, job)
        first.start()
        await asyncio.sleep(1.5)
        assert office.printed() == [job], "the first one sees that the job is another's now"


CHANGES = {"cancel": JobState.CANCELLED, "hold": JobState.HOLD}


@BOTH
@pytest.mark.parametrize("change", CHANGES)
async def test_10_changed_before_the_claim_while_printing_and_after(extension, change):
    state = CHANGES[change]
    async with Office("one", "two", extension=extension) as office:
        office.cups.behave("one", dead=True)
        await office.start()
        act = getattr(office.bc.people, change)
        printing, waiting, after = office.print("one"), office.print("one"), office.print("one")
        await until(lambda: office.at_printer("one"), what="the job at the printer")
        act(waiting)
        act(printing)
        await until(lambda: _next(office, after), what="the next job's turn")
        office.cups.behave("one", dead=False)
        await office.becomes(JobState.PRINTED, after)
        assert office.printed() == [after]
        assert [office.job(each).status for each in (printing, waiting)] == [state, state]
        act(after)
        await asyncio.sleep(0.5)
        assert office.job(after).status is state
        assert office.printed() == [after]


def _next(office: Office, row_no: int) -> bool:
    return office.job(row_no).status is JobState.PRINTING


@BOTH
async def test_10_restart_prints_again_as_a_new_attempt(extension):
    async with Office("one", extension=extension) as office:
        await office.start()
        job = office.print("one")
        await office.becomes(JobState.PRINTED, job)
        office.bc.people.restart(job)
        await office.cups.wait_ledger(2)
        await office.becomes(JobState.PRINTED, job)
        assert [printed.title.partition("_")[0] for printed in office.cups.ledger()] == [
            f"bc-BC-{job}-1",
            f"bc-BC-{job}-2",
        ]


@BOTH
async def test_10_deleted_while_printing(extension):
    async with Office("one", extension=extension) as office:
        office.cups.behave("one", dead=True)
        await office.start()
        gone, later = office.print("one"), office.print("one")
        await until(lambda: office.at_printer("one"), what="the job at the printer")
        office.bc.people.delete(gone)
        await until(lambda: _next(office, later), what="the next job's turn")
        office.cups.behave("one", dead=False)
        await office.becomes(JobState.PRINTED, later)
        assert office.printed() == [later]
