"""Publishes a meter for Home Assistant: the topics, ids and entities of the gateway.

A module with the gateway's name and the gateway's id of the meter takes its place in Home Assistant: the unique ids are the same.

This module does not know how values come about.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Iterator

from nesmodule.board.seldom import forget
from nesmodule.meter.poller import Poller
from nesmodule.outputs.documents import Snapshot, present, registers
from nesmodule.outputs.mqtt import Broker, BrokerGone
from osgp.sources import Source

__all__ = ["HomeAssistant"]

_FIRST_PAUSE, _LAST_PAUSE = 1000, 60_000
_PING_EVERY = 30_000
_LOOK_EVERY = 200
_LINK_EVERY = 60_000
_NO_MEMORY = "the module's memory did not suffice; it connects again"


class HomeAssistant:
    """Keeps a connection to a broker and publishes what is new.

    Args:
        poller: has the values.
        settings: ``host``, ``port``, ``user``, ``password``, ``base_topic``, ``discovery_prefix`` of the broker.
        name: what the gateway would be called.
        meter: id of the meter.
        now: gives milliseconds that only grow.
        sleep: waits.
    """

    def __init__(
        self,
        poller: Poller,
        settings: dict[str, str],
        name: str,
        meter: str,
        now: Callable[[], int],
        sleep: Callable[[int], Awaitable[None]],
    ) -> None:
        self._poller = poller
        self._settings = settings
        self._name = name
        self._meter = meter
        self._now = now
        self._sleep = sleep
        self._base = settings.get("base_topic") or "nes2mqtt"
        self.trouble = ""
        """For people: why nothing is published; empty when all is well."""
        self.connections = 0

    async def run(self) -> None:
        """Publish for ever."""
        pause = _FIRST_PAUSE
        while True:
            broker = Broker("nesmodule_" + self._name)
            try:
                await self._connect(broker)
                pause = _FIRST_PAUSE
                await self._publish(broker)
            except BrokerGone as error:
                self.trouble = str(error)
            except MemoryError:
                self.trouble = _NO_MEMORY
                gc.collect()
            finally:
                await broker.close()
            await self._sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE)

    async def _connect(self, broker: Broker) -> None:
        given = self._settings
        status = self._base + "/status"
        await broker.connect(
            given["host"], int(given.get("port") or 1883), status, given.get("user") or "", given.get("password") or ""
        )
        await broker.publish(status, _once(b"online"), retain=True, qos=1)
        self.connections += 1
        self.trouble = ""

    async def _publish(self, broker: Broker) -> None:
        """Publish what is new, until the connection breaks. Raises BrokerGone."""
        poller = self._poller
        topic = self._base + "/meters/" + self._meter
        announced: list[Source] = []
        answers = None
        seen = (-1, -1)
        said = ""
        link_at = pinged = 0
        while True:
            now = self._now()
            answering = poller.state == "online"
            state = poller.state + poller.message
            counts = (poller.registers.count, poller.present.count)
            if counts != seen or answering != answers or state != said or now >= link_at:
                snapshot = Snapshot(poller, now)
                if snapshot.present and snapshot.registers:
                    sources = list(snapshot.registers) + list(snapshot.present)
                    if sources != announced:
                        await self._announce(broker, sources)
                        announced = sources
                if answering != answers:
                    answers = answering
                    word = b"online" if answers else b"offline"
                    await broker.publish(topic + "/status", _once(word), retain=True, qos=1)
                if counts[0] != seen[0] and snapshot.registers:
                    await broker.publish(topic + "/registers", _of(registers, snapshot), retain=True, qos=1)
                if counts[1] != seen[1] and snapshot.present:
                    await broker.publish(topic + "/present", _of(present, snapshot))
                seen = counts
                if state != said or now >= link_at:
                    said, link_at, pinged = state, now + _LINK_EVERY, now
                    await broker.publish(topic + "/link", _once(snapshot.link), retain=True, qos=1)
            if now - pinged > _PING_EVERY:
                pinged = now
                await broker.ping()
            await self._sleep(_LOOK_EVERY)

    async def _announce(self, broker: Broker, sources: list[Source]) -> None:
        """Tell Home Assistant of the module and of every value the meter has."""
        gc.collect()
        # Loaded for this alone.
        from nesmodule.outputs.announcement import announcements  # noqa: PLC0415

        identity = self._poller.tables.identity
        prefix = self._settings.get("discovery_prefix") or "homeassistant"
        told = announcements(self._name, self._meter, self._base, sources, identity)
        try:
            for topic, pieces in told:
                await broker.publish(prefix + topic, pieces, retain=True, qos=1)
        finally:
            forget("nesmodule.outputs.announcement")
            gc.collect()


def _once(data: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter((data,))


def _of(document: Callable[[Snapshot], Iterator[bytes]], snapshot: Snapshot) -> Callable[[], Iterator[bytes]]:
    return lambda: document(snapshot)
