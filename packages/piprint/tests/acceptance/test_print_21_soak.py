"""Acceptance 21: a day of printing, compressed; nothing that runs for years may grow.

A usual day has 17,280 polls and some hundred jobs. Here both come as fast as they can for ``PIPRINT_SOAK_SECONDS``
(``make soak``: ten minutes, more than a day's worth).
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import psutil
import pytest
from office import Office, Processor
from papers import CORRUPT, pdf

from piprint.contract import JobState
from piprint.simulate.limits import Limits

SECONDS = float(os.environ.get("PIPRINT_SOAK_SECONDS", "20"))
KEPT = 40
"""Rounds whose jobs stay in Business Central for good, so that lists have a length."""
COME_AND_GO = 5
"""Connections and threads that may just be there or not; what leaks leaks with every job."""


@dataclass(frozen=True)
class Size:
    """What may not grow."""

    memory: float
    threads: int
    files: int
    children: int
    journal: float


def size(processor: Processor) -> Size:
    process = psutil.Process(processor.process.pid)
    journal = sum(path.stat().st_size for path in processor.data.glob("journal*"))
    return Size(
        memory=process.memory_info().rss / 1e6,
        threads=process.num_threads(),
        files=process.num_fds(),
        children=len(process.children()),
        journal=journal / 1e6,
    )


@pytest.mark.takes_long
async def test_21_nothing_grows_in_a_day():
    a_days_calls = Limits(requests=10**9)
    async with Office("one", "two", "three", poll=0.05, bc={"limits": a_days_calls}) as office:
        processor = await office.start()
        loop, count, sizes = asyncio.get_running_loop(), 0, []
        end = loop.time() + SECONDS
        warm = loop.time() + SECONDS / 3
        while loop.time() < end:
            jobs = [office.print(queue, pdf(f"{count} {queue}")) for queue in office.queues]
            jobs.append(office.print("one", CORRUPT))
            if count % 5 == 0:
                office.bc.faults.add("status", status=503, retry_after=0)
                office.bc.faults.add("reset after", nth=3)
            await office.ends(jobs)
            assert office.job(jobs[-1]).status is JobState.ERROR
            for job in jobs if count > KEPT else ():
                office.bc.people.delete(job)
            office.bc.faults.clear()
            count += 1
            if loop.time() > warm:
                sizes.append(size(processor))
                warm += SECONDS / 30
        await asyncio.sleep(1)
        begin, last = sizes[0], size(processor)
        assert last.threads <= begin.threads + COME_AND_GO
        assert last.files <= begin.files + COME_AND_GO
        assert last.children <= begin.children
        assert last.memory < begin.memory + 10, f"{begin.memory:.1f} MB became {last.memory:.1f} MB in {count} rounds"
        assert last.journal < begin.journal + 0.002 * 4 * count + 4, "no more than the lines of the history"
        assert not list((processor.data / "spool").iterdir())
        assert len(office.printed()) == len(set(office.printed())) == 3 * count
