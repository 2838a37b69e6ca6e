"""A live client as a streaming reply that frees its place however it ends.

This module does not know what the messages say.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import ExitStack

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from nes2mqtt.outputs.web.live.feed import Client

__all__ = ["LiveResponse"]

RETRY = b"retry: 3000\n\n"
"""A browser waits this many milliseconds before it connects again."""


class LiveResponse(StreamingResponse):
    """Sends what a client starts with, then what it is told.

    Args:
        client: the subscription.
        beginning: the messages it starts with.
        place: what to close when the reply is over.
        allowed: asked before each message; the reply ends when it says no.
    """

    def __init__(
        self, client: Client, beginning: Iterable[bytes], place: ExitStack, allowed: Callable[[], bool]
    ) -> None:
        # X-Accel-Buffering: nginx would collect messages before passing them on.
        super().__init__(
            _messages(client, beginning, allowed), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )
        self._client = client
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes or is cut off."""
        with self._place:
            await super().__call__(scope, receive, send)

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Return, which ends the reply, when the client has gone or does not read what was sent."""
        async with asyncio.TaskGroup() as tasks:
            gone = tasks.create_task(super().listen_for_disconnect(receive))
            behind = tasks.create_task(self._client.behind.wait())
            await asyncio.wait({gone, behind}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            behind.cancel()


async def _messages(client: Client, beginning: Iterable[bytes], allowed: Callable[[], bool]) -> AsyncIterator[bytes]:
    yield RETRY
    for message in beginning:
        yield message
    async for message in client.messages():
        if not allowed():
            return
        yield message
