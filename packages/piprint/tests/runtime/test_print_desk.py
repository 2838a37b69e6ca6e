"""What people see is counted and told right: today, hours, uncertain jobs, troubles, health."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from piprint.bc.backoff import ConnectionState
from piprint.bc.job import Claim, JobRow
from piprint.clock import Clock
from piprint.config.load import parse
from piprint.config.settings import PrinterConfig
from piprint.contract import JobState
from piprint.jobs.state import JobFacts, PrinterFacts, State
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.log import RecentLines, Redactor
from piprint.printers.printer import Capabilities, Feedback, Media, PrinterAddress, PrinterState, PrinterStatus
from piprint.printers.registry import KnownPrinter
from piprint.printers.ticket.offer import printer_payload
from piprint.web.presenter import Presenter, _told

CONFIG = parse(
    '[business_central]\nenvironment = "production"\n[business_central.login]\nkind = "secret"\ntenant = "t"\n'
    'client_id = "c"\nsecret = "s3cret"\n',
    Path("p"),
)


def entry(row: int, outcome: Outcome, ago: timedelta, *, took: float = 2.0, attempt: int = 1) -> Entry:
    ended = datetime.now(UTC) - ago
    return Entry(
        row_no=row, attempt=attempt, printer_id="Office", claim="c", name="n", row_id="", payload="",
        step=Step.REPORTED, begun=ended - timedelta(seconds=took), changed=ended, outcome=outcome, message="words",
        ended=ended, title="Invoice", company="CRONUS",
    )  # fmt: skip


def connection(
    state: ConnectionState, message: str, failures: int, next_try: datetime | None = None
) -> SimpleNamespace:
    return SimpleNamespace(state=state, message=message, failures=failures, next_try=next_try)


def facts(
    address: PrinterAddress,
    status: PrinterStatus | None,
    problem: str = "",
    *,
    feedback: Feedback = Feedback.FOLLOWED,
    disabled: bool = False,
    queued: int = 0,
    printing: int | None = None,
) -> PrinterFacts:
    known = KnownPrinter(address, SimpleNamespace(feedback=feedback), status=status, problem=problem)
    return PrinterFacts(known, "", offered=True, disabled=disabled, queued=queued, printing=printing)


class Dispatcher:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.changes: dict[str, object] = {}
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    async def history(self, limit: int = 100) -> list[Entry]:
        self.reads += 1
        return sorted(self.entries, key=lambda each: each.changed, reverse=True)[:limit]

    def snapshot(self) -> State:
        totals: dict[Outcome, int] = {}
        for each in self.entries:
            totals[each.outcome] = totals.get(each.outcome, 0) + 1
        values = {
            "host": "office", "instance": "abc", "dialect": "API pages", "started": datetime.now(UTC),
            "overdue": 0.0, "printers": (), "jobs": (), "totals": totals, "paused": "", "problems": (), "mistakes": 0,
            "connection": connection(ConnectionState.OK, "", 0),
        }  # fmt: skip
        return State(**(values | self.changes))


NEXT_TRY = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
QUEUE = SimpleNamespace(last_answer=None, calls=3, failed=1, calls_last_hour=lambda: 3)


@pytest.fixture
def office():
    dispatcher = Dispatcher()
    shelf = SimpleNamespace(all=list)
    return dispatcher, Presenter(CONFIG, QUEUE, shelf, dispatcher, RecentLines(Redactor()), ("verify is off",))


async def test_the_day_is_counted_by_the_hour_and_forgotten_after_it(office):
    dispatcher, desk = office
    dispatcher.entries = [
        entry(1, Outcome.PRINTED, timedelta()),
        entry(2, Outcome.ERROR, timedelta()),
        entry(3, Outcome.PRINTED, timedelta(hours=20)),
        entry(4, Outcome.PRINTED, timedelta(hours=25)),
        entry(5, Outcome.RELEASED, timedelta()),
    ]
    await desk.refresh()
    hours = desk.snapshot().hours
    assert len(hours) == 24
    assert sum(printed for printed, _ in hours) == 2
    assert sum(failed for _, failed in hours) == 1
    assert hours[-1] in {(1, 1), (0, 0)}  # (0, 0) when the hour turned just now


def test_the_address_tells_the_port_and_no_login(office):
    _, desk = office
    business_central = CONFIG.business_central.model_copy(update={"url": "https://me:s3cret@bc.example:7048/BC"})
    desk._config = CONFIG.model_copy(update={"business_central": business_central})
    assert desk.snapshot().connection.address == "bc.example:7048/BC/"


async def test_the_journal_is_read_only_when_something_ended(office):
    dispatcher, desk = office
    await desk.refresh()
    await desk.refresh()
    assert dispatcher.reads == 1
    dispatcher.entries.append(entry(1, Outcome.PRINTED, timedelta()))
    await desk.refresh()
    await desk.refresh()
    assert dispatcher.reads == 2
    (past,) = desk.snapshot().history
    assert (past.row_no, past.title, past.company) == (1, "Invoice", "CRONUS")


async def test_times_are_counted_from_the_start_and_each_once(office):
    dispatcher, desk = office
    dispatcher.entries = [entry(1, Outcome.PRINTED, timedelta(minutes=5))]
    await desk.refresh()
    assert sum(desk.snapshot().totals.seconds) == 0, "of before the start"
    dispatcher.entries.append(entry(2, Outcome.PRINTED, timedelta(), took=7))
    await desk.refresh()
    dispatcher.entries.append(entry(3, Outcome.ERROR, timedelta(), took=7))
    await desk.refresh()
    totals = desk.snapshot().totals
    assert sum(totals.seconds) == 1
    assert totals.seconds_sum == pytest.approx(7)
    assert totals.outcomes == {"printed": 2, "error": 1}


async def test_a_time_ends_when_it_was_printed_not_when_business_central_was_told(office):
    dispatcher, desk = office
    await desk.refresh()
    late = entry(1, Outcome.PRINTED, timedelta(), took=607)
    put_back = entry(2, Outcome.PRINTED, timedelta(), took=-3)
    dispatcher.entries = [
        replace(late, ended=late.begun + timedelta(seconds=7)),
        replace(put_back, ended=put_back.changed),
    ]
    await desk.refresh()
    shown = desk.snapshot()
    assert (sum(shown.totals.seconds), shown.totals.seconds_sum) == (1, pytest.approx(7))
    told = {job.row_no: (job.seconds, job.ended) for job in shown.history}
    assert told == {1: (7, late.begun + timedelta(seconds=7)), 2: (None, put_back.changed)}


async def test_s2_a_job_that_came_out_again_says_so_at_once(tmp_path):
    """Judged with a journal: what is noted of a reported job changes no total."""
    journal = await Journal.open(tmp_path, durable=False)
    claim = Claim.new("office", journal.instance, 1)
    told = await journal.begin(JobRow(7, "Office", JobState.QUEUED), claim, name="n")
    told = await journal.advance(await journal.advance(told, Step.STORED), Step.ENDED, outcome=Outcome.PRINTED)
    told = await journal.advance(told, Step.REPORTED, message="Printed at A.")
    dispatcher = Dispatcher()
    dispatcher.history = journal.history
    shelf = SimpleNamespace(all=list)
    desk = Presenter(CONFIG, QUEUE, shelf, dispatcher, RecentLines(Redactor()), changes=lambda: journal.changes)
    await desk.refresh()
    await journal.note(told, message="It may have been printed twice.")
    await desk.refresh()
    (past,) = desk.snapshot().history
    assert past.message == "It may have been printed twice."
    await journal.close()


@pytest.mark.parametrize("off", [timedelta(days=730), timedelta(days=-730), timedelta()])
async def test_p9_an_uncertain_job_is_told_although_the_clock_was_wrong_at_the_start(off):
    """It ended five minutes ago; Business Central, which says how late it is, answers after the first look."""
    wrong = [off]
    clock = Clock(wall=lambda: datetime.now(UTC) + wrong[0])
    dispatcher, shelf = Dispatcher(), SimpleNamespace(all=list)
    dispatcher.entries = [
        entry(7, Outcome.UNCERTAIN, timedelta(minutes=5)),
        entry(8, Outcome.UNCERTAIN, timedelta(hours=25)),
    ]
    desk = Presenter(CONFIG, QUEUE, shelf, dispatcher, RecentLines(Redactor()), clock=clock)
    await desk.refresh()
    clock.witness(format_datetime(datetime.now(UTC), usegmt=True))
    for still_wrong in (off, timedelta()):
        wrong[0] = still_wrong
        troubles = [trouble.what for trouble in desk.snapshot().troubles]
        assert "Job 7 may have been printed" in troubles
        assert "Job 8 may have been printed" not in troubles


async def test_an_uncertain_job_is_a_trouble_until_it_was_printed(office):
    dispatcher, desk = office
    dispatcher.entries = [entry(7, Outcome.UNCERTAIN, timedelta(minutes=5))]
    await desk.refresh()
    troubles = [trouble.what for trouble in desk.snapshot().troubles]
    assert "Job 7 may have been printed" in troubles
    dispatcher.entries.append(entry(7, Outcome.PRINTED, timedelta(), attempt=2))
    await desk.refresh()
    troubles = [trouble.what for trouble in desk.snapshot().troubles]
    assert troubles == ["Configuration"]


def test_every_trouble_is_told(office):
    dispatcher, desk = office
    status = PrinterStatus(PrinterState.STOPPED, ("media-jam-error",), "jam")
    printer = facts(PrinterAddress("Office", "ipp://x/"), status, "paper jam", queued=2)
    off = facts(PrinterAddress("Off", "ipp://y/"), None, "away", disabled=True)
    dispatcher.changes = {
        "connection": connection(ConnectionState.DENIED, "login.secret is wrong", 3, NEXT_TRY),
        "printers": (printer, off),
        "paused": "the disk is full",
        "problems": ("the printer 'x' of the configuration was not found",),
    }
    told = {trouble.what: trouble.help for trouble in desk.snapshot().troubles}
    assert told == {
        "Business Central cannot be used": "login.secret is wrong",
        "No job is taken": "the disk is full",
        "Printer Office": "paper jam",
        "Printers": "the printer 'x' of the configuration was not found",
        "Configuration": "verify is off",
    }
    link = desk.snapshot().connection
    assert (link.state, link.next_try) == ("trouble", NEXT_TRY)
    assert desk.sentence() == "2 printers, 0 jobs in work; Business Central: login.secret is wrong"
    assert desk.snapshot().printers[0].reasons == ("media-jam-error",)
    assert desk.snapshot().printers[0].words == ("paper jam",)
    assert not desk.snapshot().printers[1].offered


def test_only_a_loop_that_hangs_is_ill(office):
    dispatcher, desk = office
    assert desk.healthy()
    dispatcher.changes = {"connection": connection(ConnectionState.AWAY, "away", 3)}
    assert desk.healthy(), "Business Central being away is no illness"
    dispatcher.changes["overdue"] = 5000.0
    assert not desk.healthy()


def test_what_a_printer_offers_is_read_from_its_payload():
    able = Capabilities(
        media=(Media(21000, 29700, "iso_a4_210x297mm"), Media(10000, 15000, "om_small_100x150mm")),
        media_default=Media(21000, 29700, "iso_a4_210x297mm"),
        sources=("tray-1", "tray-2"),
        sides=("one-sided", "two-sided-long-edge"),
        color=False,
    )
    papers, trays, duplex, color = _told(printer_payload(able, PrinterConfig(id="x")))
    assert papers == ("A4",)
    assert trays == ("AutomaticFeed", "Upper", "Lower")
    assert (duplex, color) == (True, False)
    papers, _, _, _ = _told(printer_payload(Capabilities(), PrinterConfig(id="x", paper=("100x150mm",))))
    assert papers == ("100 \u00d7 150 mm",)
    assert _told("") == ((), (), None, None)
    assert json.loads(printer_payload(able, PrinterConfig(id="x")))["version"] == 1


def test_a_printer_that_tells_nothing_back_says_so(office):
    dispatcher, desk = office
    address = PrinterAddress("Labels", "socket://x:9100")
    dispatcher.changes = {"printers": (facts(address, PrinterStatus(PrinterState.IDLE), feedback=Feedback.SENT_ONLY),)}
    assert not desk.snapshot().printers[0].followed


def test_what_a_job_meets_is_newer_than_what_its_printer_said(office):
    dispatcher, desk = office
    address = PrinterAddress("Office", "ipp://x/")
    view = facts(address, PrinterStatus(PrinterState.IDLE), printing=7)
    job = replace(entry(7, Outcome.PRINTED, timedelta()), step=Step.FOLLOWING, company="C")
    dispatcher.changes = {"printers": (view,), "jobs": (JobFacts(job, "Tray 2 is empty.", ""),)}
    printer = desk.snapshot().printers[0]
    assert (desk.snapshot().jobs[0].title, desk.snapshot().jobs[0].company) == ("Invoice", "C")
    assert (printer.state, printer.message, printer.printing) == ("processing", "Tray 2 is empty.", 1)
    assert ("Printer Office", "Tray 2 is empty.") in {(each.what, each.help) for each in desk.snapshot().troubles}
