"""Table values as text: for people, for JSON, and back from what people type.

This module does not know tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time
from typing import Any

from osgp.dissector.pasted_hex import hex_bytes
from osgp.errors import MisuseError
from osgp.tables.schema.recurring_date import RecurringDate
from osgp.tables.schema.table import Bit
from osgp.tables.schema.types import Type

__all__ = ["bits_from_text", "from_text", "to_json", "to_text", "typed_bytes"]


def to_json(value: Any) -> Any:
    """Return a table value as JSON holds it: dates in ISO 8601, bytes as hex, sets as sorted lists, no date as null."""
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, RecurringDate):
        return {**asdict(value), "text": str(value)}
    if isinstance(value, Mapping):
        return {name: to_json(held) for name, held in value.items()}
    if isinstance(value, Sequence):
        return [to_json(held) for held in value]
    raise TypeError(f"{type(value).__name__} is no table value")


def to_text(value: Any) -> str:
    """Return a table value on one line."""
    if value is None:
        return "no date"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, datetime):
        return value.isoformat(" ").replace("+00:00", " UTC")
    if isinstance(value, bytes | bytearray):
        return value.hex(" ")
    if isinstance(value, frozenset):
        return _ranges(sorted(value)) or "none"
    if isinstance(value, tuple):
        return ".".join(str(held) for held in value)
    return str(value)


def _ranges(numbers: Sequence[int]) -> str:
    """Write 0 1 2 3 7 as ``0-3 7``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def from_text(kind: Type, text: str) -> Any:
    """Return what a person typed as a value of a table field's type.

    Raises:
        MisuseError: the type cannot hold it; says how to write it.
    """
    if kind.name.startswith("UINT") or kind.name.startswith("INT") or kind.name == "NI_FMAT":
        return _integer(text)
    if kind.name.endswith("OF CHAR"):
        return text
    if kind.name.endswith("OF UINT8"):
        return hex_bytes(text)
    try:
        if kind.name in {"LTIME_DATE", "STIME_DATE"}:
            return datetime.fromisoformat(text)
        if kind.name == "TIME":
            return time.fromisoformat(text)
        if kind.name in {"DATE", "ANSI_DATE"}:
            return date.fromisoformat(text)
    except ValueError:
        raise MisuseError(f"'{text}' is no {kind.name}; write it like 2026-11-22T18:30:00, or only its part") from None
    raise MisuseError(f"a value of type {kind.name} cannot be typed; write its bytes with --hex and --offset")


def bits_from_text(bit: Bit, text: str) -> int:
    """Return what a person typed for some bits of a word.

    Raises:
        MisuseError: it is neither yes/no nor a number that fits.
    """
    if bit.high is None:
        flag = {"yes": 1, "no": 0, "true": 1, "false": 0, "on": 1, "off": 0, "1": 1, "0": 0}.get(text.lower())
        if flag is None:
            raise MisuseError(f"{bit.name} is yes or no, not '{text}'")
        return flag
    number = _integer(text)
    if not 0 <= number <= bit.mask:
        raise MisuseError(f"{bit.name} is 0 to {bit.mask}, not {number}")
    return number


_INTEGERS = {"u8": (1, False), "u16": (2, False), "u24": (3, False), "u32": (4, False)} | {
    "i8": (1, True),
    "i16": (2, True),
    "i32": (4, True),
}


def typed_bytes(text: str) -> bytes:
    """Return the bytes of a typed parameter: ``u8:5``, ``i32:-1``, ``text:abc``, ``hex:0a0b``; least significant first.

    Raises:
        MisuseError: there is no such type or it cannot hold the value.
    """
    kind, colon, value = text.partition(":")
    if colon and kind in _INTEGERS:
        size, signed = _INTEGERS[kind]
        try:
            return _integer(value).to_bytes(size, "little", signed=signed)
        except OverflowError:
            raise MisuseError(f"{value} does not fit {kind}") from None
    if colon and kind == "text" and value.isascii():
        return value.encode("ascii")
    if colon and kind == "hex":
        return hex_bytes(value)
    raise MisuseError(
        f"'{text}' is no parameter; write {', '.join(f'{name}:NUMBER' for name in _INTEGERS)}, text:ABC or hex:0A0B"
    )


def _integer(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise MisuseError(f"'{text}' is no number; write 25 or 0x19") from None
