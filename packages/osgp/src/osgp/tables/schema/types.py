"""The data types of C12.19 tables as the meter's guide uses them (MEP guide v1.1 p. 40-42).

A type knows its size, its :mod:`struct` code and how a raw value becomes a Python value
and back. Bits are counted from the lowest of the first byte. A date that no calendar has decodes to None: a
meter that lost its clock says nothing about time.

This module does not know about fields, tables or dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from osgp.errors import MisuseError

__all__ = [
    "ANSI_DATE",
    "DATE",
    "INT8",
    "INT16",
    "INT32",
    "LTIME_DATE",
    "LTIME_DATE_UTC",
    "NI_FMAT",
    "STIME_DATE",
    "STIME_DATE_UTC",
    "TIME",
    "UINT8",
    "UINT16",
    "UINT32",
    "Type",
    "char",
    "octets",
    "set_of",
]

_CENTURY = 2000


@dataclass(frozen=True, slots=True)
class Type:
    """How one value stands in a table."""

    name: str
    """As the guide writes it: ``UINT16``, ``ARRAY[30] OF CHAR``."""
    code: str
    """The value's :mod:`struct` code without byte order."""
    size: int
    """In bytes."""
    decode: Callable[[Any], Any] | None = None
    """Raw to Python value; None where the raw value is it."""
    encode: Callable[[Any], Any] | None = None
    """Python value to raw value; raises MisuseError, TypeError or ValueError for values the type cannot hold."""


UINT8 = Type("UINT8", "B", 1)
UINT16 = Type("UINT16", "H", 2)
UINT32 = Type("UINT32", "I", 4)
INT8 = Type("INT8", "b", 1)
INT16 = Type("INT16", "h", 2)
INT32 = Type("INT32", "i", 4)
NI_FMAT = Type("NI_FMAT", "i", 4)
"""NI_FMAT1 and NI_FMAT2: on these meters both are signed 32-bit integers (p. 197, BT00.2 = 0x88)."""


def _calendar(zone: tzinfo | None) -> Callable[[bytes], datetime | None]:
    def decode(raw: bytes) -> datetime | None:
        year, month, day, hour, minute, *second = raw
        try:
            return datetime(_CENTURY + year, month, day, hour, minute, second[0] if second else 0, tzinfo=zone)
        except ValueError:
            return None

    return decode


def _calendar_bytes(size: int) -> Callable[[datetime | None], bytes]:
    def encode(value: datetime | None) -> bytes:
        if value is None:
            return bytes(size)
        fields = (value.year - _CENTURY, value.month, value.day, value.hour, value.minute, value.second)
        return bytes(fields[:size])

    return encode


def _time(raw: bytes) -> time | None:
    try:
        return time(*raw)
    except ValueError:
        return None


def _time_bytes(value: time | None) -> bytes:
    # Midnight is 00 00 00, so "no time" needs a value no clock shows.
    return b"\xff\xff\xff" if value is None else bytes((value.hour, value.minute, value.second))


LTIME_DATE = Type("LTIME_DATE", "6s", 6, _calendar(None), _calendar_bytes(6))
"""Year since 2000, month, day, hour, minute, second; local time, so without a zone."""
LTIME_DATE_UTC = Type("LTIME_DATE", "6s", 6, _calendar(UTC), _calendar_bytes(6))
"""The same where the guide says UTC."""
STIME_DATE = Type("STIME_DATE", "5s", 5, _calendar(None), _calendar_bytes(5))
"""LTIME_DATE without seconds; local time."""
STIME_DATE_UTC = Type("STIME_DATE", "5s", 5, _calendar(UTC), _calendar_bytes(5))
"""The same where the guide says UTC."""
TIME = Type("TIME", "3s", 3, _time, _time_bytes)
"""Hour, minute, second."""


def _date(raw: bytes) -> date | None:
    year, month, day = raw
    try:
        return date(_CENTURY + year, month, day)
    except ValueError:
        return None


def _date_bytes(value: date | None) -> bytes:
    return bytes(3) if value is None else bytes((value.year - _CENTURY, value.month, value.day))


# The guide uses DATE once (ET54.76, p. 137) without defining it; C12.19's is the date part of LTIME_DATE.
DATE = Type("DATE", "3s", 3, _date, _date_bytes)
"""Year since 2000, month, day."""

_YEAR_BITS, _MONTH_BITS = 7, 4
_YEAR_MASK, _MONTH_MASK = (1 << _YEAR_BITS) - 1, (1 << _MONTH_BITS) - 1


def _ansi_date(raw: int) -> date | None:
    try:
        return date(_CENTURY + (raw & _YEAR_MASK), raw >> _YEAR_BITS & _MONTH_MASK, raw >> (_YEAR_BITS + _MONTH_BITS))
    except ValueError:
        return None


def _ansi_date_word(value: date | None) -> int:
    if value is None:
        return 0
    return value.year - _CENTURY | value.month << _YEAR_BITS | value.day << (_YEAR_BITS + _MONTH_BITS)


ANSI_DATE = Type("ANSI_DATE", "H", 2, _ansi_date, _ansi_date_word)
"""One word: bits 0-6 year since 2000, 7-10 month, 11-15 day."""


def _text(raw: bytes) -> str:
    text = raw.split(b"\0", 1)[0].rstrip().decode("ascii", errors="replace")
    if text.isprintable():
        return text
    # A meter's text goes to logs and pages: control characters must not.
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def char(size: int) -> Type:
    """Text of at most ``size`` ASCII characters, ended by a NUL or by blanks."""

    def encode(value: str) -> bytes:
        raw = value.encode("ascii")
        if len(raw) > size:
            msg = f"text of {len(raw)} characters, the field holds {size}"
            raise MisuseError(msg)
        return raw.ljust(size, b"\0")

    return Type(f"ARRAY[{size}] OF CHAR", f"{size}s", size, _text, encode)


def octets(size: int) -> Type:
    """``size`` bytes that mean nothing to us, or no number: ids, opaque data."""

    def encode(value: bytes) -> bytes:
        if len(value) != size:
            msg = f"{len(value)} bytes, the field holds {size}"
            raise MisuseError(msg)
        return bytes(value)

    return Type(f"ARRAY[{size}] OF UINT8", f"{size}s", size, None, encode)


def _members(raw: bytes) -> frozenset[int]:
    word = int.from_bytes(raw, "little")
    return frozenset(number for number in range(len(raw) * 8) if word >> number & 1)


def set_of(size: int) -> Type:
    """``SET(size)``: the numbers of the bits that are on; bit 0 is the lowest of the first byte."""

    def encode(members: frozenset[int]) -> bytes:
        return sum(1 << number for number in members).to_bytes(size, "little")

    return Type(f"SET({size})", f"{size}s", size, _members, encode)
