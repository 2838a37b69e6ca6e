"""What happened to the meters, kept in the history: a restart neither tells anything twice nor forgets it.

This module does not know SQL, nor who is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nes2mqtt.history.store import Store
from nes2mqtt.history.tables import happened
from nes2mqtt.readings.happened import Asked, Found, Happened, Known, named

__all__ = ["StoredEvents"]


class StoredEvents:
    """An :class:`~nes2mqtt.readings.happened.EventLog` in the history.

    Args:
        store: the history.
        names: what the owner calls events, by meter and number. They are not kept: a name that is given later is also that
            of earlier events.
    """

    def __init__(self, store: Store, names: Mapping[str, Mapping[int, str]]) -> None:
        self._store = store
        self._names = names

    async def known(self, meter: str, serial: str) -> Known | None:
        """See :class:`~nes2mqtt.readings.happened.EventLog`."""
        return await self._store.transact(lambda connection: happened.known(connection, meter, serial))

    async def keep(self, found: Found) -> Sequence[Happened] | None:
        """See :class:`~nes2mqtt.readings.happened.EventLog`."""
        read = found.read
        if read is None:
            return None  # nobody knows the time of day
        kept = await self._store.transact(lambda connection: happened.keep(connection, found, read))
        return None if kept is None else named(kept, self._names)

    async def entries(self, asked: Asked) -> Sequence[Happened]:
        """See :class:`~nes2mqtt.readings.happened.EventLog`.

        Raises:
            Unreadable: the database cannot be read now.
        """
        found = await self._store.ask(lambda reader, _: happened.entries(reader.connection, asked), "")
        return named(found, self._names)

    async def news(self, after: int, limit: int) -> Sequence[Happened]:
        """See :class:`~nes2mqtt.readings.happened.EventLog`. Raises as :meth:`entries`."""
        found = await self._store.ask(lambda reader, _: happened.news_after(reader.connection, after, limit), "")
        return named(found, self._names)

    async def last(self) -> int:
        """See :class:`~nes2mqtt.readings.happened.EventLog`. Raises as :meth:`entries`."""
        return await self._store.ask(lambda reader, _: happened.last_number(reader.connection), "")
