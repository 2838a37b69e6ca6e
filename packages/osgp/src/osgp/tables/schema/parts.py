"""What a table is declared of: fields, words of bits, bytes without a name, and arrays of records.

Three things decide whether a meter has a part. ``when``: dimensions that another table tells. ``since``, ``before`` and
``also``: the firmware. And where the bytes of a meter end. A part that only other firmware has keeps its place if anything
that the meter has stands behind it: firmware adds at the end, and what it adds in the middle was reserved before.

This module does not know how bytes become values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from osgp.errors import MisuseError
from osgp.tables.schema.count import Count
from osgp.tables.schema.dimensions import Dimensions, Firmware
from osgp.tables.schema.types import Type

__all__ = ["Bit", "Bits", "Field", "FieldList", "Filler", "Group", "counts_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked:
    """What only some firmware has. All of it is taken for there where the firmware is not known."""

    since: Firmware | None = None
    """There from this firmware on."""
    before: Firmware | None = None
    """Not any more there, or without meaning, from this firmware on."""
    also: tuple[Firmware, ...] = ()
    """There in these too, although they are older than ``since``: the guides tell of additions to old lines."""

    def in_firmware(self, dims: Dimensions) -> bool:
        """Tell whether a meter of this firmware has it."""
        firmware = dims.firmware
        if firmware is None or firmware in self.also:
            return True
        too_old = self.since is not None and firmware < self.since
        return not too_old and (self.before is None or firmware < self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part(_Marked):
    """What every entry of a field list has."""

    page: str = ""
    """Page of the MEP guide v1.1, or of the guide named before it, where the table's page is not enough."""
    when: Count | None = None
    """Has a place only if this is not 0."""

    def has_place(self, dims: Dimensions) -> bool:
        """Tell whether the dimensions give it a place, whatever the firmware.

        Raises:
            Untold: the table that tells was not read.
        """
        return self.when is None or bool(self.when.number(dims))


@dataclass(frozen=True, slots=True)
class Field(_Part):
    """One value, or ``count`` of them: a tuple, or one value of a type that takes a size (``char``, ``set_of``)."""

    name: str
    type: Type | Callable[[int], Type]
    count: Count | int | None = field(default=None, kw_only=True)
    unit: str = field(default="", kw_only=True)
    note: str = field(default="", kw_only=True)


@cache
def _of_every_byte(low: int, mask: int, kind: Callable[[int], int | bool]) -> tuple[int | bool, ...]:
    """Return what these bits are in each byte: looking that up is several times faster than calculating it.

    Made once for all bits in the same place: a meter's tables have over a hundred.
    """
    return tuple(kind(word >> low & mask) for word in range(256))


@dataclass(frozen=True, slots=True)
class Bit(_Marked):
    """Bits ``low`` to ``high`` of a word: a bool if it is one bit, else a number."""

    name: str
    low: int
    high: int | None = None
    note: str = ""

    @property
    def mask(self) -> int:
        """Return the mask of the shifted value."""
        return (1 << ((self.low if self.high is None else self.high) - self.low + 1)) - 1

    def reader(self, size: int) -> Callable[[int], int | bool]:
        """Return what reads these bits from a word of ``size`` bytes."""
        kind: Callable[[int], int | bool] = bool if self.high is None else int
        low, mask = self.low, self.mask
        if size == 1:
            return _of_every_byte(low, mask, kind).__getitem__
        return lambda word: kind(word >> low & mask)

    def write(self, word: int, value: int) -> int:
        """Return ``word`` with these bits set to ``value``."""
        if not 0 <= value <= self.mask:
            raise MisuseError(f"value {value} is outside 0..{self.mask}")
        return word & ~(self.mask << self.low) | int(value) << self.low


@dataclass(frozen=True, slots=True)
class Bits(_Part):
    """A word of bit fields. Bits without a name are fillers."""

    type: Type
    bits: tuple[Bit, ...]


@dataclass(frozen=True, slots=True)
class Filler(_Part):
    """Bytes the guide reserves or leaves undocumented; kept when a table is written back, never shown."""

    size: Count | int


@dataclass(frozen=True, slots=True)
class Group(_Part):
    """An array of records: decodes to a tuple of dicts."""

    name: str
    fields: tuple[Field | Bits | Filler | Group, ...]
    count: Count | int
    note: str = field(default="", kw_only=True)


FieldList = Sequence[Field | Bits | Filler | Group]


def counts_of(fields: FieldList) -> Iterator[Count]:
    """Yield everything that decides how a field list is laid out in a meter."""
    for part in fields:
        size = part.size if isinstance(part, Filler) else None if isinstance(part, Bits) else part.count
        yield from (each for each in (part.when, size) if isinstance(each, Count))
        if isinstance(part, Group):
            yield from counts_of(part.fields)
