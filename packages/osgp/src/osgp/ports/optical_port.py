"""A connection to a meter's optical port.

It differs from a MEP port in three ways. There is a session, which is ended in good order when the port is closed: a
meter that is left alone holds it for six seconds more. How long a read may be is agreed on when the session opens. And
a key that the meter refused is never shown again by this program: :data:`REFUSED` remembers it for as long as the
program runs, whoever opens that port again.

This module does not know tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import replace

from osgp.errors import MisuseError, OsgpError, PasswordRefused, ResponseTimeout
from osgp.key import MeterKey
from osgp.optical.events import (
    ClientEvent,
    DropReason,
    EndReason,
    Identified,
    ReplyDropped,
    RequestFailed,
    ResponseReceived,
    Retried,
    SessionEnded,
    SessionFailed,
    SessionOpened,
)
from osgp.optical.key import OpticalKey
from osgp.optical.services import Identity
from osgp.optical.session import OpticalClient
from osgp.optical.settings import SessionSettings
from osgp.optical.states import State
from osgp.optical.timing import DEFAULT_BAUD, Line
from osgp.ports.connection import Connection
from osgp.ports.recovery import Recovery
from osgp.ports.transport import Address
from osgp.psem import table_id

__all__ = ["REFUSED", "OpticalConnection", "RefusedKeys"]

LEAVE_PATIENCE = 1.0
"""Seconds for the meter to say goodbye when the port is closed."""

_CORRUPT = frozenset({DropReason.SPOILED, DropReason.CONTENT, DropReason.OUT_OF_STEP})
_LOST = frozenset({EndReason.LOST, EndReason.RESTARTED, EndReason.GUARD})


class RefusedKeys:
    """Remembers which port refused which key. It holds hashes of the keys, not the keys."""

    def __init__(self) -> None:
        self._refused: dict[tuple[str, bytes], str] = {}

    def add(self, address: Address, password: bytes, words: str) -> None:
        """Remember a refusal, and the words for the error that tells about it."""
        self._refused[self._entry(address, password)] = words

    def check(self, address: Address, password: bytes) -> None:
        """Raise :class:`~osgp.errors.PasswordRefused` when this port refused this key."""
        words = self._refused.get(self._entry(address, password))
        if words is not None:
            raise PasswordRefused(words)

    def clear(self) -> None:
        """Forget all refusals: the owner has checked the keys."""
        self._refused.clear()

    @staticmethod
    def _entry(address: Address, password: bytes) -> tuple[str, bytes]:
        return str(address.by_identity().bare), hashlib.sha256(password).digest()


REFUSED = RefusedKeys()
"""The refused keys that this whole program remembers."""


class OpticalConnection(Connection[ClientEvent]):
    """An optical port and the meter connected to it.

    Args:
        address: the port's address, such as ``optical:///dev/ttyUSB0``.
        key: RK, PK or MK; None: only tables that need no key can be read.
        settings: settings of the session; None: the defaults.
        recovery: switches the power off and on when the meter did not answer several times in a row; None: never.

    Raises:
        MisuseError: the key is that of a MEP port, which is four bytes shorter; or the settings offer other baud rates.
    """

    procedure_numbers = range(10, 255)
    """Without the numbers of MEP clients, and without 255, which may not be the first number after a login."""
    results_table = table_id("BT08")
    in_sequence = False

    def __init__(
        self,
        address: Address,
        key: MeterKey | None,
        *,
        settings: SessionSettings | None = None,
        recovery: Recovery | None = None,
    ) -> None:
        if key is not None and not isinstance(key, OpticalKey):
            raise MisuseError("the optical port compares all 20 bytes of a key; read it with OpticalKey.parse")
        settings = settings or SessionSettings()
        if settings.bauds != (DEFAULT_BAUD,):
            raise MisuseError(f"a connection stays at {DEFAULT_BAUD} baud")
        if settings.turnaround is None and address.turnaround is not None:
            settings = replace(settings, turnaround=address.turnaround)
        self._password = None if key is None else key.password(settings.padding)
        self._session = OpticalClient(key, settings=settings, line=Line(latency=address.latency))
        self._goal: asyncio.Future[ClientEvent] | None = None
        self._moved = asyncio.Event()
        super().__init__(address, self._session, recovery)

    async def open(self) -> None:
        """Open the port.

        Raises:
            PasswordRefused: this port refused the key earlier while this program ran. The port is not opened.
            TransportError: see :func:`~osgp.ports.transport.open_port`.
        """
        if self._password is not None:
            REFUSED.check(self._address, self._password)
        await super().open()

    async def identify(self) -> Identity:
        """Ask the meter who it is. This needs no key.

        Raises:
            NoMeterAnswers: no meter answered; the error's text says what was received instead of an answer
                (:class:`~osgp.optical.diagnosis.NoMeterAnswers`).
            OsgpError: for the same reasons as :meth:`exchange`.
        """
        event = await self._reach(self._session.identify)
        assert isinstance(event, Identified)  # noqa: S101 - what the session gives for it
        return event.identity

    async def login(self) -> None:
        """Open a session, which shows the key to the meter.

        Raises:
            PasswordRefused: the meter refuses the key. This program never shows that key to this port again.
            OsgpError: for the same reasons as :meth:`exchange`.
        """
        await self._reach(self._session.login)

    async def longest_read(self) -> int:
        """Return how many bytes one partial read may ask for; opens the session when there is none."""
        await self._open_session()
        return self._session.limits.read

    async def longest_write(self) -> int:
        """Return how many bytes one partial write may hold; opens the session when there is none."""
        await self._open_session()
        return self._session.limits.partial_write

    async def _open_session(self) -> None:
        if self._session.state not in {State.LOGGED_ON, State.SECURED}:
            await self.login()

    async def _reach(self, begin: Callable[[float], None]) -> ClientEvent:
        """Begin an action that is not a request (identify, login) and wait until it is done."""
        async with self._turn:
            if self._gone is not None or self._port is None:
                raise self._gone or MisuseError("the connection is not open")
            self._goal = self._loop.create_future()
            try:
                begin(self._loop.time())
                self._pump()
                return await self._goal
            finally:
                self._goal = None
                self._session.abandon()

    async def _leave(self) -> None:
        """End the session, unless the meter is silent."""
        self._session.close(self._loop.time())
        self._pump()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_PATIENCE + self._address.latency):
                while not self._session.quiet and self._gone is None:
                    self._moved.clear()
                    await self._moved.wait()

    def _fail(self, error: OsgpError) -> None:
        super()._fail(error)
        if self._goal is not None and not self._goal.done():
            self._goal.set_exception(error)
        self._moved.set()

    def _pump(self) -> None:
        super()._pump()
        self._moved.set()

    def _take(self, event: ClientEvent) -> None:
        stats = self.stats
        match event:
            case ResponseReceived():
                stats.replies += 1
                self._settle(event.response)
            case RequestFailed() | SessionFailed():
                stats.timeouts += isinstance(event.error, ResponseTimeout)
                if isinstance(event.error, PasswordRefused) and self._password is not None:
                    REFUSED.add(self._address, self._password, str(event.error))
                self._fail(event.error)
            case Identified() | SessionOpened():
                if self._goal is not None and not self._goal.done():
                    self._goal.set_result(event)
            case Retried():
                stats.retries += 1
            case ReplyDropped():
                stats.corrupt += event.reason in _CORRUPT
            case SessionEnded():
                stats.resyncs += event.reason in _LOST
                # Whoever holds the probe may hold it to another meter between two sessions, unless they follow at once.
                if event.reason is not EndReason.REPEATED:
                    self._doubt(another=True)
