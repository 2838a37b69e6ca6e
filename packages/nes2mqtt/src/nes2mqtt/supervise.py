"""Keep an output going: a mistake in one is logged once, shown, and never reaches the others.

An output's :meth:`run` is not meant to end. When it does, because of a mistake of ours, it is
started again after a while, longer each time. :class:`Supervised` stands in its place in the hub.

This module does not know what outputs do.
"""

from __future__ import annotations

import asyncio
import logging

from nes2mqtt.backoff import Backoff
from nes2mqtt.hub import Output, OutputStatus
from nes2mqtt.reading import Event

__all__ = ["Supervised"]

_log = logging.getLogger(__name__)

_RETRY = (1.0, 300.0)
_STEADY_AFTER = 600.0
"""An output that ran this many seconds starts again with the shortest wait."""


class Supervised:
    """An output that is started again when it breaks."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.name = output.name
        self._trouble = ""
        self._said = ""

    def offer(self, event: Event) -> None:
        """Pass an event on."""
        self.output.offer(event)

    def status(self) -> OutputStatus:
        """Tell how the output is, or that it is broken."""
        if self._trouble:
            return OutputStatus(self.name, ok=False, message=self._trouble)
        return self.output.status()

    async def run(self) -> None:
        """Run the output until cancelled, again and again."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(*_RETRY)
        while True:
            started = loop.time()
            try:
                await self.output.run()
                mistake = "it ended by itself"
            except Exception as error:  # noqa: BLE001 - the reason for this class
                mistake = f"{type(error).__name__}"
                self._log_once(mistake, error)
            else:
                self._log_once(mistake, None)
            if loop.time() - started > _STEADY_AFTER:
                backoff.reset()
                self._said = ""
            wait = backoff.next()
            self._trouble = (
                f"stopped by a mistake of this program ({mistake}), starting again in {wait:.0f} s; "
                "please report it with the lines of the log"
            )
            await asyncio.sleep(wait)
            self._trouble = ""

    def _log_once(self, mistake: str, error: Exception | None) -> None:
        if mistake != self._said:
            self._said = mistake
            _log.error(
                "output %s stopped (%s); starting it again, the others go on", self.name, mistake, exc_info=error
            )
