"""Where a meter is connected, as text and taken apart.

An address is one of::

    serial:///dev/serial/by-id/usb-...   or just the path; ?baud=9600
    tcp://host:port                      raw bytes, as ser2net ("raw") and ESP bridges speak
    rfc2217://host:port?baud=9600        Telnet with serial settings, for servers that need it
    module://host:port                   a module in the meter with our program; port 2323 may be left away
    optical:///dev/serial/by-id/usb-...  a probe on the meter's optical port
    optical+tcp://host:port              a Wi-Fi head there, or a probe behind ser2net

Behind a ``?`` may stand ``rts=on`` or ``off`` and ``dtr=on`` or ``off`` for a serial port whose level shifter or probe
draws its power from these lines, and for an optical port ``turnaround=MILLISECONDS`` (see
:class:`osgp.optical.settings.SessionSettings`); several are joined by ``&``.

A module wants its token (:meth:`Address.with_token`), which is no part of the text; with it ``tcp://`` and ``rfc2217://`` reach it too.

This module does not open ports.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from osgp.errors import MisuseError
from osgp.mep.timing import DEFAULT_BAUD, Line
from osgp.ports.tap.greeting import PORT, token_bytes

__all__ = ["Address"]

_NETWORK_LATENCY = 0.5
"""Allowance for Wi-Fi bridges that collect bytes before they send them."""

_SERIAL_LATENCY = 0.04
"""Allowance for USB adapters, which pass bytes on every 16 ms."""

_SERIAL_SCHEMES = frozenset({"serial", "optical"})
_NETWORK_SCHEMES = frozenset({"tcp", "rfc2217", "optical+tcp", "module"})
_TOKEN_SCHEMES = frozenset({"tcp", "rfc2217", "module"})
_OPTICAL_SCHEMES = frozenset({"optical", "optical+tcp"})

_LINE_SCHEMES = frozenset({"serial", "optical", "rfc2217"})
_LEVELS = {"on": True, "off": False}
_LEVEL_NAMES: dict[bool | None, str] = {True: "on", False: "off"}
_MAX_TURNAROUND = 500
"""Milliseconds."""

_MIN_BAUD, _MAX_BAUD = 300, 115200  # MEP guide v1.1 p. 20
_BY_ID = Path("/dev/serial/by-id")

_FORMS = (
    "Write serial:///dev/serial/by-id/NAME, tcp://HOST:PORT, rfc2217://HOST:PORT or module://HOST, and for the optical port "
    "optical:///dev/serial/by-id/NAME or optical+tcp://HOST:PORT; a serial port may also be given as its path"
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a meter is connected, taken apart."""

    scheme: str
    """``serial``, ``tcp``, ``rfc2217``, ``optical``, ``optical+tcp`` or ``module``."""
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
    token: bytes = field(default=b"", repr=False, compare=False)
    """For a module in the meter; never shown."""

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
        if parts.scheme == "module":
            port = PORT if port is None else port
            if options:
                raise MisuseError("module:// has no options: the module knows its line. Leave them away")
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

    def with_token(self, text: str) -> Address:
        """Return the address with the token of the module that is there.

        Raises:
            MisuseError: it is no token, or no module can be at such an address.
        """
        if self.scheme not in _TOKEN_SCHEMES:
            raise MisuseError(
                "a token is for a module in the meter: module://HOST. Remove the token, or correct the port"
            )
        return replace(self, token=token_bytes(text))

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
