"""A client of one connection to a broker, made of :mod:`nes2mqtt.outputs.mqtt.client.wire` and asyncio.

What is published in one turn of the event loop goes out in one write; each message of QoS 1 costs one future. TLS is asyncio's.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence

from nes2mqtt.host.resolving import for_resolver
from nes2mqtt.outputs.mqtt.client.answered import ANSWER, Answered
from nes2mqtt.outputs.mqtt.client.connection import (
    Answer,
    Disconnected,
    Limits,
    NoGreeting,
    NoMqtt,
    Received,
    Refused,
    Version,
)
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.wire.fields import Malformed
from nes2mqtt.outputs.mqtt.client.wire.machine import Event, State, TooLarge, Wire
from nes2mqtt.outputs.mqtt.client.wire.packets import Arrived, Confirmed, Ended, Greeted, Hello, Subscribed
from nes2mqtt.outputs.mqtt.config import MqttConfig
from servicekit.tls import client_context

__all__ = ["UNREAD", "WireClient", "open_connection"]

UNREAD = 100
"""Messages from the broker that may wait for us; what comes beyond is dropped. We listen to a few quiet topics."""

KNOCK = 5.0
"""Seconds that each address of a broker has to take the connection."""

_AT_ONCE = 1 << 16
"""Bytes that are written without waiting for the end of the turn."""

_REFUSAL = 0x80
"""Reason codes from here on are refusals (MQTT 5, section 2.4)."""

_TOO_LARGE = 0x95


class WireClient(asyncio.Protocol):
    """One connection; see :class:`nes2mqtt.outputs.mqtt.client.connection.Client`."""

    def __init__(self, config: MqttConfig, client_id: str, will: Message, version: Version) -> None:
        self._config = config
        self._version = version
        self._tls = _tls(config)
        password = config.password.reveal() if config.password is not None else None
        hello = Hello(
            client_id,
            config.keepalive,
            (will.topic, will.payload.encode(), will.qos, will.retain),
            config.username,
            None if password is None else password.encode(),
        )
        self._wire = Wire(hello, int(version))
        self._keep_alive = float(config.keepalive)
        self._transport: asyncio.Transport | None = None
        self._greeted: asyncio.Future[Greeted] | None = None
        self._waiting: dict[int, asyncio.Future[Confirmed] | asyncio.Future[Subscribed]] = {}
        self._places: deque[asyncio.Future[None]] = deque()
        """Messages of QoS 1 that wait until the broker takes more at once."""
        self._out: list[bytes] = []
        """What this turn of the loop has to send."""
        self._out_size = 0
        self._writable: asyncio.Event | None = None
        """Clear while the operating system takes no more."""
        self._unread: deque[Received] = deque()
        self._news = asyncio.Event()
        self._lost: Disconnected | None = None
        self._over: asyncio.Event = asyncio.Event()
        """The transport is closed."""
        self._timer: asyncio.TimerHandle | None = None
        self._pinged: float | None = None
        self._sent_at = self._heard_at = 0.0

    # What the session calls.

    async def connect(self) -> Limits:
        """Connect and be greeted."""
        self._loop = asyncio.get_running_loop()
        self._greeted = self._loop.create_future()
        try:
            await open_connection(self._config, self._tls, lambda: self)
        except (OSError, UnicodeError) as error:  # the second: a name that no name service could know
            raise Disconnected(str(error)) from error
        if self._lost is None:
            try:
                hello = self._wire.greet()
            except ValueError as error:
                why = ValueError(f"client_id, username, password or base_topic cannot be sent: {error}")
                raise Disconnected(str(why)) from why
            self._send(hello)
        async with _greeting():
            greeted = await self._greeted
        if greeted.code:
            raise Disconnected("the broker refused us") from Refused(Answer.CONNACK, greeted.code, greeted.words)
        if greeted.keep_alive:
            # A broker that wants no signs of life (0), or few, does not keep us from looking whether it is there.
            self._keep_alive = min(self._keep_alive, float(greeted.keep_alive))
        self._keep_alive_again()
        return Limits(self._version, greeted.packet, greeted.qos, greeted.retain, greeted.receive)

    async def publish(self, message: Message) -> None:
        """Publish one message."""
        if self._lost is not None:
            raise self._gone()
        while self._writable is not None:
            await self._writable.wait()
        if not message.qos:
            self._send(self._packet(message)[0])
            return
        if self._places or self._wire.unconfirmed >= self._wire.broker.receive:
            await self._place()
        data, number = self._packet(message)
        confirmed: asyncio.Future[Confirmed] = self._loop.create_future()
        self._waiting[number] = confirmed
        self._send(data)
        answer = await confirmed
        if answer.code >= _REFUSAL:
            raise Refused(Answer.PUBACK, answer.code, answer.words)

    def _packet(self, message: Message) -> tuple[bytes, int]:
        if self._lost is not None or self._wire.state is not State.OPEN:
            raise self._gone()
        try:
            return self._wire.publish(
                message.topic, message.payload.encode(), confirmed=message.qos > 0, retain=message.retain
            )
        except TooLarge:
            raise Refused(Answer.PUBACK, _TOO_LARGE) from None

    async def _place(self) -> None:
        """Wait until one more message may be unconfirmed (MQTT 5, section 4.9)."""
        while True:
            place: asyncio.Future[None] = self._loop.create_future()
            self._places.append(place)
            try:
                await place
            finally:
                with contextlib.suppress(ValueError):
                    self._places.remove(place)
            if self._wire.unconfirmed < self._wire.broker.receive:
                return

    async def subscribe(self, topics: Sequence[str]) -> Sequence[Refused | None]:
        """Ask for messages on topics."""
        answer = await self._ask(self._wire.subscribe, topics)
        return [Refused(Answer.SUBACK, code, answer.words) if code >= _REFUSAL else None for code in answer.codes]

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Ask for no more messages on topics."""
        await self._ask(self._wire.unsubscribe, topics)

    async def _ask(self, packet: Callable[[Sequence[str]], tuple[bytes, int]], topics: Sequence[str]) -> Subscribed:
        if self._lost is not None or self._wire.state is not State.OPEN:
            raise self._gone()
        data, number = packet(topics)
        answer: asyncio.Future[Subscribed] = self._loop.create_future()
        self._waiting[number] = answer
        self._send(data)
        return await answer

    async def messages(self) -> AsyncIterator[Received]:
        """Yield what the broker sends. Waiting for it is also how the end of the connection is noticed at once."""
        while True:
            while self._unread:
                yield self._unread.popleft()
            if self._lost is not None:
                raise self._gone()
            self._news.clear()
            await self._news.wait()

    async def disconnect(self) -> None:
        """Take leave in good order."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if last := self._wire.farewell():
            self._send(last)
        self._flush()
        transport.close()
        await self._over.wait()

    def hang_up(self) -> None:
        """Close the socket at once."""
        self._lose(Disconnected("we hung up"))
        if self._transport is not None:
            self._transport.abort()

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - create_connection makes no other
        self._transport = transport
        if self._lost is not None:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        if self._lost is not None:
            return
        self._heard_at = self._loop.time()
        try:
            events = self._wire.receive(data)
        except Malformed as error:
            lost = Disconnected(str(error))
            lost.__cause__ = NoMqtt(str(error))
            self._end(lost)
            return
        for event in events:
            self._take(event)
        if self._wire.answers:
            self._send(b"".join(self._wire.answers))
            self._wire.answers.clear()

    def _take(self, event: Event) -> None:
        if isinstance(event, Confirmed | Subscribed):
            waiting = self._waiting.pop(event.number, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(event)  # type: ignore[arg-type]  # each number waits for the answer it gets
            if self._places:
                self._give_place()
        elif isinstance(event, Arrived):
            if len(self._unread) < UNREAD:
                payload = event.payload.decode(errors="replace")
                self._unread.append(Received(event.topic, payload, event.retain))
                self._news.set()
        elif isinstance(event, Greeted):
            if self._greeted is not None and not self._greeted.done():
                self._greeted.set_result(event)
        elif isinstance(event, Ended):
            lost = Disconnected("the broker ended the connection")
            if event.code >= _REFUSAL:
                lost.__cause__ = Refused(Answer.DISCONNECT, event.code, event.words)
            self._end(lost)

    def _give_place(self) -> None:
        for place in self._places:
            if not place.done():
                place.set_result(None)
                return

    def connection_lost(self, error: Exception | None) -> None:
        """Take note that the connection is gone."""
        lost = Disconnected(str(error or "the broker closed the connection"))
        if not isinstance(error, ConnectionError):
            lost.__cause__ = error  # a reset says no more than an orderly end: the broker closed it
        self._lose(lost)
        self._transport = None
        self._over.set()

    def pause_writing(self) -> None:
        """Take note that the operating system takes no more."""
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """Take note that it takes more again."""
        if self._writable is not None:
            self._writable.set()
            self._writable = None

    # Sending.

    def _send(self, data: bytes) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(data)
        self._out_size += len(data)
        if self._out_size > _AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._out:
            return
        data = b"".join(self._out) if len(self._out) > 1 else self._out[0]
        self._out.clear()
        self._out_size = 0
        if self._transport is not None and not self._transport.is_closing():
            self._sent_at = self._loop.time()
            self._transport.write(data)

    # Being there.

    def _keep_alive_again(self) -> None:
        """Look now and then whether the broker has to hear, or we have to ask (MQTT 5, section 3.1.2.10)."""
        if self._keep_alive and self._lost is None:
            self._timer = self._loop.call_later(self._keep_alive / 2, self._look)

    def _look(self) -> None:
        now = self._loop.time()
        if self._pinged is not None and self._heard_at >= self._pinged:
            self._pinged = None  # whatever it said, it is there
        if self._pinged is not None and now - self._pinged >= self._keep_alive:
            lost = Disconnected("the broker does not answer")
            lost.__cause__ = TimeoutError("no answer to a ping")
            self._end(lost)
            return
        quiet = self._keep_alive / 2
        if self._pinged is None and (now - self._sent_at >= quiet or now - self._heard_at >= quiet):
            self._pinged = now
            self._send(self._wire.ping())
        self._keep_alive_again()

    # The end.

    def _end(self, lost: Disconnected) -> None:
        """End the connection from our side, after our last word."""
        if self._wire.answers:
            self._send(b"".join(self._wire.answers))
            self._wire.answers.clear()
        self._flush()
        self._lose(lost)
        if self._transport is not None:
            self._transport.close()

    def _lose(self, lost: Disconnected) -> None:
        """Tell all who wait that the connection is gone; the first reason counts."""
        if self._lost is not None:
            return
        self._lost = lost
        if self._timer is not None:
            self._timer.cancel()
        if self._greeted is not None and not self._greeted.done():
            behind = NoGreeting()
            behind.__cause__ = lost.__cause__
            before = Disconnected("closed before greeting")
            before.__cause__ = behind
            self._greeted.set_exception(before)
            self._greeted.exception()  # told by whoever waits; asyncio need not
        for future in (*self._waiting.values(), *self._places):
            if not future.done():
                future.set_exception(self._gone())
                future.exception()
        self._waiting.clear()
        self._places.clear()
        self._news.set()
        self.resume_writing()

    def _gone(self) -> Disconnected:
        """Return why the connection is gone, as an error of its own for each who is told."""
        lost = self._lost or Disconnected("the connection is not open")
        error = Disconnected(*lost.args)
        error.__cause__ = lost.__cause__
        return error


async def open_connection(
    config: MqttConfig, tls: ssl.SSLContext | None, protocol: Callable[[], asyncio.Protocol]
) -> None:
    """Connect to a broker: try its addresses in the order the system gives them, each for some seconds.

    Raises:
        OSError: none of them works; what the first said.
        Disconnected: one took the connection, and does not begin TLS in time.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ANSWER):
            addresses = await loop.getaddrinfo(for_resolver(config.host), config.broker_port, type=socket.SOCK_STREAM)
    except TimeoutError:
        raise socket.gaierror(socket.EAI_AGAIN, "the name service does not answer") from None
    first: OSError | None = None
    for family, kind, number, _, address in addresses:
        try:
            sock = socket.socket(family, kind, number)
        except OSError as error:  # a kind of address that this computer does not have
            first = first or error
            continue
        try:
            sock.setblocking(False)
            async with asyncio.timeout(KNOCK):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            first = first or error
        except BaseException:
            sock.close()
            raise
        else:
            async with _greeting():
                await loop.create_connection(
                    protocol, sock=sock, ssl=tls, server_hostname=config.host if tls is not None else None
                )
            return
    raise first or OSError(f"no address for {config.host}")


def _greeting() -> Answered:
    """Return the time that a broker has to greet back once it took the connection."""
    return Answered("does not greet back", NoGreeting())


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
