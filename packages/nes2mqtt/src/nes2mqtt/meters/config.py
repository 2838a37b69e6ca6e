"""The ``[meters.ID]`` sections of the configuration: where a meter is, its key, how often it is read.

This module does not open ports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from nes2mqtt.host.secret import Secret
from osgp.errors import KeyFormatError, MisuseError
from osgp.key import MeterKey
from osgp.optical.key import OpticalKey, Padding
from osgp.ports.tap.greeting import token_bytes
from osgp.ports.transport import Address
from osgp.tables.logs.event_names import parse_names

__all__ = ["CommandPowerCycle", "GpioPowerCycle", "LinePowerCycle", "MeterConfig", "PowerCycle"]

_TABLE_READS = 1.0
_STRICT = ConfigDict(
    defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
)


def _key_for(port: str, text: str) -> MeterKey:
    """Read a key as the port needs it: the optical port compares more of it."""
    return OpticalKey.parse(text) if Address.parse(port).optical else MeterKey.parse(text)


def _meter_key(secret: Secret, others: ValidationInfo) -> Secret:
    if "port" not in others.data:
        return secret  # what is wrong with the port is said already, and decides about the key
    try:
        _key_for(others.data["port"], secret.reveal())
    except KeyFormatError as error:
        raise ValueError(str(error) if secret.inline else f"{error} (it came from {secret.origin})") from error
    return secret


def _decimal_list(value: object) -> object:
    """Take a key written as a TOML list of numbers for its text form."""
    if isinstance(value, list) and all(isinstance(item, int) for item in value):
        return ", ".join(str(item) for item in value)
    return value


_OTHER_PORTS = (
    (r"[\w.-]+:\d+", "write tcp:// before it"),
    (r"(?:socket|telnet|tcps?|raw|ser2net|http)://[\w.-]+:\d+/?", "write it as tcp://HOST:PORT"),
    (r"tty\w+", "write /dev/ before it"),
    (r"file:(?://)?/dev/.+", "begin it with /dev/"),
)
"""Ports as other programs write them, and how to write them here. What stands in the file is not repeated."""


def _port(url: str) -> str:
    url = url.strip()
    try:
        return str(Address.parse(url))
    except MisuseError as error:
        for form, advice in _OTHER_PORTS:
            if re.fullmatch(form, url):
                raise ValueError(f"this address has another program's form; {advice}") from error
        raise ValueError(f"{error}. See the serial ports with: ls -l /dev/serial/by-id") from error


def _module_token(secret: Secret) -> Secret:
    try:
        token_bytes(secret.reveal())
    except MisuseError as error:
        raise ValueError(str(error) if secret.inline else f"{error} (it came from {secret.origin})") from error
    return secret


TokenSecret = Annotated[Secret, AfterValidator(_module_token)]
KeySecret = Annotated[Secret, BeforeValidator(_decimal_list), AfterValidator(_meter_key)]
Port = Annotated[str, AfterValidator(_port)]


def _event_names(file: Path) -> Path:
    try:
        parse_names(file.read_text(encoding="utf-8"), str(file))
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}") from error
    except (MisuseError, UnicodeDecodeError) as error:
        raise ValueError(str(error) if isinstance(error, MisuseError) else f"{file} is no UTF-8 text") from error
    return file


EventNames = Annotated[Path, AfterValidator(_event_names)]


class GpioPowerCycle(BaseModel):
    """Switch the level shifter's supply with a GPIO line (needs the ``gpio`` extra)."""

    model_config = _STRICT

    kind: Literal["gpio"]
    """Which action it is."""
    line: Annotated[int, Field(ge=0, examples=["17"])]
    """Number of the line on the chip."""
    chip: str = "/dev/gpiochip0"
    """The GPIO chip."""
    active_low: bool = False
    """True when the supply is on while the line is low."""
    off_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    """How long the supply stays off."""


class LinePowerCycle(BaseModel):
    """Switch the level shifter's supply with a control line of the same serial port."""

    model_config = _STRICT

    kind: Literal["dtr", "rts"]
    """Which line feeds the level shifter."""
    off_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    """How long the supply stays off."""


class CommandPowerCycle(BaseModel):
    """Run a command that switches the level shifter off and on again."""

    model_config = _STRICT

    kind: Literal["command"]
    """Which action it is."""
    command: Annotated[tuple[str, ...], Field(min_length=1, examples=['["/usr/local/bin/meter-power-cycle"]'])]
    """Program and arguments; no shell is involved."""
    timeout: Annotated[float, Field(gt=0, le=300)] = 30.0
    """Seconds after which the command is ended."""


PowerCycle = Annotated[GpioPowerCycle | LinePowerCycle | CommandPowerCycle, Field(discriminator="kind")]


class MeterConfig(BaseModel):
    """One meter: where it is, its key, how often it is read."""

    model_config = _STRICT
    former_settings: ClassVar[Mapping[str, str]] = {
        "encrypt": 'write security = "rc4" in place of encrypt = true; leave encrypt = false out, or write security = "rc4-plain"'
    }

    port: Annotated[Port, Field(examples=['"serial:///dev/serial/by-id/usb-..."'])]
    """MEP port: ``serial:///dev/serial/by-id/...``, ``tcp://HOST:PORT``, ``rfc2217://HOST:PORT``, or ``module://HOST`` for a module in
    the meter with our program. Optical port:
    ``optical:///dev/serial/by-id/...``, or ``optical+tcp://HOST:PORT`` for a Wi-Fi head or ser2net.
    A by-id name stays the same when the adapter is plugged in again. Behind a ``?``: ``rts=on``, ``dtr=on``,
    ``turnaround=5``, ``baud=19200``."""
    key: Annotated[KeySecret, Field(examples=['{ file = "/etc/nes2mqtt/house.key" }'])]
    """The meter's basic key (MBK) as the grid company hands it out: 20 or 16 characters, 40 or 32 hex digits,
    or a list of 20 or 16 numbers. For an optical port its read-only key (RK), which may also be shorter."""
    token: Annotated[TokenSecret | None, Field(examples=['{ file = "/etc/nes2mqtt/house.token" }'])] = None
    """Of the module in the meter, for ``module://HOST``: what stands on its label. The meter's key stays on this side."""
    key_padding: Literal["zeros", "blanks"] = "zeros"
    """Optical port: what a key of less than 20 characters is filled up with. Grid companies differ; ask yours."""
    name: str = ""
    """What people call the meter; its id when empty."""
    security: Literal["auto", "tls", "rc4", "rc4-plain"] = "auto"
    """MEP port: how to protect what goes over the wire. ``tls``; ``rc4``, which is encrypted but weak; ``rc4-plain``, which is not
    encrypted; ``auto``: TLS if the meter speaks it, else ``rc4-plain``. Replies are verified in each case. The log says
    what ``auto`` found. Once that was TLS, nothing less is taken: the history keeps it. Without a history write ``tls`` here."""
    present_every: Annotated[float, Field(ge=0.1, le=3600)] = 2.0
    """Seconds between two reads of power, voltage and current (table BT28)."""
    registers_every: Annotated[float, Field(ge=0.1, le=3600)] = 10.0
    """Seconds between two reads of the energy registers (table BT23)."""
    clock_every: Annotated[float, Field(ge=10, le=86400)] = 600.0
    """Seconds between two reads of the meter's clock (table BT52)."""
    devices_every: Annotated[float, Field(ge=0, le=86400)] = 900.0
    """Seconds between two looks for gas, water and heat meters behind the meter (tables ET14, ET16); 0: never. The meter reads
    them once an hour or less often, and nothing here makes it read them more often: their batteries last as long as before."""
    condition_every: Annotated[float, Field(ge=0, le=86400)] = 300.0
    """Seconds between two looks at what the meter says of itself: alarms, contactor, tariff, quality of the supply (tables BT03,
    BT54, BT55, ET09, ET23, ET46, ET47, ET54); 0: never."""
    events_every: Annotated[float, Field(ge=0, le=86400)] = 900.0
    """Seconds between two looks for new entries in the meter's own logs of events and power outages (tables BT74, ET79, ET81,
    ET09); 0: never. Both are also looked at after a silence, and when the meter raises an alert."""
    event_names: EventNames | None = None
    """File with names for the numbers of the meter's events, which differ from model to model: TOML with lines such as
    ``69 = "cover opened"`` under ``[events]``, as ``osgp events --names`` takes it."""
    reads_per_second: Annotated[float, Field(gt=0, le=10)] = _TABLE_READS
    """Table reads a second on average. The meter's maker asks for at most 1."""
    max_power: Annotated[float, Field(gt=0)] = 100_000.0
    """The most power in W that can flow through the meter; what the meter says it is made for, if that is more.
    A register that rises faster waits for a second read; a power of twice that is left out."""
    fuse: Annotated[float, Field(gt=0, le=1000, examples=["25"])] | None = None
    """Current in A of the main fuse of each phase: the page's bars fill to it; ``[alerts.phase_load]`` needs it."""
    segment: Annotated[int, Field(ge=1)] = 1
    """When the meter was replaced or its registers were reset and the gateway did not notice: the number the log names."""
    power_cycle: PowerCycle | None = None
    """What to do when the meter stays silent: switch a stuck level shifter off and on again."""

    @property
    def meter_key(self) -> MeterKey:
        """Return the key, ready to use."""
        return _key_for(self.port, self.key.reveal())

    @property
    def names_of_events(self) -> Mapping[int, str]:
        """Return what the owner calls events, by number.

        Raises:
            OSError: the file cannot be read any more.
            MisuseError: it was changed, and is no file of names now.
        """
        return {} if self.event_names is None else parse_names(self.event_names.read_text(encoding="utf-8"))

    @property
    def padding(self) -> Padding:
        """Return :attr:`key_padding` as the optical port takes it."""
        return Padding.BLANKS if self.key_padding == "blanks" else Padding.ZEROS

    @model_validator(mode="after")
    def _fits_budget(self) -> MeterConfig:
        asked = 1 / self.present_every + 1 / self.registers_every
        if asked > self.reads_per_second + 1e-9:
            raise ValueError(
                f"present_every and registers_every ask for {asked:.2g} table reads a second, but "
                f"reads_per_second allows {self.reads_per_second:g}; make them longer, or raise reads_per_second "
                "(the meter's maker asks for at most 1 on average)"
            )
        if isinstance(self.power_cycle, LinePowerCycle) and self.port.startswith(("tcp:", "optical+tcp:")):
            raise ValueError(
                f'power_cycle kind = "{self.power_cycle.kind}" needs a serial port; a tcp:// port has no such line'
            )
        return self

    @model_validator(mode="after")
    def _fits_port(self) -> MeterConfig:
        address = Address.parse(self.port)
        optical = address.optical
        if self.token is not None:
            try:
                address.with_token(self.token.reveal())
            except MisuseError as error:
                raise ValueError(str(error)) from error
        elif address.scheme == "module":
            raise ValueError(
                'a module lends its line only to who has its token, which stands on its label. Add token = { file = "..." }'
            )
        if optical and self.security != "auto":
            raise ValueError("security is for the MEP port; the optical port knows no encryption. Remove the line")
        if not optical and self.key_padding != "zeros":
            raise ValueError("key_padding is for the optical port. Remove the line")
        return self
