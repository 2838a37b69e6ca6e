"""Long texts of messages, which stay on flash until somebody is told: together they would take four kilobytes of memory.

This module does not know what they say.
"""

from __future__ import annotations

from nesmodule.board.files import opened

__all__ = ["told"]


def told(place: int, size: int) -> str:
    """Return so many bytes of the texts from a place on, as the build wrote them there."""
    with opened("messages.txt") as file:
        file.seek(place)
        found: str = file.read(size).decode()
        return found
