"""Brings a database file to the schema this program knows.

The schema is made by the steps below, each done once and in order, each in a transaction of its own together with
``PRAGMA user_version``. Tables that hold values are made from :mod:`nes2mqtt.history.tables.columns`, all others by the SQL
files in ``schema/``; a step may also be Python that moves what is there. A published step never changes; a new need
is a new step.

This module does not know what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from nes2mqtt.history.errors import NewerSchema
from nes2mqtt.history.tables.columns import FORMS

__all__ = ["STEPS", "VERSION", "Step", "make_tables", "migrate"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one version of the schema brought.

    Args:
        version: ``PRAGMA user_version`` afterwards.
        name: what it was for.
        work: does it, inside a transaction that is begun and ended by :func:`migrate`.
    """

    version: int
    name: str
    work: Callable[[sqlite3.Connection], None]


def make_tables(connection: sqlite3.Connection, version: int) -> None:
    """Make the tables of values that a version brought, and add to earlier ones the columns that it brought."""
    for form in FORMS:
        for statement in form.made(version):
            connection.execute(statement)


def _script(connection: sqlite3.Connection, name: str) -> None:
    """Execute an SQL file statement by statement: sqlite3's own way would end the transaction."""
    text = (Path(__file__).parent / "schema" / name).read_text(encoding="utf-8")
    for statement in _statements(text):
        connection.execute(statement)


def _statements(text: str) -> Iterator[str]:
    statement = ""
    for line in text.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _journal(connection: sqlite3.Connection) -> None:
    make_tables(connection, 1)
    _script(connection, "0001_journal.sql")


def _rollups(connection: sqlite3.Connection) -> None:
    make_tables(connection, 2)


def _blocks(connection: sqlite3.Connection) -> None:
    _script(connection, "0003_blocks.sql")


def _filled(connection: sqlite3.Connection) -> None:
    make_tables(connection, 4)
    _script(connection, "0004_filled.sql")


def _happened(connection: sqlite3.Connection) -> None:
    _script(connection, "0005_happened.sql")


def _imported(connection: sqlite3.Connection) -> None:
    make_tables(connection, 6)
    _script(connection, "0006_imported.sql")


STEPS = (
    Step(1, "journal", _journal),
    Step(2, "rollups", _rollups),
    Step(3, "blocks", _blocks),
    Step(4, "filled", _filled),
    Step(5, "happened", _happened),
    Step(6, "imported", _imported),
)
"""All there ever were, in order."""

VERSION = STEPS[-1].version
"""The schema this program writes."""


def migrate(connection: sqlite3.Connection) -> None:
    """Do the steps the database has not had yet.

    Raises:
        NewerSchema: a newer program wrote this database; nothing was changed.
        sqlite3.Error: the file is no database, or cannot be written; it is as the last step left it.
    """
    (have,) = connection.execute("PRAGMA user_version").fetchone()
    if have > VERSION:
        raise NewerSchema(have, VERSION)
    for step in STEPS:
        if step.version > have:
            _do(connection, step)


def _do(connection: sqlite3.Connection, step: Step) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        step.work(connection)
        connection.execute(f"PRAGMA user_version = {step.version}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
