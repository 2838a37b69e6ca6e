"""Opens the database file the way the history needs it.

Write-ahead log, ``synchronous=NORMAL``: a commit is one ``write`` to the log, not synced, so it
survives the end of this process at any moment, kill -9 included. What a power cut takes is what
the operating system had not written yet (Linux: usually the last 30 seconds); the file stays sound.

``unix-excl``: SQLite keeps its index of the log in memory instead of a mapped file. The mapped
file alone made half of all bytes written (docs/history.md). In exchange no other process can open
the database while this one has it; :mod:`nes2mqtt.history.snapshot` reads it nevertheless.

This module does not know tables.
"""

from __future__ import annotations

import os
import sqlite3
import struct
from pathlib import Path

from nes2mqtt.history.migrations import PAGE_SIZE

__all__ = ["WriteAheadLog", "is_damage", "open_reader", "open_writer"]

CHECKPOINT_BYTES = 4_000_000
"""Size of the log when it moves into the database: a page that changed a hundred times in it moves once."""

_BUSY_SECONDS = 5.0
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    vfs = "&vfs=unix-excl" if os.name == "posix" else ""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}{vfs}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,  # transactions are begun and ended by us
        check_same_thread=False,  # one thread at a time, which threads of a pool take turns to be
    )


def open_writer(path: Path) -> sqlite3.Connection:
    """Open, or create, the database for writing.

    Raises:
        sqlite3.Error: the file is no database, or cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(path, "rwc")
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # WriteAheadLog does it, and counts
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


def is_damage(error: sqlite3.Error) -> bool:
    """Tell whether the file itself is broken, so that trying again cannot help."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGE


class WriteAheadLog:
    """Moves the log into the database when it has grown, and counts the bytes written to both.

    The log begins with 32 bytes; then come frames: 24 bytes, of which the first four are the page's number, and
    the page (SQLite file format, "The Write-Ahead Log").
    """

    _HEADER = 32
    _FRAME = struct.Struct(">I20x")

    def __init__(self, connection: sqlite3.Connection, path: Path, *, limit: int = CHECKPOINT_BYTES) -> None:
        self._connection = connection
        self._path = path.with_name(f"{path.name}-wal")
        self._limit = limit
        (self._page,) = connection.execute("PRAGMA page_size").fetchone()
        self._seen = self._size()

    def grown(self) -> int:
        """Return how many bytes were appended to the log since the last call."""
        size = self._size()
        grown, self._seen = max(0, size - self._seen), size
        return grown

    def checkpoint(self) -> int:
        """Move the log into the database if it is large enough; return the bytes written to the database.

        Raises:
            sqlite3.Error: the disk failed; the log is still whole.
        """
        if self._seen < self._limit:
            return 0
        moved = self.outstanding()
        (busy, _, _) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self._seen = self._size()
        if busy:
            self._limit = self._seen + CHECKPOINT_BYTES  # a reader still needs the log: again when it has grown more
            return 0
        self._limit = CHECKPOINT_BYTES
        return moved

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def outstanding(self) -> int:
        """Return the bytes of all different pages in the log: each moves once, however often it changed."""
        log = self._path.read_bytes()[self._HEADER :]
        length = self._FRAME.size + int(self._page)
        pages = {self._FRAME.unpack_from(log, place)[0] for place in range(0, len(log) - length + 1, length)}
        return len(pages) * int(self._page)
