"""Opens the database file the way the history needs it.

Write-ahead log, ``synchronous=FULL``: a commit is synced, so what is committed survives a power cut. Commits
are minutes apart (:mod:`nes2mqtt.history.writing.recorder`), so a sync costs no bytes: the system would have
written the same blocks by then. What comes between two commits is in the tail (:mod:`nes2mqtt.history.writing.tail`).

Pages of 4096 bytes, the block of a drive: a drive that breaks the block it is writing when the power goes
breaks one page, which the log still has. With smaller pages it broke the neighbours, which the log had not.
``psow=0`` (no "power-safe overwrite"): SQLite fills the log up to the end of the block after each commit, so
that such a drive cannot break what was committed before.

``unix-excl``: SQLite keeps its index of the log in memory instead of a mapped file. The mapped
file alone made half of all bytes written (docs/history.md). In exchange no other process can open
the database while this one has it; :mod:`nes2mqtt.history.database.snapshot` reads it nevertheless.

This module does not know tables.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = [
    "CHECKPOINT_BYTES",
    "PAGE_SIZE",
    "WriteAheadLog",
    "damage",
    "is_damage",
    "log_of",
    "open_damaged",
    "open_reader",
    "open_writer",
    "transaction",
]

PAGE_SIZE = 4096
"""Bytes: the block of a drive."""

CHECKPOINT_BYTES = 8_000_000
"""Size of the log when it moves into the database: a page that changed a hundred times in it moves once."""

_BUSY_SECONDS = 5.0
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_OWNER_ONLY = 0o600
_OTHERS = 0o077


def log_of(path: Path) -> Path:
    """Return the write-ahead log of a database."""
    return path.with_name(f"{path.name}-wal")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    vfs = "&vfs=unix-excl&psow=0" if os.name == "posix" else ""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}{vfs}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun and ended by us
        check_same_thread=False,  # one thread at a time, which threads of a pool take turns to be
    )
    # Bytes that are no text would end every query that meets them: they become U+FFFD, and whoever needs them says so.
    connection.text_factory = _text
    return connection


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


def _make_private(path: Path) -> None:
    """Let only the owner read the history: it shows when people are at home. SQLite gives the log the same mode."""
    # Never opened when it exists: closing it would let go of the locks this process has on it (fcntl(2)).
    with suppress(OSError):  # SQLite tells better what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), _OWNER_ONLY))
    for file in (path, log_of(path)):
        with suppress(OSError):  # another owner's file: SQLite says whether it can be written
            if file.stat().st_mode & _OTHERS:
                file.chmod(_OWNER_ONLY)


def open_writer(path: Path, *, page_size: int | None = None) -> sqlite3.Connection:
    """Open, or create, the database for writing. The file belongs to its owner alone afterwards.

    Raises:
        sqlite3.Error: the file is no database, or cannot be written.
        OSError: the folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _make_private(path)
    connection = _connect(path, "rwc")
    try:
        # Of a new file; an old one keeps its own.
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE if page_size is None else page_size}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # WriteAheadLog does it
        connection.execute("PRAGMA secure_delete = OFF")  # Debian's default overwrites every page that becomes free
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the database for reading, in the process that has it open for writing."""
    connection = _connect(path, "rw")  # a reader of a write-ahead log needs to lock it
    connection.execute("PRAGMA query_only = ON")
    return connection


def open_damaged(path: Path) -> sqlite3.Connection:
    """Open a database that is damaged, to read what can be read."""
    connection = _connect(path, "rw")
    connection.execute("PRAGMA query_only = ON")
    return connection


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is broken, so that trying again cannot help."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE


def damage(text: str) -> sqlite3.DatabaseError:
    """Return the error that says the file is broken, as SQLite itself would raise it."""
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do the whole of a block, or nothing of it.

    Raises:
        sqlite3.Error: nothing was written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class WriteAheadLog:
    """Moves the log into the database when it has grown.

    Args:
        connection: the one that writes.
        path: of the database.
        limit: bytes the log may have; a smaller one is left alone.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, *, limit: int | None = None) -> None:
        self._connection = connection
        self._path = log_of(path)
        self._limit = self._at_least = CHECKPOINT_BYTES if limit is None else limit

    def checkpoint(self) -> None:
        """Move the log into the database if it is large enough.

        Raises:
            sqlite3.Error: the disk failed; the log is still whole.
        """
        if self._size() < self._limit:
            return
        (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        # A reader that still needs the log: again when it has grown more.
        self._limit = self._size() + self._at_least if busy else self._at_least

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
