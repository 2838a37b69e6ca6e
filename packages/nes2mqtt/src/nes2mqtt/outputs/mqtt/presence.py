"""A connection that is held open only for its last will, and what is done about a will that is not true.

This module does not know topics.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Coroutine

from nes2mqtt.outputs.mqtt.client.connection import Received, Refused
from nes2mqtt.outputs.mqtt.client.message import Will
from nes2mqtt.outputs.mqtt.client.session import Session

__all__ = ["Heard", "be_there", "contradict"]

Heard = Callable[[Session, Received], Awaitable[None]]


def be_there(will: Will) -> Callable[[Session], Coroutine[None, None, None]]:
    """Return the work of a connection that is held open only for its last will."""

    async def work(session: Session) -> None:
        await session.subscribe(will.topic)

    return work


def contradict(will: Will) -> Heard:
    """Return the reaction to a late last will of an earlier connection of ours: publish that we are online."""

    async def heard(session: Session, message: Received) -> None:
        if message.payload == will.offline:
            with contextlib.suppress(Refused):
                # Unheard: we are called by the very loop that hears, so it cannot wait for what it would hear.
                await session.publish(will.birth, unheard=True)

    return heard
