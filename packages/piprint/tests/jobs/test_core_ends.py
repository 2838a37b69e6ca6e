# ruff: noqa: ASYNC110 - the clock is virtual
"""Every job ends, and says how: refused by a filter, hanging in the printer, sent to one that takes no such document."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.errors import DocumentError, PrinterError, PrinterRefused, PrinterUnreachable
from piprint.jobs.active_job import Prepared
from piprint.journal.entry import Outcome
from piprint.journal.steps import Step
from piprint.printers.printer import Feedback, Printer, SpoolerState, Ticket

FILTER = ("job-completed-with-errors",)


async def reach(processor: Any, step: Step, row_no: int = 1) -> None:
    """Wait until the journal has a step of a job."""
    while not any(entry.step is step and entry.row_no == row_no for _, entry in processor.commits):
        await asyncio.sleep(0.001)


# ---- P1: a filter refuses the document ------------------------------------------------------------------------------


async def test_p1_a_job_a_filter_refused_ends_at_once_with_the_filters_words(world: Any, clock: Any) -> None:
    device = world.devices["A"]
    device.stops[b"document 1"], device.says = FILTER, "the toner library is missing"
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor()
    began = clock()
    await world.settled()
    assert clock() - began < 10
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert rows[0].message == (
        "The document could not be made ready for this printer (a filter of CUPS failed: the toner library is missing). "
        "The job was cancelled at the printer. Some pages may have come out. It would end the same way again: print it on "
        "another printer, or make the document anew. Whoever looks after this printer finds more in CUPS's error_log."
    )
    assert device.canceled == ["bc-test-1-1"], "CUPS would keep it stopped for ever"


@pytest.mark.parametrize(
    "reasons",
    [("cups-filter-crashed",), ("document-format-error",), ("document-password-error",), ("job-stopped",), ()],
)
async def test_p1_a_stopped_job_of_a_printer_that_would_print_others_is_not_waited_for_an_hour(
    world: Any, clock: Any, reasons: tuple[str, ...]
) -> None:
    world.devices["A"].stops[b"document 1"] = reasons
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor()
    began = clock()
    await world.settled()
    assert clock() - began < 70
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]


async def test_p1_a_queue_the_filter_took_along_is_told_with_what_to_do(world: Any) -> None:
    device = world.devices["A"]
    device.stops[b"document 1"] = FILTER
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    while device.jobs[1].state is not SpoolerState.STOPPED:
        await asyncio.sleep(0.001)
    device.stopped = ("paused",)
    await world.settled()
    assert row.state is JobState.ERROR
    assert "its queue is stopped now, too" in row.message
    assert "Start the queue again" in row.message


async def test_p1_a_job_of_a_printer_that_wants_paper_is_stopped_too_and_waited_for(world: Any) -> None:
    device = world.device("A", seconds=5)
    row = world.server.add(1)
    processor = await world.processor()
    await reach(processor, Step.FOLLOWING)
    device.stopped = ("media-empty-error",)
    await asyncio.sleep(200)
    assert device.jobs[1].state is SpoolerState.STOPPED
    assert row.state is JobState.PRINTING
    device.mend()
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_p1_pages_that_may_be_out_are_told_also_after_a_restart(world: Any) -> None:
    device = world.device("A", seconds=10)
    device.stops[b"document 1"] = FILTER
    row = world.server.add(1)
    first = await world.processor()
    await reach(first, Step.FOLLOWING)
    await asyncio.sleep(5)
    await first.kill()
    await asyncio.sleep(10)
    await world.processor()
    await world.settled()
    assert row.state is JobState.ERROR
    assert "Some pages may have come out." in row.message


# ---- P4: a printer that is said to print for ever -------------------------------------------------------------------


async def test_p4_a_job_that_prints_for_ever_ends_as_uncertain_and_the_next_goes_on(world: Any, clock: Any) -> None:
    device = world.devices["A"]
    device.hangs.add(b"document 1")
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor()
    await world.settled(2 * 3600)
    assert 3600 < clock() < 3800
    assert [row.state for row in rows] == [JobState.ERROR, JobState.PRINTED]
    assert rows[0].message == (
        "It may have been printed, that is not certain: Given up, as it has been printing for 1 hour without a sign of "
        "progress. Switch the printer off and on if it does nothing. Look at the printer; restart the job if it is missing."
    )
    assert device.canceled == ["bc-test-1-1"]


async def test_p4_it_is_shown_before(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    world.devices["A"].hangs.add(b"document 1")
    world.server.add(1)
    processor = await world.processor()
    await asyncio.sleep(1300)
    told = "it has been printing for 20 minutes without a sign of progress"
    assert processor.dispatcher.snapshot().jobs[0].message == told
    assert sum(told in line for line in caplog.messages) == 1


async def test_p4_a_long_job_whose_printer_counts_is_never_cut(world: Any) -> None:
    device = world.devices["A"]
    device.hangs.add(b"document 1")
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "stuck_after": 300}])
    await reach(processor, Step.FOLLOWING)
    for _ in range(12):
        await asyncio.sleep(290)
        device.jobs[1].sheets += 1
    assert row.state is JobState.PRINTING
    device.hangs.clear()
    device._put_out(device.jobs[1])
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_p4_a_hundred_pages_on_a_slow_printer_that_counts_nothing_are_not_cut(world: Any) -> None:
    async def prepare(name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        return Prepared(Ticket(name, copies=2), document, pages=50)

    world.device("A", seconds=1900)
    row = world.server.add(1)
    short = [{"id": "A", "stuck_after": 60}]
    first = await world.processor(prepare=prepare, printers=short)
    await asyncio.sleep(100)
    await first.kill()  # its pages are counted again
    await world.processor(prepare=prepare, printers=short)
    await world.settled()
    assert (row.state, world.ledger) == (JobState.PRINTED, [b"document 1"])


async def test_p4_a_printer_that_does_not_even_cancel_is_told(world: Any) -> None:
    device = world.devices["A"]
    device.hangs.add(b"document 1")
    device.deaf = True
    row = world.server.add(1)
    await world.processor(printers=[{"id": "A", "stuck_after": 60}])
    await world.settled()
    assert row.state is JobState.ERROR
    assert "it could not be cancelled at the printer, and may still come out" in row.message


async def test_p4_a_label_is_printed_again_by_policy_and_ends_all_the_same(world: Any) -> None:
    device = world.devices["A"]
    device.hangs.add(b"document 1")
    row = world.server.add(1)
    await world.processor(printers=[{"id": "A", "stuck_after": 60, "uncertain": "reprint"}])
    await asyncio.sleep(90)
    assert device.begun == ["bc-test-1-1", "bc-test-1-1"]
    await world.settled()
    assert row.state is JobState.ERROR
    assert row.message.startswith(
        "It may have been printed, perhaps more than once; that is not certain: Given up, as it has been"
    )
    assert len(device.begun) == 3


# ---- P7: what a printer was not sent was not printed ----------------------------------------------------------------


@pytest.mark.parametrize("policy", ["hold", "reprint"])
@pytest.mark.parametrize(
    "error",
    [
        DocumentError("the document has 1200 pages, and a label printer gets 1000 at most; print fewer at a time"),
        PrinterRefused("not this one"),
        PrinterError("that is no address of a printer"),
        PrinterUnreachable("it is off", started=False),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_p7_a_label_that_was_not_sent_was_not_printed_whatever_the_policy(
    world: Any, error: Exception, policy: str
) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "uncertain": policy, "give_up_after": 60}])

    async def send(*_: Any) -> Any:
        raise error

    processor.shelf.printer("A").send = send
    await world.settled()
    assert row.state is JobState.ERROR
    assert row.message.startswith("Not printed. ")
    assert "may have been printed" not in row.message
    (entry,) = await processor.dispatcher.history()
    assert entry.outcome is Outcome.ERROR


async def test_p7_a_second_try_that_was_not_sent_does_not_make_the_first_undone(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "uncertain": "reprint", "give_up_after": 60}])
    broken = [PrinterUnreachable("the connection broke", started=True)]

    async def send(*_: Any) -> Any:
        raise broken.pop() if broken else PrinterUnreachable("it is off", started=False)

    processor.shelf.printer("A").send = send
    await world.settled()
    assert row.state is JobState.ERROR
    assert "Not printed" not in row.message
    assert row.message.startswith("It may have been printed, perhaps more than once; that is not certain: ")


async def test_p7_a_job_that_may_be_out_is_not_given_back_as_if_it_were_not(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "uncertain": "reprint"}])
    broken = [PrinterUnreachable("the connection broke", started=True)]
    view = processor.shelf.printer("A")
    real = view.send

    async def send(*told: Any) -> Any:
        if broken:
            await real(*told)
            raise broken.pop()
        raise PrinterUnreachable("it is off", started=False)

    view.send = send
    await asyncio.sleep(5)
    assert len(world.ledger) == 1
    await processor.stop()
    assert row.state is JobState.PRINTING, "Queued, it would be printed again as if it were the first time"
    await world.processor(printers=[{"id": "A", "uncertain": "reprint"}])
    await world.settled()
    assert (row.state, len(world.ledger)) == (JobState.PRINTED, 2)
    assert "It may have been printed twice" in row.message


async def test_p4_what_is_printed_anew_because_nothing_moved_is_told_all_the_time(world: Any) -> None:
    device = world.devices["A"]
    device.hangs.add(b"document 1")
    row = world.server.add(1)
    processor = await world.processor(printers=[{"id": "A", "stuck_after": 300, "uncertain": "reprint"}])
    while not device.canceled:
        await asyncio.sleep(1)
    await asyncio.sleep(80)
    view = processor.dispatcher.snapshot().jobs[0]
    assert "is printed again" in view.message
    assert "is printed again" in row.message
    device.hangs.clear()
    device.seconds = 100
    while len(device.canceled) < 2:
        await asyncio.sleep(1)
    await asyncio.sleep(10)
    next(job for job in device.jobs.values() if not job.state.final).sheets = 1
    await asyncio.sleep(5)
    assert not processor.dispatcher.snapshot().jobs[0].message, "it gets on"
    await world.settled()
    assert row.state is JobState.PRINTED


async def test_p1_a_job_that_says_why_it_stopped_is_waited_for_as_long_as_the_settings_say(
    world: Any, clock: Any
) -> None:
    """As for a PIN at the printer: it is no document that cannot be printed."""
    device = world.devices["A"]
    device.stops[b"document 1"] = ("job-password-wait",)
    row = world.server.add(1)
    await world.processor(printers=[{"id": "A", "give_up_after": 600}])
    await asyncio.sleep(300)
    assert row.state is JobState.PRINTING
    await world.settled()
    assert 590 < clock() < 700
    assert row.state is JobState.ERROR
    assert "could not be made ready" not in row.message
