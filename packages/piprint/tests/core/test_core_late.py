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
    assert row.message.startswith("Printed, although late. Given up after waiting 60 s for the printer: ")
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
