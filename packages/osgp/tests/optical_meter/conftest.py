"""A simulated meter with both ports on, and the keys that fit it."""

from datetime import UTC, datetime

import pytest

from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access
from osgp.ports.optical_port import REFUSED
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

NOW = datetime(2026, 2, 3, 17, 30, tzinfo=UTC)
MBK = MeterKey.parse(DEMO_KEY_TEXT)
KEYS = {
    Access.READ_ONLY: OpticalKey(b"read-only key, 20 b."),
    Access.PROVISIONING: OpticalKey(b"provisioning key 20b"),
    Access.UNIQUE: OpticalKey(b"unique key, 20 bytes"),
}


class Bench:
    """What the tests take from here; test folders are no packages."""

    NOW, MBK, KEYS, RK = NOW, MBK, KEYS, KEYS[Access.READ_ONLY]
    PK, MK = KEYS[Access.PROVISIONING], KEYS[Access.UNIQUE]

    @staticmethod
    def simulated(source=None, **kwargs):
        """Return a simulated meter, by default in a house where it is always the same moment."""
        if source is None:
            source = House(1, ledger=Ledger(Household(1), int(NOW.timestamp()) - 2 * 86400))
        kwargs.setdefault("optical_keys", KEYS)
        return SimulatedMeter(source, mbk=MBK, clock=kwargs.pop("clock", NOW.timestamp), **kwargs)

    @staticmethod
    def opened(url, key=KEYS[Access.READ_ONLY], **kwargs):
        """Open a meter."""
        return open_meter(url, key=key, **kwargs)


@pytest.fixture(scope="session")
def bench():
    """Return the bench."""
    return Bench


@pytest.fixture(autouse=True)
def _nothing_was_refused():
    """Let each test begin as a new program would: the system gives the names of ports out again."""
    REFUSED.clear()
    yield
    REFUSED.clear()
