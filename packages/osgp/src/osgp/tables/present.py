"""The present values: BT27-BT28, and BT28 as sources (MEP guide v1.1 p. 214-220).

BT28 begins with present demands, then come 22 to 84 present values, by firmware. What
each is, BT27 says or, where that cannot be read, the guide's order. Values are NI_FMAT,
signed 32 bits: sines of phase angles are often negative.

This module does not know whether a value is plausible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from osgp.sources import SOURCES, Source
from osgp.tables.readout import Position, Readout
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Field, Group, Layout, Table
from osgp.tables.schema.types import NI_FMAT, TIME, UINT8

__all__ = ["BT27", "BT28", "decode", "encode", "sources", "window"]

_PRESENT_DEMANDS = count("present_demands")
_PRESENT_VALUES = count("present_values")

BT27 = Table(
    27,
    "Present Register Selection",
    "214-215",
    (
        Field("present_demand_sources", UINT8, count=_PRESENT_DEMANDS),
        Field("present_value_sources", UINT8, count=_PRESENT_VALUES),
    ),
)

_DEMAND = (
    Field("time_remaining", TIME, when=count("time_remaining")),
    Field("value", NI_FMAT),
)

BT28 = Table(
    28,
    "Present Register Data",
    "215-220",
    (
        Group("present_demands", _DEMAND, count=_PRESENT_DEMANDS, page="215"),
        # Their printed offset, (A+4)*BT21.8 + number (p. 216), lacks the factor 4 of the number.
        Field("present_values", NI_FMAT, count=_PRESENT_VALUES, page="216-220"),
    ),
)


def _positions(dims: Dimensions) -> Iterator[Position]:
    """Yield the named values of BT28 in table order."""
    entries = BT28.layout(dims).entries
    record = Layout(_DEMAND, dims)
    first = entries["present_demands"].offset + record.entries["value"].offset
    for number in range(dims.present_demands):
        # By position: BT27 names the source that is averaged, which has a present value of its own.
        source = SOURCES.get(f"present_demand_{number + 1}")
        if source is not None:
            yield Position(source, first + number * record.size)
    first = entries["present_values"].offset
    for number, named in enumerate(dims.present_sources):
        if named is not None and not named.key.startswith("present_demand_"):
            yield Position(named, first + number * NI_FMAT.size)


def _readout(dims: Dimensions) -> Readout:
    readout = dims.cache.get("present")
    if not isinstance(readout, Readout):
        readout = dims.cache["present"] = Readout("BT28", tuple(_positions(dims)), dims.byte_order)
    return readout


def sources(dims: Dimensions) -> tuple[Source, ...]:
    """Return what BT28 of such a meter tells, in table order."""
    return _readout(dims).sources


def decode(data: bytes, dims: Dimensions, *, offset: int = 0) -> dict[Source, int]:
    """Return BT28's values in raw units (W, mV, mA) from data that begin at ``offset``; what they lack is absent.

    Raises:
        TableError: the dimensions are impossible.
    """
    return _readout(dims).decode(data, offset)


def window(dims: Dimensions, wanted: Iterable[Source]) -> tuple[int, int]:
    """Return offset and count of the shortest partial read of BT28 that covers ``wanted``.

    Raises:
        TableError: BT28 of this meter lacks one of them.
    """
    return _readout(dims).window(wanted)


def encode(values: Mapping[Source, int], dims: Dimensions, *, base: bytes = b"") -> bytes:
    """Return BT28 with ``values`` (raw units) in it; the rest is taken from ``base``, or zero.

    Raises:
        TableError: BT28 of this meter lacks one of the sources.
        MisuseError: a value does not fit.
    """
    return _readout(dims).encode(values, base.ljust(BT28.size(dims), b"\0"))
