"""Text as editors write it: UTF-8, with or without a byte order mark, and what Windows calls Unicode.

This module does not know what the text means.
"""

from __future__ import annotations

import codecs

__all__ = ["decode"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decode(content: bytes) -> str:
    """Return the text of a file, without the byte order mark.

    Raises:
        UnicodeDecodeError: it is in none of these encodings.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding)
    return content.decode("utf-8")
