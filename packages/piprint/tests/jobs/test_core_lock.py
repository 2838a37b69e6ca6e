"""The journal's lock: one processor has it, and looking at it keeps nobody out."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from piprint.journal import lock


async def test_a_look_at_the_lock_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "piprint.lock"
    with pytest.raises(FileNotFoundError):
        lock.is_held(file)
    file.write_text("4711\n")
    file.chmod(0o400)
    before = file.stat()
    assert not lock.is_held(file)
    assert (file.read_text(), file.stat().st_mtime_ns, file.stat().st_mode) == (
        "4711\n",
        before.st_mtime_ns,
        before.st_mode,
    )
    file.chmod(0o600)
    held = lock.FileLock(file)
    assert lock.is_held(file)
    assert file.read_text() == f"{os.getpid()}\n"
    held.release()
    assert not lock.is_held(file)


async def test_who_starts_while_somebody_looks_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "piprint.lock"
    file.touch()
    taken: list[lock.FileLock] = []
    starts = threading.Thread(target=lambda: taken.append(lock.FileLock(file)))
    waits = threading.Event()
    really_take, sleep = lock._take, lock.time.sleep

    def take(descriptor: int, *, shared: bool = False) -> None:
        really_take(descriptor, shared=shared)
        if shared:  # the look is on: let a processor start, and end the look when it found the lock not free
            starts.start()
            assert waits.wait(10)

    def wait(seconds: float) -> None:
        waits.set()
        sleep(seconds)

    monkeypatch.setattr(lock, "_take", take)
    monkeypatch.setattr(lock.time, "sleep", wait)
    assert not await asyncio.to_thread(lock.is_held, file)
    starts.join(10)
    (one,) = taken
    monkeypatch.undo()
    assert lock.is_held(file)
    one.release()
