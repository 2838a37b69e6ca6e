"""PDF for label printers: pages drawn in black and white, told in ZPL II.

A page becomes one format: ``^XA``, print width and label length in dots, the bitmap as a graphic field, how many, ``^XZ``. The
bitmap is written in hexadecimal with ZPL's own shortening of repeated digits and rows. Zebra's printers also take zlib in
base64 (``:Z64:``), which is shorter, but older firmware and other makers' ZPL emulations do not; the shortening all of them do.

Source: Zebra, *ZPL II Programming Guide*, P1099958: commands ``^GF`` (parameters a to d), ``^PW``, ``^LL``, ``^LH``, ``^PQ``, and
the section *Alternative Data Compression Scheme for ~DG and ~DB Commands*, which ``^GFA`` shares.

This module does not know sockets, nor PDF.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from piprint.documents.inspect import Bitmap

__all__ = ["graphic_field", "label", "not_drawn"]

_RUNS = re.compile(r"(.)\1*")
_MOST_NAMED = 5
"""Pages or fonts a message names."""
_LEAST_RUN = 3
"""``H0`` is no shorter than ``00``."""


def label(bitmap: Bitmap, copies: int = 1) -> bytes:
    """Return the format that prints a bitmap so many times, at its exact size and from the label's corner."""
    text = (
        f"^XA\n^PW{bitmap.width}\n^LL{bitmap.height}\n^LH0,0\n^FO0,0{graphic_field(bitmap)}^FS\n"
        f"^PQ{copies}\n^XZ\n"
    )  # fmt: skip
    return text.encode("ascii")


def not_drawn(pictures: Mapping[int, int], fonts: Sequence[str]) -> tuple[str, ...]:
    """Say what is missing on labels: sentences for people.

    Args:
        pictures: page, from 1, to how many of its pictures could not be drawn.
        fonts: names of fonts that are not in the document.
    """
    told = []
    if pictures:
        count = sum(pictures.values())
        what = "1 picture is damaged and is" if count == 1 else f"{count} pictures are damaged and are"
        pages = f"page {_listed(pictures)}" if len(pictures) == 1 else f"pages {_listed(pictures)}"
        told.append(
            f"{what} missing on the label ({pages} of the document). Print it again from Business Central; "
            "if it is missing again, put the picture into the report anew."
        )
    if fonts:
        what = f"The font {fonts[0]} is" if len(fonts) == 1 else f"The fonts {_listed(fonts)} are"
        told.append(
            f"{what} not in the document, so another was printed; a bar code in it cannot be read. "
            "Have the report embed its fonts."
        )
    return tuple(told)


def _listed(things: Mapping[int, int] | Sequence[str]) -> str:
    names = [str(each) for each in things]
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def graphic_field(bitmap: Bitmap) -> str:
    """Return a bitmap as ``^GFA,<bytes>,<bytes>,<bytes per row>,<data>``; both counts are the bitmap's, as for all ASCII data."""
    size = len(bitmap.rows)
    rows = (bitmap.rows[top : top + bitmap.row_bytes] for top in range(0, size, bitmap.row_bytes))
    parts = []
    previous = b""
    for row in rows:
        parts.append(":" if row == previous else _row(row.hex().upper()))
        previous = row
    return f"^GFA,{size},{size},{bitmap.row_bytes},{''.join(parts)}"


def _row(digits: str) -> str:
    """Shorten a row: ``,`` fills its rest with zeros, ``!`` with ones, a count before a digit repeats it."""
    for filler, sign in (("0", ","), ("F", "!")):
        kept = digits.rstrip(filler)
        if len(kept) < len(digits):
            return _RUNS.sub(_run, kept) + sign
    return _RUNS.sub(_run, digits)


def _run(match: re.Match[str]) -> str:
    length = len(match[0])
    return match[0] if length < _LEAST_RUN else _count(length) + match[1]


def _count(number: int) -> str:
    """Return a repeat count: ``z`` is 400, ``g`` to ``y`` are 20 to 380, ``G`` to ``Y`` are 1 to 19; they add up."""
    scores, ones = divmod(number % 400, 20)
    return (
        "z" * (number // 400)
        + ("fghijklmnopqrstuvwxy"[scores] if scores else "")
        + ("FGHIJKLMNOPQRSTUVWXY"[ones] if ones else "")
    )
