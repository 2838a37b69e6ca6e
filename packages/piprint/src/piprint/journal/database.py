"""The journal's file: opened so that a commit survives, brought up to date, and looked through for damage.

``psow = 0`` (SQLite, "Powersafe overwrite"): each commit fills the disk's sector to its end, so that no later one writes into
it. Some SD cards break the whole block they are writing when the power fails; then a commit made long before was lost.

This module does not know jobs: only tables and columns.
"""

from __future__ import annotations

import sqlite3
from importlib.resources import files
from pathlib import Path

from piprint.errors import JournalError

__all__ = ["SCHEMA_VERSION", "damaged", "expect_sound", "migrate", "open_database"]

SCHEMA_VERSION = 1
_LATER = {
    "title": "TEXT NOT NULL DEFAULT ''",
    "company": "TEXT NOT NULL DEFAULT ''",
    "run_id": "TEXT NOT NULL DEFAULT ''",
    "ipp_run": "TEXT NOT NULL DEFAULT ''",
    "reported_no": "INTEGER NOT NULL DEFAULT 0",
    "reported_hour": "INTEGER NOT NULL DEFAULT 0",
}
"""Columns that older journals do not have, and how they get them. An older piprint must be able to go on with them there."""
_MOST_FAULTS = 3


def open_database(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open the journal's file, made if it is not there; each statement is a transaction unless one is begun.

    Args:
        path: the file.
        durable: False leaves flushing to the operating system.

    Raises:
        sqlite3.Error, OSError: it cannot be opened.
    """
    # closes itself when this fails: nobody else has it
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?psow=0", uri=True, isolation_level=None, check_same_thread=False, timeout=10
    )
    try:
        path.chmod(0o600)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'OFF'}")
    except BaseException:
        database.close()
        raise
    return database


def migrate(database: sqlite3.Connection, folder: Path) -> None:
    """Make the tables, or what an older version did not have.

    Raises:
        JournalError: a newer version wrote it.
        sqlite3.Error: it is damaged.
    """
    version = int(database.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise JournalError(
            f"a newer piprint wrote the journal in {folder} (version {version}, this one knows {SCHEMA_VERSION}). "
            "Start that version again, or wait until all jobs are reported and move the journal away"
        )
    if version == 0:
        schema = files("piprint.journal").joinpath("schema.sql").read_text(encoding="utf-8")
        database.executescript(f"BEGIN; {schema} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
    present = {name for _, name, *_ in database.execute("PRAGMA table_info(job)")}
    for name, kind in _LATER.items():
        if name not in present:
            database.execute(f"ALTER TABLE job ADD COLUMN {name} {kind}")


def expect_sound(database: sqlite3.Connection, path: Path) -> None:
    """Look through all pages, tables and indexes; 10,000 jobs take 0.1 s.

    Raises:
        JournalError: there is damage.
        sqlite3.Error: there is so much that it cannot be looked through.
    """
    faults = [str(text) for (text,) in database.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")]
    if faults != ["ok"]:
        raise damaged(path, "; ".join(faults).replace("\n", " "))


def damaged(path: Path, what: object) -> JournalError:
    """Make the error of a journal that is damaged: what happened, what it means for printing twice, what to do."""
    return JournalError(
        f"the journal {path} is damaged: {what}. It says which jobs are on their way, and without that a job could be "
        "printed twice, so nothing is printed now. Look at the disk (journalctl -k). Then put a backup back with piprint restore, "
        f"or move the files journal.sqlite* in {path.parent} away, and start piprint again: jobs that were on their way then "
        "end in Business Central as perhaps printed, none is printed twice unasked, and all that wait are printed"
    )
