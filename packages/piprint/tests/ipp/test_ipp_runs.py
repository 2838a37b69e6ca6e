"""P3: what tells one run of a printer, or of CUPS, from the next; with a real CUPS, which is killed and comes back at once."""

from __future__ import annotations

import os
import signal

import pytest
from aiohttp import web
from printshop import PrivateCups, until

from piprint.config import PrinterConfig
from piprint.ipp.codec import attribute
from piprint.ipp.registry import Operation, Status, Tag
from piprint.printers.ipp_printer import IppPrinter
from piprint.printers.printer import PrinterAddress


def opened(uri, **more):
    return IppPrinter(PrinterAddress("P", uri), PrinterConfig(id="P"), timeout=5, **more)


async def _reload(cups):
    def reloads():
        return (cups.folder / "log/error").read_text().count("Full reload complete")

    before = reloads()
    os.kill(cups._process.pid, signal.SIGHUP)
    await until(lambda: reloads() > before, 10, "the reload")


async def _kill(cups):
    cups.kill()
    cups.start()


async def _restart(cups):
    cups.restart()


@pytest.mark.parametrize("again", [_kill, _restart, _reload])
@pytest.mark.parametrize("saved_after", [0, 30])
async def test_p3_a_restart_of_cups_is_seen_at_once_and_after_a_restart_of_ours(again, saved_after):
    async with PrivateCups(dirty_clean_interval=saved_after, log_level="info") as cups:
        ours, later = opened(cups.add_printer("P")), opened(cups.queue_uri("P"))
        cups.restart()  # the queue is saved by now
        first = await ours.run()
        assert (await ours.run()).number == first.number
        assert await later.has_run_on(first.token) is True, "another process, the same CUPS"
        assert (await later.run()).token == first.token, "subscriptions do not pile up"
        await again(cups)
        now = await ours.run()
        assert now.number != first.number
        assert now.token != first.token
        assert await later.has_run_on(first.token) is False
        assert await later.has_run_on(now.token) is True
        await ours.close()
        await later.close()


async def test_p3_a_cups_that_lets_us_have_no_subscription_tells_less(scripted):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(
        attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB, Operation.CUPS_GET_PRINTERS),
        attribute("printer-up-time", Tag.INTEGER, 1_796_000_000),
    )
    for operation in (Operation.GET_SUBSCRIPTIONS, Operation.CREATE_PRINTER_SUBSCRIPTIONS, Operation.GET_NOTIFICATIONS):
        scripted.answers[operation] = Status.NOT_AUTHORIZED
    ours = opened(scripted.uri)
    run = await ours.run()
    assert (run.number, run.token) == (1, "")
    assert (await ours.run()).number == 1
    assert await ours.has_run_on("") is None
    assert await ours.has_run_on("subscription 3.abc") is None
    await ours.close()


async def test_p3_a_printer_is_known_by_the_moment_it_counts_from(scripted):
    wall = 1_796_000_000.0

    def counts(up_time):
        scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(
            attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB),
            attribute("printer-up-time", Tag.INTEGER, up_time),
        )

    ours = opened(scripted.uri, wall=lambda: wall)
    counts(5000)
    first = await ours.run()
    assert first.number == (await ours.run()).number == 1
    assert await ours.has_run_on(first.token) is True
    wall += 600
    counts(5601)
    assert await ours.has_run_on(first.token) is True
    counts(30)
    assert await ours.has_run_on(first.token) is False
    assert (await ours.run()).number == 2
    await ours.close()


CUPS = (Operation.CREATE_JOB, Operation.CUPS_GET_PRINTERS)


def _tells(scripted, *operations, up_time=1_796_000_000):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(
        attribute("operations-supported", Tag.ENUM, *operations),
        attribute("printer-up-time", Tag.INTEGER, up_time),
        attribute("printer-state", Tag.ENUM, 3),
    )


async def test_p3_however_many_queues_a_cups_has_one_connection_to_it_is_kept(scripted):
    """CUPS serves 100 clients; at the limit nobody on the network can print any more."""
    _tells(scripted, *CUPS)
    queues = [opened(f"ipp://127.0.0.1:{scripted.port}/printers/Q{number}") for number in range(8)]
    first = [(await queue.run()).number for queue in queues]
    await until(lambda: scripted.open() <= 1, 10, "the others to be closed")
    again = [(await queue.run()).number for queue in queues]
    assert first == again == [1] * 8
    assert scripted.open() == 1
    for queue in queues[1:]:
        await queue.close()
    assert (await queues[0].run()).number == 1, "those that go do not close it for those that stay"
    await queues[0].close()
    await until(lambda: scripted.open() == 0, 10, "the last one to close it")


async def test_p3_a_broken_connection_is_another_run_for_all_queues_of_that_cups(scripted):
    _tells(scripted, *CUPS)
    one, two = (opened(f"ipp://127.0.0.1:{scripted.port}/printers/Q{number}") for number in (1, 2))
    before = (await one.run()).number
    assert (await two.run()).number == before
    for each in scripted.transports:
        each.abort()
    assert (await one.run()).number != before
    assert (await two.run()).number != before
    await one.close()
    await two.close()


async def test_p3_no_connection_is_kept_to_a_printer_that_tells_its_run_itself(scripted):
    """It may serve one connection at a time."""
    _tells(scripted, Operation.CREATE_JOB, up_time=500)
    ours = opened(scripted.uri)
    await ours.run()
    await until(lambda: scripted.open() == 0, 10, "the connection to be closed")
    await ours.close()


@pytest.mark.parametrize("answer", [301, 403, 404, 405, 502, 503, "busy", "broken"])
async def test_p3_a_cups_whose_root_is_not_served_prints_all_the_same(scripted, answer):
    """A proxy may let only /printers/ through: then nothing is known of restarts, and that is all."""
    _tells(scripted, *CUPS)

    def no(_):
        return web.Response(body=b"no IPP") if answer == "broken" else web.Response(status=answer)

    for operation in (Operation.GET_SUBSCRIPTIONS, Operation.CREATE_PRINTER_SUBSCRIPTIONS, Operation.GET_NOTIFICATIONS):
        scripted.answers[operation] = Status.BUSY if answer == "busy" else no
    ours = opened(scripted.uri)
    run = await ours.run()
    assert (run.number, run.token) == (1, "")
    assert await ours.has_run_on("subscription 3.abc") in {None, False}
    await ours.close()
