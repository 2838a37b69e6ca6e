"""``nes2mqtt backup`` and ``nes2mqtt restore``: the history into one file, and back.

A backup can be made while the gateway runs. It is made by SQLite's backup API and checked before it gets its name; only
its owner may read it. Restoring needs a stopped gateway. What was there before is kept under another name, and new
readings get numbers above all that were ever given.

This module does not know what is in the tables.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from nes2mqtt.history.database import connection as files
from nes2mqtt.history.database.durable import sync_folder, write_durably
from nes2mqtt.history.database.migrations import VERSION
from nes2mqtt.history.database.repair import Unfinished, put_in_place
from nes2mqtt.history.database.snapshot import snapshot
from nes2mqtt.history.errors import HistoryError, NewerSchema
from nes2mqtt.history.writing.numbers import RESTORED, Mark, read_mark, text_of
from nes2mqtt.history.writing.waiting import numbers_of

__all__ = ["back_up", "restore"]

_ELSEWHERE = 10**12
"""How far ahead numbers go on where only the backup is left: further than any gateway gives in 80 years."""
_OWNER_ONLY = 0o600


def back_up(database: Path, target: Path) -> int:
    """Write the history into one file, also while the gateway runs; return the bytes of the file.

    Args:
        database: the gateway's history.
        target: the file to write; one that is there is replaced when the new one is good.

    Raises:
        HistoryError: there is no history, it is damaged, or the file cannot be written; nothing was replaced.
    """
    if target.is_dir():
        raise HistoryError(f"{target} is a folder; name a file in it, such as {target / 'history-backup.db'}")
    new = target.with_name(f"{target.name}.new")
    try:
        with tempfile.TemporaryDirectory(prefix=".nes2mqtt-backup-", dir=target.parent) as folder:
            copy = snapshot(database, Path(folder))
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY))
            with closing(sqlite3.connect(copy)) as source, closing(sqlite3.connect(new)) as made:
                source.backup(made)
                _check(made, database)
                _make_portable(made, database)
        _sync(new)
        new.replace(target)
        sync_folder(target.parent)
        return target.stat().st_size
    except OSError as error:
        raise HistoryError(f"{target} cannot be written: {error.strerror}") from error
    except sqlite3.Error as error:
        raise HistoryError(
            f"{database} cannot be backed up: {error}. The gateway mends it at its next start."
        ) from error
    finally:
        with suppress(OSError):
            new.unlink()


def restore(database: Path, source: Path, now: datetime) -> Path | None:
    """Put a backup in the place of the history; return the name under which the one before is kept, if there was one.

    Args:
        database: the history of the gateway, which does not run.
        source: the backup.
        now: for the name.

    Raises:
        HistoryError: the gateway runs, or the backup is not good, and nothing was changed; or the disk failed in the
            middle, and the text says what is now.
    """
    if not source.is_file():
        raise HistoryError(f"there is no file {source}")
    last = _last_number(database)
    new = database.with_name(f"{database.name}.restoring")
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, new)
        owner = (database if database.exists() else database.parent).stat()
        if os.name == "posix" and os.geteuid() == 0:
            os.chown(new, owner.st_uid, owner.st_gid)
        mark = numbers_of(database)
        before = _text(mark)
        try:
            if last is not None:
                _write_mark(mark, text_of(Mark(last, last, 0, RESTORED)), owner)
            return put_in_place(database, new, f"before-restore-{now:%Y%m%d-%H%M%S}")
        except Unfinished:
            raise
        except OSError:
            _put_back(mark, before, owner)
            raise
    except Unfinished as error:
        raise HistoryError(
            f"{database} cannot be written: {error.strerror}. The history that was there is kept under another name "
            "beside it, and the backup takes its place when the gateway starts and can write there again."
        ) from error
    except OSError as error:
        raise HistoryError(f"{database} cannot be written: {error.strerror}. Nothing was changed.") from error
    finally:
        for leftover in (new, files.log_of(new)):
            with suppress(OSError):
                leftover.unlink()


def _text(mark: Path) -> str | None:
    return mark.read_text(encoding="utf-8", errors="replace") if mark.exists() else None


def _write_mark(mark: Path, text: str, owner: os.stat_result) -> None:
    write_durably(mark, text)
    if os.name == "posix" and os.geteuid() == 0:
        os.chown(mark, owner.st_uid, owner.st_gid)


def _put_back(mark: Path, before: str | None, owner: os.stat_result) -> None:
    """Write what the mark said before, unless it still says so.

    Raises:
        HistoryError: it cannot be written.
    """
    try:
        now = _text(mark)
        if before is None and now is not None:
            mark.unlink()
        elif before is not None and now != before:
            _write_mark(mark, before, owner)
    except OSError as error:
        raise HistoryError(
            f"{mark} cannot be written: {error.strerror}. The history is as it was, but the gateway will not take over the "
            "readings since its last commit if it did not end in order. Mend the disk and restore again."
        ) from error


def _check(connection: sqlite3.Connection, database: Path) -> None:
    verdict = [text for (text,) in connection.execute("PRAGMA integrity_check(3)")]
    if verdict != ["ok"]:
        raise HistoryError(
            f"{database} is damaged ({'; '.join(verdict)}), and a backup of it would be too. "
            "Start the gateway again: it keeps what can be read. Then make the backup."
        )


def _make_portable(connection: sqlite3.Connection, database: Path) -> None:
    """Make one file of it, and note from where numbers may go on where nothing else is left."""
    connection.execute("PRAGMA journal_mode = DELETE")
    mark = read_mark(numbers_of(database))
    (seq,) = connection.execute("SELECT max(seq) FROM registers").fetchone()
    given = max(seq or 0, mark.reserved if mark is not None else 0)
    with connection:
        connection.execute(
            "INSERT INTO state VALUES ('seq_reserved', ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (given + _ELSEWHERE,),
        )


def _last_number(database: Path) -> int | None:
    """Return the last number that may have been given, None if nothing here tells.

    Raises:
        HistoryError: the gateway runs.
    """
    numbers: list[int] = []
    if database.exists() and database.stat().st_size:
        try:
            with closing(files.open_damaged(database)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                state = dict(connection.execute("SELECT name, value FROM state"))
                (seq,) = connection.execute("SELECT max(seq) FROM registers").fetchone()
                numbers = [seq or 0, state.get("seq_reserved", 0)]
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorcode", 0) & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise HistoryError(
                    f"the gateway runs and has {database} open. Stop it first: sudo systemctl stop nes2mqtt"
                ) from error
    mark = read_mark(numbers_of(database))
    if mark is not None:
        return max(mark.reserved if mark.last is None else mark.last, *numbers[:1], 0)
    return max(numbers) if numbers else None


def _copy(source: Path, new: Path) -> None:
    """Copy a backup, check it, and give it the pages of this version."""
    for leftover in (new, files.log_of(new)):
        leftover.unlink(missing_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".nes2mqtt-restore-", dir=new.parent) as folder:
            copy = Path(folder) / source.name
            shutil.copyfile(source, copy)
            if files.log_of(source).exists():  # a backup made by copying both files
                shutil.copyfile(files.log_of(source), files.log_of(copy))
            with closing(sqlite3.connect(copy, isolation_level=None)) as connection:
                (have,) = connection.execute("PRAGMA user_version").fetchone()
                if have > VERSION:
                    raise NewerSchema(have, VERSION)
                if (
                    not have
                    or not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'registers'").fetchone()
                ):
                    raise HistoryError(f"{source} is no history of nes2mqtt")
                _check(connection, source)
                connection.execute("PRAGMA journal_mode = DELETE")
                connection.execute(f"PRAGMA page_size = {files.PAGE_SIZE}")
                os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY))
                connection.execute("VACUUM INTO ?", (str(new),))
        _sync(new)
    except sqlite3.Error as error:
        raise HistoryError(f"{source} cannot be read as a history: {error}. Nothing was changed.") from error


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
