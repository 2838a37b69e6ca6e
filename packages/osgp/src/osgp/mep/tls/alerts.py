"""Alerts of TLS: the words in which one side tells the other what it did not like.

This module does not know who found what.
"""

from __future__ import annotations

from enum import IntEnum

from osgp.errors import TlsError

__all__ = ["CLOSE_NOTIFY", "Alert", "TlsFault", "alert_words"]


class Alert(IntEnum):
    """Descriptions of alerts that this profile can send (RFC 5246 section 7.2, RFC 4279 section 2)."""

    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    ILLEGAL_PARAMETER = 47
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INTERNAL_ERROR = 80
    NO_RENEGOTIATION = 100
    UNSUPPORTED_EXTENSION = 110
    UNKNOWN_PSK_IDENTITY = 115


CLOSE_NOTIFY = 0
"""The alert that is no fault: the other side ends the session (RFC 5246 section 7.2.1)."""


class TlsFault(TlsError):
    """What arrived breaks a rule of TLS, or is an alert of the other side. The handshake or session is over.

    Args:
        message: what was wrong, in words, without anything secret.
        alert: what one side tells the other about it.
    """

    def __init__(self, message: str, alert: Alert) -> None:
        super().__init__(message)
        self.alert = alert


def alert_words(description: int) -> str:
    """Return an alert's name in words; its number where this profile does not know it."""
    try:
        return Alert(description).name.lower().replace("_", " ")
    except ValueError:
        return f"number {description}"
