"""One code: the quantity it stands for, its unit and its power of ten.

This module does not know the codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ["ALL_AGREE", "Code", "Kind", "durations", "powers", "single"]

ALL_AGREE = "libmbus, m-bus-parser and wmbusmeters agree"


class Kind(Enum):
    """How the data bytes of a code are read."""

    NUMBER = auto()
    FLAGS = auto()
    """Bits: an integer without a sign."""
    TIME_POINT = auto()
    """A date, a time or both, told apart by their length."""
    RAW = auto()
    """Bytes that are only kept."""
    SECRET = auto()
    """A password: never decoded."""


@dataclass(frozen=True, slots=True)
class Code:
    """One row."""

    quantity: str
    """Published name, stable for ever: ``volume_flow``."""
    unit: str = ""
    """Unit of the value after scaling; empty for none."""
    exponent: int = 0
    """The number in the telegram times ten to this power is the value in ``unit``."""
    kind: Kind = Kind.NUMBER
    source: str = ALL_AGREE


def single(
    code: int, quantity: str, unit: str = "", *, kind: Kind = Kind.NUMBER, source: str = ALL_AGREE
) -> Iterator[tuple[int, Code]]:
    """Yield one code that has no power of ten."""
    yield code, Code(quantity, unit, 0, kind, source)


def powers(
    codes: Iterable[int], quantity: str, unit: str, lowest: int, *, source: str = ALL_AGREE
) -> Iterator[tuple[int, Code]]:
    """Yield neighbouring codes of one quantity, whose powers of ten rise by one from ``lowest`` on."""
    for step, code in enumerate(codes):
        yield code, Code(quantity, unit, lowest + step, source=source)


def durations(
    first: int, quantity: str, units: str = "s min h d", *, source: str = ALL_AGREE
) -> Iterator[tuple[int, Code]]:
    """Yield neighbouring codes of one duration, a code for each of the units."""
    for step, unit in enumerate(units.split()):
        yield first + step, Code(quantity, unit, source=source)
