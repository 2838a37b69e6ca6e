"""The ring that every log of the meter is: a header, and places that are written again and again.

The header says how many places hold an entry, at which place the newest stands and which number it has. Three headers
exist; they differ in the width of these numbers only: 6 bytes (BT26, MEP guide v1.1 p. 213), 9 bytes (ET74, p. 176-177) and
11 bytes (BT74, p. 241-242). Entries stand in ascending order, so the entry before the newest is at the place before, and
before place 0 is the last one.

An entry's number follows from its age, except in the event logs: two of them share one count, so numbers are left out, and
each entry holds the lower half of its own (p. 242). The upper half is rebuilt from one entry to the next older one: the
header's upper half is that of the newest only.

Times say nothing about order: many are local, and each autumn an hour comes twice.

This module does not know what an entry means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import NamedTuple

from osgp.errors import TableError
from osgp.tables.schema.table import Bit, Bits, Field
from osgp.tables.schema.types import UINT8, UINT16, UINT32, Type

__all__ = ["EVENT_HEADER", "LONG_HEADER", "SHORT_HEADER", "Entry", "HeaderShape", "Ring", "RingHeader"]

_MOST_BYTES = 1 << 18
"""Of a meter's memory (p. 231): no log is larger."""
_MOST_ENTRIES = 4096
"""Of an event log. Meters have 100 or 200, "although other values are supported" (Optical guide v1.1 p. 50): far above all of
them, far below what a misread number could ask for."""
_HALF = 1 << 16
"""An entry's own number is the lower half of four bytes."""


@dataclass(frozen=True, slots=True)
class HeaderShape:
    """How wide the four numbers of a header are."""

    valid: Type
    """How many entries there are."""
    newest: Type
    """Place of the newest."""
    sequence: Type
    """Number of the newest."""
    unread: Type
    """How many the grid company has not read. Nobody else changes it."""
    most_entries: int
    """How many a ring with this header has at most."""

    @property
    def size(self) -> int:
        """Return the bytes of the header."""
        return 1 + sum(each.size for each in (self.valid, self.newest, self.sequence, self.unread))

    @property
    def fields(self) -> tuple[Bits | Field, ...]:
        """Return the header as the beginning of a table's declaration."""
        return (
            Bits(
                UINT8,
                (
                    Bit("descending", 0, note="fixed: off, older entries stand before newer ones"),
                    Bit("overflow", 1),
                    Bit("circular", 2, note="off if there is no place"),
                    Bit("inhibit_overflow", 3),
                ),
            ),
            Field("valid_entries", self.valid),
            Field("newest_entry", self.newest, note="place of the newest"),
            Field("newest_sequence_number", self.sequence),
            Field("unread_entries", self.unread, note="by the grid company"),
        )

    def numbers(self, order: str) -> Struct:
        """Return what unpacks a header: flags, valid, newest, sequence, unread."""
        return Struct(f"{order}B{self.valid.code}{self.newest.code}{self.sequence.code}{self.unread.code}")


SHORT_HEADER = HeaderShape(UINT8, UINT8, UINT16, UINT8, most_entries=255)
"""6 bytes: BT26 (p. 213), ET31 (p. 104-105), ET41 (p. 110), ET45 (p. 119-120), ET75 (p. 178-179), ET81 (p. 185-186)."""
LONG_HEADER = HeaderShape(UINT16, UINT16, UINT16, UINT16, most_entries=_MOST_ENTRIES)
"""9 bytes: ET74 (p. 176-177)."""
EVENT_HEADER = HeaderShape(UINT16, UINT16, UINT32, UINT16, most_entries=_MOST_ENTRIES)
"""11 bytes: BT74 (p. 241-242), ET79 (p. 181-182)."""


class RingHeader(NamedTuple):
    """What the header says now."""

    overflow: bool
    """Entries were lost that the grid company had not read."""
    valid: int
    newest: int
    sequence: int
    unread: int


class Entry(NamedTuple):
    """One entry of a ring, not decoded."""

    sequence: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Ring:
    """One log of one meter.

    Args:
        table: its name, for errors.
        shape: of the header.
        places: how many entries it has room for.
        entry_size: bytes of one.
        order: byte order of numbers, as :mod:`struct` writes it.
        number_at: where in an entry the lower half of its own number stands; None where numbers follow from the age.

    Raises:
        TableError: no meter has such a log.
    """

    table: str
    shape: HeaderShape
    places: int
    entry_size: int
    order: str = "<"
    number_at: int | None = None

    def __post_init__(self) -> None:
        """Refuse sizes that no meter has."""
        if not 0 <= self.places <= self.shape.most_entries or self.entry_size < 1 or self.size > _MOST_BYTES:
            raise TableError(
                f"{self.table} would have {self.places} entries of {self.entry_size} bytes, which no meter has; the table "
                "that tells its size was read wrongly. Read it again"
            )

    @property
    def size(self) -> int:
        """Return the bytes of the whole table."""
        return self.shape.size + self.places * self.entry_size

    def header(self, data: bytes) -> RingHeader:
        """Return the header, which ``data`` begin with.

        Raises:
            TableError: the data end before, or it points out of the ring.
        """
        numbers = self.shape.numbers(self.order)
        if len(data) < numbers.size:
            raise TableError(f"{self.table} has {len(data)} bytes, its header {numbers.size}. Read it again")
        flags, valid, newest, sequence, unread = numbers.unpack_from(data)
        if valid > self.places or (valid and newest >= self.places):
            raise TableError(
                f"{self.table} counts {valid} entries up to place {newest}, but has {self.places} places. It was read while "
                "it changed, or the table that tells its size was; read both again"
            )
        return RingHeader(bool(flags & 2), valid, newest, sequence, unread)

    def offset(self, place: int) -> int:
        """Return where in the table a place begins."""
        return self.shape.size + place * self.entry_size

    def entries(self, data: bytes) -> list[Entry]:
        """Take a whole table apart; the newest entry comes first.

        Entries whose number does not fall with their age cannot be of this ring any more: from the first such one on, none
        is given.

        Raises:
            TableError: the table is longer or shorter, or its header points out of it.
        """
        if len(data) != self.size:
            raise TableError(
                f"{self.table} has {len(data)} bytes where {self.size} are right: {self.places} entries of "
                f"{self.entry_size}. What tells its size is of another moment, or was read wrongly; read both again"
            )
        header = self.header(data)
        starts = (self.offset((header.newest - age) % self.places) for age in range(header.valid))
        return list(self.numbered(header.sequence, [data[start : start + self.entry_size] for start in starts]))

    def numbered(self, newest: int, raw: Sequence[bytes]) -> Iterator[Entry]:
        """Give entries that follow each other, the newest first, their numbers; end before the first that does not follow.

        Args:
            newest: the header's number, that of the first entry.
            raw: the entries.
        """
        modulus = 1 << 8 * self.shape.sequence.size
        if self.number_at is None:
            for age, data in enumerate(raw):
                yield Entry((newest - age) % modulus, data)
            return
        number = newest
        for age, data in enumerate(raw):
            own = int.from_bytes(data[self.number_at : self.number_at + 2], "big" if self.order == ">" else "little")
            back = (number - own) % _HALF
            if (age and not back) or back > number:
                return
            number -= back
            yield Entry(number, data)
