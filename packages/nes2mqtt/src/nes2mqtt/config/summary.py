"""What a configuration will do, in lines for people. Secrets: where they come from, never what they are.

This module does not know whether any of it works.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from nes2mqtt.config.settings import Config
from nes2mqtt.costs.contract import holes
from nes2mqtt.host.secret import Secret
from nes2mqtt.meters.config import MeterConfig
from nes2mqtt.outputs.mqtt.config import MqttConfig
from osgp.ports.transport import Address

__all__ = ["summary"]


def summary(config: Config) -> Iterator[str]:
    """Yield the lines."""
    yield f"- be the gateway '{config.name}'; days begin in the time zone {config.timezone}"
    for meter, settings in config.meters.items():
        yield from _meter(meter, settings)
    for broker in config.mqtt:
        yield from _broker(broker)
    if not config.mqtt:
        yield "- publish to no MQTT broker (there is no [[mqtt]] section)"
    if config.history.enabled:
        yield f"- keep the history in {config.history.path or config.data_dir / 'history.db'}"
    else:
        yield "- keep no history: what a broker misses while it is away is lost"
    yield from _costs(config)
    if config.production is not None:
        topics = " and ".join(config.production.topics)
        yield f"- hear what the solar inverter gives on {topics} at {config.mqtt[0].address}"
    yield from _alerts(config)
    yield from _page(config)


def _origin(secret: Secret) -> str:
    return "written in the file" if secret.inline else f"from {secret.origin}"


def _meter(meter: str, settings: MeterConfig) -> Iterator[str]:
    name = f" ({settings.name})" if settings.name else ""
    yield (
        f"- read the meter '{meter}'{name} at {settings.port}, {_security(settings)}: "
        f"power each {settings.present_every:g} s, registers each {settings.registers_every:g} s"
    )
    yield f"    key: {settings.meter_key.form}, {_origin(settings.key)}"
    if settings.power_cycle is not None:
        yield f"    when it stays silent: power cycle by {settings.power_cycle.kind}"


def _security(settings: MeterConfig) -> str:
    if Address.parse(settings.port).optical:
        return "not encrypted"
    return {
        "auto": "with TLS if it speaks it, else not encrypted",
        "tls": "with TLS and nothing else",
        "rc4": "encrypted by RC4, which is weak",
        "rc4-plain": "not encrypted",
    }[settings.security]


def _broker(broker: MqttConfig) -> Iterator[str]:
    tls = "with TLS" if broker.uses_tls else "without encryption"
    yield f"- publish to the broker {broker.address} {tls}: {', '.join(broker.dialects)}"
    if broker.username:
        password = f"password {_origin(broker.password)}" if broker.password is not None else "no password"
        yield f"    as user {broker.username}, {password}"


def _costs(config: Config) -> Iterator[str]:
    for contract in config.contracts:
        until = f" until {contract.ends} (not included)" if contract.ends is not None else ""
        yield (
            f"- know what the {contract.direction} of '{contract.meter}' costs by '{contract.name}', from {contract.begins}{until}: "
            f"{len(contract.lines)} lines, VAT {contract.vat * 100:f} %"
        )
    for hole in holes([contract.contract() for contract in config.contracts]):
        yield f"    but {hole}"
    if config.prices is not None and config.contracts:
        source = config.prices.file or config.prices.source
        yield f"- take spot prices from {source}, keep them in {config.data_dir / 'prices.db'}"


def _alerts(config: Config) -> Iterator[str]:
    section = config.alerts
    if section is None:
        return
    fuses = {meter: settings.fuse for meter, settings in config.meters.items()}
    kinds = dict.fromkeys(rule.kind.value for rule in section.rules(fuses))
    if section.meter_event is not None and section.meter_event.enabled:
        kinds["meter_event"] = None
    yield f"- watch for {', '.join(kinds) or 'nothing: each section of [alerts] is off'}"
    if section.quiet_hours is not None:
        urgent = f", but for {', '.join(section.urgent)}" if section.urgent else ""
        yield f"    tell nobody from {str(section.quiet_hours).replace('-', ' to ')}{urgent}"
    if section.webhook is not None:
        yield f"    tell {urlsplit(section.webhook.url).netloc} by webhook"
    if section.mail is not None:
        yield f"    tell {', '.join(section.mail.to)} by mail through {section.mail.host}:{section.mail.server_port}"


def _page(config: Config) -> Iterator[str]:
    if config.web is None:
        yield "- show no page (there is no [web] section)"
        return
    reach = "this machine only" if config.web.address.is_loopback else "all who can reach it and know the password"
    yield f"- show the page at {config.web.url}, for {reach}"
    for name, secret in (("password", config.web.password), ("token", config.web.token)):
        if secret is not None:
            yield f"    {name} {_origin(secret)}"
