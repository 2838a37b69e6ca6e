"""The ``[alerts]`` section of the configuration: what needs attention, and who is told.

::

    [alerts]
    language = "da"
    quiet_hours = "22:00-07:00"

    [alerts.phase_load]             # needs fuse = 25 in the section of the meter

    [alerts.webhook]
    url = "https://example.org/hook"

This module does not know how anything is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.quiet import Hours, parse_hours
from nes2mqtt.alerts.rule import Rule
from nes2mqtt.host.secret import Secret

__all__ = [
    "AlertsConfig",
    "BaseLoadRule",
    "ClockDriftRule",
    "ExportRule",
    "KeyRefusedRule",
    "MailConfig",
    "MeterEventRule",
    "MeterSilentRule",
    "NoExportRule",
    "PhaseLoadRule",
    "UnbalanceRule",
    "VoltageRule",
    "WebhookConfig",
]

_PHASES = ("l1", "l2", "l3")
_SMTP = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS = re.compile(r"[^\s@<>,;\"\\]+@[^\s@<>,;\"\\]+")
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})

Span = Annotated[Hours, BeforeValidator(parse_hours), PlainSerializer(str)]
Seconds = Annotated[float, Field(ge=0, le=86400)]
Hold = Annotated[float, Field(ge=10, le=86400)]


class _Section(BaseModel):
    model_config = ConfigDict(
        defer_build=True, extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True
    )


class _RuleSection(_Section):
    enabled: bool = True
    """False keeps the section and its numbers, and raises nothing."""
    meters: tuple[str, ...] = ()
    """Ids of the meters it is for; all when empty."""

    def of(self, meter: str) -> bool:
        """Tell whether the section is for a meter."""
        return self.enabled and (not self.meters or meter in self.meters)


class MeterSilentRule(_RuleSection):
    """No values come from the meter: it does not answer, its port is gone, or nothing it says can be believed."""

    raise_after: Hold = 600.0
    """Seconds without values until it is raised."""
    clear_after: Hold = 120.0
    """Seconds with values until it is cleared."""


class KeyRefusedRule(_RuleSection):
    """The meter refuses the key. It is raised at once."""


class PhaseLoadRule(_RuleSection):
    """A phase carries nearly what its fuse allows. Needs ``fuse`` in the section of the meter."""

    percent: Annotated[float, Field(gt=0, le=200)] = 90.0
    """Of the fuse's current; above it the alert is raised."""
    clear_percent: Annotated[float, Field(gt=0, le=200)] = 80.0
    """At or below it the alert is cleared."""
    raise_after: Hold = 60.0
    """Seconds above the limit until it is raised."""
    clear_after: Hold = 120.0
    """Seconds below ``clear_percent`` until it is cleared."""

    @model_validator(mode="after")
    def _band(self) -> PhaseLoadRule:
        if self.clear_percent >= self.percent:
            raise ValueError("clear_percent has to be less than percent, or the alert would come and go")
        return self


class VoltageRule(_RuleSection):
    """The voltage of a phase is out of its band."""

    low: Annotated[float, Field(ge=0, le=1000)] = 207.0
    """V; below it the alert is raised. 207 V and 253 V are 10 % around 230 V, the band of EN 50160."""
    high: Annotated[float, Field(ge=0, le=1000)] = 253.0
    """V; above it the alert is raised."""
    hysteresis: Annotated[float, Field(gt=0, le=100)] = 2.0
    """V that the voltage has to come back into the band until it is cleared."""
    raise_after: Hold = 120.0
    """Seconds out of the band until it is raised."""
    clear_after: Hold = 300.0
    """Seconds well within the band until it is cleared."""

    @model_validator(mode="after")
    def _band(self) -> VoltageRule:
        if self.low + 2 * self.hysteresis >= self.high:
            raise ValueError("between low and high there is no room for twice the hysteresis")
        return self


class UnbalanceRule(_RuleSection):
    """The phases carry unlike currents."""

    amperes: Annotated[float, Field(gt=0, le=1000)] = 20.0
    """Difference between the phase with the most and the one with the least; above it the alert is raised."""
    clear_amperes: Annotated[float, Field(ge=0, le=1000)] = 16.0
    """At or below it the alert is cleared."""
    raise_after: Hold = 300.0
    """Seconds above the limit until it is raised."""
    clear_after: Hold = 300.0
    """Seconds below ``clear_amperes`` until it is cleared."""

    @model_validator(mode="after")
    def _band(self) -> UnbalanceRule:
        if self.clear_amperes >= self.amperes:
            raise ValueError("clear_amperes has to be less than amperes, or the alert would come and go")
        return self


class ExportRule(_RuleSection):
    """The house gives power to the grid."""

    watts: Annotated[float, Field(gt=0, le=1e6)] = 100.0
    """Above it the alert is raised."""
    clear_watts: Annotated[float, Field(ge=0, le=1e6)] = 20.0
    """At or below it the alert is cleared."""
    raise_after: Hold = 60.0
    """Seconds above the limit until it is raised."""
    clear_after: Hold = 600.0
    """Seconds below ``clear_watts`` until it is cleared: a cloud is no end."""

    @model_validator(mode="after")
    def _band(self) -> ExportRule:
        if self.clear_watts >= self.watts:
            raise ValueError("clear_watts has to be less than watts, or the alert would come and go")
        return self


class NoExportRule(_RuleSection):
    """Nothing was given to the grid on a whole day, as when a solar plant is off."""

    hours: Span = parse_hours("10:00-16:00")
    """In which something has to be given. Of four fifths of them values must be known."""
    watts: Annotated[float, Field(gt=0, le=1e6)] = 50.0
    """So much is something."""


class BaseLoadRule(_RuleSection):
    """Much is drawn in the quietest quarter hour of a night."""

    watts: Annotated[float, Field(gt=0, le=1e6, examples=["300"])]
    """Above it the alert is raised, when the night is over. The page tells what is usual in your house."""
    clear_watts: Annotated[float, Field(ge=0, le=1e6)] | None = None
    """At or below it the alert is cleared, after another night. Default: nine tenths of ``watts``."""
    hours: Span = parse_hours("01:00-05:00")
    """Of the night. Of four fifths of them values must be known."""

    @model_validator(mode="after")
    def _band(self) -> BaseLoadRule:
        if self.clear_watts is not None and self.clear_watts >= self.watts:
            raise ValueError("clear_watts has to be less than watts, or the alert would come and go")
        return self


class ClockDriftRule(_RuleSection):
    """The meter's clock is wrong, by which tariffs begin and days end on the bill."""

    seconds: Annotated[float, Field(ge=5, le=86400)] = 120.0
    """Above it the alert is raised."""
    clear_seconds: Annotated[float, Field(ge=2, le=86400)] = 60.0
    """At or below it the alert is cleared."""

    @model_validator(mode="after")
    def _band(self) -> ClockDriftRule:
        if self.clear_seconds >= self.seconds:
            raise ValueError("clear_seconds has to be less than seconds, or the alert would come and go")
        return self


class MeterEventRule(_RuleSection):
    """The meter's own log tells something new. Needs ``events_every`` in the section of the meter, which is on by default."""

    events: tuple[Annotated[int, Field(ge=0, le=4095)], ...] = ()
    """Only these numbers of events; all when empty."""
    outages: bool = True
    """Also power outages."""


class WebhookConfig(_Section):
    """A POST with JSON for each thing that is told."""

    url: Annotated[str, Field(examples=["https://example.org/hook"])]
    """Where to. The certificate is verified. A secret belongs into ``secret``, not into the address, which the log may show."""
    secret: Secret | None = None
    """Sent in the header ``header``, as it is."""
    ca_file: Path | None = None
    """Authority of the server's certificate, if it is one made at home; default: those the system trusts."""
    header: str = "Authorization"
    """The header for ``secret``; for a token often ``Authorization`` with ``Bearer TOKEN`` as the secret."""

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isascii() or not url.isprintable():
            raise ValueError("this is no address; write it as https://HOST/PATH")
        if "@" in parts.netloc:
            raise ValueError("an address takes no name and password here; put them into secret")
        try:
            _ = parts.port
        except ValueError:
            raise ValueError("the port in the address is none") from None
        return url

    @field_validator("header")
    @classmethod
    def _name(cls, header: str) -> str:
        if not _HEADER.fullmatch(header):
            raise ValueError("the name of a header has letters, digits and - only")
        return header

    @field_validator("secret")
    @classmethod
    def _one_line(cls, secret: Secret | None) -> Secret | None:
        if secret is not None and not (secret.reveal().isascii() and secret.reveal().isprintable()):
            raise ValueError("the secret is sent in a header, which takes one line of plain letters")
        return secret

    @model_validator(mode="after")
    def _not_in_the_open(self) -> WebhookConfig:
        parts = urlsplit(self.url)
        if self.secret is not None and parts.scheme == "http" and parts.hostname not in _LOCAL:
            raise ValueError("a secret would be readable on its way; write https:// in url, or leave the secret out")
        return self


class MailConfig(_Section):
    """Mail by your provider's server."""

    host: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9.:-]+$", examples=["smtp.example.org"])]
    """The server for outgoing mail."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """``starttls`` (mostly port 587), ``tls`` from the first byte (465), or ``none``, which only a server on this machine gets."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Default: 587, 465 or 25, by ``security``."""
    username: Annotated[str, Field(min_length=1)] | None = None
    """Who logs in; nobody without it."""
    password: Secret | None = None
    """Of the user."""
    ca_file: Path | None = None
    """Authority of the server's certificate, if it is one made at home; default: those the system trusts."""
    sender: Annotated[str, Field(examples=["meter@example.org"])]
    """Address the mail is from."""
    to: Annotated[tuple[str, ...], Field(min_length=1, max_length=20, examples=['["you@example.org"]'])]
    """Addresses it goes to."""
    wait: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """Seconds to wait for more, so that several alerts make one mail."""

    @field_validator("sender")
    @classmethod
    def _sender(cls, sender: str) -> str:
        if not _ADDRESS.fullmatch(sender) or not sender.isascii():
            raise ValueError("this is no address; write it like meter@example.org")
        return sender

    @field_validator("to")
    @classmethod
    def _to(cls, to: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_ADDRESS.fullmatch(one) and one.isascii() for one in to):
            raise ValueError('one of them is no address; write them like ["you@example.org"]')
        return to

    @model_validator(mode="after")
    def _together(self) -> MailConfig:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: give both or neither")
        if self.security == "none" and self.host not in _LOCAL:
            raise ValueError('mail would be readable on its way; write security = "starttls" or "tls"')
        return self

    @property
    def server_port(self) -> int:
        """Return the port to connect to."""
        return self.port if self.port is not None else _SMTP[self.security]


class AlertsConfig(_Section):
    """What needs attention, and who is told. Each kind but the first two is off until its section is there."""

    language: Literal["en", "da", "de"] = "en"
    """Of mails, of messages to the webhook, and of titles in MQTT."""
    quiet_hours: Span | None = None
    """When nobody is to be told: ``"22:00-07:00"``, by the gateway's time zone. It is told once afterwards. The page and the
    states in MQTT do not wait."""
    urgent: tuple[Kind, ...] = (Kind.PHASE_LOAD,)
    """Kinds that are told in quiet hours, too."""
    meter_silent: MeterSilentRule = MeterSilentRule()
    """On by itself."""
    key_refused: KeyRefusedRule = KeyRefusedRule()
    """On by itself."""
    phase_load: PhaseLoadRule | None = None
    """Off without its section, as all that follow."""
    voltage: VoltageRule | None = None
    """Kinds ``voltage_high`` and ``voltage_low``."""
    unbalance: UnbalanceRule | None = None
    """See its section."""
    export: ExportRule | None = None
    """See its section."""
    no_export: NoExportRule | None = None
    """See its section."""
    base_load: BaseLoadRule | None = None
    """See its section."""
    clock_drift: ClockDriftRule | None = None
    """See its section."""
    meter_event: MeterEventRule | None = None
    """See its section."""
    webhook: WebhookConfig | None = None
    """Who is told by HTTP."""
    mail: MailConfig | None = None
    """Who is told by mail."""

    def check_meters(self, fuses: Mapping[str, float | None]) -> None:
        """Refuse what does not fit the meters.

        Args:
            fuses: of each meter of the configuration, where it is known.

        Raises:
            ValueError: says what is wrong.
        """
        for name, section in self._sections():
            for meter in section.meters:
                if meter not in fuses:
                    raise ValueError(
                        f"alerts.{name} is for the meter '{meter}', which is not configured; there are: {', '.join(fuses)}"
                    )
        if self.phase_load is not None and self.phase_load.enabled:
            without = [meter for meter, fuse in fuses.items() if self.phase_load.of(meter) and fuse is None]
            if without and (self.phase_load.meters or len(without) == len(fuses)):
                raise ValueError(
                    f"alerts.phase_load needs to know the fuse of each phase: add fuse = 25, or what it is, to "
                    f"[meters.{without[0]}]"
                )

    def _sections(self) -> Iterator[tuple[str, _RuleSection]]:
        for name in type(self).model_fields:
            if isinstance(section := getattr(self, name), _RuleSection):
                yield name, section

    def rules(self, fuses: Mapping[str, float | None]) -> Iterator[Rule]:
        """Yield the rules, but for kinds that happen.

        Args:
            fuses: as for :meth:`check_meters`.
        """
        for meter, fuse in fuses.items():
            yield from self._of_the_link(meter)
            for phase in _PHASES:
                yield from self._of_a_phase(meter, phase, fuse)
            yield from self._of_power(meter)

    def _of_the_link(self, meter: str) -> Iterator[Rule]:
        if (silent := self.meter_silent).of(meter):
            yield Rule(Kind.METER_SILENT, meter, 0.5, 0.5, silent.raise_after, silent.clear_after)
        if self.key_refused.of(meter):
            yield Rule(Kind.KEY_REFUSED, meter, 0.5, 0.5)
        if (clock := self.clock_drift) is not None and clock.of(meter):
            yield Rule(Kind.CLOCK_DRIFT, meter, clock.seconds, clock.clear_seconds)

    def _of_a_phase(self, meter: str, phase: str, fuse: float | None) -> Iterator[Rule]:
        if (load := self.phase_load) is not None and load.of(meter) and fuse is not None:
            limits = (fuse * load.percent / 100, fuse * load.clear_percent / 100)
            yield Rule(Kind.PHASE_LOAD, meter, *limits, load.raise_after, load.clear_after, phase=phase, fuse=fuse)
        if (volts := self.voltage) is not None and volts.of(meter):
            holds = (volts.raise_after, volts.clear_after)
            yield Rule(Kind.VOLTAGE_HIGH, meter, volts.high, volts.high - volts.hysteresis, *holds, phase=phase)
            low = volts.low + volts.hysteresis
            yield Rule(Kind.VOLTAGE_LOW, meter, volts.low, low, *holds, below=True, phase=phase)

    def _of_power(self, meter: str) -> Iterator[Rule]:
        if (apart := self.unbalance) is not None and apart.of(meter):
            yield Rule(Kind.UNBALANCE, meter, apart.amperes, apart.clear_amperes, apart.raise_after, apart.clear_after)
        if (given := self.export) is not None and given.of(meter):
            yield Rule(Kind.EXPORT, meter, given.watts, given.clear_watts, given.raise_after, given.clear_after)
        if (none := self.no_export) is not None and none.of(meter):
            yield Rule(Kind.NO_EXPORT, meter, none.watts, none.watts, 0.0, 60.0, below=True)
        if (base := self.base_load) is not None and base.of(meter):
            clear = base.clear_watts if base.clear_watts is not None else 0.9 * base.watts
            yield Rule(Kind.BASE_LOAD, meter, base.watts, clear)
