"""An MQTT client made of aiomqtt, which wraps paho.

Nothing outside this module and :mod:`nes2mqtt.outputs.mqtt.client.library` imports either. What is added to the library here:

- the reason code of a PUBACK, which aiomqtt throws away: a refused message looks published;
- a connection that the broker closes instead of greeting ends at once, not when the time is over.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import ssl
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiomqtt
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from nes2mqtt.outputs.mqtt.client.connection import Answer, Disconnected, Limits, NoGreeting, Received, Refused, Version
from nes2mqtt.outputs.mqtt.client.library import Client
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.config import MqttConfig
from servicekit.tls import client_context

__all__ = ["UNREAD", "LibraryClient"]

_library_log = logging.getLogger(f"{__name__}.library")
_library_log.setLevel(logging.CRITICAL)  # what it logs also reaches us as errors, which are told in plain words

UNREAD = 100
"""Messages from the broker that may wait for us; what comes beyond is dropped. We listen to a few quiet topics."""

_REFUSAL = 0x80
"""Reason codes from here on are refusals (MQTT 5, section 2.4)."""

_VERSIONS = {Version.V311: aiomqtt.ProtocolVersion.V311, Version.V5: aiomqtt.ProtocolVersion.V5}


class LibraryClient:
    """One connection; see :class:`nes2mqtt.outputs.mqtt.client.connection.Client`."""

    def __init__(self, config: MqttConfig, client_id: str, will: Message, version: Version) -> None:
        self._version = version
        self._client = _Client(
            config.host,
            config.broker_port,
            username=config.username,
            password=config.password.reveal() if config.password is not None else None,
            identifier=client_id,
            protocol=_VERSIONS[version],
            keepalive=config.keepalive,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain),
            tls_context=_tls(config),
            # Our own time limits stand around it: asyncio.wait_for of Python 3.11 forgets that the task was
            # cancelled when the answer comes at the same moment.
            timeout=math.inf,
            max_queued_incoming_messages=UNREAD,
            logger=_library_log,
        )
        # aiomqtt warns when more than 10 publishes wait for their PUBACK; we let a whole batch wait.
        self._client.pending_calls_threshold = 10_000
        self._client._disconnected.add_done_callback(lambda _: self.hang_up())  # noqa: SLF001

    async def connect(self) -> Limits:
        """Connect and be greeted."""
        try:
            await self._client.__aenter__()
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from _cause(error)
        except BaseException:
            self._client._client.disconnect()  # noqa: SLF001 - also ends an attempt that is still under way
            raise
        return _limits(self._version, self._client.greeting)

    async def publish(self, message: Message) -> None:
        """Publish one message."""
        try:
            refused = await self._client.publish_and_hear(message)
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from _cause(error)
        if refused is not None:
            raise _refused(Answer.PUBACK, *refused)

    async def subscribe(self, topics: Sequence[str]) -> Sequence[Refused | None]:
        """Ask for messages on topics."""
        try:
            answers = await self._client.subscribe([(topic, 1) for topic in topics])
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from _cause(error)
        codes = (answer.value if isinstance(answer, ReasonCode) else answer for answer in answers)
        return [Refused(Answer.SUBACK, code) if code >= _REFUSAL else None for code in codes]

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Ask for no more messages on topics."""
        try:
            await self._client.unsubscribe(list(topics))
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from _cause(error)

    async def messages(self) -> AsyncIterator[Received]:
        """Yield what the broker sends. Waiting for it is also how the end of the connection is noticed at once."""
        try:
            async for message in self._client.messages:
                payload = message.payload
                text = payload.decode(errors="replace") if isinstance(payload, bytes | bytearray) else str(payload)
                yield Received(str(message.topic), text, message.retain)
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from _cause(error)

    async def disconnect(self) -> None:
        """Take leave in good order."""
        with contextlib.suppress(aiomqtt.MqttError):
            await self._client.__aexit__(None, None, None)

    def hang_up(self) -> None:
        """Close the socket."""
        self._client.hang_up()


class _Client(Client):
    """aiomqtt, listening to what it does not hear."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.greeting: Properties | None = None
        self._refused: dict[int, tuple[ReasonCode, Properties | None]] = {}
        self._answered: dict[int, asyncio.Event] = {}

    async def publish_and_hear(self, message: Message) -> tuple[ReasonCode, Properties | None] | None:
        """Publish, and return the broker's refusal."""
        info = self._client.publish(message.topic, message.payload, message.qos, message.retain)
        if info.rc:
            raise aiomqtt.MqttCodeError(info.rc, "Could not publish message") from self._why_disconnected()
        if not info.is_published():
            answered = self._answered[info.mid] = asyncio.Event()
            try:
                await answered.wait()
            finally:
                self._answered.pop(info.mid, None)
        return self._refused.pop(info.mid, None)

    def _why_disconnected(self) -> BaseException | None:
        over = self._disconnected
        return over.exception() if over.done() and not over.cancelled() else None

    def _broken(self, error: Exception) -> None:
        """Take note of an error of the connection; before the greeting it is the answer to our first message."""
        for over in (self._connected, self._disconnected):
            if not over.done():
                over.set_exception(error if over is self._disconnected else _no_greeting(error))
                return

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, reason_code: ReasonCode, properties: Any) -> None:
        if reason_code.value >= _REFUSAL:
            self._refused[mid] = (reason_code, properties)
        if (answered := self._answered.get(mid)) is not None:
            answered.set()

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Properties | None = None
    ) -> None:
        if not self._connected.done():
            self.greeting = properties
            if reason_code.value >= _REFUSAL:
                # The cause carries the broker's own words.
                error = aiomqtt.exceptions.MqttConnectError(reason_code)
                error.__cause__ = _refused(Answer.CONNACK, reason_code, properties)
                self._connected.set_exception(error)
                return
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode, properties: Properties | None = None
    ) -> None:
        if not self._connected.done():
            self._connected.set_exception(_no_greeting(None))
            return
        if flags.is_disconnect_packet_from_server and not self._disconnected.done():
            error = aiomqtt.MqttCodeError(reason_code, "Disconnected by the broker")
            error.__cause__ = _refused(Answer.DISCONNECT, reason_code, properties)
            self._disconnected.set_exception(error)
            return
        super()._on_disconnect(client, userdata, flags, reason_code, properties)


def _no_greeting(behind: Exception | None) -> aiomqtt.MqttError:
    error = aiomqtt.MqttError("closed before greeting")
    error.__cause__ = NoGreeting()
    error.__cause__.__cause__ = behind
    return error


def _refused(answer: Answer, code: ReasonCode, properties: Properties | None) -> Refused:
    return Refused(answer, code.value, getattr(properties, "ReasonString", ""))


def _cause(error: BaseException) -> BaseException:
    """Return what is behind a library's error, as far as it is one of ours."""
    seen: set[int] = set()
    behind: BaseException | None = error
    while behind is not None and id(behind) not in seen:
        if isinstance(behind, Refused | NoGreeting):
            return behind
        seen.add(id(behind))
        behind = behind.__cause__ or behind.__context__
    return error


def _limits(version: Version, greeting: Properties | None) -> Limits:
    """Read what the broker said of itself (MQTT 5, section 3.2.2.3)."""
    standard = Limits(version)
    return Limits(
        version,
        packet=getattr(greeting, "MaximumPacketSize", standard.packet),
        qos=getattr(greeting, "MaximumQoS", standard.qos),
        retain=bool(getattr(greeting, "RetainAvailable", standard.retain)),
        in_flight=getattr(greeting, "ReceiveMaximum", standard.in_flight),
    )


def _tls(config: MqttConfig) -> ssl.SSLContext | None:
    """Build what the ``tls`` section asks for.

    Raises:
        OSError: a file cannot be read or is not what it should be (ssl.SSLError is one).
        ValueError: the authority's file cannot be used; says why.
    """
    if config.tls is None or not config.uses_tls:
        return None
    try:
        context = client_context(config.tls.ca_file, accept_any=config.tls.insecure)
    except ValueError as error:
        raise ValueError(f"tls.ca_file {config.tls.ca_file}: {error}") from None
    if config.tls.cert_file is not None and config.tls.key_file is not None:
        # An encrypted key would make OpenSSL ask for its password at a terminal nobody watches.
        context.load_cert_chain(config.tls.cert_file, config.tls.key_file, password=_no_password)
    return context


def _no_password() -> str:
    raise ValueError("the key in tls.key_file is locked with a password; give one without")
