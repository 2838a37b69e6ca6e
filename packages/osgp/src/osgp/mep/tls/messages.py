"""Messages of the handshake, as bytes (RFC 5246 section 7.4, RFC 4279 section 2).

Decoding is strict: every length is checked against the bytes that are there, and nothing may follow a message's end. What
a client may offer is read in full; what is chosen can be one thing only.

This module does not know in which order messages come, or keys.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from osgp.mep.tls.alerts import Alert, TlsFault
from osgp.mep.tls.key_schedule import VERIFY_SIZE
from osgp.mep.tls.records import VERSION

__all__ = [
    "RANDOM_SIZE",
    "ClientHello",
    "Message",
    "MessageType",
    "ServerHello",
    "client_identity",
    "decode_messages",
    "encode_message",
    "finished_proof",
    "identity_message",
    "raise_unless_done",
    "raise_unless_hint",
]

RANDOM_SIZE = 32
SUITE = 0x00A9
"""TLS_PSK_WITH_AES_256_GCM_SHA384 (RFC 5487 section 3; MEP guide v1.1 p. 18)."""
_SIGNAL = 0x00FF
"""TLS_EMPTY_RENEGOTIATION_INFO_SCSV: "I know that renegotiation needs care" (RFC 5746 section 3.3)."""
_NO_COMPRESSION = 0
_RENEGOTIATION_INFO = 0xFF01
_NOT_RENEGOTIATED = b"\0"
"""Content of that extension in a first handshake (RFC 5746 section 3.4)."""
_LONGEST_SESSION_ID = 32
_TYPE_AND_SIZE = 4


class MessageType(IntEnum):
    """Messages of this handshake, by their number (RFC 5246 section 7.4)."""

    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    SERVER_KEY_EXCHANGE = 12
    """In this suite a hint which key to use; meters send none (MEP guide v1.1 p. 14)."""
    SERVER_HELLO_DONE = 14
    CLIENT_KEY_EXCHANGE = 16
    FINISHED = 20


class Message(NamedTuple):
    """A message of the handshake."""

    kind: MessageType
    body: bytes
    raw: bytes
    """With type and length: what is hashed."""


def encode_message(kind: MessageType, body: bytes) -> bytes:
    """Return a message with type and length before it."""
    return bytes((kind,)) + len(body).to_bytes(_TYPE_AND_SIZE - 1, "big") + body


def decode_messages(data: bytes) -> list[Message]:
    """Return the messages that ``data`` consists of.

    Raises:
        TlsFault: one of them is unknown here or cut off.
    """
    messages: list[Message] = []
    at = 0
    while at < len(data):
        head = data[at : at + _TYPE_AND_SIZE]
        end = at + _TYPE_AND_SIZE + int.from_bytes(head[1:], "big")
        if len(head) < _TYPE_AND_SIZE or end > len(data):
            raise TlsFault("a message of the handshake is cut off", Alert.DECODE_ERROR)
        if head[0] not in set(MessageType):
            raise TlsFault(f"a message of kind {head[0]} has no place here", Alert.UNEXPECTED_MESSAGE)
        messages.append(Message(MessageType(head[0]), data[at + _TYPE_AND_SIZE : end], data[at:end]))
        at = end
    return messages


class _Reader:
    """Takes a body apart from the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at_end(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise TlsFault("a field of the handshake is cut off", Alert.DECODE_ERROR)
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def counted(self, size: int) -> bytes:
        """Take bytes with their count before them."""
        return self.take(self.number(size))

    def end(self) -> None:
        if not self.at_end:
            raise TlsFault("bytes follow the end of a message", Alert.DECODE_ERROR)


def _extensions(reader: _Reader) -> dict[int, bytes]:
    """Take the extensions that may end a hello."""
    found: dict[int, bytes] = {}
    if reader.at_end:
        return found
    block = _Reader(reader.counted(2))
    reader.end()
    while not block.at_end:
        kind = block.number(2)
        if kind in found:
            raise TlsFault("an extension comes twice", Alert.DECODE_ERROR)
        found[kind] = block.counted(2)
    return found


def _opening(reader: _Reader) -> tuple[bytes, bytes]:
    """Take version, random and session id, with which both hellos begin."""
    version = reader.number(2)
    if version != VERSION:
        raise TlsFault(f"version 0x{version:04X} was offered, not TLS 1.2", Alert.PROTOCOL_VERSION)
    random = reader.take(RANDOM_SIZE)
    session_id = reader.counted(1)
    if len(session_id) > _LONGEST_SESSION_ID:
        raise TlsFault("a session id is too long", Alert.DECODE_ERROR)
    return random, session_id


class ClientHello(NamedTuple):
    """What a client begins with."""

    random: bytes
    suites: tuple[int, ...] = (SUITE, _SIGNAL)
    knows_renegotiation: bool = True
    """It gave the signal, or the extension that says the same."""

    def encode(self) -> bytes:
        """Return the message as the guide's example has it: no session id, no extensions (p. 14)."""
        suites = b"".join(suite.to_bytes(2, "big") for suite in self.suites)
        body = VERSION.to_bytes(2, "big") + self.random + b"\0"
        body += len(suites).to_bytes(2, "big") + suites + bytes((1, _NO_COMPRESSION))
        return encode_message(MessageType.CLIENT_HELLO, body)

    @classmethod
    def decode(cls, body: bytes) -> ClientHello:
        """Return what the body says.

        Raises:
            TlsFault: it is none, or offers nothing that a meter can take.
        """
        reader = _Reader(body)
        random, _ = _opening(reader)
        listed = reader.counted(2)
        if len(listed) % 2:
            raise TlsFault("the list of suites is cut off", Alert.DECODE_ERROR)
        suites = tuple(int.from_bytes(listed[at : at + 2], "big") for at in range(0, len(listed), 2))
        compressions = reader.counted(1)
        extensions = _extensions(reader)
        if SUITE not in suites:
            raise TlsFault(f"suite 0x{SUITE:04X} is not offered", Alert.HANDSHAKE_FAILURE)
        if _NO_COMPRESSION not in compressions:
            raise TlsFault("no compression is not offered", Alert.ILLEGAL_PARAMETER)
        told = extensions.get(_RENEGOTIATION_INFO)
        if told not in {None, _NOT_RENEGOTIATED}:
            raise TlsFault("a first handshake renegotiates nothing", Alert.HANDSHAKE_FAILURE)
        return cls(random, suites, _SIGNAL in suites or told is not None)


class ServerHello(NamedTuple):
    """What the meter answers: version, suite and compression can be one thing only."""

    random: bytes
    session_id: bytes
    """Up to 32 bytes; means nothing, because no session is resumed."""
    knows_renegotiation: bool = True

    def encode(self) -> bytes:
        """Return the message as the guide's example has it (p. 14)."""
        body = VERSION.to_bytes(2, "big") + self.random + bytes((len(self.session_id),)) + self.session_id
        body += SUITE.to_bytes(2, "big") + bytes((_NO_COMPRESSION,))
        if self.knows_renegotiation:
            info = bytes((len(_NOT_RENEGOTIATED),)).rjust(2, b"\0") + _NOT_RENEGOTIATED
            block = _RENEGOTIATION_INFO.to_bytes(2, "big") + info
            body += len(block).to_bytes(2, "big") + block
        return encode_message(MessageType.SERVER_HELLO, body)

    @classmethod
    def decode(cls, body: bytes) -> ServerHello:
        """Return what the body says.

        Raises:
            TlsFault: it is none, or chooses what was not offered.
        """
        reader = _Reader(body)
        random, session_id = _opening(reader)
        suite, compression = reader.number(2), reader.number(1)
        if (suite, compression) != (SUITE, _NO_COMPRESSION):
            raise TlsFault(f"suite 0x{suite:04X} was chosen, which was not offered", Alert.ILLEGAL_PARAMETER)
        extensions = _extensions(reader)
        told = extensions.pop(_RENEGOTIATION_INFO, None)
        if extensions:
            raise TlsFault("an extension was chosen that was not offered", Alert.UNSUPPORTED_EXTENSION)
        if told not in {None, _NOT_RENEGOTIATED}:
            raise TlsFault("a first handshake renegotiates nothing", Alert.HANDSHAKE_FAILURE)
        return cls(random, session_id, told is not None)


def raise_unless_hint(body: bytes) -> None:
    """Check a ServerKeyExchange, which holds a hint that nobody needs.

    Raises:
        TlsFault: it holds something else.
    """
    reader = _Reader(body)
    reader.counted(2)
    reader.end()


def raise_unless_done(body: bytes) -> None:
    """Check a ServerHelloDone, which is empty.

    Raises:
        TlsFault: it is not.
    """
    _Reader(body).end()


def identity_message(identity: bytes) -> bytes:
    """Return the ClientKeyExchange that names an identity."""
    return encode_message(MessageType.CLIENT_KEY_EXCHANGE, len(identity).to_bytes(2, "big") + identity)


def client_identity(body: bytes) -> bytes:
    """Return the identity in the body of a ClientKeyExchange.

    Raises:
        TlsFault: it is none.
    """
    reader = _Reader(body)
    identity = reader.counted(2)
    reader.end()
    return identity


def finished_proof(body: bytes) -> bytes:
    """Return the proof in the body of a Finished.

    Raises:
        TlsFault: it has another length.
    """
    if len(body) != VERIFY_SIZE:
        raise TlsFault(f"a proof has {VERIFY_SIZE} bytes", Alert.DECODE_ERROR)
    return body
