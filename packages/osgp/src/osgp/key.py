"""Meter keys: every form a grid company hands them out in, and never a trace of one.

A key is the MEP Basic Key (MBK) or MEP Advanced Key (MAK) of a meter. It has 16 bytes; when 20 are
handed out, the last four are not used (MEP guide v1.1 p. 13). :meth:`MeterKey.parse` takes it as

* 20 or 16 printable ASCII characters, which are characters even when all of them look like hex digits;
* 40 or 32 hex digits, in one go or grouped by blanks, colons or dashes;
* 20 or 16 decimal numbers 0 to 255, parted by blanks, commas or semicolons, in brackets or not.

No error, ``repr``, ``str``, format or pickle of this module contains any part of a key, not even
the one character that is wrong.

This module does not know where key texts come from or what keys are used for.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NoReturn, Self

from osgp.errors import KeyFormatError, MisuseError

__all__ = ["MeterKey"]

_USED = 16
_HANDED_OUT = (20, 16)
_MAX_BYTE = 255
_BYTE_DIGITS = 2
_LONGEST = 400
"""Twenty numbers with generous blanks. What is longer, such as another file named by mistake, is not searched for a key."""

_FORMS = (
    "A meter key is 20 (or 16) characters, 40 (or 32) hex digits, or 20 (or 16) numbers from 0 to 255. "
    "Copy it again from the letter of your grid company"
)

_HEX_GROUPS = re.compile(r"[\s:-]+")
_NUMBERS = re.compile(r"\[?\s*\d+(?:\s*[,;\s]\s*\d+)+\s*[,;]?\s*\]?", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+")


class MeterKey:
    """A meter's key. Only :attr:`secret` leads to its bytes.

    Args:
        key: 16 or 20 bytes; of 20 the first 16 are kept.
        form: how it was written, for people.

    Raises:
        KeyFormatError: neither 16 nor 20 bytes.
    """

    __slots__ = ("_form", "_secret")

    def __init__(self, key: bytes, form: str = "") -> None:
        if len(key) not in _HANDED_OUT:
            msg = f"a meter key has 20 or 16 bytes, not {len(key)}"
            raise KeyFormatError(msg)
        self._secret = bytes(key[:_USED])
        self._form = form or f"{len(key)} bytes"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as handed out.

        Raises:
            KeyFormatError: the text has none of the forms; the message says which form it comes closest to.
        """
        for candidate in (text.strip("\r\n"), text.strip()):
            if len(candidate) in _HANDED_OUT and candidate.isascii() and candidate.isprintable():
                return cls(candidate.encode("ascii"), f"{len(candidate)} characters")
        text = text.strip()
        if not text:
            msg = f"the meter key is empty. {_FORMS}"
            raise KeyFormatError(msg)
        if len(text) > _LONGEST:
            msg = f"the meter key has {len(text)} characters. {_FORMS}"
            raise KeyFormatError(msg)
        groups = _HEX_GROUPS.split(text)
        joined = "".join(groups)
        # Sixteen groups of two decimal digits are hex: bytes are written so, numbers are not ("7", not "07").
        in_bytes = all(_HEX.fullmatch(group) and len(group) % _BYTE_DIGITS == 0 for group in groups)
        if in_bytes and len(joined) in {_BYTE_DIGITS * size for size in _HANDED_OUT}:
            return cls(bytes.fromhex(joined), f"{len(joined)} hex digits")
        if _NUMBERS.fullmatch(text):
            return cls._from_numbers([int(number) for number in _DIGITS.findall(text)])
        if _HEX.fullmatch(joined):
            msg = f"the meter key looks like hex, but has {len(joined)} hex digits instead of 40 or 32. {_FORMS}"
            raise KeyFormatError(msg)
        what = "characters" if text.isascii() and text.isprintable() else "characters, not all of them printable ASCII"
        msg = f"the meter key has {len(text)} {what}. {_FORMS}"
        raise KeyFormatError(msg)

    @classmethod
    def _from_numbers(cls, numbers: list[int]) -> Self:
        if len(numbers) not in _HANDED_OUT:
            msg = f"the meter key is a list of {len(numbers)} numbers instead of 20 or 16. {_FORMS}"
            raise KeyFormatError(msg)
        for place, number in enumerate(numbers, 1):
            if number > _MAX_BYTE:
                msg = f"the meter key is a list of numbers, but number {place} is more than {_MAX_BYTE}. {_FORMS}"
                raise KeyFormatError(msg)
        return cls(bytes(numbers), f"{len(numbers)} decimal numbers")

    @property
    def form(self) -> str:
        """How the key was written, for people: ``20 characters``."""
        return self._form

    @property
    def secret(self) -> bytes:
        """The 16 bytes that are used. Keep them nowhere else."""
        return self._secret

    @property
    def fingerprint(self) -> str:
        """Four hex digits that tell two keys apart without telling the key."""
        return hashlib.sha256(self._secret).hexdigest()[:4]

    def __repr__(self) -> str:
        return f"MeterKey({self._form}, fingerprint {self.fingerprint})"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MeterKey) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __copy__(self) -> MeterKey:
        return self

    def __deepcopy__(self, memo: object) -> MeterKey:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a meter key cannot be pickled: it would end up readable in a file"
        raise MisuseError(msg)
