# ruff: noqa: ASYNC110 - the clock is virtual
"""What comes out although it was given up or taken over, and mistakes made while a job is brought to its end."""

from __future__ import annotations

import asyncio
from typing import Any

from piprint.contract import JobState
from piprint.journal.steps import Step
from piprint.printers.printer import SpoolerState


async def _reach(processor: Any, step: Step) -> None:
    while not any(entry.step is step for _, entry in processor.commits):
        await asyncio.sleep(0.001)


async def test_a_job_taken_over_that_comes_out_while_it_is_cancelled_is_not_printed_again(world: Any) -> None:
    device, row = world.devices["A"], world.server.add(1)
    one = await world.processor("one", lease={"seconds": 60})
    await _reach(one, Step.SENT)
    await one.kill()

    def comes_out(job: Any) -> None:
        job.state = SpoolerState.COMPLETED  # the dead one's release was on its way
        device.ledger.append(job.document)

    device.cancel = comes_out
    await world.processor("two", lease={"seconds": 60})
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_a_job_given_up_that_comes_out_while_it_is_cancelled_is_printed(world: Any) -> None:
    device, row = world.devices["A"], world.server.add(1)
    device.stopped = ("media-jam-error",)

    def comes_out(job: Any) -> None:
        job.state = SpoolerState.COMPLETED

    device.cancel = comes_out
    await world.processor(printers=[{"id": "A", "give_up_after": 60}])
    await world.settled()
    assert row.state is JobState.PRINTED
    assert row.message.startswith(
        "Printed after all, just as it was given up. Given up after waiting 60 s for the printer: "
    )
    assert ".." not in row.message


async def test_a_mistake_made_while_a_job_is_given_up_does_not_keep_it_for_ever(world: Any) -> None:
    device, rows = world.devices["A"], [world.server.add(number) for number in (1, 2)]
    device.stopped = ("media-jam-error",)
    device.refuse["cancel"] = ZeroDivisionError()
    await world.processor(printers=[{"id": "A", "give_up_after": 60}])
    await asyncio.sleep(130)
    assert rows[0].state is JobState.ERROR
    assert "It may have been printed" in rows[0].message
    device.mend()
    await world.settled()
    assert rows[1].state is JobState.PRINTED


async def test_a_job_cancelled_when_it_was_just_taken_over_is_cancelled_under_its_old_name(world: Any) -> None:
    device, row = world.device("A", seconds=300), world.server.add(1)
    one = await world.processor("one", lease={"seconds": 60})
    await _reach(one, Step.FOLLOWING)
    await one.kill()
    two = await world.processor("two", lease={"seconds": 60})
    device.away = True
    await _reach(two, Step.STORED)
    world.server.set(1, JobState.CANCELLED)
    await asyncio.sleep(20)
    device.away = False
    await world.settled()
    assert device.canceled == ["bc-test-1-1"]
    assert (row.state, world.ledger) == (JobState.CANCELLED, [])


async def test_the_history_tells_what_business_central_was_not_told(world: Any) -> None:
    row = world.server.add(1)
    processor = await world.processor()
    await _reach(processor, Step.FOLLOWING)
    world.server.away = True
    await _reach(processor, Step.ENDED)
    world.server.set(1, JobState.CANCELLED)
    world.server.away = False
    await world.settled()
    (entry,) = await processor.dispatcher.history()
    assert row.state is JobState.CANCELLED
    assert entry.message.startswith("Printed at A: ")
    assert entry.message.endswith(" Business Central was not told: a user had changed it there, and that stays.")


async def test_a_job_ends_when_it_is_printed_not_when_business_central_hears_of_it(world: Any) -> None:
    world.server.add(1)
    processor = await world.processor()
    await _reach(processor, Step.FOLLOWING)
    world.server.away = True
    await asyncio.sleep(600)
    world.server.away = False
    await world.settled()
    (entry,) = await processor.dispatcher.history()
    assert entry.seconds is not None
    assert entry.seconds < 10
    assert (entry.changed - entry.begun).total_seconds() > 500
    assert (await processor.journal.by_claim(1, entry.claim)) == entry


async def test_the_loop_that_asks_for_work_is_late_only_when_it_hangs_or_fails_for_ever(world: Any) -> None:
    processor = await world.processor(poll={"fastest": 1, "usual": 300, "slowest": 3000})
    await asyncio.sleep(10_000)
    assert processor.dispatcher.snapshot().overdue < 60  # it sleeps for long, as it was told to
    world.server.away = True
    await asyncio.sleep(10_000)
    assert processor.dispatcher.snapshot().overdue < 60

    async def mistake(**_: Any) -> None:
        raise ZeroDivisionError

    world.server.away, processor.queue.probe = False, mistake
    await asyncio.sleep(1000)
    assert processor.dispatcher.snapshot().overdue > 900
