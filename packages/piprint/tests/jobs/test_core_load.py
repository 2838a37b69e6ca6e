# ruff: noqa: FBT001 - parameters of tests
"""r3: what waits is told and taken back without a flood of calls, lines of the log or questions."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from piprint.contract import JobState
from piprint.errors import DocumentError, PrinterError, PrinterUnreachable
from piprint.jobs.active_job import Prepared
from piprint.jobs.progress import without_counts
from piprint.printers.printer import Printer, PrinterAddress, Run


def told(world: Any, name: str) -> int:
    return Counter(call for _, call in world.server.calls)[name]


async def test_r3_13_two_processors_do_not_write_over_each_others_words(world: Any) -> None:
    world.server.api = False
    device = world.device("A", seconds=3, stopped=("media-empty-error",))
    rows = [world.server.add(number) for number in range(1, 30)]
    for name in ("one", "two"):
        await world.processor(name)
    await asyncio.sleep(120)
    waiting = [row for row in rows if row.state is JobState.QUEUED][:15]
    assert all(row.message.startswith("Waiting behind job ") for row in waiting)
    versions, calls = [row.version for row in waiting], told(world, "note")
    await asyncio.sleep(1800)
    assert [row.version for row in waiting] == versions
    assert told(world, "note") == calls <= 40, "20 of each at first, and then none"
    device.mend()
    await world.settled()
    assert all(row.state is JobState.PRINTED for row in rows)


async def test_r3_13_the_words_of_a_processor_that_died_are_written_anew(world: Any) -> None:
    world.server.api = False
    world.device("A", seconds=3, stopped=("media-empty-error",))
    rows = [world.server.add(number) for number in range(1, 4)]
    one = await world.processor("one")
    await asyncio.sleep(90)
    assert rows[2].message.startswith("Waiting behind job 1:")
    await one.kill()
    world.server.set(1, JobState.ERROR)
    await world.processor("two")
    await asyncio.sleep(120)
    assert rows[2].message.startswith("Waiting behind job 2:")


@pytest.mark.parametrize("api", [True, False], ids=["api", "1.0"])
async def test_r3_14_what_was_told_before_a_restart_of_ours_is_taken_back(world: Any, api: bool) -> None:
    world.server.api = api
    device = world.device("A", seconds=3, stopped=("media-empty-error",))
    rows = [world.server.add(number) for number in (1, 2, 3)]
    processor = await world.processor()
    await asyncio.sleep(100)
    assert rows[0].message.startswith("Waiting. No paper.")
    assert api or rows[1].message.startswith("Waiting behind job 1:")
    await processor.kill()
    device.seconds = 900
    device.mend()
    await world.processor()
    await asyncio.sleep(130)
    assert rows[0].state is JobState.PRINTING
    assert not rows[0].message.startswith("Waiting")
    assert not rows[1].message.startswith("Waiting")


async def test_r3_14_a_wait_that_lasts_over_a_restart_of_ours_is_not_told_twice(world: Any) -> None:
    world.device("A", stopped=("media-empty-error",))
    row = world.server.add(1)
    processor = await world.processor()
    await asyncio.sleep(100)
    before = row.message
    await processor.kill()
    await world.processor()
    await asyncio.sleep(300)
    assert row.message == before
    assert told(world, "tell") == 1


async def test_r3_14_what_was_told_is_taken_back_when_the_printer_was_disabled(world: Any, monkeypatch: Any) -> None:
    world.server.api = False
    device = world.device("A", seconds=900, stopped=("media-empty-error",))
    rows = [world.server.add(number) for number in (1, 2)]
    processor = await world.processor()
    await asyncio.sleep(100)
    assert rows[1].message.startswith("Waiting behind job 1:")
    probe = processor.queue.probe

    async def disabled(*, beat: bool = False) -> Any:
        found = await probe(beat=beat)
        return type(found)({}, found.printing)

    monkeypatch.setattr(processor.queue, "probe", disabled)
    device.mend()
    await asyncio.sleep(130)
    assert rows[1].message == ""


@pytest.mark.parametrize("origin", ["cups", "configured"])
async def test_r3_17_a_list_that_cannot_be_had_is_asked_for_seldom_and_said_once(
    world: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, origin: str
) -> None:
    processor = await world.processor()
    asked = []

    async def jobs(_: Any) -> list[Any]:
        asked.append(1)
        raise PrinterUnreachable("more than 8388608 bytes")

    view = type(processor.shelf.printer("A"))
    monkeypatch.setattr(view, "jobs", jobs)
    for each in processor.shelf.all():
        monkeypatch.setattr(each, "address", PrinterAddress("A", "ipp://A/", "", origin))
    world.devices["A"].runs += 1
    await asyncio.sleep(7200)
    assert 3 <= len(asked) <= 20
    assert sum("its list of jobs cannot be had" in line for line in caplog.messages) == 1


async def test_r3_17_a_queue_of_cups_where_nothing_tells_is_looked_at_each_minute(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = await world.processor()
    asked = []

    async def jobs(_: Any) -> list[Any]:
        asked.append(1)
        return []

    async def run(_: Any) -> Run:
        return Run()

    printer = processor.shelf.printer("A")
    monkeypatch.setattr(type(printer), "jobs", jobs)
    monkeypatch.setattr(type(printer), "run", run)
    printer.address = PrinterAddress("A", "ipp://A/", "", "cups")
    for each in processor.shelf.all():
        monkeypatch.setattr(each, "address", printer.address)
    await asyncio.sleep(3600)
    assert 45 <= len(asked) <= 62


@pytest.mark.parametrize("error", [DocumentError("the rule wants a paper that is not there"), PrinterError("silent")])
async def test_r3_20_pages_that_cannot_be_counted_are_not_counted_each_second(world: Any, error: Exception) -> None:
    document = b"x" * 8_000_000  # it may take 8 minutes more than others
    device = world.device("A", hangs={document})
    world.server.add(1, document=document)
    first = await world.processor()
    await asyncio.sleep(60)
    await first.kill()
    tries = []

    async def prepare(name: str, payload: str, document: Path, printer: Printer) -> Prepared:
        tries.append(name)
        raise error

    await world.processor(prepare=prepare, printers=[{"id": "A", "stuck_after": 900}])
    await asyncio.sleep(3600)
    assert 1 <= len(tries) <= 2
    assert device.canceled or world.server.rows[1].state is JobState.ERROR


async def test_r3_21_a_message_that_counts_fills_neither_log_nor_calls(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    device = world.device("A", seconds=3, stopped=("media-empty-error",))
    world.server.add(1)
    await world.processor()
    for number in range(3400):
        device.says = f"Put in paper ({number})"
        await asyncio.sleep(1)
    assert sum("job 1 waits for" in line for line in caplog.messages) <= 2
    assert told(world, "tell") <= 8
    assert told(world, "register") <= 8


async def test_r3_21_a_printer_without_jobs_whose_message_counts_is_not_registered_each_minute(world: Any) -> None:
    device = world.device("A", stopped=("media-empty-error",))
    await world.processor()
    for number in range(3400):
        device.says = f"Put in paper ({number})"
        await asyncio.sleep(1)
    assert "Put in paper" in world.server.offered[0].state_message
    assert told(world, "register") <= 8


def test_r3_21_texts_that_differ_by_numbers_are_the_same() -> None:
    assert without_counts("Toner 5 %, 1.5 h") == without_counts("Toner 17 %, 12.25 h")
    assert without_counts("No paper") != without_counts("No toner")
