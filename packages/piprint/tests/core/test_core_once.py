# ruff: noqa: ASYNC110, FBT001 - the clock is virtual; parameters of tests
"""P3, S1, S2: what a restart of a printer or a spooler may have printed twice is told, goes by policy, or is stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.evidence import MAY_BE_LOST, Evidence, begun_for_certain, ran_on, weigh
from piprint.journal.entry import Entry
from piprint.journal.steps import Step
from piprint.printers.printer import JobStatus, SpoolerState
from piprint.printers.runs import RunCounter

TWICE = "may have been printed twice"
ONCE = "may have been printed"
NOON = 1_796_000_000
"""A time of day in seconds, as CUPS tells it for printer-up-time."""


async def reach(processor: Any, step: Step) -> None:
    while not any(entry.step is step for _, entry in processor.commits):
        await asyncio.sleep(0.001)


async def printing(world: Any, processor: Any, name: str = "A") -> None:
    await reach(processor, Step.FOLLOWING)
    while world.devices[name]._printing is None:
        await asyncio.sleep(0.001)


# ---- P3 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("tells_begin", [True, False])
@pytest.mark.parametrize("after", [0.0, 0.3, 3.0])
async def test_p3_a_restart_between_two_looks_is_told(world: Any, holds: bool, tells_begin: bool, after: float) -> None:
    device = world.device("A", seconds=5, holds=holds, tells_begin=tells_begin)
    row = world.server.add(1)
    processor = await world.processor()
    await printing(world, processor)
    await asyncio.sleep(after)
    device.crash(keep=True)  # it is back at once: no question fails
    job = next(iter(device.jobs.values()))
    job.begun = None if job.begun is None else int(now() - after) * 1000  # in whole seconds it may be the same
    await world.settled()
    assert world.ledger == [b"document 1"] * 2
    assert (row.state, TWICE in row.message) == (JobState.PRINTED, True)


def now() -> float:
    return asyncio.get_running_loop().time()


@pytest.mark.parametrize("tells_run", [True, False])
@pytest.mark.parametrize("seconds", [0.05, 0.9, 3.0])
async def test_p3_healthy_jobs_are_told_nothing(world: Any, tells_run: bool, seconds: float) -> None:
    world.device("A", seconds=seconds, tells_run=tells_run)
    rows = [world.server.add(number) for number in range(1, 201)]
    await world.processor()
    await world.settled(7200)
    assert not [row for row in rows if row.state is not JobState.PRINTED or ONCE in row.message]


@pytest.mark.parametrize("step", [Step.SENDING, Step.SENT, Step.RELEASING, Step.FOLLOWING, Step.ENDED])
async def test_p3_a_kill_of_the_processor_alone_tells_nothing_where_the_printer_tells_its_run(
    world: Any, step: Step
) -> None:
    world.device("A", seconds=0.5)
    row = world.server.add(1)
    first = await world.processor()
    await reach(first, step)
    await first.kill()
    await world.processor()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])
    assert ONCE not in row.message


async def test_p3_a_kill_of_the_processor_is_told_where_a_restart_cannot_be_excluded(world: Any) -> None:
    world.device("A", seconds=5, tells_run=False, tells_begin=False)
    row = world.server.add(1)
    first = await world.processor()
    await printing(world, first)
    await first.kill()
    await world.processor()
    await world.settled()
    assert (row.state, TWICE in row.message) == (JobState.PRINTED, True)


async def test_p3_a_broken_line_to_a_printer_that_ran_on_is_no_restart(world: Any) -> None:
    device = world.device("A", seconds=20)
    row = world.server.add(1)
    processor = await world.processor()
    await printing(world, processor)
    device.away = True
    await asyncio.sleep(5)
    device.away = False
    await world.settled()
    assert (row.state, ONCE in row.message) == (JobState.PRINTED, False)


def _entry(begun: int | None) -> Entry:
    from datetime import UTC, datetime  # noqa: PLC0415 - here only

    at = datetime(2026, 11, 22, tzinfo=UTC)
    return Entry(7, 1, "A", "a.1.0", "n", "", "{}", Step.FOLLOWING, at, at, submitted=True, ipp_begun=begun)


def _status(state: SpoolerState, begun: int | None, up_time: int | None) -> JobStatus:
    return JobStatus(1, "u", "n", state, begun=begun, up_time=up_time)


def test_p3_a_second_that_is_not_over_proves_nothing() -> None:
    assert begun_for_certain(_status(SpoolerState.PROCESSING, NOON, NOON)) is None
    assert begun_for_certain(_status(SpoolerState.PROCESSING, NOON, NOON + 1)) == NOON
    assert begun_for_certain(_status(SpoolerState.PROCESSING, NOON, None)) == NOON


@pytest.mark.parametrize(
    ("state", "noted", "begun", "up_time", "evidence"),
    [
        (SpoolerState.PROCESSING, NOON, NOON, NOON + 9, Evidence.NOT_AGAIN),
        (SpoolerState.COMPLETED, NOON, NOON, NOON + 9, Evidence.NOT_AGAIN),
        (SpoolerState.COMPLETED, NOON, NOON + 1, NOON + 9, Evidence.OPEN),
        (SpoolerState.COMPLETED, None, NOON, NOON + 9, Evidence.OPEN),
        (SpoolerState.PENDING, NOON, NOON, NOON + 9, Evidence.OPEN),  # it will begin again
        (SpoolerState.HELD, NOON, NOON, NOON + 9, Evidence.OPEN),
        (SpoolerState.COMPLETED, 5, 5, 9, Evidence.OPEN),  # counted from its start: it may come to 5 again
        (SpoolerState.COMPLETED, NOON, None, NOON + 9, Evidence.OPEN),
    ],
)
def test_p3_evidence(
    state: SpoolerState, noted: int | None, begun: int | None, up_time: int, evidence: Evidence
) -> None:
    status = _status(state, begun, up_time)
    assert weigh(_entry(noted), status, same_run=False, resumed=False) is evidence
    assert weigh(_entry(noted), status, same_run=True, resumed=True) is Evidence.RAN_ON
    assert weigh(_entry(noted), None, same_run=False, resumed=True) is Evidence.OPEN
    lost = Evidence.LOST if evidence is Evidence.OPEN and up_time >= NOON else evidence
    assert weigh(_entry(noted), status, same_run=False, resumed=True) is lost
    told = replace(_entry(noted), ipp_run=MAY_BE_LOST)
    assert weigh(told, status, same_run=True, resumed=False) is Evidence.LOST, "that is not forgotten"


@pytest.mark.parametrize(
    ("noted", "told", "unwatched", "same"),
    [(1, 1, True, True), (1, 2, False, False), (0, 0, False, True), (0, 0, True, False), (0, 3, True, False)],
)
def test_p3_a_printer_has_run_on_if_its_run_is_the_same_or_no_question_failed(
    noted: int, told: int, unwatched: bool, same: bool
) -> None:
    assert ran_on(noted, told, unwatched=unwatched) is same


def test_p3_runs_are_counted_by_the_moment_a_printer_counts_from() -> None:
    runs = RunCounter()
    assert [runs.see(up, at) for up, at in ((100, 1000.0), (100, 1000.9), (103, 1003.0), (160, 1060.4))] == [1] * 4
    assert runs.see(2, 1062.0) == 2, "it fell"
    assert runs.see(5, 1064.5) == 2
    assert runs.see(6, 1099.0) == 3, "it has counted less than the time that went by"
    assert runs.see(None, 1100.0) == 0
    assert RunCounter().see(NOON, 5.0) == 0, "CUPS tells the time of day"


# ---- S1 ---------------------------------------------------------------------------------------------------------------


def _held_again(device: Any) -> None:
    """Cut the power of the spooler: what was let go and printed is held again."""
    device.crash(keep=True)
    for job in device.jobs.values():
        if device._timer:
            device._timer.cancel()
        device._printing, job.state, job.begun = None, SpoolerState.HELD, None


@pytest.mark.parametrize("policy", ["hold", "reprint"])
@pytest.mark.parametrize("too", ["the processor too", "the spooler alone"])
async def test_s1_a_job_that_is_held_again_goes_by_policy(world: Any, policy: str, too: str) -> None:
    device = world.device("A", seconds=5)
    rows = [world.server.add(number) for number in (1, 2)]
    settings = {"printers": [{"id": "A", "uncertain": policy}]}
    processor = await world.processor(**settings)
    await printing(world, processor)
    if too == "the processor too":
        await processor.kill()
    _held_again(device)
    if too == "the processor too":
        await world.processor(**settings)
    await world.settled()
    copies = 1 if policy == "hold" else 2
    assert world.printed(1) == copies
    assert rows[0].state is (JobState.ERROR if policy == "hold" else JobState.PRINTED)
    assert (ONCE if policy == "hold" else TWICE) in rows[0].message
    assert (rows[1].state, world.printed(2)) == (JobState.PRINTED, 1)
    assert device.canceled == ["bc-test-1-1"], "nobody can let it go later"


async def test_s1_a_release_that_was_lost_is_made_again_if_the_spooler_ran_on(world: Any) -> None:
    world.device("A", seconds=0.5)
    row = world.server.add(1)
    first = await world.processor(kill_at=None)
    await reach(first, Step.RELEASING)
    await first.kill()
    await world.processor()
    await world.settled()
    assert (row.state, world.ledger, ONCE in row.message) == (JobState.PRINTED, [b"document 1"], False)


# ---- S2 ---------------------------------------------------------------------------------------------------------------


async def _printed_and_back(world: Any, *, stopped: bool) -> Any:
    """Have a job printed and reported, and the spooler restarted with it waiting again."""
    device = world.device("A", seconds=1)
    processor = await world.processor()
    row = world.server.add(1)
    await world.settled()
    assert row.state is JobState.PRINTED
    await asyncio.sleep(1)
    if stopped:
        device.stopped = ("paused",)
    job = next(iter(device.jobs.values()))
    job.state, job.begun = SpoolerState.PENDING, None
    device.crash(keep=True)
    return processor


async def test_s2_a_finished_job_that_waits_again_is_cancelled_before_it_prints(world: Any) -> None:
    await _printed_and_back(world, stopped=True)
    await asyncio.sleep(70)
    assert world.devices["A"].canceled == ["bc-test-1-1"]
    world.devices["A"].mend()
    await asyncio.sleep(10)
    assert world.ledger == [b"document 1"]


async def test_s2_a_finished_job_that_came_out_again_is_told(world: Any) -> None:
    processor = await _printed_and_back(world, stopped=False)
    world.server.away = True  # it is told when it answers again
    await asyncio.sleep(100)
    world.server.away = False
    await asyncio.sleep(130)
    row = world.server.rows[1]
    assert (row.state, TWICE in row.message) == (JobState.PRINTED, True)
    assert world.ledger == [b"document 1"] * 2
    assert any(TWICE in each for each in processor.dispatcher.snapshot().problems)
    assert TWICE in world.server.offered[0].state_message
    assert TWICE in (await processor.dispatcher.history())[0].message
    await asyncio.sleep(90000)
    assert not processor.dispatcher.snapshot().problems, "not for ever"


async def test_s2_where_business_central_cannot_say_it_the_printer_and_the_log_do(
    world: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An extension without the action, or a job that somebody had since."""

    async def amend(*_: Any, **__: Any) -> bool:
        return False

    processor = await _printed_and_back(world, stopped=False)
    monkeypatch.setattr(type(processor.queue), "amend", amend)
    await asyncio.sleep(200)
    assert world.ledger == [b"document 1"] * 2
    assert sum("is not in Business Central" in line for line in caplog.messages) == 1
    assert TWICE in world.server.offered[0].state_message
    assert TWICE not in world.server.rows[1].message


async def test_s2_at_a_start_finished_jobs_are_looked_for_before_anything_is_printed(world: Any) -> None:
    first = await _printed_and_back(world, stopped=True)
    await first.kill()
    world.server.add(2)
    again = await world.processor()
    assert world.devices["A"].canceled == ["bc-test-1-1"]
    world.devices["A"].mend()
    await world.settled()
    assert world.ledger == [b"document 1", b"document 2"]
    assert not again.dispatcher.snapshot().problems


async def test_s2_other_peoples_jobs_and_jobs_in_hand_are_left_alone(world: Any, tmp_path: Path) -> None:
    device = world.device("A", seconds=30)
    row = world.server.add(1)
    processor = await world.processor()
    await printing(world, processor)
    device.jobs[99] = type(device.jobs[1])(99, "urn:uuid:other", "somebody's letter", False, b"letter")
    processor.dispatcher._returned._runs.clear()
    processor.dispatcher._around.suspected.set()
    await world.settled()
    assert device.canceled == []
    assert (row.state, ONCE in row.message) == (JobState.PRINTED, False)


async def test_s2_the_journal_remembers_the_last_jobs_however_long_nobody_was_there(world: Any) -> None:
    from datetime import timedelta  # noqa: PLC0415 - here only

    first = await _printed_and_back(world, stopped=True)
    await first.stop()
    world.wall_error = timedelta(days=60)
    await world.processor()
    assert world.devices["A"].canceled == ["bc-test-1-1"]


@pytest.mark.parametrize("policy", ["hold", "reprint"])
async def test_s1_completed_proves_nothing_of_a_document_that_cups_may_have_lost(world: Any, policy: str) -> None:
    """A power cut of everything: CUPS comes back without the document, and ends the job as completed."""
    device = world.device("A", seconds=5, clock=NOON)
    row = world.server.add(1)
    settings = {"printers": [{"id": "A", "uncertain": policy}]}
    processor = await world.processor(**settings)
    await printing(world, processor)
    await processor.kill()
    device._timer.cancel()
    device._printing, device.runs = None, 2
    job = device.jobs[1]
    job.begun, job.state = NOON + int(now()) + 1, SpoolerState.PROCESSING
    await world.processor(**settings)
    await asyncio.sleep(2)
    job.state = SpoolerState.COMPLETED
    await world.settled()
    assert world.printed(1) == (0 if policy == "hold" else 1), "not lost without a word"
    assert row.state is (JobState.ERROR if policy == "hold" else JobState.PRINTED)
    assert ONCE in row.message
