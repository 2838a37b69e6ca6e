# ruff: noqa: ASYNC110, FBT001 - the clock is virtual; parameters of tests
"""How the processor asks Business Central, bears its absence, and shares jobs with other processors."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from piprint.bc.job import Claim, JobRow
from piprint.config.settings import Poll
from piprint.contract import JobState
from piprint.errors import BcDenied, BcRefused, BcThrottled, BcUnreachable
from piprint.jobs.polling.leases import LeaseWatch
from piprint.jobs.polling.poll_interval import PollInterval
from piprint.journal.steps import Step
from piprint.printers.printer import Feedback, PrinterAddress, PrinterState

HOUR = 3600.0


async def reach(processor: Any, step: Step, row_no: int = 1) -> None:
    """Wait until the journal has a step of a job."""
    while not any(entry.step is step and entry.row_no == row_no for _, entry in processor.commits):
        await asyncio.sleep(0.001)


def calls(world: Any, name: str = "") -> int:
    return sum(not name or each == name for _, each in world.server.calls)


# ---- How often ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("printers", [1, 5, 20])
async def test_an_idle_hour_costs_no_more_calls_than_the_interval_allows(world: Any, printers: int) -> None:
    for number in range(printers - 1):
        world.device(f"P{number}")
    await world.processor()
    for _ in range(3):
        world.server.calls.clear()
        await asyncio.sleep(HOUR)
        # A registration reads the list and may write every printer.
        assert calls(world) + calls(world, "register") * (printers + 1) <= 720
        assert calls(world) > 300


async def test_work_is_asked_for_faster_while_there_is_some_and_slower_after_a_quiet_hour(world: Any) -> None:
    await world.processor(poll={"fastest": 1, "usual": 5, "slowest": 60})
    await asyncio.sleep(600)
    world.server.calls.clear()
    await asyncio.sleep(600)
    assert 110 <= calls(world, "probe") <= 120
    world.server.add(1)
    await world.settled()
    world.server.calls.clear()
    await asyncio.sleep(10)
    assert calls(world, "probe") >= 9
    await asyncio.sleep(HOUR + 60)
    world.server.calls.clear()
    await asyncio.sleep(600)
    assert calls(world, "probe") <= 11


async def test_a_waiting_job_is_printed_within_the_interval(world: Any, clock: Any) -> None:
    world.devices["A"].seconds = 0.1
    await world.processor()
    for number in range(1, 20):
        await asyncio.sleep(61.7)
        world.server.add(number)
        began = clock()
        while not world.printed(number):
            await asyncio.sleep(0.05)
        assert clock() - began < 5.3 + 0.3 + 0.2  # the stretched interval, the way to the printer, the printing


async def test_many_jobs_are_printed_without_waiting_for_the_next_question(world: Any, clock: Any) -> None:
    world.devices["A"].seconds = 0.01
    for number in range(1, 101):
        world.server.add(number)
    began = clock()
    await world.processor()
    await world.settled()
    assert clock() - began < 100 * 0.35
    assert world.ledger == [f"document {number}".encode() for number in range(1, 101)]


def test_a_poll_interval_leaves_room_for_everything_else_that_is_said() -> None:
    for printers in (0, 1, 10, 50):
        pace = PollInterval(Poll(), 0.0)
        polls = HOUR / pace.next(10.0, busy=False, printers=printers)
        assert polls + 4 * (printers + 2) <= 720


# ---- Business Central away, throttling, denying ----------------------------------------------------------------------


@pytest.mark.parametrize(("api", "step"), [(True, Step.SENDING), (False, Step.STORED)])
async def test_while_business_central_is_away_it_is_printed_and_reported_later(
    world: Any, api: bool, step: Step
) -> None:
    world.server.api = api
    world.device("A", seconds=5)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    await reach(processor, step)
    world.server.away = True
    await asyncio.sleep(600)
    assert world.ledger == [b"document 1"]
    assert rows[0].state is JobState.PRINTING
    snapshot = processor.dispatcher.snapshot()
    assert snapshot.connection.state == "away"
    assert "Not reported yet: no answer" in snapshot.jobs[0].message
    world.server.away = False
    await asyncio.sleep(40)
    assert rows[0].state is JobState.PRINTED
    await world.settled()
    assert world.ledger == [b"document 1", b"document 2"]


async def test_an_outcome_survives_a_restart_while_business_central_is_away(world: Any) -> None:
    row = world.server.add(1)
    first = await world.processor()
    await reach(first, Step.FOLLOWING)
    world.server.away = True
    await asyncio.sleep(60)
    await first.stop()
    second = await world.processor()
    await asyncio.sleep(60)
    await second.kill()
    world.server.away = False
    await world.processor()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_with_an_old_lease_and_no_answer_the_document_is_not_handed_over(world: Any) -> None:
    """Another processor may have the job by then."""
    row = world.server.add(1)
    first = await world.processor(lease={"seconds": 60})
    await reach(first, Step.STORED)
    await first.kill()
    world.server.away = True
    await asyncio.sleep(100)
    await world.processor(lease={"seconds": 60})
    await asyncio.sleep(600)
    assert world.ledger == []
    world.server.away = False
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_what_business_central_asks_to_wait_is_waited(world: Any) -> None:
    await world.processor()
    await asyncio.sleep(60)
    world.server.calls.clear()
    world.server.errors = [BcThrottled("too many", retry_after=100, status=429)] * 3
    await asyncio.sleep(290)
    assert calls(world) <= 4
    await asyncio.sleep(20)
    world.server.calls.clear()
    await asyncio.sleep(60)
    assert calls(world) >= 11


async def test_a_denied_login_is_tried_seldom_and_shown(world: Any) -> None:
    world.server.refuse["probe"] = BcDenied("the client secret is wrong", cause="secret")
    processor = await world.processor()
    await asyncio.sleep(HOUR)
    assert calls(world, "probe") < 25
    connection = processor.dispatcher.snapshot().connection
    assert (connection.state, connection.message) == ("denied", "the client secret is wrong")
    world.server.refuse.clear()
    world.server.add(1)
    await world.settled()


async def test_a_report_that_is_refused_holds_up_neither_the_printer_nor_other_reports(world: Any) -> None:
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    real = processor.queue.finish

    async def finish(job: JobRow, *args: Any, **more: Any) -> Any:
        if job.row_no == 1 and refusing:
            raise BcRefused("a validation of another extension", status=400)
        return await real(job, *args, **more)

    refusing = True
    processor.queue.finish = finish
    await asyncio.sleep(60)
    assert [row.state for row in rows] == [JobState.PRINTING, JobState.PRINTED]
    refusing = False
    await world.settled()
    assert world.ledger == [b"document 1", b"document 2"]


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("name", ["claim", "finish"])
async def test_an_answer_lost_after_the_deed_prints_nothing_twice(world: Any, name: str, api: bool) -> None:
    world.server.api = api
    row = world.server.add(1)
    processor = await world.processor()
    real, lost = getattr(processor.queue, name), []

    async def call(*args: Any, **more: Any) -> Any:
        answer = await real(*args, **more)
        if not lost:
            lost.append(answer)
            raise BcUnreachable("the answer was lost")
        return answer

    setattr(processor.queue, name, call)
    await world.settled()
    assert lost
    assert (row.state, row.attempts, world.ledger) == (JobState.PRINTED, 1, [b"document 1"])


@pytest.mark.parametrize("api", [True, False])
async def test_a_claim_that_comes_through_after_it_was_given_up_is_given_back(world: Any, api: bool) -> None:
    world.server.api = api
    row = world.server.add(1)
    processor = await world.processor()
    real, late = processor.queue.claim, []

    async def claim(*args: Any, **more: Any) -> Any:
        if late:
            return await real(*args, **more)
        late.append(asyncio.get_running_loop().create_task(_later(real, args, more)))
        raise BcThrottled("504 from the gateway", status=504)

    processor.queue.claim = claim
    await asyncio.sleep(2.5)
    assert row.state is JobState.PRINTING
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])
    assert row.attempts == 2
    await asyncio.gather(*late)


async def _later(real: Any, args: Any, more: Any) -> None:
    await asyncio.sleep(2)
    await real(*args, **more)


async def test_a_row_that_cannot_be_claimed_is_tried_seldom_and_others_go_on(world: Any) -> None:
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    real = processor.queue.claim

    async def claim(job: JobRow, *args: Any, **more: Any) -> Any:
        if job.row_no == 1:
            tried.append(1)
            raise BcRefused("the row cannot be changed", status=400)
        return await real(job, *args, **more)

    tried: list[int] = []
    processor.queue.claim = claim
    await asyncio.sleep(HOUR)
    assert [row.state for row in rows] == [JobState.QUEUED, JobState.PRINTED]
    assert 5 <= len(tried) <= 20


async def test_a_clock_that_jumps_changes_nothing(world: Any) -> None:
    world.device("A", seconds=100)
    rows = [world.server.add(number) for number in (1, 2, 3)]
    await world.processor()
    for jump in (timedelta(days=-400), timedelta(days=800), timedelta(0)):
        await asyncio.sleep(50)
        world.wall_error = jump
    await world.settled()
    assert [row.attempts for row in rows] == [1, 1, 1]
    assert world.ledger == [b"document 1", b"document 2", b"document 3"]


async def test_an_unexpected_mistake_in_the_loop_is_counted_and_it_goes_on(world: Any) -> None:
    processor = await world.processor()
    world.server.errors = [ZeroDivisionError()]
    await asyncio.sleep(20)
    world.server.add(1)
    await world.settled()
    snapshot = processor.dispatcher.snapshot()
    assert snapshot.mistakes == 1
    assert "ZeroDivisionError" in snapshot.problems[-1]
    await asyncio.sleep(25 * HOUR)
    assert (processor.dispatcher.snapshot().mistakes, processor.dispatcher.snapshot().problems) == (1, ())


async def test_waking_asks_now(world: Any) -> None:
    processor = await world.processor(poll={"fastest": 1, "usual": 300, "slowest": 300})
    await asyncio.sleep(10)
    world.server.add(1)
    processor.dispatcher.wake()
    await asyncio.sleep(2)
    assert world.ledger == [b"document 1"]


async def test_a_stale_list_claims_nothing_twice(world: Any) -> None:
    world.server.lag = 30
    rows = [world.server.add(number) for number in (1, 2, 3)]
    await world.processor()
    await world.settled()
    await asyncio.sleep(120)
    assert [row.attempts for row in rows] == [1, 1, 1]
    assert world.ledger == [b"document 1", b"document 2", b"document 3"]


async def test_a_full_line_at_a_slow_printer_does_not_hide_the_jobs_of_another(world: Any) -> None:
    world.device("B", seconds=1)
    world.devices["A"].seconds = 1000
    for number in range(1, 200):
        world.server.add(number, "A")
    row = world.server.add(500, "B")
    await world.processor()
    await asyncio.sleep(30)
    assert row.state is JobState.PRINTED


# ---- Several processors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", [True, False])
async def test_of_two_processors_exactly_one_prints_each_job(world: Any, api: bool) -> None:
    world.server.api = api
    for number in range(1, 31):
        world.server.add(number)
    await world.processor("one")
    await world.processor("two")
    await world.settled()
    assert Counter(world.ledger) == {f"document {number}".encode(): 1 for number in range(1, 31)}
    assert all(row.printed == 1 for row in world.server.rows.values())


@pytest.mark.parametrize("holds", [True, False])
@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize(
    "step",
    [Step.CLAIMING, Step.STORED, Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT, Step.FOLLOWING, Step.ENDED],
)
async def test_another_processor_takes_over_when_one_is_killed(
    world: Any, clock: Any, step: Step, api: bool, holds: bool
) -> None:
    world.server.api = api
    world.device("A", seconds=2, holds=holds)
    row = world.server.add(1)
    first = await world.processor("one", lease={"seconds": 60})
    await reach(first, step)
    await first.kill()
    second = await world.processor("two", lease={"seconds": 60})
    began = clock()
    await world.settled()
    assert clock() - began < 200
    world.check()
    if row.state is JobState.ERROR:
        # The dead one's sending cannot be ruled out, and the printer has no job to show for it.
        # Nor can that a job found held was let go, printed, and forgotten by a spooler that restarted since.
        assert step in {Step.STORED, Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT}
        assert not (api and step in {Step.STORED, Step.CREATING})
    else:
        assert world.printed(1) == 1
    await second.stop()
    again = await world.processor("one", lease={"seconds": 60})  # the first comes back and has nothing to add
    await asyncio.sleep(300)
    world.check()
    assert not again.busy


async def test_a_job_that_lasts_is_not_taken_over_while_its_processor_lives(world: Any) -> None:
    for api in (True, False):
        world.server.api = api
        world.device("A", seconds=1000)
        row = world.server.add(int(api) + 1)
        one = await world.processor("one", lease={"seconds": 30})
        two = await world.processor("two", lease={"seconds": 30})
        await world.settled()
        assert row.attempts == 1
        assert row.printed == 1
        await one.stop()
        await two.stop()


async def test_a_processor_cut_off_for_long_does_not_print_what_another_has(world: Any) -> None:
    """It stored the document, lost Business Central for longer than the lease, and its printer was away meanwhile."""
    device = world.devices["A"]
    device.away = True
    row = world.server.add(1)
    one = await world.processor("one", lease={"seconds": 30})
    await reach(one, Step.STORED)
    one.queue.server = replace(world.server, away=True)  # only this one cannot reach it
    await asyncio.sleep(100)
    device.mend()
    two = await world.processor("two", lease={"seconds": 30})
    await asyncio.sleep(100)
    assert row.state is JobState.PRINTED
    one.queue.server = world.server
    await asyncio.sleep(100)
    assert world.ledger == [b"document 1"]
    assert not one.busy
    assert not two.busy


@pytest.mark.parametrize("feedback", list(Feedback))
async def test_what_a_processor_cut_off_has_printed_is_not_printed_again_by_its_successor(
    world: Any, feedback: Feedback
) -> None:
    """It is cut off just before the printer gets the job, and its successor has no spooler in common with it."""
    world.device("A", feedback=feedback)
    one = await world.processor("one", lease={"seconds": 30})
    one.queue.server = replace(world.server, refuse={"submitting": BcUnreachable("no answer")})
    row = world.server.add(1)
    await reach(one, Step.CREATED)
    one.queue.server = replace(world.server, away=True)  # only this one cannot reach it
    await asyncio.sleep(20)
    world.device("A", feedback=feedback)
    await world.processor("two", lease={"seconds": 30})
    await asyncio.sleep(100)
    one.queue.server = world.server
    await world.settled()
    assert world.ledger == [b"document 1"]
    assert row.state is JobState.PRINTED


async def test_a_job_left_printing_by_another_program_ends_as_uncertain(world: Any) -> None:
    world.server.api = False
    row = world.server.add(1)
    row.state, row.message = JobState.PRINTING, "Printing from PIPrint"
    await world.processor(lease={"seconds": 60})
    await asyncio.sleep(50)
    assert row.attempts == 0
    await world.settled()
    assert row.state is JobState.ERROR
    assert "It may have been printed" in row.message
    assert world.ledger == []


def test_leases_by_message_are_watched_by_our_own_clock() -> None:
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    watch = LeaseWatch(60)
    row = JobRow(1, "A", JobState.PRINTING, message="Printing at shop [claim abc.1.00000000]")
    signed = replace(row, message=row.message + " 2")
    assert watch.abandoned([row], 0, wall) == []
    assert watch.abandoned([row], 59, wall) == []
    assert watch.abandoned([signed], 59, wall) == []  # a sign of life
    assert watch.abandoned([signed], 118, wall) == []
    assert watch.abandoned([signed], 119, wall + timedelta(days=9)) == [signed]
    assert watch.abandoned([signed], 120, wall) == []  # once per lease
    assert watch.abandoned([], 121, wall) == []
    assert watch.abandoned([signed], 300, wall) == []  # seen anew


def test_leases_by_business_centrals_clock_are_believed_once_then_watched() -> None:
    wall = datetime(2026, 1, 1, tzinfo=UTC)
    row = JobRow(1, "A", JobState.PRINTING, lease_until=wall)
    watch = LeaseWatch(60)
    assert watch.abandoned([row], 0, wall) == []
    assert watch.abandoned([row], 3, wall + timedelta(seconds=3)) == [row]
    assert watch.abandoned([row], 4, wall + timedelta(seconds=4)) == []  # our clock may be wrong: it was refused
    assert watch.abandoned([row], 63, wall + timedelta(seconds=63)) == [row]


# ---- Printers --------------------------------------------------------------------------------------------------------


async def test_printers_come_and_go_without_a_restart(world: Any) -> None:
    processor = await world.processor()
    assert await _offered(world, 10) == ["A"]
    world.device('Büro "1"; $(reboot)')
    assert await _offered(world, 70) == ["A", 'Büro "1"; $(reboot)']
    world.server.add(1, 'Büro "1"; $(reboot)')
    await world.settled()
    device = world.devices.pop("A")
    assert "A" in await _offered(world, 120)  # CUPS may just be restarting
    assert processor.dispatcher.snapshot().printers[0].gone
    assert await _offered(world, 400) == ['Büro "1"; $(reboot)']
    world.devices["A"] = device
    assert "A" in await _offered(world, 70)


async def _offered(world: Any, seconds: float) -> list[str]:
    await asyncio.sleep(seconds)
    return [each.printer_id for each in world.server.offered]


async def test_printers_that_cannot_be_listed_are_not_taken_away(world: Any) -> None:
    processor = await world.processor()
    world.device("B")
    await asyncio.sleep(70)
    devices = dict(world.devices)
    world.devices.clear()
    world.problems.append("the queues of CUPS cannot be listed: no answer")
    assert await _offered(world, 1800) == ["A", "B"]
    assert processor.dispatcher.snapshot().problems == ("the queues of CUPS cannot be listed: no answer",)
    world.devices.update(devices)
    world.problems.clear()
    await asyncio.sleep(70)
    world.server.add(1, "B")
    await world.settled()


async def test_a_printer_that_is_off_at_the_start_is_offered_as_it_was(world: Any) -> None:
    first = await world.processor()
    await asyncio.sleep(10)
    payload = world.server.offered[0].payload
    await first.stop()
    world.devices["A"].away = True
    await world.processor()
    await asyncio.sleep(10)
    offered = world.server.offered[0]
    assert offered.payload == payload
    assert (offered.state, offered.state_message) == ("stopped", "no answer from the printer")


async def test_a_printers_trouble_is_told_but_not_more_than_once_a_minute(world: Any) -> None:
    processor = await world.processor()
    await asyncio.sleep(100)
    world.server.calls.clear()
    world.devices["A"].stopped = ("media-empty-error",)
    await asyncio.sleep(70)
    assert world.server.offered[0].state_message == "no paper"
    view = processor.dispatcher.snapshot().printers[0]
    assert (view.problem, view.known.status.state) == ("no paper", PrinterState.STOPPED)
    assert calls(world, "register") == 1


async def test_a_job_for_a_printer_that_is_gone_waits_in_business_central(world: Any) -> None:
    row = world.server.add(1, "nowhere")
    await world.processor()
    await asyncio.sleep(100)
    assert (row.state, row.attempts) == (JobState.QUEUED, 0)


async def test_a_job_in_work_is_not_counted_as_waiting_too(world: Any) -> None:
    processor = await world.processor(poll={"fastest": 2, "usual": 5, "slowest": 5})
    for row_no in (1, 2, 3):
        world.server.add(row_no)
    seen = set()
    while not all(world.printed(row_no) for row_no in (1, 2, 3)):
        snapshot = processor.dispatcher.snapshot()
        in_work, waiting = {job.entry.row_no for job in snapshot.jobs}, snapshot.printers[0].queued
        unfinished = {no for no, row in world.server.rows.items() if row.state is not JobState.PRINTED}
        assert waiting <= len(unfinished - in_work)
        seen.add((len(in_work), waiting))
        await asyncio.sleep(0.005)
    assert (1, 2) in seen
    await world.settled()
    await asyncio.sleep(10)
    assert processor.dispatcher.snapshot().printers[0].queued == 0
    assert not processor.dispatcher._context.taken


async def test_printers_are_asked_more_often_how_they_are_while_somebody_watches(world: Any) -> None:
    processor = await world.processor()

    def is_unwell() -> bool:
        return bool(processor.dispatcher.snapshot().printers[0].problem)

    await asyncio.sleep(5)
    world.devices["A"].away = True
    await asyncio.sleep(40)
    assert not is_unwell(), "nobody watches"
    for _ in range(12):
        processor.shelf.watch()
        await asyncio.sleep(1)
    assert is_unwell()


async def test_the_next_try_is_told_while_business_central_is_away(world: Any) -> None:
    processor = await world.processor()
    await asyncio.sleep(5)
    assert processor.dispatcher.snapshot().connection.next_try is None
    world.server.away = True
    await asyncio.sleep(60)
    link = processor.dispatcher.snapshot().connection
    assert link.next_try is not None
    assert timedelta(0) < link.next_try - world.wall() < timedelta(seconds=40)
    world.server.away = False
    await asyncio.sleep(60)
    assert processor.dispatcher.snapshot().connection.next_try is None


async def test_the_snapshot_tells_what_goes_on(world: Any) -> None:
    world.device("A", seconds=50)
    world.server.add(1)
    world.server.add(2)
    processor = await world.processor()
    await asyncio.sleep(10)
    snapshot = processor.dispatcher.snapshot()
    assert snapshot.connection.state == "ok"
    names = {job.name for job in world.devices["A"].jobs.values()}
    assert [(job.entry.row_no, job.entry.step, {job.entry.name}) for job in snapshot.jobs] == [
        (1, Step.FOLLOWING, names)
    ]
    (view,) = snapshot.printers
    assert view.address == PrinterAddress("A", "ipp://A/")
    assert (view.offered, view.queued, view.printing, view.problem) == (True, 1, 1, "")
    assert snapshot.overdue < 2
    await world.settled()
    assert dict(processor.dispatcher.snapshot().totals) == {"printed": 2}


@pytest.mark.parametrize("api", [True, False])
async def test_a_job_restarted_by_a_user_and_taken_by_another_is_cancelled_at_the_first(world: Any, api: bool) -> None:
    world.server.api = api
    world.device("A", seconds=50)
    row = world.server.add(1)
    one = await world.processor("one")
    await reach(one, Step.FOLLOWING)
    world.server.set(1, JobState.QUEUED)
    await one.queue.claim(world.server.read(row), Claim.new("shop", "other", 2), one.folder / "other", lease=100)
    await asyncio.sleep(10)
    assert world.devices["A"].canceled == ["bc-test-1-1"]
    assert not one.busy
    assert "another processor has taken it over" in (await one.dispatcher.history())[0].message.casefold()


async def test_what_the_dead_one_said_last_counts_not_what_the_list_said(world: Any) -> None:
    row = world.server.add(1)
    one = await world.processor("one", lease={"seconds": 60})
    await reach(one, Step.CREATED)
    await one.kill()
    world.devices["A"].crash(keep=False)
    two = await world.processor("two", lease={"seconds": 60})
    real = two.queue.claim

    async def claim(*args: Any, **more: Any) -> Any:
        row.submitted = True  # it had come late
        return await real(*args, **more)

    two.queue.claim = claim
    await world.settled()
    assert row.state is JobState.ERROR
    assert "It may have been printed" in row.message


# ---- A processor that starts before CUPS, as after every power cut ----------------------------------------------------


async def _knew_two_printers(world: Any) -> None:
    world.device("B")
    first = await world.processor()
    await asyncio.sleep(5)
    await first.stop()


async def test_s2_printers_of_the_last_run_stay_offered_until_cups_was_listed_once(world: Any) -> None:
    await _knew_two_printers(world)
    world.unlisted, world.problems = {"A"}, ["the queues of CUPS cannot be listed: refused"]
    row = world.server.add(1)
    again = await world.processor()
    await asyncio.sleep(20)
    offered = {each.printer_id: each for each in world.server.offered}
    assert set(offered) == {"A", "B"}, "nobody is told that there is no printer"
    assert (offered["A"].state, offered["B"].state) == ("stopped", "idle")
    assert "CUPS cannot be listed" in offered["A"].state_message
    assert row.state is JobState.QUEUED
    world.unlisted, world.problems = set(), []
    await asyncio.sleep(10)
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])
    await asyncio.sleep(70)
    assert {each.printer_id: each.state for each in world.server.offered} == {"A": "idle", "B": "idle"}
    assert again.searched < 40


async def test_s2_cups_is_looked_for_every_second_or_so_while_it_does_not_answer_and_not_for_ever(world: Any) -> None:
    await _knew_two_printers(world)
    world.unlisted, world.problems = {"A"}, ["the queues of CUPS cannot be listed: refused"]
    again = await world.processor()
    await asyncio.sleep(60)
    assert 50 <= again.searched <= 70
    await asyncio.sleep(3600)
    assert again.searched <= 700
    assert {each.printer_id for each in world.server.offered} == {"B"}, "an hour is enough"


async def test_s2_a_printer_that_was_removed_is_not_offered_again_when_cups_starts_late(world: Any) -> None:
    await _knew_two_printers(world)
    del world.devices["B"]
    again = await world.processor()
    await asyncio.sleep(400)
    await again.stop()
    world.unlisted, world.problems = {"A"}, ["the queues of CUPS cannot be listed: refused"]
    await world.processor()
    await asyncio.sleep(20)
    assert {each.printer_id for each in world.server.offered} == {"A"}
