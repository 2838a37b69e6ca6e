"""What is read seldom: when, and what becomes of what a meter refuses, does not answer or has lost. The meter is scripted."""

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from nes2mqtt.meters.seldom import SeldomPeriods, SeldomReader
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import Asked, HappenedKind, RememberedEvents
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import EntriesRead, LinkQuality, MeterInfo, MeterState, MeterStatus
from osgp.errors import MeterRefused, MisuseError, ResponseTimeout, TableError
from osgp.meter import LogRead
from osgp.psem import ResponseCode
from osgp.tables.calendar.tariffs import Drive, Tariffs
from osgp.tables.logs.events import Event
from osgp.tables.status.state import MeterState as Reported

pytestmark = pytest.mark.virtual_clock

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
STATE = Reported(("low_battery",), None, None, None, None, None, "", None)
TARIFFS = Tariffs(1, Drive.CALENDAR, None, 0, 0, None, None, None)
REFUSED = MeterRefused("the key may not read it", ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE)


def logged(*numbers, known="k", missed=None):
    events = tuple(Event(number, NOON + timedelta(minutes=number), 0xFFFF, 46, b"\0\0") for number in numbers)
    return LogRead(events, known, ("BT74",), missed)


@dataclass
class Scripted:
    """A poller and its meter in one: each read gives what the test put there, or raises it."""

    name: str = "house"
    online: bool = True
    answers: dict = field(
        default_factory=lambda: {
            "state": STATE,
            "tariffs": TARIFFS,
            "quality": REFUSED,
            "events": logged(2, 1),
            "outages": REFUSED,
        }
    )
    asked: list = field(default_factory=list)

    async def beside(self, read):
        return await read(self) if self.online else None

    def times(self, what):
        return [at for at, name, _ in self.asked if name == what]

    async def _reply(self, what, told=None):
        self.asked.append((asyncio.get_running_loop().time(), what, told))
        await asyncio.sleep(0.1)
        answer = self.answers[what]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def state(self):
        return await self._reply("state")

    async def tariffs(self):
        return await self._reply("tariffs")

    async def quality(self):
        return await self._reply("quality")

    async def events(self, known=""):
        if known == "damaged":
            self.asked.append((0.0, "events", known))
            raise MisuseError("'damaged' does not tell how far a log was read")
        return await self._reply("events", known)

    async def outages(self, known="", *, zone=None):
        assert zone is UTC
        return await self._reply("outages", known)


class Listener:
    name = "listener"

    def __init__(self):
        self.conditions, self.entries = [], []

    def offer(self, event):
        if isinstance(event, ConditionRead):
            self.conditions.append(event)
        elif isinstance(event, EntriesRead):
            self.entries += event.entries


def status(since=0.0, *, state=MeterState.ONLINE, serial="1", alerts=0):
    return MeterStatus(MeterInfo("house", serial), state, NOON, link=LinkQuality(alerts=alerts), instant=since)


@pytest.fixture
def reading(loop_clocks):
    """Run the reader on a scripted meter that is online; gives the meter, what an output heard, the log and the hub."""

    @asynccontextmanager
    async def run(meter=None, log=None, **periods):
        hub, listener, meter = Hub({}, loop_clocks()), Listener(), meter or Scripted()
        log = log or RememberedEvents()
        hub.add(listener)
        hub.publish(status())
        reader = SeldomReader(hub, [(meter, SeldomPeriods(**periods))], log, UTC)
        task = asyncio.create_task(reader.run())
        try:
            yield meter, listener, log, hub
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


async def test_a_meter_is_read_when_it_is_there_then_each_period(reading):
    async with reading() as (meter, listener, _, _):
        await asyncio.sleep(1900)
    assert 10 <= meter.times("state")[0] < 20
    assert len(meter.times("state")) == len(meter.times("tariffs")) == 7
    assert len(meter.times("events")) == 3
    last = listener.conditions[-1]
    assert (last.state, last.tariffs, last.quality) == (STATE, TARIFFS, None)


async def test_a_table_that_is_refused_is_asked_for_once_a_day_and_nobody_is_warned(reading, caplog):
    async with reading() as (meter, _, _, _):
        await asyncio.sleep(90_000)
    assert len(meter.times("quality")) == 2
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_table_that_cannot_be_is_said_once_and_the_others_go_on(reading, caplog):
    meter = Scripted()
    meter.answers["tariffs"] = TableError("BT54 would have 3 GB")
    async with reading(meter) as (_, listener, _, _):
        await asyncio.sleep(90_000)
    assert len([record for record in caplog.records if "its tariffs" in record.message]) == 1
    assert listener.conditions[-1].state is STATE
    assert listener.conditions[-1].tariffs is None


async def test_what_was_told_before_a_table_was_refused_does_not_stand_for_ever(reading):
    async with reading() as (meter, listener, _, _):
        await asyncio.sleep(100)
        meter.answers["tariffs"] = REFUSED
        await asyncio.sleep(600)
    assert listener.conditions[-1].tariffs is None


async def test_a_meter_that_does_not_answer_is_asked_less_and_less_often(reading):
    meter = Scripted()
    meter.answers["state"] = ResponseTimeout("no reply")
    async with reading(meter) as (_, _, _, _):
        await asyncio.sleep(3600)
    gaps = [round(b - a) for a, b in zip(meter.times("state"), meter.times("state")[1:], strict=False)]
    assert gaps[0] < gaps[1] < gaps[2] <= 910
    assert not meter.times("tariffs"), "one thing at a time"


async def test_after_a_silence_it_is_read_again_at_once(reading):
    async with reading() as (meter, _, _, hub):
        await asyncio.sleep(100)
        meter.online = False
        hub.publish(status(state=MeterState.SILENT))
        await asyncio.sleep(100)
        assert len(meter.times("state")) == 1
        meter.online = True
        hub.publish(status(200.0))
        await asyncio.sleep(30)
        assert len(meter.times("state")) == len(meter.times("events")) == 2


async def test_an_alert_is_looked_into_at_once(reading):
    async with reading() as (meter, _, _, hub):
        await asyncio.sleep(100)
        hub.publish(status(alerts=1))
        await asyncio.sleep(10)
        assert len(meter.times("events")) == 2


async def test_only_what_is_new_is_asked_for_and_told(reading):
    async with reading() as (meter, listener, log, _):
        await asyncio.sleep(100)
        meter.answers["events"] = logged(3, known="l")
        await asyncio.sleep(900)
        meter.answers["events"] = logged(known="l")
        await asyncio.sleep(900)
    assert [told for _, what, told in meter.asked if what == "events"] == ["", "k", "l"]
    assert [(one.sequence, one.news) for one in listener.entries] == [(1, False), (2, False), (3, True)]
    assert await log.known("house", "1") == {HappenedKind.EVENT: "l"}, "outages were refused: they were never read"


async def test_a_log_that_is_shown_later_is_no_news_either(reading):
    meter = Scripted()
    meter.answers["events"] = REFUSED
    async with reading(meter) as (_, listener, _, _):
        await asyncio.sleep(100)
        meter.answers["events"] = logged(2, 1)
        await asyncio.sleep(900)
    assert [one.news for one in listener.entries] == [False, False]


async def test_a_mark_that_is_damaged_costs_a_whole_reading_and_repeats_nothing(reading):
    log = RememberedEvents()
    async with reading(log=log) as (_, _, _, _):
        await asyncio.sleep(100)
    memory = log._meters["house"]
    memory.known = {HappenedKind.EVENT: "damaged"}
    meter = Scripted()
    meter.answers["events"] = logged(3, 2, 1)
    async with reading(meter, log) as (_, listener, _, _):
        await asyncio.sleep(100)
    assert [told for _, what, told in meter.asked if what == "events"] == ["damaged", ""]
    assert [(one.sequence, one.news) for one in listener.entries] == [(3, True)]


async def test_entries_that_were_overwritten_are_said(reading, caplog):
    meter = Scripted()
    meter.answers["events"] = replace(logged(9), missed=4)
    async with reading(meter) as (_, _, _, _):
        await asyncio.sleep(100)
    assert "4 entries of its event log were overwritten" in caplog.text


async def test_what_cannot_be_kept_is_read_again_and_then_told(reading):
    class Full(RememberedEvents):
        full = True

        async def keep(self, found):
            return None if self.full else await super().keep(found)

    log = Full()
    async with reading(log=log) as (_, listener, _, _):
        await asyncio.sleep(100)
        assert not listener.entries
        log.full = False
        await asyncio.sleep(200)
        assert len(listener.entries) == 2
        assert len(await log.entries(Asked(("house",), 9))) == 2


async def test_another_meter_gets_nothing_of_the_one_before(reading):
    async with reading() as (meter, listener, _, hub):
        await asyncio.sleep(100)
        meter.answers |= {"tariffs": REFUSED, "events": logged(7, known="z")}
        hub.publish(status(150.0, serial="2"))
        assert hub.latest["house"].condition is None
        await asyncio.sleep(60)
        assert listener.conditions[-1].tariffs is None
        assert [told for _, what, told in meter.asked if what == "events"] == ["", ""]
        assert [one.news for one in listener.entries] == [False] * 3
