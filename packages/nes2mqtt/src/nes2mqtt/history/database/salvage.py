"""Copies what can be read of a damaged database into a new one, table by table.

SQLite reads a table in the order of its key up to a damaged page; the rest is found behind it, by trying keys
further and further on. A table whose first page is damaged is read from its other end in the same way. So a damaged
page costs the rows on it and no others.

This module does not rename or delete files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain

from nes2mqtt.history.database.migrations import migrate
from nes2mqtt.history.tables.columns import LAST_REGISTERS, PARTS
from nes2mqtt.history.tables.levels import LEVELS

__all__ = ["Salvaged", "salvage"]

_LARGEST_KEY = (1 << 63) - 1
_KEY_BITS = 63
_BATCH = 2000
_WORDS = {
    "registers": "register readings",
    "present": "present values",
    "blocks": "present values",
    "minute_rollups": "minutes",
    "quarter_rollups": "quarters of an hour",
    "hour_rollups": "hours",
    "day_rollups": "days",
    "segments": "what was known of the meters",
    "meters": "what was known of the meters",
    "outboxes": "how far brokers had got their readings",
    "state": "how far roll-ups had come",
    "heads": "the last registers of the meters",
    "filled": "readings that were filled in from the meters' load profiles",
    "gaps": "which gaps were filled",
    "profile_marks": "how far load profiles were read",
    "imported": "readings that were imported",
    "imported_steps": "what was counted between imported readings",
    "imported_moves": "what was counted between imported readings",
    "imported_swaps": "when meters were exchanged before this program",
    "imports": "what was imported",
    "happened": "what the meters' own logs told",
    "log_marks": "how far the meters' own logs were read",
}


@dataclass(frozen=True, slots=True)
class _Way:
    """In which direction a table is read.

    Args:
        step: from a key to the next possible one.
        from_: SQL for "is this one or further on". With "further on than" SQLite would look for the one before too, which
            may be on a damaged page.
        order: SQL for the order.
    """

    step: int
    from_: str
    order: str


_UP = _Way(1, ">=", "ASC")
_DOWN = _Way(-1, "<=", "DESC")


@dataclass(slots=True)
class Salvaged:
    """What came over.

    Args:
        rows: how many rows.
        damaged: words for what is not whole.
    """

    rows: int = 0
    damaged: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return it as the end of a sentence."""
        if not self.damaged:
            return f"all of it that is needed could be read ({self.rows} rows) and the history goes on with it"
        listed = ", ".join(dict.fromkeys(self.damaged))
        return f"the history goes on with what could be read ({self.rows} rows); missing are some of: {listed}"


def salvage(source: sqlite3.Connection, target: sqlite3.Connection) -> Salvaged:
    """Copy all that can be read; make good what the program needs to go on.

    Raises:
        sqlite3.Error: nothing can be read, or the new database cannot be written.
    """
    migrate(target)
    there = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    wanted = [
        (name, "WITHOUT ROWID" in sql.upper())
        for name, sql in target.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
        if name in there and not name.startswith("sqlite_")
    ]
    result = Salvaged()
    target.execute("PRAGMA foreign_keys = OFF")
    for name, plain_key in wanted:
        target.execute("BEGIN IMMEDIATE")
        copy = _Copy(source, target, name)
        whole = copy.in_order_of_key() if plain_key else copy.by_number()
        target.execute("COMMIT")
        result.rows += copy.rows
        if not whole:
            result.damaged.append(_words(name))
    target.execute("BEGIN IMMEDIATE")
    _names_from_indexes(source, target)
    _make_good(target)
    target.execute("COMMIT")
    target.execute("PRAGMA foreign_keys = ON")
    return result


class _Copy:
    """Copies one table."""

    def __init__(self, source: sqlite3.Connection, target: sqlite3.Connection, table: str) -> None:
        self._source, self._target, self._table = source, target, table
        names = [self._names(connection) for connection in (source, target)]
        columns = [name for name in names[1] if name in names[0]]
        self._listed = ", ".join(columns)
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT OR IGNORE INTO {table} ({self._listed}) VALUES ({marks})"  # noqa: S608 - our schema's names
        self.rows = 0

    def by_number(self) -> bool:
        """Copy a table whose key is a number; return whether all of it could be read."""
        whole, begun = self._along(_UP, -_LARGEST_KEY)
        if not begun:  # the first page is damaged, and nothing tells where the rows behind it begin
            _, begun = self._along(_DOWN, _LARGEST_KEY)
        if not begun and (number := self._foothold()) is not None:  # so is the last one
            self._along(_UP, number)
            self._along(_DOWN, number - 1)
        return whole

    def _along(self, way: _Way, at: int) -> tuple[bool, bool]:
        """Copy all rows from ``at`` on; return whether all could be read, and whether there was a place to go on from."""
        whole, start = True, at
        query = f"SELECT rowid, {self._listed} FROM {self._table} WHERE rowid {way.from_} ? ORDER BY rowid {way.order}"  # noqa: S608
        while (bad := self._up_to_damage(way, query, at)) is not None:
            whole = False
            try:
                number = self._first(way, bad)
            except sqlite3.DatabaseError:
                if bad == start:
                    return False, False
                following = self._readable(way, bad)
            else:  # the row has a key, and nothing else
                following = None if number is None else number + way.step
            if following is None:
                break
            at = following
        return whole, True

    def _up_to_damage(self, way: _Way, query: str, at: int) -> int | None:
        """Copy up to the damage; return from which number on nothing can be read, None if there is no more."""
        batch: list[Sequence[object]] = []
        try:
            for number, *row in self._source.execute(query, (at,)):
                batch.append(row)
                at = number + way.step
                if len(batch) == _BATCH:
                    self._write(batch)
        except sqlite3.DatabaseError as error:
            self._write(batch)
            if not _is_damage(error):
                raise
            # The module sqlite3 reads one row ahead and loses it with the error: the last ones come one by one.
            return self._one_by_one(way, f"{query} LIMIT 1", at)
        self._write(batch)
        return None

    def _one_by_one(self, way: _Way, query: str, at: int) -> int | None:
        """Copy row by row up to the damage; return from which number nothing can be read, None if there is no more."""
        while True:
            try:
                found = self._source.execute(query, (at,)).fetchone()
            except sqlite3.DatabaseError:
                return at
            if found is None:
                return None
            number, *row = found
            self._write([row])
            at = number + way.step

    def in_order_of_key(self) -> bool:
        """Copy a small table with another key, from both ends; return whether all of it could be read."""
        for order in ("ASC", "DESC"):
            keys = [
                name
                for name, place in self._source.execute("SELECT name, pk FROM pragma_table_info(?)", (self._table,))
                if place
            ]
            ordered = ", ".join(f"{key} {order}" for key in keys)
            batch: list[Sequence[object]] = []
            try:
                batch.extend(self._source.execute(f"SELECT {self._listed} FROM {self._table} ORDER BY {ordered}"))  # noqa: S608
            except sqlite3.DatabaseError as error:
                self._write(batch)
                if not _is_damage(error):
                    raise
            else:
                self._write(batch)
                return order == "ASC"
        return False

    def _write(self, batch: list[Sequence[object]]) -> None:
        self._target.executemany(self._insert, batch)
        self.rows += len(batch)
        batch.clear()

    def _readable(self, way: _Way, at: int) -> int | None:
        """Return a number from which on rows can be read again, the nearest there is; None if there is none."""
        step, bad = way.step, at
        while not self._can_read(way, at + step):
            bad = at + step
            step *= 2
            if abs(at + step) > _LARGEST_KEY:
                return None
        good = at + step
        while abs(good - bad) > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if self._can_read(way, middle) else (good, middle)
        return good

    def _foothold(self) -> int | None:
        """Return any number from which on a row can be read, None if none is found.

        Keys that count lie between powers of two; keys of roll-ups are times, and those of another table are among them.
        """
        levels = [level.table for level in reversed(LEVELS)]
        numbers: Iterable[int] = (1 << power for power in range(_KEY_BITS))
        if self._table in levels:
            numbers = chain.from_iterable(self._numbers_of(table) for table in levels if table != self._table)
        for number in numbers:
            with suppress(sqlite3.DatabaseError):
                if self._first(_UP, number) is not None:
                    return number
        return None

    def _numbers_of(self, table: str) -> Iterator[int]:
        """Return the newest keys of another table that can be read."""
        with suppress(sqlite3.DatabaseError):
            query = f"SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT {_BATCH}"  # noqa: S608
            for (number,) in self._source.execute(query):
                yield number

    def _can_read(self, way: _Way, number: int) -> bool:
        try:
            self._first(way, number)
        except sqlite3.DatabaseError:
            return False
        return True

    def _first(self, way: _Way, number: int) -> int | None:
        query = f"SELECT rowid FROM {self._table} WHERE rowid {way.from_} ? ORDER BY rowid {way.order} LIMIT 1"  # noqa: S608
        row = self._source.execute(query, (number,)).fetchone()
        return None if row is None else int(row[0])

    def _names(self, connection: sqlite3.Connection) -> list[str]:
        return [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (self._table,))]


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in {
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_IOERR,
    }


def _names_from_indexes(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Take names of meters, outboxes and layouts from their indexes, which hold them a second time."""
    for table, number, name in (("meters", "meter", "id"), ("layouts", "layout", "keys")):
        try:
            rows = source.execute(f"SELECT {number}, {name} FROM {table} ORDER BY {name}").fetchall()  # noqa: S608
        except sqlite3.DatabaseError:
            continue
        target.executemany(f"INSERT OR IGNORE INTO {table} ({number}, {name}) VALUES (?, ?)", rows)  # noqa: S608
    # A meter whose name is lost keeps its readings, under a name that nobody has.
    target.execute(
        "INSERT OR IGNORE INTO meters SELECT DISTINCT meter, 'lost_' || meter FROM"
        " (SELECT meter FROM heads UNION SELECT DISTINCT meter FROM registers UNION SELECT DISTINCT meter FROM blocks)"
    )


def _make_good(target: sqlite3.Connection) -> None:
    """Put right what must not be missing: without it readings would be counted twice, or numbers begin again."""
    state: dict[str, int] = dict(target.execute("SELECT name, value FROM state"))
    (seq,) = target.execute("SELECT max(seq) FROM registers").fetchone()
    (block,) = target.execute("SELECT max(block) FROM blocks").fetchone()
    (rolled,) = target.execute("SELECT max(at) FROM minute_rollups").fetchone()
    if rolled is not None and "rolled_seq" not in state:
        state |= {"rolled_seq": seq or 0, "rolled_block": block or 0}
    for coarse in LEVELS[1:]:
        name = f"built:{coarse.table}"
        (last,) = target.execute(f"SELECT max(at) >> 16 FROM {coarse.table}").fetchone()  # noqa: S608
        if name not in state and last is not None:
            state[name] = last + coarse.step
    target.executemany("INSERT OR REPLACE INTO state VALUES (?, ?)", state.items())
    _heads(target, state.get("rolled_seq", 0))
    if not target.execute("SELECT 1 FROM block_hours").fetchone():
        _hours_of_blocks(target)


def _heads(target: sqlite3.Connection, rolled: int) -> None:
    """Make the last registers of meters that have none out of their readings."""
    listed = ", ".join(LAST_REGISTERS.stored)
    target.execute(
        f"INSERT OR IGNORE INTO heads ({listed}) SELECT {listed} FROM registers WHERE seq IN"  # noqa: S608
        " (SELECT max(seq) FROM registers WHERE seq <= ? GROUP BY meter)",
        (rolled,),
    )


def _hours_of_blocks(target: sqlite3.Connection) -> None:
    hour = None
    for block, last in target.execute("SELECT block, last FROM blocks ORDER BY block").fetchall():
        if last // 3_600_000 * 3_600_000 != hour:
            hour = last // 3_600_000 * 3_600_000
            target.execute("INSERT INTO block_hours VALUES (?, ?)", (block, hour))


def _words(table: str) -> str:
    for part in (*PARTS, "kept"):
        table = table.removesuffix(f"_{part}")
    return _WORDS.get(table, "where hours are found")
