"""Whether a broker of MQTT 3.1.1 has kept what it confirmed.

Such a broker cannot say that it refuses a message: it confirms it and throws it away (an access list, a limit of size),
or it cuts the connection. So we ask for the first retained message on each topic back: a broker gives a message to all
who subscribed to it, also to its sender. Where it gives nothing back, because we may not read there, nothing can be told, and the
confirmation has to do: the first message below a first topic level decides that for all the others below it.

This module does not know what is published.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from nes2mqtt.outputs.mqtt.client.connection import Answer, Received, Refused
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.refusals import SILENT, TOO_LARGE

__all__ = ["Echo"]

_log = logging.getLogger(__name__)

WAIT = 5.0
"""Seconds a broker has to give a message back after it confirmed it."""

TRIES = 2
"""So often a message is published before its silence counts."""

LARGE = 4096
"""Bytes; the silence about a message beyond this is taken for a limit of size."""


class Asking(Protocol):
    """What asking for messages back takes."""

    async def listen(self, topic: str) -> None:
        """Ask for messages on a topic."""

    async def listen_no_more(self, topic: str) -> None:
        """Ask for them no more."""


class Echo:
    """Asks for messages back, for the length of one connection.

    Args:
        session: the connection.
        unreadable: levels of which it has been told that nothing can be told.
    """

    def __init__(self, session: Asking, unreadable: set[str]) -> None:
        self._session = session
        self._told = unreadable
        self._checked: set[str] = set()
        """Topics that need not be asked for any more."""
        self._readable: dict[str, bool] = {}
        """Whether the broker gives messages back, by the first level of their topic."""
        self._first: dict[str, asyncio.Lock] = {}
        self._awaited: dict[tuple[str, str], asyncio.Event] = {}

    def hear(self, message: Received) -> None:
        """Take note of what came from the broker."""
        if (came := self._awaited.get((message.topic, message.payload))) is not None:
            came.set()

    async def publish(self, message: Message, size: int, publish: Callable[[Message], Awaitable[None]]) -> None:
        """Publish a message, and the first on its topic so that its silent loss is noticed.

        Raises:
            Refused: the broker has confirmed it, and not kept it.
            Disconnected: nobody knows.
        """
        level = message.topic.partition("/")[0]
        if (
            not message.retain
            or not message.qos
            or message.topic in self._checked
            or self._readable.get(level) is False
        ):
            await publish(message)
            return
        if level not in self._readable:
            async with self._first.setdefault(level, asyncio.Lock()):
                if level not in self._readable:
                    readable = await self._comes_back(message, publish)
                    self._readable[level] = readable
                    self._checked.add(message.topic)
                    if not readable:
                        self._tell(level)
                    return
        for _ in range(TRIES):
            if self._readable[level] is False:
                # It was told while we waited our turn; the message itself has still to be published.
                await publish(message)
                self._checked.add(message.topic)
                return
            if await self._comes_back(message, publish):
                self._checked.add(message.topic)
                return
        raise Refused(Answer.PUBACK, TOO_LARGE if size > LARGE else SILENT)

    async def _comes_back(self, message: Message, publish: Callable[[Message], Awaitable[None]]) -> bool:
        came = self._awaited[message.topic, message.payload] = asyncio.Event()
        try:
            await self._session.listen(message.topic)
            await publish(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WAIT):
                    await came.wait()
            await self._session.listen_no_more(message.topic)
        finally:
            self._awaited.pop((message.topic, message.payload), None)
        return came.is_set()

    def _tell(self, level: str) -> None:
        if level not in self._told:
            self._told.add(level)
            _log.warning(
                "the broker gives us back nothing of what we publish below %s/: either this user may not read there, "
                "which does no harm, or the broker throws it away. With MQTT 3.1.1 it cannot say which",
                level,
            )
