"""Packets of C12.18, and how to find them among other bytes.

::

    EE | identity | ctrl | seq | length (2) | data | CRC (2)

The length is most significant byte first, the CRC the other way round; it covers everything before it. In
``ctrl``, bit 7 says that the packet is part of a message of several, bit 6 that it is the first of those, bit 5 is the
*toggle*, which changes with each new packet of one direction. ``seq`` counts down to zero. Each packet is answered by
one bare byte, ACK or NAK.

On meters where both ports share one UART, MEP frames and alerts come out of the optical port too (MEP guide
v1.1 p. 20), and they may contain EE. So :class:`PacketReader` believes an EE only when the header behind it is possible
and the CRC fits; otherwise it looks for the next EE *inside* what it had taken for a packet.

The CRC is that of X.25 and HDLC: reflected polynomial 8408, all ones before and after. The standard library has the
same polynomial unreflected (:func:`binascii.crc_hqx`), so bytes and result are mirrored, which is far
faster than any loop over bytes.

This module does not know what data mean, nor what time it is.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from struct import Struct

from osgp.errors import CorruptFrame, MisuseError
from osgp.optical.timing import DEFAULT_LIMITS, LARGEST_PACKET, OVERHEAD

__all__ = [
    "ACK",
    "NAK",
    "START",
    "Item",
    "Noise",
    "Packet",
    "PacketReader",
    "Signal",
    "Spoiled",
    "crc",
    "split_message",
]

START = 0xEE
ACK = 0x06
NAK = 0x15

_MULTI, _FIRST, _TOGGLE = 0x80, 0x40, 0x20
_FORMAT = 0x1F
"""Reserved bits and the data format, which is 0 for C12.18."""

_HEADER = Struct(">BBBBH")
_CRC_SIZE = 2
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_MOST_TO_COME = 255


def crc(data: bytes) -> bytes:
    """Return the CRC-16/X-25 of ``data`` as sent: two bytes, the low one first."""
    mirrored = binascii.crc_hqx(data.translate(_MIRROR), 0xFFFF) ^ 0xFFFF
    return mirrored.to_bytes(_CRC_SIZE, "big").translate(_MIRROR)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet.

    Args:
        data: what it carries, at least one byte.
        toggle: bit 5 of ``ctrl``.
        multi: part of a message of several packets.
        first: the first of those.
        to_come: how many of those follow (``seq``).
        identity: 0 in C12.18-1996, an address in later editions; accepted as it is.
    """

    data: bytes
    toggle: bool = False
    multi: bool = False
    first: bool = False
    to_come: int = 0
    identity: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.data) <= LARGEST_PACKET - OVERHEAD or not 0 <= self.to_come <= _MOST_TO_COME:
            msg = f"a packet carries 1 to {LARGEST_PACKET - OVERHEAD} bytes and at most {_MOST_TO_COME} follow it"
            raise MisuseError(msg)
        if not self.multi and (self.first or self.to_come):
            msg = "only a packet of several is the first or has others to come"
            raise MisuseError(msg)

    def encode(self) -> bytes:
        """Return its bytes on the line."""
        control = _MULTI * self.multi | _FIRST * self.first | _TOGGLE * self.toggle
        head = _HEADER.pack(START, self.identity, control, self.to_come, len(self.data))
        body = head + self.data
        return body + crc(body)

    @staticmethod
    def decode(raw: bytes) -> Packet:
        """Return the packet whose bytes, no more and no less, are ``raw``.

        Raises:
            CorruptFrame: they are none.
        """
        size = _packet_size(raw, LARGEST_PACKET) if len(raw) > OVERHEAD else 0
        if not size or size != len(raw) or crc(raw[:-_CRC_SIZE]) != raw[-_CRC_SIZE:]:
            raise CorruptFrame("these bytes are no C12.18 packet")
        return _parse(raw)


def _parse(raw: bytes) -> Packet:
    """Return the packet that these checked bytes are."""
    _, identity, control, to_come, _ = _HEADER.unpack_from(raw)
    return Packet(
        raw[_HEADER.size : -_CRC_SIZE],
        bool(control & _TOGGLE),
        bool(control & _MULTI),
        bool(control & _FIRST),
        to_come,
        identity,
    )


def split_message(message: bytes, payload: int, *, toggle: bool) -> list[Packet]:
    """Cut a message into packets of at most ``payload`` data bytes, the first with this toggle."""
    pieces = [message[start : start + payload] for start in range(0, len(message), payload)]
    if len(pieces) == 1:
        return [Packet(message, toggle)]
    return [
        Packet(piece, toggle ^ bool(number % 2), multi=True, first=number == 0, to_come=len(pieces) - 1 - number)
        for number, piece in enumerate(pieces)
    ]


def _packet_size(head: bytes | bytearray, largest: int) -> int:
    """Return how long the packet is that begins so, OVERHEAD and above; 0 when no packet begins so."""
    _, _, control, to_come, length = _HEADER.unpack_from(head)
    if head[0] != START or control & _FORMAT or not 0 < length <= largest - OVERHEAD:
        return 0
    if not control & _MULTI and (control & _FIRST or to_come):
        return 0
    return int(length) + OVERHEAD


@dataclass(frozen=True, slots=True)
class Signal:
    """A bare ACK or NAK."""

    positive: bool


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes that belong to nothing."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What looked like a packet is none: its CRC is wrong or its end did not come."""


Item = Packet | Signal | Noise | Spoiled

_SIGNALS = {ACK: Signal(positive=True), NAK: Signal(positive=False)}


class PacketReader:
    """Cuts a stream of bytes, in chunks of any size, into packets, signals and the rest.

    Never holds more than one packet of the largest size.

    Args:
        largest: a longer packet is none; it grows with what was negotiated.
    """

    __slots__ = ("_buffer", "_inside", "_wanted", "largest")

    def __init__(self, largest: int = DEFAULT_LIMITS.size) -> None:
        self._buffer = bytearray()
        self._inside = 0  # leading bytes of the buffer that are the inside of a spoiled packet
        self._wanted = 0
        self.largest = largest

    @property
    def pending(self) -> bool:
        """Tell whether a packet has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Item]:
        """Return what ``data`` completed, in order."""
        if not self._buffer and len(data) == 1 and data[0] in _SIGNALS:
            return [_SIGNALS[data[0]]]
        self._buffer += data
        if len(self._buffer) < self._wanted:
            return []
        return self._scan()

    def give_up(self) -> list[Item]:
        """The rest of a packet did not come: return :class:`Spoiled` and whatever else its bytes may have been."""
        items: list[Item] = []
        while self._buffer:
            items.append(Spoiled())
            self._inside = len(self._buffer)
            items += self._scan(skip=1)
        return items

    def reset(self) -> None:
        """Forget what has come."""
        self._buffer.clear()
        self._inside = self._wanted = 0

    def _scan(self, skip: int = 0) -> list[Item]:
        """Take from the buffer all that is complete; its first ``skip`` bytes are known to begin nothing."""
        buffer, at, inside = bytes(self._buffer), skip, self._inside
        items: list[Item] = []
        self._wanted = 0
        while at < len(buffer):
            start = buffer.find(START, at)
            end = len(buffer) if start < 0 else start
            _sort_between(buffer[at:end], max(0, inside - at), items)
            at = end
            if start < 0:
                break
            if len(buffer) - at < _HEADER.size:
                self._wanted = _HEADER.size
                break
            size = _packet_size(buffer[at : at + _HEADER.size], self.largest)
            if len(buffer) - at < size:
                self._wanted = size
                break
            raw = buffer[at : at + size]
            if size and crc(raw[:-_CRC_SIZE]) == raw[-_CRC_SIZE:]:
                items.append(_parse(raw))
                at += size
                continue
            if size:
                items.append(Spoiled())
                inside = max(inside, at + size)
            else:
                items.append(Noise(buffer[at : at + 1]))
            at += 1
        self._buffer[:] = buffer[at:]
        self._inside = max(0, inside - at)
        return items


def _sort_between(data: bytes, inside: int, items: list[Item]) -> None:
    """Sort bytes outside of packets; the first ``inside`` of them are the inside of a spoiled one, so no signals."""
    begin = 0
    for place in range(inside, len(data)):
        if data[place] in _SIGNALS:
            if begin < place:
                items.append(Noise(data[begin:place]))
            items.append(_SIGNALS[data[place]])
            begin = place + 1
    if begin < len(data):
        items.append(Noise(data[begin:]))
