# ruff: noqa: ASYNC110, ASYNC240, FBT001 - parameters of tests; the clock is virtual; files in memory are quick
"""S9: the journal put away and put back. Judged by the printer's ledger: a restored journal prints nothing again."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState
from piprint.errors import JournalError
from piprint.journal import backup
from piprint.journal.backup import back_up, restore
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal
from piprint.printers.printer import Feedback

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def reached(processor: Any, step: Step) -> None:
    async with asyncio.timeout(600):
        while not any(entry.step is step and moment == "after" for moment, entry in processor.commits):
            await asyncio.sleep(0.0005)


# ---- Printed once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("api", [True, False], ids=["ours", "PIPrint 1.0"])
@pytest.mark.parametrize(
    ("step", "gone_on", "by_hand"),
    [
        (Step.CLAIMING, "printed", False),
        (Step.STORED, "killed", False),
        (Step.STORED, "printed", True),
        (Step.CREATING, "printed", False),
        (Step.SENT, "printed", False),
        (Step.FOLLOWING, "killed", True),
        (Step.FOLLOWING, "reported", False),
        (Step.ENDED, "reported", True),
    ],
)
async def test_s9_a_restored_journal_prints_nothing_again(
    world: Any, api: bool, step: Step, gone_on: str, by_hand: bool
) -> None:
    world.server.api = api
    world.device("A", seconds=20)
    row = world.server.add(1)
    processor = await world.processor()
    folder: Path = processor.journal.folder
    await reached(processor, step)
    saved = world.folder / "saved.sqlite"
    back_up(folder, saved)
    if gone_on == "printed":
        async with asyncio.timeout(600):
            while not world.ledger:
                await asyncio.sleep(0.01)
    elif gone_on == "reported":
        await world.settled()
    await processor.kill()
    world.devices["A"].jobs.clear()  # the spooler forgot, too
    ledger = list(world.ledger)
    if by_hand:
        shutil.rmtree(folder)
        folder.mkdir()
        shutil.copyfile(saved, folder / "journal.sqlite")
    else:
        restore(folder, saved, NOON)
    again = await world.processor()
    assert again.journal.instance != processor.journal.instance
    await world.settled()
    world.check()
    if ledger:
        assert world.ledger == ledger
    assert row.state is JobState.PRINTED or "may have been printed" in row.message


@pytest.mark.parametrize("api", [True, False], ids=["ours", "PIPrint 1.0"])
@pytest.mark.parametrize("step", [Step.CLAIMING, Step.CREATING, Step.FOLLOWING])
async def test_s9_restored_on_another_machine_while_the_old_one_still_runs(world: Any, api: bool, step: Step) -> None:
    world.server.api = api
    world.device("A", seconds=200)
    rows = [world.server.add(number) for number in (1, 2)]
    first = await world.processor("one")
    await reached(first, step)
    saved = world.folder / "saved.sqlite"
    back_up(first.journal.folder, saved)
    restore(world.folder / "two", saved, NOON)
    second = await world.processor("two")
    assert second.journal.instance != first.journal.instance
    await world.settled()
    assert sorted(world.ledger) == [b"document 1", b"document 2"]
    assert [row.state for row in rows] == [JobState.PRINTED] * 2
    assert [row.attempts for row in rows if api] == [1, 1][: 2 * api]


async def test_s9_a_label_is_printed_again_only_where_that_was_chosen_and_then_it_is_told(world: Any) -> None:
    world.device("A", seconds=20, feedback=Feedback.SENT_ONLY, holds=False)
    row = world.server.add(1)
    chosen = {"printers": [{"id": "A", "uri": "socket://a:9100", "uncertain": "reprint"}]}
    processor = await world.processor(**chosen)
    await reached(processor, Step.SENDING)
    saved = world.folder / "saved.sqlite"
    back_up(processor.journal.folder, saved)
    await processor.kill()
    restore(processor.journal.folder, saved, NOON)
    await world.processor(**chosen)
    await world.settled()
    assert row.state is JobState.PRINTED
    assert "may have been printed" in row.message or "twice" in row.message


# ---- The file --------------------------------------------------------------------------------------------------------


async def filled(folder: Path) -> tuple[str, list[Entry]]:
    """Make a journal with a job reported, one ended and one in work; return its name and the jobs that are over."""
    journal = await Journal.open(folder, durable=False)
    over = []
    for row_no, last in ((1, Step.REPORTED), (2, Step.ENDED), (3, Step.CREATING)):
        row = JobRow(row_no, "A", JobState.QUEUED, payload="{}", id="guid")
        entry = await journal.begin(row, Claim.new("shop", journal.instance, 1), name=f"n{row_no}")
        entry = await journal.advance(entry, Step.STORED)
        if last is Step.CREATING:
            await journal.advance(entry, last)
            journal.document(entry).write_bytes(b"%PDF")
            continue
        entry = await journal.advance(entry, Step.ENDED, outcome=Outcome.PRINTED)
        over.append(await journal.advance(entry, Step.REPORTED) if last is Step.REPORTED else entry)
    await journal.remember_payload("A", "{}")
    instance = journal.instance
    await journal.close()
    return instance, over


async def read(folder: Path) -> tuple[str, list[Entry], dict[str, str]]:
    journal = await Journal.open(folder, durable=False)
    try:
        entries = sorted([*await journal.history(), *await journal.unreported()], key=lambda entry: entry.row_no)
        return journal.instance, entries, await journal.payloads()
    finally:
        await journal.close()


@pytest.mark.parametrize("runs", [False, True])
async def test_s9_what_is_over_is_in_a_backup_and_what_is_in_work_is_not(tmp_path: Path, runs: bool) -> None:
    instance, over = await filled(tmp_path / "data")
    journal = await Journal.open(tmp_path / "data", durable=False) if runs else None
    size = back_up(tmp_path / "data", tmp_path / "saved")
    if journal is not None:
        await journal.close()
    assert size == (tmp_path / "saved").stat().st_size
    assert stat.S_IMODE((tmp_path / "saved").stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"data", "saved"}, "nothing is left beside it"
    assert restore(tmp_path / "new", tmp_path / "saved", NOON) is None
    assert stat.S_IMODE((tmp_path / "new" / "journal.sqlite").stat().st_mode) == 0o600
    name, entries, payloads = await read(tmp_path / "new")
    assert name != instance
    assert entries == over
    assert payloads == {"A": "{}"}


async def test_s9_a_backup_of_a_stopped_processor_leaves_nothing_in_its_folder(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    before = {path.name for path in (tmp_path / "data").iterdir()}
    back_up(tmp_path / "data", tmp_path / "saved")
    assert {path.name for path in (tmp_path / "data").iterdir()} == before


async def test_s9_steps_only_in_the_log_are_in_a_backup(tmp_path: Path) -> None:
    """A power cut leaves most of the journal in its log."""
    journal = await Journal.open(tmp_path / "data", durable=False)
    entry = await journal.begin(JobRow(1, "A", JobState.QUEUED), Claim.new("shop", journal.instance, 1), name="n")
    entry = await journal.advance(await journal.advance(entry, Step.STORED), Step.ENDED, outcome=Outcome.PRINTED)
    shutil.copytree(tmp_path / "data", tmp_path / "cut")
    await journal.close()
    back_up(tmp_path / "cut", tmp_path / "saved")
    restore(tmp_path / "new", tmp_path / "saved", NOON)
    assert (await read(tmp_path / "new"))[1] == [entry]
    restore(tmp_path / "raw", tmp_path / "cut" / "journal.sqlite", NOON)  # a copy of the files, made by hand
    assert (await read(tmp_path / "raw"))[1] == [entry]


async def test_s9_what_was_there_is_kept_whole_under_another_name(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "saved")
    journal = await Journal.open(tmp_path / "data", durable=False)
    await journal.begin(JobRow(9, "A", JobState.QUEUED), Claim.new("shop", journal.instance, 1), name="n")
    shutil.copytree(tmp_path / "data", tmp_path / "cut")  # with its log
    await journal.close()
    kept = restore(tmp_path / "cut", tmp_path / "saved", NOON)
    assert kept == tmp_path / "cut" / "journal.sqlite.before-restore-20261130-120000"
    with closing(sqlite3.connect(kept)) as database:
        assert database.execute("SELECT count(*) FROM job WHERE row_no = 9").fetchone() == (1,)
    assert not (tmp_path / "cut" / "journal.sqlite-wal").exists(), (
        "a log of another journal would be played into this one"
    )


async def test_s9_nothing_is_restored_under_a_running_processor(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "saved")
    journal = await Journal.open(tmp_path / "data", durable=False)
    with pytest.raises(JournalError, match=r"another piprint \(process \d+\) works with"):
        restore(tmp_path / "data", tmp_path / "saved", NOON)
    assert len(await journal.unreported()) == 2
    await journal.close()


@pytest.mark.parametrize("what", ["noise", "other", "empty", "newer", "absent", "damaged"])
async def test_s9_what_is_no_good_backup_changes_nothing(tmp_path: Path, what: str) -> None:
    await filled(tmp_path / "data")
    saved = tmp_path / "saved"
    back_up(tmp_path / "data", saved)
    if what == "noise":
        saved.write_bytes(b"x" * 9999)
    elif what == "empty":
        saved.write_bytes(b"")
    elif what == "absent":
        saved.unlink()
    elif what == "damaged":
        content = bytearray(saved.read_bytes())
        content[8192:12288] = bytes(4096)
        saved.write_bytes(content)
    else:
        sql = "PRAGMA user_version = 99" if what == "newer" else "DROP TABLE job"
        with closing(sqlite3.connect(saved)) as database:
            database.execute(sql)
            database.commit()
    before = (tmp_path / "data" / "journal.sqlite").read_bytes()
    with pytest.raises(JournalError):
        restore(tmp_path / "data", saved, NOON)
    assert (tmp_path / "data" / "journal.sqlite").read_bytes() == before
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"journal.sqlite", "piprint.lock", "spool"}


async def test_s9_a_damaged_journal_is_not_backed_up_and_the_last_good_backup_stays(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "saved")
    good = (tmp_path / "saved").read_bytes()
    journal = tmp_path / "data" / "journal.sqlite"
    content = bytearray(journal.read_bytes())
    content[8192:12288] = bytes(4096)
    journal.write_bytes(content)
    with pytest.raises(JournalError):
        back_up(tmp_path / "data", tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == good
    with pytest.raises(JournalError, match="there is no journal"):
        back_up(tmp_path / "nowhere", tmp_path / "saved")
    with pytest.raises(JournalError, match="is a folder"):
        back_up(tmp_path / "data", tmp_path)


async def test_s9_root_restores_for_whom_the_folder_belongs_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "saved")
    given = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, *owner: given.append((Path(path).name, *owner)))
    restore(tmp_path / "new", tmp_path / "saved", NOON)
    owner = (tmp_path / "new").stat()
    assert given == [(name, owner.st_uid, owner.st_gid) for name in ("piprint.lock", "journal.sqlite.restoring")]


# ---- The disk fails, or the power, in the middle ---------------------------------------------------------------------


class PowerCut(BaseException):
    """Nothing runs after it."""


CALLS = [(os, "link"), (Path, "rename"), (Path, "replace"), (Path, "unlink"), (backup, "_sync_folder")]


async def killed(folder: Path) -> list[Entry]:
    """Make a journal as a kill leaves it, with steps that are in its log alone; return its jobs."""
    await filled(folder / "first")
    journal = await Journal.open(folder / "first", durable=False)
    await journal.begin(JobRow(9, "A", JobState.QUEUED), Claim.new("shop", journal.instance, 1), name="n")
    shutil.copytree(folder / "first", folder / "data")
    entries = sorted([*await journal.history(), *await journal.unreported()], key=lambda entry: entry.row_no)
    await journal.close()
    assert (folder / "data" / "journal.sqlite-wal").stat().st_size > 0
    return entries


def interrupt(patch: pytest.MonkeyPatch, folder: Path, last: int, error: BaseException, *, for_ever: bool) -> list[str]:
    """Have the ``last``-th change of a folder fail, and all that follow, if ``for_ever``; return what was asked for."""
    asked: list[str] = []

    def failing(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            if Path(arguments[0]).name.startswith(("journal.sqlite", folder.name)) and ".piprint" not in str(
                arguments[0]
            ):
                asked.append(name)
                if len(asked) == last or (for_ever and len(asked) > last):
                    raise error
            return original(*arguments, **options)

        patch.setattr(owner, name, call)

    for owner, name in CALLS:
        failing(owner, name)
    return asked


@pytest.mark.parametrize("at", range(2, 9))
async def test_s9_a_power_cut_while_restoring_leaves_no_journal_without_its_log(tmp_path: Path, at: int) -> None:
    """What is opened at the next start is the journal before, whole; or none, or the backup, and that one is kept whole."""
    entries = await killed(tmp_path)
    back_up(tmp_path / "data", tmp_path / "saved")
    with pytest.MonkeyPatch.context() as patch:
        asked = interrupt(patch, tmp_path / "data", at, PowerCut(), for_ever=True)
        with pytest.raises(PowerCut):
            restore(tmp_path / "data", tmp_path / "saved", NOON)
    assert asked
    kept = tmp_path / "data" / "journal.sqlite.before-restore-20261130-120000"
    _, found, _ = await read(tmp_path / "data")
    if found == entries:
        return
    assert [entry.row_no for entry in found] in ([], [1, 2])
    (tmp_path / "look").mkdir(mode=0o700)
    for part in ("", "-wal"):
        if Path(f"{kept}{part}").exists():
            shutil.copyfile(f"{kept}{part}", tmp_path / "look" / f"journal.sqlite{part}")
    assert (await read(tmp_path / "look"))[1] == entries


@pytest.mark.parametrize("for_ever", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("at", range(2, 9))
async def test_s9_a_disk_that_fails_while_restoring_is_told_as_it_is(tmp_path: Path, at: int, for_ever: bool) -> None:
    entries = await killed(tmp_path)
    back_up(tmp_path / "data", tmp_path / "saved")
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, tmp_path / "data", at, OSError(13, "Permission denied"), for_ever=for_ever)
        try:
            restore(tmp_path / "data", tmp_path / "saved", NOON)
        except JournalError as error:
            told = str(error)
        else:
            told = "restored"
    _, found, _ = await read(tmp_path / "data")
    if "nothing was changed" in told:
        assert found == entries, "its log is beside it"
    elif "There is none there now" in told:
        assert found == []
    else:
        assert told == "restored" or "the backup is the journal" in told
        assert [entry.row_no for entry in found] == [1, 2]


async def test_s9_a_host_without_a_clock_restores_twice_and_keeps_both(tmp_path: Path) -> None:
    await filled(tmp_path / "data")
    back_up(tmp_path / "data", tmp_path / "saved")
    first = restore(tmp_path / "data", tmp_path / "saved", NOON)
    second = restore(tmp_path / "data", tmp_path / "saved", NOON)
    assert first is not None
    assert second is not None
    assert first != second
    assert first.exists()
    assert second.exists()


async def test_s9_a_log_with_a_hole_is_neither_backed_up_nor_restored(tmp_path: Path) -> None:
    """The processor refuses such a journal; the last good backup must not be replaced by it."""
    journal = await Journal.open(tmp_path / "data", durable=False)
    for number in range(6):
        await journal.remember_payload(f"P{number}", "{}")
    shutil.copytree(tmp_path / "data", tmp_path / "cut")
    await journal.close()
    back_up(tmp_path / "data", tmp_path / "saved")
    good = (tmp_path / "saved").read_bytes()
    log = tmp_path / "cut" / "journal.sqlite-wal"
    content = bytearray(log.read_bytes())
    page = 4096 + 24
    content[32 + ((len(content) - 32) // page - 5) * page + 2000] ^= 0xFF
    log.write_bytes(content)
    with pytest.raises(JournalError, match="has a hole"):
        back_up(tmp_path / "cut", tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == good
    with pytest.raises(JournalError, match=r"has a hole.*nothing was changed"):
        restore(tmp_path / "new", tmp_path / "cut" / "journal.sqlite", NOON)
    assert not (tmp_path / "new" / "journal.sqlite").exists()
