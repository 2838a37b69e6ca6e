# ruff: noqa: ASYNC110, ASYNC240, FBT001 - the clock is virtual; parameters of tests
"""One processor and its printers: what may happen to a job on its way, and that the next one does not notice."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.errors import (
    BcError,
    BcRefused,
    BcThrottled,
    BcUnreachable,
    DocumentError,
    PrinterRefused,
    PrinterUnreachable,
    SpoolFull,
)
from piprint.jobs.active_job import Prepared
from piprint.journal.steps import Step
from piprint.printers.printer import Accepted, Feedback, Printer, SpoolerState, Ticket

ON_THE_WAY = [Step.CLAIMING, Step.STORED, Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT, Step.FOLLOWING]


async def reach(processor: Any, step: Step, row_no: int = 1) -> None:
    """Wait until the journal has a step of a job."""
    while not any(entry.step is step and entry.row_no == row_no for _, entry in processor.commits):
        await asyncio.sleep(0.001)


async def test_a_job_is_printed_and_reported_with_what_the_printer_told(world: Any) -> None:
    row = world.server.add(7)
    processor = await world.processor()
    await world.settled()
    assert world.ledger == [b"document 7"]
    assert row.state is JobState.PRINTED
    assert row.message == "Printed at A: job 1, 1 page, 1 s."
    assert [job.row_no for job in await processor.dispatcher.history()] == [7]
    assert not list(processor.journal.spool.folder.iterdir())
    await processor.stop()


async def test_jobs_of_a_printer_come_out_in_their_order_and_a_slow_one_holds_up_no_other(world: Any) -> None:
    world.device("B", seconds=60)
    for row_no in range(1, 61):
        world.server.add(row_no, "AB"[row_no % 2])
    await world.processor()
    await asyncio.sleep(100)
    numbers = [int(document.split()[1]) for document in world.ledger]
    assert sorted(number for number in numbers if number % 2 == 0) == list(range(2, 61, 2))
    assert len([number for number in numbers if number % 2]) == 1
    await world.settled()
    numbers = [int(document.split()[1]) for document in world.ledger]
    for rest in (0, 1):
        own = [number for number in numbers if number % 2 == rest]
        assert own == sorted(own)
        assert len(own) == 30


async def test_what_was_clamped_is_told(world: Any) -> None:
    async def prepare(name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        return Prepared(Ticket(name), document, ("Tray 3 is not there: printed from its default tray.",))

    row = world.server.add(1)
    await world.processor(prepare=prepare)
    await world.settled()
    assert row.message.endswith("1 s. Tray 3 is not there: printed from its default tray.")


@pytest.mark.parametrize("when", ["create", "send"])
async def test_p2_what_the_printer_ignores_is_told_whenever_it_says_so(
    world: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    known: dict[str, Accepted] = {}
    view = vars(sys.modules[type(world).__module__])["PrinterView"]

    async def answer(name: str, original: Any, *words: Any) -> Accepted:
        accepted: Accepted = await original(*words)
        known[name] = accepted
        return replace(accepted, ignored=("It printed one side only.",) if name == when else ())

    for name in ("create", "send"):
        original = getattr(view, name)
        monkeypatch.setattr(view, name, lambda *words, _name=name, _original=original: answer(_name, _original, *words))
    row = world.server.add(1)
    await world.processor()
    await world.settled()
    assert set(known) == {"create", "send"}
    assert row.message.endswith("It printed one side only.")


async def test_a_document_that_cannot_be_printed_ends_in_error_and_the_next_goes_on(world: Any) -> None:
    async def prepare(name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        if document.read_bytes() == b"document 1":
            raise DocumentError("the PDF is damaged and cannot be mended")
        return Prepared(Ticket(name), document)

    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor(prepare=prepare)
    await world.settled()
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert rows[0].message.startswith("Not printed. The PDF is damaged and cannot be mended")
    assert world.devices["A"].begun == ["bc-test-2-1"]


@pytest.mark.parametrize(
    ("error", "least"), [(BcRefused("not this one", status=400), 60), (BcThrottled("an error inside", status=500), 20)]
)
async def test_a_document_business_central_never_gives_ends_in_error_and_the_next_goes_on(
    world: Any, clock: Any, error: BcError, least: float
) -> None:
    server, rows = world.server, [world.server.add(number) for number in (1, 2)]
    server.lose_answers, server.refuse["fetch"] = 1.0, error
    await world.processor()
    while "row" not in [name for _, name in server.calls]:
        await asyncio.sleep(0.001)
    server.lose_answers = 0.0  # the first claim's answer, with its document, is lost
    await world.settled()
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert rows[0].message.startswith(f"Not printed. Business Central does not give the document: {error}")
    tries = [at for at, name in server.calls if name == "fetch"]
    assert tries[-1] - tries[0] > least


async def test_a_job_taken_over_without_its_document_may_have_been_printed(world: Any) -> None:
    server = world.server
    row = server.add(1)
    first = await world.processor("one", lease={"seconds": 5})
    await reach(first, Step.FOLLOWING)
    await first.kill()
    server.refuse["fetch"] = BcRefused("not this one", status=400)
    server.calls.clear()
    await world.processor("two", lease={"seconds": 5})
    while not any(name == "claim" for _, name in server.calls):
        await asyncio.sleep(0.001)
    server.lose_answers = 1.0
    while "row" not in [name for _, name in server.calls]:
        await asyncio.sleep(0.001)
    server.lose_answers = 0.0
    await world.settled()
    assert row.state is JobState.ERROR
    assert "may have been printed" in row.message


async def test_business_central_is_waited_for_however_long_a_document_takes(world: Any) -> None:
    server, row = world.server, world.server.add(1)
    server.lose_answers, server.refuse["fetch"] = 1.0, BcUnreachable("no answer")
    await world.processor()
    while "row" not in [name for _, name in server.calls]:
        await asyncio.sleep(0.001)
    server.lose_answers = 0.0
    await asyncio.sleep(1000)
    assert row.state is JobState.PRINTING
    del server.refuse["fetch"]
    await world.settled()
    assert row.state is JobState.PRINTED


async def test_a_mistake_of_ours_with_one_job_stops_neither_the_next_nor_the_processor(world: Any) -> None:
    async def prepare(name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        if document.read_bytes() == b"document 1":
            raise ZeroDivisionError
        return Prepared(Ticket(name), document)

    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor(prepare=prepare)
    await world.settled()
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert "mistake of piprint (ZeroDivisionError)" in rows[0].message


async def test_a_busy_printer_is_waited_for_without_error(world: Any) -> None:
    world.device("A", single=True, holds=False, seconds=90)
    rows = [world.server.add(number) for number in (1, 2, 3)]
    foreign = await _occupy(world)
    processor = await world.processor()
    await asyncio.sleep(20)
    assert processor.dispatcher.snapshot().jobs[0].message == "the printer is busy"
    world.devices["A"].cancel(foreign)
    await world.settled()
    assert [row.state for row in rows] == [JobState.PRINTED] * 3
    world.check()


async def _occupy(world: Any) -> Any:
    """Let somebody else's job wait at the printer."""
    made = await world.view("A").create(Ticket("somebody-else"))
    return world.devices["A"].jobs[made.id]


async def test_an_announced_job_without_a_document_is_cancelled_at_the_next_start(world: Any) -> None:
    device = world.device("A", single=True, holds=False)
    world.server.add(1)
    first = await world.processor()
    await reach(first, Step.CREATED)
    await first.kill()
    assert [job.document for job in device.jobs.values()] == [None]
    await world.processor()
    await world.settled()
    assert device.canceled == ["bc-test-1-1"]
    assert world.ledger == [b"document 1"]


async def test_a_printer_that_is_away_for_a_minute_prints_once_when_it_is_back(world: Any) -> None:
    device = world.devices["A"]
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    device.away = True
    await asyncio.sleep(60)
    device.mend()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_a_printer_that_stays_away_ends_the_job_with_the_reason_and_the_next_goes_on(world: Any) -> None:
    device = world.devices["A"]
    device.away = True
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor(printers=[{"id": "A", "give_up_after": 300}])
    await asyncio.sleep(400)
    assert rows[0].state is JobState.ERROR
    assert rows[0].message.startswith("Not printed. Given up after waiting 5 minutes for the printer: no answer")
    device.mend()
    await world.settled()
    assert (rows[1].state, world.ledger) == (JobState.PRINTED, [b"document 2"])


async def test_a_printer_lost_while_it_printed_leaves_a_job_that_may_have_been_printed(world: Any) -> None:
    device = world.device("A", seconds=10)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "give_up_after": 300}])
    await reach(processor, Step.FOLLOWING)
    await asyncio.sleep(1)
    device.away = True
    await world.settled()
    assert row.state is JobState.ERROR
    assert "It may have been printed" in row.message
    assert "Given up after waiting 5 minutes" in row.message


async def test_a_jam_is_waited_for_and_shown_then_the_job_is_cancelled_with_the_reason(world: Any) -> None:
    device = world.devices["A"]
    device.stopped = ("media-jam-error",)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor(printers=[{"id": "A", "give_up_after": 300}])
    await asyncio.sleep(200)
    assert processor.dispatcher.snapshot().jobs[0].message == "paper jam"
    await asyncio.sleep(200)
    assert rows[0].state is JobState.ERROR
    assert rows[0].message == (
        "Given up after waiting 5 minutes for the printer: paper jam. The job was cancelled at the printer. "
        "Take out the jammed paper, then restart the job."
    )
    device.mend()
    await world.settled()
    assert world.ledger == [b"document 2"]


async def test_a_jam_that_is_mended_in_time_prints_once(world: Any) -> None:
    device = world.device("A", seconds=5)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    device.stopped = ("media-jam-error",)
    await asyncio.sleep(600)
    device.mend()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_a_job_cancelled_at_the_printer_is_an_error_that_says_so(world: Any) -> None:
    device = world.device("A", seconds=30)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    await asyncio.sleep(2)
    device.cancel(device.jobs[1])
    await world.settled()
    assert row.state is JobState.ERROR
    assert row.message.startswith(
        "The job was cancelled at the printer (no reason told). Some pages may have come out."
    )


async def test_an_aborted_job_is_not_tried_again_as_pages_may_have_come_out(world: Any) -> None:
    device = world.devices["A"]
    device.abort.add(b"document 1")
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor()
    await world.settled()
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert "given up by the printer (aborted by system)" in rows[0].message
    assert device.begun == ["bc-test-1-1", "bc-test-2-1"]


@pytest.mark.parametrize(
    ("call", "status", "tries"),
    [("create", 0x040B, 1), ("create", 0x0500, 3), ("send", 0x0411, 3), ("send", 0x0500, 3)],
)
async def test_a_job_the_printer_refuses_ends_after_a_bounded_number_of_tries(
    world: Any, call: str, status: int, tries: int
) -> None:
    device = world.devices["A"]
    device.refuse[call] = PrinterRefused("it does not like this one", status=status)
    row = world.server.add(1)
    processor = await world.processor()
    await world.settled()
    assert row.state is JobState.ERROR
    assert "it does not like this one" in row.message
    created = [entry for moment, entry in processor.commits if moment == "after" and entry.step is Step.CREATING]
    assert len(created) == tries
    assert all(job.state.final for job in device.jobs.values())
    assert not world.ledger


async def test_a_printer_that_takes_no_jobs_at_present_is_waited_for(world: Any) -> None:
    device = world.devices["A"]
    device.refuse["create"] = PrinterRefused("the queue does not accept jobs", status=0x0506)
    row = world.server.add(1)
    await world.processor()
    await asyncio.sleep(600)
    assert row.state is JobState.PRINTING
    device.refuse.clear()
    await world.settled()
    assert world.ledger == [b"document 1"]


async def test_a_raw_printer_is_sent_to_and_tells_no_more(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    await world.processor()
    await world.settled()
    assert row.message == "Sent to A, which does not tell whether it was printed."


async def test_a_raw_printer_that_is_off_is_waited_for_as_nothing_was_sent(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor()
    view = processor.shelf.printer("A")
    real = view.send

    async def send(*args: Any) -> Any:
        if off:
            raise PrinterUnreachable("connection refused", started=False)
        return await real(*args)

    off, view.send = True, send
    await asyncio.sleep(300)
    assert row.state is JobState.PRINTING
    assert processor.dispatcher.snapshot().jobs[0].message == "connection refused"
    off = False
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_a_raw_printer_that_stays_off_ends_the_job_as_not_printed(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "give_up_after": 60}])

    async def send(*_: Any) -> Any:
        raise PrinterUnreachable("connection refused", started=False)

    processor.shelf.printer("A").send = send
    await world.settled()
    assert row.message.startswith("Not printed. Given up after waiting 60 s for the printer: connection refused")


@pytest.mark.parametrize("feedback", Feedback)
async def test_a_document_that_cannot_be_drawn_while_it_is_sent_was_not_printed(world: Any, feedback: Feedback) -> None:
    device = world.device("A", feedback=feedback)
    row = world.server.add(1)
    processor = await world.processor()

    async def send(*_: Any) -> Any:
        raise DocumentError("a page of the PDF is damaged")

    processor.shelf.printer("A").send = send
    await world.settled()
    assert row.message.startswith("Not printed. A page of the PDF is damaged")
    assert all(job.state.final for job in device.jobs.values())


async def test_a_connection_that_breaks_while_a_raw_printer_is_sent_to_is_uncertain(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor()

    async def send(*_: Any) -> Any:
        raise PrinterUnreachable("connection reset", started=True)

    processor.shelf.printer("A").send = send
    await world.settled()
    assert row.state is JobState.ERROR
    assert "It may have been printed" in row.message


@pytest.mark.parametrize(("policy", "copies", "state"), [("hold", 1, JobState.ERROR), ("reprint", 2, JobState.PRINTED)])
async def test_a_raw_printer_killed_in_mid_send_is_uncertain_and_the_policy_decides(
    world: Any, policy: str, copies: int, state: JobState
) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    first = await world.processor()
    while not world.ledger:
        await asyncio.sleep(0.0005)
    await first.kill()
    await world.processor(printers=[{"id": "A", "uncertain": policy}])
    await world.settled()
    assert (len(world.ledger), row.state) == (copies, state)
    assert "may have been printed" in row.message


@pytest.mark.parametrize("policy", ["hold", "reprint"])
async def test_a_job_a_spooler_lost_is_never_lost_in_business_central(world: Any, policy: str) -> None:
    device = world.device("A", seconds=10)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor(printers=[{"id": "A", "uncertain": policy}])
    await reach(processor, Step.FOLLOWING)
    device.crash(keep=False)
    await world.settled()
    assert rows[1].state is JobState.PRINTED
    if policy == "hold":
        assert rows[0].state is JobState.ERROR
        assert "It may have been printed, that is not certain" in rows[0].message
    else:
        assert "It may have been printed twice" in rows[0].message
    assert world.printed(2) == 1


@pytest.mark.parametrize("tells_begin", [True, False])
async def test_a_job_a_spooler_printed_again_is_told(world: Any, tells_begin: bool) -> None:
    device = world.device("A", seconds=10, tells_begin=tells_begin)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    await asyncio.sleep(5)
    device.away = True
    device.crash(keep=True)
    await asyncio.sleep(5)
    device.mend()
    await world.settled()
    assert world.ledger == [b"document 1"] * 2
    assert row.state is JobState.PRINTED
    assert "It may have been printed twice" in row.message


async def test_a_power_cut_of_both_is_told_too(world: Any) -> None:
    device = world.device("A", seconds=10)
    row = world.server.add(1)
    first = await world.processor()
    await reach(first, Step.FOLLOWING)
    await asyncio.sleep(5)
    await first.kill()
    device.crash(keep=True)
    await world.processor()
    await world.settled()
    assert "It may have been printed twice" in row.message


# ---- Users ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", [True, False])
@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.HOLD])
@pytest.mark.parametrize("step", [Step.STORED, Step.CREATED, Step.SENT, Step.FOLLOWING])
async def test_a_users_cancel_or_hold_stays_and_stops_the_printer(
    world: Any, step: Step, state: JobState, api: bool
) -> None:
    world.server.api = api
    device = world.device("A", seconds=30)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    await reach(processor, step)
    world.server.set(1, state)
    await asyncio.sleep(20)
    assert world.ledger == []
    await world.settled()
    assert rows[0].state is state
    assert rows[0].message == ""
    assert world.ledger == [b"document 2"]
    assert all(job.state.final for job in device.jobs.values())


@pytest.mark.parametrize("step", ON_THE_WAY)
async def test_a_users_restart_prints_a_new_attempt_and_cancels_the_old(world: Any, step: Step) -> None:
    device = world.device("A", seconds=30)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, step)
    world.server.set(1, JobState.QUEUED)
    await world.settled()
    assert row.state is JobState.PRINTED
    assert world.ledger == [b"document 1"]
    assert {job.state for job in device.jobs.values() if job.name.startswith("bc-test-1-1_")} <= {
        SpoolerState.CANCELED
    } or step is (Step.CLAIMING)


async def test_a_printed_job_restarted_by_a_user_prints_again(world: Any) -> None:
    row = world.server.add(1)
    await world.processor()
    await world.settled()
    world.server.set(1, JobState.QUEUED)
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"] * 2)
    assert world.devices["A"].begun == ["bc-test-1-1", "bc-test-1-2"]


async def test_a_cancel_before_the_claim_is_obeyed_although_the_list_was_old(world: Any) -> None:
    world.device("A", seconds=60)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    world.server.set(2, JobState.CANCELLED)
    await world.settled()
    assert [row.state for row in rows] == [JobState.PRINTED, JobState.CANCELLED]
    assert world.ledger == [b"document 1"]


async def test_a_job_deleted_while_it_prints_is_cancelled_at_the_printer(world: Any) -> None:
    world.device("A", seconds=60)
    world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    del world.server.rows[1]
    await asyncio.sleep(20)
    assert world.devices["A"].canceled == ["bc-test-1-1"]
    assert not processor.busy


# ---- Our own disk ---------------------------------------------------------------------------------------------------


async def test_a_disk_too_full_for_a_document_gives_the_job_back(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    row = world.server.add(1)
    processor = await world.processor()
    real, full = processor.queue.claim, True

    async def claim(*args: Any, **more: Any) -> Any:
        claimed = await real(*args, **more)
        if full:
            raise SpoolFull("no room on disk for the document")
        return claimed

    monkeypatch.setattr(processor.queue, "claim", claim)
    await asyncio.sleep(30)
    assert row.state in {JobState.QUEUED, JobState.PRINTING}
    assert "no room on disk" in row.message
    assert row.attempts < 6
    full = False
    await world.settled()
    assert world.ledger == [b"document 1"]


async def test_no_job_is_taken_while_less_is_free_than_shall_be(world: Any) -> None:
    row = world.server.add(1)
    processor = await world.processor(limits={"keep_free_mb": 10**9})
    await asyncio.sleep(60)
    assert row.attempts == 0
    assert "no job is taken until there is room" in processor.dispatcher.snapshot().paused
    processor.config.limits.__dict__["keep_free_mb"] = 0
    await world.settled()
    assert processor.dispatcher.snapshot().paused == ""


async def test_a_journal_that_cannot_be_written_stops_the_job_before_the_next_step(world: Any) -> None:
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.CREATED)
    processor.journal._database.execute("PRAGMA query_only = ON")
    await asyncio.sleep(120)
    assert world.devices["A"].jobs[1].document is None
    processor.journal._database.execute("PRAGMA query_only = OFF")
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


# ---- The end --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ON_THE_WAY)
async def test_a_stop_finishes_or_gives_back_within_its_deadline(world: Any, clock: Any, step: Step) -> None:
    world.device("A", seconds=100)
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    await reach(processor, step)
    began = clock()
    await processor.stop()
    assert clock() - began < 20
    assert rows[1].attempts == 0
    entries = [entry for _, entry in processor.commits if entry.row_no == 1]
    if entries[-1].step is Step.REPORTED:
        assert rows[0].state is JobState.QUEUED
        assert rows[0].message == "Queued again: the processor shop was stopped."
    else:
        assert entries[-1].step is Step.FOLLOWING
    await world.processor()
    await world.settled()
    assert sorted(world.ledger) == [b"document 1", b"document 2"]


async def test_a_stop_gives_back_a_job_that_waits_for_its_printer(world: Any) -> None:
    world.devices["A"].refuse["create"] = PrinterRefused("the queue does not accept jobs", status=0x0506)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.CREATING)
    await processor.stop()
    assert row.state is JobState.QUEUED


# ---- Before, not after ----------------------------------------------------------------------------------------------


async def test_each_step_is_on_disk_before_what_it_announces_is_done(world: Any) -> None:
    world.server.add(1)
    processor = await world.processor()
    view, seen = processor.shelf.printer("A"), {}

    def watch(target: Any, name: str) -> None:
        real = getattr(target, name)

        async def call(*args: Any, **more: Any) -> Any:
            (entry,) = await processor.journal.unreported()
            seen.setdefault(name, entry.step)
            return await real(*args, **more)

        setattr(target, name, call)

    for name in ("create", "send", "release", "look"):
        watch(view, name)
    for name in ("claim", "submitting", "finish"):
        watch(processor.queue, name)
    await world.settled()
    assert seen == {
        "claim": Step.CLAIMING,
        "create": Step.CREATING,
        "submitting": Step.CREATED,
        "send": Step.SENDING,
        "release": Step.RELEASING,
        "look": Step.FOLLOWING,
        "finish": Step.ENDED,
    }


@pytest.mark.parametrize(("call", "sent"), [("create", False), ("send", True)])
async def test_a_change_seen_while_the_printer_is_asked_goes_no_further(world: Any, call: str, sent: bool) -> None:
    world.server.api = False  # whose fence costs no call while the lease is fresh
    device = world.devices["A"]
    world.server.add(1)
    processor = await world.processor()
    view = processor.shelf.printer("A")
    real = getattr(view, call)

    async def change(*args: Any) -> Any:
        answer = await real(*args)
        world.server.set(1, JobState.CANCELLED)
        processor.dispatcher._context.jobs[1].change(await processor.queue.row(1))
        return answer

    setattr(view, call, change)
    await world.settled()
    assert device.begun == []
    assert [job.document is not None for job in device.jobs.values()] == [sent]
    assert device.canceled == ["bc-test-1-1"]
