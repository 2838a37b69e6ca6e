"""The line of a module in the meter, over the network: its greeting (:mod:`osgp.ports.tap.greeting`), and the port ``module://``.

``module://`` speaks RFC 2217 for the modem lines, and asks the module every 20 s how it is. So a module that is gone is told apart from a
meter that is silent: it is gone when it said nothing for 45 s.

This module does not know addresses, nor what the bytes on the line mean.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from osgp.errors import PortBusy, PortPermission, TransportError
from osgp.ports.tap import greeting, telnet
from osgp.ports.tap.health import ModuleHealth

__all__ = ["GreetedLoop", "ModuleTransport", "greeted"]

_ASK_EVERY = 20.0
_GONE_AFTER = 45.0
_ACKNOWLEDGED_WITHIN = 10.0
"""Seconds until the module has switched a modem line."""

_CONTROL = 5
_DTR = {True: 8, False: 9}
_RTS = {True: 11, False: 12}


async def greeted(host: str, port: int, mode: str, token: bytes) -> socket.socket:
    """Return a connection on which a module has lent its line.

    Raises:
        PortPermission: it refuses the token.
        PortBusy: another program has the line.
        TransportError: it takes no token now, or it is no module.
        OSError: it cannot be reached.
    """
    connection = await _connected(host, port)
    try:
        await _be_greeted(connection, host, mode, token)
    except BaseException:
        connection.close()
        raise
    return connection


async def _be_greeted(connection: socket.socket, host: str, mode: str, token: bytes) -> None:
    first = await _line(connection)
    nonce = greeting.nonce_of(first)
    if nonce is None:
        raise _refusal(host, first)
    await asyncio.get_running_loop().sock_sendall(connection, greeting.answer(token, mode, nonce))
    said = await _line(connection)
    if said.split() != [b"ok"]:
        raise _refusal(host, said)


async def _connected(host: str, port: int) -> socket.socket:
    loop = asyncio.get_running_loop()
    failed: OSError = OSError("no address")
    for family, kind, protocol, _, where in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            await loop.sock_connect(connection, where)
        except OSError as error:
            connection.close()
            failed = error
        except BaseException:
            connection.close()
            raise
        else:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection
    raise failed


async def _line(connection: socket.socket) -> bytes:
    """Return one line; byte by byte, because what follows it belongs to somebody else."""
    loop = asyncio.get_running_loop()
    found = b""
    while not found.endswith(b"\n") and len(found) <= greeting.LONGEST_LINE:
        data = await loop.sock_recv(connection, 1)
        if not data:
            break
        found += data
    return found


def _refusal(host: str, said: bytes) -> TransportError:
    words = said.decode("ascii", "replace").split()
    if words[:1] != ["no"]:
        return TransportError(
            f"what answers at {host} does not greet as a module in a meter does. Check host and port; only such a module takes a token"
        )
    reason = words[1] if len(words) > 1 else ""
    if reason == greeting.BUSY:
        return PortBusy(
            f"another program reads the meter through the module at {host}. Stop that program; "
            "if it was cut off, the module gives the line free after a minute"
        )
    if reason == greeting.WRONG:
        return PortPermission(f"the module at {host} refuses the token. Compare it with the label of the module")
    seconds = words[2] if len(words) > 2 and words[2].isdigit() else "some"  # noqa: PLR2004 - no, wait, seconds
    return TransportError(
        f"the module at {host} takes no token for {seconds} seconds, because wrong ones were given. Correct the token; "
        "then wait, each wrong one makes the time longer"
    )


class GreetedLoop:
    """An event loop whose connections begin with the greeting: for a library that makes them itself.

    Args:
        loop: the real one.
        token: for the module.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, token: bytes) -> None:
        self._loop = loop
        self._token = token

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    async def create_connection(
        self, factory: Callable[[], asyncio.BaseProtocol], host: str, port: int
    ) -> tuple[asyncio.BaseTransport, asyncio.BaseProtocol]:
        """Connect, and be greeted for RFC 2217."""
        connection = await greeted(host, port, greeting.RFC2217, self._token)
        return await self._loop.create_connection(factory, sock=connection)


class ModuleTransport(asyncio.Protocol, asyncio.WriteTransport):
    """Between a port and the connection to a module.

    Args:
        port: hears bytes of the line, and that the connection is lost.
    """

    def __init__(self, port: asyncio.Protocol) -> None:
        super().__init__()
        self._port = port
        self._below: asyncio.Transport | None = None
        self._splitter = telnet.Splitter()
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._awaited: dict[int, asyncio.Future[None]] = {}
        self.health: ModuleHealth | None = None
        """What the module told last."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection (asyncio calls this)."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - what TCP gives
        self._below = transport
        self._heard = self._loop.time()
        offers = ((telnet.WILL, telnet.COM_PORT), (telnet.WILL, telnet.BINARY), (telnet.DO, telnet.BINARY))
        transport.write(b"".join(telnet.option(*offer) for offer in offers))
        self._port.connection_made(self)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the connection is gone (asyncio calls this)."""
        self._below = None
        if self._timer is not None:
            self._timer.cancel()
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.set_exception(TransportError("the module is gone"))
        self._port.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take apart what arrives (asyncio calls this)."""
        self._heard = self._loop.time()
        for found in self._splitter.receive(data):
            if isinstance(found, bytes):
                self._port.data_received(found)
            elif found.verb == 0 and found.number == telnet.TO_CLIENT + telnet.SIGNATURE:
                self.health = ModuleHealth.parse(found.data) or self.health
            elif found.verb == 0 and found.number == telnet.TO_CLIENT + _CONTROL and found.data:
                awaited = self._awaited.pop(found.data[0], None)
                if awaited is not None and not awaited.done():
                    awaited.set_result(None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes to the line."""
        if self._below is not None:
            self._below.write(telnet.escaped(bytes(data)))

    def abort(self) -> None:
        """Close at once."""
        if self._below is not None:
            self._below.abort()

    async def set_lines(self, *, dtr: bool | None, rts: bool | None) -> None:
        """Switch modem lines at the module.

        Raises:
            TransportError: the module does not.
        """
        wanted = [names[level] for names, level in ((_DTR, dtr), (_RTS, rts)) if level is not None]
        for number in wanted:
            awaited = self._awaited[number] = self._loop.create_future()
            if self._below is None:
                raise TransportError("the module is gone")
            self._below.write(telnet.command(_CONTROL, bytes((number,))))
            try:
                async with asyncio.timeout(_ACKNOWLEDGED_WITHIN):
                    await awaited
            except TimeoutError:
                raise TransportError("the module did not switch the line. Look whether its board can") from None

    def _ask(self) -> None:
        """Ask how the module is; give it up when it said nothing for long."""
        if self._below is None:
            return
        if self._loop.time() - self._heard > _GONE_AFTER:
            self._below.abort()
            return
        self._below.write(telnet.command(telnet.SIGNATURE))
        self._timer = self._loop.call_later(_ASK_EVERY, self._ask)
