"""The ``[[mqtt]]`` section of the configuration: one broker, and what is published there.

::

    [[mqtt]]
    host = "192.168.1.10"
    username = "nes2mqtt"
    password = { file = "/etc/nes2mqtt/mqtt-password" }
    dialects = ["homeassistant", "nmr-raw"]

    [mqtt.tls]                      # leave out for an unencrypted connection
    ca_file = "/etc/ssl/my-ca.pem"  # default: the certificate authorities the system trusts

    [mqtt.nmr-raw]
    every = 10

This module does not know how anything is published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from nes2mqtt.host.secret import Secret
from nes2mqtt.outputs.mqtt.homeassistant_names import DISPLAY

__all__ = [
    "DabblerOptions",
    "DialectName",
    "HomeAssistantOptions",
    "MqttConfig",
    "NmrRawOptions",
    "Protocol",
    "TlsConfig",
]

PLAIN_PORT = 1883
TLS_PORT = 8883
"""The ports registered for MQTT and for MQTT over TLS (MQTT 3.1.1, section 4.2)."""

TOPIC_LIMIT = 65535
"""Bytes an MQTT string may have (MQTT 3.1.1, section 1.5.3)."""

_PLACEHOLDER = "{meter}"


def _topic(text: str) -> str:
    """Check a topic prefix: what a broker accepts in a PUBLISH, and what does not surprise in one."""
    if not text:
        raise ValueError("a topic cannot be empty; leave the line out for the default")
    if found := sorted(set(text) & {"+", "#"}):
        raise ValueError(f"it holds {' and '.join(found)}: wildcards are for subscribing, not for publishing")
    if "\x00" in text:
        raise ValueError("a topic cannot hold the character NUL")
    if text.startswith("/") or text.endswith("/"):
        raise ValueError("write the topic without a slash at its start or end")
    if text.startswith("$"):
        raise ValueError("topics that start with $ belong to the broker")
    if len(text.encode()) > TOPIC_LIMIT // 2:
        raise ValueError("a topic this long does not fit into MQTT with what is added to it")
    return text


def _dialect_topic(text: str) -> str:
    """Check a dialect's topic prefix, where ``{meter}`` stands for the meter's id."""
    rest = text.replace(_PLACEHOLDER, "")
    if "{" in rest or "}" in rest:
        raise ValueError(f"the only placeholder is {_PLACEHOLDER}, the meter's id")
    _topic(text)
    return text


Topic = Annotated[str, AfterValidator(_topic)]
DialectTopic = Annotated[str, AfterValidator(_dialect_topic)]
Seconds = Annotated[float, Field(ge=0, le=3600)]


class _Section(BaseModel):
    model_config = ConfigDict(
        defer_build=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


class DialectName(StrEnum):
    """The sets of topics and formats this program speaks."""

    HOMEASSISTANT = "homeassistant"
    NMR_RAW = "nmr-raw"
    DABBLER = "dabbler"


class Protocol(StrEnum):
    """MQTT version. 3.1.1 is what every broker speaks; only with 5 a broker can say what it refuses, and why."""

    AUTO = "auto"
    """5, and 3.1.1 with a broker that does not speak it."""
    V311 = "3.1.1"
    V5 = "5"


class TlsConfig(_Section):
    """How to trust the broker, and how the broker can trust us."""

    enabled: bool = True
    """False keeps the section but connects unencrypted."""
    ca_file: Path | None = None
    """Certificate authority of the broker; default: those the system trusts."""
    cert_file: Path | None = None
    """Our own certificate, if the broker asks for one."""
    key_file: Path | None = None
    """The key of our certificate."""
    insecure: bool = False
    """Accept any certificate: encrypted, but anybody can pretend to be the broker."""

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: give both or neither")
        for path in (self.ca_file, self.cert_file, self.key_file):
            if path is not None and not path.is_file():
                raise ValueError(f"there is no file {path}")
        return self


class HomeAssistantOptions(_Section):
    """Device-based discovery for Home Assistant."""

    discovery_prefix: Topic = "homeassistant"
    """As set in Home Assistant's MQTT integration."""
    every: Seconds = 10.0
    """Seconds between live values; 0: each one read. Home Assistant stores every change."""
    suggested_area: Annotated[str, Field(min_length=1, max_length=100, examples=["Basement"])] | None = None
    """Where Home Assistant puts the meters when it first sees them."""


class NmrRawOptions(_Section):
    """One value per topic, as NES-MEP-Reader's raw formats."""

    base_topic: DialectTopic | None = None
    """Default: the connection's base_topic. With several meters it must hold ``{meter}``."""
    every: Seconds = 0.0
    """Seconds between live values; 0: each one read (NES-MEP-Reader offered 2 and 10)."""
    aliases: bool = True
    """Also publish the names of the project's README of May 2023 (serial number, firmware)."""


class DabblerOptions(_Section):
    """The six topics of the Dabbler firmware."""

    base_topic: DialectTopic = "dabbler"
    """The firmware's topic prefix. With several meters it must hold ``{meter}``."""
    every: Annotated[float, Field(ge=1, le=3600)] = 10.0
    """Seconds between the messages, as the firmware's fixed 10."""


class MqttConfig(_Section):
    """One broker."""

    host: Annotated[str, Field(min_length=1, examples=["192.168.1.10"])]
    """Name or address of the broker."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Default: 1883, or 8883 with TLS."""
    tls: TlsConfig | None = None
    """Encryption; without this section the connection is unencrypted."""
    username: str | None = None
    """Who we are to the broker; default: nobody in particular."""
    password: Secret | None = None
    """The user's password."""
    client_id: Annotated[str, Field(min_length=1)] | None = None
    """Default: the gateway's name and a random end, so that two programs never evict each other.

    Set it only to keep an identity others match on (FHEM as the broker)."""
    protocol: Protocol = Protocol.AUTO
    """MQTT version; ``auto``: 5, or 3.1.1 with a broker that does not speak it. Only with 5 can it say what it refuses."""
    keepalive: Annotated[int, Field(ge=5, le=3600)] = 30
    """Seconds after which the broker notices that this program is gone: one and a half times this."""
    base_topic: Topic = "nes2mqtt"
    """What all topics start with, except where a dialect has a base_topic of its own."""
    dialects: Annotated[tuple[DialectName, ...], Field(min_length=1)] = (DialectName.HOMEASSISTANT,)
    """The sets of topics to publish, side by side."""
    diagnostics_every: Annotated[float, Field(ge=1, le=86400)] = 60.0
    """Seconds between repeats of identity, state and link counts."""
    homeassistant: HomeAssistantOptions = HomeAssistantOptions()
    """Options of the dialect ``homeassistant``."""
    nmr_raw: Annotated[NmrRawOptions, Field(alias="nmr-raw")] = NmrRawOptions()
    """Options of the dialect ``nmr-raw``."""
    dabbler: DabblerOptions = DabblerOptions()
    """Options of the dialect ``dabbler``."""

    @field_validator("host")
    @classmethod
    def _bare_host(cls, host: str) -> str:
        # The value is not repeated: people paste mqtt://USER:PASSWORD@HOST.
        if set("/@") & set(host):
            raise ValueError(
                "write only the name or address of the broker; the port as port = 1883, "
                "user and password as username = and password ="
            )
        if re.fullmatch(r"[^:]+:\d+", host):
            name, port = host.split(":")
            raise ValueError(f'write host = "{name}" and port = {port}')
        return host

    @property
    def publishes_energy(self) -> bool:
        """Tell whether a dialect publishes the energy of the running hour, day and month, which must be counted for it."""
        return DialectName.NMR_RAW in self.dialects

    @property
    def publishes_costs(self) -> bool:
        """Tell whether a dialect publishes prices and costs, which must be worked out for it."""
        return DialectName.HOMEASSISTANT in self.dialects

    @field_validator("dialects")
    @classmethod
    def _once_each(cls, dialects: tuple[DialectName, ...]) -> tuple[DialectName, ...]:
        if len(set(dialects)) != len(dialects):
            raise ValueError("a dialect is named twice")
        return dialects

    @field_validator("client_id")
    @classmethod
    def _client_id_text(cls, client_id: str | None) -> str | None:
        if client_id is not None and "\x00" in client_id:
            raise ValueError("a client id cannot hold the character NUL")
        return client_id

    @model_validator(mode="after")
    def _password_needs_user(self) -> Self:
        if self.password is not None and not self.username:
            raise ValueError("a password needs a username beside it")
        return self

    @model_validator(mode="after")
    def _home_assistants_own_topics(self) -> Self:
        if self.base_topic == self.homeassistant.discovery_prefix:
            raise ValueError(
                f"base_topic '{self.base_topic}' is Home Assistant's own: its status and ours would be the same topic; "
                "choose another base_topic"
            )
        return self

    @property
    def uses_tls(self) -> bool:
        """Tell whether the connection is encrypted."""
        return self.tls is not None and self.tls.enabled

    @property
    def broker_port(self) -> int:
        """Return the port to connect to."""
        return self.port if self.port is not None else (TLS_PORT if self.uses_tls else PLAIN_PORT)

    @property
    def address(self) -> str:
        """Return the broker for people: ``192.168.1.10:1883``."""
        return f"[{self.host}]:{self.broker_port}" if ":" in self.host else f"{self.host}:{self.broker_port}"

    @property
    def name(self) -> str:
        """Return what tells this section from the others, also after a restart: ``mqtt 192.168.1.10:1883 nes2mqtt``."""
        return f"mqtt {self.address} {self.base_topic}"

    def dialect_base(self, dialect: DialectName) -> str:
        """Return the topic prefix of a dialect; may hold ``{meter}``."""
        if dialect is DialectName.DABBLER:
            return self.dabbler.base_topic
        if dialect is DialectName.NMR_RAW and self.nmr_raw.base_topic is not None:
            return self.nmr_raw.base_topic
        return self.base_topic

    def check_meters(self, meters: Iterable[str]) -> None:
        """Refuse a configuration in which two meters would publish to the same topics, or under the same id.

        Raises:
            ValueError: several meters, and a dialect whose topics do not name the meter; or names that make one id.
        """
        meters = set(meters)
        if DialectName.HOMEASSISTANT in self.dialects:
            for meter in sorted(meters):
                if f"{meter}_{DISPLAY}" in meters:
                    raise ValueError(
                        f"meters.{meter} and meters.{meter}_{DISPLAY} would have one id in Home Assistant: what the display "
                        f"of {meter} shows is called {meter}_{DISPLAY} there. Choose another name for meters.{meter}_{DISPLAY}"
                    )
        if len(meters) < 2:  # noqa: PLR2004 - two is where several starts
            return
        for dialect in (DialectName.NMR_RAW, DialectName.DABBLER):
            if dialect in self.dialects and _PLACEHOLDER not in self.dialect_base(dialect):
                raise ValueError(
                    f"several meters would share the topics of dialect {dialect}; "
                    f'set [mqtt.{dialect}] base_topic = "{self.dialect_base(dialect)}/{_PLACEHOLDER}"'
                )
