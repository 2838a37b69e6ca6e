"""What MicroPython's library lacks, as far as rewritten modules use it.

This module does not know who uses it. On CPython it is only imported by tests.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any


class Named:
    """Base of rewritten dataclasses whose objects are equal only to themselves."""

    _fields: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = ["%s=%r" % (name, getattr(self, name)) for name in self._fields]
        return "%s(%s)" % (self.__class__.__name__, ", ".join(parts))


class Data(Named):
    """Base of rewritten dataclasses: equal when what is compared is."""

    _compared: tuple[str, ...] | None = None

    def _key(self) -> tuple[Any, ...]:
        names = self._fields if self._compared is None else self._compared
        return tuple([getattr(self, name) for name in names])

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def replace(thing: Any, **changed: Any) -> Any:
    """Return a copy with other values in some fields."""
    values = {name: getattr(thing, name) for name in thing._fields}
    values.update(changed)
    return type(thing)(**values)


class Struct:
    """A format whose size is worked out once."""

    def __init__(self, form: str) -> None:
        self.format = form
        self.size = struct.calcsize(form)

    def pack(self, *values: Any) -> bytes:
        """Return values as bytes."""
        return struct.pack(self.format, *values)

    def unpack(self, data: Any) -> tuple[Any, ...]:
        """Return the values of exactly so many bytes."""
        if len(data) != self.size:
            raise ValueError("wrong number of bytes")
        return struct.unpack(self.format, data)

    def unpack_from(self, data: Any, offset: int = 0) -> tuple[Any, ...]:
        """Return the values that stand at an offset."""
        return struct.unpack_from(self.format, data, offset)

    def iter_unpack(self, data: bytes) -> Iterator[tuple[Any, ...]]:
        """Yield the values of one group of bytes after the other."""
        for offset in range(0, len(data), self.size):
            yield struct.unpack_from(self.format, data, offset)


def compare_digest(one: bytes, other: bytes) -> bool:
    """Tell whether bytes are equal, in a time that does not depend on where they differ."""
    if len(one) != len(other):
        return False
    difference = 0
    for mine, theirs in zip(one, other):
        difference |= mine ^ theirs
    return difference == 0


def clear(thing: Any) -> None:
    """Empty a bytearray, list, dict or set; MicroPython's bytearray has no such method."""
    if isinstance(thing, bytearray):
        thing[:] = b""
    else:
        thing.clear()


def ljust(text: Any, width: int, fill: Any = " ") -> Any:
    """Return a text or bytes, filled up at its end."""
    return text + fill * (width - len(text)) if len(text) < width else text


def hexdigest(hashed: Any) -> str:
    """Return what a hash found as hex digits."""
    found: str = hashed.digest().hex()
    return found


def isascii(text: str) -> bool:
    """Tell whether all characters are ASCII."""
    return all(ord(character) < 128 for character in text)


def isprintable(text: str) -> bool:
    """Tell whether all characters can be seen; of those beyond ASCII only Latin-1 is looked at."""
    return all(32 <= ord(character) < 127 or ord(character) > 160 for character in text)


def timedelta(seconds: int) -> int:
    """Return a duration: times of day are whole milliseconds on the module, and so is what lies between them."""
    return seconds


def total_seconds(duration: int) -> int:
    """Return a duration, in the milliseconds that all times are."""
    return duration


def signed_from_bytes(data: bytes, order: str) -> int:
    """Return the number that bytes are in two's complement."""
    number = int.from_bytes(data, order)  # type: ignore[arg-type]
    return number - (1 << 8 * len(data)) if number >> 8 * len(data) - 1 else number


def format(value: object, spec: str) -> str:  # noqa: A001 - it stands in for the builtin
    """Return a value written as ``spec`` says."""
    return ("{:" + spec + "}").format(value)


class suppress:  # noqa: N801 - the name is contextlib's
    """Go on after certain errors."""

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        del error, trace
        return kind is not None and issubclass(kind, self._kinds)
