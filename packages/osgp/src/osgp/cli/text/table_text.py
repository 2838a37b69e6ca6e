"""A table taken apart, as lines: bytes on the left, what they mean on the right; and the same for scripts.

This module does not know where table bytes come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from osgp.cli.text.measured_values import value_text
from osgp.cli.text.terminal import paint
from osgp.dissector.privacy import SECRET_TABLES
from osgp.dissector.table_parts import Part, dissect
from osgp.dissector.titles import title
from osgp.dissector.values import to_json, to_text
from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions

__all__ = ["table_document", "table_lines"]

_ROW = 8
_SELECTS = "sources["


def table_document(name: str, data: bytes, dims: Dimensions, offset: int = 0) -> dict[str, Any]:
    """Return a table for scripts: its bytes, its fields, and what stands behind them. ``data`` begin at ``offset``.

    Raises:
        TableError: dimensions, or counts inside the table, that cannot be.
    """
    document: dict[str, Any] = {"table": name, "title": title(name), "bytes": len(data)}
    if offset:
        document["offset"] = offset
    parts = _parts(name, data, dims, offset)
    if any(part.kind == "secret" for part in parts):
        document["hex"] = None
    else:
        document["hex"] = data.hex()
    document["fields"] = [_field(part) for part in parts if part.name]
    document["unknown"] = "".join(part.raw.hex() for part in parts if part.kind == "unknown")
    return document


def _field(part: Part) -> dict[str, Any]:
    field: dict[str, Any] = {
        "offset": part.offset,
        "hex": part.raw.hex(),
        "name": part.name,
        "value": to_json(part.value),
        "unit": part.unit,
    }
    if part.source is not None:
        field["source"] = part.source.key
        if _SELECTS not in part.name:
            field |= {"value": part.source.scaled(part.value), "unit": part.source.unit}
    return field


def table_lines(name: str, data: bytes, dims: Dimensions, offset: int = 0) -> list[str]:
    """Return a table for people. ``data`` begin at ``offset``.

    Raises:
        TableError: dimensions, or counts inside the table, that cannot be.
    """
    described = TABLES.get(name)
    pages = f", {described.pages}" if described else ""
    where = (
        pages if not described or described.pages.startswith("Optical") else f", MEP guide v1.1 p. {described.pages}"
    )
    head = f"{paint(name, 'bold')}  {title(name)}".rstrip()
    begin = f" from {offset}" if offset else ""
    lines = [f"{head}  ({len(data)} bytes{begin}{where})"]
    parts = _parts(name, data, dims, offset)
    room = max((len(part.name) for part in parts), default=0)
    before = -1
    for part in parts:
        # Bits of one word stand below each other, their byte only once.
        hexes = [""] if part.offset == before and part.name else _hex_rows(part)
        before = part.offset if part.name else -1
        text = _text(part, room)
        for number, row in enumerate(hexes):
            place = f"{part.offset + number * _ROW:6d}" if row else " " * 6
            lines.append(f"{paint(place, 'dim')}  {row:<{3 * _ROW - 1}}  {text if number == 0 else ''}".rstrip())
    return lines


def _parts(name: str, data: bytes, dims: Dimensions, offset: int) -> Sequence[Part]:
    described = TABLES.get(name)
    if table_id(name) in SECRET_TABLES:
        return [Part(offset, b"", len(data), kind="secret")]
    if described is None:
        return [Part(offset, data, len(data), kind="unknown")]
    return dissect(described, data, dims, offset)


def _hex_rows(part: Part) -> Sequence[str]:
    if part.kind == "secret":
        return [f"** x {part.size}"]
    if part.kind == "reserved" and part.size > _ROW and not any(part.raw):
        return [f"00 x {part.size}"]
    return [part.raw[at : at + _ROW].hex(" ") for at in range(0, len(part.raw), _ROW)]


def _text(part: Part, room: int) -> str:
    if not part.name:
        return paint(
            {
                "secret": "(secret)",
                "reserved": "(reserved)",
                "unknown": "(not known)",
                "cut": "(part of a field)",
            }.get(part.kind, ""),
            "dim",
        )
    return "  ".join(filter(None, (f"{paint(part.name, 'cyan')}{' ' * (room - len(part.name))}", *_meaning(part))))


def _meaning(part: Part) -> Iterator[str]:
    source = part.source
    if source is None:
        yield f"{to_text(part.value)} {part.unit}".rstrip()
    elif _SELECTS in part.name:
        yield f"{part.value}  {paint(source.label, 'dim')}"
    else:
        yield f"{value_text(source, part.value):>18}  {paint(source.label, 'dim')}"
