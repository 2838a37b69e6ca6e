"""What is done with a damaged database: it is kept, and all that can be read of it goes into a new one.

The new file is made beside the damaged one; only when it is whole and on the disk the damaged one is renamed (its
log first, because a log without its database is found again, while a database without its log looks whole) and
the new one takes its place. A kill or a power cut at any moment is gone on from at the next start.

This module does not look for damage.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from nes2mqtt.history.database import log_of, open_damaged
from nes2mqtt.history.durable import sync_folder
from nes2mqtt.history.salvage import Salvaged, salvage

__all__ = ["Mended", "check_before_opening", "put_in_place", "repair"]

_log = logging.getLogger(__name__)

_MAGIC = frozenset({b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"})
_LOG_HEADER = 32
_DAMAGED = "damaged-"


@dataclass(frozen=True, slots=True)
class Mended:
    """What was done.

    Args:
        kept_as: the new name of the damaged file.
        text: for the owner.
    """

    kept_as: Path
    text: str


def check_before_opening(path: Path, today: str) -> Mended | None:
    """Find what SQLite would pass over in silence, and go on with a repair that was cut off; None if all is well.

    An empty database makes SQLite delete its log, and a log that does not begin as one counts as none.

    Args:
        path: the database.
        today: for the names of files that are kept.
    """
    log = log_of(path)
    orphan = _half_moved(path)
    if orphan is not None and path.exists():
        path.replace(orphan)
        sync_folder(path.parent)
    ready = _ready(path)
    if ready.exists() and not path.exists():
        ready.replace(path)
        sync_folder(path.parent)
    with suppress(OSError):
        ready.unlink()
    if not log.exists() or not (size := log.stat().st_size):
        return None
    if not path.exists() or not path.stat().st_size:
        kept = _aside(path, f"{_DAMAGED}{today}")
        return Mended(
            kept,
            f"{path.name} is empty or gone, but {size} bytes of its log are there: both were kept as {kept.name} and a "
            "new history begins. Put a backup back with nes2mqtt restore",
        )
    with log.open("rb") as file:
        header = file.read(_LOG_HEADER)
    if len(header) == _LOG_HEADER and header[:4] not in _MAGIC:
        kept = _name(path, f"{_DAMAGED}{today}")
        log.replace(log_of(kept))
        os.close(os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600))  # so that the log is not taken for a half-moved one
        sync_folder(path.parent)
        return Mended(
            kept,
            f"{log.name} was overwritten with something else and was kept as {log_of(kept).name}: what was stored since "
            f"{path.name} was last brought up to date, up to some hours, is gone. Energies are counted on from the "
            "meter's registers",
        )
    return None


def repair(path: Path, today: str, error: str, connect: Callable[[Path], sqlite3.Connection]) -> Mended:
    """Salvage what can be read into a new file, keep the damaged one under another name, and put the new one there.

    Args:
        path: the damaged database; nobody has it open.
        today: for the names of files that are kept.
        error: what SQLite said.
        connect: opens and makes a database.

    Raises:
        OSError: the files cannot be renamed.
    """
    found = _salvage(path, connect)
    kept = _aside(path, f"{_DAMAGED}{today}")
    if found is not None:
        _ready(path).replace(path)
        sync_folder(path.parent)
    what = found.text() if found is not None else "nothing of it could be read, and a new history begins"
    return Mended(kept, f"{path.name} was damaged ({error}) and was kept as {kept.name}; {what}")


def _salvage(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> Salvaged | None:
    """Write what can be read into a file beside the database; None if that is nothing."""
    new = path.with_name(f"{path.name}.salvaging")
    for leftover in (new, log_of(new)):
        leftover.unlink(missing_ok=True)
    try:
        with closing(open_damaged(path)) as source, closing(connect(new)) as target:
            found = salvage(source, target)
            target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except (sqlite3.Error, OSError) as error:
        _log.warning("history: %s cannot be salvaged: %s", path.name, error)
        for leftover in (new, log_of(new)):
            with suppress(OSError):
                leftover.unlink(missing_ok=True)
        return None
    log_of(new).unlink(missing_ok=True)
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(_ready(path))
    sync_folder(path.parent)
    return found


def put_in_place(path: Path, new: Path, name: str) -> Path | None:
    """Let ``new``, which is on the disk, take the place of a database; return under which name the old one is kept.

    Raises:
        OSError: the files cannot be renamed.
    """
    new.replace(_ready(path))
    sync_folder(path.parent)
    kept = _aside(path, name) if path.exists() or log_of(path).exists() else None
    _ready(path).replace(path)
    sync_folder(path.parent)
    return kept


def _ready(path: Path) -> Path:
    """Return the name of a file that is to take the database's place, whole and on the disk."""
    return path.with_name(f"{path.name}.ready")


def _name(path: Path, wanted: str) -> Path:
    """Return a name nobody has."""
    for more in ("", *(f"-{number}" for number in range(2, 1000))):
        name = path.with_name(f"{path.stem}.{wanted}{more}{path.suffix}")
        if not name.exists() and not log_of(name).exists():
            return name
    return name


def _aside(path: Path, wanted: str) -> Path:
    """Give a database another name, its log first."""
    kept = _name(path, wanted)
    log = log_of(path)
    if log.exists():
        log.replace(log_of(kept))
        sync_folder(path.parent)
    if path.exists():
        path.replace(kept)
    else:
        os.close(os.open(kept, os.O_WRONLY | os.O_CREAT, 0o600))
    sync_folder(path.parent)
    return kept


def _half_moved(path: Path) -> Path | None:
    """Return the name a database should have got, when its log has it already."""
    for begin in (_DAMAGED, "before-restore-"):
        for log in path.parent.glob(f"{path.stem}.{begin}*{path.suffix}-wal"):
            kept = log.with_name(log.name.removesuffix("-wal"))
            if not kept.exists():
                return kept
    return None
