"""Serial ports and network connections to a meter: the only module that touches them.

An address is one of::

    serial:///dev/serial/by-id/usb-...   or just the path; ?baud=9600
    tcp://host:port                      raw bytes, as ser2net ("raw") and ESP bridges speak
    rfc2217://host:port?baud=9600        Telnet with serial settings, for servers that need it
    optical:///dev/serial/by-id/usb-...  a probe on the meter's optical port
    optical+tcp://host:port              a Wi-Fi head there, or a probe behind ser2net

Behind a ``?`` may stand ``rts=on`` or ``off`` and ``dtr=on`` or ``off`` for a serial port whose level shifter or probe
draws its power from these lines, and for an optical port ``turnaround=MILLISECONDS`` (see
:class:`osgp.optical.settings.SessionSettings`); several are joined by ``&``.

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
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from osgp.errors import MisuseError, PortBusy, PortMissing, PortPermission, TransportError
from osgp.mep.timing import DEFAULT_BAUD, Line

__all__ = ["Address", "ModemLines", "Port", "group_to_join", "open_port", "serial_ports", "wire_tap"]

CONNECT_TIMEOUT = 10.0
"""Seconds for a network connection to come about."""

_NETWORK_LATENCY = 0.5
"""Allowance for Wi-Fi bridges that collect bytes before they send them."""

_SERIAL_LATENCY = 0.04
"""Allowance for USB adapters, which pass bytes on every 16 ms."""

_SERIAL_SCHEMES = frozenset({"serial", "optical"})
_NETWORK_SCHEMES = frozenset({"tcp", "rfc2217", "optical+tcp"})
_OPTICAL_SCHEMES = frozenset({"optical", "optical+tcp"})

_LINE_SCHEMES = frozenset({"serial", "optical", "rfc2217"})
_LEVELS = {"on": True, "off": False}
_LEVEL_NAMES: dict[bool | None, str] = {True: "on", False: "off"}
_MAX_TURNAROUND = 500
"""Milliseconds."""

_LINES_SETTLE = 0.2
"""Seconds that a probe or level shifter gets to wake up when its power comes from a modem line."""

_MIN_BAUD, _MAX_BAUD = 300, 115200  # MEP guide v1.1 p. 20
_BY_ID = Path("/dev/serial/by-id")

_FORMS = (
    "Write serial:///dev/serial/by-id/NAME, tcp://HOST:PORT or rfc2217://HOST:PORT, and for the optical port "
    "optical:///dev/serial/by-id/NAME or optical+tcp://HOST:PORT; a serial port may also be given as its path"
)

wire_tap: ContextVar[Callable[[bytes, bool], None] | None] = ContextVar("wire_tap", default=None)
"""Called with all bytes that pass the ports opened in this context, and whether we sent them (True) or the meter did.

For wire traces only: what passes may hold a key in clear text.
"""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a meter is connected, taken apart."""

    scheme: str
    """``serial``, ``tcp``, ``rfc2217``, ``optical`` or ``optical+tcp``."""
    path: str = ""
    """Of a serial port."""
    host: str = ""
    port: int = 0
    baud: int = DEFAULT_BAUD
    rts: bool | None = None
    """What the line RTS is set to after opening; None leaves it as the system sets it. Likewise :attr:`dtr`."""
    dtr: bool | None = None
    turnaround: float | None = None
    """Seconds of an optical port between hearing and sending; None finds it out."""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read an address.

        Raises:
            MisuseError: it has none of the forms; the message shows them.
        """
        if text.startswith("/"):
            return cls("serial", path=text)
        try:
            parts = urlsplit(text)
            port = parts.port
            options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        except ValueError:
            raise MisuseError(f"this address cannot be read. {_FORMS}") from None
        if parts.scheme in _OPTICAL_SCHEMES and "baud" in options:
            raise MisuseError(f"an optical port always begins at {DEFAULT_BAUD} baud; leave baud away")
        baud = cls._baud(options.pop("baud", str(DEFAULT_BAUD)))
        rts, dtr = cls._level("rts", options, parts.scheme), cls._level("dtr", options, parts.scheme)
        turnaround = cls._turnaround(options, parts.scheme)
        if options or parts.fragment or parts.username is not None or parts.password is not None:
            raise MisuseError(
                "an address has no other options than baud, rts, dtr and turnaround, and neither name nor password. "
                f"{_FORMS}"
            )
        settings = cls(parts.scheme, baud=baud, rts=rts, dtr=dtr, turnaround=turnaround)
        if parts.scheme in _SERIAL_SCHEMES and not parts.netloc and parts.path.startswith("/"):
            return replace(settings, path=unquote(parts.path))
        if parts.scheme in _NETWORK_SCHEMES and parts.hostname and port and parts.path in {"", "/"}:
            return replace(settings, host=parts.hostname, port=port)
        raise MisuseError(f"this address cannot be read. {_FORMS}")

    @staticmethod
    def _baud(text: str) -> int:
        baud = int(text) if text.isascii() and text.isdigit() else 0
        if not _MIN_BAUD <= baud <= _MAX_BAUD:
            raise MisuseError(
                f"a baud rate is {_MIN_BAUD} to {_MAX_BAUD}; meters leave the factory with {DEFAULT_BAUD}"
            )
        return baud

    @staticmethod
    def _level(line: str, options: dict[str, str], scheme: str) -> bool | None:
        if line not in options:
            return None
        if scheme not in _LINE_SCHEMES:
            raise MisuseError(f"{scheme}:// carries bytes only, so {line} cannot be set; set it at the serial server")
        level = _LEVELS.get(options.pop(line))
        if level is None:
            raise MisuseError(f"{line} is on or off: ?{line}=on")
        return level

    @staticmethod
    def _turnaround(options: dict[str, str], scheme: str) -> float | None:
        if "turnaround" not in options:
            return None
        if scheme not in _OPTICAL_SCHEMES:
            raise MisuseError("only an optical port has a turnaround; leave it away")
        text = options.pop("turnaround")
        whole, _, rest = text.partition(".")
        digits = whole + rest
        if not (digits.isascii() and digits.isdigit() and float(text) <= _MAX_TURNAROUND):
            raise MisuseError(f"a turnaround is 0 to {_MAX_TURNAROUND} milliseconds: ?turnaround=5")
        return float(text) / 1000

    def __str__(self) -> str:
        options = {
            "baud": None if self.baud == DEFAULT_BAUD else str(self.baud),
            "rts": _LEVEL_NAMES.get(self.rts),
            "dtr": _LEVEL_NAMES.get(self.dtr),
            "turnaround": None if self.turnaround is None else f"{self.turnaround * 1000:g}",
        }
        told = "&".join(f"{name}={value}" for name, value in options.items() if value is not None)
        query = f"?{told}" if told else ""
        if self.path:
            return f"{self.scheme}://{quote(self.path)}{query}"
        return f"{self.scheme}://{self.place}{query}"

    @property
    def place(self) -> str:
        """Host and port of a network address, as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def optical(self) -> bool:
        """Whether it is a meter's optical port, else its MEP port."""
        return self.scheme in _OPTICAL_SCHEMES

    @property
    def latency(self) -> float:
        """Seconds that what lies between this computer and the line may add to an answer."""
        return _SERIAL_LATENCY if self.path else _NETWORK_LATENCY

    @property
    def line(self) -> Line:
        """How fast answers of a MEP port can be expected from there."""
        return Line(self.baud, self.latency)

    @property
    def bare(self) -> Address:
        """The address without settings: where the meter is, however it is spoken to."""
        return replace(self, rts=None, dtr=None, turnaround=None)

    @property
    def bridged(self) -> bool:
        """Whether a bridge or serial server stands between that has serial settings of its own."""
        return self.scheme in {"tcp", "optical+tcp"}

    def by_identity(self, folder: Path = _BY_ID) -> Address:
        """Return the address that stays with a serial adapter when it is plugged in elsewhere, if there is one."""
        if not self.path or Path(self.path).parent == folder or not folder.is_dir():
            return self
        device = Path(self.path).resolve()
        names = sorted(name for name in folder.iterdir() if name.resolve() == device)
        return replace(self, path=str(names[0])) if names else self


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

    def _lost_text(self, exc: Exception | None) -> str:
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
        import serialx  # noqa: PLC0415 - see _errors

        if not isinstance(self._transport, serialx.SerialTransport):
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
            if address.scheme != "rfc2217":
                transport, _ = await loop.create_connection(lambda: port, address.host, address.port)
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            else:
                import serialx  # noqa: PLC0415 - see _errors

                url = f"rfc2217://{address.place}"
                await serialx.create_serial_connection(loop, lambda: port, url, address.baud)
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
