"""Publishes a meter for Home Assistant: the topics, ids and entities of the gateway.

A module with the gateway's name and the gateway's id of the meter takes its place in Home Assistant: the unique ids are the same.

This module does not know how values come about.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from nesmodule.board.files import opened
from nesmodule.meter.poller import PRESENT_EVERY, Poller
from nesmodule.outputs.documents import Snapshot, present, registers
from nesmodule.outputs.mqtt import Broker, BrokerGone
from osgp.sources import SOURCES, Source

__all__ = ["HomeAssistant"]

_ENTITIES = "entities.txt"
"""As :mod:`nesmodule_build.entities` writes them."""
_PIECE = 64
_FIRST_PAUSE, _LAST_PAUSE = 1000, 60_000
_PING_EVERY = 30_000
_LOOK_EVERY = 200
_LINK_EVERY = 60_000
EXPIRE_AFTER = 3 * PRESENT_EVERY // 1000


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
                self.trouble = "the module's memory did not suffice; it connects again"
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
        seen_present = seen_registers = -1
        said = ""
        link_at = pinged = 0
        while True:
            now = self._now()
            snapshot = Snapshot(poller, now)
            if snapshot.present and snapshot.registers:
                sources = list(snapshot.registers) + list(snapshot.present)
                if sources != announced:
                    await self._announce(broker, sources)
                    announced = sources
            if (poller.state == "online") != answers:
                answers = poller.state == "online"
                await broker.publish(topic + "/status", _once(b"online" if answers else b"offline"), retain=True, qos=1)
            if poller.registers.count != seen_registers and snapshot.registers:
                seen_registers = poller.registers.count
                await broker.publish(topic + "/registers", _of(registers, snapshot), retain=True, qos=1)
            if poller.present.count != seen_present and snapshot.present:
                seen_present = poller.present.count
                await broker.publish(topic + "/present", _of(present, snapshot))
            if poller.state + poller.message != said or now >= link_at:
                said, link_at, pinged = poller.state + poller.message, now + _LINK_EVERY, now
                await broker.publish(topic + "/link", _once(snapshot.link), retain=True, qos=1)
            if now - pinged > _PING_EVERY:
                pinged = now
                await broker.ping()
            await self._sleep(_LOOK_EVERY)

    async def _announce(self, broker: Broker, sources: list[Source]) -> None:
        """Tell Home Assistant of the module and of every value the meter has."""
        identity = self._poller.tables.identity
        gateway = "nes2mqtt_" + self._name
        about: dict[str, Any] = {"ids": [gateway + "_" + self._meter], "name": self._meter, "via_device": gateway}
        if identity is not None:
            if identity.serial:
                about["ids"].append(identity.serial)
            told = (
                ("mf", identity.manufacturer),
                ("mdl", identity.model),
                ("sn", identity.serial),
                ("sw", identity.firmware),
            )
            about |= {name: value for name, value in told if value}
        marks = (self._name, self._meter, self._base, str(EXPIRE_AFTER))
        has_net = all(SOURCES[key] in sources for key in _NET)

        def of_meter() -> Iterator[bytes]:
            yield b'{"dev":' + json.dumps(about).encode()
            with opened(_ENTITIES) as file:
                file.readline()
                yield from _filled(file, marks)
                comma = b""
                line = file.readline()
                while len(line) > 1:
                    key, _, label = line[:-1].decode().rpartition(":")[0].partition(":")
                    if has_net if key == "net_power" else key in _OTHERS or SOURCES.get(key) in sources:
                        yield comma + b'"' + key.encode() + b'":'
                        yield from _filled(file, (*marks, key, label), line)
                        comma = b","
                    line = file.readline()
            yield b"}}"

        def of_module() -> Iterator[bytes]:
            with opened(_ENTITIES) as file:
                yield from _filled(file, marks)

        prefix = (self._settings.get("discovery_prefix") or "homeassistant") + "/device/" + gateway
        await broker.publish(prefix + "/config", of_module, retain=True, qos=1)
        await broker.publish(prefix + "_" + self._meter + "/config", of_meter, retain=True, qos=1)
        gc.collect()


_NET = ("active_power_import", "active_power_export")
_OTHERS = ("meter_state", "problem", "link_quality")


def _once(data: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter((data,))


def _of(document: Callable[[Snapshot], Iterator[bytes]], snapshot: Snapshot) -> Callable[[], Iterator[bytes]]:
    return lambda: document(snapshot)


def _filled(file: Any, marks: tuple[str, ...], line: bytes = b"") -> Iterator[bytes]:
    """Yield a text with names in the place of its marks 1, 2, 3 ...

    Args:
        file: the texts.
        marks: the names.
        line: ends with the place of the text; empty: the next line does. The file stands behind it again afterwards.
    """
    line = line or file.readline()
    here = file.tell()
    file.seek(int(line[line.rfind(b":") + 1 :]))
    more = True
    while more:
        piece = file.read(_PIECE)
        end = piece.find(b"\n")
        if end >= 0 or not piece:
            piece, more = piece[:end], False
        start = 0
        for place, byte in enumerate(piece):
            if byte <= len(marks):
                yield piece[start:place]
                yield marks[byte - 1].encode()
                start = place + 1
        yield piece[start:]
    file.seek(here)
