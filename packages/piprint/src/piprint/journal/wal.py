"""Whether the journal's log (``journal.sqlite-wal``) holds commits that SQLite would skip without an error.

After a power cut SQLite plays the log up to the first frame whose checksum is wrong; there a write was under way. That can only
be the last commit: each is on disk before the next begins. Where a whole further commit follows, or where the log's head is
damaged and its pages are not in the database, the disk has lost what was safe on it: steps of jobs.

A commit that was the last in the log, and a log that is gone altogether, leave no trace that could be found here.

Source: "WAL-mode File Format", sqlite.org/walformat.html. This module does not know the database's content.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["has_lost_commits"]

_HEAD, _FRAME_HEAD = 32, 24
_LEAST_PAGE, _MOST_PAGE = 512, 65536


@dataclass(frozen=True, slots=True)
class _Frame:
    """A page in the log; ``commit``: it ends a transaction; ``valid``: all checksums up to here are right."""

    page: int
    commit: bool
    salts: bytes
    content: bytes
    valid: bool


def has_lost_commits(database: Path) -> bool:
    """Tell whether the log beside a database, not yet opened, holds commits that would be lost.

    Raises:
        OSError: it cannot be read.
    """
    try:
        log = database.with_name(f"{database.name}-wal").read_bytes()
    except FileNotFoundError:
        return False
    if len(log) < _HEAD + _FRAME_HEAD + _LEAST_PAGE:
        return False
    size = struct.unpack_from(">I", log, 8)[0]
    sound = _checksum(log[:24], (0, 0), log) == struct.unpack_from(">II", log, 24)
    if not sound:
        size = int.from_bytes(database.read_bytes()[16:18]) or size
        size = _MOST_PAGE if size == 1 else size
    if not _LEAST_PAGE <= size <= _MOST_PAGE:
        return False
    frames = list(_frames(log, size, sound=sound))
    return _lost_behind_a_break(frames, log[16:24]) if sound else _lost_with_the_head(frames, database, size)


def _lost_behind_a_break(frames: list[_Frame], salts: bytes) -> bool:
    """Look for two commits behind the first wrong frame; copies of one, which fill a sector, are one."""
    behind = {(each.page, each.content) for each in frames if each.commit and not each.valid and each.salts == salts}
    return len(behind) > 1


def _lost_with_the_head(frames: list[_Frame], database: Path, size: int) -> bool:
    """Compare the log's pages with the database: before the log's head is written anew, all of them are in it."""
    last: dict[int, bytes] = {}
    pending: dict[int, bytes] = {}
    for each in frames:
        if each.salts != frames[0].salts:
            break
        pending[each.page] = each.content
        if each.commit:
            last |= pending
            pending = {}
    with database.open("rb") as file:
        for page, content in last.items():
            file.seek((page - 1) * size)
            if file.read(size) != content:
                return True
    return False


def _frames(log: bytes, size: int, *, sound: bool) -> Iterator[_Frame]:
    sums, valid = struct.unpack_from(">II", log, 24), sound
    for at in range(_HEAD, len(log) - _FRAME_HEAD - size + 1, _FRAME_HEAD + size):
        page, commit = struct.unpack_from(">II", log, at)
        salts, content = log[at + 8 : at + 16], log[at + _FRAME_HEAD : at + _FRAME_HEAD + size]
        if not page:
            return
        if valid:
            sums = _checksum(content, _checksum(log[at : at + 8], sums, log), log)
            valid = salts == log[16:24] and sums == struct.unpack_from(">II", log, at + 16)
        yield _Frame(page, bool(commit), salts, content, valid)


def _checksum(data: bytes, sums: tuple[int, int], log: bytes) -> tuple[int, int]:
    """Return the checksum of data, whose length is a multiple of 8, going on from another (section 4.3)."""
    order = ">" if struct.unpack_from(">I", log)[0] & 1 else "<"  # the magic number's lowest bit
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for first, second in zip(words[::2], words[1::2], strict=True):
        one = (one + first + two) & 0xFFFFFFFF
        two = (two + second + one) & 0xFFFFFFFF
    return one, two
