"""The services of C12.18 as bytes: what a client asks and what a meter answers.

A request begins with its code, an answer with a response code. Numbers of the protocol are most significant byte first;
table data pass through untouched. Unlike on the MEP port, a full read has no length, and table data are followed by
a checksum in both directions: the two's complement of the sum of their bytes (Optical guide v1.1 p. 9: of a
pending table it covers the event description too, which is part of the data here).

Reading by index (codes 31 to 39) and default reading (3E) are left out: a NES meter offers neither (BT00 declares only
partial access by offset and count).

This module does not know packets, time, or which service is allowed when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from struct import Struct

from osgp.errors import CorruptFrame, MisuseError
from osgp.optical.key import PASSWORD_SIZE
from osgp.optical.timing import Limits
from osgp.psem import PartialRead, PartialWrite, Read, Request, Response, Write

__all__ = [
    "BAUD_CODES",
    "SERVICE_CODES",
    "Grant",
    "Identify",
    "Identity",
    "Logoff",
    "Logon",
    "Negotiate",
    "OpticalResponseCode",
    "Security",
    "Service",
    "Terminate",
    "Wait",
    "checksum",
    "decode_grant",
    "decode_identity",
    "decode_response",
    "decode_service",
    "encode_grant",
    "encode_identity",
    "encode_response",
    "encode_service",
]

_NAME_SIZE = 10
_OFFSET_SIZE = 3
_MOST_BAUDS = 11
_MAX_BYTE = 0xFF
_MAX_WORD = 0xFFFF


class OpticalResponseCode(IntEnum):
    """First byte of every answer. Codes from 0B on mean something else on the MEP port and in C12.22."""

    OK = 0x00
    ERR = 0x01
    """Error: not understood, or refused without a reason."""
    SNS = 0x02
    """Service not supported."""
    ISC = 0x03
    """Insufficient security clearance: the key or the hardware lock does not allow it (Optical guide v1.1 p. 13)."""
    ONP = 0x04
    """Operation not possible, for instance an answer longer than was negotiated."""
    IAR = 0x05
    """Inappropriate action requested: usually there is no such table."""
    BSY = 0x06
    """Device busy."""
    DNR = 0x07
    """Data not ready."""
    DLK = 0x08
    """Data locked."""
    RNO = 0x09
    """Renegotiate."""
    ISSS = 0x0A
    """Invalid service sequence state: not a service for now."""


BAUD_CODES = {
    1: 300,
    2: 600,
    3: 1200,
    4: 2400,
    5: 4800,
    6: 9600,
    7: 14400,
    8: 19200,
    9: 28800,
    10: 57600,
    11: 38400,
    12: 115200,
    13: 128000,
    14: 256000,
}
"""Rates by their code; 0 stands for a rate given from outside, codes from 11 on came with later editions."""

_CODE_OF_BAUD = {baud: code for code, baud in BAUD_CODES.items()}


def _check(name: str, value: int, limit: int) -> None:
    if not 0 <= value <= limit:
        msg = f"{name} {value} is outside 0..{limit}"
        raise MisuseError(msg)


@dataclass(frozen=True, slots=True)
class Identify:
    """Who are you? (20)."""


@dataclass(frozen=True, slots=True)
class Terminate:
    """End everything, back to the defaults (21)."""


@dataclass(frozen=True, slots=True)
class Logoff:
    """Undo the logon (52)."""


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Offer larger packets, more of them, other rates (60 and one for each rate)."""

    limits: Limits
    bauds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.bauds) > _MOST_BAUDS or not set(self.bauds) <= set(_CODE_OF_BAUD):
            msg = f"offer up to {_MOST_BAUDS} of the rates {', '.join(map(str, BAUD_CODES.values()))}"
            raise MisuseError(msg)


@dataclass(frozen=True, slots=True)
class Logon:
    """Say who we are (50). The meter does not check it (Optical guide v1.1 p. 13) but writes ``user`` into its event log."""

    user: int
    name: bytes = b""

    def __post_init__(self) -> None:
        _check("user id", self.user, _MAX_WORD)
        if len(self.name) > _NAME_SIZE:
            msg = f"a user name has at most {_NAME_SIZE} characters"
            raise MisuseError(msg)


@dataclass(frozen=True, slots=True)
class Security:
    """Show the key (51): twenty bytes, in clear light."""

    password: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.password) != PASSWORD_SIZE:
            msg = f"a password has {PASSWORD_SIZE} bytes"
            raise MisuseError(msg)


@dataclass(frozen=True, slots=True)
class Wait:
    """Keep the session for so many seconds without traffic, once (70)."""

    seconds: int

    def __post_init__(self) -> None:
        _check("seconds", self.seconds, _MAX_BYTE)


Service = Identify | Terminate | Logoff | Negotiate | Logon | Security | Wait | Request


@dataclass(frozen=True, slots=True)
class Identity:
    """What Identify answers.

    Args:
        standard: 0 is C12.18, 2 C12.21, 3 C12.22.
        version: of the standard.
        revision: of the standard.
        features: the rest, without its end mark.
    """

    standard: int = 0
    version: int = 1
    revision: int = 0
    features: bytes = b""


@dataclass(frozen=True, slots=True)
class Grant:
    """What Negotiate answers. ``baud`` is None for a rate that is given from outside."""

    limits: Limits
    baud: int | None


_TABLE = Struct(">BH")
_FULL = Struct(">BHH")
_PARTIAL = Struct(">BH3sH")
_LOGON = Struct(f">BH{_NAME_SIZE}s")
_SIZES = Struct(">BHB")
_GRANT = Struct(">BHBB")
_COUNT = Struct(">H")
_CHECKSUM_SIZE = 1
_READ_HEAD = 1 + _COUNT.size

_IDENTIFY, _TERMINATE, _LOGOFF, _NEGOTIATE = 0x20, 0x21, 0x52, 0x60
_READ, _PARTIAL_READ, _WRITE, _PARTIAL_WRITE = 0x30, 0x3F, 0x40, 0x4F
_LOGON_CODE, _SECURITY, _WAIT = 0x50, 0x51, 0x70


def checksum(data: bytes) -> bytes:
    """Return the byte that makes the sum of all a multiple of 256."""
    return bytes((-sum(data) & _MAX_BYTE,))


def encode_service(service: Service) -> bytes:
    """Return the bytes of a request."""
    match service:
        case Identify():
            return bytes((_IDENTIFY,))
        case Terminate():
            return bytes((_TERMINATE,))
        case Logoff():
            return bytes((_LOGOFF,))
        case Wait(seconds):
            return bytes((_WAIT, seconds))
        case Negotiate(limits, bauds):
            codes = bytes(_CODE_OF_BAUD[baud] for baud in bauds)
            return _SIZES.pack(_NEGOTIATE + len(bauds), limits.size, limits.packets) + codes
        case Logon(user, name):
            return _LOGON.pack(_LOGON_CODE, user, name.ljust(_NAME_SIZE))
        case Security(password):
            return bytes((_SECURITY,)) + password
        case _:
            return _encode_request(service)


def _encode_request(request: Request) -> bytes:
    match request:
        case Read(table):
            return _TABLE.pack(_READ, table)
        case PartialRead(table, offset, count):
            return _PARTIAL.pack(_PARTIAL_READ, table, offset.to_bytes(_OFFSET_SIZE, "big"), count)
        case Write(table, data):
            return _FULL.pack(_WRITE, table, len(data)) + data + checksum(data)
        case PartialWrite(table, offset, data):
            head = _PARTIAL.pack(_PARTIAL_WRITE, table, offset.to_bytes(_OFFSET_SIZE, "big"), len(data))
            return head + data + checksum(data)


def _bare(service: Service) -> Callable[[bytes], Service]:
    def decode(message: bytes) -> Service:
        _expect(len(message) == 1)
        return service

    return decode


def _expect(right: bool) -> None:  # noqa: FBT001 - reads as an assertion
    if not right:
        raise CorruptFrame("the length of this request is not what its code and counts say")


def _decode_read(message: bytes) -> Service:
    _expect(len(message) == _TABLE.size)
    return Read(_TABLE.unpack(message)[1])


def _decode_partial_read(message: bytes) -> Service:
    _expect(len(message) == _PARTIAL.size)
    _, table, offset, count = _PARTIAL.unpack(message)
    return PartialRead(table, int.from_bytes(offset, "big"), count)


def _written(message: bytes, head: int, count: int) -> bytes:
    _expect(len(message) == head + count + _CHECKSUM_SIZE)
    data = message[head:-_CHECKSUM_SIZE]
    if checksum(data) != message[-_CHECKSUM_SIZE:]:
        raise CorruptFrame("the checksum of the table data is wrong")
    return data


def _decode_write(message: bytes) -> Service:
    _expect(len(message) >= _FULL.size)
    _, table, count = _FULL.unpack_from(message)
    return Write(table, _written(message, _FULL.size, count))


def _decode_partial_write(message: bytes) -> Service:
    _expect(len(message) >= _PARTIAL.size)
    _, table, offset, count = _PARTIAL.unpack_from(message)
    return PartialWrite(table, int.from_bytes(offset, "big"), _written(message, _PARTIAL.size, count))


def _decode_logon(message: bytes) -> Service:
    _expect(len(message) == _LOGON.size)
    _, user, name = _LOGON.unpack(message)
    return Logon(user, name.rstrip(b" "))


def _decode_security(message: bytes) -> Service:
    _expect(len(message) == 1 + PASSWORD_SIZE)
    return Security(message[1:])


def _decode_wait(message: bytes) -> Service:
    _expect(len(message) == 1 + 1)
    return Wait(message[1])


def _decode_negotiate(message: bytes) -> Service:
    _expect(len(message) == _SIZES.size + message[0] - _NEGOTIATE)
    _, size, packets = _SIZES.unpack_from(message)
    bauds = tuple(BAUD_CODES[code] for code in message[_SIZES.size :] if code in BAUD_CODES)
    return Negotiate(_limits(size, packets), bauds)


def _limits(size: int, packets: int) -> Limits:
    try:
        return Limits(size, packets)
    except MisuseError:
        raise CorruptFrame(f"{packets} packets of {size} bytes cannot be") from None


_DECODERS: dict[int, Callable[[bytes], Service]] = {
    _IDENTIFY: _bare(Identify()),
    _TERMINATE: _bare(Terminate()),
    _LOGOFF: _bare(Logoff()),
    _READ: _decode_read,
    _PARTIAL_READ: _decode_partial_read,
    _WRITE: _decode_write,
    _PARTIAL_WRITE: _decode_partial_write,
    _LOGON_CODE: _decode_logon,
    _SECURITY: _decode_security,
    _WAIT: _decode_wait,
    **dict.fromkeys(range(_NEGOTIATE, _NEGOTIATE + _MOST_BAUDS + 1), _decode_negotiate),
}


SERVICE_CODES = frozenset(_DECODERS)
"""First bytes of the requests known here; all others are not supported."""


def decode_service(message: bytes) -> Service:
    """Return the request that a message carries.

    Raises:
        CorruptFrame: the code is not one of a service, or the message is shorter or longer than it says.
    """
    decoder = _DECODERS.get(message[0]) if message else None
    if decoder is None:
        raise CorruptFrame("this is no request code")
    return decoder(message)


def encode_response(service: Service | None, response: Response) -> bytes:
    """Return an answer as bytes; ``service`` is None where the request could not be understood."""
    if response.ok and isinstance(service, Read | PartialRead):
        return b"\0" + _COUNT.pack(len(response.data)) + response.data + checksum(response.data)
    return bytes((response.code,)) + response.data


def decode_response(message: bytes, service: Service) -> Response:
    """Return the answer to ``service`` that a message carries.

    For reads ``data`` are the table's bytes, checked; for Identify and Negotiate what :func:`decode_identity` and
    :func:`decode_grant` read; for all others none.

    Raises:
        CorruptFrame: it cannot be the answer to this service.
    """
    if not message:
        raise CorruptFrame("an answer has at least its code")
    code, rest = message[0], message[1:]
    if code != OpticalResponseCode.OK:
        if code > OpticalResponseCode.ISSS:
            raise CorruptFrame(f"0x{code:02X} is no response code of C12.18")
        # Negotiate may name what would be possible beside a refusal; nothing else may follow a code.
        if rest and not isinstance(service, Negotiate):
            raise CorruptFrame("a refusal stands alone")
        return Response(code)
    if isinstance(service, Read | PartialRead):
        return Response(code, _read_data(message, service))
    if isinstance(service, Identify | Negotiate):
        return Response(code, rest)
    if rest:
        raise CorruptFrame("nothing follows this ok")
    return Response(code)


def _read_data(message: bytes, request: Read | PartialRead) -> bytes:
    if len(message) < _READ_HEAD + _CHECKSUM_SIZE:
        raise CorruptFrame("a read is answered by a count, data and a checksum")
    count = _COUNT.unpack_from(message, 1)[0]
    data = message[_READ_HEAD:-_CHECKSUM_SIZE]
    if count != len(data):
        raise CorruptFrame("the count is not that of the data")
    if checksum(data) != message[-_CHECKSUM_SIZE:]:
        raise CorruptFrame("the checksum of the table data is wrong")
    # Past the end of a table a meter fills up with zeros (Optical guide v1.1 p. 9), so a count is always met.
    if isinstance(request, PartialRead) and count != request.count:
        raise CorruptFrame("the count is not the one asked for")
    return data


def encode_identity(identity: Identity) -> bytes:
    """Return the data of Identify's ok."""
    return bytes((identity.standard, identity.version, identity.revision)) + identity.features + b"\0"


_SHORTEST_IDENTITY = 4
_STANDARDS = {0, 2, 3}


def decode_identity(data: bytes) -> Identity:
    """Return what the data of Identify's ok say.

    Raises:
        CorruptFrame: they are none, for instance the left-over answer of an older session.
    """
    if len(data) < _SHORTEST_IDENTITY or data[0] not in _STANDARDS or data[-1]:
        raise CorruptFrame("an identity is a standard, its version and revision, and a list that ends in zero")
    return Identity(data[0], data[1], data[2], data[3:-1])


def encode_grant(grant: Grant) -> bytes:
    """Return the data of Negotiate's ok."""
    code = 0 if grant.baud is None else _CODE_OF_BAUD[grant.baud]
    return _GRANT.pack(0, grant.limits.size, grant.limits.packets, code)[1:]


def decode_grant(data: bytes, asked: Negotiate) -> Grant:
    """Return what the data of Negotiate's ok say. Where a meter grants more than was asked, what was asked holds.

    Raises:
        CorruptFrame: they are none, or name a rate that does not exist.
    """
    if len(data) != _GRANT.size - 1:
        raise CorruptFrame("a grant is a size, a number of packets and a rate")
    _, size, packets, code = _GRANT.unpack(b"\0" + data)
    if code and code not in BAUD_CODES:
        raise CorruptFrame(f"there is no rate with code {code}")
    limits = _limits(min(size, asked.limits.size), min(packets, asked.limits.packets))
    return Grant(limits, BAUD_CODES.get(code))
