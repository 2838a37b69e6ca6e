"""A made-up house whose load profile is read over a line in made-up time."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

KEY = MeterKey.parse(DEMO_KEY_TEXT)
READ_ONLY = OpticalKey(b"read-only key, 20 b.")
INSTALLED = datetime(2026, 2, 20, tzinfo=UTC)
NOW = datetime(2026, 3, 10, 13, 7, 31, tzinfo=UTC)
LEDGER = Ledger(Household(1), int(INSTALLED.timestamp()))


class Wall:
    """A clock that a test moves."""

    def __init__(self):
        self.now = NOW.timestamp()

    def __call__(self):
        return self.now


class Bench:
    """One simulated meter, and clients of it. On 10 March at 13:07:31 it has been recording for 18 days."""

    NOW = NOW

    def __init__(self):
        self.house = House(1, ledger=LEDGER)
        self.wall = Wall()
        self.simulated = None

    @asynccontextmanager
    async def served(self, source=None, **options):
        keys = {Access.READ_ONLY: READ_ONLY}
        async with SimulatedMeter(source or self.house, clock=self.wall, optical_keys=keys, **options) as simulated:
            self.simulated = simulated
            yield simulated

    @staticmethod
    def opened(url, **options):
        key = READ_ONLY if url.startswith("optical") else KEY
        return open_meter(url, key=key, **{"read_budget": None, **options})

    @asynccontextmanager
    async def meter(self, source=None, **options):
        async with self.served(source) as simulated, self.opened(await simulated.serve_tcp(), **options) as opened:
            yield opened

    def truth(self, end, source):
        """Return what the house's register showed at a moment."""
        return self.house.registers_at(int(end.timestamp()))[0][source]

    def true(self, profile):
        """Tell whether each value of a profile of energies is what the house's register showed."""
        return all(
            one.values == tuple(self.truth(one.end, channel.source_id) for channel in profile.channels)
            for one in profile.intervals
        )

    def reads_of(self, meter, table):
        """Count the bytes that are read of a table from now on; return a list of (offset, count)."""
        seen = []
        before = meter._connection.exchange

        async def exchange(request):
            if request.table == table and hasattr(request, "offset"):
                seen.append((request.offset, request.count))
            return await before(request)

        meter._connection.exchange = exchange
        return seen


@pytest.fixture
def bench(virtual_clock):
    return Bench()
