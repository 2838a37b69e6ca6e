"""Services that announce themselves in the home network, as DNS messages: the question, and what is believed of the answers.

Multicast DNS (RFC 6762) and DNS-based service discovery (RFC 6763). One question is asked, whose answers come back to whoever
asked (RFC 6762, section 6.7); nothing is kept and nothing is announced. Anybody in the network can answer, so sizes and counts
are bounded, and of each answer only names and addresses of a home network are believed.

This module does not know how a message is sent.
"""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["Heard", "Service", "question"]

_POINTER, _ADDRESS, _SERVICE = 12, 1, 33
"""Types of records: PTR and A (RFC 1035, section 3.2.2), SRV (RFC 2782)."""
_INTERNET = 1
_CACHE_FLUSH = 0x8000
"""The highest bit of a record's class says something else (RFC 6762, section 10.2)."""
_IS_ANSWER = 0x8000
"""Of a header's flags (RFC 1035, section 4.1.1)."""
_FAULT = 0x000F
_SHORTENED = 0xC0
"""The highest two bits of a length: the rest of the name stands elsewhere (RFC 1035, section 4.1.4)."""
_LONGEST_LABEL = 0x3F
_LONGEST_NAME = 255
_MOST_LABELS = 127
_LONGEST_MESSAGE = 9000
"""Bytes (RFC 6762, section 17)."""
_MOST_RECORDS = 200
"""Of one message; a busy computer announces some dozens."""
_MOST_MESSAGES = 200
_MOST_SERVICES = 16
_HOST = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\.local")
"""Names that can be written into a configuration and asked for by any program."""


@dataclass(frozen=True, slots=True)
class Service:
    """One service of one computer."""

    kind: str
    """Such as ``_mqtt._tcp``."""
    host: str
    """The computer's name, such as ``raspberrypi.local``."""
    port: int
    addresses: tuple[str, ...] = ()
    """IPv4; empty when nobody said."""


def question(kinds: Sequence[str], number: int) -> bytes:
    """Return the message that asks who offers services of some kinds.

    Args:
        kinds: such as ``_mqtt._tcp``.
        number: repeated by those who answer, from 0 to 65535.
    """
    asked = b"".join(_encoded(f"{kind}.local") + struct.pack("!HH", _POINTER, _INTERNET) for kind in kinds)
    return struct.pack("!6H", number, 0, len(kinds), 0, 0, 0) + asked


def _encoded(name: str) -> bytes:
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


@dataclass
class Heard:
    """What was answered so far.

    Args:
        kinds: that were asked for.
        number: of the question.
    """

    kinds: Sequence[str]
    number: int
    _messages: int = 0
    _instances: dict[str, str] = field(default_factory=dict)
    _places: dict[str, tuple[str, int]] = field(default_factory=dict)
    _addresses: dict[str, list[str]] = field(default_factory=dict)

    def take(self, message: bytes) -> None:
        """Take one message; one that is malformed, too large or no answer to this question counts for nothing."""
        self._messages += 1
        if self._messages > _MOST_MESSAGES or len(message) > _LONGEST_MESSAGE:
            return
        try:
            records = list(_records(message, self.number))
        except (ValueError, IndexError, struct.error):
            return
        for name, kind, start, end in records:
            try:
                self._note(message, name, kind, start, end)
            except (ValueError, IndexError, struct.error):
                continue  # of one record only; the others are whole

    def _note(self, message: bytes, name: str, kind: int, start: int, end: int) -> None:
        if kind == _POINTER:
            service = next((each for each in self.kinds if name == f"{each}.local"), "")
            instance = _name(message, start)[0]
            if service and instance.endswith(f".{name}") and len(self._instances) < _MOST_SERVICES:
                self._instances.setdefault(instance, service)
        elif kind == _SERVICE:
            _, _, port = struct.unpack_from("!3H", message, start)
            host = _name(message, start + 6)[0]
            if port and _HOST.fullmatch(host) and len(self._places) < _MOST_RECORDS:
                self._places.setdefault(name, (host, port))
        elif kind == _ADDRESS and end - start == 4:  # noqa: PLR2004 - bytes of an IPv4 address
            address = ipaddress.IPv4Address(message[start:end])
            known = self._addresses.setdefault(name, []) if len(self._addresses) < _MOST_RECORDS else []
            if _is_near(address) and len(known) < _MOST_SERVICES and str(address) not in known:
                known.append(str(address))

    def services(self) -> list[Service]:
        """Return what can be used, each once, in the order of the kinds."""
        found: dict[Service, None] = {}
        for kind in self.kinds:
            for instance, its_kind in self._instances.items():
                place = self._places.get(instance)
                if its_kind == kind and place is not None:
                    host, port = place
                    found[Service(kind, host, port, tuple(self._addresses.get(host, ())))] = None
        return list(found)


def _is_near(address: ipaddress.IPv4Address) -> bool:
    """Tell whether an address may be one of another computer in a home network."""
    return address.is_private and not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _records(message: bytes, number: int) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, type, and where its content begins and ends, of each record of an answer.

    Raises:
        ValueError, IndexError, struct.error: it is none, or is malformed.
    """
    echoed, flags, questions, *counts = struct.unpack_from("!6H", message)
    if echoed != number or not flags & _IS_ANSWER or flags & _FAULT or questions + sum(counts) > _MOST_RECORDS:
        raise ValueError("no answer")
    at = 12
    for _ in range(questions):
        at = _name(message, at)[1] + 4
    for _ in range(sum(counts)):
        name, at = _name(message, at)
        kind, family, _, size = struct.unpack_from("!HHIH", message, at)
        start = at + 10
        at = start + size
        if at > len(message):
            raise ValueError("cut off")
        if family & ~_CACHE_FLUSH == _INTERNET:
            yield name, kind, start, at


def _name(message: bytes, at: int) -> tuple[str, int]:
    """Return a name in lower case, and where what follows begins.

    Raises:
        ValueError, IndexError: there is none.
    """
    labels: list[str] = []
    after, before = 0, at
    size = 0
    while length := message[at]:
        if length & _SHORTENED == _SHORTENED:
            after = after or at + 2
            at = (length & ~_SHORTENED) << 8 | message[at + 1]
            if at >= before:  # only to what stands before, so there is no circle
                raise ValueError("refers forward")
            before = at
            continue
        size += length + 1
        if length > _LONGEST_LABEL or size > _LONGEST_NAME or len(labels) >= _MOST_LABELS:
            raise ValueError("no name")
        label = message[at + 1 : at + 1 + length]
        if len(label) != length:
            raise ValueError("cut off")
        # Names of services are text in UTF-8 (RFC 6763, section 4.1.1) with dots and all; they are compared, never shown.
        labels.append(label.decode().replace(".", "\\.").lower())
        at += 1 + length
    return ".".join(labels), after or at + 1
