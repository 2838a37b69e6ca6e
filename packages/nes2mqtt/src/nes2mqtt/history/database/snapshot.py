"""A copy of the history while the gateway writes to it.

The gateway keeps other processes out of the database (:mod:`nes2mqtt.history.database.connection`), but not
from copying it. Database and log belong together as long as no checkpoint moved pages between them
while they were copied: then the database's time of change is the same before and after. A log that
is copied in the middle of a commit ends before that commit, as after a power cut.

This module does not look into the files.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from nes2mqtt.history.errors import HistoryError

__all__ = ["snapshot"]

_TRIES = 5


def snapshot(source: Path, target: Path) -> Path:
    """Copy the database ``source`` into the folder ``target``; return the copy, which is a database of its own.

    Raises:
        HistoryError: there is no such file, or it cannot be copied.
    """
    copy = target / source.name
    log = source.with_name(f"{source.name}-wal")
    try:
        for _ in range(_TRIES):
            before = source.stat().st_mtime_ns
            shutil.copyfile(source, copy)
            copied_log = copy.with_name(f"{copy.name}-wal")
            copied_log.unlink(missing_ok=True)
            if log.exists():
                shutil.copyfile(log, copied_log)
            if source.stat().st_mtime_ns == before:
                return copy
    except FileNotFoundError as error:
        raise HistoryError(f"there is no history at {source}; is [history] path or data_dir another one?") from error
    except OSError as error:
        raise HistoryError(f"{source} cannot be copied: {error.strerror}. Run this as the gateway's user.") from error
    raise HistoryError(f"{source} changes all the time; try again in a minute")
