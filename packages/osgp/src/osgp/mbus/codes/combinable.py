"""The bytes that may follow a code (VIFE): what they make of its quantity.

Most of them change the meaning: "volume per input pulse" is no volume. Only those whose effect is KEEPS or SCALES leave
the quantity what it was; a code that is not here counts as one that changes it.

This module does not know how a value is encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from osgp.mbus.codes.code import ALL_AGREE
from osgp.mbus.faults import Fault

__all__ = ["COMBINABLE", "MANUFACTURER", "SECOND_TABLE", "Combinable", "Effect"]

SECOND_TABLE = 0x7C
"""The next byte is of another table (01 to 03 phase 1 to 3, 0C import less export ...): no part of it is decoded."""
MANUFACTURER = 0x7F
"""What follows in this block is the manufacturer's."""


class Effect(Enum):
    """What a byte does to the record."""

    KEEPS = auto()
    """The quantity stays what it is; the byte says how it was measured."""
    SCALES = auto()
    """The number is multiplied by a power of ten."""
    CHANGES = auto()
    """It is another quantity, though in terms of the first."""
    COUNTS = auto()
    """It is a number of occasions."""
    LASTS = auto()
    """It is a duration."""
    DATES = auto()
    """It is the date or the time of something."""
    SPOILS = auto()
    """There is no value."""


@dataclass(frozen=True, slots=True)
class Combinable:
    """One row."""

    meaning: str
    """In words that complete the name of the quantity."""
    effect: Effect = Effect.CHANGES
    exponent: int = 0
    """For SCALES: the power of ten."""
    unit: str = ""
    """For LASTS: the unit of the duration."""
    fault: Fault | None = None
    """For SPOILS: why."""
    source: str = ALL_AGREE


_FACTORS = "m-bus-parser, wmbusmeters and libmbus"
_NOT_LIBMBUS = "m-bus-parser and wmbusmeters"
_DURATION_OF_EXCEED = "m-bus-parser and wmbusmeters; libmbus takes 50 and 58 for a flow, which its issue 82 calls wrong"
_TIME_UNITS = ("s", "min", "h", "d")

_FAULTS = {
    0x15: Fault.NO_DATA,
    0x16: Fault.OVERFLOW,
    0x17: Fault.UNDERFLOW,
    0x18: Fault.DATA_ERROR,
}

_CHANGES = {
    0x12: "averaged",
    0x20: "per second",
    0x21: "per minute",
    0x22: "per hour",
    0x23: "per day",
    0x24: "per week",
    0x25: "per month",
    0x26: "per year",
    0x27: "per revolution",
    0x28: "per input pulse of channel 0",
    0x29: "per input pulse of channel 1",
    0x2A: "per output pulse of channel 0",
    0x2B: "per output pulse of channel 1",
    0x2C: "per litre",
    0x2D: "per m³",
    0x2E: "per kg",
    0x2F: "per K",
    0x30: "per kWh",
    0x31: "per GJ",
    0x32: "per kW",
    0x33: "per K and litre",
    0x34: "per V",
    0x35: "per A",
    0x36: "times s",
    0x37: "times s/V",
    0x38: "times s/A",
    0x3C: "only backward flow",
    0x3D: "in a unit that is not metric",
    0x3F: "named by an OBIS code",
    0x40: "lower limit",
    0x48: "upper limit",
    0x68: "during a fall below the lower limit",
    0x6C: "during a rise above the upper limit",
    0x69: "leakage",
    0x6D: "overflow",
    0x7E: "to come",
}

_KEEPS = {
    0x3A: "not converted to base conditions",
    0x3B: "only forward flow",
    0x3E: "converted to base conditions",
}


def _limit(code: int) -> str:
    return "upper" if code & 0x08 else "lower"


def _which(code: int) -> str:
    return "last" if code & 0x04 else "first"


def _rows() -> Iterator[tuple[int, Combinable]]:
    for code in (*range(0x01, 0x10), *range(0x15, 0x1D)):
        fault = _FAULTS.get(code, Fault.REPORTED)
        yield code, Combinable("an error or an order", Effect.SPOILS, fault=fault)
    for code, meaning in _KEEPS.items():
        yield code, Combinable(meaning, Effect.KEEPS)
    for code, meaning in _CHANGES.items():
        yield code, Combinable(meaning)
    for code in range(0x70, 0x78):
        exponent = code - 0x70 - 6
        yield code, Combinable(f"times 10^{exponent}", Effect.SCALES, exponent=exponent, source=_FACTORS)
    # An amount to be added: of which number, and before or after scaling, the programs do not agree.
    for code in range(0x78, 0x7C):
        yield code, Combinable("with an amount to be added", source=_NOT_LIBMBUS)
    yield 0x7D, Combinable("times 1000", Effect.SCALES, exponent=3, source=_FACTORS)
    yield SECOND_TABLE, Combinable("as a second table says", source=_NOT_LIBMBUS)
    yield MANUFACTURER, Combinable("as the manufacturer alone knows", source=_NOT_LIBMBUS)


def _occasions() -> Iterator[tuple[int, Combinable]]:
    yield 0x39, Combinable("start of", Effect.DATES)
    for code in (0x41, 0x49):
        yield code, Combinable(f"times outside the {_limit(code)} limit", Effect.COUNTS)
    # E100 uf1b: u upper limit, f last, b end.
    for code in (0x42, 0x43, 0x46, 0x47, 0x4A, 0x4B, 0x4E, 0x4F):
        edge = "end" if code & 0x01 else "begin"
        yield code, Combinable(f"{edge} of the {_which(code)} time outside the {_limit(code)} limit", Effect.DATES)
    # E101 ufnn, nn the unit.
    for code in range(0x50, 0x60):
        meaning = f"how long the {_which(code)} time outside the {_limit(code)} limit lasted"
        unit = _TIME_UNITS[code & 3]
        yield code, Combinable(meaning, Effect.LASTS, unit=unit, source=_DURATION_OF_EXCEED)
    for code in range(0x60, 0x68):
        yield code, Combinable(f"how long the {_which(code)} occasion lasted", Effect.LASTS, unit=_TIME_UNITS[code & 3])
    for code in (0x6A, 0x6B, 0x6E, 0x6F):
        edge = "end" if code & 0x01 else "begin"
        yield code, Combinable(f"{edge} of the {_which(code)} occasion", Effect.DATES)


COMBINABLE: Mapping[int, Combinable] = MappingProxyType(dict([*_rows(), *_occasions()]))
"""VIFE without its highest bit -> what it does."""
