"""Serial ports and network connections to a meter, at an :class:`~osgp.ports.address.Address`: the only module that touches them.

``tcp://`` is the one to prefer on a network. With ``rfc2217://`` the client waits for the server to acknowledge each
setting, and some servers never do: ser2net in front of a port without modem lines, for one.

:func:`open_port` gives a :class:`Port` that hands over bytes as they come and says once when it is lost. It
does not reopen itself. A serial port named by its kernel name (``/dev/ttyUSB0``) is another one after replugging, so
:attr:`Port.address` names it by its identity (``/dev/serial/by-id/...``): reopen that.

This module does not know what the bytes mean.
"""

from __future__ import annotations

import asyncio
import errno
import getpass
import grp
import os
import socket
import stat
import termios
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Protocol, cast

from osgp.errors import MisuseError, PortBusy, PortMissing, PortPermission, TransportError
from osgp.ports.address import Address
from osgp.ports.module_line import GreetedLoop, ModuleTransport, greeted
from osgp.ports.tap.greeting import RAW, RFC2217
from osgp.ports.tap.health import ModuleHealth

__all__ = ["Address", "ModemLines", "Port", "group_to_join", "open_port", "serial_ports", "wire_tap"]

CONNECT_TIMEOUT = 10.0
"""Seconds for a network connection to come about."""

_LINES_SETTLE = 0.2
"""Seconds that a probe or level shifter gets to wake up when its power comes from a modem line."""

wire_tap: ContextVar[Callable[[bytes, bool], None] | None] = ContextVar("wire_tap", default=None)
"""Called with all bytes that pass the ports opened in this context, and whether we sent them (True) or the meter did.

For wire traces only: what passes may hold a key in clear text.
"""


class ModemLines(Protocol):
    """What can switch the modem lines of a port."""

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set lines on or off; None leaves a line as it is."""


class Port(asyncio.Protocol):
    """An open port. Made by :func:`open_port`.

    Args:
        address: by identity.
        on_bytes: called with each chunk that arrives.
        on_lost: called once if the port goes away by itself; not after :meth:`close`.
    """

    def __init__(
        self, address: Address, on_bytes: Callable[[bytes], None], on_lost: Callable[[TransportError], None]
    ) -> None:
        self.address = address
        self._tap = wire_tap.get()
        if self._tap is not None:
            on_bytes = _tapped(self._tap, on_bytes)
        self.data_received = on_bytes  # type: ignore[assignment, method-assign] # called for every chunk: no detour
        self._on_lost: Callable[[TransportError], None] | None = on_lost
        self._transport: asyncio.WriteTransport | None = None
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport (asyncio calls this)."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - what TCP and serialx give
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on that the port is gone (asyncio calls this)."""
        if not self._closed.done():
            self._closed.set_result(None)
        on_lost, self._on_lost = self._on_lost, None
        self._transport = None
        if on_lost is not None:
            on_lost(TransportError(self._lost_text(exc)))

    @property
    def health(self) -> ModuleHealth | None:
        """What the module in the meter told of itself last; None where the port is none, or before it told."""
        return self._transport.health if isinstance(self._transport, ModuleTransport) else None

    def _lost_text(self, exc: Exception | None) -> str:
        if self.address.scheme == "module":
            return (
                f"the module at {self.address.place} is gone. Look whether it has power and Wi-Fi; "
                "the meter itself may be well"
            )
        if self.address.path:
            return f"the serial port {self.address.path} is gone: was the adapter unplugged? Plug it in again"
        why = f" ({exc.strerror})" if isinstance(exc, OSError) and exc.strerror else ""
        return f"the connection to {self.address} was closed by the other side{why}. Check the serial server there"

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            TransportError: the port is gone or closed.
        """
        if self._transport is None:
            raise TransportError(f"{self.address} is not open any more. Open it again")
        if self._tap is not None:
            self._tap(data, True)
        try:
            self._transport.write(data)
        except _errors() as error:
            raise TransportError(self._lost_text(error if isinstance(error, OSError) else None)) from error

    async def set_lines(self, *, dtr: bool | None = None, rts: bool | None = None) -> None:
        """Set the modem lines DTR and RTS; None leaves a line as it is.

        Raises:
            TransportError: this port has no such lines.
        """
        if isinstance(self._transport, ModuleTransport):
            await self._transport.set_lines(dtr=dtr, rts=rts)
            return
        import serialx  # noqa: PLC0415 - see _errors

        if not isinstance(self._transport, serialx.BaseSerialTransport):
            raise TransportError(f"{self.address} has no DTR and RTS lines to switch. Use a gpio or a command")
        cannot = TransportError(f"{self.address} cannot switch its modem lines. Use a gpio or a command")
        left = serialx.PinState.UNDEFINED
        try:
            await self._transport.set_modem_pins(dtr=left if dtr is None else dtr, rts=left if rts is None else rts)
            pins = await self._transport.get_modem_pins()
        except _errors() as error:
            raise cannot from error
        # On a port without modem lines serialx sets them without a word, and reports them as set; its inputs stay open.
        if pins.cts is left:
            raise cannot

    async def close(self) -> None:
        """Close and wait until the port is free for others."""
        self._on_lost = None
        if self._transport is None:
            return
        self._transport.abort()
        await self._closed


def _tapped(tap: Callable[[bytes, bool], None], on_bytes: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def both(data: bytes) -> None:
        tap(data, False)
        on_bytes(data)

    return both


async def open_port(
    address: Address | str, on_bytes: Callable[[bytes], None], on_lost: Callable[[TransportError], None]
) -> Port:
    """Open a port.

    Raises:
        MisuseError: the address has none of the known forms.
        PortMissing: no such port, no such host, or nobody listens there.
        PortPermission: this user may not open the port.
        PortBusy: another program has it.
        TransportError: it is there but cannot be used.
    """
    if isinstance(address, str):
        address = Address.parse(address)
    if address.scheme == "module" and not address.token:
        raise MisuseError(
            "a module in the meter lends its line only to who has its token, which stands on its label. Give the token"
        )
    address = address.by_identity()
    port = Port(address, on_bytes, on_lost)
    if address.path:
        await _open_serial(address, port)
    else:
        await _open_network(address, port)
    if address.rts is not None or address.dtr is not None:
        try:
            await port.set_lines(dtr=address.dtr, rts=address.rts)
            await asyncio.sleep(_LINES_SETTLE)
        except BaseException:
            await port.close()
            raise
    return port


def _errors() -> tuple[type[Exception], ...]:
    """Return what ports raise when they cannot be used.

    serialx is loaded where a serial port is opened, or something has gone wrong: it takes 1.5 MB, and 30 ms of the start.
    """
    import serialx  # noqa: PLC0415

    return OSError, serialx.SerialException


async def _open_serial(address: Address, port: Port) -> None:
    import serialx  # noqa: PLC0415 - see _errors

    loop = asyncio.get_running_loop()
    try:
        await serialx.create_serial_connection(loop, lambda: port, address.path, address.baud)
    except PermissionError as error:
        raise PortPermission(_permission_text(address.path)) from error
    except (OSError, termios.error) as error:
        raise _serial_error(address.path, error.args[0]) from error
    except serialx.SerialException as error:
        raise TransportError(f"{address.path} cannot be set to {address.baud} baud. Choose another rate") from error


def _serial_error(path: str, number: int) -> TransportError:
    if number in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        ports = serial_ports()
        there = f"These are there: {', '.join(ports)}" if ports else "No serial port is there at all"
        return PortMissing(f"there is no serial port {path}. {there}. Plug the adapter in, or correct the name")
    if number in {errno.EBUSY, errno.EAGAIN}:
        return PortBusy(f"another program uses {path}. Find it with: sudo fuser -v {path}")
    if number in {errno.ENOTTY, errno.EINVAL, errno.EISDIR}:
        return TransportError(
            f"{path} is not a serial port. Name one of: {', '.join(serial_ports()) or 'none is there'}"
        )
    return TransportError(f"{path} cannot be used: {os.strerror(number)}. Unplug the adapter and plug it in again")


def group_to_join(path: str) -> str:
    """Return the group whose members may use a device; empty if there is none that a person should join.

    No help is a group that may not read and write it, and root's must stay root's.
    """
    try:
        number, mode = _owner(path)
    except OSError:
        return ""
    wanted = stat.S_IRGRP | stat.S_IWGRP
    if number == 0 or mode & wanted != wanted:
        return ""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _owner(path: str) -> tuple[int, int]:
    """Return a file's group and mode."""
    status = Path(path).stat()
    return status.st_gid, status.st_mode


def _permission_text(path: str) -> str:
    user, group = getpass.getuser(), group_to_join(path)
    if not group:
        return (
            f"user {user} may not open {path}, and no group may that could be joined. "
            "Unplug the adapter and plug it in again; if that does not help, install deploy/udev/60-nes2mqtt.rules"
        )
    return (
        f"user {user} may not open {path}; it belongs to group {group}. "
        f"Run: sudo usermod -aG {group} {user}   and log in again (a service: restart it)"
    )


async def _open_network(address: Address, port: Port) -> None:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT):
            if address.scheme == "module":
                connection = await greeted(address.host, address.port, RFC2217, address.token)
                await loop.create_connection(lambda: ModuleTransport(port), sock=connection)
            elif address.scheme == "tcp" and address.token:
                connection = await greeted(address.host, address.port, RAW, address.token)
                await loop.create_connection(lambda: port, sock=connection)
            elif address.scheme != "rfc2217":
                transport, _ = await loop.create_connection(lambda: port, address.host, address.port)
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            else:
                import serialx  # noqa: PLC0415 - see _errors

                url = f"rfc2217://{address.place}"
                at = cast("asyncio.AbstractEventLoop", GreetedLoop(loop, address.token)) if address.token else loop
                await serialx.create_serial_connection(at, lambda: port, url, address.baud)
    except socket.gaierror as error:
        raise PortMissing(f"there is no host {address.host}. Check the name and the network") from error
    except ConnectionRefusedError as error:
        raise PortMissing(
            f"nobody listens at {address.host} port {address.port}. Start the serial server there, or correct the port"
        ) from error
    except TimeoutError as error:
        raise PortMissing(_no_answer(address)) from error
    except _errors() as error:
        why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else "the server gave up"
        raise TransportError(f"{address} cannot be reached: {why}. Check the network") from error


def _no_answer(address: Address) -> str:
    if address.scheme == "rfc2217":
        return (
            f"{address} does not answer as an RFC 2217 server within {CONNECT_TIMEOUT:.0f} s. "
            "Set it to raw TCP and use tcp:// instead; not every server speaks all of RFC 2217"
        )
    return (
        f"{address.host} does not answer within {CONNECT_TIMEOUT:.0f} s. Check the address and that it is switched on"
    )


def serial_ports() -> list[str]:
    """Return the serial ports of this computer, by identity where they have one."""
    import serialx  # noqa: PLC0415 - see _errors

    return sorted(info.device for info in serialx.list_serial_ports())
