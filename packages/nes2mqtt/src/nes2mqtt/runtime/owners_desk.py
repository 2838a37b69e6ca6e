"""The desk of the settings as part of the process: brought when somebody first sits down at it.

This module does not know what is changed there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nes2mqtt.setup.changes.desk import Desk

__all__ = ["OwnersDesk"]


class OwnersDesk:
    """The settings of a configuration, for the page.

    Args:
        file: the configuration.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._desk: Desk | None = None
        self.when_changed: Callable[[], None] = lambda: None
        """Called once who changed the settings has been told."""

    def picture(self, language: str) -> Mapping[str, Any]:
        """Return the settings."""
        return self._brought().picture(language)

    def check(self, revision: str, changes: object) -> Mapping[str, Any]:
        """Return what changes would do."""
        return self._brought().check(revision, changes)

    def take(self, revision: str, changes: object) -> Mapping[str, Any]:
        """Change the file."""
        return self._brought().take(revision, changes)

    def _brought(self) -> Desk:
        if self._desk is None:
            from nes2mqtt.setup.changes.desk import Desk  # noqa: PLC0415 - most gateways run for years without

            self._desk = Desk(self._file)
        return self._desk
