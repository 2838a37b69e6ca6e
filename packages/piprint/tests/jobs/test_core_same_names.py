# ruff: noqa: ASYNC110, FBT001 - the clock is virtual; parameters of tests
"""Two jobs with the same number: of two tenants, or before and after a restored backup. Neither is taken for the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from piprint.bc.job import Claim, job_name
from piprint.contract import JobState
from piprint.journal.steps import Step


async def reach(processor: Any, step: Step) -> None:
    while not any(entry.step is step for moment, entry in processor.commits if moment == "after"):
        await asyncio.sleep(0.001)


@pytest.fixture
async def tenant(world: Any, new_world: Callable[[Path], Any], tmp_path: Path) -> Any:
    """A second Business Central, its environment named as the first one's, whose jobs go to the same printers."""
    made = new_world(tmp_path / "tenant")
    made.devices, made.ledger = world.devices, world.ledger
    yield made
    for processor in made.processors:
        if processor.alive:
            await processor.kill()


async def test_what_is_cleared_up_after_a_kill_is_never_another_tenants(world: Any, tenant: Any) -> None:
    world.device("A", seconds=60)
    world.server.add(1)
    await world.processor()
    await asyncio.sleep(5)
    tenant.server.add(1, document=b"the tenant's")
    killed = await tenant.processor()
    await reach(killed, Step.CREATING)
    await killed.kill()
    await tenant.processor()
    await tenant.settled()
    await world.settled()
    assert (world.server.rows[1].state, tenant.server.rows[1].state) == (JobState.PRINTED, JobState.PRINTED)
    assert world.ledger == [b"document 1", b"the tenant's"]


@pytest.mark.parametrize("api", [True, False])
async def test_a_number_used_again_after_a_restored_backup_is_printed(world: Any, api: bool) -> None:
    """The printer still knows the old job of that number; its journal is gone with its host, as is the new one's."""
    world.server.api = api
    world.server.add(1, document=b"before")
    first = await world.processor("one", lease={"seconds": 30})
    await world.settled()
    await first.kill()
    row = world.server.add(1, document=b"after")
    second = await world.processor("two", lease={"seconds": 30})
    await reach(second, Step.STORED)
    await second.kill()
    await world.processor("three", lease={"seconds": 30})
    await world.settled()
    if api:
        assert (row.state, world.ledger) == (JobState.PRINTED, [b"before", b"after"])
    else:  # PIPrint 1.0 cannot tell whether the one that died had sent it
        assert (row.state, world.ledger) == (JobState.ERROR, [b"before"])
        assert "may have been printed" in row.message


def test_no_two_claims_have_the_same_name_at_the_printer_and_all_names_are_short() -> None:
    names = {job_name("Production " * 9, 2_000_000_000, Claim.new("shop", "one", 999_999_999)) for _ in range(100)}
    assert len(names) == 100
    assert all(len(name) <= 64 for name in names)
