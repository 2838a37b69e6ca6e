"""Register samples, delivered in order and each at least once.

They wait in an :class:`Outbox`, which the history keeps on disk: a broker's outage, or this program's end,
loses none. A sample counts as delivered when the broker has confirmed every message of it
(PUBACK). One that was confirmed too late to be noted is sent again under the same ``seq``.

**Order.** Of each topic one message is under way at a time: otherwise a broker that refuses one and takes the
next would turn their order around. Many topics are under way at once.

**What the broker refuses is kept** and tried again, less and less often, and its topic waits; the outbox does not move
past it, as in an outage. Other topics of the same broker go on: up to :data:`KEPT` samples ahead of the refused one.
When that many are delivered ahead, the refused one is passed over, so that one topic that is refused for ever neither
stops the others nor grows without bound. It stays in the history, and the owner is told. As long as the broker takes
nothing at all, nothing is passed over.

This module does not know topics.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from nes2mqtt.outputs.mqtt.client.connection import Disconnected, Refused
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.session import WINDOW, Session
from nes2mqtt.readings.reading import Sample
from nes2mqtt.timing.backoff import Backoff

__all__ = ["KEPT", "RETRY", "Delivery", "LatestRegisters", "Outbox"]

_log = logging.getLogger(__name__)

KEPT = 250
"""Samples that may be delivered ahead of one that the broker refuses."""

RETRY = (10.0, 600.0)
"""Seconds until a refused message is tried again: at first, and at most."""


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Outbox(Protocol[T_co]):
    """What is not delivered yet, such as register samples, oldest first."""

    changed: asyncio.Event
    """Set when a sample was added."""

    def pending(self, limit: int) -> Sequence[tuple[int, T_co]]:
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


class _Reading:
    """One sample on its way."""

    def __init__(self, seq: int, messages: Sequence[Message]) -> None:
        self.seq = seq
        self.left = {message.topic for message in messages}
        """Topics whose message is not confirmed."""
        self.confirmed = False
        """At least one message of it is confirmed."""


class _Lane:
    """The messages of one topic, in order."""

    def __init__(self) -> None:
        self.queue: deque[tuple[_Reading, Message]] = deque()
        self.task: asyncio.Task[None] | None = None
        self.refused = False
        """The broker refused the first one; it waits to be tried again."""


class Delivery(Generic[T]):
    """Works off an outbox, over many connections.

    Args:
        outbox: what to deliver.
        messages: what a sample is to the broker.
        sent: told of each message the broker has confirmed.
    """

    def __init__(
        self,
        outbox: Outbox[T],
        messages: Callable[[int, T], Sequence[Message]],
        sent: Callable[[Message], None],
    ) -> None:
        self._outbox = outbox
        self._messages = messages
        self._sent = sent
        self._ahead: dict[int, set[str]] = {}
        """What is still to be confirmed of samples beyond the first that is refused; survives a connection."""
        self._readings: deque[_Reading] = deque()
        self._lanes: dict[str, _Lane] = {}
        self._lost: Disconnected | None = None
        self.passed_over = 0
        """Samples given up because their topic was refused while others went on."""

    async def run(self, session: Session) -> None:
        """Deliver for as long as the connection lasts.

        Raises:
            Disconnected: the connection is gone; what was confirmed is acknowledged.
        """
        self._readings.clear()
        self._lanes.clear()
        self._lost = None
        places = asyncio.Semaphore(WINDOW)
        changed = self._outbox.changed
        try:
            while self._lost is None:
                changed.clear()
                self._take(session, places)
                if not self._acknowledge() and not self._pass_over():
                    await changed.wait()
            raise self._lost
        finally:
            await self._abandon()

    def busy(self, topic: str) -> bool:
        """Tell whether a message on a topic is under way, or about to be."""
        lane = self._lanes.get(topic)
        return lane is not None and lane.task is not None

    def _take(self, session: Session, places: asyncio.Semaphore) -> None:
        """Give what the outbox holds to the lanes of its topics."""
        if len(self._readings) > KEPT // 2 and not self._stuck:
            return
        pending = self._outbox.pending(KEPT)
        if pending and len(pending) == len(self._readings) and pending[-1][0] == self._readings[-1].seq:
            return  # all of them are under way already
        self._drop_replaced({seq for seq, _ in pending})
        known = {reading.seq for reading in self._readings}
        for seq, sample in pending:
            if seq in known:
                continue
            messages = self._messages(seq, sample)
            reading = _Reading(seq, messages)
            if (left := self._ahead.get(seq)) is not None:
                reading.left &= left
                reading.confirmed = True
            self._readings.append(reading)
            for message in messages:
                if message.topic in reading.left:
                    lane = self._lanes.setdefault(message.topic, _Lane())
                    lane.queue.append((reading, message))
                    if lane.task is None:
                        lane.task = asyncio.create_task(self._work_off(message.topic, lane, session, places))

    def _drop_replaced(self, pending: set[int]) -> None:
        """Forget samples that the outbox no longer holds, unless they are just being published."""
        for reading in self._readings:
            if reading.seq in pending:
                continue
            for topic in tuple(reading.left):
                lane = self._lanes[topic]
                if lane.refused or lane.queue[0][0] is not reading:
                    lane.queue = deque(item for item in lane.queue if item[0] is not reading)
                    reading.left.discard(topic)

    async def _work_off(self, topic: str, lane: _Lane, session: Session, places: asyncio.Semaphore) -> None:
        """Publish the messages of a topic, one after the other, until there are no more."""
        pause = Backoff(*RETRY)
        try:
            while lane.queue:
                reading, message = lane.queue[0]
                try:
                    async with places:
                        await session.publish(message)
                except Refused:
                    lane.refused = True
                    self._outbox.changed.set()
                    await asyncio.sleep(pause.next())
                    continue
                if lane.refused:
                    lane.refused = False
                    pause.reset()
                self._sent(message)
                reading.left.discard(topic)
                reading.confirmed = True
                if lane.queue and lane.queue[0][0] is reading:  # it may have been passed over meanwhile
                    lane.queue.popleft()
                if not reading.left:
                    self._outbox.changed.set()
        except Disconnected as lost:
            self._lost = self._lost or lost
            self._outbox.changed.set()
        finally:
            lane.task = None
            if not lane.queue:
                self._lanes.pop(topic, None)
                # Now perhaps nothing is under way any more but what is refused: then the oldest may be passed over.
                self._outbox.changed.set()

    def _acknowledge(self) -> bool:
        """Tell the outbox how far all is confirmed; return whether that is farther than before."""
        done = 0
        while self._readings and not self._readings[0].left:
            done = self._readings.popleft().seq
            self._ahead.pop(done, None)
        if done:
            self._outbox.acknowledge(done)
        return bool(done)

    @property
    def _stuck(self) -> bool:
        """Tell whether nothing is under way but what is refused."""
        return bool(self._lanes) and all(lane.refused for lane in self._lanes.values())

    def _pass_over(self) -> bool:
        """Give up the oldest sample when others have gone far ahead of it; return whether one was."""
        if len(self._readings) < KEPT or not self._stuck or not any(reading.confirmed for reading in self._readings):
            return False
        oldest = self._readings[0]
        for topic in oldest.left:
            lane = self._lanes[topic]
            lane.queue.popleft()
        if not self.passed_over:
            _log.warning(
                "gave up register reading %d on %s: the broker goes on refusing this topic while it takes others; "
                "the history keeps the reading",
                oldest.seq,
                ", ".join(sorted(oldest.left)),
            )
        self.passed_over += 1
        oldest.left.clear()
        return True

    async def _abandon(self) -> None:
        """Wait for nothing any more; remember what is confirmed beyond the first that is not."""
        self._acknowledge()
        self._ahead = {reading.seq: set(reading.left) for reading in self._readings if reading.confirmed}
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
