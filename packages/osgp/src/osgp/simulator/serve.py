"""Ports of the simulated meter: TCP, as a serial-to-network bridge would offer it, and a pseudo-terminal.

All connections of one meter share its one line, as behind ser2net: what any of them sends reaches the meter, what the
meter says reaches them all. A client that does not read loses bytes, as with a UART; it cannot hold up the meter.

This module does not know what the bytes mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from osgp.errors import PortBusy, PortMissing, PortPermission, TransportError
from osgp.simulator.line import Broken, MeterLine

__all__ = ["Attached", "LineDriver", "PseudoTerminal", "TcpPort"]

_UNREAD_LIMIT = 1 << 16
"""Bytes that may wait for a client; what comes after them is lost to it."""

_READ_SIZE = 4096


class Attached(Protocol):
    """A client at the other end of the line."""

    def deliver(self, data: bytes) -> None:
        """Hand over bytes of the meter."""

    def drop(self) -> None:
        """Break the connection, where there is one."""


class LineDriver:
    """Moves bytes between a :class:`MeterLine` and whoever is attached, by the event loop's clock."""

    def __init__(self, line: MeterLine[Any]) -> None:
        self.line = line
        self.listener: Callable[[bytes], None] | None = None
        """Is told what clients send."""
        self._loop = asyncio.get_running_loop()
        self._attached: list[Attached] = []
        self._timer: asyncio.TimerHandle | None = None
        self.pump()

    def attach(self, client: Attached) -> None:
        """Let a client hear the meter."""
        self._attached.append(client)

    def detach(self, client: Attached) -> None:
        """Forget a client."""
        if client in self._attached:
            self._attached.remove(client)

    def feed(self, data: bytes) -> None:
        """Take bytes that a client sent."""
        if self.listener is not None:
            self.listener(data)
        self.line.hear(data, self._loop.time())
        self.pump()

    def power_cycle(self) -> None:
        """Take the level shifter's power away and give it back."""
        self.line.power_cycle(self._loop.time())
        self.pump()

    def pump(self) -> None:
        """Deliver what has left the meter, and come back when the next bytes are due."""
        for item in self.line.poll(self._loop.time()):
            for client in tuple(self._attached):
                if item is Broken.BROKEN:
                    client.drop()
                else:
                    client.deliver(item)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.line.deadline()
        if due is not None:
            self._timer = self._loop.call_at(due, self._wake)

    def deliver(self, data: bytes) -> None:
        """Hand the clients bytes of another line that are heard here, too."""
        for client in tuple(self._attached):
            client.deliver(data)

    def drop(self) -> None:
        """Do nothing when the connection of that other line breaks."""

    def close(self) -> None:
        """Stop the timer; nothing is delivered any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._attached.clear()

    def _wake(self) -> None:
        self._timer = None
        self.pump()


class _Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, driver: LineDriver, opened: set[_Connection]) -> None:
        self._driver = driver
        self._opened = opened
        self._transport: asyncio.Transport | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes no other
        self._transport = transport
        self._opened.add(self)
        self._driver.attach(self)

    def data_received(self, data: bytes) -> None:
        self._driver.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._driver.detach(self)
        self._opened.discard(self)
        if not self.closed.done():
            self.closed.set_result(None)

    def deliver(self, data: bytes) -> None:
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size() < _UNREAD_LIMIT:
            transport.write(data)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class TcpPort:
    """Listens on one address for clients of one meter.

    Args:
        driver: the line.
        scheme: of the URL for clients.
    """

    def __init__(self, driver: LineDriver, scheme: str = "tcp") -> None:
        self._driver = driver
        self._scheme = scheme
        self._server: asyncio.Server | None = None
        self._opened: set[_Connection] = set()

    async def open(self, host: str, port: int) -> str:
        """Listen and return the URL to open. Port 0 takes any free one.

        Raises:
            PortBusy: another program listens there.
            PortPermission: the operating system does not allow it.
            PortMissing: this computer has no such address.
            TransportError: anything else.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Connection(self._driver, self._opened), host, port)
        except OSError as error:
            raise _listen_error(host, port, error) from error
        bound = self._server.sockets[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        return f"{self._scheme}://{shown}:{bound}"

    async def close(self) -> None:
        """Stop listening and break all connections."""
        if self._server is None:
            return
        self._server.close()
        opened = list(self._opened)
        for connection in opened:
            connection.drop()
        for connection in opened:
            await connection.closed
        await self._server.wait_closed()


def _listen_error(host: str, port: int, error: OSError) -> TransportError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return PortBusy(f"another program already listens on {where}; stop it or choose another port (0: any free one)")
    if error.errno in {errno.EACCES, errno.EPERM}:
        return PortPermission(f"this user may not listen on {where}; choose a port above 1023")
    if error.errno == errno.EADDRNOTAVAIL or not error.errno or error.errno < 0:
        return PortMissing(f"this computer has no address {host}; use 127.0.0.1 for programs on this computer only")
    return TransportError(f"cannot listen on {where}: {error.strerror or error}")


class PseudoTerminal:
    """A serial port made of software, with a link to it at a path of the user's choice.

    Its far end is kept open here, so that clients may come and go.

    Args:
        driver: the line.
        scheme: of the URL for clients.
    """

    def __init__(self, driver: LineDriver, scheme: str = "serial") -> None:
        self._driver = driver
        self._scheme = scheme
        self._near = -1
        self._far = -1
        self._link: Path | None = None

    def open(self, path: str | None) -> str:
        """Make the port and return the URL to open; with ``path`` a link to it is made there.

        Raises:
            PortBusy: something that is no link stands at ``path``.
            PortPermission: the link cannot be made there.
            TransportError: the system has no pseudo-terminal left.
        """
        try:
            self._near, self._far = os.openpty()
        except OSError as error:
            raise TransportError(f"this system gives out no pseudo-terminal: {error.strerror or error}") from error
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        device = os.ttyname(self._far)
        if path is not None:
            try:
                self._link = _link(Path(path), device)
            except TransportError:
                self.close()
                raise
        asyncio.get_running_loop().add_reader(self._near, self._readable)
        self._driver.attach(self)
        return f"{self._scheme}://{Path(path).absolute() if path is not None else device}"

    def close(self) -> None:
        """Close the port and remove the link."""
        if self._near < 0:
            return
        asyncio.get_running_loop().remove_reader(self._near)
        self._driver.detach(self)
        device = os.ttyname(self._far)
        os.close(self._near)
        os.close(self._far)
        self._near = self._far = -1
        if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == device:
            self._link.unlink()

    def deliver(self, data: bytes) -> None:
        """Hand bytes to the client; what does not fit because nobody reads is lost."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._near, data)

    def drop(self) -> None:
        """Do nothing: a serial port has no connection to break."""

    def _readable(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._driver.feed(os.read(self._near, _READ_SIZE))


def _link(path: Path, device: str) -> Path:
    """Put a link to ``device`` at ``path``; a link that an earlier run left behind is replaced."""
    if path.exists() and not path.is_symlink():
        raise PortBusy(f"{path} exists and is no link to a serial port; choose another path")
    staged = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        staged.symlink_to(device)
        staged.replace(path)
    except OSError as error:
        staged.unlink(missing_ok=True)
        raise PortPermission(f"cannot make the link {path}: {error.strerror or error}; choose another path") from error
    return path
