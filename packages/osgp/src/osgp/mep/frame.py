"""Bytes of a MEP frame: its length, the services inside, the alerts between.

A frame is a two-byte length, most significant byte first, and so many bytes (MEP guide v1.1
p. 10): the service, in a request the sequence number, and the digest. A length of zero is
an *alert*: the meter has news (p. 17).

Services look like C12.18 but are not (p. 12, tables 2.6 and 2.7): a full read carries a length too,
table data carry no checksum. Numbers of the service are most significant byte first, table data
are the other way round and pass through here untouched.

Decoding is strict. A digest does not see zero bytes added at the end (:mod:`osgp.mep.digest`), so every count is
checked against the bytes that are there and, in :func:`decode_response`, against what was asked.

This module does not know about keys, time, or what to do about a frame.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from osgp.errors import CorruptFrame
from osgp.mep.digest import DIGEST_SIZE
from osgp.mep.timing import MAX_FRAME
from osgp.psem import PartialRead, PartialWrite, Read, Request, Response, ResponseCode, Write

__all__ = [
    "LENGTH_SIZE",
    "MOST_ITEMS",
    "SEQUENCE_SIZE",
    "SHORTEST_REQUEST",
    "SHORTEST_RESPONSE",
    "Alert",
    "Frame",
    "FrameReader",
    "Garbage",
    "Item",
    "decode_request",
    "decode_response",
    "encode_frame",
    "encode_request",
    "encode_response",
]

LENGTH_SIZE = 2
SEQUENCE_SIZE = 4
_OFFSET_SIZE = 3

FULL_READ_LENGTH = 0x0200
"""Length field of a full read. The guide does not say what it should be; the meter sends the whole
table in any case. Clients in the field send 512, so this value is known to work."""

SHORTEST_REQUEST = 1 + 2 + SEQUENCE_SIZE + DIGEST_SIZE
"""A full read without the length, which the guide prints (p. 12) and two clients in the field leave out: meters answer."""

SHORTEST_RESPONSE = 1
"""A response code alone. All should carry a digest too (p. 10). It is not documented what a meter appends to 0x0B when it
could not verify the request's digest: it may append nothing."""

_BARE = Struct(">BH")
_FULL = Struct(">BHH")
_PARTIAL = Struct(">BH3sH")
_COUNT = Struct(">H")

_READ, _PARTIAL_READ, _WRITE, _PARTIAL_WRITE = 0x30, 0x3F, 0x40, 0x4F
"""Request codes (p. 12, table 2.6)."""

MOST_ITEMS = 64
"""Frames and alerts taken from one chunk. A meter sends one frame at a time and an alert a second, so more of them are noise
or a flood; without a bound a network bridge could keep this program busy for seconds with one chunk."""

_READ_HEAD = 1 + 2
_SEQUENCE_REPLY = 1 + SEQUENCE_SIZE


def encode_request(request: Request) -> bytes:
    """Return the body of a request: code, table, offset, count, data."""
    match request:
        case PartialRead(table, offset, count):
            return _PARTIAL.pack(_PARTIAL_READ, table, offset.to_bytes(_OFFSET_SIZE, "big"), count)
        case Read(table):
            return _FULL.pack(_READ, table, FULL_READ_LENGTH)
        case Write(table, data):
            return _FULL.pack(_WRITE, table, len(data)) + data
        case PartialWrite(table, offset, data):
            return _PARTIAL.pack(_PARTIAL_WRITE, table, offset.to_bytes(_OFFSET_SIZE, "big"), len(data)) + data


def _decode_read(body: bytes) -> Request:
    if len(body) not in (_BARE.size, _FULL.size):
        raise CorruptFrame("a full read has five bytes, or three without its length")
    return Read(_BARE.unpack_from(body)[1])


def _decode_partial_read(body: bytes) -> Request:
    if len(body) != _PARTIAL.size:
        raise CorruptFrame("a partial read has eight bytes")
    _, table, offset, count = _PARTIAL.unpack(body)
    return PartialRead(table, int.from_bytes(offset, "big"), count)


def _decode_write(body: bytes) -> Request:
    if len(body) < _FULL.size:
        raise CorruptFrame("a full write has a table and a count")
    _, table, count = _FULL.unpack_from(body)
    if len(body) != _FULL.size + count:
        raise CorruptFrame("the count of a full write is not its data's")
    return Write(table, body[_FULL.size :])


def _decode_partial_write(body: bytes) -> Request:
    if len(body) < _PARTIAL.size:
        raise CorruptFrame("a partial write has a table, an offset and a count")
    _, table, offset, count = _PARTIAL.unpack_from(body)
    if len(body) != _PARTIAL.size + count:
        raise CorruptFrame("the count of a partial write is not its data's")
    return PartialWrite(table, int.from_bytes(offset, "big"), body[_PARTIAL.size :])


_DECODERS: dict[int, Callable[[bytes], Request]] = {
    _READ: _decode_read,
    _PARTIAL_READ: _decode_partial_read,
    _WRITE: _decode_write,
    _PARTIAL_WRITE: _decode_partial_write,
}


def decode_request(body: bytes) -> Request:
    """Return the request that a body carries.

    Raises:
        CorruptFrame: the code is none of table 2.6, or the body is shorter or longer than it says.
    """
    decoder = _DECODERS.get(body[0]) if body else None
    if decoder is None:
        raise CorruptFrame("this is no request code")
    return decoder(body)


def encode_response(request: Request | None, response: Response) -> bytes:
    """Return the body of a response.

    Args:
        request: what is answered; None where it could not be understood.
        response: for 0x0C the data are the sequence number.
    """
    if response.ok and isinstance(request, Read | PartialRead):
        return b"\0" + _COUNT.pack(len(response.data)) + response.data
    return bytes((response.code,)) + response.data


def decode_response(body: bytes, request: Request) -> Response:
    """Return the response that the body of a verified frame carries.

    Raises:
        CorruptFrame: the body does not answer this request: a read without data, a count that is not the data's or
            not the one asked for, bytes after the end.
    """
    code = body[0] if body else -1
    if code != ResponseCode.OK:
        size = _SEQUENCE_REPLY if code == ResponseCode.BAD_SEQUENCE_NUMBER else 1
        if len(body) != size:
            raise CorruptFrame("an error code stands alone, a sequence number has four bytes")
        return Response(code, body[1:])
    if isinstance(request, Read | PartialRead):
        return Response(code, _read_data(body, request))
    if len(body) != 1:
        raise CorruptFrame("a write is answered by one byte")
    return Response(code)


def _read_data(body: bytes, request: Read | PartialRead) -> bytes:
    if len(body) < _READ_HEAD:
        raise CorruptFrame("a read is answered by a count")
    count = _COUNT.unpack_from(body, 1)[0]
    if count != len(body) - _READ_HEAD:
        raise CorruptFrame("the count is not that of the data")
    # Anybody can make a reply of zero bytes: it carries the digest of its request. Such a reply has count 0.
    if count == 0:
        raise CorruptFrame("no data although the read succeeded")
    if isinstance(request, PartialRead) and count != request.count:
        raise CorruptFrame("the count is not the one asked for")
    return body[_READ_HEAD:]


def encode_frame(*parts: bytes) -> bytes:
    """Return the parts with their length before them."""
    return _COUNT.pack(sum(map(len, parts))) + b"".join(parts)


@dataclass(frozen=True, slots=True)
class Frame:
    """A complete frame without its length."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Alert:
    """Two zero bytes where a length should be."""


@dataclass(frozen=True, slots=True)
class Garbage:
    """What came cannot begin a frame. Everything is dropped until :meth:`FrameReader.reset`."""


Item = Frame | Alert | Garbage


class FrameReader:
    """Cuts a stream of bytes, in chunks of any size, into frames and alerts.

    There is no mark at which a frame begins, so after an impossible length, or more at once than a meter can say
    (:data:`MOST_ITEMS`), nothing that follows means anything.
    The reader then drops everything (:attr:`lost`) until the line has been silent and its user calls :meth:`reset`.

    Args:
        shortest: smallest possible length, above zero; which one depends on the side.
    """

    __slots__ = ("_buffer", "_shortest", "lost")

    def __init__(self, shortest: int) -> None:
        self._buffer = bytearray()
        self._shortest = shortest
        self.lost = False

    @property
    def pending(self) -> bool:
        """Tell whether a frame has begun and not ended, or everything is being dropped."""
        return self.lost or bool(self._buffer)

    @property
    def begun(self) -> bool:
        """Tell whether the length of a frame is there and its end is not."""
        return len(self._buffer) >= LENGTH_SIZE

    def lose(self) -> None:
        """Drop everything from here on: a frame turned out to be none, so its end was none."""
        self._buffer.clear()
        self.lost = True

    def reset(self) -> None:
        """Forget what came: the next byte begins a frame."""
        self._buffer.clear()
        self.lost = False

    def feed(self, data: bytes) -> list[Item]:
        """Return what ``data`` completed, in order."""
        if self.lost:
            return []
        buffer = self._buffer
        buffer += data
        items: list[Item] = []
        while len(buffer) >= LENGTH_SIZE:
            if len(items) == MOST_ITEMS:
                self.lose()
                items.append(Garbage())
                break
            size = _COUNT.unpack_from(buffer)[0]
            if size == 0:
                del buffer[:LENGTH_SIZE]
                items.append(Alert())
                continue
            if not self._shortest <= size <= MAX_FRAME:
                self.lose()
                items.append(Garbage())
                break
            end = LENGTH_SIZE + size
            if len(buffer) < end:
                break
            items.append(Frame(bytes(buffer[LENGTH_SIZE:end])))
            del buffer[:end]
        return items
