# ruff: noqa: ASYNC110, FBT001 - the clock is virtual; parameters of tests
"""P3, S1, S2: what a restart of a printer or a spooler may have printed twice is told, goes by policy, or is stopped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.errors import BcConflict, PrinterRefused, PrinterUnreachable
from piprint.jobs import wording
from piprint.jobs.evidence import MAY_BE_LOST, Evidence, begun_for_certain, ran_on, weigh
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.printers.printer import JobStatus, SpoolerState
from piprint.printers.restarts.runs import RunCounter

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
    more: dict[str, Any] = {"submitted": True, "ipp_begun": begun, "ipp_run": "1"}
    return Entry(7, 1, "A", "a.1.0", "n", "", "{}", Step.FOLLOWING, at, at, **more)


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
    assert weigh(_entry(noted), status, same_run=False, same_boot=True) is evidence
    assert weigh(_entry(noted), status, same_run=True, same_boot=False) is Evidence.RAN_ON
    assert weigh(_entry(noted), None, same_run=False, same_boot=False) is Evidence.OPEN
    lost = Evidence.LOST if evidence is Evidence.OPEN and up_time >= NOON else evidence
    assert weigh(_entry(noted), status, same_run=False, same_boot=False) is lost
    old = replace(_entry(noted), ipp_run="")
    assert weigh(old, status, same_run=False, same_boot=False) is evidence, "an upgrade is no power cut"
    told = replace(_entry(noted), ipp_run=MAY_BE_LOST)
    assert weigh(told, status, same_run=True, same_boot=True) is Evidence.LOST, "that is not forgotten"


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
    device = world.device("A", seconds=1, clock=NOON)
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
    processor.dispatcher._context.suspected.set()
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


async def _restarted_without_its_document(world: Any, device: Any, processor: Any, *, power: bool) -> None:
    """Restart the computer of a CUPS while it prints; it ends the job as completed, with nothing on paper."""
    await printing(world, processor)
    device._timer.cancel()
    device._printing, device.away, device.runs = None, True, 2
    await asyncio.sleep(30)
    job = device.jobs[1]
    device.away, job.begun, job.state = False, NOON + int(now()), SpoolerState.PROCESSING
    await asyncio.sleep(5)
    job.state = SpoolerState.COMPLETED
    if not power:
        world.ledger.append(b"document 1")


@pytest.mark.parametrize("policy", ["hold", "reprint"])
async def test_s1_a_power_cut_of_a_cups_elsewhere_loses_nothing_though_we_run_on(world: Any, policy: str) -> None:
    device = world.device("A", seconds=20, clock=NOON)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "uncertain": policy}])
    await _restarted_without_its_document(world, device, processor, power=True)
    await world.settled()
    assert row.state is (JobState.ERROR if policy == "hold" else JobState.PRINTED), row.message
    assert world.ledger == ([] if policy == "hold" else [b"document 1"])
    assert ONCE in row.message
    assert (TWICE in row.message) is (policy == "reprint")


async def test_s1_a_cups_of_this_computer_lost_no_document_as_long_as_we_run_on(world: Any) -> None:
    device = world.device("A", seconds=20, clock=NOON, here=True)
    row = world.server.add(1)
    processor = await world.processor()
    await _restarted_without_its_document(world, device, processor, power=False)
    await world.settled()
    assert (row.state, TWICE in row.message, world.ledger) == (JobState.PRINTED, True, [b"document 1"])


async def test_s1_a_job_in_work_of_a_journal_that_noted_no_runs_is_not_taken_for_lost(world: Any) -> None:
    device = world.device("A", seconds=20, clock=NOON)
    row = world.server.add(1)
    settings = {"printers": [{"id": "A", "uncertain": "reprint"}]}
    first = await world.processor(**settings)
    await printing(world, first)
    entry = (await first.journal.unreported())[0]
    await first.journal.note(entry, ipp_run="", ipp_begun=None)
    await first.kill()
    await world.processor(**settings)
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])
    assert device.canceled == []


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("clock", [0, NOON])
async def test_s1_what_is_said_of_a_job_taken_over_is_true(world: Any, api: bool, clock: int) -> None:
    """Nobody restarted anything: CUPS's word goes by policy, a printer's is believed, and neither is said to be restarted."""
    world.server.api = api
    world.device("A", seconds=300, clock=clock)
    row = world.server.add(1)
    first = await world.processor("one")
    await printing(world, first)
    await first.kill()
    await world.processor("two")
    await world.settled()
    assert row.state is (JobState.ERROR if clock else JobState.PRINTED)
    assert "he processor that had it before gave no more sign" in row.message
    assert "(CUPS) was restarted, or" not in row.message
    assert ONCE in row.message
    assert len(world.ledger) == 1


# ---- What came back, and what only seems so ----------------------------------------------------------------------------


async def test_s2_a_printer_that_was_switched_off_and_on_printed_nothing_again(world: Any) -> None:
    """RFC 8011, 5.3.14: it sets the times of the jobs it remembers to 0 or less."""
    device = world.device("A", seconds=1)
    rows = [world.server.add(number) for number in range(1, 31)]
    processor = await world.processor()
    await world.settled()
    device.runs += 1
    for job in device.jobs.values():
        job.begun = 0
    await asyncio.sleep(300)
    assert not [row for row in rows if row.state is not JobState.PRINTED or ONCE in row.message]
    assert not processor.dispatcher.snapshot().problems
    assert "amend" not in {call for _, call in world.server.calls}


async def test_s2_a_restart_seconds_after_a_short_job_is_no_reason_to_doubt_it(world: Any) -> None:
    """It began and ended within one second, in which CUPS may have been back; a second later it is certain that it was not."""
    device = world.device("A", seconds=0.01, clock=NOON)
    row = world.server.add(1)
    await world.processor()
    await world.settled()
    assert device.jobs[1].begun == NOON + int(now())
    await asyncio.sleep(2)
    device.runs += 1
    await asyncio.sleep(100)
    assert (row.state, TWICE in row.message) == (JobState.PRINTED, False)


@pytest.mark.parametrize("why", ["an old journal", "no subscriptions"])
async def test_s2_a_restart_of_ours_alone_tells_nothing_of_jobs_just_reported(world: Any, why: str) -> None:
    device = world.device("A", seconds=1, clock=NOON, tells_run=why == "an old journal")
    rows = [world.server.add(number) for number in range(1, 16)]
    first = await world.processor()
    await world.settled()
    if why == "an old journal":
        for entry in await first.journal.history():
            await first.journal.note(entry, ipp_run="")
    await first.stop()
    await world.processor()
    await asyncio.sleep(100)
    assert len(world.ledger) == len(device.jobs) == 15
    assert not [row for row in rows if ONCE in row.message]


async def _came_out_again(world: Any, device: Any) -> None:
    """Let CUPS restart and print again what it had not saved as done."""
    job = next(iter(device.jobs.values()))
    job.state, job.begun = SpoolerState.PENDING, None
    device.crash(keep=True)
    await asyncio.sleep(5)


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("then", ["nothing", "a kill", "the answer is lost"])
async def test_s2_what_comes_back_while_its_end_is_reported_is_told(world: Any, api: bool, then: str) -> None:
    """Power is back, Business Central is slow: the sweep finds the job while the report is under way."""
    world.server.api = api
    device = world.device("A", seconds=1, clock=NOON)
    row = world.server.add(1)
    first = await world.processor()
    await reach(first, Step.FOLLOWING)
    world.server.latency = 80.0  # the report takes up to so long to get there, and as long to get back
    await reach(first, Step.ENDED)
    await _came_out_again(world, device)
    first.dispatcher._context.suspected.set()
    await asyncio.sleep(1)
    if then == "the answer is lost":
        world.server.lose_answers = 1.0
    while row.state is not JobState.PRINTED:
        await asyncio.sleep(0.1)
    world.server.latency = 0.01
    if then == "a kill":
        await first.kill()
        await world.processor()
    await asyncio.sleep(200)
    world.server.lose_answers = 0.0
    await asyncio.sleep(900)
    assert world.ledger == [b"document 1"] * 2
    assert (row.state, TWICE in row.message) == (JobState.PRINTED, True)
    assert row.message.count(TWICE) == 1
    told = (await world.processors[-1].dispatcher.history())[0].message
    assert (TWICE in told, "was not told" in told) == (True, False)


async def test_s2_what_business_central_does_not_take_for_a_while_is_told_later(world: Any) -> None:
    device = world.device("A", seconds=1, clock=NOON)
    row = world.server.add(1)
    await world.processor()
    await world.settled()

    world.server.refuse["amend"] = BcConflict("a deadlock")
    await _came_out_again(world, device)
    await asyncio.sleep(200)
    assert TWICE not in row.message
    world.server.refuse.clear()
    await asyncio.sleep(600)
    assert TWICE in row.message


async def test_s2_what_came_back_is_shown_also_after_a_restart_of_ours(world: Any) -> None:
    device = world.device("A", seconds=1, clock=NOON)
    world.server.add(1)
    first = await world.processor()
    await world.settled()
    await _came_out_again(world, device)
    await asyncio.sleep(100)
    await first.stop()
    again = await world.processor()
    await asyncio.sleep(100)
    assert any(TWICE in each for each in again.dispatcher.snapshot().problems)
    assert TWICE in world.server.offered[0].state_message


async def test_s2_what_was_not_printed_and_comes_back_may_be_printed_after_all(world: Any) -> None:
    device = world.device("A", seconds=30, clock=NOON)
    row = world.server.add(1)
    processor = await world.processor()
    await printing(world, processor)
    device.cancel(device.jobs[1])
    await world.settled()
    assert row.state is JobState.ERROR
    device.seconds = 0.5
    await _came_out_again(world, device)
    await asyncio.sleep(100)
    assert world.ledger == [b"document 1"]
    assert "It may have been printed after all" in row.message
    assert TWICE not in row.message


def test_s2_that_it_may_have_been_printed_twice_is_said_once_with_all_reasons() -> None:
    notes = (wording.BEGAN_AGAIN, f"{wording.TWICE}: the printer no longer knew it after an interruption.")
    told = wording.message(Outcome.PRINTED, "Printed at A.", notes)
    assert told == (
        "Printed at A. It may have been printed twice: the printer began again while it printed; and the printer no longer "
        "knew it after an interruption. If two lie there, throw one away."
    )
    note = wording.came_back_note(Outcome.PRINTED, cups=True)
    after = wording.with_came_back(told, note)
    assert after.count(TWICE) == 1
    assert after.endswith(
        "After a restart the print server (CUPS) printed it again, as it had not yet saved that it was done."
    )
    assert wording.without_came_back(after) == told


# ---- What is given up is weighed like everything else ------------------------------------------------------------------


async def _given_up_after_a_restart(world: Any, device: Any) -> None:
    """Let a printer stand until the job is given up, and the job be there, changed, when it can be cancelled."""
    processor = await world.processor(printers=[{"id": "A", "give_up_after": 60}])
    await printing(world, processor)
    device.stopped, device.deaf = ("media-empty-error",), True
    job = processor.dispatcher._context.jobs[1]
    while not job.given_up:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("restarted", [True, False])
async def test_p3_printed_just_as_it_was_given_up_and_perhaps_twice(world: Any, restarted: bool) -> None:
    device = world.device("A", seconds=3, clock=NOON, here=True)
    row = world.server.add(1)
    await _given_up_after_a_restart(world, device)
    job = device.jobs[1]
    device.runs += restarted
    job.state, job.begun = SpoolerState.COMPLETED, (job.begun or NOON) + (50 if restarted else 0)
    world.ledger.append(b"document 1")
    await world.settled()
    assert (row.state, "just as it was given up" in row.message) == (JobState.PRINTED, True)
    assert (TWICE in row.message) is restarted


async def test_s1_completed_as_it_was_given_up_proves_nothing_of_a_cups_that_was_restarted(world: Any) -> None:
    device = world.device("A", seconds=3, clock=NOON)
    row = world.server.add(1)
    await _given_up_after_a_restart(world, device)
    job = device.jobs[1]
    device.runs += 1
    job.state, job.begun = SpoolerState.COMPLETED, NOON + int(now())
    await world.settled()
    assert (row.state, ONCE in row.message) == (JobState.ERROR, True)


@pytest.mark.parametrize("restarted", [True, False])
async def test_s1_cancelled_after_a_restart_it_may_have_been_printed_before(world: Any, restarted: bool) -> None:
    device = world.device("A", seconds=3, clock=NOON)
    row = world.server.add(1)
    await _given_up_after_a_restart(world, device)
    if restarted:
        device.runs += 1
        device.jobs[1].state, device.jobs[1].begun = SpoolerState.HELD, None
        device._printing = None
    device.deaf = False
    await world.settled()
    assert device.canceled == ["bc-test-1-1"]
    assert (row.state, ONCE in row.message) == (JobState.ERROR, restarted)


# ---- What was decided stays decided until it is done -------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["hold", "reprint"])
@pytest.mark.parametrize("how", ["cancelled late", "was cancelled by somebody", "the answer is lost", "refused"])
async def test_s1_a_cancel_that_does_not_go_at_once_changes_nothing_of_what_was_decided(
    world: Any, policy: str, how: str
) -> None:
    """CUPS has restarted and says held, though the job was let go and came out."""
    device = world.device("A", seconds=1, clock=NOON)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "uncertain": policy, "give_up_after": 60}])
    await reach(processor, Step.RELEASING)
    device.lose_answers = 1.0
    while not world.ledger:
        await asyncio.sleep(0.01)
    device.lose_answers = 0.0
    job = device.jobs[1]
    job.state, job.begun, job.held = SpoolerState.HELD, None, True
    device.runs = 2
    if how == "refused":
        device.refuse["cancel"] = PrinterRefused("forbidden", status=0x0403)
    elif how == "the answer is lost":
        device.refuse["cancel"] = PrinterUnreachable("timed out")
    else:
        device.deaf = True
    await asyncio.sleep(3.5)
    device.refuse.pop("cancel", None)
    device.deaf = False
    if how == "was cancelled by somebody":
        device.cancel(job)
    await world.settled()
    printings = len(world.ledger)
    assert ONCE in row.message, row.message
    assert printings == 1 or TWICE in row.message or row.state is JobState.ERROR, row.message
    assert policy == "reprint" or printings == 1
