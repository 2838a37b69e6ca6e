"""What is said of the clock and of parts that stand still, and what systemd's watchdog hears."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

import pytest

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.outputs.supervise import Supervised
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import MeterInfo, MeterState
from nes2mqtt.runtime.watch import watch_clock, watch_parts

pytestmark = pytest.mark.virtual_clock


@dataclass
class Part:
    """A poller and an output at once."""

    name: str = "history"
    stands_still: bool = False
    state: MeterState = MeterState.ONLINE
    ok: bool = True

    def offer(self, event):
        pass

    async def run(self):
        await asyncio.Event().wait()

    def status(self):
        return OutputStatus(self.name, ok=self.ok, message="")


class Systemd:
    """A notifier that keeps what it is told."""

    watchdog_interval = 30.0

    def __init__(self):
        self.line = ""
        self.fed = 0

    def status(self, text):
        self.line = text

    def alive(self):
        self.fed += 1


@pytest.fixture
def systemd():
    return Systemd()


async def test_t3_a_wrong_clock_is_said_once_and_its_mending_once(loop_clocks, wall_clock, caplog):
    caplog.set_level(logging.INFO)
    host = {"ahead": timedelta(days=-3)}
    clock = loop_clocks(lambda: wall_clock() + host["ahead"], synchronised=False)
    watch = asyncio.create_task(watch_clock(clock))
    clock.witness("house", wall_clock(), clock.monotonic())
    await asyncio.sleep(600)
    (line,) = [record.message for record in caplog.records]
    assert line.startswith("this computer's clock is 3 days behind the clock of the meter 'house'")
    host["ahead"] = timedelta(0)
    await asyncio.sleep(600)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    watch.cancel()


async def test_systemd_hears_how_many_meters_are_online_and_what_is_not_well(loop_clocks, systemd):
    silent, broken = Part("cottage", state=MeterState.SILENT), Part("page", ok=False)
    watch = asyncio.create_task(watch_parts(systemd, loop_clocks(), [Part("house"), silent], [broken]))
    await asyncio.sleep(60)
    assert systemd.line == "1 of 2 meters online; not well: page"
    assert systemd.fed >= 12
    watch.cancel()


@pytest.mark.parametrize("which", [0, 1])
async def test_r15_the_watchdog_starves_while_a_part_stands_still(loop_clocks, systemd, caplog, which):
    parts = [Part("house"), Supervised(Part("history"))]
    watch = asyncio.create_task(watch_parts(systemd, loop_clocks(), parts[:1], parts[1:]))
    await asyncio.sleep(60)
    fed = systemd.fed
    getattr(parts[which], "output", parts[which]).stands_still = True
    await asyncio.sleep(600)
    assert systemd.fed <= fed + 1
    assert "not well" in systemd.line
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    getattr(parts[which], "output", parts[which]).stands_still = False
    await asyncio.sleep(60)
    assert systemd.fed > fed + 10
    watch.cancel()


async def test_r15_a_poller_whose_read_never_ends_stands_still_and_a_slow_one_does_not(fake_meter, loop_clocks):
    async def never():
        await asyncio.Event().wait()

    poller = Poller(
        MeterInfo("house"),
        "tcp://127.0.0.1:1",
        fake_meter.open,
        Guard("house"),
        Hub({}, loop_clocks()),
        Cadence(3600.0, 3600.0, 86400.0),
    )
    task = asyncio.create_task(poller.run())
    for _ in range(48):
        await asyncio.sleep(1800)
        assert not poller.stands_still
    fake_meter.present = never
    await asyncio.sleep(2 * 3600)
    assert poller.stands_still
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
