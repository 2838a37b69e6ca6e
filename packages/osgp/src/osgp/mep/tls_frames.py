"""What a frame of the MEP port begins with in TLS mode (MEP guide v1.1 p. 8-9, tables 2.1 to 2.3).

A request is a code and TLS records, a response is a code and TLS records. Inside the record stands the bare request or
response, without sequence number and digest (p. 14-15).

This module does not know what stands in a record.
"""

from __future__ import annotations

from enum import IntEnum

from osgp.mep.frame import encode_frame
from osgp.mep.timing import MAX_FRAME
from osgp.mep.tls.records import OVERHEAD

__all__ = ["HANDSHAKE_PATIENCE", "MAX_MESSAGE", "MAX_TLS_READ", "MAX_TLS_WRITE", "TlsCode", "TlsStatus", "tls_frame"]


class TlsCode(IntEnum):
    """First byte of a request (table 2.1)."""

    TERMINATE = 0x57
    """Ends the session. Needs at least one byte more, it does not matter which."""
    HANDSHAKE = 0x58
    """First flight of a handshake; whatever session was there is gone."""
    HANDSHAKE_CONTINUED = 0x59
    TABLE = 0x80
    """A sealed request."""


class TlsStatus(IntEnum):
    """First byte of a response (tables 2.1 and 2.3)."""

    OK = 0x00
    TLS_ERROR = 0x01
    INVALID_IDENTITY_OR_KEY = 0x03
    NO_SESSION = 0x0A


MAX_MESSAGE = MAX_FRAME - 1 - OVERHEAD
"""Bytes of a request or response that fit one frame, sealed: 446."""

MAX_TLS_READ = MAX_MESSAGE - 1 - 2
"""Table bytes that fit one response next to code and count: 443."""

MAX_TLS_WRITE = MAX_MESSAGE - 1 - 2 - 3 - 2
"""Table bytes of one partial write next to code, table, offset and count: 438."""

HANDSHAKE_PATIENCE = 1.5
"""Seconds until the reply to a flight of the handshake begins. The guide names 500 ms for every response (p. 21); but a second
hello resets the handshake (p. 8), so a meter that takes longer over its keys would never get to an end."""


def tls_frame(code: TlsCode | TlsStatus, records: bytes = b"") -> bytes:
    """Return a frame with its length."""
    return encode_frame(bytes((code,)), records)
