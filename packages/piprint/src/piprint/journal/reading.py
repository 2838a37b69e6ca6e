"""The journal for whoever only looks: read, never locked or written, also while a processor runs with it.

A command may run as another user than the service, so nothing is created, and a journal that this user may not read is an error in
words. This module does not know who asks.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from piprint.errors import PiprintError
from piprint.journal.store import FILE, LOCK

__all__ = ["Row", "instance", "jobs", "lock_of"]

_WAIT = 5.0
"""Seconds a writer may take before this reader gives up."""


@dataclass(frozen=True, slots=True)
class Row:
    """A job as it stands in the journal; times are texts in ISO 8601.

    Attributes:
        row_no: its number in Business Central.
        printer: the printer's id.
        step: a :class:`piprint.journal.steps.Step`.
        outcome: a :class:`piprint.journal.entry.Outcome`; None before its end.
        message: for people.
        begun: when it was claimed.
        ended: when it ended; before that, when it changed last.
        attempt: which claim.
        title: the report's name; "" when not told.
        company: the company it was printed in; "" when not told.
    """

    row_no: int
    printer: str
    step: str
    outcome: str | None
    message: str
    begun: str
    ended: str
    attempt: int
    title: str
    company: str


_JOBS = """
SELECT row_no, printer_id, step, outcome, message, begun, coalesce(ended, changed), attempt, title, company
FROM job ORDER BY step = 'reported', changed DESC LIMIT ?
"""


def jobs(folder: Path, most: int) -> list[Row]:
    """Return at most so many jobs of a data folder's journal: those in work, then the last that ended; [] without a journal.

    Raises:
        PiprintError: it cannot be read.
    """
    try:
        return [Row(*row) for row in _ask(folder, _JOBS, most)]
    except sqlite3.Error as error:
        raise PiprintError(f"the journal {folder / FILE} cannot be read: {error}") from None


def instance(folder: Path) -> str:
    """Return the name of the processor that keeps its journal in a folder; "" before its first start, or if it cannot be read."""
    try:
        found = _ask(folder, "SELECT value FROM meta WHERE name = 'instance'")
    except sqlite3.Error:
        return ""
    return str(found[0][0]) if found else ""


def lock_of(folder: Path) -> Path:
    """Return the file that a running processor holds locked (:func:`piprint.journal.lock.is_held`)."""
    return folder / LOCK


def _ask(folder: Path, question: str, *values: object) -> list[tuple[Any, ...]]:
    journal = folder / FILE
    if not journal.exists():
        return []
    with closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True, timeout=_WAIT)) as database:
        return list(database.execute(question, values))
