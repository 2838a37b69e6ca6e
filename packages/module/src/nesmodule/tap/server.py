"""Lends the meter's line to one program elsewhere, and takes it back when that one leaves or falls silent.

While it is lent the module's own reading stops, and what it had read is forgotten: nobody confirms it any more.

This module does not know tables.
"""

from __future__ import annotations

import asyncio
import gc
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from nesmodule.access.guesses import Guesses
from nesmodule.board.clock import closed, sleep_ms, wait_for_ms
from nesmodule.board.seldom import forget
from nesmodule.meter.poller import Poller
from osgp.ports.tap import greeting
from osgp.ports.tap.greeting import Hello, token_bytes

__all__ = ["SILENCE", "Tap"]

SILENCE = 60_000
"""Milliseconds without a byte of the client after which it counts as gone."""
_PATIENCE = 5000
_LOOK_EVERY = 250
_CHUNK = 128
_MOST_AT_THE_DOOR = 2

_LENT = (
    "another program reads the meter through this module, which reads nothing itself meanwhile. Its own values come back when that "
    "program leaves"
)


class _Client:
    """The program that has the line."""

    def __init__(self, reader: Any, writer: Any, rest: bytes) -> None:
        self.reader = reader
        self.writer = writer
        self.rest = rest
        self.telnet: Any = None
        self.gone = False


class Tap:
    """The tap of one line.

    Args:
        token: what a client has to have; without one there is no tap.
        stream: the line.
        poller: reads it while nobody else does.
        now: gives milliseconds that only grow.
        random: gives so many bytes that nobody can foresee.
        health: gives what is told about the module.
        set_lines: switches the level shifter's supply (first) and ENABLE (second); None where they cannot be switched.

    Raises:
        MisuseError: the token is none.
    """

    def __init__(
        self,
        token: str,
        stream: Any,
        poller: Poller,
        now: Callable[[], int],
        random: Callable[[int], bytes],
        health: Callable[[], bytes],
        set_lines: Callable[[bool, bool], Awaitable[None]] | None = None,
    ) -> None:
        self._token = token_bytes(token)
        self._stream = stream
        self._poller = poller
        self._random = random
        self._health = health
        self._set_lines = set_lines
        self._guesses = Guesses(now)
        self._at_the_door = 0
        self._client: _Client | None = None
        self._polling: Any = None
        self._called_off = False
        self._lending = False

    @property
    def lent(self) -> bool:
        """Tell whether a program has the line."""
        return self._client is not None

    async def attend(self) -> None:
        """Read the meter while nobody has the line, and hand bytes over while somebody has. Ends only when the line is gone.

        Raises:
            OSError: the line is gone. Likewise TransportError.
        """
        while True:
            client = self._client
            if client is not None:
                await self._lend(client)
                continue
            self._called_off = False
            self._polling = asyncio.create_task(self._poller.run())
            try:
                await self._polling
            except asyncio.CancelledError:
                if not self._called_off:
                    raise
            finally:
                self._polling = None

    async def _lend(self, client: _Client) -> None:
        """Pass on what the line says until the client is gone."""
        self._lending = True
        self._forget(_LENT)
        try:
            while not client.gone:
                try:
                    data = await wait_for_ms(self._stream.read(_CHUNK), _LOOK_EVERY)
                except asyncio.TimeoutError:
                    continue
                if not data:
                    raise OSError("the line to the meter was closed")
                try:
                    client.writer.write(data if client.telnet is None else client.telnet.from_line(data))
                    await wait_for_ms(client.writer.drain(), _PATIENCE)
                except (OSError, asyncio.TimeoutError):
                    client.gone = True
        finally:
            self._lending = False
            await self._part(client)
            self._forget("")
            gc.collect()

    async def _part(self, client: _Client) -> None:
        client.gone = True
        if self._client is client:
            self._client = None
        await closed(client.writer)

    def _forget(self, message: str) -> None:
        """Take back what was read: nobody confirms it."""
        poller = self._poller
        poller.state = "no_values" if message else "starting"
        poller.message = message
        poller.tables.layout = None
        for group in (poller.registers, poller.present):
            group.values = OrderedDict()

    async def serve(self, reader: Any, writer: Any) -> None:
        """Answer one connection."""
        self._at_the_door += 1
        hello = None
        try:
            if self._at_the_door <= _MOST_AT_THE_DOOR:
                hello = await self._greet(reader, writer)
        except (OSError, EOFError, ValueError, MemoryError, asyncio.TimeoutError):
            hello = None
        finally:
            self._at_the_door -= 1
            if hello is None:
                await closed(writer)
        if hello is not None:
            await self._take(reader, writer, hello)

    async def _greet(self, reader: Any, writer: Any) -> Hello | None:
        """Return the greeting of a client that may have the line."""
        wait = self._guesses.wait()
        if wait:
            await self._refuse(writer, "%s %d" % (greeting.WAIT, (wait + 999) // 1000))
            return None
        hello = Hello(self._token, self._random(greeting.NONCE))
        writer.write(hello.line)
        await wait_for_ms(writer.drain(), _PATIENCE)
        # All of it within that time: who sends a byte now and then must not keep others from the door.
        await wait_for_ms(self._hear(reader, hello), _PATIENCE)
        if self._guesses.wait():
            # Somebody else guessed wrong meanwhile; who greets many times at once has no more guesses.
            await self._refuse(writer, "%s %d" % (greeting.WAIT, (self._guesses.wait() + 999) // 1000))
            return None
        if hello.wrong:
            if hello.guessed:
                self._guesses.wrong()
            await self._refuse(writer, greeting.WRONG)
            return None
        self._guesses.right()
        while self._client is not None and self._client.gone:
            await sleep_ms(_LOOK_EVERY)
        if self._client is not None:
            await self._refuse(writer, greeting.BUSY)
            return None
        return hello

    async def _hear(self, reader: Any, hello: Hello) -> None:
        """Take what a client says until it is clear what it wants. Raises EOFError when it leaves before."""
        while not (hello.mode or hello.wrong):
            data = await reader.read(_CHUNK)
            if not data:
                raise EOFError
            hello.receive(data)

    async def _refuse(self, writer: Any, reason: str) -> None:
        writer.write(b"no " + reason.encode() + b"\r\n")
        await wait_for_ms(writer.drain(), _PATIENCE)

    async def _take(self, reader: Any, writer: Any, hello: Hello) -> None:
        client = self._client = _Client(reader, writer, hello.rest)
        if self._polling is not None:
            self._called_off = True
            self._polling.cancel()
        try:
            if hello.mode == greeting.RFC2217:
                # Loaded for this alone: it takes memory that most modules never need.
                gc.collect()
                from nesmodule.tap.rfc2217 import Server  # noqa: PLC0415

                client.telnet = Server(self._health)
            writer.write(b"ok\r\n")
            await self._listen(client)
        except (OSError, EOFError, MemoryError, asyncio.TimeoutError):
            pass
        finally:
            client.gone = True
            if not self._lending:
                await self._part(client)
            telnet = client.telnet
            if telnet is not None and not (telnet.dtr and telnet.rts) and self._set_lines is not None:
                # Whatever happened: the meter's port must not be left without power.
                await self._set_lines(True, True)
            for name in ("nesmodule.tap.rfc2217", "osgp.ports.tap.telnet"):
                forget(name)

    async def _listen(self, client: _Client) -> None:
        """Pass on what the client says. Raises OSError when it is gone, TimeoutError when it is silent."""
        data = client.rest
        lines = (True, True)
        while not client.gone:
            if client.telnet is not None:
                data = client.telnet.receive(data)
                client.writer.write(client.telnet.to_send())
                wanted = (client.telnet.dtr, client.telnet.rts)
                if wanted != lines and self._set_lines is not None:
                    await self._set_lines(wanted[0], wanted[1])
                lines = wanted
            if data:
                self._stream.write(data)
                await self._stream.drain()
            await wait_for_ms(client.writer.drain(), _PATIENCE)
            data = await wait_for_ms(client.reader.read(_CHUNK), SILENCE)
            if not data:
                return
