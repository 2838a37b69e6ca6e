"""The desk of the settings as part of the process: brought when somebody first sits down at it.

This module does not know what is changed there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nes2mqtt.setup.changes.trial import SECONDS, Trial

if TYPE_CHECKING:
    from nes2mqtt.setup.changes.desk import Desk

__all__ = ["OwnersDesk"]

_log = logging.getLogger(__name__)


class OwnersDesk:
    """The settings of a configuration, for the page.

    Args:
        file: the configuration.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._desk: Desk | None = None
        self._trial = Trial(file)
        self._seen = asyncio.Event()
        self.when_changed: Callable[[], None] = lambda: None
        """Called once who changed the settings has been told."""
        self.waits_for_owner = self._trial.runs()
        """Where the page can be opened is on trial."""

    def owner_is_here(self) -> None:
        """Hear that somebody who is logged in opened the page."""
        self._seen.set()

    async def keep_trial(self) -> None:
        """Take the settings back, and begin anew, if nobody opens the page in time; does nothing where nothing is on trial."""
        if not self.waits_for_owner:
            return
        _log.info("where the page can be opened was changed; without a login there in two minutes it is changed back")
        try:
            async with asyncio.timeout(SECONDS):
                await self._seen.wait()
        except TimeoutError:
            await self._take_back()
        else:
            self.waits_for_owner = False
            await asyncio.to_thread(self._trial.end)
            _log.info("the page was opened at its new place; its settings stay")

    async def _take_back(self) -> None:
        try:
            done = await asyncio.to_thread(self._trial.take_back)
        except OSError as error:
            _log.error("nobody opened the page at its new place, but its settings cannot be changed back: %s", error)
            return
        if done:
            _log.warning(
                "nobody opened the page at its new place: the settings are again as before; the gateway begins anew"
            )
            self.when_changed()

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
