"""Why nothing can be written now, in words.

This module does not try to mend it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Trouble", "explain"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing is written now.

    Args:
        message: what happened, what it means, what to do.
        since: by the monotonic clock.
        said: whether it went to the log.
    """

    message: str
    since: float
    said: bool = True


def explain(error: Exception, path: Path) -> str:
    """Return what happened, what it means and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    after = "Live values go on; register readings wait in memory and are written when this is mended."
    match primary:
        case sqlite3.SQLITE_FULL:
            return f"the disk is full: {path} cannot grow. {after} Free some space."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            return f"{path} cannot be written. {after} Check that the folder exists and belongs to this service's user."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"another program has {path} open. {after} Close it; only one gateway may use a history."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{path} was damaged and is kept under another name; what can be read of it goes into a new one. {after}"
        case sqlite3.SQLITE_IOERR:
            return f"the disk reports an error with {path} ({error}). {after} Check the disk or the card."
        case _ if isinstance(error, PermissionError):
            return f"{path} cannot be written. {after} Let the folder belong to this user, or set data_dir."
        case _:
            return f"{path} cannot be written: {error}. {after}"
