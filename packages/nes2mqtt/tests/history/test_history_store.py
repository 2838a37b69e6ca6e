from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from nes2mqtt.history import HistoryConfig, Store
from nes2mqtt.reading import Sample, TableGroup
from osgp.sources import SOURCES

ZONE = ZoneInfo("Europe/Copenhagen")
START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
IMPORT = SOURCES["active_energy_import"]
POWER = SOURCES["active_power_import"]


class Clock:
    """The time of day of a test."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def registers(seconds: float, energy: int, *, meter: str = "house", segment: int = 1) -> Sample:
    at = START + timedelta(seconds=seconds)
    return Sample(meter, TableGroup.REGISTERS, at, {IMPORT: energy}, segment=segment)


def power(seconds: float, watts: int, *, meter: str = "house") -> Sample:
    return Sample(meter, TableGroup.PRESENT, START + timedelta(seconds=seconds), {POWER: watts})


def open_store(folder, clock=None, **settings):
    return Store.open(folder / "history.db", HistoryConfig(**settings), ZONE, clock=clock or Clock())


async def delivered(outbox, count):
    """Take ``count`` samples from an outbox, a few at a time."""
    taken = []
    while len(taken) < count:
        outbox.changed.clear()
        batch = outbox.pending(7)
        if not batch:
            await asyncio.wait_for(outbox.changed.wait(), 10)
            continue
        taken += batch
        outbox.acknowledge(batch[-1][0])
    return taken


async def test_an_appended_register_sample_comes_out_of_the_outbox_as_it_went_in(tmp_path):
    sample = Sample(
        "house",
        TableGroup.REGISTERS,
        START,
        {IMPORT: 65_845_342, SOURCES["reactive_energy_export_t7"]: 5},
        meter_time=START - timedelta(seconds=2),
        segment=3,
        segment_start=START - timedelta(days=2),
        restarted={IMPORT: START - timedelta(days=1)},
    )
    async with open_store(tmp_path) as store:
        outbox = store.outbox("mqtt")
        assert await store.append(sample)
        assert await delivered(outbox, 1) == [(1, sample)]
    async with open_store(tmp_path) as store:
        assert await store.last_registers("house") == Sample(
            **{field: getattr(sample, field) for field in sample.__slots__ if field != "meter_time"}
        )


async def test_an_outbox_goes_on_where_it_was_and_a_new_one_starts_with_what_comes(tmp_path):
    async with open_store(tmp_path) as store:
        outbox = store.outbox("mqtt")
        for number in range(10):
            await store.append(registers(number, number))
        assert [seq for seq, _ in await delivered(outbox, 7)] == [1, 2, 3, 4, 5, 6, 7]
    async with open_store(tmp_path) as store:
        outbox, new = store.outbox("mqtt"), store.outbox("other")
        assert outbox.waiting() == 3
        assert new.waiting() == 0
        await store.append(registers(10, 10))
        assert [seq for seq, _ in await delivered(outbox, 4)] == [8, 9, 10, 11]
        assert [seq for seq, _ in await delivered(new, 1)] == [11]


async def test_a_long_backlog_comes_in_order_without_gaps(tmp_path):
    async with open_store(tmp_path) as store:
        outbox = store.outbox("mqtt")
        for number in range(1500):
            store.offer(registers(number, number))
        taken = await delivered(outbox, 1500)
        assert [sample.values[IMPORT] for _, sample in taken] == list(range(1500))
        assert outbox.waiting() == 0


async def test_energy_is_counted_up_to_the_last_reading(tmp_path):
    clock = Clock()
    async with open_store(tmp_path, clock) as store:
        for number in range(20):
            await store.append(registers(10 * number, 1000 + 3 * number))
        today = await store.today("house")
        assert today.values == {IMPORT.key: 57}
        await store.flush()
        assert await store.today("house") == today
    async with open_store(tmp_path, clock) as store:
        assert await store.today("house") == today
