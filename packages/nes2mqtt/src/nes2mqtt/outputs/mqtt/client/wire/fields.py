"""The parts that packets are made of: numbers, texts, and the properties of MQTT 5 (section 1.5 and 2.2.2).

This module does not know packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

__all__ = ["Malformed", "Property", "Reader", "properties", "text", "variable"]

MALFORMED_PACKET = 0x81
PROTOCOL_ERROR = 0x82
"""Reason codes of section 2.4."""

_MOST_VARIABLE = 268_435_455
"""The largest number of four bytes of seven bits (section 1.5.5)."""

_MOST_TEXT = 65_535
"""Bytes of the longest text (section 1.5.4)."""


class Malformed(ValueError):
    """What came is not MQTT, or not what may come now.

    Args:
        text: what is wrong, for a log.
        code: the reason code to end the connection with (section 2.4).
    """

    def __init__(self, text: str, code: int = MALFORMED_PACKET) -> None:
        super().__init__(text)
        self.code = code


class Property(IntEnum):
    """Identifiers of properties (section 2.2.2.2)."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_IDENTIFIER = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_DATA = 0x16
    REQUEST_PROBLEM_INFORMATION = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE_INFORMATION = 0x19
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARD_AVAILABLE = 0x28
    SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


_P = Property

_WIDTHS: Mapping[Property, int] = MappingProxyType(
    {
        **dict.fromkeys((_P.PAYLOAD_FORMAT, _P.REQUEST_PROBLEM_INFORMATION, _P.REQUEST_RESPONSE_INFORMATION), 1),
        **dict.fromkeys((_P.MAXIMUM_QOS, _P.RETAIN_AVAILABLE, _P.WILDCARD_AVAILABLE, _P.SHARED_AVAILABLE), 1),
        _P.SUBSCRIPTION_IDENTIFIER_AVAILABLE: 1,
        **dict.fromkeys((_P.SERVER_KEEP_ALIVE, _P.RECEIVE_MAXIMUM, _P.TOPIC_ALIAS_MAXIMUM, _P.TOPIC_ALIAS), 2),
        **dict.fromkeys((_P.MESSAGE_EXPIRY, _P.SESSION_EXPIRY, _P.WILL_DELAY, _P.MAXIMUM_PACKET_SIZE), 4),
    }
)
"""Bytes of the properties that are numbers of a fixed width (section 2.2.2.2, table 2-4)."""

_FLAGS = frozenset(
    {
        _P.PAYLOAD_FORMAT,
        _P.REQUEST_PROBLEM_INFORMATION,
        _P.REQUEST_RESPONSE_INFORMATION,
        _P.MAXIMUM_QOS,
        _P.RETAIN_AVAILABLE,
        _P.WILDCARD_AVAILABLE,
        _P.SUBSCRIPTION_IDENTIFIER_AVAILABLE,
        _P.SHARED_AVAILABLE,
    }
)
"""Properties of one byte that is 0 or 1."""

_NEVER_ZERO = frozenset({_P.RECEIVE_MAXIMUM, _P.MAXIMUM_PACKET_SIZE})
"""Sections 3.2.2.3.3 and 3.2.2.3.6."""

_BINARY = frozenset({_P.CORRELATION_DATA, _P.AUTHENTICATION_DATA})

_REPEATED = frozenset({_P.USER_PROPERTY, _P.SUBSCRIPTION_IDENTIFIER})
"""Properties that may come more than once (sections 2.2.2.2 and 3.3.2.3.8)."""


def variable(number: int) -> bytes:
    """Return a variable byte integer (section 1.5.5).

    Raises:
        ValueError: it is beyond 268,435,455.
    """
    if number < 0x80:  # noqa: PLR2004 - seven bits
        return bytes((number,))
    if number > _MOST_VARIABLE:
        raise ValueError("longer than an MQTT packet may be")
    out = bytearray()
    while number:
        number, low = number >> 7, number & 0x7F
        out.append(low | (0x80 if number else 0))
    return bytes(out)


def text(of: str | bytes) -> bytes:
    """Return a text, or binary data, with its length before it (sections 1.5.4 and 1.5.6).

    Raises:
        ValueError: it is longer than 65,535 bytes, or holds what no text may.
    """
    data = of if isinstance(of, bytes) else of.encode()
    if len(data) > _MOST_TEXT:
        raise ValueError("longer than an MQTT text may be")
    if not isinstance(of, bytes) and "\0" in of:
        raise ValueError("an MQTT text cannot hold the character NUL")
    return len(data).to_bytes(2) + data


def properties(of: Mapping[Property, int | str]) -> bytes:
    """Return properties with their length before them (section 2.2.2): numbers of a fixed width, and texts."""
    body = b"".join(
        bytes((name,)) + (text(value) if isinstance(value, str) else value.to_bytes(_WIDTHS[name]))
        for name, value in of.items()
    )
    return variable(len(body)) + body


class Reader:
    """Takes the body of a packet apart, from its start.

    Every method raises :class:`Malformed` when the body ends too early or holds what may not be there.
    """

    __slots__ = ("_at", "_data", "_end")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._end = len(data)

    @property
    def left(self) -> int:
        """Return how many bytes are left."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        """Return so many bytes."""
        begin = self._at
        if count > self._end - begin:
            raise Malformed("a packet ends too early")
        self._at = begin + count
        return self._data[begin : self._at]

    def rest(self) -> bytes:
        """Return what is left."""
        return self.take(self.left)

    def number(self, width: int) -> int:
        """Return a number of so many bytes, the highest first (sections 1.5.1 to 1.5.3)."""
        return int.from_bytes(self.take(width))

    def identifier(self) -> int:
        """Return a packet identifier, which is never 0 (section 2.2.1)."""
        number = self.number(2)
        if not number:
            raise Malformed("a packet identifier is 0", PROTOCOL_ERROR)
        return number

    def variable(self) -> int:
        """Return a variable byte integer (section 1.5.5).

        One that is written with more bytes than its value needs, up to four, is taken all the same: 5.0 forbids that, but the value is clear.
        """
        value = 0
        for place in range(4):
            byte = self.number(1)
            value |= (byte & 0x7F) << 7 * place
            if byte < 0x80:  # noqa: PLR2004 - the highest bit says that more follows
                return value
        raise Malformed("a length goes on without end")

    def binary(self) -> bytes:
        """Return binary data (section 1.5.6)."""
        return self.take(self.number(2))

    def text(self) -> str:
        """Return a text (section 1.5.4)."""
        try:
            found = self.binary().decode()
        except UnicodeDecodeError:
            raise Malformed("a text is not UTF-8") from None
        if "\0" in found:
            raise Malformed("a text holds the character NUL")
        return found

    def properties(self) -> dict[Property, int | str | bytes]:
        """Return the properties that stand next (section 2.2.2).

        Of a subscription identifier, which may come several times, the last is returned; user properties (pairs of texts) are passed over.
        """
        found: dict[Property, int | str | bytes] = {}
        length = self.variable()
        if length > self.left:
            raise Malformed("properties end after their packet")
        inner = Reader(self.take(length))
        while inner.left:
            number = inner.variable()
            try:
                name = Property(number)
            except ValueError:
                raise Malformed(f"a property 0x{number:02X} does not exist") from None
            if name in found and name not in _REPEATED:
                raise Malformed(f"the property {name.name} comes twice", PROTOCOL_ERROR)
            if name is Property.USER_PROPERTY:
                inner.text(), inner.text()
                continue
            found[name] = inner.property(name)
        return found

    def property(self, name: Property) -> int | str | bytes:
        """Return the value of a property."""
        if name is Property.SUBSCRIPTION_IDENTIFIER:
            return self.variable()
        if name in _BINARY:
            return self.binary()
        width = _WIDTHS.get(name)
        if width is None:
            return self.text()
        value = self.number(width)
        if (name in _FLAGS and value > 1) or (name in _NEVER_ZERO and not value):
            raise Malformed(f"the property {name.name} cannot be {value}", PROTOCOL_ERROR)
        return value
