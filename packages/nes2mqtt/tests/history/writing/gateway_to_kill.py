"""A program that keeps and delivers register samples as fast as it can, and says on stdout what it has done.

Started by test_history_kill.py with the database's path and the first number; ends only by being killed.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.readings.reading import Sample, TableGroup
from osgp.sources import SOURCES

START = datetime(2026, 1, 1, tzinfo=UTC)
IMPORT = SOURCES["active_energy_import"]
POWER = SOURCES["active_power_import"]


async def deliver(outbox):
    while True:
        outbox.changed.clear()
        for seq, sample in outbox.pending(20):
            print("sent", seq, sample.values[IMPORT], flush=True)  # noqa: T201
            outbox.acknowledge(seq)
        await outbox.changed.wait()


async def main(path, number):
    async with Store.open(path, HistoryConfig(commit_every=1), ZoneInfo("UTC")) as store:
        task = asyncio.create_task(deliver(store.outbox("mqtt")))
        while True:
            last = number + 10
            for second in range(number + 1, last + 1):
                at = START + timedelta(seconds=second)
                store.offer(Sample("house", TableGroup.PRESENT, at, {POWER: second}))
                store.offer(Sample("house", TableGroup.REGISTERS, at, {IMPORT: second}))
            last += 1
            at = START + timedelta(seconds=last)
            if await store.append(Sample("house", TableGroup.REGISTERS, at, {IMPORT: last})):
                print(*(f"saved {saved}" for saved in range(last - 10, last + 1)), sep="\n", flush=True)  # noqa: T201
            number = last
            if task.done():
                task.result()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
