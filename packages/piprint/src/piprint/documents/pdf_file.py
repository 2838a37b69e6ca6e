"""A PDF put together from its objects, for the pages we draw ourselves: test pages and samples.

Source: ISO 32000-1, 7.5 (header, body, cross-reference table, trailer). This module does not know what is drawn.
"""

from __future__ import annotations

__all__ = ["pdf_file", "stream"]


def pdf_file(*objects: bytes) -> bytes:
    """Put objects into a file with its table; they count from 1, and the first is the catalogue."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(out)


def stream(content: bytes) -> bytes:
    """Return a page's drawing as an object."""
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)
