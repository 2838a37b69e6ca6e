"""Documents on their way: a private folder, one file per claim of a job, gone when the job is.

Every method may touch the disk and so may block; :class:`piprint.journal.store.Journal` calls them on its thread.
This module does not know what a document is.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from piprint.errors import JournalError, SpoolFull

__all__ = ["Spool", "full_disk"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DOCUMENT = re.compile(r"\d+-\d+\.")


def full_disk(error: OSError) -> bool:
    """Tell whether an error means that there is no more room."""
    return error.errno in _FULL


class Spool:
    """The folder of documents; made with mode 0700 when it is not there, and put right when it is.

    Raises:
        JournalError: the folder is another program's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            self._make_private()

    def _make_private(self) -> None:
        """Close the folder to others, unless it is theirs: with ``data_dir = "/var"`` it would be the system's own spool."""
        if any(not _DOCUMENT.match(path.name) for path in self.folder.iterdir()):
            raise JournalError(
                f"{self.folder} holds files of other programs, so documents cannot be kept private there. "
                "Give piprint a data_dir of its own"
            )
        self.folder.chmod(0o700)

    def path(self, row_no: int, attempt: int) -> Path:
        """Return where the document of a claim lies."""
        return self.folder / f"{row_no}-{attempt}.pdf"

    def settle(self, path: Path) -> None:
        """Make sure that a document written survives a power cut.

        Raises:
            SpoolFull: the disk has no room for it after all.
        """
        try:
            path.chmod(0o600)
            with path.open("rb+") as file:
                os.fsync(file.fileno())
            self._settle_folder()
        except OSError as error:
            if full_disk(error):
                raise SpoolFull(
                    f"no room on disk for the document {path.name}; the job goes back to Business Central. "
                    "Make room, then it is fetched again"
                ) from error
            raise

    def remove(self, row_no: int, attempt: int) -> None:
        """Delete the documents of a claim, also what was made of them; none is no error."""
        for path in self.folder.glob(f"{row_no}-{attempt}.*"):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def sweep(self, keep: Iterable[tuple[int, int]]) -> int:
        """Delete every document that belongs to none of these claims; return how many those were."""
        wanted = {f"{row_no}-{attempt}" for row_no, attempt in keep}
        swept = 0
        for path in self.folder.iterdir():
            # What is not named as we name documents is somebody else's: data_dir may have been set to any folder.
            if _DOCUMENT.match(path.name) and path.name.split(".", 1)[0] not in wanted and path.is_file():
                with contextlib.suppress(OSError):
                    path.unlink()
                    swept += 1
        return swept

    def free(self) -> int:
        """Return the bytes this user may still write on that disk."""
        return shutil.disk_usage(self.folder).free

    def _settle_folder(self) -> None:
        if sys.platform == "win32":
            return  # a folder cannot be opened there; NTFS journals the name
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
