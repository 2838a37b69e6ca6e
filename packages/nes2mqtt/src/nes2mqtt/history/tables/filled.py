"""Readings that the meter kept while nobody read it: how they are stored, and how its energy is booked anew.

A gap is the time between two readings of one physical meter that follow each other. What its registers counted in it was
booked to the bucket in which the meter was heard again. When readings in between become known, that energy is taken out of
that bucket and booked to the buckets in which it was counted, at every level that is made already, in one transaction with
the readings. So the sum over all buckets stays the difference of the registers.

Filled readings stand in a table of their own. They have no number of the journal (``seq``): outboxes deliver what was
read, in the order in which it was read.

This module does not know which readings may be believed, nor where they come from.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nes2mqtt.history.tables.columns import FILLED_READINGS
from nes2mqtt.history.tables.energy import Head
from nes2mqtt.history.tables.journal import Journal
from nes2mqtt.history.tables.rollups import Rollups, Step
from nes2mqtt.history.tables.rows import Columns, moment, numbers_in, stamp
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

__all__ = ["NOT_BOOKED", "FilledGap", "FilledReading", "FilledRows", "Filling", "Gap", "Looked", "LookedInto"]


NOT_BOOKED = "not_booked"
"""The outcome of a gap of which it cannot be found where its energy was booked."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which no register of a meter was read.

    Args:
        before: the last reading before it.
        after: the first reading after it.
    """

    before: Sample
    after: Sample

    @property
    def meter(self) -> str:
        """Return the meter's id."""
        return self.before.meter


@dataclass(frozen=True, slots=True)
class Looked:
    """What became of a gap that was looked into.

    Args:
        gap: which.
        readings: what the registers showed in it, oldest first; empty if nothing is known.
        outcome: one word.
        mark: how far the meter's load profile was read, as the library notes it; empty if it was not.
    """

    gap: Gap
    readings: Sequence[Sample]
    outcome: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class FilledReading:
    """A reading that was filled in.

    Args:
        number: grows in the order in which readings were filled in.
        since: the reading before it, in ms since 1970.
        sample: what the registers showed.
    """

    number: int
    since: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class FilledGap:
    """A gap that was filled, wholly or in part.

    Args:
        number: grows in the order in which gaps were looked into.
        meter: its id.
        began: the last reading before it.
        ended: the first reading after it.
        readings: what was filled in, oldest first; each is made when it is asked for.
    """

    number: int
    meter: str
    began: datetime
    ended: datetime
    readings: Sequence[Sample]


@dataclass(frozen=True, slots=True)
class LookedInto:
    """A gap that was looked into, and what became of it.

    Args:
        began: the last reading before it.
        ended: the first reading after it.
        readings: how many could be filled in.
        outcome: one word.
        unplaced: keys of registers that counted in it, nobody knows when.
    """

    began: datetime
    ended: datetime
    readings: int
    outcome: str
    unplaced: tuple[str, ...]


class FilledRows:
    """Rows of ``filled``."""

    def __init__(self) -> None:
        self.columns = Columns([name for name in FILLED_READINGS.stored if name not in FILLED_READINGS.head])
        stored = FILLED_READINGS.stored
        self.select = f"SELECT {', '.join(stored)} FROM filled"  # noqa: S608 - names of our schema
        marks = ", ".join("?" * (len(stored) - 1))
        self.insert = f"INSERT OR IGNORE INTO filled ({', '.join(stored[1:])}) VALUES ({marks})"  # noqa: S608

    def encode(self, meter: int, since: int, sample: Sample) -> list[Any]:
        """Return the row of a reading, without its number."""
        others = self.columns.others(sample.values)
        return [
            meter,
            stamp(sample.received),
            since,
            sample.segment,
            json.dumps(others, separators=(",", ":")) if others else None,
            *self.columns.values(sample.values),
        ]

    def decode(self, row: Sequence[Any], meters: Mapping[int, str]) -> FilledReading:
        """Return the reading of a row.

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: the row is damaged.
        """
        number, meter, received, since, segment, other, *cells = row
        values = self.columns.present(cells)
        if not all(isinstance(value, int) for value in (since, segment, *values.values())):
            raise TypeError("a register is no number")
        with suppress(TypeError, ValueError):
            values.update({SOURCES[key]: value for key, value in numbers_in(other).items() if key in SOURCES})
        sample = Sample(meters[meter], TableGroup.REGISTERS, moment(received), values, segment=segment)
        return FilledReading(number, since, sample)

    def between(self, connection: sqlite3.Connection, meter: int, low: int, high: int) -> Iterator[Sequence[Any]]:
        """Yield a meter's rows after ``low`` up to and including ``high`` (ms), in order of time."""
        query = f"{self.select} WHERE meter = ? AND received > ? AND received <= ? ORDER BY received"
        yield from connection.execute(query, (meter, low, high))


class Filling:
    """Fills gaps.

    Args:
        journal: where the readings around a gap are.
        rollups: what is booked anew; nothing of it may be in memory only.
    """

    def __init__(self, journal: Journal, rollups: Rollups) -> None:
        self._journal = journal
        self._connection = journal.connection
        self._rollups = rollups
        self._rows = FilledRows()

    def store(self, looked: Looked) -> int:
        """Store what became of a gap, and book its energy anew, in one transaction; return how many readings are new.

        Raises:
            sqlite3.Error: nothing was written.
        """
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            stored = self._store(looked)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return stored

    def _store(self, looked: Looked) -> int:
        gap, connection = looked.gap, self._connection
        number = self._journal.numbers[gap.meter]
        began, ended = stamp(gap.before.received), stamp(gap.after.received)
        query = "SELECT 1 FROM gaps WHERE meter = ? AND began < ? AND ended > ?"
        if connection.execute(query, (number, ended, began)).fetchone():
            return 0  # it was looked into already
        readings, outcome = looked.readings, looked.outcome
        unplaced: set[str] = set()
        if readings:
            head = Head(0, began, gap.before.segment, dict(gap.before.values))
            between = began, stamp(readings[-1].received), ended
            if self._rollups.book_anew(number, self._stored_steps(number, head, readings), between):
                rest = head.advance(0, ended, gap.after.segment, gap.after.values, self._rollups.rows.energies)
                known = readings[-1].values.keys()
                unplaced = {source.key for source, step in rest.items() if step and source not in known}
            else:
                readings, outcome = (), NOT_BOOKED
        connection.execute(
            "INSERT INTO gaps (meter, began, ended, readings, outcome, unplaced) VALUES (?, ?, ?, ?, ?, ?)",
            (number, began, ended, len(readings), outcome, " ".join(sorted(unplaced))),
        )
        if looked.mark:
            connection.execute(
                "INSERT INTO profile_marks VALUES (?, ?) ON CONFLICT (meter) DO UPDATE SET mark = excluded.mark",
                (number, looked.mark),
            )
        return len(readings)

    def _stored_steps(self, number: int, head: Head, readings: Iterable[Sample]) -> Iterator[Step]:
        """Store readings one by one, and yield what was counted up to each; ``head`` goes along."""
        for sample in readings:
            since, until = head.received, stamp(sample.received)
            counted = head.advance(0, until, sample.segment, sample.values, self._rollups.rows.energies)
            self._connection.execute(self._rows.insert, self._rows.encode(number, since, sample))
            yield Step(since, until, counted)
