"""An open session: seals what goes out, opens what comes in, one message in one record.

This module does not know how a session came about, or what the messages mean.
"""

from __future__ import annotations

from osgp.mep.tls.alerts import CLOSE_NOTIFY, Alert, TlsFault, alert_words
from osgp.mep.tls.identity import Identity
from osgp.mep.tls.records import MOST_RECORDS, ContentType, Record, Seal, decode_records

__all__ = ["Session", "alert_fault"]

_ALERT_SIZE = 2


def alert_fault(content: bytes) -> TlsFault:
    """Return what an alert of the other side is to us: the end."""
    if len(content) != _ALERT_SIZE:
        return TlsFault("an alert has two bytes", Alert.DECODE_ERROR)
    description = content[1]
    words = "it ends the session" if description == CLOSE_NOTIFY else f"alert '{alert_words(description)}'"
    known = Alert(description) if description in set(Alert) else Alert.HANDSHAKE_FAILURE
    return TlsFault(f"the other side says: {words}", known)


class Session:
    """One open session. Made by a handshake.

    Args:
        sealing: seals what we send.
        opening: opens what we receive.
        identity: of the client.
    """

    __slots__ = ("_opening", "_sealing", "identity")

    def __init__(self, sealing: Seal, opening: Seal, identity: Identity) -> None:
        self._sealing = sealing
        self._opening = opening
        self.identity = identity

    @property
    def used_up(self) -> bool:
        """Tell whether its keys have sealed as much as they should."""
        return max(self._sealing.count, self._opening.count) >= MOST_RECORDS

    def seal(self, message: bytes) -> bytes:
        """Return a message as a record.

        Raises:
            MisuseError: the session is used up.
        """
        return self._sealing.seal(ContentType.APPLICATION_DATA, message)

    def open(self, data: bytes) -> bytes:
        """Return the message that one record holds. After a fault the session must not be used any more.

        Raises:
            TlsFault: it is no record of this session, not the next one, or no message.
        """
        records = decode_records(data)
        if len(records) != 1:
            raise TlsFault("a message is one record", Alert.UNEXPECTED_MESSAGE)
        return self._content(records[0])

    def _content(self, record: Record) -> bytes:
        content = self._opening.open(record)
        if record.kind is ContentType.ALERT:
            raise alert_fault(content)
        if record.kind is not ContentType.APPLICATION_DATA:
            # A handshake in here would be a renegotiation.
            raise TlsFault("only messages have a place in an open session", Alert.NO_RENEGOTIATION)
        if not content:
            raise TlsFault("an empty message", Alert.UNEXPECTED_MESSAGE)
        return content
