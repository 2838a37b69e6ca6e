"""A network that fails: a TCP relay between a client and a server on this host.

What it can do to a connection, each of which a client meets in the field:

* ``cut``: nobody is there. Connections break, new ones are refused.
* ``requests``: what the client sends is swallowed; the server never hears of it.
* ``answers``: the server hears everything and acts on it; its answers are swallowed.

A connection that lost a byte breaks when the network is well again; the others go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Literal, Self

__all__ = ["Failure", "Relay"]

Failure = Literal["", "cut", "requests", "answers"]
_CHUNK = 1 << 16


@dataclass(eq=False)
class _Line:
    """One connection through the relay."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    spoilt: bool = False

    def abort(self) -> None:
        for each in (self.client, self.server):
            each.transport.abort()


class Relay:
    """Stands between a client and the server at a port of this host.

    Args:
        target: the server's port.

    Attributes:
        port: where the client connects to.
        failure: what the network does now; "" while it is well.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.failure: Failure = ""
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Self]:
        """Relay while the context is open."""
        self._listen()
        try:
            yield self
        finally:
            await self.fail("cut")
            while self._tasks:
                await asyncio.wait(self._tasks)

    async def fail(self, how: Failure) -> None:
        """Fail in this way from now on."""
        self.failure = how
        if how == "cut":
            if self._listener is not None:
                asyncio.get_running_loop().remove_reader(self._listener)
                self._listener.close()
                self._listener = None
            for line in list(self._lines):
                line.abort()

    async def heal(self) -> None:
        """Be well again."""
        self.failure = ""
        for line in list(self._lines):
            if line.spoilt:
                line.abort()
        self._listen()

    def _listen(self) -> None:
        """Listen, without asyncio's server: closed while somebody connects, that one leaves a socket open."""
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._listener.setblocking(False)
            self.port = self._listener.getsockname()[1]
            asyncio.get_running_loop().add_reader(self._listener, self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            client, _ = listener.accept()
            client.setblocking(False)
            task = asyncio.get_running_loop().create_task(self._relay(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _relay(self, client: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=client)
        try:
            answers, server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            await asyncio.sleep(0)
            return
        line = _Line(writer, server)
        self._lines.add(line)
        try:
            if self.failure == "cut":
                return
            await asyncio.gather(
                self._pump(reader, server, line, "requests"), self._pump(answers, writer, line, "answers")
            )
        finally:
            self._lines.discard(line)
            line.abort()
            await asyncio.sleep(0)  # a transport closes its socket at the next turn

    async def _pump(self, source: asyncio.StreamReader, to: asyncio.StreamWriter, line: _Line, what: Failure) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(_CHUNK):
                if self.failure == what or line.spoilt:
                    line.spoilt = True
                    continue
                to.write(data)
                await to.drain()
            if not line.spoilt:
                to.write_eof()
                return
        # The end of a connection that was silent is not told either; it breaks when the network is well again.
