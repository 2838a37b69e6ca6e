"""The energy registers: BT15 and BT20-BT23, and BT23's summations as sources (MEP guide v1.1 p. 199-212).

BT23 is a total block and one block per tariff tier, all alike: summations, demands,
coincident values. What a summation means is decided by BT22 or, where that cannot be
read, by the guide's order.

Summations are NI_FMAT: signed 32 bits. They count up and roll over at 10 to the power of
5..9 (p. 119), so a sign never shows in a healthy meter; it is passed on, not hidden.

This module does not know whether a value is plausible.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from osgp.sources import SOURCES, Quantity, Source, in_tier
from osgp.tables.readout import Position, Readout
from osgp.tables.schema.count import count
from osgp.tables.schema.dimensions import Dimensions
from osgp.tables.schema.table import Bit, Bits, Field, Group, Layout, Table
from osgp.tables.schema.types import NI_FMAT, STIME_DATE, UINT8, set_of

__all__ = ["BT15", "BT20", "BT21", "BT22", "BT23", "ENERGIES", "decode", "encode", "sources", "step_of", "window"]

BT15 = Table(
    15,
    "Constants",
    "199-200",
    (
        Field("multiplier", NI_FMAT),
        Field("offset", NI_FMAT),
        Bits(UINT8, (Bit("ratios_applied", 0),)),
        Field("ct_ratio", NI_FMAT),
        Field("vt_ratio", NI_FMAT),
    ),
    note="The ratios are part of every value of BT23, and of BT28 only where a source says primary side.",
)

_REGISTER_DIMENSIONS = (
    Bits(
        UINT8,
        (
            Bit("season", 0, note="season fields are present"),
            Bit("date_time", 1, note="date and time fields are present"),
            Bit("demand_reset_counter", 2, note="BT23 begins with the number of demand resets"),
            Bit("demand_reset_lock", 3),
            Bit("cumulative_demand", 4),
            Bit("continuous_cumulative_demand", 5),
            Bit("time_remaining", 6, note="BT28 tells the time left in the demand interval"),
        ),
    ),
    Bits(
        UINT8,
        (
            Bit("self_read_inhibit_overflow", 0),
            Bit("self_read_sequence_number", 1),
            Bit("daily_self_read", 2),
            Bit("weekly_self_read", 3),
            Bit("self_read_demand_reset", 4, 5),
        ),
    ),
    Field("self_reads", UINT8),
    Field("summations", UINT8, note="11, 15 (3.x with demand) or 19 (from 4.0)"),
    Field("demands", UINT8),
    Field("coincidents", UINT8),
    Field("occurrences", UINT8),
    Field("tiers", UINT8),
    Field("present_demands", UINT8),
    Field("present_values", UINT8),
)

BT20 = Table(
    20,
    "Dimension Register",
    "200-202",
    _REGISTER_DIMENSIONS,
    # The guide refers to BT20 but prints no page for it; its sample (p. 49) fits BT21's layout.
    note="The largest dimensions the meter supports; laid out as BT21.",
)
BT21 = Table(21, "Actual Register", "200-202", _REGISTER_DIMENSIONS, note="The dimensions of BT22-BT28 as configured.")

_DEMANDS = count("demands")
_COINCIDENTS = count("coincidents")
_OCCURRENCES = count("occurrences")

BT22 = Table(
    22,
    "Data Selection",
    "202-203",
    (
        Field("summation_sources", UINT8, count=count("summations")),
        Field("demand_sources", UINT8, count=_DEMANDS),
        Field(
            "maximum_demands",
            set_of,
            count=(count("demands") + 7) // 8,
            note="the other demands are minima",
        ),
        Field("coincident_sources", UINT8, count=_COINCIDENTS),
        Field("coincident_demands", UINT8, count=_COINCIDENTS, note="index of the demand the value coincides with"),
    ),
)

_BLOCK = (
    Field("summations", NI_FMAT, count=count("summations"), page="208-210"),
    Group(
        "demands",
        (
            Field("times", STIME_DATE, count=_OCCURRENCES, when=count("date_time")),
            Field("cumulative", NI_FMAT, when=count("cumulative_demand")),
            Field(
                "continuous_cumulative",
                NI_FMAT,
                when=count("continuous_cumulative_demand"),
            ),
            # The guide's "+ 8" for the offset of the values holds only with both cumulative fields; offsets add up here.
            Field("values", NI_FMAT, count=_OCCURRENCES),
        ),
        count=_DEMANDS,
        page="210",
    ),
    Group("coincidents", (Field("values", NI_FMAT, count=_OCCURRENCES),), count=_COINCIDENTS, page="210"),
)

BT23 = Table(
    23,
    "Current Register Data",
    "207-211",
    (
        Field("demand_resets", UINT8, when=count("demand_reset_counter"), page="208"),
        Group(
            "blocks",
            _BLOCK,
            count=1 + count("tiers"),
            note="total first, then tier 0 and on",
        ),
    ),
)

_OUTAGE_IN_MINUTES = (2, 0)
"""Firmware that counts outages in minutes, all others in seconds (Optical guide v1.1 p. 25)."""

# "Measured in varh and Wh" (p. 158, 207): the guide does not name apparent energy, so that stays as it is stored.
ENERGIES = frozenset({Quantity.ACTIVE_ENERGY, Quantity.REACTIVE_ENERGY})
"""What is counted in the meter's energy unit."""


def step_of(source: Source, dims: Dimensions) -> int:
    """Return what one step of a register's stored number is worth in the source's raw unit, in BT23 and in the load profile."""
    if dims.firmware == _OUTAGE_IN_MINUTES and source.key == "outage_duration":
        return 60
    return dims.energy_unit if source.quantity in ENERGIES else 1


def _positions(dims: Dimensions) -> Iterator[Position]:
    """Yield the named values of BT23 in table order."""
    entries = BT23.layout(dims).entries
    if "demand_resets" in entries:
        yield Position(SOURCES["demand_reset_count"], entries["demand_resets"].offset, "B")
    block = Layout(_BLOCK, dims)
    first = entries["blocks"].offset + block.entries["summations"].offset
    for number in range(1 + dims.tiers):
        for place, total in enumerate(dims.register_sources):
            source = total if total is None or number == 0 else in_tier(total, number - 1)
            if source is not None:
                at = first + number * block.size + place * NI_FMAT.size
                yield Position(source, at, factor=step_of(source, dims))


def _readout(dims: Dimensions) -> Readout:
    readout = dims.cache.get("registers")
    if not isinstance(readout, Readout):
        readout = dims.cache["registers"] = Readout("BT23", tuple(_positions(dims)), dims.byte_order)
    return readout


def sources(dims: Dimensions) -> tuple[Source, ...]:
    """Return what BT23 of such a meter tells, in table order: demand resets, totals, tiers."""
    return _readout(dims).sources


def decode(data: bytes, dims: Dimensions, *, offset: int = 0) -> dict[Source, int]:
    """Return BT23's values in raw units (Wh, varh, s) from data that begin at ``offset``; what they lack is absent.

    Raises:
        TableError: the dimensions are impossible.
    """
    return _readout(dims).decode(data, offset)


def window(dims: Dimensions, wanted: Iterable[Source]) -> tuple[int, int]:
    """Return offset and count of the shortest partial read of BT23 that covers ``wanted``.

    Raises:
        TableError: BT23 of this meter lacks one of them.
    """
    return _readout(dims).window(wanted)


def encode(values: Mapping[Source, int], dims: Dimensions, *, base: bytes = b"") -> bytes:
    """Return BT23 with ``values`` (raw units) in it; the rest is taken from ``base``, or zero.

    Raises:
        TableError: BT23 of this meter lacks one of the sources.
        MisuseError: a value does not fit.
    """
    return _readout(dims).encode(values, base.ljust(BT23.size(dims), b"\0"))
