"""What meters' logs told and intervals that were filled in, on a real mosquitto: each at least once, over restarts of both sides."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.outputs.mqtt.feeds import Sources
from nes2mqtt.outputs.mqtt.numbered_outbox import NumberedOutbox, RememberedPosition
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.filled import FilledInterval
from nes2mqtt.readings.happened import Found, HappenedKind, RememberedEvents, happened_of
from nes2mqtt.readings.reading import EntriesRead, Sample, TableGroup
from osgp.sources import SOURCES
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage
from osgp.tables.status.state import Contactor, MeterState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LOGGED, FILLED = "nes2mqtt/meters/house/logged", "nes2mqtt/meters/house/filled"
BOTH = tuple(HappenedKind)
STATE = MeterState(("cover_removed",), Contactor.CLOSED, None, None, None, None, "", None)


class Filled:
    """Intervals in a list."""

    def __init__(self):
        self.items = []

    def add(self, hours, kwh):
        sample = Sample(
            "house", TableGroup.REGISTERS, NOON + timedelta(hours=hours), {SOURCES["active_energy_import"]: kwh * 1000}
        )
        self.items.append((len(self.items) + 1, FilledInterval(NOON + timedelta(hours=hours - 1), sample)))

    async def after(self, number, limit):
        return [item for item in self.items if item[0] > number][:limit]

    async def last(self):
        return len(self.items)


class House:
    """What outlives an output: the hub, the lists and the positions."""

    def __init__(self, rig, gateway, hub):
        self._rig, self._gateway, self.hub = rig, gateway, hub
        self.log, self.filled, self.positions = RememberedEvents({"house": {46: "cover opened"}}), Filled(), {}
        self.sequence = 0

    def output(self, broker, **settings):
        def position(name):
            return self.positions.setdefault(name, RememberedPosition())

        sources = Sources(self.log, position, self.filled, {"house": {46: "cover opened"}})
        output = MqttOutput(
            self._rig.config(broker, **settings), self._gateway, None, self.hub, feeds=sources, timing=self._rig.QUICK
        )
        self.hub._outputs[:] = [output]
        return output

    async def happens(self, *numbers, outages=(), news=BOTH):
        events = []
        for number in numbers:
            self.sequence += 1
            events.insert(0, Event(self.sequence, NOON + timedelta(minutes=self.sequence), 0xFFFF, number, b"\0\0"))
        entries = happened_of("house", "1", events, outages)
        kept = await self.log.keep(Found("house", "1", entries, {}, news, NOON))
        self.hub.publish(EntriesRead("house", tuple(kept)))


@pytest.fixture
def house(rig, gateway, hub):
    return House(rig, gateway, hub)


async def confirmed(rig, output, house, kind="logged"):
    """Wait until the broker has confirmed all, and that is noted."""
    last = (await house.log.last()) if kind == "logged" else await house.filled.last()
    position = next(one for name, one in house.positions.items() if name.startswith(kind))
    await rig.until(lambda: position._number == last)


async def test_an_event_and_an_outage_are_told_once_as_the_page_says(rig, broker, house):
    output = house.output(broker)
    async with rig.listening(broker) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")
        await rig.until(lambda: house.positions and all(one._number == 0 for one in house.positions.values()))
        await house.happens(46, 77)
        await house.happens(outages=[Outage(NOON, NOON + timedelta(seconds=90), 90, cause=3, sequence=4)])
        await listener.until(lambda: len(listener.of(LOGGED)) == 3)
        await confirmed(rig, output, house)
        cover, other, outage = map(json.loads, listener.of(LOGGED))
        assert not [message for message in listener.heard if str(message.topic) == LOGGED and message.retain]
    assert cover == {
        "event_type": "cover opened",
        "seq": 1,
        "kind": "event",
        "time": "2026-11-22T12:01:00+00:00",
        "number": 46,
        "name": "cover opened",
        "who": "nobody",
        "argument": "0000",
        "sequence": 1,
    }
    assert (other["event_type"], other["number"], "name" in other) == ("other", 77, False)
    assert {key: outage[key] for key in ("event_type", "end", "seconds", "cause")} == {
        "event_type": "outage",
        "end": "2026-11-22T12:01:30+00:00",
        "seconds": 90,
        "cause": "power failure",
    }


async def test_five_hundred_old_events_are_no_news_and_a_new_broker_begins_now(rig, broker, house):
    await house.happens(*[9] * 500, news=())
    await house.happens(46)
    output = house.output(broker)
    async with rig.listening(broker) as listener, rig.running(output):
        await rig.until(
            lambda: len(house.positions) == 2 and all(one._number is not None for one in house.positions.values())
        )
        await house.happens(2)
        await listener.until(lambda: listener.of(LOGGED))
        await confirmed(rig, output, house)
        assert [json.loads(text)["number"] for text in listener.of(LOGGED)] == [2]


async def test_a_broker_that_was_away_gets_all_in_order_and_a_restart_repeats_nothing(rig, broker, house):
    output = house.output(broker)
    async with rig.listening(broker) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")
        await house.happens(1)
        await listener.until(lambda: listener.of(LOGGED))
        await confirmed(rig, output, house)
    await house.happens(2, 46)
    house.filled.add(1, 100)
    again = house.output(broker)
    async with rig.listening(broker) as listener, rig.running(again):
        await listener.until(lambda: len(listener.of(LOGGED)) == 2 and listener.of(FILLED))
        await confirmed(rig, again, house)
        await confirmed(rig, again, house, "filled")
        assert [json.loads(text)["number"] for text in listener.of(LOGGED)] == [2, 46]
    broker.kill()
    async with rig.running(again):
        await house.happens(77)
        house.filled.add(2, 101)
        again._feeds._outboxes[1].look()
        broker.start()
        await confirmed(rig, again, house)
        await confirmed(rig, again, house, "filled")


async def test_each_filled_interval_is_a_message(rig, broker, house):
    output = house.output(broker)
    async with rig.listening(broker) as listener, rig.running(output):
        await rig.until(
            lambda: len(house.positions) == 2 and all(one._number is not None for one in house.positions.values())
        )
        for hour in range(1, 251):
            house.filled.add(hour, 100 + hour)
        output._feeds._outboxes[1].look()
        await listener.until(lambda: len(listener.of(FILLED)) == 250)
        await confirmed(rig, output, house, "filled")
        told = [json.loads(text) for text in listener.of(FILLED)]
        assert not [message for message in listener.heard if str(message.topic) == FILLED and message.retain]
    assert told[0] == {
        "time": "2026-11-22T13:00:00+00:00",
        "since": "2026-11-22T12:00:00+00:00",
        "meter": "house",
        "segment": 1,
        "registers": {"active_energy_import": 101.0},
    }
    assert [one["registers"]["active_energy_import"] for one in told] == [100.0 + hour for hour in range(1, 251)]


async def test_what_a_meter_says_of_itself_is_kept_by_the_broker(rig, broker, house):
    output = house.output(broker)
    async with rig.running(output):
        for event in rig.danish():
            house.hub.publish(event)
        house.hub.publish(ConditionRead("house", NOON, NOON.timestamp(), STATE))
        await rig.until(lambda: house.hub.latest["house"].condition is not None)
        async with rig.listening(broker) as first:
            told = json.loads(await first.topic("nes2mqtt/meters/house/condition"))
            announced = json.loads(await first.topic("homeassistant/device/nes2mqtt_home_house/config"))
            await first.until(
                lambda: "contactor" in json.loads(first.last["homeassistant/device/nes2mqtt_home_house/config"])["cmps"]
            )
            announced = json.loads(first.last["homeassistant/device/nes2mqtt_home_house/config"])
    assert told == {
        "time": "2026-11-22T12:00:00+00:00",
        "problem": True,
        "alarms": ["cover_removed"],
        "troubles": ["cover_removed"],
        "cover_removed": True,
        "low_battery": False,
        "contactor": "closed",
    }
    entities = announced["cmps"]
    assert {"alarm", "cover_removed", "low_battery", "contactor", "logged"} <= entities.keys()
    assert not {"tariff", "tariff_next", "phase_loss"} & entities.keys(), "the meter does not tell them"
    assert entities["logged"]["evt_typ"] == ["power down", "power up", "cover opened", "outage", "other"]


@pytest.mark.parametrize("known", [None, 0, 2, 9])
async def test_where_a_broker_begins(known):
    filled, position = Filled(), RememberedPosition()
    for hour in (1, 2, 3):
        filled.add(hour, hour)
    position._number = known
    outbox = NumberedOutbox(filled, position)
    task = asyncio.create_task(outbox.run())
    if known in (0, 2):
        async with asyncio.timeout(60):
            await outbox.changed.wait()
    else:  # a new broker, and one whose list lost its end: from now on
        async with asyncio.timeout(60):
            while position._number != 3:  # noqa: ASYNC110 - nothing announces it
                await asyncio.sleep(0)
    assert [number for number, _ in outbox.pending(9)] == {None: [], 0: [1, 2, 3], 2: [3], 9: []}[known]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
