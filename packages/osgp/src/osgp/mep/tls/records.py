"""Records, the envelopes of TLS: five bytes of header, then content, in clear or sealed.

A sealed record (RFC 5288 section 3) is an 8-byte *explicit nonce*, the content in AES-GCM, and a 16-byte tag. The nonce is
4 bytes of the key schedule and the explicit ones. Both sides also count the records of each direction; the number is not sent
but sealed in, with the kind and the length. So a record that is altered, lost, repeated or out of its place does not open.

We send the number as explicit nonce, as the guide's meter does (MEP guide v1.1 p. 14-15), so that none can ever come twice under one key.

This module does not know what stands in a record.
"""

from __future__ import annotations

from enum import IntEnum
from importlib.util import find_spec
from struct import Struct
from typing import NamedTuple, Protocol

from osgp.errors import MisuseError
from osgp.mep.tls.alerts import Alert, TlsFault
from osgp.mep.tls.key_schedule import DirectionKeys

__all__ = [
    "MOST_RECORDS",
    "OVERHEAD",
    "ContentType",
    "Record",
    "Seal",
    "decode_records",
    "encode_record",
    "raise_unless_available",
]

VERSION = 0x0303
"""TLS 1.2 (RFC 5246 section 6.2.1)."""

_HEADER = Struct(">BHH")
_NUMBER = Struct(">Q")
_ADDITIONAL = Struct(">QBHH")
_TAG_SIZE = 16

OVERHEAD = _HEADER.size + _NUMBER.size + _TAG_SIZE
"""What a sealed record is longer than its content: 29 bytes."""

MOST_RECORDS = 1 << 24
"""Records that one key seals; then a new session is due. With records as short as these AES-GCM would allow more
(RFC 8446 section 5.5: 2^24.5 of the longest); half a year of a record each second is often enough."""


class ContentType(IntEnum):
    """Kinds of records (RFC 5246 section 6.2.1)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23


class Record(NamedTuple):
    """A record without its header."""

    kind: ContentType
    content: bytes


def encode_record(kind: ContentType, content: bytes) -> bytes:
    """Return a record in clear."""
    return _HEADER.pack(kind, VERSION, len(content)) + content


def decode_records(data: bytes) -> list[Record]:
    """Return the records that ``data`` consists of; they are not opened.

    Raises:
        TlsFault: another version or kind, an empty record, or ``data`` ends within one.
    """
    records: list[Record] = []
    at = 0
    while at < len(data):
        if len(data) - at < _HEADER.size:
            raise TlsFault("the header of a record is cut off", Alert.DECODE_ERROR)
        kind, version, size = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        if version != VERSION:
            raise TlsFault(f"a record of version 0x{version:04X}, not of TLS 1.2", Alert.PROTOCOL_VERSION)
        if kind not in set(ContentType):
            raise TlsFault(f"a record of unknown kind {kind}", Alert.UNEXPECTED_MESSAGE)
        if not size:
            raise TlsFault("a record without content", Alert.UNEXPECTED_MESSAGE)
        if size > len(data) - at:
            raise TlsFault("a record is cut off", Alert.DECODE_ERROR)
        records.append(Record(ContentType(kind), data[at : at + size]))
        at += size
    return records


class _Aead(Protocol):
    """What is used of ``cryptography``'s AESGCM."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...
    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


def raise_unless_available() -> None:
    """Look whether AES-GCM can be had.

    Raises:
        MisuseError: the Python package cryptography is not installed.
    """
    # It is looked for, not loaded: that takes memory, which a meter without TLS is not worth.
    if find_spec("cryptography") is None:
        raise MisuseError(
            "TLS needs the Python package cryptography. Install it: pip install 'osgp[tls]', or on 32-bit Raspberry Pi OS "
            "sudo apt install python3-cryptography"
        )


def _aes_gcm(key: bytes) -> _Aead:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only who speaks TLS needs it
    except BaseException as error:
        # Where a part of it is missing its Rust half panics, with an exception that is no Exception.
        if not isinstance(error, ImportError) and type(error).__name__ != "PanicException":
            raise
        raise MisuseError(
            f"the Python package cryptography is installed and cannot be loaded ({error}). Install it anew: "
            "pip install --force-reinstall cryptography cffi, or on 32-bit Raspberry Pi OS "
            'sudo apt install --reinstall python3-cryptography. Without TLS the meter may be read by security "rc4-plain"'
        ) from error
    return AESGCM(key)


class Seal:
    """Seals the records of one direction, or opens them.

    Args:
        keys: of that direction.

    Raises:
        MisuseError: the Python package cryptography cannot be loaded.
    """

    __slots__ = ("_aead", "_iv", "count")

    def __init__(self, keys: DirectionKeys) -> None:
        self._aead = _aes_gcm(keys.key)
        self._iv = keys.iv
        self.count = 0
        """Records sealed or opened so far: the number of the next one."""

    def seal(self, kind: ContentType, content: bytes) -> bytes:
        """Return ``content`` as a sealed record.

        Raises:
            MisuseError: :data:`MOST_RECORDS` were sealed.
        """
        if self.count >= MOST_RECORDS:
            raise MisuseError("this session is used up; open another one")
        explicit = _NUMBER.pack(self.count)
        sealed = self._aead.encrypt(self._iv + explicit, content, self._additional(kind, len(content)))
        self.count += 1
        return encode_record(kind, explicit + sealed)

    def open(self, record: Record) -> bytes:
        """Return the content of a sealed record. One that does not open is not counted.

        Raises:
            TlsFault: it was not sealed with this key, as this record of this kind.
        """
        size = len(record.content) - _NUMBER.size - _TAG_SIZE
        if size < 0:
            raise TlsFault("a sealed record is too short", Alert.BAD_RECORD_MAC)
        explicit, sealed = record.content[: _NUMBER.size], record.content[_NUMBER.size :]
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only who speaks TLS needs it

        try:
            content = self._aead.decrypt(self._iv + explicit, sealed, self._additional(record.kind, size))
        except InvalidTag:
            raise TlsFault("a record does not open with the session's key", Alert.BAD_RECORD_MAC) from None
        self.count += 1
        return content

    def _additional(self, kind: ContentType, size: int) -> bytes:
        return _ADDITIONAL.pack(self.count, kind, VERSION, size)
