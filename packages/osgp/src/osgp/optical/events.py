"""What the two ends of an optical port report to their users.

They are named as on the MEP port where they mean the same. All are frozen, and none holds a key.

This module does not know when they happen: :mod:`osgp.optical.session` and :mod:`osgp.optical.server` do.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from osgp.errors import OsgpError
from osgp.optical.datalink.events import EchoFound
from osgp.optical.rights import Access
from osgp.optical.services import Identity
from osgp.optical.timing import Limits
from osgp.psem import Request, RequestFailed, Response, ResponseReceived

__all__ = [
    "BaudChanged",
    "ClientEvent",
    "DropReason",
    "EchoFound",
    "EndReason",
    "Identified",
    "ReplyDropped",
    "RequestAnswered",
    "RequestDropped",
    "RequestFailed",
    "ResponseReceived",
    "Retried",
    "ServerEvent",
    "ServiceRefused",
    "SessionEnded",
    "SessionFailed",
    "SessionOpened",
]


class DropReason(StrEnum):
    """Why something that arrived was not used."""

    SPOILED = "spoiled"
    """A packet with a wrong CRC, or broken off."""
    DUPLICATE = "duplicate"
    """The packet before, once more: an ACK was lost."""
    OUT_OF_STEP = "out of step"
    """Not the packet that was due, or none was."""
    CONTENT = "content"
    """The packets are right, yet the message does not answer the request."""
    LATE = "late"
    """The answer to something that is not wanted any more."""


class EndReason(StrEnum):
    """Why a session ended."""

    CLOSED = "closed"
    """The user of the client, or at the meter the client, ended it."""
    RENEWED = "renewed"
    """We ended it before the meter's guard does."""
    IDLE = "idle"
    """Nothing was asked for long enough, or at the meter: no packet came for six seconds."""
    LOST = "lost"
    """The ends lost each other."""
    RESTARTED = "restarted"
    """It has to begin anew: the meter said so, or the ends were out of step."""
    REFUSED = "refused"
    """The meter refused the key or the logon."""
    REPEATED = "repeated"
    """We ended it to ask for a table again that the meter refused in it."""
    GUARD = "guard"
    """The meter's guard against sessions that are too long."""


@dataclass(frozen=True, slots=True)
class SessionFailed:
    """What was asked for without a request, an identity or a login, cannot be had."""

    error: OsgpError


@dataclass(frozen=True, slots=True)
class Identified:
    """A meter answered."""

    identity: Identity


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """The meter takes table services now. ``secured``: it accepted our key."""

    limits: Limits
    secured: bool


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The session is over; the next request opens another one."""

    reason: EndReason


@dataclass(frozen=True, slots=True)
class BaudChanged:
    """The port must go on at this rate; everything before it has been sent."""

    baud: int


@dataclass(frozen=True, slots=True)
class Retried:
    """Something was sent once more. ``request`` is None where it was not part of a request."""

    request: Request | None


@dataclass(frozen=True, slots=True)
class ReplyDropped:
    """Something arrived and was not used."""

    reason: DropReason


ClientEvent = (
    ResponseReceived
    | RequestFailed
    | SessionFailed
    | Identified
    | SessionOpened
    | SessionEnded
    | BaudChanged
    | Retried
    | ReplyDropped
    | EchoFound
)


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """A table service was answered."""

    request: Request
    response: Response
    access: Access


@dataclass(frozen=True, slots=True)
class ServiceRefused:
    """Another service was refused; ``service`` is its name, because a password is none of an event's business."""

    service: str
    code: int


@dataclass(frozen=True, slots=True)
class RequestDropped:
    """Something arrived that is no acceptable request."""

    reason: DropReason


ServerEvent = RequestAnswered | ServiceRefused | RequestDropped | SessionOpened | SessionEnded | BaudChanged | Retried
