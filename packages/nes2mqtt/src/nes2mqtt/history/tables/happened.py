"""What happened to the meters, as rows of the tables ``happened`` and ``log_marks``.

Entries and marks are written in one transaction: a kill leaves either both or none, so nothing is kept twice and nothing is
passed over.

This module does not know how the logs are read.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from nes2mqtt.history.tables.rows import moment, stamp
from nes2mqtt.readings.happened import Asked, Found, Happened, HappenedKind, Known, Who

__all__ = ["KEPT", "entries", "keep", "known", "last_number", "news_after"]

_log = logging.getLogger(__name__)

KEPT = 5000
"""Entries of each meter; older ones go."""

_COLUMNS = (
    "meter, identity, kind, time, read, news, sequence, event, who, user, argument, ended, seconds, cause"  # in order
)
_INSERT = f"INSERT OR IGNORE INTO happened ({_COLUMNS}) VALUES ({', '.join('?' * 14)})"  # noqa: S608 - our schema's names
_SELECT = f"SELECT number, {_COLUMNS} FROM happened"  # noqa: S608


def known(connection: sqlite3.Connection, meter: str, serial: str) -> Known:
    """Return how far the logs of the meter with this serial number were read."""
    query = "SELECT log, mark FROM log_marks WHERE meter = ? AND serial = ?"
    kinds = set(HappenedKind)
    return {HappenedKind(log): str(mark) for log, mark in connection.execute(query, (meter, serial)) if log in kinds}


def keep(connection: sqlite3.Connection, found: Found, read: datetime) -> list[Happened]:
    """Keep what is new and how far the logs are known, in the transaction of the caller.

    Args:
        connection: in a transaction.
        found: what was read.
        read: when that was.

    Returns:
        What was not kept before, with numbers, the oldest first.
    """
    kept = []
    for one in found.entries:
        whole = replace(one, read=read, news=one.kind in found.news)
        cursor = connection.execute(_INSERT, _row(whole))
        if cursor.rowcount:
            kept.append(replace(whole, number=int(cursor.lastrowid or 0)))
    for log, mark in found.known.items():
        connection.execute(
            "INSERT INTO log_marks VALUES (?, ?, ?, ?)"
            " ON CONFLICT (meter, log) DO UPDATE SET serial = excluded.serial, mark = excluded.mark",
            (found.meter, log.value, found.serial, mark),
        )
    if kept:
        connection.execute(
            "DELETE FROM happened WHERE meter = ?1 AND number <="
            " (SELECT number FROM happened WHERE meter = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2)",
            (found.meter, KEPT),
        )
    return kept


def entries(connection: sqlite3.Connection, asked: Asked) -> list[Happened]:
    """Return entries, the one learned last first."""
    wheres = [f"meter IN ({', '.join('?' * len(asked.meters))})"]
    values: list[Any] = list(asked.meters)
    for where, value in (
        ("number < ?", asked.before),
        ("coalesce(time, read) >= ?", None if asked.since is None else stamp(asked.since)),
        ("kind = ?", None if asked.kind is None else asked.kind.value),
    ):
        if value is not None:
            wheres.append(where)
            values.append(value)
    query = f"{_SELECT} WHERE {' AND '.join(wheres)} ORDER BY number DESC LIMIT ?"
    return _decoded(connection.execute(query, (*values, asked.limit)).fetchall())


def news_after(connection: sqlite3.Connection, number: int, limit: int) -> list[Happened]:
    """Return news with higher numbers, in their order."""
    query = f"{_SELECT} WHERE number > ? AND news ORDER BY number LIMIT ?"
    return _decoded(connection.execute(query, (number, limit)).fetchall())


def last_number(connection: sqlite3.Connection) -> int:
    """Return the highest number there is, 0 if there is none."""
    (number,) = connection.execute("SELECT max(number) FROM happened").fetchone()
    return int(number or 0)


def _row(one: Happened) -> tuple[Any, ...]:
    return (
        one.meter,
        one.identity,
        one.kind.value,
        None if one.time is None else stamp(one.time),
        None if one.read is None else stamp(one.read),
        int(one.news),
        one.sequence,
        one.event,
        None if one.who is None else one.who.value,
        one.user,
        one.argument,
        None if one.end is None else stamp(one.end),
        one.seconds,
        one.cause,
    )


def _decoded(rows: Sequence[Sequence[Any]]) -> list[Happened]:
    found = []
    for row in rows:
        try:
            found.append(_decode(row))
        except (ArithmeticError, TypeError, ValueError) as error:
            _log.error("history: entry %s of a meter's log cannot be understood and is left out: %r", row[0], error)
    return found


def _decode(row: Sequence[Any]) -> Happened:
    number, meter, identity, kind, time, read, news, sequence, event, who, user, argument, ended, seconds, cause = row
    return Happened(
        meter=meter,
        kind=HappenedKind(kind),
        time=None if time is None else moment(time),
        sequence=sequence,
        identity=identity,
        event=event,
        who=None if who is None else Who(who),
        user=user,
        argument=argument,
        end=None if ended is None else moment(ended),
        seconds=seconds,
        cause=cause,
        number=number,
        news=bool(news),
        read=moment(read),
    )
