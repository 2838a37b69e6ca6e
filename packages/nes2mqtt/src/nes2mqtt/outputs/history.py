"""The store as an output of the hub.

This module does not know the database.
"""

from __future__ import annotations

import asyncio

from nes2mqtt.history.store import Store
from nes2mqtt.readings.hub import OutputStatus
from nes2mqtt.readings.reading import Beside, Event

__all__ = ["HistoryOutput"]


class HistoryOutput:
    """Hands every event of the hub to ``store``, which is opened and closed by whoever made it."""

    name = "history"

    def __init__(self, store: Store) -> None:
        self._store = store

    def offer(self, event: Event) -> None:
        """Keep a sample; returns at once."""
        if not isinstance(event, Beside):
            self._store.offer(event)

    async def run(self) -> None:
        """Wait: the store has threads of its own."""
        await asyncio.Event().wait()

    def status(self) -> OutputStatus:
        """Tell whether readings reach the disk."""
        status = self._store.status()
        return OutputStatus(
            self.name,
            status.ok,
            status.message,
            waiting=status.waiting,
            dropped=status.dropped,
            code=status.code,
            params=status.params,
        )

    @property
    def stands_still(self) -> bool:
        """Tell whether the thread that writes has not moved for so long that it never will."""
        return self._store.stands_still
