"""What systemd wants to hear of a service (sd_notify(3)): ready, alive, stopping, and a line for ``systemctl status``.

Without systemd (``NOTIFY_SOCKET`` is not set) everything here does nothing. This module does not know what the service does.
"""

from __future__ import annotations

import contextlib
import os
import socket

__all__ = ["Systemd"]


class Systemd:
    """The service manager, if there is one."""

    def __init__(self) -> None:
        address = os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        self._said = ""

    @property
    def beat_every(self) -> float | None:
        """Return the seconds between two signs of life (half of WatchdogSec=); None when none are wanted."""
        wanted, process = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
        if self._socket is None or not wanted.isdigit() or process not in {"", str(os.getpid())}:
            return None
        return int(wanted) / 2_000_000

    def ready(self) -> None:
        """Say that start-up is over."""
        self._tell("READY=1")

    def alive(self) -> None:
        """Say that the event loop turns."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._tell("STOPPING=1")

    def status(self, words: str) -> None:
        """Show a line in ``systemctl status``; unchanged words are said once."""
        if words != self._said:
            self._said = words
            self._tell(f"STATUS={' '.join(words.split())}")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _tell(self, message: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):  # systemd may be restarting; the next message gets through
                self._socket.sendto(message.encode(), self._address)
