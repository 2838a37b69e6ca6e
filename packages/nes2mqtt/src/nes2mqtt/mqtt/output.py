"""The MQTT output: one broker, all dialects configured for it.

Nothing is queued for live values: the hub remembers the newest, and what is published is what is true
and fresh at that moment, so a slow broker gets fewer values but never old ones. Register
samples go through an outbox (:mod:`nes2mqtt.mqtt.delivery`). On every connect the broker is told
everything it should hold (availability, discovery, states, the last registers), because it may have
lost its memory. Live values do not wait behind a backlog of registers.

All messages go out on one connection. A dialect whose will differs from the first dialect's has a second
connection that does nothing but be there, because MQTT gives a connection one will.

This module does not know topics, formats or how connections are made.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil

from nes2mqtt.gateway import GatewayInfo
from nes2mqtt.hub import Hub, Latest, OutputStatus
from nes2mqtt.mqtt.client import Broker, Pace, Received, Session, publish_all
from nes2mqtt.mqtt.config import DialectName, MqttConfig
from nes2mqtt.mqtt.delivery import LatestRegisters, Outbox, deliver
from nes2mqtt.mqtt.dialects import Dialect, configured
from nes2mqtt.mqtt.discovery import Discovery
from nes2mqtt.mqtt.message import Message, Will
from nes2mqtt.mqtt.rows import When
from nes2mqtt.mqtt.view import EnergyPeriods, View
from nes2mqtt.reading import Event, MeterState, MeterStatus, Quality, Sample, TableGroup

__all__ = ["MqttOutput", "Timing"]

EXPIRY_PERIODS = 5
"""A live value expires in Home Assistant after so many publish periods without a new one."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Pauses, in seconds."""

    pace: Pace = field(default_factory=Pace)
    settle: float = 3.0
    """Between learning something new of a meter and announcing it, so that it is announced once."""
    birth: tuple[float, float] = (1.0, 4.0)
    """Home Assistant has just started: wait between these, at random, as it asks of all its devices."""
    patience: float = 60.0
    """Before a meter is announced of which only one table could be read."""


class MqttOutput:
    """Publishes to one broker.

    Args:
        config: the broker's section.
        gateway: this program.
        outbox: register samples that survive an outage; None: only the newest is kept, in memory.
        hub: where the latest values are.
        energy: gives the energy of the running hour, day and month of a meter; must return at once.
        timing: pauses.
    """

    def __init__(
        self,
        config: MqttConfig,
        gateway: GatewayInfo,
        outbox: Outbox | None,
        hub: Hub,
        *,
        energy: Callable[[str], EnergyPeriods] | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.name = config.name
        self._config = config
        self._gateway = gateway
        self._hub = hub
        self._energy = energy
        self._timing = timing or Timing()
        self._clock = hub.clock
        self._dialects = configured(config)
        self._latest_registers = LatestRegisters()
        self._outbox: Outbox = outbox if outbox is not None else self._latest_registers
        self._numbered = outbox is not None
        self._retained: dict[str, Message] = {}
        """The register messages the broker should hold."""
        self._discovery = self._make_discovery()
        self._told: dict[str, MeterStatus] = {}
        self._shown: set[str] = set()
        """Meters whose live values have been offered since they last fell silent."""
        self._due: dict[str, set[When]] = {}
        """What to publish at the next chance, per meter."""
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        """Discovery has learned something."""
        self._born = asyncio.Event()
        """Home Assistant has started."""
        self._dropped = 0
        wills = tuple(dict.fromkeys(dialect.will for dialect in self._dialects))
        client_id = config.client_id or f"{gateway.name}-{secrets.token_hex(4)}"
        self._main_will = wills[0]
        self._main = Broker(config, client_id, wills[0], self._work, self._heard, self._timing.pace)
        self._presences = [
            Broker(config, f"{client_id}-{number}", will, _be_there(will), _contradict(will), self._timing.pace)
            for number, will in enumerate(wills[1:], start=2)
        ]

    def _make_discovery(self) -> Discovery | None:
        if DialectName.HOMEASSISTANT not in self._config.dialects:
            return None
        return Discovery(self._config, self._gateway, expire_after=self._expire_after, patience=self._timing.patience)

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
        elif event.group is TableGroup.PRESENT:
            self._offer_present(event.meter)
        elif not self._numbered:
            self._latest_registers.add(event)
        if self._discovery is not None and self._discovery.learn(event, asyncio.get_running_loop().time()):
            self._news.set()

    def _offer_status(self, status: MeterStatus) -> None:
        told = self._told.get(status.meter)
        self._told[status.meter] = status
        if status.state is not MeterState.ONLINE:
            self._shown.discard(status.meter)
        # Link counts change with every reply; they go out with the slow repeats.
        if told is None or (told.state, told.message, told.info) != (status.state, status.message, status.info):
            self._want(status.meter, When.STATUS)

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
            for broker in (self._main, *self._presences):
                tasks.create_task(broker.run())

    def status(self) -> OutputStatus:
        """Tell how the connection is."""
        problem = next((broker.problem for broker in (self._main, *self._presences) if broker.problem), "")
        return OutputStatus(
            name=self.name,
            ok=not problem,
            message=problem or f"connected to {self._config.address}",
            waiting=self._outbox.waiting(),
            dropped=self._dropped + self._latest_registers.dropped,
        )

    # What happens on a connection.

    async def _work(self, session: Session) -> None:
        await session.subscribe(self._main_will.topic, *self._birth_topics)
        await self._tell_everything(session)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish_due(session))
            tasks.create_task(self._repeat(session, self._config.diagnostics_every, When.STATUS, self._dialects))
            for every in {dialect.every for dialect in self._dialects} - {0}:
                group = [dialect for dialect in self._dialects if dialect.every == every]
                tasks.create_task(self._repeat(session, every, When.LIVE, group))
            tasks.create_task(deliver(self._outbox, session, self._register_messages, self._remember))
            if self._discovery is not None:
                tasks.create_task(self._announce(session, self._discovery))
                tasks.create_task(self._greet_home_assistant(session))

    @property
    def _birth_topics(self) -> tuple[str, ...]:
        return (f"{self._config.homeassistant.discovery_prefix}/status",) if self._discovery is not None else ()

    async def _tell_everything(self, session: Session) -> None:
        """Tell the broker all it should hold, and what is true now; nothing else is due then."""
        self._due = {}
        self._wake.clear()
        if self._discovery is not None:
            await publish_all(session, self._discovery.everything(asyncio.get_running_loop().time()))
        await publish_all(session, self._state_of_all())
        await publish_all(session, tuple(self._retained.values()))

    def _state_of_all(self) -> Iterator[Message]:
        for meter, latest in tuple(self._hub.latest.items()):
            for when in (When.STATUS, When.LIVE):
                yield from self._messages(when, self._dialects, meter, latest)
            if TableGroup.PRESENT in latest.samples:
                self._shown.add(meter)

    async def _heard(self, session: Session, message: Received) -> None:
        """Watch our own status, and wait for Home Assistant to start."""
        if message.topic == self._main_will.topic:
            await _contradict(self._main_will)(session, message)
        elif message.payload == "online" and not message.retained:
            self._born.set()

    async def _publish_due(self, session: Session) -> None:
        """Publish what has changed: states, and the live values of dialects without a pace."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = self._due, {}
            await publish_all(session, self._due_messages(due))

    def _due_messages(self, due: Mapping[str, set[When]]) -> Iterator[Message]:
        for meter, occasions in due.items():
            latest = self._hub.latest.get(meter)
            if latest is None:
                continue
            if When.STATUS in occasions:
                yield from self._messages(When.STATUS, self._dialects, meter, latest)
            if When.LIVE in occasions:
                dialects = [d for d in self._dialects if d.every == 0 or meter not in self._shown]
                self._shown.add(meter)
                yield from self._messages(When.LIVE, dialects, meter, latest)

    async def _repeat(self, session: Session, every: float, when: When, dialects: Iterable[Dialect]) -> None:
        """Publish at a fixed pace, on a grid that does not drift."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += every * max(1, ceil((loop.time() - due) / every))
            await asyncio.sleep(due - loop.time())
            await publish_all(
                session,
                (
                    message
                    for meter, latest in tuple(self._hub.latest.items())
                    for message in self._messages(when, dialects, meter, latest)
                ),
            )

    async def _announce(self, session: Session, discovery: Discovery) -> None:
        """Announce what discovery learns, once it has settled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await asyncio.sleep(self._timing.settle)
            await publish_all(session, discovery.news(asyncio.get_running_loop().time()))
            if discovery.waiting():
                self._news.set()

    async def _greet_home_assistant(self, session: Session) -> None:
        """Say everything again when Home Assistant has started."""
        while True:
            await self._born.wait()
            await asyncio.sleep(random.uniform(*self._timing.birth))  # noqa: S311 - no secret
            self._born.clear()
            await self._tell_everything(session)

    # Messages.

    def _messages(self, when: When, dialects: Iterable[Dialect], meter: str, latest: Latest) -> Iterator[Message]:
        """Yield what is to be said of a meter on an occasion."""
        view = self._view(meter, latest, when)
        if when is When.LIVE and not view.samples:
            return
        for dialect in dialects:
            yield from dialect.messages(when, view)

    def _view(self, meter: str, latest: Latest, when: When) -> View:
        """Show a meter as it is now; live values only while fresh, for a status also the last one's time."""
        now = self._clock.now()
        samples = (
            sample
            for sample in latest.samples.values()
            if when is When.STATUS or self._hub.quality(sample) is Quality.GOOD
        )
        energy = self._energy(meter) if self._energy is not None and when is When.LIVE else {}
        return View(meter, self._gateway, now, latest.status, tuple(samples), energy=energy)

    def _register_messages(self, seq: int, sample: Sample) -> list[Message]:
        latest = self._hub.latest.get(sample.meter)
        view = View(
            sample.meter,
            self._gateway,
            self._clock.now(),
            latest.status if latest is not None else None,
            (sample,),
            seq=seq if self._numbered else None,
        )
        return [message for dialect in self._dialects for message in dialect.messages(When.REGISTERS, view)]

    def _remember(self, message: Message) -> None:
        if message.retain:
            self._retained[message.topic] = message


def _be_there(will: Will) -> Callable[[Session], Coroutine[None, None, None]]:
    """Return the work of a connection that only has to be there."""

    async def work(session: Session) -> None:
        await session.subscribe(will.topic)

    return work


def _contradict(will: Will) -> Callable[[Session, Received], Awaitable[None]]:
    """Return what to do when the broker, late, buries an earlier connection of ours: say that we are there."""

    async def heard(session: Session, message: Received) -> None:
        if message.payload == will.offline:
            await session.publish(will.birth)

    return heard
