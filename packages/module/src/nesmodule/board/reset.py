"""Whether somebody wants everything forgotten: a jumper that is closed ten seconds without a break, after the start.

Never a count of starts: a supply that is too weak makes many of them, and would erase the settings.

This module does not know pins.
"""

from __future__ import annotations

__all__ = ["Jumper"]

_HELD = 10_000


class Jumper:
    """Watches a jumper."""

    def __init__(self) -> None:
        self._since = -1

    def look(self, *, closed: bool, now: int) -> bool:
        """Tell whether it was closed long enough; one that was so from the start counts too, once."""
        if not closed:
            self._since = -1
            return False
        if self._since < 0:
            self._since = now
        if now - self._since < _HELD:
            return False
        self._since = now + (1 << 40)
        return True
