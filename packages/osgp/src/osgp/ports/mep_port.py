"""A connection to a meter's MEP port.

This module does not know tables.
"""

from __future__ import annotations

import secrets

from osgp.errors import MisuseError, ResponseTimeout
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
from osgp.mep.timing import MAX_READ, MAX_WRITE
from osgp.optical.key import OpticalKey
from osgp.ports.connection import Connection
from osgp.ports.recovery import Recovery
from osgp.ports.transport import Address

__all__ = ["MepConnection"]

_SAME_METER = 256
"""How far ahead of what was last heard of it a meter's sequence number may be. It goes ahead by one with each request
and by 25 with each change of its tables (MEP guide v1.1 p. 55); another meter's may be anywhere in four thousand million."""

_CORRUPT = frozenset({DropReason.GARBAGE, DropReason.BROKEN_OFF, DropReason.DIGEST, DropReason.CONTENT})


class MepConnection(Connection[ClientEvent]):
    """A MEP port and the meter connected to it.

    Args:
        address: the port's address, such as ``serial:///dev/ttyUSB0``.
        key: the meter's key.
        encrypt: encrypt requests; the meter then encrypts its responses.
        recovery: switches the power off and on when the meter did not answer several times in a row; None: never.

    Raises:
        MisuseError: the key is that of an optical port.
    """

    procedure_numbers = range(5, 10)
    results_table = None
    in_sequence = True

    def __init__(
        self, address: Address, key: MeterKey, *, encrypt: bool = False, recovery: Recovery | None = None
    ) -> None:
        if isinstance(key, OpticalKey):
            raise MisuseError("this is a key for an optical port; for a MEP port read it with MeterKey.parse")
        number = secrets.randbits(32)
        super().__init__(address, MepClient(key, encrypt=encrypt, first_sequence=number, line=address.line), recovery)

    async def longest_read(self) -> int:
        """Return how many bytes one partial read may ask for."""
        return MAX_READ

    async def longest_write(self) -> int:
        """Return how many bytes one partial write may hold."""
        return MAX_WRITE

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
                stats.retries += 1
                stats.timeouts += event.silent
            case ReplyDropped():
                stats.corrupt += event.reason in _CORRUPT
            case Resynchronised():
                stats.resyncs += 1
                # After a lost reply 0x0C is normal, but a jump may hide behind it.
                self._doubt(another=event.moved is None or event.moved > _SAME_METER)
            case AlertReceived():
                stats.alerts += 1
