"""Acceptance 3, in single steps: CUPS killed, and the power cut, at the moments that hurt.

Each test first makes sure that what it is about has happened: that the ledger has the document twice, or not at all.
"""

from __future__ import annotations

import signal

import pytest
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
    await until(lambda: world.one.log.count("release the held job"))
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


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_p3_cupsd_killed_while_it_prints_and_back_at_once(extension):
    async with KillWorld(extension, eve=False) as world:
        world.print_one("c", "p3")
        await until(world.somebody_prints)
        await world.strike(Kill("cupsd"))
        assert await judged(world) == 2


@pytest.mark.parametrize("printer", ["c", "b"])
async def test_s1_power_cut_brings_a_printed_job_back_as_held(printer):
    async with KillWorld(eve=False) as world:
        await held(world, printer)
        world.disk.remember()
        await out_unseen(world)
        await world.cut(Kill("power"))
        assert await judged(world) >= 1


async def test_s1_power_cut_brings_a_printed_job_back_without_its_document():
    """CUPS saved it between Create-Job and Send-Document, and nothing of what came after is on disk."""
    async with KillWorld(eve=False) as world:
        await held(world, "c")
        world.disk.remember()
        world.disk.forget("d00001-001")
        await out_unseen(world)
        await world.cut(Kill("power"))
        assert await judged(world) >= 1


@pytest.mark.parametrize(
    ("extension", "first"), [("1.0", False), ("2.0", True)], ids=["1.0-CUPS first", "2.0-processor first"]
)
async def test_s2_power_cut_brings_a_reported_job_back(extension, first):
    async with KillWorld(extension, eve=False) as world:
        number = world.print_one("c", "s2")
        await until(lambda: world.spool_says(PROCESSING))
        world.disk.remember()
        await world.becomes(JobState.PRINTED, number)
        await world.cut(Kill("power", processor_first=first))
        assert await judged(world) == 2


@pytest.mark.parametrize("documents", ["empty", "zeros"])
async def test_s1_power_cut_spoils_the_document_that_prints(documents):
    async with KillWorld(eve=False) as world:
        world.print_one("d", "spoilt")
        await until(lambda: world.spool_says(PROCESSING))
        world.disk.remember()
        await world.cut(Kill("power", documents=documents))
        assert await judged(world) == 0


async def test_s1_power_cut_spoils_the_document_of_a_held_job():
    """Nothing of it was printed, so it can be sent again, and comes out once without a word."""
    async with KillWorld(eve=False) as world:
        await held(world, "c")
        world.disk.remember()
        await world.cut(Kill("power", documents="empty"))
        assert await judged(world) == 1
        assert world.stories[0].status is JobState.PRINTED
