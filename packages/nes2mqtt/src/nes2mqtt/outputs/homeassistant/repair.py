"""Puts Home Assistant's statistics right where a gap was filled.

Each gap is worked off once, in the order in which the gaps were filled; how far that has come is kept in the history. While Home
Assistant cannot be asked it is tried again, for ever. What it does not have (an entity that was never announced, or has no statistics)
is passed over. An entity that it refuses to have put right holds up nothing else: it is told, and asked for again each hour.

This module does not know how bytes reach Home Assistant, what it is asked (:mod:`nes2mqtt.outputs.homeassistant.visit`), nor which
hours are right (:mod:`nes2mqtt.outputs.homeassistant.statistics`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.store import Store
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.homeassistant.connection import HomeAssistant, HomeAssistantError, TokenRefused
from nes2mqtt.outputs.homeassistant.visit import Asked, Visit
from nes2mqtt.readings.hub import OutputStatus
from nes2mqtt.readings.reading import Event
from nes2mqtt.timing.backoff import Backoff

__all__ = ["Repair"]

_log = logging.getLogger(__name__)

_LOOK_EVERY = 60.0
"""Seconds between two looks whether a gap was filled."""
_AGAIN = (60.0, 3600.0)
_TOKEN_AGAIN = 86_400.0
"""Seconds until a token is tried again that was refused: Home Assistant tells its owner of each try, and may shut out the address."""
_REFUSED_AGAIN = 3600.0
"""Seconds until an entity is asked for again that was refused."""
_DONE = "homeassistant_gap"
"""Under this name the history keeps the number of the last gap that was worked off."""


class Repair:
    """An output: hears nothing of the hub, and looks into the history by itself.

    Args:
        config: where Home Assistant is.
        gateway: this gateway's name.
        store: the history.
        connect: makes the connection; tests have others.
    """

    name = "homeassistant"

    def __init__(
        self,
        config: HomeAssistantConfig,
        gateway: str,
        store: Store,
        connect: Callable[[], AbstractAsyncContextManager[Asked]] | None = None,
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._connect = connect if connect is not None else lambda: HomeAssistant(config.url, config.token)
        self._problem = self._code = ""
        self._waiting = 0
        self._refused: dict[tuple[int, str], str] = {}
        """Why an entity could not be put right, by the number of the gap and the entity."""
        self._refused_at = 0.0

    def offer(self, event: Event) -> None:
        """Take nothing: what is filled comes from the history."""
        del event

    def status(self) -> OutputStatus:
        """Tell whether Home Assistant could be asked, when it had to be, and what it refused."""
        text, code, entities = self._problem, self._code, ""
        if not text and self._refused:
            entities = ", ".join(sorted({entity for _, entity in self._refused}))
            code = "homeassistant_refused"
            why = next(iter(self._refused.values()))
            text = f"The statistics of {entities} are not repaired after a gap: {why}. It is tried again each hour"
        return OutputStatus(
            self.name,
            ok=not text,
            message=text or "Home Assistant is asked when a gap was filled",
            waiting=self._waiting,
            code=code,
            params={"entities": entities} if entities else {},
        )

    async def run(self) -> None:
        """Work off what is filled, until cancelled."""
        again = Backoff(*_AGAIN)
        while True:
            pause = _LOOK_EVERY
            try:
                await self._work()
                if self._problem:
                    _log.info("Home Assistant can be asked again")
                self._problem = self._code = ""
                again.reset()
            except HomeAssistantError as error:
                if not self._problem:
                    _log.warning(
                        "the statistics of Home Assistant are not repaired after a gap: %s. It is tried again", error
                    )
                self._problem = f"{error}. Its statistics are repaired when it can be asked"
                by_token = isinstance(error, TokenRefused)
                self._code = "homeassistant_token" if by_token else "homeassistant_unreachable"
                pause = _TOKEN_AGAIN if by_token else again.next()
            except HistoryError:  # the status of the history tells why
                pause = again.next()
            await asyncio.sleep(pause)

    async def _work(self) -> None:
        """Work off the gaps that are new, one by one, and now and then those of which something was refused."""
        now = asyncio.get_running_loop().time()
        done = await self._store.noted(_DONE)
        self._waiting = await self._store.filled_count(done)
        repeat = bool(self._refused) and now >= self._refused_at
        if not (self._waiting or repeat):
            return
        async with self._connect() as home:
            visit = await Visit.begin(home, self._gateway)
            if repeat:
                self._refused_at = now + _REFUSED_AGAIN
                for number in sorted({number for number, _ in self._refused}):
                    only = {entity for gap, entity in self._refused if gap == number}
                    await self._repair(visit, number - 1, only)
            while (repaired := await self._repair(visit, done)) is not None:
                await self._store.note(_DONE, repaired)
                done, self._waiting = repaired, max(0, self._waiting - 1)

    async def _repair(self, visit: Visit, after: int, only: set[str] | None = None) -> int | None:
        """Put right what the next gap made wrong; return its number, None if there is no more.

        Args:
            visit: the conversation with Home Assistant.
            after: the number of the gap before it.
            only: the entities that were refused before; all if None.
        """
        gaps = await self._store.filled_gaps(after, 1)
        if not gaps:
            return None
        (gap,) = gaps
        refused = await visit.repair(gap, only)
        for entity in only or ():
            self._refused.pop((gap.number, entity), None)
        for entity, why in refused.items():
            if only is None:
                _log.warning(
                    "the statistics of %s are not repaired after the gap from %s to %s UTC: %s. It is tried again each hour; "
                    "all else goes on",
                    *(entity, f"{gap.began:%Y-%m-%d %H:%M}", f"{gap.ended:%Y-%m-%d %H:%M}", why),
                )
                self._refused_at = asyncio.get_running_loop().time() + _REFUSED_AGAIN
            self._refused[gap.number, entity] = why
        return gap.number
