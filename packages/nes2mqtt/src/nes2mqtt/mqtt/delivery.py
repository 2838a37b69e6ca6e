"""Register samples, delivered in order and each at least once.

They wait in an :class:`Outbox`, which the history keeps on disk: a broker's outage, or this program's end,
loses none. A sample counts as delivered when the broker has confirmed every message of it
(PUBACK). One that was confirmed too late to be noted is sent again under the same ``seq``.

This module does not know topics.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from nes2mqtt.mqtt.client import WINDOW, Session
from nes2mqtt.mqtt.message import Message
from nes2mqtt.reading import Sample

__all__ = ["LatestRegisters", "Outbox", "deliver"]


class Outbox(Protocol):
    """Register samples not delivered yet, oldest first."""

    changed: asyncio.Event
    """Set when a sample was added."""

    def pending(self, limit: int) -> Sequence[tuple[int, Sample]]:
        """Return the oldest samples with their numbers, which only grow."""

    def acknowledge(self, seq: int) -> None:
        """Forget the samples up to and including number ``seq``."""

    def waiting(self) -> int:
        """Return how many samples are not delivered."""


class LatestRegisters:
    """An outbox for a gateway without a history: it keeps the newest sample of each meter, in memory."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.dropped = 0
        self._waiting: dict[str, tuple[int, Sample]] = {}
        self._last = 0

    def add(self, sample: Sample) -> None:
        """Take a sample in place of the one of its meter that still waits."""
        self._last += 1
        # Taken out first, so that the order of the dictionary stays that of the numbers.
        if self._waiting.pop(sample.meter, None) is not None:
            self.dropped += 1
        self._waiting[sample.meter] = (self._last, sample)
        self.changed.set()

    def pending(self, limit: int) -> Sequence[tuple[int, Sample]]:
        """Return the samples that wait, oldest first."""
        return list(self._waiting.values())[:limit]

    def acknowledge(self, seq: int) -> None:
        """Forget the samples up to number ``seq``."""
        self._waiting = {meter: item for meter, item in self._waiting.items() if item[0] > seq}

    def waiting(self) -> int:
        """Return how many samples wait."""
        return len(self._waiting)


async def deliver(
    outbox: Outbox,
    session: Session,
    messages: Callable[[int, Sample], Sequence[Message]],
    sent: Callable[[Message], None],
) -> None:
    """Work off an outbox for as long as the connection lasts.

    Args:
        outbox: what to deliver.
        session: the connection.
        messages: what a sample is to the broker.
        sent: told of each message the broker has confirmed.

    Raises:
        Disconnected: the connection is gone; what was confirmed is acknowledged.
    """
    under_way: deque[_Delivery] = deque()
    try:
        while True:
            outbox.changed.clear()
            if len(under_way) <= WINDOW // 2:
                known = {delivery.seq for delivery in under_way}
                under_way.extend(
                    _Delivery(session, seq, messages(seq, sample))
                    for seq, sample in outbox.pending(WINDOW)
                    if seq not in known
                )
            if under_way:
                await under_way[0].confirmed(sent)
                outbox.acknowledge(under_way.popleft().seq)
            else:
                await outbox.changed.wait()
    finally:
        for delivery in under_way:
            await delivery.abandon()


class _Delivery:
    """The messages of one sample, on their way."""

    def __init__(self, session: Session, seq: int, messages: Sequence[Message]) -> None:
        self.seq = seq
        # Tasks start in the order they are made, so messages leave in order.
        self._publishes = [(message, asyncio.ensure_future(session.publish(message))) for message in messages]

    async def confirmed(self, sent: Callable[[Message], None]) -> None:
        """Return when the broker has confirmed each message."""
        for message, publish in self._publishes:
            await publish
            sent(message)

    async def abandon(self) -> None:
        """Wait for nothing any more."""
        for _, publish in self._publishes:
            publish.cancel()
        await asyncio.gather(*(publish for _, publish in self._publishes), return_exceptions=True)
