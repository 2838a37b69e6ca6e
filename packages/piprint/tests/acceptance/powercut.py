"""What is on the disk after the power failed: CUPS's folder and the processor's.

Whatever a killed process wrote is still there after ``kill -9``; after a power cut only what was synced is certain.

**CUPS 2.4.2** (seen with strace on Debian 12): a control file (``c00001``), ``job.cache``, ``printers.conf`` and
``subscriptions.conf`` are written under another name, synced, and renamed; the folder is not synced. A document
(``d00001-001``) is never synced. So:

* names go back to what they were some time ago (``age``): a file system writes them down with its next sync of anything, at the
  latest after its commit interval (ext4: 5 s);
* a file that has its name is whole, except documents of the last 30 s (Linux writes data back after that time), which may
  be empty (delayed allocation), cut off, or full of zeros.

**The processor**: its journal syncs every commit before anything is done about it. The commit it was in the middle of is
there or not; without it the disk is as if the power had failed just before, which the same plan meets. So the journal stays as
the kill left it. Torn pages and broken blocks are the simulation's part (``tests/sim``). Documents whose step STORED is not in the
journal were not synced: they are emptied.

Limits: one age for all names; no order other than time is assumed lost. A drive that lies about its syncs is not covered.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Documents", "SpoolerDisk", "forget_unsynced"]

Documents = Literal["whole", "empty", "half", "zeros"]
_WRITTEN_BACK = 30.0
"""Seconds until Linux has written a file's data by itself (vm.dirty_expire_centisecs)."""
_PARTS = ("spool", "cache")
_CONFIGURATION = ("printers.conf", "subscriptions.conf")
_UNFINISHED = ("claiming", "claimed")


@dataclass(frozen=True)
class _File:
    kept: Path
    size: int


class SpoolerDisk:
    """What a private CUPS keeps on disk.

    Args:
        folder: of the :class:`printshop.PrivateCups`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = folder / "kept"
        self._names: dict[Path, _File] = {}
        self._safe_until = time.time()
        """Documents older than this outlived a power cut already."""

    def remember(self) -> None:
        """Remember all names as they are now."""
        shutil.rmtree(self._kept, ignore_errors=True)
        self._kept.mkdir()
        self._names.clear()
        for number, path in enumerate(self._files()):
            kept = self._kept / str(number)
            try:
                os.link(path, kept)
            except FileNotFoundError:  # renamed under our eyes
                continue
            self._names[path] = _File(kept, kept.stat().st_size)

    def forget(self, name: str) -> None:
        """Let one of CUPS's files be not on disk at all."""
        del self._names[self._folder / "spool" / name]

    def lose(self, documents: Documents) -> None:
        """Go back to the names that were remembered; let documents that are not on disk be as told. CUPS must be dead."""
        for path in self._files():
            path.unlink()
        for path, file in self._names.items():
            os.link(file.kept, path)
            if path.parent.name == "spool" and not path.name.startswith("c"):
                os.truncate(path, file.size)
                if path.stat().st_mtime > max(self._safe_until, time.time() - _WRITTEN_BACK):
                    _spoil(path, documents)
        self._safe_until = time.time()
        shutil.rmtree(self._kept)
        self._names.clear()

    def _files(self) -> list[Path]:
        found = [path for part in _PARTS for path in (self._folder / part).iterdir() if path.is_file()]
        return found + [path for name in _CONFIGURATION for path in (self._folder / "etc").glob(f"{name}*")]


def _spoil(path: Path, how: Documents) -> None:
    size = path.stat().st_size
    if how == "empty":
        os.truncate(path, 0)
    elif how == "half":
        os.truncate(path, size // 2)
    elif how == "zeros":
        path.write_bytes(bytes(size))


def forget_unsynced(data: Path) -> int:
    """Empty the documents in a processor's folder that it had not synced; return how many. It must be dead."""
    journal = data / "journal.sqlite"
    if not journal.exists():
        return 0
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        names = {
            f"{row_no}-{attempt}"
            for row_no, attempt in database.execute("SELECT row_no, attempt FROM job WHERE step IN (?, ?)", _UNFINISHED)
        }
    unsynced = [path for path in (data / "spool").iterdir() if path.name.split(".", 1)[0] in names]
    for path in unsynced:
        os.truncate(path, 0)
    return len(unsynced)
