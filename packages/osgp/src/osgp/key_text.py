r"""The bytes of a key from a text as people hand it on: out of a letter, a mail, a web page, a program's source.

:func:`read_key` takes a key as

* characters, with or without quotation marks around them; exactly 20 or 16 printable ASCII characters are characters
  even when all of them look like hex digits;
* hex digits, in one go or in groups, with anything between them that people put there: blanks, line ends, colons, dashes,
  commas, ``0x``, ``\x``, brackets, quotation marks. A zero byte may follow, as C ends a string;
* decimal numbers 0 to 255, parted by blanks, commas or semicolons, in brackets or not.

A name before it (``key = ...``, ``MBK: ...``) and characters that nobody sees (a byte order mark, zero-width blanks) are
passed over.

No error contains any part of a key, not even the one character that is wrong.

This module does not know what keys are used for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from osgp.errors import KeyFormatError

__all__ = ["read_key"]

_HANDED_OUT = (20, 16)
_MAX_BYTE = 255
_BYTE_DIGITS = 2
_LONGEST = 400
"""Twenty numbers with generous blanks. What is longer, such as another file named by mistake, is not searched for a key."""

_FORMS = (
    "A meter key is 20 (or 16) characters, 40 (or 32) hex digits, or 20 (or 16) numbers from 0 to 255. "
    "Copy it again from the letter of your grid company"
)

_UNSEEN = dict.fromkeys((0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF))
"""Soft hyphen, zero-width blanks and joiners, marks of writing direction, byte order mark."""
_BLANKS = dict.fromkeys((0x00A0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000), " ")
"""Blanks that are none of ASCII: a web page and a word processor put them where a blank was."""
_TYPESET = (
    dict.fromkeys(map(ord, "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}"
    "\N{DOUBLE HIGH-REVERSED-9 QUOTATION MARK}\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}"
    "\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{DOUBLE PRIME}"), '"')
    | dict.fromkeys(map(ord, "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}"
    "\N{SINGLE HIGH-REVERSED-9 QUOTATION MARK}\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
    "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}\N{PRIME}\N{ACUTE ACCENT}"), "'")
    | dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D), "-")
    | {0xFF1A: ":", 0xFF0C: ",", 0xFF1B: ";"}
)  # fmt: skip
"""What word processors make of quotation marks and dashes, and full-width punctuation."""

_NAME = re.compile(r"\s*(?:(?:mep|osgp|optical|meter)[ _-]?)?(?:mbk|mak|key|password)\s*[:=]\s*", re.IGNORECASE)
_ENDS = " \t\r\n,;"
_LITERAL = re.compile(r"\s*(?:b|u8)?(['\"`])(.+)\1[\s,;]*", re.DOTALL)
_ARRAY = re.compile(r"[^{}\[\]]*(?:\[\w*\]\s*=\s*)?[{\[(]+([^{}\[\]()]*)[}\])]+[\s;,]*", re.DOTALL)
_PREFIX = re.compile(r"0x|\\x", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s,;:._|\-\[\]{}()'\"`]+")
_NUMBERS = re.compile(r"\d+(?:\s*[,;\s]\s*\d+)+\s*[,;]?", re.ASCII)
_DIGITS = re.compile(r"\d+", re.ASCII)
_HEX = re.compile(r"[0-9A-Fa-f]+")
_LETTER = re.compile(r"[A-Fa-f]")


def read_key(text: str, fits: Callable[[int], bool] = _HANDED_OUT.__contains__) -> tuple[bytes, str]:
    """Return the bytes of a key and how they were written, for people (``20 characters``).

    Args:
        text: what was handed on.
        fits: tells whether a key may have so many characters.

    Raises:
        KeyFormatError: the text has none of the forms; says what is in the way, or which form it comes closest to.
    """
    if len(text) > _LONGEST:
        raise KeyFormatError(f"the meter key has {len(text)} characters. {_FORMS}")
    shown = text.translate(_UNSEEN).translate(_BLANKS)
    for candidate in _candidates(shown):
        if candidate.strip() and fits(len(candidate)) and candidate.isascii() and candidate.isprintable():
            return candidate.encode("ascii"), f"{len(candidate)} characters"
    plain = _without_name(shown.translate(_TYPESET)).strip(_ENDS)
    if not plain:
        raise KeyFormatError(f"the meter key is empty. {_FORMS}")
    plain = _unquoted(plain).strip(_ENDS)
    array = _ARRAY.fullmatch(plain)
    key = _bytes_of(array[1].strip(_ENDS) if array else plain)
    if key is None:
        raise _none_of_them(_without_name(shown).strip())
    return key


def _candidates(shown: str) -> Iterator[str]:
    """Yield what may be the characters of a key, the likeliest first."""
    whole = shown.strip("\r\n")
    named = _without_name(whole)
    # "key=" and sixteen characters are twenty as well; that a key begins so is not to be believed.
    if named != whole:
        yield _unquoted(named)
        yield named.strip()
    # Blanks at the ends of exactly twenty characters may belong to them, others got there by accident.
    if len(whole) == _HANDED_OUT[0]:
        yield whole
    yield _unquoted(whole)
    yield whole.strip()  # what quotation marks enclose did not fit, so they belong to it


def _without_name(text: str) -> str:
    named = _NAME.match(text)
    return text[named.end() :] if named else text


def _unquoted(text: str) -> str:
    """Return what stands between the quotation marks around a text, straight or typeset; without them, the text stripped."""
    quoted = _LITERAL.fullmatch(text.translate(_TYPESET))
    # The marks were looked for in a text that is as long as this one, so what they enclose stands at the same place.
    return text[quoted.start(2) : quoted.end(2)] if quoted else text.strip()


def _bytes_of(text: str) -> tuple[bytes, str] | None:
    """Return the bytes of a text of hex digits or numbers; None if it is neither."""
    marked = bool(_PREFIX.search(text))
    groups = [group for group in _BETWEEN.split(_PREFIX.sub(" ", text)) if group]
    if not groups or not all(_HEX.fullmatch(group) for group in groups):
        return None
    joined = "".join(groups)
    whole = all(len(group) % _BYTE_DIGITS == 0 for group in groups)
    listed = _NUMBERS.fullmatch(text) is not None and not marked
    # Sixteen groups of two decimal digits are hex: bytes are written so, numbers are not ("7", not "07"). With commas
    # between them they are numbers.
    if listed and (not whole or "," in text or ";" in text or len(joined) not in _HEX_DIGITS):
        numbers = [int(number) for number in _DIGITS.findall(text)]
        if len(_unended(numbers)) in _HANDED_OUT:
            return _from_numbers(_unended(numbers))
        if len(joined) not in _HEX_DIGITS:
            raise KeyFormatError(f"the meter key is a list of {len(numbers)} numbers instead of 20 or 16. {_FORMS}")
    if len(groups) > 1 and max(map(len, groups)) <= _BYTE_DIGITS and (marked or _LETTER.search(joined)):
        # Programs drop the first digit of a byte below 16: "5" is 05.
        joined = "".join(group.zfill(_BYTE_DIGITS) for group in groups)
    if len(joined) in _HEX_DIGITS:
        key = bytes(_unended(bytes.fromhex(joined)))
        if len(key) in _HANDED_OUT:
            return key, f"{_BYTE_DIGITS * len(key)} hex digits"
    raise KeyFormatError(f"the meter key looks like hex, but has {_count_of(joined)}. {_FORMS}")


_HEX_DIGITS = frozenset(_BYTE_DIGITS * (size + ended) for size in _HANDED_OUT for ended in (0, 1))
"""With the zero byte that ends a string in C: 42 and 34."""


def _unended(values: bytes | list[int]) -> bytes | list[int]:
    """Return the values without the zero that ends a string in C, if they are one too many."""
    return values[:-1] if len(values) - 1 in _HANDED_OUT and not values[-1] else values


def _count_of(joined: str) -> str:
    count = f"{len(joined)} hex digits instead of 40 or 32"
    if len(joined) in _HEX_DIGITS:
        return f"{count}, and the byte too many is not the zero at the end of a string"
    if len(joined) % _BYTE_DIGITS:
        return f"{count}: half a byte is missing or too much"
    return count


def _from_numbers(numbers: bytes | list[int]) -> tuple[bytes, str]:
    for place, number in enumerate(numbers, 1):
        if number > _MAX_BYTE:
            raise KeyFormatError(
                f"the meter key is a list of numbers, but number {place} is more than {_MAX_BYTE}. {_FORMS}"
            )
    return bytes(numbers), f"{len(numbers)} decimal numbers"


def _none_of_them(text: str) -> KeyFormatError:
    """Say what a text is that has none of the forms."""
    inner = _unquoted(text)
    inside = " between its quotation marks" if inner != text else ""
    causes = []
    if len(inner.splitlines()) > 1:
        causes.append(f"it stands on {len(inner.splitlines())} lines: write it on one")
    if not inner.isascii() and inner.translate(_TYPESET).isascii():
        causes.append("some are quotation marks or dashes as a word processor makes them: write the straight ones")
    elif not "".join(inner.splitlines()).isprintable() or not inner.isascii():
        causes.append("not all of them printable ASCII")
    if _PREFIX.search(inner):
        causes.append("it has 0x as hex has, but not only hex digits behind it")
    reason = f" ({'; '.join(causes)})" if causes else ""
    return KeyFormatError(f"the meter key has {len(inner)} characters{inside}{reason}. {_FORMS}")
