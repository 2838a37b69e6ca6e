"""What a browser says, line by line, and none longer than a line may be: MicroPython's own reader goes on as long as memory lasts.

This module does not know what is said.
"""

from __future__ import annotations

from typing import Any

__all__ = ["LONGEST", "Lines"]

LONGEST = 512
"""Bytes of a line; browsers send half as many."""
_CHUNK = 128


class Lines:
    """Stands before a stream, and reads from it as far as it is asked to.

    Args:
        reader: the stream.
    """

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._rest = b""

    async def readline(self) -> bytes:
        """Return the next line with its end. Raises ValueError for one that is too long, EOFError where there is none any more."""
        end = -1
        while end < 0:
            if len(self._rest) > LONGEST:
                raise ValueError("a line is too long")
            end = self._rest.find(b"\n")
            if end < 0:
                self._rest += await self._more(_CHUNK)
        return self._taken(end + 1)

    async def readexactly(self, count: int) -> bytes:
        """Return so many bytes, which must fit into memory. Raises EOFError where there are fewer."""
        while len(self._rest) < count:
            self._rest += await self._more(count - len(self._rest))
        return self._taken(count)

    async def read(self, most: int) -> bytes:
        """Return some bytes, none at the end."""
        found: bytes = self._taken(most) if self._rest else await self._reader.read(most)
        return found

    async def _more(self, most: int) -> bytes:
        found: bytes = await self._reader.read(most)
        if not found:
            raise EOFError
        return found

    def _taken(self, count: int) -> bytes:
        found, self._rest = self._rest[:count], self._rest[count:]
        return found
