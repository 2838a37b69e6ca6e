"""What frames of the MEP port in TLS mode are, in words: who they are for, which messages of the handshake stand in them.

What is sealed stays so, and is not shown either: with a handshake's clear part beside it, a guessed key could be tried on it.

This module does not know keys, and opens nothing.
"""

from __future__ import annotations

from osgp.mep.digest import DIGEST_SIZE
from osgp.mep.frame import LENGTH_SIZE
from osgp.mep.tls.alerts import TlsFault, alert_words
from osgp.mep.tls.identity import Identity
from osgp.mep.tls.messages import Message, MessageType, client_identity, decode_messages
from osgp.mep.tls.records import ContentType, Record, decode_records, encode_record
from osgp.mep.tls_frames import TlsCode, TlsStatus
from osgp.psem import ResponseCode

__all__ = ["tls_request", "tls_response"]

_HIDDEN = "*" * 8
_LONGEST_END = 8
"""Bytes of a frame that ends a session: a code and one byte, of which more would do no harm (MEP guide v1.1 p. 8)."""

_REFUSALS: dict[int, str] = {
    TlsStatus.TLS_ERROR: "TLS error",
    TlsStatus.INVALID_IDENTITY_OR_KEY: "invalid identity or key",
    TlsStatus.NO_SESSION: "no TLS session is open",
    ResponseCode.SERVICE_NOT_SUPPORTED: "unsupported request: no TLS here",
    ResponseCode.AUTHENTICATION_FAILURE: "wrong digest: no TLS here, or the frame was damaged",
}
"""What a status says in answer to a frame in TLS mode (p. 9, and p. 10-11 for meters without)."""

_NAMES = {
    MessageType.CLIENT_HELLO: "ClientHello",
    MessageType.SERVER_HELLO: "ServerHello",
    MessageType.SERVER_KEY_EXCHANGE: "ServerKeyExchange",
    MessageType.SERVER_HELLO_DONE: "ServerHelloDone",
    MessageType.CLIENT_KEY_EXCHANGE: "ClientKeyExchange",
    MessageType.FINISHED: "Finished",
}


def tls_request(content: bytes) -> tuple[str, str] | None:
    """Return what a request is and its bytes in hex; None if it is none in TLS mode."""
    if len(content) < LENGTH_SIZE or content[0] not in set(TlsCode):
        return None
    code = TlsCode(content[0])
    if code is TlsCode.TERMINATE:
        return ("end of the TLS session", _hex(content)) if len(content) <= _LONGEST_END else None
    try:
        words, shown = _flight(content[1:], sealed=code is TlsCode.TABLE)
    except TlsFault:
        return None
    what = {TlsCode.HANDSHAKE: "TLS handshake", TlsCode.HANDSHAKE_CONTINUED: "TLS handshake, continued"}
    return f"{what.get(code, 'request in TLS')}: {words}", f"{_hex(content, 1)} | {shown}"


def tls_response(content: bytes, *, sealed: bool) -> tuple[str, str]:
    """Return what a response is and its bytes in hex.

    Args:
        content: of the frame.
        sealed: it answers a request in an open session.
    """
    status, records = content[0], content[1:]
    if status != TlsStatus.OK:
        # A meter without TLS answers as in RC4 mode, with a digest.
        digest = f" | {_HIDDEN}" if len(content) == 1 + DIGEST_SIZE else ""
        return f"refused: {_REFUSALS.get(status, f'code {status:02x}')}", f"{_hex(content, 1)}{digest}"
    if not records:
        return "ok", _hex(content)
    try:
        words, shown = _flight(records, sealed=sealed)
    except TlsFault:
        return f"{len(records)} bytes that are no TLS", f"{_hex(content, 1)} | {_HIDDEN}"
    return f"{'response in TLS' if sealed else 'TLS handshake'}: {words}", f"{_hex(content, 1)} | {shown}"


def _flight(data: bytes, *, sealed: bool) -> tuple[str, str]:
    """Return the words for records and their bytes.

    Raises:
        TlsFault: they are none.
    """
    words, shown = [], []
    for record in decode_records(data):
        clear = None if sealed else _clear(record)
        if clear is None:
            words.append(_sealed(record))
            shown.append(_HIDDEN)
        else:
            words.append(clear)
            shown.append(encode_record(record.kind, record.content).hex(" "))
        sealed |= record.kind is ContentType.CHANGE_CIPHER_SPEC
    return ", ".join(words), " | ".join(shown)


def _sealed(record: Record) -> str:
    names = {
        ContentType.HANDSHAKE: "Finished, sealed",
        ContentType.ALERT: "an alert, sealed",
        ContentType.APPLICATION_DATA: f"{len(record.content)} bytes, sealed",
    }
    return names.get(record.kind, "a record, sealed")


def _clear(record: Record) -> str | None:
    """Say what stands in a record in clear; None for one that is never sent so."""
    match record.kind:
        case ContentType.HANDSHAKE:
            return ", ".join(_message(message) for message in decode_messages(record.content))
        case ContentType.CHANGE_CIPHER_SPEC:
            return "ChangeCipherSpec"
        case ContentType.ALERT if len(record.content) == len((0, 0)):
            return f"alert '{alert_words(record.content[1])}'"
        case _:
            return None


def _message(message: Message) -> str:
    name = _NAMES[message.kind]
    if message.kind is not MessageType.CLIENT_KEY_EXCHANGE:
        return name
    identity = Identity.decode(client_identity(message.body))
    return f"{name} (client {identity.client}, {identity.key.name.lower()} key)"


def _hex(content: bytes, most: int | None = None) -> str:
    return f"{len(content).to_bytes(LENGTH_SIZE, 'big').hex(' ')} {content[:most].hex(' ')}"
