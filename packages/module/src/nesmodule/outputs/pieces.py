"""Documents are sent in pieces, which are gathered in a small buffer: one long text is what a small heap cannot give.

This module does not know what is sent, or to whom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.board.clock import sleep_ms, wait_for_ms

__all__ = ["Pieces", "send", "size_of"]

Pieces = Callable[[], Iterator[bytes]]
"""Gives the same pieces each time it is called."""
_ROOM = 256
_TRIES = 40
_PAUSE = 50
_NONE = "no memory to send with"


def size_of(pieces: Pieces) -> int:
    """Return how many bytes pieces are together."""
    size = 0
    for piece in pieces():
        size += len(piece)
    return size


async def send(writer: Any, pieces: Pieces, patience: int) -> None:
    """Send pieces; ``patience`` is how many milliseconds the other side may take for some of them.

    Memory may be short for a moment, in the middle of a document that was begun: then its pieces are made again, up to where it stopped.

    Raises:
        OSError, asyncio.TimeoutError: it took none, or memory was short for too long after something was sent.
        MemoryError: there is none, and nothing was sent.
    """
    sent = tries = 0
    while True:
        try:
            skip = sent
            room = memoryview(bytearray(_ROOM))
            used = 0
            for piece in pieces():
                start = min(skip, len(piece))
                skip -= start
                while start < len(piece):
                    count = min(len(piece) - start, _ROOM - used)
                    room[used : used + count] = piece[start : start + count]
                    start += count
                    used += count
                    if used == _ROOM:
                        await _pass_on(writer, room, patience)
                        sent += used
                        used = 0
            await _pass_on(writer, room[:used], patience)
        except MemoryError:
            tries += 1
            if tries == _TRIES:
                if sent:
                    raise OSError(_NONE) from None
                raise
        else:
            return
        await sleep_ms(_PAUSE)


async def _pass_on(writer: Any, data: memoryview, patience: int) -> None:
    """Send some bytes. Without memory for that nobody knows how many of them went out."""
    try:
        writer.write(data)
        # What the socket took at once needs no task of its own to wait for it.
        await (wait_for_ms(writer.drain(), patience) if writer.out_buf else sleep_ms(0))
    except MemoryError:
        raise OSError(_NONE) from None
