"""One meter's port, put to work: requests in, verified responses out, by ``await``.

A :class:`Connection` feeds the sans-IO :class:`~osgp.mep.client.MepClient` with a port's bytes and the event loop's
time. It is made to be cheap, because a gateway may hold thousands: no task of its own, and one timer
that is set only while something is waited for and left to run out instead of being set anew.

This module does not know tables.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from osgp.errors import MisuseError, ResponseTimeout, TransportError
from osgp.key import MeterKey
from osgp.mep.client import MepClient
from osgp.mep.events import (
    AlertReceived,
    ClientEvent,
    DropReason,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Resynchronised,
    Retried,
)
from osgp.psem import Request, Response
from osgp.recovery import Recovery
from osgp.transport import Address, Port, open_port

__all__ = ["Connection", "LinkStats"]


@dataclass(slots=True)
class LinkStats:
    """Counts since the connection was opened; they only grow."""

    requests: int = 0
    replies: int = 0
    """Verified answers, error codes included."""
    retries: int = 0
    """Sendings beyond the first."""
    timeouts: int = 0
    """Sendings that nothing came back for."""
    corrupt: int = 0
    """Replies dropped: impossible length, wrong count, digest wrong."""
    resyncs: int = 0
    """Sequence numbers adopted from the meter."""
    alerts: int = 0
    power_cycles: int = 0


_CORRUPT = frozenset({DropReason.GARBAGE, DropReason.BROKEN_OFF, DropReason.DIGEST, DropReason.CONTENT})


class Connection:
    """A port with a meter behind it.

    Args:
        address: where.
        key: the meter's key.
        encrypt: encrypt requests; the meter then encrypts its responses.
        recovery: what to do about repeated silence.
    """

    def __init__(
        self, address: Address, key: MeterKey, *, encrypt: bool = False, recovery: Recovery | None = None
    ) -> None:
        self.stats = LinkStats()
        self.on_event: Callable[[ClientEvent], None] | None = None
        """Called with each event of the link; for logs and traces. It must not raise."""
        self._address = address
        self._recovery = recovery
        self._client = MepClient(key, encrypt=encrypt, line=address.line)
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._port: Port | None = None
        self._gone: TransportError | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def address(self) -> Address:
        """Where the meter is; once open, by identity."""
        return self._address

    @property
    def proven(self) -> bool:
        """Tell whether the meter has shown that it has our key."""
        return self._client.proven

    async def open(self) -> None:
        """Open the port.

        Raises:
            TransportError: see :func:`~osgp.transport.open_port`.
        """
        self._port = await open_port(self._address, self._received, self._lost)
        self._address = self._port.address

    async def close(self) -> None:
        """Close the port; a request under way fails."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._lost(TransportError(f"{self._address} was closed by this program"))
        if self._port is not None:
            await self._port.close()

    async def exchange(self, request: Request) -> Response:
        """Ask the meter and return its verified answer, whose code may be an error code.

        Raises:
            TransportError: the port is gone.
            LinkError: no answer that could be verified.
            KeyRejected: the meter refuses the key.
            MisuseError: the request does not fit a frame.
        """
        async with self._turn:
            try:
                response = await self._ask(request)
            except ResponseTimeout as silence:
                if self._recovery is None or not self._recovery.silent(self._loop.time()):
                    raise
                try:
                    await self.power_cycle()
                except TransportError as error:
                    # The port is not to blame for its switch: what is wrong is still that the meter is silent.
                    raise ResponseTimeout(f"{silence}. The power cycle failed: {error}") from error
                response = await self._ask(request)
            if self._recovery is not None:
                self._recovery.answered()
            return response

    async def power_cycle(self) -> None:
        """Switch the level shifter off and on again.

        Raises:
            TransportError: it cannot be switched.
            MisuseError: no recovery was given.
        """
        if self._recovery is None or self._port is None:
            raise MisuseError("no power cycle was configured for this meter")
        self.stats.power_cycles += 1
        await self._recovery.run(self._port, self._loop.time())

    async def _ask(self, request: Request) -> Response:
        if self._gone is not None or self._port is None:
            raise self._gone or MisuseError("the connection is not open")
        answer: asyncio.Future[Response] = self._loop.create_future()
        self._answer = answer
        self.stats.requests += 1
        self._client.request(request, self._loop.time())
        self._pump()
        try:
            return await answer
        finally:
            self._answer = None
            self._client.abandon()

    def _received(self, data: bytes) -> None:
        self._handle(self._client.receive(data, self._loop.time()))
        self._pump()

    def _lost(self, error: TransportError) -> None:
        if self._gone is None:
            self._gone = error
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _expire(self) -> None:
        self._timer = None
        self._handle(self._client.expire(self._loop.time()))
        self._pump()

    def _pump(self) -> None:
        """Send what is to be sent, and see to it that the client is woken in time."""
        data = self._client.bytes_to_send()
        if data and self._port is not None and self._gone is None:
            try:
                self._port.write(data)
            except TransportError as error:
                self._lost(error)
        deadline = None if self._gone is not None else self._client.deadline()
        if deadline is None:
            return
        if self._timer is not None:
            if self._timer.when() <= deadline:
                return  # it will look again when it rings; cheaper than a new timer for each request
            self._timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _handle(self, events: list[ClientEvent]) -> None:
        for event in events:
            self._count(event)
            answer = self._answer
            if answer is not None and not answer.done():
                if isinstance(event, ResponseReceived):
                    answer.set_result(event.response)
                elif isinstance(event, RequestFailed):
                    answer.set_exception(event.error)
            if self.on_event is not None:
                self.on_event(event)

    def _count(self, event: ClientEvent) -> None:
        stats = self.stats
        match event:
            case ResponseReceived():
                stats.replies += 1
            case RequestFailed():
                stats.timeouts += isinstance(event.error, ResponseTimeout)
            case Retried():
                stats.retries += 1
                stats.timeouts += event.silent
            case ReplyDropped():
                stats.corrupt += event.reason in _CORRUPT
            case Resynchronised():
                stats.resyncs += 1
            case AlertReceived():
                stats.alerts += 1
