"""Brings what is told by one channel: in order, again and again until it is taken, and never twice what was.

How far it came is kept, so a restart goes on there. What nobody took for a day is given up, and said.

This module does not know how anything is brought.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from nes2mqtt.alerts.telling import Telling
from nes2mqtt.timing.backoff import Backoff

__all__ = ["Courier", "Undelivered"]

_log = logging.getLogger(__name__)

RETRY = (10.0, 900.0)
"""Seconds until it is tried again: at first, and at most."""
_LOOK_EVERY = 60.0
_OLDEST = timedelta(days=1)
_GOODBYE = 6.0
"""Seconds that something on its way gets when this program stops; all outputs together get ten."""


class Undelivered(Exception):
    """Something was not taken; the text says what happened, what it means and what to do. No secrets.

    Args:
        reason: for people.
        for_good: it will never be: what was sent is refused, not who sent it.
    """

    def __init__(self, reason: str, *, for_good: bool = False) -> None:
        super().__init__(reason)
        self.for_good = for_good


class Tellings(Protocol):
    """The numbered list, and how far each channel came."""

    async def after(self, number: int, limit: int) -> Sequence[tuple[int, Telling]]:
        """Return tellings with higher numbers."""

    async def last(self) -> int:
        """Return the highest number."""

    def position(self, channel: str) -> int | None:
        """Return how far a channel came, None if it is new."""

    async def keep_position(self, channel: str, number: int) -> None:
        """Keep how far a channel came."""


Bring = Callable[[Sequence[Telling]], Awaitable[None]]
"""Brings some; raises :class:`Undelivered`."""


class Courier:
    """One channel.

    Args:
        name: of it, also under which its position is kept.
        tellings: what is told.
        bring: brings some.
        now: the time of day, None while it is not known.
        wait: seconds to wait for more before something is brought.
        at_once: so many at most are brought together.
    """

    def __init__(
        self,
        name: str,
        tellings: Tellings,
        bring: Bring,
        now: Callable[[], datetime | None],
        *,
        wait: float = 0.0,
        at_once: int = 1,
    ) -> None:
        self.name = name
        self._tellings = tellings
        self._bring = bring
        self._now = now
        self._wait = wait
        self._at_once = at_once
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._trouble = ""
        self._waiting = 0

    @property
    def trouble(self) -> str:
        """Return why something cannot be brought; empty when nothing is wrong."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Return how much waits to be brought."""
        return self._waiting

    def look(self) -> None:
        """Look for something new soon."""
        self._wanted.set()

    async def run(self) -> None:
        """Bring what there is, until cancelled."""
        last, known = await self._tellings.last(), self._tellings.position(self.name)
        # Who is new gets what comes from now on; numbers begin anew where their file was lost.
        reach = last if known is None else min(known, last)
        if reach != known:
            await self._tellings.keep_position(self.name, reach)
        backoff = Backoff(*RETRY)
        while True:
            if not await self._tellings.after(reach, 1):
                self._waiting = 0
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await self._wanted.wait()
                self._wanted.clear()
                continue
            await asyncio.sleep(self._wait)
            found = await self._tellings.after(reach, self._at_once)
            self._waiting = len(found)
            if (lost := found[0][0] - reach - 1) > 0:
                _log.error("alerts, %s: %d came and went before they could be brought", self.name, lost)
            if await self._to_the_end(self._deliver(found)):
                reach = found[-1][0]
                backoff.reset()
            else:
                await asyncio.sleep(max(backoff.next() - self._wait, 0.0))

    @staticmethod
    async def _to_the_end(work: Coroutine[None, None, bool]) -> bool:
        """Do something to its end, also when we are cancelled: what was taken and not noted would be brought again."""
        task = asyncio.create_task(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                async with asyncio.timeout(_GOODBYE):
                    await task
            raise

    async def _deliver(self, found: Sequence[tuple[int, Telling]]) -> bool:
        """Bring some and note it; return whether that is done with."""
        done = await self._brought([one for _, one in found])
        if done:
            await self._tellings.keep_position(self.name, found[-1][0])
        return done

    async def _brought(self, tellings: Sequence[Telling]) -> bool:
        """Bring some; return whether that is done with, well or for good."""
        now = self._now()
        fresh = [one for one in tellings if not _old(one, asyncio.get_running_loop().time(), now)]
        if len(fresh) < len(tellings):
            _log.error("alerts, %s: gave up %d that nobody took for a day", self.name, len(tellings) - len(fresh))
        if not fresh:
            return True
        try:
            await self._bring(fresh)
        except Undelivered as error:
            if str(error) != self._trouble:
                _log.error("alerts, %s: %s", self.name, error)
            self._trouble = str(error)
            return error.for_good
        except Exception as error:  # noqa: BLE001 - a mistake in one channel must not end the watching, nor the others
            if type(error).__name__ not in self._trouble:
                _log.error("alerts, %s: a mistake of this program; all else goes on", self.name, exc_info=error)
            self._trouble = (
                f"stopped by a mistake of this program ({type(error).__name__}), tried again; please report it with the "
                "lines of the log"
            )
            return False
        if self._trouble:
            _log.info("alerts, %s: it works again", self.name)
        self._trouble = ""
        return True


def _old(one: Telling, instant: float, now: datetime | None) -> bool:
    """Tell whether something is too old; what this program told itself by the clock that nobody sets."""
    if one.instant is not None:
        return instant - one.instant >= _OLDEST.total_seconds()
    return one.time is not None and now is not None and now - one.time >= _OLDEST
