"""The gateway's own history, prices and API, fed with a year that was worked out beforehand."""

from __future__ import annotations

import os
import tempfile
import threading
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from year_oracle import Reading
from year_world import CONTRACTS, ZONE, Away, World

from nes2mqtt.backfill.decision import decide
from nes2mqtt.bills.billing import Billing
from nes2mqtt.costs.config import ContractConfig
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.history.tables.filled import Looked
from nes2mqtt.meters.register import Limits
from nes2mqtt.outputs.web.app import build_app
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.outputs.web.output import WebOutput
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import MeterInfo, MeterState, MeterStatus, Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from osgp.sources import SOURCES
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval, ProfileMark
from osgp.tables.load_profile.statuses import ChannelStatus, IntervalFlags

SOURCE = {"import": SOURCES["active_energy_import"], "export": SOURCES["active_energy_export"]}


class Gateway:
    """A gateway without a meter and without a network: what it read is given to it, and its API is asked."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.now = next(world.readings()).moment
        self._asked = threading.local()
        self.clock = Clock(wall=self._wall, monotonic=self._monotonic, synchronised=lambda: True, built=0.0)
        self.store = Store.open(folder / "history.db", HistoryConfig(), ZONE, clock=self.clock)
        self.contracts = [
            ContractConfig.model_validate(one).contract() for one in tomllib.loads(CONTRACTS)["contracts"]
        ]
        prices = PriceStore(folder / "prices.db")
        found = [SpotPrice(start, 15, price, "DKK") for start, price in world.prices.items()]
        prices.keep("DK1", found, "test", self.now)
        self.billing = Billing(self.store, prices, self.contracts, ZONE)
        hub = Hub({}, self.clock)
        gateway = GatewayInfo("nes2mqtt", "1.0.0", ZONE, self.now)
        web = WebOutput(
            WebConfig.model_validate({"listen": "127.0.0.1:0"}), gateway, hub, self.store, billing=self.billing
        )
        hub.add(web)
        info = MeterInfo("house", "87654321", "NES", "83332-3I", "3.10.21", "House")
        hub.publish(MeterStatus(info, MeterState.ONLINE, self.now, instant=self.now.timestamp()))
        transport = httpx.ASGITransport(build_app(web), raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8099")
        self._began: datetime | None = None
        self._before: Reading | None = None
        self._offered = 0

    def _monotonic(self) -> float:
        self._asked.last = self.now.timestamp()
        return self._asked.last

    def _wall(self) -> float:
        """Return what the monotonic clock said last in this thread: it is moved while the history's thread looks at both."""
        return getattr(self._asked, "last", self.now.timestamp())

    async def read(self, reading: Reading) -> None:
        """Take a reading as the poller gives it."""
        if self._before is not None and reading.meter != self._before.meter:
            self._began = reading.moment
        self._before = reading
        self.now = reading.moment
        self.store.offer(self._sample(reading))
        self._offered += 1
        if self._offered % 100 == 0:
            await self.store.append(self._sample(reading))

    def _sample(self, reading: Reading) -> Sample:
        return Sample(
            "house",
            TableGroup.REGISTERS,
            reading.moment,
            {SOURCE[name]: wh for name, wh in reading.wh.items()},
            reading.moment + timedelta(seconds=self.world.ahead),
            segment=reading.meter,
            segment_start=self._began,
            instant=reading.moment.timestamp(),
        )

    async def look_into(self, away: Away) -> None:
        """Ask the meter's load profile of a time, as the filler does when the meter is heard again."""
        gap = next(gap for gap in await self.store.gaps("house", away.off) if gap.before.received == away.off)
        ahead = timedelta(seconds=self.world.ahead)
        intervals = tuple(
            ProfileInterval(
                one.moment + ahead,
                (one.wh["import"], one.wh["export"]),
                (ChannelStatus.OK,) * 2,
                IntervalFlags(0),
                (True, True),
            )
            for one in self.world.told(away)
        )
        channels = tuple(ProfileChannel(source, place) for place, source in enumerate(SOURCE.values()))
        profile = LoadProfile(1, 15, channels, intervals, ProfileMark("1", "a", 1, 5, None))
        decision = decide(gap.before, gap.after, profile, Limits())
        assert len(decision.readings) == len(intervals)
        await self.store.fill(Looked(gap, list(decision.readings), decision.outcome))

    async def ask(self, path: str, **asked: object) -> dict[str, Any]:
        """Return what the API answers."""
        reply = await self.client.get(f"/api/v1/{path}", params={"meter": "house", **asked})
        assert reply.status_code == 200, reply.text
        return reply.json()


@asynccontextmanager
async def gateway_of(world: World, folder: Path) -> AsyncIterator[Gateway]:
    """Give the gateway of a world, with its files in a folder."""
    gateway = Gateway(world, folder)
    async with gateway.store, gateway.client:
        yield gateway


@pytest.fixture(scope="session", name="gateway_of")
def gateway_of_fixture():
    """Return :func:`gateway_of`."""
    return gateway_of


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Return a folder in memory where there is one: the history syncs each commit, and a year has thousands."""
    where = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="nes2mqtt-year-", dir=where) as path, pytest.MonkeyPatch.context() as patch:
        patch.delenv("RUNTIME_DIRECTORY", raising=False)
        yield Path(path)
