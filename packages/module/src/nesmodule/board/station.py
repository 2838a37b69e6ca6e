"""What the module does about its Wi-Fi: when it tries to join the network again, and when its access point is wanted.

The access point is wanted where the network was not there for ten minutes after the start, or went away for an hour: its name or password may have
changed. It has the key of the device's label, so nobody else gets in, whoever it was that made the network go away.

This module does not know radios.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["CONNECT", "SET_UP", "Station"]

CONNECT, SET_UP = "connect", "set_up"
_TRIES_FOR = 15_000
"""Milliseconds that one try is given, address included."""
_FIRST_PAUSE, _LAST_PAUSE = 1000, 60_000
_NEVER_THERE, _AWAY = 600_000, 3_600_000


class Station:
    """Watches the connection to one network.

    Args:
        now: gives milliseconds since the start that only grow.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._pause = _FIRST_PAUSE
        self._next = self._since = now()
        self._patience = _NEVER_THERE
        self.losses = 0
        """How often a connection that was there went away."""
        self.connected = False

    def look(self, *, connected: bool) -> str:
        """Return what to do now: :data:`CONNECT`, :data:`SET_UP`, or nothing. Call it each second."""
        now = self._now()
        if connected:
            self._pause, self._patience = _FIRST_PAUSE, _AWAY
            self._next = self._since = now
            self.connected = True
            return ""
        if self.connected:
            self.connected = False
            self.losses += 1
        if now - self._since >= self._patience:
            return SET_UP
        if now < self._next:
            return ""
        self._next = now + _TRIES_FOR + self._pause
        self._pause = min(2 * self._pause, _LAST_PAUSE)
        return CONNECT
