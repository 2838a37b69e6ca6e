"""Keep an output going: a mistake in one is logged once, shown, and never reaches the others.

An output's :meth:`run` is not meant to end. When it does, because of a mistake of ours, a
:class:`Keeper` starts it again after a while, longer each time.

This module does not know what outputs do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from nes2mqtt.codes import OUTPUT_MISTAKE
from nes2mqtt.readings.hub import Output, OutputStatus
from nes2mqtt.readings.reading import Event
from nes2mqtt.timing.backoff import Backoff

__all__ = ["Keeper", "Supervised"]

_log = logging.getLogger(__name__)

_RETRY = (1.0, 300.0)
_STEADY_AFTER = 600.0
"""What ran this many seconds starts again with the shortest wait."""


class Keeper:
    """Runs ``work`` again whenever it ends or breaks.

    Args:
        name: what it is, for the log.
        work: a coroutine function that is not meant to return.
    """

    def __init__(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        self._name = name
        self._work = work
        self._said = ""
        self.trouble = ""
        """For people: what happened, while the work waits to be started again."""

    async def run(self) -> None:
        """Keep it running until cancelled."""
        loop = asyncio.get_running_loop()
        backoff = Backoff(*_RETRY)
        while True:
            started = loop.time()
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - the reason for this class
                self._log_once(type(error).__name__, error)
            else:
                self._log_once("it ended by itself", None)
            if loop.time() - started > _STEADY_AFTER:
                backoff.reset()
            wait = backoff.next()
            self.trouble = (
                f"stopped by a mistake of this program ({self._said}), starting again within {wait:.0f} s; "
                "please report it with the lines of the log"
            )
            await asyncio.sleep(wait)
            self.trouble = ""

    def _log_once(self, mistake: str, error: Exception | None) -> None:
        if mistake != self._said:
            self._said = mistake
            _log.error("%s stopped (%s); starting it again, all else goes on", self._name, mistake, exc_info=error)


class Supervised:
    """An output that is started again when it breaks; stands in its place in the hub."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.name = output.name
        self._keeper = Keeper(f"output {output.name}", output.run)

    def offer(self, event: Event) -> None:
        """Pass an event on."""
        self.output.offer(event)

    def status(self) -> OutputStatus:
        """Return the output's own status; when it broke down or cannot tell, one that says so."""
        if self._keeper.trouble:
            return OutputStatus(self.name, ok=False, message=self._keeper.trouble, code=OUTPUT_MISTAKE)
        try:
            return self.output.status()
        except Exception as error:  # noqa: BLE001 - a status must not be what stops the program
            message = f"cannot tell how it is ({type(error).__name__})"
            return OutputStatus(self.name, ok=False, message=message, code=OUTPUT_MISTAKE)

    @property
    def stands_still(self) -> bool:
        """Tell whether the output says of itself that it can never go on."""
        return bool(getattr(self.output, "stands_still", False))

    async def run(self) -> None:
        """Keep the output running until cancelled."""
        await self._keeper.run()
