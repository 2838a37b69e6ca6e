"""The head of a request to the module's page: what is asked for, by whom, and from which page.

This module does not know what there is to ask for.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Request", "read_request"]

_MOST_LINES = 40


class Request:
    """What a browser asks."""

    def __init__(self, method: bytes, path: bytes) -> None:
        self.method = method
        self.path = path
        self.cookie = b""
        self.length = 0
        """Bytes of the body; it is still to be read."""
        self.own = True
        """It came from a page of the module itself, or from no page at all."""
        self.host = b""
        """The name by which the module was asked."""
        self._origin = b""

    def take(self, line: bytes) -> None:
        """Note a line of the head. Raises ValueError where it makes no sense."""
        name, _, value = line.partition(b":")
        name, value = name.strip().lower(), value.strip()
        if name == b"cookie":
            self.cookie = value
        elif name == b"content-length":
            self.length = int(value)
        elif name == b"host":
            self.host = value
        elif name == b"origin":
            self._origin = value
        elif name == b"sec-fetch-site" and value not in (b"same-origin", b"none"):
            self.own = False

    def end(self) -> None:
        """Compare, once the head is whole."""
        if self._origin and self._origin.split(b"//")[-1] != self.host:
            self.own = False
        if self.length < 0:
            raise ValueError("no length")


async def read_request(reader: Any) -> Request:
    """Return the head of a request. Raises ValueError for what is none.

    Args:
        reader: gives lines that are not too long (:class:`nesmodule.board.lines.Lines`).
    """
    words = (await reader.readline()).split()
    if len(words) < 2:
        raise ValueError("no request")
    request = Request(words[0], words[1].split(b"?")[0])
    for _ in range(_MOST_LINES):
        line = await reader.readline()
        if line in (b"\r\n", b"\n"):
            request.end()
            return request
        request.take(line)
    raise ValueError("no request")
