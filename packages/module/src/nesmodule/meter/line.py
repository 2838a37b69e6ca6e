"""One MEP line: a request goes out, a verified reply comes back. Drives :class:`osgp.mep.client.MepClient` over a stream.

The stream is the UART on a module and a socket in tests; both are MicroPython's. One request at a time: who asks meanwhile waits.

This module does not know tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from nesmodule.board.clock import wait_for_ms
from osgp.errors import ResponseTimeout, TransportError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.events import AlertReceived, ReplyDropped, RequestFailed, ResponseReceived, Resynchronised, Retried
from osgp.mep.timing import Line
from osgp.psem import Request, Response

__all__ = ["MeterLine"]

_CHUNK = 128
"""Bytes taken at once: MicroPython sets aside so many for each read, before it knows how many come."""


class MeterLine:
    """The client's end of the line.

    Args:
        stream: reads and writes bytes.
        key: the meter's key.
        now: gives milliseconds that only grow.
        encrypt: encrypt requests.
        first_sequence: number of the first request, one that nobody can foresee.
        latency: milliseconds that lie between here and the line.
    """

    def __init__(
        self,
        stream: Any,
        key: MeterKey,
        now: Callable[[], int],
        *,
        encrypt: bool = False,
        first_sequence: int = 0,
        latency: int = 20,
    ) -> None:
        self._stream = stream
        self._now = now
        self._client = MepClient(key, encrypt=encrypt, first_sequence=first_sequence, line=Line(latency=latency))
        self._turn = asyncio.Lock()
        self.requests = 0
        self.replies = 0
        self.retries = 0
        self.timeouts = 0
        self.corrupt = 0
        self.resyncs = 0
        self.alerts = 0

    async def exchange(self, request: Request) -> Response:
        """Ask, and return the verified answer, whatever its code.

        Raises:
            OsgpError: no answer, a refused key, a lost sequence.
            TransportError: the line is gone.
        """
        async with self._turn:
            self.requests += 1
            client = self._client
            client.request(request, self._now())
            try:
                while True:
                    await self._send(client.bytes_to_send())
                    for event in await self._next():
                        answer = self._take(event)
                        if answer is not None:
                            return answer
            finally:
                client.abandon()

    async def _send(self, data: bytes) -> None:
        if data:
            self._stream.write(data)
            await self._stream.drain()

    async def _next(self) -> list[Any]:
        """Return what the next bytes, or the next deadline, bring."""
        deadline = self._client.deadline()
        wait = 1000 if deadline is None else max(0, deadline - self._now())
        try:
            data = await wait_for_ms(self._stream.read(_CHUNK), int(wait))
        except asyncio.TimeoutError:
            return self._client.expire(self._now())
        if not data:
            raise TransportError("the line to the meter was closed")
        return self._client.receive(data, self._now()) + self._client.expire(self._now())

    def _take(self, event: Any) -> Response | None:
        """Count an event; return the answer if it is one."""
        if isinstance(event, ResponseReceived):
            self.replies += 1
            return event.response
        if isinstance(event, RequestFailed):
            self.timeouts += isinstance(event.error, ResponseTimeout)
            raise event.error
        self.retries += isinstance(event, Retried)
        self.corrupt += isinstance(event, ReplyDropped)
        self.resyncs += isinstance(event, Resynchronised)
        self.alerts += isinstance(event, AlertReceived)
        return None
