"""A connection to a broker, as long as it lasts: what is published and asked for through it.

A :class:`Session` keeps to the broker's limits and remembers what it refuses.

This module does not know what is published, how connections are made, or what happens when one is gone.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

from nes2mqtt.outputs.mqtt.client.answered import Answered
from nes2mqtt.outputs.mqtt.client.connection import Answer, Client, Limits, Received, Refused, Version
from nes2mqtt.outputs.mqtt.client.echo import Echo
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.refusals import TOO_LARGE, Refusals

__all__ = ["WINDOW", "Session", "publish_all"]

WINDOW = 100
"""Messages under way at once: enough to keep a distant broker busy, few to send again after a break."""

_TURN = 20
"""Messages without confirmation that are published in one turn of the loop."""

_SUBSCRIBE = 2048
"""Bytes of the largest SUBSCRIBE; it is smaller where the broker takes only smaller packets."""

_HEAD, _PER_TOPIC = 6, 3
"""Bytes of a SUBSCRIBE besides its topics: type, length, number, properties; and for each topic its length and options."""

_TRY_AGAIN = 600.0
"""Seconds after which a message is tried again that the broker called too large without naming a limit: a broker that reads
its configuration anew (mosquitto does on SIGHUP) keeps its connections and may take more than before."""

_TRY_CUT_AGAIN = 86400.0
"""The same for a limit that an earlier connection ran into; trying may cost two connections."""

_SMALL = 4096
"""Bytes; a message up to this size is not suspected of being too large when a connection is cut."""


class Session:
    """One connection, as long as it lasts.

    Args:
        client: the connection.
        limits: the broker's, as far as they are known.
        refusals: what it does not take.
        unreadable: see :class:`nes2mqtt.outputs.mqtt.client.echo.Echo`.
        named: the limits it named when it greeted us; None: those in ``limits``.
    """

    def __init__(
        self,
        client: Client,
        limits: Limits,
        refusals: Refusals,
        unreadable: set[str] | None = None,
        *,
        named: Limits | None = None,
    ) -> None:
        self.limits = limits
        self._named = named or limits
        self._try_again = _now() + _TRY_CUT_AGAIN if self._named.packet != limits.packet else math.inf
        """When what is larger than a limit nobody named is tried again; loop time."""
        self.refusals = refusals
        self._client = client
        self._subscribed: set[str] = set()
        unreadable = unreadable if unreadable is not None else set()
        self._echo = Echo(self, unreadable) if limits.version is Version.V311 and limits.retain else None
        self._places = asyncio.Semaphore(max(1, min(WINDOW, limits.in_flight)))
        self._large: dict[int, int] = {}
        """Sizes of the large messages under way."""
        self.largest_taken = 0
        """The size of the largest message that the broker has confirmed on this connection."""

    async def publish(self, message: Message, *, unheard: bool = False, quiet: bool = False) -> None:
        """Publish; with QoS 1 return when the broker has it (PUBACK), with QoS 0 when it is sent.

        What a broker cannot do is left out (QoS, retain); what is too large for it is not sent. ``unheard``: nobody
        listens to what the broker sends now. ``quiet``: a refusal needs no owner.

        Raises:
            Refused: the broker does not take it; it is noted in :attr:`refusals`. The connection goes on.
            Disconnected: nobody knows whether the broker got it.
        """
        size = message.size(self.limits.version)
        fitting = self._fitting(message, size)
        try:
            if fitting.qos and not unheard:
                async with self._places:
                    await self._confirmed(fitting, size, unheard=False)
            else:
                # Of QoS 0 only what is known to be too large is ever refused, so what was sent is no longer. What nobody
                # listens for takes no place: all may be taken by messages that wait for what nobody hears meanwhile.
                await self._confirmed(fitting, size, unheard=True)
            self.refusals.taken(message.topic)
        except Refused as refused:
            self._large.pop(id(fitting), None)
            if refused.code == TOO_LARGE:
                self._called_too_large(size)
            if not quiet:
                self.refusals.add(message.topic, refused, size)
            raise

    def _fitting(self, message: Message, size: int) -> Message:
        """Return what of a message the broker can do; of a large one always another object, as two may be under way."""
        limits = self.limits
        if message.qos <= limits.qos and (limits.retain or not message.retain) and size <= _SMALL:
            return message
        return replace(message, qos=min(message.qos, limits.qos), retain=message.retain and limits.retain)

    async def _confirmed(self, message: Message, size: int, *, unheard: bool) -> None:
        if _now() >= self._try_again:
            self.limits, self._try_again = replace(self.limits, packet=self._named.packet), math.inf
        if self.limits.packet is not None and size > self.limits.packet:
            raise Refused(Answer.PUBACK, TOO_LARGE)
        if size > _SMALL:
            self._large[id(message)] = size
        if self._echo is None or unheard:
            await self._publish(message)
        else:
            await self._echo.publish(message, size, self._publish)
        self._large.pop(id(message), None)
        if message.qos:
            self.largest_taken = max(self.largest_taken, size)

    async def _publish(self, message: Message) -> None:
        async with Answered("does not confirm what we publish; trying again"):
            await self._client.publish(message)

    def hear(self, message: Received) -> None:
        """Take note of what came from the broker."""
        if self._echo is not None:
            self._echo.hear(message)

    def too_large(self, size: int) -> None:
        """Take note that a message of so many bytes was too large."""
        if self.limits.packet is None or self.limits.packet >= size:
            self.limits = replace(self.limits, packet=size - 1)

    def _called_too_large(self, size: int) -> None:
        """Take note that the broker, or a limit that is known, refused a message of so many bytes."""
        before = self.limits
        self.too_large(size)
        if self.limits != before:
            self._try_again = min(self._try_again, _now() + _TRY_AGAIN)

    @property
    def largest_under_way(self) -> int:
        """Return the size of the largest message that is not confirmed; 0 if none is large."""
        return max(self._large.values(), default=0)

    async def subscribe(self, *topics: str) -> None:
        """Ask for messages on topics, QoS 1; what is refused is noted.

        Raises:
            Disconnected: the connection is gone.
        """
        for part in self._parts(topics):
            async with Answered("does not confirm what we subscribe to; trying again"):
                answers = await self._client.subscribe(part)
            self._subscribed.update(part)
            for topic, refused in zip(part, answers, strict=False):
                if refused is not None:
                    self.refusals.add(topic, refused, 0)
                else:
                    self.refusals.taken(topic)

    async def listen(self, *topics: str) -> None:
        """Ask for messages on topics for a while."""
        for part in self._parts(topics):
            async with Answered("does not confirm what we subscribe to; trying again"):
                await self._client.subscribe(part)

    def _parts(self, topics: Iterable[str]) -> Iterator[list[str]]:
        """Yield topics in parts, each for one SUBSCRIBE that the broker takes; a topic that is too long stands alone."""
        most = _SUBSCRIBE if self.limits.packet is None else min(self.limits.packet, _SUBSCRIBE)
        part: list[str] = []
        size = _HEAD
        for topic in topics:
            more = _PER_TOPIC + len(topic.encode())
            if part and size + more > most:
                yield part
                part, size = [], _HEAD
            part.append(topic)
            size += more
        if part:
            yield part

    async def listen_no_more(self, topic: str) -> None:
        """Ask no more for messages on a topic, unless it is one of :meth:`subscribe`."""
        if topic not in self._subscribed:
            async with Answered("does not confirm what we subscribe to; trying again"):
                await self._client.unsubscribe([topic])


async def publish_all(session: Session, messages: Iterable[Message]) -> None:
    """Publish in order without waiting in between; return when the broker has all that have QoS 1.

    What the broker refuses is noted by the session, and the others go on. A broker confirms a message some 40 ms after
    it came when it has little to say (Nagle's algorithm meets delayed acknowledgements), so waiting for each would
    take a minute and more to tell of a thousand meters.

    Raises:
        Disconnected: nobody knows what the broker got.
    """
    under_way: deque[asyncio.Future[None]] = deque()
    at_once = 0
    try:
        for message in messages:
            if not message.qos and not under_way:
                # Nothing is waited for, so it needs no task; but others want their turn, too.
                with contextlib.suppress(Refused):
                    await session.publish(message)
                at_once += 1
                if at_once % _TURN == 0:
                    await asyncio.sleep(0)
                continue
            if len(under_way) >= WINDOW:
                await _over(under_way.popleft())
            # Tasks start in the order they are made, so messages leave in order.
            under_way.append(asyncio.ensure_future(session.publish(message)))
        while under_way:
            await _over(under_way.popleft())
    finally:
        for publish in under_way:
            publish.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


async def _over(publish: asyncio.Future[None]) -> None:
    with contextlib.suppress(Refused):
        await publish


def _now() -> float:
    return asyncio.get_running_loop().time()
