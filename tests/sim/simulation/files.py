"""Plain files and renames on the same disk: what was not synced may be as it was before.

``os.fsync`` notes what a file holds then; a file that changed since may, after a cut, be as it was at the last sync, empty, or
as it is. A rename, a new file and a deletion are sure when the folder was synced after them; until then they may be undone.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

__all__ = ["Files"]


@dataclass(slots=True)
class _Moved:
    source: Path
    target: Path
    before: bytes | None
    """What was at the target."""


@dataclass
class Files:
    """The plain files in one folder. While in use (``with``) it stands before the functions of ``os``."""

    folder: Path
    ours: Callable[[Path], bool]
    """Whether a file is SQLite's, which :class:`~simulation.disk.Disk` looks after."""
    renamed: Callable[[Path, Path], None]
    """Told of each rename."""
    error: int = 0
    """What each write answers now, as errno; 0: it works."""
    off: bool = False
    gone: Callable[[], bool] = lambda: False
    """As :attr:`simulation.disk.Disk.gone`."""
    _synced: dict[Path, bytes] = field(default_factory=dict)
    _moved: list[_Moved] = field(default_factory=list)
    _real: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> Self:
        for name in ("fsync", "fdatasync", "rename", "replace", "unlink", "remove", "write"):
            self._real[name] = getattr(os, name)
        os.fsync = self._fsync
        os.fdatasync = self._fsync
        os.rename = self._rename  # type: ignore[assignment]
        os.replace = self._rename  # type: ignore[assignment]
        os.unlink = self._unlink
        os.remove = self._unlink
        os.write = self._write
        return self

    def __exit__(self, *_: object) -> None:
        for name, function in self._real.items():
            setattr(os, name, function)

    def _inside(self, path: Any) -> Path | None:
        try:
            place = Path(os.path.abspath(os.fspath(path)))  # noqa: PTH100
        except TypeError:
            return None
        return place if place.is_relative_to(self.folder) and not place.is_relative_to(self.in_ram) else None

    @property
    def in_ram(self) -> Path:
        """A folder that is in RAM, where the disk does not matter; a power cut empties it."""
        return self.folder / "run"

    def _fsync(self, fd: Any) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        path = self._inside(os.readlink(f"/proc/self/fd/{number}"))  # noqa: PTH115
        if path is None:
            self._real["fsync"](fd)
            return
        self._check()
        if path.is_dir():
            self._moved = [moved for moved in self._moved if moved.target.parent != path]
        elif not self.ours(path):
            self._synced[path] = path.read_bytes()

    def _write(self, fd: int, data: Any) -> int:
        if (self.error or self.off or self.gone()) and self._inside(os.readlink(f"/proc/self/fd/{fd}")) is not None:  # noqa: PTH115
            self._check()
        return int(self._real["write"](fd, data))

    def _check(self) -> None:
        if self.off or self.gone():
            raise OSError(5, os.strerror(5))
        if self.error:
            raise OSError(self.error, os.strerror(self.error))

    def _rename(self, source: Any, target: Any, **more: Any) -> None:
        a, b = self._inside(source), self._inside(target)
        if a is None or b is None:
            self._real["replace"](source, target, **more)
            return
        self._check()
        before = b.read_bytes() if b.is_file() else None
        self._real["replace"](source, target)
        self._moved.append(_Moved(a, b, before))
        self.renamed(a, b)
        if a in self._synced:
            self._synced[b] = self._synced.pop(a)

    def _unlink(self, path: Any, **more: Any) -> None:
        place = self._inside(path)
        if place is not None:
            self._check()
            self._synced.pop(place, None)
        self._real["unlink"](path, **more)

    def cut(self, how: str, rng: random.Random, *, power: bool) -> None:
        """Leave of plain files and renames what a power cut may leave. Call it when no program runs any more."""
        if power:
            for path in self.in_ram.glob("*"):
                self._real["unlink"](path)
        if power and how not in ("all", "broken"):
            keep = 0 if how == "none" else rng.randrange(len(self._moved) + 1)
            for moved in reversed(self._moved[keep:]):
                if moved.target.exists() and not moved.source.exists():
                    self._real["replace"](moved.target, moved.source)
                    if moved.before is not None:
                        moved.target.write_bytes(moved.before)
            for path in sorted(self.folder.rglob("*")):
                if self.in_ram not in path.parents and path.is_file() and not self.ours(path):
                    self._revert(path, how, rng)
        self._moved.clear()
        self.off = False

    def _revert(self, path: Path, how: str, rng: random.Random) -> None:
        now, synced = path.read_bytes(), self._synced.get(path, b"")
        if now != synced:
            path.write_bytes(synced if how == "none" else rng.choice((synced, now, now[: len(now) // 2])))
