"""Acceptance 3, in single steps: power cuts after which CUPS has a job, and not its document.

CUPS syncs its lists of jobs, and never a document (:mod:`powercut`). More of S1 and S2 is in ``test_print_once.py``.
"""

from __future__ import annotations

import signal

from killplan import Kill
from killworld import KillWorld
from oracle import Finding
from printshop import until

from piprint.contract import JobState
from piprint.journal.steps import Step

HELD, PROCESSING = 4, 5
"""RFC 8011 5.3.7."""


async def held(world: KillWorld, printer: str) -> None:
    """Print; kill the processor when CUPS has the job, held, and has written it down."""
    world.one.kill()
    world.one.start(kill_at=f"before {Step.RELEASING}")
    world.print_one(printer, "held")
    assert await world.one.ended() == -9
    await until(lambda: world.spool_says(HELD))


async def out_unseen(world: KillWorld) -> None:
    """Let the job come out while the processor does not look."""
    world.one.start()
    await until(world.cups.begun)
    world.one.process.send_signal(signal.SIGSTOP)
    await until(world.cups.ledger)


async def judged(world: KillWorld) -> int:
    """Return how often the only job came out, after the oracle found nothing wrong."""
    findings = await world.judged()
    print(*(Finding("story", story) for story in world.stories), sep="\n")  # noqa: T201 - shown with a failure
    assert not findings, "\n".join(map(str, findings))
    assert not world.left_in_cups(), "jobs of ours stay in CUPS"
    (story,) = world.stories
    return sum(each.whole for each in story.came)


async def test_s1_power_cut_brings_a_printed_job_back_without_its_document():
    """CUPS saved it between Create-Job and Send-Document, and nothing of what came after is on disk."""
    async with KillWorld(eve=False) as world:
        await held(world, "c")
        world.disk.remember()
        world.disk.forget("d00001-001")
        await out_unseen(world)
        await world.cut(Kill("power"))
        assert await judged(world) >= 1


async def test_s1_power_cut_spoils_the_document_that_prints():
    async with KillWorld(eve=False) as world:
        world.print_one("d", "spoilt")
        await until(lambda: world.spool_says(PROCESSING))
        world.disk.remember()
        await world.cut(Kill("power", documents="empty"))
        assert await judged(world) == 0


async def test_s1_power_cut_spoils_the_document_of_a_held_job():
    """Nothing of it was printed, so it can be sent again, and comes out once without a word."""
    async with KillWorld(eve=False) as world:
        await held(world, "c")
        world.disk.remember()
        await world.cut(Kill("power", documents="empty"))
        assert await judged(world) == 1
        assert world.stories[0].status is JobState.PRINTED
