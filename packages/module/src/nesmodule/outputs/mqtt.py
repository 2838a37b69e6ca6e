"""MQTT 3.1.1, as much as it takes to publish: connect with a will, QoS 0 and 1, ping. One message is on its way at a time.

A payload is sent in pieces, which are made twice: once to count them, once to send them.

This module does not know topics.
"""

from __future__ import annotations

import asyncio
import struct
from typing import Any

from nesmodule.board.clock import closed, wait_for_ms
from nesmodule.outputs.pieces import Pieces, send, size_of

__all__ = ["Broker", "BrokerGone"]

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _PINGREQ = 0x10, 0x20, 0x30, 0x40, b"\xc0\0"
_PATIENCE = 10_000
"""Milliseconds until an answer must be there."""
_BROKE = "the connection to the broker broke"
_REFUSALS = (
    "", "its version of MQTT", "our client id", "service for now", "user name or password", "this client; give it the right to publish",
)  # fmt: skip


class BrokerGone(Exception):
    """The broker cannot be reached, refused, or is silent."""


class Broker:
    """One connection to a broker.

    Args:
        client_id: what the broker knows us by.
        keepalive: seconds after which the broker takes us for gone.
    """

    def __init__(self, client_id: str, keepalive: int = 60) -> None:
        self._id = client_id
        self._keepalive = keepalive
        self._reader: Any = None
        self._writer: Any = None
        self._number = 0

    async def connect(self, host: str, port: int, will: str, user: str = "", password: str = "") -> None:
        """Connect; should we vanish, the broker publishes ``offline`` on ``will``, retained.

        Raises:
            BrokerGone: with what to do about it.
        """
        try:
            self._reader, self._writer = await wait_for_ms(asyncio.open_connection(host, port), _PATIENCE)
        except (OSError, asyncio.TimeoutError):
            raise BrokerGone("no broker answers at %s, port %d. Check address and network" % (host, port)) from None
        flags = 0x26  # clean session, will retained with QoS 0
        body = _text(self._id) + _text(will) + _text("offline")
        if user:
            flags |= 0xC0
            body += _text(user) + _text(password)
        body = _text("MQTT") + bytes((4, flags)) + struct.pack(">H", self._keepalive) + body
        await self._send(bytes((_CONNECT,)) + _length(len(body)) + body)
        kind, answer = await self._receive()
        if kind != _CONNACK or len(answer) != 2 or answer[1]:
            code = answer[1] if len(answer) == 2 else 0
            what = _REFUSALS[code] if code < len(_REFUSALS) else ""
            raise BrokerGone("the broker refuses %s" % (what or "to talk to us"))

    async def publish(self, topic: str, pieces: Pieces, *, retain: bool = False, qos: int = 0) -> None:
        """Publish a payload; with QoS 1 it is there when this returns. Raises BrokerGone."""
        head = _text(topic)
        if qos:
            self._number = self._number % 0xFFFF + 1
            head += struct.pack(">H", self._number)
        size = len(head) + size_of(pieces)
        self._writer.write(bytes((_PUBLISH | qos << 1 | retain,)) + _length(size) + head)
        try:
            await send(self._writer, pieces, _PATIENCE)
        except (OSError, asyncio.TimeoutError):
            raise BrokerGone(_BROKE) from None
        while qos:
            kind, answer = await self._receive()
            if kind == _PUBACK and answer == struct.pack(">H", self._number):
                return

    async def ping(self) -> None:
        """Tell the broker that we are there, and see whether it is. Raises BrokerGone."""
        await self._send(_PINGREQ)
        await self._receive()

    async def close(self) -> None:
        """Drop the connection."""
        if self._writer is not None:
            await closed(self._writer)
        self._reader = self._writer = None

    async def _send(self, data: bytes) -> None:
        try:
            self._writer.write(data)
            await wait_for_ms(self._writer.drain(), _PATIENCE)
        except (OSError, asyncio.TimeoutError):
            raise BrokerGone(_BROKE) from None

    async def _receive(self) -> tuple[int, bytes]:
        """Return kind and content of the next packet."""
        try:
            head = await wait_for_ms(self._reader.readexactly(2), _PATIENCE)
            if head[1] > 127:
                raise BrokerGone("the broker sent a packet that nobody asked for")
            content = await wait_for_ms(self._reader.readexactly(head[1]), _PATIENCE) if head[1] else b""
        except (OSError, EOFError, asyncio.TimeoutError):
            raise BrokerGone("the broker does not answer any more") from None
        return head[0] & 0xF0, content


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">H", len(data)) + data


def _length(size: int) -> bytes:
    """Return a length in seven bits a byte."""
    out = bytearray()
    while True:
        size, low = size >> 7, size & 0x7F
        out.append(low | 0x80 if size else low)
        if not size:
            return bytes(out)
