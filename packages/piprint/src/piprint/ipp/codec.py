"""IPP messages to bytes and back (RFC 8010). Sans-IO.

A message is a header of eight bytes, groups of attributes, and, after them, possibly a document::

    version (2)  operation or status (2)  request id (4)
    { delimiter tag (1) { attribute } }  end tag 0x03 (1)  document

An attribute is a name and one or more values, each with a tag of its own (media-supported mixes keywords and names).
On the wire every value is ``tag, name length (2), name, value length (2), value``; the second and later values of an
attribute have an empty name. A collection is a value made of attributes: between a begin and an end tag every member is told
as a value that holds the member's name, then values without names (RFC 8010, 3.1.6).

Requests and answers differ in nothing but the meaning of :attr:`Message.code`, so the same two functions serve the client, the
printer of a test, and the fuzzer. The promise is: :func:`decode` returns a message that :func:`encode` writes so that it is
read as the same again, or raises :class:`MalformedIpp`, never anything else. Printers err; so a *value* that does not fit
its tag (three bytes for an integer, Latin-1 in a text), and one with a tag unknown here, is no reason to refuse the message: it
stays bytes, and the readers of :class:`Group` pass over it.

This module does not know what any attribute means, HTTP, or how a document is sent.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final

from piprint.errors import PrinterError
from piprint.ipp.registry import Delimiter, Tag

__all__ = [
    "Attribute",
    "Data",
    "Group",
    "Localized",
    "MalformedIpp",
    "Message",
    "Range",
    "Resolution",
    "Value",
    "attribute",
    "decode",
    "encode",
]

MOST_DEPTH: Final = 16
"""Collections in collections; media-col-database has three levels. A limit, so that a message cannot exhaust the stack."""
MOST_PARTS: Final = 250_000
"""Groups and values of a message: ten thousand jobs with all we ask of them, read in a second. Groups may be empty, so that
a printer could say eight million of them in the bytes of a large answer."""
_LONGEST: Final = 0x7FFF
"""Lengths are SIGNED-SHORT (RFC 8010, 3.2)."""
_MOST_GROUP_TAG: Final = 0x0F
_OUT_OF_BAND: Final = range(0x10, 0x20)
_STRUCTURE: Final = frozenset({Tag.BEGIN_COLLECTION, Tag.END_COLLECTION, Tag.MEMBER_NAME})
"""Tags that are no values of their own."""


class MalformedIpp(PrinterError):
    """These bytes are not an IPP message; the message says where they stop making sense."""


@dataclass(frozen=True, slots=True)
class Range:
    """A rangeOfInteger; both ends belong to it."""

    lower: int
    upper: int


@dataclass(frozen=True, slots=True)
class Resolution:
    """A resolution: dots across and along the feed, per inch (``units`` 3) or centimetre (4)."""

    across: int
    along: int
    units: int


@dataclass(frozen=True, slots=True)
class Localized:
    """A textWithLanguage or nameWithLanguage."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name and its values: one, or several of a 1setOf."""

    name: str
    values: tuple[Value, ...]


Data = int | bool | str | bytes | datetime | Range | Resolution | Localized | tuple[Attribute, ...] | None
"""What a value can be: ``bytes`` for octetString, for an unknown tag, and for what does not fit its tag; ``None`` for the
out-of-band tags (unknown, no-value ...); a tuple of attributes for a collection."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value with its tag, an int: :class:`~piprint.ipp.registry.Tag` or one unknown here."""

    tag: int
    data: Data


@dataclass(frozen=True, slots=True)
class Group:
    """Attributes that belong together; ``tag`` is a :class:`~piprint.ipp.registry.Delimiter` or one unknown here."""

    tag: int
    attributes: tuple[Attribute, ...]

    def values(self, name: str) -> tuple[Data, ...]:
        """Return the data of an attribute; empty when it is missing. Of attributes named twice the first counts."""
        for each in self.attributes:
            if each.name == name:
                return tuple(value.data for value in each.values)
        return ()

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of an attribute that are texts, names, keywords, URIs ..., without their languages."""
        found = (data.text if isinstance(data, Localized) else data for data in self.values(name))
        return tuple(data for data in found if isinstance(data, str))

    def text(self, name: str) -> str:
        """Return the first of an attribute's :meth:`texts`; "" when it has none."""
        return next(iter(self.texts(name)), "")

    def integers(self, name: str) -> tuple[int, ...]:
        """Return the values of an attribute that are integers or enums."""
        return tuple(data for data in self.values(name) if isinstance(data, int) and not isinstance(data, bool))

    def integer(self, name: str) -> int | None:
        """Return the first of an attribute's :meth:`integers`; None when it has none."""
        return next(iter(self.integers(name)), None)

    def boolean(self, name: str) -> bool | None:
        """Return the first value of an attribute that is a boolean; None when it has none."""
        return next((data for data in self.values(name) if isinstance(data, bool)), None)

    def ranges(self, name: str) -> tuple[Range, ...]:
        """Return the values of an attribute that are ranges; an integer counts as a range of one."""
        found = []
        for data in self.values(name):
            if isinstance(data, Range):
                found.append(data)
            elif isinstance(data, int) and not isinstance(data, bool):
                found.append(Range(data, data))
        return tuple(found)

    def collections(self, name: str) -> tuple[Group, ...]:
        """Return the values that are collections, each as a group to be read like this one."""
        return tuple(Group(self.tag, data) for data in self.values(name) if isinstance(data, tuple))


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer, without the document.

    Attributes:
        code: a request's operation id, an answer's status code.
        request_id: the same in a request and its answer.
        groups: in the order of the wire.
        version: major and minor.
    """

    code: int
    request_id: int
    groups: tuple[Group, ...]
    version: tuple[int, int] = (2, 0)

    def all(self, delimiter: int) -> tuple[Group, ...]:
        """Return the groups of a kind: one per job or printer."""
        return tuple(group for group in self.groups if group.tag == delimiter)

    def first(self, delimiter: int) -> Group:
        """Return the first group of a kind; an empty one when there is none."""
        return next(iter(self.all(delimiter)), Group(delimiter, ()))


def attribute(name: str, tag: int, *data: Data) -> Attribute:
    """Make an attribute whose values all have one tag."""
    return Attribute(name, tuple(Value(tag, each) for each in data))


# ---------------------------------------------------------------------------------------------------------- values


def _packed(layout: str) -> tuple[Callable[..., bytes], Callable[[bytes], tuple[int, ...]]]:
    form = struct.Struct(layout)
    return form.pack, form.unpack


_pack_integer, _unpack_integer = _packed(">i")
_pack_range, _unpack_range = _packed(">ii")
_pack_resolution, _unpack_resolution = _packed(">iib")
_pack_date, _unpack_date = _packed(">H9B")


def _read_boolean(raw: bytes) -> bool:
    if raw not in {b"\0", b"\1"}:
        raise ValueError
    return raw == b"\1"


def _read_date(raw: bytes) -> datetime:
    """RFC 2579, DateAndTime: year, month, day, hour, minute, second, tenths, ``+`` or ``-``, hours and minutes off UTC."""
    year, month, day, hour, minute, second, tenth, sign, off_hours, off_minutes = _unpack_date(raw)
    if chr(sign) not in "+-" or tenth > 9:  # noqa: PLR2004 - tenths of a second
        raise ValueError
    off = timedelta(hours=off_hours, minutes=off_minutes) * (1 if chr(sign) == "+" else -1)
    return datetime(year, month, day, hour, minute, second, tenth * 100_000, tzinfo=timezone(off))


def _write_date(value: datetime) -> bytes:
    off = value.utcoffset()
    if off is None:
        raise ValueError(f"{value} has no time zone")
    minutes = round(abs(off).total_seconds() / 60)
    return _pack_date(
        *value.timetuple()[:6],
        value.microsecond // 100_000,
        ord("-" if off < timedelta(0) else "+"),
        *divmod(minutes, 60),
    )


def _read_localized(raw: bytes) -> Localized:
    parts = []
    for _ in range(2):
        (length,) = struct.unpack_from(">H", raw)
        parts.append(raw[2 : 2 + length])
        if len(parts[-1]) != length:
            raise ValueError
        raw = raw[2 + length :]
    if raw:
        raise ValueError
    return Localized(parts[0].decode(), parts[1].decode())


def _write_localized(value: Localized) -> bytes:
    return b"".join(struct.pack(">H", len(part)) + part for part in (value.language.encode(), value.text.encode()))


@dataclass(frozen=True, slots=True)
class _Syntax:
    """How values of a tag are read and written.

    Attributes:
        kind: the type of the data.
        read: raises ValueError, OverflowError or struct.error for bytes that do not fit.
        write: takes data of that type.
    """

    kind: type
    read: Callable[[bytes], Data]
    write: Callable[..., bytes]


_INTEGER = _Syntax(int, lambda raw: _unpack_integer(raw)[0], _pack_integer)
_TEXT = _Syntax(str, lambda raw: raw.decode(), lambda text: text.encode())
_LOCALIZED = _Syntax(Localized, _read_localized, _write_localized)

_SYNTAXES: dict[int, _Syntax] = {
    Tag.INTEGER: _INTEGER,
    Tag.ENUM: _INTEGER,
    Tag.BOOLEAN: _Syntax(bool, _read_boolean, lambda value: b"\1" if value else b"\0"),
    Tag.DATE_TIME: _Syntax(datetime, _read_date, _write_date),
    Tag.RESOLUTION: _Syntax(
        Resolution,
        lambda raw: Resolution(*_unpack_resolution(raw)),
        lambda value: _pack_resolution(value.across, value.along, value.units),
    ),
    Tag.RANGE: _Syntax(
        Range, lambda raw: Range(*_unpack_range(raw)), lambda value: _pack_range(value.lower, value.upper)
    ),
    Tag.TEXT_WITH_LANGUAGE: _LOCALIZED,
    Tag.NAME_WITH_LANGUAGE: _LOCALIZED,
    **dict.fromkeys(
        (
            Tag.TEXT,
            Tag.NAME,
            Tag.KEYWORD,
            Tag.URI,
            Tag.URI_SCHEME,
            Tag.CHARSET,
            Tag.NATURAL_LANGUAGE,
            Tag.MIME_MEDIA_TYPE,
        ),
        _TEXT,
    ),
}
"""The syntaxes by tag (RFC 8010, 3.9). A tag that is not here has bytes, or, out of band, nothing."""


def _read_value(tag: int, raw: bytes) -> Data:
    if tag in _OUT_OF_BAND and not raw:
        return None
    syntax = _SYNTAXES.get(tag)
    if syntax is None:
        return raw
    try:
        return syntax.read(raw)
    except (ValueError, OverflowError, struct.error):
        return raw


def _write_value(value: Value) -> bytes:
    data, tag = value.data, value.tag
    if data is None and tag in _OUT_OF_BAND:
        return b""
    if isinstance(data, bytes) and tag not in _STRUCTURE:
        return data
    syntax = _SYNTAXES.get(tag)
    if syntax is None or not isinstance(data, syntax.kind) or isinstance(data, bool) > (syntax.kind is bool):
        raise ValueError(f"a value with tag 0x{tag:02x} cannot be {data!r}")
    try:
        return syntax.write(data)
    except struct.error as error:
        raise ValueError(f"{data!r} does not fit tag 0x{tag:02x}: {error}") from None


# -------------------------------------------------------------------------------------------------------- encoding


def encode(message: Message) -> bytes:
    """Write a message; the document, if any, follows it unchanged.

    Raises:
        ValueError: a value does not fit its tag, or something is too long: our own mistake.
    """
    out = bytearray(struct.pack(">BBHi", *message.version, message.code, message.request_id))
    for group in message.groups:
        out.append(group.tag)
        for each in group.attributes:
            if not each.name:
                raise ValueError("an attribute without a name cannot be written")
            _write_values(out, each.name, each.values)
    out.append(Delimiter.END)
    return bytes(out)


def _write_values(out: bytearray, name: str, values: Sequence[Value]) -> None:
    if not values:
        raise ValueError(f"the attribute {name!r} has no value")
    for number, value in enumerate(values):
        label = b"" if number else name.encode()
        if isinstance(value.data, tuple):
            _write_field(out, Tag.BEGIN_COLLECTION, label, b"")
            for member in value.data:
                _write_field(out, Tag.MEMBER_NAME, b"", member.name.encode())
                _write_values(out, "", member.values)
            _write_field(out, Tag.END_COLLECTION, b"", b"")
        else:
            _write_field(out, value.tag, label, _write_value(value))


def _write_field(out: bytearray, tag: int, name: bytes, value: bytes) -> None:
    if max(len(name), len(value)) > _LONGEST:
        raise ValueError(f"IPP's names and values have at most {_LONGEST} bytes")
    out.append(tag)
    for part in (name, value):
        out += struct.pack(">H", len(part)) + part


# -------------------------------------------------------------------------------------------------------- decoding


def decode(data: bytes) -> tuple[Message, int]:
    """Read a message.

    Returns:
        The message, and how many bytes it has: what follows is the document.

    Raises:
        MalformedIpp: these bytes are not a whole message.
    """
    if len(data) < 8:  # noqa: PLR2004 - the header
        raise MalformedIpp(f"an IPP message has 8 bytes at least, not {len(data)}")
    major, minor, code, request_id = struct.unpack_from(">BBHi", data)
    reader = _Reader(data, 8)
    groups = []
    while (tag := reader.byte()) != Delimiter.END:
        if not 0 < tag <= _MOST_GROUP_TAG:
            raise reader.malformed(f"tag 0x{tag:02x} begins no group")
        groups.append(Group(tag, tuple(reader.attributes())))
    return Message(code, request_id, tuple(groups), (major, minor)), reader.at


class _Reader:
    """Reads along the bytes of a message; raises MalformedIpp where they end too early."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self.at = at
        self._parts = 0

    def malformed(self, what: str) -> MalformedIpp:
        return MalformedIpp(f"not an IPP message: {what} (byte {self.at} of {len(self._data)})")

    def byte(self) -> int:
        """Take a tag: of a group, or of a value."""
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise self.malformed(f"more than {MOST_PARTS} groups and values")
        return self._take(1)[0]

    def _take(self, length: int) -> bytes:
        end = self.at + length
        if end > len(self._data):
            raise self.malformed("it ends too early")
        taken, self.at = self._data[self.at : end], end
        return taken

    def _field(self) -> tuple[int, bytes, bytes]:
        """Take ``tag, name, value``."""
        tag = self.byte()
        parts = []
        for _ in range(2):
            (length,) = struct.unpack(">H", self._take(2))
            if length > _LONGEST:
                raise self.malformed(f"a length of {length} is more than {_LONGEST}")
            parts.append(self._take(length))
        return tag, parts[0], parts[1]

    def _name(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.malformed(f"{raw[:40]!r} is no attribute's name") from None

    def _begins_group(self) -> bool:
        if self.at >= len(self._data):
            raise self.malformed("it ends without an end tag")
        return self._data[self.at] <= _MOST_GROUP_TAG

    def attributes(self) -> Iterator[Attribute]:
        """Read the attributes of a group, up to the next delimiter tag."""
        name, values = "", list[Value]()
        while not self._begins_group():
            tag, label, raw = self._field()
            if label:
                if values:
                    yield Attribute(name, tuple(values))
                name, values = self._name(label), []
            elif not values:
                raise self.malformed("a value belongs to no attribute")
            values.append(self._value(tag, raw, 1))
        if values:
            yield Attribute(name, tuple(values))

    def _value(self, tag: int, raw: bytes, depth: int) -> Value:
        if tag == Tag.BEGIN_COLLECTION:
            if depth > MOST_DEPTH:
                raise self.malformed(f"collections are nested more than {MOST_DEPTH} deep")
            return Value(tag, tuple(self._members(depth)))
        if tag in _STRUCTURE:
            raise self.malformed("a part of a collection stands outside of one")
        return Value(tag, _read_value(tag, raw))

    def _members(self, depth: int) -> Iterator[Attribute]:
        """Read the members of a collection, through its end tag."""
        name, values = "", list[Value]()
        while True:
            if self._begins_group():
                raise self.malformed("a collection does not end")
            tag, label, raw = self._field()
            if label:
                raise self.malformed("a value in a collection has a name of its own")
            if tag in {Tag.MEMBER_NAME, Tag.END_COLLECTION}:
                if name and not values:
                    raise self.malformed(f"the member {name!r} has no value")
                if values:
                    yield Attribute(name, tuple(values))
                if tag == Tag.END_COLLECTION:
                    return
                name, values = self._name(raw), []
                if not name:
                    raise self.malformed("a member of a collection has no name")
            elif not name:
                raise self.malformed("a value in a collection belongs to no member")
            else:
                values.append(self._value(tag, raw, depth + 1))
