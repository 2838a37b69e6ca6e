"""Keys of the optical port: all twenty bytes of them.

The optical port compares a whole password of twenty bytes, where the MEP port uses the first sixteen of its key. So
:class:`OpticalKey` keeps them all, and takes what :class:`~osgp.key.MeterKey` takes plus anything shorter:

* up to 20 printable ASCII characters;
* 40 or 32 hex digits, or 20 or 16 decimal numbers, as on the MEP port.

How a shorter key is filled up is nowhere written; meters are set up by the grid company's tool, and tools differ: some
fill with zero bytes, some with blanks (:class:`Padding`).

This module does not know where key texts come from.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from osgp.errors import KeyFormatError
from osgp.key import MeterKey
from osgp.key_text import read_key

__all__ = ["PASSWORD_SIZE", "OpticalKey", "Padding"]

PASSWORD_SIZE = 20


class Padding(IntEnum):
    """What a key of less than twenty bytes is filled up with."""

    ZEROS = 0x00
    BLANKS = 0x20


class OpticalKey(MeterKey):
    """A key of the optical port.

    Args:
        key: 1 to 20 bytes.
        form: how it was written, for people.

    Raises:
        KeyFormatError: none or too many bytes.
    """

    __slots__ = ()

    def __init__(self, key: bytes, form: str = "") -> None:
        if not 1 <= len(key) <= PASSWORD_SIZE:
            msg = f"an optical key has 1 to {PASSWORD_SIZE} bytes, not {len(key)}"
            raise KeyFormatError(msg)
        self._secret = bytes(key)
        self._form = form or f"{len(key)} bytes"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as handed out.

        Raises:
            KeyFormatError: the text has none of the forms; the message says which form it comes closest to.
        """
        return cls(*read_key(text, lambda size: 1 <= size <= PASSWORD_SIZE))

    @property
    def secret(self) -> bytes:
        """All bytes of the key, not filled up. Keep them nowhere else."""
        return self._secret

    def password(self, padding: Padding = Padding.ZEROS) -> bytes:
        """Return the twenty bytes that are shown to the meter."""
        return self._secret.ljust(PASSWORD_SIZE, bytes((padding,)))
