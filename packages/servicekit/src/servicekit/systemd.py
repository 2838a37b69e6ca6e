"""Tell systemd how a service is (sd_notify(3)): ready, alive, stopping, and a line of status.

Without systemd (``NOTIFY_SOCKET`` is not set) everything here does nothing. This module does not know what the service does, nor whether it is well: who
says so has to ask first.
"""

from __future__ import annotations

import contextlib
import os
import socket

__all__ = ["Notifier"]


class Notifier:
    """The socket systemd listens on, if it does."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._address = "\0" + address[1:] if address.startswith("@") else address
        self._status = ""

    @property
    def watchdog_interval(self) -> float | None:
        """Return seconds between two signs of life (half of WatchdogSec=); None when none are asked for."""
        microseconds = os.environ.get("WATCHDOG_USEC", "")
        meant_for = os.environ.get("WATCHDOG_PID", "")
        if self._socket is None or not microseconds.isdigit() or meant_for not in {"", str(os.getpid())}:
            return None
        return int(microseconds) / 2_000_000

    def ready(self) -> None:
        """Say that start-up is over."""
        self._send("READY=1")

    def alive(self) -> None:
        """Say that the service still does its work; silence for the watchdog's time makes systemd start it anew."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that shutdown has begun."""
        self._send("STOPPING=1")

    def reloading(self, now: float) -> None:
        """Say that the service begins anew in the same process; :meth:`ready` ends it.

        Args:
            now: the monotonic clock.
        """
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(now * 1_000_000)}")

    def status(self, text: str) -> None:
        """Show a text in ``systemctl status``, as one line; the same text is sent once."""
        if text != self._status:
            self._status = text
            # A second line would be a message of its own, such as READY=1.
            self._send(f"STATUS={' '.join(text.split())}")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # systemd may be restarting; the next message gets through
                self._socket.sendto(message.encode(), self._address)
