"""PSEM: the table services that the MEP port and the optical port share.

A request names a table and, for partial services, a window of it. The answer is
a response code and, for reads, data. Both ports carry the same eight-bit codes;
they differ in how a request becomes bytes, so the encodings live with the links:

* MEP: :mod:`osgp.mep.frame`. A full read carries a two-byte length and there is no table checksum.
* optical: full read without length, data followed by a checksum (C12.18).

Table ids (MEP guide v1.1, "Table identifiers"): a basic table ``BTn`` has id ``n``, an extended
table ``ETn`` has id ``2048 + n``.

This module does not know about framing, keys, sequence numbers or time.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from osgp.errors import MeterRefused, MisuseError, OsgpError

__all__ = [
    "EXTENDED",
    "PartialRead",
    "PartialWrite",
    "Read",
    "Request",
    "RequestFailed",
    "Response",
    "ResponseCode",
    "ResponseReceived",
    "Write",
    "request_words",
    "table_id",
    "table_name",
]

EXTENDED = 2048
"""Offset of extended table numbers in table ids."""

_MAX_TABLE = 0xFFFF
_MAX_OFFSET = 0xFFFFFF
_MAX_COUNT = 0xFFFF


class ResponseCode(IntEnum):
    """First byte of every response (MEP guide v1.1, p. 10-11, table 2.5)."""

    OK = 0x00
    ERROR = 0x01
    """Unrecognised request."""
    SERVICE_NOT_SUPPORTED = 0x02
    INSUFFICIENT_SECURITY_CLEARANCE = 0x03
    """The key's level does not allow it, or the hardware lock forbids it."""
    OPERATION_NOT_POSSIBLE = 0x04
    INAPPROPRIATE_ACTION = 0x05
    """Table operation not possible, usually: the meter has no such table."""
    INVALID_SERVICE_SEQUENCE = 0x0A
    """TLS only: no session."""
    AUTHENTICATION_FAILURE = 0x0B
    BAD_SEQUENCE_NUMBER = 0x0C


_MEANING = {
    ResponseCode.ERROR: "it does not recognise the request",
    ResponseCode.SERVICE_NOT_SUPPORTED: "it does not support this service",
    ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE: "this key may not do that",
    ResponseCode.OPERATION_NOT_POSSIBLE: "the operation is not possible",
    ResponseCode.INAPPROPRIATE_ACTION: "it has no such table or the table cannot be used this way",
    ResponseCode.INVALID_SERVICE_SEQUENCE: "there is no TLS session",
    ResponseCode.AUTHENTICATION_FAILURE: "the key is wrong",
    ResponseCode.BAD_SEQUENCE_NUMBER: "the sequence number is wrong",
}


def table_name(table: int) -> str:
    """Return the guide's name of a table id: ``23`` is ``BT23``, ``2051`` is ``ET03``."""
    if table >= EXTENDED:
        return f"ET{table - EXTENDED:02d}"
    return f"BT{table:02d}"


def table_id(name: str) -> int:
    """Return the table id of a guide's name (``BT23``, ``ET03``; case and leading zeros free).

    Raises:
        MisuseError: the text is not such a name.
    """
    prefix, digits = name[:2].upper(), name[2:]
    if prefix not in {"BT", "ET"} or not digits.isascii() or not digits.isdigit() or int(digits) >= EXTENDED:
        msg = f"'{name}' is no table name; write BT00 to BT2047 or ET00 to ET2047"
        raise MisuseError(msg)
    return int(digits) + (EXTENDED if prefix == "ET" else 0)


def _check(name: str, value: int, limit: int) -> None:
    if not 0 <= value <= limit:
        msg = f"{name} {value} is outside 0..{limit}"
        raise MisuseError(msg)


@dataclass(frozen=True, slots=True)
class Read:
    """Full table read (code 0x30)."""

    table: int

    def __post_init__(self) -> None:
        _check("table", self.table, _MAX_TABLE)


@dataclass(frozen=True, slots=True)
class PartialRead:
    """Partial table read by offset and count (code 0x3F). ``count`` bytes from ``offset``."""

    table: int
    offset: int
    count: int

    def __post_init__(self) -> None:
        _check("table", self.table, _MAX_TABLE)
        _check("offset", self.offset, _MAX_OFFSET)
        _check("count", self.count, _MAX_COUNT)


@dataclass(frozen=True, slots=True)
class Write:
    """Full table write (code 0x40)."""

    table: int
    data: bytes

    def __post_init__(self) -> None:
        _check("table", self.table, _MAX_TABLE)
        _check("count", len(self.data), _MAX_COUNT)


@dataclass(frozen=True, slots=True)
class PartialWrite:
    """Partial table write by offset (code 0x4F)."""

    table: int
    offset: int
    data: bytes

    def __post_init__(self) -> None:
        _check("table", self.table, _MAX_TABLE)
        _check("offset", self.offset, _MAX_OFFSET)
        _check("count", len(self.data), _MAX_COUNT)


Request = Read | PartialRead | Write | PartialWrite


def request_words(request: Request) -> str:
    """Return what a request asks, for people: ``read BT23, 44 bytes from 0``."""
    table = table_name(request.table)
    match request:
        case Read():
            return f"read {table}"
        case PartialRead(offset=offset, count=count):
            return f"read {table}, {count} bytes from {offset}"
        case Write(data=data):
            return f"write {table}, {len(data)} bytes"
        case PartialWrite(offset=offset, data=data):
            return f"write {table}, {len(data)} bytes from {offset}"


@dataclass(frozen=True, slots=True)
class Response:
    """A meter's answer: ``code`` as sent and, for reads that succeeded, ``data``."""

    code: int
    data: bytes = b""

    @property
    def ok(self) -> bool:
        """Tell whether the request was carried out."""
        return self.code == ResponseCode.OK

    def raise_for_code(self, request: Request) -> None:
        """Raise :class:`~osgp.errors.MeterRefused` unless the code is ok."""
        if self.ok:
            return
        meaning = _MEANING.get(ResponseCode(self.code)) if self.code in set(ResponseCode) else None
        verb = "read" if isinstance(request, Read | PartialRead) else "write"
        msg = (
            f"the meter refused to {verb} {table_name(request.table)}: "
            f"{meaning or 'a code this program does not know'} (response 0x{self.code:02X})"
        )
        raise MeterRefused(msg, self.code)


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """The answer to a request, verified where the port can. The code may be an error code."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class RequestFailed:
    """There will be no answer to this request; ``error`` says why."""

    request: Request
    error: OsgpError
