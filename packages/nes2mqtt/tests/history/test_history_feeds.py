"""Filled intervals as brokers get them, and the numbers that say how far each has them: over restarts none is passed over."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from nes2mqtt.history.feeds import FilledIntervals, NotedNumber
from nes2mqtt.history.tables.filled import Looked
from nes2mqtt.outputs.mqtt.numbered_outbox import NumberedOutbox
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]
QUARTER = 900


async def fill(store, registers, clock, begin):
    """Leave a gap of an hour and a half behind a moment, and fill it by its quarters."""
    for second in (*range(begin, begin + 300, 10), *range(begin + 6000, begin + 6300, 10)):
        clock.now = clock.at(second)
        store.offer(registers(second, 1000 + second))
    await store.flush()
    (gap,) = await store.gaps("house", clock.at(begin - 60))
    ends = range(begin - begin % QUARTER + QUARTER, begin + 6000, QUARTER)
    found = [Sample("house", TableGroup.REGISTERS, clock.at(end), {IMPORT: 1000 + end}) for end in ends]
    assert await store.fill(Looked(gap, found, "filled")) == len(found)
    return [(clock.at(end), 1000 + end) for end in ends]


async def delivered(store, count):
    """Take what an outbox holds as a broker does that confirms all; return it."""
    outbox = NumberedOutbox(FilledIntervals(store), NotedNumber(store, "filled broker"))
    task = asyncio.create_task(outbox.run())
    got = []
    async with asyncio.timeout(60):
        while len(got) < count:
            await outbox.changed.wait()
            outbox.changed.clear()
            pending = outbox.pending(3)
            got += [(one.sample.received, one.sample.values[IMPORT]) for _, one in pending]
            outbox.acknowledge(pending[-1][0])
            if outbox.pending(1):
                outbox.changed.set()
        last = pending[-1][0]
        while await store.noted("filled broker") != last + 1:
            pass
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return got


async def test_each_interval_is_delivered_over_restarts_and_a_new_broker_begins_now(open_store, registers, clock):
    async with open_store() as store:
        await fill(store, registers, clock, 0)
        first = NotedNumber(store, "filled broker")
        assert await first.load() is None
        await first.keep(await FilledIntervals(store).last())
        later = await fill(store, registers, clock, 6300)
        assert await delivered(store, len(later)) == later
    async with open_store() as store:
        assert await FilledIntervals(store).after(await NotedNumber(store, "filled broker").load() or 0, 9) == []
        last = await fill(store, registers, clock, 12_600)
    async with open_store() as store:
        assert await delivered(store, len(last)) == last


async def test_an_interval_says_from_when_it_counts(open_store, registers, clock):
    async with open_store() as store:
        filled = await fill(store, registers, clock, 0)
        intervals = [one for _, one in await FilledIntervals(store).after(0, 100)]
    assert intervals[0].since == clock.at(290)
    assert [one.since for one in intervals[1:]] == [time for time, _ in filled[:-1]]
    assert {one.sample.received - one.since for one in intervals[1:]} == {timedelta(seconds=QUARTER)}


async def test_zero_is_a_number_that_is_kept(open_store):
    async with open_store() as store:
        await NotedNumber(store, "x").keep(0)
        assert await NotedNumber(store, "x").load() == 0
