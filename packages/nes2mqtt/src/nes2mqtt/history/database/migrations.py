"""Brings a database file to the schema this program knows.

The schema is the numbered SQL files in ``schema/``, each applied once and in order, each in a
transaction of its own together with ``PRAGMA user_version``. A published file never changes;
a new need is a new file.

This module does not know what the tables mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files

from nes2mqtt.history.errors import NewerSchema

__all__ = ["VERSION", "migrate"]


def _scripts() -> Iterator[tuple[int, str]]:
    """Yield version and text of each schema file, in order."""
    folder = files("nes2mqtt.history.database") / "schema"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield int(file.name[:4]), file.read_text(encoding="utf-8")


VERSION = max(version for version, _ in _scripts())
"""The schema this program writes."""


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the schema files the database does not have yet.

    Raises:
        NewerSchema: a newer program wrote this database; nothing was changed.
        sqlite3.Error: the file is no database, or cannot be written.
    """
    (have,) = connection.execute("PRAGMA user_version").fetchone()
    if have > VERSION:
        raise NewerSchema(have, VERSION)
    for version, text in _scripts():
        if version > have:
            connection.executescript(f"BEGIN IMMEDIATE;\n{text}\nPRAGMA user_version = {version};\nCOMMIT;")
