"""One processor, its printers, and what may happen to a job on its way."""

from __future__ import annotations

import asyncio
from typing import Any

from piprint.contract import JobState


async def test_a_job_is_printed_and_reported_with_what_the_printer_told(world: Any) -> None:
    row = world.server.add(7)
    processor = await world.processor()
    await world.settled()
    assert world.ledger == [b"document 7"]
    assert row.state is JobState.PRINTED
    assert row.message == "Printed at A: job 1, 1 sheet, 1 s."
    assert [job.row_no for job in await processor.dispatcher.history()] == [7]
    assert not list(processor.journal.spool.folder.iterdir())
    await processor.stop()


async def test_jobs_of_a_printer_come_out_in_their_order(world: Any) -> None:
    world.device("B", seconds=5)
    for row_no in range(1, 41):
        world.server.add(row_no, "AB"[row_no % 2])
    await world.processor()
    await world.settled()
    numbers = [int(document.split()[1]) for document in world.ledger]
    assert sorted(numbers) == list(range(1, 41))
    for rest in (0, 1):
        own = [number for number in numbers if number % 2 == rest]
        assert own == sorted(own)
    await asyncio.sleep(0)
