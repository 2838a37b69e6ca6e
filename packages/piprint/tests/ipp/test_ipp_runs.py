"""P3: what tells one run of a printer, or of CUPS, from the next; with a real CUPS, which is killed and comes back at once."""

from __future__ import annotations

import os
import signal

import pytest
from printshop import PrivateCups, until

from piprint.config.settings import PrinterConfig
from piprint.ipp.codec import attribute
from piprint.ipp.registry import Operation, Status, Tag
from piprint.printers.backends.ipp_printer import IppPrinter
from piprint.printers.printer import PrinterAddress, Ticket


def opened(uri, **more):
    return IppPrinter(PrinterAddress("P", uri), PrinterConfig(id="P"), timeout=30, **more)


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
    scripted.answers[Operation.CREATE_JOB] = scripted.job(7)
    for operation in (Operation.GET_SUBSCRIPTIONS, Operation.CREATE_PRINTER_SUBSCRIPTIONS, Operation.GET_NOTIFICATIONS):
        scripted.answers[operation] = Status.NOT_AUTHORIZED
    ours = opened(scripted.uri)
    run = await ours.run()
    assert (run.number, run.token) == (1, "")
    assert (await ours.run()).number == 0, "nothing is followed, so nothing tells"
    await ours.create(Ticket("bc-t-1-1"))
    run = await ours.run()
    assert run.number > 1
    assert (await ours.run()).number == run.number, "the same connection"
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
