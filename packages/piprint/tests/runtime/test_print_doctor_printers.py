"""``piprint doctor`` and the printers: is CUPS there, is a printer found, does it take our jobs, and what can it do?"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from printshop import PrivateCups

from piprint.config.load import parse
from piprint.doctor import printers as examined
from piprint.doctor.finding import Finding, State
from piprint.doctor.printers import abilities, printers
from piprint.ipp.codec import Attribute, Group, Message, attribute, decode, encode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from piprint.printers.printer import Capabilities, Media
from piprint.simulate.server import StandIn


async def _printers(text: str) -> list[Finding]:
    return [finding async for finding in printers(parse(text, Path("p.toml")))]


async def test_printers_of_cups_are_told_with_what_they_do_not_tell(tmp_path, cups, config_text):
    async with StandIn() as bc:
        found = await _printers(config_text(bc, tmp_path, cups=cups.url))
    assert [(finding.name, finding.state) for finding in found] == [("CUPS", State.OK), ("Office", State.NOTE)]
    assert 'paper = ["A4"]' in found[1].fix


async def test_without_cups_it_says_how_to_get_it(tmp_path, config_text):
    async with StandIn() as bc:
        found = await _printers(config_text(bc, tmp_path, cups="http://127.0.0.1:9/"))
    assert found[0].state is State.PROBLEM
    assert "apt install cups" in found[0].fix
    assert found[1:] == [], "one problem is told once"


@pytest.fixture
def own_cups() -> Iterator[PrivateCups]:
    """A CUPS whose printers may be stopped without harm to other tests."""
    with PrivateCups() as shop:
        yield shop


async def test_a_stopped_and_an_unreachable_printer_are_told(tmp_path, own_cups, config_text):
    own_cups.add_printer("Office")
    own_cups.add_printer("Stopped")
    own_cups.add_printer("Rejecting")
    for command in (["cupsdisable", "Stopped"], ["cupsreject", "Rejecting"]):
        await asyncio.to_thread(own_cups.command, *command)
    async with StandIn() as bc:
        text = (
            config_text(bc, tmp_path, cups=own_cups.url)
            + '[[printers]]\nid = "far"\nuri = "ipp://127.0.0.1:9/ipp/print"\n'
        )
        found = {finding.name: finding for finding in await _printers(text)}
    assert "cupsenable Stopped" in found["Stopped"].fix
    assert "cupsaccept Rejecting" in found["Rejecting"].fix
    assert found["far"].state is State.PROBLEM
    assert found["Office"].state is State.NOTE, "the others are looked at all the same"


Answers = dict[int, Message]
HEAD = Group(Delimiter.OPERATION, (attribute("attributes-charset", Tag.CHARSET, "utf-8"),))


def _refusal(status: Status) -> Message:
    return Message(status, 0, (HEAD,))


def _about(*more: Attribute) -> Message:
    """What a printer in good order tells of itself; the paper it has only where it is among ``more``."""
    told = (
        attribute("printer-state", Tag.ENUM, 3),
        attribute("printer-is-accepting-jobs", Tag.BOOLEAN, True),
        attribute("operations-supported", Tag.ENUM, 2, 4, 5, 6, 11),
        *more,
    )
    return Message(Status.OK, 0, (HEAD, Group(Delimiter.PRINTER, told)))


PAPER = attribute("media-supported", Tag.KEYWORD, "iso_a4_210x297mm", "iso_a5_148x210mm")


@asynccontextmanager
async def _answering(answers: Answers) -> AsyncIterator[str]:
    """Answer IPP as scripted, by operation; all else gets an empty yes. Gives the address, without its scheme."""

    async def answer(request: web.Request) -> web.Response:
        asked, _ = decode(await request.read())
        reply = answers.get(asked.code, _refusal(Status.OK))
        told = encode(Message(reply.code, asked.request_id, reply.groups))
        return web.Response(body=told, content_type="application/ipp")

    app = web.Application()
    app.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def look_at(tmp_path, config_text) -> Callable[..., Awaitable[Finding]]:
    """Look at one printer that answers as scripted; return what is found."""

    async def look(answers: Answers) -> Finding:
        async with StandIn() as bc, _answering(answers) as address:
            text = config_text(bc, tmp_path).replace("socket://127.0.0.1:9", f"ipp://{address}/ipp/print")
            (finding,) = await _printers(text)
        return finding

    return look


@pytest.mark.parametrize("status", [Status.FORBIDDEN, Status.NOT_AUTHENTICATED, Status.NOT_AUTHORIZED])
async def test_a_printer_whose_policy_keeps_us_out_is_told(look_at, status):
    finding = await look_at({Operation.GET_PRINTER_ATTRIBUTES: _about(PAPER), Operation.VALIDATE_JOB: _refusal(status)})
    assert finding.state is State.PROBLEM
    assert "would not take our jobs" in finding.told
    assert "Validate-Job" in finding.fix


async def test_a_job_refused_for_its_content_is_no_fault_of_the_policy(look_at):
    """A job without a document's format may be refused by a printer that takes real ones."""
    finding = await look_at(
        {Operation.GET_PRINTER_ATTRIBUTES: _about(PAPER), Operation.VALIDATE_JOB: _refusal(Status.BAD_REQUEST)}
    )
    assert finding.state is State.OK


async def test_a_printer_in_good_order_is_told_with_what_it_can_do(look_at):
    model = attribute("printer-make-and-model", Tag.TEXT, "Brother HL-L5100DN")
    finding = await look_at({Operation.GET_PRINTER_ATTRIBUTES: _about(PAPER, model)})
    assert (finding.name, finding.state, finding.fix) == ("far", State.OK, "")
    assert finding.told == "Brother HL-L5100DN; 2 paper sizes"


async def test_a_printer_with_trouble_that_still_takes_jobs_is_a_note(look_at):
    jam = attribute("printer-state-reasons", Tag.KEYWORD, "media-jam-error")
    finding = await look_at({Operation.GET_PRINTER_ATTRIBUTES: _about(PAPER, jam)})
    assert (finding.state, finding.told) == (State.NOTE, "paper jam (2 paper sizes)")
    assert "look at the printer" in finding.fix


async def test_a_printer_that_does_not_answer_in_time_is_told(look_at, monkeypatch):
    monkeypatch.setattr(examined, "_PATIENCE", 0)
    finding = await look_at({Operation.GET_PRINTER_ATTRIBUTES: _about(PAPER)})
    assert (finding.state, finding.told) == (State.PROBLEM, "no answer within 0 s")
    assert "switched on" in finding.fix


@pytest.mark.parametrize(
    ("answer", "names", "told", "fix"),
    [
        (_refusal(Status.FORBIDDEN), ["CUPS", "far"], "", "Allow this host"),
        (_refusal(Status.NOT_FOUND), ["CUPS", "far"], "it has no queue", ""),
    ],
)
async def test_a_cups_that_keeps_us_out_is_told_apart_from_one_without_a_queue(
    tmp_path, config_text, answer, names, told, fix
):
    async with StandIn() as bc, _answering({Operation.CUPS_GET_PRINTERS: answer}) as address:
        text = config_text(bc, tmp_path, cups=f"http://{address}/")
        found = await _printers(text + "[[printers]]\nid = 'far'\nuri = 'socket://127.0.0.1:9'\n")
    assert [finding.name for finding in found] == names
    assert found[0].state is (State.PROBLEM if fix else State.OK)
    assert told in found[0].told
    assert fix in found[0].fix


async def test_a_host_without_any_printer_is_told_how_to_get_one(tmp_path, config_text):
    async with StandIn() as bc, _answering({Operation.CUPS_GET_PRINTERS: _refusal(Status.NOT_FOUND)}) as address:
        found = await _printers(config_text(bc, tmp_path, cups=f"http://{address}/"))
    assert [finding.state for finding in found] == [State.OK, State.PROBLEM]
    assert (found[1].name, found[1].told) == ("search", "no printer was found")
    assert "lpadmin" in found[1].fix


async def test_a_printer_of_the_configuration_that_is_nowhere_is_a_note(tmp_path, config_text):
    async with StandIn() as bc, _answering({Operation.CUPS_GET_PRINTERS: _refusal(Status.NOT_FOUND)}) as address:
        text = config_text(bc, tmp_path, cups=f"http://{address}/") + "[[printers]]\nid = 'Office'\n"
        found = {(finding.name, finding.state): finding.told for finding in await _printers(text)}
    assert "'Office' of the configuration was not found" in found["search", State.NOTE]


async def test_a_search_that_cannot_be_made_is_a_problem_and_ends_the_look(tmp_path, config_text, monkeypatch):
    monkeypatch.setitem(sys.modules, "piprint.printers.announced", None)  # as without the package zeroconf
    async with StandIn() as bc:
        found = await _printers(config_text(bc, tmp_path) + "[discovery]\nenabled = true\n")
    assert found[0].name == "search"
    assert "zeroconf" in found[0].told


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://localhost:631/", True),
        ("http://localhost:6310/", False),  # a CUPS of somebody's own, with its settings anywhere
        ("http://10.0.0.5:6310/", True),
    ],
)
async def test_how_late_a_cups_saves_is_asked_where_its_settings_are_known(tmp_path, config_text, url, asked):
    async with StandIn() as bc:
        config = parse(config_text(bc, tmp_path, cups=url), Path("p.toml"))
    assert (examined._memory(config) is not None) is asked


@pytest.mark.parametrize(
    ("able", "words"),
    [
        (Capabilities(), ""),
        (Capabilities(media=(Media(21000, 29700),), sources=("tray-1",)), ""),  # one of each says nothing
        (
            Capabilities(media=(Media(1, 1), Media(2, 2)), sources=("tray-1", "manual")),
            "2 paper sizes, trays tray-1, manual",
        ),
        (Capabilities(media_default=Media(21000, 29700, "iso_a4_210x297mm")), "iso_a4_210x297mm"),
        (Capabilities(media_default=Media(5000, 2500)), "own size"),
        (Capabilities(sides=("one-sided",), color=False), "one side, black only"),
        (Capabilities(sides=("one-sided", "two-sided-long-edge"), color=True), "both sides, colour"),
    ],
)
def test_what_a_printer_can_do_is_a_line(able, words):
    assert abilities(able) == words
