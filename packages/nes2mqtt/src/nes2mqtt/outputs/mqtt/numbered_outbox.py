"""A numbered list of which a broker gets each item: what it has not confirmed yet, oldest first.

The list is kept elsewhere, such as in the history; here is only how far this broker has confirmed it. That number is kept, too,
so a restart passes nothing over; what was confirmed and not yet noted when the program was killed comes again.

This module does not know what the items are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from nes2mqtt.history.errors import HistoryError

__all__ = ["Numbered", "NumberedOutbox", "Position", "RememberedPosition"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_AT_ONCE = 100
_LOOK_EVERY = 60.0
"""Seconds between two looks for new items, when nobody said that there are some."""


class Position(Protocol):
    """Keeps a number."""

    async def load(self) -> int | None:
        """Return the number that was kept, None if none ever was."""

    async def keep(self, number: int) -> None:
        """Keep a number."""


class RememberedPosition:
    """A number in memory."""

    def __init__(self) -> None:
        self._number: int | None = None

    async def load(self) -> int | None:
        """See :class:`Position`."""
        return self._number

    async def keep(self, number: int) -> None:
        """See :class:`Position`."""
        self._number = number


class Numbered(Protocol[T_co]):
    """A list whose items have numbers that only grow."""

    async def after(self, number: int, limit: int) -> Sequence[tuple[int, T_co]]:
        """Return the items with higher numbers, in their order."""

    async def last(self) -> int:
        """Return the highest number there is; 0 if there is none."""


class NumberedOutbox(Generic[T]):
    """What a broker has not confirmed of a list.

    Args:
        items: the list. A broker that is new gets what comes from now on.
        position: keeps how far this broker has confirmed it.
    """

    def __init__(self, items: Numbered[T], position: Position) -> None:
        self.changed = asyncio.Event()
        """Set when an item was added."""
        self._items = items
        self._position = position
        self._window: deque[tuple[int, T]] = deque()
        self._confirmed: int | None = None
        self._reach = 0
        self._wanted = asyncio.Event()
        self._wanted.set()

    def look(self) -> None:
        """Look for new items soon. Returns at once."""
        self._wanted.set()

    def pending(self, limit: int) -> Sequence[tuple[int, T]]:
        """Return the oldest items with their numbers."""
        return [item for _, item in zip(range(limit), self._window, strict=False)]

    def acknowledge(self, number: int) -> None:
        """Forget the items up to and including a number."""
        while self._window and self._window[0][0] <= number:
            self._window.popleft()
        self._confirmed = number
        self._wanted.set()

    def waiting(self) -> int:
        """Return how many items are known not to be confirmed."""
        return len(self._window)

    async def run(self) -> None:
        """Fetch and note, until cancelled."""
        noted = await self._begin()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY):
                    await self._wanted.wait()
            self._wanted.clear()
            with suppress(HistoryError):
                if self._confirmed is not None and self._confirmed > noted:
                    noted = self._confirmed
                    await self._position.keep(noted)
                if len(self._window) < _AT_ONCE // 2:
                    await self._fetch()

    async def _begin(self) -> int:
        """Return how far this broker is; wait until that can be told."""
        while True:
            with suppress(HistoryError):
                known, last = await self._position.load(), await self._items.last()
                # Numbers begin anew where the end of the list was lost to a damaged disk.
                self._reach = last if known is None else min(known, last)
                if known != self._reach:
                    await self._position.keep(self._reach)
                return self._reach
            await asyncio.sleep(_LOOK_EVERY)

    async def _fetch(self) -> None:
        found = await self._items.after(self._reach, _AT_ONCE)
        if found:
            self._window.extend(found)
            self._reach = found[-1][0]
            self.changed.set()
