"""What the history gives to brokers besides readings: intervals that were filled in, and numbers kept for an output.

This module does not know brokers.
"""

from __future__ import annotations

from collections.abc import Sequence

from nes2mqtt.history.queries.gaps import filled_after, last_filled
from nes2mqtt.history.store import Store
from nes2mqtt.readings.filled import FilledInterval

__all__ = ["FilledIntervals", "NotedNumber"]


class NotedNumber:
    """A number that outlives this program.

    Args:
        store: the history.
        name: of the number.
    """

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name

    async def load(self) -> int | None:
        """Return the number that was kept, None if none ever was."""
        noted = await self._store.noted(self._name)
        return noted - 1 if noted else None  # what was never noted is 0

    async def keep(self, number: int) -> None:
        """Keep a number."""
        await self._store.note(self._name, number + 1)


class FilledIntervals:
    """The intervals that were filled in, in the order in which they were."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def after(self, number: int, limit: int) -> Sequence[tuple[int, FilledInterval]]:
        """Return those with higher numbers.

        Raises:
            Unreadable: the database cannot be read now.
        """
        return await self._store.ask(lambda reader, _: filled_after(reader.connection, number, limit), "")

    async def last(self) -> int:
        """Return the highest number there is, 0 if there is none. Raises as :meth:`after`."""
        return await self._store.ask(lambda reader, _: last_filled(reader.connection), "")
