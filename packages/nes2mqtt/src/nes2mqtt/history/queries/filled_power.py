"""The average power of times that were filled in: what the registers counted in them, by how long they lasted.

Nobody read a present value then, so this is no point of a curve. It is told beside the curve, as what it is.

This module does not know how a gap was filled.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from nes2mqtt.history.tables.energy import difference
from nes2mqtt.history.tables.levels import HOURS
from nes2mqtt.history.tables.rows import moment
from osgp.sources import SOURCES

__all__ = ["FilledPower", "filled_power"]

_COUNTED_BY: Mapping[str, str] = {
    f"{kind}_power_{way}": f"{kind}_energy_{way}" for kind in ("active", "reactive") for way in ("import", "export")
}
"""The register that counts what a present value is: watts are watt-hours by hours."""
_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class FilledPower:
    """A time of which only the meter's load profile tells.

    Args:
        start: when it began (UTC).
        end: when it ended.
        values: average power in raw units (W, var), by the key of the present value; absent where it is not known.
    """

    start: datetime
    end: datetime
    values: Mapping[str, int]


class _Part(NamedTuple):
    since: int
    until: int
    counted: Mapping[str, int]
    """By the key of the present value, in Wh."""


def filled_power(
    connection: sqlite3.Connection, meter: int, keys: Sequence[str], between: tuple[int, int], step: int
) -> list[FilledPower]:
    """Return the average powers of what was filled in and has a part in a range of time, oldest first.

    Args:
        connection: to the database.
        meter: its number.
        keys: the present values that are asked for; those that no register counts have none.
        between: the range (ms).
        step: intervals that follow each other and begin in the same bucket of so many ms are told as one.
    """
    wanted = [key for key in keys if key in _COUNTED_BY]
    if not wanted:
        return []
    found: list[_Part] = []
    for part in _parts(connection, meter, wanted, between):
        last = found[-1] if found else None
        if last is not None and last.until == part.since and last.since // step == part.since // step:
            both = {key: last.counted[key] + part.counted[key] for key in last.counted.keys() & part.counted.keys()}
            found[-1] = _Part(last.since, part.until, both)
        else:
            found.append(part)
    return [
        FilledPower(
            moment(part.since),
            moment(part.until),
            {
                key: round(part.counted[key] * _HOUR / (part.until - part.since))
                for key in wanted
                if key in part.counted
            },
        )
        for part in found
    ]


def _parts(
    connection: sqlite3.Connection, meter: int, keys: Sequence[str], between: tuple[int, int]
) -> Iterator[_Part]:
    """Yield what was counted up to each filled reading, since the one before it."""
    low, high = between
    columns = ", ".join(_COUNTED_BY[key] for key in keys)
    query = f"SELECT since, received, {columns} FROM filled WHERE meter = ? AND received"  # noqa: S608 - names of our schema
    rows = connection.execute(f"{query} > ? AND received <= ? ORDER BY received", (meter, low, high)).fetchall()
    rows += connection.execute(f"{query} > ? ORDER BY received LIMIT 1", (meter, high)).fetchall()
    before: Sequence[int | None] = ()
    ended: int | None = None
    for since, received, *shown in rows:
        if since >= high:
            break
        if since != ended:
            before = _shown(connection, meter, columns, since)
        yield _Part(since, received, dict(_counted(keys, before, shown)))
        before, ended = shown, received


def _counted(
    keys: Iterable[str], before: Sequence[int | None], after: Sequence[int | None]
) -> Iterator[tuple[str, int]]:
    for key, earlier, later in zip(keys, before, after, strict=False):
        if earlier is not None and later is not None:
            step = difference(SOURCES[_COUNTED_BY[key]], earlier, later)
            if step is not None:
                yield key, step


def _shown(connection: sqlite3.Connection, meter: int, columns: str, at: int) -> Sequence[int | None]:
    """Return what the registers showed at a moment at which they were read or filled in; nothing if that is not kept."""
    query = f"SELECT {columns} FROM filled WHERE meter = ? AND received = ?"  # noqa: S608
    row: Sequence[int | None] | None = connection.execute(query, (meter, at)).fetchone()
    if row is None:
        place = connection.execute(
            "SELECT first_seq, last_seq FROM hours WHERE hour = ?", (HOURS.floor(at),)
        ).fetchone()
        if place is not None:
            query = f"SELECT {columns} FROM registers WHERE seq BETWEEN ? AND ? AND meter = ? AND received = ? LIMIT 1"  # noqa: S608
            last = (1 << 62) if place[1] is None else place[1]
            row = connection.execute(query, (place[0], last, meter, at)).fetchone()
    return () if row is None else row
