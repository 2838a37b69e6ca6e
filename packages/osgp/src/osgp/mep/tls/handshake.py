"""Both ends of the handshake: a flight of the other side in, our own flight out, at last a session.

A flight is what one frame of the MEP port carries: some whole records, one after the other (MEP guide v1.1 p. 14). A
handshake is over with the first fault; nobody may go on with it.

This module does not know frames, time, or what is done about a fault.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from typing import ClassVar

from osgp.errors import MisuseError
from osgp.mep.tls import key_schedule
from osgp.mep.tls.alerts import Alert, TlsFault
from osgp.mep.tls.identity import Identity
from osgp.mep.tls.messages import (
    RANDOM_SIZE,
    ClientHello,
    Message,
    MessageType,
    ServerHello,
    client_identity,
    decode_messages,
    encode_message,
    finished_proof,
    identity_message,
    raise_unless_done,
    raise_unless_hint,
)
from osgp.mep.tls.records import ContentType, Record, Seal, decode_records, encode_record
from osgp.mep.tls.session import Session, alert_fault
from osgp.mep.tls.states import CLIENT, SERVER, Step, Taken

__all__ = ["ClientHandshake", "Random", "ServerHandshake"]

Random = Callable[[int], bytes]
"""Gives so many random bytes: ``secrets.token_bytes``; another one only to replay printed examples."""

_CHANGE = b"\x01"
"""The one content of ChangeCipherSpec (RFC 5246 section 7.1)."""


class _Handshake:
    """What both ends have in common."""

    _moves: ClassVar[Mapping[Step, Mapping[Taken, Step]]]
    _label: ClassVar[bytes]
    _other_label: ClassVar[bytes]

    def __init__(self) -> None:
        self._step = Step.BEGUN
        self._over = False
        self._hash = hashlib.new(key_schedule.HASH)
        self._master = b""
        self._sealing: Seal | None = None
        self._opening: Seal | None = None
        self._identity: Identity | None = None
        self._session: Session | None = None

    @property
    def session(self) -> Session | None:
        """The session, once it is open."""
        return self._session

    @property
    def identity(self) -> Identity | None:
        """The client's, once it is known."""
        return self._identity

    def take(self, flight: bytes) -> bytes:
        """Take a flight of the other side and return our next one; empty if none is due.

        Raises:
            TlsFault: the handshake is over without a session.
            MisuseError: it was over before.
        """
        if self._over:
            raise MisuseError("this handshake is over")
        answer = b""
        try:
            for record in decode_records(flight):
                answer += self._take_record(record)
        except TlsFault:
            self._over = True
            self._master = b""
            self._session = None  # what follows a Finished in the same flight spoils it too
            raise
        self._over = self._session is not None
        return answer

    def _take_record(self, record: Record) -> bytes:
        if self._step is Step.OPEN:
            raise TlsFault("a record behind the end of the handshake", Alert.UNEXPECTED_MESSAGE)
        if self._opening is not None and self._step is Step.SEALED:
            record = Record(record.kind, self._opening.open(record))
        match record.kind:
            case ContentType.HANDSHAKE:
                return b"".join([self._take_message(message) for message in decode_messages(record.content)])
            case ContentType.CHANGE_CIPHER_SPEC:
                if record.content != _CHANGE:
                    raise TlsFault("ChangeCipherSpec has one byte", Alert.DECODE_ERROR)
                self._advance(Taken.CHANGE_CIPHER_SPEC)
                return b""
            case ContentType.ALERT:
                raise alert_fault(record.content)
            case ContentType.APPLICATION_DATA:
                raise TlsFault("a message before the session is open", Alert.UNEXPECTED_MESSAGE)

    def _take_message(self, message: Message) -> bytes:
        self._advance(Taken[message.kind.name])
        if message.kind is MessageType.FINISHED:
            self._check_proof(message.body)
        self._hash.update(message.raw)
        return self._respond(message)

    def _respond(self, message: Message) -> bytes:
        """Return our flight that follows a message; empty where none does."""
        raise NotImplementedError

    def _advance(self, taken: Taken) -> None:
        after = self._moves[self._step].get(taken)
        if after is None:
            raise TlsFault(f"{taken.value} has no place here", Alert.UNEXPECTED_MESSAGE)
        self._step = after

    def _said(self, message: bytes) -> bytes:
        """Return a message of ours as a record."""
        self._hash.update(message)
        return encode_record(ContentType.HANDSHAKE, message)

    def _agree(self, psk: bytes, client_random: bytes, server_random: bytes) -> key_schedule.SessionKeys:
        self._master = key_schedule.master_secret(psk, client_random, server_random)
        return key_schedule.session_keys(self._master, client_random, server_random)

    def _proof(self, sealing: Seal) -> bytes:
        """Return ChangeCipherSpec and our Finished."""
        proof = key_schedule.verify_data(self._master, self._label, self._hash.digest())
        message = encode_message(MessageType.FINISHED, proof)
        self._hash.update(message)
        return encode_record(ContentType.CHANGE_CIPHER_SPEC, _CHANGE) + sealing.seal(ContentType.HANDSHAKE, message)

    def _check_proof(self, body: bytes) -> None:
        expected = key_schedule.verify_data(self._master, self._other_label, self._hash.digest())
        if not hmac.compare_digest(finished_proof(body), expected):
            raise TlsFault("the other side's proof is wrong", Alert.DECRYPT_ERROR)

    def _opened(self) -> None:
        sealing, opening, identity = self._sealing, self._opening, self._identity
        assert sealing is not None and opening is not None and identity is not None  # noqa: S101, PT018 - the table of steps says so
        self._session = Session(sealing, opening, identity)
        self._master = b""


class ClientHandshake(_Handshake):
    """A client's end of one handshake.

    Args:
        psk: the shared key: 16 bytes.
        identity: who we are, and which key it is.
        random: where random bytes come from.
    """

    _moves = CLIENT
    _label, _other_label = b"client finished", b"server finished"

    def __init__(self, psk: bytes, identity: Identity, random: Random) -> None:
        super().__init__()
        self._psk = psk
        self._identity = identity
        self._random = random(RANDOM_SIZE)
        self._server_random = b""

    def first_flight(self) -> bytes:
        """Return the flight that begins it. It is to be called once."""
        return self._said(ClientHello(self._random).encode())

    @property
    def greeted(self) -> bool:
        """Tell whether the other side has answered in TLS."""
        return self._step is not Step.BEGUN

    def _respond(self, message: Message) -> bytes:
        match message.kind:
            case MessageType.SERVER_HELLO:
                self._server_random = ServerHello.decode(message.body).random
            case MessageType.SERVER_KEY_EXCHANGE:
                raise_unless_hint(message.body)
            case MessageType.SERVER_HELLO_DONE:
                raise_unless_done(message.body)
                return self._prove()
            case MessageType.FINISHED:
                self._opened()
        return b""

    def _prove(self) -> bytes:
        assert self._identity is not None  # noqa: S101 - the constructor sets it
        flight = self._said(identity_message(self._identity.encode()))
        keys = self._agree(self._psk, self._random, self._server_random)
        self._sealing, self._opening = Seal(keys.client), Seal(keys.server)
        return flight + self._proof(self._sealing)


class ServerHandshake(_Handshake):
    """A meter's end of one handshake.

    Args:
        key_of: gives the shared key of an identity, None where there is none.
        random: where random bytes come from.
    """

    _moves = SERVER
    _label, _other_label = b"server finished", b"client finished"

    def __init__(self, key_of: Callable[[Identity], bytes | None], random: Random) -> None:
        super().__init__()
        self._key_of = key_of
        self._random = random
        self._client_random = self._server_random = b""

    def _respond(self, message: Message) -> bytes:
        match message.kind:
            case MessageType.CLIENT_HELLO:
                return self._greet(ClientHello.decode(message.body))
            case MessageType.CLIENT_KEY_EXCHANGE:
                self._take_identity(client_identity(message.body))
            case MessageType.FINISHED:
                assert self._sealing is not None  # noqa: S101 - the table of steps says so
                flight = self._proof(self._sealing)
                self._opened()
                return flight
        return b""

    def _greet(self, hello: ClientHello) -> bytes:
        self._client_random = hello.random
        self._server_random = self._random(RANDOM_SIZE)
        session_id = self._random(RANDOM_SIZE)
        answer = ServerHello(self._server_random, session_id, hello.knows_renegotiation).encode()
        return self._said(answer) + self._said(encode_message(MessageType.SERVER_HELLO_DONE, b""))

    def _take_identity(self, data: bytes) -> None:
        identity = Identity.decode(data)
        psk = self._key_of(identity)
        if psk is None:
            raise TlsFault("there is no such key", Alert.UNKNOWN_PSK_IDENTITY)
        self._identity = identity
        keys = self._agree(psk, self._client_random, self._server_random)
        self._sealing, self._opening = Seal(keys.server), Seal(keys.client)
