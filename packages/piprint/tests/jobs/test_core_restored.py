# ruff: noqa: ASYNC110 - the clock is virtual; parameters of tests
"""A journal that is older than what was done: a machine set back to a snapshot, a disk restored from a backup."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.journal.steps import Step
from piprint.printers.printer import Feedback


@pytest.mark.parametrize("step", [Step.STORED, Step.CREATING])
@pytest.mark.parametrize("gone_on", [Step.SENDING, Step.SENT, Step.FOLLOWING])
@pytest.mark.parametrize("feedback", list(Feedback))
async def test_a_processor_set_back_in_mid_job_does_not_print_it_twice(
    world: Any, step: Step, gone_on: Step, feedback: Feedback
) -> None:
    device = world.device("A", seconds=20, feedback=feedback)
    row = world.server.add(1)
    processor = await world.processor()
    snapshot = world.folder / "snapshot"
    folder: Path = processor.journal.folder
    while not any(entry.step is step and moment == "after" for moment, entry in processor.commits):
        await asyncio.sleep(0.001)
    shutil.copytree(folder, snapshot)
    if feedback is Feedback.SENT_ONLY:
        while not world.ledger:
            await asyncio.sleep(0.0005)
    else:
        while not any(entry.step is gone_on for _, entry in processor.commits):
            await asyncio.sleep(0.001)
    await processor.kill()
    assert row.state is JobState.PRINTING
    shutil.rmtree(folder)
    shutil.copytree(snapshot, folder)
    await world.processor()
    await world.settled()
    assert len(world.ledger) <= 1
    assert row.state is JobState.PRINTED or "may have been printed" in row.message
    assert len([job for job in device.jobs.values() if not job.state.final]) == 0
