"""Meter keys: every form a grid company hands them out in, and never a trace of one.

A key is the MEP Basic Key (MBK) or MEP Advanced Key (MAK) of a meter. It has 16 bytes; when 20 are
handed out, the last four are not used (MEP guide v1.1 p. 13). :meth:`MeterKey.parse` takes it as 20 or 16 printable ASCII
characters, 40 or 32 hex digits, or 20 or 16 decimal numbers, however people write them
(:mod:`osgp.key_text`).

No error, ``repr``, ``str``, format or pickle of this module contains any part of a key, not even
the one character that is wrong.

This module does not know where key texts come from or what keys are used for.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn, Self

from osgp.errors import KeyFormatError, MisuseError
from osgp.key_text import read_key

__all__ = ["MeterKey"]

_USED = 16
_HANDED_OUT = (20, 16)


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
        return cls(*read_key(text))

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
