"""How a client behaves on an optical port: what its owner may want to change.

This module does not know what a session is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from osgp.errors import MisuseError
from osgp.optical.key import Padding
from osgp.optical.services import Logon, Negotiate
from osgp.optical.timing import DEFAULT_BAUD, SESSION_RENEWAL, Limits

__all__ = ["DEFAULT_USER", "LONGEST_TURNAROUND", "OFFERED_LIMITS", "WAKEUP", "SessionSettings"]

DEFAULT_USER = 1
"""User id of our logons. The meter writes it into each event it logs meanwhile (BT74); there FFFF is
nobody, FFFE the power line and FFFD the MEP port (Optical guide v1.1 p. 52)."""

OFFERED_LIMITS = Limits(512, 16)
"""What we offer: longer packets save little more, and sixteen of them hold most tables."""

WAKEUP = b"\x55"
"""For :attr:`SessionSettings.wakeup`: half of its bits are light, and it begins no packet."""

_SHORTEST_RENEWAL = 30.0

LONGEST_TURNAROUND = 0.5
"""Longer, and a meter would take it for silence."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Settings of a client.

    Args:
        padding: what a key of less than twenty bytes is filled up with.
        user: user id of the logon; the meter logs it, but does not check it (Optical guide v1.1 p. 13).
        offer: packets to ask for; None never asks.
        bauds: rates to offer with them. The default changes nothing.
        linger: how long an idle session is kept, in seconds; 0 ends it after each request.
        renewal: how old a session may become, in seconds; at least half a minute.
        wakeup: sent before the first packet of a session, for meters that sleep.
        turnaround: least time between the last byte heard and the first one sent, in seconds; None finds it out.

    Raises:
        MisuseError: a setting that cannot be.
    """

    padding: Padding = Padding.ZEROS
    user: int = DEFAULT_USER
    offer: Limits | None = OFFERED_LIMITS
    bauds: tuple[int, ...] = (DEFAULT_BAUD,)
    linger: float = inf
    renewal: float = SESSION_RENEWAL
    wakeup: bytes = b""
    turnaround: float | None = None

    def __post_init__(self) -> None:
        if self.renewal < _SHORTEST_RENEWAL or self.linger < 0:
            msg = f"a session lasts at least {_SHORTEST_RENEWAL:.0f} seconds and lingers for none or more"
            raise MisuseError(msg)
        if self.turnaround is not None and not 0 <= self.turnaround <= LONGEST_TURNAROUND:
            msg = f"a turnaround is 0 to {LONGEST_TURNAROUND:g} seconds"
            raise MisuseError(msg)
        self.logon()
        self.negotiation()

    def logon(self) -> Logon:
        """Return the logon to say."""
        return Logon(self.user)

    def negotiation(self) -> Negotiate | None:
        """Return what to ask for."""
        return None if self.offer is None else Negotiate(self.offer, self.bauds)
