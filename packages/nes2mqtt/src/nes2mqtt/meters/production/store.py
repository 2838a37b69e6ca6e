"""Where quarter hours of production are kept: a small database of their own beside the history.

This module does not know where readings come from.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from nes2mqtt.meters.production.counting import Sum

__all__ = ["ProductionStore"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS quarter (
    meter TEXT NOT NULL,
    start INTEGER NOT NULL,    -- ms since 1970, as all times here
    since INTEGER NOT NULL,    -- reading at which counting began
    until INTEGER NOT NULL,    -- reading at which it ended
    wh REAL NOT NULL,
    known INTEGER NOT NULL,    -- ms
    PRIMARY KEY (meter, start)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS register (
    meter TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    wh REAL NOT NULL           -- the last that was counted
) WITHOUT ROWID;
"""
_ADD = (
    "INSERT INTO quarter VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (meter, start) DO UPDATE SET"
    " since = min(since, excluded.since), until = max(until, excluded.until), wh = wh + excluded.wh, known = known + excluded.known"
)
_SUM = "SELECT sum(wh), min(since), max(until), sum(known) FROM quarter WHERE meter = ? AND start >= ? AND start < ?"


class ProductionStore:
    """One database file. Each call opens it anew, so any thread may call.

    Args:
        path: the file; it is made when the first of them is kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def keep(self, meter: str, quarters: Mapping[int, Sum], register: tuple[int, float] | None) -> None:
        """Add what was given in quarter hours, and note the register up to which was counted; all or nothing.

        Raises:
            sqlite3.Error: they cannot be written.
        """
        with closing(self._open()) as database, database:
            database.executemany(
                _ADD, [(meter, start, q.first, q.last, q.wh, q.known) for start, q in quarters.items()]
            )
            if register is not None:
                database.execute("INSERT OR REPLACE INTO register VALUES (?, ?, ?)", (meter, *register))

    def last(self, meter: str) -> tuple[int, float] | None:
        """Return time and register up to which was counted; None if nothing was. Raises as :meth:`keep`."""
        if not self.path.exists():
            return None
        with closing(self._open()) as database:
            row = database.execute("SELECT at, wh FROM register WHERE meter = ?", (meter,)).fetchone()
        return None if row is None else (int(row[0]), float(row[1]))

    def sums(self, meter: str, spans: Sequence[tuple[int, int]]) -> list[Sum]:
        """Return what was given in spans of whole quarter hours (ms). Raises as :meth:`keep`."""
        if not self.path.exists():
            return [Sum() for _ in spans]
        with closing(self._open()) as database:
            return [
                Sum(row[0], row[1], row[2], row[3] or 0)
                for span in spans
                for row in database.execute(_SUM, (meter, *span))
            ]

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=10)
        database.executescript(_SCHEMA)
        return database
