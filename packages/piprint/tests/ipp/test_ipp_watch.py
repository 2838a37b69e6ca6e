"""r3: connections and questions by which a restart is seen: as few as can be, and none of them in the way of printing."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from aiohttp import web
from printshop import PrivateCups

from piprint.config.settings import PrinterConfig
from piprint.ipp import client
from piprint.ipp.codec import Group, Message, attribute, decode, encode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from piprint.printers.backends.ipp_printer import IppPrinter
from piprint.printers.printer import Accepted, PrinterAddress, SpoolerState, Ticket
from piprint.printers.restarts import spooler_run, spooler_watch
from piprint.printers.restarts.runs import Beginning, RunCounter

NOON = 1_796_000_000
CUPS = (
    attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB, Operation.CUPS_GET_PRINTERS),
    attribute("printer-up-time", Tag.INTEGER, NOON),
)
OURS = Accepted(7, "urn:uuid:7", "bc-t-1-1")
PRINTING, COMPLETED = 5, 9


def opened(uri, name="P", timeout=30, **more):
    return IppPrinter(PrinterAddress(name, uri), PrinterConfig(id=name), timeout=timeout, **more)


class SmallCups(PrivateCups):
    """A CUPS that takes few connections."""

    def _configure(self):
        super()._configure()
        path = self.folder / "etc/cupsd.conf"
        path.write_text("MaxClients 6\n" + path.read_text())


async def test_r3_2_a_cups_takes_more_queues_than_connections():
    with SmallCups() as cups:
        printers = [opened(cups.add_printer(f"Q{number}"), f"Q{number}") for number in range(8)]
        for printer in printers:  # a job of each is announced, and followed
            accepted = await printer.create(Ticket(f"bc-t-1-1_{printer.address.printer_id}"))
            run = await printer.run()
            looked = await printer.look(accepted)
            assert looked.run == run.number > 0
        assert (await printers[0].status()).accepting
        for printer in printers:
            await printer.close()


def as_cups(scripted, *, subscriptions=True):
    """Let a scripted printer speak as CUPS does; return a switch that says whether it has restarted."""
    restarted = []
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(*CUPS)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(7, "bc-t-1-1", PRINTING)
    scripted.answers[Operation.CREATE_JOB] = scripted.job(7)
    if not subscriptions:
        for operation in (Operation.GET_SUBSCRIPTIONS, Operation.CREATE_PRINTER_SUBSCRIPTIONS):
            scripted.answers[operation] = Status.NOT_AUTHORIZED
        return restarted
    made = []

    def make(message):
        data = next(each for group in message.groups for each in group.values("notify-user-data"))
        made.append((Group(Delimiter.SUBSCRIPTION, (
            attribute("notify-subscription-id", Tag.INTEGER, len(made) + 1),
            attribute("notify-user-data", Tag.OCTET_STRING, data),
        )),))  # fmt: skip
        return reply(message, made[-1])

    def reply(message, groups=(), status=Status.OK):
        return web.Response(body=encode(Message(status, message.request_id, groups)), content_type="application/ipp")

    def events(message):
        return reply(message, (Group(Delimiter.EVENT_NOTIFICATION, (attribute("notify-text", Tag.TEXT, "started"),)),) if restarted else ())  # fmt: skip

    scripted.answers[Operation.GET_SUBSCRIPTIONS] = Status.NOT_FOUND
    scripted.answers[Operation.CREATE_PRINTER_SUBSCRIPTIONS] = make
    scripted.answers[Operation.GET_NOTIFICATIONS] = events
    scripted.answers[Operation.GET_SUBSCRIPTION_ATTRIBUTES] = lambda message: reply(message, made[-1])
    return restarted


def closing(scripted):
    """Close each connection after its answer."""
    for operation, answer in list(scripted.answers.items()):

        def close(message, answer=answer):
            now = answer(message) if callable(answer) else answer
            if not isinstance(now, web.Response):
                status, groups = (Status.OK, now) if isinstance(now, tuple) else (now, ())
                now = web.Response(body=encode(Message(status, message.request_id, groups)))
            now.force_close()
            return now

        scripted.answers[operation] = close


async def test_r3_2_queues_of_one_cups_share_one_connection_and_give_it_back(scripted, monkeypatch):
    as_cups(scripted)
    printers = [opened(scripted.uri.replace("/ipp/print", f"/printers/Q{number}")) for number in range(5)]
    for printer in printers:
        await printer.create(Ticket("bc-t-1-1"))
        await printer.run()
        await printer.look(OURS)
    (watch,) = {printer._spooler for printer in printers}
    assert watch._client.connections == 1
    monkeypatch.setattr(spooler_watch, "_IDLE", 0.0)
    assert (await printers[0].run()).number == 1
    assert not watch._client.is_open, "nothing is followed any more"
    for printer in printers:
        await printer.close()


@pytest.mark.parametrize("answer", [Status.BUSY, 301, 403, 404, 405, 502, "no IPP", "none"])
@pytest.mark.parametrize("operation", [Operation.GET_SUBSCRIPTIONS, Operation.CREATE_PRINTER_SUBSCRIPTIONS, Operation.GET_NOTIFICATIONS])  # fmt: skip
async def test_r3_7_a_question_about_subscriptions_that_fails_fails_no_job(scripted, answer, operation, monkeypatch):
    monkeypatch.setattr(spooler_run, "_PATIENCE", 0.2)
    as_cups(scripted)
    ours = opened(scripted.uri)
    token = (await ours.run()).token

    async def never(_):
        await asyncio.Event().wait()

    def failed(_):
        return web.Response(body=b"hello") if answer == "no IPP" else web.Response(status=answer)

    scripted.answers[operation] = answer if answer is Status.BUSY else never if answer == "none" else failed
    other = opened(scripted.uri.replace("127.0.0.1", "localhost"))
    run = await other.run()
    assert run.up_time == NOON
    if answer == 404 and operation is Operation.GET_SUBSCRIPTIONS:
        assert run.token, "CUPS says so when there is none"
    elif operation is not Operation.GET_NOTIFICATIONS:
        assert run.token == ""
    elif answer != 404:
        assert await other.has_run_on(token) is None
    await ours.close()
    await other.close()


async def test_r3_8_a_printer_that_serves_one_connection_at_a_time_is_not_blocked(monkeypatch):
    monkeypatch.setattr(client, "_IDLE", 0.05)
    one = asyncio.Lock()

    async def serve(reader, writer):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            async with one:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
                    message, _ = decode(await reader.readexactly(int(length.split(b":")[1])))
                    told = (
                        attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB),
                        attribute("printer-up-time", Tag.INTEGER, 500),
                        attribute("printer-state", Tag.ENUM, 3),
                    )
                    body = encode(Message(Status.OK, message.request_id, (Group(Delimiter.PRINTER, told),)))
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/ipp\r\nContent-Length: %d\r\n\r\n" % len(body) + body)  # fmt: skip
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    uri = f"ipp://127.0.0.1:{server.sockets[0].getsockname()[1]}/ipp/print"
    ours, theirs = opened(uri), opened(uri, timeout=2)
    assert (await ours.run()).number == 1
    assert (await theirs.status()).accepting, "somebody else's question"
    await ours.close()
    await theirs.close()
    server.close()


def test_r3_15_a_slow_answer_is_no_restart_and_hides_none():
    slow = RunCounter()
    told = [
        slow.see(100 + at, 1000.0 + at + late, 1000.0 + at) for at, late in ((0, 0), (1, 4), (6, 0), (8, 25), (40, 0))
    ]
    assert told == [1] * 5
    assert slow.see(2, 1072.0, 1042.0) == 2, "it fell"
    swapped = RunCounter()
    assert [swapped.see(101, 1001.0, 1001.0), swapped.see(100, 1001.5, 1000.0)] == [1, 1], "answers that overtake"
    assert swapped.see(30, 1200.0, 1190.0) == 2, "a slow answer, after a restart"


def test_r3_15_a_slow_answer_is_no_restart_across_one_of_ours():
    then = Beginning.of(5000, NOON, NOON + 0.1)
    assert Beginning.read(then.token) is not None
    for late in (0, 4, 20, 60):
        assert then.is_same(Beginning.of(5600, NOON + 600, NOON + 600 + late)) is True
        assert then.is_same(Beginning.of(30, NOON + 600, NOON + 600 + late)) is False
    young = Beginning.of(2, NOON, NOON + 0.1)
    assert young.is_same(Beginning.of(3, NOON + 1, NOON + 21)) is None, "it may have begun within these 20 s"
    old = Beginning.read("counts from 1795995000")
    assert old.is_same(Beginning.of(5600, NOON + 600, NOON + 600.1)) is True, "an old journal's"
    assert Beginning.read("counts from x") is Beginning.read("subscription 3.a") is Beginning.read("") is None


@pytest.mark.parametrize("subscriptions", [True, False])
async def test_r3_18_connections_that_close_after_each_answer_are_no_restarts(scripted, subscriptions):
    restarted = as_cups(scripted, subscriptions=subscriptions)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = [scripted.job(7, "bc-t-1-1", PRINTING)] * 7 + [scripted.job(7, "bc-t-1-1", COMPLETED)]  # fmt: skip
    jobs = scripted.answers.pop(Operation.GET_JOB_ATTRIBUTES)
    closing(scripted)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = lambda message: _closed(message, jobs)
    ours = opened(scripted.uri)
    await ours.create(Ticket("bc-t-1-1"))
    run = await ours.run()
    asked = len(scripted.asked)
    looked = [await ours.look(OURS) for _ in range(6)]
    assert {each.run for each in looked} == {0}, "nothing certain, and nothing against it"
    assert len(scripted.asked) - asked == 6, "one question for each look"
    ended = await ours.look(OURS)
    assert ended.state is SpoolerState.COMPLETED
    assert ended.run == (run.number if subscriptions else 0)
    restarted.append(True)
    if subscriptions:
        assert (await ours.look(OURS)).run not in {0, run.number}, "a restart is seen at the end"
    await ours.close()


def _closed(message, jobs):
    groups = jobs.pop(0) if len(jobs) > 1 else jobs[0]
    response = web.Response(body=encode(Message(Status.OK, message.request_id, groups)))
    response.force_close()
    return response


async def test_r3_18_whoever_stops_waiting_cuts_no_connection(scripted):
    as_cups(scripted, subscriptions=False)
    ours = opened(scripted.uri)
    await ours.create(Ticket("bc-t-1-1"))
    run = await ours.run()
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slow(_):
        asked.set()
        await answer.wait()
        return scripted.job(7, "bc-t-1-1", PRINTING)

    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = slow
    impatient = asyncio.create_task(ours.look(OURS))
    await asked.wait()
    impatient.cancel()
    answer.set()
    assert (await ours.look(OURS)).run == run.number
    await ours.close()


async def test_r3_2_without_a_connection_to_spare_it_prints_and_a_restart_cannot_be_excluded(scripted, monkeypatch):
    monkeypatch.setattr(spooler_watch, "_OPENING", 0.1)
    as_cups(scripted, subscriptions=False)
    ours = opened(scripted.uri)
    await ours.create(Ticket("bc-t-1-1"))
    held = []

    async def hold(_):
        if not held:  # CUPS at its limit does not answer by a new connection
            held.append(True)
            await asyncio.Event().wait()
        return scripted.printer(*CUPS)

    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = hold
    run = await ours.run()
    assert run.number > 0
    assert (await ours.look(OURS)).run == 0
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(7, "bc-t-1-1", COMPLETED)
    assert (await ours.look(OURS)).run not in {0, run.number}
    await ours.close()


async def test_r3_17_only_the_last_completed_jobs_are_asked_for(scripted):
    scripted.answers[Operation.GET_JOBS] = scripted.job(7)
    ours = opened(scripted.uri)
    await ours.jobs()
    limits = [message.groups[0].values("limit") for message, _ in scripted.asked if message.code == Operation.GET_JOBS]
    assert [tuple(each) for each in limits] == [(), (1000,)]
    await ours.close()
