# ruff: noqa: ASYNC240 - small files; what is refused is looked at, what is taken, too
"""S10: whatever is damaged in the journal, the start either goes well or is refused in sentences; never a traceback."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from piprint.bc.job import Claim, JobRow
from piprint.contract import JobState
from piprint.errors import JournalError
from piprint.journal.entry import Entry, Outcome
from piprint.journal.steps import Step
from piprint.journal.store import Journal

ROUNDS = int(os.environ.get("PIPRINT_DAMAGES", "1"))
"""Times each page is damaged; more in a night."""
HAPPY = [Step.STORED, Step.CREATING, Step.CREATED, Step.SENDING, Step.SENT, Step.RELEASING, Step.FOLLOWING]
NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def fill(folder: Path, *, jobs: int = 60, keep_log: Path | None = None) -> None:
    """Write a journal with jobs at all steps, counts and printers; ``keep_log``: a copy as a power cut leaves it."""
    journal = await Journal.open(folder, durable=False, clock=lambda: NOON)
    for row_no in range(1, jobs + 1):
        row = JobRow(row_no, "Office", JobState.QUEUED, payload='{"objectname":"Invoice"}' + " " * 500, id="guid")
        entry = await journal.begin(row, Claim("shop", "0a0a0a0a", 1, f"{row_no:08x}"), name=f"bc-x-{row_no}-1")
        if row_no % 5:
            entry = await journal.advance(entry, Step.STORED)
            entry = await journal.advance(entry, Step.ENDED, outcome=Outcome.PRINTED, notes=("one", "two"))
            await journal.advance(entry, Step.REPORTED)
        else:
            for step in HAPPY[: row_no // 5 % 8]:
                entry = await journal.advance(entry, step)
    await journal.remember_payload("Office", '{"version":1}')
    if keep_log is not None:
        shutil.copytree(folder, keep_log)
    await journal.close()


async def start(folder: Path) -> list[Entry]:
    """Do what the processor does at its start, and the page after it."""
    journal = await Journal.open(folder, durable=False, clock=lambda: NOON)
    try:
        await journal.totals()
        await journal.sweep()
        await journal.payloads()
        await journal.history(200)
        return await journal.unreported()
    finally:
        await journal.close()


async def judged(folder: Path, sound: list[Entry]) -> bool:
    """Start; return whether it was refused. A journal that is taken has lost no job that is on its way."""
    try:
        found = await start(folder)
    except JournalError as error:
        text = str(error)
        if "a newer piprint wrote" in text:
            return True
        assert "journal.sqlite" in text
        assert "printed twice" in text
        assert "away" in text or "Look at the disk" in text
        return True
    assert [(entry.row_no, entry.step) for entry in found] == [(entry.row_no, entry.step) for entry in sound]
    return False


@pytest.fixture
async def sound(tmp_path: Path) -> Path:
    await fill(tmp_path / "sound")
    return tmp_path / "sound" / "journal.sqlite"


def placed(folder: Path, content: bytes) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    (folder / "journal.sqlite").write_bytes(content)
    return folder


@pytest.mark.parametrize("how", ["zeros", "noise", "byte", "end"])
async def test_s10_any_damaged_page_is_told_or_does_no_harm(tmp_path: Path, sound: Path, how: str) -> None:
    good = sound.read_bytes()
    expected = await start(sound.parent)
    size = int.from_bytes(good[16:18])
    rng = random.Random(how)
    refused = 0
    for _ in range(ROUNDS):
        for page in range(0, len(good), size):
            content = bytearray(good)
            if how == "zeros":
                content[page : page + size] = bytes(size)
            elif how == "noise":
                content[page : page + size] = rng.randbytes(size)
            elif how == "end":
                del content[page:]
            else:  # structure, not text: what stands in a text cell nobody can know
                content[page + (100 if page == 0 else 0) + rng.randrange(8)] ^= 1 << rng.randrange(8)
            if how == "end" and page == 0:
                continue  # an empty file is a new journal; see below
            refused += await judged(placed(tmp_path / "data", bytes(content)), expected)
    assert refused > 0


async def test_s10_each_byte_of_the_header(tmp_path: Path, sound: Path) -> None:
    good = sound.read_bytes()
    expected = await start(sound.parent)
    for at in range(0, 100, 3):
        content = bytearray(good)
        content[at] ^= 0xFF
        await judged(placed(tmp_path / "data", bytes(content)), expected)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE total SET outcome = 'prinded'",
        "UPDATE job SET step = 'senting' WHERE row_no = 20",
        "UPDATE job SET notes = '[' WHERE row_no = 20",
        "UPDATE job SET begun = 'yesterday' WHERE row_no = 20",
        "UPDATE job SET claim = 'none' WHERE row_no = 20",
        "UPDATE job SET claim = '' WHERE row_no = 20",
        "PRAGMA user_version = 0",
        "DROP TABLE total",
        "DROP TABLE meta",
        "DROP TABLE printer",
        "ALTER TABLE job DROP COLUMN message",
    ],
)
async def test_s10_what_is_none_of_what_we_write_is_told(tmp_path: Path, sound: Path, sql: str) -> None:
    with closing(sqlite3.connect(sound)) as database:
        database.execute(sql)
        database.commit()
    assert await judged(sound.parent, [])


async def test_s10_damage_in_what_is_over_does_not_stop_the_start(tmp_path: Path, sound: Path) -> None:
    expected = await start(sound.parent)
    with closing(sqlite3.connect(sound)) as database:
        database.execute("UPDATE job SET notes = '[' WHERE row_no = 1")
        database.execute("UPDATE printer SET payload = '{'")
        database.commit()
    assert not await judged(sound.parent, expected)


async def test_s10_damage_of_the_index_is_found(tmp_path: Path, sound: Path) -> None:
    """The index says which jobs are on their way: without it they would be forgotten in silence."""
    with closing(sqlite3.connect(sound)) as database:
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'job_open'").fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    content = bytearray(sound.read_bytes())
    at = (root - 1) * size
    content[at + 3 : at + 5] = bytes(2)  # no entries (SQLite file format, 1.6)
    assert await judged(placed(tmp_path / "data", bytes(content)), [])


async def test_s10_damage_of_the_log_is_told_and_loses_no_step(tmp_path: Path) -> None:
    """Only of the last commit nobody can say whether it was ever on the disk."""
    cut = tmp_path / "cut"
    await fill(tmp_path / "sound", keep_log=cut)
    good = (cut / "journal.sqlite-wal").read_bytes()
    shutil.copytree(cut, tmp_path / "whole")
    expected = await start(tmp_path / "whole")
    rng, refused = random.Random(1), 0
    for turn in range(24 * ROUNDS):
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(cut, folder)
        content = bytearray(good)
        at = turn if turn < 8 else rng.randrange(len(content) - 5 * 4120)
        length = rng.choice([1, 8, 4096])
        content[at : at + length] = rng.randbytes(length)
        (folder / "journal.sqlite-wal").write_bytes(content)
        refused += await judged(folder, expected)
    assert refused > 12


async def test_s10_a_log_cut_off_anywhere_is_no_damage(tmp_path: Path) -> None:
    """A power cut leaves the last commit in any part."""
    cut = tmp_path / "cut"
    await fill(tmp_path / "sound", jobs=8, keep_log=cut)
    good = (cut / "journal.sqlite-wal").read_bytes()
    rng = random.Random(2)
    for _ in range(10 * ROUNDS):
        folder = tmp_path / "data"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(cut, folder)
        (folder / "journal.sqlite-wal").write_bytes(good[: rng.randrange(len(good))])
        await start(folder)


async def test_s10_an_old_log_whose_head_is_being_written_anew_is_no_damage(tmp_path: Path) -> None:
    """All of it is in the database by then."""
    folder, cut = tmp_path / "data", tmp_path / "cut"
    journal = await Journal.open(folder, durable=False)
    await journal.begin(JobRow(1, "A", JobState.QUEUED), Claim("shop", "0a", 1, "0" * 8), name="n")
    journal._database.execute("PRAGMA wal_checkpoint")
    shutil.copytree(folder, cut)
    expected = await journal.unreported()
    await journal.close()
    content = bytearray((cut / "journal.sqlite-wal").read_bytes())
    content[12:24] = bytes(12)
    (cut / "journal.sqlite-wal").write_bytes(content)
    assert await start(cut) == expected


async def test_s10_the_program_ends_with_3_and_is_not_started_again(tmp_path: Path, sound: Path) -> None:
    with closing(sqlite3.connect(sound)) as database:
        database.execute("UPDATE total SET outcome = 'prinded'")
        database.commit()
    config = tmp_path / "piprint.toml"
    config.write_text(
        f"data_dir = '{sound.parent}'\n[business_central]\nurl = 'http://127.0.0.1:9/ODataV4/'\n[business_central.login]\n"
        "kind = 'basic'\nusername = 'pi'\npassword = 'x'\n[cups]\nenabled = false\n[web]\nenabled = false\n"
        "[[printers]]\nid = 'far'\nuri = 'socket://127.0.0.1:9'\n"
    )
    config.chmod(0o600)
    command = [sys.executable, "-m", "piprint.runtime.process", str(config)]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    assert "Traceback" not in ended.stdout + ended.stderr
    assert "is damaged" in ended.stdout + ended.stderr
    unit = Path(__file__).parents[4] / "deploy" / "piprint" / "piprint.service"
    assert "RestartPreventExitStatus=2 3" in unit.read_text()
