"""A connection to a broker that is made again for ever.

:class:`Broker` is the port between this program and the MQTT library (aiomqtt, which wraps paho): nothing
outside this module and :mod:`nes2mqtt.mqtt.refusals` imports either. A broker runs one piece
of work per connection; when the connection goes, the work ends with :class:`Disconnected`, and after
a pause the next connection starts it anew. Every change for better or worse is logged once.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass

import aiomqtt

from nes2mqtt.backoff import Backoff
from nes2mqtt.mqtt.config import MqttConfig, Protocol
from nes2mqtt.mqtt.library import Client
from nes2mqtt.mqtt.message import Message, Will
from nes2mqtt.mqtt.refusals import Unanswered, describe, no_greeting
from servicekit.tls import client_context

__all__ = ["WINDOW", "Broker", "Disconnected", "Pace", "Received", "Session", "publish_all"]

_log = logging.getLogger(__name__)
_library_log = logging.getLogger(f"{__name__}.library")
_library_log.setLevel(logging.CRITICAL)  # what it logs also reaches us as errors, which are told in plain words

SETTLED = 10.0
"""A connection that lasted so many seconds was a good one: the next pause is short again."""

EVICTIONS = 3
"""So many good greetings in a row that did not last mean that somebody else takes our place."""

EVICTED = (
    "; it does so again and again right after greeting us: another program may use the client id '{client_id}', "
    "set another client_id in one of them"
)

WINDOW = 100
"""Messages under way at once: enough to keep a distant broker busy, few to send again after a break."""

ANSWER = 10.0
"""Seconds the broker has to greet us, and to confirm a message."""

UNREAD = 100
"""Messages from the broker that may wait for us; what comes beyond is dropped. We listen to two quiet topics."""

FAREWELL = 2.0
"""Seconds the broker has to take our last word when this program ends."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Pauses between attempts to connect, in seconds; each is shortened by up to half, at random.

    The spread keeps the programs of one house from knocking all at once after a power cut.
    """

    first: float = 1.0
    limit: float = 60.0


class Disconnected(Exception):
    """The connection is gone; whoever uses it has to wait for the next one."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message from the broker."""

    topic: str
    payload: str
    retained: bool
    """It was kept by the broker and may be old."""


@contextlib.asynccontextmanager
async def _answered(silence: str) -> AsyncIterator[None]:
    """Turn the library's errors, and no answer in time, into :class:`Disconnected`.

    The library's own time limit is switched off: it uses asyncio.wait_for, which in Python 3.11 forgets that the
    task was cancelled when the answer comes at the same moment.
    """
    try:
        async with asyncio.timeout(ANSWER):
            yield
    except aiomqtt.MqttError as error:
        raise Disconnected(str(error)) from error
    except TimeoutError:
        raise Disconnected(silence) from Unanswered(silence)


class Session:
    """One connection, as long as it lasts."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def publish(self, message: Message) -> None:
        """Publish; with QoS 1 return when the broker has it (PUBACK), with QoS 0 when it is sent.

        Raises:
            Disconnected: nobody knows whether the broker got it.
        """
        async with _answered("does not confirm what we publish; trying again"):
            await self._client.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)

    async def subscribe(self, *topics: str) -> None:
        """Ask for messages on topics, QoS 1.

        Raises:
            Disconnected: the connection is gone.
        """
        async with _answered("does not confirm what we subscribe to; trying again"):
            await self._client.subscribe([(topic, 1) for topic in topics])


async def publish_all(session: Session, messages: Iterable[Message]) -> None:
    """Publish in order without waiting in between; return when the broker has all that have QoS 1.

    A broker confirms a message some 40 ms after it came when it has little to say (Nagle's algorithm meets delayed
    acknowledgements), so waiting for each would take a minute and more to tell of a thousand meters.

    Raises:
        Disconnected: nobody knows what the broker got.
    """
    under_way: deque[asyncio.Future[None]] = deque()
    try:
        for message in messages:
            if len(under_way) >= WINDOW:
                await under_way.popleft()
            # Tasks start in the order they are made, so messages leave in order.
            under_way.append(asyncio.ensure_future(session.publish(message)))
        while under_way:
            await under_way.popleft()
    finally:
        for publish in under_way:
            publish.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


class Broker:
    """Keeps a connection.

    Args:
        config: where and as whom.
        client_id: our name to the broker.
        will: published as ``online`` on every connect, by us as ``offline`` when we leave, by the broker when
            we are gone.
        work: what to do while connected; it is cancelled when the connection goes.
        heard: told of each message on a topic the work has subscribed to.
        pace: pauses between attempts.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        will: Will,
        work: Callable[[Session], Coroutine[None, None, None]],
        heard: Callable[[Session, Received], Awaitable[None]],
        pace: Pace | None = None,
    ) -> None:
        pace = pace or Pace()
        self._config = config
        self._client_id = client_id
        self._will = will
        self._work = work
        self._heard = heard
        self._backoff = Backoff(pace.first, pace.limit)
        self._short_lives = 0
        self._said: set[str] = set()
        """Problems told since the last good connection."""
        self._told_down = True
        self.connected = False
        self.problem = "not connected yet"
        """What keeps us from the broker, for people; empty while connected."""

    async def run(self) -> None:
        """Connect, work, and start over when the connection is gone. Never returns by itself."""
        loop = asyncio.get_running_loop()
        while True:
            begun = loop.time()
            try:
                await self._connect_and_work()
            except* Disconnected as lost:
                self._lost(_first(lost), loop.time() - begun)
            await asyncio.sleep(self._backoff.next() * random.uniform(0.5, 1.0))  # noqa: S311 - no secret

    async def _connect_and_work(self) -> None:
        try:
            client = self._client()
        except (OSError, ValueError) as error:
            # A certificate or key that cannot be read, or is none; the owner may mend it while we try again.
            raise Disconnected(str(error)) from error
        client._disconnected.add_done_callback(lambda _: client.hang_up())  # noqa: SLF001
        try:
            async with _answered(no_greeting(self._config)):
                await client.__aenter__()
        except BaseException:
            client._client.disconnect()  # noqa: SLF001 - also ends an attempt that is still under way
            client.hang_up()
            raise
        session = Session(client)
        try:
            await session.publish(self._will.birth)
            self._up()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(client, session))
                tasks.create_task(self._work(session))
        finally:
            self.connected = False
            await self._leave(client, session)

    async def _listen(self, client: Client, session: Session) -> None:
        """Pass messages on. Waiting for them is also how the end of the connection is noticed at once."""
        try:
            async for message in client.messages:
                payload = message.payload
                text = payload.decode(errors="replace") if isinstance(payload, bytes | bytearray) else str(payload)
                await self._heard(session, Received(str(message.topic), text, message.retain))
        except aiomqtt.MqttError as error:
            raise Disconnected(str(error)) from error

    async def _leave(self, client: Client, session: Session) -> None:
        """Say good-bye: after an orderly farewell the broker does not publish the will, so we do."""
        try:
            with contextlib.suppress(aiomqtt.MqttError, Disconnected, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await session.publish(self._will.death)
                    await client.__aexit__(None, None, None)
        finally:
            client.hang_up()

    def _client(self) -> Client:
        config = self._config
        version = aiomqtt.ProtocolVersion.V5 if config.protocol is Protocol.V5 else aiomqtt.ProtocolVersion.V311
        client = Client(
            config.host,
            config.broker_port,
            username=config.username,
            password=config.password.reveal() if config.password is not None else None,
            identifier=self._client_id,
            protocol=version,
            keepalive=config.keepalive,
            will=aiomqtt.Will(self._will.topic, self._will.offline, self._will.qos, retain=True),
            tls_context=_tls(config),
            timeout=math.inf,
            max_queued_incoming_messages=UNREAD,
            logger=_library_log,
        )
        # aiomqtt warns when more than 10 publishes wait for their PUBACK; we let a whole batch wait.
        client.pending_calls_threshold = 10_000
        return client

    def _up(self) -> None:
        self.connected = True
        self.problem = ""
        if self._told_down:
            self._told_down = False
            _log.info("connected to broker %s as %s", self._config.address, self._client_id)

    def _lost(self, error: BaseException, lasted: float) -> None:
        problem = describe(error, self._config, self._client_id)
        if lasted >= SETTLED:
            self._backoff.reset()
            self._short_lives = 0
            self._said.clear()
        elif not self.problem:
            self._short_lives += 1
        if self._short_lives >= EVICTIONS:
            problem += EVICTED.format(client_id=self._client_id)
        if problem not in self._said:
            self._said.add(problem)
            self._told_down = True
            _log.warning("%s", problem)
        self.problem = problem


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


def _first(group: BaseException) -> BaseException:
    """Return one of the errors of a group: they all tell of the same connection."""
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
