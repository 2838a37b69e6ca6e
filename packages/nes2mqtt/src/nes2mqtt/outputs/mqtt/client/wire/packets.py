"""Packets of MQTT 3.1.1 and 5: those a client sends, as bytes, and those it gets, from bytes.

Each function names its section; the numbers are the same in both versions. Where the two differ, ``version`` is 4 for 3.1.1 and 5
for 5 (section 3.1.2.2).

This module does not know what may come when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeVar

from nes2mqtt.outputs.mqtt.client.wire.fields import (
    PROTOCOL_ERROR,
    Malformed,
    Property,
    Reader,
    properties,
    text,
    variable,
)

__all__ = [
    "LAST",
    "PING",
    "Arrived",
    "Confirmed",
    "Ended",
    "Greeted",
    "Hello",
    "Kind",
    "Subscribed",
    "confirm",
    "connack",
    "connect",
    "disconnect",
    "disconnected",
    "publish",
    "published",
    "suback",
    "subscribe",
    "unsubscribe",
]

V311 = 4
V5 = 5


class Kind(IntEnum):
    """Packet types (section 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


PING = b"\xc0\x00"
"""PINGREQ (section 3.12)."""

LAST = b"\xe0\x00"
"""DISCONNECT with reason 0, normal, in both versions (section 3.14.2.1: the reason may be left out)."""

_UNSPECIFIED = 0x80
_OLD_REFUSALS = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
"""Return codes of a CONNACK of MQTT 3.1.1 (its section 3.2.2.3) as reason codes of MQTT 5."""

_TOPIC_ALIAS_INVALID = 0x94
_QOS_NOT_SUPPORTED = 0x9B

# Flags of a CONNECT (section 3.1.2.3).
_CLEAN, _WILL, _WILL_RETAIN, _PASSWORD, _USER = 0x02, 0x04, 0x20, 0x40, 0x80


# What a client sends.


@dataclass(frozen=True, slots=True)
class Hello:
    """What a client says of itself.

    The session ends with the connection: clean start, and no session expiry interval (section 3.1.2.11.2). No topic
    alias is taken, which is so when none is named (section 3.1.2.11.5).
    """

    client_id: str
    keep_alive: int
    """Seconds; 0: none."""
    will: tuple[str, bytes, int, bool] | None = field(default=None, repr=False)
    """Topic, payload, QoS and whether it is retained."""
    user: str | None = None
    password: bytes | None = field(default=None, repr=False)
    packet: int = 1 << 18
    """Bytes of the largest packet we take (section 3.1.2.11.4). MQTT 3.1.1 cannot say it; a longer one ends the connection all the
    same."""


def connect(hello: Hello, version: int) -> bytes:
    """Return a CONNECT (section 3.1).

    Raises:
        ValueError: a text is too long.
    """
    flags, payload = _CLEAN, text(hello.client_id)
    if hello.will is not None:
        topic, message, qos, retain = hello.will
        flags |= _WILL | qos << 3 | (_WILL_RETAIN if retain else 0)
        payload += (b"\0" if version == V5 else b"") + text(topic) + text(message)
    if hello.user is not None:
        flags |= _USER
        payload += text(hello.user)
    # MQTT 3.1.1, section 3.1.2.9: no password without a user name.
    if hello.password is not None and (hello.user is not None or version == V5):
        flags |= _PASSWORD
        payload += text(hello.password)
    said = properties({Property.MAXIMUM_PACKET_SIZE: hello.packet}) if version == V5 else b""
    return _packet(Kind.CONNECT, text("MQTT") + bytes((version, flags)) + hello.keep_alive.to_bytes(2) + said + payload)


def publish(topic: str, payload: bytes, number: int, version: int, *, retain: bool) -> bytes:
    """Return a PUBLISH (section 3.3): of QoS 1 with its number, of QoS 0 with number 0.

    Raises:
        ValueError: it is longer than MQTT allows.
    """
    name = topic.encode()
    head = len(name).to_bytes(2) + name
    if number:
        head += number.to_bytes(2) + b"\0" if version == V5 else number.to_bytes(2)
    elif version == V5:
        head += b"\0"
    first = 0x30 | (2 if number else 0) | (1 if retain else 0)
    return bytes((first,)) + variable(len(head) + len(payload)) + head + payload


def confirm(number: int) -> bytes:
    """Return a PUBACK with reason 0, success, which may be left out (section 3.4.2.1)."""
    return b"\x40\x02" + number.to_bytes(2)


def subscribe(number: int, topics: Sequence[str], version: int) -> bytes:
    """Return a SUBSCRIBE for QoS 1 (section 3.8)."""
    body = number.to_bytes(2) + (b"\0" if version == V5 else b"")
    return _packet(Kind.SUBSCRIBE, body + b"".join(text(topic) + b"\1" for topic in topics), 2)


def unsubscribe(number: int, topics: Sequence[str], version: int) -> bytes:
    """Return an UNSUBSCRIBE (section 3.10)."""
    body = number.to_bytes(2) + (b"\0" if version == V5 else b"")
    return _packet(Kind.UNSUBSCRIBE, body + b"".join(text(topic) for topic in topics), 2)


def disconnect(code: int, version: int) -> bytes:
    """Return a DISCONNECT with its reason (section 3.14); MQTT 3.1.1 has none."""
    return _packet(Kind.DISCONNECT, bytes((code,))) if code and version == V5 else LAST


def _packet(kind: Kind, body: bytes, flags: int = 0) -> bytes:
    return bytes((kind << 4 | flags,)) + variable(len(body)) + body


# What a client gets.


@dataclass(frozen=True, slots=True)
class Greeted:
    """A CONNACK. Refusals of MQTT 3.1.1 have the numbers of MQTT 5."""

    code: int = 0
    words: str = ""
    session: bool = False
    """The broker has kept a session of ours."""
    packet: int | None = None
    """Bytes of the largest packet it takes; None: no limit is named."""
    qos: int = 2
    retain: bool = True
    receive: int = 65_535
    """Messages of QoS 1 that may be unconfirmed at once (section 3.2.2.3.3)."""
    keep_alive: int | None = None
    """Seconds that count in place of ours."""
    client_id: str = ""
    """A name that it gave us."""
    session_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A PUBACK."""

    number: int
    code: int = 0
    words: str = ""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A SUBACK or an UNSUBACK, with a code for each topic; an UNSUBACK of MQTT 3.1.1 has none."""

    number: int
    codes: bytes
    words: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A PUBLISH."""

    topic: str
    payload: bytes
    retain: bool
    number: int
    """To confirm it; 0 with QoS 0."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A DISCONNECT of the broker; MQTT 5 only."""

    code: int = 0
    words: str = ""


def connack(body: bytes, version: int) -> Greeted:
    """Read a CONNACK (section 3.2).

    Raises:
        Malformed: it is none.
    """
    read = Reader(body)
    flags, code = read.number(1), read.number(1)
    if flags > 1:
        raise Malformed("a CONNACK has flags that are reserved")
    if version != V5:
        if read.left:
            raise Malformed("a CONNACK is too long")
        return Greeted(code and _OLD_REFUSALS.get(code, _UNSPECIFIED), session=bool(flags))
    # A broker that does not speak MQTT 5 may refuse it in the form of 3.1.1, without properties.
    if not read.left:
        if not code:
            raise Malformed("a CONNACK that takes us has no properties: it is none of MQTT 5")
        return Greeted(_OLD_REFUSALS.get(code, code) if code < _UNSPECIFIED else code, session=bool(flags))
    said = read.properties()
    _nothing_left(read)
    return Greeted(
        code,
        _words(said),
        bool(flags),
        packet=_number(said, Property.MAXIMUM_PACKET_SIZE, None),
        qos=_number(said, Property.MAXIMUM_QOS, 2),
        retain=bool(said.get(Property.RETAIN_AVAILABLE, 1)),
        receive=_number(said, Property.RECEIVE_MAXIMUM, 65_535),
        keep_alive=_number(said, Property.SERVER_KEEP_ALIVE, None),
        client_id=str(said.get(Property.ASSIGNED_CLIENT_ID, "")),
        session_expiry=_number(said, Property.SESSION_EXPIRY, None),
    )


_Default = TypeVar("_Default", int, None)


def _number(said: Mapping[Property, int | str | bytes], name: Property, default: _Default) -> int | _Default:
    value = said.get(name)
    return value if isinstance(value, int) else default


def puback(body: bytes, version: int) -> Confirmed:
    """Read a PUBACK (section 3.4).

    Raises:
        Malformed: it is none.
    """
    read = Reader(body)
    number = read.identifier()
    if not read.left:
        return Confirmed(number)
    if version != V5:
        raise Malformed("a PUBACK is too long")
    code, words = _reason(read)
    return Confirmed(number, code, words)


def suback(body: bytes, version: int) -> Subscribed:
    """Read a SUBACK (section 3.9) or an UNSUBACK (section 3.11).

    Raises:
        Malformed: it is none.
    """
    read = Reader(body)
    number = read.identifier()
    words = _words(read.properties()) if version == V5 else ""
    return Subscribed(number, read.rest(), words)


def published(flags: int, body: bytes, version: int) -> Arrived:
    """Read a PUBLISH (section 3.3). QoS 2 cannot come, as nothing is subscribed to with it (section 3.8.4).

    Args:
        flags: the lower four bits of the first byte.
        body: what follows the length.
        version: 4 or 5.

    Raises:
        Malformed: it is none.
    """
    read = Reader(body)
    qos = flags >> 1 & 3
    if qos > 1:
        raise Malformed("a message has a QoS that was not asked for", PROTOCOL_ERROR if qos == 2 else 0x81)  # noqa: PLR2004
    topic = read.text()
    number = read.identifier() if qos else 0
    if version == V5 and Property.TOPIC_ALIAS in read.properties():
        raise Malformed("a message has an alias for its topic, which was not allowed", _TOPIC_ALIAS_INVALID)
    if not topic or "+" in topic or "#" in topic:
        raise Malformed("a message has no topic, or one with a wildcard", PROTOCOL_ERROR)
    return Arrived(topic, read.rest(), bool(flags & 1), number)


def disconnected(body: bytes) -> Ended:
    """Read a DISCONNECT of MQTT 5 (section 3.14).

    Raises:
        Malformed: it is none.
    """
    return Ended(*_reason(Reader(body))) if body else Ended()


def _reason(read: Reader) -> tuple[int, str]:
    """Read a reason code, and properties that may be left out (sections 3.4.2.1 and 3.14.2.1)."""
    code = read.number(1)
    said = read.properties() if read.left else {}
    _nothing_left(read)
    return code, _words(said)


def _words(said: Mapping[Property, int | str | bytes]) -> str:
    """Return what a broker says in its own words, or where it sends us (sections 3.2.2.3.9 and 3.2.2.3.16)."""
    words = said.get(Property.REASON_STRING) or said.get(Property.SERVER_REFERENCE) or ""
    return words if isinstance(words, str) else ""


def _nothing_left(read: Reader) -> None:
    if read.left:
        raise Malformed("a packet is longer than what is in it")
