"""Tables as data: a list of fields, compiled once per set of dimensions.

A table is declared once, field by field in the meter's order, with type, count, unit and
page. From that one list come decoding, encoding, size, the offset of a field for partial
reads, and the reference page. Offsets are never written down: they add up.

How it is fast: for a given :class:`~osgp.tables.schema.dimensions.Dimensions` the fields become
one :class:`struct.Struct` that yields one raw value per slot (an array or group is one
slot of bytes). A C-level gather repeats the words that hold bit fields, and only slots
that need it pass through a converter.

This module does not know any table, and no meter.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from osgp.errors import MisuseError, OsgpError, TableError
from osgp.psem import table_name
from osgp.tables.schema.count import Count
from osgp.tables.schema.dimensions import Dimensions, tables_telling
from osgp.tables.schema.parts import Bit, Bits, Field, FieldList, Filler, Group, counts_of
from osgp.tables.schema.types import Type

__all__ = ["Bit", "Bits", "Field", "FieldAbsent", "FieldList", "Filler", "Group", "Layout", "Place", "Record", "Table"]

MAX_TABLE_SIZE = 1 << 20
"""No table comes near (a load profile of 256 KiB memory has 233,856 bytes); more means mistaken dimensions."""


class FieldAbsent(TableError, KeyError):
    """The data end before this field, or the meter's dimensions leave it out."""

    def __str__(self) -> str:
        """Return the message as written (KeyError would quote it)."""
        return str(self.args[0])


class _Entry(NamedTuple):
    """Where one named value stands and how it becomes a Python value and back."""

    name: str
    offset: int
    size: int
    slot: int
    code: str
    decode: Callable[[Any], Any] | None
    encode: Callable[[Any], Any] | None
    bit: Bit | None = None
    renew: Callable[[Any, bytes], bytes] | None = None
    """For records: encodes them into the bytes that stood there, so that fillers inside them stay."""
    records: Layout | None = None
    """For records: how one of them is laid out."""


class Place(NamedTuple):
    """Where a value stands in a table."""

    offset: int
    size: int
    mask: int
    """The bits of a flag in its word; 0 for what has whole bytes of its own."""


def _number(count: Count | int, dims: Dimensions) -> int:
    return count if isinstance(count, int) else count.number(dims)


def _array(
    kind: Type, count: int, order: str
) -> tuple[Callable[[bytes], tuple[Any, ...]], Callable[[Sequence[Any]], bytes]]:
    """Return decoder and encoder of ``count`` values of one type, held as one slot of bytes."""
    packed = struct.Struct(order + (kind.code * count if kind.code[-1] == "s" else f"{count}{kind.code}"))
    decode_one, encode_one = kind.decode, kind.encode

    def decode(raw: bytes) -> tuple[Any, ...]:
        values = packed.unpack(raw)
        return values if decode_one is None else tuple(map(decode_one, values))

    def encode(values: Sequence[Any]) -> bytes:
        if len(values) != count:
            raise MisuseError(f"{len(values)} values, the meter has {count}")
        return packed.pack(*(values if encode_one is None else map(encode_one, values)))

    return decode, encode


def _records(layout: Layout, count: int) -> tuple[Callable[[bytes], Any], Callable[[Any, bytes], bytes]]:
    """Return decoder and encoder of ``count`` records of one layout."""

    def decode(raw: bytes) -> tuple[dict[str, Any], ...]:
        # Records without a byte exist (demands in a meter that keeps no occurrence of them); iter_unpack refuses them.
        unpacked = layout.packed.iter_unpack(raw) if layout.size else repeat(layout.packed.unpack(b""), count)
        return tuple(layout.assemble(values) for values in unpacked)

    def renew(records: Sequence[Mapping[str, Any]], base: bytes) -> bytes:
        if len(records) != count:
            raise MisuseError(f"{len(records)} records, the meter has {count}")
        size = layout.size
        return b"".join(
            [layout.encode(record, base[place * size : (place + 1) * size]) for place, record in enumerate(records)]
        )

    return decode, renew


def _size(part: Field | Bits | Filler | Group, dims: Dimensions) -> int:
    """Return how many bytes a part has in a meter that has it."""
    match part:
        case Filler():
            return _number(part.size, dims)
        case Bits():
            return part.type.size
        case Group():
            return _number(part.count, dims) * Layout(part.fields, dims).size
        case Field():
            count = _number(part.count or 0, dims)
            if not isinstance(part.type, Type):
                return part.type(count).size
            return part.type.size * (1 if part.count is None else count)


class Layout:
    """A field list with the dimensions filled in: knows offsets, decodes and encodes."""

    def __init__(self, fields: FieldList, dims: Dimensions) -> None:
        self.size = 0
        self.certain = 0
        """Bytes that the table has whatever the firmware: as far as the last part that all firmware has."""
        self.entries: dict[str, _Entry] = {}
        self._slots = 0
        self.order = dims.byte_order
        codes = [self.order]
        parts = [part for part in fields if part.has_place(dims)]
        count = max((place for place, part in enumerate(parts, 1) if part.in_firmware(dims)), default=0)
        for part in parts[:count]:
            codes.append(self._add(part if part.in_firmware(dims) else Filler(_size(part, dims)), dims))
            if part.since is None:
                self.certain = self.size
        self.packed = struct.Struct("".join(codes))
        entries = self.entries.values()
        self._names = tuple(self.entries)
        slots = [entry.slot for entry in entries]
        self._gather: Callable[[tuple[Any, ...]], tuple[Any, ...]] = (
            itemgetter(*slots) if len(slots) > 1 else lambda values: tuple(values[slot] for slot in slots)
        )
        self._conversions = tuple((entry.name, entry.decode) for entry in entries if entry.decode is not None)

    def _add(self, part: Field | Bits | Filler | Group, dims: Dimensions) -> str:
        """Take in one part of the list; return its struct code."""
        slot, offset = self._slots, self.size
        match part:
            case Filler():
                size = _number(part.size, dims)
                return self._slot(f"{size}s", size)
            case Bits():
                size = part.type.size
                for bit in part.bits:
                    if bit.in_firmware(dims):
                        self._name(
                            _Entry(bit.name, offset, size, slot, part.type.code, bit.reader(size), None, bit=bit)
                        )
                return self._slot(part.type.code, size)
            case Group():
                count, layout = _number(part.count, dims), Layout(part.fields, dims)
                decode, renew = _records(layout, count)
                size = count * layout.size
                self._name(_Entry(part.name, offset, size, slot, f"{size}s", decode, None, renew=renew, records=layout))
            case Field():
                count = _number(part.count or 0, dims)
                kind = part.type if isinstance(part.type, Type) else part.type(count)
                if part.count is None or not isinstance(part.type, Type):
                    self._name(_Entry(part.name, offset, kind.size, slot, kind.code, kind.decode, kind.encode))
                    return self._slot(kind.code, kind.size)
                decode, encode = _array(kind, count, self.order)
                size = count * kind.size
                self._name(_Entry(part.name, offset, size, slot, f"{size}s", decode, encode))
        return self._slot(f"{size}s", size)

    def _slot(self, code: str, size: int) -> str:
        if not 0 <= size <= MAX_TABLE_SIZE - self.size:
            raise TableError(
                f"these dimensions make a table of more than {MAX_TABLE_SIZE} bytes, which no meter has; "
                "BT20/BT21 were read wrongly or belong to another meter"
            )
        self._slots += 1
        self.size += size
        return code

    def _name(self, entry: _Entry) -> None:
        if entry.name in self.entries:
            raise MisuseError(f"two fields are called {entry.name}")
        self.entries[entry.name] = entry

    def assemble(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """Turn the raw values of all slots into named values."""
        named = dict(zip(self._names, self._gather(values), strict=True))
        for name, decode in self._conversions:
            named[name] = decode(named[name])
        return named

    def decode(self, data: bytes, offset: int) -> dict[str, Any]:
        """Decode the fields that lie wholly in ``data``, which begins at ``offset`` of the table."""
        if offset == 0 and len(data) >= self.size:
            return self.assemble(self.packed.unpack_from(data))
        named, end = {}, offset + len(data)
        for entry in self.entries.values():
            if offset <= entry.offset and entry.offset + entry.size <= end:
                (raw,) = struct.unpack_from(f"{self.order}{entry.code}", data, entry.offset - offset)
                named[entry.name] = raw if entry.decode is None else entry.decode(raw)
        return named

    def encode(self, values: Mapping[str, Any], base: bytes) -> bytes:
        """Return ``base`` (zeros where it ends) with the named values written into it."""
        raw = list(self.packed.unpack(base[: self.size].ljust(self.size, b"\0")))
        for name, value in values.items():
            entry = self.entries.get(name)
            if entry is None:
                raise MisuseError(f"there is no field {name} in a meter of these dimensions")
            try:
                if entry.bit is not None:
                    raw[entry.slot] = entry.bit.write(raw[entry.slot], value)
                elif entry.renew is not None:
                    raw[entry.slot] = entry.renew(value, raw[entry.slot])
                else:
                    raw[entry.slot] = value if entry.encode is None else entry.encode(value)
                    struct.pack(f"{self.order}{entry.code}", raw[entry.slot])
            except (OsgpError, struct.error, ValueError, TypeError, AttributeError, OverflowError) as error:
                raise MisuseError(f"field {name} cannot hold {value!r}: {error}") from error
        return self.packed.pack(*raw) + base[self.size :]


class Record(Mapping[str, Any]):
    """Decoded fields of a table by name. What the data did not reach is absent, not zero."""

    __slots__ = ("_values", "table", "tail")

    def __init__(self, table: Table, values: dict[str, Any], tail: bytes) -> None:
        self.table = table
        self.tail = tail
        """Bytes after the last field we know: newer firmware."""
        self._values = values

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise FieldAbsent(f"{self.table.name} as read has no {name}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Record({self.table.name}, {self._values!r})"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it is called and what stands in it."""

    id: int
    title: str
    pages: str
    """Pages of the MEP guide v1.1, or of the guide that is named before them."""
    fields: tuple[Field | Bits | Filler | Group, ...]
    note: str = ""
    own_counts: tuple[str, ...] = ()
    """Fields of this table that count others of it, in the order of ``Dimensions.own``; 0 until they are read."""

    @property
    def name(self) -> str:
        """Return the guide's name: ``BT23``."""
        return table_name(self.id)

    def layout(self, dims: Dimensions) -> Layout:
        """Return the compiled layout, made once for each set of dimensions.

        Raises:
            TableError: the dimensions are impossible.
        """
        layout = dims.cache.get(self.id)
        if not isinstance(layout, Layout):
            layout = dims.cache[self.id] = Layout(self.fields, dims)
        return layout

    def size(self, dims: Dimensions, data: bytes = b"") -> int:
        """Return the size in bytes of all that is known of this table in such a meter.

        A table that counts itself is as long as the beginning of its ``data`` tells: read as
        many bytes as are told, and ask again until no more are.
        """
        if self.own_counts:
            dims = self._counted(dims, lambda layout: layout.decode(data, 0))
        return self.layout(dims).size

    @property
    def told_by(self) -> tuple[str, ...]:
        """Return the names of the tables that tell how this one is laid out."""
        names = {name for each in counts_of(self.fields) for name in each.names}
        return tables_telling(names)

    def certain_size(self, dims: Dimensions) -> int:
        """Return how many bytes the table has whatever the firmware: there it ends before the first later addition."""
        return self.layout(dims).certain

    def window(self, dims: Dimensions, *names: str) -> tuple[int, int]:
        """Return offset and count of the shortest partial read that covers these fields.

        Raises:
            FieldAbsent: a meter of these dimensions has no such field.
        """
        entries = self.layout(dims).entries
        missing = [name for name in names if name not in entries]
        if missing or not names:
            raise FieldAbsent(f"{self.name} has no field {', '.join(missing)} in a meter of these dimensions")
        start = min(entries[name].offset for name in names)
        return start, max(entries[name].offset + entries[name].size for name in names) - start

    def place(self, dims: Dimensions, *path: str | int) -> Place:
        """Return where one value stands: its name, after name and number of the record that it is in, if it is in one.

        Raises:
            FieldAbsent: a meter of these dimensions has no such field.
        """
        layout, start = self.layout(dims), 0
        *records, last = path
        for group, number in zip(records[::2], records[1::2], strict=True):
            entry = layout.entries.get(str(group))
            if entry is None or entry.records is None:
                raise FieldAbsent(f"{self.name} has no records {group} in a meter of these dimensions")
            layout = entry.records
            start += entry.offset + int(number) * layout.size
        entry = layout.entries.get(str(last))
        if entry is None:
            raise FieldAbsent(f"{self.name} has no field {last} in a meter of these dimensions")
        mask = 0 if entry.bit is None else entry.bit.mask << entry.bit.low
        return Place(start + entry.offset, entry.size, mask)

    def record_window(self, dims: Dimensions, group: str, number: int) -> tuple[int, int]:
        """Return offset and count of the partial read that covers one of the records of a group, counted from 0."""
        entry, layout = self._group(dims, group)
        return entry.offset + number * layout.size, layout.size

    def decode_record(self, data: bytes, dims: Dimensions, group: str) -> dict[str, Any]:
        """Decode one record of a group, from its first byte on; fields that the data do not hold wholly are absent."""
        return self._group(dims, group)[1].decode(data, 0)

    def _group(self, dims: Dimensions, name: str) -> tuple[_Entry, Layout]:
        entry = self.layout(dims).entries.get(name)
        if entry is None or entry.records is None:
            raise FieldAbsent(f"{self.name} has no records {name} in a meter of these dimensions")
        return entry, entry.records

    def decode(self, data: bytes, dims: Dimensions, *, offset: int = 0) -> Record:
        """Decode table data that begin at ``offset`` of the table.

        Fields that the data do not hold wholly are absent; bytes after the last known
        field are kept in ``tail``. Invalid dates are None.

        Raises:
            TableError: dimensions, or counts inside the table, that cannot be.
        """
        if self.own_counts:
            dims = self._counted(dims, lambda layout: layout.decode(data, offset))
        layout = self.layout(dims)
        return Record(self, layout.decode(data, offset), data[max(layout.size - offset, 0) :])

    def encode(self, values: Mapping[str, Any], dims: Dimensions, *, base: bytes = b"") -> bytes:
        """Return table data that hold ``values``; the rest is taken from ``base``, or zero.

        Raises:
            MisuseError: there is no such field or it cannot hold the value.
            TableError: impossible dimensions.
        """
        if self.own_counts:
            dims = self._counted(dims, lambda layout: layout.decode(base, 0) | dict(values))
        return self.layout(dims).encode(values, base)

    def _counted(self, dims: Dimensions, read: Callable[[Layout], Mapping[str, Any]]) -> Dimensions:
        """Add the counts this table holds about itself. Each pass may uncover further counts behind the first."""
        own: tuple[int, ...] = (0,) * len(self.own_counts)
        for _ in self.own_counts:
            named = read(self.layout(dims.holding(own)))
            found = tuple(int(named.get(name, 0)) for name in self.own_counts)
            if found == own:
                break
            own = found
        return dims.holding(own)
