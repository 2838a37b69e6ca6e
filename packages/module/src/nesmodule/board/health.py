"""How the module itself is: how long it has run, what runs on it, its Wi-Fi, its memory, why it started.

What the chip does not tell is absent. Why it started is told in the chip's own words: an ESP32 calls a brown-out a power-up.

This module does not know who is told.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from typing import Any

__all__ = ["FIRMWARE", "Health"]

FIRMWARE = ""
"""Version of this program; the build puts it there."""

_RESTARTS = (
    ("PWRON_RESET", "power_on"),
    ("HARD_RESET", "reset"),
    ("WDT_RESET", "watchdog"),
    ("DEEPSLEEP_RESET", "deep_sleep"),
    ("SOFT_RESET", "soft_reset"),
)


class Health:
    """Tells how the module is.

    Args:
        now: gives milliseconds since the start that only grow.
        wifi: gives the strength of the Wi-Fi in dBm, or None.
    """

    def __init__(self, now: Callable[[], int], wifi: Callable[[], int | None] | None = None) -> None:
        self._now = now
        self._wifi = wifi
        self._restart = _why()

    def values(self) -> dict[str, Any]:
        """Return what is known now."""
        found: dict[str, Any] = {"uptime": self._now() // 1000}
        if FIRMWARE:
            found["firmware"] = FIRMWARE
        free = getattr(gc, "mem_free", None)
        if free is not None:
            found["free_memory"] = free()
        strength = None if self._wifi is None else self._wifi()
        if strength is not None:
            found["wifi_strength"] = strength
        if self._restart:
            found["restart_reason"] = self._restart
        return found

    def document(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(self.values()).encode()


def _why() -> str:
    """Return why the chip started; empty where nothing tells."""
    try:
        import machine  # noqa: PLC0415 - MicroPython's
    except ImportError:
        return ""
    cause = getattr(machine, "reset_cause", None)
    if cause is None:
        return ""
    found = cause()
    for name, word in _RESTARTS:
        if found == getattr(machine, name, None):
            return word
    return ""
