"""Faults planted into the product, one for each sentence: the proof that it can fail.

Each puts something wrong into a running world and returns nothing; what it replaced is put back by the caller.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from nes2mqtt.history.store import Store
from nes2mqtt.meters.guard import Guard, Verdict
from nes2mqtt.meters.poller import Poller
from nes2mqtt.outputs.history import HistoryOutput
from nes2mqtt.outputs.mqtt.client.broker import Broker
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.outputs.mqtt.views import Views
from nes2mqtt.outputs.web.live.recent import Recent
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import Quality, Sample, TableGroup
from osgp.sources import SOURCES
from simulation import planting
from simulation.gateway.faults import Fault
from simulation.gateway.world import Setting, World
from simulation.planting import Replace, plant

__all__ = ["PLANTED", "Planted", "plant"]

_IMPORT = SOURCES["active_energy_import"]
_POWER = SOURCES["active_power_import"]


@dataclass(frozen=True, slots=True)
class Planted(planting.Planted[World, Fault]):
    """One fault in the product.

    Args:
        hours: how long the world has to be.
    """

    hours: float = 0.2

    def setting(self) -> Setting:
        """Return the world that shows it."""
        return Setting(1, self.faults, self.hours)


def _each_sample(
    group: TableGroup, change: Callable[[World, Sample], Sample | None]
) -> Callable[[World, Replace], None]:
    """Change, or with None drop, what goes through the hub."""

    def put(world: World, swap: Replace) -> None:
        publish = Hub.publish

        def changed(hub: Hub, event: Any) -> None:
            if isinstance(event, Sample) and event.group is group:
                event = change(world, event)
            if event is not None:
                publish(hub, event)

        swap(Hub, "publish", changed)

    return put


def _more_power(_: World, sample: Sample) -> Sample:
    return replace(sample, values={**sample.values, _POWER: sample.values[_POWER] + 1})


def _falls(world: World, sample: Sample) -> Sample:
    if world.loop.now < 600 or _IMPORT not in sample.values:
        return sample
    return replace(sample, values={**sample.values, _IMPORT: sample.values[_IMPORT] - 50_000})


def _always(quality: Quality) -> Callable[[World, Replace], None]:
    def put(_: World, swap: Replace) -> None:
        swap(Hub, "quality", lambda *_, **__: quality)

    return put


def _to_history(change: Callable[[World, Sample], Sample | None]) -> Callable[[World, Replace], None]:
    def put(world: World, swap: Replace) -> None:
        offer = HistoryOutput.offer

        def changed(output: HistoryOutput, event: Any) -> None:
            if isinstance(event, Sample):
                event = change(world, event)
            if event is not None:
                offer(output, event)

        swap(HistoryOutput, "offer", changed)

    return put


def _kilowatt_hours(_: World, sample: Sample) -> Sample:
    if _IMPORT not in sample.values:
        return sample
    return replace(sample, values={**sample.values, _IMPORT: sample.values[_IMPORT] // 1000 * 1000})


def _nothing_later(world: World, sample: Sample) -> Sample | None:
    return None if sample.group is TableGroup.PRESENT and world.loop.now > 500 else sample


def _some_registers(_: World, sample: Sample) -> Sample | None:
    return None if sample.group is TableGroup.REGISTERS and sample.values.get(_IMPORT, 0) % 7 == 0 else sample


def _numbers(change: Callable[[int], int]) -> Callable[[World, Replace], None]:
    def put(_: World, swap: Replace) -> None:
        messages = Views.registers

        def changed(output: Views, seq: int, sample: Sample) -> Any:
            return messages(output, change(seq), sample)

        swap(Views, "registers", changed)

    return put


def _new_number_each_time(_: World, swap: Replace) -> None:
    numbers, messages = count(1), Views.registers
    swap(Views, "registers", lambda output, seq, sample: messages(output, next(numbers), sample))


def _no_curve(_: World, swap: Replace) -> None:
    add = Recent.add

    def once(recent: Recent, sample: Sample) -> None:
        if not recent._lines.get(sample.meter):
            add(recent, sample)

    swap(Recent, "add", once)


def _registers_given_up(world: World, swap: Replace) -> None:
    registers = Guard.registers

    def judge(guard: Guard, *args: Any, **more: Any) -> Verdict:
        return Verdict(None) if world.loop.now > 200 else registers(guard, *args, **more)

    swap(Guard, "registers", judge)


def _status_is_good(_: World, swap: Replace) -> None:
    status = Store.status
    swap(Store, "status", lambda store: replace(status(store), ok=True, message=""))


def _says_nothing_of_the_broker(_: World, swap: Replace) -> None:
    status = MqttOutput.status
    swap(MqttOutput, "status", lambda output: replace(status(output), ok=True))
    for name in ("client.broker", "client.refusals", "delivery", "output"):
        logger = logging.getLogger(f"nes2mqtt.outputs.mqtt.{name}")
        swap(logger, "disabled", True)


def _says_nothing_of_clocks(_: World, swap: Replace) -> None:
    from nes2mqtt.timing.clock import Clock  # noqa: PLC0415 - not in the oldest code that this runs

    swap(Clock, "trouble", property(lambda _: None))


def _never_another_meter(_: World, swap: Replace) -> None:
    swap(Guard, "identify", lambda *_, **__: ())


def _talks_too_much(_: World, swap: Replace) -> None:
    publish = Hub.publish

    def talking(hub: Hub, event: Any) -> None:
        logging.getLogger("nes2mqtt.readings.hub").warning("something came")
        publish(hub, event)

    swap(Hub, "publish", talking)


def _trips(world: World, swap: Replace) -> None:
    heed = Poller._heed

    def trip(*args: Any) -> None:
        if world.loop.now > 300:
            raise ZeroDivisionError
        heed(*args)

    swap(Poller, "_heed", trip)


def _connects_once(_: World, swap: Replace) -> None:
    run = Broker._connect_and_work
    tried: list[Broker] = []

    async def once(broker: Broker) -> None:
        if broker in tried:
            await asyncio.sleep(1e6)
        tried.append(broker)
        await run(broker)

    swap(Broker, "_connect_and_work", once)


PLANTED = (
    Planted("true", "one watt more than the meter says", _each_sample(TableGroup.PRESENT, _more_power)),
    Planted("fresh", "every value counts as fresh for ever", _always(Quality.GOOD), (Fault(300, "silent", 300),)),
    Planted("live", "no value counts as fresh", _always(Quality.STALE)),
    Planted("charts", "the page's curve gets one point", _no_curve),
    Planted("read", "the registers are given up after three minutes", _registers_given_up),
    Planted("energy", "the history keeps whole kWh", _to_history(_kilowatt_hours), hours=0.4),
    Planted("kept", "the history keeps no present values after eight minutes", _to_history(_nothing_later), hours=0.5),
    Planted("lost", "one register reading of seven is not kept", _to_history(_some_registers)),
    Planted("seq", "two readings share a number", _numbers(lambda seq: seq // 2)),
    Planted("twice", "what is sent again gets a new number", _new_number_each_time, (Fault(500, "lose_acks", 0, 3),)),
    Planted("order", "of each two readings of a meter the later one goes first", _numbers(lambda seq: seq ^ 2)),
    Planted("falls", "a register falls by 50 kWh", _each_sample(TableGroup.REGISTERS, _falls)),
    Planted("told", "the history says that all is good", _status_is_good, (Fault(300, "full", 400),), 0.4),
    Planted(
        "refused",
        "a broker's refusal is not told",
        _says_nothing_of_the_broker,
        (Fault(300, "refuse_registers", 400, 0x87),),
        0.4,
    ),
    Planted("clock", "a wrong clock is not told", _says_nothing_of_clocks, (Fault(300, "clock", 1200, 7200),), 0.6),
    Planted("swap", "no meter is ever another one", _never_another_meter, (Fault(300, "swap", 5, "house"),), 0.4),
    Planted("once", "each reading is a warning", _talks_too_much),
    Planted("mistake", "the poller divides by zero", _trips),
    Planted(
        "well", "the broker is given up after the first connection", _connects_once, (Fault(300, "broker_away", 40),)
    ),
)
"""``sound`` is not among them: a disk that does not do what it is asked shows it (test_power_cuts.py)."""
