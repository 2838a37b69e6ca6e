"""What a broker gets besides readings, each once confirmed: what meters' logs told, and intervals that were filled in.

Both are numbered lists that are kept elsewhere; how far each broker has confirmed them is kept, too. So a broker that was away
gets what it missed, in order, and a restart passes nothing over.

This module does not know topics.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nes2mqtt.outputs.mqtt import alerts
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.delivery import Delivery
from nes2mqtt.outputs.mqtt.dialects import Dialect
from nes2mqtt.outputs.mqtt.dialects import homeassistant as topics
from nes2mqtt.outputs.mqtt.numbered_outbox import Numbered, NumberedOutbox, Position
from nes2mqtt.readings.filled import FilledInterval
from nes2mqtt.readings.happened import EventLog, Happened
from nes2mqtt.readings.reading import EntriesRead, Event

if TYPE_CHECKING:
    from nes2mqtt.alerts.keeper import AlertKeeper
    from nes2mqtt.alerts.kinds import Kind
    from nes2mqtt.alerts.telling import Telling

__all__ = ["Feeds", "Sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the lists are.

    Args:
        event_log: what meters' logs told.
        position: gives what keeps a number under a name.
        filled: intervals that were filled in; None without a history.
        names: what events are called, by meter and number.
        alerts: what needs attention; None if nothing is watched.
    """

    event_log: EventLog
    position: Callable[[str], Position]
    filled: Numbered[FilledInterval] | None = None
    names: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    alerts: AlertKeeper | None = None


class _News:
    """The news of an event log, as a numbered list."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def after(self, number: int, limit: int) -> Sequence[tuple[int, Happened]]:
        """Return the news with higher numbers."""
        return [(one.number, one) for one in await self._log.news(number, limit)]

    async def last(self) -> int:
        """Return the highest number of all entries."""
        return await self._log.last()


class Feeds:
    """Delivers to one broker.

    Args:
        config: the broker's section.
        sources: where the lists are; None: nothing is delivered.
    """

    def __init__(self, config: MqttConfig, sources: Sources | None) -> None:
        self._outboxes: list[NumberedOutbox[Any]] = []
        self._deliveries: list[Delivery[Any]] = []
        self._news: NumberedOutbox[Happened] | None = None
        self._alerts: AlertKeeper | None = None
        self._told: NumberedOutbox[Telling] | None = None
        if sources is None or DialectName.HOMEASSISTANT not in config.dialects:
            return
        self._news = NumberedOutbox(_News(sources.event_log), sources.position(f"logged {config.name}"))
        self._add(self._news, lambda one: topics.logged(config, one))
        if sources.filled is not None:
            outbox = NumberedOutbox(sources.filled, sources.position(f"filled {config.name}"))
            self._add(outbox, lambda one: topics.filled(config, one))

        if (keeper := sources.alerts) is not None:
            self._alerts = keeper
            self._told = NumberedOutbox(keeper, sources.position(f"alerts {config.name}"))
            self._add(self._told, lambda one: alerts.told(config, keeper, one))

    def spoken(self, dialects: Iterable[Dialect]) -> tuple[Dialect, ...]:
        """Return dialects without what is never published."""
        return tuple(dialects if self._alerts is not None else (one.without(topics.ALERTS) for one in dialects))

    def alerts(self, meter: str) -> Mapping[str, Any] | None:
        """Return what needs attention of a meter, None if nothing is watched."""
        return alerts.states(self._alerts, meter) if self._alerts is not None else None

    def alert_kinds(self, meter: str) -> Sequence[Kind]:
        """Return the kinds of alerts a meter may have."""
        return self._alerts.kinds(meter) if self._alerts is not None else ()

    def follow_alerts(self, changed: Callable[[str], None]) -> None:
        """Tell somebody of each meter whose alerts change."""
        if self._alerts is not None:
            self._alerts.follow(lambda meter: self._alerted(meter, changed))

    def _alerted(self, meter: str, changed: Callable[[str], None]) -> None:
        if self._told is not None:
            self._told.look()
        changed(meter)

    def _add(self, outbox: NumberedOutbox[Any], message: Callable[[Any], Message]) -> None:
        self._outboxes.append(outbox)
        self._deliveries.append(Delivery(outbox, lambda _, item: [message(item)], lambda _: None))

    def offer(self, event: Event) -> None:
        """Take note that there is something new."""
        if isinstance(event, EntriesRead) and self._news is not None:
            self._news.look()

    def waiting(self) -> int:
        """Return how much is known not to be confirmed."""
        return sum(outbox.waiting() for outbox in self._outboxes)

    async def run(self) -> None:
        """Fetch what is to be delivered, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for outbox in self._outboxes:
                tasks.create_task(outbox.run())

    def deliveries(self, session: Session) -> list[Coroutine[None, None, None]]:
        """Return what delivers for as long as a connection lasts; each raises Disconnected when it is gone."""
        return [delivery.run(session) for delivery in self._deliveries]
