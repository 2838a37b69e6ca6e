"""The disk below SQLite: what was written, what was synced, and what a power cut may leave of it.

SQLite's own file system layer (VFS) opens the files; then the table of methods of each file is replaced by a copy in which
only write, truncate and sync are ours. Locks, shared memory and reads stay as they are, and the files are real ones in a
folder in memory, so the product may go on looking at them. The layer is registered under the name the product
asks for, and SQLite finds the newer one first: the product needs no change.

A cut: :meth:`Disk.cut` works out what may be left and stops all writes; then the connections are closed; then
:meth:`Disk.power_on` lays what was left into the files.

The model: what was synced is there. What was not synced may be there, in any part and in any order, 512 bytes being all or nothing;
with ``broken`` the drive also destroys the 4096 bytes it was writing (some SD cards do). What is older than 30 s is as
good as synced when the world says so (:meth:`Disk.write_back`): Linux sees to it.

Plain files (fsync) and renames are noted by :class:`simulation.files.Files`.
"""

from __future__ import annotations

import ctypes as c
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

__all__ = ["CUTS", "Disk", "available", "seed_sqlite"]

CUTS = ("none", "all", "prefix", "torn", "page", "sector", "broken")
"""What is left of what was not synced: nothing; all; the first so many writes; the same with half of the next one; any pages; any
sectors; all, but the block of the last write is destroyed."""

SECTOR, BLOCK = 512, 4096

FULL = 13
READ_ONLY = 8
WRITE_ERROR = 10 | 3 << 8
SYNC_ERROR = 10 | 4 << 8
CANNOT_OPEN = 14

_METHODS = [
    "close",
    "read",
    "write",
    "truncate",
    "sync",
    "size",
    "lock",
    "unlock",
    "reserved",
    "control",
    "sector",
    "character",
    "map",
    "shm_lock",
    "barrier",
    "unmap",
    "fetch",
    "unfetch",
]
_P, _I, _L = c.c_void_p, c.c_int, c.c_int64
_OPEN = c.CFUNCTYPE(
    _I, _P, _P, _P, _I, _P
)  # the name is a pointer: SQLite keeps it, and a copy would be freed under it
_DELETE = c.CFUNCTYPE(_I, _P, c.c_char_p, _I)
_WRITE = c.CFUNCTYPE(_I, _P, _P, _I, _L)
_TRUNCATE = c.CFUNCTYPE(_I, _P, _L)
_SYNC = c.CFUNCTYPE(_I, _P, _I)
_OPEN_MAIN = 0x100
_OPEN_READ_ONLY, _OPEN_READ_WRITE_CREATE = 1, 6
_SEED_RANDOMNESS = 28  # SQLITE_TESTCTRL_PRNG_SEED


class _Vfs(c.Structure):
    pass


_Vfs._fields_ = [
    ("version", _I),
    ("file_size", _I),
    ("longest_path", _I),
    ("next", _P),
    ("name", c.c_char_p),
    ("data", _P),
    ("open", _P),
    ("delete", _P),
    ("rest", _P * 16),
]


class _Methods(c.Structure):
    _fields_ = [("version", _I)] + [(name, _P) for name in _METHODS]


def _library() -> c.CDLL | None:
    try:
        library = c.CDLL("libsqlite3.so.0")
    except OSError:
        return None
    library.sqlite3_vfs_find.restype = c.POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [c.c_char_p]
    return library


_LIBRARY = _library()


def available() -> bool:
    """Tell whether Python's sqlite3 uses a shared library that can be reached from here."""
    if _LIBRARY is None:
        return False
    import _sqlite3  # noqa: PLC0415
    import sqlite3  # noqa: PLC0415

    _LIBRARY.sqlite3_libversion.restype = c.c_char_p
    file = getattr(_sqlite3, "__file__", None)
    linked = file is not None and b"libsqlite3" in Path(file).read_bytes()
    return linked and _LIBRARY.sqlite3_libversion().decode() == sqlite3.sqlite_version


def seed_sqlite(number: int) -> None:
    """Pin SQLite's own random numbers: they salt the log."""
    assert _LIBRARY is not None
    _LIBRARY.sqlite3_test_control(_SEED_RANDOMNESS, c.c_int(number & 0x7FFFFFFF), None)


@dataclass(slots=True)
class Write:
    """One write, or with ``data`` None a truncation, that is not synced yet."""

    offset: int
    data: bytes | None
    at: float

    def lay(self, into: bytearray) -> None:
        lay(into, self.offset, self.data)


@dataclass(slots=True)
class File:
    """What is synced of a file, and what was written since."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)
    main: bool = False
    """It is a database, not its log."""

    def settle(self, before: float = float("inf")) -> None:
        """Take the writes up to a moment as synced."""
        done = 0
        for write in self.pending:
            if write.at > before:
                break
            write.lay(self.durable)
            done += 1
        del self.pending[:done]


def lay(into: bytearray, offset: int, data: bytes | None) -> None:
    """Write, or truncate, as a file does."""
    if data is None:
        if offset < len(into):
            del into[offset:]
        else:
            into.extend(bytes(offset - len(into)))
        return
    if offset > len(into):
        into.extend(bytes(offset - len(into)))
    into[offset : offset + len(data)] = data


class Disk:
    """The SQLite files below one folder, while this is in use (``with``). :meth:`of` gives it: there is one per name.

    Args:
        name: the VFS to stand before: ``unix-excl`` (the history) or ``unix`` (the print journal, which names none).
    """

    _made: ClassVar[dict[str, Disk]] = {}

    @classmethod
    def of(cls, name: str, folder: Path, clock: Callable[[], float]) -> Disk:
        """Return the disk of a name, empty, for a folder."""
        disk = cls._made.get(name) or cls._made.setdefault(name, cls(name))
        disk.reset()
        disk.folder, disk.clock, disk.gone = str(folder), clock, lambda: False
        return disk

    def __init__(self, name: str) -> None:
        assert _LIBRARY is not None
        self.clock: Callable[[], float] = lambda: 0.0
        self.gone: Callable[[], bool] = lambda: False
        """Tells that whoever writes just now was killed: nothing of it has an effect any more."""
        self.folder = ""
        self._default = name == "unix"
        self.reset()
        self._real = _LIBRARY.sqlite3_vfs_find(name.encode())
        self._real_open, self._real_delete = _OPEN(self._real.contents.open), _DELETE(self._real.contents.delete)
        self._tables: dict[int, _Methods] = {}
        self._mine = _Vfs()
        c.memmove(c.byref(self._mine), self._real, c.sizeof(_Vfs))
        open_, delete = _OPEN(self._open), _DELETE(self._delete)
        self._keep: list[Any] = [open_, delete]  # C holds them, Python must too
        self._mine.open, self._mine.delete = c.cast(open_, _P), c.cast(delete, _P)

    def __enter__(self) -> Self:
        assert _LIBRARY is not None
        if _LIBRARY.sqlite3_vfs_register(c.byref(self._mine), int(self._default)):
            raise OSError("SQLite does not take the simulated disk")
        return self

    def __exit__(self, *_: object) -> None:
        assert _LIBRARY is not None
        _LIBRARY.sqlite3_vfs_unregister(c.byref(self._mine))
        if self._default:  # SQLite would take any other of its list for the default
            _LIBRARY.sqlite3_vfs_register(self._real, 1)
        self.reset()

    def reset(self) -> None:
        """Forget all files and faults: a new world begins."""
        self.files: dict[str, File] = {}
        self._handles: dict[int, File] = {}
        self.error = 0
        """What each write answers now; 0: it works."""
        self.lie = 0
        """So many writes to come are carried out and answered with an error all the same."""
        self.read_only = False
        self.off = False
        self.left: dict[str, bytes] | None = None
        """What the cut within a write left, if it came to one."""
        self.writes = self.syncs = self.written = 0
        self._fuse = 0
        self._fuse_main = False
        self._how: tuple[str, random.Random] = ("none", random.Random(0))

    # What SQLite calls.

    def _open(self, _: int, name: int, file: int, flags: int, out: int) -> int:
        path = c.string_at(name).decode() if name else ""
        if not path.startswith(self.folder):
            return int(self._real_open(c.cast(self._real, _P), name, file, flags, out))
        if self.off:
            return CANNOT_OPEN
        there = bool(name) and Path(path).exists()
        if self.read_only:
            flags = flags & ~_OPEN_READ_WRITE_CREATE | _OPEN_READ_ONLY
        code = self._real_open(c.cast(self._real, _P), name, file, flags, out)
        if code == 0 and name:
            if not there or path not in self.files:
                self.files[path] = File(
                    bytearray(Path(path).read_bytes() if there else b""), main=bool(flags & _OPEN_MAIN)
                )
            self._handles[file] = self.files[path]
            slot = c.cast(file, c.POINTER(_P))
            slot[0] = c.addressof(self._patched(slot[0]))
        return int(code)

    def _delete(self, _: int, name: bytes, sync: int) -> int:
        if name.decode().startswith(self.folder):
            if self._refused():
                return WRITE_ERROR
            self.files.pop(name.decode(), None)
        return int(self._real_delete(c.cast(self._real, _P), name, sync))

    def _patched(self, table: int) -> _Methods:  # noqa: C901 - three small functions that SQLite calls
        if table in self._tables:
            return self._tables[table]
        methods = _Methods()
        c.memmove(c.byref(methods), table, c.sizeof(_Methods))
        real_write, real_truncate = _WRITE(methods.write), _TRUNCATE(methods.truncate)

        def write(file: int, data: int, count: int, offset: int) -> int:
            if refused := self._refused():
                return refused
            handle = self._handles[file]
            if self._fuse and (handle.main or not self._fuse_main):
                self._fuse -= 1
                if not self._fuse:
                    self.left = self.states(*self._how)
                    self.off = True
                    return WRITE_ERROR
            code = real_write(file, data, count, offset)
            if code == 0:
                handle.pending.append(Write(offset, c.string_at(data, count), self.clock()))
                self.writes += 1
                self.written += count
                if self.lie:
                    self.lie -= 1
                    return WRITE_ERROR
            return int(code)

        def truncate(file: int, size: int) -> int:
            if refused := self._refused():
                return refused
            code = real_truncate(file, size)
            if code == 0:
                self._handles[file].pending.append(Write(size, None, self.clock()))
            return int(code)

        def sync(file: int, flags: int) -> int:
            del flags
            if self._refused():
                return SYNC_ERROR
            self.syncs += 1
            self._handles[file].settle()
            return 0  # nothing real to sync: the folder is in memory

        mine = [_WRITE(write), _TRUNCATE(truncate), _SYNC(sync)]
        methods.write, methods.truncate, methods.sync = (c.cast(method, _P) for method in mine)
        self._keep += [*mine, real_write, real_truncate, methods]
        self._tables[table] = methods
        return methods

    def _refused(self) -> int:
        if self.off or self.gone():
            return WRITE_ERROR
        return self.error or (READ_ONLY if self.read_only else 0)

    # Power.

    def renamed(self, old: Path, new: Path) -> None:
        """Follow a file to its new name."""
        file = self.files.pop(str(old), None)
        if file is not None:
            self.files[str(new)] = file

    def sqlites(self, path: Path) -> bool:
        """Tell whether SQLite looks after a file."""
        return str(path) in self.files or path.name.endswith((".db", ".sqlite", "-wal", "-shm", "-journal"))

    def arm(self, writes: int, how: str, rng: random.Random, *, main: bool = False) -> None:
        """Cut the power before the n-th write from now; with ``main`` the n-th to a database itself: in a checkpoint."""
        self._fuse, self._fuse_main, self._how = writes, main, (how, rng)

    def disarm(self) -> None:
        """Cut at no write any more."""
        self._fuse = 0

    def write_back(self, age: float) -> None:
        """Take what is older than ``age`` seconds as synced."""
        for file in self.files.values():
            file.settle(self.clock() - age)

    def cut(self, how: str, rng: random.Random) -> dict[str, bytes]:
        """Stop all writes and return what the files hold then; :meth:`power_on` when all connections are closed."""
        left = self.left if self.left is not None else self.states(how, rng)
        self.off = True
        return left

    def power_on(self, left: Mapping[str, bytes]) -> None:
        """Lay into the files what was left of them."""
        for path, data in left.items():
            if Path(path).exists():
                Path(path).write_bytes(data)
        self.files.clear()
        self._handles.clear()
        self.off, self._fuse, self.left = False, 0, None

    def states(self, how: str, rng: random.Random) -> dict[str, bytes]:
        """Return what each file may hold after a cut now, one of the possible worlds that ``how`` allows."""
        share = rng.random()
        return {path: bytes(_left(file, how, share, rng)) for path, file in self.files.items()}

    def damage(self, path: Path, page: int, rng: random.Random) -> bool:
        """Destroy one page of a file, as a worn-out card does; tell whether there was such a page."""
        file = self.files.get(str(path))
        data = bytearray(path.read_bytes()) if path.exists() else bytearray()
        start = page * BLOCK
        if start >= len(data):
            return False
        junk = rng.randbytes(min(BLOCK, len(data) - start))
        with path.open("r+b") as opened:
            opened.seek(start)
            opened.write(junk)
        if file is not None:
            file.settle()
            lay(file.durable, start, junk)
        return True


def _left(file: File, how: str, share: float, rng: random.Random) -> bytearray:
    data, todo = bytearray(file.durable), file.pending
    if how == "none":
        return data
    if how in ("prefix", "torn"):
        kept = int(share * (len(todo) + 1))
        for write in todo[:kept]:
            write.lay(data)
        if how == "torn" and kept < len(todo) and todo[kept].data is not None:
            _tear(data, todo[kept], rng)
        return data
    if how in ("page", "sector"):
        _mix(data, todo, BLOCK if how == "page" else SECTOR, rng)
        return data
    for write in todo:
        write.lay(data)
    if how == "broken" and todo and todo[-1].data is not None:
        start = todo[-1].offset // BLOCK * BLOCK
        lay(data, start, rng.randbytes(min(BLOCK, max(0, len(data) - start))))
    return data


def _pieces(write: Write, grain: int) -> list[tuple[int, int, bytes]]:
    assert write.data is not None
    end = write.offset + len(write.data)
    pieces = []
    for number in range(write.offset // grain, (end - 1) // grain + 1):
        a, b = max(write.offset, number * grain), min(end, (number + 1) * grain)
        pieces.append((number, a, write.data[a - write.offset : b - write.offset]))
    return pieces


def _tear(data: bytearray, write: Write, rng: random.Random) -> None:
    for _, offset, piece in _pieces(write, SECTOR):
        if rng.random() < 0.5:
            lay(data, offset, piece)


def _mix(data: bytearray, todo: list[Write], grain: int, rng: random.Random) -> None:
    """Let some of the blocks be written and others not. A truncation is a barrier."""
    share = rng.choice((0.5, 0.9, 0.98))
    barrier = max((place for place, write in enumerate(todo) if write.data is None), default=-1)
    for write in todo[: barrier + 1]:
        write.lay(data)
    lost: dict[int, bool] = {}
    for write in todo[barrier + 1 :]:
        for number, offset, piece in _pieces(write, grain):
            lost[number] = lost.get(number, False) or rng.random() > share  # the first lost version stays lost
            if not lost[number]:
                lay(data, offset, piece)
