"""Writes Parquet files: columns of numbers, times, words and truths, in which a cell may be absent.

What Apache Parquet asks of a file (parquet-format 2.10, ``README.md``, ``Encodings.md`` and ``parquet.thrift``) with what every reader knows: one
page of data for a column of a group of rows, plain values, gzip. So it needs no library: pyarrow takes 170 MB and is not made for every
processor.

This module does not know what is in the columns.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import chain, islice
from typing import Final

__all__ = ["Column", "Holds", "parquet"]

Cell = bool | int | float | str | datetime | None

_MAGIC: Final = b"PAR1"
_ROWS = 20_000
"""Rows of a group: so many are in memory at once."""
_AUTHOR: Final = "osgp"
_GZIP_HEADER = 16 + zlib.MAX_WBITS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Enumerations of parquet.thrift.
_BOOLEAN, _INT64, _DOUBLE, _BYTE_ARRAY = 0, 2, 5, 6
_OPTIONAL, _GZIP, _PLAIN, _RLE, _DATA_PAGE = 1, 2, 0, 3, 0
_UTF8, _TIMESTAMP_MILLIS = 0, 9

# Types of the compact protocol of Thrift (thrift-compact-protocol.md).
_TRUE, _I32, _I64, _BINARY, _LIST, _STRUCT = 1, 5, 6, 8, 9, 12


class Holds(Enum):
    """What is in a column."""

    NUMBER = _DOUBLE
    WHOLE = _INT64
    TRUTH = _BOOLEAN
    WORDS = _BYTE_ARRAY
    TIME = "time"
    """Aware times; kept in UTC, to the millisecond."""

    @property
    def physical(self) -> int:
        """Return the type of Parquet."""
        return self.value if isinstance(self.value, int) else _INT64


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name and what is in it."""

    name: str
    holds: Holds


def parquet(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a file piece by piece, in the order in which it is to be written.

    Args:
        columns: at least one.
        rows: a cell for each column; None where it is absent.
    """
    yield _MAGIC
    place, count, groups = len(_MAGIC), 0, []
    left = iter(rows)
    while some := list(islice(left, _ROWS)):
        chunks = []
        for number, column in enumerate(columns):
            page, size = _page(column, [row[number] for row in some])
            chunks.append(_chunk(column, place, len(some), size, len(page)))
            place += len(page)
            yield page
        total = sum(size for _, size in chunks)
        groups.append(
            _struct((1, _list(_STRUCT, [chunk for chunk, _ in chunks])), (2, _I64, total), (3, _I64, len(some)))
        )
        count += len(some)
    schema = [_struct((4, _text("schema")), (5, _I32, len(columns))), *map(_element, columns)]
    footer = _struct(
        (1, _I32, 2),
        (2, _list(_STRUCT, schema)),
        (3, _I64, count),
        (4, _list(_STRUCT, groups)),
        (6, _text(_AUTHOR)),
    )
    yield footer + struct.pack("<I", len(footer)) + _MAGIC


def _page(column: Column, cells: Sequence[Cell]) -> tuple[bytes, int]:
    """Return a page with its header, and how long it is unpacked."""
    levels = _bits([cell is not None for cell in cells])
    # One run of bits, eight cells a byte (Encodings.md, "Run Length Encoding / Bit-Packing Hybrid").
    run = _varint(len(levels) << 1 | 1) + levels
    body = struct.pack("<I", len(run)) + run + _values(column.holds, [cell for cell in cells if cell is not None])
    packer = zlib.compressobj(6, zlib.DEFLATED, _GZIP_HEADER)
    packed = packer.compress(body) + packer.flush()
    data = _struct((1, _I32, len(cells)), (2, _I32, _PLAIN), (3, _I32, _RLE), (4, _I32, _RLE))
    header = _struct((1, _I32, _DATA_PAGE), (2, _I32, len(body)), (3, _I32, len(packed)), (5, (_STRUCT, data)))
    return header + packed, len(header) + len(body)


def _values(holds: Holds, cells: Sequence[Cell]) -> bytes:
    if holds is Holds.TRUTH:
        return _bits([bool(cell) for cell in cells])
    if holds is Holds.WORDS:
        words = [str(cell).encode() for cell in cells]
        return b"".join(chain.from_iterable((struct.pack("<I", len(each)), each) for each in words))
    if holds is Holds.TIME:
        return b"".join(struct.pack("<q", _milliseconds(cell)) for cell in cells if isinstance(cell, datetime))
    code = "<d" if holds is Holds.NUMBER else "<q"
    return b"".join(struct.pack(code, cell) for cell in cells)


def _milliseconds(time: datetime) -> int:
    spent = time - _EPOCH
    return (spent.days * 86_400 + spent.seconds) * 1000 + spent.microseconds // 1000


def _bits(truths: Sequence[bool]) -> bytes:
    eights = (truths[place : place + 8] for place in range(0, len(truths), 8))
    return bytes(sum(truth << place for place, truth in enumerate(eight)) for eight in eights)


def _element(column: Column) -> bytes:
    """Return what the schema says of a column: first as readers of before 2018 want it, then as later ones do."""
    fields: list[tuple[int, tuple[int, bytes]] | tuple[int, int, int]] = [
        (1, _I32, column.holds.physical),
        (3, _I32, _OPTIONAL),
        (4, _text(column.name)),
    ]
    if column.holds is Holds.WORDS:
        fields += [(6, _I32, _UTF8), (10, (_STRUCT, _struct((1, (_STRUCT, _struct())))))]
    if column.holds is Holds.TIME:
        unit = _struct((1, (_STRUCT, _struct())))
        time = _struct((1, (_TRUE, b"")), (2, (_STRUCT, unit)))
        fields += [(6, _I32, _TIMESTAMP_MILLIS), (10, (_STRUCT, _struct((8, (_STRUCT, time)))))]
    return _struct(*fields)


def _chunk(column: Column, place: int, count: int, size: int, packed: int) -> tuple[bytes, int]:
    """Return what the end of the file says of a column's page, and how long that is unpacked."""
    about = _struct(
        (1, _I32, column.holds.physical),
        (2, _list(_I32, [_zigzag(_PLAIN), _zigzag(_RLE)])),
        (3, _list(_BINARY, [_text(column.name)[1]])),
        (4, _I32, _GZIP),
        (5, _I64, count),
        (6, _I64, size),
        (7, _I64, packed),
        (9, _I64, place),
    )
    return _struct((2, _I64, place), (3, (_STRUCT, about))), size


def _struct(*fields: tuple[int, tuple[int, bytes]] | tuple[int, int, int]) -> bytes:
    """Return a struct of Thrift: each field its number and what it is, (type, bytes) or a type of numbers and a number."""
    out, last = b"", 0
    for field in fields:
        kind, content = field[1] if len(field) == 2 else (field[1], _zigzag(field[2]))  # noqa: PLR2004
        out += bytes([(field[0] - last) << 4 | kind]) + content
        last = field[0]
    return out + b"\0"


def _list(kind: int, items: Sequence[bytes]) -> tuple[int, bytes]:
    few = 15
    head = bytes([len(items) << 4 | kind]) if len(items) < few else bytes([0xF0 | kind]) + _varint(len(items))
    return _LIST, head + b"".join(items)


def _text(words: str) -> tuple[int, bytes]:
    encoded = words.encode()
    return _BINARY, _varint(len(encoded)) + encoded


def _zigzag(number: int) -> bytes:
    return _varint(number << 1 if number >= 0 else (-number << 1) - 1)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])
