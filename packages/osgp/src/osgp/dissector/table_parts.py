"""A table taken apart for looking at: each field with its place, its bytes, its value and what it measures.

Decoding (:mod:`osgp.tables`) gives values by name. Here every byte is accounted for: fields, what the guide reserves, and
what stands after the last field that is known. Bytes that must not be shown (:mod:`osgp.dissector.privacy`) are marked, not given.

This module does not know where table bytes come from, nor how they are painted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from osgp.dissector.privacy import secret_windows
from osgp.sources import Source, by_id
from osgp.tables import Dimensions, Table, present, registers
from osgp.tables.schema.table import Bits, Field, FieldList, Filler, Group, Layout
from osgp.tables.schema.types import Type
from osgp.tables.schema.windows import Window

__all__ = ["Part", "dissect"]


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a table."""

    offset: int
    raw: bytes
    """Empty where the bytes are secret."""
    size: int
    name: str = ""
    """Path of the field, ``blocks[0].summations[3]``; empty for bytes without a name."""
    value: Any = None
    unit: str = ""
    source: Source | None = None
    """What is measured, or which source a field selects."""
    kind: str = "field"
    """``field``, ``reserved``, ``unknown`` (after the last field known), ``cut`` (part of a field) or ``secret``."""


def dissect(table: Table, data: bytes, dims: Dimensions, offset: int = 0) -> list[Part]:
    """Return the parts of a table whose ``data`` begin at ``offset``, in order. Bits of one word share their bytes.

    What the data do not reach is left out, never shown as zero. A field that they hold in part is ``cut``.

    Raises:
        TableError: dimensions, or counts inside the table, that cannot be.
    """
    if offset:
        return _behind(dissect(table, bytes(offset) + data, dims), offset)
    if table.own_counts:
        record = table.decode(data, dims)
        dims = dims.holding(tuple(int(record.get(name, 0)) for name in table.own_counts))
    layout = table.layout(dims)
    measured = _measured(table, dims)
    parts = [_meaning(part, measured) for part in _fields(table.fields, layout, data, dims, 0, "")]
    gaps = [_cut_off(gap, layout) for gap in _gaps(parts, min(layout.size, len(data)), data)]
    parts = sorted([*parts, *gaps], key=lambda part: part.offset)
    if len(data) > layout.size:
        parts.append(Part(layout.size, data[layout.size :], len(data) - layout.size, kind="unknown"))
    return _veiled(parts, secret_windows(table.id, dims))


def _cut_off(gap: Part, layout: Layout) -> Part:
    """Return a stretch that no field covers; ``cut`` if it is the beginning of a field whose end the data do not hold."""
    begun = any(entry.offset == gap.offset and gap.size < entry.size for entry in layout.entries.values())
    return replace(gap, kind="cut") if begun else gap


def _behind(parts: Sequence[Part], start: int) -> list[Part]:
    """Return the parts from ``start`` on; of the one that begins before, what lies behind it."""
    kept = []
    for part in parts:
        before = start - part.offset
        if before <= 0:
            kept.append(part)
        elif part.size > before and not (kept and kept[-1].offset == start):
            kind = "cut" if part.kind == "field" else part.kind
            kept.append(Part(start, part.raw[before:], part.size - before, kind=kind))
    return kept


def _fields(
    fields: FieldList, layout: Layout, data: bytes, dims: Dimensions, start: int, prefix: str
) -> Iterator[Part]:
    """Yield the named parts of a field list that begins at ``start``, as far as the data reach."""
    order = layout.order
    for part in fields:
        if isinstance(part, Filler) or not (part.has_place(dims) and part.in_firmware(dims)):
            continue
        if isinstance(part, Bits):
            for bit in part.bits:
                if not bit.in_firmware(dims):
                    continue
                entry = layout.entries[bit.name]
                code = order + entry.code
                yield from _value(data, start + entry.offset, code, bit.reader(entry.size), prefix + bit.name, "")
            continue
        entry = layout.entries[part.name]
        offset, name = start + entry.offset, prefix + part.name
        if isinstance(part, Group):
            inner = Layout(part.fields, dims)
            for place in range(entry.size // inner.size if inner.size else 0):
                yield from _fields(part.fields, inner, data, dims, offset + place * inner.size, f"{name}[{place}].")
        elif part.count is not None and isinstance(part.type, Type):
            yield from _array(data, offset, part, entry.size, name, order)
        else:
            yield from _value(data, offset, order + entry.code, entry.decode, name, part.unit)


def _array(data: bytes, offset: int, field: Field, size: int, name: str, order: str) -> Iterator[Part]:
    kind = field.type
    assert isinstance(kind, Type)  # noqa: S101 - the caller looked
    for place in range(size // kind.size):
        code = order + kind.code
        yield from _value(data, offset + place * kind.size, code, kind.decode, f"{name}[{place}]", field.unit)


def _value(data: bytes, offset: int, code: str, decode: Any, name: str, unit: str) -> Iterator[Part]:
    size = struct.calcsize(code)
    if offset + size > len(data) or not size:
        return
    (raw,) = struct.unpack_from(code, data, offset)
    value = raw if decode is None else decode(raw)
    yield Part(offset, data[offset : offset + size], size, name, value, unit)


def _measured(table: Table, dims: Dimensions) -> dict[int, Source]:
    """Return which source stands at which offset of BT23 and BT28."""
    if table.id == registers.BT23.id:
        return {registers.window(dims, [source])[0]: source for source in registers.sources(dims)}
    if table.id == present.BT28.id:
        return {present.window(dims, [source])[0]: source for source in present.sources(dims)}
    return {}


_SELECTING = ("summation_sources[", "present_value_sources[", "present_demand_sources[", "demand_sources[")


def _meaning(part: Part, measured: dict[int, Source]) -> Part:
    source = measured.get(part.offset)
    if source is None and part.name.startswith(_SELECTING):
        source = by_id(part.value)
    return part if source is None else replace(part, source=source)


def _gaps(parts: Sequence[Part], end: int, data: bytes) -> Iterator[Part]:
    """Yield the stretches that no field covers."""
    at = 0
    for part in sorted(parts, key=lambda part: part.offset):
        if part.offset > at:
            yield Part(at, data[at : part.offset], part.offset - at, kind="reserved")
        at = max(at, part.offset + part.size)
    if at < end:
        yield Part(at, data[at:end], end - at, kind="reserved")


def _veiled(parts: Sequence[Part], secrets: Sequence[Window]) -> list[Part]:
    """Take the bytes out of parts that hold any secret; what only touches one is cut at its edges."""
    shown: list[Part] = []
    for part in parts:
        pieces = [part]
        for offset, count in secrets:
            pieces = [piece for held in pieces for piece in _cut(held, offset, offset + count)]
        shown += pieces
    return shown


def _cut(part: Part, start: int, end: int) -> Iterator[Part]:
    """Split a part into what lies before, inside and after a stretch."""
    if part.kind == "secret" or part.offset >= end or part.offset + part.size <= start:
        yield part
        return
    inside, outside = max(start, part.offset), min(end, part.offset + part.size)
    if part.offset < inside:
        yield replace(part, raw=part.raw[: inside - part.offset], size=inside - part.offset)
    yield Part(inside, b"", outside - inside, kind="secret")
    if outside < part.offset + part.size:
        rest = part.raw[outside - part.offset :]
        yield replace(part, offset=outside, raw=rest, size=len(rest))
