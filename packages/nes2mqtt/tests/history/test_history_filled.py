"""Gaps that were filled: the energies of hours and days are then those the meter counted in them, and say so."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.queries.periods import Unit
from nes2mqtt.history.store import Store
from nes2mqtt.history.tables.filled import Looked, LookedInto
from nes2mqtt.history.tables.levels import LEVELS
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

IMPORT, EXPORT = SOURCES["active_energy_import"], SOURCES["active_energy_export"]
REACTIVE = SOURCES["reactive_energy_import"]
QUARTER, HOUR, DAY = 900, 3600, 86_400


def shown(second):
    """Return what the register shows: more and more is used, so that no two periods are alike."""
    return 1000 + second * second // 1_000_000 + second // 7


@pytest.fixture
def read(registers, clock):
    """Read the meter each ten seconds, from one second up to another."""

    async def make(store, begin, end, **others):
        for second in range(begin, end, 10):
            clock.now = clock.at(second)
            store.offer(registers(second, shown(second), **{key: of(second) for key, of in others.items()}))
        await store.flush()

    return make


def profile(clock, gap, begin, end, **others):
    """Return the ends of all quarters of an hour after one second up to another, as the meter's profile has them."""
    times = range(begin - begin % QUARTER + QUARTER, end, QUARTER)
    return [
        Sample(
            gap.meter,
            TableGroup.REGISTERS,
            clock.at(second),
            {IMPORT: shown(second)} | {SOURCES[key]: of(second) for key, of in others.items()},
            segment=gap.before.segment,
        )
        for second in times
    ]


async def one_gap(store, clock):
    (gap,) = await store.gaps("house", clock.at(-DAY))
    return gap


def used(begin, end):
    return shown(end) - shown(begin)


async def test_a_gap_is_found_with_the_readings_around_it(open_store, read, clock):
    async with open_store() as store:
        await read(store, 0, 610)
        assert await store.gaps("house", clock.at(-DAY)) == []
        await read(store, 7_620, 8_400)
        gap = await one_gap(store, clock)
        assert (gap.before.received, gap.after.received) == (clock.at(600), clock.at(7_620))
        assert gap.before.values == {IMPORT: shown(600)}
        assert gap.after.values == {IMPORT: shown(7_620)}
        assert await store.gaps("house", clock.at(7_620)) == []
        assert await store.gaps("shed", clock.at(-DAY)) == []


@pytest.mark.parametrize("end", [840, 1_000])
async def test_only_a_gap_in_which_a_quarter_ends_is_one(open_store, read, clock, end):
    """A shorter one moves no energy into another quarter."""
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, end, end + 100)
        assert len(await store.gaps("house", clock.at(-DAY))) == (end > QUARTER)


async def test_what_was_used_in_a_gap_is_booked_to_the_hours_in_which_it_was_used(open_store, read, clock):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 2 * DAY + 7_620, 2 * DAY + 8_400)
        gap = await one_gap(store, clock)
        found = profile(clock, gap, 600, 2 * DAY + 7_620)
        assert await store.fill(Looked(gap, found, "filled", "a mark")) == len(found)
        assert await store.gaps("house", clock.at(-DAY)) == []
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(2 * DAY + 8_400))
        edges = [0, *range(HOUR, 2 * DAY + 7_201, HOUR), 2 * DAY + 8_390]
        assert [hour.values[IMPORT.key] for hour in hours] == [used(begin, end) for begin, end in pairwise(edges)]
        assert [hour.complete for hour in hours] == [True] * 50 + [False]
        assert hours[0].filled == [(clock.at(600), clock.at(HOUR))]
        assert hours[7].filled == [(clock.at(7 * HOUR), clock.at(8 * HOUR))]
        assert hours[-1].filled == []
        assert await store.looked_into("house", 5) == [
            LookedInto(clock.at(600), clock.at(2 * DAY + 7_620), len(found), "filled", ())
        ]
        assert await store.looked_into("shed", 5) == []
        assert hours[-1].first == hours[-1].start  # nothing of the gap is left in the hour in which it ended
        days = await store.energy("house", Unit.DAY, clock.at(0), clock.at(2 * DAY + 8_400))
        midnights = [0, 11 * HOUR, 35 * HOUR, 2 * DAY + 8_390]  # noon UTC is one o'clock in Copenhagen
        assert [day.values[IMPORT.key] for day in days] == [used(begin, end) for begin, end in pairwise(midnights)]
        assert [day.complete for day in days] == [False, True, False]
        assert days[1].filled == [(days[1].start, days[1].end)]
        assert await store.profile_mark("house") == "a mark"


@pytest.mark.parametrize(
    ("off", "complete"), [(20, True), (-20, True), (89, True), (-90, True), (400, False), (-400, False)]
)
async def test_by_a_clock_that_is_off_each_hour_has_its_own_intervals(open_store, read, clock, off, complete):
    """``off``: seconds by which the meter's intervals end behind ours. What they hold moves by so much, and by no more."""
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 5 * HOUR + 600, 6 * HOUR + 20)
        gap = await one_gap(store, clock)
        seconds = [second + off for second in range(QUARTER, 5 * HOUR + 600 - off, QUARTER) if second + off > 600]
        found = [Sample("house", TableGroup.REGISTERS, clock.at(each), {IMPORT: shown(each)}) for each in seconds]
        await store.fill(Looked(gap, found, "filled"))
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(6 * HOUR))
        edge = off if off < 100 else off - QUARTER
        edges = [0, *(hour * HOUR + edge for hour in range(1, 5))]
        assert [hour.values[IMPORT.key] for hour in hours[:4]] == [used(begin, end) for begin, end in pairwise(edges)]
        assert [hour.complete for hour in hours[1:4]] == [complete] * 3
        assert [hour.filled for hour in hours[1:4]] == [
            [(clock.at(begin), clock.at(end))] for begin, end in pairwise(edges[1:])
        ]
        assert sum(hour.values[IMPORT.key] for hour in hours) == used(0, 6 * HOUR)


async def test_every_level_of_roll_ups_tells_the_same_before_and_after_a_restart(open_store, read, clock, tmp_path):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 3 * DAY + 7_620, 3 * DAY + 2 * HOUR + 8_000)
        gap = await one_gap(store, clock)
        await store.fill(Looked(gap, profile(clock, gap, 600, 3 * DAY + 7_620), "filled"))
        await read(store, 3 * DAY + 2 * HOUR + 8_000, 4 * DAY + 20, reactive_energy_import=lambda _: 5)
        clock.now = clock.at(5 * DAY)
        before = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(4 * DAY))
    async with open_store() as store:
        assert await store.energy("house", Unit.HOUR, clock.at(0), clock.at(4 * DAY)) == before
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        for level in LEVELS:
            total, first, last = connection.execute(
                f"SELECT sum(active_energy_import), min(energy_from), max(energy_to) FROM {level.table}"
            ).fetchone()
            assert total == used(0, 4 * DAY + 10), level
            rows = connection.execute(f"SELECT start, active_energy_import FROM {level.table}").fetchall()
            assert all(step is None or step >= 0 for _, step in rows)
            starts = [start for start, *_ in rows]
            assert len(starts) == len(set(starts))
            assert first == int(clock.at(0).timestamp() * 1000)
            assert last == int(clock.at(4 * DAY + 10).timestamp() * 1000)


async def test_a_filled_reading_is_no_news_for_a_broker(open_store, read, clock):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        await read(store, 0, 610)
        await read(store, 7_620, 7_640)
        last = outbox.pending(1000)[-1][0]
        outbox.acknowledge(last)
        gap = await one_gap(store, clock)
        assert await store.fill(Looked(gap, profile(clock, gap, 600, 7_620), "filled")) == 8
        await read(store, 7_640, 7_650)
        assert [(seq, sample.received) for seq, sample in outbox.pending(10)] == [(last + 1, clock.at(7_640))]
        assert (await store.last_registers("house")).received == clock.at(7_640)


async def test_a_gap_is_filled_once(open_store, read, clock, tmp_path):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 7_640)
        gap = await one_gap(store, clock)
        looked = Looked(gap, profile(clock, gap, 600, 7_620), "filled")
        assert [await store.fill(looked), await store.fill(looked)] == [8, 0]
        (hour, *_) = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(HOUR))
        assert hour.values[IMPORT.key] == used(0, HOUR)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert connection.execute("SELECT readings, outcome FROM gaps").fetchall() == [(8, "filled")]


async def test_a_gap_of_which_the_meter_knows_nothing_is_looked_into_once(open_store, read, clock):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 7_640)
        assert await store.fill(Looked(await one_gap(store, clock), (), "not_kept")) == 0
        assert await store.gaps("house", clock.at(-DAY)) == []
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(3 * HOUR))
        assert [hour.values.get(IMPORT.key) for hour in hours] == [used(0, 600), None, used(600, 7_630)]


async def test_what_is_left_of_a_gap_is_not_asked_for_again(open_store, read, clock):
    """The meter was without power for an hour: of that hour its profile has nothing."""
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 4 * HOUR + 20, 4 * HOUR + 40)
        gap = await one_gap(store, clock)
        found = [s for s in profile(clock, gap, 600, 4 * HOUR + 20) if not clock.at(HOUR) < s.received < clock.at(7300)]
        await store.fill(Looked(gap, found, "partly"))
        assert await store.gaps("house", clock.at(-DAY)) == []
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(3 * HOUR))
        assert [hour.values.get(IMPORT.key) for hour in hours] == [
            used(0, HOUR),
            None,
            used(HOUR, 3 * HOUR),
        ]
        assert [hour.complete for hour in hours] == [True, False, False]


async def test_a_register_that_the_profile_does_not_hold_is_told(open_store, read, clock):
    """What it counted in the gap stays where it was booked, and nobody takes that for the hour's own."""
    others = {"active_energy_export": lambda second: second // 100, "reactive_energy_import": lambda _: 7}
    async with open_store() as store:
        await read(store, 0, 610, **others)
        await read(store, 7_620, 3 * HOUR + 20, **others)
        gap = await one_gap(store, clock)
        await store.fill(Looked(gap, profile(clock, gap, 600, 7_620), "filled"))
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(3 * HOUR))
        assert [hour.values[IMPORT.key] for hour in hours] == [used(h * HOUR, (h + 1) * HOUR) for h in range(3)]
        assert [hour.values.get(EXPORT.key) for hour in hours] == [6, None, 108 - 6]
        assert [hour.unplaced for hour in hours] == [{EXPORT.key}] * 3
        assert not any(hour.complete for hour in hours)
        assert REACTIVE.key not in hours[1].unplaced  # it did not move


async def test_filled_readings_of_a_gap_that_cannot_be_booked_are_not_kept(open_store, read, clock, tmp_path):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 8_400)
        gap = await one_gap(store, clock)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection, connection:
        for level in LEVELS:
            connection.execute(f"UPDATE {level.table} SET energy_from = energy_from + 1")
    async with open_store() as store:
        assert await store.fill(Looked(gap, profile(clock, gap, 600, 7_620), "filled")) == 0
        assert await store.gaps("house", clock.at(-DAY)) == []
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert connection.execute("SELECT readings, outcome FROM gaps").fetchall() == [(0, "not_booked")]
        assert connection.execute("SELECT count(*) FROM filled").fetchone() == (0,)


async def test_a_gap_of_months_is_filled_though_the_minutes_are_gone(open_store, read, clock, tmp_path):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 8_400)
        gap = await one_gap(store, clock)
        clock.now = clock.at(20 * DAY)
        await store.flush()
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection, connection:
        connection.execute("DELETE FROM minute_rollups")
    async with open_store() as store:
        assert await store.fill(Looked(gap, profile(clock, gap, 600, 7_620), "filled")) == 8
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(2 * HOUR))
        assert [hour.values[IMPORT.key] for hour in hours] == [used(0, HOUR), used(HOUR, 2 * HOUR)]
        assert all(hour.complete for hour in hours)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        assert connection.execute("SELECT count(*) FROM minute_rollups").fetchone() == (0,)


async def test_the_registers_of_another_meter_begin_no_gap(open_store, read, registers, clock):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 7_640)
        clock.now = clock.at(7_650)
        store.offer(registers(7_650, 5, segment=2, segment_start=clock.at(7_645)))
        store.offer(registers(3 * HOUR, 6, segment=3, segment_start=clock.at(3 * HOUR)))
        assert len(await store.gaps("house", clock.at(-DAY))) == 1


def average(begin, end):
    return round(used(begin, end) * HOUR / (end - begin))


async def test_a_curve_has_a_hole_and_beside_it_the_average_power_that_was_filled_in(open_store, read, clock):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 9_900, 11_000)
        gap = await one_gap(store, clock)
        missing = clock.at(3 * QUARTER)
        found = [sample for sample in profile(clock, gap, 600, 9_900) if sample.received != missing]
        await store.fill(Looked(gap, found, "partly"))
        names = ["active_power_import", "active_power_export", "voltage_l1"]
        ends = [600, 900, 1800, *range(4 * QUARTER, 9_900, QUARTER)]
        fine = await store.series("house", names, clock.at(0), clock.at(10_800), 600)
        assert fine.lines["active_power_import"].average == [None] * len(fine.times)
        assert [(part.start, part.end, part.values) for part in fine.filled] == [
            (clock.at(begin), clock.at(end), {"active_power_import": average(begin, end)})
            for begin, end in pairwise(ends)
        ]
        coarse = await store.series("house", names, clock.at(0), clock.at(10_800), 4)
        assert [(part.start, part.end, part.values) for part in coarse.filled] == [
            (clock.at(begin), clock.at(end), {"active_power_import": average(begin, end)})
            for begin, end in pairwise([600, 3600, 7200, 9000])
        ]
        some = await store.series("house", names, clock.at(2_000), clock.at(4_000), 600)
        assert [part.end for part in some.filled] == [clock.at(3_600), clock.at(4_500)]
        assert (await store.series("house", ["voltage_l1"], clock.at(0), clock.at(10_800), 600)).filled == []


@pytest.mark.parametrize("order", [1, -1])
async def test_two_gaps_are_filled_in_any_order_also_within_one_hour(open_store, read, clock, order):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, HOUR + 950, HOUR + 1_200)
        await read(store, 4 * HOUR + 20, 5 * HOUR + 20)
        for gap in (await store.gaps("house", clock.at(-DAY)))[::order]:
            begin, end = ((each.received - clock.at(0)).total_seconds() for each in (gap.before, gap.after))
            await store.fill(Looked(gap, profile(clock, gap, int(begin), int(end)), "filled"))
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(5 * HOUR))
        assert [hour.values[IMPORT.key] for hour in hours] == [used(h * HOUR, (h + 1) * HOUR) for h in range(5)]
        assert [hour.complete for hour in hours] == [True] * 5
        told = (await store.series("house", ["active_power_import"], clock.at(0), clock.at(5 * HOUR), 600)).filled
        assert {(part.start, part.end): part.values["active_power_import"] for part in told} == {
            (clock.at(begin), clock.at(end)): average(begin, end)
            for ends in (
                [600, 900, 1800, 2700, 3600, 4500],
                [HOUR + 1_190, *range(HOUR + 1_800, 4 * HOUR + 1, QUARTER)],
            )
            for begin, end in pairwise(ends)
        }


async def test_what_was_filled_before_a_kill_is_there_for_home_assistant_after_it(
    open_store, read, clock, zone, tmp_path
):
    """The program ends in disorder after the gap was filled and before Home Assistant was told."""
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 7_620, 7_700)
        gap = await one_gap(store, clock)
        found = profile(clock, gap, 600, 7_620)
        await store.fill(Looked(gap, found, "filled"))
        await store.note("homeassistant_gap", 0)
        shutil.copytree(tmp_path, tmp_path / "killed")
    with closing(sqlite3.connect(tmp_path / "killed" / "history.db")) as connection:
        assert connection.execute("SELECT readings FROM gaps").fetchall() == [(8,)]
    async with Store.open(tmp_path / "killed" / "history.db", HistoryConfig(), zone, clock=clock.clocks) as store:
        (filled,) = await store.filled_gaps(await store.noted("homeassistant_gap"), 1)
        assert await store.filled_count(0) == 1
        assert list(filled.readings) == found
        assert (filled.began, filled.ended) == (clock.at(600), clock.at(7_620))
        hours = await store.energy("house", Unit.HOUR, clock.at(0), clock.at(2 * HOUR))
        assert [hour.values[IMPORT.key] for hour in hours] == [used(0, HOUR), used(HOUR, 2 * HOUR)]


async def test_of_an_interval_whose_first_reading_is_not_kept_no_power_is_told(open_store, read, clock, tmp_path):
    async with open_store() as store:
        await read(store, 0, 610)
        await read(store, 9_900, 10_000)
        gap = await one_gap(store, clock)
        await store.fill(Looked(gap, profile(clock, gap, 600, 9_900), "filled"))
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection, connection:
        for (table,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'registers_*'"
        ).fetchall():
            connection.execute(f"DELETE FROM {table}")
    async with open_store() as store:
        told = (await store.series("house", ["active_power_import"], clock.at(0), clock.at(10_800), 600)).filled
        assert told[0].values == {}
        assert told[1].values == {"active_power_import": average(900, 1800)}
