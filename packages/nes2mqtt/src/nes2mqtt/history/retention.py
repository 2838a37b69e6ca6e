"""What is thrown away, and when.

Readings are kept one by one for at least ``keep_raw_days``, in three parts used in turn, each for half
that time. When the oldest part is to be used again, the last register reading of each quarter of an
hour is copied out of it, so that energies can for ever be checked against registers, and it is
emptied. It stays as long as an outbox has not delivered its readings, up to ``outbox_keep_days``.
One-minute roll-ups go after ``keep_minutes_days``. Free pages are used again: the file stops
growing, it does not shrink.

This module does not know when it is called: about once an hour.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.rollups import MINUTES, QUARTERS
from nes2mqtt.history.rows import PARTS, present_key, stamp

__all__ = ["tidy"]


def tidy(connection: sqlite3.Connection, config: HistoryConfig, now: datetime, delivered: int) -> None:
    """Delete what is too old, and go on to the next part when it is time, in one transaction.

    Args:
        connection: the one that writes.
        config: how long things are kept.
        now: the time.
        delivered: number of the last register sample that all outboxes have delivered.

    Raises:
        sqlite3.Error: nothing was deleted.
    """
    minutes = stamp(now - timedelta(days=config.keep_minutes_days))
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(f"DELETE FROM {MINUTES.table} WHERE at < ?", (present_key(minutes, 0),))  # noqa: S608
        state = dict(connection.execute("SELECT name, value FROM state"))
        started = state.get("part_started")
        period = timedelta(days=config.keep_raw_days) / (len(PARTS) - 1)
        if started is None:
            _note(connection, "part_started", stamp(now))
        elif started <= stamp(now - period):
            following = (state.get("part", 0) + 1) % len(PARTS)
            oldest = stamp(now - timedelta(days=config.outbox_keep_days))
            if _may_go(connection, PARTS[following], min(delivered, state.get("rolled_seq", 0)), oldest):
                _empty(connection, PARTS[following])
                _note(connection, "part", following)
                _note(connection, "part_started", stamp(now))
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _may_go(connection: sqlite3.Connection, part: str, delivered: int, oldest: int) -> bool:
    """Tell whether nobody waits for a register reading of a part any more, or has waited too long."""
    query = f"SELECT seq, received FROM registers_{part} ORDER BY seq DESC LIMIT 1"  # noqa: S608
    last = connection.execute(query).fetchone()
    return last is None or last[0] <= delivered or last[1] < oldest


def _empty(connection: sqlite3.Connection, part: str) -> None:
    """Keep one register reading per meter and quarter; like in roll-ups, one on the boundary ends it."""
    table = f"registers_{part}"
    connection.execute(
        f"INSERT INTO registers_kept SELECT * FROM {table} WHERE seq IN ("  # noqa: S608
        f" SELECT max(seq) FROM {table} GROUP BY meter, segment, (received - 1) / {QUARTERS.step})"
    )
    connection.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.execute(f"DELETE FROM present_{part}")  # noqa: S608


def _note(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute(
        "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
    )
