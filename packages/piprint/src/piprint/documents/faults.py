"""What of a PDF's page cannot be drawn: pictures whose data are damaged, and fonts that are not in the document.

PDFium draws a page without a picture it cannot decode, and says nothing; it writes in another font where one is missing, which
turns a bar code into letters. Both are found by asking for each object of a page. Not to be found: a picture that is damaged
so that it can be decoded all the same, such as a JPEG whose lower part is grey. Only what is certain is
reported: a sound picture that is wrongly called damaged would be refused at each try, and nobody could mend it.

Source: PDFium, ``public/fpdf_edit.h``. Runs in the process of :mod:`piprint.documents.process`; this module does not know what
is told to people.
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pypdfium2_raw as pdfium

__all__ = ["faults"]

_MOST_OBJECTS = 20_000
"""Of one page that are looked at; a label has some dozens."""
_DEEPEST = 8
"""Forms within forms."""
_MOST_DOTS = 25_000_000
"""Of one picture that is decoded to see whether it can be: 100 MB."""
_LONGEST_NAME = 100
_PLAIN = {"/FlateDecode", "/LZWDecode", "/RunLengthDecode", "/ASCII85Decode", "/ASCIIHexDecode", "FlateDecode", "LZWDecode",
          "RunLengthDecode", "ASCII85Decode", "ASCIIHexDecode", "Fl", "LZW", "RL", "A85", "AHx"}  # fmt: skip
"""Filters that give a picture's dots as they are (ISO 32000-1, 7.4.1)."""
_FLATE = (["FlateDecode"], ["Fl"])
_DEPTHS = sorted({colours * bits for colours in (1, 3, 4) for bits in (1, 2, 4, 8, 16)})
"""Bits a dot may have (ISO 32000-1, 8.9.5.1 and table 62)."""
_LINE_END = 2
"""Bytes of a line end before ``endstream`` that are sometimes counted as data."""
_PART = 1 << 16
_EVERYWHERE = ("helvetica", "arial", "times", "courier", "symbol", "zapfdingbats")
"""Beginnings of the fonts every reader has, or has a twin of (ISO 32000-1, 9.6.2.2)."""


def faults(page: Any) -> tuple[int, list[str]]:
    """Return how many pictures of a page cannot be drawn, and the names of its fonts that are not in the document."""
    pictures = 0
    fonts: dict[str, None] = {}
    for each in islice(_objects(page), _MOST_OBJECTS):
        kind = pdfium.FPDFPageObj_GetType(each)
        if kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            pictures += not _drawable(page, each)
        elif kind == pdfium.FPDF_PAGEOBJ_TEXT and (name := _missing_font(each)):
            fonts[name] = None
    return pictures, list(fonts)


def _objects(page: Any) -> Iterator[Any]:
    for place in range(pdfium.FPDFPage_CountObjects(page)):
        yield from _with_inner(pdfium.FPDFPage_GetObject(page, place), 0)


def _with_inner(each: Any, depth: int) -> Iterator[Any]:
    if pdfium.FPDFPageObj_GetType(each) != pdfium.FPDF_PAGEOBJ_FORM:
        yield each
    elif depth < _DEEPEST:
        for place in range(max(pdfium.FPDFFormObj_CountObjects(each), 0)):
            yield from _with_inner(pdfium.FPDFFormObj_GetObject(each, place), depth + 1)


def _drawable(page: Any, picture: Any) -> bool:
    about = pdfium.FPDF_IMAGEOBJ_METADATA()
    if not pdfium.FPDFImageObj_GetImageMetadata(picture, page, about):
        return False
    if about.width * about.height > _MOST_DOTS:
        return True  # not looked at
    if not _is_whole(picture, about):
        return False
    bitmap = pdfium.FPDFImageObj_GetBitmap(picture)
    if not bitmap:
        return False
    pdfium.FPDFBitmap_Destroy(bitmap)
    return True


def _is_whole(picture: Any, about: Any) -> bool:
    """Tell whether a picture without a format of its own has its dots; PDFium draws those that are missing in black.

    PDFium tells the depth of the bitmap that it makes, not the stream's (a palette of 4 bits comes as 8, a colour that is left out as
    32). So two things count: fewer bytes than one bit a dot, and a stream of Flate that breaks off with a number of bytes that is a
    whole picture at no depth there is.
    """
    count = pdfium.FPDFImageObj_GetImageFilterCount(picture)
    filters = [_filter(picture, place) for place in range(count)]
    if not filters or not _PLAIN.issuperset(filters):
        return True
    width, height = int(about.width), int(about.height)
    there = int(pdfium.FPDFImageObj_GetImageDataDecoded(picture, None, 0))
    if there < _bytes(width, height, 1):
        return False
    whole = (_bytes(width, height, depth) for depth in _DEPTHS)
    if filters not in _FLATE or any(size <= there <= size + _LINE_END for size in whole):
        return True
    return _ends(picture)


def _bytes(width: int, height: int, depth: int) -> int:
    """Return the bytes of a picture of so many bits a dot; each row fills whole bytes (ISO 32000-1, 8.9.3)."""
    return (width * depth + 7) // 8 * height


def _ends(picture: Any) -> bool:
    """Tell whether a picture's stream of Flate comes to its end."""
    size = int(pdfium.FPDFImageObj_GetImageDataRaw(picture, None, 0))
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFImageObj_GetImageDataRaw(picture, buffer, size)
    stream, rest = zlib.decompressobj(), buffer.raw
    try:
        while rest and not stream.eof:
            stream.decompress(rest, _PART)  # a part at a time: it may become a thousand times as large
            rest = stream.unconsumed_tail
    except zlib.error:
        return False
    return stream.eof


def _filter(picture: Any, place: int) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST_NAME)
    pdfium.FPDFImageObj_GetImageFilter(picture, place, buffer, _LONGEST_NAME)
    return buffer.value.decode("ascii", "replace")


def _missing_font(text: Any) -> str:
    """Return the name of a text's font that another is drawn for; "" when it is there, or every reader has it."""
    font = pdfium.FPDFTextObj_GetFont(text)
    if not font or pdfium.FPDFFont_GetIsEmbedded(font) != 0:
        return ""
    buffer = ctypes.create_string_buffer(_LONGEST_NAME)
    if pdfium.FPDFFont_GetBaseFontName(font, buffer, _LONGEST_NAME) < 1:
        return ""
    name = buffer.value.decode("utf-8", "replace")
    return "" if name.lower().startswith(_EVERYWHERE) else name
