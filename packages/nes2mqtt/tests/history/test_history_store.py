from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.outputs.history import HistoryOutput
from nes2mqtt.readings.hub import Output
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from osgp.sources import SOURCES

IMPORT = SOURCES["active_energy_import"]


async def deliver(outbox, count):
    """Take ``count`` samples from an outbox, a few at a time."""
    taken = []
    while len(taken) < count:
        outbox.changed.clear()
        batch = outbox.pending(7)
        if not batch:
            await asyncio.wait_for(outbox.changed.wait(), 60)
            continue
        taken += batch
        outbox.acknowledge(batch[-1][0])
    return taken


async def test_a_register_sample_comes_out_of_the_outbox_as_it_went_in(open_store, clock):
    sample = Sample(
        "house",
        TableGroup.REGISTERS,
        clock.at(0),
        {IMPORT: 65_845_342, SOURCES["reactive_energy_export_t7"]: 5, SOURCES["device_2_counter_1"]: 0},
        meter_time=clock.at(-2),
        segment=3,
        segment_start=clock.at(-86_400),
        restarted={IMPORT: clock.at(-3_600)},
    )
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        assert await store.append(sample)
        (numbered,) = outbox.pending(10)
        assert numbered == (1, sample)
    async with open_store() as store:
        assert await deliver(store.outbox("mqtt"), 1) == [(1, sample)]
        last = await store.last_registers("house")
        assert last is not None
        assert (last.values, last.segment, last.segment_start) == (sample.values, 3, sample.segment_start)
        assert last.restarted == sample.restarted


async def test_an_outbox_goes_on_where_it_was_and_a_new_one_starts_with_what_comes(open_store, registers):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        for number in range(10):
            await store.append(registers(number, number))
        assert [seq for seq, _ in await deliver(outbox, 7)] == [1, 2, 3, 4, 5, 6, 7]
    async with open_store() as store:
        outbox, new = store.outbox("mqtt"), store.outbox("other")
        assert (outbox.waiting(), new.waiting()) == (3, 0)
        await store.append(registers(10, 10))
        assert [seq for seq, _ in await deliver(outbox, 4)] == [8, 9, 10, 11]
        assert [seq for seq, _ in await deliver(new, 1)] == [11]


async def test_a_backlog_longer_than_the_window_comes_in_order_without_gaps(open_store, registers):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        for number in range(1500):
            store.offer(registers(number, number))
        taken = await deliver(outbox, 1500)
        assert [sample.values[IMPORT] for _, sample in taken] == list(range(1500))
        assert outbox.waiting() == 0


async def test_a_sample_offered_twice_is_kept_once(open_store, registers):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        assert await store.append(registers(0, 1))
        assert await store.append(registers(0, 1))
        assert outbox.waiting() == 1
        assert await store.append(registers(0, 1, meter="shed"))
        assert outbox.waiting() == 2


async def test_energy_is_counted_up_to_the_last_reading(open_store, registers):
    async with open_store() as store:
        for number in range(20):
            await store.append(registers(10 * number, 1000 + 3 * number))
        today = await store.today("house")
        assert today.values == {IMPORT.key: 57}
        await store.flush()
        assert await store.today("house") == today
    async with open_store() as store:
        assert await store.today("house") == today
        month = await store.month("house")
        assert (month.values, month.complete) == ({IMPORT.key: 57}, False)


async def test_nothing_is_known_of_a_meter_that_was_never_heard(open_store, clock):
    async with open_store() as store:
        assert await store.last_registers("house") is None
        assert await store.last_identity("house") is None
        assert (await store.today("house")).values == {}
        series = await store.series("house", ["voltage_l1"], clock.at(0), clock.at(60))
        assert series.times == []


async def test_who_the_meter_was_is_known_per_segment(open_store, registers, clock):
    def status(serial):
        return MeterStatus(MeterInfo("house", serial=serial, model="83334"), MeterState.ONLINE, clock.at(0))

    async with open_store() as store:
        store.offer(status("111"))
        await store.append(registers(0, 5000))
        store.offer(status("222"))  # the guard starts the next segment with the next sample
        await store.append(registers(10, 5001))
        assert (await store.last_identity("house")).serial == "111"
        await store.append(registers(20, 3, segment=2, segment_start=clock.at(20)))
        await store.append(registers(30, 7, segment=2, segment_start=clock.at(20)))
    async with open_store() as store:
        assert (await store.last_identity("house")).serial == "222"
        assert (await store.today("house")).values == {IMPORT.key: 1 + 4}


async def test_the_store_is_an_output_of_the_hub(open_store, present):
    async with open_store() as store:
        output = HistoryOutput(store)
        assert isinstance(output, Output)
        output.offer(present(0, 432))
        await store.flush()
        assert output.status().ok
        assert store.status().size > 0
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(output.run(), 0)


async def test_a_curve_needs_known_names(open_store, clock):
    async with open_store() as store:
        with pytest.raises(ValueError, match="no present value named warp_factor"):
            await store.series("house", ["warp_factor"], clock.at(0), clock.at(60))


def test_the_section_refuses_what_it_does_not_know():
    with pytest.raises(ValueError, match="keep_everything"):
        HistoryConfig(keep_everything=True)  # type: ignore[call-arg]
    assert HistoryConfig().commit_every == timedelta(minutes=5).total_seconds()


async def test_readers_of_a_database_that_was_opened_again_are_closed(open_store, clock):
    async with open_store() as store:
        for _ in range(20):
            await store.today("house")
            await store._call(store._recorder.close)  # as after each failure of the disk
            await store._call(lambda: store._recorder.work(clock.instant))
        assert store._recorder.opened > 20
        assert len(store._connections) <= 2, "one for each reading thread"


async def test_an_outbox_whose_question_failed_goes_on(open_store, registers, clock, caplog):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        after, failed = store._recorder.after, 0

        def fail(seq, limit):
            nonlocal failed
            if failed < 3:
                failed += 1
                raise ValueError("a mistake")
            return after(seq, limit)

        store._recorder.after = fail
        for second in range(600):
            store.offer(registers(second, second))
        got = []
        for second in range(600, 640):
            store.offer(registers(second, second))
            await store.flush()
            await asyncio.sleep(0)
            if pending := outbox.pending(1000):
                got += [seq for seq, _ in pending]
                outbox.acknowledge(got[-1])
        assert failed == 3
        assert got == list(range(1, got[-1] + 1))
        assert got[-1] >= 600
        assert len([record for record in caplog.records if "what waits for mqtt" in record.getMessage()]) == 1
