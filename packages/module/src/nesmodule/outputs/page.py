"""A small web server: the page, and the JSON it shows. Whoever reaches it may look, if nothing else is set; all else is behind the door.

This module does not know MQTT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.board.clock import closed, wait_for_ms
from nesmodule.board.files import opened
from nesmodule.board.lines import Lines
from nesmodule.meter.poller import Poller
from nesmodule.outputs.documents import Snapshot, live
from nesmodule.outputs.pieces import Pieces, send, size_of

__all__ = ["Page", "answer"]

_PATIENCE = 5000
_MOST_LINES = 40
_MOST_AT_ONCE = 4

_HEADERS = (
    b"Cache-Control: no-store\r\nContent-Security-Policy: default-src 'self' 'unsafe-inline'\r\n"
    b"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n"
)
_BUSY = b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\nThe module is busy. Try again."
_PAGE = "page.html"
_PIECE = 128


def _page() -> Iterator[bytes]:
    with opened(_PAGE) as file:
        piece = file.read(_PIECE)
        while piece:
            yield piece
            piece = file.read(_PIECE)


class Page:
    """Serves one meter.

    Args:
        poller: has the values.
        now: gives milliseconds that only grow.
    """

    def __init__(self, poller: Poller, now: Callable[[], int]) -> None:
        self.poller = poller
        self.now = now
        self._open = 0
        self.turn = asyncio.Lock()

    async def respond(self, reader: Any, writer: Any) -> None:
        """Answer one request."""
        await self.show(await wait_for_ms(_path(reader), _PATIENCE), writer)

    async def show(self, path: bytes, writer: Any) -> None:
        """Answer a GET of a path; an empty one stands for anything else."""
        # There is memory for one document at a time.
        async with self.turn:
            if path == b"/":
                await answer(writer, b"200 OK", b"text/html; charset=utf-8", _page)
            elif path == b"/api/live":
                snapshot = Snapshot(self.poller, self.now())
                await answer(writer, b"200 OK", b"application/json", lambda: live(snapshot))
            else:
                await answer(writer, b"404 Not Found", b"text/plain", lambda: iter((b"Not here.",)))

    async def serve(self, reader: Any, writer: Any) -> None:
        """Answer one connection."""
        self._open += 1
        try:
            if self._open > _MOST_AT_ONCE:
                writer.write(_BUSY)
                return
            await self.respond(Lines(reader), writer)
        except MemoryError:
            # Nothing was sent yet (:func:`send`).
            writer.write(_BUSY)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            pass
        finally:
            self._open -= 1
            await closed(writer)


async def _path(reader: Any) -> bytes:
    """Return the path of a GET; empty for anything else. Raises ValueError for what is no request."""
    words = (await reader.readline()).split()
    for _ in range(_MOST_LINES):
        if await reader.readline() in (b"\r\n", b"\n"):
            if len(words) < 2:
                break
            return words[1].split(b"?")[0] if words[0] == b"GET" else b""
    raise ValueError("no request")


async def answer(writer: Any, status: bytes, kind: bytes, pieces: Pieces) -> None:
    """Send an answer and its document."""
    head = b"HTTP/1.0 " + status + b"\r\nContent-Type: " + kind + b"\r\nContent-Length: %d\r\n" % size_of(pieces)

    def whole() -> Iterator[bytes]:
        yield head
        yield _HEADERS
        yield from pieces()

    await send(writer, whole, _PATIENCE)
