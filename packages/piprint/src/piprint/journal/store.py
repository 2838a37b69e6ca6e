"""The journal on disk: every step of every job, written and flushed before the next is taken.

SQLite in WAL mode with ``synchronous=FULL``: a commit that returned survives a power cut. One thread of its own does
the writing, so that the event loop never waits for the disk. A lock on a file beside it keeps a second processor out.

This module checks that a step may follow the one before (:data:`piprint.journal.steps.FOLLOWED_BY`); it does not know
printers or Business Central, and takes no decision.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sqlite3
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, TypeVar

from piprint.contract import cut
from piprint.errors import JournalError
from piprint.job import Claim, JobRow
from piprint.journal.entry import Entry, Outcome
from piprint.journal.lock import FileLock
from piprint.journal.spool import Spool
from piprint.journal.steps import FOLLOWED_BY, Step
from piprint.payloads import read_job_payload

__all__ = ["KEEP_DAYS", "KEEP_JOBS", "KEEP_LAST", "SCHEMA_VERSION", "Journal", "Observer"]

SCHEMA_VERSION = 1
KEEP_DAYS = 30
"""Days a reported job stays for the status page."""
KEEP_JOBS = 10_000
"""Reported jobs kept at most; about 5 MB."""
KEEP_LAST = 1_000
"""Reported jobs kept however old they are: after weeks of holidays CUPS may come back with the last it had."""
_PRUNE_EVERY = 256
"""Reports between two looks at what is too old."""
_LONGEST_NAME = 100
"""Characters kept of a report's or company's name, and of a run's number: 30 or 36 as Business Central has them."""
_LATER = ("title", "company", "run_id", "ipp_run")
"""Columns that journals of before 0.1.0 do not have."""

T = TypeVar("T")
Observer = Callable[[Literal["before", "after"], Entry], None]
"""Told of every commit of a step, on the journal's thread."""

_COLUMNS = tuple(each.name for each in fields(Entry))


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """The journal of one processor; made by :meth:`open`.

    Attributes:
        instance: this processor's random name, kept in the journal; says in Business Central whose a claim is.
        spool: where documents lie.
    """

    def __init__(
        self,
        folder: Path,
        *,
        executor: Executor | None = None,
        durable: bool = True,
        clock: Callable[[], datetime] = _utc_now,
        observer: Observer | None = None,
    ) -> None:
        self.folder = folder
        self.instance = ""
        self.spool: Spool
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._durable = durable
        self._clock = clock
        self._observer = observer
        self._lock: FileLock | None = None
        self._database: sqlite3.Connection
        self._reports = 0

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        executor: Executor | None = None,
        durable: bool = True,
        clock: Callable[[], datetime] = _utc_now,
        observer: Observer | None = None,
    ) -> Journal:
        """Open the journal in ``folder``, made with its parents when it is not there.

        Args:
            folder: the data_dir.
            executor: where the disk is written; default: one thread. Must do one thing after the other.
            durable: False leaves flushing to the operating system; for tests on a slow disk.
            clock: the time of day, UTC.
            observer: told before and after each step is committed.

        Raises:
            JournalError: another processor has it, a newer version wrote it, or it cannot be read.
        """
        journal = cls(folder, executor=executor, durable=durable, clock=clock, observer=observer)
        try:
            await journal._call(journal._open)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def close(self) -> None:
        """Close it and let the next processor in."""
        with suppress(sqlite3.Error, AttributeError):
            await self._call(self._database.close)
        if self._lock is not None:
            self._lock.release()
        await asyncio.get_running_loop().run_in_executor(None, self._executor.shutdown)

    async def begin(
        self, row: JobRow, claim: Claim, *, name: str, inherits: str = "", inherited: bool | None = None
    ) -> Entry:
        """Note that a job is about to be claimed.

        Args:
            row: the job.
            claim: the claim about to be made.
            name: the name the job will have at the printer.
            inherits: see :class:`Entry`.
            inherited: see :class:`Entry`.
        """
        now = self._clock()
        told = read_job_payload(row.payload)
        entry = Entry(
            row_no=row.row_no,
            attempt=claim.attempt,
            printer_id=row.printer_id,
            claim=claim.token,
            name=name,
            row_id=row.id,
            payload=row.payload,
            title=cut(told.objectname, _LONGEST_NAME),
            company=cut(told.companyname, _LONGEST_NAME),
            run_id=cut(told.reportrunid, _LONGEST_NAME),
            step=Step.CLAIMING,
            begun=now,
            changed=now,
            inherits=inherits,
            inherited=inherited,
        )
        await self._call(lambda: self._commit(entry, lambda: self._insert(entry)))
        return entry

    async def advance(self, entry: Entry, step: Step, **changes: Any) -> Entry:
        """Commit the next step of a job, and whatever else is known by then.

        Args:
            entry: the job as the journal has it.
            step: the step.
            changes: fields of :class:`Entry` by name.

        Returns:
            the entry as it is now.

        Raises:
            JournalError: that step cannot follow, or the disk did not take it. Then nothing was written.
        """
        if step not in FOLLOWED_BY[entry.step]:
            raise JournalError(
                f"job {entry.row_no}: step {step} cannot follow {entry.step}; this is a mistake in piprint, please report it"
            )
        if step is Step.ENDED:
            changes["ended"] = self._clock()
        if step is Step.REPORTED:
            changes["payload"] = ""
        return await self._store(entry, step=step, **changes)

    async def note(self, entry: Entry, **changes: Any) -> Entry:
        """Commit changes that are no step; return the entry as it is now."""
        return await self._store(entry, **changes)

    async def unreported(self) -> list[Entry]:
        """Return the jobs Business Central does not know the end of, by row number."""
        return await self._call(lambda: self._select("step <> 'reported' ORDER BY row_no, attempt"))

    async def last_attempt(self, row_no: int) -> int:
        """Return the number of the last claim of a job; 0 when there is none."""

        def ask() -> int:
            query = "SELECT coalesce(max(attempt), 0) FROM job WHERE row_no = ?"
            return int(self._database.execute(query, (row_no,)).fetchone()[0])

        return await self._call(ask)

    async def by_claim(self, row_no: int, token: str) -> Entry | None:
        """Return the entry of a claim; None when this journal does not know it."""
        found = await self._call(lambda: self._select("row_no = ? AND claim = ?", row_no, token))
        return found[0] if found else None

    async def by_names(self, names: Sequence[str]) -> list[Entry]:
        """Return the entries of the jobs that have one of these names at the printer."""
        where = "name IN (SELECT value FROM json_each(?))"
        return await self._call(lambda: self._select(where, json.dumps(list(names)))) if names else []

    async def history(self, limit: int = 100) -> list[Entry]:
        """Return the last reported jobs, newest first; claims that never became ours are left out."""
        where = "step = 'reported' AND outcome <> 'unclaimed' ORDER BY changed DESC LIMIT ?"
        return await self._call(lambda: self._select(where, limit))

    async def totals(self) -> dict[Outcome, int]:
        """Return how many jobs ended how since the journal began."""

        def ask() -> dict[Outcome, int]:
            rows = self._database.execute("SELECT outcome, jobs FROM total").fetchall()
            return {Outcome(outcome): jobs for outcome, jobs in rows}

        return await self._call(ask)

    async def payloads(self) -> dict[str, str]:
        """Return the payloads of printers as they were last, by printer id."""

        def ask() -> dict[str, str]:
            return dict(self._database.execute("SELECT printer_id, payload FROM printer").fetchall())

        return await self._call(ask)

    async def remember_payload(self, printer_id: str, payload: str) -> None:
        """Keep a printer's payload. One that cannot be written is asked for again at the next start."""

        def write() -> None:
            with suppress(sqlite3.Error):
                self._database.execute("INSERT OR REPLACE INTO printer VALUES (?, ?)", (printer_id, payload))

        await self._call(write)

    async def settle(self, entry: Entry) -> None:
        """Flush a job's document to disk.

        Raises:
            SpoolFull: there is no room after all.
        """
        path = self.spool.path(entry.row_no, entry.attempt)
        if self._durable:
            await self._call(lambda: self.spool.settle(path))

    async def remove_document(self, entry: Entry) -> None:
        """Delete a job's document."""
        await self._call(lambda: self.spool.remove(entry.row_no, entry.attempt))

    async def sweep(self) -> int:
        """Delete documents of jobs that need none any more; return how many."""
        keep = [(entry.row_no, entry.attempt) for entry in await self.unreported()]
        return await self._call(lambda: self.spool.sweep(keep))

    async def free(self) -> int:
        """Return the bytes free for documents."""
        return await self._call(self.spool.free)

    def document(self, entry: Entry) -> Path:
        """Return where a job's document lies, or will."""
        return self.spool.path(entry.row_no, entry.attempt)

    # What follows runs on the journal's thread.

    def _open(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._expect_own_folder()
            self._lock = FileLock(self.folder / "piprint.lock")
            self.spool = Spool(self.folder / "spool")
        except OSError as error:
            raise JournalError(
                f"data_dir {self.folder} cannot be used: {error.strerror}. Jobs are kept there; "
                "give a folder this user may write to"
            ) from error
        path = self.folder / "journal.sqlite"
        try:
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
            path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            self._migrate()
            self.instance = self._instance()
            self._prune()
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"the journal {path} cannot be read: {error}. It says which jobs are on their way. Look at the disk; "
                "if the file is damaged, move it away: jobs that were printing then end as uncertain, none is printed twice"
            ) from error

    def _expect_own_folder(self) -> None:
        """Refuse a folder that others can put links into: documents and deletions would go where these lead."""
        if sys.platform == "win32":
            return
        status = self.folder.stat()
        if status.st_uid not in {0, os.geteuid()}:
            whose = f"it belongs to user id {status.st_uid}"
        elif status.st_mode & stat.S_IWOTH:
            whose = "everybody may write to it"
        else:
            return
        raise JournalError(
            f"data_dir {self.folder} is not safe: {whose}. Documents and the journal are kept there; give a folder of this "
            "user's own, such as one that does not exist yet"
        )

    def _migrate(self) -> None:
        version = int(self._database.execute("PRAGMA user_version").fetchone()[0])
        if version > SCHEMA_VERSION:
            raise JournalError(
                f"a newer piprint wrote the journal in {self.folder} (version {version}, this one knows {SCHEMA_VERSION}). "
                "Start that version again, or wait until all jobs are reported and move the journal away"
            )
        if version == 0:
            schema = files("piprint.journal").joinpath("schema.sql").read_text(encoding="utf-8")
            self._database.executescript(f"BEGIN; {schema} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        present = {name for _, name, *_ in self._database.execute("PRAGMA table_info(job)")}
        for name in _LATER:
            if name not in present:
                self._database.execute(f"ALTER TABLE job ADD COLUMN {name} TEXT NOT NULL DEFAULT ''")

    def _instance(self) -> str:
        name = secrets.token_hex(4)
        self._database.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?)", (name,))
        return str(self._database.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()[0])

    def _prune(self) -> None:
        oldest = (self._clock() - timedelta(days=KEEP_DAYS)).isoformat()
        query = "SELECT changed FROM job WHERE step = 'reported' ORDER BY changed DESC LIMIT 1 OFFSET ?"
        if last := self._database.execute(query, (KEEP_LAST,)).fetchone():
            delete = "DELETE FROM job WHERE step = 'reported' AND changed < ? AND changed <= ?"
            self._database.execute(delete, (oldest, *last))
        if last := self._database.execute(query, (KEEP_JOBS,)).fetchone():
            self._database.execute("DELETE FROM job WHERE step = 'reported' AND changed <= ?", last)

    def _insert(self, entry: Entry) -> None:
        marks = ", ".join("?" * len(_COLUMNS))
        values = tuple(_cell(getattr(entry, name)) for name in _COLUMNS)
        # Names come from the dataclass, never from outside.
        self._database.execute(f"INSERT INTO job ({', '.join(_COLUMNS)}) VALUES ({marks})", values)  # noqa: S608

    def _update(self, entry: Entry, changes: Mapping[str, Any]) -> None:
        assignments = ", ".join(f"{name} = ?" for name in changes)
        values = (*(_cell(value) for value in changes.values()), entry.row_no, entry.attempt)
        done = self._database.execute(f"UPDATE job SET {assignments} WHERE row_no = ? AND attempt = ?", values)  # noqa: S608
        if done.rowcount != 1:
            raise JournalError(f"the journal lost job {entry.row_no}; was its file replaced while piprint ran?")
        if changes.get("step") is Step.REPORTED and entry.outcome is not None:
            self._count(entry.outcome)

    def _count(self, outcome: Outcome) -> None:
        count = "INSERT INTO total VALUES (?, 1) ON CONFLICT (outcome) DO UPDATE SET jobs = jobs + 1"
        self._database.execute(count, (outcome,))
        self._reports += 1
        if self._reports % _PRUNE_EVERY == 0:
            self._prune()

    def _commit(self, entry: Entry, work: Callable[[], None]) -> None:
        if self._observer is not None:
            self._observer("before", entry)
        try:
            self._database.execute("BEGIN IMMEDIATE")
            work()
            self._database.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise JournalError(
                    f"the journal cannot be written: {error}. Jobs wait until it can; make room on the disk of {self.folder}"
                ) from error
            raise
        if self._observer is not None:
            self._observer("after", entry)

    def _select(self, where: str, *values: object) -> list[Entry]:
        rows = self._database.execute(f"SELECT {', '.join(_COLUMNS)} FROM job WHERE {where}", values)  # noqa: S608
        return [_entry(row) for row in rows]

    async def _store(self, entry: Entry, **changes: Any) -> Entry:
        changes["changed"] = self._clock()
        new = replace(entry, **changes)
        await self._call(lambda: self._commit(new, lambda: self._update(new, changes)))
        return new

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)


def _cell(value: Any) -> Any:
    """Turn a field into what SQLite keeps."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    return value


def _entry(row: tuple[Any, ...]) -> Entry:
    cells = dict(zip(_COLUMNS, row, strict=True))
    cells["step"] = Step(cells["step"])
    cells["outcome"] = None if cells["outcome"] is None else Outcome(cells["outcome"])
    cells["notes"] = tuple(json.loads(cells["notes"]))
    cells["begun"] = datetime.fromisoformat(cells["begun"])
    cells["ended"] = None if cells["ended"] is None else datetime.fromisoformat(cells["ended"])
    cells["changed"] = datetime.fromisoformat(cells["changed"])
    cells["held"] = bool(cells["held"])
    cells["submitted"] = bool(cells["submitted"])
    cells["inherited"] = None if cells["inherited"] is None else bool(cells["inherited"])
    return Entry(**cells)
