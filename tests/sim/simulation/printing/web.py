"""A small HTTP/1.1 server in memory: Business Central, CUPS and printers answer through it, or fail to, as their mood is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from simulation.loop import SimLoop

__all__ = ["Mood", "Reply", "Request", "Web"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request, whole."""

    method: str
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Mood:
    """What goes wrong on the way, by share of the requests."""

    before: float = 0.0
    """The connection breaks, and nothing is done."""
    after: float = 0.0
    """It is done, then the connection breaks before the answer."""
    torn: float = 0.0
    """It is done, and the connection breaks within the answer."""
    mute: float = 0.0
    """It is done, and no answer ever comes."""
    seconds: float = 0.0
    """So much later it is done."""
    refusal: Reply | None = None
    """The answer to everything; nothing is done."""


class Web:
    """A server.

    Args:
        loop: the loop.
        spawn: starts a task of the world.
        handle: does what is asked.
        cut_off: told of the part of a request whose connection broke.
    """

    def __init__(
        self,
        loop: SimLoop,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        handle: Callable[[Request], Awaitable[Reply]],
        cut_off: Callable[[bytes], None] | None = None,
    ) -> None:
        self.loop, self.spawn, self.handle, self.cut_off = loop, spawn, handle, cut_off
        self.mood = Mood()
        self.requests = 0
        self.up = 0
        """Counts the starts: what an earlier one was asked is not answered by a later one."""

    def __call__(self) -> asyncio.Protocol:
        """Make what serves a connection."""
        return _Connection(self)

    async def serve(self, request: Request, transport: asyncio.Transport) -> bool:
        """Answer a request; return whether the connection goes on."""
        mood, up = self.mood, self.up
        self.requests += 1
        fate = self.loop.rng.random()
        if mood.refusal is not None:
            transport.write(_bytes(mood.refusal))
            return True
        if fate < mood.before:
            transport.abort()
            return False
        if mood.seconds:
            await asyncio.sleep(mood.seconds)
        if self.up != up:
            return False
        reply = await self.handle(request)
        if self.up != up:
            return False
        fate -= mood.before
        if fate < mood.after:
            transport.abort()
            return False
        fate -= mood.after
        data = _bytes(reply)
        if fate < mood.torn:
            transport.write(data[: len(data) - 1 - len(reply.body) // 2])
            transport.close()
            return False
        fate -= mood.torn
        if fate < mood.mute:
            return True
        transport.write(data)
        return True


class _Connection(asyncio.Protocol):
    def __init__(self, web: Web) -> None:
        self._web = web
        self._buffer = bytearray()
        self._serving = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._serving:
            self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._buffer and self._web.cut_off is not None:
            self._web.cut_off(bytes(self._buffer))
        self._buffer.clear()

    def _next(self) -> None:
        request = self._take()
        if request is not None:
            self._serving = True
            self._web.spawn(self._serve(request))

    async def _serve(self, request: Request) -> None:
        goes_on = await self._web.serve(request, self._transport)
        self._serving = False
        if goes_on and not self._transport.is_closing():
            self._next()

    def _take(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("transfer-encoding") == "chunked":
            raise NotImplementedError("the product tells the length of what it sends")
        start = end + 4
        stop = start + int(headers.get("content-length", "0"))
        if len(self._buffer) < stop:
            return None
        body = bytes(self._buffer[start:stop])
        del self._buffer[:stop]
        return Request(method, path, headers, body)


def _bytes(reply: Reply) -> bytes:
    head = [f"HTTP/1.1 {reply.status} OK", f"Content-Length: {len(reply.body)}"]
    head += [f"{name}: {value}" for name, value in reply.headers.items() if name.lower() != "content-length"]
    return "\r\n".join([*head, "", ""]).encode() + reply.body
