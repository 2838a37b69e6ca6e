"""A connection to a broker that is made again for ever.

A :class:`Broker` runs one piece of work per connection; when the connection goes, the work ends with
:class:`~nes2mqtt.outputs.mqtt.client.connection.Disconnected`, and after a pause the next connection starts it anew. Every change for
better or worse is logged once. The work talks to the broker through a :class:`~nes2mqtt.outputs.mqtt.client.session.Session`, which keeps to the broker's
limits and remembers what it refuses.

This module does not know what is published, nor the library that makes connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace

from nes2mqtt.outputs.mqtt.client.connection import (
    Answer,
    Client,
    ClientFactory,
    Disconnected,
    Limits,
    NoGreeting,
    Received,
    Refused,
    Version,
)
from nes2mqtt.outputs.mqtt.client.message import Will
from nes2mqtt.outputs.mqtt.client.refusals import (
    QOS_NOT_SUPPORTED,
    RETAIN_NOT_SUPPORTED,
    SAY_AGAIN,
    TOO_LARGE,
    UNSUPPORTED_VERSION,
    Refusals,
    Unanswered,
    describe,
    kind_of,
)
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.client.wire_client import WireClient
from nes2mqtt.outputs.mqtt.config import MqttConfig, Protocol
from nes2mqtt.timing.backoff import Backoff

__all__ = ["Broker", "Pace"]

_log = logging.getLogger(__name__)

SETTLED = 10.0
"""A connection that lasted so many seconds after the greeting was a good one: the next pause is short again."""

EVICTIONS = 3
"""So many good greetings in a row that did not last mean that somebody else takes our place."""

EVICTED = (
    "; it does so again and again right after greeting us: another program may use the client id '{client_id}', "
    "set another client_id in one of them"
)

FAREWELL = 2.0
"""Seconds the broker has to take our last word when this program ends."""

CUTS = 2
"""So many connections in a row cut while the same large message was under way mean that it was too large."""

_MAYBE_THE_VERSION = frozenset({0x80, 0x81, 0x82, UNSUPPORTED_VERSION})
"""Reason codes with which brokers of MQTT 3.1.1 answer a greeting of MQTT 5."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Pauses between attempts to connect, in seconds; each is shortened by up to half, at random.

    The spread keeps the programs of one house from knocking all at once after a power cut.
    """

    first: float = 1.0
    limit: float = 60.0


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
        client: makes connections.
        rng: where chance comes from.
    """

    def __init__(
        self,
        config: MqttConfig,
        client_id: str,
        will: Will,
        work: Callable[[Session], Coroutine[None, None, None]],
        heard: Callable[[Session, Received], Awaitable[None]],
        pace: Pace | None = None,
        *,
        client: ClientFactory = WireClient,
        rng: random.Random | None = None,
    ) -> None:
        pace = pace or Pace()
        self._config = config
        self._client_id = client_id
        self._will = will
        self._work = work
        self._heard = heard
        self._backoff = Backoff(pace.first, pace.limit)
        self._make_client = client
        self._rng = rng if rng is not None else random.Random()  # noqa: S311 - no secret
        self._short_lives = 0
        self._greeted = math.nan
        """When the broker greeted us on the present connection; nan before it did."""
        self._said: dict[str, float] = {}
        """Problems told, and when; forgotten some time after a good connection."""
        self._told_down = True
        self._older = False
        """The broker does not seem to speak MQTT 5."""
        self._surely_older = False
        self._learned = Limits(Version.V5)
        """Limits that earlier connections ran into; forgotten when a good connection ends."""
        self._cuts: tuple[int, int] = (0, 0)
        """The size of the large message under way when the last connection was cut, and how often in a row."""
        self._cut_at = 0
        """The size of the large message under way when the connection was lost; 0 if there was none."""
        self._said_limits: frozenset[str] = frozenset()
        self._unreadable: set[str] = set()
        self.refusals = Refusals(config, client_id, lambda: asyncio.get_running_loop().time())
        self.connected = False
        self._trouble, self._kind = "not connected yet", "mqtt_connecting"

    @property
    def problem(self) -> str:
        """Return what keeps us from the broker, or what it does not take, for people; empty when all is well."""
        return self._trouble or self.refusals.problem

    @property
    def kind(self) -> str:
        """Return one word for :attr:`problem`, see :mod:`nes2mqtt.codes`; empty when all is well."""
        if self._trouble:
            return self._kind
        return "mqtt_refused" if self.refusals.problem else ""

    @property
    def limitations(self) -> str:
        """Return what a broker that is connected cannot do, for people; empty when it can do all."""
        return "; ".join(sorted(self._said_limits)) if self.connected else ""

    async def run(self) -> None:
        """Connect, work, and start over when the connection is gone. Never returns by itself."""
        loop = asyncio.get_running_loop()
        while True:
            self._greeted = math.nan
            pause = True
            try:
                await _apart(self._connect_and_work())
            except* Disconnected as lost:
                pause = not self._again_otherwise(_first(lost))
                if pause:
                    self._lost(_first(lost), loop.time())
            if pause:
                await asyncio.sleep(self._backoff.next() * self._rng.uniform(0.5, 1.0))

    @property
    def _version(self) -> Version:
        if self._config.protocol is Protocol.AUTO:
            return Version.V311 if self._older else Version.V5
        return Version.V5 if self._config.protocol is Protocol.V5 else Version.V311

    def _again_otherwise(self, error: BaseException) -> bool:
        """Tell whether to try again at once in another way: an older version, or a will the broker can take."""
        cause = error.__cause__
        if isinstance(cause, Refused) and cause.answer is Answer.CONNACK:
            if cause.code == RETAIN_NOT_SUPPORTED and self._learned.retain:
                self._learned = replace(self._learned, retain=False)
                return True
            if cause.code == QOS_NOT_SUPPORTED and self._learned.qos:
                self._learned = replace(self._learned, qos=0)
                return True
            if cause.code in {RETAIN_NOT_SUPPORTED, QOS_NOT_SUPPORTED}:
                self._learned = Limits(Version.V5)  # a will without that is refused, too: it was not the reason
        if self._config.protocol is not Protocol.AUTO:
            return False
        refused_version = (
            isinstance(cause, Refused) and cause.answer is Answer.CONNACK and cause.code in _MAYBE_THE_VERSION
        )
        if not self._older and (isinstance(cause, NoGreeting) or refused_version):
            self._older = True
            self._surely_older = refused_version and cause.code == UNSUPPORTED_VERSION  # type: ignore[union-attr]
            return True
        if not self._surely_older:
            # It may have been starting, or have been away: only version 5 tells why it refuses something.
            self._older = False
        return False

    async def _connect_and_work(self) -> None:
        version = self._version
        death = replace(
            self._will.death,
            qos=min(self._will.qos, self._learned.qos),
            retain=self._will.death.retain and self._learned.retain,
        )
        try:
            client = self._make_client(self._config, self._client_id, death, version)
        except (OSError, ValueError) as error:
            # A certificate or key that cannot be read, or is none; the owner may mend it while we try again.
            raise Disconnected(str(error)) from error
        try:
            limits = await client.connect()
        except BaseException:
            client.hang_up()
            raise
        session = Session(client, self._known(limits), self.refusals, self._unreadable, named=limits)
        try:
            with contextlib.suppress(Refused):
                await session.publish(self._will.birth, unheard=True)
            self._up(session.limits)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen(client, session))
                tasks.create_task(self._work(session))
        except* Disconnected as lost:
            self._learn(session, _first(lost))
            raise
        finally:
            self.connected = False
            # A limit that the greeting named is no lesson: the next greeting names its own.
            packet = session.limits.packet
            self._learned = replace(self._learned, packet=None if packet == limits.packet else packet)
            await self._leave(client, session)

    def _known(self, said: Limits) -> Limits:
        """Return a broker's limits: those it named when it greeted us, and those we ran into before."""
        packets = [packet for packet in (said.packet, self._learned.packet) if packet is not None]
        return replace(
            said,
            packet=min(packets, default=None),
            qos=min(said.qos, self._learned.qos),
            retain=said.retain and self._learned.retain,
        )

    def _learn(self, session: Session, error: BaseException) -> None:
        """See whether the connection was cut because of the size of a message."""
        size = session.largest_under_way
        self._cut_at = size
        if session.largest_taken >= self._cuts[0]:
            self._cuts = (0, 0)  # a message of that size was taken since: it was not its size
        if not size or size <= session.largest_taken:
            return
        cause = error.__cause__
        if isinstance(cause, Unanswered | TimeoutError):
            return  # nobody cut it: the broker, or the way to it, is slow or gone
        if isinstance(cause, Refused) and cause.code == TOO_LARGE:
            session.too_large(size)
            return
        before, times = self._cuts
        self._cuts = (size, times + 1 if size == before else 1)
        if self._cuts[1] >= CUTS:
            self._cuts = (0, 0)
            session.too_large(size // 2)
            _log.warning(
                "broker %s cuts the connection at a message of %s bytes: it takes smaller ones only "
                "(mosquitto: max_packet_size); going on without it",
                self._config.address,
                f"{size:,}",
            )

    async def _listen(self, client: Client, session: Session) -> None:
        async for message in client.messages():
            session.hear(message)
            await self._heard(session, message)

    async def _leave(self, client: Client, session: Session) -> None:
        """Say good-bye: after an orderly farewell the broker does not publish the will, so we do."""
        try:
            with contextlib.suppress(Disconnected, Refused, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await session.publish(self._will.death, unheard=True)
                    await client.disconnect()
        finally:
            client.hang_up()

    def _up(self, limits: Limits) -> None:
        self.connected = True
        self._greeted = asyncio.get_running_loop().time()
        self._trouble = ""
        if self._told_down:
            self._told_down = False
            _log.info("connected to broker %s as %s", self._config.address, self._client_id)
        self._tell_limits(limits)

    def _tell_limits(self, limits: Limits) -> None:
        """Say once what the broker cannot do, and what this means."""
        said = frozenset(
            text
            for said, text in (
                (
                    not limits.retain,
                    "it keeps no retained messages: whoever comes later learns a value when it is next read",
                ),
                (
                    limits.qos == 0,
                    "it confirms nothing (QoS 0 only): what is under way when a connection breaks is lost",
                ),
            )
            if said
        )
        for text in sorted(said - self._said_limits):
            _log.warning("broker %s: %s", self._config.address, text)
        self._said_limits = said

    def _lost(self, error: BaseException, now: float) -> None:
        problem = describe(error, self._config, self._client_id)
        if now - self._greeted >= SETTLED:
            self._backoff.reset()
            self._short_lives = 0
            if not self._cut_at:
                self._cuts = (0, 0)
                self._learned = Limits(Version.V5)  # what comes back may be another broker, or one set up anew
            self._said = {said: at for said, at in self._said.items() if now - at < SAY_AGAIN}
        elif not self._trouble and not self._cut_at:
            self._short_lives += 1
        self._cut_at = 0
        if self._short_lives >= EVICTIONS and not isinstance(error.__cause__, Refused):
            problem += EVICTED.format(client_id=self._client_id)
        if problem not in self._said:
            self._said[problem] = now
            self._told_down = True
            _log.warning("%s", problem)
        self._trouble, self._kind = problem, kind_of(error)


def _first(group: BaseException) -> BaseException:
    """Return one of the errors of a group: they all tell of the same connection. A reason is better than none."""
    errors: list[BaseException] = []
    open_groups = [group]
    while open_groups:
        error = open_groups.pop(0)
        if isinstance(error, BaseExceptionGroup):
            open_groups.extend(error.exceptions)
        else:
            errors.append(error)
    return next((error for error in errors if isinstance(error.__cause__, Refused)), errors[0])


async def _apart(work: Coroutine[None, None, None]) -> None:
    """Do work in a task of its own, so that being cancelled is never missed.

    Before Python 3.13 a task group forgets that it was cancelled when one of its tasks fails at the same moment.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.wait([task])
        raise
    await task
