"""Rows' tags, in the three ways servers are known to make them.

``row``: the row's version. ``page``: a hash of all values the page shows, looked-up ones too, so that a printer's tag
changes with every job it gets. ``stale``: like ``page``, and the tag in a PATCH's answer is the one from before the page
was read again, so it never fits.

The text within is what servers answer: base64 of ``'44;<hash>1;00;'`` or ``'19;<number>;00;'``. Nobody should read it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import Literal

from piprint.simulate.extension.tables import Document, Row, Tables
from piprint.simulate.odata.pages import Page
from piprint.simulate.refusal import Refusal

__all__ = ["TagMode", "check_match", "tag"]

TagMode = Literal["row", "page", "stale"]

_WEAK = re.compile(r'W/"([A-Za-z0-9+/]+={0,2})"')


def tag(mode: TagMode, page: Page, tables: Tables, row: Row, *, patched: bool = False) -> str:
    """Return a row's tag.

    Args:
        mode: see above.
        page: that shows the row.
        tables: the row is from.
        row: the row.
        patched: for the answer to a PATCH.
    """
    if mode == "row":
        inner = f"'19;{row.version:019d};00;'"
    else:
        digest = hashlib.sha256(b"patched" if patched and mode == "stale" else b"")
        for field in page.entity.fields:
            value = page.value(field.name, tables, row)
            text = value.sha256 if isinstance(value, Document) else str(value)
            digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
        inner = f"'44;{base64.b64encode(digest.digest()).decode()}1;00;'"
    return f'W/"{base64.b64encode(inner.encode()).decode()}"'


def check_match(header: str | None, current: str) -> None:
    """Hold a request's If-Match against the row's tag.

    Raises:
        Refusal: it is missing or garbled (``BadRequest_InvalidToken``), or stale (``Request_EntityChanged``).
    """
    if header == "*":
        return
    match = _WEAK.fullmatch(header or "")
    try:
        readable = match is not None and base64.b64decode(match[1], validate=True).startswith(b"'")
    except binascii.Error:
        readable = False
    if not readable:
        raise Refusal(
            "BadRequest_InvalidToken",
            "Could not validate the client concurrency token required by the service. "
            "Please provide a valid token in the client request.",
        )
    if header != current:
        raise Refusal("Request_EntityChanged", "Another user has already changed the record.")
