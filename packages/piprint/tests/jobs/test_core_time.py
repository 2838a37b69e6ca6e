"""Clocks that are set: no duration, no retention, no order, no lease hangs on the time of day; and who asks for it."""

from __future__ import annotations

import ast
import asyncio
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import piprint
from piprint.bc.backoff import Connection
from piprint.bc.job import Claim, JobRow
from piprint.clock import Clock
from piprint.contract import JobState
from piprint.errors import BcUnreachable
from piprint.jobs.polling.leases import LeaseWatch
from piprint.journal import ageing
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
JUMPS = [timedelta(days=3650), timedelta(days=-3650), timedelta(hours=2), timedelta(minutes=-10)]


class Host:
    """A host whose clock can be set."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.set_by = timedelta()

    def wall(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds - 1000) + self.set_by

    def journal(self, folder: Path) -> Any:
        return Journal.open(folder, durable=False, clock=self.wall, seconds=lambda: self.seconds)


def rows_of(folder: Path, where: str) -> list[tuple[str]]:
    """Return all text of the jobs in a closed journal."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as database:
        return database.execute(
            f"SELECT title || company || payload || message || notes FROM job WHERE {where}"
        ).fetchall()


async def printed(journal: Journal, row_no: int) -> Entry:
    row = JobRow(row_no, "A", JobState.QUEUED)
    entry = await journal.begin(row, Claim.new("shop", journal.instance, 1), name=f"n{row_no}")
    entry = await journal.advance(entry, Step.STORED)
    entry = await journal.advance(entry, Step.ENDED, outcome=Outcome.PRINTED)
    return await journal.advance(entry, Step.REPORTED)


# ---- Who asks for the time -------------------------------------------------------------------------------------------

ASKING = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")} | {
    ("time", name)
    for name in ("time", "time_ns", "monotonic", "localtime", "gmtime", "strftime", "ctime", "perf_counter")
}


def asks(source: str) -> list[str]:
    """Return where a module asks the host for the time."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if (owner, node.attr) in ASKING:
                found.append(f"line {node.lineno}: {owner}.{node.attr}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [f"line {node.lineno}: time.{name.name}" for name in node.names if ("time", name.name) in ASKING]
    return found


def test_only_the_module_of_the_clock_asks_for_the_time() -> None:
    folder = Path(piprint.__file__).parent
    assert asks((folder / "clock.py").read_text())
    for path in folder.rglob("*.py"):
        if path != folder / "clock.py":
            assert asks(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.parametrize(
    "line",
    [
        "datetime.now(UTC)",
        "import datetime as dt\ndt.datetime.now()",
        "time.time()",
        "from time import time",
        "f(time.time)",
    ],
)
def test_no_way_of_asking_is_overlooked(line: str) -> None:
    assert asks(line)


# ---- The clock -------------------------------------------------------------------------------------------------------


def http(moment: datetime) -> str:
    return f"{moment:%a, %d %b %Y %H:%M:%S} GMT"


@pytest.mark.parametrize("jump", JUMPS)
def test_a_wrong_clock_is_told_and_times_are_business_centrals(jump: timedelta) -> None:
    host = Host()
    host.set_by = jump
    clock = Clock(host.wall, lambda: host.seconds)
    assert (clock.now(), clock.trouble) == (NOON + jump, "")  # nobody says otherwise
    clock.witness(http(NOON))
    host.seconds += 60
    assert clock.now() == clock.theirs() == NOON + timedelta(seconds=60)
    way, amount = ("ahead of" if jump > timedelta() else "behind"), {3650: "10 years"}.get(abs(jump.days), "")
    assert f"{amount} {way} Business Central's" in clock.trouble
    host.set_by = timedelta()
    assert (clock.now(), clock.trouble) == (host.wall(), "")


def test_a_clock_that_is_a_little_off_stays_the_hosts() -> None:
    host = Host()
    clock = Clock(host.wall, lambda: host.seconds)
    clock.witness(http(NOON + timedelta(seconds=200)))
    assert (clock.now(), clock.trouble) == (NOON, "")
    assert clock.theirs() == NOON + timedelta(seconds=200)


def test_one_answer_alone_sets_no_clock() -> None:
    host = Host()
    clock = Clock(host.wall, lambda: host.seconds)
    for date in (NOON, NOON + timedelta(days=99), NOON, NOON - timedelta(days=99), NOON):
        clock.witness(http(date))
        assert clock.theirs() == NOON
    for _ in range(2):
        clock.witness(http(NOON + timedelta(days=99)))
    assert clock.theirs() == NOON + timedelta(days=99)


@pytest.mark.parametrize("date", ["", "soon", "Sun, 99 Nov 2026 12:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_what_is_no_date_says_nothing(date: str) -> None:
    host = Host()
    clock = Clock(host.wall, lambda: host.seconds)
    clock.witness(date)
    host.seconds += 1e9
    assert clock.theirs()
    assert not clock.trouble
    assert clock.now().astimezone(timezone(timedelta(hours=14))), "what the page shows east of Greenwich"


# ---- What depends on it ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", JUMPS)
async def test_a_clock_that_jumps_deletes_nothing_and_keeps_the_order(
    tmp_path: Path, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ageing, "PRUNE_EVERY", 1)
    monkeypatch.setattr(ageing, "KEEP_LAST", 0)
    host = Host()
    journal = await host.journal(tmp_path)
    for row_no in (1, 2):
        await printed(journal, row_no)
    host.set_by = jump
    for row_no in (3, 4):
        await printed(journal, row_no)
    await journal.close()
    journal = await host.journal(tmp_path)  # looks for what is old
    host.set_by = timedelta()
    for row_no in (5, 6):
        await printed(journal, row_no)
    assert [entry.row_no for entry in await journal.history()] == [6, 5, 4, 3, 2, 1]
    await journal.close()


async def test_age_goes_on_over_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ageing, "PRUNE_EVERY", 1)
    monkeypatch.setattr(ageing, "KEEP_LAST", 1)
    host = Host()
    for day in range(40):
        journal = await host.journal(tmp_path)
        host.seconds += 86400
        await printed(journal, day)
        await journal.close()
        host.seconds = 5.0  # the host was started anew
    journal = await host.journal(tmp_path)
    assert [entry.row_no for entry in await journal.history()] == list(range(39, 8, -1))
    await journal.close()


@pytest.mark.parametrize("killed", [False, True])
async def test_p9_a_processor_restarted_each_night_grows_old_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """It prints one job in its first minute, and nothing after it but, where it is killed, one late in the day."""
    monkeypatch.setattr(ageing, "KEEP_LAST", 0)
    host = Host()
    for day in range(40):
        journal = await host.journal(tmp_path)
        await printed(journal, day)
        host.seconds += 86300
        if killed:
            row = JobRow(1000 + day, "A", JobState.QUEUED)
            await journal.begin(row, Claim.new("shop", journal.instance, 1), name=f"late{day}")
            monkeypatch.setattr(journal._ageing, "write_at_end", lambda: None)
        await journal.close()
        host.seconds = 5.0
    journal = await host.journal(tmp_path)
    assert [entry.row_no for entry in await journal.history()] == list(range(39, 9, -1))
    await journal.close()


async def test_p9_names_are_forgotten_after_a_month_of_running_also_of_the_last_jobs(tmp_path: Path) -> None:
    host = Host()
    journal = await host.journal(tmp_path)
    for row_no in (1, 2, 3):
        payload = '{"objectname": "Salary of Ola", "companyname": "CRONUS"}'
        row = JobRow(row_no, "A", JobState.QUEUED, payload=payload)
        entry = await journal.begin(row, Claim.new("shop", journal.instance, 1), name=f"n{row_no}")
        if row_no < 3:
            entry = await journal.advance(
                await journal.advance(entry, Step.STORED), Step.ENDED, outcome=Outcome.PRINTED
            )
            await journal.advance(entry, Step.REPORTED)
        host.seconds += 16 * 86400
    await journal.advance(await journal.advance(entry, Step.STORED), Step.ENDED, outcome=Outcome.PRINTED)
    assert [each.title for each in await journal.history()] == ["Salary of Ola"] * 2, "nothing was reported since"
    await printed(journal, 4)
    kept = {each.row_no: (each.title, each.company, each.name) for each in await journal.history()}
    named = ("Salary of Ola", "CRONUS")
    assert kept == {1: ("", "", "n1"), 2: ("", "", "n2"), 4: ("", "", "n4")}
    assert [(each.row_no, each.title, each.company) for each in await journal.unreported()] == [(3, *named)]
    await journal.close()
    assert b"Salary" not in b"".join(row[0].encode() for row in rows_of(tmp_path, "step = 'reported'"))


@pytest.mark.parametrize("jump", JUMPS)
async def test_how_long_a_job_took_is_true_although_the_clock_was_set_meanwhile(
    tmp_path: Path, jump: timedelta
) -> None:
    host = Host()
    host.set_by = jump
    journal = await host.journal(tmp_path)
    entry = await journal.begin(JobRow(1, "A", JobState.QUEUED), Claim.new("shop", journal.instance, 1), name="n")
    host.set_by = timedelta()
    host.seconds += 7
    entry = await journal.advance(await journal.advance(entry, Step.STORED), Step.ENDED, outcome=Outcome.PRINTED)
    assert entry.seconds == 7
    assert (entry.begun, entry.ended) == (NOON, NOON + timedelta(seconds=7))
    await journal.close()


@pytest.mark.parametrize("jump", JUMPS)
def test_leases_survive_a_clock_that_is_set(jump: timedelta) -> None:
    """By the dispatcher's use of the clock: a job whose processor lives is never tried, one left alone is, in time."""
    host = Host()
    clock = Clock(host.wall, lambda: host.seconds)
    watch = LeaseWatch(120)
    until = NOON + timedelta(seconds=120)
    clock.witness(http(NOON))
    for turn in range(40):
        if turn == 3:
            host.set_by = jump
        if turn % 8 == 0:
            until = clock.theirs() + timedelta(seconds=120)  # its processor renews
        row = JobRow(1, "A", JobState.PRINTING, lease_until=until)
        assert watch.abandoned([row], host.seconds, clock.theirs()) == []
        host.seconds += 5
        clock.witness(http(NOON + timedelta(seconds=host.seconds - 1000)))
    begun = host.seconds
    while not watch.abandoned([row], host.seconds, clock.theirs()):
        host.seconds += 5
        assert host.seconds - begun < 130


def test_the_next_try_is_told_by_the_clock_passed_in() -> None:
    link = Connection(random.Random(1), lambda: NOON)
    pause = link.failed(BcUnreachable("x"))
    assert link.next_try == NOON + timedelta(seconds=pause)


@pytest.mark.parametrize("ahead", [timedelta(days=3650), timedelta(days=-3650)])
async def test_a_processor_whose_clock_is_years_off_prints_once_and_lets_others_jobs_be(
    world: Any, ahead: timedelta
) -> None:
    world.device("A", seconds=300)
    row = world.server.add(1)
    await world.processor()
    await asyncio.sleep(20)
    world.wall_error = ahead
    await asyncio.sleep(20)
    world.wall_error = timedelta()
    await world.settled()
    assert row.state is JobState.PRINTED
    assert row.attempts == 1
    assert world.ledger == [b"document 1"]


def test_a_line_that_comes_and_goes_does_not_fill_the_log() -> None:
    link, said, relieved = Connection(random.Random(1)), 0, 0
    for second in range(3600):
        if second % 2:
            link.failed(BcUnreachable("the connection broke off"))
            said += link.is_news(float(second))
        else:
            relieved += link.is_relief()
            link.succeeded()
    assert (said, relieved) == (6, 6)
    link.succeeded()
    link.failed(BcUnreachable("the name is not known"))
    assert link.is_news(3600.0), "something else is news at once"
