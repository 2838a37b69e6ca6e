# ruff: noqa: FBT001 - parameters of tests
"""kill -9 at every commit of the journal, before and after it, and at any other moment under load.

The oracle is the ledger of what came out of the printers: no job lost, none twice; a job that may have been printed is
reported as such and nothing else is.
"""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.printers.printer import Feedback

PRINTERS: dict[str, dict[str, Any]] = {
    "holds jobs": {},
    "holds jobs, has no uuids": {"uuids": False},
    "takes one job at a time": {"holds": False, "single": True},
    "takes jobs as they come": {"holds": False},
    "tells nothing": {"feedback": Feedback.SENT_ONLY},
}


@pytest.mark.parametrize("api", [True, False], ids=["our extension", "PIPrint 1.0"])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", PRINTERS)
async def test_a_kill_at_every_commit_loses_nothing_and_prints_nothing_twice(
    new_world: Any, tmp_path: Path, kind: str, moment: str, api: bool
) -> None:
    steps: set[str] = set()
    for count in range(1, 100):
        world = new_world(tmp_path / str(count))
        world.server.api = api
        world.device("A", **PRINTERS[kind])
        for row_no in (1, 2):
            world.server.add(row_no)
        processor = await world.processor(kill_at=(moment, count))
        killed = asyncio.create_task(processor.killed.wait())
        idle = asyncio.create_task(world.settled())
        await asyncio.wait({killed, idle}, return_when=asyncio.FIRST_COMPLETED)
        if not killed.done():
            killed.cancel()
            await processor.kill()
            break
        idle.cancel()
        last = processor.commits[-1][1].step
        steps.add(last)
        await processor.kill()
        again = await world.processor()
        await world.settled()
        world.check()
        for row in world.server.rows.values():
            if kind != "tells nothing":
                assert (row.state, world.printed(row.row_no)) == (JobState.PRINTED, 1), (last, row)
        await again.stop()
        assert not list(again.journal.spool.folder.iterdir())
    else:
        pytest.fail("the jobs never came to their end without a kill")
    wanted = {"claiming", "stored", "creating", "created", "sending", "sent", "ended", "reported"}
    followed = {"following"} if kind != "tells nothing" else set()
    held = {"releasing"} if kind.startswith("holds") else set()
    assert steps == wanted | followed | held


async def _random_life(world: Any, rng: random.Random) -> None:  # noqa: C901 - a list of what can happen
    """Print some jobs while processors are killed, printers and Business Central fail, and users change their minds."""
    server = world.server
    server.rng = rng
    server.api = rng.random() < 0.6
    server.lose_answers = rng.choice([0.0, 0.0, 0.1, 0.3])
    server.lag = rng.choice([0.0, 0.0, 1.0, 10.0])
    server.latency = rng.choice([0.01, 0.2])
    for name in "ABC":
        world.device(
            name,
            rng=rng,
            holds=rng.random() < 0.5,
            single=rng.random() < 0.3,
            uuids=rng.random() < 0.7,
            lose_answers=rng.choice([0.0, 0.0, 0.1]),
            seconds=rng.choice([0.2, 2.0, 5.0]),
        )
    for row_no in range(1, rng.randint(4, 12)):
        server.add(row_no, rng.choice("ABC"))
    names = ["one", "two"] if rng.random() < 0.4 else ["one"]
    living = {name: await world.processor(name, lease={"seconds": 30}) for name in names}
    for _ in range(rng.randint(2, 8)):
        await asyncio.sleep(rng.choice([0.01, 0.05, 0.3, 1.0, 4.0]) * rng.random() * 2)
        what = rng.random()
        device = world.devices[rng.choice("ABC")]
        if what < 0.6:
            name = rng.choice(names)
            await living[name].kill()
            if rng.random() < 0.3:
                await asyncio.sleep(rng.choice([1, 40]))
            living[name] = await world.processor(name, lease={"seconds": 30})
        elif what < 0.7:
            server.away = True
            await asyncio.sleep(rng.choice([1, 60]))
            server.away = False
        elif what < 0.8:
            device.away = True
            await asyncio.sleep(rng.choice([1, 20]))
            device.mend()
        elif what < 0.85:
            device.crash(keep=rng.random() < 0.5)
        elif what < 0.93:
            row = server.rows[rng.choice(list(server.rows))]
            server.set(row.row_no, rng.choice([JobState.CANCELLED, JobState.HOLD]))
        else:
            name = rng.choice(names)
            await living[name].stop()
            living[name] = await world.processor(name, lease={"seconds": 30})
    server.lose_answers = 0.0
    for device in world.devices.values():
        device.lose_answers = 0.0
    await world.settled()
    world.check()
    assert all(processor.dispatcher.snapshot().mistakes == 0 for processor in living.values())
    for processor in living.values():
        await processor.stop()


LIVES = int(os.environ.get("PIPRINT_LIVES", "120"))
"""Set it for more; each has its own schedule."""


@pytest.mark.parametrize("seed", range(LIVES))
async def test_random_kills_and_faults_leave_the_ledger_equal_to_the_jobs(
    new_world: Any, tmp_path: Path, seed: int
) -> None:
    await _random_life(new_world(tmp_path), random.Random(seed))
