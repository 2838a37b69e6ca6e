"""From a meter's port to the hub: its logs and what it says of itself, read over a line from a simulated meter.

What happened is what was made to happen: the house's own history is the oracle.
"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.poller import Cadence, Poller
from nes2mqtt.meters.seldom import SeldomPeriods, SeldomReader
from nes2mqtt.readings.condition import ConditionRead
from nes2mqtt.readings.happened import Asked, HappenedKind, RememberedEvents
from nes2mqtt.readings.hub import Hub, OutputStatus
from nes2mqtt.readings.reading import EntriesRead, MeterInfo, TableGroup
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter
from osgp.simulator.history.scenarios import history_of
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

pytestmark = pytest.mark.virtual_clock

ZONE = ZoneInfo("Europe/Copenhagen")
SHORT = SeldomPeriods(condition=60.0, logs=120.0)


class Told:
    """An output that keeps what it is told of logs and conditions."""

    name = "told"

    def __init__(self):
        self.news, self.conditions = [], []

    def offer(self, event):
        if isinstance(event, EntriesRead):
            self.news += [one for one in event.entries if one.news]
        elif isinstance(event, ConditionRead):
            self.conditions.append(event)

    async def run(self):
        await asyncio.Event().wait()

    def status(self):
        return OutputStatus(self.name, ok=True, message="")


@pytest.fixture
def gateway(loop_clocks):
    """Run poller and seldom reader on a simulated meter; gives what an output was told, and the hub."""

    @asynccontextmanager
    async def run(url, log, periods=SHORT):
        hub, told, known, budget = Hub({}, loop_clocks()), Told(), KnownMeter(), ReadBudget()
        hub.add(told)
        poller = Poller(
            MeterInfo("house"),
            url,
            lambda at: open_meter(at, key=MeterKey.parse(DEMO_KEY_TEXT), read_budget=budget, known=known),
            Guard("house"),
            hub,
            Cadence(present=10.0, registers=30.0),
        )
        reader = SeldomReader(hub, [(poller, periods)], log, ZONE)
        tasks = [asyncio.create_task(work.run()) for work in (poller, reader)]
        try:
            yield told, hub
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    return run


@pytest.fixture
def simulated(wall_clock):
    """Return what makes the simulated meter of a house to which something happens."""

    def make(*scenarios, faults=None):
        start = wall_clock().timestamp()
        # Half a year old: what it has kept is worked out anew for each answer.
        ledger = Ledger(Household(1), int(start - 180 * 86_400))
        house = House(1, ledger=ledger, history=history_of(scenarios, start))
        return house, SimulatedMeter(house, faults=faults or Faults(), seed=7, clock=lambda: wall_clock().timestamp())

    return make


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("faults", [Faults(), Faults(loss=0.05)], ids=["perfect", "lossy"])
async def test_what_happens_is_told_once_and_what_was_before_only_listed(simulated, gateway, wall_clock, faults):
    start = wall_clock()
    house, meter = simulated("power-cut=90s,at=-2d", "cover-opened,at=+300s", "power-cut=120s,at=+900s", faults=faults)
    log = RememberedEvents({"house": {46: "tamper"}})
    async with meter:
        url = await meter.serve_tcp()
        async with gateway(url, log) as (told, _):
            await asyncio.sleep(600)
            assert [(one.event, one.name, one.time) for one in told.news] == [
                (46, "tamper", start + timedelta(seconds=300))
            ]
            await asyncio.sleep(900)
        everything = await log.entries(Asked(("house",), 500))
    now = wall_clock().timestamp()
    cut = start + timedelta(seconds=900), start + timedelta(seconds=1020)
    assert [(one.event, one.time) for one in told.news if one.kind is HappenedKind.EVENT][1:] == [
        (1, cut[0]),
        (2, cut[1]),
    ]
    assert [(one.time, one.end, one.seconds) for one in told.news if one.kind is HappenedKind.OUTAGE] == [(*cut, 120)]
    outages = house.outages(now)
    listed = [(one.time, one.end) for one in everything if one.kind is HappenedKind.OUTAGE]
    assert listed, "there were outages before"
    assert set(listed) <= {(moment(begin), moment(end)) for begin, end in outages}
    assert listed[:2] == [(moment(begin), moment(end)) for begin, end in outages[:-3:-1]]
    assert len({one.identity for one in everything}) == len(everything)
    assert not any(one.news for one in everything if one.time < start)


async def test_a_restart_neither_repeats_nor_forgets(simulated, gateway):
    _, meter = simulated("cover-opened,at=+300s", "cover-opened,at=+1000s", "cover-opened,at=+2000s")
    log = RememberedEvents()
    async with meter:
        url = await meter.serve_tcp()
        async with gateway(url, log) as (first, _):
            await asyncio.sleep(600)
        await asyncio.sleep(900)
        async with gateway(url, log) as (second, _):
            await asyncio.sleep(300)
            assert len(second.news) == 1, "what happened meanwhile"
            await asyncio.sleep(600)
    assert [one.event for one in first.news] == [46]
    assert [one.event for one in second.news] == [46, 46]


async def test_a_meter_says_how_it_is_and_values_go_on_meanwhile(simulated, gateway, wall_clock):
    start = wall_clock()
    _, meter = simulated("cover-opened,at=+200s", "phase-lost=600s,at=+400s,phase=2")
    async with meter:
        url = await meter.serve_tcp()
        async with gateway(url, RememberedEvents()) as (told, hub):
            await asyncio.sleep(100)
            (well,) = {one.problem for one in told.conditions if one.quality is not None}
            assert well is False
            await asyncio.sleep(200)
            opened = hub.latest["house"].condition
            assert opened.troubles == ("cover_removed",)
            await asyncio.sleep(500)
            lost = hub.latest["house"].condition
            age = hub.clock.monotonic() - hub.latest["house"].samples[TableGroup.PRESENT].instant
            await asyncio.sleep(600)
            again = hub.latest["house"].condition
    assert lost.lost_phases == ("l2",)
    assert again.lost_phases == ()
    assert "phase_loss" in again.troubles, "an alarm stays until the grid company takes it away"
    assert age <= 10
    assert opened.tariffs is not None
    assert abs(opened.tariffs.at.replace(tzinfo=ZONE) - start) < timedelta(minutes=10)


async def test_never_means_never(simulated, gateway):
    _, meter = simulated("cover-opened,at=+60s")
    async with meter:
        url = await meter.serve_tcp()
        async with gateway(url, RememberedEvents(), SeldomPeriods(0.0, 0.0)) as (told, _):
            await asyncio.sleep(2000)
    assert (told.news, told.conditions) == ([], [])
