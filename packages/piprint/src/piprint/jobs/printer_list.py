"""Keeps Business Central's list of this host's printers up to date: asks them how they are, and reports what has changed.

This module does not know jobs, nor how printers are found.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from piprint.bc.queue import OfferedPrinter, Queue
from piprint.jobs.polling.poll_interval import REGISTER_EVERY
from piprint.jobs.waiting_messages import is_no_news
from piprint.printers.registry import GRACE, PrinterRegistry

__all__ = ["PrinterList"]

_log = logging.getLogger(__name__)

REFRESH_EVERY = 60.0
"""Seconds between two looks for printers."""
LOOK_EVERY = 10.0
"""Seconds between two questions how they are, while somebody watches. Asked all day, a printer never sleeps."""
SEARCH_EVERY = 1.0
"""Seconds between two looks for printers while CUPS does not answer: it is just starting, perhaps."""
_STATE_EVERY = 60.0
"""Seconds at least between two registrations because a printer's state changed."""


class PrinterList:
    """Offers the printers of this host.

    Args:
        queue: Business Central.
        registry: the printers.
        guarded: does something under a name, and counts what goes wrong in it by a mistake of ours.

    Attributes:
        registered: the printers as Business Central was told last; None before.
        problems: by printer, why it does not take one, for people.
    """

    def __init__(
        self,
        queue: Queue,
        registry: PrinterRegistry,
        guarded: Callable[[str, Callable[[], Awaitable[None]]], Awaitable[None]],
    ) -> None:
        self.registered: tuple[OfferedPrinter, ...] | None = None
        self.problems: dict[str, str] = {}
        self._queue = queue
        self._registry = registry
        self._guarded = guarded
        self._began = 0.0
        self._registered_at = 0.0

    async def start(self) -> None:
        """Look for printers the first time."""
        self._began = _now()
        await self._guarded("looking for printers", self._registry.refresh)

    async def look_after(self) -> None:
        """Look for printers again and again, and how they are."""
        due = _now() + REFRESH_EVERY
        while True:
            starting = self._registry.unlisted and self._registry.unlisted_for < GRACE
            await asyncio.sleep(SEARCH_EVERY if starting else min(LOOK_EVERY, REFRESH_EVERY))
            young = _now() - self._began < GRACE
            if _now() >= due or (self._registry.problems and young and not self._registry.unlisted):
                await self._guarded("looking for printers", self._registry.refresh)
                due = _now() + REFRESH_EVERY
            elif self._registry.unlisted:
                await self._guarded("looking for printers", self._registry.search)
            elif self._registry.watched:
                await self._guarded("asking printers how they are", self._registry.look)

    async def register(self, offered: tuple[OfferedPrinter, ...], *, message: str) -> None:
        """Tell Business Central which printers there are: at the start, when something changed, every 15 minutes.

        Args:
            offered: the printers, with what is said of them.
            message: what is said of this processor.

        Raises:
            BcError: it does not answer.
        """
        if self.registered is None and not offered and self._registry.problems and _now() - self._began < GRACE:
            return  # started before CUPS: the printers of the last run are not gone
        age = _now() - self._registered_at
        if self.registered is not None and age < REGISTER_EVERY:
            same = is_no_news(offered, self.registered)
            if same or (age < _STATE_EVERY and _essence(offered) == _essence(self.registered)):
                return
        problems = await self._queue.register(offered, message=message)
        self.registered, self._registered_at = offered, _now()
        self.problems = {name: problem.message for name, problem in problems.items()}
        for name, words in self.problems.items():
            _log.warning("printer %s could not be registered: %s", name, words)


def _essence(offered: Sequence[OfferedPrinter]) -> list[tuple[str, str, str]]:
    """Return what is told to Business Central at once; how a printer is can wait a minute."""
    return [(each.printer_id, each.printer_name, each.payload) for each in offered]


def _now() -> float:
    return asyncio.get_running_loop().time()
