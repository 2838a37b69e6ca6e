"""The MQTT output: one broker, all dialects configured for it.

Live values are not queued. The hub keeps the newest value, and the value published is the newest one at the moment of
sending, and only if it is still fresh. So a slow broker gets fewer values but never old ones. Register samples go
through an outbox (:mod:`nes2mqtt.outputs.mqtt.delivery`), and live values do not wait behind a backlog of register
samples. On every connect this output publishes everything that the broker should hold (availability, discovery, states,
the last registers), because the broker may have lost its memory.

All messages go out on one connection. MQTT allows one last will per connection. So a dialect whose last will differs
from the first dialect's gets a second connection, which is held open only for that will.

This output also tells other gateways on the broker that these topics are taken, and removes from the broker what is no
longer configured (:mod:`nes2mqtt.outputs.mqtt.ownership`).

This module does not know topics, formats or how connections are made.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nes2mqtt.outputs.mqtt.claims.leftovers import Leftovers
from nes2mqtt.outputs.mqtt.client.broker import Broker, Pace
from nes2mqtt.outputs.mqtt.client.connection import ClientFactory, Limits, Received
from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.client.session import Session, publish_all
from nes2mqtt.outputs.mqtt.client.wire_client import WireClient
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.delivery import Delivery, LatestRegisters, Outbox
from nes2mqtt.outputs.mqtt.dialects import Dialect, configured
from nes2mqtt.outputs.mqtt.dialects.homeassistant import event as event_message
from nes2mqtt.outputs.mqtt.dialects.rows import When
from nes2mqtt.outputs.mqtt.dialects.view import EnergyPeriods
from nes2mqtt.outputs.mqtt.discovery import PARTS, Discovery
from nes2mqtt.outputs.mqtt.feeds import Feeds, Sources
from nes2mqtt.outputs.mqtt.ownership import Ownership
from nes2mqtt.outputs.mqtt.presence import Heard, be_there, contradict
from nes2mqtt.outputs.mqtt.views import Views
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import Beside, ConditionRead, Event, MeterState, MeterStatus, Sample, TableGroup
from osgp.sources import Direction

if TYPE_CHECKING:
    from nes2mqtt.bills.running_costs import RunningCosts

__all__ = ["Ears", "MqttOutput", "Timing"]

_log = logging.getLogger(__name__)

EVENTS_KEPT = 100
"""Events that may wait for the broker; older ones are dropped."""

REFUSED_AGAIN = 300.0
"""Seconds after which everything is published again, as long as the broker refuses something."""

EXPIRY_PERIODS = 5
"""A live value expires in Home Assistant after so many publish periods without a new one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Pauses, in seconds."""

    pace: Pace = field(default_factory=Pace)
    settle: float = 3.0
    """Pause between learning something new of a meter and announcing it, so that several news make one announcement."""
    birth: tuple[float, float] = (1.0, 4.0)
    """Shortest and longest pause after Home Assistant's start; it asks all devices for a random pause."""
    patience: float = 60.0
    """Pause before a meter is announced of which only one table could be read."""
    alone: float = 5.0
    """Time that another gateway has to say that the topics we are about to remove are its own."""


class Ears(Protocol):
    """Who listens to messages of others on the broker."""

    topics: tuple[str, ...]
    """Without wildcards."""

    def hear(self, topic: str, payload: str, *, retained: bool) -> None:
        """Take a message; returns at once."""


class MqttOutput:
    """Publishes to one broker.

    Args:
        config: the broker's section.
        gateway: this program.
        outbox: register samples that survive an outage; None: only the newest is kept, in memory.
        hub: holds the latest values.
        feeds: where events and filled intervals are, which are delivered as well; None: they are not.
        costs: gives prices and costs of the meters with a contract; None: nobody has one.
        energy: gives the energy of the running hour, day and month of a meter; must return at once.
        timing: pauses.
        client: makes connections to the broker.
        rng: gives the random numbers for pauses and for the end of the client id.
        meters: all meters of the configuration; what the broker keeps of others is removed.
        folder: the data folder, to remember what the broker keeps; None: nothing is removed.
        ears: who listens to others on this broker.
    """

    def __init__(
        self,
        config: MqttConfig,
        gateway: GatewayInfo,
        outbox: Outbox[Sample] | None,
        hub: Hub,
        *,
        feeds: Sources | None = None,
        energy: Callable[[str], EnergyPeriods] | None = None,
        costs: RunningCosts | None = None,
        timing: Timing | None = None,
        client: ClientFactory = WireClient,
        rng: random.Random | None = None,
        meters: Collection[str] = (),
        folder: Path | None = None,
        ears: Ears | None = None,
    ) -> None:
        self._ears = ears
        self.name = config.name
        self._config = config
        self._gateway = gateway
        self._hub = hub
        self._timing = timing or Timing()
        self._rng = rng if rng is not None else random.Random()  # noqa: S311 - no secret
        self._clock = hub.clock
        self._feeds = Feeds(config, feeds)
        self._dialects = self._feeds.spoken(configured(config))
        self._latest_registers = LatestRegisters()
        self._outbox: Outbox[Sample] = outbox if outbox is not None else self._latest_registers
        self._numbered = outbox is not None
        self._views = Views(
            gateway,
            hub,
            self._dialects,
            numbered=self._numbered,
            energy=energy,
            alerts=self._feeds.alerts,
        )
        self._delivery = Delivery(self._outbox, self._views.registers, self._remember)
        self._retained: dict[str, Message] = {}
        """The register messages the broker should hold."""
        self._leftovers = Leftovers(folder, config.address)
        self._event_names = None if feeds is None else feeds.names
        self._discovery = self._make_discovery()
        self._told: dict[str, MeterStatus] = {}
        self._shown: set[str] = set()
        """Meters whose live values have been offered since they last fell silent."""
        self._due: dict[str, set[When]] = {}
        """The kinds of messages to publish as soon as possible, per meter."""
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        """Discovery has learned something."""
        self._born = asyncio.Event()
        """Home Assistant has started."""
        self._dropped = 0
        self._segments: dict[str, int] = {}
        self._events: deque[Message] = deque(maxlen=EVENTS_KEPT)
        self._feeds.follow_alerts(lambda meter: self._want(meter, When.STATUS))
        self._costs = costs.follow(self._offer_costs) if costs is not None else None
        wills = tuple(dict.fromkeys(dialect.will for dialect in self._dialects))
        client_id = config.client_id or f"{gateway.name}-{self._rng.getrandbits(32):08x}"
        self._main_will = wills[0]
        self._ownership = Ownership(
            config,
            gateway.name,
            self._dialects,
            self._discovery,
            self._leftovers,
            meters,
            instance=f"{self._rng.getrandbits(64):016x}",
            monotonic=self._clock.monotonic,
            alone=self._timing.alone,
        )

        def broker(
            client_id: str, will: Will, work: Callable[[Session], Coroutine[None, None, None]], heard: Heard
        ) -> Broker:
            return Broker(config, client_id, will, work, heard, self._timing.pace, client=client, rng=self._rng)

        self._main = broker(client_id, wills[0], self._work, self._heard)
        self._presences = [
            broker(f"{client_id}-{number}", will, be_there(will), contradict(will))
            for number, will in enumerate(wills[1:], start=2)
        ]

    def _make_discovery(self) -> Discovery | None:
        if DialectName.HOMEASSISTANT not in self._config.dialects:
            return None
        discovery = Discovery(
            self._config,
            self._gateway,
            expire_after=self._expire_after,
            patience=self._timing.patience,
            remembers=self._numbered,
            noted=self._leftovers.topics,
            event_names=self._event_names,
            alert_kinds=self._feeds.alert_kinds,
        )
        discovery.step = min(self._leftovers.step, len(PARTS) - 1)
        return discovery

    def _expire_after(self, meter: str) -> int:
        """Return the seconds after which Home Assistant forgets a live value of a meter."""
        stale = self._hub.stale_after(TableGroup.PRESENT, meter)
        seconds = max(EXPIRY_PERIODS * self._config.homeassistant.every, stale.total_seconds() if stale else 0)
        return max(ceil(seconds), 1)

    # What the hub and the app call.

    def offer(self, event: Event) -> None:
        """Take note that there is something new; the values themselves stay in the hub."""
        if isinstance(event, MeterStatus):
            self._offer_status(event)
        elif isinstance(event, Beside):
            self._feeds.offer(event)
            if isinstance(event, ConditionRead):
                self._want(event.meter, When.STATUS)
        elif event.group is TableGroup.PRESENT:
            self._offer_present(event.meter)
        else:
            self._see_exchange(event)
            if not self._numbered:
                self._latest_registers.add(event)
        if self._discovery is not None and self._discovery.learn(event, asyncio.get_running_loop().time()):
            self._news.set()

    def _offer_status(self, status: MeterStatus) -> None:
        told = self._told.get(status.meter)
        self._told[status.meter] = status
        if told is not None:
            for kind, before, after in (
                ("alert", told.link.alerts, status.link.alerts),
                ("power_cycle", told.link.power_cycles, status.link.power_cycles),
            ):
                if after > before:
                    self._happened(status.meter, kind, count=after)
        if status.state is not MeterState.ONLINE:
            self._shown.discard(status.meter)
        # Link counts change with every reply; they go out with the slow repeats.
        if told is None or (told.state, told.message, told.info) != (status.state, status.message, status.info):
            self._want(status.meter, When.STATUS)

    def _offer_costs(self, meter: str, directions: Collection[Direction], currency: str) -> None:
        self._want(meter, When.COSTS)
        if self._discovery is not None and self._discovery.learn_costs(meter, directions, currency):
            self._news.set()

    def _see_exchange(self, sample: Sample) -> None:
        """Tell once that another meter is in a meter's place."""
        if sample.segment > self._segments.setdefault(sample.meter, sample.segment):
            self._segments[sample.meter] = sample.segment
            status = self._told.get(sample.meter)
            if not self._numbered:
                _log.warning(
                    "meter %s was exchanged: without a history nobody remembers where its registers stood, so Home "
                    "Assistant gets no energy to count of it until this program starts again, and then the difference "
                    "of the two meters' registers. Set enabled = true in [history] before a meter is exchanged",
                    sample.meter,
                )
            self._happened(
                sample.meter, "exchanged", segment=sample.segment, serial=status.info.serial if status else ""
            )

    def _happened(self, meter: str, kind: str, **more: str | int) -> None:
        if self._discovery is not None:
            self._events.append(event_message(self._config, meter, kind, **more))
            self._wake.set()

    def _offer_present(self, meter: str) -> None:
        due = self._due.get(meter, ())
        if When.LIVE in due and self._main.connected:
            self._dropped += 1
        # The first values of a meter go out at once, whatever the dialects' pace.
        if meter not in self._shown or any(dialect.every == 0 for dialect in self._dialects):
            self._want(meter, When.LIVE)

    def _want(self, meter: str, when: When) -> None:
        self._due.setdefault(meter, set()).add(when)
        self._wake.set()

    async def run(self) -> None:
        """Publish for ever."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._feeds.run())
            for broker in (self._main, *self._presences):
                tasks.create_task(broker.run())

    def status(self) -> OutputStatus:
        """Tell how the connection is."""
        brokers = (self._main, *self._presences)
        problem, kind = next(((broker.problem, broker.kind) for broker in brokers if broker.problem), ("", ""))
        if not problem and (problem := self._ownership.problem):
            kind = "mqtt_shared"
        limitations = self._main.limitations
        return OutputStatus(
            name=self.name,
            ok=not problem,
            message=problem or f"connected to {self._config.address}{limitations and f'; {limitations}'}",
            waiting=self._outbox.waiting() + self._feeds.waiting(),
            dropped=self._dropped + self._latest_registers.dropped + self._delivery.passed_over,
            code=kind or "mqtt_connected",
            params={"broker": self._config.address},
        )

    # What happens on a connection.

    async def _work(self, session: Session) -> None:
        self._ownership.note()
        await session.subscribe(*self._topics)
        await self._tell_everything(session)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_due(session))
            tasks.create_task(self._repeat(session, self._config.diagnostics_every, When.STATUS, self._dialects))
            for every in {dialect.every for dialect in self._dialects} - {0}:
                group = [dialect for dialect in self._dialects if dialect.every == every]
                tasks.create_task(self._repeat(session, every, When.LIVE, group))
            for delivery in (self._delivery.run(session), *self._feeds.deliveries(session)):
                tasks.create_task(delivery)
            tasks.create_task(self._ownership.say_who_we_are(session))
            tasks.create_task(self._ownership.remove_leftovers(session))
            tasks.create_task(self._try_refused_again(session))
            if self._discovery is not None:
                tasks.create_task(self._announce(session, self._discovery))
                tasks.create_task(self._greet_home_assistant(session))

    @property
    def _topics(self) -> tuple[str, ...]:
        """Return all that is listened to, each once."""
        heard = () if self._ears is None else self._ears.topics
        return tuple(dict.fromkeys((self._main_will.topic, self._ownership.topic, *self._birth_topics, *heard)))

    @property
    def _birth_topics(self) -> tuple[str, ...]:
        return (f"{self._config.homeassistant.discovery_prefix}/status",) if self._discovery is not None else ()

    async def _tell_everything(self, session: Session) -> None:
        """Publish everything the broker should hold, and the values of now. After that nothing else is due."""
        self._due = {}
        if not self._events:
            self._wake.clear()
        if self._discovery is not None:
            await self._publish_announcements(session, self._discovery, self._discovery.everything)
        await publish_all(session, self._state_of_all())
        await publish_all(session, self._last_registers())

    def _last_registers(self) -> Iterator[Message]:
        """Yield the last registers again, except where newer ones are being sent, which must arrive last."""
        return (self._retained[topic] for topic in tuple(self._retained) if not self._delivery.busy(topic))

    async def _publish_announcements(
        self, session: Session, discovery: Discovery, messages: Callable[[float, Limits], Iterator[Message]]
    ) -> None:
        """Publish announcements, in smaller messages when the broker finds them too large."""
        while True:
            packet, step = session.limits.packet, discovery.step
            topics: list[str] = []

            def noted(
                messages: Callable[[float, Limits], Iterator[Message]] = messages, topics: list[str] = topics
            ) -> Iterator[Message]:
                for message in messages(asyncio.get_running_loop().time(), session.limits):
                    topics.append(message.topic)
                    yield message

            await publish_all(session, noted())
            if discovery.step != step:
                _log.info("announcing meters to Home Assistant in messages of %d entities each", discovery.size)
            self._ownership.note(topics, discovery.step)
            if session.limits.packet == packet:
                return
            messages = discovery.everything

    def _state_of_all(self) -> Iterator[Message]:
        for meter, latest in tuple(self._hub.latest.items()):
            for when in (When.STATUS, When.LIVE):
                yield from self._views.messages(when, self._dialects, meter, latest)
            if TableGroup.PRESENT in latest.samples:
                self._shown.add(meter)
        yield from self._cost_messages()

    def _cost_messages(self, *meters: str) -> Iterator[Message]:
        for meter, costs in self._costs.take(*meters) if self._costs is not None else ():
            yield from self._views.costs(meter, costs)

    async def _heard(self, session: Session, message: Received) -> None:
        """Watch our own status, wait for Home Assistant to start, and pass on what others listen to."""
        if self._ears is not None and message.topic in self._ears.topics:
            self._ears.hear(message.topic, message.payload, retained=message.retained)
        if message.topic == self._main_will.topic:
            await contradict(self._main_will)(session, message)
        elif await self._ownership.hear(session, message):
            pass
        elif message.topic in self._birth_topics and message.payload == "online" and not message.retained:
            self._born.set()

    async def _try_refused_again(self, session: Session) -> None:
        """Publish everything again now and then while the broker refuses something; delivery repeats registers."""
        while True:
            await asyncio.sleep(REFUSED_AGAIN)
            if session.refusals.problem:
                await session.subscribe(*self._topics)
                await self._tell_everything(session)

    async def _publish_due(self, session: Session) -> None:
        """Publish what has changed: states, events, and the live values of dialects without a pace."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._events:
                happened = self._events.popleft()
                await publish_all(session, [happened])
                session.refusals.forget(happened.topic)  # it is over; it was told
            due, self._due = self._due, {}
            await publish_all(session, self._due_messages(due))

    def _due_messages(self, due: Mapping[str, set[When]]) -> Iterator[Message]:
        for meter, occasions in due.items():
            if When.COSTS in occasions:
                yield from self._cost_messages(meter)
            latest = self._hub.latest.get(meter)
            if latest is None:
                continue
            if When.STATUS in occasions:
                yield from self._views.messages(When.STATUS, self._dialects, meter, latest)
            if When.LIVE in occasions:
                dialects = [d for d in self._dialects if d.every == 0 or meter not in self._shown]
                self._shown.add(meter)
                yield from self._views.messages(When.LIVE, dialects, meter, latest)

    async def _repeat(self, session: Session, every: float, when: When, dialects: Iterable[Dialect]) -> None:
        """Publish at a fixed pace, on a grid that does not drift."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += every * max(1, ceil((loop.time() - due) / every))
            await asyncio.sleep(due - loop.time())
            if when is When.STATUS:
                # Who came late and gets nothing retained, as a device made in FHEM, learns that this program is there.
                await publish_all(session, [self._main_will.birth])
            await publish_all(
                session,
                (
                    message
                    for meter, latest in tuple(self._hub.latest.items())
                    for message in self._views.messages(when, dialects, meter, latest)
                ),
            )

    async def _announce(self, session: Session, discovery: Discovery) -> None:
        """Announce what discovery learns, once it has settled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(self._timing.settle)
            await self._publish_announcements(session, discovery, discovery.news)
            if discovery.waiting():
                self._news.set()

    async def _greet_home_assistant(self, session: Session) -> None:
        """Publish everything again when Home Assistant has started."""
        while True:
            await self._born.wait()
            await asyncio.sleep(self._rng.uniform(*self._timing.birth))
            self._born.clear()
            await self._tell_everything(session)

    def _remember(self, message: Message) -> None:
        if message.retain:
            self._retained[message.topic] = message
