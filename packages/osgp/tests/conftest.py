"""An event loop whose clock jumps, so that tests about seconds and hours take none.

Ask for the fixture ``virtual_clock``: the test then runs in a :class:`VirtualClockLoop`. While nothing is
ready, that loop does not sleep until its next timer; it moves ``loop.time()`` there.
"""

import asyncio

import pytest
from virtual_clock import VirtualClockLoop


def pytest_asyncio_loop_factories(item):
    """Use the virtual clock in tests that ask for it, the real one elsewhere."""
    if "virtual_clock" in item.fixturenames:
        return {"virtual": VirtualClockLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
def virtual_clock():
    """Run this test in a loop whose clock jumps; yields the clock, a function without arguments."""
    return lambda: asyncio.get_running_loop().time()
