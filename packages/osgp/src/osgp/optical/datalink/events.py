"""What one end of the data link reports.

This module does not know what anybody does about it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

__all__ = [
    "EchoFound",
    "ExchangeFailed",
    "FailReason",
    "LinkEvent",
    "MessageDelivered",
    "MessageReceived",
    "NoiseHeard",
    "PacketDropReason",
    "PacketDropped",
    "PacketRepeated",
]


class FailReason(StrEnum):
    """Why an exchange came to nothing."""

    SILENT = "no answer"
    """No ACK although the packet was sent again and again."""
    NAKED = "refused as damaged"
    """A NAK for each sending."""
    NO_REPLY = "acknowledged, but no reply"
    """The message arrived and its answer did not."""
    OUT_OF_STEP = "packets out of step"
    """A packet is missing: a gap in the sequence, or a toggle that did not change."""


class PacketDropReason(StrEnum):
    """Why a packet that arrived was not used."""

    SPOILED = "spoiled"
    """Wrong CRC, or broken off."""
    DUPLICATE = "duplicate"
    """The packet before, once more: our ACK was lost."""
    OUT_OF_STEP = "out of step"
    """Not the packet that was due."""


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A whole message."""

    message: bytes


@dataclass(frozen=True, slots=True)
class MessageDelivered:
    """The other end acknowledged the last packet, or answered already."""


@dataclass(frozen=True, slots=True)
class ExchangeFailed:
    """Sending, or waiting for the answer, was given up. ``arrived``: the other end may have the whole message."""

    reason: FailReason
    arrived: bool
    same_toggle: bool = field(default=False, compare=False)
    """Because the toggle bit did not change, which some devices never do."""


@dataclass(frozen=True, slots=True)
class PacketRepeated:
    """A packet was sent once more."""


@dataclass(frozen=True, slots=True)
class PacketDropped:
    """A packet was not used."""

    reason: PacketDropReason


@dataclass(frozen=True, slots=True)
class EchoFound:
    """The probe returns what we send."""


@dataclass(frozen=True, slots=True)
class NoiseHeard:
    """Bytes that belong to no packet."""

    data: bytes


LinkEvent = (
    MessageReceived | MessageDelivered | ExchangeFailed | PacketRepeated | PacketDropped | EchoFound | NoiseHeard
)
