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
from pathlib import Path

from nes2mqtt.history.migrations import PAGE_SIZE

__all__ = ["is_damage", "open_reader", "open_writer"]

_CHECKPOINT_FRAMES = 8000
"""Pages in the log before they move into the database: 4 MB. A page that changed a hundred times moves once."""

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
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_FRAMES}")
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
