"""A connection to a meter's MEP port.

This module does not know tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets

from osgp.errors import MisuseError, OsgpError, ResponseTimeout, TlsUnavailable
from osgp.key import MeterKey
from osgp.mep.choosing_client import ChoosingClient
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
    SecurityChosen,
    TlsSessionLost,
    TlsSessionOpened,
)
from osgp.mep.pacing import Pacing
from osgp.mep.security import Security, SecuritySeen
from osgp.mep.timing import MAX_READ, MAX_WRITE, RESPONSE_TIMEOUT, Line
from osgp.mep.tls.records import raise_unless_available
from osgp.mep.tls_client import DECLINES, ENDINGS, TlsClient
from osgp.mep.tls_frames import HANDSHAKE_PATIENCE, MAX_TLS_READ, MAX_TLS_WRITE
from osgp.optical.key import OpticalKey
from osgp.ports.connection import Connection
from osgp.ports.recovery import Recovery
from osgp.ports.transport import Address

__all__ = ["MepConnection"]

_SAME_METER = 256
"""How far ahead of what was last heard of it a meter's sequence number may be. It goes ahead by one with each request
and by 25 with each change of its tables (MEP guide v1.1 p. 55); another meter's may be anywhere in four thousand million."""

_CORRUPT = frozenset({DropReason.GARBAGE, DropReason.BROKEN_OFF, DropReason.DIGEST, DropReason.CONTENT})


_LONGEST_LEAVE = HANDSHAKE_PATIENCE + ENDINGS * RESPONSE_TIMEOUT + 1.0
"""Seconds that the end of a TLS session may take: the reply to what was under way, each sending, and what bytes take."""

_PROBES = 2
"""Hellos that may go unanswered before a meter that never spoke TLS is asked in RC4 mode."""

_Client = MepClient | TlsClient | ChoosingClient


class MepConnection(Connection[ClientEvent]):
    """A MEP port and the meter connected to it.

    Args:
        address: the port's address, such as ``serial:///dev/ttyUSB0``.
        key: the meter's key.
        security: how to protect what goes over the wire.
        seen: what was seen at this port before; is kept up to date.
        recovery: switches the power off and on when the meter did not answer several times in a row; None: never.

    Raises:
        MisuseError: the key is that of an optical port, or TLS is wanted and the Python package cryptography is missing.
        TlsUnavailable: the package is missing, and the meter was seen to speak TLS.
    """

    procedure_numbers = range(5, 10)
    results_table = None

    def __init__(
        self,
        address: Address,
        key: MeterKey,
        *,
        security: Security = Security.AUTO,
        seen: SecuritySeen | None = None,
        recovery: Recovery | None = None,
    ) -> None:
        if isinstance(key, OpticalKey):
            raise MisuseError("this is a key for an optical port; for a MEP port read it with MeterKey.parse")
        self._ends = _client(key, security, seen or SecuritySeen(), address.line)
        self._security: Security | None = None if security is Security.AUTO else security
        self._moved = asyncio.Event()
        super().__init__(address, self._ends, recovery)

    @property
    def security(self) -> Security | None:
        """How the meter is talked to; None as long as that is to be found out."""
        return self._security

    @property
    def in_sequence(self) -> bool:
        """Only RC4 mode counts requests in a number that moves with the meter's tables."""
        return self._security in {Security.RC4, Security.RC4_PLAIN}

    async def longest_read(self) -> int:
        """Return how many bytes one partial read may ask for."""
        return MAX_READ if self.in_sequence else MAX_TLS_READ

    async def longest_write(self) -> int:
        """Return how many bytes one partial write may hold."""
        return MAX_WRITE if self.in_sequence else MAX_TLS_WRITE

    async def _leave(self) -> None:
        """End the TLS session, if the meter may be in one: others would find the port taken."""
        if isinstance(self._ends, MepClient):
            return
        self._ends.close(self._loop.time())
        self._pump()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_LEAVE + (ENDINGS + 1) * self._address.latency):
                while not self._ends.quiet and self._gone is None:
                    self._moved.clear()
                    await self._moved.wait()

    def _fail(self, error: OsgpError) -> None:
        super()._fail(error)
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
            case RequestFailed():
                self._doubt()  # numbers went ahead without an answer, and so far that they may hide a jump
                stats.timeouts += isinstance(event.error, ResponseTimeout)
                self._fail(event.error)
            case Retried():
                stats.retries += not event.ordinary
                stats.timeouts += event.silent and not event.ordinary
            case ReplyDropped():
                stats.corrupt += event.reason in _CORRUPT
            case Resynchronised():
                stats.resyncs += event.moved is not None
                # After a lost reply 0x0C is normal, but a jump may hide behind it.
                self._doubt(another=event.moved is None or event.moved > _SAME_METER)
            case TlsSessionLost():
                stats.resyncs += 1
            case TlsSessionOpened():
                # Nothing in TLS tells whether this is the meter of the session before, or whether it changed its tables since.
                self._doubt(another=True)
            case SecurityChosen():
                self._security = event.security
            case AlertReceived():
                stats.alerts += 1


def _client(key: MeterKey, security: Security, seen: SecuritySeen, line: Line) -> _Client:
    """Return the client's end of the link."""
    pace = Pacing(line)
    if security is Security.TLS:
        return TlsClient(key, pace=pace, seen=seen)
    number = secrets.randbits(32)
    rc4 = MepClient(key, encrypt=security is Security.RC4, first_sequence=number, pace=pace)
    if security is not Security.AUTO:
        return rc4
    try:
        raise_unless_available()
    except MisuseError as error:
        if seen.tls:
            raise TlsUnavailable(f"the meter spoke TLS before. {error}") from error
        return ChoosingClient(None, rc4, seen)
    # A meter that answered in RC4 mode before is asked once only: a spoiled hello then costs no more than a day.
    probes, declines = (_PROBES, DECLINES) if seen.rc4_at is None else (1, 1)
    return ChoosingClient(TlsClient(key, pace=pace, seen=seen, hello_tries=probes, declines=declines), rc4, seen)
