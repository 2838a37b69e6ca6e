"""The task that keeps the prices of some areas up to date, for as long as the gateway runs.

It asks by :mod:`~nes2mqtt.prices.schedule`, keeps what came in the store and tells when something is wrong or right again,
once. Nothing else of the gateway waits for it: without prices costs are pending, and everything else goes on.

This module does not know what prices are used for.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from nes2mqtt.prices.fetch import Answer, NoAnswer, fetch
from nes2mqtt.prices.schedule import (
    LEAST_WAIT,
    MARKET,
    Question,
    complete_days,
    failure_wait,
    next_question,
    quiet_wait,
)
from nes2mqtt.prices.sources.price_file import read_price_file
from nes2mqtt.prices.sources.source import PriceSource, Request
from nes2mqtt.prices.spot_price import PriceError
from nes2mqtt.prices.store import PriceStore
from nes2mqtt.timing.clock import Clock

__all__ = ["PriceKeeper", "Wanted", "wanted_by"]

_log = logging.getLogger(__name__)

_FILE_EVERY = 60.0
_LATE = timedelta(days=7)
_UNKNOWN_TIME = 60.0
"""Seconds until the clock is asked again whether it knows the day."""

Fetch = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Prices that contracts need.

    Args:
        since: first day.
        currency: of the contracts.
    """

    since: date
    currency: str


def wanted_by(needs: Iterable[tuple[str, date, str]]) -> dict[str, Wanted]:
    """Return what is wanted of each area.

    Args:
        needs: of each contract its area, first day and currency; contracts of one area have one currency.
    """
    found: dict[str, Wanted] = {}
    for area, since, currency in needs:
        known = found.get(area)
        found[area] = Wanted(since if known is None else min(known.since, since), currency)
    return found


@dataclass(slots=True)
class _Area:
    """How far the prices of an area have come."""

    wanted: Wanted
    complete: set[date] = field(default_factory=set)
    given_up: set[date] = field(default_factory=set)
    """Days gone by of which the source had nothing more."""
    day: date | None = None
    """The market day of the last look."""

    def look(self, today: date) -> None:
        """Ask once a day again for days of the last week: corrections and exchange rates come late."""
        if today != self.day:
            self.day = today
            self.given_up = {day for day in self.given_up if day < today - _LATE}


class PriceKeeper:
    """Keeps prices up to date.

    Args:
        store: where they are kept.
        wanted: by area.
        clock: of the gateway.
        source: the service to ask; None: the file.
        file: of prices, if there is no service.
        chance: gives numbers from 0 to 1.
        get: sends a request.
        offload: runs what blocks, in a thread.
    """

    def __init__(
        self,
        store: PriceStore,
        wanted: Mapping[str, Wanted],
        clock: Clock,
        source: PriceSource | None,
        *,
        chance: Callable[[], float],
        file: Path | None = None,
        get: Fetch = fetch,
        offload: Callable[..., Awaitable[Any]] = asyncio.to_thread,
    ) -> None:
        self._store = store
        self._areas = {area: _Area(needs) for area, needs in wanted.items()}
        self._clock = clock
        self._source = source
        self._file = file
        self._chance = chance
        self._get = get
        self._offload = offload
        self._failures = 0
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Return what is wrong, in a sentence; empty if nothing is."""
        return self._trouble

    async def run(self) -> None:
        """Keep prices up to date until cancelled."""
        if self._source is None:
            await self._follow_file()
            return
        await self._offload(self._look_back)
        while True:
            wait = await self._one_round(self._source)
            await asyncio.sleep(wait)

    async def _one_round(self, source: PriceSource) -> float:
        """Ask for what is missing most, and return the seconds until the next round."""
        if not self._clock.known:
            return _UNKNOWN_TIME
        now = self._clock.now()
        for area, state in self._areas.items():
            state.look(now.astimezone(MARKET).date())
            question = next_question(now, state.wanted.since, state.complete, state.given_up)
            if question is not None:
                return await self._ask(source, area, state, question, now)
        return quiet_wait(now, self._chance())

    async def _ask(self, source: PriceSource, area: str, state: _Area, question: Question, now: datetime) -> float:
        request = source.request(area, question.first, question.after)
        try:
            answer = await self._offload(self._get, request)
            prices = source.read(answer.body, area) if answer.body else []
            await self._offload(self._store.keep, area, prices, source.name, now)
        except NoAnswer as error:
            self._failures += 1
            self._tell(str(error))
            return failure_wait(self._failures, error.retry_after, self._chance())
        except PriceError as error:
            self._failures += 1
            self._tell(str(error))
            return failure_wait(self._failures, None, self._chance())
        except sqlite3.Error as error:
            self._failures += 1
            self._tell(f"prices cannot be kept in {self._store.path}: {error}")
            return failure_wait(self._failures, None, self._chance())
        self._failures = 0
        self._tell("")
        came = complete_days(prices)
        state.complete |= came
        today = now.astimezone(MARKET).date()
        if question.first >= today:
            return LEAST_WAIT if came else quiet_wait(now, self._chance())
        asked = {question.first + timedelta(days=number) for number in range((request.after - question.first).days)}
        state.given_up |= asked - came
        return LEAST_WAIT

    def _look_back(self) -> None:
        """Find out which days are kept already."""
        for area, state in self._areas.items():
            begin = datetime(state.wanted.since.year, state.wanted.since.month, state.wanted.since.day, tzinfo=UTC)
            try:
                kept = self._store.prices(
                    area, state.wanted.currency, begin - timedelta(days=1), begin + timedelta(days=36600)
                )
            except sqlite3.Error as error:
                self._tell(f"the kept prices in {self._store.path} cannot be read: {error}")
                continue
            state.complete |= complete_days(kept)

    async def _follow_file(self) -> None:
        """Read the file of prices whenever it changed."""
        seen: object = None
        while True:
            stamp = await self._offload(self._stamp)
            if stamp != seen and self._clock.known:
                await self._offload(self._read_file)
                seen = stamp
            await asyncio.sleep(_FILE_EVERY)

    def _stamp(self) -> tuple[int, int] | None:
        try:
            status = self._file.stat() if self._file is not None else None
        except OSError:
            return None
        return None if status is None else (status.st_mtime_ns, status.st_size)

    def _read_file(self) -> None:
        if self._file is None:
            return
        try:
            text = self._file.read_text(encoding="utf-8")
            for area, state in self._areas.items():
                prices = read_price_file(text, state.wanted.currency)
                self._store.keep(area, prices, "file", self._clock.now())
        except (OSError, UnicodeDecodeError) as error:
            self._tell(f"the file of prices {self._file} cannot be read: {error}")
        except (PriceError, sqlite3.Error) as error:
            self._tell(f"the file of prices {self._file} was not taken: {error}")
        else:
            self._tell("")

    def _tell(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        if trouble:
            _log.warning("spot prices: %s. Costs wait for them; asked again later", trouble)
        elif self._trouble:
            _log.info("spot prices: they come again")
        self._trouble = trouble
