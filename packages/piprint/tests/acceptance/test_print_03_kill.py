"""Acceptance 3: the processor is killed at every step of its journal, and at random under load.

A kill is SIGKILL. The CUPS below lives on; so every job can be found again, and the ledger must be the job set exactly.
``make soak`` runs the random part in full: 200 kills under 500 jobs.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter

import pytest
from everywhere import EverywherePrinter
from office import Office
from papers import pdf

from piprint.contract import JobState
from piprint.journal.steps import Step
from piprint.simulate.limits import Limits

KILLS = int(os.environ.get("PIPRINT_KILLS", "10"))
JOBS = int(os.environ.get("PIPRINT_KILL_JOBS", "50"))
"""For each of the two extensions."""
UNCERTAIN = "may have been printed"


@pytest.mark.parametrize("when", ["before", "after"])
async def test_03_kill_at_every_step_of_the_journal(when):
    """Each run recovers the job of the one before, then dies at its own step.

    To CLAIMED comes only a job whose claim was made and not yet written down: one killed before STORED. Order is not
    asked for: a job whose claim was never made waits again, and the next may come before it.
    """
    kills = [(when, step) for step in Step]
    kills.insert(kills.index((when, Step.CLAIMED)), ("before", Step.STORED))
    async with Office("one", cups={"log_level": "none"}) as office:
        processor = await office.start()
        await processor.stop()
        jobs: dict[int, str] = {}
        for kill in kills:
            kill_at = " ".join(kill)
            processor.start(kill_at=kill_at)
            if kill != (when, Step.CLAIMED):
                jobs[office.print("one")] = kill_at
            assert await processor.ended(15) == -9, f"it did not come to {kill_at}"
        processor.start()
        await office.ends(jobs)
        assert sorted(office.printed()) == list(jobs), f"killed at {jobs}"
        assert set(office.states().values()) == {JobState.PRINTED}


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_03_random_kills_under_load(extension):
    queues = ("a", "b", "c", "d", "e")
    dice = random.Random(KILLS)
    limits = Limits(requests=10**9)  # years of starts
    cups = {"log_level": "none"}
    async with Office(*queues, extension=extension, poll=0.05, cups=cups, bc={"limits": limits}) as office:
        for queue in queues:
            office.cups.behave(queue, sleep=0.02)
        processor = await office.start()
        jobs = {queue: [] for queue in queues}
        for kill in range(KILLS):
            for _ in range(JOBS * kill // KILLS, JOBS * (kill + 1) // KILLS):
                queue = dice.choice(queues)
                jobs[queue].append(office.print(queue, pdf(str(dice.random()))))
            await asyncio.sleep(dice.uniform(0.0, 1.5) ** 2)
            processor.kill()
            processor.start()
        every = [number for numbers in jobs.values() for number in numbers]
        await office.ends(every, seconds=120)
        came_out = Counter(office.printed())
        assert all(count == 1 for count in came_out.values()), "something came out twice"
        for number in every:
            job = office.job(number)
            if job.status is JobState.PRINTED:
                assert came_out[number] == 1, f"job {number} says printed and was not"
            else:
                assert job.status is JobState.ERROR
                assert UNCERTAIN in job.message
        assert set(came_out) == set(every), "CUPS lived on: nothing is lost, not even to doubt"
        assert {office.job(number).status for number in every} == {JobState.PRINTED}


async def test_03_kill_with_a_printer_that_cannot_hold_jobs():
    """Without a hold the document may print while it is sent: then the job is uncertain, never twice, never lost."""
    async with EverywherePrinter() as printer, Office() as office:
        office.config = f'[[printers]]\nid = "eve"\nuri = "{printer.uri}"\n'
        processor = await office.start()
        await office.offers("eve")
        await processor.stop()
        steps = (Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT, Step.FOLLOWING, Step.ENDED)
        for number_of, step in enumerate(steps):
            processor.start(kill_at=f"{'before' if number_of % 2 else 'after'} {step.value}")
            office.print("eve")
            assert await processor.ended() == -9
        processor.start()
        await office.ends(office.states())
        came_out = Counter(int(out.name.split("-")[-2]) for out in printer.printed())
        assert max(came_out.values()) == 1
        for number, state in office.states().items():
            assert came_out[number] == 1 or (state is JobState.ERROR and UNCERTAIN in office.job(number).message)
