"""Documents are sent in pieces, which are gathered in a small buffer: one long text is what a small heap cannot give.

This module does not know what is sent, or to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.board.clock import wait_for_ms

__all__ = ["Pieces", "send", "size_of"]

Pieces = Callable[[], Iterator[bytes]]
"""Gives the same pieces each time it is called."""
_ROOM = 256


def size_of(pieces: Pieces) -> int:
    """Return how many bytes pieces are together."""
    size = 0
    for piece in pieces():
        size += len(piece)
    return size


async def send(writer: Any, pieces: Pieces, patience: int) -> None:
    """Send pieces; ``patience`` is how many milliseconds the other side may take for some of them.

    Raises:
        OSError, asyncio.TimeoutError: it took none.
    """
    room = memoryview(bytearray(_ROOM))
    used = 0
    for piece in pieces():
        start = 0
        while start < len(piece):
            count = min(len(piece) - start, _ROOM - used)
            room[used : used + count] = piece[start : start + count]
            start += count
            used += count
            if used == _ROOM:
                writer.write(room)
                await wait_for_ms(writer.drain(), patience)
                used = 0
    writer.write(room[:used])
    await wait_for_ms(writer.drain(), patience)
