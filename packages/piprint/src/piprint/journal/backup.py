"""``piprint backup`` and ``piprint restore``: the journal into one file, and back.

An old journal calls jobs unfinished that have long been printed. So a backup holds the jobs that have ended, outcomes
that Business Central was not told yet, and what printers can do; it does not hold the jobs in work, their documents, nor the
name of the processor. Whoever starts with it is a *new* processor to Business Central. Jobs that the former one still has there it
takes over after their lease, as from any processor that died (:func:`piprint.jobs.recovery.decide_inherited`): what was certainly
not sent is printed, what may have been printed is reported as uncertain. And if the former one lives, it keeps its
jobs. This holds however the file gets back, by ``piprint restore`` or by hand into an empty folder.

This module does not know Business Central or printers.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

from piprint.errors import JournalError
from piprint.journal.database import damaged, expect_sound, migrate
from piprint.journal.lock import FileLock, is_held
from piprint.journal.store import FILE, LOCK
from piprint.journal.wal import has_lost_commits

__all__ = ["back_up", "restore"]

_OWNER_ONLY = 0o600
_FORGET = (
    "DELETE FROM job WHERE step NOT IN ('ended', 'reported')",
    "DELETE FROM meta WHERE name = 'instance'",
)
"""What makes a copy harmless; the processor that opens it gives itself a new name."""
_LOG, _INDEX = "-wal", "-shm"
"""What lies beside a database in WAL mode. The log belongs to that file and to no other; the index is made anew from it."""
_PARTS = (_LOG, _INDEX, "")


def back_up(folder: Path, target: Path) -> int:
    """Write the journal into one file, also while the processor runs; return the bytes of the file.

    Args:
        folder: the data_dir.
        target: the file to write; one that is there is replaced when the new one is good.

    Raises:
        JournalError: there is no journal, it is damaged, or the file cannot be written; then nothing was replaced.
    """
    journal = folder / FILE
    if target.is_dir():
        raise JournalError(f"{target} is a folder; name a file in it, such as {target / 'piprint-backup.sqlite'}")
    _expect_journal(journal)
    new = target.with_name(f"{target.name}.new")
    try:
        with tempfile.TemporaryDirectory(prefix=".piprint-backup-", dir=target.parent) as place:
            copy = Path(place) / FILE
            try:
                _copy(journal, copy)
            except OSError as error:
                raise JournalError(
                    f"the journal {journal} cannot be read: {error.strerror}; nothing was replaced. Try it with sudo"
                ) from error
            if has_lost_commits(copy):  # before SQLite plays the log, and passes over it in silence
                raise damaged(journal, "its log has a hole: the disk lost what was written there")
            _make_harmless(copy, journal)
            _write(copy, new)
        new.replace(target)
        _sync_folder(target.parent)
        return target.stat().st_size
    except OSError as error:
        raise JournalError(f"the backup {target} cannot be written: {error.strerror}; nothing was replaced") from error
    except sqlite3.Error as error:
        raise JournalError(f"the journal {journal} cannot be backed up: {error}; nothing was replaced") from error
    finally:
        with suppress(OSError):
            new.unlink()


def restore(folder: Path, source: Path, now: datetime) -> Path | None:
    """Put a backup in the place of the journal; return the name under which the one before is kept, if there was one.

    Args:
        folder: the data_dir of a processor that does not run.
        source: what :func:`back_up` wrote, or a copy of a journal made in another way, with its ``-wal`` if it has one.
        now: for the name.

    Raises:
        JournalError: the processor runs, or the backup is not good, or the disk failed; the text says what is now.
    """
    if not source.is_file():
        raise JournalError(f"there is no file {source}; nothing was changed")
    journal = folder / FILE
    new = folder / f"{FILE}.restoring"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat()
        lock = FileLock(
            folder / LOCK, "nothing was changed. Stop it first (sudo systemctl stop piprint), then restore again"
        )
    except OSError as error:
        raise JournalError(f"data_dir {folder} cannot be used: {error.strerror}; nothing was changed") from error
    try:
        _give_to(folder / LOCK, owner)
        with tempfile.TemporaryDirectory(prefix=".piprint-restore-", dir=folder) as place:
            copy = Path(place) / FILE
            shutil.copyfile(source, copy)
            log = _beside(source, _LOG)
            if log.exists():
                shutil.copyfile(log, _beside(copy, _LOG))
            if has_lost_commits(copy):
                raise JournalError(
                    f"{source} is damaged: its log has a hole, so jobs are missing in it; nothing was changed. Take another backup"
                )
            _make_harmless(copy, source)
            _write(copy, new)
        _give_to(new, owner)
        return _exchange(journal, new, _free_name(journal, f"before-restore-{now:%Y%m%d-%H%M%S}"))
    except sqlite3.Error as error:
        raise JournalError(f"{source} cannot be read as a journal: {error}; nothing was changed") from error
    except OSError as error:
        raise JournalError(f"the journal {journal} cannot be written: {error.strerror}; nothing was changed") from error
    finally:
        lock.release()
        with suppress(OSError):
            new.unlink()


def _expect_journal(journal: Path) -> None:
    try:
        found = journal.stat().st_size > 0
    except FileNotFoundError:
        found = False
    except OSError as error:
        raise JournalError(f"the journal {journal} cannot be read: {error.strerror}; try it with sudo") from error
    if not found:
        hint = "" if _is_root() else ". If it runs as a service, type sudo before the command"
        raise JournalError(f"there is no journal {journal} yet: the processor has not run with this data_dir{hint}")


def _copy(journal: Path, copy: Path) -> None:
    """Copy a journal as it is at one moment, without locking, writing or leaving anything beside it."""
    if not _is_in_use(journal):
        for part in _PARTS:
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{journal}{part}", f"{copy}{part}")
        if not _is_in_use(journal):
            return
        for part in _PARTS:  # it was started meanwhile
            Path(f"{copy}{part}").unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as source,
        closing(sqlite3.connect(copy)) as made,
    ):
        source.backup(made)


def _is_in_use(journal: Path) -> bool:
    try:
        return is_held(journal.with_name(LOCK))
    except FileNotFoundError:
        return False


def _make_harmless(copy: Path, origin: Path) -> None:
    """Check a copy and take out of it what must not be believed later; one file is left.

    Raises:
        JournalError: it is damaged, a newer version's, or no journal.
    """
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"job", "meta", "total"} <= tables or not database.execute("PRAGMA user_version").fetchone()[0]:
            raise JournalError(f"{origin} is no journal of piprint; nothing was changed")
        expect_sound(database, origin)
        migrate(database, origin.parent)
        for sql in _FORGET:
            database.execute(sql)
        database.execute("PRAGMA journal_mode = DELETE")


def _write(copy: Path, new: Path) -> None:
    """Write a finished copy for its owner alone, compact, and so that a power cut leaves all of it or nothing."""
    new.unlink(missing_ok=True)
    os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY))
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("VACUUM INTO ?", (str(new),))
    with new.open("rb+") as file:
        os.fsync(file.fileno())


def _exchange(journal: Path, new: Path, kept: Path) -> Path | None:
    """Put a new file in the place of a journal; return the name under which that one is kept, if there was one.

    At no moment does a journal lie beside a log that is not its own, or lack its own log: whenever the power fails there is the
    journal before, or none (then SQLite deletes the log that was left), or the new one.

    Raises:
        OSError: it could not be done, and all is as it was.
        JournalError: the disk failed so that neither can be said; the text says what is where.
    """
    log, kept_log, index = _beside(journal, _LOG), _beside(kept, _LOG), _beside(journal, _INDEX)
    if not journal.exists():
        log.unlink(missing_ok=True)  # of nothing that is there
        index.unlink(missing_ok=True)
        new.replace(journal)
        _sync_folder(journal.parent)
        return None
    try:
        if log.exists():
            _double(log, kept_log)
            _sync_folder(journal.parent)
        journal.rename(kept)
    except OSError:
        _remove(kept_log)
        raise
    try:
        log.unlink(missing_ok=True)
        index.unlink(missing_ok=True)
        _sync_folder(journal.parent)
        new.replace(journal)
    except OSError as error:
        _put_back(journal, kept, error)
        raise
    try:
        _sync_folder(journal.parent)
    except OSError as error:
        raise JournalError(
            f"the backup is the journal {journal} now, and what was there is kept as {kept}; but the disk does not confirm it "
            f"({error.strerror}). Look at the disk, and restore again"
        ) from error
    return kept


def _put_back(journal: Path, kept: Path, cause: OSError) -> None:
    """Undo the half of an exchange; the log first, as it is the journal's.

    Raises:
        JournalError: that failed, too.
    """
    log, kept_log = _beside(journal, _LOG), _beside(kept, _LOG)
    try:
        if kept_log.exists() and not log.exists():
            _double(kept_log, log)
        kept.rename(journal)
    except OSError as error:
        raise JournalError(
            f"the journal {journal} cannot be written: {cause.strerror}. There is none there now; the one before is kept as {kept}, "
            f"and could not be put back either: {error.strerror}. Look at the disk, and restore again"
        ) from error
    _remove(kept_log)


def _double(path: Path, other: Path) -> None:
    """Give a file a second name; a copy, where a disk knows no such thing (FAT)."""
    try:
        os.link(path, other)
    except OSError:
        shutil.copyfile(path, other)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _beside(journal: Path, part: str) -> Path:
    return journal.with_name(f"{journal.name}{part}")


def _free_name(journal: Path, name: str) -> Path:
    """Return a name that is not taken: a host without a clock is at the same second after each start."""
    kept, number = journal.with_name(f"{FILE}.{name}"), 1
    while kept.exists() or _beside(kept, _LOG).exists():
        number += 1
        kept = journal.with_name(f"{FILE}.{name}-{number}")
    return kept


def _give_to(path: Path, owner: os.stat_result) -> None:
    """Give a file to the owner of the folder: root restores what a service's user works with."""
    if _is_root():
        os.chown(path, owner.st_uid, owner.st_gid)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return  # a folder cannot be opened there; NTFS journals the name
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
