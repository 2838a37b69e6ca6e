"""Many register readings of one meter in little memory: a number for each value, made into samples when they are asked for.

A load profile of a year has 35,000 intervals, and a sample takes forty times as many bytes as its numbers.

This module does not know where readings come from.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import overload

from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import Source

__all__ = ["RegisterReadings", "values_of"]

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_ABSENT = -(1 << 63)


class RegisterReadings(Sequence[Sample]):
    """Readings of one physical meter's registers, oldest first.

    Args:
        meter: its id.
        sources: the registers.
        segment: which physical meter.
        base: see :attr:`nes2mqtt.readings.reading.Sample.base`.
    """

    def __init__(
        self, meter: str, sources: Sequence[Source], segment: int = 1, base: Mapping[Source, int] | None = None
    ) -> None:
        self.meter = meter
        self.segment = segment
        self.base = {} if base is None else base
        self.times = array("q")
        """When each was, in ms since 1970."""
        self._columns: dict[Source, array[int]] = {source: array("q") for source in sources}

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the registers of which anything is known."""
        return tuple(source for source, column in self._columns.items() if any(cell != _ABSENT for cell in column))

    def append(self, at: int, values: Mapping[Source, int]) -> None:
        """Add a reading; of values of other registers nothing is kept.

        Args:
            at: when, in ms since 1970.
            values: what the registers showed; each fits into 64 bits.
        """
        self.times.append(at)
        for source, column in self._columns.items():
            column.append(values.get(source, _ABSENT))

    def add_column(self, source: Source, values: Sequence[int]) -> None:
        """Add a register; there is a value for each reading."""
        if len(values) != len(self.times):
            raise ValueError("a column needs a value for each reading")
        self._columns[source] = array("q", values)

    def column(self, source: Source) -> Iterator[tuple[int, int]]:
        """Yield when (ms since 1970) and what a register showed, where that is known."""
        for at, value in zip(self.times, self._columns.get(source, ()), strict=False):
            if value != _ABSENT:
                yield at, value

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, place: int) -> Sample: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Sample, ...]: ...
    def __getitem__(self, place: int | slice) -> Sample | tuple[Sample, ...]:
        """Return a reading, or some."""
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(len(self.times))))
        at = _EPOCH + self.times[place] * _MILLISECOND
        values = {source: column[place] for source, column in self._columns.items() if column[place] != _ABSENT}
        return Sample(self.meter, TableGroup.REGISTERS, at, values, segment=self.segment, base=self.base)

    def __eq__(self, other: object) -> bool:
        """Compare as sequences of samples."""
        return isinstance(other, Sequence) and len(other) == len(self) and all(map(Sample.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]


def values_of(readings: Sequence[Sample], source: Source) -> Iterator[tuple[int, int]]:
    """Yield when (ms since 1970) and what a register showed in some readings, without making samples where there are none."""
    if isinstance(readings, RegisterReadings):
        yield from readings.column(source)
    else:
        for sample in readings:
            if source in sample.values:
                yield (sample.received - _EPOCH) // _MILLISECOND, sample.values[source]
