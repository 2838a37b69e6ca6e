"""The meter's end of TLS mode: what the simulated meter does with a frame that begins with a TLS code.

What the guide leaves open (MEP guide v1.1 p. 8-9), and what is done here: a handshake that fails because of identity or key
draws 0x03, any other one 0x01; the same for a handshake that goes on before it began. A record that does not open ends the session and draws 0x01, as the TLS library
that meters use would end it. Ending is always answered by 0x00.

This module does not know tables, times, or RC4 mode.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from osgp.key import MeterKey
from osgp.mep.tls.alerts import Alert, TlsFault
from osgp.mep.tls.handshake import Random, ServerHandshake
from osgp.mep.tls.identity import Identity, KeyId
from osgp.mep.tls.session import Session
from osgp.mep.tls_frames import TlsCode, TlsStatus, tls_frame

__all__ = ["Inside", "TlsRule", "TlsServer"]

_KEY_IS_WRONG = frozenset({Alert.UNKNOWN_PSK_IDENTITY, Alert.BAD_RECORD_MAC, Alert.DECRYPT_ERROR})


class TlsRule(Enum):
    """What a MEP port says to TLS."""

    ABSENT = "it does not know TLS, as before firmware 3.82 and 4.02"
    OFFERED = "it speaks TLS with clients that begin with it"
    REQUIRED = "it speaks nothing else (ET97)"


class Inside(NamedTuple):
    """A request that came in a record."""

    body: bytes
    key: KeyId


class TlsServer:
    """The meter's end of TLS mode.

    Args:
        keys: the keys by their number.
        random: where random bytes come from; another source only to replay printed examples.
    """

    def __init__(self, keys: Mapping[KeyId, MeterKey], *, random: Random = secrets.token_bytes) -> None:
        self._keys = dict(keys)
        self._random = random
        self._handshake: ServerHandshake | None = None
        self._session: Session | None = None

    @property
    def open(self) -> bool:
        """Tell whether a session is open."""
        return self._session is not None

    @property
    def key(self) -> KeyId:
        """The key of the open session."""
        assert self._session is not None  # noqa: S101 - there is one only then
        return self._session.identity.key

    @staticmethod
    def concerns(content: bytes) -> bool:
        """Tell whether a frame begins with a TLS code and has at least a byte more."""
        return len(content) > 1 and content[0] in set(TlsCode)

    def forget(self) -> None:
        """Lose session and handshake, as a meter does that was without power."""
        self._handshake = self._session = None

    def take(self, content: bytes) -> bytes | Inside:
        """Take a frame's content; return our frame, or the request that was inside, for which :meth:`reply` makes it."""
        code, records = TlsCode(content[0]), content[1:]
        match code:
            case TlsCode.TERMINATE:
                self.forget()
                return tls_frame(TlsStatus.OK)
            case TlsCode.HANDSHAKE:
                self.forget()
                self._handshake = ServerHandshake(self._key_of, self._random)
                return self._shake(records)
            case TlsCode.HANDSHAKE_CONTINUED:
                return self._shake(records)
            case TlsCode.TABLE:
                return self._open(records)

    def reply(self, body: bytes) -> bytes:
        """Return the frame that carries a response to the request taken last."""
        assert self._session is not None  # noqa: S101 - a request came out of it
        return tls_frame(TlsStatus.OK, self._session.seal(body))

    def _key_of(self, identity: Identity) -> bytes | None:
        key = self._keys.get(identity.key)
        return None if key is None else key.secret

    def _shake(self, records: bytes) -> bytes:
        handshake = self._handshake
        if handshake is None:
            self.forget()
            return tls_frame(TlsStatus.TLS_ERROR)
        try:
            flight = handshake.take(records)
        except TlsFault as fault:
            self.forget()
            wrong_key = fault.alert in _KEY_IS_WRONG
            return tls_frame(TlsStatus.INVALID_IDENTITY_OR_KEY if wrong_key else TlsStatus.TLS_ERROR)
        if handshake.session is not None:
            self._session, self._handshake = handshake.session, None
        return tls_frame(TlsStatus.OK, flight)

    def _open(self, records: bytes) -> bytes | Inside:
        session = self._session
        if session is None:
            return tls_frame(TlsStatus.NO_SESSION)
        try:
            body = session.open(records)
        except TlsFault:
            self.forget()
            return tls_frame(TlsStatus.TLS_ERROR)
        return Inside(body, session.identity.key)
