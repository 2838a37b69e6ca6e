"""Hex as people paste it: from a hex dump, a log, a C array, a CSV.

This module does not know what the bytes mean.
"""

from __future__ import annotations

import re

from osgp.errors import MisuseError

__all__ = ["hex_bytes"]

_LONGEST = 1 << 22
"""Characters; a table has a megabyte at most, and no meter has one so long."""
_BETWEEN = re.compile(r"0[xX]|\\x|[\s,;:_\-\[\]{}()\"']+")
_HEX = re.compile(r"[0-9A-Fa-f]*")


def hex_bytes(text: str) -> bytes:
    r"""Return the bytes that a text of hex digits means.

    Blanks, line ends, commas, colons, dashes, brackets, quotes, ``0x`` and ``\x`` between the digits are
    passed over. Groups must have whole bytes, so that ``1 23`` is an error and not a guess.

    Raises:
        MisuseError: something else is among them, or half a byte; says where.
    """
    if len(text) > _LONGEST:
        raise MisuseError(f"more than {_LONGEST} characters of hex; no table is so long")
    found = bytearray()
    for group in _BETWEEN.split(text):
        wrong = _HEX.match(group)
        end = wrong.end() if wrong else 0
        if end < len(group):
            raise MisuseError(f"{group[end]!r} in '{group[:20]}' is no hex digit; paste bytes such as 5e b8 ec 03")
        if len(group) % 2:
            raise MisuseError(f"'{group[:20]}' has half a byte; write two hex digits for each, such as 05")
        found += bytes.fromhex(group)
    return bytes(found)
