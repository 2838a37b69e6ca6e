"""What happened to the history and its owner has not acknowledged yet.

A damage that was found and mended as far as possible must not be forgotten with the next restart: it stays in a
small file beside the database, and in the status, until somebody has read it (``nes2mqtt history acknowledge``).

This module does not know what can happen.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from nes2mqtt.history.database.durable import write_durably

__all__ = ["Notices", "notices_of"]

_log = logging.getLogger(__name__)
_MOST = 20


def notices_of(database: Path) -> Path:
    """Return the file of notices that belongs to a database."""
    return database.with_name(f"{database.stem}.notices.json")


class Notices:
    """The notices of one history.

    Args:
        path: their file; it is there only as long as there are any.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._texts: tuple[str, ...] = ()
        self._seen: tuple[int, int] | None = None
        self._only_here: tuple[str, ...] = ()
        """Those that could not be written."""

    def all(self) -> tuple[str, ...]:
        """Return them, oldest first; reads the file only when it changed."""
        try:
            found = self.path.stat()
        except OSError:
            self._texts, self._seen = (), None
            return self._only_here
        seen = (found.st_mtime_ns, found.st_ino)
        if seen != self._seen:
            try:
                self._texts = tuple(str(text) for text in json.loads(self.path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self._texts = (f"{self.path.name} cannot be read; it says what happened to the history",)
            self._seen = seen
        return self._texts + self._only_here

    def add(self, text: str, at: datetime | None) -> None:
        """Add one; ``at`` is the time of day (aware), None while it is not known. It goes to the log too."""
        _log.error("history: %s", text)
        dated = f"{at:%Y-%m-%d %H:%M} UTC: {text}" if at is not None else text
        if any(text in known for known in self.all()):
            return
        texts = (*self.all(), dated)[-_MOST:]
        try:
            write_durably(self.path, json.dumps(texts, indent=1, ensure_ascii=False) + "\n")
        except OSError as error:
            _log.debug("notices cannot be written: %s", error)
            self._only_here = (*self._only_here, dated)
        else:
            self._only_here = ()

    def acknowledge(self) -> tuple[str, ...]:
        """Forget them; return what they were.

        Raises:
            OSError: the file cannot be removed.
        """
        texts = self.all()
        with suppress(FileNotFoundError):
            self.path.unlink()
        self._only_here = ()
        return texts
