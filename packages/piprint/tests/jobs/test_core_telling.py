# ruff: noqa: FBT001 - parameters of tests
"""Every wait of more than a minute is told: in Business Central, on the page and in the log; with what to do, once; until it is over."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.errors import BcRefused, PrinterRefused, PrinterUnreachable
from piprint.printers.printer import Feedback, Ticket

BOTH = pytest.mark.parametrize("api", [True, False], ids=["api", "1.0"])


def told(world: Any, name: str) -> int:
    return Counter(call for _, call in world.server.calls)[name]


async def stopped(world: Any) -> None:
    world.devices["A"].stopped = ("paused",)


async def no_paper(world: Any) -> None:
    world.devices["A"].stopped = ("media-empty-error",)


async def away(world: Any) -> None:
    world.devices["A"].away = True


async def closed(world: Any) -> None:
    world.devices["A"].refuse["create"] = PrinterRefused("the queue takes no jobs", status=0x0506)


async def busy(world: Any) -> None:
    world.device("A", single=True, holds=False)
    await world.view("A").create(Ticket("somebody-else"))


WAITS = {
    stopped: ("The queue is stopped", "Start the queue again"),
    no_paper: ("No paper", "Put in paper"),
    away: ("No answer from the printer", ""),
    closed: ("The queue takes no jobs", ""),
    busy: ("The printer is busy", ""),
}


@BOTH
@pytest.mark.parametrize("wait", WAITS, ids=lambda wait: wait.__name__)
async def test_p5_each_kind_of_waiting_is_told_within_a_minute_everywhere(
    world: Any, caplog: pytest.LogCaptureFixture, wait: Any, api: bool
) -> None:
    world.server.api = api
    await wait(world)
    rows = [world.server.add(number) for number in (1, 2, 3)]
    processor = await world.processor()
    await asyncio.sleep(60)
    reason, remedy = WAITS[wait]
    assert rows[0].state is JobState.PRINTING
    assert rows[0].message.startswith(f"Waiting. {reason}.")
    assert remedy in rows[0].message
    assert "After 1 hour of waiting it goes to Error." in rows[0].message
    shown = processor.dispatcher.snapshot().jobs[0].message
    assert remedy in processor.dispatcher.snapshot().jobs[0].remedy
    assert f"{shown[0].upper()}{shown[1:]}" == reason
    assert sum(f"job 1 waits for printer A: {shown}" in line for line in caplog.messages) == 1
    if api:
        await asyncio.sleep(30)
        (printer,) = world.server.offered
        assert printer.state_message.startswith(f"Job 1 waits, and those behind it: {reason}.")
        assert remedy in printer.state_message
        assert [row.message for row in rows[1:]] == ["", ""]
    else:
        await asyncio.sleep(30)
        assert all(row.message.startswith(f"Waiting behind job 1: {reason}.") for row in rows[1:])
    assert told(world, "tell") == 1


@BOTH
async def test_p5_it_is_told_once_and_taken_back_when_it_goes_on(world: Any, api: bool) -> None:
    world.server.api = api
    device = world.device("A", seconds=100)
    device.stopped = ("media-empty-error",)
    rows = [world.server.add(number) for number in (1, 2)]
    await world.processor()
    await asyncio.sleep(1800)
    assert told(world, "tell") == 1
    assert told(world, "note") == (0 if api else 1)
    assert told(world, "register") <= 4
    device.mend()
    await asyncio.sleep(62)
    assert not rows[0].message.startswith("Waiting")
    assert rows[0].state is JobState.PRINTING
    assert rows[1].message == ""
    assert not any(printer.state_message for printer in world.server.offered)
    await world.settled()
    assert world.ledger == [b"document 1", b"document 2"]


@BOTH
async def test_p5_a_short_wait_costs_no_call(world: Any, api: bool) -> None:
    world.server.api = api
    device = world.devices["A"]
    device.stopped = ("media-empty-error",)
    world.server.add(1)
    await world.processor()
    await asyncio.sleep(15)
    device.mend()
    await world.settled()
    assert told(world, "tell") == 0


async def test_p5_reasons_that_alternate_do_not_flood(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    device = world.device("A", seconds=100_000)
    world.server.add(1)
    await world.processor()
    for _ in range(100):
        device.stopped = ("media-empty-error",)
        await asyncio.sleep(4)
        device.stopped = ("cover-open",)
        await asyncio.sleep(4)
    assert sum("job 1 waits for" in line for line in caplog.messages) == 2
    assert told(world, "tell") <= 800 / 30 + 1


@BOTH
async def test_p5_a_disk_with_no_room_at_all_is_told(world: Any, api: bool) -> None:
    world.server.api = api
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor(limits={"keep_free_mb": 10**9})
    await asyncio.sleep(90)
    assert "make room" in processor.dispatcher.snapshot().paused
    if api:
        assert "make room" in world.server.offered[0].state_message
    else:
        assert all(row.message.startswith("Waiting: Less than ") and "make room" in row.message for row in rows)
    processor.config.limits.__dict__["keep_free_mb"] = 0
    await world.settled()
    assert [row.state for row in rows] == [JobState.PRINTED] * 2


@BOTH
async def test_p5_a_document_too_large_for_the_disk_is_told_and_smaller_ones_pass(
    world: Any, api: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.api = api
    rows = [world.server.add(1, document=b"x" * 30_000_000), world.server.add(2)]
    processor = await world.processor()

    async def free() -> int:
        return 10_000_000

    monkeypatch.setattr(processor.journal, "free", free)
    await asyncio.sleep(150)
    assert rows[1].state is JobState.PRINTED
    message = world.server.offered[0].state_message if api else rows[0].message
    assert "no room for its 30.0 MB; make room there" in message


async def test_p5_business_central_that_refuses_to_be_told_is_not_asked_again_and_again(world: Any) -> None:
    world.devices["A"].stopped = ("media-empty-error",)
    world.server.refuse["tell"] = BcRefused("there is no such action", status=400)
    rows = [world.server.add(1), world.server.add(2, "B")]
    world.device("B")
    await world.processor()
    await asyncio.sleep(1000)
    assert told(world, "tell") == 2
    assert rows[1].state is JobState.PRINTED


async def test_p5_a_raw_printer_that_is_off_is_told(world: Any) -> None:
    world.device("A", feedback=Feedback.SENT_ONLY)
    row = world.server.add(1)
    processor = await world.processor()

    async def send(*_: Any) -> Any:
        raise PrinterUnreachable("the printer at socket://10.0.0.9 does not answer; is it switched on?", started=False)

    processor.shelf.printer("A").send = send
    await asyncio.sleep(60)
    assert row.message.startswith(
        "Waiting. The printer at socket://10.0.0.9 does not answer; is it switched on? It goes"
    )


async def test_p4_a_silent_printer_is_told_in_business_central(world: Any) -> None:
    world.devices["A"].hangs.add(b"document 1")
    row = world.server.add(1)
    await world.processor()
    await asyncio.sleep(1280)
    assert row.message == (
        "It has been printing for 20 minutes without a sign of progress. Switch the printer off and on if it does nothing. "
        "If nothing moves for 1 hour, it is cancelled and goes to Error; a large document gets more time."
    )
    assert told(world, "tell") == 2, "after ten minutes, and after twenty"


async def test_p5_a_start_before_cups_takes_no_printer_from_the_users_and_says_what_is_missing(world: Any) -> None:
    world.devices["A"].stopped = ("paused",)
    row = world.server.add(1)
    first = await world.processor()
    await asyncio.sleep(10)
    await first.kill()
    world.server.calls.clear()
    away, world.devices = world.devices, {}
    world.problems.append("CUPS at http://localhost:631/ does not answer; is it running?")
    processor = await world.processor()
    await asyncio.sleep(30)
    assert processor.dispatcher.snapshot().jobs[0].message == (
        "the printer A cannot be found just now: CUPS at http://localhost:631/ does not answer; is it running?"
    )
    assert told(world, "register") == 0, "Business Central would switch its printers off"
    world.devices = away
    world.problems.clear()
    world.devices["A"].mend()
    await asyncio.sleep(25)
    assert row.state is JobState.PRINTED, "it is looked for again within seconds"
