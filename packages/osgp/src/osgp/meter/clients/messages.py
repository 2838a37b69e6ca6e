"""Several requests in one table: the bytes of ET52, and those of the answers in ET53 (MEP guide v1.1 p. 43-50, 130-132).

A transaction is a size of two bytes that counts itself, a type, a number, any number of records, and the number again: both ends
say that it is all of it. A record is the length of a message, and the message as a port carries it in RC4 mode, without
sequence number and digest. Sizes, lengths and numbers are least significant byte first, messages as in :mod:`osgp.mep.frame`.

Transactions for groups of meters (types 3 and 4) are the grid company's and none of this module's.

This module does not know how a table is written, nor what the messages ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import Struct

from osgp.errors import CorruptFrame, MisuseError, TableError
from osgp.mep.frame import decode_request, decode_response, encode_request, encode_response
from osgp.psem import Request, Response

__all__ = [
    "HEAD_SIZE",
    "TransactionHead",
    "decode_requests",
    "decode_responses",
    "encode_requests",
    "encode_responses",
    "transaction_head",
]

_HEAD, _WORD = Struct("<HBH"), Struct("<H")
HEAD_SIZE = _HEAD.size
"""Bytes of size, type and number."""
_LEAST = HEAD_SIZE + _WORD.size
_MOST = 0xFFFF

REQUESTS, RESPONSES, SOME_RESPONSES = 0, 1, 2
"""Types (p. 131)."""


@dataclass(frozen=True, slots=True)
class TransactionHead:
    """What a transaction begins with."""

    size: int
    """Bytes of all of it."""
    kind: int
    number: int

    @property
    def answers(self) -> bool:
        """Tell whether responses follow, all or some."""
        return self.kind in {RESPONSES, SOME_RESPONSES}


def transaction_head(data: bytes) -> TransactionHead | None:
    """Return what a transaction begins with; None where ET52 or ET53 holds none yet.

    Raises:
        TableError: the bytes end before.
    """
    if len(data) < HEAD_SIZE:
        raise TableError(f"a transaction begins with {HEAD_SIZE} bytes, and {len(data)} are there. Read them again")
    head = TransactionHead(*_HEAD.unpack_from(data))
    return head if head.size >= _LEAST else None


def encode_requests(number: int, requests: Sequence[Request]) -> bytes:
    """Return the bytes to write to ET52 from its begin on.

    Args:
        number: of the transaction, of 16 bits; another one than that of the one before.
        requests: at least one.

    Raises:
        MisuseError: there is no request, the number does not fit, or they are too many for any table.
    """
    if not requests or not 0 <= number <= _MOST:
        raise MisuseError("a transaction has a number of 16 bits and at least one request")
    return _encoded(REQUESTS, number, [encode_request(request) for request in requests])


def encode_responses(number: int, requests: Sequence[Request], responses: Sequence[Response], room: int) -> bytes:
    """Return the bytes of ET53 with the answers to these requests: as many as there is room for.

    Args:
        number: of the transaction.
        requests: all of them.
        responses: to each request, or fewer.
        room: bytes of the table.
    """
    messages: list[bytes] = []
    left = room - _LEAST
    for request, response in zip(requests, responses, strict=False):
        message = encode_response(request, response)
        left -= _WORD.size + len(message)
        if left < 0:
            break
        messages.append(message)
    kind = RESPONSES if len(messages) == len(requests) else SOME_RESPONSES
    return _encoded(kind, number, messages)


def decode_requests(data: bytes) -> tuple[int, tuple[Request, ...]]:
    """Return the number of a transaction and what it asks for.

    Args:
        data: exactly the transaction.

    Raises:
        TableError: it is none, or not whole.
    """
    number, messages = _decoded(data, {REQUESTS})
    try:
        return number, tuple(map(decode_request, messages))
    except CorruptFrame as error:
        raise TableError(f"a transaction holds what is no request: {error}") from error


def decode_responses(data: bytes, number: int, requests: Sequence[Request]) -> tuple[Response, ...]:
    """Return the answers to the first of these requests; to all of them, if the meter had room.

    Args:
        data: exactly the transaction in ET53.
        number: of the transaction.
        requests: of the transaction.

    Raises:
        TableError: these are no answers to it.
    """
    told, messages = _decoded(data, {RESPONSES, SOME_RESPONSES})
    found = list(messages)
    if told != number or len(found) > len(requests) or (data[_WORD.size] == RESPONSES and len(found) < len(requests)):
        raise TableError(
            f"ET53 holds {len(found)} answers to transaction {told}, where {len(requests)} to {number} were due. Another client may "
            "have written ET52 meanwhile; ask again"
        )
    try:
        return tuple(decode_response(message, request) for message, request in zip(found, requests, strict=False))
    except CorruptFrame as error:
        raise TableError(f"ET53 holds an answer that does not fit its request: {error}") from error


def _encoded(kind: int, number: int, messages: Sequence[bytes]) -> bytes:
    size = _LEAST + sum(_WORD.size + len(message) for message in messages)
    if size > _MOST:
        raise MisuseError(f"a transaction has at most {_MOST} bytes, this one would have {size}")
    records = b"".join(_WORD.pack(len(message)) + message for message in messages)
    return _HEAD.pack(size, kind, number) + records + _WORD.pack(number)


def _decoded(data: bytes, kinds: set[int]) -> tuple[int, Iterator[bytes]]:
    head = transaction_head(data)
    if head is None or head.size != len(data) or head.kind not in kinds:
        raise TableError(f"{len(data)} bytes are no transaction of this kind. Read them again")
    if _WORD.unpack_from(data, head.size - _WORD.size) != (head.number,):
        raise TableError("a transaction does not end with the number it begins with: it was read while it was written")
    return head.number, _messages(data[HEAD_SIZE : -_WORD.size])


def _messages(records: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(records):
        if place + _WORD.size > len(records):
            raise TableError("a transaction ends within the length of a message")
        (length,) = _WORD.unpack_from(records, place)
        place += _WORD.size
        # "A length of 0 is considered invalid" (p. 131).
        if not length or place + length > len(records):
            raise TableError(f"a transaction has a message of {length} bytes where {len(records) - place} are left")
        yield records[place : place + length]
        place += length
