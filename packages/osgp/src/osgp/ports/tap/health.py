"""What a module in a meter tells of itself.

This module does not know how it is asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ModuleHealth", "told_of"]

_LONGEST_TEXT = 64


@dataclass(frozen=True, slots=True)
class ModuleHealth:
    """How a module is; None or empty where it does not tell."""

    uptime: int | None = None
    """Seconds since it started."""
    firmware: str = ""
    """Version of its program."""
    wifi_strength: int | None = None
    """dBm."""
    free_memory: int | None = None
    """Bytes."""
    restart_reason: str = ""
    """Why it started, as the chip says: ``power_on``, ``reset``, ``watchdog``, ``soft_reset``. A brown-out is a ``power_on`` to it."""

    @classmethod
    def parse(cls, data: bytes) -> ModuleHealth | None:
        """Read what a module sent; None if it is nothing of the kind. What is not as it should be is left out."""
        try:
            told = json.loads(data)
        except (ValueError, RecursionError):
            return None
        if not isinstance(told, dict):
            return None
        strength = _number(told.get("wifi_strength"), -127, 0)
        return cls(
            uptime=_number(told.get("uptime"), 0, 1 << 40),
            firmware=_text(told.get("firmware")),
            wifi_strength=None if strength == 0 else strength,
            free_memory=_number(told.get("free_memory"), 0, 1 << 32),
            restart_reason=_text(told.get("restart_reason")),
        )


def told_of(health: ModuleHealth) -> dict[str, int | str]:
    """Return what a module told, without what it did not tell."""
    return {name: value for name, value in asdict(health).items() if value not in (None, "")}


def _number(told: Any, least: int, most: int) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and least <= told <= most else None


def _text(told: Any) -> str:
    return told if isinstance(told, str) and len(told) <= _LONGEST_TEXT and told.isprintable() else ""
