"""An event loop whose clock jumps, so that tests about seconds and hours take none.

Ask for the fixture ``virtual_clock``: the test then runs in a :class:`VirtualClockLoop`. While nothing is
ready, that loop does not sleep until its next timer; it moves ``loop.time()`` there.
"""

import asyncio
import selectors

import pytest


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits for a timer: looks at the files once, then says how far the clock has to jump."""

    def __init__(self):
        super().__init__()
        self.jump = 0.0

    def select(self, timeout=None):
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.jump += timeout
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop that skips the waiting. Sockets and pipes inside one process work; other processes see no time pass."""

    def __init__(self):
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self):
        """Return virtual seconds; they begin at 0."""
        return self._jumping.jump


def pytest_asyncio_loop_factories(item):
    """Use the virtual clock in tests that ask for it, the real one elsewhere."""
    if "virtual_clock" in item.fixturenames:
        return {"virtual": VirtualClockLoop}
    return {"real": asyncio.new_event_loop}


@pytest.fixture
def virtual_clock():
    """Run this test in a loop whose clock jumps; yields the clock, a function without arguments."""
    return lambda: asyncio.get_running_loop().time()
