"""Acceptance 3: the processor is killed at every step of its journal; everything is killed at random under load.

A kill is SIGKILL. While CUPS lives on, every job can be found again, and the ledger must be the job set exactly. Where CUPS, the
network or the whole host is killed, too, a job may come out twice, or not at all: then it says so (:mod:`oracle`). Single moments
of such kills are in ``test_print_03_power.py``.

``make soak`` runs the random part in full, with a new seed each time: 200 kills under 500 jobs for each extension, CUPS away up
to 20 s. ``PIPRINT_SEED=... make soak`` repeats a plan; moments differ a little each time, as processes are real.
"""

from __future__ import annotations

import os
import random
from collections import Counter

import pytest
from everywhere import EverywherePrinter
from killplan import draw
from killworld import KillWorld
from office import Office

from piprint.contract import JobState
from piprint.journal.steps import Step

SEED = os.environ.get("PIPRINT_SEED") or "1"
KILLS = int(os.environ.get("PIPRINT_KILLS", "10"))
JOBS = int(os.environ.get("PIPRINT_KILL_JOBS", "30"))
"""For each of the two extensions."""
LONGEST = float(os.environ.get("PIPRINT_KILL_LONGEST", "1"))
"""Seconds; nothing stays away longer."""
UNCERTAIN = "may have been printed"


@pytest.mark.takes_long
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


@pytest.mark.takes_long
@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_03_random_kills_of_everything_under_load(extension):
    """Processor, CUPS, network and the whole host; what may be killed how is in :mod:`killplan`."""
    dice = random.Random(f"{SEED} {extension}")
    plan = draw(dice, KILLS, longest=LONGEST)
    print(f"PIPRINT_SEED={SEED} PIPRINT_KILLS={KILLS} PIPRINT_KILL_JOBS={JOBS}, extension {extension}")  # noqa: T201 - to repeat it
    async with KillWorld(extension) as world:
        await world.run(plan, JOBS, dice)
        findings = await world.judged()
        left = world.left_in_cups()
        print(world.summary)  # noqa: T201 - for make soak
    assert not findings, f"PIPRINT_SEED={SEED}\n" + "\n".join(map(str, findings))
    assert not left, "jobs stay in CUPS that somebody may let go later"


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
