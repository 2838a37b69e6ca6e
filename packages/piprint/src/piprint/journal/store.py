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
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

from piprint.bc.job import Claim, JobRow
from piprint.clock import monotonic, utc_now
from piprint.contract import cut
from piprint.documents.payloads import read_job_payload
from piprint.errors import JournalError, JournalUnavailable
from piprint.journal.ageing import Ageing
from piprint.journal.database import SCHEMA_VERSION, damaged, expect_sound, migrate, open_database
from piprint.journal.entry import Entry, Outcome
from piprint.journal.lock import FileLock
from piprint.journal.spool import Spool
from piprint.journal.steps import FOLLOWED_BY, Step
from piprint.journal.wal import has_lost_commits

__all__ = ["FILE", "LOCK", "SCHEMA_VERSION", "Journal", "Observer"]

FILE = "journal.sqlite"
LOCK = "piprint.lock"
_LONGEST_NAME = 100
"""Characters kept of a report's or company's name, and of a run's number: 30 or 36 as Business Central has them."""
_NO_DAMAGE = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)
"""Primary result codes of SQLite that tell of the disk or of rights, not of what is in the file."""
_SET = timedelta(seconds=2)
"""If the time of day differs by more than this from what the monotonic clock counted, it was set meanwhile."""


class _Unreadable(ValueError):
    """SQLite finds no damage, but the file holds a value that piprint never writes."""


T = TypeVar("T")
Observer = Callable[[Literal["before", "after"], Entry], None]
"""A function that is called before and after every commit, on the journal's thread."""

_COLUMNS = tuple(each.name for each in fields(Entry))


class Journal:
    """The journal of one processor; made by :meth:`open`.

    Attributes:
        instance: this processor's random name, kept in the journal; says in Business Central whose a claim is.
        spool: keeps the documents.
        changes: how often a reported job was reported or noted anew since this journal was opened.
    """

    def __init__(
        self,
        folder: Path,
        *,
        executor: Executor | None = None,
        durable: bool = True,
        clock: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = monotonic,
        observer: Observer | None = None,
    ) -> None:
        self.folder = folder
        self.instance = ""
        self.spool: Spool
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._durable = durable
        self._clock = clock
        self._seconds = seconds
        self._begun: dict[tuple[int, int], float] = {}
        self._observer = observer
        self._lock: FileLock | None = None
        self._database: sqlite3.Connection
        self._ageing: Ageing
        self.changes = 0

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        executor: Executor | None = None,
        durable: bool = True,
        clock: Callable[[], datetime] = utc_now,
        seconds: Callable[[], float] = monotonic,
        observer: Observer | None = None,
    ) -> Journal:
        """Open the journal in ``folder``, made with its parents when it is not there.

        Args:
            folder: the data_dir.
            executor: runs all work on the disk, and must do one thing after the other; default: one thread.
            durable: False leaves flushing to the operating system; for tests on a slow disk.
            clock: the time of day, UTC; labels only.
            seconds: seconds that only grow; how long a job took, and how old it is.
            observer: told before and after each step is committed.

        Raises:
            JournalError: another processor uses the journal, a newer version wrote it, or it cannot be read.
        """
        journal = cls(folder, executor=executor, durable=durable, clock=clock, seconds=seconds, observer=observer)
        try:
            await journal._call(journal._open)
        except BaseException:
            await journal.close()
            raise
        return journal

    async def close(self) -> None:
        """Close the journal, so that another processor can open it."""
        with suppress(sqlite3.Error, AttributeError):
            await self._call(self._ageing.write_at_end)
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
        self._begun[entry.row_no, entry.attempt] = self._seconds()
        return entry

    async def advance(self, entry: Entry, step: Step, **changes: Any) -> Entry:
        """Commit the next step of a job, together with changes to other fields.

        Args:
            entry: the job as the journal has it.
            step: the next step.
            changes: new values of fields of :class:`Entry`, by name.

        Returns:
            The entry with the step and the changes.

        Raises:
            JournalError: the step may not follow the entry's present step, or writing to disk failed. In both cases
                nothing was written.
        """
        if step not in FOLLOWED_BY[entry.step]:
            raise JournalError(
                f"job {entry.row_no}: step {step} cannot follow {entry.step}; this is a mistake in piprint, please report it"
            )
        if step is Step.ENDED:
            changes |= self._times(entry)
        if step is Step.REPORTED:
            changes["payload"] = ""
            self._begun.pop((entry.row_no, entry.attempt), None)
        return await self._store(entry, step=step, **changes)

    async def note(self, entry: Entry, **changes: Any) -> Entry:
        """Commit changes to fields without a new step; return the changed entry."""
        return await self._store(entry, **changes)

    async def unreported(self) -> list[Entry]:
        """Return the jobs whose end was not yet reported to Business Central, by row number."""
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
        where = "step = 'reported' AND outcome <> 'unclaimed' ORDER BY reported_no DESC, changed DESC LIMIT ?"
        return await self._call(lambda: self._select(where, limit, skip_damaged=True))

    async def totals(self) -> dict[Outcome, int]:
        """Return how many jobs ended how since the journal began."""

        def ask() -> dict[Outcome, int]:
            rows = self._database.execute("SELECT outcome, jobs FROM total").fetchall()
            return {Outcome(outcome): int(jobs) for outcome, jobs in rows}

        return await self._call(ask)

    async def payloads(self) -> dict[str, str]:
        """Return the payloads of printers as they were last, by printer id."""

        def ask() -> dict[str, str]:
            return dict(self._database.execute("SELECT printer_id, payload FROM printer").fetchall())

        return await self._call(ask)

    async def remember_payload(self, printer_id: str, payload: str) -> None:
        """Keep a printer's payload, or forget it if ``payload`` is "".

        If the payload cannot be written, it is asked for again at the next start.
        """

        def write() -> None:
            with suppress(sqlite3.Error):
                if not payload:
                    self._database.execute("DELETE FROM printer WHERE printer_id = ?", (printer_id,))
                    return
                self._database.execute("INSERT OR REPLACE INTO printer VALUES (?, ?)", (printer_id, payload))

        await self._call(write)

    async def settle(self, entry: Entry) -> None:
        """Flush a job's document to disk.

        Raises:
            SpoolFull: the disk has no room for the document.
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
            self._lock = FileLock(self.folder / LOCK)
            self.spool = Spool(self.folder / "spool")
        except OSError as error:
            raise JournalUnavailable(
                f"data_dir {self.folder} cannot be used: {error.strerror}. Jobs are kept there; "
                "give a folder this user may write to"
            ) from error
        path = self.folder / FILE
        try:
            if has_lost_commits(path):  # before SQLite plays the log, and with it forgets what it passed over
                raise damaged(path, "its log has a hole: the disk lost what was written there")
            self._database = open_database(path, durable=self._durable)
            expect_sound(self._database, path)
            migrate(self._database, self.folder)
            self.instance = self._instance()
            self._expect_readable()
            self._ageing = Ageing(self._database, self._seconds)
            self._ageing.prune()
        except OSError as error:
            raise JournalUnavailable(
                f"the journal {path} cannot be used: {error.strerror}. It says which jobs are on their way, so nothing is "
                "printed without it. Look at the disk and at the rights of the file"
            ) from error
        except (sqlite3.Error, ValueError, TypeError, IndexError) as error:
            raise _told(path, error) from error

    def _expect_readable(self) -> None:
        """Read what a start needs: bytes can be wrong although SQLite finds all in order.

        Raises:
            ValueError, TypeError: something is none of what we write.
        """
        for entry in self._select("step <> 'reported'"):
            entry.claim_of("")
            read_job_payload(entry.payload)
        for outcome, jobs in self._database.execute("SELECT outcome, jobs FROM total"):
            Outcome(outcome)
            int(jobs)
        for printer_id, payload in self._database.execute("SELECT printer_id, payload FROM printer").fetchall():
            try:
                json.loads(payload)
            except ValueError:  # the printer is asked again
                self._database.execute("DELETE FROM printer WHERE printer_id = ?", (printer_id,))

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

    def _instance(self) -> str:
        name = secrets.token_hex(4)
        self._database.execute("INSERT OR IGNORE INTO meta VALUES ('instance', ?)", (name,))
        return str(self._database.execute("SELECT value FROM meta WHERE name = 'instance'").fetchone()[0])

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
            self._ageing.reported(entry.row_no, entry.attempt)
            self._count(entry.outcome)

    def _count(self, outcome: Outcome) -> None:
        count = "INSERT INTO total VALUES (?, 1) ON CONFLICT (outcome) DO UPDATE SET jobs = jobs + 1"
        self._database.execute(count, (outcome,))

    def _commit(self, entry: Entry, work: Callable[[], None]) -> None:
        if self._observer is not None:
            self._observer("before", entry)
        try:
            self._database.execute("BEGIN IMMEDIATE")
            work()
            self._ageing.write(at_least=1.0)
            self._database.execute("COMMIT")
        except BaseException as error:
            with suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise JournalError(
                    f"the journal cannot be written: {error}. Jobs wait until it can; make room on the disk of {self.folder}"
                ) from error
            raise
        if entry.step is Step.REPORTED:
            self.changes += 1
        if self._observer is not None:
            self._observer("after", entry)

    def _select(self, where: str, *values: object, skip_damaged: bool = False) -> list[Entry]:
        found = []
        for row in self._database.execute(f"SELECT {', '.join(_COLUMNS)} FROM job WHERE {where}", values):  # noqa: S608
            try:
                found.append(_entry(row))
            except (ValueError, TypeError) as error:
                if not skip_damaged:
                    raise _Unreadable(f"the entry of job {row[0]} cannot be read ({error})") from error
        return found

    def _times(self, entry: Entry) -> dict[str, datetime]:
        """Return when a job ended, and when it began: corrected, if the clock was set meanwhile. So its duration is true."""
        now = self._clock()
        begun_at = self._begun.get((entry.row_no, entry.attempt))
        took = None if begun_at is None else timedelta(seconds=self._seconds() - begun_at)
        if took is None or abs(now - entry.begun - took) <= _SET:
            return {"ended": now}
        return {"begun": now - took, "ended": now}

    async def _store(self, entry: Entry, **changes: Any) -> Entry:
        changes["changed"] = self._clock()
        new = replace(entry, **changes)
        await self._call(lambda: self._commit(new, lambda: self._update(new, changes)))
        return new

    async def _call(self, work: Callable[[], T]) -> T:
        """Do something on the journal's thread.

        Raises:
            JournalError: the file is damaged, or cannot be read or written.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, work)
        except sqlite3.Error as error:
            raise _told(self.folder / FILE, error) from error
        except _Unreadable as error:
            raise damaged(self.folder / FILE, error) from error


def _told(path: Path, error: Exception) -> JournalError:
    """Say what is wrong with the journal; a full or a busy disk is no damage."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _NO_DAMAGE:
        return JournalUnavailable(
            f"the journal {path} cannot be read or written: {error}. Jobs wait until it can, none is lost or printed twice. Look at "
            f"the disk of {path.parent} and at the rights of the file"
        )
    return damaged(path, error)


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
