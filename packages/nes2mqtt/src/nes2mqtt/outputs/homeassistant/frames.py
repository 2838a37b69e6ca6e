"""The client's side of a WebSocket, in bytes (RFC 6455): the handshake, and text messages in frames.

Limits keep a peer that is no Home Assistant from filling the memory. Extensions and subprotocols are never asked for.

This module does not know sockets, nor what the messages say.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from enum import IntEnum

__all__ = ["MOST_BYTES", "Decoder", "Opcode", "WebSocketError", "accept_of", "encode", "is_accepted", "upgrade"]

MOST_BYTES = 64 << 20
"""Bytes of a message; the registry of a house with ten thousand entities has a tenth of this."""
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SHORT, _MEDIUM = 126, 127
"""Lengths that say that the length follows in 2, or in 8 bytes (section 5.2)."""


class WebSocketError(Exception):
    """What came is no WebSocket of a server."""


class Opcode(IntEnum):
    """Kinds of frames (section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


def accept_of(key: str) -> str:
    """Return what a server answers to a key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(f"{key}{_GUID}".encode()).digest()).decode()  # noqa: S324 - the RFC's choice


def upgrade(host: str, path: str, key: str) -> bytes:
    """Return the request that opens a WebSocket (section 4.1)."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


def is_accepted(head: bytes, key: str) -> bool:
    """Tell whether the head of an answer opens the WebSocket that was asked for."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(":", 1) for line in lines if ":" in line)
    status = first.split(" ")[1:2]
    # The key is compared as it was sent; only names of fields know no case.
    accepted = [line.split(":", 1)[1].strip() for line in lines if line.lower().startswith("sec-websocket-accept:")]
    return status == ["101"] and fields.get("upgrade", "").strip() == "websocket" and accepted == [accept_of(key)]


def encode(kind: Opcode, payload: bytes, mask: bytes) -> bytes:
    """Return a message in one frame, as a client sends it: masked with four random bytes (section 5.3)."""
    size = len(payload)
    if size < _SHORT:
        length = bytes((0x80 | size,))
    elif size < 1 << 16:
        length = bytes((0x80 | _SHORT,)) + size.to_bytes(2, "big")
    else:
        length = bytes((0x80 | _MEDIUM,)) + size.to_bytes(8, "big")
    repeated = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
    return bytes((0x80 | kind,)) + length + mask + masked


class Decoder:
    """Puts together what a server sends."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._message = bytearray()
        self._kind: Opcode | None = None

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Take bytes; yield the messages that are whole, and control frames as they come.

        Raises:
            WebSocketError: no server sends this.
        """
        self._data += data
        while (frame := self._frame()) is not None:
            last, kind, payload = frame
            if kind >= Opcode.CLOSE:
                if not last or len(payload) >= _SHORT:
                    raise WebSocketError("a control frame is longer than one may be")
                yield kind, payload
                continue
            if (kind is Opcode.CONTINUATION) != (self._kind is not None):
                raise WebSocketError("a message begins within another")
            self._kind = self._kind if self._kind is not None else kind
            self._message += payload
            if len(self._message) > MOST_BYTES:
                raise WebSocketError(f"a message has more than {MOST_BYTES} bytes")
            if last:
                whole, whose = bytes(self._message), self._kind
                self._message.clear()
                self._kind = None
                yield whose, whole

    def _frame(self) -> tuple[bool, Opcode, bytes] | None:
        """Take the next frame out of the bytes, None if it is not whole."""
        data = self._data
        if len(data) < 2:  # noqa: PLR2004 - the shortest head
            return None
        first, second = data[0], data[1]
        if first & 0x70 or second & 0x80:
            raise WebSocketError("a frame is masked, or uses an extension nobody asked for")
        try:
            kind = Opcode(first & 0x0F)
        except ValueError as error:
            raise WebSocketError(f"there is no kind of frame {first & 0x0F}") from error
        more = {_SHORT: 2, _MEDIUM: 8}.get(second, 0)
        if len(data) < 2 + more:
            return None
        size = int.from_bytes(data[2 : 2 + more], "big") if more else second
        if size > MOST_BYTES:
            raise WebSocketError(f"a message has more than {MOST_BYTES} bytes")
        begin = 2 + more
        if len(data) < begin + size:
            return None
        payload = bytes(data[begin : begin + size])
        del data[: begin + size]
        return bool(first & 0x80), kind, payload
