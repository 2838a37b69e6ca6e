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
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from nes2mqtt.outputs.mqtt.client.connection import Answer, Client, Disconnected, NoGreeting, NoMqtt, Refused, Version
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.wire_client import WireClient
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.setup.said import Said

_Answer = TypeVar("_Answer")

__all__ = ["NEAR", "near_brokers", "try_broker"]

NEAR = ("localhost", "homeassistant.local")
"""Where brokers usually are."""
_KNOCK = 1.0
"""Seconds for a broker that is near to take a connection."""
_PATIENCE = 10.0
"""Seconds for each answer of a broker."""
_CREDENTIALS = frozenset({0x86, 0x87})
"""Bad user name or password, not authorised (MQTT 5, section 2.4)."""
_OLDER = frozenset({0x80, 0x81, 0x82, 0x84})
"""With these a broker of MQTT 3.1.1 may answer a greeting of MQTT 5."""


async def near_brokers(hosts: Sequence[str] = NEAR, port: int = 1883) -> list[str]:
    """Return which of some hosts take a connection at MQTT's port."""

    async def answers(host: str) -> bool:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_KNOCK):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
        return False

    found = await asyncio.gather(*(answers(host) for host in hosts))
    return [host for host, there in zip(hosts, found, strict=True) if there]


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
