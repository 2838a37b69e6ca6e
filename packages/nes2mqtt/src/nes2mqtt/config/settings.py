"""The configuration: one TOML file, checked as a whole, into frozen models.

Every section is a model in the room it is for (:class:`~nes2mqtt.meters.config.MeterConfig`,
:class:`~nes2mqtt.outputs.mqtt.config.MqttConfig`, :class:`~nes2mqtt.history.config.HistoryConfig`,
:class:`~nes2mqtt.outputs.web.config.WebConfig`); ``docs/reference/settings.md`` is generated from them.
:func:`load` reports everything that is wrong at once.

This module does not open ports, files of history or sockets.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from nes2mqtt.config import later
from nes2mqtt.config.problems import ConfigError, problems_of
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.host.secret import Secret
from nes2mqtt.meters.config import MeterConfig
from nes2mqtt.meters.production.config import ProductionConfig
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.prices.config import PricesConfig
from nes2mqtt.prices.spot_price import PriceError
from nes2mqtt.timing import time_zone
from osgp.ports.transport import Address
from servicekit.problems import Problem, not_toml
from servicekit.text_file import decode

if TYPE_CHECKING:
    from nes2mqtt.alerts.config import AlertsConfig
    from nes2mqtt.costs.config import ContractConfig

__all__ = [
    "Config",
    "before_last_change",
    "default_data_dir",
    "forget_checks",
    "load",
    "log_secrets",
    "parse",
    "secrets_in",
    "warnings_for",
    "way_back",
]

_MOST_BYTES = 1_000_000
"""A configuration of a thousand meters is a tenth of this; something else was named by mistake."""
_STRICT = ConfigDict(
    defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
)


def _id(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9_]{1,40}", text):
        raise ValueError("must have only small letters a-z, digits and _ (at most 40), because it stands in topics")
    return text


_ZONE_NAME = re.compile(r"[A-Z][\w+-]*(/[A-Z][\w+-]*)*", re.ASCII)
"""What is written otherwise is looked for in the list of all zones, which is made by reading every one of their files: there are
others in their folder, such as those that count leap seconds."""


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str):
        raise ValueError('must be text in quotes, such as "Europe/Copenhagen"')  # noqa: TRY004 - pydantic's way
    if _ZONE_NAME.fullmatch(value):
        with suppress(OSError, ValueError, ZoneInfoNotFoundError):
            return ZoneInfo(value)
    if value in available_timezones():
        return ZoneInfo(value)
    import difflib  # noqa: PLC0415 - only where something is wrong

    close = difflib.get_close_matches(value, available_timezones(), 1)
    hint = f"did you mean '{close[0]}'?" if close else "write it like 'Europe/Copenhagen'"
    raise ValueError(f"there is no such time zone; {hint}")


def _default_zone() -> ZoneInfo:
    """Return the time zone of this machine; UTC when it does not say, which :func:`warnings_for` tells."""
    return time_zone.system_zone(os.environ) or ZoneInfo("UTC")


def default_data_dir() -> Path:
    """Return systemd's StateDirectory, else the user's data folder (XDG Base Directory Specification)."""
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    data = os.environ.get("XDG_DATA_HOME", "")
    return (Path(data) if data else Path.home() / ".local" / "share") / "nes2mqtt"


Id = Annotated[str, AfterValidator(_id)]
"""Stands in topics, file names and unique ids."""

Zone = Annotated[ZoneInfo, BeforeValidator(_zone), PlainSerializer(str)]


def _alerts() -> Any:
    from nes2mqtt.alerts.config import AlertsConfig  # noqa: PLC0415 - only where a file has the section

    return AlertsConfig | None


def _contracts() -> Any:
    from nes2mqtt.costs.config import ContractConfig  # noqa: PLC0415 - only where a file has the section

    return tuple[ContractConfig, ...]


if TYPE_CHECKING:
    Alerts = AlertsConfig | None
    Contracts = tuple[ContractConfig, ...]
else:
    Alerts = Annotated[Any, later.Later(_alerts)]
    Contracts = Annotated[Any, later.Later(_contracts)]


class Config(BaseModel):
    """The whole file."""

    model_config = _STRICT

    name: Id = "nes2mqtt"
    """Name of this gateway in topics and unique ids: lower case letters, digits, ``_``."""
    timezone: Zone = Field(default_factory=_default_zone)
    """Where days and months begin. Default: the system's."""
    data_dir: Path = Field(default_factory=default_data_dir)
    """Folder of the history. Default: systemd's StateDirectory, else ``~/.local/share/nes2mqtt``."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """How much the log tells."""
    meters: Annotated[dict[Id, MeterConfig], Field(min_length=1)]
    """One section ``[meters.ID]`` for each meter; the id stays in topics and unique ids for ever."""
    mqtt: tuple[MqttConfig, ...] = ()
    """One section ``[[mqtt]]`` for each broker."""
    history: HistoryConfig = Field(default_factory=HistoryConfig)
    """The embedded database."""
    web: WebConfig | None = None
    """The page, the REST API and ``/metrics``; off without this section."""
    homeassistant: HomeAssistantConfig | None = None
    """Whose statistics are repaired after a gap; off without this section. Values go by ``[[mqtt]]``."""
    contracts: Contracts = ()
    """One section ``[[contracts]]`` for each bill: what electricity costs."""
    alerts: Alerts = None
    """What needs attention, and who is told; off without this section."""
    prices: PricesConfig | None = None
    """Where spot prices come from; without it lines that need them wait."""
    production: ProductionConfig | None = None
    """What a solar inverter gives; off without this section."""

    @model_validator(mode="after")
    def _topics_differ(self) -> Config:
        for broker in self.mqtt:
            broker.check_meters(self.meters)
        return self

    @model_validator(mode="after")
    def _alerts_fit(self) -> Config:
        if self.alerts is not None:
            self.alerts.check_meters({meter: settings.fuse for meter, settings in self.meters.items()})
        return self

    @model_validator(mode="after")
    def _brokers_differ(self) -> Config:
        seen: set[str] = set()
        for broker in self.mqtt:
            if broker.address in seen:
                raise ValueError(
                    f"two [[mqtt]] sections name the broker {broker.address}; put their dialects into one section"
                )
            seen.add(broker.address)
        return self

    @model_validator(mode="after")
    def _contracts_agree(self) -> Config:
        if not self.contracts:
            return self
        from nes2mqtt.costs.contract import check_all  # noqa: PLC0415 - only where a file has the section

        contracts = [one.contract() for one in self.contracts]
        for one in contracts:
            if one.meter not in self.meters:
                raise ValueError(
                    f"contract '{one.name}' is for meter '{one.meter}', which is not configured; there are: "
                    f"{', '.join(self.meters)}"
                )
            if one.asks_for_spot and self.prices is None:
                raise ValueError(
                    f"contract '{one.name}' needs spot prices, but nothing says where they come from; add a section "
                    '[prices] with, for instance, source = "energi-data-service"'
                )
        if wrong := check_all(contracts):
            raise ValueError(f"contracts: {wrong[0]}")
        return self

    @model_validator(mode="after")
    def _prices_fit(self) -> Config:
        if not self.contracts:
            return self
        from nes2mqtt.costs.contract import SpotStep  # noqa: PLC0415 - only where a file has the section

        service = self.prices.service() if self.prices is not None else None
        currencies: dict[str, str] = {}
        for one in self.contracts:
            if one.spot_area and currencies.setdefault(one.spot_area, one.currency) != one.currency:
                raise ValueError(
                    f"contracts with the spot prices of {one.spot_area} are in {currencies[one.spot_area]} and in {one.currency}; "
                    "write them in one currency"
                )
            if service is None or not one.spot_area:
                continue
            try:
                currency = service.currency(one.spot_area)
            except PriceError as error:
                raise ValueError(f"contract '{one.name}': {error}") from None
            if service.name == "awattar" and one.spot_step is SpotStep.QUARTER:
                raise ValueError(
                    f"contract '{one.name}' charges the price of each quarter hour, and awattar has hours only; write "
                    'spot_step = "hour" if your supplier charges the hour, or take the source energy-charts'
                )
            if currency != one.currency:
                raise ValueError(
                    f"contract '{one.name}' is in {one.currency}, but {service.name} has the prices of {one.spot_area} in "
                    f"{currency}; take a source that has {one.currency}, or write the contract in {currency}"
                )
        return self

    @model_validator(mode="after")
    def _production_fits(self) -> Config:
        if self.production is None:
            return self
        if not self.mqtt:
            raise ValueError("production comes from an MQTT broker; add a section [[mqtt]] with its host")
        meter = self.production.meter
        if meter is None and len(self.meters) > 1:
            raise ValueError(f"production: say whose inverter it is: meter = one of {', '.join(self.meters)}")
        if meter is not None and meter not in self.meters:
            raise ValueError(
                f"production is for meter '{meter}', which is not configured; there are: {', '.join(self.meters)}"
            )
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Config:
        seen: dict[str, str] = {}
        for meter, settings in self.meters.items():
            address = Address.parse(settings.port)
            other = seen.setdefault(address.path or address.place, meter)
            if other != meter:
                raise ValueError(f"meters.{other} and meters.{meter} have the same port; only one can use it")
        return self


def load(file: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it cannot be read or used; says file, line, field, what is wrong and the fix, for all problems.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(_MOST_BYTES + 1)
        text = decode(content)
    except FileNotFoundError as error:
        message = (
            "there is no such file; 'nes2mqtt setup' asks a few questions and writes one, 'nes2mqtt demo' shows the gateway "
            "without one, docs/configuration.md has examples"
        )
        raise ConfigError([Problem(file, None, "", message)]) from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError([Problem(file, None, "", f"cannot be read: {reason}")]) from error
    if len(content) > _MOST_BYTES:
        raise ConfigError([Problem(file, None, "", "is far too long for a configuration; is it another file?")])
    return parse(text, file)


@cache
def _checker() -> TypeAdapter[Config]:
    """Return what checks a whole file. The models are not built for it, so that nothing of it stays when it is forgotten."""
    return TypeAdapter(Config)


def forget_checks() -> None:
    """Give back the megabyte that checking takes; the next check takes it again, and a tenth of a second."""
    _checker.cache_clear()
    later.checker.cache_clear()


def parse(text: str, file: Path) -> Config:
    """Check a configuration's text; ``file`` is its name in messages.

    Raises:
        ConfigError: as :func:`load`.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([not_toml(error, text, file)]) from None
    except RecursionError:
        raise ConfigError([Problem(file, None, "", "holds brackets within brackets without end")]) from None
    try:
        return _checker().validate_python(data)
    except ValidationError as error:
        raise ConfigError(problems_of(error, Config, data, text, file)) from None


def before_last_change(file: Path) -> Path:
    """Return where the configuration is kept as it was before it was last changed in the browser."""
    real = Path(os.path.realpath(file))
    return real.with_name(f"{real.name}.before")


def way_back(file: Path) -> str:
    """Say how to go back to what the configuration was before the last change in the browser; empty without such a change."""
    before = before_last_change(file)
    if not before.is_file():
        return ""
    copy = shlex.join(["sudo", "cp", "-p", str(before), str(file)])
    return (
        f"{before} is the configuration as it was before it was last changed in the browser. If the gateway does not start since then, "
        f"go back to it, then start the gateway again:\n  {copy}"
    )


def secrets_in(value: object, field: str = "") -> Iterator[tuple[str, Secret]]:
    """Yield every secret of a model with the name of its setting: ``meters.house.key``."""
    if isinstance(value, Secret):
        yield field, value
    elif isinstance(value, BaseModel):
        yield from secrets_in({name: getattr(value, name) for name in type(value).model_fields}, field)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from secrets_in(item, f"{field}.{name}" if field else str(name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from secrets_in(item, field)


def warnings_for(config: Config, file: Path) -> list[str]:
    """Return what works but should be changed, for people."""
    warnings = []
    inline = [field for field, secret in secrets_in(config) if secret.inline]
    if inline and stat.S_IMODE(file.stat().st_mode) & (stat.S_IRGRP | stat.S_IROTH):
        warnings.append(
            f"{file} holds secrets ({', '.join(inline)}) and other users can read it; "
            f"type: chmod 600 {file}   or keep the secrets elsewhere: {{ file = ... }}"
        )
    warnings += [
        f"every user of this machine can read {secret.file}, which holds {field}; type: chmod 600 {secret.file}"
        for field, secret in secrets_in(config)
        if secret.file is not None and _is_open_to_all(secret.file)
    ]
    history = config.history.path or config.data_dir / "history.db"
    if _is_open_to_all(history):
        warnings.append(
            f"every user of this machine can read {history}, which shows when people are at home; "
            f"type: chmod 600 {history}*"
        )
    warnings += _zone_warning(config)
    return warnings


def _zone_warning(config: Config) -> Iterator[str]:
    """Warn of a time zone that nobody chose."""
    if "timezone" in config.model_fields_set:
        return
    if time_zone.system_zone(os.environ) is None:
        found = "nothing on this machine tells it"
    elif time_zone.in_container() and str(config.timezone) in {"UTC", "Etc/UTC"}:
        found = "a container has its own"
    else:
        return
    yield (
        f"the configuration does not say the time zone, and {found}: days begin at midnight UTC. "
        'If that is not where the meter stands, add the line: timezone = "Europe/Copenhagen"'
    )


def _is_open_to_all(file: Path) -> bool:
    """Tell whether users who are neither owner nor in the group can read a file, as far as it and its folder say."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH and file.parent.stat().st_mode & stat.S_IXOTH)
    except OSError:
        return False


def log_secrets(config: Config) -> list[str]:
    """Return all texts that must never stand in the log: the secrets, and the meter keys in other forms."""
    texts = [secret.reveal() for _, secret in secrets_in(config)]
    for settings in config.meters.values():
        key = settings.meter_key.secret
        texts += [key.hex(), key.hex(" "), key.decode("latin-1"), repr(key)[2:-1], ", ".join(str(byte) for byte in key)]
    return texts
