"""What is wrong with one row holds up no other, and is not asked for without a pause."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from piprint.bc.job import JobRow
from piprint.contract import JobState
from piprint.errors import BcRefused


async def test_a_list_full_of_rows_left_alone_is_not_asked_for_without_a_pause(world: Any) -> None:
    rows = [world.server.add(number) for number in range(1, 26)]
    processor = await world.processor(poll={"fastest": 1, "usual": 5, "slowest": 5})
    real = processor.queue.claim

    async def claim(job: JobRow, *args: Any, **more: Any) -> Any:
        if job.row_no <= 22:
            raise BcRefused("the row cannot be changed", status=400)
        return await real(job, *args, **more)

    processor.queue.claim = claim
    await asyncio.sleep(1800)
    probes = sum(name == "probe" for _, name in world.server.calls)
    assert probes < 2400  # about one a second, the fastest that is configured
    assert [row.state for row in rows[22:]] == [JobState.PRINTED] * 3


@pytest.mark.parametrize("name", ["renew", "row"])
async def test_a_lease_that_cannot_be_renewed_lets_no_other_run_out(world: Any, name: str) -> None:
    world.device("A", seconds=200)
    world.device("B", seconds=200)
    rows = [world.server.add(1, "A"), world.server.add(2, "B")]
    processor = await world.processor(lease={"seconds": 60})
    real = getattr(processor.queue, name)
    renew = processor.queue.renew

    async def refused(job: JobRow | int, *args: Any, **more: Any) -> Any:
        if (job if isinstance(job, int) else job.row_no) == 1:
            raise BcRefused("not this row", status=400)
        return await real(job, *args, **more)

    async def not_renewed(job: JobRow, *args: Any, **more: Any) -> Any:
        return False if job.row_no == 1 else await renew(job, *args, **more)

    processor.queue.renew = not_renewed
    setattr(processor.queue, name, refused)
    for _ in range(3):
        await asyncio.sleep(60)
        assert rows[1].lease_until > asyncio.get_running_loop().time()
        assert not processor.dispatcher.snapshot().connection.failures


async def test_a_claim_that_can_neither_be_reported_nor_given_back_stops_nothing(world: Any) -> None:
    row = world.server.add(1)
    one = await world.processor()
    await world.settled()
    row.state, row.claim = JobState.PRINTING, one.commits[-1][1].claim  # as if the report had been undone
    row.lease_until = 1e9
    world.server.refuse["finish"] = BcRefused("not this row", status=400)
    world.server.calls.clear()
    await asyncio.sleep(600)
    assert 3 <= sum(name == "finish" for _, name in world.server.calls) <= 12
    assert not one.dispatcher.snapshot().connection.failures
    world.server.refuse.clear()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])
