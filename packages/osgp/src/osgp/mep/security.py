"""The ways to talk at a MEP port, and what is kept in mind of a port about them.

This module does not know how any of them works.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from osgp.mep.tls.identity import KeyId

__all__ = ["Security", "SecuritySeen"]


class Security(StrEnum):
    """How what goes over the wire is protected; the values stand in configurations."""

    AUTO = "auto"
    """TLS if the meter speaks it, else :attr:`RC4_PLAIN`."""
    TLS = "tls"
    RC4 = "rc4"
    """RC4 mode, encrypted. Weak: its digest was broken in public in 2015."""
    RC4_PLAIN = "rc4-plain"
    """RC4 mode without encryption: only the digest, in which it is as weak."""


@dataclass(slots=True)
class SecuritySeen:
    """What was seen at a port. Give the same object to each connection."""

    tls: bool = False
    """A TLS session was open: from then on ``auto`` takes nothing less. Worth keeping when the program ends."""
    key: KeyId | None = None
    """Which of the meter's keys ours was in the last TLS session: with that one the next session begins."""
    rc4_at: float | None = None
    """When the meter last declined TLS and then answered in RC4 mode, on the clock of the connections; None: never.
    For a day ``auto`` does not ask it about TLS again."""
