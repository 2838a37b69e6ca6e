"""Measured values straight from table bytes: what registers and present values share.

A :class:`Readout` is a list of (source, offset) with the rest skipped. Reading a whole
table is one unpack; a shorter or partial read gives the values it holds and no others.

This module does not know which table it reads.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import NamedTuple

from osgp.errors import MisuseError
from osgp.sources import Source
from osgp.tables.schema.table import FieldAbsent

__all__ = ["Position", "Readout"]


class Position(NamedTuple):
    """Where a source stands in its table."""

    source: Source
    offset: int
    code: str = "i"
    """``i`` (NI_FMAT, signed 32 bits) or ``B``."""
    factor: int = 1
    """What one step of the stored number is worth in the source's raw unit."""

    @property
    def end(self) -> int:
        """Return the offset behind it."""
        return self.offset + struct.calcsize(self.code)


class Readout:
    """The named values of one table of a meter of given dimensions."""

    def __init__(self, table: str, positions: Sequence[Position], order: str = "<") -> None:
        self._table = table
        self._order = order
        # A source that a meter names twice is the first of them, as everywhere (Dimensions.register_sources).
        self._positions: dict[Source, Position] = {}
        for position in positions:
            self._positions.setdefault(position.source, position)
        positions = tuple(self._positions.values())
        self._sources = tuple(self._positions)
        self._factors = tuple(position.factor for position in positions)
        self._scaled = any(factor != 1 for factor in self._factors)
        codes, end = [order], 0
        for position in positions:
            codes.append(f"{position.offset - end}x{position.code}")
            end = position.end
        self._packed = struct.Struct("".join(codes))

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the sources in table order."""
        return self._sources

    def decode(self, data: bytes, offset: int = 0) -> dict[Source, int]:
        """Return the values that lie wholly in ``data``, which begins at ``offset`` of the table."""
        if offset == 0 and len(data) >= self._packed.size:
            values: Iterable[int] = self._packed.unpack_from(data)
            if self._scaled:
                values = map(mul, values, self._factors)
            return dict(zip(self._sources, values, strict=True))
        end = offset + len(data)
        return {
            position.source: struct.unpack_from(f"{self._order}{position.code}", data, position.offset - offset)[0]
            * position.factor
            for position in self._positions.values()
            if offset <= position.offset and position.end <= end
        }

    def window(self, sources: Iterable[Source]) -> tuple[int, int]:
        """Return offset and count of the shortest partial read that covers ``sources``.

        Raises:
            FieldAbsent: this meter's table lacks one of them, or none was asked for.
        """
        wanted = [self._position(source) for source in sources]
        if not wanted:
            raise FieldAbsent(f"no source of {self._table} was asked for")
        start = min(position.offset for position in wanted)
        return start, max(position.end for position in wanted) - start

    def encode(self, values: Mapping[Source, int], base: bytes) -> bytes:
        """Return ``base`` with ``values`` written into it.

        Raises:
            FieldAbsent: the table has no such source.
            MisuseError: a value does not fit its field.
        """
        memory = bytearray(base)
        for source, value in values.items():
            position = self._position(source)
            try:
                struct.pack_into(f"{self._order}{position.code}", memory, position.offset, value // position.factor)
            except struct.error as error:
                raise MisuseError(f"{source.key} cannot be {value} in {self._table}: {error}") from error
        return bytes(memory)

    def _position(self, source: Source) -> Position:
        try:
            return self._positions[source]
        except KeyError:
            raise FieldAbsent(f"{self._table} of this meter has no {source.key}") from None
