"""The journal on disk: what is written is there after a kill, and only what may follow is written."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState
from piprint.errors import JournalError, SpoolFull
from piprint.journal import ageing, store
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import FOLLOWED_BY, Step
from piprint.journal.store import Journal

ROW = JobRow(7, "A", JobState.QUEUED, payload='{"a":1}', id="guid")


async def begun(journal: Journal, row_no: int = 7, attempt: int = 1) -> Entry:
    row = JobRow(row_no, "A", JobState.QUEUED, payload='{"a":1}', id="guid")
    return await journal.begin(row, Claim.new("shop", journal.instance, attempt), name=f"bc-test-{row_no}-{attempt}")


async def ended(journal: Journal, row_no: int, outcome: Outcome = Outcome.PRINTED) -> Entry:
    entry = await journal.advance(await begun(journal, row_no), Step.STORED)
    entry = await journal.advance(entry, Step.ENDED, outcome=outcome, message="Printed")
    return await journal.advance(entry, Step.REPORTED)


async def test_what_was_committed_is_there_after_the_process_is_gone(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path)
    entry = await journal.advance(await begun(journal), Step.STORED, size=12, tries=1)
    entry = await journal.advance(entry, Step.CREATING, notes=("one", "zwei"))
    entry = await journal.advance(entry, Step.CREATED, ipp_id=3, ipp_uuid="u", ipp_up_time=9, held=True)
    instance = journal.instance
    await journal.close()
    again = await Journal.open(tmp_path)
    assert await again.unreported() == [entry]
    assert again.instance == instance
    assert entry.accepted.held
    assert entry.claim_of("shop").instance == instance
    await again.close()


async def test_a_commit_is_flushed(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path)
    pragmas = [journal._database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert pragmas == ["wal", 2]
    await journal.close()


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("following", Step)
async def test_only_a_step_that_may_follow_is_written(tmp_path: Path, step: Step, following: Step) -> None:
    journal = await Journal.open(tmp_path, durable=False)
    entry = await journal.note(await begun(journal), step=step)
    if following in FOLLOWED_BY[step]:
        assert (await journal.advance(entry, following)).step is following
    else:
        with pytest.raises(JournalError, match=f"{following} cannot follow {step}"):
            await journal.advance(entry, following)
        assert (await journal.by_claim(7, entry.claim)) == entry
    await journal.close()


async def test_a_second_processor_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    first = await Journal.open(tmp_path)
    program = (
        "import asyncio, pathlib, sys\n"
        "from piprint.journal.store import Journal\n"
        "from piprint.errors import JournalError\n"
        "try:\n"
        "    asyncio.run(Journal.open(pathlib.Path(sys.argv[1])))\n"
        "except JournalError as error:\n"
        "    print(error)\n"
    )
    told = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)  # noqa: ASYNC221
    pid = (tmp_path / "piprint.lock").read_text().strip()
    assert f"another piprint (process {pid}) works with {tmp_path}" in told.stdout
    await first.close()
    second = await Journal.open(tmp_path)
    await second.close()


async def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    await (await Journal.open(tmp_path)).close()
    with sqlite3.connect(tmp_path / "journal.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(JournalError, match=r"newer piprint.*version 99"):
        await Journal.open(tmp_path)


async def test_a_damaged_journal_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(JournalError, match=r"journal\.sqlite\* in .* away"):
        await Journal.open(tmp_path)


async def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="data_dir"):
        await Journal.open(tmp_path / "file" / "data")


async def test_a_folder_others_can_put_links_into_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents would go, and be deleted, where the links lead."""
    mine, shared = tmp_path / "mine", tmp_path / "shared"
    mine.mkdir()
    (mine / "letter.doc").write_text("kept")
    shared.mkdir()
    (shared / "spool").symlink_to(mine)
    shared.chmod(0o777)
    with pytest.raises(JournalError, match="everybody may write to it"):
        await Journal.open(shared)
    shared.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(shared, 65534, -1)
    else:
        monkeypatch.setattr(store.os, "geteuid", lambda: shared.stat().st_uid + 1)
    with pytest.raises(JournalError, match="it belongs to user id"):
        await Journal.open(shared)
    assert (mine / "letter.doc").read_text() == "kept"
    assert list(shared.iterdir()) == [shared / "spool"]


async def test_another_programs_spool_is_left_as_it_is(tmp_path: Path) -> None:
    """``data_dir = "/var"``, as root: the printing system of the whole machine would stop."""
    theirs = tmp_path / "spool"
    theirs.mkdir()
    theirs.chmod(0o755)
    (theirs / "cups").mkdir()
    with pytest.raises(JournalError, match="data_dir of its own"):
        await Journal.open(tmp_path)
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o755
    (theirs / "cups").rmdir()
    journal = await Journal.open(tmp_path)
    assert stat.S_IMODE(theirs.stat().st_mode) == 0o700
    await journal.close()


async def test_only_documents_are_swept_away(tmp_path: Path) -> None:
    """A data_dir may be any folder, and may have had a spool before."""
    (tmp_path / "spool").mkdir(mode=0o700)
    for name in ("letter.doc", "7-1", "2026-11-22 letter.pdf", "7-1.pdf", "7-1.zpl"):
        (tmp_path / "spool" / name).write_text("x")
    journal = await Journal.open(tmp_path)
    assert await journal.sweep() == 2
    assert sorted(path.name for path in (tmp_path / "spool").iterdir()) == [
        "2026-11-22 letter.pdf",
        "7-1",
        "letter.doc",
    ]
    await journal.close()


def test_the_schema_has_the_fields_of_an_entry() -> None:
    text = (Path(store.__file__).parent / "schema.sql").read_text()
    table = re.search(r"CREATE TABLE job \((.*?)PRIMARY KEY", text, re.DOTALL)
    assert table is not None
    columns = re.findall(r"^\s+(\w+) (?:INTEGER|TEXT)", table[1], re.MULTILINE)
    assert set(columns) - {"reported_no", "reported_hour"} == {each.name for each in fields(Entry)}


async def test_documents_are_private_and_those_without_a_job_are_deleted(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path)
    entry = await begun(journal)
    journal.document(entry).write_bytes(b"%PDF-1.7")
    await journal.settle(entry)
    spool = journal.spool.folder
    (spool / "9-1.pdf").write_bytes(b"left over")
    (spool / "7-1.zpl").write_bytes(b"made of it")
    assert stat.S_IMODE(spool.stat().st_mode) == 0o700
    assert stat.S_IMODE(journal.document(entry).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "journal.sqlite").stat().st_mode) == 0o600
    assert await journal.sweep() == 1
    assert sorted(path.name for path in spool.iterdir()) == ["7-1.pdf", "7-1.zpl"]
    await journal.remove_document(entry)
    assert not list(spool.iterdir())
    await journal.close()


async def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = await Journal.open(tmp_path)
    entry = await begun(journal)
    journal.document(entry).write_bytes(b"%PDF-1.7")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SpoolFull, match="goes back to Business Central"):
        await journal.settle(entry)
    monkeypatch.undo()
    await journal.close()


async def test_history_is_bounded_by_age_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = [7e6]
    monkeypatch.setattr(ageing, "KEEP_JOBS", 3)
    monkeypatch.setattr(ageing, "KEEP_LAST", 2)
    monkeypatch.setattr(ageing, "PRUNE_EVERY", 1)
    journal = await Journal.open(tmp_path, durable=False, seconds=lambda: seconds[0])
    for row_no in range(1, 8):
        await ended(journal, row_no)
    assert [entry.row_no for entry in await journal.history()] == [7, 6, 5]
    open_entry = await begun(journal, 100)
    seconds[0] += 31 * 86400
    await ended(journal, 101)
    assert [entry.row_no for entry in await journal.history()] == [101, 7], "the last ones stay, however old"
    assert await journal.unreported() == [open_entry]
    assert await journal.totals() == {Outcome.PRINTED: 8}
    await journal.close()


async def test_a_claim_that_was_not_ours_is_no_history_but_its_number_is_used(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, durable=False)
    entry = await begun(journal, attempt=4)
    await journal.advance(entry, Step.REPORTED, outcome=Outcome.UNCLAIMED)
    assert await journal.history() == []
    assert await journal.last_attempt(7) == 4
    assert await journal.last_attempt(8) == 0
    await journal.close()


PAYLOAD = {"objectname": "Standard Sales \n Invoice", "companyname": "CRONUS A/S", "reportrunid": "c08679d0-a879"}


async def test_what_was_printed_stays_known_after_its_settings_are_gone(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, durable=False)
    row = JobRow(7, "A", JobState.QUEUED, payload=json.dumps(PAYLOAD))
    entry = await journal.begin(row, Claim.new("shop", journal.instance, 1), name="bc-test-7-1")
    entry = await journal.advance(entry, Step.REPORTED, outcome=Outcome.PRINTED)
    assert await journal.history() == [entry]
    assert (entry.title, entry.company, entry.run_id) == ("Standard Sales Invoice", "CRONUS A/S", "c08679d0-a879")
    assert entry.about == "job 7 for A (Standard Sales Invoice, run c08679d0-a879)"
    long = replace(row, row_no=8, payload=json.dumps(dict.fromkeys(PAYLOAD, "x" * 5000)))
    entry = await journal.begin(long, Claim.new("shop", journal.instance, 1), name="bc-test-8-1")
    assert {len(entry.title), len(entry.company), len(entry.run_id)} == {100}
    assert (await begun(journal, 9)).about == "job 9 for A"
    await journal.close()


async def test_a_journal_from_before_reports_had_names_is_read_on(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, durable=False)
    entry = await begun(journal)
    for name in ("title", "company", "run_id"):
        journal._database.execute(f"ALTER TABLE job DROP COLUMN {name}")
    await journal.close()
    again = await Journal.open(tmp_path, durable=False)
    assert await again.unreported() == [entry]
    assert (await begun(again, 8)).title == ""
    await again.close()


async def test_settings_of_a_job_are_forgotten_when_it_is_reported(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path, durable=False)
    entry = await ended(journal, 7)
    assert entry.payload == ""
    found: Any = journal._database.execute("SELECT payload FROM job").fetchone()
    assert found == ("",)
    await journal.close()
