"""The bytes of a meter key from a text: the plain forms, for the module.

On a computer :mod:`osgp.key_text` reads a key however people write it. On the module there is only what can be read without
patterns: 20 or 16 characters; 40 or 32 hex digits, with blanks, colons or dashes between them; 20 or 16 decimal numbers with
commas. Whatever is read here means the same there; the rest is refused.

No error contains any part of a key. This module does not know what keys are used for.
"""

from __future__ import annotations

from osgp.errors import KeyFormatError

__all__ = ["read_key"]

_HANDED_OUT = (20, 16)
_FORMS = (
    "A meter key is 20 (or 16) characters, 40 (or 32) hex digits, or 20 (or 16) numbers from 0 to 255 with commas. "
    "Copy it again from the letter of your grid company"
)
_HEX = "0123456789abcdefABCDEF"


def read_key(text: str) -> tuple[bytes, str]:
    """Return the bytes of a key and how they were written, for people.

    Raises:
        KeyFormatError: the text has none of the forms.
    """
    text = text.strip("\r\n")
    # Quotation marks and names in front are for the larger reader: here they may be part of a key, so they are refused.
    for candidate in (text, text.strip()):
        if len(candidate) in _HANDED_OUT and candidate.strip() and _is_plain(candidate):
            if candidate[0] in "\"'`" or "=" in candidate or ":" in candidate:
                break
            return candidate.encode(), f"{len(candidate)} characters"
    if "," in text:
        return _from_numbers(text)
    digits = "".join([character for character in text if character not in " :-"])
    if len(digits) in (40, 32) and all(character in _HEX for character in digits) and _in_bytes(text):
        return bytes.fromhex(digits), f"{len(digits)} hex digits"
    raise KeyFormatError(f"the meter key has {len(text)} characters. {_FORMS}")


def _is_plain(text: str) -> bool:
    return all(32 <= ord(character) < 127 for character in text)


def _in_bytes(text: str) -> bool:
    """Tell whether hex digits stand in groups of whole bytes: half of one is for the larger reader."""
    for mark in ":-":
        text = text.replace(mark, " ")
    return all(len(group) % 2 == 0 for group in text.split())


def _from_numbers(text: str) -> tuple[bytes, str]:
    numbers = []
    for part in text.split(","):
        digits = part.strip()
        if not digits or len(digits) > 3 or not all(character in "0123456789" for character in digits):
            raise KeyFormatError(f"the meter key has commas, but is no list of numbers. {_FORMS}")
        numbers.append(int(digits))
    if len(numbers) not in _HANDED_OUT or max(numbers) > 255:
        raise KeyFormatError(f"the meter key is a list, but not of 20 or 16 numbers from 0 to 255. {_FORMS}")
    return bytes(numbers), f"{len(numbers)} decimal numbers"
