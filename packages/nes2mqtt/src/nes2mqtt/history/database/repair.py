"""What is done with a damaged database: it is kept, and all that can be read of it goes into a new one.

The new file is made beside the damaged one; only when it is whole and on the disk the damaged one is renamed (its
log first, because a database without its log looks whole) and the new one takes its place. What is going to be done
is on the disk before the first rename, in ``history.db.moving``: after a kill or a power cut at any moment the next
start finishes it. Which of the kept files are there says nothing about it, because their owner may have deleted some.

This module does not look for damage.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nes2mqtt.history.database.connection import log_of, open_damaged
from nes2mqtt.history.database.durable import sync_folder, write_durably

if TYPE_CHECKING:
    from nes2mqtt.history.database.salvage import Salvaged

__all__ = ["Mended", "Unfinished", "check_before_opening", "put_in_place", "repair"]

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


class Unfinished(OSError):
    """The old database is out of the way, and the new one takes its place at the next start only."""


def check_before_opening(path: Path, today: str) -> Mended | None:
    """Find what SQLite would pass over in silence, and go on with a repair that was cut off; None if all is well.

    An empty database makes SQLite delete its log, and a log that does not begin as one counts as none.

    Args:
        path: the database.
        today: for the names of files that are kept.

    Raises:
        OSError: the files cannot be renamed.
    """
    finished = _finish(path)
    ready = _ready(path)
    if ready.exists() and not path.exists() and not log_of(path).exists():
        ready.replace(path)
        sync_folder(path.parent)
    with suppress(OSError):
        ready.unlink()
    return _passed_over(path, today) or finished


def _passed_over(path: Path, today: str) -> Mended | None:
    log = log_of(path)
    if not log.exists() or not (size := log.stat().st_size):
        return None
    if not path.exists() or not path.stat().st_size:
        kept = _name(path, f"{_DAMAGED}{today}")
        what = f"both were kept as {kept.name}" if path.exists() else f"they were kept as {log_of(kept).name}"
        text = (
            f"{path.name} is empty or gone, but {size} bytes of its log are there: {what} and a "
            "new history begins. Put a backup back with nes2mqtt restore"
        )
        _replace(path, kept, text, new=False)
        return Mended(_there(kept), text)
    with log.open("rb") as file:
        header = file.read(_LOG_HEADER)
    if len(header) == _LOG_HEADER and header[:4] not in _MAGIC:
        kept = _name(path, f"{_DAMAGED}{today}")
        log.replace(log_of(kept))
        sync_folder(path.parent)
        return Mended(
            log_of(kept),
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
    kept = _name(path, f"{_DAMAGED}{today}")
    what = found.text() if found is not None else "nothing of it could be read, and a new history begins"
    text = f"{path.name} was damaged ({error}) and was kept as {kept.name}; {what}"
    _replace(path, kept, text, new=found is not None)
    return Mended(kept, text)


def _salvage(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> Salvaged | None:
    """Write what can be read into a file beside the database; None if that is nothing."""
    from nes2mqtt.history.database.salvage import salvage  # noqa: PLC0415 - hardly a database is ever damaged

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
        Unfinished: the next start goes on with it.
        OSError: the files cannot be renamed; all is as it was, and ``new`` is gone.
    """
    new.replace(_ready(path))
    sync_folder(path.parent)
    try:
        if path.exists() or log_of(path).exists():
            kept = _name(path, name)
            _replace(path, kept, "", new=True)
            return kept
        _ready(path).replace(path)
    except Unfinished:
        raise
    except OSError:
        with suppress(OSError):
            _ready(path).unlink()
        raise
    sync_folder(path.parent)
    return None


def _ready(path: Path) -> Path:
    """Return the name of a file that is to take the database's place, whole and on the disk."""
    return path.with_name(f"{path.name}.ready")


def _there(kept: Path) -> Path:
    """Return what is there of a database that was kept: of one that was gone that is its log alone."""
    return kept if kept.exists() else log_of(kept)


def _name(path: Path, wanted: str) -> Path:
    """Return a name nobody has."""
    for more in ("", *(f"-{number}" for number in range(2, 1000))):
        name = path.with_name(f"{path.stem}.{wanted}{more}{path.suffix}")
        if not name.exists() and not log_of(name).exists():
            return name
    return name


def _moving(path: Path) -> Path:
    """Return the file that says what is being done with a database."""
    return path.with_name(f"{path.name}.moving")


def _replace(path: Path, kept: Path, text: str, *, new: bool) -> None:
    """Give a database another name, its log first, and let the one that is ready take its place.

    Args:
        path: the database.
        kept: its name from now on.
        text: for the owner, if only the next start comes to the end of it.
        new: whether one is ready.

    Raises:
        Unfinished: the next start goes on with it.
        OSError: all is as it was.
    """
    moving = _moving(path)
    write_durably(moving, json.dumps({"kept": kept.name, "new": new, "text": text}) + "\n")
    try:
        if os.name == "posix" and os.geteuid() == 0:  # the gateway, which is not root, must be able to read it
            owner = path.parent.stat()
            os.chown(moving, owner.st_uid, owner.st_gid)
        _move(path, kept)
    except OSError as error:
        if kept.exists() or not _move_back(path, kept):
            raise Unfinished(*error.args) from error
        raise
    try:
        _put_ready(path, new=new)
    except OSError as error:
        raise Unfinished(*error.args) from error


def _move(path: Path, kept: Path) -> None:
    log = log_of(path)
    if log.exists():
        log.replace(log_of(kept))
        sync_folder(path.parent)
    if path.exists():
        path.replace(kept)
        sync_folder(path.parent)


def _move_back(path: Path, kept: Path) -> bool:
    """Undo a move of which the log's half was done; return whether that went well."""
    try:
        if log_of(kept).exists():
            log_of(kept).replace(log_of(path))
            sync_folder(path.parent)
        _moving(path).unlink()
    except OSError:
        return False
    return True


def _put_ready(path: Path, *, new: bool) -> None:
    if new and not path.exists():
        _ready(path).replace(path)
        sync_folder(path.parent)
    _moving(path).unlink()
    sync_folder(path.parent)


def _finish(path: Path) -> Mended | None:
    """Go on with what was cut off; None if nothing was, or if it had not begun to rename."""
    moving = _moving(path)
    try:
        plan = json.loads(moving.read_text(encoding="utf-8"))
        kept, new, text = path.with_name(str(plan["kept"])), bool(plan["new"]), str(plan["text"])
    except FileNotFoundError:
        return None
    except (PermissionError, ValueError, KeyError, TypeError) as error:
        # It is written whole, and gets its owner before the first rename.
        _log.warning("history: %s is not gone on with, it cannot be read: %s", moving.name, error)
        moving.unlink()
        return None
    if not kept.exists() and not log_of(kept).exists() and path.exists():
        moving.unlink()
        return None
    if not new or _ready(path).exists():  # else the new one is there already
        if not kept.exists():
            _move(path, kept)
        _put_ready(path, new=new)
    else:
        moving.unlink()
    return Mended(_there(kept), text) if text else None
