"""The connection to one meter's port: the caller gives a request and awaits the verified response.

A :class:`Connection` feeds a sans-IO link client with a port's bytes and the event loop's time. A gateway may hold
thousands of connections, so each is cheap: it has no task of its own, and timers only while something is awaited. A timer is
never replaced: one that was set for an earlier deadline of the client rings, looks again, and is then set to the new one.

The code for one kind of port is in :mod:`osgp.ports.mep_port` and :mod:`osgp.ports.optical_port`. This module does not
know tables, nor what the events of a link mean.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, Protocol, TypeVar

from osgp.errors import CorruptFrame, MisuseError, OsgpError, ResponseTimeout, TransportError
from osgp.mep.security import Security
from osgp.ports.recovery import Recovery
from osgp.ports.tap.health import ModuleHealth
from osgp.ports.transport import Address, Port, open_port
from osgp.psem import Request, Response

__all__ = ["Connection", "Doubts", "LinkClient", "LinkStats"]

E = TypeVar("E")
E_co = TypeVar("E_co", covariant=True)
"""The events of a link."""


@dataclass(slots=True)
class LinkStats:
    """Counts since the connection was opened; they only grow."""

    requests: int = 0
    replies: int = 0
    """Verified answers, error codes included."""
    retries: int = 0
    """How often a request was sent again because of the line or the meter; not how the two sides find each other at first."""
    timeouts: int = 0
    """How often a request was sent and nothing came back."""
    corrupt: int = 0
    """Replies dropped: impossible length, wrong count, digest or CRC wrong."""
    resyncs: int = 0
    """Sequence numbers adopted from the meter, but for a connection's first, and TLS sessions that broke; at the optical port
    sessions that had to begin anew."""
    alerts: int = 0
    power_cycles: int = 0


class Doubts(NamedTuple):
    """Counts how often there was reason to think that the meter is not as before; the counts only grow."""

    changed: int = 0
    """How often the meter's tables may have changed."""
    another: int = 0
    """How often the meter may have been replaced by another one."""


class LinkClient(Protocol[E_co]):
    """The methods that :class:`osgp.mep.client.MepClient` and :class:`osgp.optical.session.OpticalClient` share."""

    @property
    def proven(self) -> bool:
        """Whether the meter has accepted our key."""

    def request(self, request: Request, now: float) -> None:
        """Begin to send a request."""

    def receive(self, data: bytes, now: float) -> Sequence[E_co]:
        """Take in bytes that were received; return what they tell."""

    def expire(self, now: float) -> Sequence[E_co]:
        """Act on the time that has passed."""

    def bytes_to_send(self) -> bytes:
        """Return what has to go out now."""

    def deadline(self) -> float | None:
        """Return when :meth:`expire` must be called at the latest."""

    def abandon(self) -> None:
        """Forget the request that is not yet answered."""


class Connection(ABC, Generic[E]):
    """A port and the meter connected to it.

    Args:
        address: the port's address.
        client: the protocol of the port without input and output: it turns requests into bytes, and received bytes into
            events such as answers.
        recovery: switches the level shifter off and on when the meter did not answer several times in a row; None:
            never.
    """

    procedure_numbers: range
    """Procedure sequence numbers for users of this port (MEP guide v1.1 p. 52)."""
    results_table: int | None
    """The table with the results of procedures called on this port; None: the meter's settings name the table."""

    def __init__(self, address: Address, client: LinkClient[E], recovery: Recovery | None) -> None:
        self.stats = LinkStats()
        self.on_event: Callable[[E], None] | None = None
        """Called with each event of the link; for logs and traces. It must not raise."""
        self._address = address
        self._recovery = recovery
        self._client = client
        self._loop = asyncio.get_running_loop()
        self._turn = asyncio.Lock()
        self._port: Port | None = None
        self._gone: TransportError | None = None
        self._closed: TransportError | None = None
        self._answer: asyncio.Future[Response] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        """Those that will ring, the earliest last; two, most often: until a request may leave, and until its answer is late."""
        self._doubts = Doubts()

    @property
    def address(self) -> Address:
        """The port's address; once the port is open, it names the adapter by identity, if there is one."""
        return self._address

    @property
    def health(self) -> ModuleHealth | None:
        """What the module in the meter told of itself last; None where there is none, or before it told."""
        return self._port.health if self._port is not None else None

    @property
    def proven(self) -> bool:
        """Tell whether the meter has shown that it has our key, or accepted it."""
        return self._client.proven

    @property
    def security(self) -> Security | None:
        """How the meter is talked to; None as long as that is to be found out, and where nothing is to be chosen."""
        return None

    @property
    @abstractmethod
    def in_sequence(self) -> bool:
        """Whether an answer without a new doubt proves that the meter's tables did not change before it was made."""

    @abstractmethod
    async def longest_read(self) -> int:
        """Return how many bytes one partial read may ask for.

        Raises:
            OsgpError: for the same reasons as :meth:`exchange`, if the meter has to be asked.
        """

    @abstractmethod
    async def longest_write(self) -> int:
        """Return how many bytes one partial write may hold. It raises the same errors as :meth:`longest_read`."""

    @property
    def doubts(self) -> Doubts:
        """How often there was reason to think that the meter was replaced or its tables changed their meaning."""
        return self._doubts

    def _doubt(self, *, another: bool = False) -> None:
        changed, others = self._doubts
        self._doubts = Doubts(changed + 1, others + another)

    async def open(self) -> None:
        """Open the port.

        Raises:
            TransportError: see :func:`~osgp.ports.transport.open_port`.
        """
        self._port = await open_port(self._address, self._received, self._lost)
        self._address = self._port.address

    async def close(self) -> None:
        """Close the port; a request under way fails."""
        closed = self._closed = TransportError(f"{self._address} was closed by this program")
        self._fail(closed)
        try:
            if self._gone is None and self._port is not None:
                await self._leave()
        finally:
            for timer in self._timers:
                timer.cancel()
            self._timers.clear()
            self._lost(closed)
            if self._port is not None:
                await self._port.close()

    async def exchange(self, request: Request) -> Response:
        """Ask the meter and return its verified answer, whose code may be an error code.

        Raises:
            TransportError: the port is gone.
            LinkError: no answer could be verified.
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
            TransportError: the level shifter cannot be switched.
            MisuseError: no recovery was given.
        """
        if self._recovery is None or self._port is None:
            raise MisuseError("no power cycle was configured for this meter")
        self.stats.power_cycles += 1
        await self._recovery.run(self._port, self._loop.time())

    async def _leave(self) -> None:
        """End the exchange with the meter in good order before the port closes."""

    @abstractmethod
    def _take(self, event: E) -> None:
        """Count an event; if the event is an answer, hand it to the caller who awaits it."""

    async def _ask(self, request: Request) -> Response:
        if self._gone is not None or self._closed is not None or self._port is None:
            raise self._gone or self._closed or MisuseError("the connection is not open")
        answer: asyncio.Future[Response] = self._loop.create_future()
        self._answer = answer
        self.stats.requests += 1
        try:
            self._client.request(request, self._loop.time())
            self._pump()
            return await answer
        finally:
            self._answer = None
            self._client.abandon()

    def _settle(self, response: Response) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(response)

    def _fail(self, error: OsgpError) -> None:
        if self._address.bridged and not self.stats.replies and isinstance(error, ResponseTimeout | CorruptFrame):
            # Nothing was ever understood, and between us and the line stands something that may be set wrongly.
            settings = f"{self._address.baud} baud, 8 data bits, no parity, 1 stop bit (8N1)"
            error.args = (f"{error}. The bridge's own serial settings count too: {settings}",)
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def _received(self, data: bytes) -> None:
        self._handle(self._client.receive(data, self._loop.time()))
        self._pump()

    def _lost(self, error: TransportError) -> None:
        if self._gone is None:
            self._gone = error
        self._fail(error)

    def _expire(self) -> None:
        self._timers.pop()
        self._handle(self._client.expire(self._loop.time()))
        self._pump()

    def _pump(self) -> None:
        """Send the bytes that the client wants to send, and set a timer for the client's next deadline if none rings before."""
        data = self._client.bytes_to_send()
        if data and self._port is not None and self._gone is None:
            try:
                self._port.write(data)
            except TransportError as error:
                self._lost(error)
        deadline = None if self._gone is not None else self._client.deadline()
        if deadline is not None and not (self._timers and self._timers[-1].when() <= deadline):
            self._timers.append(self._loop.call_at(deadline, self._expire))

    def _handle(self, events: Sequence[E]) -> None:
        for event in events:
            self._take(event)
            if self.on_event is not None:
                self.on_event(event)
