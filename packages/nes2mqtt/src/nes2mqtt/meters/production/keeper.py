"""Production as the rest of the program sees it: hears messages, tells what is given now, keeps what was given.

A retained message may be of long ago, so it tells nothing. While the time of day is not known nothing is counted; a register
is counted through such a time by the next reading.

This module does not know MQTT: whoever has a broker brings the messages.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nes2mqtt.meters.production.config import ProductionConfig
from nes2mqtt.meters.production.counting import Part, PowerCount, RegisterCount, Sum
from nes2mqtt.meters.production.message import number_in
from nes2mqtt.meters.production.store import ProductionStore
from nes2mqtt.timing.clock import Clock

__all__ = ["GivenNow", "Production"]

_log = logging.getLogger(__name__)

_KEEP_EVERY = 60.0
"""Seconds between two writes; a kill loses so much of power that is added up, and nothing of a register."""
_KILO = 1000.0


@dataclass(frozen=True, slots=True)
class GivenNow:
    """What an inverter gave when it last told.

    Args:
        watts: W.
        instant: when, by the monotonic clock.
        fresh: it is not old.
    """

    watts: float
    instant: float
    fresh: bool


class Production:
    """What the inverter of one house gives.

    Args:
        config: the section ``[production]``.
        meter: the id of the house's meter.
        path: the database file.
        clock: the clocks of this program.
    """

    def __init__(self, config: ProductionConfig, meter: str, path: Path, clock: Clock) -> None:
        self.meter = meter
        self.topics = config.topics
        self.tolerance = config.stale_after
        """Seconds by which its readings at the edges of a time may be off."""
        self._config = config
        self._clock = clock
        self._store = ProductionStore(path)
        self._lock = asyncio.Lock()
        """What was given is either waiting or kept, for whoever adds up meanwhile."""
        self._waiting: dict[int, Sum] = {}
        self._noted: tuple[int, float] | None = None
        self._power: tuple[float, float] | None = None
        self._by_power = PowerCount(config.stale_after * 1000)
        self._register: RegisterCount | None = None
        self._said: set[str] = set()
        self.counting = asyncio.Event()
        """Set once it is known up to where was counted before."""

    def hear(self, topic: str, payload: str, *, retained: bool = False) -> None:
        """Take a message of one of :attr:`topics`; returns at once."""
        config = self._config
        if retained:
            return
        if topic == config.power_topic:
            self._hear_power(number_in(payload, config.power_field))
        if topic == config.energy_topic:
            self._hear_register(number_in(payload, config.energy_field))

    def now(self) -> GivenNow | None:
        """Return what is given now, or was when it was last told; None before that, and where no power is told."""
        if self._power is None:
            return None
        watts, instant = self._power
        return GivenNow(watts, instant, self._clock.monotonic() - instant <= self._config.stale_after)

    def _hear_power(self, told: float | None) -> None:
        if told is None:
            self._say("power_field", "a message of power_topic has no number at its place")
            return
        # What an inverter draws at night is not production; the meter counts it as the house's.
        watts = max(0.0, told * (_KILO if self._config.power_unit == "kW" else 1.0))
        if watts > self._config.max_power:
            self._say("max_power", f"{watts:.0f} W are more than max_power, so they are not believed")
            return
        moment = self._clock.moment()
        self._power = (watts, self._clock.monotonic())
        if self._config.energy_topic is None and moment.known:
            self._wait(self._by_power.read(_stamp(moment.label), watts))

    def _hear_register(self, told: float | None) -> None:
        if told is None or told < 0:
            self._say("energy_field", "a message of energy_topic has no register at its place")
            return
        moment = self._clock.moment()
        if moment.known and self._register is not None:
            wh = told * (_KILO if self._config.energy_unit == "kWh" else 1.0)
            self._wait(self._register.read(_stamp(moment.label), wh))

    def _wait(self, parts: Iterable[Part]) -> None:
        for part in parts:
            given = Sum(part.wh, part.since, part.until, part.known)
            self._waiting[part.quarter] = self._waiting.get(part.quarter, Sum()).plus(given)

    async def energies(self, spans: Sequence[tuple[datetime, datetime]]) -> list[Sum]:
        """Return what was given in times that begin and end on a quarter hour; nothing where the file cannot be read."""
        stamps = [(_stamp(begin), _stamp(end)) for begin, end in spans]
        async with self._lock:
            found = await asyncio.to_thread(self._kept, stamps)
            waiting = dict(self._waiting)
        for start, given in waiting.items():
            for place, (begin, end) in enumerate(stamps):
                if begin <= start < end:
                    found[place] = found[place].plus(given)
        return found

    def _kept(self, spans: Sequence[tuple[int, int]]) -> list[Sum]:
        try:
            return self._store.sums(self.meter, spans)
        except sqlite3.Error as error:
            self._say("read", f"what was kept in {self._store.path} cannot be read: {error}")
            return [Sum() for _ in spans]

    async def run(self) -> None:
        """Count and keep until cancelled."""
        if self._config.energy_topic is not None and self._register is None:
            self._register = RegisterCount(self._config.max_power, await asyncio.to_thread(self._last))
            self._noted = self._register.last
        self.counting.set()
        try:
            while True:
                await asyncio.sleep(_KEEP_EVERY)
                await self._keep()
        finally:
            await self._keep()

    def _last(self) -> tuple[int, float] | None:
        try:
            return self._store.last(self.meter)
        except sqlite3.Error as error:
            self._say("read", f"what was kept in {self._store.path} cannot be read: {error}")
            return None

    async def _keep(self) -> None:
        async with self._lock:
            last = None if self._register is None else self._register.last
            if not self._waiting and last == self._noted:
                return
            quarters, self._waiting = self._waiting, {}
            writing = asyncio.ensure_future(asyncio.to_thread(self._write, quarters, last))
            try:
                await asyncio.shield(writing)
            finally:
                # Also when this ends meanwhile: what is written must not be taken for waiting.
                await asyncio.wait([writing])
                if writing.result():
                    self._noted = last
                else:
                    for start, given in quarters.items():
                        self._waiting[start] = given.plus(self._waiting.get(start, Sum()))

    def _write(self, quarters: Mapping[int, Sum], last: tuple[int, float] | None) -> bool:
        try:
            self._store.keep(self.meter, quarters, last)
        except (sqlite3.Error, OSError) as error:
            self._say("write", f"{self._store.path} cannot be written: {error}. It waits in memory")
            return False
        self._said.discard("write")
        return True

    def _say(self, kind: str, words: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            _log.warning("production: %s", words)


def _stamp(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
