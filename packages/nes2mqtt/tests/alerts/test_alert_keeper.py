"""The keeper between hub and channels: by the clock, over restarts, with disks that fail."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.alerts import keeper as keeper_module
from nes2mqtt.alerts.config import AlertsConfig
from nes2mqtt.alerts.keeper import AlertKeeper
from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.telling import What
from nes2mqtt.readings.happened import Found, HappenedKind, RememberedEvents, happened_of
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import EntriesRead, MeterInfo, MeterState, MeterStatus, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES
from osgp.tables.logs.events import Event
from osgp.tables.logs.outages import Outage

pytestmark = pytest.mark.virtual_clock

ZONE = ZoneInfo("Europe/Copenhagen")
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The host's time when a virtual clock starts: 13:00 on the wall."""
HOUR = 3600.0


class House:
    """A meter that says what the test wants, each two seconds."""

    def __init__(self, hub, make_sample):
        self.hub = hub
        self.values = {}
        self.state = MeterState.ONLINE
        self.clock_ahead = 0.0
        self._make_sample = make_sample

    def now(self):
        return asyncio.get_running_loop().time()

    def say(self):
        status = MeterStatus(MeterInfo("house"), self.state, START, clock_ahead=self.clock_ahead, instant=self.now())
        self.hub.publish(status)
        if self.values and self.state is MeterState.ONLINE:
            values = {SOURCES[key]: round(value * 10 ** SOURCES[key].decimals) for key, value in self.values.items()}
            received = START + timedelta(seconds=self.now())
            self.hub.publish(self._make_sample(values, group=TableGroup.PRESENT, received=received))

    async def live(self, seconds, *, every=2.0):
        end = self.now() + seconds
        while self.now() < end:
            self.say()
            await asyncio.sleep(every)


@pytest.fixture
def hub(loop_clocks):
    return Hub({TableGroup.PRESENT: timedelta(seconds=20)}, loop_clocks())


@pytest.fixture
def house(hub, make_sample):
    return House(hub, make_sample)


@pytest.fixture
def event_log():
    return RememberedEvents()


async def at_once(work, *arguments):
    """A thread takes no virtual time, and hours of it may go by meanwhile."""
    work(*arguments)


@asynccontextmanager
async def keeping(hub, event_log, folder, fuse=25.0, **settings):
    keeper = AlertKeeper(
        AlertsConfig.model_validate(settings), {"house": fuse}, hub, event_log, ZONE, folder, offload=at_once
    )
    hub.add(keeper)
    task = asyncio.create_task(keeper.run())
    try:
        yield keeper
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        hub._outputs.remove(keeper)


def told(keeper):
    return [(one.kind, one.what) for one in keeper.book.tellings]


async def test_a_meter_that_falls_silent_is_told_after_ten_minutes_and_when_it_is_back(hub, house, event_log, tmp_path):
    async with keeping(hub, event_log, tmp_path) as keeper:
        await house.live(60)
        house.state = MeterState.SILENT
        await house.live(590)
        assert told(keeper) == []
        await house.live(30)
        assert told(keeper) == [(Kind.METER_SILENT, What.RAISED)]
        house.state = MeterState.ONLINE
        await house.live(110)
        assert len(told(keeper)) == 1
        await house.live(30)
        assert told(keeper)[1:] == [(Kind.METER_SILENT, What.CLEARED)]
    raised, cleared = keeper.book.tellings
    assert abs((raised.since - START).total_seconds() - 60) <= 6
    assert cleared.since == raised.since


async def test_a_key_that_is_refused_is_told_at_once_and_a_silent_meter_does_not_clear_it(
    hub, house, event_log, tmp_path
):
    async with keeping(hub, event_log, tmp_path) as keeper:
        await house.live(10)
        house.state = MeterState.KEY_REFUSED
        await house.live(10)
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
        house.state = MeterState.SILENT
        await house.live(300)
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
        house.state = MeterState.ONLINE
        await house.live(10)
        assert told(keeper)[1:] == [(Kind.KEY_REFUSED, What.CLEARED)]


async def test_values_that_grow_old_are_unknown_and_clear_nothing(hub, house, event_log, tmp_path):
    house.values = {"current_l1": 24.0, "current_l2": 3.0}
    async with keeping(hub, event_log, tmp_path, phase_load={}) as keeper:
        await house.live(70)
        alert = next(alert for alert in keeper.book.alerts if alert.rule.key == "house/phase_load/l1")
        assert alert.raised
        await asyncio.sleep(HOUR)
        assert alert.raised
        assert alert.unknown
        house.values = {"current_l1": 2.0}
        await house.live(110)
        assert alert.raised
        assert not alert.unknown
        await house.live(30)
        assert not alert.raised
    assert told(keeper) == [(Kind.PHASE_LOAD, What.RAISED), (Kind.PHASE_LOAD, What.CLEARED)]


async def test_quiet_hours_hold_back_what_is_not_urgent_until_they_end(hub, house, event_log, tmp_path):
    house.values = {"voltage_l1": 230.0, "current_l1": 1.0}
    settings = {"quiet_hours": "14:00-15:00", "voltage": {}, "phase_load": {}}
    async with keeping(hub, event_log, tmp_path, **settings) as keeper:
        await house.live(HOUR + 60)
        house.values |= {"voltage_l1": 260.0, "current_l1": 24.0}
        await house.live(600)
        assert told(keeper) == [(Kind.PHASE_LOAD, What.RAISED)]
        assert keeper.book.held == 1
        await house.live(HOUR)
        assert told(keeper) == [(Kind.PHASE_LOAD, What.RAISED), (Kind.VOLTAGE_HIGH, What.RAISED)]
        late = keeper.book.tellings[1]
        assert late.time - START >= timedelta(hours=2)
        assert late.since - START < timedelta(hours=1, minutes=2)


async def test_while_the_time_of_day_is_not_known_there_are_no_quiet_hours(
    hub, house, event_log, tmp_path, loop_clocks
):
    unknown = Hub({}, loop_clocks(lambda: datetime(1970, 1, 1, 0, 1, tzinfo=UTC), synchronised=False))
    unknown.clock._built = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    house.hub = unknown
    house.state = MeterState.KEY_REFUSED
    async with keeping(unknown, event_log, tmp_path, quiet_hours="00:00-23:59") as keeper:
        await house.live(10)
        assert not unknown.clock.known
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
        assert keeper.book.tellings[0].time is None


async def test_a_restart_neither_repeats_nor_forgets(hub, house, event_log, tmp_path):
    async with keeping(hub, event_log, tmp_path) as keeper:
        house.state = MeterState.KEY_REFUSED
        await house.live(10)
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
    async with keeping(hub, event_log, tmp_path) as keeper:
        await house.live(60)
        assert len(told(keeper)) == 1
    async with keeping(hub, event_log, tmp_path) as keeper:
        house.state = MeterState.ONLINE
        await house.live(10)
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED), (Kind.KEY_REFUSED, What.CLEARED)]
        assert [one.number for one in keeper.book.tellings] == [1, 2]


_NAIVE = {"raised": True, "told": False, "passed": 0, "since": "2026-11-22T12:00:00", "until": None, "value": None}
_NO_TIME = {"number": 1, "positions": {}, "held": [], "tellings": [], "alerts": {"house/key_refused": _NAIVE}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"number": 1}',
        '{"number":"x","positions":{}}',
        '{"number":Infinity,"positions":{}}',
        "\x00\x00",
        pytest.param("[" * 200_000, id="deep"),
        pytest.param(json.dumps(_NO_TIME), id="a time without its offset"),
    ],
)
async def test_a_damaged_file_costs_no_more_than_what_it_held(hub, house, event_log, tmp_path, content, caplog):
    (tmp_path / "alerts.json").write_text(content)
    async with keeping(hub, event_log, tmp_path) as keeper:
        house.state = MeterState.KEY_REFUSED
        await house.live(10)
        assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
    assert "those that are raised are told again" in caplog.text
    assert json.loads((tmp_path / "alerts.json").read_text())["alerts"]["house/key_refused"]["told"]


async def test_a_full_disk_is_said_and_stops_nobody_from_being_told(hub, house, event_log, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keeper_module, "write_durably", full)
        async with keeping(hub, event_log, tmp_path) as keeper:
            house.state = MeterState.KEY_REFUSED
            await house.live(10)
            assert told(keeper) == [(Kind.KEY_REFUSED, What.RAISED)]
            assert "No space left on device; after a restart alerts are told again" in keeper.status().message
            patched.undo()
            house.state = MeterState.ONLINE
            await house.live(10)
            assert keeper.status().ok
    assert (tmp_path / "alerts.json").exists()


@pytest.fixture
def writes(monkeypatch):
    """Return the sizes of what was written."""
    sizes = []
    monkeypatch.setattr(keeper_module, "write_durably", lambda _, text: sizes.append(len(text)))
    return sizes


async def test_values_that_move_and_go_and_come_again_write_nothing(hub, house, event_log, tmp_path, writes):
    async with keeping(hub, event_log, tmp_path, clock_drift={}, voltage={}) as keeper:
        house.clock_ahead = 200.0
        house.values = {"voltage_l1": 230.0}
        await house.live(10)
        assert told(keeper) == [(Kind.CLOCK_DRIFT, What.RAISED)]
        writes.clear()
        for minute in range(60):
            house.clock_ahead = 201.0 + minute
            house.values = {"voltage_l1": 230.0} if minute % 2 else {"current_l1": 1.0}
            await house.live(60)
        assert writes == []


async def test_a_thousand_meters_that_fall_silent_at_once_are_told_without_wearing_out_the_disk(
    hub, event_log, tmp_path, writes
):
    meters = {f"m{number}": None for number in range(1000)}
    keeper = AlertKeeper(AlertsConfig(), meters, hub, event_log, ZONE, tmp_path, offload=at_once)
    for _ in range(2):
        for meter in meters:
            hub.publish(MeterStatus(MeterInfo(meter), MeterState.SILENT, START))
        await keeper.look(tuple(meters))
        await asyncio.sleep(601)
    found = await keeper.after(0, 5000)
    assert [number for number, _ in found] == list(range(1, 1001))
    writes.clear()
    for number, _ in found:
        await keeper.keep_position("webhook", number)
        await asyncio.sleep(0.1)
    assert sum(writes) < 2_000_000
    assert writes
    await asyncio.sleep(600)
    writes.clear()
    await keeper.look(())
    assert len(writes) == 1


async def test_a_write_that_is_on_its_way_is_not_written_into(hub, event_log, tmp_path):
    running, most, go_on = 0, [], asyncio.Event()

    async def slowly(*_):
        nonlocal running
        running += 1
        most.append(running)
        await go_on.wait()
        running -= 1

    keeper = AlertKeeper(AlertsConfig(), {"house": None}, hub, event_log, ZONE, tmp_path, offload=slowly)
    first = asyncio.create_task(keeper.keep_position("webhook", 1))
    await asyncio.sleep(1)
    first.cancel()
    second = asyncio.create_task(keeper.keep_position("webhook", 2))
    await asyncio.sleep(1)
    assert most == [1]
    go_on.set()
    await asyncio.gather(first, second, return_exceptions=True)
    assert most == [1, 1]


async def test_a_channel_that_left_the_configuration_is_new_when_it_comes_back(hub, event_log, tmp_path):
    async with keeping(hub, event_log, tmp_path) as keeper:
        await keeper.keep_position("mail", 0)
        await asyncio.sleep(1)
    async with keeping(hub, event_log, tmp_path) as keeper:
        await asyncio.sleep(1)
        assert keeper.position("mail") is None


async def test_the_quietest_quarter_of_a_night_tells_of_a_base_load(hub, house, event_log, tmp_path):
    settings = {"base_load": {"watts": 300, "hours": "14:00-16:00"}}
    async with keeping(hub, event_log, tmp_path, **settings) as keeper:
        for quietest, expected in ((350.0, [What.RAISED]), (280.0, []), (200.0, [What.CLEARED])):
            before = len(told(keeper))
            house.values = {"active_power_import": 2000.0}
            await house.live(HOUR * 1.5, every=10)
            house.values = {"active_power_import": quietest}
            await house.live(1800, every=10)  # two whole quarter hours, one of which is whole for sure
            house.values = {"active_power_import": 1000.0}
            await house.live(HOUR * 1.1, every=10)
            assert [what for _, what in told(keeper)[before:]] == expected
            await asyncio.sleep(HOUR * 20.9)
        assert keeper.book.tellings[0].value == pytest.approx(350.0)


async def test_of_a_night_that_was_seen_in_part_nothing_is_said(hub, house, event_log, tmp_path):
    settings = {"base_load": {"watts": 300, "hours": "14:00-16:00"}}
    house.values = {"active_power_import": 2000.0}
    async with keeping(hub, event_log, tmp_path, **settings) as keeper:
        await house.live(HOUR * 1.2, every=10)
        await asyncio.sleep(HOUR)
        await house.live(HOUR, every=10)
        assert told(keeper) == []
        assert next(alert for alert in keeper.book.alerts if alert.rule.kind is Kind.BASE_LOAD).unknown


async def test_a_day_without_export_is_told_when_its_hours_are_over_and_cleared_by_the_first_that_flows(
    hub, house, event_log, tmp_path
):
    settings = {"no_export": {"hours": "13:00-15:00", "watts": 50}}
    house.values = {"active_power_import": 200.0, "active_power_export": 0.0}
    async with keeping(hub, event_log, tmp_path, **settings) as keeper:
        await house.live(HOUR * 1.9, every=10)
        assert told(keeper) == []
        await house.live(HOUR * 0.2, every=10)
        assert told(keeper) == [(Kind.NO_EXPORT, What.RAISED)]
        house.values = {"active_power_import": 0.0, "active_power_export": 900.0}
        await house.live(120, every=10)
        assert told(keeper)[1:] == [(Kind.NO_EXPORT, What.CLEARED)]


async def test_export_that_begins_is_told_once_whatever_the_clouds_do(hub, house, event_log, tmp_path):
    async with keeping(hub, event_log, tmp_path, export={}) as keeper:
        for _ in range(20):
            house.values = {"active_power_import": 0.0, "active_power_export": 500.0}
            await house.live(120)
            house.values = {"active_power_import": 300.0, "active_power_export": 0.0}
            await house.live(120)
        assert told(keeper) == [(Kind.EXPORT, What.RAISED)]
        await house.live(600)
        assert told(keeper) == [(Kind.EXPORT, What.RAISED), (Kind.EXPORT, What.CLEARED)]


async def test_a_clock_that_is_off_and_phases_that_are_apart(hub, house, event_log, tmp_path):
    house.clock_ahead = -130.0
    house.values = {"current_l1": 25.0, "current_l2": 2.0, "current_l3": 4.0}
    async with keeping(hub, event_log, tmp_path, clock_drift={}, unbalance={}) as keeper:
        await house.live(10)
        assert told(keeper) == [(Kind.CLOCK_DRIFT, What.RAISED)]
        assert keeper.book.tellings[0].value == 130.0
        house.clock_ahead = 90.0
        await house.live(310)
        assert told(keeper)[1:] == [(Kind.UNBALANCE, What.RAISED)]
        house.clock_ahead = 5.0
        await house.live(10)
        assert told(keeper)[2:] == [(Kind.CLOCK_DRIFT, What.CLEARED)]


async def test_a_computer_whose_own_clock_was_wrong_at_its_start_says_nothing_of_the_meters(
    make_sample, event_log, tmp_path
):
    host: dict[str, Any] = {"behind": timedelta(minutes=3), "synchronised": False}
    loop = asyncio.get_running_loop()

    def wall():
        return (START + timedelta(seconds=loop.time()) - host["behind"]).timestamp()

    clock = Clock(
        wall=wall,
        monotonic=loop.time,
        synchronised=lambda: host["synchronised"],
        built=0.0,
    )
    hub = Hub({TableGroup.PRESENT: timedelta(seconds=20)}, clock)
    house = House(hub, make_sample)
    async with keeping(hub, event_log, tmp_path, clock_drift={}) as keeper:
        house.clock_ahead = 180.0
        await house.live(60)
        host.update(behind=timedelta(0), synchronised=True)
        await house.live(60)  # what was said before is not true now
        assert told(keeper) == []
        house.clock_ahead = 150.0
        await house.live(20)
        assert told(keeper) == [(Kind.CLOCK_DRIFT, What.RAISED)]
        host.update(behind=timedelta(minutes=-3), synchronised=False)
        house.clock_ahead = -30.0
        await house.live(60)
        assert told(keeper) == [(Kind.CLOCK_DRIFT, What.RAISED)]


def logged(hub, *events):
    entries = happened_of("house", "1", events, ())
    return Found("house", "1", entries, {HappenedKind.EVENT: str(len(events))}, {HappenedKind.EVENT}, START)


def event(number, sequence):
    return Event(sequence, START - timedelta(minutes=10 - sequence), 0xFFFF, number, b"")


async def test_what_the_meter_logs_is_told_once_and_what_it_logged_before_is_not(hub, house, event_log, tmp_path):
    first = replace(logged(hub, event(69, 1)), news=())
    await event_log.keep(first)
    async with keeping(hub, event_log, tmp_path, meter_event={"events": [1, 69]}) as keeper:
        await asyncio.sleep(30)
        assert told(keeper) == []
        kept = await event_log.keep(logged(hub, event(2, 4), event(1, 3), event(69, 2)))
        hub.publish(EntriesRead("house", tuple(kept)))
        await asyncio.sleep(10)
        (one,) = keeper.book.tellings
        assert (one.kind, one.what) == (Kind.METER_EVENT, What.HAPPENED)
        assert one.events == ("event 69", "event 1")
    async with keeping(hub, event_log, tmp_path, meter_event={}) as keeper:
        await asyncio.sleep(30)
        assert len(keeper.book.tellings) == 1


async def test_what_was_logged_while_nobody_asked_for_it_is_no_news(hub, house, event_log, tmp_path):
    async with keeping(hub, event_log, tmp_path, meter_event={}):
        await asyncio.sleep(10)
    async with keeping(hub, event_log, tmp_path):
        await event_log.keep(logged(hub, event(69, 1)))
        await asyncio.sleep(10)
    async with keeping(hub, event_log, tmp_path, meter_event={}) as keeper:
        await asyncio.sleep(10)
        assert told(keeper) == []
        await event_log.keep(logged(hub, event(70, 2)))
        hub.publish(EntriesRead("house", ()))
        await asyncio.sleep(10)
        assert [one.events for one in keeper.book.tellings] == [("event 70",)]


def test_outages_are_told_with_how_long_they_lasted():
    outage = Outage(START, START + timedelta(seconds=90), 90)
    (one,) = happened_of("house", "1", (), [outage])
    assert keeper_module._named(one) == "outage 90"
