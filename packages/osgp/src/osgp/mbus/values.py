"""Decode data bytes to values: integers, packed decimals, real numbers, and values that begin with their length.

Numbers are exact. An integer times a power of ten becomes exactly that decimal number and is not rounded, whatever the
program's decimal context is. A real number becomes the shortest decimal number that stands for the same 32 bits.

This module does not know what a value measures.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal

from osgp.errors import TableError
from osgp.mbus.faults import Fault

__all__ = [
    "DATA_SIZES",
    "REAL",
    "SPECIAL",
    "VARIABLE",
    "Variable",
    "decimal_digits",
    "fixed_number",
    "packed_decimal",
    "scaled",
    "text",
    "variable_size",
    "variable_value",
]

REAL = 5
VARIABLE = 0xD
SPECIAL = 0xF
_INTEGERS = frozenset({1, 2, 3, 4, 6, 7})
_PACKED = frozenset({9, 0xA, 0xB, 0xC, 0xE})

DATA_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, REAL: 4, 6: 6, 7: 8, 8: 0, 9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
"""Data code (low four bits of the DIF) -> bytes. A VARIABLE value begins with its length; SPECIAL is not a record."""

Variable = Decimal | str | bytes | Fault | None
"""A value that begins with its length: number, text, bytes that are not decoded, or fault; None if it is empty."""

_TEXT_END = 0xC0
_DECIMAL_NINE = 0xC9
_NEGATIVE, _NEGATIVE_NINE = 0xD0, 0xD9
_BINARY, _WIDE = 0xE0, 0xF0
_WIDE_SIZES = {0xF0: 16, 0xF1: 20, 0xF2: 24, 0xF3: 28, 0xF4: 32, 0xF5: 48, 0xF6: 64}
_MINUS = 0xF
_SHORTEST_REAL = 9
"""This many digits always suffice to tell a 32-bit real number from all others."""


def fixed_number(code: int, raw: bytes, *, signed: bool = True) -> Decimal | Fault | None:
    """Decode the bytes of a value whose data code has a fixed length.

    Args:
        code: the data code: 0 to 14, except VARIABLE.
        raw: as many bytes as :data:`DATA_SIZES` says, the least significant first.
        signed: False for bit fields.

    Returns:
        The number; a fault if the bytes are no valid decimal or real number; None for the codes that carry no data.
    """
    if code in _INTEGERS:
        return Decimal(int.from_bytes(raw, "little", signed=signed))
    if code == REAL:
        return _real(raw)
    return packed_decimal(raw) if code in _PACKED else None


def packed_decimal(raw: bytes) -> Decimal | Fault:
    """Decode a packed decimal (BCD), the least significant byte first; the digit F in front stands for a minus."""
    if raw and raw[-1] >> 4 == _MINUS:
        digits = decimal_digits(raw[:-1] + bytes([raw[-1] & 0x0F]))
        return Fault.NOT_DECIMAL if digits is None else Decimal(-digits)
    digits = decimal_digits(raw)
    return Fault.NOT_DECIMAL if digits is None else Decimal(digits)


def decimal_digits(raw: bytes) -> int | None:
    """Decode a packed decimal without a sign; None if a digit is A to F, or if there are no digits."""
    text = raw[::-1].hex()
    return int(text) if text.isdecimal() else None


def _real(raw: bytes) -> Decimal | Fault:
    (number,) = struct.unpack("<f", raw)
    if not math.isfinite(number):
        return Fault.NOT_A_NUMBER
    if number == 0:
        return Decimal(0)  # no minus
    for digits in range(1, _SHORTEST_REAL):
        text = f"{number:.{digits}g}"
        if _same_real(text, raw):
            return Decimal(text)
    return Decimal(f"{number:.{_SHORTEST_REAL}g}")


def _same_real(text: str, raw: bytes) -> bool:
    try:
        return struct.pack("<f", float(text)) == raw
    except OverflowError:  # rounded up beyond the largest
        return False


def variable_size(code: int) -> int:
    """Return how many bytes follow a length byte (LVAR).

    Raises:
        TableError: the length byte is reserved, so the length is not known.
    """
    if code < _TEXT_END:
        return code
    if code <= _DECIMAL_NINE or _NEGATIVE <= code <= _NEGATIVE_NINE:
        return code & 0x0F
    if _BINARY <= code < _WIDE:
        return code - _BINARY
    if code in _WIDE_SIZES:
        return _WIDE_SIZES[code]
    raise TableError(f"the length byte {code:02X} of an M-Bus record is reserved: nobody knows how long the record is")


def variable_value(code: int, raw: bytes, *, signed: bool = True) -> Variable:
    """Decode the value that follows a length byte.

    Args:
        code: the length byte, which also says what follows.
        raw: :func:`variable_size` bytes, the least significant first.
        signed: False for bit fields.
    """
    if not raw:
        return None
    if code < _TEXT_END:
        return text(raw)
    if code >= _WIDE:
        return raw  # an older paper has real numbers here: nobody knows which is meant
    if code >= _BINARY:
        return Decimal(int.from_bytes(raw, "little", signed=signed))
    digits = decimal_digits(raw)
    if digits is None:
        return Fault.NOT_DECIMAL
    return Decimal(-digits if code >= _NEGATIVE else digits)


def text(raw: bytes) -> str:
    """Decode characters that were sent in reverse order: the last one first."""
    return raw[::-1].decode("latin-1")


def scaled(number: Decimal, exponent: int) -> Decimal:
    """Return exactly ``number`` times ten to the power of ``exponent``, written without a positive power of ten."""
    sign, digits, power = number.as_tuple()
    if not isinstance(power, int):
        raise TypeError(number)
    moved = Decimal((sign, digits, power + exponent))
    return Decimal(int(moved)) if power + exponent > 0 else moved
