"""How much one user may ask of Business Central online: requests in five minutes, and requests at once.

Source: Microsoft, ``administration/operational-limits-online``, "OData request limits (per user)". All calls count for one
user: the stand-in knows only one. This module does not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from piprint.simulate.refusal import Refusal

__all__ = ["Gate", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one user may ask.

    Attributes:
        requests: in a sliding window.
        window: its seconds.
        at_once: requests processed at the same time.
        waiting: requests that may wait for those.
    """

    requests: int = 6000
    window: float = 300
    at_once: int = 5
    waiting: int = 95


class Gate:
    """Lets requests through as the limits allow.

    Args:
        limits: may be replaced at any time, but for ``at_once``.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._times: deque[float] = deque()
        self._slots = asyncio.Semaphore(limits.at_once)
        self._inside = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Wait for a place and keep it until the answer is sent.

        Raises:
            Refusal: 429, too many requests in the window or at once.
        """
        limits, now = self.limits, asyncio.get_running_loop().time()
        while self._times and self._times[0] <= now - limits.window:
            self._times.popleft()
        if len(self._times) >= limits.requests:
            raise _too_many(self._times[0] + limits.window - now)
        if self._inside >= limits.at_once + limits.waiting:
            raise _too_many(1)
        self._times.append(now)
        self._inside += 1
        try:
            async with self._slots:
                yield
        finally:
            self._inside -= 1


def _too_many(seconds: float) -> Refusal:
    return Refusal(
        "Application_TooManyRequests",
        "Too many requests; wait before the next.",
        status=429,
        headers={"Retry-After": str(max(1, round(seconds + 0.5)))},
    )
