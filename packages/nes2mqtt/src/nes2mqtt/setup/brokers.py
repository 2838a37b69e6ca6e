"""Which MQTT brokers are near, and whether one takes what the gateway will publish: tried with a real message.

The message goes through the gateway's own client to a topic below its own, kept, read back and deleted. Nothing stays.

This module does not know what the gateway publishes.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from nes2mqtt.outputs.mqtt.client.connection import Answer, Client, Disconnected, NoGreeting, NoMqtt, Refused, Version
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.wire_client import WireClient
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig, TlsConfig
from nes2mqtt.setup.announced import announced
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.services import Service

_Answer = TypeVar("_Answer")

__all__ = ["NEAR", "NearBroker", "near_brokers", "try_broker"]

HOME_ASSISTANT = "homeassistant.local"
NEAR = ("localhost", HOME_ASSISTANT)
"""Where brokers usually are."""
_PLAIN, _SECURE, _HOME_ASSISTANT = "_mqtt._tcp", "_secure-mqtt._tcp", "_home-assistant._tcp"
_KINDS = (_PLAIN, _SECURE, _HOME_ASSISTANT)
"""What brokers announce themselves as (IANA's registry of service names), and Home Assistant, which often has one beside it."""
_PORT = 1883
_KNOCK = 1.0
"""Seconds for a broker that is near to take a connection."""
_PATIENCE = 10.0
"""Seconds for each answer of a broker."""
_CREDENTIALS = frozenset({0x86, 0x87})
"""Bad user name or password, not authorised (MQTT 5, section 2.4)."""
_OLDER = frozenset({0x80, 0x81, 0x82, 0x84})
"""With these a broker of MQTT 3.1.1 may answer a greeting of MQTT 5."""


@dataclass(frozen=True, slots=True)
class NearBroker:
    """A broker that takes connections; whether it takes ours is tried later."""

    host: str
    port: int
    tls: bool = False

    @property
    def answers(self) -> dict[str, str]:
        """Return it as the step's answers say it; a usual port is not said."""
        usual = MqttConfig(host="any", tls=TlsConfig() if self.tls else None).broker_port
        return {
            "host": self.host,
            "broker_port": "" if self.port == usual else str(self.port),
            "tls": "yes" if self.tls else "no",
        }

    @property
    def title(self) -> str:
        """Return how it is shown: ``raspberrypi.local``, ``raspberrypi.local:8884 (TLS)``."""
        port = self.answers["broker_port"]
        return f"{self.host}{':' if port else ''}{port}{' (TLS)' if self.tls else ''}"


Announced = Callable[[Sequence[str]], Awaitable[Sequence[Service]]]


async def near_brokers(hosts: Sequence[str] = NEAR, port: int = _PORT, ask: Announced = announced) -> list[NearBroker]:
    """Return the brokers of some hosts and those that announce themselves, each once, the likeliest first.

    Args:
        hosts: asked first.
        port: theirs.
        ask: finds services of some kinds in the home network.
    """
    known, services = await asyncio.gather(_knocked(NearBroker(host, port) for host in hosts), ask(_KINDS))
    wanted = []
    for service in services:
        # Home Assistant says where it is, not whether its broker is there; and its name in the network is a long number.
        is_hint = service.kind == _HOME_ASSISTANT
        if is_hint and any(found.host == HOME_ASSISTANT for found, _ in known):
            continue
        places = service.addresses if is_hint else (service.host, *service.addresses)
        wanted += [NearBroker(place, port if is_hint else service.port, service.kind == _SECURE) for place in places]
    found: dict[tuple[str, int], NearBroker] = {}
    hosts_found: set[str] = set()
    for broker, reached in [*known, *await _knocked(wanted)]:
        if broker.host not in hosts_found and (reached, broker.port) not in found:
            found[reached, broker.port] = broker
            hosts_found.add(broker.host)
    return list(found.values())


async def _knocked(brokers: Iterable[NearBroker]) -> list[tuple[NearBroker, str]]:
    """Return those that take a connection, each with the address where it was reached."""

    async def reached(broker: NearBroker) -> str:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_KNOCK):
                _, writer = await asyncio.open_connection(broker.host, broker.port)
            there, here = (writer.get_extra_info(end) for end in ("peername", "sockname"))
            writer.close()
            if there is not None and here is not None:  # None: it broke the connection off at once
                return "here" if there[0] == here[0] else str(there[0])
        return ""

    brokers = list(brokers)
    places = await asyncio.gather(*map(reached, brokers))
    return [(broker, place) for broker, place in zip(brokers, places, strict=True) if place]


async def try_broker(config: MqttConfig) -> Said | None:
    """Publish, read back and delete; return what is wrong, None when nothing is.

    Args:
        config: the section as it will be written, with the password itself.
    """
    name = f"nes2mqtt-setup-{secrets.token_hex(4)}"
    topic = f"{config.base_topic}/setup/{name}"
    topics = [topic]
    if DialectName.HOMEASSISTANT in config.dialects:
        topics.append(f"{config.homeassistant.discovery_prefix}/device/{name}/config")
    try:
        for version in (Version.V5, Version.V311):
            try:
                return await _try(WireClient(config, name, Message(topic, ""), version), topics, config)
            except Disconnected as lost:
                if version is Version.V311 or not _may_be_older(lost):
                    return _why(lost, config)
    except (OSError, ValueError) as error:
        return _why(error, config)
    return None


async def _try(client: Client, topics: Sequence[str], config: MqttConfig) -> Said | None:
    """Publish to the first topic and see it come back; clear all."""
    values: dict[str, str | int] = {"broker": config.address, "topic": topics[0]}
    try:
        await client.connect()
        heard = asyncio.ensure_future(_hear(client, topics[0]))
        try:
            if any(await _answered(client.subscribe([topics[0]]))):
                return Said("broker_forbids_read", "", values, passable=True)
            for number, topic in enumerate(topics):
                values["topic"] = topic
                await _answered(client.publish(Message(topic, "" if number else "test", 1, retain=True)))
            values["topic"] = topics[0]
            done, _ = await asyncio.wait((heard,), timeout=_PATIENCE / 2)
            await _answered(client.publish(Message(topics[0], "", 1, retain=True)))
            # A broker of MQTT 3.1.1 confirms what its access list then drops, so only what comes back is proof.
            return None if done and heard.exception() is None else Said("broker_drops", "", values, passable=True)
        finally:
            heard.cancel()
            with contextlib.suppress(asyncio.CancelledError, Disconnected):
                await heard
    except Refused as refused:
        if refused.answer is Answer.PUBACK:
            return Said("broker_forbids", "", values, passable=True)
        raise
    except TimeoutError:
        return Said("broker_silent", "host", values, passable=True)
    finally:
        with contextlib.suppress(Disconnected, TimeoutError):
            async with asyncio.timeout(_KNOCK):
                await client.disconnect()
        client.hang_up()


async def _answered(answer: Awaitable[_Answer]) -> _Answer:
    async with asyncio.timeout(_PATIENCE):
        return await answer


async def _hear(client: Client, topic: str) -> None:
    async for message in client.messages():
        if message.topic == topic and message.payload:
            return


def _causes(error: BaseException) -> Iterator[BaseException]:
    behind: BaseException | None = error
    for _ in range(10):
        if behind is None:
            return
        yield behind
        behind = behind.__cause__ or behind.__context__


def _may_be_older(error: Disconnected) -> bool:
    """Tell whether the broker may speak MQTT 3.1.1 only."""
    return any(
        isinstance(cause, NoGreeting) or (isinstance(cause, Refused) and cause.code in _OLDER)
        for cause in _causes(error)
    )


_WHY: tuple[tuple[Callable[[BaseException], bool], str, str], ...] = (
    (lambda e: isinstance(e, Refused) and e.code in _CREDENTIALS, "broker_password", "broker_password"),
    (lambda e: isinstance(e, Refused), "broker_refuses", ""),
    (lambda e: isinstance(e, ssl.SSLCertVerificationError), "broker_certificate", "tls"),
    (lambda e: isinstance(e, ssl.SSLError), "broker_no_tls", "tls"),
    (lambda e: isinstance(e, socket.gaierror | UnicodeError), "broker_unknown", "host"),
    (lambda e: isinstance(e, ConnectionRefusedError), "broker_nobody", "host"),
    (lambda e: isinstance(e, TimeoutError), "broker_silent", "host"),
    (lambda e: isinstance(e, NoGreeting | NoMqtt), "broker_no_mqtt", "host"),
    (lambda e: isinstance(e, OSError), "broker_unreachable", "host"),
)
"""What is behind an error, the sentence for it, and the field to look at; the first that fits counts."""


_OURS = frozenset({"broker_password"})
"""What is wrong in the answers themselves, so nobody should go on with it."""


def _why(error: BaseException, config: MqttConfig) -> Said:
    causes = list(_causes(error))
    values: dict[str, str | int] = {"broker": config.address, "host": config.host, "port": config.broker_port}
    found = ((code, field) for fits, code, field in _WHY if any(fits(cause) for cause in causes))
    code, field = next(found, ("broker_unreachable", "host"))
    if config.uses_tls and any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes):
        code, field = "broker_no_tls", "tls"  # who speaks no TLS hangs up at our greeting
    return Said(code, field, values, passable=code not in _OURS)
