"""Samples to database rows and back.

Which values have a column is said in :mod:`nes2mqtt.history.tables.columns`. Registers without a column go as JSON into
``other``, so that an outbox delivers what was read; present values without a column are not kept.

This module does not execute anything but look-ups of the layouts of blocks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

from nes2mqtt.history.tables.blocks import BadBlock, unpack
from nes2mqtt.history.tables.columns import PRESENT, REGISTER_READINGS, REGISTERS, keys_of
from nes2mqtt.readings.reading import MeterInfo, Sample, TableGroup
from osgp.sources import SOURCES, Source

__all__ = [
    "MAX_METERS",
    "BlockRows",
    "Columns",
    "RegisterRows",
    "Segment",
    "moment",
    "numbers_in",
    "present_key",
    "stamp",
]

MAX_METERS = 65535
"""A key of a roll-up has 16 bits for the meter."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def stamp(moment: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970 (UTC), rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(stamp: int) -> datetime:
    """Return milliseconds since 1970 as an aware datetime (UTC)."""
    return _EPOCH + stamp * _MILLISECOND


def present_key(received: int, meter: int) -> int:
    """Return the key of a roll-up (and of ``present``, before there were blocks) for a time in ms and a meter number."""
    return received << 16 | meter


def numbers_in(cell: object) -> dict[str, int]:
    """Return the numbers in a cell that holds a JSON object, by key; none for NULL.

    Raises:
        TypeError, ValueError: it holds anything else.
    """
    if cell is None:
        return {}
    if not isinstance(cell, str) or _NO_CHARACTER in cell:
        raise ValueError(f"{cell!r} is damaged")
    found = json.loads(cell)
    if not isinstance(found, dict) or not all(type(value) is int for value in found.values()):
        raise ValueError(f"{cell!r} is no object of numbers")
    return found


_NO_CHARACTER = "\ufffd"
"""What stands for bytes that are no text."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One physical meter at a place.

    Args:
        started: when it came, if that was seen.
        restarted: registers that rolled over, and when.
        info: who it is, as far as that was learned.
        base: what each register showed first, if the segment began with a swap that was seen.
    """

    started: datetime | None = None
    restarted: Mapping[Source, datetime] = field(default_factory=dict)
    info: MeterInfo | None = None
    base: Mapping[Source, int] = field(default_factory=dict)


class Columns:
    """The columns of tables that hold values of sources, in order.

    Args:
        keys: of the sources.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = tuple(keys)
        self.sources: tuple[Source, ...] = tuple(SOURCES[key] for key in self.keys)
        self.listed = ", ".join(self.keys)
        self._known = frozenset(self.sources)
        self._all = itemgetter(*self.sources) if len(self.sources) > 1 else None

    def values(self, sample: Mapping[Source, int]) -> list[int | None]:
        """Return the values that have a column, in the columns' order; None for absent."""
        if self._all is not None:
            with suppress(KeyError):  # most meters have every value or lack some: then one by one
                return list(self._all(sample))
        return [sample.get(source) for source in self.sources]

    def others(self, sample: Mapping[Source, int]) -> dict[str, int]:
        """Return the values that have no column."""
        if sample.keys() <= self._known:
            return {}
        return {source.key: value for source, value in sample.items() if source not in self._known}

    def present(self, cells: Sequence[int | None]) -> dict[Source, int]:
        """Return what is not NULL among the cells of this table's columns."""
        return {source: cell for source, cell in zip(self.sources, cells, strict=True) if cell is not None}


class RegisterRows:
    """Register readings as rows of ``registers``, or of another table with the same columns: how they are asked for, put in and read."""

    def __init__(self) -> None:
        self.columns = Columns(keys_of(REGISTERS))
        self._stored = REGISTER_READINGS.stored
        self._listed = ", ".join(self._stored)
        self.select = self.select_from("registers")

    def select_from(self, table: str) -> str:
        """Return the query for all rows of a table, in no order, as :meth:`decode` takes them; a ``WHERE`` may follow."""
        return f"SELECT {self._listed} FROM {table}"  # noqa: S608 - names of our schema

    def insert(self, table: str, *, replace: bool = False) -> str:
        """Return the statement that puts a row into a table, in the place of one with the same key if so wanted."""
        marks = ", ".join("?" * len(self._stored))
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        return f"{verb} INTO {table} ({self._listed}) VALUES ({marks})"

    def encode(self, seq: int, meter: int, sample: Sample, positions: Sequence[int] = ()) -> list[Any]:
        """Return the row of a sample; ``positions`` says how far each outbox has delivered."""
        others = self.columns.others(sample.values)
        return [
            seq,
            meter,
            stamp(sample.received),
            sample.segment,
            None if sample.meter_time is None else stamp(sample.meter_time),
            _behind(seq, positions),
            json.dumps(others, separators=(",", ":")) if others else None,
            *self.columns.values(sample.values),
        ]

    def decode(
        self, row: Sequence[Any], meters: Mapping[int, str], segments: Mapping[tuple[int, int], Segment]
    ) -> Sample:
        """Return the sample of a row.

        Args:
            row: as :attr:`select` gives it.
            meters: ids by meter number.
            segments: by (meter number, segment).

        Raises:
            ArithmeticError, LookupError, TypeError, ValueError: the row is damaged.
        """
        _, meter, received, segment, meter_time, _, other, *cells = row
        values = self.columns.present(cells)
        if not all(isinstance(value, int) for value in (segment, *values.values())):
            raise TypeError("a register is no number")
        with suppress(TypeError, ValueError):  # a damaged cell costs its registers; the others are true
            # A source that a later version renamed would be a broken promise; one it does not know is left out.
            values.update({SOURCES[key]: value for key, value in numbers_in(other).items() if key in SOURCES})
        at = moment(received)
        place = segments.get((meter, segment), Segment())
        return Sample(
            meter=meters[meter],
            group=TableGroup.REGISTERS,
            received=at,
            values=values,
            meter_time=None if meter_time is None else moment(meter_time),
            segment=segment,
            segment_start=place.started,
            restarted={source: when for source, when in place.restarted.items() if when <= at},
            base=place.base,
        )


def _behind(seq: int, positions: Sequence[int]) -> str | None:
    """Return how far outboxes are behind, in order; earlier programs wrote a single one as a number."""
    return " ".join(str(seq - position) for position in positions) or None


class BlockRows:
    """Which values the rows of ``blocks`` hold."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.columns = Columns(keys_of(PRESENT))
        self._numbers: dict[str, int] = {}
        self._sources: dict[int, tuple[Source | None, ...]] = {}

    def layout(self, samples: Sequence[Sample]) -> tuple[int, Sequence[Source]]:
        """Return the number of the layout for all values in ``samples`` that are kept, entered if it is new."""
        there = set().union(*(sample.values for sample in samples))
        sources = tuple(source for source in self.columns.sources if source in there)
        keys = " ".join(source.key for source in sources)
        number = self._numbers.get(keys)
        if number is None:
            # Asked each time until it was committed: a transaction that failed took the row with it.
            self._connection.execute("INSERT OR IGNORE INTO layouts (keys) VALUES (?)", (keys,))
            (number,) = self._connection.execute("SELECT layout FROM layouts WHERE keys = ?", (keys,)).fetchone()
        return number, sources

    def committed(self) -> None:
        """Remember the layouts there are: they are on disk now."""
        self._numbers = {keys: number for number, keys in self._connection.execute("SELECT layout, keys FROM layouts")}

    def sources(self, layout: int) -> tuple[Source | None, ...]:
        """Return the sources of a layout; None for one this version does not know."""
        found = self._sources.get(layout)
        if found is None:
            row = self._connection.execute("SELECT keys FROM layouts WHERE layout = ?", (layout,)).fetchone()
            if row is None:
                raise BadBlock(f"layout {layout} is not there")
            found = self._sources[layout] = tuple(SOURCES.get(key) for key in str(row[0]).split())
        return found

    def read(self, layout: int, data: bytes) -> list[tuple[int, dict[Source, int]]]:
        """Return time and values of each reading in a block.

        Raises:
            BadBlock: its bytes are damaged.
        """
        sources = self.sources(layout)
        return [
            (at, {s: value for s, value in zip(sources, cells, strict=True) if s is not None and value is not None})
            for at, cells in unpack(data, len(sources))
        ]
