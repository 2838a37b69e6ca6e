"""R15: the thread that writes goes on after any mistake, says so, and loses nothing."""

from __future__ import annotations

import asyncio
import time

import pytest

from nes2mqtt.history.tables.journal import Journal
from nes2mqtt.history.writing import writer


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(writer, "_AFTER_A_MISTAKE", 0.01)


async def until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_r15_an_exception_in_the_thread_is_told_and_nothing_is_lost(open_store, registers, monkeypatch):
    async with open_store() as store:
        outbox = store.outbox("mqtt")
        await store.append(registers(0, 0))
        broken = True
        work = store._recorder.work

        def fail(*args, **named):
            if broken:
                raise RuntimeError("no one thought of this")
            return work(*args, **named)

        monkeypatch.setattr(store._recorder, "work", fail)
        for second in range(1, 50):
            store.offer(registers(second, second))
        await until(lambda: not store.status().ok)
        status = store.status()
        assert status.code == "history_stopped"
        assert "no one thought of this" in status.message
        broken = False
        await until(lambda: store.status().ok)
        await store.append(registers(50, 50))
        assert outbox.waiting() == 51


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_r15_a_thread_that_ended_is_started_again(open_store, registers, monkeypatch):
    async with open_store() as store:
        first = store._writer._thread

        def end(*_):
            monkeypatch.undo()
            raise SystemExit

        monkeypatch.setattr(store._recorder, "take", end)
        store.offer(registers(0, 0))
        await until(lambda: not first.is_alive())
        assert await store.append(registers(1, 1))
        assert store._writer._thread is not first
        assert [sample.values for _, sample in store._recorder.after(0, 10)] == [
            registers(0, 0).values,
            registers(1, 1).values,
        ]
        assert not store.stands_still


async def test_r15_an_event_that_cannot_be_taken_does_not_hold_up_the_rest(open_store, registers, monkeypatch):
    async with open_store() as store:
        keep = store._recorder.waiting._take_registers
        bad = registers(0, 0)

        def take(sample, *args, **named):
            if sample is bad:
                raise ZeroDivisionError
            return keep(sample, *args, **named)

        monkeypatch.setattr(store._recorder.waiting, "_take_registers", take)
        monkeypatch.setattr(store._recorder.waiting, "_offered_before", lambda _: False)
        store.offer(bad)
        store.offer(registers(1, 1))
        await until(lambda: store._recorder.last_seq == 1)
        assert store.status().dropped == 1


async def test_a_mistake_while_committing_gives_up_only_what_cannot_be_written(open_store, registers, monkeypatch):
    async with open_store() as store:
        write = Journal.write
        calls = []

        def fail(self, *args, **named):
            calls.append(1)
            if len(calls) == 1:
                raise TypeError("once")
            return write(self, *args, **named)

        monkeypatch.setattr(Journal, "write", fail)
        assert await store.append(registers(0, 0))
        await store.flush()
        await store.flush()
        assert (store.status().ok, store.status().dropped) == (True, 0)
        assert store._recorder.journal.last_seq == 1
