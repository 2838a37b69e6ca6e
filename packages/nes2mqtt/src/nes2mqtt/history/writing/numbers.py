"""The numbers of register readings (``seq``): none is ever given twice.

The last readings before a power cut, and their numbers, may be gone from the database although brokers have
them; a backup knows only what was there when it was made. So numbers are reserved ahead in a small file beside
the database, which is synced to the disk before any of them is given out. A start after an orderly end goes on
with the next number; after any other end it goes on behind all that were reserved, unless the tail
(:mod:`nes2mqtt.history.writing.tail`) proves which was the last.

The database keeps a copy of the mark, for a file that was lost or left behind.

This module does not know readings.
"""

from __future__ import annotations

import json
import logging
import random
from dataclasses import dataclass
from pathlib import Path

from nes2mqtt.history.database.durable import write_durably

__all__ = ["RESERVE", "RESTORED", "Mark", "Numbers", "read_mark", "text_of"]

_log = logging.getLogger(__name__)

RESERVE = 1_000_000
"""Numbers reserved at once: four months of a meter that is read each 10 s, so the file is hardly ever written."""

RESTORED = "restored"
"""Stands for the run of the program in a mark that ``nes2mqtt restore`` wrote: the database is an older one on purpose."""

_UNKNOWN = 1 << 40
"""Where numbers begin, give or take, while nothing can be read that tells which were given: far above all of them."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the file says.

    Args:
        reserved: no number above this one was ever given.
        last: the last number given, None while a program runs, and after it ended in disorder.
        block: the last block of present values, to tell that the database is an older one.
        life: which run of the program wrote it.
    """

    reserved: int
    last: int | None = None
    block: int | None = None
    life: str = ""


def read_mark(path: Path) -> Mark | None:
    """Return what the file says; None if it is not there or makes no sense."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Mark(int(found["reserved"]), found["last"], found["block"], str(found["life"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("history: %s cannot be read: %s", path.name, error)
        return None


def text_of(mark: Mark) -> str:
    """Return what stands in the file."""
    content = {"reserved": mark.reserved, "last": mark.last, "block": mark.block, "life": mark.life}
    return json.dumps(content) + "\n"


class Numbers:
    """Gives out numbers that are reserved.

    Args:
        path: the file of the mark.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found = read_mark(path)
        """What an earlier run left."""
        self.life = f"{random.getrandbits(64):016x}"
        self.reserved = 0
        """Numbers up to this one may be given."""
        self._written: Mark | None = None

    def unknown(self) -> int:
        """Return a number to go on from while the database cannot be opened and nobody can reserve any."""
        reserved = self.found.reserved if self.found is not None else 0
        self.reserved = 1 << 62
        return max(reserved, _UNKNOWN) + random.getrandbits(39)

    def reserve(self, last: int) -> bool:
        """Reserve numbers behind ``last``, unless enough are; return whether they are on the disk."""
        if self._written is not None and self._written.last is None and last + RESERVE // 2 <= self._written.reserved:
            return True
        mark = Mark(last + RESERVE, life=self.life)
        if not self._write(mark):
            return False
        self.reserved = mark.reserved
        return True

    def end(self, last: int, block: int) -> None:
        """Note the last number given: the program ends in order, and everything is in the database."""
        self._write(Mark(max(last, self.reserved if self.reserved < 1 << 62 else last), last, block, self.life))

    def _write(self, mark: Mark) -> bool:
        try:
            write_durably(self.path, text_of(mark))
        except OSError as error:
            _log.debug("history: %s cannot be written: %s", self.path, error)
            return False
        self._written = mark
        return True
