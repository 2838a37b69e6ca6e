"""What the two ends of a MEP line report to their users.

All are frozen; none holds a key, and none holds bytes that did not verify.

This module does not know when they happen: :mod:`osgp.mep.client` and :mod:`osgp.mep.server` do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from osgp.mep.security import Security
from osgp.mep.tls.identity import KeyId
from osgp.psem import Request, RequestFailed, Response, ResponseReceived

__all__ = [
    "AlertReceived",
    "AlertSent",
    "ClientEvent",
    "DropReason",
    "ReplyDropped",
    "RequestAnswered",
    "RequestDropped",
    "RequestFailed",
    "ResponseReceived",
    "Resynchronised",
    "Retried",
    "SecurityChosen",
    "ServerEvent",
    "TlsSessionLost",
    "TlsSessionOpened",
]


class DropReason(StrEnum):
    """Why something that arrived was not believed."""

    GARBAGE = "garbage"
    """An impossible length: the start of the frame was lost."""
    BROKEN_OFF = "broken off"
    """The line fell silent in the middle of a frame."""
    DIGEST = "digest"
    """A whole frame whose digest does not verify, or whose record does not open."""
    CONTENT = "content"
    """The digest verifies, yet the content does not answer the request: wrong count, no data."""
    REFUSED = "refused"
    """The other side could not verify a digest (0x0B), or had nothing to do with a TLS record: the line, or the key."""
    LATE = "late"
    """The verified reply to an earlier request, or to an earlier sending of this one."""
    UNEXPECTED = "unexpected"
    """Nothing had been asked."""


@dataclass(frozen=True, slots=True)
class Retried:
    """The request is sent once more."""

    request: Request
    silent: bool
    """Because nothing had come; otherwise because what came could not be believed or was a refusal."""
    ordinary: bool = field(default=False, compare=False)
    """It says nothing of the line: the meter was asked in vain whether it speaks TLS, or named its sequence number for
    the first time."""


@dataclass(frozen=True, slots=True)
class Resynchronised:
    """The meter named its sequence number (0x0C) and we adopted it."""

    sequence: int
    moved: int | None = field(default=None, compare=False)
    """How far ahead of the last number that the meter is known to have had; None: nothing was known."""


@dataclass(frozen=True, slots=True)
class ReplyDropped:
    """Something arrived and was not believed."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class AlertReceived:
    """The meter has news: read the alert flags in ET13."""


@dataclass(frozen=True, slots=True)
class TlsSessionOpened:
    """A TLS session with the meter is open: both sides have shown that they have the key."""

    key: KeyId
    """Which of its keys the meter took ours for."""


@dataclass(frozen=True, slots=True)
class TlsSessionLost:
    """The TLS session is over, and nobody ended it."""


@dataclass(frozen=True, slots=True)
class SecurityChosen:
    """It was found out how the meter can be talked to."""

    security: Security
    why: str = field(default="", compare=False)
    """For people."""


ClientEvent = (
    ResponseReceived
    | RequestFailed
    | Retried
    | Resynchronised
    | ReplyDropped
    | AlertReceived
    | TlsSessionOpened
    | TlsSessionLost
    | SecurityChosen
)


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A request was verified and answered."""

    request: Request
    response: Response
    encrypted: bool


@dataclass(frozen=True, slots=True)
class RequestDropped:
    """Something arrived that is no acceptable request; 0x0B and 0x0C were answered where due."""

    reason: DropReason


@dataclass(frozen=True, slots=True)
class AlertSent:
    """The two zero bytes went out."""


ServerEvent = RequestAnswered | RequestDropped | AlertSent | TlsSessionOpened
