"""Which topics of a broker are ours: no other gateway may publish there, and what we leave behind is removed.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from nes2mqtt.mqtt.client import Session
from nes2mqtt.mqtt.config import MqttConfig
from nes2mqtt.mqtt.connection import Received, Refused
from nes2mqtt.mqtt.dialects import Dialect
from nes2mqtt.mqtt.discovery import Discovery
from nes2mqtt.mqtt.instances import REPEAT, Instances
from nes2mqtt.mqtt.leftovers import Leftovers
from nes2mqtt.mqtt.message import Message

__all__ = ["Ownership"]

_log = logging.getLogger(__name__)


class Ownership:
    """Sees to it that the topics of one broker's section are ours alone, and that nothing else of ours is there.

    Args:
        config: the broker's section.
        name: the gateway's.
        dialects: what is spoken there.
        discovery: what is announced, if anything.
        leftovers: what was noted of this broker.
        meters: all meters of the configuration.
        instance: what only this process is called.
        monotonic: seconds of a clock that does not jump.
        alone: seconds another gateway has to say that what we are about to remove is its own.
    """

    def __init__(
        self,
        config: MqttConfig,
        name: str,
        dialects: Sequence[Dialect],
        discovery: Discovery | None,
        leftovers: Leftovers,
        meters: Collection[str],
        *,
        instance: str,
        monotonic: Callable[[], float],
        alone: float,
    ) -> None:
        self._address = config.address
        self._name = name
        self._dialects = dialects
        self._discovery = discovery
        self._leftovers = leftovers
        self._instance = instance
        self._monotonic = monotonic
        self._alone = alone
        self._base = dialects[0].will.topic.rpartition("/")[0]
        self._instances = self._instances_at(self._base)
        self._predecessors: dict[str, Instances] = {}
        """Base topics we had before, by the topic on which whoever is there now says so."""
        self._ours = frozenset(self._retained_topics(meters))
        self._part_of_ours = self._part_pattern(meters)

    @property
    def topic(self) -> str:
        """Return the topic to listen to."""
        return self._instances.topic

    @property
    def problem(self) -> str:
        """Return in words that another gateway has our topics, and what to do; empty when they are ours."""
        return self._instances.problem(self._monotonic())

    def note(self, topics: Collection[str] = (), step: int | None = None) -> None:
        """Note in which topics something may be retained, and how small announcements had to be made."""
        self._leftovers.add({*self._ours, *topics}, {self._base}, self._leftovers.step if step is None else step)

    async def hear(self, session: Session, message: Received) -> bool:
        """Take note of another gateway; return whether the message was for us."""
        if message.topic in self._predecessors:
            self._predecessors[message.topic].hear(message, self._monotonic())
            return True
        if message.topic != self.topic:
            return False
        before = self.problem
        answer = self._instances.hear(message, self._monotonic())
        if not before and (problem := self.problem):
            _log.warning("broker %s: %s", self._address, problem)
        if answer is not None:
            await _say(session, answer)
        return True

    async def say_who_we_are(self, session: Session) -> None:
        """Let other gateways with our base topic know of us: at once, and again while there are some."""
        await _say(session, self._instances.claim())
        while True:
            await asyncio.sleep(REPEAT)
            if self._instances.others(self._monotonic()):
                await _say(session, self._instances.claim())

    async def remove_leftovers(self, session: Session) -> None:
        """Empty the retained topics of names that left the configuration, unless another gateway has them now."""
        gone = [
            topic
            for topic in self._leftovers.beyond(self._ours)
            if self._part_of_ours is None or not self._part_of_ours.fullmatch(topic)
        ]
        if not gone:
            return
        former = [self._instances_at(base) for base in self._leftovers.bases - {self._base}]
        self._predecessors = {instances.topic: instances for instances in former}
        if former:
            await session.subscribe(*self._predecessors)
            for instances in former:
                await _say(session, instances.claim())
        await asyncio.sleep(self._alone)
        now = self._monotonic()
        if any(instances.others(now) for instances in (self._instances, *former)):
            _log.info("broker %s: what an earlier configuration left is another gateway's now", self._address)
        else:
            gone = await self._empty(session, gone)
        left = bool(self._leftovers.beyond(self._ours | frozenset(gone)))
        self._leftovers.removed(gone, self._leftovers.bases if left else {self._base})

    async def _empty(self, session: Session, topics: list[str]) -> list[str]:
        """Empty retained topics; return those of which the broker took it."""
        emptied = []
        for topic in topics:
            with contextlib.suppress(Refused):
                await session.publish(Message(topic, "", 1, retain=True), unheard=True, quiet=True)
                emptied.append(topic)
        _log.info(
            "broker %s: removed %d messages it kept for names that left the configuration",
            self._address,
            len(emptied),
        )
        return emptied

    def _instances_at(self, base: str) -> Instances:
        return Instances(base, self._name, self._instance)

    def _retained_topics(self, meters: Collection[str]) -> Iterator[str]:
        """Yield every topic in which the broker keeps something of ours."""
        for dialect in self._dialects:
            yield dialect.will.topic
            for meter in meters:
                yield from dialect.retained(meter)
        if self._discovery is not None:
            yield self._discovery.topic(self._discovery.gateway_id)
            for meter in meters:
                yield self._discovery.topic(f"{self._discovery.gateway_id}_{meter}")

    def _part_pattern(self, meters: Collection[str]) -> re.Pattern[str] | None:
        """Return what matches the topics of announcements in parts."""
        if self._discovery is None:
            return None
        names = "|".join(re.escape(f"{self._discovery.gateway_id}_{meter}") for meter in meters)
        before, after = self._discovery.topic("\0").split("\0")
        return re.compile(f"{re.escape(before)}({names})-[0-9]+{re.escape(after)}")


async def _say(session: Session, claim: Message) -> None:
    """Publish who we are; a broker that does not allow it does no harm."""
    with contextlib.suppress(Refused):
        await session.publish(claim, quiet=True)
