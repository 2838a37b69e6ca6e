r"""A JSON object that carries a document, read as it comes: the document goes on decoded, the rest is kept.

PIPrint 1.0 sends a job's PDF as base64 inside the row, so a document of 30 MB is an answer of 40. Read whole it would take
four times that in memory; read here it takes a chunk. The object is one of RFC 8259; its one long member is a string in
base64 (RFC 4648 section 4), which may be broken into lines and written with escapes (``\/``, ``\u002B``, ``\r\n``).

How it works: bytes are copied to the rest, while it is noted how deep we are and whether a string stands where a name
belongs. After the wanted name, at depth 1, the characters of the string are decoded instead of copied, so that the rest
has ``""`` in their place. The rest is then parsed by :mod:`json`, which alone judges whether it is JSON.

Text that is no JSON object is a broken answer (:class:`~piprint.errors.BcUnreachable`: what was asked may have been done). A
text that is not base64 is a broken document (:class:`~piprint.errors.DocumentError`: it will not get better).

This module does not know files or HTTP.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable
from typing import Any

from piprint.bc.dialects.documents import too_large
from piprint.errors import BcUnreachable, DocumentError

__all__ = ["MOST_REST", "RowReader"]

MOST_REST = 256 * 1024
"""Bytes of a row without its document; the longest fields of a job are 2048 characters."""

_BOM = b"\xef\xbb\xbf"
_MARK = re.compile(rb'["{}\[\],:]')
_STRING_END = re.compile(rb'["\\]')
_ESCAPE = re.compile(rb"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_BLANKS = {b"n": b"", b"r": b"", b"t": b"", b"/": b"/"}
_LONGEST_ESCAPE = 6


class RowReader:
    """Reads one object.

    Args:
        member: the name of the member to decode.
        sink: takes the document's bytes, piece by piece.
        most: bytes of the longest document taken.
    """

    def __init__(self, member: str, sink: Callable[[bytes], object], *, most: int) -> None:
        self._member = member
        self._sink = sink
        self._most = most
        self.size: int | None = None
        self._rest = bytearray()
        self._read = self._outside
        self._depth = 0
        self._name_next = False  # a string here is a name of the outermost object
        self._string_at = 0  # where in the rest the present string begins, after its quote
        self._name = False  # the present string is such a name
        self._wanted = False  # the name before this value is the one
        self._found = False  # the one was there
        self._base64 = _Base64(self._take)

    def feed(self, data: bytes) -> None:
        """Read some bytes.

        Raises:
            BcUnreachable: this is not a row.
            DocumentError: the document is not base64, or too large.
        """
        at = 0
        while at < len(data):
            at = self._read(data, at)
            if len(self._rest) > MOST_REST:
                raise BcUnreachable("Business Central's answer is far too long for a row: it is something else.")

    def finish(self) -> dict[str, Any]:
        """Say that there is no more; return the row, with "" in the place of the document.

        ``size`` is the document's then: None when the member is missing or null.

        Raises:
            BcUnreachable: this is not a row, or not a whole one.
        """
        try:
            row = json.loads(bytes(self._rest).removeprefix(_BOM).decode())
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise BcUnreachable("Business Central's answer is not a row, or broke off.")
        return row

    def _outside(self, data: bytes, at: int) -> int:
        """Read up to and with the next mark outside of strings; return where to go on."""
        mark = _MARK.search(data, at)
        if mark is None:
            self._rest += data[at:]
            return len(data)
        sign, end = mark[0], mark.end()
        self._rest += data[at:end]
        if sign == b'"':
            self._open()
        elif sign in b"{[":
            self._depth += 1
            self._name_next = self._depth == 1 and sign == b"{"
            self._wanted = False
        elif sign in b"}]":
            self._depth -= 1
            self._wanted = False
        elif sign == b",":
            self._name_next = self._depth == 1
            self._wanted = False
        return end

    def _open(self) -> None:
        self._name, self._name_next = self._name_next, False
        self._string_at = len(self._rest)
        if self._wanted:
            self.size = 0
            self._read = self._document
        else:
            self._read = self._string

    def _string(self, data: bytes, at: int) -> int:
        """Copy a string up to and with its closing quote, or to an escape."""
        mark = _STRING_END.search(data, at)
        if mark is None:
            self._rest += data[at:]
            return len(data)
        self._rest += data[at : mark.end()]
        if mark[0] == b"\\":
            self._read = self._escaped
            return mark.end()
        self._read = self._outside
        if self._name:
            self._wanted = self._named(bytes(self._rest[self._string_at - 1 :]))
            if self._wanted and self._found:
                raise BcUnreachable(f"Business Central's answer has {self._member} twice.")
            self._found = self._found or self._wanted
        return mark.end()

    def _escaped(self, data: bytes, at: int) -> int:
        """Copy the character after a backslash; what follows ``u`` is as any other text."""
        self._rest += data[at : at + 1]
        self._read = self._string
        return at + 1

    def _named(self, quoted: bytes) -> bool:
        try:
            return bool(json.loads(quoted.decode()) == self._member)
        except ValueError:
            return False  # the rest will not be JSON, either

    def _document(self, data: bytes, at: int) -> int:
        """Decode the document's characters. A quote ends it always: base64 has no escaped ones."""
        end = data.find(b'"', at)
        if end < 0:
            self._base64.feed(data[at:])
            return len(data)
        self._base64.feed(data[at:end])
        self._base64.finish()
        self._rest += b'"'
        self._wanted = False
        self._read = self._outside
        return end + 1

    def _take(self, piece: bytes) -> None:
        self.size = (self.size or 0) + len(piece)
        if self.size > self._most:
            raise too_large(self._most)
        self._sink(piece)


class _Base64:
    """Decodes base64 as it stands in a JSON string, in pieces of any size."""

    def __init__(self, sink: Callable[[bytes], None]) -> None:
        self._sink = sink
        self._raw = b""  # an escape not yet whole
        self._kept = b""  # fewer than four characters
        self._ended = False  # padding was there

    def feed(self, raw: bytes) -> None:
        raw = self._raw + raw
        cut = len(raw)
        last = raw.rfind(b"\\", max(cut - _LONGEST_ESCAPE + 1, 0))
        if last >= 0 and not _whole(raw, last):
            cut = last
        self._raw = raw[cut:]
        self._decode(raw[:cut])

    def finish(self) -> None:
        if self._raw or self._kept:
            raise _not_base64()

    def _decode(self, raw: bytes) -> None:
        plain = (_ESCAPE.sub(_unescape, raw) if b"\\" in raw else raw).replace(b" ", b"")
        if not plain:
            return
        if self._ended:
            raise _not_base64()
        plain = self._kept + plain
        cut = len(plain) - len(plain) % 4
        self._kept = plain[cut:]
        if not cut:
            return
        try:
            piece = binascii.a2b_base64(plain[:cut], strict_mode=True)
        except binascii.Error:
            raise _not_base64() from None
        self._ended = plain[cut - 1 : cut] == b"="
        if self._ended and self._kept:
            raise _not_base64()
        self._sink(piece)


def _whole(raw: bytes, at: int) -> bool:
    """Tell whether the escape that begins at a backslash ends within the bytes.

    The backslash may itself be an escaped one; that is no base64, so whatever is made of it is refused.
    """
    length = len(raw) - at
    return length >= _LONGEST_ESCAPE if raw[at + 1 : at + 2] == b"u" else length >= 2  # noqa: PLR2004


def _unescape(match: re.Match[bytes]) -> bytes:
    """Return the character an escape stands for, or one that base64 does not know."""
    escape = match[1]
    if escape[:1] == b"u" and len(escape) == _LONGEST_ESCAPE - 1:
        code = int(escape[1:], 16)
        character = chr(code).encode("ascii", "replace") if code <= 0x7F else b"\x00"  # noqa: PLR2004 - ASCII
        return b"" if character in b"\r\n\t " else character
    return _BLANKS.get(escape, b"\x00")


def _not_base64() -> DocumentError:
    return DocumentError("The document in Business Central is damaged: it is not base64. Print it again there.")
