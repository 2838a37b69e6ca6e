"""Which topics of a broker are ours: no other gateway may publish there, and what we leave behind is removed.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections.abc import Callable, Collection, Iterator, Sequence

from nes2mqtt.outputs.mqtt.claims.instances import CLAIM, REPEAT, Instances
from nes2mqtt.outputs.mqtt.claims.leftovers import Leftovers
from nes2mqtt.outputs.mqtt.client.connection import Received, Refused
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.dialects import Dialect
from nes2mqtt.outputs.mqtt.discovery import Discovery

__all__ = ["Ownership"]

_log = logging.getLogger(__name__)

_PART = re.compile(r"-[0-9]+$")


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
        self._base = config.base_topic
        self._name = name
        self._dialects = dialects
        self._discovery = discovery
        self._leftovers = leftovers
        self._instance = instance
        self._monotonic = monotonic
        self._alone = alone
        self._told: set[str] = set()
        """Claim topics of which we said that their leftovers stay."""
        claims = [self._instances_at(_gateway_base(dialect)) for dialect in dialects]
        if discovery is not None:
            base = _device_base(discovery.topic(discovery.gateway_id))
            claims.append(self._instances_at(base, "announces itself to Home Assistant under the same name"))
            # Gateway "home" with meter "barn_house" and gateway "home_barn" with meter "house" have one id in Home Assistant.
            claims += [
                self._instances_at(
                    _device_base(discovery.topic(f"{discovery.gateway_id}_{meter}")),
                    f"announces to Home Assistant what has the id of our meter {meter}",
                )
                for meter in meters
            ]
        self._claims = {instances.topic: instances for instances in claims}
        """What is ours now, by the topic on which another gateway would say that it is its own."""
        self._former: dict[str, Instances] = {}
        """What was ours before, likewise. It outlives a connection: who was heard there once is there."""
        self._topic = claims[0].topic
        self._ours = dict(self._retained_topics(meters))
        self._part_of_ours = self._part_pattern(meters)

    @property
    def topic(self) -> str:
        """Return the topic to listen to from the start; to the others this class listens by itself."""
        return self._topic

    @property
    def problem(self) -> str:
        """Return in words that another gateway has our topics, and what to do; empty when they are ours."""
        now = self._monotonic()
        return next((problem for instances in self._claims.values() if (problem := instances.problem(now))), "")

    def note(self, topics: Collection[str] = (), step: int | None = None) -> None:
        """Note in which topics something may be retained, and how small announcements had to be made."""
        announced = {topic: _claim_of(topic) for topic in topics}
        self._leftovers.add({**announced, **self._ours}, self._leftovers.step if step is None else step)

    async def hear(self, session: Session, message: Received) -> bool:
        """Take note of another gateway; return whether the message was for us."""
        if message.topic in self._former:
            self._former[message.topic].hear(message, self._monotonic())
            return True
        if message.topic not in self._claims:
            return False
        before = self.problem
        answer = self._claims[message.topic].hear(message, self._monotonic())
        if not before and (problem := self.problem):
            _log.warning("broker %s: %s", self._address, problem)
        if answer is not None:
            await _say(session, answer)
        return True

    async def say_who_we_are(self, session: Session) -> None:
        """Let other gateways with our topics know of us: at once, and again while there are some."""
        await session.listen(*self._claims)
        await asyncio.gather(*(_say(session, instances.claim()) for instances in self._claims.values()))
        while True:
            await asyncio.sleep(REPEAT)
            for instances in self._claims.values():
                if instances.others(self._monotonic()):
                    await _say(session, instances.claim())

    async def remove_leftovers(self, session: Session) -> None:
        """Empty the retained topics of names that left the configuration.

        Only those of which surely no other gateway has them now: the broker gave our own claim back, so we would have
        heard another's answer, and there was none.
        """
        gone = [
            topic
            for topic in self._leftovers.beyond(self._ours)
            if self._part_of_ours is None or not self._part_of_ours.fullmatch(topic)
        ]
        if not gone:
            return
        claimed_on = {topic: self._leftovers.topics[topic] for topic in gone}
        asked: dict[str, Instances] = {}
        for claim in sorted(set(claimed_on.values()) - {""}):
            instances = self._claims.get(claim) or self._former.get(claim)
            if instances is None:
                instances = self._former[claim] = self._instances_at(claim.removesuffix(f"/{CLAIM}"))
            asked[claim] = instances
            await session.listen(claim)
            instances.heard_ourselves = False
            await _say(session, instances.claim())
        await asyncio.sleep(self._alone)
        now = self._monotonic()
        others = {claim for claim, instances in asked.items() if instances.others(now)}
        free = {claim for claim, instances in asked.items() if instances.heard_ourselves} - others
        if others:
            _log.info("broker %s: what an earlier configuration left is another gateway's now", self._address)
        self._tell_kept({topic: claim for topic, claim in claimed_on.items() if claim not in free | others})
        emptied = await self._empty(session, [topic for topic in gone if claimed_on[topic] in free])
        self._leftovers.removed([*emptied, *(topic for topic in gone if claimed_on[topic] in others)])

    def _tell_kept(self, kept: dict[str, str]) -> None:
        """Say once which leftovers stay because nobody can tell whether another gateway has them."""
        if kept and not self._told.issuperset(kept.values()):
            self._told.update(kept.values())
            _log.warning(
                "broker %s keeps %d messages of names that left the configuration, such as %s. They stay: it does not "
                "let us hear whether another gateway has these topics now. If none has, remove them with "
                "mosquitto_pub -r -n -t TOPIC",
                self._address,
                len(kept),
                min(kept),
            )

    async def _empty(self, session: Session, topics: list[str]) -> list[str]:
        """Empty retained topics; return those of which the broker took it."""
        if not topics:
            return []
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

    def _instances_at(self, base: str, shares: str = "") -> Instances:
        return Instances(base, self._name, self._instance, shares)

    def _retained_topics(self, meters: Collection[str]) -> Iterator[tuple[str, str]]:
        """Yield every topic in which the broker keeps something of ours, and the topic on which we claim it."""
        for dialect in self._dialects:
            claim = f"{_gateway_base(dialect)}/{CLAIM}"
            yield dialect.will.topic, claim
            for meter in meters:
                for topic in dialect.retained(meter):
                    yield topic, claim
        if self._discovery is not None:
            ids = [self._discovery.gateway_id, *(f"{self._discovery.gateway_id}_{meter}" for meter in meters)]
            for topic in map(self._discovery.topic, ids):
                yield topic, _claim_of(topic)

    def _part_pattern(self, meters: Collection[str]) -> re.Pattern[str] | None:
        """Return what matches the topics of announcements in parts, and those of devices behind meters.

        Which devices there are is known only when they were read; until then what is kept of them stays.
        """
        if self._discovery is None:
            return None
        names = "|".join(re.escape(f"{self._discovery.gateway_id}_{meter}") for meter in meters)
        before, after = self._discovery.topic("\0").split("\0")
        parts = f"({names})-[0-9]+|{re.escape(self._discovery.gateway_id)}-mbus-[a-z0-9_]+"
        return re.compile(
            f"{re.escape(before)}({parts}){re.escape(after)}|{re.escape(self._base)}/devices/[a-z0-9_]+/[a-z]+"
        )


def _gateway_base(dialect: Dialect) -> str:
    return dialect.will.topic.rpartition("/")[0]


def _device_base(announcement: str) -> str:
    """Return the topic below which a device is announced: without ``/config``, and without the number of a part."""
    return _PART.sub("", announcement.rpartition("/")[0])


def _claim_of(announcement: str) -> str:
    """Return the topic on which the device of an announcement is claimed."""
    return f"{_device_base(announcement)}/{CLAIM}"


async def _say(session: Session, claim: Message) -> None:
    """Publish who we are; a broker that does not allow it does no harm."""
    with contextlib.suppress(Refused):
        # Unheard: an answer is published by the very loop that hears, so it cannot wait for what it would hear.
        await session.publish(claim, unheard=True, quiet=True)
