"""Changed settings on trial: what may keep their owner from his page is taken back unless he comes to it in time.

A mark beside the configuration says which state of it is on trial, so a restart or a power cut ends no trial. Who changed the
file with an editor meanwhile has ended it.

This module does not know what is changed, nor who comes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

__all__ = ["PLACES", "SECONDS", "Trial"]

PLACES = frozenset({("web", "listen"), ("web", "allowed_hosts"), ("web", "public_url")})
"""The settings that decide where the page can be opened."""
SECONDS = 120.0
"""To open the page at its new place and to log in there."""


class Trial:
    """The trial of a configuration, if one runs.

    Args:
        file: the configuration.
    """

    def __init__(self, file: Path) -> None:
        self._file = Path(os.path.realpath(file))
        self._mark = self._file.with_name(f"{self._file.name}.trial")

    def begin(self, content: bytes) -> None:
        """Put on trial what the file is about to hold.

        Raises:
            OSError: that cannot be written.
        """
        self.end()
        with self._mark.open("x") as mark:
            mark.write(_digest(content))
            mark.flush()
            os.fsync(mark.fileno())

    def runs(self) -> bool:
        """Tell whether what the file holds is on trial."""
        try:
            return self._mark.read_text() == _digest(self._file.read_bytes())
        except (OSError, ValueError):
            return False

    def end(self) -> None:
        """End the trial: the file stays as it is."""
        with contextlib.suppress(OSError):
            self._mark.unlink()

    def take_back(self) -> bool:
        """Put back what the file held before; tell whether that was done. Nothing is done unless the trial runs.

        Raises:
            OSError: it cannot be written.
        """
        from nes2mqtt.setup.writing import put_back  # noqa: PLC0415 - brings the whole first run

        content = self._file.read_bytes()
        if not self.runs():
            return False
        done = put_back(self._file, content)
        self.end()
        return done


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
