"""Time on the module: milliseconds that only grow, and waiting.

MicroPython's ``ticks_ms`` begins anew after 12.4 days on an ESP32. :class:`Clock` goes on counting, as long as somebody asks it now and then.
On CPython, where this is only imported, the functions of MicroPython's ``asyncio`` are absent.

This module does not know what is timed.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

__all__ = ["Clock", "closed", "listen", "sleep_ms", "wait_for_ms"]

sleep_ms: Callable[[int], Awaitable[None]] = getattr(asyncio, "sleep_ms", None)  # type: ignore[assignment]
wait_for_ms: Callable[[Any, int], Awaitable[Any]] = getattr(asyncio, "wait_for_ms", None)  # type: ignore[assignment]

_AGAIN = 500

_ticks: Callable[[], int] = getattr(time, "ticks_ms", None)  # type: ignore[assignment]
_since: Callable[[int, int], int] = getattr(time, "ticks_diff", None)  # type: ignore[assignment]


async def closed(writer: Any) -> None:
    """Close a connection. On MicroPython ``close`` alone does nothing: the socket would be open until it is collected."""
    writer.close()
    # A UART has nothing to close.
    with suppress(OSError, AttributeError):
        await writer.wait_closed()


async def listen(serve: Callable[[Any, Any], Awaitable[None]], host: str, port: int) -> None:
    """Serve for ever. MicroPython's server ends for good where memory is short in the moment somebody comes, so it is begun anew."""
    while True:
        server = None
        gc.collect()
        with suppress(OSError, MemoryError):
            server = await asyncio.start_server(serve, host, port, backlog=2)
            await server.wait_closed()
        await sleep_ms(_AGAIN)


class Clock:
    """Milliseconds since it was made.

    Args:
        ticks: a counter that begins anew.
        since: what lies between two of its values.
    """

    def __init__(self, ticks: Callable[[], int] | None = None, since: Callable[[int, int], int] | None = None) -> None:
        self._ticks = ticks or _ticks
        self._since = since or _since
        self._last = self._ticks()
        self._now = 0

    def now(self) -> int:
        """Return the time; ask at least every six days."""
        at = self._ticks()
        self._now += self._since(at, self._last)
        self._last = at
        return self._now
