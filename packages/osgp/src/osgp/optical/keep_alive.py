"""Keeps an optical session open while nobody uses it, and tells when it has lasted long enough.

A meter ends a session on which nothing was said for the time of its channel traffic timer, so something is said before:
Wait, or one byte of BT01 where a meter does not know Wait. After a while without use, and at the latest before the
meter's guard of ten minutes, the session is ended in order.

This module does not know how services travel.
"""

from __future__ import annotations

from osgp.optical.events import EndReason
from osgp.optical.retries import BUSY, starts_anew
from osgp.optical.services import Service, Wait
from osgp.optical.settings import SessionSettings
from osgp.optical.states import State
from osgp.optical.timing import CHANNEL_TRAFFIC, KEEP_ALIVE
from osgp.psem import PartialRead

__all__ = ["KeepAlive"]

_WAIT = Wait(int(CHANNEL_TRAFFIC))
_ONE_BYTE = PartialRead(1, 0, 1)  # of BT01, which needs no key


class KeepAlive:
    """How long a session has lasted, and what keeps it.

    Args:
        settings: how long it may last.
    """

    def __init__(self, settings: SessionSettings) -> None:
        self._settings = settings
        self.opened = self.traffic = self.used = 0.0
        """When the session began, when something was last said, and when somebody last wanted something."""
        self.service: Service = _WAIT
        """What is said to keep it."""

    def is_old(self, now: float) -> bool:
        """Tell whether the session is to be opened anew before anything else is asked."""
        return now >= self.opened + self._settings.renewal

    def deadline(self) -> float:
        """Return when :meth:`due` has something to say, if nothing else happens."""
        renew_at = self.opened + self._settings.renewal
        return min(renew_at, self.traffic + KEEP_ALIVE, self.used + self._settings.linger)

    def due(self, now: float) -> Service | EndReason | None:
        """Return what to say on an idle session, or why to end it; None while there is nothing to do."""
        if self.is_old(now):
            return EndReason.RENEWED
        if now >= self.used + self._settings.linger:
            return EndReason.IDLE
        return self.service if now >= self.traffic + KEEP_ALIVE else None

    def refused(self, code: int, state: State) -> EndReason | None:
        """Take note that the meter refused what was to keep the session; return why to end it, None if it goes on."""
        if starts_anew(code):
            return EndReason.RESTARTED
        if self.service is _WAIT and state in {State.LOGGED_ON, State.SECURED}:
            self.service = _ONE_BYTE
            return None
        return None if code in BUSY else EndReason.IDLE
