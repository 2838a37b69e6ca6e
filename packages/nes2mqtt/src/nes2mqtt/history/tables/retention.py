"""What is thrown away, and when.

Readings are kept one by one for at least ``keep_raw_days``, in three parts used in turn, each for half
that time. When the oldest part is to be used again, the last register reading of each quarter of an
hour is copied out of it, so that energies can for ever be checked against registers, and it is
emptied. It stays as long as an outbox has not delivered its readings, up to ``outbox_keep_days``.
One-minute roll-ups go after ``keep_minutes_days``. Free pages are used again: the file stops
growing, it does not shrink.

All these days are days during which this program ran, counted by the monotonic clock and kept in state
"ran": whatever happens to the time of day, nothing is thrown away before its time. Days without this
program do not count, and bring no readings either.

A small part is emptied at once, which writes least: SQLite frees its pages without writing them. A large one
is emptied in slices, so that readings do not wait for minutes.

This module does not know when it is called.
"""

from __future__ import annotations

import sqlite3

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.tables.columns import PARTS, REGISTER_READINGS
from nes2mqtt.history.tables.levels import MINUTES, QUARTERS
from nes2mqtt.history.tables.rows import present_key

__all__ = ["Retention"]

DAY = 86_400
SLICE = 20_000
"""Rows: about 50 ms on a small board."""
_LISTED = ", ".join(REGISTER_READINGS.stored)
AT_ONCE = 200_000
"""Rows of a part that is emptied in one transaction."""


class Retention:
    """Deletes through ``connection`` what is too old.

    Args:
        connection: the one that writes.
        config: how long things are kept.
    """

    def __init__(self, connection: sqlite3.Connection, config: HistoryConfig) -> None:
        self._connection = connection
        self._config = config
        self._seen: set[tuple[int, int, int]] = set()
        """Quarters of meters and segments of which a reading was kept while a part is emptied in slices."""

    def tidy(self, ran: int, label: int | None, delivered: int) -> bool:
        """Delete a portion of what is too old, in one transaction; return whether there is more to do at once.

        Args:
            ran: seconds this program has run on this database.
            label: the time of day (ms), None while it is not known.
            delivered: number of the last register sample that all outboxes have delivered.

        Raises:
            sqlite3.Error: nothing was deleted.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            state = dict(self._connection.execute("SELECT name, value FROM state"))
            self._note("ran", ran)
            more = self._turn(state, ran, min(delivered, state.get("rolled_seq", 0)))
            if label is not None and not more:
                self._minutes(ran, label)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return more

    def _turn(self, state: dict[str, int], ran: int, delivered: int) -> bool:
        """Go on to the next part if it is time; return whether the next part has to be emptied further before."""
        began = state.get("part_ran")
        if began is None:  # a database of a program that went by the time of day, or a new one
            self._note("part_ran", ran)
            return False
        if ran - began < self._config.keep_raw_days * DAY / (len(PARTS) - 1):
            return False
        part = state.get("part", 0)
        following = (part + 1) % len(PARTS)
        ended = state.get(f"ended:{PARTS[following]}", 0)
        too_old = ran - ended >= self._config.outbox_keep_days * DAY
        if not (too_old or self._delivered(PARTS[following], delivered)):
            return False
        if not self._empty(PARTS[following]):
            return True
        self._seen.clear()
        self._note("part", following)
        self._note("part_ran", ran)
        self._note(f"ended:{PARTS[part]}", ran)
        return False

    def _delivered(self, part: str, delivered: int) -> bool:
        (last,) = self._connection.execute(f"SELECT max(seq) FROM registers_{part}").fetchone()  # noqa: S608
        return last is None or last <= delivered

    def _empty(self, part: str) -> bool:
        """Empty a part, all of it or a slice; return whether it is empty now."""
        execute = self._connection.execute
        low, high = execute(f"SELECT min(seq), max(seq) FROM registers_{part}").fetchone()  # noqa: S608
        if low is not None and high - low >= AT_ONCE:
            self._empty_slice(f"registers_{part}")
            return False
        if low is not None:
            self._keep_some(f"registers_{part}")
            execute(f"DELETE FROM registers_{part}")  # noqa: S608
        first, last = execute(f"SELECT min(block), max(block) FROM blocks_{part}").fetchone()  # noqa: S608
        if first is not None and last - first >= AT_ONCE:
            execute(f"DELETE FROM blocks_{part} WHERE block < ?", (first + SLICE,))  # noqa: S608
            return False
        execute(f"DELETE FROM blocks_{part}")  # noqa: S608
        execute(f"DELETE FROM present_{part}")  # noqa: S608
        self._forget_hours()
        return True

    def _keep_some(self, table: str) -> None:
        """Keep one register reading per meter and quarter; like in roll-ups, one on the boundary ends it."""
        rows = self._connection.execute(
            f"SELECT max(seq), meter, segment, (received - 1) / {QUARTERS.step} FROM {table} GROUP BY 2, 3, 4"  # noqa: S608
        ).fetchall()
        self._copy(table, [seq for seq, *quarter in rows if tuple(quarter) not in self._seen])

    def _empty_slice(self, table: str) -> None:
        """Empty the newest readings of a part, so that of each quarter its last is met first."""
        rows = self._connection.execute(
            f"SELECT seq, meter, segment, (received - 1) / {QUARTERS.step} FROM {table} ORDER BY seq DESC LIMIT ?",  # noqa: S608
            (SLICE,),
        ).fetchall()
        kept = []
        for seq, *quarter in rows:
            if tuple(quarter) not in self._seen:
                self._seen.add((quarter[0], quarter[1], quarter[2]))
                kept.append(seq)
        self._copy(table, kept)
        self._connection.execute(f"DELETE FROM {table} WHERE seq >= ?", (rows[-1][0],))  # noqa: S608

    def _copy(self, table: str, numbers: list[int]) -> None:
        self._connection.executemany(
            f"INSERT OR IGNORE INTO registers_kept ({_LISTED}) SELECT {_LISTED} FROM {table} WHERE seq = ?",  # noqa: S608
            [(seq,) for seq in numbers],
        )

    def _forget_hours(self) -> None:
        """Forget where hours of blocks are found that are no longer there."""
        oldest = [
            self._connection.execute(f"SELECT min(block) FROM blocks_{part}").fetchone()[0]  # noqa: S608
            for part in PARTS
        ]
        there = [block for block in oldest if block is not None]
        if there:
            # The hour in which the oldest block lies may have begun before it.
            self._connection.execute(
                "DELETE FROM block_hours WHERE first_block <"
                " (SELECT max(first_block) FROM block_hours WHERE first_block <= ?)",
                (min(there),),
            )

    def _minutes(self, ran: int, label: int) -> None:
        """Delete minutes older than any label noted during the days of running for which they are kept."""
        today = ran // DAY
        since = today - self._config.keep_minutes_days
        # The earliest label of the day: the first may be of a clock that was ahead and was put right since.
        self._connection.execute(
            "INSERT INTO days_run VALUES (?, ?) ON CONFLICT (day) DO UPDATE SET label = min(label, excluded.label)",
            (today, label),
        )
        if since < 0:
            return
        first, lowest = self._connection.execute(
            "SELECT min(day), min(label) FROM days_run WHERE day >= ?", (since,)
        ).fetchone()
        if first is not None and first <= since + 1:
            self._connection.execute(
                f"DELETE FROM {MINUTES.table} WHERE at < ?",  # noqa: S608
                (present_key(lowest, 0),),
            )
        self._connection.execute("DELETE FROM days_run WHERE day < ?", (since,))

    def _note(self, name: str, value: int) -> None:
        self._connection.execute(
            "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
        )
