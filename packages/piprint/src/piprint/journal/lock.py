"""One processor per journal: a lock on a file, which ends with the process however that ends.

This module does not know what the lock guards.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path

from piprint.clock import monotonic
from piprint.errors import JournalError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["FileLock", "is_held"]

_BEYOND = 1 << 20
"""On Windows a locked byte cannot be read, so the lock lies beyond the text."""
_TWO = "two would print everything twice. Stop that one, or give this one a data_dir of its own"
_PATIENCE = 1.0
_PAUSE = 0.01
"""Seconds to try for, and between two tries: somebody may look at the lock just now."""


class FileLock:
    """Holds the lock of a file from its making to :meth:`release`.

    Args:
        path: the file.
        otherwise: what it means that another process has it, and what to do then, for people.

    Raises:
        JournalError: another process has it; the message names that process.
    """

    def __init__(self, path: Path, otherwise: str = _TWO) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _take_soon(self._file)
        except OSError:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip()
            os.close(self._file)
            raise JournalError(
                f"another piprint{f' (process {holder})' if holder else ''} works with {path.parent}; {otherwise}"
            ) from None
        os.ftruncate(self._file, 0)
        os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Give it back; doing so again is no error."""
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1


def is_held(path: Path) -> bool:
    """Tell whether a process holds the lock of a file; nothing is written, and the file may be read-only.

    Linux has no question for flock(2) that takes nothing, and ``/proc/locks`` names other devices than stat(2) on btrfs and
    shows no processes of other containers. So for a moment a shared lock is taken, for which a :class:`FileLock` waits.

    Raises:
        OSError: the file is not there, or may not be read.
    """
    file = os.open(path, os.O_RDONLY)
    try:
        _take(file, shared=True)
    except (BlockingIOError, PermissionError):  # the latter on Windows
        return True
    finally:
        os.close(file)
    return False


def _take_soon(file: int) -> None:
    until = monotonic() + _PATIENCE
    while monotonic() < until:
        with contextlib.suppress(BlockingIOError, PermissionError):
            return _take(file)
        time.sleep(_PAUSE)
    return _take(file)


def _take(file: int, *, shared: bool = False) -> None:
    """Take the lock, or raise at once; Windows has no shared one here."""
    if sys.platform == "win32":
        os.lseek(file, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)
    else:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
