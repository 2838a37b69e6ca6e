"""An event loop whose time jumps: hours pass in no time and in the right order.

It still looks at real files, sockets and threads, once for each jump; what another process or thread does takes no virtual time, and may come
after hours of it. The whole gateway without any of these: :mod:`simulation`.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping

import pytest

__all__ = ["VirtualClockLoop", "pytest_asyncio_loop_factories", "pytest_configure"]


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for no timer: tells the loop how far it should have waited instead."""

    def __init__(self) -> None:
        super().__init__()
        self.skipped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready and timeout > 0:
            self.skipped += timeout
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An event loop that jumps over its waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Return virtual seconds; they begin at 0."""
        return self._jumping.skipped

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Wait for threads without the limit Python 3.12 began to set: it would be over at once."""
        await super().shutdown_default_executor()


# A conftest that imports these two lets its tests be marked ``virtual_clock``.


def pytest_configure(config: pytest.Config) -> None:
    """Tell the mark."""
    config.addinivalue_line("markers", "virtual_clock: run on a loop whose time jumps to the next timer")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run a test on the loop that its mark asks for."""
    del config
    if item.get_closest_marker("virtual_clock"):
        return {"virtual": VirtualClockLoop}
    return {"real": asyncio.new_event_loop}
