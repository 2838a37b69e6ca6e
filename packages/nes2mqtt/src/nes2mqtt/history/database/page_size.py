"""Gives a database of an earlier program the page size of this one.

Pages cannot be changed in place while there is a write-ahead log, so a copy is written beside the file and takes
its place when it is whole and on the disk. Until then the old file is the history; a copy that a kill left behind
is thrown away.

This module does not know tables.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from nes2mqtt.history.database.connection import PAGE_SIZE, is_damage, log_of
from nes2mqtt.history.database.durable import sync_folder

__all__ = ["page_size_of", "rewrite_pages"]

_log = logging.getLogger(__name__)

LARGEST = 500_000_000
"""Bytes. A larger file would keep the service from starting for minutes; ``backup`` and ``restore`` rewrite it."""
_SIZE_AT = slice(16, 18)
_HEADER = 100
_LARGEST_PAGE = 65536
_OWNER_ONLY = 0o600


def page_size_of(path: Path) -> int | None:
    """Return the page size of a database file (SQLite file format, "The Database Header"); None if it has none yet."""
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError:
        return None
    if len(header) < _HEADER or not header.startswith(b"SQLite format 3\0"):
        return None
    size = int.from_bytes(header[_SIZE_AT], "big")
    return _LARGEST_PAGE if size == 1 else size


def rewrite_pages(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> None:
    """Rewrite the database if its pages have another size and there is room.

    Raises:
        sqlite3.Error: it cannot be opened; nothing was changed.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    have = page_size_of(path)
    if have is None or have == PAGE_SIZE:
        return
    import shutil  # noqa: PLC0415 - only for files of older programs

    size = path.stat().st_size
    if size > LARGEST or shutil.disk_usage(path.parent).free < 2 * size:
        _log.info(
            "history: %s keeps its pages of %d bytes: it is too large, or there is no room, to rewrite it now. "
            "nes2mqtt backup and restore do it",
            path.name,
            have,
        )
        return
    with closing(connect(path)) as connection:
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            return
        try:
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT, _OWNER_ONLY))
            connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.execute("VACUUM INTO ?", (str(new),))
        except (sqlite3.Error, OSError) as error:
            new.unlink(missing_ok=True)
            if isinstance(error, sqlite3.Error) and is_damage(error):
                raise
            _log.warning("history: %s cannot be rewritten with larger pages: %s", path.name, error)
            return
    # Closed, so the log is empty: one that belongs to the old file must never be beside the new one.
    log = log_of(path)
    if log.exists() and log.stat().st_size:
        new.unlink(missing_ok=True)
        return
    log.unlink(missing_ok=True)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)
    _log.info("history: %s was rewritten with pages of %d bytes", path.name, PAGE_SIZE)
