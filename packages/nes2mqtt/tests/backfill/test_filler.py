"""When a meter's profile is asked for, and what is said and kept of the answer. The history is a list here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise

import pytest

from nes2mqtt.backfill.decision import Outcome
from nes2mqtt.backfill.filler import Filler
from nes2mqtt.history.errors import Unreadable
from nes2mqtt.history.tables.filled import Gap
from nes2mqtt.meters.register import Limits
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.errors import MeterRefused, MisuseError, ResponseTimeout
from osgp.psem import ResponseCode
from osgp.sources import SOURCES
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

pytestmark = pytest.mark.virtual_clock

IMPORT = SOURCES["active_energy_import"]
REACTIVE = SOURCES["reactive_energy_import"]
MARK = ProfileMark("1", "a", 1, 5, None)


@dataclass
class Profiled:
    """A meter that tells its load profile, or raises what the test wants."""

    answer: LoadProfile | None = None
    trouble: list[Exception] = field(default_factory=list)
    asked: list = field(default_factory=list)
    name: str = "house"
    limits: Limits = field(default_factory=Limits)
    others: dict = field(default_factory=dict)
    sets: list = field(default_factory=list)

    async def profile(self, since, data_set=1):
        self.asked.append((asyncio.get_running_loop().time(), since))
        self.sets.append(data_set)
        await asyncio.sleep(30)
        if self.trouble:
            raise self.trouble.pop(0)
        if data_set == 1:
            return self.answer
        if data_set not in self.others:
            raise MisuseError(f"this meter tells of fewer load profile data sets; there is no number {data_set}")
        return self.others[data_set]


@dataclass
class Kept:
    """A history with the gaps the test wants."""

    found: list[Gap] = field(default_factory=list)
    looked: list = field(default_factory=list)
    mark: str = ""
    writes: bool = True
    books: bool = True
    trouble: list[Exception] = field(default_factory=list)

    async def gaps(self, meter, since):
        if self.trouble:
            raise self.trouble.pop(0)
        return [gap for gap in self.found if gap.meter == meter and gap.after.received > since]

    async def fill(self, looked):
        if not self.writes:
            return None
        self.looked.append(looked)
        self.found.remove(looked.gap)
        return len(looked.readings) if self.books else 0

    async def profile_mark(self, meter):
        return self.mark


@pytest.fixture
async def world(loop_clocks, wall_clock, make_sample):
    """A meter that is read each ten seconds, and a gap of three hours before the start."""

    class World:
        def __init__(self):
            self.hub = Hub({}, loop_clocks())
            self.start = wall_clock()
            before = make_sample({IMPORT: 1000}, received=self.start - timedelta(hours=3), meter_time=None)
            self.gap = Gap(self.at(before), self.at(make_sample({IMPORT: 4000}, received=self.start)))
            self.store = Kept([self.gap])
            self.meter = Profiled(self.profile())
            self.reading = True

        @staticmethod
        def at(sample):
            return replace(sample, meter_time=sample.received)

        def profile(self, **others):
            first = self.gap.before.received + timedelta(minutes=15)
            intervals = tuple(
                ProfileInterval(
                    first + timedelta(minutes=15 * n), (1250 + 250 * n,), (ChannelStatus.OK,), IntervalFlags(0), (True,)
                )
                for n in range(14)
            )
            found = LoadProfile(1, 15, (ProfileChannel(IMPORT, 0),), intervals, MARK)
            return replace(found, **others)

        async def read(self):
            while True:
                if self.reading:
                    now = self.hub.clock.now()
                    instant = self.hub.clock.monotonic()
                    sample = Sample("house", TableGroup.REGISTERS, now, {IMPORT: 4000}, now, instant=instant)
                    self.hub.publish(sample)
                await asyncio.sleep(10)

        @asynccontextmanager
        async def running(self):
            filler = Filler(self.store, self.hub, [self.meter])
            tasks = [asyncio.create_task(self.read()), asyncio.create_task(filler.run())]
            yield
            for task in tasks:
                task.cancel()

    return World()


async def test_after_a_start_the_gap_is_filled_once_the_meter_is_read(world, caplog):
    caplog.set_level("INFO")
    async with world.running():
        await asyncio.sleep(300)
        (looked,) = world.store.looked
        assert (looked.gap, looked.outcome) == (world.gap, "filled")
        assert [sample.values[IMPORT] for sample in looked.readings] == [1250 + 250 * n for n in range(11)]
        assert ProfileMark.from_json(looked.mark) == MARK
        ((at, since),) = world.meter.asked
        assert 120 <= at <= 180
        assert since == world.gap.before.received - timedelta(hours=1)
        await asyncio.sleep(86_400)
        assert len(world.meter.asked) == 1
    assert "is filled from the meter's load profile (11 intervals)" in caplog.text


async def test_after_a_silence_it_is_looked_again(world):
    async with world.running():
        await asyncio.sleep(3600)
        world.reading = False
        await asyncio.sleep(1000)
        world.reading = True
        later = replace(world.gap.after, received=world.hub.clock.now())
        world.store.found.append(Gap(world.gap.after, later))
        await asyncio.sleep(300)
        assert len(world.store.looked) == 2


async def test_without_a_gap_the_meter_is_not_asked(world):
    world.store.found.clear()
    async with world.running():
        await asyncio.sleep(3600)
    assert world.meter.asked == []


async def test_a_meter_that_does_not_answer_is_asked_again(world):
    world.meter.trouble = [ResponseTimeout("no answer"), ResponseTimeout("no answer")]
    async with world.running():
        await asyncio.sleep(900)
    assert len(world.meter.asked) == 3
    assert len(world.store.looked) == 1


@pytest.mark.parametrize("what", ["not read", "not written", "history"])
async def test_what_cannot_be_done_now_is_done_later(world, what):
    """No meter, no disk: the gap stays one that nobody looked into."""
    answer = world.meter.answer
    world.meter.answer = None if what == "not read" else answer
    world.store.writes = what != "not written"
    world.store.trouble = [Unreadable("busy")] * 3 if what == "history" else []
    async with world.running():
        await asyncio.sleep(300)
        assert world.store.looked == []
        world.meter.answer, world.store.writes = answer, True
        await asyncio.sleep(3600)
        assert len(world.store.looked) == 1


async def test_a_meter_without_a_profile_is_told_once_and_asked_once_a_day(world, caplog):
    world.meter.trouble = [MeterRefused("the meter keeps no load profile", ResponseCode.INAPPROPRIATE_ACTION)] * 99
    async with world.running():
        await asyncio.sleep(10 * 86_400)
    assert 9 <= len(world.meter.asked) <= 11
    assert world.store.looked == []
    assert caplog.text.count("its load profile cannot be read") == 1


async def test_another_meter_fills_no_gap_of_the_one_before(world, caplog):
    world.store.found[0] = Gap(*(replace(sample, segment=0) for sample in (world.gap.before, world.gap.after)))
    async with world.running():
        await asyncio.sleep(300)
    (looked,) = world.store.looked
    assert (looked.readings, looked.outcome) == ((), Outcome.REPLACED)
    assert "the meter that knew is not there any more" in caplog.text


@pytest.mark.parametrize(
    ("change", "said"), [({"configuration": 1}, False), ({"configuration": 2}, True), ({"layout": "b"}, True)]
)
async def test_a_profile_that_was_set_up_anew_is_told(world, caplog, change, said):
    world.store.mark = replace(MARK, **change).to_json()
    async with world.running():
        await asyncio.sleep(300)
    assert ("set up anew" in caplog.text) is said


async def test_a_damaged_mark_is_none(world, caplog):
    world.store.mark = '{"damaged'
    async with world.running():
        await asyncio.sleep(300)
    assert world.store.looked[0].outcome == "filled"
    assert "set up anew" not in caplog.text


async def test_part_of_a_gap_is_told_as_such(world, caplog):
    world.meter.answer = world.profile(intervals=world.profile().intervals[5:])
    async with world.running():
        await asyncio.sleep(300)
    assert world.store.looked[0].outcome == "partly"
    assert "6 of 11 intervals" in caplog.text


async def test_a_mistake_with_one_meter_does_not_stop_the_others_and_is_told_and_tried_again(world, caplog):
    world.meter.trouble = [ZeroDivisionError()] * 3
    shed = Profiled(world.profile(), name="shed")
    gap = Gap(*(replace(sample, meter="shed") for sample in (world.gap.before, world.gap.after)))
    world.store.found.append(gap)
    filler = Filler(world.store, world.hub, [world.meter, shed])
    assert filler.status().ok
    tasks = [asyncio.create_task(world.read()), asyncio.create_task(filler.run())]
    sample = replace(world.gap.after, meter="shed", instant=1.0)
    world.hub.publish(sample)
    await asyncio.sleep(300)
    assert [looked.gap for looked in world.store.looked] == [gap]
    assert not filler.status().ok
    assert "house (ZeroDivisionError)" in filler.status().message
    assert (filler.status().code, filler.status().params) == ("backfill_mistake", {"meters": "house"})
    await asyncio.sleep(3600)
    assert [looked.gap for looked in world.store.looked] == [gap, world.gap]
    asked = [at for at, _ in world.meter.asked]
    assert [round(later - earlier, -2) for earlier, later in pairwise(asked)] == [100, 200, 300]  # later each time
    assert caplog.text.count("a mistake in this program") == 1
    assert filler.status().ok
    for task in tasks:
        task.cancel()


async def test_what_cannot_be_booked_is_not_called_filled(world, caplog):
    world.store.books = False
    async with world.running():
        await asyncio.sleep(300)
    assert "cannot be filled: the history no longer tells where" in caplog.text
    assert "is filled" not in caplog.text


def with_more(world, *registers):
    """Let registers have counted in the gap."""
    gap = world.gap
    world.gap = world.store.found[0] = Gap(
        replace(gap.before, values={**gap.before.values, **dict.fromkeys(registers, 10)}),
        replace(gap.after, values={**gap.after.values, **dict.fromkeys(registers, 50)}),
    )


def further(world, number, *channels, minutes=15, missing=()):
    """Return another data set, of which some intervals are missing."""
    intervals = tuple(
        ProfileInterval(
            one.end, (20,) * len(channels), (ChannelStatus.OK,) * len(channels), one.flags, (True,) * len(channels)
        )
        for place, one in enumerate(world.profile().intervals)
        if place not in missing
    )
    described = tuple(ProfileChannel(source, 1) for source in channels)
    return LoadProfile(number, minutes, described, intervals, MARK)


async def test_other_data_sets_are_read_for_registers_that_the_first_lacks(world):
    with_more(world, REACTIVE)
    world.meter.others = {2: further(world, 2, IMPORT), 3: further(world, 3, REACTIVE), 4: further(world, 4, REACTIVE)}
    async with world.running():
        await asyncio.sleep(600)
    (looked,) = world.store.looked
    assert [sample.values for sample in looked.readings] == [{IMPORT: 1250 + 250 * n, REACTIVE: 20} for n in range(11)]
    assert world.meter.sets == [1, 2, 3]


@pytest.mark.parametrize("how", [{"missing": {4}}, {"minutes": 60}])
async def test_a_register_of_another_set_that_does_not_cover_the_gap_is_left_out(world, how):
    with_more(world, REACTIVE)
    world.meter.others = {2: further(world, 2, REACTIVE, **how)}
    async with world.running():
        await asyncio.sleep(600)
    (looked,) = world.store.looked
    assert [sample.values for sample in looked.readings] == [{IMPORT: 1250 + 250 * n} for n in range(11)]


async def test_a_first_set_without_registers_is_no_end(world):
    """Some hold voltages only."""
    world.meter.others = {2: replace(world.profile(), data_set=2)}
    world.meter.answer = world.profile(channels=(ProfileChannel(SOURCES["voltage_l1"], 0),))
    async with world.running():
        await asyncio.sleep(600)
    (looked,) = world.store.looked
    assert (len(looked.readings), looked.outcome) == (11, "filled")
