"""Who a client says it is: three bytes that also name the key.

The guide calls them the *client identity hint* (MEP guide v1.1 p. 18-19): the client's number, two bytes, least significant
first; and the number of the key, 0 for the MEP Basic Key, 1 for the MEP Advanced Key. Its example has client 100 with
the advanced key: ``64 00 01`` (p. 14). A meter does not check the client's number; it notes it in the events that the client causes.

This module does not know keys.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import NamedTuple

from osgp.mep.tls.alerts import Alert, TlsFault

__all__ = ["CLIENT_ID", "Identity", "KeyId"]

CLIENT_ID = 100
"""The client's number in the guide's example (p. 14)."""

_LAYOUT = Struct("<HB")


class KeyId(IntEnum):
    """Which of a meter's two keys a client has (p. 18-19)."""

    BASIC = 0
    ADVANCED = 1


class Identity(NamedTuple):
    """A client and the key it uses."""

    key: KeyId
    client: int = CLIENT_ID
    """0 to 65535."""

    def encode(self) -> bytes:
        """Return the three bytes."""
        return _LAYOUT.pack(self.client, self.key)

    @classmethod
    def decode(cls, data: bytes) -> Identity:
        """Return the identity that three bytes are.

        Raises:
            TlsFault: another number of bytes, or there is no such key.
        """
        if len(data) != _LAYOUT.size:
            raise TlsFault("an identity has three bytes", Alert.UNKNOWN_PSK_IDENTITY)
        client, key = _LAYOUT.unpack(data)
        if key not in set(KeyId):
            raise TlsFault("a meter has the keys 0 and 1 only", Alert.UNKNOWN_PSK_IDENTITY)
        return cls(KeyId(key), client)
