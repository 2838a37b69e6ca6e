"""A document on its way from Business Central to disk: a private file, written beside the loop, in pieces.

Writing may take long: the SD card of a Raspberry Pi stops now and then for a second. So pieces are gathered and written
by a thread. That the file is on disk for good (fsync) is the caller's.

This module does not know HTTP or base64.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from piprint.errors import SpoolFull

__all__ = ["Download", "download"]

_GATHERED = 256 * 1024
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""No link is followed where there are links, no line end changed where there are line ends (Windows)."""


class Download:
    """A file being written.

    Args:
        handle: its descriptor.
        path: its name, for people.
    """

    def __init__(self, handle: int, path: Path) -> None:
        self._handle = handle
        self._path = path
        self._gathered = bytearray()

    def put(self, piece: bytes) -> None:
        """Take a piece; nothing is written yet."""
        self._gathered += piece

    async def flow(self, *, end: bool = False) -> None:
        """Write what was gathered, if it is much, or at the end.

        Raises:
            SpoolFull: there is no room, or the disk cannot be written.
        """
        if len(self._gathered) < _GATHERED and not end:
            return
        pieces, self._gathered = self._gathered, bytearray()
        writing = asyncio.ensure_future(asyncio.to_thread(_write, self._handle, pieces))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])  # or the thread would write to what has the descriptor next
            raise
        except OSError as error:
            raise _trouble(error, self._path) from error


@asynccontextmanager
async def download(path: Path) -> AsyncIterator[Download]:
    """Open a file that only this user can read (0600), empty; close it, complete or not.

    What does not fit is deleted at once: the journal lies on the same disk and needs the room to say so.

    Raises:
        SpoolFull: there is no room, or the disk cannot be written.
    """
    try:
        handle = os.open(path, _FLAGS, 0o600)
    except OSError as error:
        raise _trouble(error, path) from error
    fits = True
    try:
        if hasattr(os, "fchmod"):
            os.fchmod(handle, 0o600)  # it may have been there
        yield Download(handle, path)
    except SpoolFull:
        fits = False
        raise
    finally:
        os.close(handle)
        if not fits:
            path.unlink(missing_ok=True)  # noqa: ASYNC240 - as quick as closing it


def _write(handle: int, pieces: bytearray) -> None:
    with memoryview(pieces) as view:
        written = 0
        while written < len(view):
            written += os.write(handle, view[written:])


def _trouble(error: OSError, path: Path) -> SpoolFull:
    return SpoolFull(
        f"The document cannot be written to {path.parent}: {error.strerror}. Make room there, or mend it; "
        "the job stays in Business Central."
    )
