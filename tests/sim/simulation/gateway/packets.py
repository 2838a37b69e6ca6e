"""MQTT 3.1.1 and 5 as bytes, from the broker's side (OASIS MQTT 3.1.1 and 5.0, sections 2 and 3).

Only what a broker needs. This module does not know connections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Connect", "Kind", "Packet", "Publish", "Reader", "Subscribe", "packet", "properties"]


class Kind(IntEnum):
    """Packet types (section 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


_BYTE, _TWO, _FOUR, _VARIABLE, _TEXT, _PAIR = range(6)
_PROPERTY_TYPES = {
    **dict.fromkeys((0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A), _BYTE),
    **dict.fromkeys((0x13, 0x21, 0x22, 0x23), _TWO),
    **dict.fromkeys((0x02, 0x11, 0x18, 0x27), _FOUR),
    0x0B: _VARIABLE,
    **dict.fromkeys((0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F), _TEXT),
    0x26: _PAIR,
}
"""Section 2.2.2.2 of MQTT 5; binary data reads like text."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet, its parts not taken apart."""

    kind: int
    flags: int
    body: bytes
    size: int
    """Bytes of all of it."""


@dataclass(frozen=True, slots=True)
class Publish:
    """A message."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    number: int = 0
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Connect:
    """A greeting."""

    version: int
    client_id: str
    keepalive: int
    will: Publish | None
    username: str | None


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Wishes for topics, with the greatest quality of service for each."""

    number: int
    topics: tuple[tuple[str, int], ...]


class Reader:
    """Takes bytes apart."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("the packet ends too early")
        part = self.data[self.at : self.at + count]
        self.at += count
        return part

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def variable(self) -> int:
        value = shift = 0
        while True:
            byte = self.number(1)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def binary(self) -> bytes:
        return self.take(self.number(2))

    def text(self) -> str:
        return self.binary().decode()

    def properties(self) -> dict[int, object]:
        end = self.variable() + self.at
        found: dict[int, object] = {}
        while self.at < end:
            name = self.variable()
            kind = _PROPERTY_TYPES[name]
            if kind <= _FOUR:
                found[name] = self.number((1, 2, 4)[kind])
            elif kind == _VARIABLE:
                found[name] = self.variable()
            else:
                found[name] = (self.binary(), self.binary()) if kind == _PAIR else self.binary()
        return found

    def rest(self) -> bytes:
        return self.take(len(self.data) - self.at)

    @property
    def more(self) -> bool:
        return self.at < len(self.data)


def split(buffer: bytearray) -> Iterator[Packet]:
    """Take whole packets from the front of a buffer."""
    while len(buffer) > 1:
        length = shift = 0
        place = 1
        while place < len(buffer):
            length |= (buffer[place] & 0x7F) << shift
            shift += 7
            place += 1
            if buffer[place - 1] < 0x80:
                break
        else:
            return
        if len(buffer) < place + length:
            return
        found = Packet(buffer[0] >> 4, buffer[0] & 15, bytes(buffer[place : place + length]), place + length)
        del buffer[: place + length]
        yield found


def connect(found: Packet) -> Connect:
    read = Reader(found.body)
    read.text()
    version, flags, keepalive = read.number(1), read.number(1), read.number(2)
    if version == 5:
        read.properties()
    client_id = read.text()
    will = None
    if flags & 4:
        if version == 5:
            read.properties()
        will = Publish(read.text(), read.binary(), flags >> 3 & 3, bool(flags & 0x20))
    username = read.text() if flags & 0x80 else None
    return Connect(version, client_id, keepalive, will, username)


def publish(found: Packet, version: int) -> Publish:
    read = Reader(found.body)
    topic, qos = read.text(), found.flags >> 1 & 3
    number = read.number(2) if qos else 0
    if version == 5:
        read.properties()
    return Publish(topic, read.rest(), qos, bool(found.flags & 1), number, bool(found.flags & 8))


def subscribe(found: Packet, version: int) -> Subscribe:
    read = Reader(found.body)
    number = read.number(2)
    if version == 5:
        read.properties()
    topics = []
    while read.more:
        topics.append((read.text(), read.number(1) & 3 if found.kind == Kind.SUBSCRIBE else 0))
    return Subscribe(number, tuple(topics))


def packet(kind: int, body: bytes = b"", flags: int = 0) -> bytes:
    """Return a packet's bytes."""
    return bytes((kind << 4 | flags,)) + _variable(len(body)) + body


def text(of: str | bytes) -> bytes:
    data = of.encode() if isinstance(of, str) else of
    return len(data).to_bytes(2, "big") + data


def properties(found: Mapping[int, int | str]) -> bytes:
    """Return the bytes of properties, their length before them."""
    body = b""
    for name, value in found.items():
        kind = _PROPERTY_TYPES[name]
        if isinstance(value, str):
            body += bytes((name,)) + text(value)
        else:
            body += bytes((name,)) + value.to_bytes((1, 2, 4)[kind], "big")
    return _variable(len(body)) + body


def published(message: Publish, version: int) -> bytes:
    """Return the bytes of a message to a client."""
    body = text(message.topic) + (message.number.to_bytes(2, "big") if message.qos else b"")
    body += (b"\0" if version == 5 else b"") + message.payload
    return packet(Kind.PUBLISH, body, message.repeated << 3 | message.qos << 1 | message.retain)


def _variable(value: int) -> bytes:
    out = bytearray()
    while True:
        byte, value = value & 0x7F, value >> 7
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)
