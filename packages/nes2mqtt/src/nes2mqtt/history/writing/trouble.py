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
        code: the kind of it, for programs and translations.
        message: what happened, what it means, what to do.
        since: by the monotonic clock.
        said: whether it went to the log.
    """

    code: str
    message: str
    since: float
    said: bool = True


def explain(error: Exception, path: Path) -> tuple[str, str]:
    """Return a code for the kind of trouble; and what happened, what it means and what to do."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    after = "Live values go on; register readings wait in memory and are written when this is mended."
    match primary:
        case sqlite3.SQLITE_FULL:
            return "history_full", f"the disk is full: {path} cannot grow. {after} Free some space."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_CANTOPEN:
            text = f"{path} cannot be written. {after} Check that the folder exists and belongs to this service's user."
            return "history_readonly", text
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            text = f"another program has {path} open. {after} Close it; only one gateway may use a history."
            return "history_busy", text
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "history_damaged", f"{path} is damaged and could not be mended yet. {after} Look at the log."
        case sqlite3.SQLITE_IOERR:
            text = f"the disk reports an error with {path} ({error}). {after} Check the disk or the card."
            return "history_disk", text
        case _ if isinstance(error, PermissionError):
            text = f"{path} cannot be written. {after} Let the folder belong to this user, or set data_dir."
            return "history_readonly", text
        case _:
            return "history_trouble", f"{path} cannot be written: {error}. {after}"
