"""A made-up house whose load profile is read over a line in made-up time."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

KEY = MeterKey.parse(DEMO_KEY_TEXT)
INSTALLED = datetime(2026, 2, 20, tzinfo=UTC)
NOW = datetime(2026, 3, 2, 13, 7, 31, tzinfo=UTC)


class Wall:
    """A clock that a test moves."""

    def __init__(self):
        self.now = NOW.timestamp()

    def __call__(self):
        return self.now


class Bench:
    """One simulated meter, and clients of it."""

    def __init__(self):
        self.house = House(1, ledger=Ledger(Household(1), int(INSTALLED.timestamp())))
        self.wall = Wall()

    @asynccontextmanager
    async def served(self, **options):
        async with SimulatedMeter(self.house, clock=self.wall, **options) as simulated:
            yield simulated, await simulated.serve_tcp()

    @asynccontextmanager
    async def meter(self, **options):
        async with self.served() as (_, url), open_meter(url, key=KEY, read_budget=None, **options) as opened:
            yield opened

    def truth(self, end, source):
        """Return what the house's register showed at a moment."""
        return self.house.registers_at(int(end.timestamp()))[0][source]


@pytest.fixture
def bench():
    return Bench()
